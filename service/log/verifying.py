"""A log, or a whole export of one, verified: its chains, the heads that were signed and kept, and the notes of what was purged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from engine.decisionlog.chain import Entry, Head, Purge, beginning
from engine.decisionlog.verify import Verified, verify
from service.log.heads import PurgeNote, SignedHead, unvouched
from service.log.store import Store
from service.sources.signatures import Trust

Told = Callable[[int], None]
"""Is told now and then how many entries were looked at; may raise to end the work."""

STEP = 1_000
"""After how many entries it is told."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        found: the breaks, and how far each chain comes.
        doubts: heads and notes for which no trusted key vouches, each with the reason; empty if no key is trusted.
        signed: the signed heads that were held against the chains.
        vouched: those of them for which a trusted key vouches.
        notes: the notes of what was purged.
    """

    found: Verified
    doubts: tuple[str, ...]
    signed: tuple[SignedHead, ...]
    vouched: tuple[SignedHead, ...]
    notes: tuple[PurgeNote, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong and nothing in doubt."""
        return not (self.found.breaks or self.doubts)


def verify_store(store: Store, trust: Trust, kept: Sequence[SignedHead] = (), told: Told = lambda _: None) -> Report:
    """Verify a log; what a server adds, or a purge removes, meanwhile is no break."""
    while True:
        # First how far the chains have come: what is behind that was added since, or no server wrote it.
        ends, strangers, notes = store.ends(), store.strangers(), store.notes()
        known = {end.writer for end in ends}
        never_begun = [beginning(writer) for writer in sorted({one.writer for one in strangers} - known)]
        signed = (*kept, *store.signed_heads())
        report = _verified(_counted(chain(notes, store.entries(ends), strangers), told), (*ends, *never_begun), signed, trust)
        if store.notes() == notes:
            return report


def verify_export(lines: Iterable[Entry | PurgeNote], trust: Trust, kept: Sequence[SignedHead] = (), told: Told = lambda _: None) -> Report:
    """Verify a whole export; raises what its lines raise."""
    return _verified(_counted(lines, told), (), tuple(kept), trust)


def _verified(lines: Iterable[Entry | PurgeNote], ends: Sequence[Head], signed: tuple[SignedHead, ...], trust: Trust) -> Report:
    notes: list[PurgeNote] = []
    found = verify(_noted(lines, notes), [one.head for one in signed], ends, [one.covered for one in signed if one.covered])
    doubts, vouched = [], []
    for one in signed if trust.keys else ():
        why = unvouched(one, trust)
        if why:
            doubts.append(f"{one.head.writer}: the head at {one.head.sequence}: {why}")
        else:
            vouched.append(one)
    # Of several notes of a chain, the last speaks for all that is gone.
    for note in {note.purge.writer: note for note in sorted(notes, key=lambda note: note.purge.sequence)}.values() if trust.keys else ():
        why = unvouched(note, trust)
        if why:
            doubts.append(f"{note.purge.writer}: the purge up to {note.purge.sequence}: {why}")
    return Report(found, tuple(dict.fromkeys(doubts)), signed, tuple(vouched), tuple(notes))


def _noted(lines: Iterable[Entry | PurgeNote], notes: list[PurgeNote]) -> Iterator[Entry | Purge]:
    for one in lines:
        if isinstance(one, PurgeNote):
            notes.append(one)
            yield one.purge
        else:
            yield one


def _counted(lines: Iterable[Entry | PurgeNote], told: Told) -> Iterator[Entry | PurgeNote]:
    for number, one in enumerate(lines, 1):
        if number % STEP == 0:
            told(number)
        yield one
