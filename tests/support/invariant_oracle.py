"""What an invariant means, in plain loops over every case and, for monotone, over every two of them.

It reads the text of an invariant and asks :mod:`tests.oracle` for the outcomes, so it shares no code with the prover.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from engine.model.policy import Literal, Policy
from tests.oracle import Facts, Oracle

Case = dict[str, Any]
"""The facts of a ticket, and what each outcome is: ("decided", value), ("undecided", None) or ("not_covered", None)."""

NUMBERS: Final[dict[str, Callable[[float], bool]]] = {
    "< 3": lambda number: number < 3,
    "3": lambda number: number == 3,
    "[3..7)": lambda number: 3 <= number < 7,
    "(2..7]": lambda number: 2 < number <= 7,
    "> 7": lambda number: number > 7,
    ">= 5": lambda number: number >= 5,
    "<= 5": lambda number: number <= 5,
    "> 4": lambda number: number > 4,
    "[8..9]": lambda number: 8 <= number <= 9,
    "(0..4]": lambda number: 0 < number <= 4,
    ">= 3": lambda number: number >= 3,
    "> 5": lambda number: number > 5,
    "[2..8]": lambda number: 2 <= number <= 8,
    "> 0.5": lambda number: number > 0.5,
}
"""The conditions on numbers that are drawn or shipped, those that no rule names among them."""

SAMPLES: Final = (0, 1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 7.5, 8, 8.5, 9, 9.5)
"""A number on each side of each threshold, and the thresholds."""


def every_case(policy: Policy, vocabulary: Mapping[str, Any]) -> list[Case]:
    """Return every ticket there can be, up to numbers that no condition tells apart, with its outcomes."""
    values: dict[str, Sequence[str | float]] = {name: _values(fact) for name, fact in vocabulary["facts"].items()}
    oracle = Oracle(policy, values)
    cases = []
    for combination in itertools.product(*([None, *given] for given in values.values())):
        facts: Facts = dict(zip(values, combination, strict=True))
        outcomes = {
            name: _standing(possible)
            for table in policy.tables.values()
            for name, possible in oracle.possible(table, dict(facts)).items()
        }
        cases.append({"facts": facts, **facts, **outcomes})
    return cases


def _values(fact: Mapping[str, Any]) -> Sequence[str | float]:
    match fact["type"]:
        case "boolean":
            return ("no", "yes")
        case "text":
            return ("blank", "given")
        case "number":
            return SAMPLES
        case _:
            return [value["value"] for value in fact["values"]] + ["unlisted"] * (fact.get("open") == "yes")


def _standing(possible: frozenset[Literal | None]) -> tuple[str, Literal | None]:
    if len(possible) > 1:
        return "undecided", None
    value = next(iter(possible))
    return ("not_covered", None) if value is None else ("decided", value)


def broken(invariant: Mapping[str, Any], cases: Sequence[Case]) -> list[tuple[Case, ...]]:
    """Return everything that shows that an invariant does not hold: cases, or pairs of them."""
    if "never" in invariant:
        return [(case,) for case in cases if all_hold(invariant["never"], case)]
    if "always" in invariant:
        return [(case,) for case in cases if not all_hold(invariant["always"], case)]
    if "implies" in invariant:
        said = invariant["implies"]
        return [(case,) for case in cases if all_hold(said["if"], case) and not all_hold(said["then"], case)]
    return list(_pairs(invariant["monotone"], cases))


def all_hold(tests: Mapping[str, Any], case: Case) -> bool:
    return all(_holds(said, case[name]) for name, said in tests.items())


def _holds(said: Any, value: Any) -> bool:
    if isinstance(said, dict):
        named = said["not"] if isinstance(said["not"], list) else [said["not"]]
        return _is_known(value) and not any(_is(word, value) for word in named)
    return any(_is(word, value) for word in (said if isinstance(said, list) else [said]))


def _is_known(value: Any) -> bool:
    return bool(value[0] == "decided") if isinstance(value, tuple) else value is not None


def _is(word: str, value: Any) -> bool:
    """Return whether a word fits a fact (None is not sent) or an outcome (how it stands, and its value)."""
    if word == "unknown":
        return not _is_known(value)
    if isinstance(value, tuple) and word in ("decided", "undecided", "not_covered"):
        return bool(value[0] == word)
    plain = value[1] if isinstance(value, tuple) else value
    if plain is None:
        return False
    if isinstance(plain, tuple):
        return bool(word == ("given" if plain else "blank"))
    if isinstance(plain, bool):
        return bool(word == ("yes" if plain else "no"))
    if isinstance(plain, (int, float)):
        return NUMBERS[word](plain)
    return bool(word == plain or (word == "given" and isinstance(value, tuple) and plain))


def _pairs(said: Mapping[str, Any], cases: Sequence[Case]) -> Iterator[tuple[Case, Case]]:
    """Yield every two cases of which the second is raised and has less (or, for never_raises, more) than the first."""
    way = "never_lowers" if "never_lowers" in said else "never_raises"
    for name, order in said["raise"].items():
        ranked = [
            (case, level, rank)
            for case in cases
            if (level := _rank({name: order}, case)) is not None and (rank := _rank(said[way], case)) is not None
        ]
        for (one, low, before), (other, high, after) in itertools.product(ranked, repeat=2):
            if (
                low < high
                and (after < before if way == "never_lowers" else after > before)
                and _comparable(name, one["facts"], other["facts"])
            ):
                yield one, other


def _comparable(raised: str, one: Facts, other: Facts) -> bool:
    """Where a fact is raised, all other facts are the same; where an outcome is, every two cases are compared."""
    return raised not in one or all(one[key] == other[key] for key in one if key != raised)


def _rank(orders: Mapping[str, Any], case: Case) -> tuple[float, ...] | None:
    ranks = []
    for name, order in orders.items():
        value = case[name][1] if isinstance(case[name], tuple) else case[name]
        value = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        if value is None or (order != "by_size" and value not in order):
            return None
        ranks.append(value if order == "by_size" else order.index(value))
    return tuple(ranks)
