"""The language's meaning as plain loops: slow, obvious, and written without looking at the tables.

``Oracle(policy, values).possible(table, facts)`` gives, for each outcome of a table, the set of values still possible,
where None is "not covered"; one member means decided. ``values`` lists, for each fact, the values worth trying when it
is missing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from engine.model.policy import HitPolicy, Literal, Policy, Rule, SameAs, Table
from engine.model.vocabulary import FactType

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
SEPARATORS = " \t_" + DASHES

Facts = dict[str, str | float | None]
Possible = Mapping[str, frozenset[Literal | None]]


def same_word(text: str) -> str:
    """Return a text as words are compared: by letter, without case and single separators that distinguish nothing."""
    left = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()
    said = ""
    while left:
        run = left[: len(left) - len(left.lstrip(SEPARATORS))]
        rest = left[len(run) :]
        dashes = [at for at, one in enumerate(run) if one in DASHES]
        between = said and rest and said[-1].isalnum() and rest[0].isalnum()
        digits = between and said[-1].isdigit() and rest[0].isdigit()
        sign = bool(dashes) and 0 < dashes[-1] == len(run) - 1 and rest[:1].isdigit()
        if not between or digits or sign or len(dashes) > 1:
            said += run
        said += rest[:1]
        left = rest[1:]
    return said


class Oracle:
    """Answers for one policy; remembers what it has worked out."""

    def __init__(self, policy: Policy, values: Mapping[str, Sequence[str | float]]) -> None:
        self.policy = policy
        self.values = values
        self.maker = {name: table for table in policy.tables.values() for name in table.produces}
        self.reads = {table.name: table.reads for table in policy.tables.values()}
        self.sent = {name: self._sent_facts(table) for name, table in policy.tables.items()}
        self._counted: dict[tuple[object, ...], tuple[tuple[str, ...], Possible]] = {}
        self._remembered: dict[str, dict[tuple[object, ...], tuple[Possible, frozenset[str]]]] = {
            name: {} for name in policy.tables
        }

    def _sent_facts(self, table: Table) -> tuple[str, ...]:
        found: set[str] = set()
        for name in table.reads:
            found |= set(self._sent_facts(self.maker[name])) if name in self.maker else {name}
        return tuple(sorted(found))

    def possible(self, table: Table, facts: Facts) -> Possible:
        """Return every value that the outcomes of a table can still take."""
        return self._worked_out(table, facts)[0]

    def open_facts(self, table: Table, facts: Facts) -> frozenset[str]:
        """Return the missing facts that no firing rule claims."""
        return self._worked_out(table, facts)[1]

    def _worked_out(self, table: Table, facts: Facts) -> tuple[Possible, frozenset[str]]:
        """Return the outcomes still possible, and the missing facts that no firing rule claims."""
        remembered = self._remembered[table.name]
        key = tuple([facts.get(fact) for fact in self.sent[table.name]])
        if key not in remembered:
            known = {name: self._known(name, facts) for name in self.reads[table.name]}
            seen = (table.name, *known.values())
            if seen not in self._counted:
                counting = self._counting(table, known)
                claimed = {condition.fact for rule in counting for condition in rule.when if condition.unknown}
                missing = tuple(name for name, value in known.items() if value is None and name not in claimed)
                self._counted[seen] = (missing, self._values(table, counting, known))
            missing, values = self._counted[seen]
            opened = self._open(missing, facts)
            remembered[key] = (self._union(table, facts, opened) if opened else values, opened)
        return remembered[key]

    def _known(self, name: str, facts: Facts) -> str | float | None:
        """Return a sent fact, or another table's outcome if it is decided; as a word or a number."""
        if name not in self.maker:
            return facts.get(name)
        found = self.possible(self.maker[name], facts)[name]
        value = next(iter(found)) if len(found) == 1 else None
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value

    def _counting(self, table: Table, known: Facts) -> list[Rule]:
        """Return the rules that fire and count, by the table's hit policy."""
        firing = [
            rule for rule in table.rules if all(condition.holds(known[condition.fact]) for condition in rule.when)
        ]
        if table.hit is HitPolicy.COLLECT:
            return firing
        assert table.hit is HitPolicy.FIRST or len(firing) <= 1
        if firing:
            return firing[:1]
        return [table.otherwise] if table.otherwise else []

    def _open(self, missing: tuple[str, ...], facts: Facts) -> frozenset[str]:
        found: set[str] = set()
        for name in missing:
            found |= self._worked_out(self.maker[name], facts)[1] if name in self.maker else {name}
        return frozenset(found)

    def _union(self, table: Table, facts: Facts, opened: frozenset[str]) -> Possible:
        found: dict[str, set[Literal | None]] = {name: set() for name in table.produces}
        for fact in opened:
            for value in self.values[fact]:
                facts[fact] = value
                for name, values in self.possible(table, facts).items():
                    found[name] |= values
            facts[fact] = None
        return {name: frozenset(values) for name, values in found.items()}

    def _values(self, table: Table, counting: list[Rule], known: Facts) -> Possible:
        return {name: frozenset([self._value(table, name, counting, known)]) for name in table.produces}

    def _value(self, table: Table, name: str, counting: list[Rule], known: Facts) -> Literal | None:
        if table.hit is HitPolicy.COLLECT:
            items: list[str] = []
            for rule in counting:
                items.extend(rule.then.get(name, ()))
            return tuple(items)
        if not counting:
            return None
        given = counting[0].then[name]
        if not isinstance(given, SameAs):
            return given
        copied = known[given.fact]
        return copied == "yes" if self.policy.outcomes[name].type is FactType.BOOLEAN else copied
