"""A log, or a whole export of one, verified: its chains, the heads that were signed and exported, and the notes of what was purged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.decision_log.chain import Entry, Head, Purge, beginning
from engine.decision_log.verify import ChainExtent, Verified, verify
from guidepost.decision_log.signed_heads import PurgeNote, SignedHead, signature_problem
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import Trust

Progress = Callable[[int], None]
"""Is progress now and then how many entries were looked at; may raise to end the work."""

STEP = 1_000
"""After how many entries it is progress."""


NO_HEADS = "an export holds no heads: give --heads FILE beside --key (`guidepost audit export --heads`)"
"""Why a key alone covers no entry of an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the entries of a chain a trusted head vouches for, and the last such head; None if there is none."""

    writer: str
    entries: int
    covered: int
    head: SignedHead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What was found.

    Attributes:
        found: the breaks, and how far each chain comes.
        doubts: what no trusted head or key vouches for, each with the reason: heads, notes of purges, whole chains, or a log
            without entries. Empty if nothing is trusted.
        signed: the signed heads that were checked against the chains, each once.
        vouched: those of them for which a trusted key vouches.
        notes: the notes of what was purged.
        coverage: how much of each chain trusted heads cover; None if nothing is trusted.
    """

    found: Verified
    doubts: tuple[str, ...]
    signed: tuple[SignedHead, ...]
    vouched: tuple[SignedHead, ...]
    notes: tuple[PurgeNote, ...]
    coverage: tuple[Coverage, ...] | None = None

    @property
    def covered(self) -> int:
        """How many entries trusted heads cover."""
        return sum(one.covered for one in self.coverage or ())

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong and nothing in doubt."""
        return not (self.found.breaks or self.doubts)


def verify_store(
    store: Store, trust: Trust, exported: Sequence[SignedHead] = (), progress: Progress = lambda _: None
) -> VerificationReport:
    """Verify a log; what a server adds, or a purge removes, meanwhile is no break."""
    while True:
        # First how far the chains have come: what is behind that was added since, or no server wrote it.
        ends, orphans, notes = store.ends(), store.orphans(), store.purge_notes()
        known = {end.writer for end in ends}
        never_begun = [beginning(writer) for writer in sorted({one.writer for one in orphans} - known)]
        # A head that was exported is mostly in the log too; it counts once.
        signed = tuple(dict.fromkeys((*exported, *store.signed_heads())))
        report = _verified(
            _counted(chain(notes, store.entries(ends), orphans), progress),
            (*ends, *never_begun),
            signed,
            trust,
            exported,
        )
        if store.purge_notes() == notes:
            return report


def verify_export(
    lines: Iterable[Entry | PurgeNote],
    trust: Trust,
    exported: Sequence[SignedHead] = (),
    progress: Progress = lambda _: None,
) -> VerificationReport:
    """Verify a whole export, which has no heads but those that were exported; raises what its lines raise."""
    return _verified(_counted(lines, progress), (), tuple(dict.fromkeys(exported)), trust, exported, export=True)


def _verified(
    lines: Iterable[Entry | PurgeNote],
    ends: Sequence[Head],
    signed: tuple[SignedHead, ...],
    trust: Trust,
    exported: Sequence[SignedHead],
    *,
    export: bool = False,
) -> VerificationReport:
    notes: list[PurgeNote] = []
    found = verify(
        _noted(lines, notes), [one.head for one in signed], ends, [one.covered for one in signed if one.covered]
    )
    doubts, vouched = [], []
    for one in signed if trust.keys else ():
        why = signature_problem(one, trust)
        if why:
            doubts.append(f"{one.head.writer}: the head at {one.head.sequence}: {why}")
        else:
            vouched.append(one)
    # Of several notes of a chain, the last speaks for all that is gone.
    for note in (
        {note.purge.writer: note for note in sorted(notes, key=lambda note: note.purge.sequence)}.values()
        if trust.keys
        else ()
    ):
        why = signature_problem(note, trust)
        if why:
            doubts.append(
                f"{note.purge.writer}: the purge up to {note.purge.sequence}: {why}{'' if note.key else '; the note of a later purge, signed, takes its place'}"
            )
    coverage = None
    if trust.keys or exported:
        # Without a key, heads count that somebody exported; those in the log could be made up.
        trusted = [one for one in (vouched if trust.keys else exported) if one.head in found.held]
        coverage = tuple(_coverage(extent, trusted) for extent in found.extents)
        if export and not exported and found.entries:
            doubts.append(NO_HEADS)
        else:
            doubts += _uncovered(
                coverage,
                "no trusted key signed a head of this chain"
                if trust.keys
                else "no head that was exported covers this chain",
            )
    return VerificationReport(
        found=found,
        doubts=tuple(dict.fromkeys(doubts)),
        signed=signed,
        vouched=tuple(vouched),
        notes=tuple(notes),
        coverage=coverage,
    )


def _coverage(extent: ChainExtent, heads: Iterable[SignedHead]) -> Coverage:
    """Find the head that covers most of a chain."""
    last = max((one for one in heads if extent.covered_by(one.head)), key=lambda one: one.head.sequence, default=None)
    return Coverage(
        writer=extent.writer, entries=extent.entries, covered=extent.covered_by(last.head) if last else 0, head=last
    )


def _uncovered(coverage: Sequence[Coverage], why: str) -> Iterator[str]:
    """Name the chains that nobody vouches for; a chain of which all is purged has the note of that."""
    if not coverage:
        yield "the log has no entries, so nothing is vouched for"
    for one in coverage:
        if one.entries and not one.covered:
            yield f"{one.writer}: {why}: 0 of {one.entries:,} entries are covered"


def _noted(lines: Iterable[Entry | PurgeNote], notes: list[PurgeNote]) -> Iterator[Entry | Purge]:
    for one in lines:
        if isinstance(one, PurgeNote):
            notes.append(one)
            yield one.purge
        else:
            yield one


def _counted(lines: Iterable[Entry | PurgeNote], progress: Progress) -> Iterator[Entry | PurgeNote]:
    for number, one in enumerate(lines, 1):
        if number % STEP == 0:
            progress(number)
        yield one
