"""A difference as data, for JSON."""

from __future__ import annotations

import math

from engine.diff import Change, DecisionDiff, Diff, DiffRegion, MatrixDiff, OutcomeDiff, OutcomeState, Values, Wording
from engine.diff.nouns import TableDiff
from engine.diff.words import change_text, headline, item_changes, region_text, value_text, when_texts
from engine.model.answer import VersionRef
from engine.model.conditions import NumberInterval
from guidepost.render.console import JsonObject
from guidepost.render.diff_report import DiffReport
from guidepost.render.policy_json import plain_place


def plain_diff(report: DiffReport) -> JsonObject:
    """Return a report as data."""
    diff = report.diff
    return {
        "before": plain_version(diff.before, report.names[0]),
        "after": plain_version(diff.after, report.names[1]),
        "headline": headline(diff),
        "two_desks": diff.two_desks,
        "same_decisions": diff.same_decisions,
        "wording": [_wording(one) for one in report.diff.wording],
        "requests": [_wording(one) for one in diff.requests],
        "matrices": [_matrix(one) for one in report.matrices],
        "tables": [_table(one) for one in diff.tables],
        "outcomes": [_outcome(diff, one) for one in diff.outcomes],
        "decisions": [_decision(one) for one in diff.decisions],
        "budget": [
            {"rule": one.rule, "message": one.message, "region": one.region, "example": one.example}
            for one in report.excesses
        ],
    }


def plain_version(ref: VersionRef, asked: str) -> JsonObject:
    """Return a version, and the name that the command was given for it."""
    return {"asked": asked, "name": ref.name, "version": ref.version, "digest": ref.digest}


def _wording(one: Wording) -> JsonObject:
    return {
        "part": one.part,
        "name": one.name,
        "edit": one.edit.value,
        "what": one.what,
        "before": one.before,
        "after": one.after,
        "place_before": plain_place(one.place_before) if one.place_before else None,
        "place_after": plain_place(one.place_after) if one.place_after else None,
    }


def _matrix(one: MatrixDiff) -> JsonObject:
    def cells(side: dict[tuple[str, str], str]) -> list[list[str]]:
        return [[side.get((row, column), "") for column in one.columns] for row in one.rows]

    return {
        "table": one.table,
        "down": one.down,
        "across": one.across,
        "rows": list(one.rows),
        "columns": list(one.columns),
        "before": cells(dict(one.before)),
        "after": cells(dict(one.after)),
        "changed": [list(cell) for cell in one.changed],
    }


def _table(one: TableDiff) -> JsonObject:
    return {
        "table": one.table,
        "outcome": one.outcome,
        "situations": one.situations,
        "changed": one.changed,
        "share": _share(one.changed, one.situations),
        "others": one.others,
        "only_possible": one.only_possible,
        "place": plain_place(one.place) if one.place else None,
        "regions": [
            {
                "text": ", ".join(when_texts(region.when)),
                "when": [plain_values(values) for values in region.when],
                "change": plain_change(region.change),
                "situations": region.situations,
                "share": _share(region.situations, one.situations),
                "example": dict(region.example),
            }
            for region in one.regions
        ],
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _decision(one: DecisionDiff) -> JsonObject:
    return {
        "decision": one.name,
        "only_before": one.only_before,
        "only_after": one.only_after,
        "terms": list(one.terms),
        "outcomes": list(one.outcomes),
        "unchanged": list(one.unchanged),
    }


def _outcome(diff: Diff, one: OutcomeDiff) -> JsonObject:
    return {
        "outcome": one.name,
        "decisions": list(diff.decisions_with(one.name)),
        "tables": list(one.tables),
        "situations": one.situations,
        "changed": one.changed,
        "share": _share(one.changed, one.situations),
        "over": "inputs" if one.inputs else "facts",
        "changes": [{**plain_change(change), "situations": cells} for change, cells in one.changes.items()],
        "regions": [_region(region) for region in one.regions],
        "gist": [_region(region) for region in one.gist] if one.gist != one.regions else [],
        "follows": [{"outcome": follows.outcome, "changed": follows.situations} for follows in one.follows],
        "terms": list(one.terms),
        "unnamed": one.unnamed,
    }


def plain_change(change: Change) -> JsonObject:
    """Return a change of an outcome; of a list, its items by how they change (always those removed and added)."""
    if change.in_part:
        changed = item_changes(change)
        open_ = {name: list(found) for name, found in zip(changed._fields[2:], changed[2:], strict=True) if found}
        return {
            "text": change_text(change),
            "removed": list(changed.removed),
            "added": list(changed.added),
            **open_,
        }
    return {"text": change_text(change), "from": _state(change.before), "to": _state(change.after)}


def _state(state: OutcomeState) -> JsonObject:
    if state.kind.value != "decided":
        return {"status": state.kind.value}
    value = state.value
    if value is None:
        return {"status": "decided"}
    return {
        "status": "decided",
        "value": list(value)
        if isinstance(value, tuple)
        else value
        if isinstance(value, (str, bool, int, float))
        else value_text(value),
    }


def _region(region: DiffRegion) -> JsonObject:
    return {
        "text": region_text(region),
        "when": [plain_values(values) for values in region.when],
        "situations": region.situations,
        "alike": region.alike,
        "changes": [{**plain_change(change), "situations": cells} for change, cells in region.changes.items()],
        "example": dict(region.example),
    }


def plain_values(values: Values) -> JsonObject:
    """Return the values of one fact in a region."""
    plain: JsonObject = {"fact": values.fact, "unknown": values.unknown}
    if values.sent:
        return {**plain, "any": True}
    if values.but:
        return {**plain, "any_but": list(values.but)}
    return {
        **plain,
        **({"values": list(values.words)} if values.words else {}),
        **({"spans": [_span(span) for span in values.spans]} if values.spans else {}),
    }


def _span(span: NumberInterval) -> JsonObject:
    return {
        "from": None if math.isinf(span.low) else span.low,
        "from_included": span.low_closed,
        "to": None if math.isinf(span.high) else span.high,
        "to_included": span.high_closed,
    }
