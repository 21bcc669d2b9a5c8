"""Policies in, messages out, for policy owners and auditors."""

from __future__ import annotations

from typing import Final

from engine.model.answer import VersionRef
from engine.model.policy import Assumption, Decision, OpenQuestion, Policy
from engine.model.vocabulary import Fact, FactType, Value
from guidepost.server.wire import table_messages as tables
from guidepost.server.wire.answer_message import notice, place, version_ref
from guidepost.v1 import policy_service_pb2

FACT_TYPE: Final = {kind: f"FACT_TYPE_{kind.name}" for kind in FactType}


def summary(policy: Policy, ref: VersionRef) -> policy_service_pb2.VersionSummary:
    """Return the summary of a version."""
    manifest = policy.manifest
    written = policy_service_pb2.VersionSummary(version=version_ref(ref), source=manifest.source, owner=manifest.owner)
    written.effective_from.FromDatetime(manifest.effective_from)
    return written


def policy_version(policy: Policy, ref: VersionRef) -> policy_service_pb2.PolicyVersion:
    """Return a whole version."""
    return policy_service_pb2.PolicyVersion(
        summary=summary(policy, ref),
        triage=policy.manifest.triage,
        decisions=[_definition(decision) for decision in policy.decisions.values()],
        facts=[_fact(fact) for fact in policy.facts.values()],
        outcomes=[_fact(outcome) for outcome in policy.outcomes.values()],
        assumptions=[_assumption(assumed) for assumed in policy.assumptions],
        questions=[_question(question) for question in policy.questions],
        notice=notice(policy.manifest.notice),
        tables=[tables.table(one) for one in policy.tables.values()],
        rosters=[tables.roster(one) for one in policy.rosters.values()],
        deadlines=[tables.deadline(one) for one in policy.deadlines.values()],
        elapsed=[tables.elapsed(one) for one in policy.elapsed.values()],
        calendars=[tables.calendar(one) for one in policy.calendars.values()],
        regions=[tables.region(one) for one in policy.regions.values()],
        holidays=[tables.holidays(one) for one in policy.holidays.values()],
    )


def _assumption(assumed: Assumption) -> policy_service_pb2.Assumption:
    """Write something that is assumed."""
    return policy_service_pb2.Assumption(
        id=assumed.id, reason=assumed.reason, source=assumed.source, place=place(assumed.place)
    )


def _definition(decided: Decision) -> policy_service_pb2.DecisionDefinition:
    """Return the message of a decision's definition."""
    return policy_service_pb2.DecisionDefinition(
        name=decided.name,
        about=decided.about,
        owner=decided.owner,
        answers=decided.answers,
        beside=decided.beside,
        place=place(decided.place),
    )


def _fact(fact: Fact) -> policy_service_pb2.FactDefinition:
    """Return the message of a fact or an outcome, with the values that it can have."""
    return policy_service_pb2.FactDefinition(
        name=fact.name,
        type=FACT_TYPE[fact.type],
        about=fact.about,
        values=[_word(value) for value in fact.values],
        open=fact.open,
        subtags=fact.subtags,
        minimum=fact.minimum,
        maximum=fact.maximum,
        unit=fact.unit,
        place=place(fact.place),
    )


def _word(value: Value) -> policy_service_pb2.FactWord:
    """Return the message of one value of a choice."""
    return policy_service_pb2.FactWord(value=value.value, about=value.about, name=value.name, aliases=value.aliases)


def _question(question: OpenQuestion) -> policy_service_pb2.OpenQuestion:
    """Return the message of an open question."""
    return policy_service_pb2.OpenQuestion(
        id=question.id,
        question=question.question,
        reading=question.reading,
        source=question.source,
        rule_ids=question.rules,
        place=place(question.place),
    )
