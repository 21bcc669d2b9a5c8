"""Loads cases from YAML; reports every problem."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from typing import Final

from engine.cases.case import Case
from engine.cases.expected import AnswerVocabulary
from engine.load.node_readers import Mapping, Node, Scalar, items, mapping, pairs, text, texts, value_place
from engine.load.structure import structure_problems
from engine.load.yaml_tree import read
from engine.model.answer import Status, WrongRequest
from engine.model.did_you_mean import did_you_mean
from engine.model.policy import Policy
from engine.model.problems import Place, PolicyErrors, Problem
from engine.model.vocabulary import FactType
from engine.request.moment import Moment, read_moment
from engine.request.ticket import TicketReader
from engine.tables.atoms import all_atoms

EXPECTATIONS: Final = (
    "status",
    "expect",
    "missing",
    "possible",
    "ask_next",
    "rules",
    "assumptions",
    "nearest",
    "states",
)
"""The keys about an answer; a rejected request has none."""


def load_cases(files: MappingOf[str, str], policy: Policy, root: str = "") -> tuple[Case, ...]:
    """Read the cases of a version from the files of its folder (those below ``cases/``); raises PolicyErrors."""
    cases, problems = read_cases(files, policy, root)
    if problems:
        raise PolicyErrors(problems)
    return cases


def read_cases(
    files: MappingOf[str, str], policy: Policy, root: str = ""
) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """Read the cases of a version; return the valid ones, and every problem of the others."""
    reader = _CaseReader(policy)
    cases: list[Case] = []
    for path, content in sorted(files.items()):
        if not (path.startswith("cases/") and path.endswith((".yaml", ".yml"))):
            continue
        tree, found = read(f"{root}/{path}" if root else path, content)
        shape = structure_problems("cases", tree) if tree is not None else []
        reader.problems += [*found, *shape]
        if tree is not None:
            cases.extend(reader.sound(items(tree, "cases"), [problem.place for problem in (*found, *shape)]))
    repeated = _repeated(cases)
    again = {problem.place for problem in repeated}
    return tuple(case for case in cases if case.place not in again), tuple(sorted({*reader.problems, *repeated}))


def _repeated(cases: Iterable[Case]) -> list[Problem]:
    names: dict[str, Place] = {}
    problems = []
    for case in cases:
        if case.name in names:
            problems.append(
                Problem(
                    place=case.place,
                    code="repeated-id",
                    message=f"the case `{case.name}` is already defined at {names[case.name]}",
                    help="choose another name",
                )
            )
        names.setdefault(case.name, case.place)
    return problems


class _CaseReader:
    """Reads the cases of one policy, and collects problems."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.problems: list[Problem] = []
        self._tickets = TicketReader(policy.facts, all_atoms(policy))
        self._declared = AnswerVocabulary(policy)

    def sound(self, nodes: Sequence[Node], wrong: Sequence[Place]) -> Iterator[Case]:
        """Read the cases of a file that have the right shape; ``wrong`` are the places with problems."""
        begins = [node.place for node in nodes]
        if any(place < begins[0] for place in wrong if begins):
            return
        troubled = {bisect_right(begins, place) - 1 for place in wrong}
        for at, node in enumerate(nodes):
            before = len(self.problems)
            if at in troubled:
                continue
            case = self.case(node)
            if len(self.problems) == before:
                yield case

    def case(self, node: Node) -> Case:
        """Read one case."""
        decision = text(node, "decision")
        if decision not in self.policy.decisions:
            self._add(
                value_place(node, "decision"),
                "unknown-reference",
                f"unknown decision `{decision}`",
                did_you_mean(decision, self.policy.decisions),
            )
        refused = _given(node, "refused")
        self._facts(node, refused)
        self.problems += self._declared.problems(node, decision)
        return Case(
            name=text(node, "name"),
            decision=decision,
            facts={key: text(value) for key, value in pairs(node, "facts")},
            status=Status(text(node, "status") or Status.DECIDED),
            expect={key: _expected(value) for key, value in pairs(node, "expect")},
            missing=_given(node, "missing"),
            possible=_possible(node),
            ask_next=text(node, "ask_next") or None,
            rules=_given(node, "rules"),
            assumptions=_given(node, "assumptions"),
            nearest=_given(node, "nearest"),
            refused=refused or (),
            moment=self._moment(node),
            states={key: text(value) for key, value in pairs(node, "states")},
            place=node.place,
        )

    def _add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place=place, code=code, message=message, help=help_))

    def _facts(self, node: Node, refused: tuple[str, ...] | None) -> None:
        """Report facts that cannot be read, unless the case expects them in ``refused``.

        Then nothing else can be expected.
        """
        facts = mapping(node, "facts")
        for key, value in pairs(facts):
            if not isinstance(value, Scalar):
                self._add(
                    value.place,
                    "wrong-type",
                    f"expected one value for the fact `{key}`, got a list or a mapping",
                    "write one value",
                )
            elif facts is not None and key not in self.policy.facts and key not in (refused or ()):
                self._add(
                    facts.key_places[key], "unknown-fact", f"unknown fact `{key}`", did_you_mean(key, self.policy.facts)
                )
            elif key not in (refused or ()):
                self._fact(key, value)
        if refused is None or not isinstance(node, Mapping):
            return
        for item in items(node, "refused"):
            if facts is None or text(item) not in facts.entries:
                self._add(
                    item.place,
                    "unknown-fact",
                    f"`{text(item)}` cannot be rejected because the case does not send it",
                    did_you_mean(text(item), tuple(facts.entries) if facts else ()),
                )
        for key in EXPECTATIONS:
            if key in node.entries:
                self._add(
                    node.key_places[key],
                    "unknown-key",
                    f"`{key}` is not allowed with `refused`: a rejected request has no answer",
                    "remove it, or remove `refused`",
                )

    def _fact(self, name: str, value: Scalar) -> None:
        try:
            self._tickets.read({name: text(value)})
        except WrongRequest as error:
            for wrong in error.wrong:
                closed = self.policy.facts[name].type in (FactType.CHOICE, FactType.BOOLEAN)
                allowed = ("yes", "no") if self.policy.facts[name].type is FactType.BOOLEAN else wrong.allowed
                help_ = wrong.help or (did_you_mean(text(value), allowed) if closed else ", ".join(allowed))
                self._add(value.place, "unknown-value" if closed else "bad-format", wrong.message, help_)

    def _moment(self, node: Node) -> Moment:
        """Read the instant of a case, and the holds on its ticket."""
        pauses = [(text(item, "from") or None, text(item, "to") or None) for item in items(node, "pauses")]
        try:
            return read_moment(text(node, "now") or None, pauses)
        except WrongRequest as error:
            for wrong in error.wrong:
                at = re.match(r"pauses\[(\d+)\]", wrong.fact)
                place = (
                    value_place(node, "pauses", int(at[1]))
                    if at
                    else value_place(node, "now" if wrong.fact == "now" else "pauses")
                )
                message = wrong.message if f"`{wrong.fact}`" in wrong.message else f"`{wrong.fact}`: {wrong.message}"
                self._add(place, "bad-format", message, wrong.help or ", ".join(wrong.allowed))
            return Moment()


def _expected(node: Node) -> str | tuple[str, ...]:
    return text(node) if isinstance(node, Scalar) else texts(node)


def _given(node: Node, key: str) -> tuple[str, ...] | None:
    found = node.get(key) if isinstance(node, Mapping) else None
    return None if found is None else tuple(", ".join(texts(item)) for item in items(found))


def _possible(node: Node) -> tuple[str | tuple[str, ...], ...] | None:
    found = node.get("possible") if isinstance(node, Mapping) else None
    return None if found is None else tuple(map(_expected, items(found)))
