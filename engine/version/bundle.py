"""Several versions of a policy side by side, and the one that a request means."""

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
"""The fewest hex digits that name a digest."""


class Known(Protocol):
    """A version as far as it must be known to be chosen: it need not be tabulated yet."""

    @property
    def policy(self) -> Policy:
        """What it says."""

    @property
    def ref(self) -> VersionRef:
        """How it is called."""


V = TypeVar("V", bound=Known)


@dataclass(frozen=True)
class Versions(Generic[V]):
    """Versions in the order in which they come into effect."""

    versions: tuple[V, ...]

    def select(self, *, now: datetime, version: str = "", digest: str = "", as_of: datetime | None = None) -> V:
        """Return the version that is named and has this digest; without either, the one in force at an instant, or now.

        A digest may be cut short to 8 hex digits or more. Raises UnknownVersion, which holds the known versions.
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
        """Name, version and digest of each version."""
        return tuple(version.ref for version in self.versions)


Bundle: TypeAlias = Versions[Version]
"""The versions that can answer."""


def bundle(versions: tuple[V, ...]) -> tuple[Versions[V], list[Problem]]:
    """Put versions into the order in which they come into effect; report where two cannot stand side by side.

    The first version names the desk; the others have to be of the same one. A version that is there twice, as the
    working one is once it is released, counts once: the first of the two.
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
    seen: dict[str, V] = {}
    for version in ordered:
        name = version.ref.version
        if name in seen:
            problems.append(
                Problem(
                    place=version.policy.manifest.place,
                    code="repeated-id",
                    message=f"two versions have the number {name}",
                    help=f"see {seen[name].policy.manifest.place.file}",
                )
            )
        seen.setdefault(name, version)
    return Versions(ordered), problems


def other_desks(manifests: Sequence[Manifest]) -> list[Problem]:
    """Report the manifests that belong to another desk than the first one: those with a name that it has not, and never had.

    Versions of two desks in one place would take turns by the day that they come into effect, and the newest would answer for both.
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
    """Return whether two versions are of one desk: they have the same name, or one of them had the other's before.

    >>> from engine.model.problems import Place
    >>> def called(name, *formerly): return Manifest(name=name, version="1.0.0", effective_from=datetime(2020, 1, 1), source="", owner="", triage=(), notice=None, place=Place(file=""), name_place=Place(file=""), formerly=formerly)
    >>> same_desk(called("it"), called("it")), same_desk(called("it"), called("service", "it")), same_desk(called("it"), called("hr"))
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
