"""An answer as plain data, in a fixed order: equal answers have equal bytes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from engine.decide.answer_times_json import iso, plain_due, plain_duty, plain_passed
from engine.model.answer import Answer, FiredRule, Outcome, Status
from engine.model.policy import Literal
from engine.model.vocabulary import NO, NOT_COVERED, YES, number_text


def plain(answer: Answer) -> dict[str, Any]:
    """Return an answer as dicts, lists, texts, numbers and booleans, in a fixed order."""
    return {
        "id": answer.id,
        "decision": answer.decision,
        "status": answer.status.value,
        "outcomes": {outcome.name: _outcome(outcome) for outcome in answer.outcomes},
        "missing": list(answer.missing),
        "possible": [plain_value(value) for value in answer.possible],
        "ask_next": answer.ask_next,
        "rules": [plain_rule(rule) for rule in answer.rules],
        "assumptions": [{"id": rule.id, "reason": rule.assumption} for rule in answer.assumptions],
        "unlisted": [
            {
                "fact": one.fact,
                "sent": one.sent,
                "nearest": [{"value": value, "name": name} for value, name in one.nearest],
            }
            for one in answer.unlisted
        ],
        "version": {"name": answer.version.name, "version": answer.version.version, "digest": answer.version.digest},
        **({"deadlines": [plain_due(due) for due in answer.dues]} if answer.dues else {}),
        **({"duties": [plain_duty(duty) for duty in answer.duties]} if answer.duties else {}),
        **({"elapsed": [plain_passed(passed) for passed in answer.passed]} if answer.passed else {}),
    }


def to_json(answer: Answer) -> str:
    """Return an answer as JSON on one line."""
    return json.dumps(plain(answer), ensure_ascii=False, separators=(",", ":"))


def written(value: Literal | None) -> str:
    """Return a value as a policy writes it: yes or no, a number without a needless fraction, a list with commas.

    >>> written(True), written(4.0), written(("a", "b")), written(None)
    ('yes', '4', 'a, b', 'not_covered')
    """
    if value is None:
        return NOT_COVERED
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, tuple):
        return ", ".join(value)
    return value if isinstance(value, str) else number_text(value)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"status": outcome.status.value}
    if outcome.value is not None:
        found["value"] = plain_value(outcome.value)
    if outcome.text:
        found["text"] = outcome.text
    if outcome.possible:
        found["possible"] = [plain_value(value) for value in outcome.possible]
    if outcome.items is not None:
        found["possible_items"] = {name: list(getattr(outcome.items, name)) for name in ("always", "open", "never")}
    if outcome.status is Status.UNDECIDED:
        found["missing"] = list(outcome.missing)
    found["rules"] = [rule.id for rule in outcome.rules]
    return found


def plain_value(value: Literal | None) -> Any:
    """Return a value for JSON: an instant as text, a tuple as a list, None as `not_covered`.

    >>> plain_value(("a", "b")), plain_value(None), plain_value(4.0)
    (['a', 'b'], 'not_covered', 4.0)
    """
    if value is None:
        return NOT_COVERED
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def plain_rule(rule: FiredRule) -> dict[str, Any]:
    """Return a rule that fired: its id, table, place, source and assumption."""
    return {
        "id": rule.id,
        "table": rule.table,
        "file": rule.place.file,
        "line": rule.place.line,
        "column": rule.place.column,
        "source": rule.source,
        "assumption": rule.assumption,
    }
