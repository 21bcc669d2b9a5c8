"""The tables of a policy file, in their three forms: trees in, rules out."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

from engine.conditions import Condition, parse_condition
from engine.nearest import did_you_mean
from engine.policy import Form, HitPolicy, Literal, Matrix, Rule, SameAs, Table
from engine.problems import Place, Problem
from engine.reading import Mapping, Node, Scalar, Sequence, items, mapping, pairs, text, texts
from engine.vocabulary import UNKNOWN, UNLISTED, YES, Fact, FactType, boolean_word

TESTABLE = (FactType.CHOICE, FactType.BOOLEAN)
"""The types of outcome that other tables can read."""


@dataclass(slots=True)
class TableReader:
    """Reads the tables of one file; what is wrong is added to ``problems``."""

    facts: MappingOf[str, Fact]
    outcomes: MappingOf[str, Fact]
    source: str
    problems: list[Problem] = field(default_factory=list)

    def table(self, name: str, node: Node, place: Place) -> Table:
        """Read one table."""
        hit = HitPolicy(text(node, "hit")) if text(node, "hit") in set(HitPolicy) else HitPolicy.UNIQUE
        produces = self._produces(name, node, hit)
        source = text(node, "source") or self.source
        forms = [form for form in Form if isinstance(node, Mapping) and form.value in node.entries]
        if len(forms) > 1:
            self._problem(place, "wrong-type", f"the table `{name}` is written in {len(forms)} forms", "use one of rules, matrix, entries")
        form = forms[0] if forms else Form.RULES
        context = _Context(name, hit, produces, source, text(node, "assumption"))
        rules, matrix = self._rules(form, node, context)
        otherwise = node.get("otherwise") if isinstance(node, Mapping) else None
        if not forms and otherwise is None:
            self._problem(place, "missing-key", f"the table `{name}` has neither rules, matrix, entries nor otherwise")
        return Table(
            name, text(node, "about"), hit, form, produces, rules, self._otherwise(otherwise, context),
            otherwise is not None, matrix, source, place,
        )

    def _problem(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place, code, message, help_))

    def _produces(self, name: str, node: Node, hit: HitPolicy) -> tuple[str, ...]:
        written = node.get("produces") if isinstance(node, Mapping) else None
        nodes = written.items if isinstance(written, Sequence) else (written,) if written else ()
        names = []
        for item in nodes:
            if not isinstance(item, Scalar):
                continue
            if item.text not in self.outcomes:
                self._problem(item.place, "unknown-fact", f"no outcome `{item.text}` in the vocabulary", did_you_mean(item.text, self.outcomes))
                continue
            if hit is HitPolicy.COLLECT and self.outcomes[item.text].type is not FactType.LIST:
                self._problem(item.place, "bad-outcome", f"`{item.text}` is not a list; the collect table `{name}` gives lists")
            names.append(item.text)
        return tuple(names)

    def _rules(self, form: Form, node: Node, context: _Context) -> tuple[tuple[Rule, ...], Matrix | None]:
        match form:
            case Form.RULES:
                return tuple(self._rule(item, context) for item in items(node, "rules")), None
            case Form.ENTRIES:
                return self._entries(mapping(node, "entries"), context), None
            case Form.MATRIX:
                return self._matrix(mapping(node, "matrix"), context)

    def _rule(self, node: Node, context: _Context) -> Rule:
        when = self._when(mapping(node, "when"))
        written = node.get("id") if isinstance(node, Mapping) else None
        place = written.place if written is not None else node.place
        return self._finished(text(node, "id"), when, node, place, context)

    def _finished(self, name: str, when: tuple[Condition, ...], node: Node, place: Place, context: _Context) -> Rule:
        then = self._then(mapping(node, "then"), when, place, context)
        return Rule(name, when, then, text(node, "source") or context.source, text(node, "assumption") or context.assumption, text(node, "about"), place)

    def _when(self, node: Mapping | None) -> tuple[Condition, ...]:
        conditions = []
        for name, inner in sorted(pairs(node)):
            place = node.key_places[name] if node else inner.place
            fact = self._testable(name, place)
            condition = parse_condition(fact, inner, self.problems) if fact else None
            if condition is not None:
                conditions.append(condition)
        return tuple(conditions)

    def _testable(self, name: str, place: Place) -> Fact | None:
        if name in self.facts:
            return self.facts[name]
        outcome = self.outcomes.get(name)
        if outcome is None:
            self._problem(place, "unknown-fact", f"unknown fact `{name}`", did_you_mean(name, (*self.facts, *self.outcomes)))
        elif outcome.type not in TESTABLE:
            self._problem(place, "bad-condition", f"the outcome `{name}` is a {outcome.type}; only choices and yes/no can be tested")
            return None
        return outcome

    def _entries(self, node: Mapping | None, context: _Context) -> tuple[Rule, ...]:
        written = node.get("fact") if node else None
        rows = mapping(node, "rows")
        if not isinstance(written, Scalar) or rows is None:
            return ()
        fact = self._testable(written.text, written.place)
        rules = []
        for key, row in rows.entries.items():
            place = rows.key_places[key]
            condition = parse_condition(fact, Scalar(key, place), self.problems) if fact else None
            rules.append(self._finished(f"{context.table}.{key}", (condition,) if condition else (), row, place, context))
        return tuple(rules)

    def _matrix(self, node: Mapping | None, context: _Context) -> tuple[tuple[Rule, ...], Matrix | None]:
        columns, rows = texts(node, "columns"), mapping(node, "rows")
        down, across = (node.get("down"), node.get("across")) if node else (None, None)
        if rows is None or not isinstance(down, Scalar) or not isinstance(across, Scalar):
            return (), None
        if len(context.produces) != 1:
            self._problem(node.place if node else rows.place, "bad-matrix", f"the matrix `{context.table}` must produce exactly one outcome")
            return (), None
        row_fact, column_fact = self._testable(down.text, down.place), self._testable(across.text, across.place)
        if row_fact is None or column_fact is None:
            return (), None
        if row_fact is column_fact:
            self._problem(across.place, "bad-matrix", f"`{across.text}` runs both down and across")
            return (), None
        headings = [parse_condition(column_fact, item, self.problems) for item in items(node, "columns")]
        rules: list[Rule] = []
        for key, row in rows.entries.items():
            heading = parse_condition(row_fact, Scalar(key, rows.key_places[key]), self.problems)
            cells = items(row)
            if len(cells) != len(columns):
                self._problem(rows.key_places[key], "bad-matrix", f"the row `{key}` has {len(cells)} cells under {len(columns)} columns")
                continue
            for column, condition, cell in zip(columns, headings, cells, strict=True):
                when = tuple(sorted((c for c in (heading, condition) if c), key=lambda c: c.fact))
                then = self._outcomes({context.produces[0]: cell}, when)
                rules.append(Rule(f"{context.table}.{key}.{column}", when, then, context.source, context.assumption, "", cell.place))
        return tuple(rules), Matrix(down.text, across.text, tuple(rows.entries), columns)

    def _otherwise(self, node: Node | None, context: _Context) -> Rule | None:
        if not isinstance(node, Mapping):
            return None
        if context.hit is HitPolicy.COLLECT:
            self._problem(node.place, "bad-outcome", "a collect table needs no `otherwise`: no rule firing is an empty list")
            return None
        return self._finished(f"{context.table}.otherwise", (), node, node.place, context)

    def _then(self, node: Mapping | None, when: tuple[Condition, ...], place: Place, context: _Context) -> dict[str, Literal | SameAs]:
        if node is None:
            return {}
        given = {}
        for name, value in node.entries.items():
            if name in context.produces:
                given[name] = value
            elif name in self.outcomes:
                self._problem(node.key_places[name], "bad-outcome", f"the table `{context.table}` does not produce `{name}`",
                              "add it to `produces`, or take it out here")
            else:
                self._problem(node.key_places[name], "unknown-fact", f"unknown outcome `{name}`", did_you_mean(name, context.produces))
        missing = [name for name in context.produces if name not in node.entries]
        if missing and (context.hit is not HitPolicy.COLLECT or not given):
            self._problem(place, "bad-outcome", f"the rule does not say {' and '.join(f'`{name}`' for name in missing)}",
                          f"`{context.table}` produces {', '.join(context.produces)}")
        return self._outcomes(given, when)

    def _outcomes(self, given: MappingOf[str, Node], when: tuple[Condition, ...]) -> dict[str, Literal | SameAs]:
        then = {}
        for name, node in given.items():
            value = self._same_as(self.outcomes[name], node, when) if isinstance(node, Mapping) else self._literal(self.outcomes[name], node)
            if value is not None:
                then[name] = value
        return then

    def _same_as(self, outcome: Fact, node: Mapping, when: tuple[Condition, ...]) -> SameAs | None:
        name = text(node, "same_as")
        if tuple(node.entries) != ("same_as",):
            self._problem(node.place, "bad-outcome", f"`{outcome.name}` is a value or {{same_as: fact}}")
            return None
        fact = self._testable(name, node.entries["same_as"].place)
        if fact is None:
            return None
        condition = next((c for c in when if c.fact == name), None)
        if condition is None or condition.unknown:
            self._problem(node.place, "bad-outcome", f"`{name}` may be unknown where `{outcome.name}` is to be the same", f"add `{name}: {{not: unknown}}` to `when`")
            return None
        extra = sorted(condition.words - ({YES, "no"} if outcome.type is FactType.BOOLEAN else {value.value for value in outcome.values}))
        if fact.numeric or outcome.type not in TESTABLE or extra:
            values = ", ".join(f"`{word}`" for word in extra) or f"the values of `{name}`"
            self._problem(node.place, "bad-outcome", f"`{outcome.name}` cannot be {values}", "both need the same values")
            return None
        return SameAs(name)

    def _literal(self, outcome: Fact, node: Node) -> Literal | None:
        if outcome.type is FactType.LIST:
            return texts(node)
        if not isinstance(node, Scalar):
            self._problem(node.place, "bad-outcome", f"`{outcome.name}` is a {outcome.type}, not a list")
            return None
        written = node.text.strip()
        match outcome.type:
            case FactType.CHOICE:
                known = [value.value for value in outcome.values]
                if written not in known:
                    self._problem(node.place, "unknown-value", f"unknown {outcome.name} `{written}`", did_you_mean(written, known))
                    return None
                return written
            case FactType.BOOLEAN:
                word = boolean_word(written)
                if word is None:
                    self._problem(node.place, "unknown-value", f"`{outcome.name}` is yes or no, not `{written}`")
                return None if word is None else word == YES
            case FactType.NUMBER | FactType.INTEGER:
                return self._number(outcome, node)
            case _:
                return written

    def _number(self, outcome: Fact, node: Scalar) -> float | int | None:
        try:
            number = float(node.text)
        except ValueError:
            number = float("nan")
        low, high = outcome.minimum, outcome.maximum
        whole = outcome.type is not FactType.INTEGER or number == int(number) if number == number and abs(number) != float("inf") else False
        if not whole or (low is not None and number < low) or (high is not None and number > high):
            self._problem(node.place, "bad-outcome", f"`{node.text}` is not a number that `{outcome.name}` can be")
            return None
        return int(number) if number == int(number) else number


@dataclass(frozen=True, slots=True)
class _Context:
    """What the rules of one table share."""

    table: str
    hit: HitPolicy
    produces: tuple[str, ...]
    source: str
    assumption: str


