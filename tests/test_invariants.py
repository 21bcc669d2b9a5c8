"""Invariants: what they mean, that each shipped one can fail, and what is said of one that does."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.invariants.nouns import Proof
from engine.load import load
from engine.policy import Policy
from engine.version import lay_out, proved
from tests.invariant_oracle import SAMPLES, broken, every_case
from tests.strategies import dense_policies, invariants, policies, values_of

# ---- What they mean


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_invariant_is_proved_exactly_where_plain_loops_find_no_counterexample(data: st.DataObject) -> None:
    files = data.draw(policies())
    facts = json.loads(files["vocabulary.yaml"])["facts"]
    assume(math.prod(1 + (len(SAMPLES) if fact["type"] == "number" else len(values_of(fact))) for fact in facts.values()) <= 250)
    compare(files, data)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_so_it_is_where_nearly_every_case_is_decided(data: st.DataObject) -> None:
    compare(data.draw(dense_policies()), data)


def compare(files: dict[str, str], data: st.DataObject) -> None:
    """Draw invariants over a policy; hold their proofs, and the tickets that break them, against plain loops."""
    vocabulary = json.loads(files["vocabulary.yaml"])
    drawn = data.draw(invariants(vocabulary))
    policy = load({**files, "invariants.yaml": json.dumps({"kind": "invariants", "invariants": drawn})})
    cases = every_case(policy, vocabulary)
    for invariant, proof in zip(drawn, proofs_of(policy), strict=True):
        found = broken(invariant, cases)

        assert proof.holds == (not found)
        if proof.counterexample is not None:
            shown = tuple(dict(ticket.facts) for ticket in proof.counterexample.tickets)
            tickets = [tuple(sent(case) for case in together) for together in found]
            assert any(alike(shown, together) for together in tickets)
            assert size(shown) == min(map(size, tickets))


def proofs_of(policy: Policy) -> tuple[Proof, ...]:
    return proved(policy, lay_out(policy))


def sent(case: dict[str, Any]) -> dict[str, str]:
    return {name: f"{value:g}" if isinstance(value, (int, float)) else value for name, value in case["facts"].items() if value is not None}


def size(tickets: tuple[dict[str, str], ...]) -> int:
    return sum(map(len, tickets))


def alike(shown: tuple[dict[str, str], ...], found: tuple[dict[str, str], ...]) -> bool:
    """Tell whether tickets have the same facts, with numbers between the same thresholds."""
    return all(one.keys() == other.keys() and all(between(one[name]) == between(other[name]) for name in one) for one, other in zip(shown, found, strict=True))


def between(value: str) -> object:
    try:
        number = float(value)
    except ValueError:
        return value
    return [(number > cut, number == cut) for cut in (2, 3, 4, 5, 7, 8, 9)]
