"""The facts of a ticket on the command line: options, ``name=value``, JSON or a file.

Values are not converted here: the engine reads each by the type of its fact.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.load.yaml_tree import Mapping as Node
from engine.load.yaml_tree import plain, read
from engine.model.vocabulary import Fact, FactType
from guidepost.cli.options.moment import PAUSES, Pause
from guidepost.render.console import suggestion
from guidepost.render.facts_text import allowed_values_text

Facts = dict[str, object]
"""Values by the names of facts, as sent; in a file also ``pauses``, as pairs of beginning and end."""


class FactsError(ValueError):
    """JSON or a file that does not contain facts; the message is one line."""


@dataclass(slots=True, kw_only=True)
class EvalArguments:
    """The arguments of ``eval``: the decision, the facts, and the problems of both.

    ``decisions`` are the decisions of the policy: none of them is ever read as the value of a boolean fact.
    """

    decision: str = ""
    facts: Facts = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    decisions: Sequence[str] = ()

    def add(self, name: str, value: object) -> None:
        """Add a fact; two different values for one fact are a problem."""
        if name in self.facts and self.facts[name] != value:
            self.problems.append(f"expected one value for `{name}`, got `{self.facts[name]}` and `{value}`")
        self.facts[name] = value


def read_arguments(
    words: Sequence[str], pairs: Sequence[str], known: Mapping[str, Fact], decisions: Sequence[str]
) -> EvalArguments:
    """Read the words that Typer did not read as options: a decision, ``name=value``, ``--name value``.

    A boolean fact needs no value: ``--name`` is yes, ``--no-name`` is no. ``pairs`` are the values of ``--fact``.
    """
    arguments = EvalArguments(decisions=decisions)
    options = {name.replace("_", "-"): fact for name, fact in known.items()}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and len(word) > 1:
            _read_option(word, rest, options, arguments)
        elif "=" in word:
            name, _, value = word.partition("=")
            arguments.add(name, value)
        elif arguments.decision:
            arguments.problems.append(f"expected one decision, got `{arguments.decision}` and `{word}`")
        else:
            arguments.decision = word
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals:
            arguments.add(name, value)
        else:
            arguments.problems.append(f"expected `--fact NAME=VALUE`, got `{pair}`")
    return arguments


def read_before_facts(pairs: Sequence[str]) -> EvalArguments:
    """Read the earlier facts of ``--before``; an empty value means that the fact was not known."""
    arguments = EvalArguments()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals:
            arguments.add(name, value or None)
        else:
            arguments.problems.append(f"expected `--before NAME=VALUE`, got `{pair}`")
    return arguments


def _read_option(word: str, rest: list[str], options: Mapping[str, Fact], arguments: EvalArguments) -> None:
    given, equals, value = word.lstrip("-").partition("=")
    name = given.replace("_", "-")
    fact = options.get(name)
    if fact is None and name.startswith("no-") and not equals:
        denied = options.get(name.removeprefix("no-"))
        if denied is not None and denied.type is FactType.BOOLEAN:
            arguments.add(denied.name, False)
            return
    if fact is None:
        arguments.problems.append(f"no option or fact `{word.partition('=')[0]}`{suggestion(name, options, '--')}")
        if not equals and rest and not rest[0].startswith("-") and "=" not in rest[0]:
            rest.pop(0)
    elif equals:
        arguments.add(fact.name, value)
    elif fact.type is FactType.BOOLEAN:
        arguments.add(fact.name, rest.pop(0) if rest and _is_value(rest[0], arguments.decisions) else True)
    elif rest and not rest[0].startswith("--"):
        arguments.add(fact.name, rest.pop(0))
    else:
        arguments.problems.append(f"expected a value after `{word}`: {allowed_values_text(fact)}")


def _is_value(word: str, decisions: Sequence[str]) -> bool:
    """Return whether the word after a boolean option is its value, not the decision or the next fact."""
    return not word.startswith("-") and "=" not in word and word not in decisions


def read_json(text: str, origin: str) -> Facts:
    """Read a JSON object of facts; ``origin`` names its source in messages."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise FactsError(f"expected JSON in {origin}; line {error.lineno}, column {error.colno}: {error.msg}") from None
    except FactsError as error:
        raise FactsError(f"{origin}: {error}") from None
    return _flat(found, origin)


def read_yaml(text: str, origin: str) -> Facts:
    """Read a YAML mapping of facts: every value stays a text, and an empty one is not sent."""
    node, problems = read(origin, text)
    if problems:
        raise FactsError(str(problems[0]))
    if not isinstance(node, Node):
        raise FactsError(f"expected `name: value` on each line of {origin}")
    return _flat({name: None if value == "" else value for name, value in plain(node).items()}, origin)


def read_file(path: str) -> Facts:
    """Read the facts of a JSON or YAML file, or of standard input if the path is ``-``."""
    origin = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FactsError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FactsError(f"{origin} is not UTF-8 text") from None
    is_json = path.endswith(".json") or (path == "-" and text.lstrip().startswith("{"))
    return read_json(text, origin) if is_json else read_yaml(text, origin)


def _once(pairs: list[tuple[str, object]]) -> Facts:
    facts = dict(pairs)
    if len(facts) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FactsError(f"expected each name once, got `{twice[0]}` twice")
    return facts


def _flat(found: object, origin: str) -> Facts:
    if not isinstance(found, dict):
        raise FactsError(f'expected an object such as `{{"name": "value"}}` in {origin}')
    facts = {**found}
    if facts.get(PAUSES) is not None:
        facts[PAUSES] = _pauses(facts[PAUSES], origin)
    for name, value in facts.items():
        if isinstance(value, dict | list):
            raise FactsError(f"expected one value for `{name}` in {origin}")
    return facts


def _pauses(found: object, origin: str) -> tuple[Pause, ...]:
    """Read the holds of a ticket: each begins at ``from`` and ends at ``to``; without ``to`` it goes on."""
    holds = (
        [one for one in found if isinstance(one, dict) and one.keys() <= {"from", "to"}]
        if isinstance(found, list)
        else []
    )
    if not isinstance(found, list) or len(holds) < len(found):
        raise FactsError(f"expected a list of holds in `{PAUSES}` of {origin}, each with `from` and `to`")
    return tuple((hold.get("from") or None, hold.get("to") or None) for hold in holds)
