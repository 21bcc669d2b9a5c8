"""Files in, a policy out: reads every file of a version, and refuses it whole if anything is wrong.

``load({"manifest.yaml": "...", "vocabulary.yaml": "...", ...})`` gives a :class:`~engine.policy.Policy` or raises
:class:`~engine.problems.PolicyErrors` with all problems. What only shows in the cells of the tables (gaps, overlaps,
rules that never fire) is found later, by :mod:`engine.check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import UTC, datetime
from typing import Final

from engine.load_rosters import RosterReader, no_outcome
from engine.load_tables import TableReader
from engine.load_vocabulary import listed_values, load_vocabulary
from engine.nearest import did_you_mean
from engine.policy import Assumption, Decision, Manifest, Notice, Policy, Question, Roster, Rule, Table
from engine.problems import Place, PolicyErrors, Problem
from engine.reading import Mapping, Node, items, mapping, pairs, text, texts, value_place
from engine.schema import structure
from engine.source import read
from engine.structure import structure_problems

MANIFEST: Final = "manifest.yaml"
VOCABULARY: Final = "vocabulary.yaml"
MAX_CHAIN: Final = 100
"""The most tables that may read from each other in a row."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)


def policy_files(files: MappingOf[str, str]) -> dict[str, str]:
    """Of the files of a version's folder, give those that make the policy: the YAML at its top."""
    return {path: content for path, content in sorted(files.items()) if path.endswith((".yaml", ".yml")) and "/" not in path}


def read_trees(files: MappingOf[str, str], root: str = "") -> tuple[dict[str, Node], list[Problem]]:
    """Read the YAML of a version, by path; problems carry the path below ``root``."""
    trees: dict[str, Node] = {}
    problems: list[Problem] = []
    for path, content in policy_files(files).items():
        tree, found = read(f"{root}/{path}" if root else path, content)
        problems.extend(found)
        if tree is not None:
            trees[path] = tree
            problems.extend(structure_problems(_kind(path), tree))
    return trees, problems


def load(files: MappingOf[str, str], root: str = "") -> Policy:
    """Load a policy version from the files of its folder (path in the folder to text).

    Raises PolicyErrors with every problem found; a version is never loaded in part.
    """
    return load_with_trees(files, root)[0]


def load_with_trees(files: MappingOf[str, str], root: str = "") -> tuple[Policy, dict[str, Node]]:
    """Load a policy version as :func:`load` does; give the trees it was read from as well."""
    trees, problems = read_trees(files, root)
    for needed in (MANIFEST, VOCABULARY):
        if needed not in policy_files(files):
            problems.append(Problem(Place(f"{root}/{needed}" if root else needed), "missing-file", f"there is no file {needed}", "every version needs one"))
    if not all(isinstance(trees.get(needed), Mapping) for needed in (MANIFEST, VOCABULARY)):
        raise PolicyErrors(problems)
    whole = len(trees) == len(policy_files(files)) and all(_legible(path, tree) for path, tree in trees.items())
    policy = _Loader(trees, problems, whole).policy()
    if problems:
        raise PolicyErrors(problems)
    return policy, trees


def _kind(path: str) -> str:
    return {MANIFEST: "manifest", VOCABULARY: "vocabulary"}.get(path, "policy")


def _legible(path: str, tree: Node) -> bool:
    """Tell whether the sections of a file can be found. If not, names that seem to be missing may well stand there."""
    if not isinstance(tree, Mapping) or text(tree, "kind") != _kind(path):
        return False
    shaped = all(isinstance(tree.get(key), Mapping | None) for key in ("decision", "tables", "rosters"))
    return shaped and set(tree.entries) <= set(structure(_kind(path))["properties"])


class _Loader:
    """Reads the trees of one version; gathers problems as it goes.

    ``whole`` tells that every file was read and every section found: only then can a name be said to stand nowhere.
    ``sound`` tells that the shape of all files is right, so that every rule has its id.
    """

    def __init__(self, trees: MappingOf[str, Node], problems: list[Problem], whole: bool) -> None:
        self.problems, self.whole, self.sound = problems, whole, not problems
        self.manifest_tree = trees[MANIFEST]
        self.concerns = {path: tree for path, tree in trees.items() if path not in (MANIFEST, VOCABULARY)}
        self.facts, self.outcomes = load_vocabulary(trees[VOCABULARY], listed_values(self.concerns) if whole else None, problems)
        self.tables: dict[str, Table] = {}
        self.rosters: dict[str, Roster] = {}
        self.decisions: dict[str, Decision] = {}
        self.questions: list[Question] = _questions(self.manifest_tree)

    def policy(self) -> Policy:
        manifest = self._manifest()
        for tree in self.concerns.values():
            self._concern(tree, manifest)
        self._check_ids()
        self._check_questions()
        self._check_triage()
        if not self.problems:
            self._check_producers()
        order = self._order() if not self.problems else tuple(self.tables)
        return Policy(
            manifest, self.facts, self.outcomes, {name: self.tables[name] for name in order}, self.rosters, self.decisions,
            self._assumptions(manifest), tuple(self.questions),
        )

    def _add(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self.problems.append(Problem(place, code, message, help_))

    def _manifest(self) -> Manifest:
        tree = self.manifest_tree
        notice = mapping(tree, "notice")
        return Manifest(
            text(tree, "name"), text(tree, "version"), self._effective_from(), text(tree, "source"), text(tree, "owner"), texts(tree, "triage"),
            Notice(text(notice, "text"), text(notice, "source"), text(notice, "assumption")) if notice else None, tree.place,
        )

    def _effective_from(self) -> datetime:
        written = text(self.manifest_tree, "effective_from")
        try:
            return datetime.fromisoformat(written.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            if _INSTANT.match(written):
                self._add(value_place(self.manifest_tree, "effective_from"), "bad-format", f"there is no such day, time or offset: `{written}`",
                          "write an instant that the calendar has")
            return datetime.min.replace(tzinfo=UTC)

    def _concern(self, tree: Node, manifest: Manifest) -> None:
        reader = TableReader(self.facts, self.outcomes, text(tree, "source"), self.problems)
        for name, node, place in _placed(mapping(tree, "tables")):
            self._new("table", name, place, self.tables)
            self.tables[name] = reader.table(name, node, place)
        rosters = RosterReader(self.facts, self.outcomes, text(tree, "source"), self.problems)
        for name, node, place in _placed(mapping(tree, "rosters")):
            self._new("roster", name, place, self.rosters)
            self.rosters[name] = rosters.roster(name, node, place)
        self.questions.extend(_questions(tree))
        decision = mapping(tree, "decision")
        if decision is not None:
            self._decision(decision, text(tree, "owner") or manifest.owner)

    def _new(self, what: str, name: str, place: Place, known: MappingOf[str, Table] | MappingOf[str, Roster] | MappingOf[str, Decision]) -> None:
        if name in known:
            self._add(place, "repeated-id", f"the {what} `{name}` stands already at {known[name].place}", "choose another name")

    def _decision(self, node: Mapping, owner: str) -> None:
        name = text(node, "name")
        decision = Decision(name, text(node, "about"), owner, texts(node, "answers"), texts(node, "beside"), value_place(node, "name"))
        if name:
            self._new("decision", name, decision.place, self.decisions)
        seen: set[str] = set()
        for item in (*items(node, "answers"), *items(node, "beside")):
            outcome = text(item)
            if outcome in seen:
                self._add(item.place, "repeated-id", f"the decision `{name}` names `{outcome}` twice", "keep one of the two")
            elif outcome and outcome not in self.outcomes:
                self.problems.append(no_outcome(outcome, item.place, self.facts, self.outcomes))
            seen.add(outcome)
        self.decisions[name] = decision

    def _check_ids(self) -> None:
        seen: dict[str, Place] = {}
        for rule in _rules(self.tables.values()):
            if rule.id and rule.id in seen and rule.place != seen[rule.id]:
                self._add(rule.place, "repeated-id", f"the rule `{rule.id}` stands already at {seen[rule.id]}", "choose another id")
            seen.setdefault(rule.id, rule.place)

    def _check_questions(self) -> None:
        rules = {rule.id for rule in _rules(self.tables.values())}
        known = {*rules, *self.tables, *self.rosters} - {""}
        ids: set[str] = set()
        for tree in (self.manifest_tree, *self.concerns.values()):
            for node in items(tree, "questions"):
                name = text(node, "id")
                if name and name in ids:
                    self._add(value_place(node, "id"), "repeated-id", f"the question `{name}` stands twice", "choose another id")
                ids.add(name)
                for item in items(node, "rules"):
                    if self.sound and text(item) not in known:
                        self._add(item.place, "unknown-reference", f"no rule or table `{text(item)}`", did_you_mean(text(item), known))

    def _check_triage(self) -> None:
        seen: set[str] = set()
        for item in items(self.manifest_tree, "triage"):
            name = text(item)
            if name in seen:
                self._add(item.place, "repeated-id", f"the decision `{name}` stands here again", "keep one of the two")
            elif self.whole and name and "" not in self.decisions and name not in self.decisions:
                self._add(item.place, "unknown-reference", f"no decision `{name}`", did_you_mean(name, self.decisions))
            seen.add(name)

    def _check_producers(self) -> None:
        producers: dict[str, Place] = {}
        for name, place in self._produced():
            if name in producers:
                self._add(place, "produced-twice", f"`{name}` is produced at {producers[name]} already", "only one table can produce an outcome")
            producers.setdefault(name, place)
        for name, outcome in self.outcomes.items():
            if name not in producers:
                self._add(outcome.place, "never-produced", f"no table produces the outcome `{name}`", "take it out of the vocabulary, or give it a table")
        by_roster = {roster.produces for roster in self.rosters.values()}
        for rule in _rules(self.tables.values()):
            for condition in rule.when:
                if condition.fact in by_roster:
                    self._add(condition.place, "bad-condition", f"`{condition.fact}` comes from a roster, which no table can read",
                              "it changes with the time of day; leave the condition out")

    def _produced(self) -> Iterable[tuple[str, Place]]:
        """Give every outcome that a table or roster says it produces, and where it says so."""
        for section in ("tables", "rosters"):
            for tree in self.concerns.values():
                for _, node in pairs(tree, section):
                    for at, name in enumerate(texts(node, "produces")):
                        yield name, value_place(node, "produces", at)

    def _order(self) -> tuple[str, ...]:
        """Put every table behind those it reads from; report each cycle once."""
        producer = {name: table.name for table in self.tables.values() for name in table.produces}
        reads = {table.name: sorted({producer[name] for name in table.reads if name in producer}) for table in self.tables.values()}
        order: list[str] = []
        state: dict[str, str] = {}
        depth: dict[str, int] = {}

        def too_long(name: str) -> PolicyErrors:
            return PolicyErrors([Problem(self.tables[name].place, "too-large", f"more than {MAX_CHAIN} tables read from each other in a row",
                                         "let tables read facts directly")])

        def visit(name: str, path: tuple[str, ...]) -> None:
            if state.get(name) == "done":
                return
            if state.get(name) == "open":
                self._cycle((*path[path.index(name):], name))
                return
            if len(path) >= MAX_CHAIN:
                raise too_long(name)
            state[name] = "open"
            for other in reads[name]:
                visit(other, (*path, name))
            depth[name] = 1 + max((depth.get(other, 0) for other in reads[name]), default=0)
            if depth[name] > MAX_CHAIN:
                raise too_long(name)
            state[name] = "done"
            order.append(name)

        for name in sorted(self.tables):
            visit(name, ())
        return tuple(order)

    def _cycle(self, names: tuple[str, ...]) -> None:
        place = self.tables[names[0]].place
        if len(names) == 2:
            self._add(place, "cycle", f"the table `{names[0]}` reads what it produces", "a table can read facts, and outcomes of other tables")
        else:
            self._add(place, "cycle", "tables wait for each other: " + " → ".join(names), "each reads what the next produces")

    def _assumptions(self, manifest: Manifest) -> tuple[Assumption, ...]:
        found = [Assumption(rule.id, rule.assumption, rule.source, rule.place) for rule in _rules(self.tables.values()) if rule.assumption]
        found += [Assumption(roster.name, roster.assumption, roster.source, roster.place) for roster in self.rosters.values() if roster.assumption]
        if manifest.notice and manifest.notice.assumption:
            found.append(Assumption("notice", manifest.notice.assumption, manifest.notice.source, manifest.place))
        found += [Assumption(text(node, "id"), text(node, "reason"), text(node, "source"), node.place) for node in items(self.manifest_tree, "assumptions")]
        return tuple(sorted(found, key=lambda assumption: (assumption.place, assumption.id)))


def _rules(tables: Iterable[Table]) -> Iterable[Rule]:
    for table in tables:
        yield from table.rules
        if table.otherwise is not None:
            yield table.otherwise


def _placed(node: Mapping | None) -> Iterable[tuple[str, Node, Place]]:
    return [(name, inner, node.key_places[name]) for name, inner in pairs(node)] if node else []


def _questions(tree: Node) -> list[Question]:
    return [
        Question(text(node, "id"), text(node, "question"), text(node, "reading"), text(node, "source"), texts(node, "rules"), node.place)
        for node in items(tree, "questions")
    ]
