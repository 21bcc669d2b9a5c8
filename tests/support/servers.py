"""Servers for tests: the shipped policies and a second, quite different desk, each on a free port in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from engine.version.build import build
from engine.version.bundle import Bundle
from guidepost.decision_log.settings import LogSettings
from guidepost.policies.sources.folder import build_bundle
from guidepost.server.app import Clock, listening
from tests.support.paths import POLICIES

Result = TypeVar("Result")

NOW: Final = datetime(2026, 1, 23, 4, 0, tzinfo=UTC)
"""When it is for the servers of these tests: a Friday afternoon in Sydney."""

COUNTER: Final = {
    "manifest.yaml": """\
kind: manifest
name: counter
version: "7.0.0"
effective_from: "2020-01-01T00:00:00Z"
source: the notice at the counter
owner: the shopkeeper
triage: [queue, gift]
""",
    "vocabulary.yaml": """\
kind: vocabulary
facts:
  size: {type: integer, about: how many items, minimum: 0, maximum: 50}
  weight: {type: number, about: how heavy, unit: kg}
  vip: {type: boolean, about: whether it is a regular}
  colour: {type: choice, open: yes, about: the colour asked for, values: [{value: red, about: red, name: Ruby red}, {value: blue, about: blue}]}
  impact: {type: choice, about: how loud the customer is, values: [{value: "1", about: very}, {value: "2", about: not}]}
  came_at: {type: instant, about: when the customer came in}
outcomes:
  queue: {type: choice, about: which queue, values: [{value: fast, about: the fast one, name: Fast lane}, {value: slow, about: the slow one}]}
  basis: {type: choice, about: what counted, values: [{value: size, about: the size}, {value: person, about: the person}]}
  wait: {type: number, about: how long}
  gifts: {type: list, about: what is given away}
  polite: {type: boolean, about: whether to smile}
""",
    "queue.yaml": """\
kind: policy
about: who waits where
source: front
decision: {name: queue, about: which queue to join, answers: [queue], beside: [basis, wait]}
tables:
  queues:
    about: by person and size
    hit: first
    produces: [queue, basis, wait]
    rules:
      - {id: queues.vip, when: {vip: yes}, then: {queue: fast, basis: person, wait: 1}}
      - {id: queues.small, when: {size: "< 5"}, then: {queue: fast, basis: size, wait: 2.5}}
      - {id: queues.large, when: {size: ">= 5"}, then: {queue: slow, basis: size, wait: 10}}
""",
    "gift.yaml": """\
kind: policy
about: what is given away
source: back
decision: {name: gift, about: what is given away, answers: [gifts], beside: [polite]}
tables:
  gifts:
    about: by colour and loudness
    hit: collect
    produces: [gifts]
    rules:
      - {id: gifts.red, when: {colour: red}, then: {gifts: balloon}}
      - {id: gifts.quiet, when: {impact: "2", weight: "> 3"}, then: {gifts: bag}}
  smile:
    about: always
    produces: [polite]
    otherwise: {then: {polite: yes}, assumption: nobody mentions it}
""",
}
"""A desk with decisions and facts of its own; it shares only some names with the guide's desk, in other senses."""


@cache
def shipped_bundle() -> Bundle:
    """Build the shipped versions, without the proof that starting a server asks for."""
    return build_bundle(POLICIES)


@cache
def counter_bundle() -> Bundle:
    """Build the second desk."""
    return Bundle((build(COUNTER),))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Start the one event loop that all asyncio code of these tests runs on: grpc.aio minds several of them."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def run_coroutine(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, and give its result."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(60)


@contextmanager
def serving(bundle: Bundle, clock: Clock = lambda: NOW, log: LogSettings | None = None) -> Iterator[str]:
    """Serve a bundle while the block runs; give the address."""
    server = listening(bundle, "127.0.0.1:0", clock=clock, grace=0.1, log=log)
    address = run_coroutine(server.__aenter__())
    try:
        yield address
    finally:
        run_coroutine(server.__aexit__(None, None, None))
