"""Differences of versions in, messages out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from engine.diff import (
    Change,
    DecisionDiff,
    Diff,
    DiffRegion,
    Edit,
    OutcomeDiff,
    OutcomeState,
    StateKind,
    Values,
    Wording,
)
from engine.diff.nouns import TableDiff, TableRegion
from engine.diff.summary import follows_text
from engine.diff.words import change_text, headline, item_changes, region_text, when_texts
from engine.model.conditions import NumberInterval
from engine.model.targets import Measure
from guidepost.server.wire.answer_message import place, value, version_ref
from guidepost.server.wire.table_messages import measure
from guidepost.v1 import diff_pb2

EDIT: Final = {edit: getattr(diff_pb2, f"EDIT_{edit.name}") for edit in Edit}
_MOST: Final = 2**64 - 1
"""The largest count of a message."""

KIND: Final = {kind: getattr(diff_pb2, f"OUTCOME_STATE_KIND_{kind.name}") for kind in StateKind}


def diff_summary(diff: Diff) -> diff_pb2.DiffSummary:
    """Return the summary of a difference."""
    return diff_pb2.DiffSummary(
        before=version_ref(diff.before),
        after=version_ref(diff.after),
        headline=headline(diff),
        same_decisions=diff.same_decisions,
        wording=[_wording(one) for one in diff.wording],
        requests=[_wording(one) for one in diff.requests],
        tables=[_table(one) for one in diff.tables],
        outcomes=[_outcome_summary(diff, one) for one in diff.outcomes],
    )


def _table(one: TableDiff) -> diff_pb2.TableDiff:
    return diff_pb2.TableDiff(
        table=one.table,
        outcome=one.outcome,
        situations=_counted(one.situations),
        changed=_counted(one.changed),
        share=_share(one.changed, one.situations),
        regions=[_table_region(region, one.situations) for region in one.regions],
        others=_counted(one.others),
        only_possible=_counted(one.only_possible),
        place=place(one.place) if one.place else None,
    )


def _table_region(region: TableRegion, of: int) -> diff_pb2.TableRegion:
    (change,) = _changes({region.change: region.situations})
    return diff_pb2.TableRegion(
        text=", ".join(when_texts(region.when)),
        when=[_values(values) for values in region.when],
        change=change,
        share=_share(region.situations, of),
        example=region.example,
    )


def _outcome_summary(diff: Diff, one: OutcomeDiff) -> diff_pb2.OutcomeSummary:
    return diff_pb2.OutcomeSummary(
        name=one.name,
        decisions=diff.decisions_with(one.name),
        tables=one.tables,
        share=_share(one.changed, one.situations),
        text=follows_text(one),
    )


def _counted(number: int) -> int:
    return min(number, _MOST)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def decision_diff(diff: Diff, one: DecisionDiff) -> diff_pb2.DecisionDiff:
    """Return the difference of one decision, with its outcomes that change."""
    return diff_pb2.DecisionDiff(
        name=one.name,
        only_before=one.only_before,
        only_after=one.only_after,
        terms=one.terms,
        outcomes=[_outcome(outcome) for outcome in diff.outcomes_of(one)],
        unchanged=one.unchanged,
    )


def _wording(one: Wording) -> diff_pb2.WordingChange:
    return diff_pb2.WordingChange(
        part=one.part,
        name=one.name,
        edit=EDIT[one.edit],
        what=one.what,
        before=one.before,
        after=one.after,
        place_before=place(one.place_before) if one.place_before else None,
        place_after=place(one.place_after) if one.place_after else None,
    )


def _outcome(one: OutcomeDiff) -> diff_pb2.OutcomeDiff:
    return diff_pb2.OutcomeDiff(
        name=one.name,
        situations=_counted(one.situations),
        changed=_counted(one.changed),
        over_inputs=one.inputs,
        changes=_changes(one.changes),
        regions=[_region(region) for region in one.regions],
        gist=[_region(region) for region in one.gist],
        follows=[
            diff_pb2.FollowedOutcome(name=follows.outcome, changed=_counted(follows.situations))
            for follows in one.follows
        ],
        terms=one.terms,
        unnamed=_counted(one.unnamed),
    )


def _changes(changes: Mapping[Change, int]) -> list[diff_pb2.OutcomeChange]:
    return [
        diff_pb2.OutcomeChange(
            before=_state(change.before),
            after=_state(change.after),
            in_part=change.in_part,
            situations=_counted(cells),
            text=change_text(change),
            **_open_items(change),
        )
        for change, cells in changes.items()
    ]


def _open_items(change: Change) -> dict[str, tuple[str, ...]]:
    """Return the items of a list that are open in one version, by how they change."""
    if not change.in_part:
        return {}
    changed = item_changes(change)
    return dict(zip(changed._fields[2:], changed[2:], strict=True))


def _state(state: OutcomeState) -> diff_pb2.OutcomeState:
    written = diff_pb2.OutcomeState(kind=KIND[state.kind])
    if isinstance(state.value, Measure):
        written.measure.CopyFrom(measure(state.value))
    elif state.value is not None:
        written.value.CopyFrom(value(state.value))
    return written


def _region(region: DiffRegion) -> diff_pb2.DiffRegion:
    return diff_pb2.DiffRegion(
        text=region_text(region),
        when=[_values(values) for values in region.when],
        changes=_changes(region.changes),
        situations=_counted(region.situations),
        alike=_counted(region.alike),
        example=region.example,
    )


def _values(values: Values) -> diff_pb2.FactValues:
    return diff_pb2.FactValues(
        fact=values.fact,
        unknown=values.unknown,
        any=values.sent,
        words=values.words,
        spans=[_span(span) for span in values.spans],
        any_but=values.but,
    )


def _span(span: NumberInterval) -> diff_pb2.NumberSpan:
    return diff_pb2.NumberSpan(
        low=None if math.isinf(span.low) else span.low,
        high=None if math.isinf(span.high) else span.high,
        low_included=span.low_closed,
        high_included=span.high_closed,
    )
