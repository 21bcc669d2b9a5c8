"""The cases of ``tests/broken/``: a change to the good desk, and the problems that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from engine.cases import load_cases
from engine.model.problems import PolicyErrors, Problem
from engine.version.build import build
from guidepost.policies.sources.folder import build_bundle
from tests.support.desks import GOOD, write
from tests.support.paths import BROKEN
from tests.support.releases import register

POLICIES: Final = (
    "text",
    "shape",
    "vocabulary",
    "conditions",
    "outcomes",
    "tables",
    "times",
    "names",
    "cells",
    "invariants",
    "examples",
    "several",
    "frozen",
)


REQUESTS: Final = ("facts", "versions")


_SIGNS: Final = str.maketrans({"␉": "\t", "␀": "\0"})
"""How a case writes invisible characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCase:
    """A sentence, the lines that say what is done, and the text that is expected."""

    file: str
    name: str
    lines: tuple[str, ...]
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read_cases(name: str) -> list[BrokenCase]:
    """Read the cases of one file: each begins with ``## sentence``; ``=>`` precedes the expected problems."""
    cases = []
    for block in re.split(r"^## ", (BROKEN / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, expected = block.partition("\n=>")
        title, *lines = head.splitlines()
        cases.append(BrokenCase(file=name, name=title, lines=tuple(lines), expected=expected.strip()))
    return cases


def cases_of(names: tuple[str, ...]) -> list[BrokenCase]:
    return [case for name in names for case in read_cases(name)]


def changed_files(case: BrokenCase) -> dict[str, str]:
    """Return the files of the good desk with the change of a case.

    ``queue.yaml`` names the file; ``- old`` and ``+ new`` lines below it replace the only occurrence of the old text;
    ``| text`` lines are the whole file; ``gone`` deletes the file.
    """
    files = released_files() if case.file == "frozen" else dict(GOOD)
    for file, lines in _by_file(case):
        if lines == ["gone"]:
            del files[file]
        elif all(line.startswith("|") for line in lines):
            files[file] = "".join(line[2:] + "\n" for line in lines).translate(_SIGNS)
        else:
            for old, new in _replacements(lines):
                assert files[file].count(old) == 1, f"{case}: {file} has {files[file].count(old)} times {old!r}"
                files[file] = files[file].replace(old, new)
    return files


def _by_file(case: BrokenCase) -> Iterator[tuple[str, list[str]]]:
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
        yield old, new.translate(_SIGNS)


@cache
def _register_of_good() -> str:
    return register(GOOD)


def released_files() -> dict[str, str]:
    """Return the good desk as version 2.0.0, with 1.0.0 frozen beside it."""
    later = {**GOOD, "manifest.yaml": GOOD["manifest.yaml"].replace('"1.0.0"', '"2.0.0"').replace("2024-03", "2025-03")}
    return {
        **later,
        **{f"past/1.0.0/{path}": text for path, text in GOOD.items()},
        "past/frozen.yaml": _register_of_good(),
    }


def problems_of(files: Mapping[str, str]) -> tuple[Problem, ...]:
    """Load a version and its examples (or a whole folder, if past versions are among the files); give what is wrong."""
    try:
        if "past/frozen.yaml" in files:
            with TemporaryDirectory() as folder:
                build_bundle(write(Path(folder) / "desk", files))
            return ()
        load_cases(files, build(files).policy)
    except PolicyErrors as error:
        return error.problems
    return ()
