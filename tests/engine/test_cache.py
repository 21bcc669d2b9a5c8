"""The one cache: bounded, safe from several threads, and without any effect but the time that an answer takes."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cache import Cache
from engine.version.bundle import Bundle
from guidepost.server.rpc import policy_service as versions
from guidepost.server.rpc.live_bundle import LiveBundle
from guidepost.server.rpc.policy_service import PolicyService
from tests.support.servers import NOW

KEYS = st.integers(0, 30)
STEPS = st.lists(st.tuples(st.booleans(), KEYS), max_size=200)


@pytest.fixture
def restless() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@given(st.integers(1, 20), STEPS)
def test_a_cache_never_holds_more_than_its_bound(bound: int, steps: list[tuple[bool, int]]) -> None:
    kept: Cache[int, str] = Cache(bound)
    for keeps, key in steps:
        _ = kept.put(key, str(key)) if keeps else kept.get(key)
        assert len(kept) <= bound


@given(st.integers(1, 20), st.lists(KEYS, max_size=200))
def test_what_was_just_kept_is_returned(bound: int, keys: list[int]) -> None:
    kept: Cache[int, object] = Cache(bound)
    for key in keys:
        value = object()
        assert kept.put(key, value) is value
        assert kept.get(key) is value


@given(st.integers(1, 20), STEPS)
def test_answers_are_the_same_as_without_a_cache(bound: int, steps: list[tuple[bool, int]]) -> None:
    kept: Cache[int, int] = Cache(bound)
    for at_once, key in steps:
        found = (
            kept.get_or_make(key, lambda key=key: key * key + 1)
            if at_once
            else kept.get(key) or kept.put(key, key * key + 1)
        )  # type: ignore[misc]
        assert found == key * key + 1


@given(st.integers(8, 64), st.integers(0, 200))
def test_a_full_cache_drops_a_part_and_keeps_the_newest(bound: int, more: int) -> None:
    kept: Cache[int, int] = Cache(bound)
    last = bound + more
    for key in range(last):
        kept.put(key, key + 1)

    newest = bound - bound // 8
    assert [kept.get(key) for key in range(last - newest, last)] == [key + 1 for key in range(last - newest, last)]


def test_a_key_that_is_kept_again_evicts_nothing() -> None:
    kept: Cache[str, int] = Cache(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.put("a", 3)

    assert (kept.get("a"), kept.get("b")) == (3, 2)


def test_a_cache_needs_room_for_something() -> None:
    with pytest.raises(ValueError, match="expected a bound of at least 1, got 0"):
        Cache(0)


def test_a_cache_travels_without_its_values() -> None:
    kept: Cache[str, int] = Cache(5)
    kept.put("a", 1)

    for other in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept)):
        assert (len(other), other.bound, other.get("a")) == (0, 5, None)
        assert (other.put("a", 2), kept.get("a")) == (2, 1)


@pytest.mark.usefixtures("restless")
def test_threads_that_share_a_cache_get_their_values_and_stay_within_its_bound() -> None:
    kept: Cache[int, int] = Cache(8)
    most = 0

    def work(start: int) -> bool:
        nonlocal most
        right = True
        for at in range(3_000):
            key = (start + at * 7) % 40
            right = (
                right
                and (kept.get(key) or kept.put(key, key + 1)) == key + 1
                and kept.get_or_make(key, lambda key=key: key + 1) == key + 1
            )  # type: ignore[misc]
            most = max(most, len(kept))
        return right

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(0, 40, 10)))
    assert most <= 8


def test_threads_that_ask_for_the_same_thing_at_once_have_it_made_once() -> None:
    kept: Cache[str, object] = Cache(1)
    begun, go = threading.Event(), threading.Event()
    made = []

    def make() -> object:
        begun.set()
        assert go.wait(30)
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(kept.get_or_make, "a", make)
        assert begun.wait(30)
        others = [pool.submit(kept.get_or_make, "a", make) for _ in range(3)]
        kept.get_or_make("b", lambda: "evicts whatever there is")
        go.set()
        found = {id(one.result(30)) for one in (first, *others)}
    assert found == {id(one) for one in made}
    assert len(made) == 1


def test_a_value_that_cannot_be_made_raises_and_is_tried_again_next_time() -> None:
    kept: Cache[str, int] = Cache(4)

    def fails() -> int:
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        kept.get_or_make("a", fails)
    assert kept.get_or_make("a", lambda: 5) == 5


def test_differences_that_are_asked_for_at_once_are_all_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads ask for more pairs than are cached: each gets its own difference, and a pair is compared once."""
    service: Any = PolicyService(LiveBundle(Bundle(())), lambda: NOW)
    compared: list[tuple[str, str]] = []

    def compare(before: Any, after: Any) -> tuple[str, str]:
        compared.append((before.digest, after.digest))
        return before.digest, after.digest

    monkeypatch.setattr("engine.diff.compare", compare)
    pairs = [(_Named(str(number)), _Named("x")) for number in range(versions.CACHE_SIZE * 4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda pair: service._difference(*pair), pairs))
    assert found == [(before.digest, after.digest) for before, after in pairs]
    assert sorted(compared) == sorted(found)


class _Named:
    def __init__(self, digest: str) -> None:
        self.digest = digest
