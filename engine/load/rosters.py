"""Reads the rosters of a policy file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Final

from engine.load.calendars import zone_problem
from engine.load.conditions import undescribed, value_help
from engine.load.node_readers import Node, items, kind_text, text, texts, value_place
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Roster, RosterEntry
from engine.model.problems import Place, Problem
from engine.model.vocabulary import Fact, FactType

_CLOCK: Final = re.compile(r"(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterReader:
    """Reads the rosters of one file; what is wrong is added to ``problems``."""

    facts: MappingOf[str, Fact]
    outcomes: MappingOf[str, Fact]
    source: str
    problems: list[Problem]

    def roster(self, name: str, node: Node, place: Place) -> Roster:
        """Read one roster."""
        at, produces = text(node, "at"), text(node, "produces")
        if at and (at not in self.facts or self.facts[at].type is not FactType.INSTANT):
            instants = [fact.name for fact in self.facts.values() if fact.type is FactType.INSTANT]
            found = f"{kind_text(self.facts[at].type)}, `{at}`" if at in self.facts else f"the unknown name `{at}`"
            if at not in self.facts or not undescribed(self.facts[at]):
                self._add(
                    value_place(node, "at"),
                    "unknown-fact",
                    f"expected an instant fact for the roster `{name}`, got {found}",
                    did_you_mean(at, instants),
                )
        entries = self._entries(node)
        self._outcome(produces, node)
        hours = _hours(node)
        if hours is not None and hours[0] >= hours[1]:
            self._add(
                value_place(node, "open"),
                "bad-format",
                f"the roster `{name}` closes before it opens",
                "write the opening time first; both are on the same day",
            )
        opens, closes = hours or (0, 0)
        return Roster(
            name=name,
            about=text(node, "about"),
            at=at,
            opens=opens,
            closes=closes,
            entries=entries,
            produces=produces,
            source=text(node, "source") or self.source,
            assumption=text(node, "assumption"),
            place=place,
        )

    def _entries(self, node: Node) -> tuple[RosterEntry, ...]:
        entries: list[RosterEntry] = []
        for item in items(node, "entries"):
            entry = RosterEntry(text(item, "value"), text(item, "zone"), text(item, "name"))
            if entry.value in {other.value for other in entries} and entry.value:
                self._add(
                    value_place(item, "value"),
                    "repeated-id",
                    f"`{entry.value}` is already an entry of the roster",
                    "keep one of the two",
                )
            problem = zone_problem(entry.zone, value_place(item, "zone")) if entry.zone else None
            self.problems.extend([problem] if problem else [])
            entries.append(entry)
        return tuple(entries)

    def _outcome(self, produces: str, node: Node) -> None:
        """Check that the entries of a roster are exactly the values of its choice."""
        if not produces:
            return
        outcome = self.outcomes.get(produces)
        if outcome is None:
            self.problems.append(no_outcome(produces, value_place(node, "produces"), self.facts, self.outcomes))
            return
        if outcome.type is not FactType.CHOICE:
            self._add(
                value_place(node, "produces"),
                "bad-outcome",
                f"expected a choice as the outcome of a roster, got {kind_text(outcome.type)}, `{produces}`",
                "write `type: choice` in the vocabulary",
            )
            return
        given = set()
        for item in items(node, "entries"):
            value = text(item, "value")
            given.add(value)
            if value and value not in {known.value for known in outcome.values} and not undescribed(outcome):
                self._add(
                    value_place(item, "value"),
                    "unknown-value",
                    f"unknown {produces} `{value}`",
                    value_help(outcome, value),
                )
        missing = [f"`{known.value}`" for known in outcome.values if known.value not in given]
        if missing and not self.problems:
            self._add(
                outcome.place,
                "never-produced",
                f"no entry of the roster has the {produces} {', '.join(missing)}",
                "remove it from the vocabulary, or add an entry for it",
            )

    def _add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))


def no_outcome(name: str, place: Place, facts: MappingOf[str, Fact], outcomes: Iterable[str]) -> Problem:
    """Return the problem of a name that is not an outcome."""
    if name in facts:
        return Problem(
            place=place,
            code="unknown-fact",
            message=f"expected an outcome, got the fact `{name}`",
            help="callers send facts; tables produce outcomes",
        )
    return Problem(
        place=place,
        code="unknown-fact",
        message=f"unknown outcome `{name}`",
        help=did_you_mean(name, outcomes),
    )


def _hours(node: Node) -> tuple[int, int] | None:
    """Return the opening hours in minutes of the day; None if they are not written as two times of day."""
    written = [_CLOCK.fullmatch(moment) for moment in texts(node, "open")]
    minutes = [int(found[1]) * 60 + int(found[2]) for found in written if found]
    return (minutes[0], minutes[1]) if len(minutes) == len(written) == 2 else None
