"""A policy's own worked examples: cases in YAML beside it, run against the version."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import datetime

from engine.answer import Answer, Outcome, Status, WrongRequest
from engine.conditions import value_help
from engine.decide import decide
from engine.moment import Moment, NotAnInstant, read_instant, read_moment
from engine.nearest import did_you_mean
from engine.policy import Policy
from engine.problems import Place, PolicyErrors, Problem
from engine.reading import Mapping, Node, Scalar, items, mapping, pairs, text, texts, value_place
from engine.record import written
from engine.source import read
from engine.structure import structure_problems
from engine.version import Version
from engine.vocabulary import NOT_COVERED, FactType


@dataclass(frozen=True, slots=True)
class Case:
    """One example: these facts, this decision, and what is expected. What is None is not compared."""

    name: str
    decision: str
    facts: MappingOf[str, str]
    status: Status
    expect: MappingOf[str, str]
    missing: tuple[str, ...] | None
    possible: tuple[str, ...] | None
    ask_next: str | None
    rules: tuple[str, ...] | None
    assumptions: tuple[str, ...] | None
    nearest: tuple[str, ...] | None
    moment: Moment
    states: MappingOf[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """A case that came out otherwise, with each difference as a sentence."""

    case: Case
    differences: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.case.place}: {self.case.name}\n" + "\n".join(f"    {line}" for line in self.differences)


def load_cases(files: MappingOf[str, str], policy: Policy, root: str = "") -> tuple[Case, ...]:
    """Read the cases of a version from the files of its folder (those below ``cases/``); raises PolicyErrors."""
    cases: list[Case] = []
    problems: list[Problem] = []
    for path, content in sorted(files.items()):
        if not (path.startswith("cases/") and path.endswith((".yaml", ".yml"))):
            continue
        tree, found = read(f"{root}/{path}" if root else path, content)
        problems.extend(found)
        if tree is None:
            continue
        shape = structure_problems("cases", tree)
        problems.extend(shape)
        if not shape:
            cases.extend(_case(node, policy, problems) for node in items(tree, "cases"))
    names: dict[str, Place] = {}
    for case in cases:
        if case.name in names:
            problems.append(Problem(case.place, "repeated-id", f"the case `{case.name}` stands already at {names[case.name]}", "choose another name"))
        names.setdefault(case.name, case.place)
    if problems:
        raise PolicyErrors(problems)
    return tuple(cases)


def run_cases(version: Version, cases: tuple[Case, ...]) -> tuple[CaseFailure, ...]:
    """Run cases; give those that came out otherwise."""
    failures = []
    for case in cases:
        differences = _differences(version, case)
        if differences:
            failures.append(CaseFailure(case, differences))
    return tuple(failures)


def _case(node: Node, policy: Policy, problems: list[Problem]) -> Case:
    name, decision = text(node, "name"), text(node, "decision")
    if decision not in policy.decisions:
        problems.append(Problem(value_place(node, "decision"), "unknown-reference", f"no decision `{decision}`", did_you_mean(decision, policy.decisions)))
    _known(mapping(node, "facts"), policy.facts, "fact", problems)
    _known(mapping(node, "expect"), policy.decisions[decision].outcomes if decision in policy.decisions else policy.outcomes, "outcome", problems)
    for item in (*items(node, "missing"), *([node.entries["ask_next"]] if isinstance(node, Mapping) and "ask_next" in node.entries else [])):
        if text(item) not in policy.facts:
            problems.append(Problem(item.place, "unknown-fact", f"unknown fact `{text(item)}`", did_you_mean(text(item), policy.facts)))
    for key, value in pairs(node, "facts"):
        if not isinstance(value, Scalar):
            problems.append(Problem(value.place, "wrong-type", f"the fact `{key}` has one value, not a list or mapping", "write one value"))
    _expected_values(node, policy, decision, problems)
    _known(mapping(node, "states"), policy.deadlines, "deadline", problems)
    return Case(
        name, decision, {key: text(value) for key, value in pairs(node, "facts")}, Status(text(node, "status") or Status.DECIDED),
        {key: _expected(value) for key, value in pairs(node, "expect")},
        _given(node, "missing"), _given(node, "possible"), text(node, "ask_next") or None, _given(node, "rules"), _given(node, "assumptions"),
        _given(node, "nearest"), _moment(node, problems), {key: text(value) for key, value in pairs(node, "states")}, node.place,
    )


def _moment(node: Node, problems: list[Problem]) -> Moment:
    """Read at what time a case is decided, and the holds on its ticket."""
    pauses = [(text(item, "from") or None, text(item, "to") or None) for item in items(node, "pauses")]
    try:
        return read_moment(text(node, "now") or None, pauses)
    except WrongRequest as error:
        for wrong in error.wrong:
            at = re.match(r"pauses\[(\d+)\]", wrong.fact)
            place = value_place(node, "pauses", int(at[1])) if at else value_place(node, "now" if wrong.fact == "now" else "pauses")
            message = wrong.message if f"`{wrong.fact}`" in wrong.message else f"`{wrong.fact}`: {wrong.message}"
            problems.append(Problem(place, "bad-format", message, wrong.help or ", ".join(wrong.allowed)))
        return Moment()


def _known(node: Mapping | None, names: MappingOf[str, object] | tuple[str, ...], what: str, problems: list[Problem]) -> None:
    for key, _ in pairs(node):
        if key not in names and node is not None:
            problems.append(Problem(node.key_places[key], "unknown-fact", f"unknown {what} `{key}`", did_you_mean(key, names)))


def _expected_values(node: Node, policy: Policy, decision: str, problems: list[Problem]) -> None:
    """Tell which words a case expects that no choice has: such a case could never come out."""
    expected = [(key, value) for key, value in pairs(node, "expect")]
    if decision in policy.decisions:
        expected += [(policy.decisions[decision].answers[0], item) for item in items(node, "possible") if len(policy.decisions[decision].answers) == 1]
    for name, value in expected:
        outcome = policy.outcomes.get(name)
        if outcome is None or outcome.type is not FactType.CHOICE or not isinstance(value, Scalar):
            continue
        if text(value) not in {*outcome.words, "undecided", NOT_COVERED}:
            problems.append(Problem(value.place, "unknown-value", f"unknown {name} `{text(value)}`", value_help(outcome, text(value))))


def _expected(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ", ".join(texts(node))


def _given(node: Node, key: str) -> tuple[str, ...] | None:
    found = node.get(key) if isinstance(node, Mapping) else None
    return None if found is None else tuple(_expected(item) for item in items(found))


def _differences(version: Version, case: Case) -> tuple[str, ...]:
    try:
        answer = decide(version, case.decision, case.facts, case.moment)
    except WrongRequest as error:
        return tuple(f"the facts cannot be read: {wrong.message}" for wrong in error.wrong)
    found = []
    if answer.status is not case.status:
        found.append(f"status: expected {case.status}, got {answer.status}")
    for name, expected in case.expect.items():
        outcome = answer[name]
        got = _got(outcome)
        if got != _canonical(expected, outcome):
            found.append(f"{name}: expected {expected}, got {got}{_because(outcome)}")
    for name, state in case.states.items():
        standing = next((due.standing for due in answer.dues if due.name == name), None)
        if standing is None or standing.state.value != state:
            found.append(f"{name}: expected to be {state}, is {standing.state.value if standing else 'not due'}")
    found += _lists(answer, case)
    return tuple(found)


def _lists(answer: Answer, case: Case) -> list[str]:
    found = []
    every_missing = {fact for outcome in answer.outcomes for fact in outcome.missing}
    for what, wanted, got, exact in (
        ("missing", case.missing, set(answer.missing) | every_missing, False),
        ("possible", case.possible, {written(value) for value in answer.possible}, True),
        ("rules", case.rules, {rule.id for rule in answer.rules}, False),
        ("assumptions", case.assumptions, {rule.id for rule in answer.assumptions}, True),
        ("nearest", case.nearest, {value for one in answer.unlisted for value, _ in one.nearest}, False),
    ):
        if wanted is not None and (set(wanted) != got if exact else not set(wanted) <= got):
            found.append(f"{what}: expected {', '.join(wanted) or 'none'}, got {', '.join(sorted(got)) or 'none'}")
    if case.ask_next is not None and case.ask_next != answer.ask_next:
        found.append(f"ask_next: expected {case.ask_next}, got {answer.ask_next or 'nothing'}")
    return found


def _got(outcome: Outcome) -> str:
    return written(outcome.value) if outcome.status is Status.DECIDED else outcome.status.value


def _canonical(expected: str, outcome: Outcome) -> str:
    """Read true as yes, 4.0 as 4 and an instant with any offset, where the outcome is of that kind."""
    if isinstance(outcome.value, datetime):
        try:
            return written(read_instant(outcome.name, expected))
        except NotAnInstant as error:
            return f"{expected} ({error.message})"
    if isinstance(outcome.value, bool):
        return {"true": "yes", "false": "no"}.get(expected.casefold(), expected.casefold())
    if isinstance(outcome.value, (int, float)):
        try:
            return written(float(expected))
        except ValueError:
            return expected
    return expected


def _because(outcome: Outcome) -> str:
    return f" (by {', '.join(rule.id for rule in outcome.rules)})" if outcome.rules else ""
