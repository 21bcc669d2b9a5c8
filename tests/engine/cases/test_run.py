"""What cases expect is compared with answers."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from engine.cases import load_cases, run_case
from engine.version.build import build
from engine.version.version import Version
from tests.support.deciders import decider_of
from tests.support.growth import prerequisites


@pytest.fixture(scope="module")
def steps() -> Version:
    """A list of three steps, each for a fact of its own."""
    return build(prerequisites(3))


def differences(version: Version, possible: Sequence[object]) -> tuple[str, ...]:
    """Return how a case of one known and two missing facts differs from what it expects to be possible."""
    case = {"name": "x", "decision": "all", "facts": {"f00": "yes"}, "status": "undecided", "possible": possible}
    [read] = load_cases({"cases/x.yaml": json.dumps({"kind": "cases", "cases": [case]})}, version.policy)
    return run_case(decider_of(version), read).differences


@pytest.mark.parametrize(
    "possible",
    [
        ["step 1", "step 2"],
        ["step 2", "step 1"],
        [["step 0"], ["step 0", "step 1"], ["step 0", "step 2"], ["step 0", "step 1", "step 2"]],
        ["step 0", ["step 0", "step 1"], ["step 0", "step 2"], ["step 0", "step 1", "step 2"]],
    ],
    ids=["open items", "in any order", "whole lists", "one item as a whole list"],
)
def test_a_case_names_the_open_items_of_a_list_or_its_whole_lists(steps: Version, possible: list[object]) -> None:
    assert differences(steps, possible) == ()


def test_a_case_that_names_other_items_than_the_open_ones_fails(steps: Version) -> None:
    assert differences(steps, ["step 0", "step 1"]) == ('possible: missing "step 0"; more "step 2"',)
    assert differences(steps, []) == ("possible: expected [], got [step 1, step 2]",)
