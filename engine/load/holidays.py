"""Reads the holiday list of a region, a file in ``holidays/``, with the dates that it covers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import date
from typing import Final

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR, Holiday, HolidayList, HolidayStatus
from engine.load.node_readers import Mapping, Node, key_place, mapping, text, value_place
from engine.model.problems import Place, Problem

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STATUSES: Final = {status.value: status for status in HolidayStatus}


def load_holidays(stem: str, tree: Node, problems: list[Problem]) -> HolidayList:
    """Read the list in the file ``holidays/<stem>.yaml``; what is wrong is added to ``problems``."""
    return _Reader(tree, problems).holidays(stem)


def struck_out(tree: Node) -> dict[date, str]:
    """Return the dates that a list excludes from every draft, each with the reason."""
    reader = _Reader(tree, [])
    return {day: text(reason) for day, reason in reader.dated(mapping(tree, "not_holidays"), None)}


class _Reader:
    def __init__(self, tree: Node, problems: list[Problem]) -> None:
        self.tree, self.problems = tree, problems

    def holidays(self, stem: str) -> HolidayList:
        name = text(self.tree, "name")
        if name and name != stem:
            self._add(
                value_place(self.tree, "name"),
                f"the list `{name}` is in the file `{stem}.yaml`",
                "give the list and its file the same name",
            )
        span = self._span()
        days = self._days(span)
        for day, _ in self.dated(mapping(self.tree, "not_holidays"), span):
            if day in days:
                self._add(
                    key_place(mapping(self.tree, "not_holidays") or self.tree, day.isoformat()),
                    f"`{day}` is also in `days`",
                    "keep one of the two",
                )
        first, last = span or (date(FIRST_YEAR, 1, 1), date(FIRST_YEAR, 1, 1))
        return HolidayList(name=name, first=first, last=last, days=days)

    def _span(self) -> tuple[date, date] | None:
        covers = mapping(self.tree, "covers")
        if covers is None:
            return None
        ends = [
            self._day(written, value_place(covers, key)) for key in ("from", "to") if (written := text(covers, key))
        ]
        if len(ends) < 2 or ends[0] is None or ends[1] is None:
            return None
        first, last = ends[0], ends[1]
        if first > last:
            self._add(
                value_place(covers, "from"),
                f"the list covers no day: `{first}` is after `{last}`",
                "write the first day as `from` and the last day as `to`",
            )
            return None
        for key, day in (("from", first), ("to", last)):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                self._add(
                    value_place(covers, key),
                    f"`{day}` is out of range",
                    f"write a day from {FIRST_YEAR} to {LAST_YEAR}",
                )
                return None
        return first, last

    def _days(self, span: tuple[date, date] | None) -> MappingOf[date, Holiday]:
        source = text(self.tree, "source")
        days = {}
        for day, node in self.dated(mapping(self.tree, "days"), span):
            status = _STATUSES.get(text(node, "status"), HolidayStatus.ESTIMATED)
            days[day] = Holiday(day=day, name=text(node, "name"), status=status, source=text(node, "source") or source)
        return dict(sorted(days.items()))

    def dated(self, node: Mapping | None, span: tuple[date, date] | None) -> Iterable[tuple[date, Node]]:
        """Return the entries of a mapping whose keys are dates; report other keys, and dates outside the span."""
        if node is None:
            return
        for written, inner in node.entries.items():
            day = self._day(written, node.key_places[written])
            if day is None:
                continue
            if span is not None and not span[0] <= day <= span[1]:
                self._add(
                    node.key_places[written],
                    f"`{day}` is outside the range that the list covers, `{span[0]}` to `{span[1]}`",
                    "widen `covers`, or remove the day",
                )
            yield day, inner

    def _day(self, written: str, place: Place) -> date | None:
        if not _DAY.fullmatch(written):
            self._add(
                place,
                f"expected a date such as 2026-01-31, got `{written}`",
                "write the year with four digits, the month and the day with two",
            )
            return None
        try:
            return date.fromisoformat(written)
        except ValueError:
            self._add(place, f"the day `{written}` does not exist", "write a day that exists")
            return None

    def _add(self, place: Place, message: str, help_: str) -> None:
        self.problems.append(Problem(place=place, code="bad-format", message=message, help=help_))
