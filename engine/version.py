"""Files in, a version out: loaded, checked and tabulated; immutable from then on.

``build(files)`` is the only way to make one, and it raises :class:`~engine.problems.PolicyErrors` rather than make a
version of a policy that has any problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from engine.answer import Answer, VersionRef
from engine.check import space_problem, table_problems
from engine.classes import Atoms, Axis, Masks
from engine.digest import digest
from engine.explain import Explainer
from engine.load import load_with_trees
from engine.policy import Decision, Policy, Roster
from engine.problems import PolicyErrors
from engine.settle import Flat, flatten
from engine.tabulate import Grid, all_atoms, axes_over, table_axes, tabulate
from engine.ticket import TicketReader


@dataclass(frozen=True, slots=True)
class Look:
    """How to look an outcome up: for each fact, where its atom stands in a ticket and what that adds to the cell number."""

    outcome: str
    steps: tuple[tuple[int, tuple[int, ...]], ...]

    def cell(self, atoms: list[int]) -> int:
        """Give the number of the cell that a ticket falls in."""
        return sum([cells[atoms[slot]] for slot, cells in self.steps])


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """What it takes to answer a decision: the sent facts it depends on and the rosters it asks.

    ``pick`` takes the atoms of these facts out of a ticket, and ``looks`` tells where its outcomes stand. ``seen`` keeps
    the answers already put together; it changes nothing but the time an answer takes.
    """

    decision: Decision
    facts: tuple[str, ...]
    rosters: tuple[Roster, ...]
    pick: Callable[[list[int]], object]
    looks: tuple[Look, ...]
    seen: dict[object, Answer] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Version:
    """A policy version that can answer.

    ``grids`` are the tables over what they read, ``flats`` the same over sent facts only, both by table name;
    ``producer`` names the table that makes each outcome. ``duty`` keeps who was on duty, by roster and minute.
    """

    policy: Policy
    ref: VersionRef
    atoms: Mapping[str, Atoms]
    grids: Mapping[str, Grid]
    flats: Mapping[str, Flat]
    producer: Mapping[str, str]
    reader: TicketReader
    explainer: Explainer
    plans: Mapping[str, DecisionPlan]
    triage: tuple[DecisionPlan, ...]
    duty: dict[tuple[str, float], str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """The digest of its content."""
        return self.ref.digest


def build(files: Mapping[str, str], root: str = "") -> Version:
    """Build a version from the files of its folder (path in the folder to text).

    ``root`` is put before the paths in problems and answers. Raises PolicyErrors with every problem found.
    """
    policy, trees = load_with_trees(files, root)
    ref = VersionRef(policy.manifest.name, policy.manifest.version, digest(trees))
    return tabulated(policy, ref)


@dataclass(frozen=True, slots=True)
class Layout:
    """A policy spread out in cells: its tables over what they read, and over sent facts only."""

    atoms: Mapping[str, Atoms]
    grids: Mapping[str, Grid]
    flats: Mapping[str, Flat]
    producer: Mapping[str, str]


def lay_out(policy: Policy) -> Layout:
    """Tabulate all tables of a policy, in the order in which they read each other; raises PolicyErrors if one is too large."""
    atoms = all_atoms(policy)
    masks = Masks(atoms)
    producer = {name: table.name for table in policy.tables.values() for name in table.produces}
    axes = _axes(policy, producer, masks)
    grids: dict[str, Grid] = {}
    flats: dict[str, Flat] = {}
    for table in policy.tables.values():
        local, whole = axes[table.name]
        grids[table.name] = tabulate(table, local, masks)
        above = {name: flats[producer[name]] for name in table.reads if name in producer}
        flats[table.name] = flatten(grids[table.name], whole, above, policy, atoms)
    return Layout(atoms, grids, flats, producer)


def tabulated(policy: Policy, ref: VersionRef) -> Version:
    """Tabulate a loaded policy and look at every cell of it."""
    layout = lay_out(policy)
    problems = table_problems(policy, layout.flats, layout.atoms)
    if problems:
        raise PolicyErrors(problems)
    reader = TicketReader(policy.facts, layout.atoms)
    explainer = Explainer(policy, layout.flats, layout.producer, layout.atoms)
    plans = {name: _plan(decision, policy, layout.producer, layout.flats, reader) for name, decision in policy.decisions.items()}
    triage = tuple(plans[name] for name in policy.manifest.triage)
    return Version(policy, ref, layout.atoms, layout.grids, layout.flats, layout.producer, reader, explainer, plans, triage)


def _chains(policy: Policy, producer: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Give the names of the tables that each table depends on, itself included."""
    chains: dict[str, frozenset[str]] = {}
    for table in policy.tables.values():
        chains[table.name] = frozenset({table.name}).union(*(chains[producer[name]] for name in table.reads if name in producer))
    return chains


def _axes(
    policy: Policy, producer: Mapping[str, str], masks: Masks
) -> dict[str, tuple[tuple[Axis, ...], tuple[Axis, ...]]]:
    """Give each table's own axes and its axes over sent facts; refuse those that are too large."""
    axes, problems = {}, []
    chains = _chains(policy, producer)
    for table in policy.tables.values():
        local = table_axes(table, masks)
        chain = [policy.tables[name] for name in sorted(chains[table.name])]
        sent = frozenset(name for other in chain for name in other.reads if name not in producer)
        whole = local if chain == [table] else axes_over(chain, masks, sent)
        axes[table.name] = (local, whole)
        own = space_problem(f"the table `{table.name}`", local, table.place)
        below = space_problem(f"the table `{table.name}`, with all it depends on,", whole, table.place)
        problems += [problem for problem in (own or below,) if problem]
    if problems:
        raise PolicyErrors(problems)
    return axes


def _plan(decision: Decision, policy: Policy, producer: Mapping[str, str], flats: Mapping[str, Flat], reader: TicketReader) -> DecisionPlan:
    facts: set[str] = set()
    rosters: list[Roster] = []
    for name in decision.outcomes:
        if name in producer:
            facts |= {axis.fact for axis in flats[producer[name]].axes}
        else:
            rosters += [roster for roster in policy.rosters.values() if roster.produces == name]
    ordered = tuple(sorted(facts))
    return DecisionPlan(
        decision, ordered, tuple(rosters), _picker([reader.slots[fact] for fact in ordered]),
        tuple(_look(name, flats[producer[name]], reader) for name in decision.outcomes if name in producer),
    )


def _look(name: str, flat: Flat, reader: TicketReader) -> Look:
    steps = []
    for at, axis in enumerate(flat.axes):
        stride = math.prod(flat.cell.shape[at + 1:])
        steps.append((reader.slots[axis.fact], tuple(int(number) * stride for number in axis.class_of)))
    return Look(name, tuple(steps))


def _picker(slots: list[int]) -> Callable[[list[int]], object]:
    return itemgetter(*slots) if slots else lambda _atoms: ()
