"""The nearest of a list of words to one that is not in it."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from engine.vocabulary import folded


def nearest(word: str, known: Iterable[str], limit: int = 3, cutoff: float = 60.0) -> tuple[str, ...]:
    """Give up to ``limit`` known words that look like the word, best first; equal scores in alphabetical order.

    >>> nearest("hihg", ["low", "high", "medium"])
    ('high',)
    """
    asked = folded(word)
    if not asked:
        return ()
    choices = sorted(set(known))
    scored = [(max(fuzz.ratio(asked, folded(choice)), 0.9 * fuzz.partial_ratio(asked, folded(choice)) if len(asked) > 3 else 0.0), choice)
              for choice in choices if folded(choice)]
    best = sorted((pair for pair in scored if pair[0] >= cutoff), key=lambda pair: (-pair[0], pair[1]))
    return tuple(choice for _, choice in best[:limit])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give the help for a word that is not known: the one it resembles, or what there is.

    >>> did_you_mean("hihg", ["low", "high", "medium"])
    'did you mean `high`?'
    >>> did_you_mean("x", ["low", "high"])
    'known: high, low'
    """
    words = sorted(set(known))
    close = nearest(word, words, limit=1)
    if close:
        return f"did you mean `{close[0]}`?"
    shown = ", ".join(words[:12]) + (f" and {len(words) - 12} more" if len(words) > 12 else "")
    return f"known: {shown}" if words else ""
