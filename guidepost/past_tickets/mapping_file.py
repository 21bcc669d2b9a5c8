"""Mapping files: the text of a file in, a ColumnMapping or every problem out.

A JSON Schema checks the shape, and the vocabulary of a version checks the names and values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from engine.clock.zone import zone_names
from engine.load.structure import shape_problems
from engine.load.yaml_tree import Mapping, Node, Scalar, read
from engine.load.yaml_tree import Sequence as Nodes
from engine.model.did_you_mean import did_you_mean
from engine.model.problems import Place, Problem
from engine.model.vocabulary import NOT_COVERED, UNDECIDED, Fact, FactType, boolean_word, folded, value_of
from engine.version.version import Version
from guidepost.past_tickets.mapper import Vocabulary
from guidepost.past_tickets.mapping import (
    EMPTY,
    EPOCHS,
    Always,
    ColumnMapping,
    FromColumn,
    FromTable,
    MappingErrors,
    Repeated,
    Rule,
    UnlistedValue,
)
from guidepost.past_tickets.types import TicketsError
from guidepost.text_encoding import decode_text

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_NAMES: Final[dict[str, Any]] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_VALUES: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _TEXT, "minProperties": 1}
_CLOCK: Final = {"zone": _TEXT, "format": _TEXT}

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?) ?(second|minute|hour|day)s?", re.ASCII)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_DIRECTIVE: Final = re.compile(r"%([A-Za-z%])")
_KNOWN_DIRECTIVES: Final = frozenset("YymdHIMSpbBaAzZjf%T")
_UNLISTED: Final = {one.value: one for one in (UnlistedValue.ERROR, UnlistedValue.UNKNOWN, UnlistedValue.KEEP)}
_WORDS_OF_STATES: Final = (UNDECIDED, NOT_COVERED)


def _object(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _either(*shapes: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that also accepts the name of a column alone."""
    return {"anyOf": [_TEXT, *shapes]}


_COLUMN: Final = {"column": _NAMES, "values": _VALUES, "else": _TEXT}
_TABLE: Final = {
    "table": {"type": "array", "minItems": 1, "items": _object({"when": _VALUES, "then": _TEXT}, ("when", "then"))},
    "else": _TEXT,
}
SCHEMA: Final[dict[str, Any]] = _object(
    {
        "ticket": _TEXT,
        "now": _either(_object({"column": _NAMES, **_CLOCK}, ("column",))),
        "facts": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": _either(
                _object({**_COLUMN, **_TABLE, **_CLOCK, "always": _TEXT, "scale": _TEXT, "decimal": _TEXT})
            ),
        },
        "recorded": {
            "type": "object",
            "additionalProperties": _either(
                _object({**_COLUMN, "scale": _TEXT, "decimal": _TEXT, "within": _TEXT}, ("column",))
            ),
        },
        "recorded_due": {
            "type": "object",
            "additionalProperties": _either(_object({"column": _NAMES, **_CLOCK, "within": _TEXT}, ("column",))),
        },
        "repeated": _TEXT,
        "empty": {"type": "array", "items": _TEXT},
    },
    ("facts",),
)
"""The shape of a mapping file."""


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(SCHEMA)


def read_mapping(path: Path, version: Version | Vocabulary) -> ColumnMapping:
    """Read a mapping file; raises MappingErrors, or TicketsError if the file cannot be read."""
    try:
        text = decode_text(str(path), path.read_bytes())
    except OSError as error:
        raise TicketsError(f"the mapping {path} cannot be read: {error.strerror}") from error
    if isinstance(text, Problem):
        raise MappingErrors([text])
    return mapping_of(str(path), text, version)


def mapping_of(file: str, text: str, version: Version | Vocabulary) -> ColumnMapping:
    """Read the text of a mapping file; raises MappingErrors."""
    tree, problems = read(file, text)
    if tree is None:
        raise MappingErrors(problems)
    problems += shape_problems(_validator(), tree)
    if problems or not isinstance(tree, Mapping):
        raise MappingErrors(problems)
    reader = _Reader(version if isinstance(version, Vocabulary) else Vocabulary.of(version))
    mapping = reader.mapping(file, tree)
    if reader.problems:
        raise MappingErrors(reader.problems)
    return mapping


@dataclass(slots=True)
class _Reader:
    """Reads a tree of the right shape, and collects the problems of its names and values."""

    vocabulary: Vocabulary
    problems: list[Problem] = field(default_factory=list)

    def mapping(self, file: str, tree: Mapping) -> ColumnMapping:
        deadlines = {name: self.vocabulary.outcomes[name] for name in self.vocabulary.deadlines}
        outcomes = {name: one for name, one in self.vocabulary.outcomes.items() if name not in deadlines}
        facts = {
            name: self._fact(one, node)
            for name, one, node in self._named(tree.get("facts"), self.vocabulary.facts, "fact")
        }
        recorded = {
            name: self._outcome(one, node) for name, one, node in self._named(tree.get("recorded"), outcomes, "outcome")
        }
        due = {name: self._due(node) for name, _, node in self._named(tree.get("recorded_due"), deadlines, "deadline")}
        now, ticket, empty = tree.get("now"), tree.get("ticket"), tree.get("empty")
        return ColumnMapping(
            facts=facts,
            ticket=ticket.text if isinstance(ticket, Scalar) else "",
            now=self._clocked(now) if now is not None else None,
            recorded=recorded,
            recorded_due=due,
            empty=tuple(item.text for item in empty.items if isinstance(item, Scalar))
            if isinstance(empty, Nodes)
            else EMPTY,
            name=file,
            repeated=self._repeated(tree, ticket),
        )

    def _repeated(self, tree: Mapping, ticket: Node | None) -> Repeated:
        """Read `repeated`, which needs `ticket`."""
        node = tree.get("repeated")
        if node is None:
            return Repeated.ALL
        if _text(node) not in set(Repeated):
            self._report(
                node.place,
                "bad-format",
                f"expected last, first or all, got `{_text(node)}`",
                "`repeated` selects which of several rows of a ticket count",
            )
            return Repeated.ALL
        if ticket is None:
            self._report(
                tree.key_places["repeated"],
                "missing-key",
                "`repeated` needs `ticket`",
                "name the column with the ids of the tickets",
            )
        return Repeated(_text(node))

    def _report(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))

    def _named(self, node: Node | None, known: Any, kind: str) -> Iterable[tuple[str, Fact, Node]]:
        if not isinstance(node, Mapping):
            return
        for name, inner in node.entries.items():
            if name in known:
                yield name, known[name], inner
            else:
                self._report(
                    node.key_places[name], "unknown-fact", f"unknown {kind} `{name}`", did_you_mean(name, known)
                )

    def _fact(self, fact: Fact, node: Node) -> Rule:
        """Read the rule of a fact: a column, a table, or a constant."""
        if not isinstance(node, Mapping):
            return FromColumn(columns=(_text(node),))
        ways = [way for way in ("column", "always", "table") if way in node.entries]
        if len(ways) != 1:
            said = (
                f"`{fact.name}` has {len(ways)} rules: {', '.join(ways)}"
                if ways
                else f"`column` is missing in `{fact.name}`"
            )
            self._report(
                node.place,
                "missing-key" if not ways else "unknown-key",
                said,
                "a fact has one of `column`, `table` and `always`",
            )
            return Always("")
        belong = {"always": {"always"}, "table": {"table", "else"}}.get(ways[0], self._keys(fact))
        self._only(node, belong, f"a fact of the type {fact.type.value}" if ways == ["column"] else f"`{ways[0]}`")
        if ways == ["always"]:
            return Always(self._value(fact, _get(node, "always")))
        if ways == ["table"]:
            return self._table(fact, node)
        return self._column(fact, node)

    def _keys(self, fact: Fact) -> set[str]:
        if fact.type is FactType.INSTANT:
            return {"column", "zone", "format"}
        return {"column", "values", "else", *(("scale", "decimal") if fact.numeric else ())}

    def _only(self, node: Mapping, belong: set[str], what: str) -> None:
        for key, place in node.key_places.items():
            if key not in belong:
                self._report(
                    place,
                    "unknown-key",
                    f"`{key}` does not belong to {what}",
                    f"it may have {', '.join(f'`{one}`' for one in sorted(belong))}",
                )

    def _table(self, fact: Fact, node: Mapping) -> FromTable:
        rows = []
        for item in _items(node.get("table")):
            when = item.get("when") if isinstance(item, Mapping) else None
            if isinstance(item, Mapping) and isinstance(when, Mapping):
                rows.append(
                    (
                        {column: _text(cell) for column, cell in when.entries.items()},
                        self._value(fact, _get(item, "then")),
                    )
                )
        columns = tuple(dict.fromkeys(column for when, _ in rows for column in when))
        unlisted, fallback = self._unlisted(fact, node)
        return FromTable(columns=columns, rows=tuple(rows), unlisted=unlisted, fallback=fallback)

    def _column(self, fact: Fact, node: Mapping, *, recorded: bool = False) -> FromColumn:
        values = node.get("values")
        listed: dict[str, str] | None = None
        if isinstance(values, Mapping):
            listed = {
                written: self._value(fact, target, recorded=recorded) for written, target in values.entries.items()
            }
            self._distinct(values, listed)
        unlisted, fallback = self._unlisted(fact, node, recorded=recorded)
        if "else" in node.entries and listed is None:
            self._report(
                node.key_places["else"],
                "missing-key",
                "`else` is for values that `values` does not list, and there are no `values`",
                "list the values, or remove `else`",
            )
        decimal = _get(node, "decimal")
        if decimal is not None and _text(decimal) not in (".", ","):
            self._report(
                decimal.place, "bad-format", f"expected `.` or `,` as the decimal sign, got `{_text(decimal)}`"
            )
        zone, form = self._clock(node)
        return FromColumn(
            columns=_columns(node),
            values=listed,
            unlisted=unlisted,
            fallback=fallback,
            scale=self._scale(_get(node, "scale")),
            comma=decimal is not None and _text(decimal) == ",",
            zone=zone,
            format=form,
        )

    def _outcome(self, outcome: Fact, node: Node) -> FromColumn:
        if not isinstance(node, Mapping):
            return FromColumn(columns=(_text(node),))
        rule, within = self._column(outcome, node, recorded=True), _get(node, "within")
        if within is None:
            return rule
        if not outcome.numeric or not _is_number(_text(within)) or float(_text(within)) <= 0:
            what = (
                f"expected a number above 0, got `{_text(within)}`"
                if outcome.numeric
                else f"`within` is for numbers and due times, and `{outcome.name}` is a {outcome.type.value}"
            )
            self._report(within.place, "bad-format", what)
            return rule
        return replace(rule, tolerance=float(_text(within)), tolerance_text=_text(within))

    def _due(self, node: Node) -> FromColumn:
        """Read the rule of a recorded due time, and its tolerance."""
        rule, within = self._clocked(node), _get(node, "within") if isinstance(node, Mapping) else None
        if within is None:
            return rule
        found = _DURATION.fullmatch(_text(within).strip())
        if found is None or not float(found[1]):
            self._report(
                within.place,
                "bad-format",
                f"expected a duration above 0, got `{_text(within)}`",
                "write it as `5 minutes`; units are seconds, minutes, hours and days",
            )
            return rule
        return replace(
            rule, tolerance=float(found[1]) * _SECONDS[found[2]] * 1_000_000, tolerance_text=_text(within).strip()
        )

    def _clocked(self, node: Node) -> FromColumn:
        if not isinstance(node, Mapping):
            return FromColumn(columns=(_text(node),))
        zone, form = self._clock(node)
        return FromColumn(columns=_columns(node), zone=zone, format=form)

    def _clock(self, node: Mapping) -> tuple[str, str]:
        zone, form = _get(node, "zone"), _get(node, "format")
        if zone is not None and _text(zone) not in zone_names():
            self._report(
                zone.place,
                "unknown-value",
                f"unknown time zone `{_text(zone)}`",
                did_you_mean(_text(zone), zone_names()),
            )
        if form is not None:
            self._format(form)
        return _text(zone), _text(form)

    def _format(self, node: Node) -> None:
        text = _text(node)
        if text in EPOCHS:
            return
        directives = _DIRECTIVE.findall(text)
        unknown = [one for one in directives if one not in _KNOWN_DIRECTIVES]
        if unknown or not directives:
            what = (
                f"unknown directive `%{unknown[0]}` in the format"
                if unknown
                else f"expected a format with directives such as `%Y`, got `{text}`"
            )
            self._report(
                node.place,
                "bad-format",
                what,
                f"such as %d/%m/%Y %H:%M, or {', '.join(EPOCHS)} for a number since 1970",
            )

    def _unlisted(self, fact: Fact, node: Mapping, *, recorded: bool = False) -> tuple[UnlistedValue, str]:
        said = _get(node, "else")
        if said is None:
            return UnlistedValue.ERROR, ""
        if _text(said) in _UNLISTED:
            return _UNLISTED[_text(said)], ""
        return UnlistedValue.VALUE, self._value(fact, said, recorded=recorded, more=tuple(_UNLISTED))

    def _value(self, fact: Fact, node: Node | None, *, recorded: bool = False, more: tuple[str, ...] = ()) -> str:
        """Read a value of a fact or outcome; an alias becomes the value it names."""
        if node is None:
            return ""
        text = _text(node)
        if recorded and text in _WORDS_OF_STATES:
            return text
        if fact.type is FactType.CHOICE:
            found = value_of(fact.values, text)
            if found is None and not fact.open and not fact.subtags:
                self._report(
                    node.place,
                    "unknown-value",
                    f"unknown {fact.name} `{text}`",
                    did_you_mean(text, [*(one.value for one in fact.values), *more]),
                )
            return found or text
        if fact.type is FactType.BOOLEAN and boolean_word(text) is None:
            self._report(node.place, "unknown-value", f"expected yes or no for `{fact.name}`, got `{text}`")
        if fact.numeric and not _is_number(text):
            self._report(node.place, "bad-format", f"expected a number for `{fact.name}`, got `{text}`")
        return text

    def _scale(self, node: Node | None) -> float:
        if node is None:
            return 1.0
        if not _is_number(_text(node)) or float(_text(node)) == 0:
            self._report(node.place, "bad-format", f"expected a number other than 0 for `scale`, got `{_text(node)}`")
            return 1.0
        return float(_text(node))

    def _distinct(self, node: Mapping, listed: dict[str, str]) -> None:
        """Report two spellings of one word that have different meanings."""
        first: dict[str, str] = {}
        for written, target in listed.items():
            key = folded(written)
            if first.setdefault(key, written) != written and listed[first[key]] != target:
                self._report(
                    node.key_places[written],
                    "repeated-key",
                    f"`{written}` and `{first[key]}` are read as the same word but have different meanings",
                )


def _columns(node: Mapping) -> tuple[str, ...]:
    named = node.get("column")
    return tuple(_text(item) for item in named.items) if isinstance(named, Nodes) else (_text(named),)


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Nodes) else ()


def _get(node: Mapping, key: str) -> Node | None:
    return node.get(key)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _is_number(text: str) -> bool:
    try:
        return float(text) - float(text) == 0
    except ValueError:
        return False
