"""Bytes of a version's files in, their texts out; and which files of a folder those are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.problems import Place, PolicyErrors, Problem
from service.encodings import decoded

MAX_FILES: Final = 2_000
"""The most files that one version may have."""

MAX_BYTES: Final = 64_000_000
"""The most bytes that all files of a version may have together."""

_OF_A_VERSION: Final = re.compile(r"(?:cases/|holidays/)?[^/\\]+\.ya?ml")


def of_a_version(path: str) -> bool:
    r"""Tell whether a path in a version's folder is one of its files, by the same rule as for a folder on disk.

    >>> [path for path in ("a.yaml", "cases/a.yml", "past/1.0.0/a.yaml", "README.md", "../a.yaml") if of_a_version(path)]
    ['a.yaml', 'cases/a.yml']
    """
    return _OF_A_VERSION.fullmatch(path) is not None


def texts(contents: Mapping[str, bytes], root: str) -> dict[str, str]:
    """Give the texts of files, in the order of their paths; raises PolicyErrors for those that are not UTF-8."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path, content in sorted(contents.items()):
        text = decoded(f"{root}/{path}" if root else path, content)
        if isinstance(text, Problem):
            problems.append(text)
        else:
            files[path] = text
    if problems:
        raise PolicyErrors(problems)
    return files


def size_problem(files: int, size: int, root: str) -> PolicyErrors | None:
    """Tell whether a version has more files or bytes than may be read."""
    if files > MAX_FILES:
        return PolicyErrors([Problem(Place(root), "too-large", f"{files:,} files; a version may have {MAX_FILES:,}")])
    if size > MAX_BYTES:
        return PolicyErrors([Problem(Place(root), "too-large", f"{size:,} bytes in all files; a version may have {MAX_BYTES:,}")])
    return None
