"""Atoms of a number -> ranges as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby

from engine.model.conditions import NumberInterval, interval_text
from engine.tables.atoms import Atoms


def range_texts(atoms: Atoms, chosen: Iterable[int]) -> tuple[str, ...]:
    """Write atoms of a number as ranges, the smallest first; an end that the fact cannot pass is not named.

    >>> from engine.model.vocabulary import Fact, FactType
    >>> share = Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100)
    >>> atoms = Atoms(
    ...     fact=share,
    ...     samples=(0.0, 25.0, 50.0, 75.0, 100.0),
    ...     cuts=(0.0, 50.0, 100.0),
    ...     piece_atoms=(0, 1, 2, 3, 4, 5, 0),
    ... )
    >>> (
    ...     range_texts(atoms, [4, 5]),
    ...     range_texts(atoms, [1, 2, 4]),
    ...     range_texts(atoms, [3]),
    ...     range_texts(atoms, [1, 2, 3, 4, 5]),
    ... )
    (('> 50',), ('< 50', '(50..100)'), ('50',), ('any number',))
    """
    wanted = set(chosen)
    real = [piece for piece, atom in enumerate(atoms.piece_atoms) if atom]
    runs = groupby(real, key=lambda piece: atoms.piece_atoms[piece] in wanted)
    return tuple(_text(atoms, list(run), real) for held, run in runs if held)


def _text(atoms: Atoms, run: list[int], real: list[int]) -> str:
    low, low_closed = _end(atoms, run[0], 0) if run[0] != real[0] else (-math.inf, False)
    high, high_closed = _end(atoms, run[-1], 1) if run[-1] != real[-1] else (math.inf, False)
    return interval_text(NumberInterval(low=low, high=high, low_closed=low_closed, high_closed=high_closed))


def _end(atoms: Atoms, piece: int, upper: int) -> tuple[float, bool]:
    """Return an end of a piece, and whether it belongs to it: cuts are pieces of their own, between open stretches."""
    at, is_cut = divmod(piece, 2)
    return (atoms.cuts[at], True) if is_cut else (atoms.cuts[at - 1 + upper], False)
