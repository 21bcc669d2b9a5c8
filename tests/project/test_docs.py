"""What is written is true: links lead somewhere, examples load, commands exist, every code and law has its place.

The last part holds laws of docs/semantics.md by small examples.
"""

from __future__ import annotations

import ast
import json
import random
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from typer.core import TyperGroup

from engine.load import load
from engine.load.digest import digest
from engine.load.yaml_tree import plain, read
from engine.model.answer import Answer
from engine.model.policy import Policy
from engine.model.problem_codes import CODES, Level
from engine.model.problems import PolicyErrors
from engine.model.vocabulary import FactType
from engine.version.build import build
from engine.version.bundle import Bundle
from guidepost.cli.app import COMMANDS, load_command
from tests.oracle import Oracle
from tests.support.deciders import decide
from tests.support.paths import ROOT
from tests.support.table_cases import TableCases

NOT_OURS: Final = ("node_modules", "dist", "build")
PAGES: Final = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in NOT_OURS for part in path.relative_to(ROOT).parts)
)
LANGUAGE: Final = ROOT / "docs" / "policy-language.md"
PROBLEMS: Final = ROOT / "docs" / "problems.md"
SEMANTICS: Final = ROOT / "docs" / "semantics.md"
DECISIONS: Final = ROOT / "docs" / "decisions"

FENCE: Final = re.compile(r"^([ \t]*)```(\w*)\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"`([^`\n]+)`")
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", text(page))


def blocks(page: Path, *kinds: str) -> list[tuple[int, str]]:
    """Return the blocks of code of these kinds, each with its line."""
    page_text = text(page)
    return [
        (page_text.count("\n", 0, found.start()) + 1, textwrap.dedent(found[3]))
        for found in FENCE.finditer(page_text)
        if found[2] in kinds
    ]


def table(page: Path, heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading."""
    after = re.split(rf"^\| *{re.escape(heading)} *\|.*\n\|[-| ]+\|\n", text(page), maxsplit=1, flags=re.MULTILINE)[1]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in after.split("\n\n", 1)[0].splitlines()]


def commands(page: Path) -> Iterator[str]:
    """Yield every line of shell that a page shows, and every piece of code in its text."""
    for _, block in blocks(page, "sh"):
        yield from (line.partition("#")[0].strip() for line in block.splitlines())
    yield from INLINE.findall(prose(page))


# ---- Pages


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {
        name
        for name in INLINE.findall(text(page))
        if re.fullmatch(r"(docs|engine|tests|scripts|benchmarks|proto|guidepost|requirements)/[\w./-]+", name)
    }

    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_page_is_listed_where_a_reader_begins() -> None:
    listed = {
        (start.parent / link).resolve()
        for start in (ROOT / "docs" / "README.md", DECISIONS / "README.md")
        for link in LINK.findall(text(start))
    }

    assert [
        page.name for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "README.md" and page not in listed
    ] == []


@every_page
def test_every_make_task_that_is_named_exists(page: Path) -> None:
    tasks = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    named = {task for line in commands(page) for task in re.findall(r"(?:^|[;&] *)make ([a-z-]+)", line)}

    assert named - tasks == set()


@every_page
def test_every_guidepost_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for line in commands(page):
        found = re.match(r"(?:\.venv/bin/)?guidepost ([a-z].*)", line)
        if found:
            name, *arguments = shlex.split(found[1])
            assert name in COMMANDS, line
            check_options(load_command(name), name, arguments)


def check_options(command: Any, name: str, arguments: list[str]) -> None:
    """Parse the arguments of a command; of a command in a group, look up its options."""
    if isinstance(command, TyperGroup) and not arguments:
        return
    context = command.make_context(name, arguments)
    words = [*context._protected_args, *context.args] if isinstance(command, TyperGroup) else []
    if words:
        _, inner, rest = command.resolve_command(context, words)
        known = {option for param in inner.params for option in (*param.opts, *param.secondary_opts)}
        options = {word.partition("=")[0] for word in rest if word.startswith("-")}
        assert options <= known | {"-h", "--help"}, (name, arguments)


def test_every_command_is_described() -> None:
    described = {
        word
        for page in (
            ROOT / "README.md",
            ROOT / "docs" / "tour.md",
            ROOT / "policies" / "README.md",
            ROOT / "CHANGELOG.md",
        )
        for line in commands(page)
        for word in re.findall(r"guidepost ([a-z]+)", line)
    }

    assert set(COMMANDS) <= described


# ---- The policy language

YAML_BLOCKS: Final = [
    pytest.param(page, block, id=f"{page.relative_to(ROOT).as_posix()}:{line}")
    for page in PAGES
    for line, block in blocks(page, "yaml")
]


@pytest.mark.parametrize(("page", "block"), YAML_BLOCKS)
def test_every_example_in_yaml_is_read_without_a_problem(page: Path, block: str) -> None:
    tree, problems = read(page.name, block)

    assert problems == []
    assert tree is not None


WRITTEN: Final = [cells[0].strip("`") for cells in table(LANGUAGE, "written")]
"""The conditions that the page shows, each with the name of its fact."""

EXAMPLES: Final[dict[str, list[Any]]] = {
    "a value": ["one"],
    "a list": [["one", "two"]],
    "not": [{"not": "one"}, {"not": ["one", "unknown"]}],
    "a number": ["5", "0.5"],
}
"""Conditions that the page puts in words."""

VALUES: Final = {
    "choice": "one",
    "boolean": "yes",
    "number": "2.5",
    "integer": "4",
    "text": "some words",
    "list": ["some", "words"],
}


def test_every_type_of_the_language_is_described() -> None:
    described = {name for cells in table(LANGUAGE, "type") for name in re.findall(r"`(\w+)`", cells[0])}

    assert described == set(FactType)


@pytest.mark.parametrize("kind", [kind.value for kind in FactType])
def test_a_fact_of_every_type_takes_every_condition_that_is_described(kind: str) -> None:
    described = _described(kind)
    if described["as a fact"] == "–":
        with pytest.raises(PolicyErrors):
            load(desk({"it": _named(kind)}, [], {}))
        return
    conditions = [*_conditions(described["conditions"], kind), "unknown", {"not": "unknown"}]
    rules = [
        {"id": f"t.{at}", "when": {"it": condition}, "then": {"out": "yes"}} for at, condition in enumerate(conditions)
    ]
    policy = load(desk({"it": _named(kind)}, rules))

    assert len(conditions) > 2
    assert len(policy.tables["t"].rules) == len(conditions)


@pytest.mark.parametrize("kind", [kind.value for kind in FactType])
def test_an_outcome_of_every_type_is_produced_as_described(kind: str) -> None:
    if _described(kind)["as an outcome"] == "–":
        with pytest.raises(PolicyErrors):
            load(desk({}, [], {"out": _named(kind)}))
        return
    hit = "collect" if kind == "list" else "first"
    policy = load(desk({}, [{"id": "t.it", "when": {}, "then": {"out": VALUES[kind]}}], {"out": _named(kind)}, hit=hit))

    assert policy.outcomes["out"].type == kind


def test_every_condition_that_is_shown_is_accepted() -> None:
    facts = {
        "impact": {
            "type": "choice",
            "about": "x",
            "values": [{"value": word, "about": "x"} for word in ("high", "medium", "low")],
        },
        "affected_percent": {"type": "number", "about": "x", "minimum": "0", "maximum": "100"},
        "service": {"type": "choice", "open": "yes", "about": "x", "values": [{"value": "mail", "about": "x"}]},
    }
    rules = []
    for at, written in enumerate(WRITTEN):
        tree, problems = read("when", f"{{{written}}}")
        assert tree is not None
        assert problems == []
        rules.append({"id": f"t.{at}", "when": plain(tree), "then": {"out": "yes"}})

    assert len(rules) > 5
    assert len(load(desk(facts, rules)).tables["t"].rules) == len(rules)


def _described(kind: str) -> dict[str, str]:
    found = next(cells for cells in table(LANGUAGE, "type") if f"`{kind}`" in cells[0])
    return dict(zip(("as a fact", "conditions", "as an outcome"), found[1:], strict=True))


def _conditions(described: str, kind: str) -> list[Any]:
    """Turn the text of a page into conditions: code as it is, the rest by its examples."""
    found: list[Any] = []
    for part in described.split(", "):
        word = part.strip("`")
        found += EXAMPLES.get(word, [word])
    return [one for one in found if kind != "integer" or one != "0.5"]


def _named(kind: str) -> dict[str, Any]:
    values = {"values": [{"value": word, "about": "x"} for word in ("one", "two")]} if kind == "choice" else {}
    return {"type": kind, "about": "x", **values}


def desk(
    facts: dict[str, Any], rules: list[dict[str, Any]], outcomes: dict[str, Any] | None = None, **keys: Any
) -> dict[str, str]:
    """Return the files of a desk with one table `t`, which produces `out`."""
    produced = outcomes or {"out": {"type": "boolean", "about": "x"}}
    one = {"about": "x", "hit": "first", "produces": list(produced), "rules": rules, **keys}
    return {
        "manifest.yaml": json.dumps(
            {
                "kind": "manifest",
                "name": "small",
                "version": "1.0.0",
                "effective_from": "2020-01-01T00:00:00Z",
                "source": "x",
                "owner": "x",
                "triage": ["all"],
            }
        ),
        "vocabulary.yaml": json.dumps(
            {
                "kind": "vocabulary",
                "facts": facts or {"unused": {"type": "boolean", "about": "x"}},
                "outcomes": produced,
            }
        ),
        "all.yaml": json.dumps(
            {
                "kind": "policy",
                "about": "x",
                "source": "x",
                "tables": {"t": one},
                "decision": {"name": "all", "about": "x", "answers": list(produced)},
            }
        ),
    }


# ---- Problems, terms, decisions, the changelog


def test_every_problem_code_is_documented_with_what_it_means_and_how_to_mend_it() -> None:
    documented = table(PROBLEMS, "code")

    assert [(code.strip("`"), meaning) for code, meaning, _ in documented] == [
        (code, meaning.about) for code, meaning in CODES.items() if meaning.level is Level.ERROR
    ]
    assert [code for code, _, advice in documented if len(advice) < 20] == []


def test_the_glossary_has_each_term_once_in_alphabetical_order() -> None:
    terms = re.findall(r"^\*\*([^*]+)\*\*: ", text(ROOT / "docs" / "glossary.md"), re.MULTILINE)

    assert terms == sorted(set(terms), key=str.casefold)
    assert len(terms) > 50


@pytest.mark.parametrize("record", sorted(DECISIONS.glob("0*.md")), ids=lambda record: record.stem)
def test_every_decision_has_a_status_a_date_and_the_parts_that_were_agreed(record: Path) -> None:
    head = re.match(
        r"---\nstatus: (proposed|accepted|rejected|superseded by \d{4})\ndate: \d{4}-\d\d-\d\d\n---\n\n# (\d{4}): \S",
        text(record),
    )

    assert head is not None
    assert record.name.startswith(head[2])
    headings = re.findall(r"^## (.+)$", prose(record), re.MULTILINE)
    assert headings in (["Context", "Options", "Choice", "Cost"], ["Context", "Options and choices", "Cost"])


def test_decisions_are_numbered_without_a_hole() -> None:
    numbers = [int(record.name[:4]) for record in sorted(DECISIONS.glob("0*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


@cache
def names_of_tests() -> frozenset[str]:
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    )


@every_page
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = {name for name in INLINE.findall(text(page)) if re.fullmatch(r"test_\w+", name)}

    assert named - names_of_tests() == set()


def test_the_laws_are_numbered_in_order() -> None:
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", text(SEMANTICS), re.MULTILINE)]

    assert numbers == list(range(1, len(numbers) + 1))


def test_the_changelog_has_the_program_and_every_policy_version() -> None:
    program, policies = text(ROOT / "CHANGELOG.md").split("\n## The policies\n")
    version = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]["version"]
    shipped = [_manifest(path) for path in (ROOT / "policies", *(ROOT / "policies" / "past").glob("*/"))]
    expected = {(manifest["version"], manifest["effective_from"][:10]) for manifest in shipped}

    assert f"\n### [{version}]" in program
    assert set(re.findall(r"^### \[([\d.]+)\] - in force from (\S+)$", policies, re.MULTILINE)) == expected


def _manifest(folder: Path) -> dict[str, str]:
    tree, _ = read("manifest.yaml", (folder / "manifest.yaml").read_text(encoding="utf-8"))
    assert tree is not None
    manifest: dict[str, str] = plain(tree)
    return manifest


# ---- Laws of docs/semantics.md by example

LEVELS: Final = {
    "out": {"type": "choice", "about": "x", "values": [{"value": word, "about": "x"} for word in ("P1", "P2", "P3")]}
}
TICKET: Final = {
    "impact": {"type": "choice", "about": "x", "values": [{"value": word, "about": "x"} for word in ("high", "low")]},
    "share": {"type": "number", "about": "x", "minimum": "0", "maximum": "100"},
}
CRITICAL: Final = {"id": "critical", "when": {"impact": "high", "share": "> 50"}, "then": {"out": "P1"}}
HIGH: Final = {"id": "high", "when": {"impact": "high"}, "then": {"out": "P2"}}
LOW: Final = {"id": "low", "when": {"impact": "low"}, "then": {"out": "P3"}}
NOT_YET: Final = {"id": "not-yet", "when": {"impact": "high", "share": "unknown"}, "then": {"out": "P2"}}


def answer(rules: list[dict[str, Any]], facts: dict[str, object], **keys: Any) -> Answer:
    return decide(build(desk(TICKET, rules, LEVELS, **keys)), "all", facts)


def test_not_never_includes_unknown() -> None:
    policy: Policy = load(
        desk(
            TICKET,
            [{**HIGH, "when": {"impact": {"not": "low"}}}, {**LOW, "when": {"share": {"not": ["> 50", "unknown"]}}}],
            LEVELS,
        )
    )
    on_impact, on_share = (rule.when[0] for rule in policy.tables["t"].rules)

    assert (on_impact.holds("high"), on_impact.holds("low"), on_impact.holds(None)) == (True, False, False)
    assert (on_share.holds(50.0), on_share.holds(51.0), on_share.holds(None)) == (True, False, False)


@pytest.mark.parametrize(
    ("otherwise", "status"), [({"then": {"out": "P3"}}, "decided"), ("not_covered", "not_covered")]
)
def test_otherwise_counts_where_no_rule_fires(otherwise: object, status: str) -> None:
    # Every value of an outcome has to be produced, so the rules that do are all here.
    rules = [
        CRITICAL,
        {**HIGH, "when": {"impact": "high", "share": "[20..50]"}},
        {**LOW, "when": {"impact": "low", "share": "0"}},
    ]
    given = answer(rules, {"impact": "low", "share": 10}, otherwise=otherwise)

    assert given.status == status
    assert given["out"].value == ("P3" if status == "decided" else None)


def test_a_rule_further_up_that_may_still_come_true_is_not_passed_over() -> None:
    given = answer([CRITICAL, HIGH, LOW], {"impact": "high"})

    assert (given.status, given.possible, given.missing) == ("undecided", ("P1", "P2"), ("share",))


def test_a_claimed_fact_is_not_waited_for() -> None:
    given = answer([NOT_YET, CRITICAL, HIGH, LOW], {"impact": "high"})

    assert (given.status, given["out"].value, given.missing) == ("decided", "P2", ())
    assert [rule.id for rule in given.rules] == ["not-yet"]


def test_a_missing_fact_that_cannot_change_the_outcome_leaves_it_decided() -> None:
    given = answer([CRITICAL, HIGH, LOW], {"impact": "low"})

    assert (given.status, given["out"].value, given.missing) == ("decided", "P3", ())


def test_a_further_open_fact_only_narrows_what_is_possible(shipped: Bundle) -> None:
    chance = random.Random(11)
    for version in shipped.versions:
        for table in version.policy.tables.values():
            cases = TableCases(version.diagrams, version.atoms, table.name)
            oracle = Oracle(version.policy, cases.values)
            for number in chance.sample(range(cases.count), min(cases.count, 20)):
                facts = cases.case(number)
                before = oracle.possible(table, facts)
                for fact in oracle.open_facts(table, facts):
                    for value in cases.values[fact]:
                        after = oracle.possible(table, {**facts, fact: value})
                        assert all(after[name] <= before[name] for name in table.produces)


def test_the_order_of_the_rules_of_a_unique_table_changes_no_answer() -> None:
    rules = [CRITICAL, {**HIGH, "when": {"impact": "high", "share": "<= 50"}}, LOW]
    tickets: list[dict[str, object]] = [
        {},
        {"impact": "high"},
        {"impact": "low"},
        {"impact": "high", "share": 50},
        {"share": 51},
    ]
    one, other = (build(desk(TICKET, ordered, LEVELS, hit="unique")) for ordered in (rules, rules[::-1]))

    for ticket in tickets:
        this, that = decide(one, "all", ticket), decide(other, "all", ticket)
        assert (this.status, this["out"].value, this.possible, this.missing) == (
            that.status,
            that["out"].value,
            that.possible,
            that.missing,
        )


def test_the_digest_is_of_the_content_and_not_of_its_layout() -> None:
    same = ["b: 1\nc: [x, y]", "# a remark\nc:\n  - x\n  - 'y'\n\nb:   1\n"]
    others = ["b: 1\nc: [y, x]", "b: 1.0\nc: [x, y]", "b: 1\nc: [x]"]

    assert len({_digest(one) for one in same}) == 1
    assert len({_digest(one) for one in [same[0], *others]}) == 4


def _digest(one: str) -> str:
    tree, problems = read("a.yaml", one)
    assert tree is not None
    assert problems == []
    return digest({"a.yaml": tree})
