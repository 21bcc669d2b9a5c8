"""A worker decides with data alone: it imports nothing that reads, checks or compares policies."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

import pytest

from benchmarks.tickets import draw
from engine.decide.decider import Decider
from engine.version.bundle import Bundle
from guidepost.server.workers.pickled_bundle import pickle_bundle, unpickle_bundle
from tests.support.paths import ROOT

BUILD_ONLY: Final = (
    "alembic",
    "durable",
    "engine.analysis",
    "engine.cases",
    "engine.columns",
    "engine.cross_check",
    "engine.diff",
    "engine.invariants",
    "engine.load",
    "engine.replay",
    "engine.tables.check",
    "engine.version.build",
    "engine.whynot",
    "jsonschema",
    "prometheus_client",
    "rapidfuzz",
    "typer",
    "yaml",
)

PROGRAM: Final = """
import json, sys
import guidepost.server.workers.worker
from guidepost.server.workers.pickled_bundle import unpickle_bundle
unpickle_bundle(sys.stdin.buffer.read())
print(json.dumps(list(sys.modules)))
"""


@pytest.fixture(scope="module")
def pickled(shipped: Bundle) -> bytes:
    return pickle_bundle(shipped)


def test_a_worker_imports_nothing_that_only_a_build_needs(pickled: bytes) -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], input=pickled, cwd=ROOT, check=True, capture_output=True)
    imported = json.loads(said.stdout)

    heavy = [one for one in imported if any(one == name or one.startswith(f"{name}.") for name in BUILD_ONLY)]
    assert [] == heavy


def test_a_version_that_was_read_decides_as_the_one_that_was_built(shipped: Bundle, pickled: bytes) -> None:
    for built, read in zip(shipped.versions, unpickle_bundle(pickled).versions, strict=True):
        one, other = Decider(built), Decider(read)
        for facts in draw(built, 300, seed=7):
            assert one.triage(facts) == other.triage(facts)
            ends = one.outcomes(one.read(facts)[0])
            assert ends == other.outcomes(other.read(facts)[0])
