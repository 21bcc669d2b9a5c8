"""The nearest of a list of words to one that is not in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.model.vocabulary import folded

MEANT: Final = 65.0
"""How alike (of 100) a word must be for "did you mean"."""


def nearest(word: str, known: Iterable[str], limit: int = 3, cutoff: float = 60.0) -> tuple[str, ...]:
    """Return up to ``limit`` known words that look like the word, best first; equal scores in alphabetical order.

    >>> nearest("hihg", ["low", "high", "medium"])
    ('high',)
    >>> nearest("outside_agreement", ["AU", "ID", "NZ"])
    ()
    """
    asked = folded(word)
    if not asked:
        return ()
    scored = [(_likeness(asked, folded(choice)), choice) for choice in sorted(set(known)) if folded(choice)]
    best = sorted((pair for pair in scored if pair[0] >= cutoff), key=lambda pair: (-pair[0], pair[1]))
    return tuple(choice for _, choice in best[:limit])


def _likeness(asked: str, known: str) -> float:
    """Compare two folded words, from 0 to 100.

    One that is a good part of the other counts, but not two or three letters.
    """
    from rapidfuzz import fuzz  # noqa: PLC0415 - only mistakes need it

    whole = fuzz.ratio(asked, known)
    return max(whole, 0.9 * fuzz.partial_ratio(asked, known)) if min(len(asked), len(known)) > 3 else whole


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the help for a word that is not known: the one it resembles, or what there is.

    >>> did_you_mean("hihg", ["low", "high", "medium"])
    'did you mean `high`?'
    >>> did_you_mean("x", ["low", "high"])
    'known: high, low'
    """
    words = sorted(set(known))
    close = nearest(word, words, limit=1, cutoff=MEANT)
    if close:
        return f"did you mean `{close[0]}`?"
    shown = ", ".join(words[:12]) + (f" and {len(words) - 12} more" if len(words) > 12 else "")
    return f"known: {shown}" if words else ""
