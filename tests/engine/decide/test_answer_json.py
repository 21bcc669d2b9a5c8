"""The same facts, version and instant always give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys

from engine.decide.answer_json import to_json
from engine.version.build import build
from tests.support.deciders import decide, triage
from tests.support.paths import ROOT
from tests.support.servers import COUNTER

FACTS = {"size": 3, "colour": "Ruby red", "impact": "2", "weight": 4.5, "came_at": "2026-01-23T15:00:00+11:00"}
PROGRAM = """
from engine.decide.answer_json import to_json
from engine.version.build import build
from tests.support.servers import COUNTER
from tests.support.deciders import triage
from tests.engine.decide.test_answer_json import FACTS
print("\\n".join(map(to_json, (*triage(build(COUNTER), FACTS), *triage(build(COUNTER), {"colour": "rde"})))))
"""


def test_the_same_facts_give_the_same_bytes_in_every_process() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(printed) == 1
    assert printed.pop().count(b'"decision":') == 4


def test_the_order_of_facts_and_what_was_asked_before_do_not_show() -> None:
    fresh, used = build(COUNTER), build(COUNTER)
    for size in range(10):
        triage(used, {"size": size, "vip": True})

    assert to_json(decide(fresh, "queue", FACTS)) == to_json(decide(used, "queue", dict(reversed(FACTS.items()))))


def test_facts_that_no_rule_tells_apart_share_an_id_and_others_do_not() -> None:
    version = build(COUNTER)

    three, four, nine = (decide(version, "queue", {"size": size}) for size in (3, 4, 9))

    assert three.id == four.id != nine.id


def test_comments_and_the_order_of_keys_do_not_change_the_digest_but_a_value_does() -> None:
    version = build(COUNTER)
    commented = {
        **COUNTER,
        "queue.yaml": "# a remark\n"
        + COUNTER["queue.yaml"].replace(
            "about: who waits where\nsource: front\n", "source: front\nabout: who waits where\n"
        ),
    }
    changed = {**COUNTER, "queue.yaml": COUNTER["queue.yaml"].replace("wait: 10", "wait: 11")}

    assert build(commented).digest == version.digest
    assert build(changed).digest != version.digest
