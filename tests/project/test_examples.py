"""The engine is independent of desks: two others load and pass their cases, and it contains no word of any desk."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.cases import load_cases, run_cases
from engine.load.yaml_tree import at, plain, read
from engine.model.policy import Policy
from engine.model.problems import Place
from engine.version.bundle import Bundle
from guidepost.policies.sources.folder import build_bundle, cross_check_bundle, read_folder, version_folders
from tests.support.deciders import decide
from tests.support.paths import EXAMPLES, ROOT

DESKS: Final = ("hospital", "low-low-p4")

PLAIN_WORDS: Final = frozenset(
    {
        "matrix",
        "triage",
        "language",
        "none",  # the policy language: a form of table, a key of the manifest, itself, no table
        "low",
        "high",
        "open",
        "closed",
        "region",  # numbers and cells: the ends of an interval, part of a table
        "hour",
        "hours",
        "minute",
        "closes",
        "weekday",  # rosters and calendars: times of the day, days of the week
        "business_days",  # the policy language: a unit of time
        "level",
        "scales",  # how much a finding weighs, and what columns of outcomes are read by
        "both",
        "close",
        "differ",
        "elsewhere",
        "id",
        "neither",
        "other",
        "plan",
        "reason",
        "resolved",
        "stay",
        "support",
        "valid",
        "watch",  # plain English
    }
)
"""Words of a desk that the engine may contain, since they have another meaning there."""


@pytest.mark.parametrize("desk", DESKS)
def test_the_desk_is_proved_by_durable_rules(desk: str) -> None:
    reports = cross_check_bundle(build_bundle(EXAMPLES / desk), cache=None)

    assert [
        str(table.extent) for report in reports.values() for table in report.tables if str(table.extent) != "whole"
    ] == []


@pytest.mark.parametrize(("desk", "least"), [("hospital", 60), ("low-low-p4", 5)])
def test_the_cases_of_the_desk_pass(desk: str, least: int) -> None:
    (version,) = build_bundle(EXAMPLES / desk).versions
    (folder,) = version_folders(EXAMPLES / desk)
    cases = load_cases(read_folder(folder), version.policy, folder.root)

    assert len(cases) >= least
    assert [str(failure) for failure in run_cases(version, cases)] == []


def test_the_hospital_s_matrix_is_half_of_the_sum_rounded_down_in_every_cell() -> None:
    (version,) = build_bundle(EXAMPLES / "hospital").versions
    scale = range(1, 6)
    decided = {
        (impact, urgency): decide(version, "grade", {"impact": impact, "urgency": urgency})["scale_grade"].value
        for impact in scale
        for urgency in scale
    }

    assert decided == {(impact, urgency): str((impact + urgency) // 2) for impact in scale for urgency in scale}


def test_the_hospital_shares_no_decision_with_the_shipped_policies(shipped: Bundle) -> None:
    (hospital,) = build_bundle(EXAMPLES / "hospital").versions

    assert not set(hospital.policy.decisions) & set(shipped.versions[-1].policy.decisions)


def test_the_variant_differs_from_the_guide_in_the_one_cell_and_what_follows_from_it() -> None:
    guide, variant = (_tables(folder / "priority.yaml") for folder in (ROOT / "policies", EXAMPLES / "low-low-p4"))

    guide["matrix"]["matrix"]["rows"]["low"][2] = "P4"
    del guide["comparison"]["matrix"]["rows"]["P5"]
    guide["assessed"]["rules"][0]["when"]["matrix_priority"] = "unknown"

    assert guide == variant


def _tables(path: Path) -> dict[str, dict]:  # type: ignore[type-arg]  # plain YAML
    tree, problems = read(str(path), path.read_text(encoding="utf-8"))
    assert not problems
    assert tree is not None
    return dict(plain(at(tree, ("tables",))))


def test_no_word_of_any_desk_stands_in_the_engine(shipped: Bundle) -> None:
    desks = [version.policy for version in shipped.versions]
    desks += [version.policy for desk in DESKS for version in build_bundle(EXAMPLES / desk).versions]
    words = frozenset().union(*map(words_of, desks))

    assert len(words) > 300
    assert [
        f"{place}: {word}"
        for path in engine_files()
        for word, place in spoken(path.read_text(encoding="utf-8"), path.name)
        if word in words
    ] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("if name == 'affected_percent': pass", "affected_percent"),
        ("urgency = 1", "urgency"),
        ("def f(business_impact): pass", "business_impact"),
        ("ticket.workaround", "workaround"),
        ("f(prism=1, scale_grade=2)", "scale_grade"),
        ("HELP = f'such as P4 or {what}'", "P4"),
        ("class telephone: pass", "telephone"),
    ],
)
def test_a_word_of_a_desk_would_be_found(shipped: Bundle, code: str, found: str) -> None:
    words = words_of(shipped.versions[-1].policy) | words_of(build_bundle(EXAMPLES / "hospital").versions[0].policy)

    assert [word for word, _ in spoken(code, "x.py") if word in words] == [found]


def test_every_plain_word_is_needed() -> None:
    said = {word for path in engine_files() for word, _ in spoken(path.read_text(encoding="utf-8"), path.name)}

    assert sorted(PLAIN_WORDS - said) == []


def engine_files() -> list[Path]:
    return sorted((ROOT / "engine").rglob("*.py"))


def words_of(policy: Policy) -> frozenset[str]:
    """Return the names of facts, outcomes and decisions and all their values, without numbers."""
    named = [*policy.facts.values(), *policy.outcomes.values()]
    words = (
        {fact.name for fact in named} | {value.value for fact in named for value in fact.values} | set(policy.decisions)
    )
    return frozenset(word for word in words if not word.isdigit()) - PLAIN_WORDS


def spoken(code: str, file: str) -> Iterator[tuple[str, Place]]:
    """Yield the identifiers of Python code and the words in its texts, docstrings left out."""
    tree = ast.parse(code)
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        place = Place(file=file, line=getattr(node, "lineno", 1), column=getattr(node, "col_offset", 0) + 1)
        match node:
            case (
                ast.Name(id=name)
                | ast.FunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.Attribute(attr=name)
                | ast.arg(arg=name)
            ):
                yield name, place
            case ast.keyword(arg=str(name)):
                yield name, place
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                for word in re.findall(r"[\w.-]*\w", text):
                    yield word, place
