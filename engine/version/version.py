"""One version of a policy, checked and drawn as diagrams: data only, so that a process that decides imports no loader.

:mod:`engine.version.build` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.deadlines.elapsed import ElapsedPlan
from engine.deadlines.schedule import DeadlinePlan
from engine.model.answer import VersionRef
from engine.model.invariants import InvariantResult
from engine.model.policy import Decision, Policy, Roster
from engine.request.ticket import TicketReader
from engine.tables.atoms import Atoms
from engine.tables.table_diagram import PolicyDiagrams


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPlan:
    """What answering a decision takes.

    Attributes:
        facts: the sent facts that it depends on, sorted.
        key_of: returns the atoms of these facts from the atoms of a ticket.
        tabled: its outcomes that tables produce.
        rosters: the rosters of its outcomes.
        deadlines: the deadlines of its outcomes.
        instants: the instant facts that its rosters and deadlines read.
        index: the position of each outcome.
    """

    decision: Decision
    facts: tuple[str, ...]
    key_of: Callable[[list[int]], object]
    tabled: tuple[str, ...]
    rosters: tuple[Roster, ...]
    deadlines: tuple[DeadlinePlan, ...]
    instants: tuple[str, ...]
    index: Mapping[str, int]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Version:
    """A policy version, checked and drawn as diagrams: data without caches. Two builds of the same files are equal.

    Answers come from a :class:`~engine.decide.decider.Decider`, which owns all caches.

    Attributes:
        ref: its name, number and digest.
        atoms: the atoms of each fact, and of each outcome that tables read.
        producer: the table that produces each outcome.
        diagrams: the tables as diagrams over sent facts. They are not changed: to make nodes, transfer them.
        deadline_diagrams: the tables of the deadlines as diagrams over what they read, by name.
        reader: reads the facts of a request.
        elapsed: the facts that follow from instants.
        plans: what answering each decision takes, by name.
        triage: the plans of the decisions that a new ticket needs, in the order of the manifest.
        invariants: the invariants of the policy, each with its proof.
    """

    policy: Policy = field(hash=False)
    ref: VersionRef
    atoms: Mapping[str, Atoms] = field(compare=False)
    producer: Mapping[str, str] = field(compare=False)
    diagrams: PolicyDiagrams = field(compare=False)
    deadline_diagrams: Mapping[str, PolicyDiagrams] = field(compare=False)
    reader: TicketReader = field(compare=False)
    elapsed: tuple[ElapsedPlan, ...] = field(compare=False)
    plans: Mapping[str, DecisionPlan] = field(compare=False)
    triage: tuple[DecisionPlan, ...] = field(compare=False)
    invariants: tuple[InvariantResult, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        return f"Version({self.ref.name} {self.ref.version}, {self.ref.digest[:12]})"

    @property
    def digest(self) -> str:
        """The digest of its content."""
        return self.ref.digest
