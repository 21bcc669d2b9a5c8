"""Answers decisions by one version, and owns every cache that this fills.

A decider reads an answer from its cache by the atoms of a ticket, and assembles it from the cells of the tables the
first time. Neither takes longer for a policy with more rules. ``docs/decisions/0038-decider.md`` says why the caches
are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from engine.cache import Cache
from engine.deadlines.clocks import Clocks
from engine.deadlines.elapsed import ElapsedFact
from engine.deadlines.roster import duty
from engine.deadlines.schedule import Scheduler
from engine.decide.assemble import MAX_WORD, assemble_answer
from engine.decide.fill_deadlines import fill_deadlines
from engine.decide.live_decision import LiveDecision
from engine.model.answer import Answer, Duty, Passed, UnknownDecision, VersionRef
from engine.model.policy import Policy, Roster
from engine.request.moment import Moment
from engine.request.ticket import Sent, Ticket
from engine.tables.explain import Explainer
from engine.tables.walk import WalkEnd, walks
from engine.version.bundle import Bundle, Versions
from engine.version.version import Version

NO_MOMENT: Final = Moment()
"""A request without ``now`` and without holds."""

MAX_DUTIES: Final = 20_000
"""How many duties a decider caches, by roster and minute."""


class Decider:
    """Answers decisions by one version.

    Build one for each version, and keep it: its caches make the difference between microseconds and milliseconds. They
    change how long an answer takes, and nothing else. Several threads may use one decider. It is pickled and copied
    without what its caches hold.

    >>> from engine.decide.decider import Decider  # doctest: +SKIP
    >>> decider = Decider(build(files))  # doctest: +SKIP
    >>> decider.decide("priority", {"impact": "high", "urgency": "low"})["priority"].value  # doctest: +SKIP
    'P3'
    """

    __slots__ = ("_decisions", "_duties", "_elapsed", "_triage", "_walks", "clocks", "explainer", "version")

    def __init__(self, version: Version) -> None:
        self.version = version
        self.explainer = Explainer(
            version.policy, version.diagrams, version.producer, version.atoms, version.reader.slots
        )
        self.clocks = Clocks(version.policy)
        self._elapsed = tuple(ElapsedFact(plan, self.explainer, self.clocks) for plan in version.elapsed)
        self._duties: Cache[tuple[str, float], Duty] = Cache(MAX_DUTIES)
        deadlines = {one.deadline.name: one for plan in version.plans.values() for one in plan.deadlines}
        schedulers = {name: Scheduler(plan, self.explainer) for name, plan in deadlines.items()}
        self._decisions = {
            name: LiveDecision(
                version=version,
                plan=plan,
                schedulers=tuple(schedulers[one.deadline.name] for one in plan.deadlines),
                explainer=self.explainer,
                clocks=self.clocks,
            )
            for name, plan in version.plans.items()
        }
        self._triage = tuple(self._decisions[plan.decision.name] for plan in version.triage)
        self._walks: tuple[tuple[int, Any], ...] = ()

    def __reduce__(self) -> tuple[type[Decider], tuple[Version]]:
        return Decider, (self.version,)

    def __repr__(self) -> str:
        return f"Decider({self.version!r})"

    @property
    def policy(self) -> Policy:
        """The policy of the version."""
        return self.version.policy

    @property
    def ref(self) -> VersionRef:
        """The name, number and digest of the version."""
        return self.version.ref

    @property
    def digest(self) -> str:
        """The digest of the version."""
        return self.version.ref.digest

    def decide(self, decision: str, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> Answer:
        """Answer one decision.

        Args:
            decision: the name of a decision of the version.
            facts: fact name to value; a fact that is left out, or None, is not known.
            moment: ``now`` and the holds on the ticket; without it, no deadline has a state.

        Raises:
            UnknownDecision: the version does not have this decision.
            WrongRequest: with every fact that the version cannot read.
        """
        live = self._decisions.get(decision)
        if live is None:
            raise UnknownDecision(decision, tuple(sorted(self._decisions)))
        ticket, passed = self.read(facts, moment)
        return self._answer(live, ticket, moment, passed)

    def triage(self, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> tuple[Answer, ...]:
        """Answer all decisions that a new ticket needs, in the order of the manifest.

        Raises WrongRequest with every fact that the version cannot read.
        """
        ticket, passed = self.read(facts, moment)
        if ticket.unlisted or passed:
            return tuple([self._answer(live, ticket, moment, passed) for live in self._triage])
        atoms, instants, _ = ticket
        # The common case inline: an answer that does not depend on instants is in the cache under the atoms alone.
        return tuple(
            [
                (None if instants and live.plan.instants else live.answers.get(live.plan.key_of(atoms)))
                or self._answer(live, ticket, moment)
                for live in self._triage
            ]
        )

    def outcomes(self, ticket: Ticket) -> list[WalkEnd]:
        """Return the outcomes of tables in all decisions that a new ticket needs, without their reasons.

        A few steps lead to them, for a ticket met before or not; the first call writes the steps, and takes longer. The
        outcomes of rosters and deadlines are not among them.

        >>> from engine.decide.decider import Decider  # doctest: +SKIP
        >>> ticket, _ = decider.read({"impact": "high", "urgency": "low"})  # doctest: +SKIP
        >>> [one.value for end in decider.outcomes(ticket) for one in end.values]  # doctest: +SKIP
        ['P3', 'assessed', ...]
        """
        atoms, found = ticket.atoms, []
        for slot, way in self._walks or self._written_walks():
            while slot >= 0:
                slot, way = way[atoms[slot]]  # noqa: PLW2901
            found.append(way)
        return found

    def read(self, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> tuple[Ticket, tuple[Passed, ...]]:
        """Read the facts of a request, and add those that follow from its instants and ``now``.

        Raises WrongRequest with every fact that the version cannot read.
        """
        ticket = self.version.reader.read(facts)
        if not ticket.instants or moment.now is None:
            return ticket, ()
        passed = []
        for elapsed in self._elapsed:
            ticket, one = elapsed.add_to(ticket, moment.now)
            if one is not None:
                passed.append(one)
        return ticket, tuple(passed)

    def scheduler(self, deadline: str) -> Scheduler:
        """Return the scheduler of a deadline that some decision asks for; raises KeyError for any other."""
        for live in self._decisions.values():
            for one in live.schedulers:
                if one.plan.deadline.name == deadline:
                    return one
        raise KeyError(deadline)

    @property
    def elapsed(self) -> tuple[ElapsedFact, ...]:
        """What computes the facts that follow from instants."""
        return self._elapsed

    @property
    def cached_answers(self) -> int:
        """How many answers of a triage are cached."""
        return sum(len(live.answers) for live in self._triage)

    def _written_walks(self) -> tuple[tuple[int, Any], ...]:
        """Write the walks to the outcomes of a triage: few callers need them, and they are larger than all the rest."""
        version = self.version
        self._walks = tuple(
            [step for plan in version.triage for step in walks(version.diagrams, plan.tabled, version.reader.slots)]
        )
        return self._walks

    def _answer(self, live: LiveDecision, ticket: Ticket, moment: Moment, passed: tuple[Passed, ...] = ()) -> Answer:
        """Answer one decision for a ticket that is read."""
        atoms, instants, unlisted = ticket
        plan = live.plan
        key = plan.key_of(atoms)
        if not (unlisted or passed or (instants and plan.instants)):
            return live.answers.get(key) or _assembled(live, ticket, key, {})
        duties = [self._duty(roster, instants[roster.at]) for roster in plan.rosters if roster.at in instants]
        due = [one.deadline.name for one in plan.deadlines if one.deadline.starts in instants]
        if duties or due or unlisted:
            turns = tuple([(duty.outcome, duty.now.value) for duty in duties])
            key = (key, turns, tuple(due), tuple([one for one in unlisted if one[0] in plan.facts]))
        undated = live.answers.get(key) or _assembled(live, ticket, key, {duty.outcome: duty for duty in duties})
        counted = tuple([one for one in passed if one.fact in plan.facts]) if passed else ()
        if duties or due or counted:
            return fill_deadlines(live, undated, ticket, moment, duties=tuple(duties), passed=counted)
        return undated

    def _duty(self, roster: Roster, instant: datetime) -> Duty:
        """Return who is on duty at an instant; cached by minute, since zones and hours change on whole minutes."""
        key = (roster.name, instant.timestamp() // 60)
        found = self._duties.get(key)
        if found is None:
            found = self._duties.put(key, duty(roster, instant))
        return Duty(outcome=found.outcome, at=instant, daytime=found.daytime, now=found.now, next=found.next)


Deciders: TypeAlias = Versions[Decider]
"""The deciders of a bundle, in the order in which their versions come into effect."""


def bundle_deciders(bundle: Bundle) -> Deciders:
    """Return a new decider for each version of a bundle."""
    return Versions(tuple(Decider(version) for version in bundle.versions))


def decide(version: Version, decision: str, facts: Mapping[str, Sent], moment: Moment = NO_MOMENT) -> Answer:
    """Answer one decision, once. Build a :class:`Decider` to answer more than one."""
    return Decider(version).decide(decision, facts, moment)


def _assembled(live: LiveDecision, ticket: Ticket, key: object, duties: Mapping[str, Duty]) -> Answer:
    """Assemble an answer without instants, and cache it unless it holds very long words of the caller."""
    made = assemble_answer(live, ticket, duties)
    if all(len(word) <= MAX_WORD for _, word in ticket.unlisted):
        live.answers.put(key, made)
    return made
