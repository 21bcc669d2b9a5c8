"""Runs cases against a version, and compares each answer with what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from engine.cases.case import Case, CaseResult, Mismatch
from engine.cases.comparison import instants_compared, list_text, lists_compared
from engine.decide.answer_json import written
from engine.decide.decider import Decider
from engine.model.answer import Answer, FiredRule, Outcome, Status, WrongRequest
from engine.request.moment import NotAnInstant, read_instant
from engine.version.version import Version


def run_cases(version: Version, cases: Iterable[Case]) -> tuple[CaseResult, ...]:
    """Run cases; return the results of those that do not pass."""
    decider = Decider(version)
    return tuple(result for case in cases if not (result := run_case(decider, case)).passed)


def run_case(decider: Decider, case: Case) -> CaseResult:
    """Run one case."""
    try:
        answer = decider.decide(case.decision, case.facts, case.moment)
    except WrongRequest as error:
        return CaseResult(case, None, tuple(_refused(error, case)))
    if case.refused:
        return CaseResult(
            case,
            answer,
            (
                Mismatch(
                    what="refused",
                    expected=", ".join(case.refused),
                    got="an answer",
                    compared=f"expected {list_text(case.refused)}, got an answer",
                ),
            ),
        )
    return CaseResult(case, answer, tuple(_differences(answer, case)))


def _refused(error: WrongRequest, case: Case) -> Iterator[Mismatch]:
    """Compare the rejected facts with the expected ones."""
    refused = sorted({wrong.fact for wrong in error.wrong})
    if not case.refused:
        yield from (Mismatch(what=wrong.fact, expected="a valid value", got=wrong.message) for wrong in error.wrong)
    elif refused != (wanted := sorted(set(case.refused))):
        yield Mismatch(
            what="refused", expected=", ".join(wanted), got=", ".join(refused), compared=lists_compared(wanted, refused)
        )


def _differences(answer: Answer, case: Case) -> Iterator[Mismatch]:
    if answer.status is not case.status:
        missing = answer.missing if answer.status is Status.UNDECIDED else ()
        yield Mismatch(what="status", expected=case.status.value, got=answer.status.value, missing=missing)
    for name, expected in case.expect.items():
        outcome = answer[name]
        if _differs(expected, outcome):
            missing = outcome.missing if outcome.status is Status.UNDECIDED else ()
            yield Mismatch(
                what=name,
                expected=_joined(expected),
                got=_got(outcome),
                rules=outcome.rules,
                missing=missing,
                compared=_compared(expected, outcome),
            )
    for name, state in case.states.items():
        standing = next((due.standing for due in answer.dues if due.name == name), None)
        got = standing.state.value if standing else "not due"
        if got != state:
            yield Mismatch(
                what=name, expected=f"to be {state}", got=got, rules=answer[name].rules, missing=answer[name].missing
            )
    yield from _lists(answer, case)


def _lists(answer: Answer, case: Case) -> Iterator[Mismatch]:
    every_missing = {fact for outcome in answer.outcomes for fact in outcome.missing}
    for what, wanted, got, exact in (
        ("missing", case.missing, set(answer.missing) | every_missing, False),
        ("possible", *_possible(answer, case), True),
        ("rules", case.rules, {rule.id for rule in answer.rules}, False),
        ("assumptions", case.assumptions, {rule.id for rule in answer.assumptions}, True),
        ("nearest", case.nearest, {value for one in answer.unlisted for value, _ in one.nearest}, False),
    ):
        if wanted is not None and (set(wanted) != got if exact else not set(wanted) <= got):
            compared = (
                lists_compared(wanted, sorted(got))
                if exact
                else f"expected {list_text(wanted)}, got {list_text(sorted(got))}"
            )
            yield Mismatch(
                what=what,
                expected=", ".join(wanted) or "none",
                got=", ".join(sorted(got)) or "none",
                rules=_odd(answer, what, set(wanted)),
                compared=compared,
            )
    if case.ask_next is not None and case.ask_next != answer.ask_next:
        yield Mismatch(what="ask_next", expected=case.ask_next, got=answer.ask_next or "nothing")


def _possible(answer: Answer, case: Case) -> tuple[tuple[str, ...] | None, set[str]]:
    """Return what is expected to be possible, and what is: of a list that a table collects, the items that are open."""
    first = answer.first_undecided
    if case.possible is None:
        return None, set()
    if first is not None and first.items is not None:
        return open_items(case.possible), set(first.items.open)
    return tuple(map(_joined, case.possible)), {written(value) for value in answer.possible}


def open_items(possible: Iterable[str | tuple[str, ...]]) -> tuple[str, ...]:
    """Return the open items of a list: those that are named or, of whole lists, those in some and not in all.

    >>> open_items(["a", "b"]), open_items([("a",), ("a", "b")])
    (('a', 'b'), ('b',))
    """
    named = list(possible)
    if not any(isinstance(one, tuple) for one in named):
        return tuple(map(_joined, named))
    lists = [(one,) if isinstance(one, str) else one for one in named]
    return tuple(item for item in dict.fromkeys(chain(*lists)) if not all(item in one for one in lists))


def _odd(answer: Answer, what: str, wanted: set[str]) -> tuple[FiredRule, ...]:
    """Return the unexpected rules, if rules are compared."""
    return tuple(rule for rule in answer.assumptions if rule.id not in wanted) if what == "assumptions" else ()


def _got(outcome: Outcome) -> str:
    return written(outcome.value) if outcome.status is Status.DECIDED else outcome.status.value


def _joined(expected: str | tuple[str, ...]) -> str:
    return expected if isinstance(expected, str) else ", ".join(expected)


def _differs(expected: str | tuple[str, ...], outcome: Outcome) -> bool:
    if isinstance(expected, tuple) and isinstance(outcome.value, tuple):
        return expected != outcome.value
    return _got(outcome) != _canonical(_joined(expected), outcome)


def _compared(expected: str | tuple[str, ...], outcome: Outcome) -> str:
    """Return expected and actual values as text for people; "" if the plain values suffice."""
    if isinstance(outcome.value, tuple):
        return lists_compared((expected,) if isinstance(expected, str) else expected, outcome.value)
    if isinstance(expected, tuple):
        return f"expected {list_text(expected)}, got {_got(outcome)}"
    if isinstance(outcome.value, datetime):
        return instants_compared(expected, outcome.value)
    return ""


def _canonical(expected: str, outcome: Outcome) -> str:
    """Read true as yes, 4.0 as 4 and an instant with any offset, by the type of the outcome."""
    if isinstance(outcome.value, datetime):
        try:
            return written(read_instant(outcome.name, expected))
        except NotAnInstant as error:
            return f"{expected} ({error.message})"
    if isinstance(outcome.value, bool):
        return {"true": "yes", "false": "no"}.get(expected.casefold(), expected.casefold())
    if isinstance(outcome.value, (int, float)):
        try:
            return written(float(expected))
        except ValueError:
            return expected
    return expected
