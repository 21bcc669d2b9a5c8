"""Holding a tree against the schema of its kind: keys that do not belong, are missing, or have another shape."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from engine.nearest import did_you_mean
from engine.problems import Problem
from engine.schema import structure
from engine.source import Mapping, Node, at, plain

_SHAPES: Final = {"object": "a mapping", "array": "a list", "string": "text", "number": "a number", "boolean": "yes or no"}
_FORMATS: Final = {
    r"^[A-Za-z0-9]": "one word of letters, digits, `_`, `.`, `+` and `-`",
    r"^[a-z]": "lower-case letters, digits and `_`, beginning with a letter",
    r"^[+-]?\d+": "a number such as 4 or 2.5",
    r"^\d{4}": "an instant with an offset, such as 2026-01-31T09:00:00+10:00",
    r"^([01]": "a time of day such as 08:00",
    r"^\d+\.": "a version such as 2.0.0",
}


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(structure(kind))


def structure_problems(kind: str, tree: Node) -> list[Problem]:
    """Give what is wrong with the shape of a file of this kind."""
    problems: list[Problem] = []
    for error in _validator(kind).iter_errors(plain(tree)):
        for leaf in _leaves(error):
            problems.extend(_translate(leaf, tree))
    return problems


def _leaves(error: ValidationError) -> list[ValidationError]:
    """Of alternatives that all fail, take the one that was meant: the branch whose shape fits."""
    if error.validator != "anyOf" or not error.context:
        return [error]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [errors for errors in branches.values()
               if not any(inner.validator in ("type", "const") and inner.path == error.path for inner in errors)
               and not any(len(inner.relative_path) == 0 and inner.validator in ("type", "const") for inner in errors)]
    return [leaf for inner in fitting[0] for leaf in _leaves(inner)] if fitting else [error]


def _translate(error: ValidationError, tree: Node) -> list[Problem]:
    node = at(tree, tuple(error.absolute_path))
    name = str(error.absolute_path[-1]) if error.absolute_path else "the file"
    match error.validator:
        case "additionalProperties" if isinstance(node, Mapping):
            known = error.schema["properties"]
            return [Problem(place, "unknown-key", f"unknown key `{key}`", did_you_mean(key, known))
                    for key, place in node.key_places.items() if key not in known]
        case "required" if isinstance(node, Mapping):
            missing = [key for key in error.validator_value if key not in node.entries and f"'{key}'" in error.message]
            return [Problem(node.place, "missing-key", f"`{key}` is missing{_within(error)}") for key in missing]
        case "type":
            wanted = error.validator_value if isinstance(error.validator_value, str) else error.validator_value[0]
            return [Problem(node.place, "wrong-type", f"`{name}` must be {_SHAPES[wanted]}")]
        case "enum" | "const":
            allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
            words = [word for word in allowed if isinstance(word, str)]
            code = "wrong-kind" if name == "kind" else "unknown-value"
            return [Problem(node.place, code, f"unknown {name} `{_shown(error.instance)}`", did_you_mean(_shown(error.instance), words))]
        case "pattern":
            return [Problem(_name_place(error, tree, node), "bad-format", f"`{_shown(error.instance)}` is not {_format(error.validator_value)}")]
        case "minLength":
            return [Problem(node.place, "wrong-type", f"`{name}` is empty")]
        case "minItems" | "maxItems" | "minProperties":
            return [Problem(node.place, "wrong-type", f"`{name}` has {_count(len(error.instance))}; it needs {_amount(error)}")]
        case _:
            return [Problem(node.place, "wrong-type", f"`{name}` is neither of the shapes it may have", _alternatives(error))]


def _within(error: ValidationError) -> str:
    words = [str(step) for step in error.absolute_path]
    return f" in `{'.'.join(words)}`" if words else ""


def _shown(instance: object) -> str:
    return instance if isinstance(instance, str) else type(instance).__name__


def _name_place(error: ValidationError, tree: Node, node: Node) -> Any:
    """A pattern on a key (propertyNames) is reported where the key stands."""
    if isinstance(node, Mapping) and error.instance in node.key_places:
        return node.key_places[error.instance]
    return node.place


def _format(pattern: str) -> str:
    return next(text for start, text in _FORMATS.items() if pattern.startswith(start))


def _count(number: int) -> str:
    return "nothing in it" if number == 0 else f"{number} of them"


def _amount(error: ValidationError) -> str:
    return {"minItems": "at least", "minProperties": "at least", "maxItems": "at most"}[str(error.validator)] + f" {error.validator_value}"


def _alternatives(error: ValidationError) -> str:
    shapes = []
    for branch in error.validator_value if isinstance(error.validator_value, list) else []:
        if "const" in branch:
            shapes.append(f"`{branch['const']}`")
        elif "type" in branch:
            wanted = branch["type"] if isinstance(branch["type"], str) else branch["type"][0]
            shapes.append(_SHAPES[wanted])
    return "write " + " or ".join(shapes) if shapes else ""
