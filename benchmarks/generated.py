"""Generated policies: any number of rules on the same five facts, and so with the same number of cells.

Every policy ends with the same ten rules. Each tests the values whose number has one bit set, so that ten rules already
distinguish all values. Further rules come before them and change the outcomes of cells, not the number of cells.
"""

from __future__ import annotations

import itertools
import random
from typing import Final

CHOICES: Final = {"product": 40, "office": 25, "harm": 5, "haste": 5}
STEPS: Final = (10, 100, 1000)
"""Where the rules cut the number ``people``."""

QUEUES: Final = 8
BASE: Final = 10

_MANIFEST: Final = """\
kind: manifest
name: generated
version: "1.0.0"
effective_from: "2020-01-01T00:00:00Z"
source: made up
owner: nobody
triage: [queue]
"""
_PEOPLE: Final = ("< 10", "[10..100)", "[100..1000)", ">= 1000")


def policy(rules: int, seed: int = 1) -> dict[str, str]:
    """Return the files of a policy with a number of rules, at least ten; the same for the same seed."""
    return {
        "manifest.yaml": _MANIFEST,
        "vocabulary.yaml": _vocabulary(),
        "queue.yaml": _queue(rules, random.Random(seed)),
    }


def ticket(chance: random.Random, missing: float = 0.0) -> dict[str, object]:
    """Draw a ticket; each fact is left out with a probability."""
    facts: dict[str, object] = {name: f"{name}{chance.randrange(count)}" for name, count in CHOICES.items()}
    facts["people"] = chance.choice((3, 40, 500, 5000))
    return {name: value for name, value in facts.items() if chance.random() >= missing}


def many_cells(facts: int, values: int) -> dict[str, str]:
    """Return the files of a policy whose one table has ``(values + 1) ** facts`` cells."""
    listed = ", ".join(f"{{value: v{at}, about: value {at}}}" for at in range(values))
    names = [f"f{at}" for at in range(facts)]
    vocabulary = [
        "kind: vocabulary",
        "facts:",
        *(f"  {name}: {{type: choice, about: a fact, values: [{listed}]}}" for name in names),
        "outcomes:",
        f"  queue: {{type: choice, about: a queue, values: [{listed}]}}",
    ]
    table = [
        "kind: policy",
        "about: many cells",
        "source: made up",
        "decision: {name: queue, about: a queue, answers: [queue]}",
        "tables:",
        "  queue:",
        "    about: many cells",
        "    hit: first",
        "    produces: [queue]",
        "    rules:",
    ]
    table += [
        f"      - {{id: {name}.v{at}, when: {{{name}: v{at}}}, then: {{queue: v{at}}}}}"
        for name in names
        for at in range(values - 1)
    ]
    table.append(f"    otherwise: {{then: {{queue: v{values - 1}}}}}")
    return {
        "manifest.yaml": _MANIFEST,
        "vocabulary.yaml": "\n".join(vocabulary) + "\n",
        "queue.yaml": "\n".join(table) + "\n",
    }


def _vocabulary() -> str:
    lines = ["kind: vocabulary", "facts:"]
    for name, count in CHOICES.items():
        lines += [f"  {name}:", "    type: choice", f"    about: the {name}", "    values:"]
        lines += [f"      - {{value: {name}{at}, about: {name} number {at}}}" for at in range(count)]
    lines += [
        "  people: {type: integer, about: how many people wait, minimum: 0}",
        "outcomes:",
        "  queue:",
        "    type: choice",
        "    about: who gets it",
        "    values:",
    ]
    lines += [f"      - {{value: queue{at}, about: queue number {at}}}" for at in range(QUEUES)]
    return "\n".join(lines) + "\n"


def _queue(rules: int, chance: random.Random) -> str:
    cells = list(itertools.product(*(range(count) for count in CHOICES.values())))
    lines = [
        "kind: policy",
        "about: who gets it",
        "source: made up",
        "decision:",
        "  name: queue",
        "  about: who gets it",
        "  answers: [queue]",
        "tables:",
        "  queue:",
        "    about: who gets it",
        "    hit: first",
        "    produces: [queue]",
        "    rules:",
    ]
    for number, cell in enumerate(chance.sample(cells, rules - BASE)):
        asked = [f"{name}: {name}{at}" for name, at in zip(CHOICES, cell, strict=True)]
        if number % 2:
            asked.append(f'people: "{chance.choice(_PEOPLE)}"')
        lines.append(
            f"      - {{id: one.{number}, when: {{{', '.join(asked)}}}, then: {{queue: queue{chance.randrange(QUEUES)}}}}}"
        )
    for number in range(BASE):
        asked = [f"{name}: [{_with_bit(name, count, number)}]" for name, count in CHOICES.items()]
        asked.append(f"people: [{', '.join(repr(text) for at, text in enumerate(_PEOPLE) if at >> number % 2 & 1)}]")
        lines.append(
            f"      - {{id: base.{number}, when: {{{', '.join(asked)}}}, then: {{queue: queue{number % QUEUES}}}}}"
        )
    lines.append("    otherwise: {then: {queue: queue0}}")
    return "\n".join(lines) + "\n"


def _with_bit(name: str, count: int, number: int) -> str:
    bit = number % (count - 1).bit_length()
    return ", ".join(f"{name}{at}" for at in range(count) if at >> bit & 1)
