"""Two versions -> their difference: every decision in every situation, and the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from engine.diff.causes import with_causes
from engine.diff.deadlines import compare_deadline, compare_roster, elapsed_changes
from engine.diff.joint_facts import joint_fact
from engine.diff.joint_space import JointSpace, side_of
from engine.diff.nouns import DecisionDiff, Diff, OutcomeDiff
from engine.diff.outcome import compare_outcome
from engine.diff.own_change import table_diffs
from engine.diff.requests import compare_requests
from engine.diff.wording import compare_wording
from engine.diff.words import listed_text
from engine.model.policy import Decision, Roster
from engine.version.bundle import same_desk
from engine.version.version import Version


def compare(before: Version, after: Version) -> Diff:
    """Compare two versions completely: what is not in the difference is the same.

    Raises PolicyErrors if an outcome has more situations than can be compared.
    """
    both = _Versions(before, after)
    decisions = both.decisions()
    changed = dict.fromkeys(name for decision in decisions for name in decision.outcomes)
    found = Diff(
        before=before.ref,
        after=after.ref,
        wording=compare_wording(before.policy, after.policy),
        requests=compare_requests(before, after, both.elapsed),
        outcomes=tuple(map(both.outcome, changed)),
        decisions=decisions,
        tables=table_diffs(before, after, both.space, lambda name: bool(both.by_cells(name).changed)),
        two_desks=not same_desk(before.policy.manifest, after.policy.manifest),
    )
    return with_causes(found, before.policy, after.policy)


class _Versions:
    """Both versions, with the results that the comparison reuses."""

    def __init__(self, before: Version, after: Version) -> None:
        self.before, self.after = before, after
        self.fact = cache(lambda name: joint_fact(name, before, after))
        self.space = JointSpace(side_of(before), side_of(after), self.fact)
        self.by_cells = cache(lambda name: compare_outcome(name, self.space))
        self.outcome = cache(self._outcome)
        self.elapsed = elapsed_changes(before, after, self.by_cells)

    def decisions(self) -> tuple[DecisionDiff, ...]:
        names = dict.fromkeys((*self.after.policy.decisions, *self.before.policy.decisions))
        return tuple(map(self._decision, names))

    def _decision(self, name: str) -> DecisionDiff:
        one, other = self.before.policy.decisions.get(name), self.after.policy.decisions.get(name)
        asked = dict.fromkeys(outcome for decision in (other, one) if decision for outcome in decision.outcomes)
        found = [self.outcome(outcome) for outcome in asked]
        answers = tuple(dict.fromkeys(outcome for decision in (other, one) if decision for outcome in decision.answers))
        return DecisionDiff(
            name=name,
            answers=answers,
            outcomes=tuple(diff.name for diff in found if diff.differs),
            unchanged=tuple(diff.name for diff in found if not diff.differs),
            terms=tuple(self._terms(one, other)) if one and other else (),
            only_before=other is None,
            only_after=one is None,
        )

    def _terms(self, before: Decision, after: Decision) -> Iterator[str]:
        """Yield the changes in what a decision answers or reports, of outcomes that both versions have."""
        if before.answers != after.answers:
            yield f"it answers {', '.join(after.answers)} instead of {', '.join(before.answers)}"
        both = set(self.before.policy.outcomes) & set(self.after.policy.outcomes)
        if shown := [name for name in after.outcomes if name not in before.outcomes and name in both]:
            yield f"it now also reports {', '.join(shown)}"
        if gone := [name for name in before.outcomes if name not in after.outcomes and name in both]:
            yield f"it no longer reports {', '.join(gone)}"

    def _outcome(self, name: str) -> OutcomeDiff:
        if name in self.before.policy.deadlines or name in self.after.policy.deadlines:
            return self._otherwise(
                compare_deadline(name, self.before, self.after, self.fact, self.outcome), self._deadline_reads(name)
            )
        rosters = (_roster(name, self.before), _roster(name, self.after))
        if any(rosters):
            return OutcomeDiff(
                name=name, situations=0, changed=0, changes={}, regions=(), gist=(), terms=compare_roster(*rosters)
            )
        return self._otherwise(self.by_cells(name), self.space.facts(name))

    def _otherwise(self, found: OutcomeDiff, reads: frozenset[str]) -> OutcomeDiff:
        """Add the elapsed times that it reads and that count differently."""
        facts: dict[str, list[str]] = {}
        for fact, said in self.elapsed.items():
            if fact in reads:
                facts.setdefault(said, []).append(f"`{fact}`")
        terms = tuple(
            f"it depends on {listed_text(named)}, which {'is' if len(named) == 1 else 'are'} counted differently: {said}"
            for said, named in facts.items()
        )
        return replace(found, terms=(*found.terms, *terms)) if terms else found

    def _deadline_reads(self, name: str) -> frozenset[str]:
        """Return the facts that a deadline depends on in either version, directly or through outcomes."""
        deadlines = [
            version.policy.deadlines[name] for version in (self.before, self.after) if name in version.policy.deadlines
        ]
        inputs = frozenset(one for deadline in deadlines for one in deadline.goes_by)
        return inputs.union(*map(self.space.facts, inputs))


def _roster(name: str, version: Version) -> Roster | None:
    return next((roster for roster in version.policy.rosters.values() if roster.produces == name), None)
