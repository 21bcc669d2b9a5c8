"""Tables as diagrams over sent facts only: what is possible of every outcome, whatever is known.

Tables chain: one reads what another makes. A table is first drawn over what it reads
    (:mod:`engine.tables.rule_diagram`);
each of these is a *selector* here, a diagram over sent facts whose leaves are its states, and the table's diagram is
put over the selectors.

What is possible where facts are missing is computed in one of two ways with the same result: over what the table reads,
if no two of these depend on the same fact, and over the sent facts otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import or_
from typing import Any

from engine.diagrams.store import Diagrams, Node, TooManyNodes
from engine.model.policy import Deadline, HitPolicy, Literal, SameAs, Table
from engine.model.problems import PolicyErrors, Problem
from engine.model.targets import Target, WrittenCalendar
from engine.model.vocabulary import YES, Fact, FactType
from engine.tables import node_limit
from engine.tables.atoms import Atoms
from engine.tables.fact_order import fact_order, reads_of
from engine.tables.node_limit import TableSize, node_problem
from engine.tables.partition import Partition, partitions
from engine.tables.rule_diagram import RuleDiagram, States, joined, rule_diagram, sent_states
from engine.tables.target_rules import target_rules, value_read


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A part of the list that a collect table makes: rules that give it, and the lists that they can give.

    Rules are in one part if they can give the same text, with all rules between them; so a list is decided exactly
    where all its parts are. ``texts`` are these texts in file order. ``diagram`` is of these rules and of those that
    claim what they read, whose positions in the table are ``drawn``. ``possible`` has codes of ``lists``.
    """

    rules: tuple[int, ...]
    texts: tuple[str, ...]
    drawn: tuple[int, ...]
    diagram: RuleDiagram
    lists: tuple[tuple[str, ...], ...]
    possible: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDiagram:
    """A table over sent facts.

    ``rules`` is the table over what it reads; a collect table has one for each part of its list instead, in ``items``.
    ``possible`` has for each outcome what is possible: a code, or several, of its ``domain``; the code after
    the last is "not covered". ``items`` has the parts of the lists of a collect table.
    """

    table: Table
    rules: RuleDiagram | None
    possible: Mapping[str, Node]
    domain: Mapping[str, tuple[Literal, ...]]
    items: Mapping[str, tuple[Items, ...]]

    @property
    def diagrams(self) -> tuple[RuleDiagram, ...]:
        """The diagrams over what the table reads."""
        parts = tuple(one.diagram for items in self.items.values() for one in items)
        return parts if self.rules is None else (self.rules, *parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDiagram:
    """The targets of a deadline over sent facts.

    ``rules`` is its table over what it reads, with the outcomes that set amount and region. ``possible`` has at its
    leaves what is possible: a code, or several, of ``domain``; the code after the last is "nothing is due".
    """

    rules: RuleDiagram
    possible: Node
    domain: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDiagrams:
    """All tables of a policy, and the targets of its deadlines, over the same sent facts.

    ``parts`` has the classes of each fact and outcome that is read. ``sizes`` has how many nodes each table took
    to draw, over sent facts or over what it reads, whichever took more.
    """

    store: Diagrams
    parts: Mapping[str, Partition]
    selectors: Mapping[str, Node]
    tables: Mapping[str, TableDiagram]
    targets: Mapping[str, TargetDiagram] = field(default_factory=dict)
    sizes: Mapping[str, TableSize] = field(default_factory=dict)

    def over_sent(self, rules: RuleDiagram, node: Node) -> Node:
        """Put a diagram over what a table reads over the sent facts."""
        return put_over(self.store, self.selectors, rules.store)(node)


def draw_tables(
    tables: Sequence[Table],
    outcomes: Mapping[str, Fact],
    atoms: Mapping[str, Atoms],
    *,
    deadlines: Iterable[Deadline] = (),
    calendars: Mapping[str, WrittenCalendar] | None = None,
    most: int | None = None,
) -> PolicyDiagrams:
    """Draw tables, each of which comes behind those that it reads, and the targets of deadlines.

    ``most`` is the limit of nodes of a table, by default ``MOST_NODES_A_TABLE``.

    Raises PolicyErrors with every table that takes more nodes, over what it reads or over sent facts;
    those that read its outcomes are not drawn.
    """
    most = node_limit.MOST_NODES_A_TABLE if most is None else most
    timed = tuple(deadlines)
    drawing = _Drawing(tables, outcomes, atoms, most, [one.table for one in timed])
    drawn: dict[str, TableDiagram] = {}
    sizes: dict[str, TableSize] = {}
    problems: list[Problem] = []
    left_out: set[str] = set()
    for table in tables:
        if left_out & set(table.reads):
            left_out.update(table.produces)
            continue
        drawing.store.allow(most)
        try:
            one = drawn[table.name] = drawing.table(table)
            sizes[table.name] = drawing.size(table, *one.diagrams)
        except TooManyNodes as error:
            problems.append(node_problem(table, error.asking, most))
            left_out.update(table.produces)
    targets: dict[str, TargetDiagram] = {}
    for deadline in timed:
        if not left_out & set(deadline.goes_by):
            drawing.store.allow(most)
            try:
                made = targets[deadline.name] = drawing.target(deadline, calendars or {})
                sizes[deadline.table.name] = drawing.size(deadline.table, made.rules)
            except TooManyNodes as error:
                asking = {name.removeprefix(value_read("")): count for name, count in error.asking.items()}
                problems.append(node_problem(deadline.table, asking, most))
    if problems:
        raise PolicyErrors(problems)
    # The limit is of drawing: the checks that follow may make nodes too.
    for store in [drawing.store, *(rules.store for one in drawn.values() for rules in one.diagrams)]:
        store.allow(store.most)
    return PolicyDiagrams(
        store=drawing.store,
        parts=drawing.parts,
        selectors=drawing.selectors,
        tables=drawn,
        targets=targets,
        sizes=sizes,
    )


def put_over(store: Diagrams, selectors: Mapping[str, Node], own: Diagrams) -> Callable[[Node], Node]:
    """Return how a diagram over what is read is put over sent facts, by the selectors of what is read."""
    composed: dict[Node, Node] = {}

    def over_sent(node: Node) -> Node:
        found = composed.get(node)
        if found is None:
            if own.is_leaf(node):
                found = store.leaf(own.value(node))
            else:
                found = store.choose(selectors[own.asks(node)], [over_sent(one) for one in own.children(node)])
            composed[node] = found
        return found

    return over_sent


def where_undecided(rules: RuleDiagram) -> Node:
    """Draw where something that is read can still become something else, and the rules would heed it."""
    own = rules.store
    no = found = own.leaf(False)
    for name, states in rules.states.items():
        if any(states.finals):
            undecided = own.node(name, [own.leaf(bool(one)) for one in states.finals])
            found = own.combine(or_, found, own.choose(undecided, [no, rules.waits[name]]))
    return found


class _Drawing:
    """Draws one table after the other."""

    def __init__(
        self,
        tables: Sequence[Table],
        outcomes: Mapping[str, Fact],
        atoms: Mapping[str, Atoms],
        most: int,
        timed: Sequence[Table],
    ) -> None:
        self.most = most
        self.outcomes = outcomes
        self.atoms = atoms
        self.parts = partitions([*tables, *timed], atoms)
        made = {name for table in tables for name in table.produces}
        facts = dict.fromkeys((*fact_order(tables), *(name for table in timed for name in reads_of(table))))
        self.store = store = Diagrams({fact: self.parts[fact].size for fact in facts if fact not in made})
        self.no, self.yes = store.leaf(False), store.leaf(True)
        self.states: dict[str, States] = {}
        self.selectors: dict[str, Node] = {}
        self.support: dict[str, frozenset[str]] = {}
        self._opened: dict[str, Callable[[], Mapping[str, Node]]] = {}
        self._made: dict[str, tuple[Node, tuple[Literal, ...], Callable[[], Mapping[str, Node]]]] = {}
        for fact in store.facts:
            size = self.parts[fact].size
            self.states[fact] = sent_states(size)
            self.selectors[fact] = store.node(fact, [store.leaf(one) for one in range(size)])
            self.support[fact] = frozenset({fact})

    def size(self, table: Table, *drawn: RuleDiagram) -> TableSize:
        """Return how many nodes a table took, over sent facts or over what it reads, whichever is more."""
        largest = max([self.store, *(rules.store for rules in drawn)], key=lambda store: store.made)
        return TableSize(table=table.name, nodes=largest.made, most=self.most, asking=largest.asking())

    def table(self, table: Table) -> TableDiagram:
        """Draw a table whose producers are drawn."""
        if table.hit is HitPolicy.COLLECT:
            items = {name: self._items(table, name) for name in table.produces}
            # A rule that gives no item is a part as well: it may claim what others read, and must be able to fire.
            idle = [at for at, rule in enumerate(table.rules) if not any(rule.then.values())]
            first = table.produces[0]
            items[first] += tuple(self._part(table, [()] * len(table.rules), (at,)) for at in idle)
            return TableDiagram(table=table, rules=None, possible={}, domain={}, items=items)
        reads = reads_of(table)
        states = {name: self.states[name] for name in reads}
        rules = rule_diagram(table.rules, table.hit, states, self.parts, table.otherwise, most=self.most)
        over_sent = put_over(self.store, self.selectors, rules.store)
        opened = self._opening(rules, over_sent)
        possible: dict[str, Node] = {}
        domain: dict[str, tuple[Literal, ...]] = {}
        for name in table.produces:
            domain[name] = _domain(table, self.outcomes[name])
            possible[name] = self._possible(rules, self._values(table, rules, name, domain[name]), over_sent, opened)
            self._made[name] = (possible[name], domain[name], opened)
            if name in self.parts:
                self._read(name, name, self.parts[name].class_of, self.parts[name].size)
        return TableDiagram(table=table, rules=rules, possible=possible, domain=domain, items={})

    def _possible(
        self,
        rules: RuleDiagram,
        value: Node,
        over_sent: Callable[[Node], Node],
        opened: Callable[[], Mapping[str, Node]],
    ) -> Node:
        """Work out what is possible, from the values that count where nothing is waited for."""
        own = rules.store
        supports = [self.support[name] for name in own.facts]
        if len(frozenset().union(*supports)) == sum(map(len, supports)):
            start = own.choose(where_undecided(rules), [value, own.leaf(())])
            finals = {name: states.finals for name, states in rules.states.items() if any(states.finals)}
            return over_sent(_closed(own, start, rules.waits, finals))
        where = opened()
        waiting = self.no
        for node in where.values():
            waiting = self.store.combine(or_, waiting, node)
        start = self.store.combine(lambda code, waits: () if waits else code, over_sent(value), waiting)
        return _closed(self.store, start, where, {fact: self.states[fact].finals for fact in where})

    def _opening(self, rules: RuleDiagram, over_sent: Callable[[Node], Node]) -> Callable[[], Mapping[str, Node]]:
        """Return what draws, for each sent fact, where it is waited for; few tables need it."""
        known: dict[str, Node] = {}

        def opened() -> Mapping[str, Node]:
            if known:
                return known
            found: dict[str, Node] = {}
            for name, waits in rules.waits.items():
                where = over_sent(waits)
                if where == self.no:
                    continue
                behind = {name: self.yes} if name in self.store.level else self._opened[name]()
                for fact, also in behind.items():
                    both = where if also == self.yes else self.store.combine(lambda a, b: a and b, where, also)
                    found[fact] = both if fact not in found else self.store.combine(or_, found[fact], both)
            known.update((fact, found[fact]) for fact in self.store.facts if found.get(fact, self.no) != self.no)
            return known

        return opened

    def _read(self, read: str, name: str, class_of: Sequence[int], size: int) -> None:
        """Note how an outcome is read: by the class of its code where it is decided, else as without a value.

        ``class_of`` has the class of each code, behind that of no value.
        """
        possible, domain, self._opened[read] = self._made[name]

        def state(code: int) -> int:
            return 0 if code == len(domain) else class_of[code + 1]

        classes = list(range(size))
        finals: list[tuple[int, ...]] = [()] * size
        numbers: dict[tuple[int, ...], int] = {}
        sets = sorted(one for one in self.store.values(possible) if isinstance(one, tuple))
        for one in sets:
            ends = tuple(sorted(set(map(state, one))))
            if ends not in numbers:
                numbers[ends] = len(classes)
                classes.append(0)
                finals.append(ends)
        self.states[read] = States(tuple(classes), tuple(finals))
        self.selectors[read] = self.store.map(
            lambda one: state(one) if isinstance(one, int) else numbers[tuple(sorted(set(map(state, one))))], possible
        )
        self.support[read] = frozenset(self.store.support(possible))

    def target(self, deadline: Deadline, calendars: Mapping[str, WrittenCalendar]) -> TargetDiagram:
        """Draw the targets of a deadline; the outcomes that set its amount and its region are read value by value."""
        used = [name for name in (deadline.amount, deadline.region) if name]
        domains = {name: self._made[name][1] for name in used}
        for name in used:
            count = len(domains[name]) + 1
            self._read(value_read(name), name, range(count), count)
        states = {read: self.states[read] for read in (*reads_of(deadline.table), *map(value_read, used))}
        rules, targets = target_rules(
            deadline, calendars, states=states, parts=self.parts, domains=domains, most=self.most
        )
        domain = tuple(sorted(one for one in rules.store.values(targets) if one is not None))
        code = {one: at for at, one in enumerate(domain)}
        over_sent = put_over(self.store, self.selectors, rules.store)
        value = rules.store.map(lambda one: code.get(one, len(domain)), targets)
        possible = self._possible(rules, value, over_sent, self._opening(rules, over_sent))
        return TargetDiagram(rules=rules, possible=possible, domain=domain)

    def _values(self, table: Table, rules: RuleDiagram, name: str, domain: tuple[Literal, ...]) -> Node:
        """Draw, over what a table reads, the code of what the rules that count say; the last code is "not covered"."""
        own = rules.store
        code: dict[tuple[type, object], int] = {(type(value), value): at for at, value in enumerate(domain)}
        said = [rule.then[name] for rule in table.all_rules]
        copied = sorted({value.fact for value in said if isinstance(value, SameAs)})
        selectors = [own.node(fact, [own.leaf(one) for one in self.states[fact].classes]) for fact in copied]

        def value(counted: tuple[int, ...], *classes: int) -> int:
            if not counted:
                return len(domain)
            given = said[counted[0]]
            if isinstance(given, SameAs):
                member = self.parts[given.fact].members[classes[copied.index(given.fact)]]
                if not member:
                    return len(domain)
                word = self.atoms[given.fact].samples[member - 1]
                given = word == YES if self.atoms[given.fact].fact.type is FactType.BOOLEAN else word
            return code.get((type(given), given), len(domain))

        return own.combine(value, rules.counts, *selectors)

    def _items(self, table: Table, name: str) -> tuple[Items, ...]:
        given = [rule.then.get(name, ()) for rule in table.rules]
        texts = [one if isinstance(one, tuple) else (str(one),) for one in given]
        return tuple(self._part(table, texts, part) for part in _parts(texts))

    def _part(self, table: Table, texts: Sequence[tuple[str, ...]], part: tuple[int, ...]) -> Items:
        """Draw a part of a list, with the rules that decide which facts it waits for."""
        chosen, reads = self._reached(table, part)
        listed = [table.rules[at] for at in chosen]
        states = {name: self.states[name] for name in reads}
        rules = rule_diagram(listed, table.hit, states, self.parts, most=self.most)
        giving = {chosen.index(at): texts[at] for at in part}
        own = rules.store
        made = own.map(
            lambda counted: tuple(chain.from_iterable(giving[rule] for rule in counted if rule in giving)), rules.counts
        )
        lists = tuple(sorted(own.values(made)))
        code = {one: at for at, one in enumerate(lists)}
        over_sent = put_over(self.store, self.selectors, rules.store)
        value = own.map(lambda one: code[one], made)
        return Items(
            rules=part,
            texts=tuple(dict.fromkeys(chain.from_iterable(texts[at] for at in part))),
            drawn=tuple(chosen),
            diagram=rules,
            lists=lists,
            possible=self._possible(rules, value, over_sent, self._opening(rules, over_sent)),
        )

    def _reached(self, table: Table, part: tuple[int, ...]) -> tuple[list[int], list[str]]:
        """Return the rules that decide what a part of a list waits for, and what they read.

        Those are the rules of the part, the rules that claim what these read, and everything that depends on the same
        facts.
        """
        claims = [{one.fact for one in rule.when if one.unknown} for rule in table.rules]
        tested = [{one.fact for one in rule.when} for rule in table.rules]
        reads = reads_of(table)
        chosen = set(part)
        names = set[str]().union(*(tested[at] for at in part))
        while True:
            facts = frozenset[str]().union(*(self.support[name] for name in names))
            more = {name for name in reads if self.support[name] & facts}
            rules = chosen | {at for at, claimed in enumerate(claims) if claimed & (names | more)}
            named = names | more | set[str]().union(*(tested[at] for at in rules))
            if (rules, named) == (chosen, names):
                return sorted(chosen), [name for name in reads if name in names]
            chosen, names = rules, named


def _closed(
    store: Diagrams,
    start: Node,
    waits: Mapping[str, Node],
    finals: Mapping[str, Sequence[Sequence[int]]],
) -> Node:
    """Carry what is possible to the cases that wait, one fact at a time, until nothing changes."""
    node, before = start, -1
    while node != before:
        before = node
        for name in reversed(store.facts):
            if name in finals:
                node = store.widen(node, name, waits[name], finals[name], joined)
    return node


def _parts(texts: Sequence[tuple[str, ...]]) -> list[tuple[int, ...]]:
    """Group rules that give the same text, with all between them.

    >>> _parts([("a",), (), ("b",), ("a", "c"), ("d",)])
    [(0, 2, 3), (4,)]
    """
    last = {text: at for at, given in enumerate(texts) for text in given}
    parts: list[tuple[int, ...]] = []
    part: list[int] = []
    end = -1
    for at, given in enumerate(texts):
        if not given:
            continue
        if part and at > end:
            parts.append(tuple(part))
            part = []
        part.append(at)
        end = max(end, *(last[text] for text in given))
    return [*parts, tuple(part)] if part else parts


def _domain(table: Table, outcome: Fact) -> tuple[Literal, ...]:
    """Return all values that an outcome of a table can have, in the order in which they are shown."""
    if outcome.type is FactType.CHOICE:
        return tuple(value.value for value in outcome.values)
    if outcome.type is FactType.BOOLEAN:
        return (False, True)
    values: set[Any] = {rule.then[outcome.name] for rule in table.all_rules}
    return tuple(sorted(values))
