"""Random policies, as the files of a folder: small vocabularies, chained tables, every kind of condition."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Facts = dict[str, dict[str, Any]]

MANIFEST = {
    "kind": "manifest", "name": "random", "version": "1.0.0", "effective_from": "2020-01-01T00:00:00Z",
    "source": "chance", "owner": "nobody", "triage": ["all"],
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
        "kind": "policy", "about": "drawn", "source": "chance", "tables": tables,
        "decision": {"name": "all", "about": "drawn", "answers": list(outcomes)},
    }
    vocabulary = {"kind": "vocabulary", "facts": facts, "outcomes": outcomes}
    return {"manifest.yaml": json.dumps(MANIFEST), "vocabulary.yaml": json.dumps(vocabulary), "all.yaml": json.dumps(concern)}


@st.composite
def timed_policies(draw: st.DrawFn) -> dict[str, str]:
    """Draw a policy with a deadline whose rules read outcomes of its tables, and facts that these may read too."""
    files = draw(policies())
    vocabulary, concern = json.loads(files["vocabulary.yaml"]), json.loads(files["all.yaml"])
    readable = {**vocabulary["facts"], **{name: one for name, one in vocabulary["outcomes"].items() if one["type"] == "choice"}}
    regions = [name for name, one in vocabulary["outcomes"].items() if one["type"] == "choice"]
    read = draw(st.lists(st.sampled_from(sorted(readable)), min_size=1, max_size=3, unique=True))
    rules = []
    for at in range(draw(st.integers(1, 5))):
        tested = draw(st.lists(st.sampled_from(read), max_size=len(read), unique=True))
        calendar = draw(st.sampled_from(["clock", "desk"] if regions else ["clock"]))
        then = draw(st.one_of(st.just("nothing"), st.integers(1, 3).map(lambda hours, calendar=calendar: {"unit": "hours", "calendar": calendar, "amount": str(hours)})))
        rules.append({"id": f"due.r{at}", "when": {fact: draw(condition(readable[fact])) for fact in tested}, "then": then})
    concern["calendars"] = {
        "clock": {"about": "drawn", "always": "yes", "zone": "UTC"},
        "desk": {"about": "drawn", "zone": "by_region", "holidays": "none", "hours": {"mon-fri": "09:00-17:00"}},
    }
    concern["regions"] = {f"v{at}": {"zone": zone, "holidays": "none"} for at, zone in enumerate(("UTC", "Asia/Tokyo", "Europe/Paris"))}
    concern["deadlines"] = {"due": {
        "about": "drawn", "from": "at", "when_past": "passed", "holds": {"extend": "no"}, "hit": "first", "rules": rules,
        **({"region": draw(st.sampled_from(regions))} if regions else {}),
    }}
    vocabulary["facts"]["at"] = {"type": "instant", "about": "drawn"}
    vocabulary["outcomes"]["due"] = {"type": "instant", "about": "drawn"}
    return {**files, "vocabulary.yaml": json.dumps(vocabulary), "all.yaml": json.dumps(concern)}


def choice(values: int) -> dict[str, Any]:
    return {"type": "choice", "about": "drawn", "values": [{"value": f"v{at}", "about": "drawn"} for at in range(values)]}


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
