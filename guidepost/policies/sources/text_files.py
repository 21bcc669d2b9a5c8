"""The files of a version: limits of their number and size, and their texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.problems import Place, PolicyErrors, Problem
from guidepost.text_encoding import decode_text

MAX_FILES: Final = 2_000
"""The most files of a version."""

MAX_BYTES: Final = 64_000_000
"""The most bytes of all files of a version together."""


def decode_files(contents: Mapping[str, bytes], root: str) -> dict[str, str]:
    """Return the texts of files in the order of their paths; raises PolicyErrors for files that are not UTF-8."""
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for path, content in sorted(contents.items()):
        text = decode_text(f"{root}/{path}" if root else path, content)
        if isinstance(text, Problem):
            problems.append(text)
        else:
            files[path] = text
    if problems:
        raise PolicyErrors(problems)
    return files


def size_problem(files: int, size: int, root: str) -> PolicyErrors | None:
    """Return the error of a version with too many files or bytes, or None."""
    if files > MAX_FILES:
        return PolicyErrors(
            [
                Problem(
                    place=Place(file=root),
                    code="too-large",
                    message=f"{files:,} files; a version may have {MAX_FILES:,}",
                )
            ]
        )
    if size > MAX_BYTES:
        return PolicyErrors(
            [
                Problem(
                    place=Place(file=root),
                    code="too-large",
                    message=f"{size:,} bytes in all files; a version may have {MAX_BYTES:,}",
                )
            ]
        )
    return None
