"""Compares one outcome of two versions: each change with its situations, and regions that a reader can take in."""

from __future__ import annotations

from collections import Counter
from operator import or_

from engine.diagrams.store import TooManyNodes
from engine.diff.joint_space import JointSpace
from engine.diff.list_items import ORDER, item_changes, order_differs
from engine.diff.nouns import OutcomeDiff
from engine.diff.picture import Picture
from engine.diff.states import A_LIST, Changes, States, change_node, is_minor, state_nodes
from engine.model.problems import Place, PolicyErrors, Problem
from engine.tables.node_limit import remembered_together


def compare_outcome(name: str, space: JointSpace) -> OutcomeDiff:
    """Compare an outcome of two versions, either of which may not have it.

    Raises PolicyErrors if it takes too many nodes.
    """
    try:
        return _Comparison(name, space).diff()
    except TooManyNodes as error:
        facts, until = remembered_together(error.asking)
        raise PolicyErrors(
            [
                Problem(
                    place=Place(file=""),
                    code="space-too-large",
                    message=f"`{name}` of the two versions takes more than the limit of {space.store.most:,} nodes: "
                    f"{', '.join(f'`{one}`' for one in facts)} have to be remembered together until `{until}` is read",
                    help="compare each with a version in between that changes less of what it reads",
                )
            ]
        ) from None


class _Comparison:
    """The changes of an outcome as diagrams: one of whole states, and one for items of a list that change together."""

    def __init__(self, name: str, space: JointSpace) -> None:
        self.name, self.space = name, space
        self.states, self.changes = States(), Changes()
        self.nodes = state_nodes(name, space, self.states)
        self.terms: tuple[str, ...] = ()
        self.where = [change_node(space, self.states, self.nodes, self.changes)]
        both = space.store.combine(lambda *numbers: all(self.states[one] == A_LIST for one in numbers), *self.nodes)
        if both != space.store.leaf(False):
            self.where += [node for _, node in item_changes(name, space, both, self.changes)]
            self.terms = (ORDER,) if order_differs(name, space, both) else ()

    def diff(self) -> OutcomeDiff:
        store, nothing = self.space.store, self.space.store.leaf(0)
        where = [node for node in self.where if node != nothing]
        situations = self.space.situations(self.name)
        if not where:
            return OutcomeDiff(
                name=self.name,
                situations=situations.total,
                changed=0,
                changes={},
                regions=(),
                gist=(),
                terms=self.terms,
            )
        counts = Counter[int]()
        anywhere = store.leaf(False)
        for node in where:
            counts.update({store.value(leaf): count for leaf, count in store.count(node, situations.classes).items()})
            anywhere = store.combine(or_, anywhere, store.map(bool, node))
        listed = sorted(
            self.changes.numbers, key=lambda one: (is_minor(one), -counts[self.changes.numbers[one]], str(one))
        )
        changes = {self.changes.numbers[one]: one for one in listed}
        pictures = [Picture(self.space, self.name, node, changes) for node in where]
        regions = tuple(
            region for number in changes for picture in pictures for region in picture.regions.get(number, ())
        )
        gist = None
        if len(regions) > 1 and not any(one.in_part for one in listed):
            gist = pictures[0].gist(self.states, self.nodes)
        return OutcomeDiff(
            name=self.name,
            situations=situations.total,
            changed=store.count(anywhere, situations.classes)[store.leaf(True)],
            changes={change: counts[number] for number, change in changes.items()},
            regions=regions,
            gist=regions if gist is None or len(gist) >= len(regions) else gist,
            terms=self.terms,
            unnamed=sum(picture.unnamed for picture in pictures),
        )
