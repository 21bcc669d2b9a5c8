"""The business clocks of a policy: one for each calendar in each region, made when first used."""

from __future__ import annotations

from typing import Final

from engine.cache import Cache
from engine.clock.clock import Clock
from engine.model.policy import Policy
from engine.model.targets import BY_REGION, calendar_in

MAX_CLOCKS: Final = 10_000
"""How many clocks are cached, by calendar and region."""


class Clocks:
    """Returns and caches the clocks of one policy. Several threads may use it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._clocks: Cache[tuple[str, str], Clock] = Cache(MAX_CLOCKS)

    def of(self, calendar: str, region: str = "") -> Clock:
        """Return the clock of a calendar in a region ("" for a calendar that is the same in all regions)."""
        written = self.policy.calendars[calendar]
        key = (calendar, region if BY_REGION in (written.zone, written.holidays) else "")
        clock = self._clocks.get(key)
        if clock is None:
            made = Clock(calendar_in(written, self.policy.regions.get(region), self.policy.holidays))
            clock = self._clocks.put(key, made)
        return clock
