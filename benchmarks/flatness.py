"""Benchmarks of the number of rules: the same tickets with 10 and with 10,000 rules over the same cells."""

from __future__ import annotations

import math
import random
from typing import Final

from benchmarks import generated
from benchmarks.measure import Row, in_turns, per_call, ratio
from engine.decide.decider import Decider
from engine.version.build import build

FEW: Final = 10
MANY: Final = 10_000
GOAL: Final = 1.3


def rows() -> list[Row]:
    """Measure repeated and new tickets."""
    few, many = (Decider(build(generated.policy(rules))) for rules in (FEW, MANY))
    cells = {math.prod(part.size for part in decider.version.diagrams.parts.values()) for decider in (few, many)}
    if len(cells) != 1:
        raise ValueError(f"the tables differ in size: {cells}")
    chance = random.Random(3)
    tickets = [generated.ticket(chance, missing=0.1) for _ in range(2_000)]
    for decider in (few, many):
        per_call(lambda facts, decider=decider: decider.decide("queue", facts), tickets)
    seen = in_turns(
        {
            "few": lambda: per_call(lambda facts: few.decide("queue", facts), tickets * 10),
            "many": lambda: per_call(lambda facts: many.decide("queue", facts), tickets * 10),
        }
    )
    new = in_turns({"few": lambda: _anew(few, chance), "many": lambda: _anew(many, chance)})
    group = f"{MANY:,} rules against {FEW}, the same {cells.pop():,} cells"
    return [
        Row(group=group, what="tickets seen before", value=ratio(seen["few"], seen["many"]), unit="x", goal=GOAL),
        Row(group=group, what="tickets met for the first time", value=ratio(new["few"], new["many"]), unit="x"),
    ]


def _anew(decider: Decider, chance: random.Random) -> float:
    """Time tickets that are new to the decider: a thousand more each time, of 190,000 combinations."""
    tickets = [generated.ticket(chance) for _ in range(1_000)]
    return per_call(lambda facts: decider.decide("queue", facts), tickets)
