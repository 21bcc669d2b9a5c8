"""Random policies, as the files of a folder: small vocabularies, chained tables, every kind of condition."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Facts = dict[str, dict[str, Any]]

MANIFEST = {
    "kind": "manifest",
    "name": "random",
    "version": "1.0.0",
    "effective_from": "2020-01-01T00:00:00Z",
    "source": "chance",
    "owner": "nobody",
    "triage": ["all"],
}


@st.composite
def policies(draw: st.DrawFn) -> dict[str, str]:
    """Draw a policy of up to four facts and three tables, each of which may read the outcomes of those before it."""
    facts = {f"f{at}": draw(fact()) for at in range(draw(st.integers(1, 4)))}
    readable: Facts = dict(facts)
    outcomes: Facts = {}
    tables: dict[str, Any] = {}
    for at in range(draw(st.integers(1, 3))):
        table = draw(a_table(f"t{at}", readable))
        outcome = {"type": "list"} if table["hit"] == "collect" else choice(draw(st.integers(2, 3)))
        name = table["produces"]
        outcomes[name] = {**outcome, "about": "drawn"}
        for rule in table["rules"]:
            rule["then"] = {name: draw(st.sampled_from(values_of(outcome)))}
        if draw(st.booleans()) and table["hit"] != "collect":
            table["otherwise"] = draw(st.sampled_from(["not_covered", {"then": {name: values_of(outcome)[0]}}]))
        tables[f"t{at}"] = table
        if outcome["type"] == "choice":
            readable[name] = outcomes[name]
    concern = {
        "kind": "policy",
        "about": "drawn",
        "source": "chance",
        "tables": tables,
        "decision": {"name": "all", "about": "drawn", "answers": list(outcomes)},
    }
    vocabulary = {"kind": "vocabulary", "facts": facts, "outcomes": outcomes}
    return {
        "manifest.yaml": json.dumps(MANIFEST),
        "vocabulary.yaml": json.dumps(vocabulary),
        "all.yaml": json.dumps(concern),
    }


@st.composite
def timed_policies(draw: st.DrawFn) -> dict[str, str]:
    """Draw a policy with a deadline whose rules read outcomes of its tables, and facts that these may read too."""
    files = draw(policies())
    vocabulary, concern = json.loads(files["vocabulary.yaml"]), json.loads(files["all.yaml"])
    readable = {
        **vocabulary["facts"],
        **{name: one for name, one in vocabulary["outcomes"].items() if one["type"] == "choice"},
    }
    regions = [name for name, one in vocabulary["outcomes"].items() if one["type"] == "choice"]
    read = draw(st.lists(st.sampled_from(sorted(readable)), min_size=1, max_size=3, unique=True))
    rules = []
    for at in range(draw(st.integers(1, 5))):
        tested = draw(st.lists(st.sampled_from(read), max_size=len(read), unique=True))
        calendar = draw(st.sampled_from(["clock", "desk"] if regions else ["clock"]))
        then = draw(
            st.one_of(
                st.just("nothing"),
                st.integers(1, 3).map(
                    lambda hours, calendar=calendar: {"unit": "hours", "calendar": calendar, "amount": str(hours)}
                ),
            )
        )
        rules.append(
            {"id": f"due.r{at}", "when": {fact: draw(condition(readable[fact])) for fact in tested}, "then": then}
        )
    concern["calendars"] = {
        "clock": {"about": "drawn", "always": "yes", "zone": "UTC"},
        "desk": {"about": "drawn", "zone": "by_region", "holidays": "none", "hours": {"mon-fri": "09:00-17:00"}},
    }
    concern["regions"] = {
        f"v{at}": {"zone": zone, "holidays": "none"} for at, zone in enumerate(("UTC", "Asia/Tokyo", "Europe/Paris"))
    }
    concern["deadlines"] = {
        "due": {
            "about": "drawn",
            "from": "at",
            "when_past": "passed",
            "holds": {"extend": "no"},
            "hit": "first",
            "rules": rules,
            **({"region": draw(st.sampled_from(regions))} if regions else {}),
        }
    }
    vocabulary["facts"]["at"] = {"type": "instant", "about": "drawn"}
    vocabulary["outcomes"]["due"] = {"type": "instant", "about": "drawn"}
    return {**files, "vocabulary.yaml": json.dumps(vocabulary), "all.yaml": json.dumps(concern)}


def choice(values: int) -> dict[str, Any]:
    return {
        "type": "choice",
        "about": "drawn",
        "values": [{"value": f"v{at}", "about": "drawn"} for at in range(values)],
    }


def fact() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.integers(2, 4).map(choice),
        st.just({"type": "boolean", "about": "drawn"}),
        st.just({"type": "number", "about": "drawn", "minimum": "0", "maximum": "10"}),
        st.just({"type": "text", "about": "drawn"}),
        st.integers(1, 3).map(lambda values: {**choice(values), "open": "yes"}),
    )


def values_of(named: dict[str, Any]) -> list[str]:
    match named["type"]:
        case "choice":
            return [value["value"] for value in named["values"]] + (["unlisted"] if named.get("open") else [])
        case "boolean":
            return ["no", "yes"]
        case "text":
            return ["given", "blank"]
        case "list":
            return ["one", "two", "three"]
        case _:
            return ["< 3", "3", "[3..7)", "(2..7]", "> 7", ">= 5", "<= 5"]


@st.composite
def a_table(draw: st.DrawFn, name: str, readable: Facts) -> dict[str, Any]:
    hit = draw(st.sampled_from(["first", "first", "collect"]))
    read = draw(st.lists(st.sampled_from(sorted(readable)), min_size=1, max_size=3, unique=True))
    rules = []
    for at in range(draw(st.integers(1, 5))):
        tested = draw(st.lists(st.sampled_from(read), max_size=len(read), unique=True))
        rules.append({"id": f"{name}.r{at}", "when": {fact: draw(condition(readable[fact])) for fact in tested}})
    return {"about": "drawn", "hit": hit, "produces": f"o_{name}", "rules": rules}


@st.composite
def condition(draw: st.DrawFn, named: dict[str, Any]) -> Any:
    words = values_of(named)
    some = st.lists(st.sampled_from([*words, "unknown"]), min_size=1, max_size=3, unique=True)
    negated = st.one_of(st.just("unknown"), st.sampled_from(words)) if len(words) > 1 else st.just("unknown")
    return draw(st.one_of(st.sampled_from([*words, "unknown"]), some, negated.map(lambda word: {"not": word})))


@st.composite
def dense_policies(draw: st.DrawFn) -> dict[str, str]:
    """Draw a policy in which almost everything is decided: a whole matrix, and a table that reads it and a number."""
    words, cells = values_of(choice(3)), st.sampled_from(values_of(choice(3)))
    outcomes = {"o_t0": choice(3), "o_t1": choice(3), "amount": {"type": "number", "about": "drawn"}}
    rules = [
        {
            "id": f"t1.{word}.{at}",
            "when": {"o_t0": word, "f2": side},
            "then": {"o_t1": draw(cells), "amount": draw(st.sampled_from(["1", "2", "10"]))},
        }
        for word in words
        for at, side in enumerate(("< 3", "[3..7)", "> 7"))
    ]
    tables = {
        "t0": {
            "about": "drawn",
            "produces": "o_t0",
            "matrix": {
                "down": "f0",
                "across": "f1",
                "columns": words,
                "rows": {row: [draw(cells) for _ in words] for row in words},
            },
        },
        "t1": {
            "about": "drawn",
            "hit": "first",
            "produces": ["o_t1", "amount"],
            "rules": rules,
            "otherwise": {"then": {"o_t1": "v0", "amount": "5"}},
        },
    }
    number = {"type": "number", "about": "drawn", "minimum": "0", "maximum": "10"}
    vocabulary = {"kind": "vocabulary", "facts": {"f0": choice(3), "f1": choice(3), "f2": number}, "outcomes": outcomes}
    concern = {
        "kind": "policy",
        "about": "drawn",
        "source": "chance",
        "tables": tables,
        "decision": {"name": "all", "about": "drawn", "answers": list(outcomes)},
    }
    return {
        "manifest.yaml": json.dumps(MANIFEST),
        "vocabulary.yaml": json.dumps(vocabulary),
        "all.yaml": json.dumps(concern),
    }


@st.composite
def invariants(draw: st.DrawFn, vocabulary: Facts) -> list[dict[str, Any]]:
    """Draw a few invariants over the facts and outcomes of a policy, in every form."""
    facts, outcomes = vocabulary["facts"], vocabulary["outcomes"]
    return [
        {"id": f"i{at}", "about": "drawn", **draw(a_claim(facts, outcomes))} for at in range(draw(st.integers(4, 8)))
    ]


@st.composite
def a_claim(draw: st.DrawFn, facts: Facts, outcomes: Facts) -> dict[str, Any]:
    form = draw(st.sampled_from(["never", "always", "implies", "monotone", "monotone", "monotone"]))
    choices = {name: one for name, one in outcomes.items() if one["type"] in ("choice", "number")}
    ranked = {name: one for name, one in facts.items() if one["type"] != "text"}
    if form == "monotone" and choices:
        by_outcome = draw(st.booleans()) or not ranked
        raised = draw(
            st.lists(
                st.sampled_from(sorted(choices if by_outcome else ranked)),
                min_size=1,
                max_size=1 if by_outcome else 2,
                unique=True,
            )
        )
        behind = draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, max_size=2, unique=True))
        way = draw(st.sampled_from(["never_lowers", "never_raises"]))
        return {
            "monotone": {
                "raise": {name: draw(an_order({**facts, **outcomes}[name])) for name in raised},
                way: {name: draw(an_order(choices[name])) for name in behind},
            }
        }
    if form == "implies":
        return {"implies": {"if": draw(some_tests(facts, outcomes)), "then": draw(some_tests(facts, outcomes))}}
    return {"never" if form == "monotone" else form: draw(some_tests(facts, outcomes))}


@st.composite
def some_tests(draw: st.DrawFn, facts: Facts, outcomes: Facts) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted({**facts, **outcomes})), min_size=1, max_size=3, unique=True))
    return {name: draw(fact_test(facts[name]) if name in facts else outcome_test(outcomes[name])) for name in names}


def fact_test(named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw a condition; on numbers also one that no rule names."""
    return (
        st.one_of(condition(named), st.sampled_from(["> 4", "[8..9]"]))
        if named["type"] == "number"
        else condition(named)
    )


def outcome_test(named: dict[str, Any]) -> st.SearchStrategy[Any]:
    values = ["given", "blank"] if named["type"] == "list" else values_of(named)
    states = ["decided", "undecided", "not_covered", "unknown"]
    some = st.lists(st.sampled_from([*values, *states]), min_size=1, max_size=3, unique=True)
    return st.one_of(
        st.sampled_from([*values, *states]), some, st.sampled_from([*values, "unknown"]).map(lambda word: {"not": word})
    )


def an_order(named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if named["type"] == "number":
        return st.just("by_size")
    return st.permutations([word for word in values_of(named) if word != "unlisted"])
