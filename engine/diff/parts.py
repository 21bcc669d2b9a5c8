"""A policy as named parts with their text and meaning, by which two versions are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from engine.clock.calendar import HolidayList, Interval
from engine.decide.answer_json import written
from engine.diff.words import measure_text
from engine.load import list_place
from engine.model.conditions import Condition
from engine.model.policy import Deadline, Decision, Elapsed, Form, Policy, Roster, Rule, SameAs, Table
from engine.model.problems import Place
from engine.model.targets import Measure, Region, WrittenCalendar
from engine.model.vocabulary import Fact, number_text

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The names of the statements of a calendar about the days of a week."""

WHEN: Final = "when "
"""The beginning of the name of a condition of a rule."""


class PartKey(NamedTuple):
    """The kind of a part, and its name within the kind."""

    part: str
    name: str


class Statement(NamedTuple):
    """One statement of a part: its text and its meaning.

    Two are the same if either is: a condition may be written differently and mean the same, or mean more values because
    the vocabulary has more.
    """

    text: str
    meaning: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part with its place, its statements, and the part that contains it.

    ``identity`` has the statements that make it the same under another name (none: nothing does). The name of a part
    ``by_content`` is one of its statements.
    """

    place: Place
    said: Mapping[str, Statement]
    owner: str = ""
    identity: frozenset[tuple[str, str]] = frozenset()
    by_content: bool = False

    @property
    def text(self) -> str:
        """Its statements on one line."""
        return "; ".join(f"{what}: {one.text}" for what, one in self.said.items() if one.text)


Written = tuple[PartKey, Part]
Noun = TypeVar("Noun")


def parts(policy: Policy) -> dict[PartKey, Part]:
    """Return the parts of a policy, in the order of its sections."""
    return dict(
        chain(
            _manifest(policy),
            _each("decision", policy.decisions, _decision),
            _vocabulary("fact", policy.facts, policy),
            _vocabulary("outcome", policy.outcomes, policy),
            _tables(policy),
            _deadlines(policy),
            _each("elapsed", policy.elapsed, _elapsed),
            _each("roster", policy.rosters, _roster),
            _each("calendar", policy.calendars, _calendar),
            _each("region", policy.regions, _region),
            _holidays(policy),
            _questions(policy),
            _assumptions(policy),
        )
    )


def _each(part: str, named: Mapping[str, Noun], write: Callable[[Noun], Part]) -> Iterator[Written]:
    return ((PartKey(part, name), write(one)) for name, one in named.items())


def _says(**aspects: str) -> dict[str, Statement]:
    return {what.replace("_", " "): Statement(text, text) for what, text in aspects.items() if text}


def _manifest(policy: Policy) -> Iterator[Written]:
    manifest, notice = policy.manifest, policy.manifest.notice
    yield (
        PartKey("manifest", manifest.name),
        Part(
            place=manifest.place,
            said=_says(
                version=manifest.version,
                in_force_from=manifest.effective_from.isoformat(),
                text=manifest.source,
                owner=manifest.owner,
                a_new_ticket_needs=", ".join(manifest.triage),
            ),
        ),
    )
    if notice:
        yield (
            PartKey("manifest", "notice"),
            Part(
                place=manifest.place, said=_says(text=notice.text, source=notice.source, assumption=notice.assumption)
            ),
        )


def _vocabulary(part: str, facts: Mapping[str, Fact], policy: Policy) -> Iterator[Written]:
    entries = _entries(policy)
    for name, fact in facts.items():
        limits = " ".join(
            f"{what} {number_text(limit)}"
            for what, limit in (("from", fact.minimum), ("to", fact.maximum))
            if limit is not None
        )
        yield (
            PartKey(part, name),
            Part(
                place=fact.place,
                said=_says(
                    type=str(fact.type),
                    about=fact.about,
                    unit=fact.unit,
                    numbers=limits,
                    open="yes" if fact.open else "",
                    longer_tags="fall back" if fact.subtags else "",
                    asked="" if fact.ask else "last",
                ),
            ),
        )
        for value in fact.values:
            said = _says(about=value.about, name=value.name)
            aliases = ", ".join(value.aliases)
            place = entries.get((name, value.value), fact.place)
            yield (
                PartKey("value", f"{name}={value.value}"),
                Part(
                    place=place,
                    said={**said, **({"aliases": Statement(aliases, frozenset(value.aliases))} if aliases else {})},
                    owner=name,
                ),
            )


def _entries(policy: Policy) -> dict[tuple[str, str], Place]:
    """Return the places of the values that an entry table lists: each is a row of it."""
    rows = [rule for table in policy.tables.values() if table.form is Form.ENTRIES for rule in table.rules]
    return {(condition.fact, word): rule.place for rule in rows for condition in rule.when for word in condition.words}


def _tables(policy: Policy) -> Iterator[Written]:
    for table in policy.tables.values():
        yield (
            PartKey("table", table.name),
            Part(
                place=table.place,
                said=_says(about=table.about, hit=str(table.hit), gives=", ".join(table.produces), source=table.source),
            ),
        )
        yield from _rules(table)


def _rules(table: Table) -> Iterator[Written]:
    for rule in table.all_rules:
        yield PartKey("rule", rule.id), _rule(rule, table)


def _rule(rule: Rule, table: Table) -> Part:
    said = {f"{WHEN}{condition.fact}": Statement(condition.text, _meaning(condition)) for condition in rule.when}
    for name, value in rule.then.items():
        text = (
            f"as {value.fact}"
            if isinstance(value, SameAs)
            else measure_text(value)
            if isinstance(value, Measure)
            else written(value)
        )
        said[name] = Statement(text, text)
    return Part(
        place=rule.place,
        said=said | _says(source=rule.source, assumption=rule.assumption, about=rule.about),
        owner=table.name,
        identity=frozenset((what, one.text) for what, one in said.items()),
        by_content=table.form is not Form.RULES and rule is not table.otherwise,
    )


def _meaning(condition: Condition) -> object:
    return (condition.words, frozenset(condition.intervals), condition.negated, condition.unknown)


def _decision(decision: Decision) -> Part:
    return Part(
        place=decision.place,
        said=_says(
            about=decision.about,
            owner=decision.owner,
            answers=", ".join(decision.answers),
            beside=", ".join(decision.beside),
        ),
    )


def _roster(roster: Roster) -> Part:
    places = ", ".join(f"{entry.value} ({entry.zone})" for entry in roster.entries)
    hours = f"{_clock(roster.opens)}-{_clock(roster.closes)}"
    return Part(
        place=roster.place,
        said=_says(
            about=roster.about,
            at=roster.at,
            hours=hours,
            places=places,
            source=roster.source,
            assumption=roster.assumption,
        ),
    )


def _calendar(calendar: WrittenCalendar) -> Part:
    said = _says(
        about=calendar.about,
        zone=calendar.zone,
        holidays=calendar.holidays,
        always="yes" if calendar.always else "",
        source=calendar.source,
        assumption=calendar.assumption,
    )
    week = zip(WEEKDAYS, calendar.week, strict=True)
    said |= {day: Statement(_hours(hours) or "closed", hours) for day, hours in week}
    for day, hours in sorted(calendar.dates.items()):
        said |= {f"date {day}": Statement(_hours(hours) or "closed", hours)}
    for day, hours in sorted(calendar.breaks.items()):
        said |= {f"break {day}": Statement(_hours(hours), hours)}
    return Part(place=calendar.place, said=said)


def _clock(minutes: int) -> str:
    """Return a minute of a day as text; more than 24:00 is a time of the next day."""
    hours, left = divmod(minutes, 60)
    return f"{hours if hours <= 24 else hours - 24:02}:{left:02}"


def _hours(intervals: Iterable[Interval]) -> str:
    return ", ".join(f"{_clock(one.opens)}-{_clock(one.closes)}" for one in intervals)


def _region(region: Region) -> Part:
    return Part(place=region.place, said=_says(zone=region.zone, holidays=region.holidays, about=region.about))


def _holidays(policy: Policy) -> Iterator[Written]:
    for name, listed in policy.holidays.items():
        place = list_place(policy, name)
        yield PartKey("holidays", name), Part(place=place, said=_says(covers=f"{listed.first} to {listed.last}"))
        yield from _days(name, listed, place)


def _days(name: str, listed: HolidayList, place: Place) -> Iterator[Written]:
    for day, holiday in sorted(listed.days.items()):
        yield (
            PartKey("holiday", f"{name} {day}"),
            Part(
                place=place,
                said=_says(name=holiday.name, status=str(holiday.status), source=holiday.source),
                owner=name,
            ),
        )


def _deadlines(policy: Policy) -> Iterator[Written]:
    for deadline in policy.deadlines.values():
        yield PartKey("deadline", deadline.name), _deadline(deadline)
        yield from _rules(deadline.table)


def _deadline(deadline: Deadline) -> Part:
    risk = deadline.at_risk
    left = (
        ""
        if risk is None
        else f"{number_text(risk.share * 100)}%"
        if risk.share is not None
        else f"{number_text(risk.minutes or 0)} minutes"
    )
    return Part(
        place=deadline.place,
        said=_says(
            about=deadline.about,
            runs_from=deadline.starts,
            met_by=deadline.met,
            amount=deadline.amount,
            region=deadline.region,
            over=str(deadline.when_past),
            at_risk=left,
            holds="extend it" if deadline.holds.extend else "do not extend it",
            source=deadline.table.source,
        ),
    )


def _elapsed(one: Elapsed) -> Part:
    counts = f"{one.counting} {one.unit} by {one.calendar}{f', {one.rule}' if one.rule else ''}"
    return Part(
        place=one.place,
        said=_says(since=one.since, counts=counts, region=one.region, source=one.source, assumption=one.assumption),
    )


def _questions(policy: Policy) -> Iterator[Written]:
    for one in policy.questions:
        yield (
            PartKey("question", one.id),
            Part(place=one.place, said=_says(question=one.question, reading=one.reading, source=one.source)),
        )


def _assumptions(policy: Policy) -> Iterator[Written]:
    """Yield the assumptions of the policy itself; those of rules and other parts are statements of these."""
    for one in policy.assumptions:
        if one.place.file == policy.manifest.place.file and one.id != "notice":
            yield (
                PartKey("assumption", one.id),
                Part(place=one.place, said=_says(reason=one.reason, source=one.source)),
            )
