"""Loads a policy from its files; raises all problems if anything is wrong.

``load({"manifest.yaml": "...", "vocabulary.yaml": "...", ...})`` returns a :class:`~engine.model.policy.Policy` or
raises
:class:`~engine.model.problems.PolicyErrors` with all problems. Problems that only show in the cells of the tables
(gaps, overlaps, rules that never fire) are found later, by :mod:`engine.tables.check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

from engine.load.calendars import CalendarReader
from engine.load.consistency import HasPlace, Parts, check_consistency
from engine.load.deadlines import DeadlineReader
from engine.load.holidays import load_holidays
from engine.load.indentation import repair
from engine.load.invariants import InvariantNames, load_invariants
from engine.load.node_readers import Mapping, Node, items, mapping, pairs, text, texts, value_place
from engine.load.rosters import RosterReader, no_outcome
from engine.load.schema import structure
from engine.load.structure import structure_problems
from engine.load.table_order import sort_tables
from engine.load.tables import TableReader
from engine.load.vocabulary import listed_values, load_vocabulary
from engine.load.yaml_tree import read
from engine.model.invariants import INVARIANTS, Invariant
from engine.model.policy import Assumption, Decision, Manifest, Notice, OpenQuestion, Policy
from engine.model.problems import Place, PolicyErrors, Problem
from engine.request.instant_help import unreadable

MANIFEST: Final = "manifest.yaml"
VOCABULARY: Final = "vocabulary.yaml"
HOLIDAYS: Final = "holidays/"
"""The folder of the holiday lists, in that of a version."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)


def policy_files(files: MappingOf[str, str]) -> dict[str, str]:
    """Return the files of a version's folder that make the policy: the YAML at its top, and its holiday lists.

    Its invariants are not included: they decide nothing, so the digest does not cover them.
    """
    return {
        path: content
        for path, content in sorted(files.items())
        if path.endswith((".yaml", ".yml")) and "/" not in path.removeprefix(HOLIDAYS) and path != INVARIANTS
    }


def read_trees(files: MappingOf[str, str], root: str = "") -> tuple[dict[str, Node], list[Problem]]:
    """Read the YAML of a version, by path; problems carry the path below ``root``."""
    return _read_all(policy_files(files), root)


def _read_all(files: MappingOf[str, str], root: str) -> tuple[dict[str, Node], list[Problem]]:
    trees: dict[str, Node] = {}
    problems: list[Problem] = []
    for path, content in files.items():
        tree, found = read(f"{root}/{path}" if root else path, content)
        problems.extend(found)
        if tree is not None:
            trees[path], moved = repair(_kind(path), tree)
            problems.extend([*moved, *structure_problems(_kind(path), trees[path])])
    return trees, problems


def load(files: MappingOf[str, str], root: str = "") -> Policy:
    """Load a policy version from the files of its folder (path in the folder to text).

    Raises PolicyErrors with every problem found; a version is never loaded in part.
    """
    return load_with_trees(files, root)[0]


def load_with_trees(files: MappingOf[str, str], root: str = "") -> tuple[Policy, dict[str, Node]]:
    """Load a policy version as :func:`load` does; return its trees as well."""
    trees, problems = read_trees(files, root)
    beside, wrong = _read_all({path: files[path] for path in files if path == INVARIANTS}, root)
    problems.extend(wrong)
    for needed in (MANIFEST, VOCABULARY):
        if needed not in policy_files(files):
            problems.append(
                Problem(
                    place=Place(file=f"{root}/{needed}" if root else needed),
                    code="missing-file",
                    message=f"the file {needed} is missing",
                    help="every version needs it",
                )
            )
    if not all(isinstance(trees.get(needed), Mapping) for needed in (MANIFEST, VOCABULARY)):
        raise PolicyErrors(problems)
    whole = len(trees) == len(policy_files(files)) and all(_legible(path, tree) for path, tree in trees.items())
    policy = _Loader(trees, problems, whole, beside.get(INVARIANTS)).policy()
    if problems:
        raise PolicyErrors(problems)
    return policy, trees


def _kind(path: str) -> str:
    return (
        "holidays"
        if path.startswith(HOLIDAYS)
        else {MANIFEST: "manifest", VOCABULARY: "vocabulary", INVARIANTS: "invariants"}.get(path, "policy")
    )


def _legible(path: str, tree: Node) -> bool:
    """Return whether the sections of a file can be found. If not, names that seem to be missing may be in them."""
    if not isinstance(tree, Mapping) or text(tree, "kind") != _kind(path):
        return False
    shaped = all(
        isinstance(tree.get(key), Mapping | None)
        for key in ("decision", "tables", "rosters", "calendars", "regions", "deadlines", "elapsed")
    )
    return shaped and set(tree.entries) <= set(structure(_kind(path))["properties"])


class _Loader:
    """Reads the trees of one version into parts, and collects problems."""

    def __init__(
        self, trees: MappingOf[str, Node], problems: list[Problem], whole: bool, invariants: Node | None
    ) -> None:
        sound = not problems
        concerns = {path: tree for path, tree in trees.items() if _kind(path) == "policy"}
        lists = [
            load_holidays(PurePosixPath(path).stem, tree, problems)
            for path, tree in trees.items()
            if _kind(path) == "holidays"
        ]
        self.invariants = invariants
        self.holidays = {listed.name: listed for listed in lists}
        facts, outcomes = load_vocabulary(trees[VOCABULARY], listed_values(concerns) if whole else None, problems)
        self.parts = Parts(
            manifest_tree=trees[MANIFEST],
            concerns=concerns,
            facts=facts,
            outcomes=outcomes,
            problems=problems,
            whole=whole,
            sound=sound,
            questions=_questions(trees[MANIFEST]),
        )

    def policy(self) -> Policy:
        parts, manifest = self.parts, self._manifest()
        for tree in parts.concerns.values():
            self._calendars(tree)
        for tree in parts.concerns.values():
            self._concern(tree, manifest)
        check_consistency(parts)
        order = sort_tables(parts.tables, parts.problems) if not parts.problems else tuple(parts.tables)
        return Policy(
            manifest=manifest,
            facts=parts.facts,
            outcomes=parts.outcomes,
            tables={name: parts.tables[name] for name in order},
            rosters=parts.rosters,
            decisions=parts.decisions,
            assumptions=_assumptions(parts, manifest),
            questions=tuple(parts.questions),
            calendars=parts.calendars,
            regions=parts.regions,
            holidays=self.holidays,
            deadlines=parts.deadlines,
            elapsed=parts.elapsed,
            invariants=self._invariants(),
        )

    def _invariants(self) -> tuple[Invariant, ...]:
        """Read the invariants after everything that they may name; outcomes of unreadable tables are not checked."""
        if self.invariants is None or not self.parts.whole:
            return ()
        given = {name for table in self.parts.tables.values() for name in table.produces}
        if self.parts.problems:
            given |= set(self.parts.outcomes)
        return load_invariants(
            self.invariants, InvariantNames(self.parts.facts, self.parts.outcomes, given), self.parts.problems
        )

    def _manifest(self) -> Manifest:
        tree = self.parts.manifest_tree
        notice = mapping(tree, "notice")
        return Manifest(
            name=text(tree, "name"),
            version=text(tree, "version"),
            effective_from=self._effective_from(),
            source=text(tree, "source"),
            owner=text(tree, "owner"),
            triage=texts(tree, "triage"),
            notice=Notice(text(notice, "text"), text(notice, "source"), text(notice, "assumption")) if notice else None,
            place=tree.place,
            name_place=value_place(tree, "name"),
            formerly=texts(tree, "formerly"),
        )

    def _effective_from(self) -> datetime:
        written = text(self.parts.manifest_tree, "effective_from")
        try:
            found = datetime.fromisoformat(written.upper())
            # At the ends of the calendar, an offset can leave its range.
            found.astimezone(UTC)
        except (ValueError, OverflowError):
            if _INSTANT.match(written):
                self.parts.add(
                    value_place(self.parts.manifest_tree, "effective_from"),
                    "bad-format",
                    f"{unreadable(written)}: `{written}`",
                    "write an instant that exists",
                )
            return datetime.min.replace(tzinfo=UTC)
        return found

    def _calendars(self, tree: Node) -> None:
        reader = CalendarReader(
            holidays=self.holidays, source=text(tree, "source"), problems=self.parts.problems, whole=self.parts.whole
        )
        for name, node, place in _placed(mapping(tree, "regions")):
            self._new("region", name, place, self.parts.regions)
            self.parts.regions[name] = reader.region(name, node, place)
        for name, node, place in _placed(mapping(tree, "calendars")):
            self._new("calendar", name, place, self.parts.calendars)
            self.parts.calendars[name] = reader.calendar(name, node, place)

    def _concern(self, tree: Node, manifest: Manifest) -> None:
        reader = TableReader(
            facts=self.parts.facts,
            outcomes=self.parts.outcomes,
            source=text(tree, "source"),
            problems=self.parts.problems,
        )
        for name, node, place in _placed(mapping(tree, "tables")):
            self._new("table", name, place, self.parts.tables)
            self.parts.tables[name] = reader.table(name, node, place)
        rosters = RosterReader(
            facts=self.parts.facts,
            outcomes=self.parts.outcomes,
            source=text(tree, "source"),
            problems=self.parts.problems,
        )
        for name, node, place in _placed(mapping(tree, "rosters")):
            self._new("roster", name, place, self.parts.rosters)
            self.parts.rosters[name] = rosters.roster(name, node, place)
        times = DeadlineReader(
            facts=self.parts.facts,
            outcomes=self.parts.outcomes,
            calendars=self.parts.calendars,
            regions=self.parts.regions,
            source=text(tree, "source"),
            problems=self.parts.problems,
            whole=self.parts.whole,
        )
        for name, node, place in _placed(mapping(tree, "deadlines")):
            self._new("deadline", name, place, self.parts.deadlines)
            self.parts.deadlines[name] = times.deadline(name, node, place)
        for name, node, place in _placed(mapping(tree, "elapsed")):
            self._new("elapsed time", name, place, self.parts.elapsed)
            self.parts.elapsed[name] = times.elapsed(name, node, place)
        self.parts.questions.extend(_questions(tree))
        decision = mapping(tree, "decision")
        if decision is not None:
            self._decision(decision, text(tree, "owner") or manifest.owner)

    def _new(self, what: str, name: str, place: Place, known: MappingOf[str, HasPlace]) -> None:
        if name in known:
            self.parts.add(
                place,
                "repeated-id",
                f"the {what} `{name}` is already defined at {known[name].place}",
                "choose another name",
            )

    def _decision(self, node: Mapping, owner: str) -> None:
        name = text(node, "name")
        decision = Decision(
            name=name,
            about=text(node, "about"),
            owner=owner,
            answers=texts(node, "answers"),
            beside=texts(node, "beside"),
            place=value_place(node, "name"),
        )
        if name:
            self._new("decision", name, decision.place, self.parts.decisions)
        seen: set[str] = set()
        for item in (*items(node, "answers"), *items(node, "beside")):
            outcome = text(item)
            if outcome in seen:
                self.parts.add(
                    item.place, "repeated-id", f"the decision `{name}` lists `{outcome}` twice", "keep one of the two"
                )
            elif outcome and outcome not in self.parts.outcomes:
                self.parts.problems.append(no_outcome(outcome, item.place, self.parts.facts, self.parts.outcomes))
            seen.add(outcome)
        self.parts.decisions[name] = decision


def _placed(node: Mapping | None) -> Iterable[tuple[str, Node, Place]]:
    return [(name, inner, node.key_places[name]) for name, inner in pairs(node)] if node else []


def _questions(tree: Node) -> list[OpenQuestion]:
    return [
        OpenQuestion(
            id=text(node, "id"),
            question=text(node, "question"),
            reading=text(node, "reading"),
            source=text(node, "source"),
            rules=texts(node, "rules"),
            place=node.place,
        )
        for node in items(tree, "questions")
    ]


def _assumptions(parts: Parts, manifest: Manifest) -> tuple[Assumption, ...]:
    found = [
        Assumption(id=rule.id, reason=rule.assumption, source=rule.source, place=rule.place)
        for rule in parts.rules()
        if rule.assumption
    ]
    found += [
        Assumption(id=roster.name, reason=roster.assumption, source=roster.source, place=roster.place)
        for roster in parts.rosters.values()
        if roster.assumption
    ]
    found += [
        Assumption(id=one.name, reason=one.assumption, source=one.source, place=one.place)
        for one in parts.calendars.values()
        if one.assumption
    ]
    found += [
        Assumption(id=one.fact, reason=one.assumption, source=one.source, place=one.place)
        for one in parts.elapsed.values()
        if one.assumption
    ]
    for one in parts.deadlines.values():
        kinds = (("at_risk", one.at_risk.assumption if one.at_risk else ""), ("holds", one.holds.assumption))
        found += [
            Assumption(id=f"{one.name}.{part}", reason=reason, source=one.table.source, place=one.place)
            for part, reason in kinds
            if reason
        ]
    if manifest.notice and manifest.notice.assumption:
        found.append(
            Assumption(
                id="notice", reason=manifest.notice.assumption, source=manifest.notice.source, place=manifest.place
            )
        )
    found += [
        Assumption(id=text(node, "id"), reason=text(node, "reason"), source=text(node, "source"), place=node.place)
        for node in items(parts.manifest_tree, "assumptions")
    ]
    return tuple(sorted(found, key=lambda assumption: (assumption.place, assumption.id)))


def list_place(policy: Policy, name: str) -> Place:
    """Return the place of a holiday list: the file with its name."""
    folder = policy.manifest.place.file.removesuffix(MANIFEST)
    return Place(file=f"{folder}{HOLIDAYS}{name}.yaml")
