"""The options of ``guidepost clock``: a calendar in a region, an amount of time. All problems are collected."""

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
    str, typer.Option("--calendar", metavar="NAME", help="The calendar; `guidepost clock show` lists them.")
]
RegionOption = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", help="The region, such as AU-NSW, of a calendar that differs by region."
    ),
]
RuleOption = Annotated[
    DayRule | None,
    typer.Option("--rule", help="How business days end: at the same time of day, or at the close of the day."),
]

MOST: Final = {Unit.MINUTES: 231 * 366 * 24 * 60, Unit.HOURS: 231 * 366 * 24, Unit.BUSINESS_DAYS: 231 * 366}
"""How many of each unit the years of the calendars hold."""

UNITS: Final = {
    "minute": Unit.MINUTES,
    "min": Unit.MINUTES,
    "m": Unit.MINUTES,
    "hour": Unit.HOURS,
    "h": Unit.HOURS,
    "business day": Unit.BUSINESS_DAYS,
    "business_day": Unit.BUSINESS_DAYS,
}

FORM: Final = 'write it like "4 hours", "90 minutes" or "1 business day"'

_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z _]+?)s?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of units of time."""

    number: float
    unit: Unit


def read_amount(words: str, problems: list[str]) -> Amount | None:
    """Read an amount of time; None, with a line in ``problems``, if it is not one.

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
            f"expected hours or business days, got `{words}`: write `{24 * number:g} hours` or "
            f"`{number:g} business day{'s' * (number != 1)}`"
        )
    elif unit is None:
        problems.append(f"expected an amount of time, got `{visible(words)}`; {FORM}")
    elif unit is Unit.BUSINESS_DAYS and not number.is_integer():
        problems.append(f"expected a whole number of business days, got `{words}`")
    elif number > MOST[unit]:
        problems.append(f"`{words}` is longer than the calendars, which cover the years 1970 to 2200")
    else:
        return Amount(int(number) if number.is_integer() else number, unit)
    return None


def read_rule(amount: Amount | None, rule: DayRule | None, problems: list[str]) -> str:
    """Return how business days end, or "" for other units; business days without a rule are a problem."""
    if amount is not None and amount.unit is Unit.BUSINESS_DAYS and rule is None:
        problems.append(
            "`--rule` is missing, which business days need: "
            + ", or ".join(f"{name} ({words})" for name, words in DAY_RULES.items())
        )
    if amount is not None and amount.unit is not Unit.BUSINESS_DAYS and rule is not None:
        problems.append("`--rule` applies to business days only; leave it out")
    return rule.value if rule else ""


def read_clock(
    policy: Policy,
    calendar: str,
    region: str,
    problems: list[str],
    option: str = "--calendar NAME",
    unit: Unit = Unit.HOURS,
) -> Clock | None:
    """Return the clock of a calendar in a region; None, with lines in ``problems``, if there is none."""
    before = len(problems)
    known = policy.calendars.get(calendar)
    if not calendar:
        problems.append(f"`{option}` is missing: {', '.join(policy.calendars) or 'this policy has no calendar'}")
    elif known is None:
        problems.append(f"unknown calendar `{calendar}`{suggestion(calendar, policy.calendars)}")
        problems.append(f"  calendars: {', '.join(policy.calendars) or 'this policy has none'}")
    if region and region not in policy.regions:
        problems.append(f"unknown region `{region}`{suggestion(region, policy.regions)}")
        problems.append(f"  regions: {', '.join(policy.regions) or 'this policy has none'}")
    elif known is not None and known.needs_region(unit) and not region:
        problems.append(f"`{calendar}` differs by region; add `--region` with one of {', '.join(policy.regions)}")
    elif known is not None and region and BY_REGION not in (known.zone, known.holidays):
        problems.append(f"`{calendar}` is the same in every region; leave `--region` out")
    return Clocks(policy).of(calendar, region) if known is not None and len(problems) == before else None
