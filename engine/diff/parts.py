"""A policy written down as named parts, each with what it says: what two versions are compared by, word for word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine.clock.calendar import HolidayList, Interval
from engine.conditions import Condition
from engine.policy import Deadline, Decision, Elapsed, Form, Policy, Roster, Rule, SameAs, Table
from engine.problems import Place
from engine.record import written
from engine.timing import Measure, Region, Unit, WrittenCalendar
from engine.vocabulary import Fact, number_text


class Key(NamedTuple):
    """What a part is, and its name among those of its kind."""

    part: str
    name: str


class Said(NamedTuple):
    """One thing that a part says: as people read it, and what it means.

    It is the same if either is: a condition may be written otherwise and mean the same, or mean more values since there are more.
    """

    text: str
    meaning: object


@dataclass(frozen=True, slots=True)
class Aspects:
    """A part: where it stands, what it says, in which part it stands, and what makes it the same under another name (None: nothing)."""

    place: Place
    said: Mapping[str, Said]
    owner: str = ""
    identity: object = None

    @property
    def text(self) -> str:
        """All that it says, on one line."""
        return "; ".join(f"{what}: {one.text}" for what, one in self.said.items() if one.text)


def parts(policy: Policy) -> dict[Key, Aspects]:
    """Write a policy down as parts, in the order of its sections."""
    found: dict[Key, Aspects] = {}
    for name, listed in _SECTIONS.items():
        for part_name, aspects in listed(policy):
            part, _, inner = part_name.partition("\0")
            found[Key(part if inner else name, inner or part)] = aspects
    return found


def _says(**aspects: str) -> dict[str, Said]:
    return {what.replace("_", " "): Said(text, text) for what, text in aspects.items() if text}


def _manifest(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    manifest, notice = policy.manifest, policy.manifest.notice
    yield manifest.name, Aspects(manifest.place, _says(
        version=manifest.version, in_force_from=manifest.effective_from.isoformat(), text=manifest.source, owner=manifest.owner,
        a_new_ticket_needs=", ".join(manifest.triage),
    ))
    if notice:
        yield "notice", Aspects(manifest.place, _says(text=notice.text, source=notice.source, assumption=notice.assumption))


def _vocabulary(policy: Policy, facts: Mapping[str, Fact]) -> Iterator[tuple[str, Aspects]]:
    entries = _entries(policy)
    for name, fact in facts.items():
        limits = " ".join(f"{what} {number_text(limit)}" for what, limit in (("from", fact.minimum), ("to", fact.maximum)) if limit is not None)
        yield name, Aspects(fact.place, _says(
            type=str(fact.type), about=fact.about, unit=fact.unit, numbers=limits, open="yes" if fact.open else "",
            longer_tags="fall back" if fact.subtags else "", asked="" if fact.ask else "last",
        ))
        for value in fact.values:
            said = _says(about=value.about, name=value.name)
            aliases = ", ".join(value.aliases)
            place = entries.get((name, value.value), fact.place)
            yield f"value\0{name}={value.value}", Aspects(place, {**said, **({"aliases": Said(aliases, frozenset(value.aliases))} if aliases else {})}, name)


def _entries(policy: Policy) -> dict[tuple[str, str], Place]:
    """Give where the values stand that a catalogue lists: each is a row of it."""
    rows = [rule for table in policy.tables.values() if table.form is Form.ENTRIES for rule in table.rules]
    return {(condition.fact, word): rule.place for rule in rows for condition in rule.when for word in condition.words}


def _tables(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    for table in policy.tables.values():
        yield table.name, Aspects(table.place, _says(about=table.about, hit=str(table.hit), gives=", ".join(table.produces), source=table.source))
        yield from _rules(table)


def _rules(table: Table) -> Iterator[tuple[str, Aspects]]:
    for rule in table.all_rules:
        yield f"rule\0{rule.id}", _rule(rule, table)


def _rule(rule: Rule, table: Table) -> Aspects:
    said = {f"when {condition.fact}": Said(condition.text, _meaning(condition)) for condition in rule.when}
    for name, value in rule.then.items():
        text = f"as {value.fact}" if isinstance(value, SameAs) else _measured(value) if isinstance(value, Measure) else written(value)
        said[name] = Said(text, text)
    identity = (frozenset((what, one.text) for what, one in said.items()), len(said))
    return Aspects(rule.place, said | _says(source=rule.source, assumption=rule.assumption, about=rule.about), table.name, identity)


def _meaning(condition: Condition) -> object:
    return (condition.words, frozenset(condition.intervals), condition.negated, condition.unknown)


def _measured(measure: Measure) -> str:
    if measure.unit is Unit.NOTHING:
        return "nothing"
    amount = f"{number_text(measure.amount)} " if measure.amount is not None else ""
    return f"{amount}{measure.unit} by {measure.calendar}{f', {measure.rule}' if measure.rule else ''}"


def _decision(decision: Decision) -> Aspects:
    return Aspects(decision.place, _says(
        about=decision.about, owner=decision.owner, answers=", ".join(decision.answers), beside=", ".join(decision.beside),
    ))


def _roster(roster: Roster) -> Aspects:
    places = ", ".join(f"{entry.value} ({entry.zone})" for entry in roster.entries)
    hours = f"{_clock(roster.opens)}-{_clock(roster.closes)}"
    return Aspects(roster.place, _says(about=roster.about, at=roster.at, hours=hours, places=places, source=roster.source, assumption=roster.assumption))


def _calendar(calendar: WrittenCalendar) -> Aspects:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    said = _says(
        about=calendar.about, zone=calendar.zone, holidays=calendar.holidays, always="yes" if calendar.always else "",
        source=calendar.source, assumption=calendar.assumption,
    )
    said |= {day: Said(_hours(hours) or "closed", hours) for day, hours in zip(days, calendar.week, strict=True)}
    for day, hours in sorted(calendar.dates.items()):
        said |= {f"date {day}": Said(_hours(hours) or "closed", hours)}
    for day, hours in sorted(calendar.breaks.items()):
        said |= {f"break {day}": Said(_hours(hours), hours)}
    return Aspects(calendar.place, said)


def _clock(minutes: int) -> str:
    """Write a minute of a day; more than 24:00 is a time of the next one."""
    hours, left = divmod(minutes, 60)
    return f"{hours if hours <= 24 else hours - 24:02}:{left:02}"


def _hours(intervals: Iterable[Interval]) -> str:
    return ", ".join(f"{_clock(one.opens)}-{_clock(one.closes)}" for one in intervals)


def _region(region: Region) -> Aspects:
    return Aspects(region.place, _says(zone=region.zone, holidays=region.holidays, about=region.about))


def _holidays(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    for name, listed in policy.holidays.items():
        place = Place(f"{policy.manifest.place.file.rpartition('/')[0]}/holidays/{name}.yaml".lstrip("/"))
        yield name, Aspects(place, _says(covers=f"{listed.first} to {listed.last}"))
        yield from _days(name, listed, place)


def _days(name: str, listed: HolidayList, place: Place) -> Iterator[tuple[str, Aspects]]:
    for day, holiday in sorted(listed.days.items()):
        yield f"holiday\0{name} {day}", Aspects(place, _says(name=holiday.name, status=str(holiday.status), source=holiday.source), name)


def _deadlines(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    for deadline in policy.deadlines.values():
        yield deadline.name, _deadline(deadline)
        yield from _rules(deadline.table)


def _deadline(deadline: Deadline) -> Aspects:
    risk = deadline.at_risk
    left = "" if risk is None else f"{number_text(risk.share * 100)}%" if risk.share is not None else f"{number_text(risk.minutes or 0)} minutes"
    return Aspects(deadline.place, _says(
        about=deadline.about, runs_from=deadline.starts, met_by=deadline.met, amount=deadline.amount, region=deadline.region, over=str(deadline.when_past),
        at_risk=left, holds="put it off" if deadline.holds.extend else "do not put it off", source=deadline.table.source,
    ))


def _elapsed(one: Elapsed) -> Aspects:
    counts = f"{one.counting} {one.unit} by {one.calendar}{f', {one.rule}' if one.rule else ''}"
    return Aspects(one.place, _says(since=one.since, counts=counts, region=one.region, source=one.source, assumption=one.assumption))


def _questions(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    for one in policy.questions:
        yield one.id, Aspects(one.place, _says(question=one.question, reading=one.reading, source=one.source))


def _assumptions(policy: Policy) -> Iterator[tuple[str, Aspects]]:
    """Give the assumptions that stand by themselves; those of rules and other parts are told with them."""
    for one in policy.assumptions:
        if one.place.file.endswith("manifest.yaml") and one.id != "notice":
            yield one.id, Aspects(one.place, _says(reason=one.reason, source=one.source))


_SECTIONS: Mapping[str, Callable[[Policy], Iterable[tuple[str, Aspects]]]] = {
    "manifest": _manifest,
    "decision": lambda policy: [(name, _decision(one)) for name, one in policy.decisions.items()],
    "fact": lambda policy: _vocabulary(policy, policy.facts),
    "outcome": lambda policy: _vocabulary(policy, policy.outcomes),
    "table": _tables,
    "deadline": _deadlines,
    "elapsed": lambda policy: [(name, _elapsed(one)) for name, one in policy.elapsed.items()],
    "roster": lambda policy: [(name, _roster(one)) for name, one in policy.rosters.items()],
    "calendar": lambda policy: [(name, _calendar(one)) for name, one in policy.calendars.items()],
    "region": lambda policy: [(name, _region(one)) for name, one in policy.regions.items()],
    "holidays": _holidays,
    "question": _questions,
    "assumption": _assumptions,
}
"""The sections of a policy, by what their parts are called; a part that begins with another kind and NUL is of that kind."""
