"""Policies for the terminal: a matrix as a matrix, rules as when and then, entries as a catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.model.policy import Deadline, Decision, Form, Literal, Policy, Roster, Rule, SameAs, Table
from engine.model.targets import Measure
from engine.model.vocabulary import Fact
from guidepost.render.answer_console import literal_text
from guidepost.render.calendar_console import deadline_rows, elapsed_text, heading_text, measure_text
from guidepost.render.console import grid, indented, rank_style, ruled_table
from guidepost.render.facts_text import allowed_values_text
from guidepost.render.time_text import minutes_text

Part = Table | Roster | Deadline
"""The parts of a policy that compute outcomes."""


def tables_of(policy: Policy, decision: Decision) -> tuple[Part, ...]:
    """Return the tables, rosters and deadlines of a decision, in the order in which they are computed."""
    wanted = set(decision.outcomes)
    deadlines = [deadline for name, deadline in policy.deadlines.items() if name in wanted]
    for deadline in deadlines:
        wanted |= {*deadline.table.reads, deadline.amount, deadline.region}
    facts = {name for table in _tables(policy, wanted) for name in table.reads}
    wanted |= {one.region for one in policy.elapsed.values() if one.fact in facts}
    rosters = (roster for roster in policy.rosters.values() if roster.produces in wanted)
    return (*_tables(policy, wanted), *rosters, *deadlines)


def _tables(policy: Policy, outcomes: set[str]) -> tuple[Table, ...]:
    """Return the tables that compute outcomes, and those whose outcomes they read."""
    wanted, chosen = {*outcomes}, list[Table]()
    for table in reversed(tuple(policy.tables.values())):
        if wanted & set(table.produces):
            chosen.insert(0, table)
            wanted |= set(table.reads)
    return tuple(chosen)


class PolicyPages:
    """Writes the parts of one version."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def decision(self, decision: Decision) -> Iterator[RenderableType]:
        """Yield a decision with its outcomes and tables."""
        yield Text.assemble((decision.name, "bold"), f": {decision.about}" if decision.about else "")
        rows = [("answers", ", ".join(decision.answers))]
        rows += [("beside", ", ".join(decision.beside))] if decision.beside else []
        rows += [("owner", decision.owner)] if decision.owner else []
        yield indented(grid(rows, "cyan"))
        for part in tables_of(self._policy, decision):
            yield ""
            yield from self.part(part)

    def part(self, part: Part) -> Iterator[RenderableType]:
        """Yield a table, a roster or a deadline."""
        match part:
            case Table():
                return self.table(part)
            case Roster():
                return self.roster(part)
            case Deadline():
                return self.deadline(part)

    def table(self, table: Table) -> Iterator[RenderableType]:
        """Yield a table in its written form."""
        yield heading_text(table.name, table.about, table.source, table.place)
        match table.form:
            case Form.MATRIX:
                yield from self._matrix(table)
            case Form.ENTRIES:
                yield from self._entries(table)
            case Form.RULES:
                yield from self._rules(table)
        yield from self._otherwise(table)

    def roster(self, roster: Roster) -> Iterator[RenderableType]:
        """Yield a roster with its opening hours."""
        yield heading_text(roster.name, roster.about, roster.source, roster.place)
        hours = f"{minutes_text(roster.opens)} to {minutes_text(roster.closes)}"
        rows = [(Text(entry.value, "bold"), entry.name, entry.zone, hours) for entry in roster.entries]
        yield indented(ruled_table((roster.produces, "name", "zone", "open"), rows))
        if roster.assumption:
            yield indented(grid([("assumes", roster.assumption)], "yellow"))

    def deadline(self, deadline: Deadline) -> Iterator[RenderableType]:
        """Yield a deadline with its start and its rules."""
        yield heading_text(deadline.name, deadline.about, deadline.table.source, deadline.place)
        yield indented(grid([*deadline_rows(deadline)], "cyan"))
        yield from self._rules(deadline.table)
        yield from self._otherwise(deadline.table)

    def assumptions(self) -> Iterator[RenderableType]:
        """Yield the assumptions: what the policy adds because its source text leaves it open."""
        rows = [
            (Text(assumption.id, "bold"), assumption.reason, assumption.source, Text(str(assumption.place), "dim"))
            for assumption in self._policy.assumptions
        ]
        yield ruled_table(("assumption", "reason", "source", "place"), rows)

    def questions(self) -> Iterator[RenderableType]:
        """Yield the open questions about the source text, each with the chosen reading."""
        for position, question in enumerate(self._policy.questions):
            if position:
                yield ""
            yield heading_text(question.id, "", question.source, question.place)
            rows: list[tuple[RenderableType, ...]] = [("question", question.question), ("reading", question.reading)]
            rows += [("rules", ", ".join(question.rules))] if question.rules else []
            yield indented(grid(rows, "cyan"))

    def facts(self, facts: Mapping[str, Fact], noun: str) -> Iterator[RenderableType]:
        """Yield facts or outcomes with their types and values."""
        rows = [
            (Text(fact.name, "bold"), _type_text(fact), fact.about, Text(allowed_values_text(fact), "cyan"))
            for fact in facts.values()
        ]
        yield ruled_table((noun, "type", "about", "values"), rows)

    def fact(self, fact: Fact) -> Iterator[RenderableType]:
        """Yield one fact or outcome with all values, and what it follows from."""
        yield heading_text(fact.name, fact.about, "", fact.place)
        rows = [("type", _type_text(fact))] + ([] if fact.values else [("values", allowed_values_text(fact))])
        if elapsed := self._policy.elapsed.get(fact.name):
            rows.append(("if not sent", elapsed_text(elapsed)))
        yield indented(grid(rows, "cyan"))
        if fact.values:
            values = [(Text(v.value, "bold"), v.name, v.about, Text(", ".join(v.aliases), "dim")) for v in fact.values]
            yield indented(_dense(("value", "name", "about", "also written"), values))

    def _matrix(self, table: Table) -> Iterator[RenderableType]:
        if (matrix := table.matrix) is None:
            return
        rules = {rule.id: rule for rule in table.rules}
        rows: list[tuple[RenderableType, ...]] = []
        for row in matrix.rows:
            cells = [rules.get(f"{table.name}.{row}.{column}") for column in matrix.columns]
            rows.append((Text(row, "bold"), *(self._cell(cell, table.produces[0]) for cell in cells)))
        shown = ruled_table((f"{matrix.down} \\ {matrix.across}", *matrix.columns), rows)
        yield indented(shown)
        yield from self._assumed(table)

    def _cell(self, rule: Rule | None, outcome: str) -> Text:
        if rule is None:
            return Text("-", "dim")
        value = rule.then[outcome]
        if isinstance(value, SameAs | Measure):
            return self._then_value(rule, outcome)
        return self._value(outcome, value, "reverse") + Text("*" if rule.assumption else "")

    def _entries(self, table: Table) -> Iterator[RenderableType]:
        """Yield a catalogue: entries grouped by their outcomes, or one row each if few share them."""
        groups: dict[str, list[Rule]] = {}
        for rule in table.rules:
            groups.setdefault(self._then(rule).plain, []).append(rule)
        if 2 * len(groups) > len(table.rules):
            yield indented(self._entry_rows(table, table.rules, table.produces))
        else:
            for rules in groups.values():
                yield indented(self._then(rules[0]))
                yield indented(indented(self._entry_rows(table, rules)))
        yield from self._assumed(table)

    def _entry_rows(self, table: Table, rules: Sequence[Rule], outcomes: Sequence[str] = ()) -> RenderableType:
        name = table.reads[0] if table.reads else "entry"
        fact = self._policy.named(name) if table.reads else None
        rows: list[tuple[RenderableType, ...]] = []
        for rule in rules:
            key = rule.id.removeprefix(f"{table.name}.")
            marked = Text.assemble((key, "bold"), "*" if rule.assumption else "")
            values = (self._then_value(rule, outcome) for outcome in outcomes)
            rows.append((marked, fact.display(key) if fact else "", *values, rule.source, Text(rule.about, "dim")))
        headings = (name, "name", *outcomes, "source", "about")
        return _dense(headings, rows) if outcomes else grid(rows)

    def _assumed(self, table: Table) -> Iterator[RenderableType]:
        """Yield each assumption once, with the marked cells or entries that depend on it."""
        reasons: dict[str, list[str]] = {}
        for rule in table.rules:
            if rule.assumption:
                reasons.setdefault(rule.assumption, []).append(rule.id.removeprefix(f"{table.name}."))
        rows = [("*", Text.assemble((f"{', '.join(keys)}: ", "bold"), reason)) for reason, keys in reasons.items()]
        if rows:
            yield indented(grid(rows, "yellow"))

    def _rules(self, table: Table) -> Iterator[RenderableType]:
        if table.rules:
            yield indented(Text(f"hit policy {table.hit.value}", "dim"))
        for rule in table.rules:
            yield from self._rule(rule, rule.id)

    def _rule(self, rule: Rule, title: str) -> Iterator[RenderableType]:
        source = f"  source {rule.source}" if rule.source else ""
        yield indented(Text.assemble((title, "bold"), (f"{source}  line {rule.place.line}", "dim")))
        rows: list[tuple[RenderableType, ...]] = []
        if rule.when:
            rows.append(("when", ", ".join(f"{condition.fact}: {condition.text}" for condition in rule.when)))
        rows.append(("then", self._then(rule)))
        rows += [("note", rule.about)] if rule.about else []
        rows += [("assumes", Text(rule.assumption, "yellow"))] if rule.assumption else []
        yield Padding(grid(rows, "cyan"), (0, 0, 0, 4))

    def _otherwise(self, table: Table) -> Iterator[RenderableType]:
        if table.otherwise is not None:
            yield from self._rule(table.otherwise, "otherwise")
        elif table.has_otherwise:
            yield indented(Text.assemble(("otherwise", "bold"), "  not covered"))

    def _then(self, rule: Rule) -> Text:
        return Text(", ").join(Text.assemble(f"{outcome}: ", self._then_value(rule, outcome)) for outcome in rule.then)

    def _then_value(self, rule: Rule, outcome: str) -> Text:
        value = rule.then.get(outcome)
        match value:
            case None:
                return Text("")
            case SameAs():
                return Text(f"same as {value.fact}", "italic")
            case Measure():
                return Text(measure_text(value), "bold")
            case _:
                return self._value(outcome, value)

    def _value(self, outcome: str, value: Literal, style: str = "") -> Text:
        words = [listed.value for listed in self._policy.named(outcome).values]
        return Text(literal_text(value), f"{rank_style(value, words)} {style}".strip())


def _dense(headings: Iterable[str], rows: Sequence[Sequence[RenderableType]]) -> RenderableType:
    """Return a table without its empty columns."""
    named = list(headings)
    kept = [index for index in range(len(named)) if any(str(row[index]) for row in rows)]
    return ruled_table([named[index] for index in kept], [tuple(row[index] for index in kept) for row in rows])


def _type_text(fact: Fact) -> str:
    return f"{'open ' if fact.open else ''}{fact.type.value}{f', {fact.unit}' if fact.unit else ''}"
