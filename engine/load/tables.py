"""Reads the tables of a policy file in their three forms."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

from engine.load.conditions import parse_condition, plain_number, range_text, undescribed, value_help
from engine.load.node_readers import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    items,
    key_place,
    kind_text,
    mapping,
    pairs,
    text,
    texts,
)
from engine.model.conditions import Condition
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Form, HitPolicy, Literal, Matrix, Rule, SameAs, Table
from engine.model.problems import Place, Problem
from engine.model.vocabulary import UNLISTED, YES, Fact, FactType, boolean_word, number_text

TESTABLE = (FactType.CHOICE, FactType.BOOLEAN)
"""The types of outcome that other tables can read."""

_KEYS = frozenset({"about", "produces", "source", "assumption", "hit"})
"""The keys of a table that do not make rules; any other is one of its forms, or already reported as unknown."""


@dataclass(slots=True, kw_only=True)
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
            self._problem(
                key_place(node, forms[1]),
                "unknown-key",
                f"the table `{name}` has both {' and '.join(f'`{form}`' for form in forms)}",
                "keep one of them",
            )
        form = forms[0] if forms else Form.RULES
        context = _Context(
            table=name,
            hit=hit,
            produces=produces,
            source=source,
            assumption=text(node, "assumption"),
            known=bool(produces) and produces == texts(node, "produces"),
        )
        rules, matrix = self._rules(form, node, context)
        otherwise = node.get("otherwise") if isinstance(node, Mapping) else None
        if isinstance(node, Mapping) and not forms and otherwise is None and set(node.entries) <= _KEYS:
            self._problem(
                place,
                "missing-key",
                f"the table `{name}` has no rules",
                "add `rules`, a `matrix`, `entries`, or only an `otherwise`",
            )
        return Table(
            name=name,
            about=text(node, "about"),
            hit=hit,
            form=form,
            produces=produces,
            rules=rules,
            otherwise=self._otherwise(otherwise, context),
            has_otherwise=otherwise is not None,
            matrix=matrix,
            source=source,
            place=place,
        )

    def _problem(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))

    def _produces(self, name: str, node: Node, hit: HitPolicy) -> tuple[str, ...]:
        written = node.get("produces") if isinstance(node, Mapping) else None
        nodes = written.items if isinstance(written, Sequence) else (written,) if written else ()
        names = []
        for item in nodes:
            if not isinstance(item, Scalar):
                continue
            if item.text not in self.outcomes:
                if item.text:
                    self._problem(item.place, "unknown-fact", *self._no_outcome(item.text, self.outcomes))
                continue
            outcome = self.outcomes[item.text]
            if outcome.type is FactType.INSTANT:
                self._problem(
                    item.place,
                    "bad-outcome",
                    f"expected an outcome that a table can produce, got the instant `{item.text}`",
                    "declare it under `deadlines`",
                )
            elif hit is HitPolicy.COLLECT and outcome.type is not FactType.LIST and not undescribed(outcome):
                self._problem(
                    item.place,
                    "bad-outcome",
                    f"expected a list for the collect table `{name}`, got {kind_text(outcome.type)}, `{item.text}`",
                    "write `type: list` in the vocabulary, or another `hit`",
                )
            names.append(item.text)
        return tuple(names)

    def _no_outcome(self, name: str, known: Iterable[str]) -> tuple[str, str]:
        if name in self.facts:
            return f"expected an outcome, got the fact `{name}`", "callers send facts; tables produce outcomes"
        return f"unknown outcome `{name}`", did_you_mean(name, known)

    def _rules(self, form: Form, node: Node, context: _Context) -> tuple[tuple[Rule, ...], Matrix | None]:
        match form:
            case Form.RULES:
                return tuple(self._rule(item, context) for item in items(node, "rules")), None
            case Form.ENTRIES:
                return self._entries(mapping(node, "entries"), context), None
            case Form.MATRIX:
                return self._matrix(mapping(node, "matrix"), context)

    def _rule(self, node: Node, context: _Context) -> Rule:
        when = self.conditions(mapping(node, "when"))
        written = node.get("id") if isinstance(node, Mapping) else None
        place = written.place if written is not None else node.place
        return self._finished(text(node, "id"), when, node, place, context)

    def _finished(self, name: str, when: tuple[Condition, ...], node: Node, place: Place, context: _Context) -> Rule:
        then = self._then(mapping(node, "then"), when, context)
        return Rule(
            id=name,
            when=when,
            then=then,
            source=text(node, "source") or context.source,
            assumption=text(node, "assumption") or context.assumption,
            about=text(node, "about"),
            place=place,
        )

    def conditions(self, node: Mapping | None) -> tuple[Condition, ...]:
        """Read the conditions of a rule, in alphabetical order of the facts."""
        conditions = []
        for name, inner in sorted(pairs(node)):
            place = node.key_places[name] if node else inner.place
            fact = self._testable(name, place)
            if fact is not None:
                conditions.append(self._condition(fact, inner))
        return tuple(conditions)

    def _condition(self, fact: Fact, node: Node) -> Condition:
        """Read a condition.

        A wrong one is reported and replaced by one that always holds, so that reading continues.
        """
        return parse_condition(fact, node, self.problems) or Condition(
            fact=fact.name, words=frozenset(), intervals=(), negated=False, unknown=False, text="", place=node.place
        )

    def _testable(self, name: str, place: Place) -> Fact | None:
        if name in self.facts:
            return self.facts[name]
        outcome = self.outcomes.get(name)
        if outcome is None:
            self._problem(
                place, "unknown-fact", f"unknown fact `{name}`", did_you_mean(name, (*self.facts, *self.outcomes))
            )
        elif outcome.type not in TESTABLE:
            self._problem(
                place,
                "bad-condition",
                f"tables cannot read the outcome `{name}`, {kind_text(outcome.type)}",
                "only choices and yes/no values can be read",
            )
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
            when = (self._condition(fact, Scalar(key, place)),) if fact else ()
            rules.append(self._finished(f"{context.table}.{key}", when, row, place, context))
        return tuple(rules)

    def _matrix(self, node: Mapping | None, context: _Context) -> tuple[tuple[Rule, ...], Matrix | None]:
        rows = mapping(node, "rows")
        columns = [item for item in items(node, "columns") if isinstance(item, Scalar)]
        down, across = (node.get("down"), node.get("across")) if node else (None, None)
        if node is None or rows is None or not isinstance(down, Scalar) or not isinstance(across, Scalar):
            return (), None
        if len(context.produces) != 1:
            if context.known:
                self._problem(
                    node.place,
                    "bad-matrix",
                    f"expected one outcome in `produces` of the matrix `{context.table}`, got {len(context.produces)}",
                    "write one matrix per outcome, or `rules`",
                )
            return (), None
        row_fact, column_fact = self._testable(down.text, down.place), self._testable(across.text, across.place)
        if row_fact is None or column_fact is None:
            return (), None
        if row_fact is column_fact:
            self._problem(
                across.place,
                "bad-matrix",
                f"`{across.text}` is used both `down` and `across`",
                "use two different facts",
            )
            return (), None
        if len(columns) != len(items(node, "columns")):
            return (), None
        again = self._repeated(columns)
        headings = [self._condition(column_fact, item) for item in columns]
        rules: list[Rule] = []
        for key, row in rows.entries.items():
            heading = self._condition(row_fact, Scalar(key, rows.key_places[key]))
            cells = items(row)
            if len(cells) != len(columns):
                if isinstance(row, Sequence):
                    self._problem(
                        rows.key_places[key],
                        "bad-matrix",
                        f"the row `{key}` has {_counted(len(cells), 'cell')} under {_counted(len(columns), 'column')}",
                        "write one cell per column",
                    )
                continue
            for column, condition, cell in zip(columns, headings, cells, strict=True):
                if column in again:
                    continue
                when = tuple(sorted((heading, condition), key=lambda c: c.fact))
                then = self._outcomes({context.produces[0]: cell}, when) if isinstance(cell, Scalar) else {}
                rules.append(
                    Rule(
                        id=f"{context.table}.{key}.{column.text}",
                        when=when,
                        then=then,
                        source=context.source,
                        assumption=context.assumption,
                        about="",
                        place=cell.place,
                    )
                )
        return tuple(rules), Matrix(
            down=down.text,
            across=across.text,
            rows=tuple(rows.entries),
            columns=tuple(column.text for column in columns),
        )

    def _repeated(self, columns: Iterable[Scalar]) -> set[Scalar]:
        """Return the headings that are repeated."""
        seen: set[str] = set()
        again = set()
        for column in columns:
            if column.text in seen:
                self._problem(
                    column.place, "bad-matrix", f"the column `{column.text}` is repeated", "keep one of the two"
                )
                again.add(column)
            seen.add(column.text)
        return again

    def _otherwise(self, node: Node | None, context: _Context) -> Rule | None:
        if node is not None and context.hit is HitPolicy.COLLECT:
            self._problem(
                node.place,
                "bad-outcome",
                "`otherwise` is not allowed in a collect table: if no rule fires, the list is empty",
                "remove it",
            )
            return None
        if not isinstance(node, Mapping):
            return None
        return self._finished(f"{context.table}.otherwise", (), node, node.place, context)

    def _then(
        self, node: Mapping | None, when: tuple[Condition, ...], context: _Context
    ) -> dict[str, Literal | SameAs]:
        if node is None:
            return {}
        given = {}
        fits = context.known
        for name, value in node.entries.items():
            if name in context.produces:
                given[name] = value
            elif name in self.outcomes:
                if context.known:
                    self._problem(
                        node.key_places[name],
                        "bad-outcome",
                        f"the table `{context.table}` does not produce `{name}`",
                        "add it to `produces`, or remove it here",
                    )
            else:
                fits = False
                self._problem(
                    node.key_places[name], "unknown-fact", *self._no_outcome(name, context.produces or self.outcomes)
                )
        missing = [name for name in context.produces if name not in node.entries]
        if fits and missing and (context.hit is not HitPolicy.COLLECT or not given):
            either = " or " if context.hit is HitPolicy.COLLECT else " and "
            self._problem(
                node.place,
                "bad-outcome",
                f"the rule has no value for {either.join(f'`{name}`' for name in missing)}",
                f"`{context.table}` produces {', '.join(context.produces)}",
            )
        return self._outcomes(given, when)

    def _outcomes(self, given: MappingOf[str, Node], when: tuple[Condition, ...]) -> dict[str, Literal | SameAs]:
        then = {}
        for name, node in given.items():
            value = (
                self._same_as(self.outcomes[name], node, when)
                if isinstance(node, Mapping)
                else self._literal(self.outcomes[name], node)
            )
            if value is not None:
                then[name] = value
        return then

    def _same_as(self, outcome: Fact, node: Mapping, when: tuple[Condition, ...]) -> SameAs | None:
        name = text(node, "same_as")
        if tuple(node.entries) != ("same_as",):
            odd = next((key for key in node.entries if key != "same_as"), None)
            self._problem(
                node.place if odd is None else node.key_places[odd],
                "bad-outcome",
                f"expected a value or {{same_as: fact}} for `{outcome.name}`, got {'nothing' if odd is None else f'{{{odd}: ...}}'}",
                "write the value itself, or `same_as`",
            )
            return None
        place = node.entries["same_as"].place
        if not name:
            self._problem(
                place,
                "bad-outcome",
                "expected one fact in `same_as`",
                f"write {{same_as: fact}} with a fact that has the values of `{outcome.name}`",
            )
            return None
        fact = self._testable(name, place)
        if fact is None or undescribed(fact) or undescribed(outcome):
            return None
        if fact.type not in TESTABLE or outcome.type not in TESTABLE:
            odd_one = outcome if outcome.type not in TESTABLE else fact
            self._problem(
                place,
                "bad-outcome",
                f"`{outcome.name}` cannot be the same as `{name}`: `{odd_one.name}` is {kind_text(odd_one.type)}",
                "only choices and yes/no values can",
            )
            return None
        if fact.type is not outcome.type:
            self._problem(
                place,
                "bad-outcome",
                f"`{outcome.name}` cannot be the same as `{name}`: one is {kind_text(outcome.type)}, the other {kind_text(fact.type)}",
            )
            return None
        condition = next((c for c in when if c.fact == name), None)
        if condition is None or condition.unknown:
            self._problem(
                place,
                "bad-outcome",
                f"`{name}` may be unknown, so `{outcome.name}` cannot be the same",
                f"add `{name}: {{not: unknown}}` to `when`",
            )
            return None
        extra = sorted(condition.words - (set(outcome.words) - {UNLISTED}))
        if extra:
            self._problem(
                place,
                "bad-outcome",
                f"`{outcome.name}` cannot be {', '.join(f'`{word}`' for word in extra)}, as `{name}` can here",
                f"restrict the rule to values of `{name}` that `{outcome.name}` has too",
            )
            return None
        return SameAs(name)

    def _literal(self, outcome: Fact, node: Node) -> Literal | None:
        if outcome.type is FactType.LIST:
            for item in items(node):
                if not isinstance(item, Scalar):
                    self._problem(
                        item.place,
                        "bad-outcome",
                        f"expected texts in the list `{outcome.name}`, got a list or a mapping",
                        "quote a text that contains `: `, `{` or `[`",
                    )
            return texts(node)
        if not isinstance(node, Scalar):
            if not undescribed(outcome):
                self._problem(
                    node.place,
                    "bad-outcome",
                    f"expected {kind_text(outcome.type)} for `{outcome.name}`, got a list",
                    "write one value",
                )
            return None
        written = node.text.strip()
        match outcome.type:
            case FactType.CHOICE:
                if written in {value.value for value in outcome.values} or undescribed(outcome):
                    return written
                self._problem(
                    node.place, "unknown-value", f"unknown {outcome.name} `{written}`", value_help(outcome, written)
                )
                return None
            case FactType.BOOLEAN:
                word = boolean_word(written)
                if word is None:
                    self._problem(
                        node.place,
                        "unknown-value",
                        f"expected yes or no for `{outcome.name}`, got `{written}`",
                        "write yes or no",
                    )
                return None if word is None else word == YES
            case FactType.NUMBER | FactType.INTEGER:
                return self._number(outcome, node)
            case _:
                return written

    def _number(self, outcome: Fact, node: Scalar) -> float | int | None:
        number = plain_number(node.text)
        low, high = outcome.minimum, outcome.maximum
        if number is None or (outcome.type is FactType.INTEGER and number != int(number)):
            kind = "a whole number" if outcome.type is FactType.INTEGER else "a number"
            self._problem(
                node.place,
                "bad-outcome",
                f"expected {kind} for `{outcome.name}`, got `{node.text}`",
                "write digits only, such as 4" if kind != "a number" else "write digits, such as 4 or 2.5",
            )
            return None
        if (low is not None and number < low) or (high is not None and number > high):
            self._problem(
                node.place,
                "bad-outcome",
                f"`{number_text(number)}` is out of range for `{outcome.name}`",
                f"it must be {range_text(outcome)}",
            )
            return None
        return int(number) if number == int(number) else number


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """The context that the rules of one table share."""

    table: str
    hit: HitPolicy
    produces: tuple[str, ...]
    source: str
    assumption: str
    known: bool
    """Whether the vocabulary declares all outcomes in ``produces``."""
