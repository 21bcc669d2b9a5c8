"""The files of a policy -> a version, checked and drawn as diagrams.

``build(files)`` raises :class:`~engine.model.problems.PolicyErrors` with every problem of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.deadlines.elapsed import ElapsedPlan
from engine.deadlines.schedule import DeadlinePlan
from engine.invariants.prove import invariant_problems, prove_invariants
from engine.load import load_with_trees
from engine.load.digest import digest
from engine.model.answer import VersionRef
from engine.model.invariants import InvariantResult
from engine.model.policy import Decision, Policy
from engine.model.problems import PolicyErrors, Problem
from engine.request.ticket import TicketReader
from engine.tables.atoms import Atoms, all_atoms
from engine.tables.chain import Chains
from engine.tables.check import table_problems
from engine.tables.compact import compact
from engine.tables.table_diagram import PolicyDiagrams, draw_tables
from engine.version.version import DecisionPlan, Version


def build(files: Mapping[str, str], root: str = "") -> Version:
    """Build a version from the files of its folder (path in the folder to text).

    ``root`` is put before the paths in problems and answers. Raises PolicyErrors with every problem found.
    """
    policy, trees = load_with_trees(files, root)
    ref = VersionRef(policy.manifest.name, policy.manifest.version, digest(trees))
    return version_of_policy(policy, ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTables:
    """The tables of a policy as diagrams over sent facts, and those of its deadlines over what these read."""

    atoms: Mapping[str, Atoms]
    producer: Mapping[str, str]
    diagrams: PolicyDiagrams
    deadline_diagrams: Mapping[str, PolicyDiagrams]

    def table_problems(self, policy: Policy) -> list[Problem]:
        """Return everything wrong with the tables of the policy and of its deadlines."""
        return table_problems(policy, self.diagrams, self.deadline_diagrams, self.atoms)

    def compact(self) -> PolicyTables:
        """Return the same tables without the nodes that only drawing and checking them took."""
        deadlines = {name: compact(drawn) for name, drawn in self.deadline_diagrams.items()}
        return replace(self, diagrams=compact(self.diagrams), deadline_diagrams=deadlines)


def draw_policy(policy: Policy) -> PolicyTables:
    """Return the tables of a policy as diagrams; raises PolicyErrors with every table that takes too many nodes."""
    atoms = all_atoms(policy)
    drawn: dict[str, PolicyDiagrams] = {}
    problems: list[Problem] = []
    groups = {"": list(policy.tables.values())} | {name: [one.table] for name, one in policy.deadlines.items()}
    for name, together in groups.items():
        try:
            drawn[name] = draw_tables(
                together,
                policy.outcomes,
                atoms,
                deadlines=() if name else policy.deadlines.values(),
                calendars=policy.calendars,
            )
        except PolicyErrors as errors:
            # The table of a deadline is drawn twice, over what it reads and over sent facts: it is named once.
            named = {(one.place, one.code) for one in problems}
            problems += [one for one in errors.problems if (one.place, one.code) not in named]
    if problems:
        raise PolicyErrors(problems)
    return PolicyTables(
        atoms=atoms,
        producer={name: table.name for table in policy.tables.values() for name in table.produces},
        diagrams=drawn.pop(""),
        deadline_diagrams=drawn,
    )


def draw_and_check(policy: Policy) -> PolicyTables:
    """Return the tables of a policy; raises PolicyErrors with the problems in them."""
    tables = draw_policy(policy)
    problems = tables.table_problems(policy)
    if not problems:
        problems = region_problems(policy, tables)
    if problems:
        raise PolicyErrors(problems)
    return tables


def invariant_results(policy: Policy, tables: PolicyTables) -> tuple[InvariantResult, ...]:
    """Return the invariants of a policy, each with its proof, or with a ticket that breaks it."""
    return prove_invariants(policy, tables.diagrams, tables.atoms)


def version_of_policy(policy: Policy, ref: VersionRef) -> Version:
    """Return the version of a loaded policy; raises PolicyErrors with the problems of its tables and invariants."""
    tables = draw_and_check(policy)
    proofs = invariant_results(policy, tables)
    problems = invariant_problems(proofs)
    if problems:
        raise PolicyErrors(problems)
    tables = tables.compact()
    reader = TicketReader(policy.facts, tables.atoms)
    deadlines = {name: deadline_plan(name, policy, tables, reader) for name in policy.deadlines}
    plans = {name: _plan(decision, policy, tables, reader, deadlines) for name, decision in policy.decisions.items()}
    return Version(
        policy=policy,
        ref=ref,
        atoms=tables.atoms,
        producer=tables.producer,
        diagrams=tables.diagrams,
        deadline_diagrams=tables.deadline_diagrams,
        reader=reader,
        elapsed=tuple(_elapsed_plan(name, policy, tables, reader) for name in policy.elapsed),
        plans=plans,
        triage=tuple(plans[name] for name in policy.manifest.triage),
        invariants=proofs,
    )


def region_problems(policy: Policy, tables: PolicyTables) -> list[Problem]:
    """Return a problem for each elapsed time whose region depends on an elapsed time."""
    found = []
    chains = Chains(tables.diagrams)
    for one in policy.elapsed.values():
        behind = chains.of(tables.producer[one.region]).facts if one.region else ()
        waits = set(behind) & set(policy.elapsed)
        if waits:
            found.append(
                Problem(
                    place=one.place,
                    code="cycle",
                    message=f"`{one.fact}` depends on the region `{one.region}`, which depends on {', '.join(sorted(waits))}",
                    help="make the region depend on facts that are sent",
                )
            )
    return found


def _elapsed_plan(name: str, policy: Policy, tables: PolicyTables, reader: TicketReader) -> ElapsedPlan:
    one = policy.elapsed[name]
    return ElapsedPlan(
        elapsed=one,
        slot=reader.slots[name],
        atoms=tables.atoms[name],
        region=one.region,
    )


def deadline_plan(name: str, policy: Policy, tables: PolicyTables, reader: TicketReader) -> DeadlinePlan:
    """Return what the deadline of this name depends on."""
    deadline, chains = policy.deadlines[name], Chains(tables.diagrams)
    reads = tuple(one for one in deadline.goes_by if one in tables.producer)
    behind = [chains.of(tables.producer[one]) for one in reads]
    depends = sorted({*deadline.goes_by, *(fact for one in behind for fact in one.facts)} - set(reads))
    return DeadlinePlan(
        deadline=deadline,
        drawn=tables.diagrams.targets[name],
        reads=reads,
        depends=tuple(depends),
        claimed=chains.claimed(deadline.table.rules).union(*(one.claimed for one in behind)),
        key_of=reader.key_of(depends),
    )


def _plan(
    decision: Decision,
    policy: Policy,
    tables: PolicyTables,
    reader: TicketReader,
    deadlines: Mapping[str, DeadlinePlan],
) -> DecisionPlan:
    chains = Chains(tables.diagrams)
    tabled = tuple(name for name in decision.outcomes if name in tables.producer)
    own = tuple(deadlines[name] for name in decision.outcomes if name in deadlines)
    facts = {fact for name in tabled for fact in chains.of(tables.producer[name]).facts}
    facts.update(fact for one in own for fact in one.depends)
    rosters = tuple(
        roster for name in decision.outcomes for roster in policy.rosters.values() if roster.produces == name
    )
    instants = [roster.at for roster in rosters]
    instants += [name for one in own for name in (one.deadline.starts, one.deadline.met) if name]
    return DecisionPlan(
        decision=decision,
        facts=tuple(sorted(facts)),
        key_of=reader.key_of(sorted(facts)),
        tabled=tabled,
        rosters=rosters,
        deadlines=own,
        instants=tuple(dict.fromkeys(instants)),
        index={name: at for at, name in enumerate(decision.outcomes)},
    )
