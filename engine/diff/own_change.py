"""What the changed rules of one table change by themselves, in the words of what the table reads.

The earlier rules are put over the later version's other tables, so only the effect of this table's own rules is left.
It is described where everything that the rules wait for is decided; the situations are those that callers can send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from operator import or_
from typing import Final

import numpy as np

from engine.diagrams.store import Node, TooManyNodes
from engine.diff.box_cover import Box, cover, tight
from engine.diff.joint_facts import REFUSED, joint_fact
from engine.diff.joint_space import JointSpace, Side, side_of
from engine.diff.list_items import item_changes
from engine.diff.nouns import Change, StateKind, TableDiff, TableRegion, Values
from engine.diff.read_states import WAITS, LocalRules, ReadStates
from engine.diff.regions import MOST_WAYS, cells_of
from engine.diff.states import A_LIST, Changes, States, change_node, is_minor, state_nodes
from engine.model.conditions import Condition
from engine.model.policy import Policy, Rule, Table
from engine.model.problems import PolicyErrors
from engine.request.ticket import TicketReader
from engine.tables.atoms import all_atoms
from engine.tables.table_diagram import draw_tables
from engine.version.version import Version

MOST_CHANGES: Final = 100
"""The most changes of one outcome that are described."""


def table_diffs(
    before: Version, after: Version, space: JointSpace, changed: Callable[[str], bool]
) -> tuple[TableDiff, ...]:
    """Return what each table of both versions changes by its own rules; ``changed`` tells which outcomes change."""
    found: list[TableDiff | None] = []
    for table in after.policy.tables.values():
        earlier = space.sides[0].maker
        makers = {name: earlier[name].table for name in table.produces if name in earlier}
        differing = {one.name for one in makers.values() if _differ(one, table)}
        for name, one in makers.items():
            if one.name in differing:
                own = _own_space(before, after, (one, table), space, changed)
                # Where nothing else changed, the outcome changes exactly as its table does.
                if own is not space or changed(name):
                    found.append(_compared(name, own))
    for name, deadline in after.policy.deadlines.items():
        was = before.policy.deadlines.get(name)
        if was is not None and _differ(was.table, deadline.table):
            sides = [_drawn(before.policy, after, one.table, deadline.table) for one in (was, deadline)]
            found.append(_compared(name, _joined(*sides)))
    return tuple(one for one in found if one is not None and one.changed)


def _differ(one: Table, other: Table) -> bool:
    """Return whether the rules of a table differ in more than names, remarks and the order of conditions."""
    return [one.hit, *map(_meaning, one.all_rules)] != [other.hit, *map(_meaning, _with_texts(other, one).all_rules)]


def _meaning(rule: Rule) -> object:
    return (
        {(one.fact, one.words, one.intervals, one.negated, one.unknown) for one in rule.when},
        {name: (type(value), value) for name, value in rule.then.items()},
    )


def _with_texts(table: Table, other: Table) -> Table:
    """Return a table with the conditions of another one where the texts are the same.

    Some texts mean more values if the vocabulary has more.
    """
    known = {(one.fact, one.text): one for rule in other.all_rules for one in rule.when}

    def read(one: Condition) -> Condition:
        return known.get((one.fact, one.text), one)

    return replace(table, rules=tuple(replace(rule, when=tuple(map(read, rule.when))) for rule in table.rules))


def _own_space(
    before: Version, after: Version, tables: tuple[Table, Table], space: JointSpace, changed: Callable[[str], bool]
) -> JointSpace | None:
    """Return a space of the earlier and the later rules of a table, over the same other tables."""
    one, later = tables
    facts = {name for table in space.sides[0].behind(one.name) for name in table.reads if name in space.axes}
    alike = not any(REFUSED in (*space.axes[name].before, *space.axes[name].after) for name in facts)
    outcomes = [name for name in one.reads if name not in before.policy.facts]
    if alike and all(name in space.sides[1].maker and not changed(name) for name in outcomes):
        return space
    return _joined(_drawn(before.policy, after, one, later), space.sides[1])


def _drawn(before: Policy, after: Version, table: Table, later: Table) -> Side | None:
    """Draw a table over the later version's other tables; None if it cannot be, or takes too many nodes."""
    table = _with_texts(table, later)
    side = side_of(after)
    facts = {**before.facts, **after.policy.facts}
    made = [side.maker[name].table.name for name in table.reads if name in side.maker]
    behind = {one.name for name in made for one in side.behind(name)}
    if any(name not in facts and name not in side.maker for name in table.reads) or table.name in behind:
        return None
    tables = {name: one for name, one in after.policy.tables.items() if name in behind} | {table.name: table}
    policy = replace(
        after.policy, facts=facts, outcomes={**before.outcomes, **after.policy.outcomes}, tables=tables, deadlines={}
    )
    atoms = all_atoms(policy)
    try:
        diagrams = draw_tables(list(tables.values()), policy.outcomes, atoms)
    except PolicyErrors:
        return None
    return Side(policy=policy, atoms=atoms, reader=TicketReader(facts, atoms), diagrams=diagrams)


def _joined(before: Side | None, after: Side | None) -> JointSpace | None:
    if before is None or after is None:
        return None
    return JointSpace(before, after, cache(lambda name: joint_fact(name, before, after)))


def _compared(name: str, space: JointSpace | None) -> TableDiff | None:
    if space is None:
        return None
    try:
        return _OwnChange(name, space).diff()
    except TooManyNodes:
        return None


_Key = tuple[int, tuple[int, ...]]
"""The number of a change, and a cell of what the table reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A region of a table; ``over`` has the keys of all situations, of which ``keys`` belong to it."""

    waits: bool
    change: Change
    when: tuple[Values, ...]
    situations: int
    over: Node
    keys: tuple[_Key, ...]

    def order(self) -> tuple[bool, bool, int, str]:
        """Return by what regions are sorted: where all is decided first, then by the number of situations."""
        undecided = StateKind.UNDECIDED in (self.change.before.kind, self.change.after.kind)
        return undecided, self.waits, -self.situations, f"{self.when}{self.change}"


class _OwnChange:
    """The changes of one outcome by the rules of its table, over sent facts and over what the table reads."""

    def __init__(self, name: str, space: JointSpace) -> None:
        self.name, self.space = name, space
        self.states, self.changes = States(), Changes()
        self.reads = ReadStates(name, space)

    def diff(self) -> TableDiff:
        store, situations = self.space.store, self.space.situations(self.name)
        found: list[_Found] = []
        named, weight = store.leaf(False), store.leaf(0)
        for where, local in self._pairs():
            if where != store.leaf(0):
                weight = store.combine(max, weight, self._weights(where))
                found += self._regions(where, local, situations.classes)
        found = sorted(found, key=_Found.order)[:MOST_WAYS]
        for over in dict.fromkeys(one.over for one in found):
            keys = frozenset(chain.from_iterable(one.keys for one in found if one.over == over))
            named = store.combine(or_, named, store.map(partial(_among, keys), over))
        pairs = store.combine(lambda heavy, there: (heavy, there), weight, named)
        counts = {store.value(leaf): count for leaf, count in store.count(pairs, situations.classes).items()}
        possible, others = (counts.get((heavy, False), 0) for heavy in (1, 2))
        table = self.space.sides[1].maker[self.name].table
        return TableDiff(
            table=table.name,
            outcome=self.name,
            situations=situations.total,
            changed=situations.total - sum(counts.get((0, there), 0) for there in (False, True)),
            regions=tuple(map(self._region, found)),
            others=possible + others,
            only_possible=possible,
            place=table.place,
        )

    def _weights(self, where: Node) -> Node:
        """Draw 0 for no change, 1 where only what is still possible changes, and 2 for any other change."""
        weights = {number: 1 if is_minor(change) else 2 for change, number in self.changes.numbers.items()}
        return self.space.store.map(lambda number: weights.get(number, 0), where)

    def _pairs(self) -> Iterator[tuple[Node, Node]]:
        """Yield the numbers of changes over sent facts, and over what the table reads."""
        nodes = state_nodes(self.name, self.space, self.states)
        both = self.space.store.combine(lambda *numbers: all(self.states[one] == A_LIST for one in numbers), *nodes)
        rules = LocalRules(self.reads, self.states, self.changes)
        if both == self.space.store.leaf(False):
            yield change_node(self.space, self.states, nodes, self.changes), rules.change()
        else:
            for texts, where in item_changes(self.name, self.space, both, self.changes):
                yield where, rules.items_change(texts)

    def _regions(self, where: Node, local: Node, classes: Mapping[str, Sequence[int]]) -> Iterator[_Found]:
        """Yield the regions of changes."""
        cells = cells_of(self.reads.store, local)
        if cells.many:
            return
        store, array = self.space.store, cells.array(local)
        selectors = [self.reads.selector(name, groups) for name, groups in cells.groups.items()]
        over = store.combine(lambda number, *cell: (number, cell), where, *selectors)
        counts = {store.value(leaf): count for leaf, count in store.count(over, classes).items()}
        reached, mixed = np.zeros(array.shape, dtype=np.bool_), np.zeros(array.shape, dtype=np.bool_)
        by_number: dict[int, list[_Key]] = {}
        for key in counts:
            mixed[key[1]] = reached[key[1]]
            reached[key[1]] = True
            by_number.setdefault(key[0], []).append(key)
        listed = [(change, by_number[number]) for change, number in self.changes.numbers.items() if number in by_number]
        listed.sort(key=lambda one: (-sum(counts[key] for key in one[1]), str(one[0])))
        for change, seen in listed[:MOST_CHANGES]:
            there = np.zeros(array.shape, dtype=np.bool_)
            for _, cell in seen:
                there[cell] = True
            if not _is_shown(change):
                there &= array != WAITS
            for waits, wanted in ((False, there & ~mixed), (True, there & mixed)):
                for wide in cover(wanted, wanted | ~reached) if wanted.any() else ():
                    box = tight(wide, wanted)
                    keys = tuple(key for key in seen if _inside(key[1], box) and wanted[key[1]])
                    yield _Found(
                        waits=waits,
                        change=change,
                        when=self.reads.when(cells.named(box)),
                        situations=sum(counts[key] for key in keys),
                        over=over,
                        keys=keys,
                    )

    def _region(self, found: _Found) -> TableRegion:
        store = self.space.store
        there = store.map(partial(_among, frozenset(found.keys)), found.over)
        return TableRegion(
            when=found.when,
            change=found.change,
            situations=found.situations,
            example=self.space.ticket(store.shortest(there) or {}),
        )


def _is_shown(change: Change) -> bool:
    """Return whether a change is named where something that is read is undecided."""
    return not is_minor(change) and not change.before.possible and not change.after.possible


def _inside(cell: Sequence[int], box: Box) -> bool:
    return all(at in positions for at, positions in zip(cell, box, strict=True))


def _among(keys: frozenset[object], key: object) -> bool:
    return key in keys
