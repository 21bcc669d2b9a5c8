"""Bytes of a version's files in, their texts out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.problems import Place, PolicyErrors, Problem
from guidepost.text_encoding import decode_text

MAX_FILES: Final = 2_000
"""The most files that one version may have."""

MAX_BYTES: Final = 64_000_000
"""The most bytes that all files of a version may have together."""


def decode_files(contents: Mapping[str, bytes], root: str) -> dict[str, str]:
    """Return the texts of files, in the order of their paths; raises PolicyErrors for those that are not UTF-8."""
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
    """Return whether a version has more files or bytes than may be read."""
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
