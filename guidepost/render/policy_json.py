"""Policies as data, for JSON, with a stable order of keys."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.policy import (
    Assumption,
    Deadline,
    Decision,
    Literal,
    OpenQuestion,
    Policy,
    Roster,
    Rule,
    SameAs,
    Table,
)
from engine.model.problems import Place
from engine.model.targets import Measure
from engine.model.vocabulary import Fact
from guidepost.render.console import JsonObject


def plain_overview(policy: Policy) -> JsonObject:
    """Return the manifest of a version, and the names of its parts."""
    manifest = policy.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "effective_from": manifest.effective_from.isoformat(),
        "source": manifest.source,
        "owner": manifest.owner,
        "triage": list(manifest.triage),
        "notice": None if manifest.notice is None else manifest.notice.text,
        "decisions": [plain_decision(decision) for decision in policy.decisions.values()],
        "tables": [
            {"name": table.name, "form": table.form.value, "about": table.about, "rules": len(table.rules)}
            for table in policy.tables.values()
        ],
        "rosters": [{"name": roster.name, "about": roster.about} for roster in policy.rosters.values()],
        "deadlines": [{"name": deadline.name, "about": deadline.about} for deadline in policy.deadlines.values()],
        "elapsed": list(policy.elapsed),
        "calendars": [{"name": calendar.name, "about": calendar.about} for calendar in policy.calendars.values()],
        "regions": list(policy.regions),
        "holidays": list(policy.holidays),
        "facts": list(policy.facts),
        "outcomes": list(policy.outcomes),
        "assumptions": len(policy.assumptions),
        "questions": len(policy.questions),
    }


def plain_decision(decision: Decision) -> JsonObject:
    """Return a decision without its tables."""
    return {
        "name": decision.name,
        "about": decision.about,
        "owner": decision.owner,
        "answers": list(decision.answers),
        "beside": list(decision.beside),
        "place": plain_place(decision.place),
    }


def plain_part(part: Table | Roster | Deadline) -> JsonObject:
    """Return a table, a roster or a deadline with its rules."""
    match part:
        case Table():
            return plain_table(part)
        case Roster():
            return plain_roster(part)
        case Deadline():
            return plain_deadline(part)


def plain_table(table: Table) -> JsonObject:
    """Return a table with all its rules; a matrix also has its rows and columns."""
    layout = table.matrix
    return {
        "name": table.name,
        "about": table.about,
        "form": table.form.value,
        "hit": table.hit.value,
        "reads": list(table.reads),
        "produces": list(table.produces),
        "source": table.source,
        "place": plain_place(table.place),
        "matrix": None
        if layout is None
        else {
            "down": layout.down,
            "across": layout.across,
            "rows": list(layout.rows),
            "columns": list(layout.columns),
        },
        "rules": [plain_rule(rule) for rule in table.rules],
        "otherwise": plain_rule(table.otherwise) if table.otherwise else "not_covered" if table.has_otherwise else None,
    }


def plain_rule(rule: Rule) -> JsonObject:
    """Return a rule with its conditions as written."""
    return {
        "id": rule.id,
        "when": {condition.fact: condition.text for condition in rule.when},
        "then": {outcome: _plain_then(value) for outcome, value in rule.then.items()},
        "source": rule.source,
        "assumption": rule.assumption,
        "about": rule.about,
        "place": plain_place(rule.place),
    }


def _plain_then(value: Literal | SameAs | Measure) -> object:
    match value:
        case SameAs():
            return {"same_as": value.fact}
        case Measure():
            return {"unit": value.unit.value, "rule": value.rule, "calendar": value.calendar, "amount": value.amount}
        case _:
            return value


def plain_deadline(deadline: Deadline) -> JsonObject:
    """Return a deadline with the rules for its amount of time."""
    risk = deadline.at_risk
    return {
        "name": deadline.name,
        "about": deadline.about,
        "form": "deadline",
        "from": deadline.starts,
        "met": deadline.met,
        "amount": deadline.amount,
        "region": deadline.region,
        "when_past": deadline.when_past.value,
        "at_risk": None
        if risk is None
        else {"share": risk.share, "minutes": risk.minutes, "assumption": risk.assumption},
        "holds": {"extend": deadline.holds.extend, "assumption": deadline.holds.assumption},
        "table": plain_table(deadline.table),
        "place": plain_place(deadline.place),
    }


def plain_roster(roster: Roster) -> JsonObject:
    """Return a roster; opening times are local minutes of the day."""
    return {
        "name": roster.name,
        "about": roster.about,
        "form": "roster",
        "at": roster.at,
        "opens": roster.opens,
        "closes": roster.closes,
        "produces": [roster.produces],
        "entries": [{"value": entry.value, "name": entry.name, "zone": entry.zone} for entry in roster.entries],
        "source": roster.source,
        "assumption": roster.assumption,
        "place": plain_place(roster.place),
    }


def plain_assumption(assumption: Assumption) -> JsonObject:
    """Return an assumption with its reason and place."""
    return {
        "id": assumption.id,
        "reason": assumption.reason,
        "source": assumption.source,
        "place": plain_place(assumption.place),
    }


def plain_question(question: OpenQuestion) -> JsonObject:
    """Return an open question with the chosen reading."""
    return {
        "id": question.id,
        "question": question.question,
        "reading": question.reading,
        "source": question.source,
        "rules": list(question.rules),
        "place": plain_place(question.place),
    }


def plain_facts(facts: Mapping[str, Fact]) -> list[JsonObject]:
    """Return facts or outcomes, in the order of the vocabulary."""
    return [plain_fact(fact) for fact in facts.values()]


def plain_fact(fact: Fact) -> JsonObject:
    """Return a fact or outcome with its values."""
    return {
        "name": fact.name,
        "type": fact.type.value,
        "about": fact.about,
        "values": [
            {"value": value.value, "name": value.name, "about": value.about, "aliases": list(value.aliases)}
            for value in fact.values
        ],
        "open": fact.open,
        "minimum": fact.minimum,
        "maximum": fact.maximum,
        "unit": fact.unit,
    }


def plain_place(place: Place) -> JsonObject:
    """Return a place; its file is relative to the folder of the version."""
    return {"file": place.file, "line": place.line, "column": place.column}
