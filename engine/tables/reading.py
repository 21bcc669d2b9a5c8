"""What tables read, over sent facts, in a store of its own that may grow.

A table distinguishes fewer values than the whole policy does. A *cell* of a table is a combination of the classes that
its own rules distinguish; what it reads is in one of these classes, class 0 being "has no value".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from engine.diagrams.store import Diagrams, Node
from engine.diagrams.transfer import transfer
from engine.tables.atoms import Atoms
from engine.tables.partition import Partition
from engine.tables.table_diagram import PolicyDiagrams, TableDiagram

Ticket = Mapping[str, int]
"""The facts that are sent, each with its atom."""


class Reading:
    """The facts and outcomes that the tables of a policy, and those of its deadlines, read: diagrams over sent facts.

    ``deadlines`` have the tables of the deadlines over what they read. Without ``drawn`` for an outcome, it is treated
    as a fact that can have any value.
    """

    def __init__(
        self, drawn: PolicyDiagrams, atoms: Mapping[str, Atoms], deadlines: Iterable[PolicyDiagrams] = ()
    ) -> None:
        self.atoms = atoms
        self.producer: Mapping[str, TableDiagram] = {
            name: table for table in drawn.tables.values() for name in table.table.produces
        }
        parts = {fact: [drawn.parts[fact]] for fact in drawn.store.facts}
        for one in deadlines:
            for name, part in sorted(one.parts.items()):
                if name not in self.producer:
                    parts.setdefault(name, []).append(part)
        joint = {fact: _joint(listed) for fact, listed in parts.items()}
        self.class_of = {fact: class_of for fact, (class_of, _) in joint.items()}
        self.members = {fact: members for fact, (_, members) in joint.items()}
        self.store = Diagrams({fact: len(members) for fact, members in self.members.items()})
        self.moved: Callable[[Node], Node] = transfer(
            drawn.store,
            self.store,
            {fact: [drawn.parts[fact].class_of[one] for one in self.members[fact]] for fact in drawn.store.facts},
        )

    def classes(self, name: str, part: Partition, *, for_good: int = 0) -> Node:
        """Draw the class of something that is read; ``for_good`` is that of an outcome that is not covered."""
        if name in self.members:
            return self.store.node(name, [self.store.leaf(part.class_of[one]) for one in self.members[name]])
        drawn = self.producer[name]
        not_covered = len(drawn.domain[name])

        def class_of(one: object) -> int:
            if not isinstance(one, int):
                return 0
            return for_good if one == not_covered else part.class_of[one + 1]

        return self.store.map(class_of, self.moved(drawn.possible[name]))

    def decided(self, name: str) -> Node:
        """Draw where an outcome is decided."""
        drawn = self.producer[name]
        parts = [one.possible for one in drawn.items[name]] if name in drawn.items else [drawn.possible[name]]
        found = self.store.leaf(True)
        for one in parts:
            decided = self.store.map(lambda code: isinstance(code, int), self.moved(one))
            found = self.store.choose(decided, [self.store.leaf(False), found])
        return found

    def ticket(self, classes: Mapping[str, int]) -> Ticket:
        """Return a ticket of these classes, by fact."""
        return {fact: self.members[fact][one] for fact, one in sorted(classes.items()) if one}

    def shortest(self, where: Node) -> Ticket | None:
        """Return the ticket with the fewest facts for which a diagram is true; None if there is none."""
        found = self.store.shortest(where)
        return None if found is None else self.ticket(found)


def _joint(parts: list[Partition]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return classes that distinguish all that any of these parts distinguishes: of each atom, and a member of each."""
    numbers: dict[tuple[int, ...], int] = {}
    members: list[int] = []
    class_of = []
    for atom, key in enumerate(zip(*(one.class_of for one in parts), strict=True)):
        if key not in numbers:
            numbers[key] = len(members)
            members.append(atom)
        class_of.append(numbers[key])
    return tuple(class_of), tuple(members)
