"""Checks across the parts of a policy: names, references, producers and amounts."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Protocol

from engine.load.deadlines import MAX_AMOUNT
from engine.load.node_readers import Node, items, pairs, text, texts, value_place
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Deadline, Decision, Elapsed, OpenQuestion, Roster, Rule, Table
from engine.model.problems import Place, Problem
from engine.model.targets import BY_DAY, Measure, Region, WrittenCalendar
from engine.model.vocabulary import NO, YES, Fact, FactType, number_text

MAX_USERS: Final = 3
"""The most deadlines that one problem names."""


class HasPlace(Protocol):
    """A value with the place where it is written."""

    @property
    def place(self) -> Place:
        """Where it is written."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """The content of a version's files as far as it is read, and the problems so far.

    ``whole`` is true if every file was read and every section found: only then is an unknown name a problem. ``sound``
    is true if all files have the right shape, so that every rule has its id.
    """

    manifest_tree: Node
    concerns: MappingOf[str, Node]
    facts: MappingOf[str, Fact]
    outcomes: MappingOf[str, Fact]
    problems: list[Problem]
    whole: bool
    sound: bool
    tables: dict[str, Table] = field(default_factory=dict)
    rosters: dict[str, Roster] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    calendars: dict[str, WrittenCalendar] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    elapsed: dict[str, Elapsed] = field(default_factory=dict)
    questions: list[OpenQuestion] = field(default_factory=list)

    def add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))

    def rules(self) -> Iterable[Rule]:
        """Return the rules of all tables and deadlines."""
        return rules_of((*self.tables.values(), *(deadline.table for deadline in self.deadlines.values())))


def rules_of(tables: Iterable[Table]) -> Iterable[Rule]:
    """Return the rules of tables, each table's ``otherwise`` after its others."""
    return chain.from_iterable(table.all_rules for table in tables)


def check_consistency(parts: Parts) -> None:
    """Add every problem across parts; checks that need sound parts run only if there is no problem yet."""
    _check_names(parts)
    _check_ids(parts)
    _check_questions(parts)
    _check_triage(parts)
    _check_regions(parts)
    if not parts.problems:
        _check_producers(parts)
        _check_amounts(parts)


def _check_names(parts: Parts) -> None:
    """Tables, rosters, deadlines and calendars share one namespace, since answers and open questions name them."""
    seen: dict[str, tuple[str, Place]] = {}
    kinds: tuple[tuple[str, MappingOf[str, HasPlace]], ...] = (
        ("table", parts.tables),
        ("roster", parts.rosters),
        ("deadline", parts.deadlines),
        ("calendar", parts.calendars),
    )
    for what, named in kinds:
        for name, one in named.items():
            if name in seen:
                parts.add(
                    one.place,
                    "repeated-id",
                    f"the {what} `{name}` has the same name as the {seen[name][0]} at {seen[name][1]}",
                    "choose another name",
                )
            seen.setdefault(name, (what, one.place))


def _check_ids(parts: Parts) -> None:
    seen = {name: one.place for named in (parts.rosters, parts.calendars) for name, one in named.items()}
    seen |= {f"{name}.{part}": one.place for name, one in parts.deadlines.items() for part in ("at_risk", "holds")}
    for rule in parts.rules():
        if rule.id and rule.id in seen and rule.place != seen[rule.id]:
            parts.add(
                rule.place,
                "repeated-id",
                f"the rule `{rule.id}` is already defined at {seen[rule.id]}",
                "choose another id",
            )
        seen.setdefault(rule.id, rule.place)


def _check_questions(parts: Parts) -> None:
    rules = {rule.id for rule in parts.rules()}
    known = {*rules, *parts.tables, *parts.rosters, *parts.calendars, *parts.deadlines, *parts.elapsed} - {""}
    ids: set[str] = set()
    for tree in (parts.manifest_tree, *parts.concerns.values()):
        for node in items(tree, "questions"):
            name = text(node, "id")
            if name and name in ids:
                parts.add(
                    value_place(node, "id"), "repeated-id", f"the question `{name}` is repeated", "choose another id"
                )
            ids.add(name)
            for item in items(node, "rules"):
                if parts.sound and text(item) not in known:
                    parts.add(
                        item.place,
                        "unknown-reference",
                        f"unknown rule or table `{text(item)}`",
                        did_you_mean(text(item), known),
                    )


def _check_triage(parts: Parts) -> None:
    seen: set[str] = set()
    for item in items(parts.manifest_tree, "triage"):
        name = text(item)
        if name in seen:
            parts.add(item.place, "repeated-id", f"the decision `{name}` is repeated", "keep one of the two")
        elif parts.whole and name and "" not in parts.decisions and name not in parts.decisions:
            parts.add(
                item.place, "unknown-reference", f"unknown decision `{name}`", did_you_mean(name, parts.decisions)
            )
        seen.add(name)


def _check_regions(parts: Parts) -> None:
    """Report regions that are missing for a value, once for all deadlines that use them."""
    used: dict[str, list[str]] = {}
    counted = [(one.region, one.name, one.place) for one in parts.deadlines.values()]
    counted += [(time.region, time.fact, time.place) for time in parts.elapsed.values()]
    for region, name, place in counted:
        used.setdefault(region, []).append(f"`{name}` ({place.file}:{place.line})")
    for name, users in used.items():
        outcome = parts.outcomes.get(name)
        words = [value.value for value in outcome.values] if outcome is not None else []
        gone = [word for word in words if word not in parts.regions]
        if outcome is None or not parts.whole or not gone or (parts.regions and len(gone) == len(words)):
            continue
        more = f" and {len(users) - MAX_USERS} more" if len(users) > MAX_USERS else ""
        lines = ", ".join(f"`{word}: {{zone: …, holidays: …}}`" for word in gone)
        parts.add(
            outcome.place,
            "unknown-reference",
            f"unknown region {', '.join(f'`{word}`' for word in gone)}, a value of `{name}`",
            f"add {lines} under `regions`; used by {', '.join(users[:MAX_USERS])}{more}",
        )


def _check_producers(parts: Parts) -> None:
    producers: dict[str, Place] = {}
    for name, place in _produced(parts):
        if name in producers:
            parts.add(
                place,
                "produced-twice",
                f"`{name}` is already produced at {producers[name]}",
                "only one table can produce an outcome",
            )
        producers.setdefault(name, place)
    for name, outcome in parts.outcomes.items():
        if name not in producers:
            what = "deadline produces" if outcome.type is FactType.INSTANT else "table produces"
            parts.add(
                outcome.place,
                "never-produced",
                f"no {what} the outcome `{name}`",
                f"remove it from the vocabulary, or add a {what.partition(' ')[0]} that produces it",
            )
    by_roster = {roster.produces for roster in parts.rosters.values()}
    for rule in parts.rules():
        for condition in rule.when:
            if condition.fact in by_roster:
                parts.add(
                    condition.place,
                    "bad-condition",
                    f"`{condition.fact}` comes from a roster, and tables cannot read rosters",
                    "it changes with the time of day; remove the condition",
                )
    wanted = [("deadline", one.region, one.place) for one in parts.deadlines.values()]
    wanted += [("elapsed time", elapsed.region, elapsed.place) for elapsed in parts.elapsed.values()]
    for what, region, place in wanted:
        if region in by_roster:
            parts.add(
                place,
                "bad-outcome",
                f"the region `{region}` of the {what} comes from a roster, which changes with the time of day",
                "select the region in a table",
            )


def _check_amounts(parts: Parts) -> None:
    """Check the amounts that tables produce for a deadline: from 0 to the limit, and whole for business days."""
    for deadline in parts.deadlines.values():
        counted = [rule for rule in deadline.table.rules if _counts_days(rule, deadline.name)]
        for rule in rules_of(parts.tables.values()):
            amount = rule.then.get(deadline.amount)
            if not isinstance(amount, (int, float)):
                continue
            if not 0 <= amount <= MAX_AMOUNT:
                parts.add(
                    rule.place,
                    "bad-outcome",
                    f"expected an amount of time for the deadline `{deadline.name}` from `{deadline.amount}`, got `{number_text(amount)}`",
                    f"write a number from 0 to {MAX_AMOUNT:,}",
                )
            elif amount != int(amount) and any(_meet(rule, other) for other in counted):
                other = next(other for other in counted if _meet(rule, other))
                parts.add(
                    rule.place,
                    "bad-outcome",
                    f"the deadline `{deadline.name}` counts whole business days, not `{number_text(amount)}`, by its rule `{other.id}`",
                    "write a whole number, or change the conditions of that rule so that it does not apply here",
                )


def _produced(parts: Parts) -> Iterable[tuple[str, Place]]:
    """Return every outcome that a table or roster produces, with the place."""
    for section in ("tables", "rosters"):
        for tree in parts.concerns.values():
            for _, node in pairs(tree, section):
                for at, name in enumerate(texts(node, "produces")):
                    yield name, value_place(node, "produces", at)
    yield from ((deadline.name, deadline.place) for deadline in parts.deadlines.values())


def _counts_days(rule: Rule, outcome: str) -> bool:
    """Return whether a rule of a deadline counts business days of an amount that an outcome sets."""
    measure = rule.then[outcome]
    return isinstance(measure, Measure) and measure.unit in BY_DAY and measure.amount is None


def _meet(rule: Rule, other: Rule) -> bool:
    """Return whether the outcomes of a rule can match the conditions of another."""
    given = {
        name: value if isinstance(value, str) else YES if value else NO
        for name, value in rule.then.items()
        if isinstance(value, (str, bool))
    }
    return all(condition.holds(given[condition.fact]) for condition in other.when if condition.fact in given)
