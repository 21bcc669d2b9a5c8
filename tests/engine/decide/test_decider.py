"""A version is data; a decider answers by it, and owns what answering caches."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from engine.decide.answer_json import to_json
from engine.decide.decider import Decider, bundle_deciders, decide
from engine.model.answer import UnknownDecision
from engine.request.moment import read_moment
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from tests.support.servers import COUNTER

FACTS: Final = {"stage": "arrival", "impact": "high", "urgency": "high", "received_at": "2026-01-23T15:00:00+11:00"}
MOMENT: Final = read_moment("2026-01-27T09:00:00+11:00")


@pytest.fixture
def version(shipped: Bundle) -> Version:
    return shipped.versions[-1]


def test_two_builds_of_the_same_files_are_equal() -> None:
    one, other = build(COUNTER), build(COUNTER)

    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one


def test_versions_of_different_policies_differ() -> None:
    changed = {name: text.replace("name: counter", "name: desk") for name, text in COUNTER.items()}

    assert build(COUNTER) != build(changed)


def test_answering_leaves_a_version_as_it_is(version: Version) -> None:
    before = pickle.dumps(version)
    decider = Decider(version)

    decider.triage(FACTS, MOMENT)

    assert decider.cached_answers
    assert pickle.dumps(version) == before


def test_a_decider_is_pickled_without_its_answers(version: Version) -> None:
    decider = Decider(version)
    first = decider.triage(FACTS, MOMENT)

    copied = pickle.loads(pickle.dumps(decider))

    assert copied.cached_answers == 0
    assert list(map(to_json, copied.triage(FACTS, MOMENT))) == list(map(to_json, first))


def test_threads_that_share_a_decider_get_the_same_answers(version: Version) -> None:
    decider = Decider(version)
    expected = [to_json(answer) for answer in Decider(version).triage(FACTS, MOMENT)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: decider.triage(FACTS, MOMENT), range(40)))

    assert all([to_json(answer) for answer in one] == expected for one in answers)


def test_a_single_answer_needs_no_decider(version: Version) -> None:
    assert to_json(decide(version, "priority", FACTS)) == to_json(Decider(version).decide("priority", FACTS))


def test_a_decision_that_the_version_lacks_is_named(version: Version) -> None:
    with pytest.raises(UnknownDecision, match="prioriti"):
        Decider(version).decide("prioriti", FACTS)


def test_reading_facts_adds_elapsed_times_to_a_new_ticket(version: Version) -> None:
    sent = version.reader.read(FACTS)
    before = list(sent.atoms)

    for elapsed in Decider(version).elapsed:
        elapsed.add_to(sent, MOMENT.now)  # type: ignore[arg-type]

    assert sent.atoms == before


def test_a_bundle_of_deciders_chooses_like_the_bundle_of_versions(shipped: Bundle) -> None:
    deciders, now = bundle_deciders(shipped), MOMENT.now
    assert now is not None

    assert deciders.select(now=now).version is shipped.select(now=now)
    assert deciders.refs == shipped.refs
