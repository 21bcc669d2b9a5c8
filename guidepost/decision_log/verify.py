"""Verifies a log or an export without a filter: its chains, signed heads and notes of purges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.records.chain import Entry, Head, Purge, beginning
from engine.records.verify import ChainExtent, Verification, verify
from guidepost.decision_log.signed_heads import PurgeNote, SignedHead, signature_problem
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import Trust

Progress = Callable[[int], None]
"""Is called now and then with the number of verified entries; may raise to stop."""

STEP = 1_000
"""The number of entries between two calls of it."""


NO_HEADS = "an export contains no heads: use --heads FILE in addition to --key (`guidepost audit export --heads`)"
"""Why a key alone covers no entry of an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The number of entries of a chain that trusted heads cover, and the last such head; None if there is none."""

    writer: str
    entries: int
    covered: int
    head: SignedHead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """The result of a verification.

    Attributes:
        found: the breaks, and the extent of each chain.
        doubts: what no trusted head or key covers, each with the reason: heads, notes of purges, whole chains, or a log
            without entries. Empty if no key or head is trusted.
        signed: the signed heads that were checked against the chains, each once.
        vouched: those of them that a trusted key signed.
        notes: the notes of purges.
        coverage: how much of each chain trusted heads cover; None if no key or head is trusted.
    """

    found: Verification
    doubts: tuple[str, ...]
    signed: tuple[SignedHead, ...]
    vouched: tuple[SignedHead, ...]
    notes: tuple[PurgeNote, ...]
    coverage: tuple[Coverage, ...] | None = None

    @property
    def covered(self) -> int:
        """The number of entries that trusted heads cover."""
        return sum(one.covered for one in self.coverage or ())

    @property
    def whole(self) -> bool:
        """Whether there are no breaks and no doubts."""
        return not (self.found.breaks or self.doubts)


def verify_store(
    store: Store, trust: Trust, exported: Sequence[SignedHead] = (), progress: Progress = lambda _: None
) -> VerificationReport:
    """Verify a log. Entries that a server adds or a purge removes meanwhile are not breaks."""
    while True:
        # The ends come first: later entries were added since, or no server wrote them.
        ends, orphans, notes = store.ends(), store.orphans(), store.purge_notes()
        known = {end.writer for end in ends}
        never_begun = [beginning(writer) for writer in sorted({one.writer for one in orphans} - known)]
        # Most exported heads are in the log, too; each counts once.
        signed = tuple(dict.fromkeys((*exported, *store.signed_heads())))
        report = _verify(
            _report_progress(chain(notes, store.entries(ends), orphans), progress),
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
    """Verify an export without a filter, with heads that were exported separately; raises what ``lines`` raises."""
    return _verify(_report_progress(lines, progress), (), tuple(dict.fromkeys(exported)), trust, exported, export=True)


def _verify(
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
        _collect_notes(lines, notes), [one.head for one in signed], ends, [one.covered for one in signed if one.covered]
    )
    doubts, vouched = [], []
    for one in signed if trust.keys else ():
        why = signature_problem(one, trust)
        if why:
            doubts.append(f"{one.head.writer}: the head at {one.head.sequence}: {why}")
        else:
            vouched.append(one)
    # Of several notes of a chain, the last one covers all that was removed.
    for note in (
        {note.purge.writer: note for note in sorted(notes, key=lambda note: note.purge.sequence)}.values()
        if trust.keys
        else ()
    ):
        why = signature_problem(note, trust)
        if why:
            doubts.append(
                f"{note.purge.writer}: the purge up to {note.purge.sequence}: {why}"
                f"{'' if note.key else '; a signed note of a later purge replaces it'}"
            )
    coverage = None
    if trust.keys or exported:
        # Without a key, exported heads are trusted; those in the log could be forged.
        trusted = [one for one in (vouched if trust.keys else exported) if one.head in found.held]
        coverage = tuple(_coverage(extent, trusted) for extent in found.extents)
        if export and not exported and found.entries:
            doubts.append(NO_HEADS)
        else:
            doubts += _uncovered(
                coverage,
                "no trusted key signed a head of this chain" if trust.keys else "no exported head covers this chain",
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
    """Return the coverage of a chain, by the head that covers most of it."""
    last = max((one for one in heads if extent.covered_by(one.head)), key=lambda one: one.head.sequence, default=None)
    return Coverage(
        writer=extent.writer, entries=extent.entries, covered=extent.covered_by(last.head) if last else 0, head=last
    )


def _uncovered(coverage: Sequence[Coverage], why: str) -> Iterator[str]:
    """Yield a sentence for each chain that no trusted head covers, unless it is purged completely."""
    if not coverage:
        yield "the log has no entries, so no trusted head covers anything"
    for one in coverage:
        if one.entries and not one.covered:
            yield f"{one.writer}: {why}: 0 of {one.entries:,} entries are covered"


def _collect_notes(lines: Iterable[Entry | PurgeNote], notes: list[PurgeNote]) -> Iterator[Entry | Purge]:
    for one in lines:
        if isinstance(one, PurgeNote):
            notes.append(one)
            yield one.purge
        else:
            yield one


def _report_progress(lines: Iterable[Entry | PurgeNote], progress: Progress) -> Iterator[Entry | PurgeNote]:
    for number, one in enumerate(lines, 1):
        if number % STEP == 0:
            progress(number)
        yield one
