"""Files in, a version out: loaded, checked and tabulated; immutable from then on.

``build(files)`` is the only way to make one, and it raises :class:`~engine.model.problems.PolicyErrors` rather than make a
version of a policy that has any problem.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.cache import Cache
from engine.deadlines.clocks import Clocks
from engine.deadlines.elapsed import ElapsedFact
from engine.deadlines.schedule import Scheduler
from engine.invariants.ground import TabulatedPolicy
from engine.invariants.prove import invariant_problems, prove_invariants
from engine.load import load_with_trees
from engine.load.digest import digest
from engine.model.answer import Answer, Duty, VersionRef
from engine.model.invariants import InvariantResult
from engine.model.policy import Decision, Policy, Roster
from engine.model.problems import PolicyErrors, Problem
from engine.request.lookup import Look, look_for, picker
from engine.request.ticket import TicketReader
from engine.tables.check import space_problem, table_problems
from engine.tables.classes import Atoms, Axis, Masks
from engine.tables.explain import Explainer
from engine.tables.partial import Flat, flatten
from engine.tables.tabulate import Grid, all_atoms, axes_over, table_axes, tabulate

MAX_ANSWERS: Final = 2_000
"""How many answers a version keeps for a decision."""

MAX_TURNS: Final = 20_000
"""How many turns a version keeps, by roster and minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPlan:
    """What it takes to answer a decision: the sent facts it depends on, the rosters and the deadlines it asks.

    ``pick`` takes the atoms of these facts out of a ticket, and ``looks`` tells where its outcomes stand;
    ``instants`` are the instant facts that it asks for, ``places`` tells which outcome is which. ``seen`` keeps the answers already put together; it changes nothing but the time an answer takes.
    """

    decision: Decision
    facts: tuple[str, ...]
    rosters: tuple[Roster, ...]
    schedulers: tuple[Scheduler, ...]
    pick: Callable[[list[int]], object]
    looks: tuple[Look, ...]
    instants: tuple[str, ...]
    places: Mapping[str, int]
    seen: Cache[object, Answer] = field(default_factory=lambda: Cache(MAX_ANSWERS), repr=False, compare=False)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Version:
    """A policy version that can answer.

    ``grids`` are the tables over what they read, ``flats`` the same over sent facts only, both by table name;
    ``timed`` are the grids of the deadlines, over what those read; ``producer`` names the table that makes each outcome;
    ``elapsed`` are the facts that follow from instants; ``invariants`` are those of the policy, each proved. ``duty`` keeps who was on duty, by roster and minute.
    """

    policy: Policy
    ref: VersionRef
    atoms: Mapping[str, Atoms]
    grids: Mapping[str, Grid]
    flats: Mapping[str, Flat]
    timed: Mapping[str, Grid]
    producer: Mapping[str, str]
    reader: TicketReader
    explainer: Explainer
    clocks: Clocks
    elapsed: tuple[ElapsedFact, ...]
    plans: Mapping[str, DecisionPlan]
    triage: tuple[DecisionPlan, ...]
    invariants: tuple[InvariantResult, ...] = ()
    duty: Cache[tuple[str, float], Duty] = field(default_factory=lambda: Cache(MAX_TURNS), repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Version({self.ref.name} {self.ref.version}, {self.ref.digest[:12]})"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A policy spread out in cells: its tables over what they read, and over sent facts only; its deadlines over what they read."""

    atoms: Mapping[str, Atoms]
    grids: Mapping[str, Grid]
    flats: Mapping[str, Flat]
    producer: Mapping[str, str]
    timed: Mapping[str, Flat] = field(default_factory=dict)


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
    return Layout(atoms=atoms, grids=grids, flats=flats, producer=producer, timed=_timed(policy, atoms, masks))


def _timed(policy: Policy, atoms: Mapping[str, Atoms], masks: Masks) -> dict[str, Flat]:
    """Tabulate the deadlines over what they read: an outcome is to them as a fact is to a table."""
    timed, problems = {}, []
    for name, deadline in policy.deadlines.items():
        axes = table_axes(deadline.table, masks)
        problem = space_problem(f"the deadline `{name}`", axes, deadline.place, (deadline.table,))
        problems += [problem] if problem else []
        if not problem:
            timed[name] = flatten(tabulate(deadline.table, axes, masks), axes, {}, policy, atoms)
    if problems:
        raise PolicyErrors(problems)
    return timed


def checked_layout(policy: Policy) -> Layout:
    """Spread a loaded policy out in cells, and look at every one of them; raises PolicyErrors."""
    layout = lay_out(policy)
    problems = table_problems(policy, {**layout.flats, **layout.timed}, layout.atoms)
    if not problems:
        problems = region_problems(policy, layout)
    if problems:
        raise PolicyErrors(problems)
    return layout


def proved(policy: Policy, layout: Layout) -> tuple[InvariantResult, ...]:
    """Prove the invariants of a policy, or find a ticket that shows that one does not hold."""
    return prove_invariants(policy, TabulatedPolicy(layout.flats, layout.producer, layout.atoms))


def tabulated(policy: Policy, ref: VersionRef) -> Version:
    """Tabulate a loaded policy, look at every cell of it, and prove its invariants; raises PolicyErrors."""
    layout = checked_layout(policy)
    proofs = proved(policy, layout)
    problems = invariant_problems(proofs)
    if problems:
        raise PolicyErrors(problems)
    reader = TicketReader(policy.facts, layout.atoms)
    explainer = Explainer(policy, layout.flats, layout.producer, layout.atoms)
    clocks = Clocks(policy)
    schedulers = {name: scheduler_for(name, policy, layout, reader, explainer) for name in policy.deadlines}
    plans = {name: _plan(decision, policy, layout, reader, schedulers) for name, decision in policy.decisions.items()}
    return Version(
        policy=policy,
        ref=ref,
        atoms=layout.atoms,
        grids=layout.grids,
        flats=layout.flats,
        timed={name: flat.grid for name, flat in layout.timed.items()},
        producer=layout.producer,
        reader=reader,
        explainer=explainer,
        clocks=clocks,
        elapsed=tuple(_elapsed(name, policy, layout, reader, explainer, clocks) for name in policy.elapsed),
        plans=plans,
        triage=tuple(plans[name] for name in policy.manifest.triage),
        invariants=proofs,
    )


def region_problems(policy: Policy, layout: Layout) -> list[Problem]:
    """Return where the region of an elapsed time depends on what is still to be worked out from instants."""
    found = []
    for one in policy.elapsed.values():
        waits = (
            {axis.fact for axis in layout.flats[layout.producer[one.region]].axes} & set(policy.elapsed)
            if one.region
            else set()
        )
        if waits:
            found.append(
                Problem(
                    place=one.place,
                    code="cycle",
                    message=f"`{one.fact}` goes by the region `{one.region}`, which depends on {', '.join(sorted(waits))}",
                    help="let the region depend on facts that are sent",
                )
            )
    return found


def _elapsed(
    name: str, policy: Policy, layout: Layout, reader: TicketReader, explainer: Explainer, clocks: Clocks
) -> ElapsedFact:
    one = policy.elapsed[name]
    region = look_for(one.region, layout.flats[layout.producer[one.region]], reader) if one.region else None
    return ElapsedFact(
        elapsed=one,
        slot=reader.slots[name],
        atoms=layout.atoms[name],
        region=region,
        explainer=explainer,
        clocks=clocks,
    )


def scheduler_for(name: str, policy: Policy, layout: Layout, reader: TicketReader, explainer: Explainer) -> Scheduler:
    """Return how the deadline of this name finds its schedule."""
    deadline, grid = policy.deadlines[name], layout.timed[name].grid
    read = dict.fromkeys((*deadline.table.reads, *filter(None, (deadline.amount, deadline.region))))
    flats = {one: layout.flats[layout.producer[one]] for one in read if one in layout.producer}
    facts = {one: reader.slots[one] for one in read if one in reader.slots}
    depends = sorted({axis.fact for flat in flats.values() for axis in flat.axes} | set(facts))
    looks = {one: look_for(one, flat, reader) for one, flat in flats.items()}
    return Scheduler(
        deadline=deadline,
        policy=policy,
        grid=grid,
        looks=looks,
        facts=facts,
        depends=tuple(depends),
        pick=picker(depends, reader),
        explainer=explainer,
        atoms=layout.atoms,
    )


def _chains(policy: Policy, producer: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the names of the tables that each table depends on, itself included."""
    chains: dict[str, frozenset[str]] = {}
    for table in policy.tables.values():
        chains[table.name] = frozenset({table.name}).union(
            *(chains[producer[name]] for name in table.reads if name in producer)
        )
    return chains


def _axes(
    policy: Policy, producer: Mapping[str, str], masks: Masks
) -> dict[str, tuple[tuple[Axis, ...], tuple[Axis, ...]]]:
    """Return each table's own axes and its axes over sent facts; refuse those that are too large."""
    axes, problems = {}, []
    chains = _chains(policy, producer)
    for table in policy.tables.values():
        local = table_axes(table, masks)
        chain = [policy.tables[name] for name in sorted(chains[table.name])]
        sent = frozenset(name for other in chain for name in other.reads if name not in producer)
        whole = local if chain == [table] else axes_over(chain, masks, sent)
        axes[table.name] = (local, whole)
        own = space_problem(f"the table `{table.name}`", local, table.place, (table,))
        below = space_problem(f"the table `{table.name}`, with all it depends on,", whole, table.place, chain)
        problems += [problem for problem in (own or below,) if problem]
    if problems:
        raise PolicyErrors(problems)
    return axes


def _plan(
    decision: Decision, policy: Policy, layout: Layout, reader: TicketReader, schedulers: Mapping[str, Scheduler]
) -> DecisionPlan:
    facts: set[str] = set()
    made = [name for name in decision.outcomes if name in layout.producer]
    for name in made:
        facts |= {axis.fact for axis in layout.flats[layout.producer[name]].axes}
    asked = tuple(schedulers[name] for name in decision.outcomes if name in schedulers)
    for scheduler in asked:
        facts |= set(scheduler.depends)
    rosters = tuple(
        roster for name in decision.outcomes for roster in policy.rosters.values() if roster.produces == name
    )
    ordered = tuple(sorted(facts))
    looks = tuple(look_for(name, layout.flats[layout.producer[name]], reader) for name in made)
    instants = [roster.at for roster in rosters]
    instants += [name for one in asked for name in (one.deadline.starts, one.deadline.met) if name]
    places = {name: place for place, name in enumerate(decision.outcomes)}
    return DecisionPlan(
        decision=decision,
        facts=ordered,
        rosters=rosters,
        schedulers=asked,
        pick=picker(ordered, reader),
        looks=looks,
        instants=tuple(dict.fromkeys(instants)),
        places=places,
    )
