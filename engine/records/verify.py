"""Verifies chains: entries in the order in which they are read, and saved heads -> named breaks.

A purged chain begins after the note of the purge. The chain itself reveals every change, except if someone recomputes
all later hashes, or cuts off the end. A head that was saved elsewhere, or signed, reveals these too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from engine.records.chain import Entry, Head, Purge, beginning
from engine.records.merkle import CoveredRange, Tree


class Tampering(StrEnum):
    """The kinds of tampering with an entry."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A break in a chain: the entry (up to ``last``, if several are missing), and the evidence."""

    kind: Tampering
    writer: str
    sequence: int
    last: int
    message: str

    def __str__(self) -> str:
        entries = f"entry {self.sequence}" if self.last == self.sequence else f"entries {self.sequence} to {self.last}"
        return f"{self.writer}: {entries} {self.kind}: {self.message}"


@dataclass(frozen=True, slots=True)
class ChainExtent:
    """The entries of a chain that exist: those after ``after`` (0, or the last purged number) up to ``last``."""

    writer: str
    after: int
    last: int

    @property
    def entries(self) -> int:
        """The number of entries."""
        return self.last - self.after

    def covered_by(self, head: Head) -> int:
        """Return how many entries a head covers: all up to it, since each contains the hash of the one before.

        >>> (
        ...     ChainExtent("main", 10, 30).covered_by(Head("main", 25, "ab")),
        ...     ChainExtent("main", 10, 30).covered_by(Head("main", 9, "ab")),
        ... )
        (15, 0)
        """
        return max(0, min(head.sequence, self.last) - self.after) if head.writer == self.writer else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of a verification: the breaks in order, the number of entries, and the head of each chain.

    ``extents`` are the chains, by name. ``held`` are the heads that match, and ``unheld`` those that cannot be checked
    because the entries up to them were purged.
    """

    breaks: tuple[Break, ...]
    entries: int
    heads: tuple[Head, ...]
    unheld: tuple[Head, ...] = ()
    extents: tuple[ChainExtent, ...] = ()
    held: frozenset[Head] = frozenset()


def verify(
    entries: Iterable[Entry | Purge],
    heads: Iterable[Head] = (),
    ends: Iterable[Head] = (),
    trees: Iterable[CoveredRange] = (),
) -> Verification:
    """Verify chains.

    Args:
        entries: in the order in which they are read; chains of several writers may be mixed. The note of a purge comes
            before the rest of its chain.
        heads: saved heads, from a place where nobody could alter them.
        ends: heads after which no entry may come.
        trees: the entries that heads cover, with the roots of their trees.
    """
    kept: dict[str, list[Head]] = {}
    for head in (*heads, *ends):
        kept.setdefault(head.writer, []).append(head)
    chains = {writer: _Chain(writer=writer, watched={head.sequence for head in of}) for writer, of in kept.items()}
    for covered in sorted(set(trees), key=lambda one: one.since):
        chains.setdefault(covered.writer, _Chain(writer=covered.writer, watched=set())).covered.append(covered)
    count = 0
    for entry in entries:
        if entry.writer not in chains:
            chains[entry.writer] = _Chain(writer=entry.writer, watched=set())
        if isinstance(entry, Purge):
            chains[entry.writer].begin(entry)
            continue
        chains[entry.writer].take(entry)
        count += 1
    for head in ends:
        chains[head.writer].close_at(head)
    for chain in chains.values():
        chain.end(kept.get(chain.writer, ()))
    unheld = tuple(head for of in kept.values() for head in of if head.sequence < chains[head.writer].first.sequence)
    found = sorted(
        {one for chain in chains.values() for one in chain.breaks},
        key=lambda one: (one.writer, one.sequence, one.last, one.kind),
    )
    begun = [chain for _, chain in sorted(chains.items()) if chain.head.sequence]
    extents = tuple(ChainExtent(chain.writer, chain.first.sequence, chain.head.sequence) for chain in begun)
    held = frozenset(
        head for of in kept.values() for head in of if chains[head.writer].seen.get(head.sequence) == head.hash
    )
    return Verification(
        breaks=tuple(found),
        entries=count,
        heads=tuple(chain.head for chain in begun),
        unheld=unheld,
        extents=extents,
        held=held,
    )


@dataclass(slots=True, kw_only=True)
class _Chain:
    """The state of one chain so far.

    ``latest`` are the entries with the last number: one, unless some were inserted. ``first`` is the head before its
    first entry: the beginning of its writer, or the last purged entry.
    """

    writer: str
    watched: set[int]
    first: Head = field(init=False)
    covered: deque[CoveredRange] = field(default_factory=deque)
    """The covered ranges that are not reached yet, in order."""
    growing: list[tuple[CoveredRange, Tree]] = field(default_factory=list)
    """The trees of covered ranges, as far as they have grown."""
    breaks: list[Break] = field(default_factory=list)
    sequence: int = 0
    latest: list[Entry] = field(default_factory=list)
    missing: dict[int, int] = field(default_factory=dict)
    """Missing numbers, as ranges from the first to the last."""
    wanted: dict[int, str] = field(default_factory=dict)
    """The hash that a missing entry must have, since a later one contains it."""
    seen: dict[int, str] = field(default_factory=dict)
    """The hashes of the entries with a saved head."""

    def __post_init__(self) -> None:
        self.first = beginning(self.writer)

    @property
    def head(self) -> Head:
        return Head(self.writer, self.sequence, self.latest[0].hash) if self.latest else self.first

    def begin(self, purge: Purge) -> None:
        """Begin after the purged entries; a note after entries, or with a lower number than another, is ignored."""
        if not self.latest and purge.sequence > self.first.sequence:
            self.first, self.sequence = purge.head, purge.sequence
            if purge.sequence in self.watched:
                self.seen[purge.sequence] = purge.hash

    def take(self, entry: Entry) -> None:
        """Check the next entry."""
        self._grow(entry)
        if not entry.holds:
            self._break(Tampering.CHANGED, entry.sequence, "its hash does not match its content")
            if entry.sequence != self.sequence + 1:
                # Its number itself may have been changed: to trust it would displace all entries that follow.
                return
        if entry.sequence in self.watched:
            self.seen.setdefault(entry.sequence, entry.hash)
        if entry.sequence == self.sequence and self.latest:
            self.latest.append(entry)
        elif entry.sequence > self.sequence:
            self._forward(entry)
        else:
            self._late(entry)

    def _forward(self, entry: Entry) -> None:
        if entry.sequence == self.sequence + 1:
            self._follows(entry)
        else:
            self._settle(None)
            self.missing[self.sequence + 1] = entry.sequence - 1
            self.wanted[entry.sequence - 1] = entry.previous
        self.sequence, self.latest = entry.sequence, [entry]

    def _follows(self, entry: Entry) -> None:
        """Compare an entry with the one before it.

        Of several with one number, the one whose hash it contains is authentic.
        """
        before = next((one for one in self.latest if entry.previous in (one.hash, one.content_hash)), None)
        self._settle(before)
        if before is not None or not entry.holds:
            return
        if not self.latest:
            if self.sequence == self.first.sequence and entry.previous != self.first.hash:
                what = (
                    "it does not follow the last purged entry"
                    if self.first.sequence
                    else "it is not the first entry of its writer"
                )
                self._break(Tampering.CHANGED, entry.sequence, what)
        elif all(one.holds for one in self.latest):
            self._break(Tampering.CHANGED, self.sequence, f"entry {entry.sequence} has another hash for it")

    def _settle(self, true: Entry | None) -> None:
        """Report the entries that share the last number with the authentic one."""
        if len(self.latest) > 1:
            others = len(self.latest) - 1
            which = (
                f"the one with the hash {true.hash[:12]} is authentic"
                if true
                else "none of them is followed by another entry"
            )
            self._break(Tampering.INSERTED, self.sequence, f"{others} more with the same number; {which}")

    def _late(self, entry: Entry) -> None:
        """Check an entry that comes after a later one."""
        if entry.sequence <= self.first.sequence and self.first.sequence:
            self._break(Tampering.INSERTED, entry.sequence, f"the chain was purged up to {self.first.sequence}")
            return
        first = next((first for first, last in self.missing.items() if first <= entry.sequence <= last), None)
        if first is None:
            self._break(Tampering.INSERTED, entry.sequence, "another entry has this number")
            return
        last = self.missing.pop(first)
        if first < entry.sequence:
            self.missing[first] = entry.sequence - 1
        if entry.sequence < last:
            self.missing[entry.sequence + 1] = last
        self._break(Tampering.REORDERED, entry.sequence, "it comes after a later entry")
        if self.wanted.pop(entry.sequence, entry.hash) != entry.hash:
            self._break(Tampering.CHANGED, entry.sequence, f"entry {entry.sequence + 1} has another hash for it")
        self.wanted[entry.sequence - 1] = entry.previous

    def _grow(self, entry: Entry) -> None:
        """Add an entry to the trees that it belongs to, as long as these have all entries before it."""
        while self.covered and self.covered[0].since < entry.sequence:
            self.growing.append((self.covered.popleft(), Tree()))
        for covered, tree in self.growing:
            if tree.size == entry.sequence - covered.since - 1:
                tree.add(entry.hash)
            if entry.sequence == covered.last == covered.since + tree.size and tree.root != covered.root:
                message = f"the tree of their hashes differs from the one that the head at {covered.last} covers"
                self._break(Tampering.CHANGED, covered.since + 1, message, covered.last)
        self.growing = [(covered, tree) for covered, tree in self.growing if covered.last > entry.sequence]

    def close_at(self, end: Head) -> None:
        if self.sequence > end.sequence:
            self._break(Tampering.INSERTED, end.sequence + 1, "it comes after the end of the chain", self.sequence)

    def end(self, heads: Iterable[Head]) -> None:
        """Report what is missing after all entries are read."""
        self._settle(None)
        for first, last in self.missing.items():
            self._break(
                Tampering.REMOVED,
                first,
                "no entry with this number" if first == last else "no entries with these numbers",
                last,
            )
        furthest = max((head.sequence for head in heads), default=0)
        if furthest > self.sequence:
            self._break(Tampering.REMOVED, self.sequence + 1, f"the chain reached {furthest}", furthest)
        for head in heads:
            if self.seen.get(head.sequence, head.hash) != head.hash:
                self._break(Tampering.CHANGED, head.sequence, "its hash differs from the saved head of the chain")

    def _break(self, kind: Tampering, sequence: int, message: str, last: int | None = None) -> None:
        self.breaks.append(
            Break(
                kind=kind,
                writer=self.writer,
                sequence=sequence,
                last=sequence if last is None else last,
                message=message,
            )
        )
