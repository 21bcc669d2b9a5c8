"""The Merkle tree over the hashes of entries (RFC 6962): one root for many, and a short inclusion path for each.

Leaves and nodes have different hash prefixes, so that neither can pass for the other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_LEAF, _NODE = b"\x00", b"\x01"
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

EMPTY: Final = hashlib.sha256().hexdigest()
"""The root of a tree without leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredRange:
    """The entries that a signed head covers.

    These are the entries of a chain after ``since`` up to ``last``, with the root of their tree.
    """

    writer: str
    since: int
    last: int
    root: str


@dataclass(slots=True)
class Tree:
    """A tree that grows leaf by leaf, and keeps only what its root needs."""

    size: int = 0
    _whole: list[bytes] = field(default_factory=list)
    """The roots of the greatest whole subtrees, from left to right."""

    def add(self, leaf: str) -> None:
        """Add a leaf at the right.

        >>> tree = Tree()
        >>> for leaf in "abc":
        ...     tree.add(leaf)
        >>> tree.size, tree.root == root(["a", "b", "c"])
        (3, True)
        """
        node = _leaf(leaf)
        size = self.size
        while size & 1:
            node = _node(self._whole.pop(), node)
            size >>= 1
        self._whole.append(node)
        self.size += 1

    @property
    def root(self) -> str:
        """The root over all leaves so far."""
        if not self._whole:
            return EMPTY
        *rest, node = self._whole
        for left in reversed(rest):
            node = _node(left, node)
        return node.hex()


def root(leaves: Sequence[str]) -> str:
    """Return the root over leaves.

    >>> root([]) == EMPTY, root(["a"]) == root(["b"])
    (True, False)
    """
    return _root(leaves).hex() if leaves else EMPTY


def path(leaves: Sequence[str], at: int) -> tuple[str, ...]:
    """Return the inclusion path of the leaf at a position: the sibling roots from the bottom to the top.

    >>> len(path(["a", "b", "c", "d"], 2))
    2
    """
    if len(leaves) <= 1:
        return ()
    cut = _cut(len(leaves))
    if at < cut:
        return (*path(leaves[:cut], at), _root(leaves[cut:]).hex())
    return (*path(leaves[cut:], at - cut), _root(leaves[:cut]).hex())


def climb(leaf: str, at: int, size: int, beside: Sequence[str]) -> str:
    """Return the root that a path leads to from a leaf at a position in a tree of a size; "" if the path is invalid.

    >>> climb("c", 2, 4, path(["a", "b", "c", "d"], 2)) == root(["a", "b", "c", "d"])
    True
    >>> climb("c", 1, 4, path(["a", "b", "c", "d"], 2)) == root(["a", "b", "c", "d"])
    False
    """
    if not 0 <= at < size:
        return ""
    turns = _turns(at, size)
    if len(turns) != len(beside):
        return ""
    node = _leaf(leaf)
    for is_right, other in zip(turns, beside, strict=True):
        if not _HASH.fullmatch(other):
            return ""
        sibling = bytes.fromhex(other)
        node = _node(sibling, node) if is_right else _node(node, sibling)
    return node.hex()


def _turns(at: int, size: int) -> list[bool]:
    """Return of each step from a leaf to the top whether it comes from the right."""
    turns: list[bool] = []
    while size > 1:
        cut = _cut(size)
        turns.append(at >= cut)
        at, size = (at - cut, size - cut) if at >= cut else (at, cut)
    return turns[::-1]


def _cut(size: int) -> int:
    """Return the greatest power of two below a size: the number of leaves on the left."""
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[str]) -> bytes:
    if len(leaves) == 1:
        return _leaf(leaves[0])
    cut = _cut(len(leaves))
    return _node(_root(leaves[:cut]), _root(leaves[cut:]))


def _leaf(leaf: str) -> bytes:
    return hashlib.sha256(_LEAF + leaf.encode(errors="surrogatepass")).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
