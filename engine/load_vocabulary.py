"""The vocabulary file: tree in, facts and outcomes out."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Final

from engine.nearest import did_you_mean
from engine.problems import Place, Problem
from engine.reading import Mapping, Node, Scalar, flag, items, number, pairs, text, texts
from engine.vocabulary import RESERVED, UNLISTED, Fact, FactType, Value, folded

Listed = MappingOf[str, tuple[tuple[Value, Place], ...]]
"""The rows of each entry table, as values."""

_NOT_FACTS: Final = frozenset({FactType.LIST})
_NOT_OUTCOMES: Final = frozenset({FactType.INSTANT})


def listed_values(trees: MappingOf[str, Node]) -> Listed:
    """Gather the rows of every entry table of these files, sorted by key."""
    found: dict[str, tuple[tuple[Value, Place], ...]] = {}
    for tree in trees.values():
        for name, table in pairs(tree, "tables"):
            entries = table.get("entries") if isinstance(table, Mapping) else None
            rows = entries.get("rows") if isinstance(entries, Mapping) else None
            if isinstance(rows, Mapping):
                found[name] = tuple(
                    (Value(key, text(row, "about"), text(row, "name"), texts(row, "aliases")), rows.key_places[key])
                    for key, row in sorted(rows.entries.items())
                )
    return found


def load_vocabulary(tree: Node, listed: Listed, problems: list[Problem]) -> tuple[dict[str, Fact], dict[str, Fact]]:
    """Read the facts and the outcomes, by name."""
    facts = _section(tree, "facts", listed, _NOT_FACTS, problems)
    outcomes = _section(tree, "outcomes", listed, _NOT_OUTCOMES, problems)
    for name in sorted(facts.keys() & outcomes.keys()):
        problems.append(Problem(outcomes[name].place, "repeated-id", f"`{name}` is already a fact", "an outcome needs a name of its own"))
    return facts, outcomes


def _section(tree: Node, key: str, listed: Listed, refused: frozenset[FactType], problems: list[Problem]) -> dict[str, Fact]:
    section = tree.get(key) if isinstance(tree, Mapping) else None
    facts: dict[str, Fact] = {}
    for name, node in sorted(pairs(section)):
        place = section.key_places[name] if isinstance(section, Mapping) else node.place
        kind = text(node, "type")
        if kind not in set(FactType) or FactType(kind) in refused:
            continue
        if name in RESERVED:
            problems.append(Problem(place, "repeated-id", f"`{name}` is a word of the policy language", "choose another name"))
        facts[name] = _fact(name, FactType(kind), node, place, listed, problems)
    return facts


def _fact(name: str, kind: FactType, node: Node, place: Place, listed: Listed, problems: list[Problem]) -> Fact:
    fact = Fact(
        name, kind, text(node, "about"), _values(name, kind, node, place, listed, problems),
        open=flag(node, "open"), subtags=flag(node, "subtags"),
        minimum=number(node, "minimum"), maximum=number(node, "maximum"), unit=text(node, "unit"), ask=text(node, "ask") == "" or flag(node, "ask"), place=place,
    )
    for key in ("open", "subtags"):
        if flag(node, key) and kind is not FactType.CHOICE:
            problems.append(Problem(_key(node, key), "unknown-key", f"`{key}` is for a choice; `{name}` is a {kind}"))
    for key in ("minimum", "maximum", "unit"):
        if text(node, key) and not fact.numeric:
            problems.append(Problem(_key(node, key), "unknown-key", f"`{key}` is for a number; `{name}` is a {kind}"))
    if fact.minimum is not None and fact.maximum is not None and fact.minimum >= fact.maximum:
        problems.append(Problem(_key(node, "minimum"), "bad-format", f"the minimum of `{name}` is not below its maximum"))
    return fact


def _key(node: Node, key: str) -> Place:
    return node.key_places.get(key, node.place) if isinstance(node, Mapping) else node.place


def _values(name: str, kind: FactType, node: Node, place: Place, listed: Listed, problems: list[Problem]) -> tuple[Value, ...]:
    written = items(node, "values")
    table = text(node, "values_in")
    if kind is not FactType.CHOICE:
        if written or table:
            problems.append(Problem(_key(node, "values" if written else "values_in"), "unknown-key", f"values are for a choice; `{name}` is a {kind}"))
        return ()
    if bool(written) == bool(table):
        problems.append(Problem(place, "missing-key", f"the choice `{name}` needs either `values` or `values_in`"))
        return ()
    if table and table not in listed:
        problems.append(Problem(_key(node, "values_in"), "unknown-reference", f"no entry table `{table}`", did_you_mean(table, listed)))
        return ()
    placed = listed[table] if table else tuple(_value(item) for item in written if text(item, "value"))
    _check_spellings(name, placed, problems)
    return tuple(value for value, _ in placed)


def _value(node: Node) -> tuple[Value, Place]:
    value = Value(text(node, "value"), text(node, "about"), text(node, "name"), texts(node, "aliases"))
    written = node.get("value") if isinstance(node, Mapping) else None
    return value, written.place if isinstance(written, Scalar) else node.place


def _check_spellings(name: str, placed: tuple[tuple[Value, Place], ...], problems: list[Problem]) -> None:
    """Two values may not be written alike, and none may be a word of the language."""
    taken: dict[str, str] = {}
    for value, place in placed:
        if value.value in RESERVED | {UNLISTED}:
            problems.append(Problem(place, "repeated-id", f"`{value.value}` is a word of the policy language", "choose another value"))
        if taken.get(folded(value.value)) is not None:
            problems.append(Problem(place, "repeated-id", f"{name} has `{value.value}` twice", "case and punctuation do not tell values apart"))
        taken.setdefault(folded(value.value), value.value)
    for value, place in placed:
        for spelling in (value.name, *value.aliases):
            owner = taken.setdefault(folded(spelling), value.value) if folded(spelling) else value.value
            if owner != value.value:
                problems.append(Problem(place, "repeated-id", f"`{spelling}` already stands for `{owner}`", "one spelling can mean one value only"))
