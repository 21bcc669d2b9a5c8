"""The chain of a writer: each entry holds the hash of the one before it, so that none can be altered alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_DOMAIN: Final = b"guidepost decision log entry, format 1\n"
_BEGINNING: Final = b"guidepost decision log beginning, format 1\n"

_PART: Final = 2047


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record in its chain: its writer, its sequence number, and the previous hash; ``body`` is its canonical text."""

    writer: str
    sequence: int
    previous: str
    hash: str
    body: str

    @property
    def holds(self) -> bool:
        """Whether its hash matches its content."""
        return self.hash == self.content_hash

    @property
    def content_hash(self) -> str:
        """The hash of its content."""
        return _hash(self.writer, self.sequence, self.previous, self.body)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: its last sequence number and hash."""

    writer: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """A note of purged entries: all entries of a chain up to a number, and the hash of the last.

    ``before`` is the instant before which they were received, ``purged`` that at which they were removed, and ``by``
    the name of the operator; instants as RFC 3339.
    """

    writer: str
    sequence: int
    hash: str
    before: str
    purged: str
    by: str

    @property
    def head(self) -> Head:
        """The head after which the chain continues."""
        return Head(self.writer, self.sequence, self.hash)


def beginning(writer: str) -> Head:
    """Return the head of an empty chain; its hash is that of the writer's name, so that chains begin differently.

    >>> beginning("main").sequence, beginning("main").hash == beginning("other").hash
    (0, False)
    """
    return Head(writer, 0, hashlib.sha256(_BEGINNING + writer.encode()).hexdigest())


def following(head: Head, bodies: Iterable[str]) -> Iterator[str]:
    """Yield the hashes of the entries that follow a head with these texts, one after the other."""
    sequence, last = head.sequence, head.hash
    for body in bodies:
        sequence += 1
        last = _hash(head.writer, sequence, last, body)
        yield last


def _hash(writer: str, sequence: int, previous: str, body: str) -> str:
    # Each part but the last has a known length, or its length before it, so different contents have different bytes.
    name, content = writer.encode(errors="surrogatepass"), body.encode(errors="surrogatepass")
    made = hashlib.sha256(
        b"%s%d:%s %d %s\n" % (_DOMAIN, len(name), name, sequence, previous.encode(errors="surrogatepass"))
    )
    # For larger parts, hashlib releases the GIL; a writer of many entries would wait for other threads after each.
    for start in range(0, len(content), _PART):
        made.update(content[start : start + _PART])
    return made.hexdigest()
