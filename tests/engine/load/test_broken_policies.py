"""Broken policies and wrong requests, with the exact messages for the author or the caller.

The cases are texts in ``tests/broken/``: a sentence, a change to the small good desk in ``tests/broken/good/``, and
after ``=>`` the problems. They read as a manual of what can go wrong. To add one, write its sentence and its change,
run ``pytest --update-golden tests/engine/load/test_broken_policies.py`` to fill in what follows ``=>``, and check the
messages.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

import pytest

import engine.invariants.prove
import engine.load.yaml_tree
import engine.tables.node_limit
from engine.model.answer import Status, UnknownDecision, UnknownVersion, WrongRequest
from engine.model.problem_codes import CODES, Level
from engine.model.problems import PolicyErrors, Problem
from engine.model.vocabulary import FactType
from engine.request.moment import read_moment
from engine.version.build import build
from engine.version.bundle import Bundle, bundle
from engine.version.version import Version
from tests.support.broken_policies import (
    POLICIES,
    REQUESTS,
    BrokenCase,
    cases_of,
    changed_files,
    problems_of,
    read_cases,
)
from tests.support.deciders import decide
from tests.support.desks import GOOD
from tests.support.paths import BROKEN

ELSEWHERE: Final = {"rules-engine", "bad-bundle", "altered-bundle"}
"""Codes without a case here: test_cross_check.py tests durable-rules, and test_bundles.py the bundles."""


@pytest.fixture
def agrees(request: pytest.FixtureRequest) -> Callable[[BrokenCase, str], None]:
    """Compare messages with those that a case expects; with ``--update-golden``, write it there instead."""

    def compare(case: BrokenCase, said: str) -> None:
        if request.config.getoption("--update-golden"):
            path = BROKEN / f"{case.file}.txt"
            before, _, rest = path.read_text(encoding="utf-8").partition(f"## {case.name}\n")
            block, mark, after = rest.partition("\n## ")
            block = block.partition("\n=>")[0] + f"\n=>\n{said}\n"
            path.write_text(f"{before}## {case.name}\n{block}{mark}{after}", encoding="utf-8")
            return
        assert said == case.expected
        assert said, "nothing is wrong here"

    return compare


# ---- Broken policies

LIMITED: Final = (engine.load.yaml_tree, engine.tables.node_limit, engine.invariants.prove)
"""The modules whose limits a case can lower."""


def told(case: BrokenCase) -> str:
    """Return the messages for the author of a broken policy; ``limit NAME = 10`` lowers one of the engine's limits."""
    limits = dict(re.findall(r"^limit (\w+) = (\d+)$", "\n".join(case.lines), flags=re.MULTILINE))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(next(module for module in LIMITED if hasattr(module, name)), name, int(value))
        return "\n".join(str(problem) for problem in problems_of(changed_files(case)))


# ---- Wrong requests


@cache
def versions() -> Bundle:
    """Two versions of the good desk, with digests that are easy to tell apart at their end only."""
    later = {**GOOD, "manifest.yaml": GOOD["manifest.yaml"].replace('"1.0.0"', '"2.0.0"').replace("2024-03", "2025-03")}
    made, problems = bundle(tuple(_called(files, digit) for files, digit in ((GOOD, "1"), (later, "2"))))
    assert problems == []
    return made


def _called(files: Mapping[str, str], digit: str) -> Version:
    version = build(files)
    return replace(version, ref=replace(version.ref, digest="0123456789" + digit * 54))


def answered(case: BrokenCase) -> str:
    """Return the message for a caller: ``decide decision {facts}``, or ``select`` with a version, digest or instant.

    ``now ...`` and ``pauses [[from, to], ...]`` on lines below say at what time, and when the ticket was on hold.
    """
    said = {
        line.partition(" ")[0]: line.partition(" ")[2].strip()
        for line in case.lines
        if line.partition(" ")[0] in ("now", "pauses")
    }
    verb, _, rest = " ".join(
        line.strip() for line in case.lines if line and line.partition(" ")[0] not in said
    ).partition(" ")
    try:
        if verb == "select":
            return f"version {_selected(rest).ref.version}"
        decision, _, facts = rest.partition(" ")
        moment = read_moment(json.loads(said.get("now", "null")), json.loads(said.get("pauses", "[]")))
        answer = decide(versions().versions[0], decision, json.loads(facts or "{}"), moment)
    except WrongRequest as error:
        return "\n".join(
            "\n    ".join(
                [
                    f"{one.fact}: {one.message}",
                    *([f"allowed: {', '.join(one.allowed)}"] if one.allowed else []),
                    *([f"help: {one.help}"] if one.help else []),
                ]
            )
            for one in error.wrong
        )
    except (UnknownDecision, UnknownVersion) as error:
        return str(error)
    return answer.status.value


def _selected(rest: str) -> Version:
    asked = dict(pair.split("=") for pair in rest.split())
    now = datetime.fromisoformat(asked.get("now", "2026-01-01T00:00:00Z")).astimezone(UTC)
    as_of = datetime.fromisoformat(asked["as_of"]) if "as_of" in asked else None
    return versions().select(now=now, version=asked.get("version", ""), digest=asked.get("digest", ""), as_of=as_of)


# ---- The tests


def test_the_good_desk_has_no_problem() -> None:
    assert problems_of(GOOD) == ()


@pytest.mark.parametrize("case", cases_of(POLICIES), ids=str)
def test_a_broken_policy_is_refused_with_every_problem_and_its_place(
    case: BrokenCase, agrees: Callable[[BrokenCase, str], None]
) -> None:
    agrees(case, told(case))


@pytest.mark.parametrize("case", cases_of(REQUESTS), ids=str)
def test_a_wrong_request_is_told_what_would_be_right(
    case: BrokenCase, agrees: Callable[[BrokenCase, str], None]
) -> None:
    agrees(case, answered(case))


def test_every_code_has_a_case() -> None:
    shown = {
        code for case in cases_of(POLICIES) for code in re.findall(r"\[([a-z-]+)\]$", case.expected, flags=re.MULTILINE)
    }

    assert shown == {code for code, meaning in CODES.items() if meaning.level is Level.ERROR} - ELSEWHERE


def test_no_two_cases_have_the_same_name() -> None:
    names = [case.name for case in cases_of((*POLICIES, *REQUESTS))]

    assert sorted(names) == sorted(set(names))


def test_messages_are_in_one_voice() -> None:
    """Lower case, no final stop, and every part that the author wrote in backticks."""
    for case in cases_of(POLICIES):
        for line in case.expected.splitlines():
            found = re.fullmatch(r"\S+:\d+:\d+: (.+) \[[a-z-]+\]|    (?:help|witness): (.+)", line)
            assert found, line
            said = found[1] or found[2]
            assert not said.endswith("."), line
            assert said[0] == said[0].lower() or said.startswith(("YAML", "IANA", "RFC")), line


def test_the_same_problems_as_json() -> None:
    files = {
        **GOOD,
        "queue.yaml": GOOD["queue.yaml"]
        .replace('"<= 80"', '"<= 90"')
        .replace("none:   [later,   later]", "none:   [later,   lter]"),
    }

    assert [problem.as_plain() for problem in problems_of(files)] == [
        {
            "file": "queue.yaml",
            "line": 20,
            "column": 27,
            "level": "error",
            "code": "unknown-value",
            "message": "unknown queue `lter`",
            "help": "did you mean `later`?",
            "witness": {},
            "also": [],
        },
    ]

    files["queue.yaml"] = files["queue.yaml"].replace("lter", "later")

    assert json.loads(json.dumps([problem.as_plain() for problem in problems_of(files)])) == [
        {
            "file": "queue.yaml",
            "line": 28,
            "column": 13,
            "level": "error",
            "code": "overlap",
            "message": "the rules `brakes.gone` and `brakes.good` both cover a case; `brakes` is unique",
            "help": "make them exclude each other (`brakes.gone` is in line 25), or use `hit: first`",
            "witness": {"brake_wear": "85"},
            "also": [],
        },
    ]


def test_problems_are_sorted_by_place_and_none_stands_twice() -> None:
    for case in read_cases("several"):
        problems = problems_of(changed_files(case))

        assert list(problems) == sorted(set(problems), key=lambda problem: problem.place)
        assert len({problem.place.file for problem in problems}) > 1


def test_problems_carry_the_path_below_the_root() -> None:
    with pytest.raises(PolicyErrors) as caught:
        build({"queue.yaml": "kind: [policy]"}, "desks/bikes")

    assert (
        str(caught.value)
        == """\
desks/bikes/manifest.yaml:1:1: the file manifest.yaml is missing [missing-file]
    help: every version needs it
desks/bikes/queue.yaml:1:1: `about` is missing [missing-key]
    help: describe it in a few words: `about: …`
desks/bikes/queue.yaml:1:1: `source` is missing [missing-key]
    help: cite the heading in the source text: `source: …`; `none` if there is none
desks/bikes/queue.yaml:1:7: `kind`: expected `policy`, got a list [wrong-type]
desks/bikes/vocabulary.yaml:1:1: the file vocabulary.yaml is missing [missing-file]
    help: every version needs it"""
    )


def test_two_versions_cannot_have_one_name_or_one_day_of_effect() -> None:
    other = {**GOOD, "queue.yaml": GOOD["queue.yaml"].replace("<= 80", "<= 90").replace("> 80", "> 90")}
    _, problems = bundle((build(GOOD, "bikes"), build(other, "bikes/past/1")))

    assert [str(problem) for problem in problems] == [
        "bikes/past/1/manifest.yaml:1:1: 1.0.0 comes into effect at the same instant [repeated-id]\n    help: see bikes/manifest.yaml",
        "bikes/past/1/manifest.yaml:1:1: two versions have the number 1.0.0 [repeated-id]\n    help: see bikes/manifest.yaml",
    ]


def test_tables_that_read_from_each_other_without_end_are_refused() -> None:
    count = 1_100
    outcomes = "".join(f"  o{at}: {{type: boolean, about: one}}\n" for at in range(count))
    tables = "".join(
        f"  t{at}:\n    about: one\n    produces: o{at}\n    rules: [{{id: r{at}, when: {{o{at - 1}: yes}}, then: {{o{at}: yes}}}}]\n    otherwise: {{then: {{o{at}: no}}}}\n"
        if at
        else "  t0:\n    about: one\n    produces: o0\n    otherwise: {then: {o0: no}}\n"
        for at in range(count)
    )
    files = {
        **GOOD,
        "vocabulary.yaml": GOOD["vocabulary.yaml"] + outcomes,
        "chain.yaml": f"kind: policy\nabout: a chain\nsource: none\ntables:\n{tables}",
    }

    assert [(problem.code, problem.message) for problem in problems_of(files)] == [
        ("too-large", "a chain of more than 100 tables that read each other")
    ]


# ---- A law about every text


WORDS: Final = (
    "",
    "x",
    "unknown",
    "unlisted",
    "not_covered",
    "not",
    "yes",
    "no",
    "0",
    "-1",
    "9" * 400,
    "1e999",
    "nan",
    "> 50",
    "[9..1]",
    "24:00",
    "collect",
    "first",
    "list",
    "instant",
    "22:00-06:00",
    "closed",
    "nothing",
    "by_region",
    "business_days",
    "99999999999 hours",
    "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-23:59",
    "٣",
    "a b",
    "../x",
)
MARKS: Final = "{}[]:,-?&*!|>\"'\t\n #%@`é\u2028\0\ufeff\ud800"

Tree = list["Tree"] | dict[str, "Tree"] | str


@pytest.mark.faults
def test_a_changed_policy_is_loaded_whole_or_refused_with_problems() -> None:
    """Any files result in a whole version or in a list of problems, and in nothing else."""
    chance = random.Random(20_260_101)
    loaded = refused = 0
    for _ in range(200):
        file = chance.choice(sorted(GOOD))
        text = mangled(GOOD[file], chance) if chance.random() < 0.3 else mutated(GOOD[file], chance)
        problems, version = _built({**GOOD, file: text})

        if version is None:
            refused += 1
            assert problems
            assert list(problems) == sorted(problems)
        else:
            loaded += 1
            assert version.diagrams.tables.keys() == version.policy.tables.keys()
            assert version.deadline_diagrams.keys() == version.policy.deadlines.keys()
            assert {status.value for status in _answered(version, chance)} <= {"decided", "undecided", "not_covered"}

    assert refused > 100
    assert loaded > 5


def _built(files: Mapping[str, str]) -> tuple[tuple[Problem, ...], Version | None]:
    try:
        return (), build(files)
    except PolicyErrors as error:
        return error.problems, None


def _answered(version: Version, chance: random.Random) -> Iterator[Status]:
    """Ask every decision a few times; a version that loads can answer whatever facts it knows, at any time."""
    moments = ("1970-01-01T00:00:01Z", "2026-05-13T20:00:00Z", "2026-12-31T23:30:00+11:00", "2200-12-31T23:59:59Z")
    for decision in (*version.policy.decisions, *version.policy.decisions):
        facts: dict[str, object] = {}
        for fact in version.policy.facts.values():
            match fact.type:
                case FactType.INSTANT:
                    facts[fact.name] = chance.choice((*moments, None))
                case FactType.CHOICE:
                    facts[fact.name] = chance.choice((*(value.value for value in fact.values), None))
                case FactType.NUMBER | FactType.INTEGER:
                    facts[fact.name] = chance.choice((fact.minimum, fact.maximum, None))
                case _:
                    facts[fact.name] = None
        with contextlib.suppress(WrongRequest):
            yield decide(
                version, decision, facts, read_moment(chance.choice(moments), [(chance.choice(moments), None)])
            ).status


def mangled(text: str, chance: random.Random) -> str:
    """Take a few pieces of a text away, double them, or put odd characters between."""
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(text)), chance.choice((1, 3, 40))
        match chance.randrange(3):
            case 0:
                text = text[:at] + text[at + length :]
            case 1:
                text = text[:at] + text[at : at + length] + text[at:]
            case _:
                text = text[:at] + chance.choice(MARKS) + text[at:]
    return text


def mutated(text: str, chance: random.Random) -> str:
    """Remove keys and values, exchange them, or replace them; the result is still YAML."""
    node, _ = engine.load.yaml_tree.read("", text)
    assert node is not None
    tree: Tree = engine.load.yaml_tree.plain(node)
    for _ in range(chance.choice((1, 1, 2, 4))):
        spots = list(_spots(tree))
        if not spots:
            break
        holder, key = chance.choice(spots)
        other_holder, other_key = chance.choice(spots)
        other = other_holder[other_key]  # type: ignore[call-overload, index]
        match chance.randrange(6):
            case 0:
                del holder[key]  # type: ignore[arg-type]
            case 1 if isinstance(holder, dict):
                holder[chance.choice((*WORDS, str(other_key)))] = holder.pop(str(key))
            case 2:
                holder[key] = chance.choice(([], {}, [holder[key]], {"not": holder[key]}, {"same_as": holder[key]}))  # type: ignore[call-overload, index, assignment]
            case 3:
                holder[key] = json.loads(json.dumps(other))  # type: ignore[call-overload, index]
            case _:
                holder[key] = chance.choice(WORDS)  # type: ignore[call-overload, index]
    return json.dumps(tree)


def _spots(tree: Tree) -> Iterator[tuple[list[Tree] | dict[str, Tree], int | str]]:
    """Yield every place in a tree: what holds it, and its key or position there."""
    if isinstance(tree, str):
        return
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        yield from _spots(tree[key])  # type: ignore[call-overload, index]
