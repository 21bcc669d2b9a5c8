"""Broken policies and wrong requests, with exactly what the author or the caller is told.

The cases are texts in ``tests/broken/``: a sentence, a change to the small good desk in ``tests/broken/good/``, and after
``=>`` the problems. They read as a manual of what can go wrong. To add one, write its sentence and its change, run
``python tests/test_broken.py`` to fill in what follows ``=>``, and read whether it is what should be said there.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import engine.check
import engine.source
from engine.answer import UnknownDecision, UnknownVersion, WrongRequest
from engine.bundle import Bundle, bundle
from engine.cases import load_cases
from engine.decide import decide
from engine.problems import CODES, PolicyErrors, Problem
from engine.version import Version, build

FOLDER: Final = Path(__file__).resolve().parent / "broken"
GOOD: Final = {path.name: path.read_text(encoding="utf-8") for path in sorted((FOLDER / "good").glob("*.yaml"))}
POLICIES: Final = ("text", "shape", "vocabulary", "conditions", "outcomes", "tables", "names", "cells", "examples", "several")
REQUESTS: Final = ("facts", "versions")
ELSEWHERE: Final = {"rules-engine"}
"""Codes without a case here: what durable-rules says is no fault of a policy, and is tested in test_proof.py."""

SIGNS: Final = str.maketrans({"␉": "\t", "␀": "\0"})
"""How characters that nobody sees are written in a case."""


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the lines that say what is done, and the text that is expected."""

    file: str
    name: str
    lines: tuple[str, ...]
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_cases(name: str) -> list[Case]:
    """Read the cases of one file: each begins with ``## sentence``; ``=>`` stands before what is expected."""
    cases = []
    for block in re.split(r"^## ", (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, expected = block.partition("\n=>")
        title, *lines = head.splitlines()
        cases.append(Case(name, title, tuple(lines), expected.strip()))
    return cases


def all_cases(names: tuple[str, ...]) -> list[Case]:
    return [case for name in names for case in read_cases(name)]


# ---- Broken policies


def changed(case: Case) -> dict[str, str]:
    """Make the change of a case to the good desk.

    ``queue.yaml`` names the file; ``- old`` and ``+ new`` lines below it replace the one place where the old text stands;
    ``| text`` lines are the whole file; ``gone`` takes the file away.
    """
    files = dict(GOOD)
    for file, lines in _by_file(case):
        if lines == ["gone"]:
            del files[file]
        elif all(line.startswith("|") for line in lines):
            files[file] = "".join(line[2:] + "\n" for line in lines).translate(SIGNS)
        else:
            for old, new in _replacements(lines):
                assert files[file].count(old) == 1, f"{case}: {file} has {files[file].count(old)} times {old!r}"
                files[file] = files[file].replace(old, new)
    return files


def _by_file(case: Case) -> Iterator[tuple[str, list[str]]]:
    file, lines = "", list[str]()
    for line in case.lines:
        if re.fullmatch(r"[\w/.-]+\.ya?ml", line):
            if file:
                yield file, lines
            file, lines = line, []
        elif line and not line.startswith("limit "):
            lines.append(line)
    if file:
        yield file, lines


def _replacements(lines: list[str]) -> Iterator[tuple[str, str]]:
    for group in re.findall(r"(?:^- .*\n)+(?:^\+.*\n)*", "".join(line + "\n" for line in lines), flags=re.MULTILINE):
        old = "\n".join(line[2:] for line in group.splitlines() if line.startswith("-"))
        new = "\n".join(line[2:] for line in group.splitlines() if line.startswith("+"))
        yield old, new.translate(SIGNS)


def problems_of(files: Mapping[str, str]) -> tuple[Problem, ...]:
    """Load a version and its examples; give what is wrong."""
    try:
        load_cases(files, build(files).policy)
    except PolicyErrors as error:
        return error.problems
    return ()


def told(case: Case) -> str:
    """Give what the author of a broken policy is told; ``limit NAME = 10`` makes one of the engine's limits small."""
    limits = dict(re.findall(r"^limit (\w+) = (\d+)$", "\n".join(case.lines), flags=re.MULTILINE))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(engine.source if hasattr(engine.source, name) else engine.check, name, int(value))
        return "\n".join(str(problem) for problem in problems_of(changed(case)))


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


def answered(case: Case) -> str:
    """Give what a caller is told: ``decide decision {facts}``, or ``select`` with a version, a digest or an instant."""
    verb, _, rest = " ".join(line.strip() for line in case.lines if line).partition(" ")
    try:
        if verb == "select":
            return f"version {_selected(rest).ref.version}"
        decision, _, facts = rest.partition(" ")
        answer = decide(versions().versions[0], decision, json.loads(facts or "{}"))
    except WrongRequest as error:
        return "\n".join(
            "\n    ".join([f"{one.fact}: {one.message}", *([f"allowed: {', '.join(one.allowed)}"] if one.allowed else []), *([f"help: {one.help}"] if one.help else [])])
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


@pytest.mark.parametrize("case", all_cases(POLICIES), ids=str)
def test_a_broken_policy_is_refused_with_every_problem_and_its_place(case: Case) -> None:
    assert told(case) == case.expected
    assert case.expected


@pytest.mark.parametrize("case", all_cases(REQUESTS), ids=str)
def test_a_wrong_request_is_told_what_would_be_right(case: Case) -> None:
    assert answered(case) == case.expected
    assert case.expected


def test_every_code_has_a_case() -> None:
    shown = {code for case in all_cases(POLICIES) for code in re.findall(r"\[([a-z-]+)\]$", case.expected, flags=re.MULTILINE)}

    assert shown == set(CODES) - ELSEWHERE


def test_no_two_cases_have_the_same_name() -> None:
    names = [case.name for case in all_cases((*POLICIES, *REQUESTS))]

    assert sorted(names) == sorted(set(names))


def test_messages_are_in_one_voice() -> None:
    """Lower case, no final stop, and every part that the author wrote in backticks."""
    for case in all_cases(POLICIES):
        for line in case.expected.splitlines():
            found = re.fullmatch(r"\S+:\d+:\d+: (.+) \[[a-z-]+\]|    (?:help|witness): (.+)", line)
            assert found, line
            said = found[1] or found[2]
            assert not said.endswith("."), line
            assert said[0] == said[0].lower() or said.startswith(("YAML", "IANA")), line


def write() -> None:
    """Fill in what follows each ``=>`` with what is said now."""
    for name in (*POLICIES, *REQUESTS):
        path = FOLDER / f"{name}.txt"
        text = path.read_text(encoding="utf-8")
        preface = text.partition("## ")[0]
        said = told if name in POLICIES else answered
        blocks = ["\n".join((f"## {case.name}", *case.lines, "=>", said(case))).rstrip() + "\n" for case in read_cases(name)]
        path.write_text(preface + "\n".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    write()
