"""Who is on duty, as a column: the shifts of a roster, computed for whole years and found by bisect."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from engine.clock.zone import BEGIN, DAY_MICROS, END, Column, to_datetime, to_micros, zone
from engine.columns.lookup import Coded, Scale
from engine.model.policy import Roster

_MINUTE = 60_000_000


class RosterColumn:
    """The outcome of one roster; its shifts are computed for the years of the instants."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.scale = Scale(tuple(dict.fromkeys(entry.value for entry in roster.entries)))
        self._codes = np.array(
            [Scale.VALUES + self.scale.domain.index(entry.value) for entry in roster.entries], self.scale.dtype
        )
        self._from, self._to = END, BEGIN
        self._turns, self._who = np.empty(0, np.int64), np.empty(0, self.scale.dtype)

    def at(self, instants: Column) -> Coded:
        """Return the codes of who is on duty at instants."""
        if not len(instants):
            return np.empty(0, self.scale.dtype)
        first, last = int(instants.min()), int(instants.max())
        if first < self._from or last >= self._to:
            self._compute(min(first, self._from), max(last, self._to - 1))
        return self._who.take(np.searchsorted(self._turns, instants, side="right") - 1)

    def _compute(self, first: int, last: int) -> None:
        """Compute who is on duty for whole years: it changes only when the daytime of an entry begins or ends."""
        self._from = to_micros(datetime(to_datetime(first).year, 1, 1, tzinfo=UTC))
        self._to = to_micros(datetime(to_datetime(last).year + 1, 1, 1, tzinfo=UTC))
        days = np.arange(self._from // DAY_MICROS - 2, self._to // DAY_MICROS + 3) * DAY_MICROS
        shifts = []
        for entry in self.roster.entries:
            there = zone(entry.zone)
            shifts.append(
                (
                    there.resolve_column(days + self.roster.opens * _MINUTE),
                    there.resolve_column(days + self.roster.closes * _MINUTE),
                )
            )
        turns = np.unique(np.concatenate([np.array([self._from]), *(ends for shift in shifts for ends in shift)]))
        self._turns = turns[(turns >= self._from) & (turns < self._to)]
        # For each entry, take the first daytime that is not over. An entry within its own is on duty, or else the next.
        begins = np.stack([begun[np.searchsorted(ended, self._turns, side="right")] for begun, ended in shifts])
        open_ = begins <= self._turns
        who = np.where(open_.any(axis=0), open_.argmax(axis=0), begins.argmin(axis=0))
        changes = np.flatnonzero(np.append(True, np.diff(who) != 0))
        self._turns, self._who = self._turns[changes], self._codes[who[changes]]
