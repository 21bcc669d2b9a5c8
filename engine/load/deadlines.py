"""Reads the deadlines and elapsed times of a policy file."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Final

from engine.clock.calendar import DayRule
from engine.load.conditions import plain_number, undescribed
from engine.load.node_readers import (
    Mapping,
    Node,
    Scalar,
    flag,
    items,
    key_place,
    kind_text,
    mapping,
    text,
    value_place,
)
from engine.load.rosters import no_outcome
from engine.load.tables import TableReader
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import AtRisk, Deadline, Elapsed, Form, HitPolicy, Holds, Rule, Table, WhenPast
from engine.model.problems import Place, Problem
from engine.model.targets import BY_DAY, NOTHING, Counting, Measure, Region, Unit, WrittenCalendar, unit_by
from engine.model.vocabulary import Fact, FactType

MAX_AMOUNT: Final = 100_000
"""The most units of a deadline: more than any calendar has days."""

_WORDS: Final = {Unit.MINUTES: "minutes", Unit.HOURS: "hours", Unit.BUSINESS_DAYS: "business days", Unit.DAYS: "days"}
_WRITTEN: Final = frozenset({Unit.MINUTES, Unit.HOURS, Unit.BUSINESS_DAYS})
"""The units that a policy can write."""
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
"""What the schema accepts as a number; anything else is already reported."""
_LEFT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(%|minutes?|hours?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineReader:
    """Reads the deadlines and elapsed times of one file; what is wrong is added to ``problems``."""

    facts: MappingOf[str, Fact]
    outcomes: MappingOf[str, Fact]
    calendars: MappingOf[str, WrittenCalendar]
    regions: MappingOf[str, Region]
    source: str
    problems: list[Problem]
    whole: bool
    """Whether every file was read: only then is an unknown calendar a problem."""

    def deadline(self, name: str, node: Node, place: Place) -> Deadline:
        """Read one deadline; its name is that of the outcome it gives."""
        outcome = self.outcomes.get(name)
        if outcome is None:
            self.problems.append(no_outcome(name, place, self.facts, self.outcomes))
        elif outcome.type is not FactType.INSTANT and not undescribed(outcome):
            self._add(
                place,
                "bad-outcome",
                f"expected an instant as the outcome of a deadline, got {kind_text(outcome.type)}, `{name}`",
                "write `type: instant` in the vocabulary",
            )
        self._instant_fact(node, "from")
        self._instant_fact(node, "met")
        amount = self._amount(node)
        region = self._region(node)
        at_risk, holds = mapping(node, "at_risk"), mapping(node, "holds")
        past = text(node, "when_past")
        return Deadline(
            name=name,
            about=text(node, "about"),
            starts=text(node, "from"),
            met=text(node, "met"),
            amount=amount,
            region=region,
            when_past=WhenPast(past) if past in set(WhenPast) else WhenPast.BREACHED,
            at_risk=self._at_risk(at_risk),
            holds=Holds(flag(holds, "extend"), text(holds, "assumption")),
            table=self._table(name, node, place, amount, region),
            place=place,
        )

    def elapsed(self, name: str, node: Node, place: Place) -> Elapsed:
        """Read one elapsed time; its name is that of the fact that it replaces."""
        fact = self.facts.get(name)
        if fact is None:
            found = f"the outcome `{name}`" if name in self.outcomes else f"the unknown name `{name}`"
            self._add(
                place,
                "unknown-fact",
                f"expected a number as the fact of an elapsed time, got {found}",
                did_you_mean(name, self._numbers()),
            )
        elif not fact.numeric and not undescribed(fact):
            self._add(
                place,
                "bad-outcome",
                f"expected a number as the fact of an elapsed time, got {kind_text(fact.type)}, `{name}`",
                "write `type: number` in the vocabulary",
            )
        self._instant_fact(node, "from")
        region = self._region(node)
        measure = self._measure(node, place, region)
        counting = Counting(text(node, "count")) if text(node, "count") in set(Counting) else Counting.FULL
        if (
            fact is not None
            and counting is Counting.EXACT
            and (fact.type is FactType.INTEGER or measure.unit in BY_DAY)
        ):
            what = (
                f"{_WORDS[measure.unit]} count as whole numbers"
                if measure.unit in BY_DAY
                else f"`{name}` is a whole number"
            )
            self._add(
                value_place(node, "count"),
                "bad-format",
                f"{what}, not exactly",
                "write `count: full` or `count: begun`",
            )
        return Elapsed(
            fact=name,
            since=text(node, "from"),
            unit=measure.unit,
            rule=measure.rule,
            counting=counting,
            calendar=measure.calendar,
            region=region,
            source=text(node, "source") or self.source,
            assumption=text(node, "assumption"),
            place=place,
        )

    def _instant_fact(self, node: Node, key: str) -> None:
        name = text(node, key)
        if name and (
            name not in self.facts
            or (self.facts[name].type is not FactType.INSTANT and not undescribed(self.facts[name]))
        ):
            instants = [fact.name for fact in self.facts.values() if fact.type is FactType.INSTANT]
            found = f"the outcome `{name}`" if name in self.outcomes else f"the unknown name `{name}`"
            if name in self.facts:
                found = f"{kind_text(self.facts[name].type)}, `{name}`"
            self._add(
                value_place(node, key),
                "unknown-fact",
                f"expected an instant fact for `{key}`, got {found}",
                did_you_mean(name, instants),
            )

    def _numbers(self) -> list[str]:
        return [fact.name for fact in self.facts.values() if fact.numeric]

    def _amount(self, node: Node) -> str:
        name = text(node, "amount")
        if name:
            self._outcome(node, "amount", (FactType.NUMBER, FactType.INTEGER), "a number")
        return name

    def _region(self, node: Node) -> str:
        name = text(node, "region")
        if not name or not self._outcome(node, "region", (FactType.CHOICE,), "a choice"):
            return name
        words = [value.value for value in self.outcomes[name].values]
        if self.whole and self.regions and words and not set(words) & set(self.regions):
            regional = [one.name for one in self.outcomes.values() if set(one.words) & set(self.regions)]
            self._add(
                value_place(node, "region"),
                "unknown-reference",
                f"expected an outcome whose values are regions, got `{name}`",
                did_you_mean(name, regional),
            )
        return name

    def _outcome(self, node: Node, key: str, types: tuple[FactType, ...], what: str) -> bool:
        name = text(node, key)
        outcome = self.outcomes.get(name)
        place = value_place(node, key)
        if outcome is None:
            self.problems.append(
                no_outcome(name, place, self.facts, [one.name for one in self.outcomes.values() if one.type in types])
            )
        elif outcome.type not in types and not undescribed(outcome):
            self._add(
                place,
                "bad-outcome",
                f"expected {what} that a table produces for `{key}`, got {kind_text(outcome.type)}, `{name}`",
            )
        return outcome is not None and outcome.type in types

    def _at_risk(self, node: Mapping | None) -> AtRisk | None:
        if node is None or not text(node, "left"):
            return None
        match = _LEFT.fullmatch(text(node, "left"))
        if match is None or (match[2] == "%" and float(match[1]) > 100):
            self._add(
                value_place(node, "left"),
                "bad-format",
                f"expected a share or an amount of time, got `{text(node, 'left')}`",
                "write a share or an amount of business time, such as 25% or 30 minutes",
            )
            return None
        amount = float(match[1])
        if match[2] == "%":
            return AtRisk(amount / 100, None, text(node, "assumption"))
        if amount > MAX_AMOUNT:
            self._add(
                value_place(node, "left"),
                "bad-format",
                f"`{text(node, 'left')}` exceeds the time of every deadline",
                f"write at most {MAX_AMOUNT:,}, or a share such as 25%",
            )
            return None
        return AtRisk(None, amount * (60 if match[2].startswith("hour") else 1), text(node, "assumption"))

    def _table(self, name: str, node: Node, place: Place, amount: str, region: str) -> Table:
        source = text(node, "source") or self.source
        hit = (
            HitPolicy(text(node, "hit"))
            if text(node, "hit") in (HitPolicy.UNIQUE, HitPolicy.FIRST)
            else HitPolicy.UNIQUE
        )
        reader = TableReader(facts=self.facts, outcomes=self.outcomes, source=source, problems=self.problems)
        rules = tuple(
            self._rule(name, item, reader, source=source, amount=amount, region=region) for item in items(node, "rules")
        )
        return Table(
            name=name,
            about=text(node, "about"),
            hit=hit,
            form=Form.RULES,
            produces=(name,),
            rules=rules,
            otherwise=None,
            has_otherwise=False,
            matrix=None,
            source=source,
            place=place,
        )

    def _rule(self, name: str, node: Node, reader: TableReader, *, source: str, amount: str, region: str) -> Rule:
        written = node.get("id") if isinstance(node, Mapping) else None
        place = written.place if written is not None else node.place
        then = node.get("then") if isinstance(node, Mapping) else None
        if isinstance(then, Scalar):
            measure = NOTHING
            if then.text.strip() != "nothing":
                self._add(
                    then.place,
                    "bad-outcome",
                    f"expected a unit and a calendar for `{name}`, got `{then.text.strip()}`",
                    "write `nothing`, or {unit: hours, calendar: ...}",
                )
        else:
            measure = self._measure(then, place, region, amount, given=True) if then is not None else NOTHING
        return Rule(
            id=text(node, "id"),
            when=reader.conditions(mapping(node, "when")),
            then={name: measure},
            source=text(node, "source") or source,
            assumption=text(node, "assumption"),
            about=text(node, "about"),
            place=place,
        )

    def _measure(
        self, node: Node | None, place: Place, region: str, amount: str = "", *, given: bool = False
    ) -> Measure:
        """Read unit, rule and calendar; with ``given``, an amount too, unless an outcome sets it."""
        known = text(node, "unit") in _WRITTEN
        unit = Unit(text(node, "unit")) if known else Unit.HOURS
        rule, calendar = text(node, "rule"), text(node, "calendar")
        if known:
            self._day_rule(node, place, unit, rule)
        self._calendar(node, calendar, region, unit)
        number = self._number(node, unit, amount, place) if given and known and node is not None else None
        always = calendar in self.calendars and self.calendars[calendar].always
        return Measure(unit=unit_by(unit, always=always), rule=rule, calendar=calendar, amount=number)

    def _day_rule(self, node: Node | None, place: Place, unit: Unit, rule: str) -> None:
        if node is None:
            return
        if unit is Unit.BUSINESS_DAYS and not rule:
            self._add(place, "missing-key", "`business_days` needs a `rule`", f"write one of {', '.join(DayRule)}")
        elif unit is not Unit.BUSINESS_DAYS and rule:
            self._add(
                key_place(node, "rule"),
                "unknown-key",
                f"`rule` is allowed with business days only, not with {unit}",
                "remove it",
            )

    def _calendar(self, node: Node | None, name: str, region: str, unit: Unit) -> None:
        if node is None or not name:
            return
        calendar = self.calendars.get(name)
        place = value_place(node, "calendar")
        if calendar is None:
            if self.whole:
                self._add(place, "unknown-reference", f"unknown calendar `{name}`", did_you_mean(name, self.calendars))
        elif calendar.needs_region(unit) and not region:
            self._add(
                place,
                "missing-key",
                f"the calendar `{name}` depends on the region, and `region` is missing here",
                "name the outcome that selects the region",
            )
        elif not calendar.always and not any(calendar.week) and not any(calendar.dates.values()):
            self._add(
                place,
                "never-opens",
                f"the calendar `{name}` never opens, so it cannot count time",
                f"add `hours` to it at {calendar.place}",
            )

    def _number(self, node: Node, unit: Unit, outcome: str, place: Place) -> float | None:
        written = text(node, "amount")
        if outcome or not written:
            if written:
                self._add(
                    value_place(node, "amount"),
                    "unknown-key",
                    f"`amount` is already set by `{outcome}`",
                    "remove one of the two",
                )
            elif not outcome:
                self._add(
                    place,
                    "missing-key",
                    "the rule has no `amount`",
                    "add an `amount` here, or name the outcome that sets it above the rules",
                )
            return None
        if not _NUMBER.fullmatch(written):
            return None
        number = plain_number(written)
        if number is None or not 0 <= number <= MAX_AMOUNT or (unit is Unit.BUSINESS_DAYS and number != int(number)):
            whole = "a whole number" if unit is Unit.BUSINESS_DAYS else "a number"
            self._add(
                value_place(node, "amount"),
                "bad-format",
                f"expected a number of {_WORDS[unit]}, got `{written}`",
                f"write {whole} from 0 to {MAX_AMOUNT:,}",
            )
            return None
        return float(number)

    def _add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))
