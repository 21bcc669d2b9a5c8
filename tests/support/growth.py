"""Policies that grow, as the files of a folder: desks with many customers, long lists, long chains, many thresholds."""

from __future__ import annotations

import json
import random
from typing import Any

MANIFEST = {
    "kind": "manifest",
    "name": "grown",
    "version": "1.0.0",
    "effective_from": "2020-01-01T00:00:00Z",
    "source": "made for tests",
    "owner": "nobody",
    "triage": ["all"],
}

Files = dict[str, str]


def prerequisites(count: int) -> Files:
    """A list of steps, each for a fact of its own."""
    facts = {f"f{at:02}": boolean() for at in range(count)}
    rules = [{"id": f"r{at}", "when": {f"f{at:02}": "yes"}, "then": {"steps": [f"step {at}"]}} for at in range(count)]
    tables = {"t": {"hit": "collect", "about": "x", "produces": "steps", "rules": rules}}
    return files(facts, {"steps": {"type": "list", "about": "x"}}, tables, ["steps"])


def chain(count: int) -> Files:
    """Tables that each read the one before, and two facts of their own; the first reads one fact."""
    facts: dict[str, Any] = {"a00": choice(3)}
    outcomes: dict[str, Any] = {"o00": choice(3)}
    tables: dict[str, Any] = {
        "t00": {
            "hit": "first",
            "about": "x",
            "produces": "o00",
            "rules": [
                {"id": f"r0.{value}", "when": {"a00": f"v{value}"}, "then": {"o00": f"v{value}"}} for value in range(3)
            ],
        }
    }
    for at in range(1, count):
        facts |= {f"a{at:02}": choice(3), f"b{at:02}": choice(3)}
        before, outcome = f"o{at - 1:02}", f"o{at:02}"
        outcomes[outcome] = choice(3)
        rules = [
            {
                "id": f"r{at}.{value}",
                "when": {f"a{at:02}": f"v{value}", before: f"v{value}"},
                "then": {outcome: f"v{value}"},
            }
            for value in range(3)
        ]
        rules.append({"id": f"r{at}.b", "when": {f"b{at:02}": "v1"}, "then": {outcome: "v1"}})
        tables[f"t{at:02}"] = first(outcome, rules)
    return files(facts, outcomes, tables, [f"o{count - 1:02}"])


def customers(count: int, *, amounts: bool) -> Files:
    """Return a table of customers with their contracts and promises, with amounts of their own if ``amounts``."""
    chance = random.Random(count)
    facts = {"customer": choice(count, "c"), "priority": choice(5, "p"), "vip": boolean(), "plan": choice(4)}
    outcomes = {"contract": choice(6, "k"), "hours": number(), "days": number(), "target": number()}
    rows = [
        {
            "id": f"e{at}",
            "when": {"customer": f"c{at}"},
            "then": {
                "contract": f"k{chance.randrange(6)}",
                "hours": at + 1 if amounts else 4,
                "days": count + at if amounts else 8,
            },
        }
        for at in range(count)
    ]
    targets = [
        {
            "id": f"t{contract}{priority}",
            "when": {"contract": f"k{contract}", "priority": f"p{priority}"},
            "then": {"target": contract * 5 + priority},
        }
        for contract in range(6)
        for priority in range(5)
    ]
    tables = {
        "contracts": {
            "hit": "unique",
            "about": "x",
            "produces": ["contract", "hours", "days"],
            "rules": rows,
        },
        "targets": {
            "hit": "first",
            "about": "x",
            "produces": ["target"],
            "rules": [{"id": "vip", "when": {"vip": "yes", "plan": "v1"}, "then": {"target": 99}}, *targets],
        },
    }
    return files(facts, outcomes, tables, ["target", "contract", "hours", "days"])


def thresholds(count: int) -> Files:
    """Three numbers with many thresholds each."""
    facts = {name: number() for name in ("size", "users", "share")}
    rules = [
        {"id": f"{name}.{at}", "when": {name: f"> {1000 - 10 * at}"}, "then": {"grade": f"v{(at + shift) % 5}"}}
        for at in range(count)
        for shift, name in enumerate(facts)
    ]
    return files(facts, {"grade": choice(5)}, {"grades": first("grade", rules)}, ["grade"])


def web(count: int, *, summed: tuple[str, ...] = ()) -> Files:
    """Rules that test three of many facts at random: nearly all of what is known has to be remembered together.

    The facts that are ``summed`` are read by a table of their own instead, and the rules read what it says.
    """
    chance = random.Random(count)
    facts = {f"f{at:02}": choice(4) for at in range(count)}
    outcomes = {"grade": choice(5)}
    rules = []
    for at in range(6 * count):
        tested = {fact: f"v{chance.randrange(4)}" for fact in chance.sample(sorted(facts), 3)}
        when = {fact: value for fact, value in tested.items() if fact not in summed}
        if len(when) < len(tested):
            when["sum"] = f"v{chance.randrange(3)}"
        rules.append({"id": f"r{at}", "when": when, "then": {"grade": f"v{chance.randrange(5)}"}})
    tables: dict[str, Any] = {}
    if summed:
        outcomes["sum"] = choice(3)
        parts = [
            {"id": f"s{at}", "when": {fact: f"v{at % 4}"}, "then": {"sum": f"v{at % 3}"}}
            for at, fact in enumerate(summed)
        ]
        tables["sums"] = first("sum", parts)
    tables["grades"] = first("grade", rules)
    return files(facts, outcomes, tables, ["grade"])


def tangle(count: int, *, summed: tuple[str, ...] = ()) -> Files:
    """Tables that each read the one before, a fact of their own, and a fact of an earlier table at random.

    The facts that are ``summed`` are read by a table of their own instead, and all others read what it says.
    """
    chance = random.Random(count)
    facts: dict[str, Any] = {}
    outcomes: dict[str, Any] = {"sum": choice(2)} if summed else {}
    tables: dict[str, Any] = {}
    if summed:
        parts = [
            {"id": f"s{at}", "when": {fact: f"v{at % 4}"}, "then": {"sum": "v1"}} for at, fact in enumerate(summed)
        ]
        tables["sums"] = first("sum", parts)
    for at in range(count):
        facts[f"f{at:02}"] = choice(4)
        outcomes[f"o{at:02}"] = choice(4)
        named = [f"f{at:02}", *([f"o{at - 1:02}", f"f{chance.randrange(at):02}"] if at else [])]
        rules = []
        for number in range(12):
            tested = {name: f"v{chance.randrange(4)}" for name in chance.sample(named, min(2, len(named)))}
            when = {name: value for name, value in tested.items() if name not in summed}
            if len(when) < len(tested):
                when["sum"] = f"v{chance.randrange(2)}"
            rules.append({"id": f"r{at}.{number}", "when": when, "then": {f"o{at:02}": f"v{chance.randrange(4)}"}})
        tables[f"t{at:02}"] = first(f"o{at:02}", rules)
    return files(facts, outcomes, tables, [f"o{count - 1:02}"])


def first(outcome: str, rules: list[Any]) -> dict[str, Any]:
    """Return a table of these rules, in which the first that fires counts, or else v0."""
    return {
        "hit": "first",
        "about": "x",
        "produces": outcome,
        "rules": rules,
        "otherwise": {"then": {outcome: "v0"}},
    }


def vip_tier(files: Files) -> Files:
    """Return the shipped policies with a tier of customers, and a P2 of one plan that is answered in two hours."""
    tier = """\
  vip_tier:
    type: choice
    about: the tier of the customer
    values: [{value: none, about: none}, {value: silver, about: x}, {value: gold, about: x}, {value: black, about: x}]
"""
    rules = """\
      - id: response.vip
        when: {vip_tier: [gold, black], target_priority: [P1, P2]}
        then: {response_target: hours, response_amount: 1, response_unit: hour}
      - id: response.p2-day-and-night
        when: {target_priority: P2, plan: saas_24x7}
        then: {response_target: hours, response_amount: 2, response_unit: hour}
"""
    head = "    produces: [response_target, response_amount, response_unit]\n    rules:\n"
    return files | {
        "vocabulary.yaml": files["vocabulary.yaml"].replace("  plan:\n", tier + "  plan:\n", 1),
        "sla.yaml": files["sla.yaml"].replace(head, head.replace("    rules", "    hit: first\n    rules") + rules),
    }


def choice(count: int, letter: str = "v") -> dict[str, Any]:
    return {"type": "choice", "about": "x", "values": [{"value": f"{letter}{at}", "about": "x"} for at in range(count)]}


def boolean() -> dict[str, Any]:
    return {"type": "boolean", "about": "x"}


def number() -> dict[str, Any]:
    return {"type": "number", "about": "x", "minimum": 0, "maximum": 100_000}


def files(facts: Any, outcomes: Any, tables: Any, answers: list[str]) -> Files:
    """Return the files of a policy of these parts."""
    concern = {
        "kind": "policy",
        "about": "x",
        "source": "x",
        "tables": tables,
        "decision": {"name": "all", "about": "x", "answers": answers},
    }
    return {
        "manifest.yaml": json.dumps(MANIFEST),
        "vocabulary.yaml": json.dumps({"kind": "vocabulary", "facts": facts, "outcomes": outcomes}),
        "all.yaml": json.dumps(concern),
    }
