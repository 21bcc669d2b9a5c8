"""Reads the facts and outcomes of the vocabulary file."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace
from typing import Final

from engine.load.node_readers import (
    Mapping,
    Node,
    Scalar,
    flag,
    items,
    key_place,
    kind_text,
    mapping,
    number,
    pairs,
    text,
    value_place,
)
from engine.model.did_you_mean import did_you_mean
from engine.model.problems import Place, Problem
from engine.model.vocabulary import RESERVED, UNLISTED, Fact, FactType, Value, folded

Placed = tuple[Value, Place, tuple[Place, ...]]
"""A value, its place, and the places of its name and aliases."""

Listed = MappingOf[str, tuple[Placed, ...]]
"""The rows of each entry table, as values."""

MAX_DIGITS: Final = 15
"""The most characters of a limit: a number keeps these exactly."""

_NOT_FACTS: Final = frozenset({FactType.LIST})
_NOT_OUTCOMES: Final = frozenset[FactType]()


def listed_values(trees: MappingOf[str, Node]) -> Listed:
    """Return the rows of every entry table of these files, sorted by key; none for a table that cannot be read."""
    found: dict[str, tuple[Placed, ...]] = {}
    for tree in trees.values():
        for name, table in pairs(tree, "tables"):
            rows = mapping(mapping(table, "entries"), "rows")
            if rows is not None:
                found[name] = tuple(
                    _placed(key, row, rows.key_places[key]) for key, row in sorted(rows.entries.items())
                )
            elif (
                not isinstance(table, Mapping)
                or "entries" in table.entries
                or not {"rules", "matrix", "otherwise"} & set(table.entries)
            ):
                found[name] = ()
    return found


def load_vocabulary(
    tree: Node, listed: Listed | None, problems: list[Problem]
) -> tuple[dict[str, Fact], dict[str, Fact]]:
    """Read the facts and the outcomes, by name.

    ``listed`` is None if a file with tables cannot be read: then a choice that takes its values from one has none.
    """
    facts = _section(tree, "facts", listed, _NOT_FACTS, problems)
    outcomes = _section(tree, "outcomes", listed, _NOT_OUTCOMES, problems)
    for name in sorted(facts.keys() & outcomes.keys()):
        problems.append(
            Problem(
                place=outcomes[name].place,
                code="repeated-id",
                message=f"`{name}` is already a fact",
                help="choose another name for the outcome",
            )
        )
    return facts, outcomes


def _section(
    tree: Node, key: str, listed: Listed | None, refused: frozenset[FactType], problems: list[Problem]
) -> dict[str, Fact]:
    section = mapping(tree, key)
    facts: dict[str, Fact] = {}
    for name, node in sorted(pairs(section)):
        place = section.key_places[name] if section else node.place
        if name in RESERVED:
            problems.append(
                Problem(
                    place=place,
                    code="repeated-id",
                    message=f"`{name}` is reserved by the policy language",
                    help="choose another name",
                )
            )
        kind = text(node, "type")
        if kind not in set(FactType) or FactType(kind) in refused:
            facts[name] = Fact(name=name, type=FactType.CHOICE, place=place)
            continue
        facts[name] = _fact(name, FactType(kind), node, place=place, listed=listed, problems=problems)
    return facts


def _fact(
    name: str, kind: FactType, node: Node, *, place: Place, listed: Listed | None, problems: list[Problem]
) -> Fact:
    fact = Fact(
        name=name,
        type=kind,
        about=text(node, "about"),
        values=_values(name, kind, node, place=place, listed=listed, problems=problems),
        open=flag(node, "open"),
        subtags=flag(node, "subtags"),
        minimum=number(node, "minimum"),
        maximum=number(node, "maximum"),
        unit=text(node, "unit"),
        ask=text(node, "ask") == "" or flag(node, "ask"),
        place=place,
    )
    for key in ("open", "subtags"):
        if flag(node, key) and kind is not FactType.CHOICE:
            problems.append(
                Problem(
                    place=key_place(node, key),
                    code="unknown-key",
                    message=f"`{key}` is allowed for a choice only; `{name}` is {kind_text(kind)}",
                    help="remove it",
                )
            )
    for key in ("minimum", "maximum", "unit"):
        if text(node, key) and not fact.numeric:
            problems.append(
                Problem(
                    place=key_place(node, key),
                    code="unknown-key",
                    message=f"`{key}` is allowed for a number only; `{name}` is {kind_text(kind)}",
                    help="remove it",
                )
            )
    for key in ("minimum", "maximum"):
        if len(text(node, key)) > MAX_DIGITS:
            problems.append(
                Problem(
                    place=value_place(node, key),
                    code="bad-format",
                    message=f"the {key} of `{name}` has more than {MAX_DIGITS} digits",
                )
            )
    if fact.minimum is not None and fact.maximum is not None and fact.minimum >= fact.maximum:
        problems.append(
            Problem(
                place=value_place(node, "minimum"),
                code="bad-format",
                message=f"the minimum of `{name}` is not below its maximum",
                help=f"the minimum is {text(node, 'minimum')}, the maximum {text(node, 'maximum')}",
            )
        )
        return replace(fact, minimum=None, maximum=None)
    return fact


def _values(
    name: str, kind: FactType, node: Node, *, place: Place, listed: Listed | None, problems: list[Problem]
) -> tuple[Value, ...]:
    given = [key for key in ("values", "values_in") if isinstance(node, Mapping) and key in node.entries]
    if kind is not FactType.CHOICE:
        if given:
            problems.append(
                Problem(
                    place=key_place(node, given[0]),
                    code="unknown-key",
                    message=f"`{given[0]}` is allowed for a choice only; `{name}` is {kind_text(kind)}",
                    help="remove it" if kind is FactType.BOOLEAN else "remove it, or write `type: choice`",
                )
            )
        return ()
    if not given:
        problems.append(
            Problem(
                place=place,
                code="missing-key",
                message=f"the choice `{name}` has no values",
                help="list them under `values`, or name an entry table with `values_in`",
            )
        )
        return ()
    if len(given) > 1:
        problems.append(
            Problem(
                place=key_place(node, "values_in"),
                code="unknown-key",
                message=f"the choice `{name}` has both `values` and `values_in`",
                help="keep one of the two",
            )
        )
        return ()
    placed = _listed(node, listed, problems) if given == ["values_in"] else _written(node)
    _check_spellings(name, placed, problems)
    return tuple(value for value, _, _ in placed)


def _listed(node: Node, listed: Listed | None, problems: list[Problem]) -> tuple[Placed, ...]:
    table = text(node, "values_in")
    if listed is None or not table:
        return ()
    if table not in listed:
        problems.append(
            Problem(
                place=value_place(node, "values_in"),
                code="unknown-reference",
                message=f"unknown entry table `{table}`",
                help=did_you_mean(table, listed),
            )
        )
    return listed.get(table, ())


def _written(node: Node) -> tuple[Placed, ...]:
    """Read the values declared in the vocabulary itself; none, if one of them cannot be read."""
    written = items(node, "values")
    if not all(text(item, "value") for item in written):
        return ()
    return tuple(_placed(text(item, "value"), item, value_place(item, "value")) for item in written)


def _placed(word: str, node: Node, place: Place) -> Placed:
    aliases = [item for item in items(node, "aliases") if isinstance(item, Scalar)]
    value = Value(
        value=word,
        about=text(node, "about"),
        name=text(node, "name"),
        aliases=tuple(item.text.strip() for item in aliases),
    )
    return value, place, (value_place(node, "name"), *(item.place for item in aliases))


def _check_spellings(name: str, placed: tuple[Placed, ...], problems: list[Problem]) -> None:
    """Report values with the same spelling, and values that are reserved words."""
    taken: dict[str, str] = {}
    for value, place, _ in placed:
        if value.value in RESERVED | {UNLISTED}:
            problems.append(
                Problem(
                    place=place,
                    code="repeated-id",
                    message=f"`{value.value}` is reserved by the policy language",
                    help="choose another value",
                )
            )
        first = taken.get(folded(value.value))
        if first is not None:
            alike = "" if first == value.value else f", as `{first}`"
            problems.append(
                Problem(
                    place=place,
                    code="repeated-id",
                    message=f"`{value.value}` is already a value of `{name}`{alike}",
                    help="names that differ only in case, or in a space, `_` or `-` between letters, count as the same",
                )
            )
        taken.setdefault(folded(value.value), value.value)
    for value, _, places in placed:
        for spelling, place in zip((value.name, *value.aliases), places, strict=True):
            owner = taken.setdefault(folded(spelling), value.value) if folded(spelling) else value.value
            if owner != value.value:
                problems.append(
                    Problem(
                        place=place,
                        code="repeated-id",
                        message=f"`{spelling}` already means `{owner}`",
                        help="choose another spelling",
                    )
                )
