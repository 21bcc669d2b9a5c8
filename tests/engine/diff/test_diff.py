"""What a difference between two versions says, against plain loops over every situation; and that it says no more."""

from __future__ import annotations

import copy
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.diff import Change, Diff, DiffRegion, Edit, OutcomeDiff, OutcomeState, StateKind, compare
from engine.diff.list_items import ORDER
from engine.diff.nouns import Values
from engine.diff.regions import MOST_WAYS
from engine.diff.words import change_text, region_text, when_texts
from engine.load import load
from engine.model.answer import VersionRef, WrongRequest
from engine.model.policy import Table
from engine.model.problems import PolicyErrors
from engine.model.vocabulary import UNLISTED, Fact, FactType
from engine.request.ticket import TicketReader
from engine.tables.atoms import all_atoms
from engine.tables.table_diagram import draw_tables
from engine.version.build import build
from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import VersionFolder, read_folder
from tests.oracle import Oracle
from tests.support.campaign import LONG
from tests.support.deciders import decide
from tests.support.growth import chain, customers, prerequisites
from tests.support.paths import ROOT
from tests.support.strategies import condition, policies, values_of

REFUSED = "refused"
Raw = str | float | None


# --- random pairs, every situation ---


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Draw a policy and a revision of it: rules edited, moved, taken out; values, limits and facts that come and go."""
    files = draw(policies())
    vocabulary, concern = json.loads(files["vocabulary.yaml"]), json.loads(files["all.yaml"])
    for _ in range(draw(st.integers(1, 4))):
        _edit(draw, vocabulary, concern)
    return files, {**files, "vocabulary.yaml": json.dumps(vocabulary), "all.yaml": json.dumps(concern)}


def _edit(draw: st.DrawFn, vocabulary: dict[str, Any], concern: dict[str, Any]) -> None:
    table = concern["tables"][draw(st.sampled_from(sorted(concern["tables"])))]
    rule = draw(st.sampled_from(table["rules"])) if table["rules"] else {"when": {}, "then": {}}
    facts, outcomes = vocabulary["facts"], vocabulary["outcomes"]
    match draw(st.sampled_from(["then", "when", "swap", "drop", "value", "limits", "fact", "open", "otherwise"])):
        case "then" if rule["then"]:
            name = table["produces"]
            rule["then"] = {name: draw(st.sampled_from(values_of(outcomes[name])))}
        case "when" if rule["when"]:
            fact = draw(st.sampled_from(sorted(rule["when"])))
            rule["when"][fact] = draw(condition({**facts, **outcomes}[fact]))
        case "swap":
            table["rules"].reverse()
        case "drop" if len(table["rules"]) > 1:
            table["rules"].remove(rule)
        case "value":
            fact = facts[draw(st.sampled_from(sorted(facts)))]
            if fact["type"] == "choice":
                fact["values"].append({"value": "vnew", "about": "drawn"})
        case "limits":
            for fact in facts.values():
                if fact["type"] == "number":
                    fact["maximum"] = "8"
        case "fact":
            facts["fnew"] = {"type": "boolean", "about": "drawn"}
            rule["when"]["fnew"] = draw(condition(facts["fnew"]))
        case "open":
            fact = facts[draw(st.sampled_from(sorted(facts)))]
            if fact["type"] == "choice":
                fact["open"] = "yes"
        case "otherwise" if table["hit"] != "collect":
            table["otherwise"] = "not_covered"


def laid_out(files: dict[str, str]) -> Any:
    """Return a version as far as a comparison asks for one: random policies have gaps, so they could not serve."""
    policy = load(files)
    atoms = all_atoms(policy)
    return SimpleNamespace(
        policy=policy,
        ref=VersionRef("random", "1.0.0", "0" * 64),
        atoms=atoms,
        diagrams=draw_tables(list(policy.tables.values()), policy.outcomes, atoms),
        deadline_diagrams={},
        reader=TicketReader(policy.facts, atoms),
    )


def raw_values(name: str, versions: tuple[Any, Any]) -> list[Raw]:
    """Return the values to send for a fact: none, every word, and numbers at, between and beyond all thresholds."""
    found: dict[Raw, None] = {None: None}
    for version in versions:
        fact: Fact | None = version.policy.facts.get(name)
        if fact is None:
            continue
        if fact.numeric:
            cuts = sorted({cut for one in versions if name in one.atoms for cut in one.atoms[name].cuts})
            found |= dict.fromkeys([*cuts, *((low + high) / 2 for low, high in itertools.pairwise(cuts))])
        elif fact.type is FactType.TEXT:
            found |= {" ": None, "something": None}
        else:
            found |= dict.fromkeys(word if word != UNLISTED else "anything else" for word in fact.words)
    return list(found)


def read(version: Any, facts: dict[str, Raw]) -> dict[str, Any] | None:
    """Read facts as a version does: what it does not know is not sent; None if the request is refused."""
    try:
        ticket = version.reader.read({name: value for name, value in facts.items() if name in version.policy.facts})
    except WrongRequest:
        return None
    found = {}
    for name, slot in version.reader.slots.items():
        atom = ticket.atoms[slot]
        found[name] = version.atoms[name].samples[atom - 1] if atom else None
    return found


def oracle_of(version: Any) -> Oracle:
    return Oracle(version.policy, {name: atoms.samples for name, atoms in version.atoms.items()})


def maker(name: str, version: Any) -> Table | None:
    """Return the table that makes an outcome."""
    return next((table for table in version.policy.tables.values() if name in table.produces), None)


def behind(name: str, version: Any) -> list[Table]:
    """Return the tables that an outcome depends on."""
    table = maker(name, version)
    return [] if table is None else [table, *(one for read in table.reads for one in behind(read, version))]


def ends(name: str, version: Any, oracle: Oracle, facts: dict[str, Raw]) -> tuple[StateKind, frozenset[Any]]:
    """Return what a version makes of an outcome: the kind, and the values possible."""
    sent, table = read(version, facts), maker(name, version)
    if sent is None or table is None:
        return StateKind.ABSENT if sent is not None else StateKind.REFUSED, frozenset()
    possible = oracle.possible(table, sent)[name]
    kind = (
        StateKind.UNDECIDED if len(possible) > 1 else StateKind.NOT_COVERED if None in possible else StateKind.DECIDED
    )
    return kind, frozenset(possible)


def cell(name: str, version: Any, facts: dict[str, Raw]) -> tuple[object, ...]:
    """Return where a version's tables put a situation: which of their conditions each fact meets."""
    tables = behind(name, version)
    conditions = [condition for table in tables for rule in table.rules for condition in rule.when]
    found = []
    for fact in sorted({one.fact for one in conditions} & set(version.policy.facts)):
        raw = facts.get(fact)
        atom = 0 if raw is None else version.reader.atom(fact, raw)
        value = None if not atom else version.atoms[fact].samples[atom - 1]
        met = tuple(one.holds(value) for one in conditions if one.fact == fact)
        found.append((fact, REFUSED if atom is None else met))
    return tuple(found)


def holds(values: Values, raw: Raw, versions: tuple[Any, Any]) -> bool:
    """Return whether a fact as sent is one of a region's values."""
    if raw is None:
        return values.unknown
    if values.sent:
        return True
    if isinstance(raw, float):
        return any(
            (span.low < raw or (span.low_closed and span.low == raw))
            and (raw < span.high or (span.high_closed and span.high == raw))
            for span in values.spans
        )
    listed = {
        word
        for version in versions
        if values.fact in version.policy.facts
        for word in version.policy.facts[values.fact].words
    }
    word = {" ": "blank", "something": "given"}.get(raw, raw)
    word = word if word in listed else UNLISTED
    return word not in values.but if values.but else word in values.words


def inside(region: DiffRegion, facts: dict[str, Raw], versions: tuple[Any, Any]) -> bool:
    return all(holds(values, facts.get(values.fact), versions) for values in region.when)


def plain_change(change: Change) -> tuple[Any, ...]:
    return (change.in_part, change.before.kind, change.before.value, change.after.kind, change.after.value)


def plain_changes(changes: Iterable[Change]) -> Counter[tuple[Any, ...]]:
    """Return changes apart, those of items one by one."""
    found = Counter[tuple[Any, ...]]()
    for change in changes:
        if change.in_part:
            for which, state in (("before", change.before), ("after", change.after)):
                found.update((which, "certain", item) for item in state.value)
                found.update((which, "open", item) for item in state.possible)
        else:
            found[plain_change(change)] += 1
    return found


End = tuple[StateKind, frozenset[Any]]


def expected_changes(before: End, after: End) -> Counter[tuple[Any, ...]]:
    lists = [bool(end[1]) and all(isinstance(value, tuple) for value in end[1]) for end in (before, after)]
    if all(lists):
        found = Counter[tuple[Any, ...]]()
        times = [certain_and_open(end[1]) for end in (before, after)]
        for at, which in enumerate(("before", "after")):
            for kind in ("certain", "open"):
                more = times[at][kind] - times[1 - at][kind]
                found.update({(which, kind, item): count for item, count in more.items()})
        return found
    if before == after:
        return Counter()
    kinds = [StateKind.DECIDED if listed else end[0] for listed, end in zip(lists, (before, after), strict=True)]
    one, other = (
        next(iter(end[1])) if end[0] is StateKind.DECIDED and not listed else None
        for listed, end in zip(lists, (before, after), strict=True)
    )
    return Counter([(False, kinds[0], one, kinds[1], other)])


def certain_and_open(lists: frozenset[tuple[str, ...]]) -> dict[str, Counter[str]]:
    """Return how often each item is in all of some lists, and how often more in some."""
    items = {item for one in lists for item in one}
    least = Counter({item: min(one.count(item) for one in lists) for item in items})
    most = Counter({item: max(one.count(item) for one in lists) for item in items})
    return {"certain": +least, "open": most - least}


def other_order(before: End, after: End) -> bool:
    """Return whether two items that all possible lists have are in another order in the later ones."""
    if not all(isinstance(value, tuple) for end in (before, after) for value in end[1]):
        return False
    items = sorted({item for end in (before, after) for one in end[1] for item in one})
    for one, other in itertools.combinations(items, 2):
        orders = [
            {
                listed.index(one) < listed.index(other) if one in listed and other in listed else None
                for listed in end[1]
            }
            for end in (before, after)
        ]
        if all(len(found) == 1 and None not in found for found in orders) and orders[0] != orders[1]:
            return True
    return False


@pytest.mark.campaign
@settings(max_examples=500 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(pairs(), st.randoms(use_true_random=False))
def test_the_regions_of_a_difference_are_exactly_the_situations_decided_differently(
    files: tuple[dict[str, str], dict[str, str]], random: Any
) -> None:
    try:
        versions = (laid_out(files[0]), laid_out(files[1]))
    except PolicyErrors:
        assume(False)
    difference = compare(*versions)
    oracles = (oracle_of(versions[0]), oracle_of(versions[1]))
    (decision,) = difference.decisions
    found = {one.name: one for one in difference.outcomes}
    assert tuple(found) == decision.outcomes
    for name in (*found, *decision.unchanged):
        check_outcome(name, found.get(name), versions, oracles, random)


def check_outcome(
    name: str, diff: OutcomeDiff | None, versions: tuple[Any, Any], oracles: tuple[Oracle, Oracle], random: Any
) -> None:
    facts = sorted(
        {
            fact
            for version in versions
            for table in behind(name, version)
            for fact in table.reads
            if fact in version.policy.facts
        }
    )
    situations = list(itertools.product(*(raw_values(fact, versions) for fact in facts)))
    whole = len(situations) <= 1500
    cells: dict[object, frozenset[Change]] = {}
    order = False
    for situation in situations if whole else random.sample(situations, 1500):
        sent = dict(zip(facts, situation, strict=True))
        states = [ends(name, version, oracle, sent) for version, oracle in zip(versions, oracles, strict=True)]
        if any(all(read(version, {fact: raw}) is None for version in versions) for fact, raw in sent.items()):
            continue
        expected = expected_changes(*states)
        order = order or other_order(*states)
        there = [region for region in diff.regions if inside(region, sent, versions)] if diff else []
        changes = frozenset(change for region in there for change in region.changes)
        assert plain_changes(changes) == expected, (name, sent)
        if diff and changes:
            assert any(inside(region, sent, versions) for region in diff.gist)
        for region in diff.gist if diff else ():
            if not changes and inside(region, sent, versions):
                assert region.alike
        refused = (
            read(version, {fact: raw}) is None for version in versions for fact, raw in sent.items()
        )  # also of what a table does not read
        cells[
            cell(name, versions[0], sent), cell(name, versions[1], sent), *(raw is None for raw in situation), *refused
        ] = changes
    if whole:
        assert order == bool(diff and diff.terms)
    if diff and diff.changed and whole:
        assert diff.situations == len(cells)
        assert diff.changed == sum(map(bool, cells.values()))
        assert diff.changes == Counter(change for changes in cells.values() for change in changes)
    for region in diff.regions if diff else ():
        states = [
            ends(name, version, oracle, dict(region.example)) for version, oracle in zip(versions, oracles, strict=True)
        ]
        if (
            "blank" not in region.example.values()
            and "given" not in region.example.values()
            and not any(_is_number(value) for value in region.example.values())
        ):
            assert plain_changes(region.changes) <= expected_changes(*states), (
                "the example of a region shows its change"
            )


def _is_number(text: str) -> bool:
    return text.replace(".", "").isdigit()


@settings(max_examples=200 if LONG else 25, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), st.randoms(use_true_random=False))
def test_renaming_and_reordering_what_has_no_order_changes_no_decision(files: dict[str, str], random: Any) -> None:
    concern = json.loads(files["all.yaml"])
    revised = copy.deepcopy(concern)
    revised["tables"] = dict(random.sample(sorted(concern["tables"].items()), len(concern["tables"])))
    for table in revised["tables"].values():
        for rule in table["rules"]:
            rule["id"] += ".renamed"
            rule["when"] = dict(reversed(rule["when"].items()))
    difference = compare(laid_out(files), laid_out({**files, "all.yaml": json.dumps(revised, indent=7)}))
    assert difference.same_decisions
    assert {one.edit for one in difference.wording} <= {Edit.RENAMED}
    assert compare(laid_out(files), laid_out(files)).wording == ()


# --- what one table changes by itself ---


@st.composite
def pairs_of_one_table(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str], str]:
    """Draw a policy, a revision of the rules of one table, and the outcome of that table."""
    files = draw(policies())
    vocabulary, concern = json.loads(files["vocabulary.yaml"]), json.loads(files["all.yaml"])
    table = concern["tables"][draw(st.sampled_from(sorted(concern["tables"])))]
    named = {**vocabulary["facts"], **vocabulary["outcomes"]}
    name = table["produces"]
    for _ in range(draw(st.integers(1, 2))):
        rule = draw(st.sampled_from(table["rules"]))
        match draw(st.sampled_from(["then", "when", "swap"])):
            case "then":
                rule["then"] = {name: draw(st.sampled_from(values_of(named[name])))}
            case "when" if rule["when"]:
                fact = draw(st.sampled_from(sorted(rule["when"])))
                rule["when"][fact] = draw(condition(named[fact]))
            case "swap":
                table["rules"].reverse()
    return files, {**files, "all.yaml": json.dumps(concern)}, name


@pytest.mark.campaign
@settings(max_examples=500 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(pairs_of_one_table())
def test_what_a_table_changes_by_itself_is_what_its_outcome_changes_if_nothing_else_did(
    drawn: tuple[dict[str, str], dict[str, str], str],
) -> None:
    *files, name = drawn
    versions = (laid_out(files[0]), laid_out(files[1]))
    difference = compare(*versions)
    diff = next((one for one in difference.outcomes if one.name == name), None)
    own = next((one for one in difference.tables if one.outcome == name), None)
    assert {one.outcome for one in difference.tables} <= {name}
    if own is None or diff is None:
        assert own is None
        assert diff is None or not diff.changed
        return
    assert (own.situations, own.changed) == (diff.situations, diff.changed)
    facts = sorted({fact for table in behind(name, versions[1]) for fact in table.reads if fact[0] == "f"})
    facts = sorted({*facts, *(fact for table in behind(name, versions[0]) for fact in table.reads if fact[0] == "f")})
    situations = list(itertools.product(*(raw_values(fact, versions) for fact in facts)))
    assume(len(situations) <= 1500)
    oracles = (oracle_of(versions[0]), oracle_of(versions[1]))
    cells: dict[object, tuple[frozenset[Change], frozenset[int]]] = {}
    for situation in situations:
        sent = dict(zip(facts, situation, strict=True))
        there = frozenset(change for one in diff.regions if inside(one, sent, versions) for change in one.changes)
        read_there = {**sent, **outcomes_known(versions[1], oracles[1], sent)}
        regions = frozenset(
            at
            for at, region in enumerate(own.regions)
            if all(holds_read(values, read_there, versions) for values in region.when) and region.change in there
        )
        key = (*(cell(name, version, sent) for version in versions), *(raw is None for raw in situation))
        cells[key] = (there, regions)
    assert own.others == sum(bool(there) and not regions for there, regions in cells.values())
    for at, region in enumerate(own.regions):
        assert region.situations == sum(at in regions for _, regions in cells.values())


def outcomes_known(version: Any, oracle: Oracle, facts: dict[str, Raw]) -> dict[str, str | None]:
    """Return the outcomes of tables that other tables can read; None where one is not decided."""
    sent = read(version, facts)
    assert sent is not None
    found: dict[str, str | None] = {}
    for table in version.policy.tables.values():
        for name, possible in oracle.possible(table, sent).items():
            (value,) = possible if len(possible) == 1 else (None,)
            found[name] = value if isinstance(value, str) else None
    return found


def holds_read(values: Values, known: dict[str, Any], versions: tuple[Any, Any]) -> bool:
    """Return whether a fact or an outcome is one of a region's values."""
    value = known[values.fact]
    if values.fact in versions[1].policy.facts:
        return holds(values, value, versions)
    if value is None:
        return values.unknown
    return values.sent or (value not in values.but if values.but else value in values.words)


def test_a_number_that_one_rule_gives_is_one_line_in_the_words_of_its_table(shipped: Bundle) -> None:
    found = compare(shipped.versions[1], edited("sla.yaml", "response_amount: 2, ", "response_amount: 3, "))
    (own,) = found.tables
    assert (own.table, own.outcome, own.changed, own.situations) == ("response", "response_amount", 135_588, 699_840)
    (region,) = own.regions
    assert (when_texts(region.when), change_text(region.change)) == (["target_priority=P4"], "2 -> 3")
    assert (region.situations, own.others, region.example) == (129_849, 5_739, {"assigned_priority": "P4"})


def edited(file: str, before: str, after: str) -> Version:
    files = read_folder(VersionFolder(ROOT / "policies", "policies"))
    assert files[file].count(before) == 1
    return build({**files, file: files[file].replace(before, after)}, "policies")


# --- policies that no array could hold ---


def grown(files: dict[str, str], edit: Callable[[Any], None]) -> Diff:
    concern = json.loads(files["all.yaml"])
    edit(concern["tables"])
    return compare(laid_out(files), laid_out({**files, "all.yaml": json.dumps(concern)}))


def test_one_edited_line_among_5000_customers_is_one_line() -> None:
    def edit(tables: Any) -> None:
        tables["contracts"]["rules"][17]["then"]["hours"] = 77777

    found = grown(customers(5000, amounts=True), edit)
    (own,) = found.tables
    assert [(when_texts(one.when), change_text(one.change), one.situations) for one in own.regions] == [
        (["customer=c17"], "18 -> 77777", 1)
    ]
    assert (outcome(found, "hours").changed, outcome(found, "hours").situations, own.others) == (2, 5001, 1)


def test_a_target_for_one_contract_does_not_name_its_customers() -> None:
    def edit(tables: Any) -> None:
        tables["targets"]["rules"][3]["then"]["target"] = 77

    (own,) = grown(customers(500, amounts=False), edit).tables
    assert {tuple(when_texts(one.when)) for one in own.regions} == {
        ("contract=k0", "plan in {v0, v2, v3}", "priority=p2"),
        ("contract=k0", "priority=p2", "vip=no"),
    }


def test_one_item_of_forty_is_one_change_with_exact_counts() -> None:
    def edit(tables: Any) -> None:
        tables["t"]["rules"][3]["then"]["steps"] = ["another step"]

    found = grown(prerequisites(40), edit)
    steps = outcome(found, "steps")
    assert (steps.situations, steps.changed) == (3**40, 2 * 3**39)
    assert [region_text(one) for one in steps.regions] == ["f03=yes", "f03 unknown"]
    assert [change_text(one.change) for one in found.tables[0].regions] == ["- step 3, + another step"]


def test_of_a_change_behind_thirty_tables_the_largest_regions_are_named_and_the_others_counted() -> None:
    def edit(tables: Any) -> None:
        tables["t15"]["rules"][1]["then"]["o15"] = "v2"

    found = grown(chain(30), edit)
    last = outcome(found, "o29")
    named = sum(sum(one.changes.values()) for one in last.regions)
    assert len(last.regions) == MOST_WAYS
    assert last.changed == sum(last.changes.values()) == named + last.unnamed
    assert when_texts(found.tables[0].regions[0].when) == ["a15=v1", "o14=v1"]


# --- the shipped versions ---


@pytest.fixture(scope="module")
def guide(shipped: Bundle) -> tuple[Version, Version, Diff]:
    old, new = shipped.versions
    return old, new, compare(old, new)


GUIDE = {
    "the manifest": [("manifest", ""), ("decision", "")],
    "1 channel default": [
        ("fact", "triaged_at"),
        ("value", "basis=channel_default"),
        ("table", "priority"),
        ("rule", "priority."),
        ("*", "arrival"),
        ("*", "triage_time"),
        ("*", "triage_within_hours"),
        ("*", "triage_due"),
    ],
    "2 languages": [
        ("value", "language="),
        ("value", "support_language="),
        ("rule", "languages."),
        ("*", "language_list"),
        ("question", "two-language-lists"),
    ],
    "3 weekend wording": [("value", "weekend_handling="), ("rule", "weekend.written")],
    "4 critical patch notifications": [("value", "feature=critical_patch"), ("rule", "features.critical_patch")],
    "5 feedback mailbox": [("rule", "feedback.otherwise")],
    "6 endnotes": [
        ("rule", "accepted.other"),
        ("rule", "advice.outside"),
        ("rule", "service_level.other-channel"),
        ("rule", "catalogue.tenant_administration"),
        ("rule", "catalogue.configuration"),
        ("rule", "catalogue.customization"),
        ("question", "which-mailbox"),
    ],
    "7 readiness links and notice": [("outcome", "self_help"), ("*", "readiness"), ("question", "missing-section")],
    "questions that cite otherwise": [("question", "specialist-name"), ("question", "contact-for-end-customers")],
}


def reason(part: str, name: str) -> str | None:
    return next(
        (
            why
            for why, listed in GUIDE.items()
            for kind, begin in listed
            if kind in ("*", part) and name.startswith(begin)
        ),
        None,
    )


def test_what_the_text_of_1_0_0_and_2_0_0_says_differently_is_the_list_of_the_guide_and_no_more(
    guide: tuple[Version, Version, Diff],
) -> None:
    wording = [one for one in guide[2].wording if one.what != "source"]
    assert [one for one in wording if reason(one.part, one.name) is None] == []
    assert {reason(one.part, one.name) for one in wording} == set(GUIDE)
    endnotes = [one for one in wording if reason(one.part, one.name) == "6 endnotes" and one.part == "rule"]
    assert {(one.edit, one.what, one.after) for one in endnotes} == {(Edit.CHANGED, "assumption", "")}, (
        "the outcomes of the endnotes are the same"
    )


def test_what_1_0_0_and_2_0_0_decide_differently_is_the_list_of_the_guide_and_no_more(
    guide: tuple[Version, Version, Diff],
) -> None:
    changed = {one.name: set(one.outcomes) for one in guide[2].changed_decisions}
    follow_the_priority = {"target_priority", "response_target", "response_amount", "response_unit", "response_due"}
    assert changed == {
        "priority": {"priority", "basis"},
        "response": follow_the_priority | {"triage_within_hours", "triage_due"},
        "channel": {"channel_advice", "feedback_mailbox"},
        "coverage": {
            "support_language",
            "language_offered",
            "language_guaranteed",
            "language_listed_in",
            "weekend_handling",
        },
        "scope": {"feature_offered"},
        "intake": {"self_help"},
    }
    assert [one.name for one in guide[2].requests] == ["triaged_at"]


def test_the_default_of_the_channel_only_touches_what_may_have_come_by_email_or_portal(
    guide: tuple[Version, Version, Diff],
) -> None:
    for name in (
        "priority",
        "basis",
        "target_priority",
        "response_amount",
        "response_unit",
        "response_target",
        "channel_advice",
    ):
        for region in outcome(guide[2], name).regions:
            channel = next(values for values in region.when if values.fact == "channel")
            assert set(channel.words) <= {"email", "portal"}, region_text(region)
            if channel.unknown:
                assert (
                    Values(fact="stage", unknown=False, words=("arrival",)) in region.when
                    or set(region.changes) <= STILL_UNDECIDED
                )


STILL_UNDECIDED = {Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.UNDECIDED))}


def outcome(difference: Diff, name: str) -> OutcomeDiff:
    return next(one for one in difference.outcomes if one.name == name)


def test_every_example_of_a_region_shows_its_change_when_it_is_decided(guide: tuple[Version, Version, Diff]) -> None:
    old, new, difference = guide
    shown = 0
    for decision in difference.changed_decisions:
        for one in guide[2].outcomes_of(decision):
            for region in () if one.inputs else one.regions:
                (change,) = region.changes
                for version, expected in ((old, change.before), (new, change.after)):
                    if expected.kind is not StateKind.ABSENT:
                        answer = decide(version, decision.name, region.example)[one.name]
                        assert (answer.status.value, answer.value) == (expected.kind.value, expected.value)
                        shown += 1
    assert shown > 400


def test_a_version_differs_from_itself_in_nothing(guide: tuple[Version, Version, Diff]) -> None:
    difference = compare(guide[1], guide[1])
    assert difference.same_decisions
    assert difference.wording == difference.requests == ()


# --- single edits of a small policy ---

SMALL: dict[str, Any] = {
    "manifest.yaml": {
        "kind": "manifest",
        "name": "desk",
        "version": "1.0.0",
        "effective_from": "2020-01-01T00:00:00Z",
        "source": "a text",
        "owner": "me",
        "triage": ["urgency"],
    },
    "vocabulary.yaml": {
        "kind": "vocabulary",
        "facts": {
            "share": {"type": "number", "about": "how many are hit", "minimum": "0", "maximum": "100"},
            "way": {
                "type": "choice",
                "about": "how it came",
                "open": "yes",
                "values": [
                    {"value": "mail", "about": "a letter", "aliases": ["post"]},
                    {"value": "call", "about": "a call"},
                ],
            },
        },
        "outcomes": {
            "level": {
                "type": "choice",
                "about": "how urgent",
                "values": [{"value": word, "about": word} for word in ("high", "low")],
            },
            "notes": {"type": "list", "about": "what to say"},
        },
    },
    "desk.yaml": {
        "kind": "policy",
        "about": "all",
        "source": "1",
        "decision": {"name": "urgency", "about": "how urgent", "answers": ["level"], "beside": ["notes"]},
        "tables": {
            "level": {
                "about": "by share",
                "produces": "level",
                "rules": [
                    {"id": "level.many", "when": {"share": ">= 50"}, "then": {"level": "high"}, "source": "2"},
                    {"id": "level.few", "when": {"share": "< 50"}, "then": {"level": "low"}},
                ],
            },
            "notes": {
                "about": "all that applies",
                "hit": "collect",
                "produces": "notes",
                "rules": [
                    {"id": "notes.post", "when": {"way": "mail"}, "then": {"notes": "answer by post"}},
                    {"id": "notes.many", "when": {"share": "> 90"}, "then": {"notes": "tell the manager"}},
                ],
            },
        },
    },
}


def small(edit: Any = lambda files: None) -> Version:
    files = copy.deepcopy(SMALL)
    edit(files)
    return build({path: json.dumps(content) for path, content in files.items()}, "desk")


def rules(files: dict[str, Any], table: str) -> list[dict[str, Any]]:
    return files["desk.yaml"]["tables"][table]["rules"]


def test_a_moved_threshold_changes_the_numbers_between_the_old_and_the_new_one() -> None:
    def edit(files: dict[str, Any]) -> None:
        rules(files, "level")[0]["when"] = {"share": "> 60"}
        rules(files, "level")[1]["when"] = {"share": "<= 60"}

    found = outcome(compare(small(), small(edit)), "level")
    assert [(region_text(region), list(map(plain_change, region.changes))) for region in found.regions] == [
        ("share=[50..60]", [(False, StateKind.DECIDED, "high", StateKind.DECIDED, "low")]),
    ]


def test_a_reworded_item_of_a_list_is_one_change_wherever_it_stands() -> None:
    found = outcome(
        compare(small(), small(lambda files: rules(files, "notes")[1].update(then={"notes": "call the manager"}))),
        "notes",
    )
    reworded = Change(
        OutcomeState(StateKind.DECIDED, ("tell the manager",)),
        OutcomeState(StateKind.DECIDED, ("call the manager",)),
        in_part=True,
    )
    possibly = Change(
        OutcomeState(StateKind.UNDECIDED, (), ("tell the manager",)),
        OutcomeState(StateKind.UNDECIDED, (), ("call the manager",)),
        in_part=True,
    )
    assert [(region_text(region), set(region.changes)) for region in found.regions] == [
        ("share > 90", {reworded}),
        ("share unknown", {possibly}),
    ]


def test_items_that_move_are_one_term_and_no_change_of_an_item() -> None:
    found = outcome(compare(small(), small(lambda files: rules(files, "notes").reverse())), "notes")
    assert (found.changed, found.terms) == (0, (ORDER,))


def test_items_that_never_meet_may_move() -> None:
    def apart(files: dict[str, Any]) -> None:
        rules(files, "notes")[1]["when"] = {"share": "> 90", "way": "call"}

    def moved(files: dict[str, Any]) -> None:
        apart(files)
        rules(files, "notes").reverse()

    assert compare(small(apart), small(moved)).same_decisions


def test_a_citation_changes_what_the_text_says_and_no_decision() -> None:
    difference = compare(small(), small(lambda files: rules(files, "level")[0].update(source="3")))
    assert difference.same_decisions
    assert [(one.name, one.what, one.before, one.after) for one in difference.wording] == [
        ("level.many", "source", "2", "3")
    ]


def test_a_moved_alias_is_a_request_that_is_read_differently() -> None:
    def edit(files: dict[str, Any]) -> None:
        values = files["vocabulary.yaml"]["facts"]["way"]["values"]
        values[0]["aliases"], values[1]["aliases"] = [], ["post"]

    difference = compare(small(), small(edit))
    assert not difference.same_decisions
    assert [(one.name, one.before, one.after) for one in difference.requests] == [("way=post", "mail", "call")]
    assert difference.changed_decisions == ()


def test_a_value_that_a_closed_fact_loses_is_refused_there() -> None:
    def close(files: dict[str, Any]) -> None:
        files["vocabulary.yaml"]["facts"]["way"]["open"] = "no"

    def drop(files: dict[str, Any]) -> None:
        close(files)
        files["vocabulary.yaml"]["facts"]["way"]["values"].pop(1)
        rules(files, "notes")[0]["when"] = {"way": "mail"}

    difference = compare(small(close), small(drop))
    assert [(one.name, one.after) for one in difference.requests] == [("way=call", "refused")]
    refused = {
        region_text(region)
        for region in outcome(difference, "notes").regions
        if any(change.after.kind is StateKind.REFUSED for change in region.changes)
    }
    assert refused == {"way=call"}


def test_numbers_of_a_fact_that_has_no_end_run_on() -> None:
    def unbounded(files: dict[str, Any]) -> None:
        del files["vocabulary.yaml"]["facts"]["share"]["maximum"]

    def moved(files: dict[str, Any]) -> None:
        unbounded(files)
        rules(files, "notes")[1]["when"] = {"share": "> 80"}

    def gone(files: dict[str, Any]) -> None:
        unbounded(files)
        rules(files, "notes").pop(1)

    assert region_text(outcome(compare(small(unbounded), small(moved)), "notes").regions[0]) == "share=(80..90]"
    assert region_text(outcome(compare(small(unbounded), small(gone)), "notes").regions[0]) == "share > 90"


def test_a_condition_that_only_means_more_values_is_no_difference_of_the_text() -> None:
    def others(files: dict[str, Any]) -> None:
        rules(files, "notes")[0]["when"] = {"way": {"not": "call"}}

    def more(files: dict[str, Any]) -> None:
        others(files)
        files["vocabulary.yaml"]["facts"]["way"]["values"].append({"value": "chat", "about": "a chat"})

    assert [(one.part, one.name) for one in compare(small(others), small(more)).wording] == [("value", "way=chat")]


def test_a_value_that_a_catalogue_lists_stands_in_its_row(guide: tuple[Version, Version, Diff]) -> None:
    (gone,) = (one for one in guide[2].wording if one.name == "feature=critical_patch_notifications")
    assert gone.place_before is not None
    assert gone.place_before.file.endswith("scope.yaml")
