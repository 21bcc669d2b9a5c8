"""Facts, values, thresholds and outcomes that make no difference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from operator import eq

from engine.analysis.likeness import alike
from engine.diagrams.store import Node
from engine.model.conditions import Condition
from engine.model.policy import HitPolicy, Policy, SameAs
from engine.model.problem_codes import CODES
from engine.model.problems import Problem, Related
from engine.model.vocabulary import UNLISTED, Fact, FactType, number_text
from engine.tables.atoms import Atoms
from engine.tables.local_table import LocalTable
from engine.tables.table_diagram import PolicyDiagrams


def vocabulary_findings(
    policy: Policy, drawn: PolicyDiagrams, deadlines: Mapping[str, PolicyDiagrams]
) -> Iterator[Problem]:
    """Yield the findings about facts and outcomes; ``deadlines`` have their tables over what they read."""
    effective = facts_with_effect(policy, drawn, deadlines)
    read = read_facts(policy)
    for name, fact in policy.facts.items():
        if name not in read:
            yield _found("unused-fact", fact, f"nothing reads the fact `{name}`")
        elif fact.type is not FactType.INSTANT and name not in effective:
            yield _found("no-effect", fact, f"the fact `{name}` is read, but never changes an outcome")
        else:
            alike = words_alike(fact, policy)
            if alike:
                rest = " from a value that is not listed" if fact.open and len(alike) == 1 else ""
                yield _found("unused-value", fact, f"no rule distinguishes {_listed(alike)} of the fact `{name}`{rest}")
    shown = shown_outcomes(policy)
    for name, outcome in policy.outcomes.items():
        if name not in shown | read and name not in {roster.produces for roster in policy.rosters.values()}:
            yield _found("unread-outcome", outcome, f"no decision lists the outcome `{name}`, and nothing reads it")


def _found(code: str, fact: Fact, message: str) -> Problem:
    return Problem(place=fact.place, code=code, message=message, help=CODES[code].help)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" and `{words[-1]}`" if len(words) > 1 else f"`{words[0]}`"


def read_facts(policy: Policy) -> frozenset[str]:
    """Return the facts and outcomes that tables, rosters, deadlines and elapsed times read."""
    read = {name for table in policy.all_tables for name in table.reads}
    read |= {roster.at for roster in policy.rosters.values()}
    read |= {name for one in policy.deadlines.values() for name in (one.starts, one.met, one.amount, one.region)}
    read |= {name for one in policy.elapsed.values() for name in (one.since, one.region)}
    return frozenset(read)


def shown_outcomes(policy: Policy) -> frozenset[str]:
    """Return the outcomes that decisions list."""
    return frozenset(name for decision in policy.decisions.values() for name in decision.outcomes)


def facts_with_effect(policy: Policy, drawn: PolicyDiagrams, deadlines: Mapping[str, PolicyDiagrams]) -> frozenset[str]:
    """Return the facts in which alone two tickets can differ that differ in an outcome of a decision or deadline."""
    goes_by = {name for one in policy.deadlines.values() for name in one.goes_by}
    counted = shown_outcomes(policy) | goes_by | {one.region for one in policy.elapsed.values()}
    nodes = [node for table in drawn.tables.values() for name, node in table.possible.items() if name in counted]
    for table in drawn.tables.values():
        nodes += [one.possible for name, items in table.items.items() if name in counted for one in items]
    found = set(drawn.store.support(*nodes))
    for one in deadlines.values():
        found.update(*(one.store.support(*table.possible.values()) for table in one.tables.values()))
    return frozenset(found)


def words_alike(fact: Fact, policy: Policy) -> tuple[str, ...]:
    """Return the words of a choice or a yes/no that no rule names and no outcome copies, if there are several.

    An unlisted value counts as one of them unless a rule names `unlisted`; it is not returned.
    """
    if fact.type not in (FactType.CHOICE, FactType.BOOLEAN):
        return ()
    used: set[str] = set()
    for table in policy.all_tables:
        for rule in table.rules:
            copied = any(isinstance(value, SameAs) and value.fact == fact.name for value in rule.then.values())
            for condition in rule.when:
                if condition.fact == fact.name:
                    used |= named(condition, fact) | (condition.words if copied else frozenset())
    alike = [word for word in fact.words if word not in used]
    return tuple(word for word in alike if word != UNLISTED) if len(alike) > 1 else ()


def named(condition: Condition, fact: Fact) -> frozenset[str]:
    """Return the words that a condition names: those that it allows, or those after its `not`."""
    negated = condition.text.startswith("not ") and condition.text not in fact.words
    return frozenset(fact.words) - condition.words if negated else condition.words


def threshold_findings(local: LocalTable, spare: Collection[int]) -> Iterator[Problem]:
    """Yield thresholds that make no difference in any case that tickets reach.

    Thresholds of rules that never fire or are redundant are not reported.
    """
    tried = set()
    for position, rule in enumerate(local.table.rules):
        for condition in rule.when if position not in spare and position not in local.idle else ():
            fact = condition.fact
            for cut, below in _ends(condition, local.reading.atoms[fact]):
                if (fact, below) in tried:
                    continue
                tried.add((fact, below))
                if _same_beside(local, fact, below):
                    yield Problem(
                        place=condition.place,
                        code="needless-threshold",
                        message=f"`{local.table.name}` has a threshold for `{fact}` at {number_text(cut)}, with the same outcomes on both sides",
                        help=CODES["needless-threshold"].help,
                        witness=local.witness(local.holds(position)),
                        also=(Related(local.table.place, f"the table `{local.table.name}`"),),
                    )


def _ends(condition: Condition, atoms: Atoms) -> Iterator[tuple[float, int]]:
    """Yield the ends of a condition's intervals, each with the last atom below it (or on it, if the end is below)."""
    for interval in condition.intervals:
        for end, first in ((interval.low, interval.low_closed), (interval.high, not interval.high_closed)):
            if end in atoms.cuts:
                at = atoms.of(end)
                below = at - 1 if first else at
                if 1 <= below < len(atoms.samples):
                    yield end, below


def _same_beside(local: LocalTable, fact: str, below: int) -> bool:
    """Return whether an atom and the next one have the same outcomes in all cases that tickets reach."""
    class_of, store = local.parts[fact].class_of, local.store
    sides = {fact: class_of[below]}, {fact: class_of[below + 1]}
    here = store.restrict(local.reached, sides[0])
    if sides[0] == sides[1] or here == local.no or here != store.restrict(local.reached, sides[1]):
        return False
    first = store.node(fact, [store.leaf(one == class_of[below]) for one in range(store.sizes[store.level[fact]])])
    here = local.both(first, here)
    if local.table.hit is HitPolicy.COLLECT:
        testing = [at for at, rule in enumerate(local.table.rules) if any(one.fact == fact for one in rule.when)]
        counted = [_counted(local, testing, side) for side in sides]
    else:
        counted = [
            store.map(lambda rule: (rule,) if rule >= 0 else (), store.restrict(local.counts, side)) for side in sides
        ]
    pairs = store.choose(here, [store.leaf(()), store.combine(lambda one, other: (one, other), *counted)])
    return all(
        alike(local, pair[0], pair[1], store.map(partial(eq, pair), pairs))
        for pair in sorted(store.values(pairs))
        if pair and pair[0] != pair[1]
    )


def _counted(local: LocalTable, rules: Iterable[int], side: Mapping[str, int]) -> Node:
    """Draw which of some rules of a collect table count where a fact has one class."""
    store, found = local.store, local.store.leaf(())
    for rule in rules:
        more = store.map(partial(_more, rule), found)
        found = store.choose(store.restrict(local.holds(rule), side), [found, more])
    return found


def _more(rule: int, counted: tuple[int, ...]) -> tuple[int, ...]:
    return (*counted, rule)
