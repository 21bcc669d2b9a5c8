"""The atoms of facts: the smallest sets of values that a rule of a policy can distinguish.

An *atom* is a word of a choice, or the numbers between two thresholds. Atom 0 is "not known".
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.model.conditions import Condition
from engine.model.policy import Policy
from engine.model.vocabulary import Fact, FactType, number_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """The atoms of one fact; ``samples[i]`` is a value of atom ``i + 1``."""

    fact: Fact
    samples: tuple[str | float, ...]
    cuts: tuple[float, ...] = ()
    piece_atoms: tuple[int, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)

    def of(self, value: str | float | None) -> int:
        """Return the atom of a value; 0 for None, which is unknown."""
        if value is None:
            return 0
        if isinstance(value, str):
            return self.positions[value]
        at = bisect_left(self.cuts, value)
        return self.piece_atoms[2 * at + (at < len(self.cuts) and self.cuts[at] == value)]

    def text(self, atom: int) -> str:
        """Return a value of an atom as a caller would send it."""
        sample = self.samples[atom - 1]
        return sample if isinstance(sample, str) else number_text(sample)


def atoms_of(fact: Fact, conditions: Iterable[Condition]) -> Atoms:
    """Return the atoms of a fact; numbers are split at every threshold of the conditions.

    >>> from engine.model.conditions import NumberInterval
    >>> from engine.model.problems import Place
    >>> share = Fact(name="share", type=FactType.NUMBER, minimum=0, maximum=100)
    >>> half = Condition(
    ...     fact="share",
    ...     words=frozenset(),
    ...     intervals=(NumberInterval(low=50, high=math.inf, low_closed=False, high_closed=False),),
    ...     negated=False,
    ...     unknown=False,
    ...     text="> 50",
    ...     place=Place(file=""),
    ... )
    >>> atoms = atoms_of(share, [half])
    >>> atoms.samples
    (0.0, 25.0, 50.0, 75.0, 100.0)
    >>> atoms.of(None), atoms.of(49.9), atoms.of(50), atoms.of(50.1)
    (0, 2, 3, 4)
    """
    if not fact.numeric:
        words = fact.words
        return Atoms(fact=fact, samples=words, positions={word: at for at, word in enumerate(words, start=1)})
    ends = {
        end for condition in conditions for interval in condition.intervals for end in (interval.low, interval.high)
    }
    limits = {float(limit) for limit in (fact.minimum, fact.maximum) if limit is not None}
    cuts = tuple(sorted(float(end) for end in ends | limits if math.isfinite(end)))
    samples: list[float] = []
    piece_atoms: list[int] = []
    for piece in range(2 * len(cuts) + 1):
        sample = sample_of(fact, cuts, piece)
        if sample is not None:
            samples.append(sample)
        piece_atoms.append(len(samples) if sample is not None else 0)
    return Atoms(fact=fact, samples=tuple(samples), cuts=cuts, piece_atoms=tuple(piece_atoms))


def sample_of(fact: Fact, cuts: tuple[float, ...], piece: int) -> float | None:
    """Return a number from a piece of the number line, or None if the fact cannot have any number from it.

    Odd pieces are the thresholds themselves; even pieces are the open intervals before, between and after them.
    """
    at, is_cut = divmod(piece, 2)
    whole = fact.type is FactType.INTEGER
    if is_cut:
        return cuts[at] if not whole or cuts[at] == int(cuts[at]) else None
    low = cuts[at - 1] if at > 0 else -math.inf
    high = cuts[at] if at < len(cuts) else math.inf
    if (fact.minimum is not None and high <= fact.minimum) or (fact.maximum is not None and low >= fact.maximum):
        return None
    if low == -math.inf:
        sample = high - 1 if math.isfinite(high) else 0.0
    elif high == math.inf:
        sample = low + 1
    else:
        sample = (low + high) / 2
    if whole:
        sample = math.floor(low) + 1 if math.isfinite(low) else math.ceil(high) - 1 if math.isfinite(high) else 0
        return float(sample) if low < sample < high else None
    return sample


def all_atoms(policy: Policy) -> dict[str, Atoms]:
    """Return the atoms of every fact and of every outcome that tables can read."""
    named: dict[str, list[Condition]] = {}
    for table in policy.all_tables:
        for rule in table.rules:
            for condition in rule.when:
                named.setdefault(condition.fact, []).append(condition)
    facts = {**policy.facts, **{name: policy.outcomes[name] for name in named if name in policy.outcomes}}
    return {name: atoms_of(fact, named.get(name, ())) for name, fact in sorted(facts.items())}
