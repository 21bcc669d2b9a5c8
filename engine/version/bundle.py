"""Several versions of a policy, and the one that a request selects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from engine.model.answer import UnknownVersion, VersionRef
from engine.model.policy import Manifest, Policy
from engine.model.problems import Place, Problem
from engine.version.version import Version

MIN_DIGEST: Final = 8
"""The fewest hex digits that select a version by digest."""


class Known(Protocol):
    """What selecting a version needs: its tables need not be drawn yet."""

    @property
    def policy(self) -> Policy:
        """The policy."""

    @property
    def ref(self) -> VersionRef:
        """Its name, number and digest."""


V = TypeVar("V", bound=Known)


@dataclass(frozen=True)
class Versions(Generic[V]):
    """Versions in the order in which they come into effect."""

    versions: tuple[V, ...]

    def select(self, *, now: datetime, version: str = "", digest: str = "", as_of: datetime | None = None) -> V:
        """Return the version with this number and digest; without either, the one in force at ``as_of``, or now.

        A digest may be shortened to 8 hex digits. Raises UnknownVersion, which lists the known versions.
        """
        if version or digest:
            found = [candidate for candidate in self.versions if version in ("", candidate.ref.version)]
            if digest:
                found = [
                    candidate
                    for candidate in found
                    if len(digest) >= MIN_DIGEST and candidate.ref.digest.startswith(digest.lower())
                ]
        else:
            instant = as_of or now
            found = [candidate for candidate in self.versions if candidate.policy.manifest.effective_from <= instant][
                -1:
            ]
        if len(found) != 1:
            raise UnknownVersion(_asked(version, digest, as_of or now, len(found)), self.refs)
        return found[0]

    @property
    def refs(self) -> tuple[VersionRef, ...]:
        """The name, number and digest of each version."""
        return tuple(version.ref for version in self.versions)


Bundle: TypeAlias = Versions[Version]
"""Versions that are built, and can decide."""


def bundle(versions: tuple[V, ...]) -> tuple[Versions[V], list[Problem]]:
    """Return versions in the order in which they come into effect, and the problems between them.

    All versions must belong to the desk of the first one. Of two equal versions, such as a released version and the
    unchanged working version, the first counts.
    """
    distinct: dict[VersionRef, V] = {}
    for version in versions:
        distinct.setdefault(version.ref, version)
    ordered = tuple(
        sorted(distinct.values(), key=lambda version: (version.policy.manifest.effective_from, version.ref.version))
    )
    problems = other_desks([version.policy.manifest for version in distinct.values()])
    for earlier, later in pairwise(ordered):
        one, other = earlier.policy.manifest, later.policy.manifest
        if one.effective_from == other.effective_from:
            problems.append(
                Problem(
                    place=other.place,
                    code="repeated-id",
                    message=f"{one.version} comes into effect at the same instant",
                    help=f"see {one.place.file}",
                )
            )
    by_number: dict[str, V] = {}
    for version in ordered:
        name = version.ref.version
        if name in by_number:
            problems.append(
                Problem(
                    place=version.policy.manifest.place,
                    code="repeated-id",
                    message=f"two versions have the number {name}",
                    help=f"see {by_number[name].policy.manifest.place.file}",
                )
            )
        by_number.setdefault(name, version)
    return Versions(ordered), problems


def other_desks(manifests: Sequence[Manifest]) -> list[Problem]:
    """Return a problem for each manifest of another desk than the first: it does not share a name, present or former.

    Otherwise the newest version would answer for both desks.
    """
    if not manifests:
        return []
    desk, *others = manifests
    return [
        Problem(
            place=other.name_place,
            code="other-desk",
            message=f"this is a version of `{other.name}`, and {_at(desk.name_place)} is one of `{desk.name}`",
            help=f"keep each desk in its own folder; if `{desk.name}` is the new name of the same desk, write `formerly: [{', '.join((*desk.formerly, other.name))}]` into its manifest",
        )
        for other in others
        if other.name not in (desk.name, *desk.formerly)
    ]


def same_desk(one: Manifest, other: Manifest) -> bool:
    """Return whether two versions belong to one desk: by the same name, or by a former name.

    >>> from engine.model.problems import Place
    >>> def called(name, *formerly):
    ...     return Manifest(
    ...         name=name,
    ...         version="1.0.0",
    ...         effective_from=datetime(2020, 1, 1),
    ...         source="",
    ...         owner="",
    ...         triage=(),
    ...         notice=None,
    ...         place=Place(file=""),
    ...         name_place=Place(file=""),
    ...         formerly=formerly,
    ...     )
    >>> (
    ...     same_desk(called("it"), called("it")),
    ...     same_desk(called("it"), called("service", "it")),
    ...     same_desk(called("it"), called("hr")),
    ... )
    (True, True, False)
    """
    return one.name in (other.name, *other.formerly) or other.name in one.formerly


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _asked(version: str, digest: str, instant: datetime, found: int) -> str:
    if version:
        return f"`{version}`"
    if found > 1:
        return f"with digest `{digest}`: {found} versions begin with it"
    if digest:
        return (
            f"with digest `{digest}`"
            if len(digest) >= MIN_DIGEST
            else f"with digest `{digest}` (at least {MIN_DIGEST} hex digits are needed)"
        )
    return f"in force at {instant.isoformat()}"
