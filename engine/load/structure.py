"""Validates a tree against the schema of its kind: unknown keys, missing keys, wrong shapes."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from engine.load.schema import KINDS, structure
from engine.load.structure_help import elsewhere, formatted, keys_of, shaped, unit
from engine.load.yaml_tree import Mapping, Node, Scalar, Sequence, at, plain
from engine.model.did_you_mean import MEANT, did_you_mean, nearest
from engine.model.problems import Place, Problem
from engine.model.vocabulary import FactType

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_SHAPES: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "boolean": "yes or no",
}
_FORMATS: Final = {
    r"^[A-Za-z0-9]": "one word of letters, digits, `_`, `.`, `+` and `-`",
    r"^[a-z]": "a name of lower-case letters, digits and `_` that begins with a letter",
    r"^[+-]?\d+": "a number such as 4 or 2.5",
    r"^\d{4}": "an instant with an offset, such as 2026-01-31T09:00:00+10:00",
    r"^([01]": "a time of day such as 08:00",
    r"^\d+\.": "a version such as 2.0.0",
    r"^[0-9a-f]{64}": "a digest of 64 hexadecimal digits",
}


@lru_cache(20)
def _validator(kind: str) -> Draft202012Validator:
    # Imported only when files are read: a process that serves a built bundle does not need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(structure(kind))


def structure_problems(kind: str, tree: Node) -> list[Problem]:
    """Return what is wrong with the shape of a file of this kind.

    For a file of another kind, only the kind is reported: the rest would be checked against the wrong schema.
    """
    said = tree.get("kind") if isinstance(tree, Mapping) else None
    if isinstance(said, Scalar) and said.text != kind:
        what = f"has the kind `{said.text}`" if said.text in KINDS else f"has the unknown kind `{said.text}`"
        return [
            Problem(
                place=said.place,
                code="wrong-kind",
                message=f"the file {what}",
                help=f"write `kind: {kind}` for a file in this place",
            )
        ]
    return shape_problems(_validator(kind), tree, keys_of(kind))


def shape_problems(
    validator: Draft202012Validator, tree: Node, keys: MappingOf[str, str] | None = None
) -> list[Problem]:
    """Return what is wrong with a tree by any schema; ``keys`` has the help for missing keys."""
    problems: list[Problem] = []
    for error in validator.iter_errors(plain(tree)):
        for leaf in _leaves(error):
            problems.extend(_translate(leaf, tree, keys or {}))
    return problems


def _leaves(error: ValidationError) -> list[ValidationError]:
    """Of alternatives that all fail, return the errors of the branch whose shape fits."""
    if error.validator != "anyOf" or not error.context:
        return [error]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [
        errors
        for errors in branches.values()
        if not any(len(inner.relative_path) == 0 and inner.validator in ("type", "const") for inner in errors)
    ]
    return [leaf for inner in fitting[0] for leaf in _leaves(inner)] if fitting else [error]


def _translate(error: ValidationError, tree: Node, keys: MappingOf[str, str]) -> list[Problem]:
    path = tuple(error.absolute_path)
    node = at(tree, path)
    name = _called(path)
    wanted: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties" if isinstance(node, Mapping):
            free = [key for key in schema["properties"] if key not in node.entries]
            return [
                Problem(
                    place=place,
                    code="unknown-key",
                    message=f"unknown key `{key}`{_within(path)}",
                    help=did_you_mean(key, free) or elsewhere(key, path, schema["properties"]),
                )
                for key, place in node.key_places.items()
                if key not in schema["properties"]
            ]
        case "required" if isinstance(node, Mapping):
            missing = [key for key in wanted if key not in node.entries and f"'{key}'" in error.message]
            free = [key for key in schema["properties"] if key not in node.entries]
            misspelt = {
                meant
                for key in node.entries
                if key not in schema["properties"]
                for meant in nearest(key, free, 1, MEANT)
            }
            return [
                Problem(
                    place=node.place,
                    code="missing-key",
                    message=f"`{key}` is missing{_within(path)}",
                    help=keys.get(key, ""),
                )
                for key in missing
                if key not in misspelt
            ]
        case "type":
            shape = _SHAPES[wanted if isinstance(wanted, str) else wanted[0]]
            return [
                Problem(
                    place=node.place,
                    code="wrong-type",
                    message=f"{name}: expected {shape}, got {_shape(node)}",
                    help=shaped(path, wanted if isinstance(wanted, str) else wanted[0], node, schema, keys),
                )
            ]
        case "enum" | "const" if isinstance(node, Scalar):
            allowed = wanted if error.validator == "enum" else [wanted]
            words = [word for word in allowed if isinstance(word, str)]
            if {"yes", "no"} <= set(words):
                return [
                    Problem(
                        place=node.place,
                        code="unknown-value",
                        message=f"expected yes or no for {name}, got `{node.text}`",
                    )
                ]
            help_ = (
                f"known: {', '.join(words)}"
                if node.text in set(FactType)
                else (unit(node.text) if path[-1] == "unit" else "") or did_you_mean(node.text, words)
            )
            return [
                Problem(place=node.place, code="unknown-value", message=f"unknown {path[-1]} `{node.text}`", help=help_)
            ]
        case "pattern":
            place, shown = _patterned(error, node)
            return [
                Problem(
                    place=place,
                    code="bad-format",
                    message=f"expected {_format(str(wanted))}, got `{shown}`",
                    help=formatted(str(wanted), shown),
                )
            ]
        case "minLength":
            return [
                Problem(
                    place=node.place,
                    code="wrong-type",
                    message=f"{name} is empty",
                    help=keys.get(str(path[-1]), "") if path else "",
                )
            ]
        case "minItems" | "maxItems" | "minProperties":
            return [
                Problem(
                    place=node.place,
                    code="wrong-type",
                    message=_amount(name, int(wanted), node),
                    help=keys.get(str(path[-1]), "") if path else "",
                )
            ]
        case _:
            shapes = _alternatives(wanted if isinstance(wanted, list) else [wanted])
            return [
                Problem(
                    place=node.place,
                    code="wrong-type",
                    message=f"{name}: expected {' or '.join(shapes)}, got {_shape(node)}",
                )
            ]


def _called(path: tuple[str | int, ...]) -> str:
    """Return a readable name for the node at a path.

    >>> _called(("tables", "scope", "rules", 2)), _called(("triage",)), _called(())
    ('item 3 of `rules`', '`triage`', 'the file')
    """
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{path[-2]}`"
    return f"`{path[-1]}`"


def _within(path: tuple[str | int, ...]) -> str:
    return f" in {_called(path)}" if path else ""


def _shape(node: Node) -> str:
    match node:
        case Scalar():
            return f"`{node.text}`" if node.text else "nothing"
        case Sequence():
            return "a list"
        case Mapping():
            return "a mapping"


def _patterned(error: ValidationError, node: Node) -> tuple[Place, str]:
    """Return the place and text that do not match a pattern: a value, or a key of a mapping (propertyNames)."""
    if isinstance(node, Mapping) and error.instance in node.key_places:
        return node.key_places[str(error.instance)], str(error.instance)
    return node.place, str(error.instance)


def _format(pattern: str) -> str:
    return next(text for start, text in _FORMATS.items() if pattern.startswith(start))


def _amount(name: str, limit: int, node: Node) -> str:
    count = len(node.items) if isinstance(node, Sequence) else len(node.entries) if isinstance(node, Mapping) else 0
    if count == 0:
        return f"{name} is empty"
    return f"expected {limit} items in {name}, got {count}"


def _alternatives(branches: list[Any]) -> list[str]:
    """Describe in words which shapes or words a schema allows."""
    shapes = []
    for branch in branches:
        if isinstance(branch, str):
            shapes.append(f"`{branch}`")
        elif isinstance(branch, dict) and "const" in branch:
            shapes.append(f"`{branch['const']}`")
        elif isinstance(branch, dict) and "type" in branch:
            shapes.append(_SHAPES[branch["type"] if isinstance(branch["type"], str) else branch["type"][0]])
    return shapes
