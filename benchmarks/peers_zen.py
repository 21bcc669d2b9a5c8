"""Tables of a version as zen-engine's JSON Decision Model; rules that wait for a fact to be unknown are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.conditions import Condition
from engine.version.version import Version


def jdm(version: Version, tables: Mapping[str, str]) -> dict[str, Any]:
    """Return tables (name to produced outcome) as a JSON Decision Model, in parallel between request and response."""
    nodes = [{"id": "in", "type": "inputNode", "name": "in"}, {"id": "out", "type": "outputNode", "name": "out"}]
    edges = []
    for name, produced in tables.items():
        rules = version.policy.tables[name].rules
        reads = version.policy.tables[name].reads
        content = {
            "hitPolicy": "first",
            "inputs": [{"id": fact, "name": fact, "field": fact} for fact in reads],
            "outputs": [{"id": produced, "name": produced, "field": produced}],
            "rules": [
                {
                    "_id": rule.id,
                    **dict.fromkeys(reads, ""),
                    **{c.fact: _unary(c) for c in rule.when},
                    produced: json.dumps(rule.then[produced]),
                }
                for rule in rules
                if not any(c.unknown and not c.words and not c.intervals for c in rule.when)
            ],
        }
        nodes.append({"id": name, "type": "decisionTableNode", "name": name, "content": content})
        edges += [
            {"id": f"in-{name}", "sourceId": "in", "targetId": name},
            {"id": f"{name}-out", "sourceId": name, "targetId": "out"},
        ]
    return {"nodes": nodes, "edges": edges}


def _unary(condition: Condition) -> str:
    return condition.text if condition.intervals else ", ".join(json.dumps(word) for word in sorted(condition.words))
