"""Past tickets of desks that grow: more situations than a machine number can hold."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from engine.replay import Replayer, Tally
from engine.replay.nouns import Chunk
from engine.version.version import Version
from tests.support.columns import Row, fact_columns
from tests.support.every_ticket import build_unchecked
from tests.support.growth import Files, customers, prerequisites
from tests.support.replay_oracle import Past, replayed


def without(files: Files, rule: str) -> Files:
    """Return the same policy without one rule, as its next version."""
    concern: dict[str, Any] = json.loads(files["all.yaml"])
    for table in concern["tables"].values():
        table["rules"] = [one for one in table["rules"] if one["id"] != rule]
    manifest = json.loads(files["manifest.yaml"]) | {"version": "2.0.0"}
    return {**files, "manifest.yaml": json.dumps(manifest), "all.yaml": json.dumps(concern)}


def tickets(version: Version, count: int, share: float) -> list[Row]:
    chance = random.Random(7)
    names = sorted(version.policy.facts)
    return [
        {name: chance.choice(version.atoms[name].samples) for name in names if chance.random() < share}
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("files", "rule", "outcome"),
    [(prerequisites(40), "r39", "steps"), (customers(300, amounts=True), "e7", "hours")],
    ids=["prerequisites", "customers"],
)
def test_changes_are_counted_and_described_however_many_situations_there_are(
    files: Files, rule: str, outcome: str
) -> None:
    before, after = build_unchecked(files), build_unchecked(without(files, rule))
    rows = tickets(before, 60, 0.98)
    columns, numbers = fact_columns(rows, before.policy.facts), np.arange(1, len(rows) + 1)
    replayer = Replayer(after, before)
    whole = replayer.replay(Chunk(size=len(rows), facts=columns, rows=numbers))[0]
    parts = [
        Replayer(after, before).replay(
            Chunk(size=len(part), facts=fact_columns([rows[at] for at in part], before.policy.facts), rows=part + 1)
        )[0]
        for part in (np.arange(25), np.arange(25, 60))
    ]
    expected = replayed([Past(facts=row) for row in rows], after, before)
    found = replayer.summary(whole, {}, len(rows))
    one = next(one for one in found.outcomes if one.name == outcome)

    assert Tally.read(json.loads(json.dumps(whole.plain()))) == whole
    assert parts[1].merge(parts[0]).outcomes == whole.outcomes
    assert one.changed == len(expected.changes.get(outcome, []))
    matrix = Counter({(change.before, change.after): tickets for change, tickets in one.matrix.items()})
    assert matrix == expected.matrix[outcome]
    assert sum(region.changed for region in one.regions) >= one.changed
    assert one.elsewhere == 0
