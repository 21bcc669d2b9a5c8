"""What the ``guidepost clock`` commands are asked: a calendar in a region, an amount of time, instants. Every problem is noted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from engine.clock.calendar import DayRule
from engine.clock.clock import Clock
from engine.deadlines.clocks import Clocks
from engine.model.policy import Policy
from engine.model.quoting import visible
from engine.model.targets import BY_REGION, Unit
from guidepost.render.console import suggestion
from guidepost.render.deadlines_console import DAY_RULES

CalendarOption = Annotated[
    str, typer.Option("--calendar", metavar="NAME", help="By which calendar; `guidepost clock show` lists them.")
]
RegionOption = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", help="In which region, as AU-NSW, for a calendar that is kept by region."
    ),
]
RuleOption = Annotated[
    DayRule | None,
    typer.Option("--rule", help="How business days count: to the same time of day, or to the close of the day."),
]

MOST: Final = {Unit.MINUTES: 231 * 366 * 24 * 60, Unit.HOURS: 231 * 366 * 24, Unit.BUSINESS_DAYS: 231 * 366}
"""No more of a unit than the years of the calendars can have."""

UNITS: Final = {
    "minute": Unit.MINUTES,
    "min": Unit.MINUTES,
    "m": Unit.MINUTES,
    "hour": Unit.HOURS,
    "h": Unit.HOURS,
    "business day": Unit.BUSINESS_DAYS,
    "business_day": Unit.BUSINESS_DAYS,
}

FORM: Final = 'an amount is written as "4 hours", "90 minutes" or "1 business day"'

_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z _]+?)s?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Amount:
    """So many units of time."""

    number: float
    unit: Unit


def read_amount(words: str, problems: list[str]) -> Amount | None:
    """Read an amount of time, or note what is wrong with it.

    >>> read_amount("1 business day", []), read_amount("1.5 hours", [])
    (Amount(number=1, unit=<Unit.BUSINESS_DAYS: 'business_days'>), Amount(number=1.5, unit=<Unit.HOURS: 'hours'>))
    """
    text = " ".join(words.lower().split())
    found = _AMOUNT.fullmatch(text)
    if found is None:
        problems.append(f"expected an amount of time, got `{visible(words)}`; {FORM}")
        return None
    number, unit = float(found[1]), UNITS.get(found[2])
    if unit is None and found[2] in ("day", "d"):
        problems.append(
            f"`{words}` could be so many times 24 hours, or business days: write `{24 * number:g} hours` or `{number:g} business day{'s' * (number != 1)}`"
        )
    elif unit is None:
        problems.append(f"`{words}` is in no unit that is known; {FORM}")
    elif unit is Unit.BUSINESS_DAYS and not number.is_integer():
        problems.append(f"`{words}`: business days are whole")
    elif number > MOST[unit]:
        problems.append(f"`{words}` is more than the calendars have, which go from 1970 to 2200")
    else:
        return Amount(int(number) if number.is_integer() else number, unit)
    return None


def read_rule(amount: Amount | None, rule: DayRule | None, problems: list[str]) -> str:
    """Return how business days count, or "" for other units; nobody counts business days without saying how."""
    if amount is not None and amount.unit is Unit.BUSINESS_DAYS and rule is None:
        problems.append(
            "business days need --rule: " + ", or ".join(f"{name} ({words})" for name, words in DAY_RULES.items())
        )
    if amount is not None and amount.unit is not Unit.BUSINESS_DAYS and rule is not None:
        problems.append("--rule is for business days only: leave it out")
    return rule.value if rule else ""


def read_clock(
    policy: Policy,
    calendar: str,
    region: str,
    problems: list[str],
    option: str = "--calendar NAME",
    unit: Unit = Unit.HOURS,
) -> Clock | None:
    """Return the clock of a calendar in a region, or note what is wrong with them."""
    before = len(problems)
    known = policy.calendars.get(calendar)
    if not calendar:
        problems.append(f"by which calendar? give {option}: {', '.join(policy.calendars) or 'this policy has none'}")
    elif known is None:
        problems.append(f"no calendar `{calendar}`{suggestion(calendar, policy.calendars)}")
        problems.append(f"  calendars: {', '.join(policy.calendars) or 'this policy has none'}")
    if region and region not in policy.regions:
        problems.append(f"no region `{region}`{suggestion(region, policy.regions)}")
        problems.append(f"  regions: {', '.join(policy.regions) or 'this policy has none'}")
    elif known is not None and known.needs_region(unit) and not region:
        problems.append(f"`{calendar}` is kept by region: give --region, one of {', '.join(policy.regions)}")
    elif known is not None and region and BY_REGION not in (known.zone, known.holidays):
        problems.append(f"`{calendar}` is the same in every region: leave --region out")
    return Clocks(policy).of(calendar, region) if known is not None and len(problems) == before else None
