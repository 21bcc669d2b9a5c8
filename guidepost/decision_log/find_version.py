"""Finds the version that decided a record, by its digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from engine.model.problems import PolicyErrors
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.policies.sources.resolve import digest_of
from guidepost.policies.sources.source import Origin, Source


def find_version(digest: str, given: Iterable[Source], policies: Path | None) -> Source | None:
    """Return the version with a digest, from the given ones or from a policies folder and its past versions.

    It is None if there is none. Versions that cannot be read are skipped.
    """
    for source in chain(given, _of_folder(policies) if policies is not None else ()):
        if _digest(source) == digest:
            return source
    return None


def _digest(source: Source) -> str:
    try:
        return digest_of(source.files)
    except PolicyErrors:
        return ""


def _of_folder(policies: Path) -> Iterator[Source]:
    for folder in version_folders(policies):
        with suppress(PolicyErrors):
            yield Source(files=read_folder(folder), root=folder.root, label=folder.root, origin=Origin.FOLDER)
