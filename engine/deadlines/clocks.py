"""The business clocks of a policy: one for each calendar in each region, made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.clock.clock import Clock
from engine.model.policy import Policy
from engine.model.targets import BY_REGION, calendar_in


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of one policy."""

    policy: Policy
    made: dict[tuple[str, str], Clock] = field(default_factory=dict, repr=False, compare=False)

    def of(self, calendar: str, region: str = "") -> Clock:
        """Return the clock of a calendar in a region ("" for a calendar that is kept the same everywhere)."""
        written = self.policy.calendars[calendar]
        key = (calendar, region if BY_REGION in (written.zone, written.holidays) else "")
        clock = self.made.get(key)
        if clock is None:
            clock = self.made[key] = Clock(calendar_in(written, self.policy.regions.get(region), self.policy.holidays))
        return clock
