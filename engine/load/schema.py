"""JSON Schemas (draft 2020-12) for every kind of policy file.

Loading validates files against :func:`structure`: keys, lists, texts. :func:`published` adds a version's own facts,
outcomes and values, for editors; it is never more permissive than the structure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from engine.model.policy import Policy
from engine.model.vocabulary import NOT_COVERED, UNKNOWN, Fact, FactType

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
KINDS: Final = ("manifest", "vocabulary", "policy", "cases", "holidays", "frozen", "invariants")

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_WORD: Final[Schema] = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"}
_NAME: Final[Schema] = {"type": "string", "pattern": r"^[a-z][a-z0-9_]*$"}
_YES_NO: Final[Schema] = {"enum": ["yes", "no", "true", "false", True, False]}
_NUMBER: Final[Schema] = {"type": ["string", "number"], "pattern": r"^[+-]?\d+(\.\d+)?$"}
_INSTANT: Final[Schema] = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$",
}
_CLOCK: Final[Schema] = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"}
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
_HOURS: Final[Schema] = {"type": "string", "minLength": 1}
_UNIT: Final[Schema] = {"enum": ["minutes", "hours", "business_days"]}
_DAY_RULE: Final[Schema] = {"enum": ["roll_then_clock", "roll_then_close"]}


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least}


def _one_or_more(items: Schema) -> Schema:
    return {"anyOf": [items, _list(items, 1)]}


def _mapping(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _named(value: Schema, least: int = 0) -> Schema:
    return {"type": "object", "propertyNames": _NAME, "additionalProperties": value, "minProperties": least}


def _keyed(value: Schema, key: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "additionalProperties": value,
        "minProperties": 1,
        **({"propertyNames": key} if key else {}),
    }


_QUESTION: Final = _mapping(
    {"id": _WORD, "question": _TEXT, "reading": _TEXT, "source": _TEXT}, {"rules": _list(_TEXT)}
)
_VALUE: Final = _mapping({"value": _WORD, "about": _TEXT}, {"name": _TEXT, "aliases": _list(_TEXT)})
_FACT_KEYS: Final[dict[str, Schema]] = {
    "unit": _TEXT,
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "values": _list(_VALUE, 1),
    "values_in": _NAME,
    "open": _YES_NO,
    "subtags": _YES_NO,
    "ask": _YES_NO,
}


def _vocabulary_entry(types: list[str]) -> Schema:
    return _mapping({"type": {"enum": types}, "about": _TEXT}, _FACT_KEYS)


def _table(when: Schema, then: Schema, facts: Schema, outcomes: Schema) -> Schema:
    remarks = {"source": _TEXT, "assumption": _TEXT, "about": _TEXT}
    row = _mapping({"then": then}, {"name": _TEXT, "aliases": _list(_TEXT), **remarks})
    matrix = _mapping(
        {
            "down": facts,
            "across": facts,
            "columns": _list(_SCALAR, 1),
            "rows": {"type": "object", "minProperties": 1, "additionalProperties": _list(_SCALAR, 1)},
        }
    )
    entries = _mapping(
        {
            "fact": facts,
            "rows": {"type": "object", "minProperties": 1, "propertyNames": _WORD, "additionalProperties": row},
        }
    )
    otherwise = {"anyOf": [{"const": "not_covered"}, _mapping({"then": then}, remarks)]}
    return _mapping(
        {"about": _TEXT, "produces": _one_or_more(outcomes)},
        {
            "source": _TEXT,
            "assumption": _TEXT,
            "hit": {"enum": ["unique", "first", "collect"]},
            "rules": _list(_mapping({"id": _WORD, "when": when, "then": then}, remarks)),
            "matrix": matrix,
            "entries": entries,
            "otherwise": otherwise,
        },
    )


def _calendar() -> Schema:
    day = {"anyOf": [{"const": "closed"}, _one_or_more(_HOURS)]}
    return _mapping(
        {"about": _TEXT, "zone": _TEXT},
        {
            "always": _YES_NO,
            "holidays": _TEXT,
            "hours": _keyed(day),
            "dates": _keyed(day),
            "breaks": _keyed(_one_or_more(_HOURS)),
            "source": _TEXT,
            "assumption": _TEXT,
        },
    )


def _deadline(when: Schema, instants: Schema, nothing: Schema) -> Schema:
    measure = _mapping({"unit": _UNIT, "calendar": _NAME}, {"rule": _DAY_RULE, "amount": _NUMBER})
    then = {"anyOf": [nothing, measure]}
    rule = _mapping({"id": _WORD, "when": when, "then": then}, {"source": _TEXT, "assumption": _TEXT, "about": _TEXT})
    return _mapping(
        {
            "about": _TEXT,
            "from": instants,
            "when_past": {"enum": ["breached", "passed"]},
            "holds": _mapping({"extend": _YES_NO}, {"assumption": _TEXT}),
            "rules": _list(rule, 1),
        },
        {
            "source": _TEXT,
            "met": instants,
            "amount": _NAME,
            "region": _NAME,
            "hit": {"enum": ["unique", "first"]},
            "at_risk": _mapping({"left": _TEXT}, {"assumption": _TEXT}),
        },
    )


def _elapsed(instants: Schema) -> Schema:
    return _mapping(
        {"from": instants, "unit": _UNIT, "calendar": _NAME, "count": {"enum": ["full", "begun", "exact"]}},
        {"rule": _DAY_RULE, "region": _NAME, "source": _TEXT, "assumption": _TEXT},
    )


def _policy(table: Schema, outcomes: Schema, instants: Schema, when: Schema, nothing: Schema) -> Schema:
    entry = _mapping({"value": _WORD, "zone": _TEXT}, {"name": _TEXT})
    roster = _mapping(
        {
            "about": _TEXT,
            "at": instants,
            "open": {**_list(_CLOCK, 2), "maxItems": 2},
            "entries": _list(entry, 1),
            "produces": outcomes,
        },
        {"source": _TEXT, "assumption": _TEXT},
    )
    decision = _mapping({"name": _NAME, "about": _TEXT, "answers": _list(outcomes, 1)}, {"beside": _list(outcomes)})
    return _mapping(
        {"kind": {"const": "policy"}, "about": _TEXT, "source": _TEXT},
        {
            "owner": _TEXT,
            "decision": decision,
            "tables": _named(table),
            "rosters": _named(roster),
            "questions": _list(_QUESTION),
            "calendars": _named(_calendar()),
            "regions": _keyed(_mapping({"zone": _TEXT, "holidays": _TEXT}, {"about": _TEXT}), _WORD),
            "deadlines": _named(_deadline(when, instants, nothing)),
            "elapsed": _named(_elapsed(instants)),
        },
    )


def _cases(facts: Schema, expect: Schema, decisions: Schema) -> Schema:
    case = _mapping(
        {"name": _TEXT, "decision": decisions, "facts": facts},
        {
            "status": {"enum": ["decided", "undecided", "not_covered"]},
            "expect": expect,
            "missing": _list(_NAME),
            "possible": _list({"anyOf": [_SCALAR, _list(_SCALAR)]}),
            "ask_next": _NAME,
            "rules": _list(_TEXT),
            "assumptions": _list(_TEXT),
            "nearest": _list(_TEXT),
            "refused": _list(_TEXT, 1),
            "now": _TEXT,
            "pauses": _list(_mapping({"from": _TEXT}, {"to": _TEXT})),
            "states": _named({"enum": ["met", "running", "at_risk", "breached", "passed"]}),
        },
    )
    return _mapping({"kind": {"const": "cases"}, "cases": _list(case, 1)})


def _manifest(decisions: Schema) -> Schema:
    assumption = _mapping({"id": _WORD, "reason": _TEXT}, {"source": _TEXT})
    return _mapping(
        {
            "kind": {"const": "manifest"},
            "name": _WORD,
            "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
            "effective_from": _INSTANT,
            "source": _TEXT,
            "owner": _TEXT,
            "triage": _list(decisions, 1),
        },
        {
            "notice": _mapping({"text": _TEXT, "source": _TEXT}, {"assumption": _TEXT}),
            "assumptions": _list(assumption),
            "questions": _list(_QUESTION),
            "formerly": _list(_WORD, 1),
        },
    )


def _vocabulary() -> Schema:
    facts = ["choice", "boolean", "number", "integer", "text", "instant"]
    outcomes = ["choice", "boolean", "number", "integer", "text", "list", "instant"]
    return _mapping(
        {
            "kind": {"const": "vocabulary"},
            "facts": _named(_vocabulary_entry(facts), 1),
            "outcomes": _named(_vocabulary_entry(outcomes), 1),
        }
    )


def _holidays(day: Schema, code: Schema) -> Schema:
    entry = _mapping({"name": _TEXT, "status": {"enum": ["confirmed", "estimated"]}}, {"source": _TEXT})
    return _mapping(
        {
            "kind": {"const": "holidays"},
            "name": _WORD,
            "about": _TEXT,
            "source": _TEXT,
            "covers": _mapping({"from": day, "to": day}),
            "days": {
                "type": "object",
                "additionalProperties": entry,
                **({"propertyNames": day} if day != _TEXT else {}),
            },
        },
        {
            "draft": _mapping({"package": _TEXT, "version": _TEXT, "code": code}),
            "not_holidays": {
                "type": "object",
                "additionalProperties": _TEXT,
                **({"propertyNames": day} if day != _TEXT else {}),
            },
        },
    )


def _invariants(tests: Schema, order: Schema, raised: Schema) -> Schema:
    some = {**tests, "minProperties": 1}
    monotone = _mapping({"raise": raised}, {"never_lowers": order, "never_raises": order})
    invariant = _mapping(
        {"id": _WORD, "about": _TEXT},
        {
            "source": _TEXT,
            "never": some,
            "always": some,
            "implies": _mapping({"if": some, "then": some}),
            "monotone": monotone,
        },
    )
    return _mapping(
        {"kind": {"const": "invariants"}, "invariants": _list(invariant)}, {"about": _TEXT, "source": _TEXT}
    )


def _order(value: Schema) -> Schema:
    return {"anyOf": [_list(value, 1), {"const": "by_size"}]}


def _frozen() -> Schema:
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    entry = _mapping(
        {"version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}, "effective_from": _INSTANT, "digest": digest}
    )
    return _mapping({"kind": {"const": "frozen"}, "versions": _list(entry)})


@lru_cache(20)
def structure(kind: str) -> Schema:
    """Return the schema against which files of a kind are loaded, without the words of any desk."""
    anything: Schema = {"type": "object"}
    match kind:
        case "manifest":
            return _manifest(_NAME)
        case "vocabulary":
            return _vocabulary()
        case "policy":
            return _policy(
                _table(anything, anything, _NAME, _NAME), _NAME, _NAME, anything, _TEXT
            )  # which word is seen when it is read
        case "cases":
            return _cases(anything, anything, _NAME)
        case "frozen":
            return _frozen()
        case "holidays":
            return _holidays(_TEXT, _TEXT)  # whether a date exists is seen when it is read
        case "invariants":
            orders: Schema = {"type": "object", "minProperties": 1, "additionalProperties": _order(_SCALAR)}
            return _invariants(anything, orders, orders)
        case _:
            raise KeyError(kind)


def published(policy: Policy) -> dict[str, str]:
    """Return the schemas of a version as files (name to text), with its facts, outcomes and values in them."""
    facts, outcomes = policy.facts, policy.outcomes
    readable = {
        **facts,
        **{name: fact for name, fact in outcomes.items() if fact.type in (FactType.CHOICE, FactType.BOOLEAN)},
    }
    definitions = {
        "when": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _condition(fact) for name, fact in sorted(readable.items())},
        },
        "then": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {name: _outcome(fact) for name, fact in sorted(outcomes.items())},
        },
        "sent": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _sent(fact) for name, fact in sorted(facts.items())},
        },
        "expected": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _expected(fact) for name, fact in sorted(outcomes.items())},
        },
        "held": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                **{name: _condition(fact) for name, fact in sorted(facts.items())},
                **{
                    name: _outcome_condition(fact)
                    for name, fact in sorted(outcomes.items())
                    if fact.type is not FactType.INSTANT
                },
            },
        },
        "ordered": _orders(outcomes),
        "raised": _orders({**facts, **outcomes}),
    }
    names = {
        name: {"enum": sorted(words)}
        for name, words in (
            ("readable", readable),
            ("outcome", outcomes),
            ("decision", policy.decisions),
            ("instant", [name for name, fact in facts.items() if fact.type is FactType.INSTANT] or [""]),
        )
    }

    def ref(name: str) -> Schema:
        return {"$ref": f"#/$defs/{name}"}

    schemas = {
        "manifest": (_manifest(ref("decision")), ("decision",)),
        "vocabulary": (_vocabulary(), ()),
        "policy": (
            _policy(
                _table(ref("when"), ref("then"), ref("readable"), ref("outcome")),
                ref("outcome"),
                ref("instant"),
                ref("when"),
                {"const": "nothing"},
            ),
            ("when", "then", "readable", "outcome", "instant"),
        ),
        "cases": (_cases(ref("sent"), ref("expected"), ref("decision")), ("sent", "expected", "decision")),
        "invariants": (_invariants(ref("held"), ref("ordered"), ref("raised")), ("held", "ordered", "raised")),
        "holidays": (
            _holidays(
                {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
                {"type": "string", "pattern": r"^[A-Z]{2}(/[A-Z0-9-]+)?$"},
            ),
            (),
        ),
    }
    files = {}
    for kind, (schema, used) in schemas.items():
        defs = {name: {**definitions, **names}[name] for name in used}
        whole = {"$schema": DIALECT, "title": f"{policy.manifest.name} {policy.manifest.version}: {kind}", **schema}
        files[f"{kind}.schema.json"] = (
            json.dumps({**whole, **({"$defs": defs} if defs else {})}, indent=1, ensure_ascii=False) + "\n"
        )
    return files


def _described(fact: Fact, schema: Schema) -> Schema:
    return {"description": fact.about, **schema} if fact.about else schema


def _words(fact: Fact) -> list[Any]:
    return [*fact.words, "true", "false", True, False] if fact.type is FactType.BOOLEAN else list(fact.words)


def _condition(fact: Fact) -> Schema:
    item: Schema = {"type": ["string", "number"]} if fact.numeric else {"enum": [*_words(fact), UNKNOWN]}
    some = _one_or_more(item)
    negated = {"type": "object", "properties": {"not": some}, "required": ["not"], "additionalProperties": False}
    return _described(fact, {"anyOf": [*some["anyOf"], negated]})


def _outcome_condition(fact: Fact) -> Schema:
    """Return the schema of a condition of an invariant on an outcome: its values or states."""
    words = ["blank", "given"] if fact.type in (FactType.TEXT, FactType.LIST) else _words(fact)
    item: Schema = (
        {"type": ["string", "number"]}
        if fact.numeric
        else {"enum": list(dict.fromkeys([*words, UNKNOWN, "decided", "undecided", NOT_COVERED]))}
    )
    some = _one_or_more(item)
    negated = {"type": "object", "properties": {"not": some}, "required": ["not"], "additionalProperties": False}
    return _described(fact, {"anyOf": [*some["anyOf"], negated]})


def _orders(named: Mapping[str, Fact]) -> Schema:
    """Return the schema of orders.

    An order lists the values of a choice or yes/no from the lowest to the highest; numbers are ordered by size.
    """
    orders = {}
    for name, fact in sorted(named.items()):
        if fact.numeric:
            orders[name] = _described(fact, {"const": "by_size"})
        elif fact.type in (FactType.CHOICE, FactType.BOOLEAN):
            orders[name] = _described(fact, _list({"enum": [word for word in _words(fact) if word != "unlisted"]}, 1))
    return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": orders}


def _literal(fact: Fact) -> Schema:
    if fact.numeric:
        return _NUMBER
    match fact.type:
        case FactType.CHOICE | FactType.BOOLEAN:
            return {"enum": [word for word in _words(fact) if word != "unlisted"]}
        case FactType.LIST:
            return {"anyOf": [_SCALAR, _list(_SCALAR)]}
        case _:
            return _SCALAR


def _outcome(fact: Fact) -> Schema:
    same_as = {
        "type": "object",
        "properties": {"same_as": _NAME},
        "required": ["same_as"],
        "additionalProperties": False,
    }
    return _described(fact, {"anyOf": [_literal(fact), same_as]})


def _sent(fact: Fact) -> Schema:
    return _described(fact, _literal(fact) if fact.numeric or fact.type is FactType.BOOLEAN else _SCALAR)


def _expected(fact: Fact) -> Schema:
    literal = _list(_SCALAR) if fact.type is FactType.LIST else _literal(fact)
    return _described(fact, {"anyOf": [literal, {"enum": ["undecided", "not_covered"]}]})
