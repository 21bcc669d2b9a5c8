"""Whose daytime it is, until when, and who is next, for the terminal and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from engine.clock.localtime import local_text, local_time
from engine.deadlines.roster import duty
from engine.decide.answer_times_json import iso, plain_duty
from engine.model.answer import Duty
from engine.model.policy import Roster
from guidepost.render.console import JsonObject, grid, indented, ruled_table
from guidepost.render.deadlines_console import duty_text
from guidepost.render.time_text import clock_text, minutes_text, offset_text


def each(roster: Roster, at: datetime) -> list[Duty]:
    """Return, for each entry alone, whether it is daytime there, and when that ends or begins."""
    return [duty(replace(roster, entries=(entry,)), at) for entry in roster.entries]


def sun_parts(roster: Roster, at: datetime) -> Iterator[RenderableType]:
    """Yield every entry with its local time, and which one has the turn."""
    turn = duty(roster, at)
    yield Text.assemble((roster.name, "bold"), f": {roster.about}")
    rows: list[tuple[RenderableType, ...]] = []
    for one in each(roster, at):
        local, bound = (
            local_time(at, one.now.zone),
            local_time(one.now.ends if one.daytime else one.now.begins, one.now.zone),
        )
        has, follows = one.now.value == turn.now.value, one.now.value == turn.next.value
        rows.append(
            (
                Text(one.now.name or one.now.value, "bold" if has else ""),
                f"{local:%a} {clock_text(local)} {offset_text(local)}",
                one.now.zone,
                Text(
                    f"until {clock_text(bound)}" if one.daytime else f"from {bound:%a} {clock_text(bound)}",
                    "green" if one.daytime else "dim",
                ),
                Text("turn" if has else "next" if follows else "", "bold green" if has else "cyan"),
            )
        )
    yield indented(ruled_table((roster.produces, "local time", "zone", "daytime", ""), rows))
    hours = f"{minutes_text(roster.opens)}-{minutes_text(roster.closes)} local time"
    details: list[tuple[RenderableType, ...]] = [
        ("turn", Text.assemble((turn.now.name or turn.now.value, "bold"), f": {duty_text(turn)}")),
        ("daytime", hours),
    ]
    details += [("assumes", Text(roster.assumption, "yellow"))] if roster.assumption else []
    yield ""
    yield indented(grid(details, "cyan"))


def plain_sun(roster: Roster, at: datetime) -> JsonObject:
    """Return the entries and the turn of a roster as data."""
    entries = [
        {
            "value": one.now.value,
            "name": one.now.name,
            "zone": one.now.zone,
            "local_time": local_text(at, one.now.zone),
            "daytime": one.daytime,
            "begins": iso(one.now.begins),
            "ends": iso(one.now.ends),
        }
        for one in each(roster, at)
    ]
    return {"roster": roster.name, "entries": entries, "turn": plain_duty(duty(roster, at))}
