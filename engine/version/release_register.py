"""The register of frozen versions, and what differs from it.

A frozen version never changes: the register, ``past/frozen.yaml``, has the digest of each version as it was released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine.load import MANIFEST
from engine.load.node_readers import items, text, value_place
from engine.load.structure import structure_problems
from engine.load.yaml_tree import read
from engine.model.problems import Place, Problem
from engine.request.instant_help import unreadable
from engine.version.bundle import Known

REGISTER: Final = "frozen.yaml"
"""The file name of the register, in the folder of the past versions."""

_HEAD: Final = """\
# Released versions, as they must stay: `guidepost release` adds to this list, and `guidepost check` holds them to it.
kind: frozen
versions:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A version as it was frozen; ``place`` is its entry in the register."""

    version: str
    effective_from: datetime
    digest: str
    place: Place


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a version: its name, its path in problems, and its version, or None if it cannot be loaded."""

    name: str
    root: str
    known: Known | None

    @property
    def place(self) -> Place:
        """The place of its manifest."""
        return self.known.policy.manifest.place if self.known is not None else Place(file=f"{self.root}/{MANIFEST}")


def read_register(file: str, content: str) -> tuple[dict[str, Frozen], list[Problem]]:
    """Return the versions of a register by number, and its problems."""
    tree, problems = read(file, content)
    if tree is None:
        return {}, problems
    problems += structure_problems("frozen", tree)
    if problems:
        return {}, problems
    found: dict[str, Frozen] = {}
    for node in items(tree, "versions"):
        number, since = text(node, "version"), text(node, "effective_from")
        if number in found:
            problems.append(
                Problem(
                    place=value_place(node, "version"),
                    code="repeated-id",
                    message=f"{number} is repeated",
                    help=f"first used in line {found[number].place.line}",
                )
            )
        try:
            instant = datetime.fromisoformat(since.upper())
            instant.astimezone(UTC)
        except (ValueError, OverflowError):
            problems.append(
                Problem(
                    place=value_place(node, "effective_from"),
                    code="bad-format",
                    message=f"{unreadable(since)}: `{since}`",
                    help="write the instant of its manifest",
                )
            )
            continue
        found.setdefault(
            number, Frozen(version=number, effective_from=instant, digest=text(node, "digest"), place=node.place)
        )
    return found, problems


def register_text(frozen: Iterable[Frozen]) -> str:
    """Return the text of a register, in the order in which its versions come into effect.

    >>> print(
    ...     register_text(
    ...         [
    ...             Frozen(
    ...                 version="1.0.0",
    ...                 effective_from=datetime(2020, 1, 1, tzinfo=UTC),
    ...                 digest="ab" * 32,
    ...                 place=Place(file=""),
    ...             )
    ...         ]
    ...     ).splitlines()[-1][:65]
    ... )
      - {version: "1.0.0", effective_from: "2020-01-01T00:00:00Z", di
    """
    return _HEAD + "".join(f"  - {_line(one)}\n" for one in sorted(frozen, key=lambda one: one.effective_from))


def frozen_problems(register: Mapping[str, Frozen], working: Folder, past: Sequence[Folder]) -> list[Problem]:
    """Return a problem for each version that differs from the register: changed, missing, or not listed."""
    folders = {folder.name: folder for folder in past}
    problems = [
        Problem(
            place=one.place,
            code="frozen-gone",
            message=f"{one.version} is frozen, but its folder `{one.version}` is missing",
            help="restore the folder: decisions were made under this version",
        )
        for one in register.values()
        if one.version not in folders
    ]
    for folder in past:
        problems += _entry_problems(register[folder.name], folder) if folder.name in register else [_not_frozen(folder)]
    if (
        (found := working.known) is not None
        and (one := register.get(found.ref.version)) is not None
        and found.ref.digest != one.digest
    ):
        problems.append(
            Problem(
                place=working.place,
                code="version-unchanged",
                message=f"the policy changed since {one.version} was released, but its version is still {one.version}",
                help="set a new `version` and `effective_from`, or revert the change",
            )
        )
    return problems


def _entry_problems(one: Frozen, folder: Folder) -> list[Problem]:
    """Return the problems of a folder that differs from its entry in the register."""
    found = folder.known
    if found is None:
        return []
    if (found.ref.version, found.ref.digest) != (one.version, one.digest):
        return [
            Problem(
                place=folder.place,
                code="frozen-changed",
                message=f"expected {one.version} with the frozen digest {one.digest[:12]}, got {found.ref.version} with {found.ref.digest[:12]}",
                help="restore the released files; a change needs a new version",
            )
        ]
    if found.policy.manifest.effective_from != one.effective_from:
        return [
            Problem(
                place=one.place,
                code="frozen-changed",
                message=f"{one.version} comes into effect at {_instant(found.policy.manifest.effective_from)}, but the register has {_instant(one.effective_from)}",
                help="restore the line that the release wrote",
            )
        ]
    return []


def _not_frozen(folder: Folder) -> Problem:
    found = folder.known
    if found is None:
        return Problem(
            place=folder.place,
            code="not-frozen",
            message=f"the folder `{folder.name}` is not in the register of frozen versions",
            help="fix it first, or remove it",
        )
    if found.ref.version != folder.name:
        return Problem(
            place=folder.place,
            code="not-frozen",
            message=f"the folder `{folder.name}` contains version {found.ref.version}",
            help=f"rename the folder to `{found.ref.version}`",
        )
    frozen = Frozen(
        version=found.ref.version,
        effective_from=found.policy.manifest.effective_from,
        digest=found.ref.digest,
        place=folder.place,
    )
    return Problem(
        place=folder.place,
        code="not-frozen",
        message=f"{found.ref.version} is not in the register of frozen versions",
        help=f"if the files are unchanged since their release, add this line to it: `- {_line(frozen)}`",
    )


def _line(one: Frozen) -> str:
    return f'{{version: "{one.version}", effective_from: "{_instant(one.effective_from)}", digest: {one.digest}}}'


def _instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
