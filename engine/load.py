"""Files in, a policy out: reads every file of a version, and refuses it whole if anything is wrong.

``load({"manifest.yaml": "...", "vocabulary.yaml": "...", ...})`` gives a :class:`~engine.policy.Policy` or raises
:class:`~engine.problems.PolicyErrors` with all problems. What only shows in the cells of the tables (gaps, overlaps,
rules that never fire) is found later, by :mod:`engine.check`.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import UTC, datetime
from typing import Final

from engine.load_tables import TableReader
from engine.load_vocabulary import listed_values, load_vocabulary
from engine.nearest import did_you_mean
from engine.policy import Assumption, Decision, Entry, Manifest, Notice, Policy, Question, Roster, Rule, Table
from engine.problems import Place, PolicyErrors, Problem
from engine.reading import Mapping, Node, items, mapping, pairs, text, texts
from engine.source import read
from engine.structure import structure_problems
from engine.vocabulary import FactType

MANIFEST: Final = "manifest.yaml"
VOCABULARY: Final = "vocabulary.yaml"


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
            kind = {MANIFEST: "manifest", VOCABULARY: "vocabulary"}.get(path, "policy")
            problems.extend(structure_problems(kind, tree))
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
            problems.append(Problem(Place(f"{root}/{needed}" if root else needed), "missing-file", f"a version needs the file {needed}"))
    if MANIFEST not in trees or VOCABULARY not in trees:
        raise PolicyErrors(problems)
    loader = _Loader(trees, problems)
    policy = loader.policy()
    if problems:
        raise PolicyErrors(problems)
    return policy, trees


class _Loader:
    """Reads the trees of one version; gathers problems as it goes."""

    def __init__(self, trees: MappingOf[str, Node], problems: list[Problem]) -> None:
        self.problems = problems
        self.manifest_tree = trees[MANIFEST]
        self.concerns = {path: tree for path, tree in trees.items() if path not in (MANIFEST, VOCABULARY)}
        self.facts, self.outcomes = load_vocabulary(trees[VOCABULARY], listed_values(self.concerns), problems)
        self.tables: dict[str, Table] = {}
        self.rosters: dict[str, Roster] = {}
        self.decisions: dict[str, Decision] = {}
        self.questions: list[Question] = _questions(self.manifest_tree)

    def policy(self) -> Policy:
        manifest = self._manifest()
        for tree in self.concerns.values():
            self._concern(tree, manifest)
        self._check_ids()
        self._check_references(manifest)
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
        try:
            effective = datetime.fromisoformat(text(tree, "effective_from").upper())
        except ValueError:
            effective = datetime.min.replace(tzinfo=UTC)
            if text(tree, "effective_from")[:4].isdigit():
                node = tree.get("effective_from") if isinstance(tree, Mapping) else None
                self._add(node.place if node else tree.place, "bad-format", f"`{text(tree, 'effective_from')}` is no day of the calendar")
        return Manifest(
            text(tree, "name"), text(tree, "version"), effective.astimezone(UTC) if effective.tzinfo and effective.year > 1 else effective,
            text(tree, "source"), text(tree, "owner"), texts(tree, "triage"),
            Notice(text(notice, "text"), text(notice, "source"), text(notice, "assumption")) if notice else None, tree.place,
        )

    def _concern(self, tree: Node, manifest: Manifest) -> None:
        reader = TableReader(self.facts, self.outcomes, text(tree, "source"), self.problems)
        for name, node, place in _placed(mapping(tree, "tables")):
            if name in self.tables:
                self._add(place, "repeated-id", f"a table `{name}` stands already at {self.tables[name].place}")
            self.tables[name] = reader.table(name, node, place)
        for name, node, place in _placed(mapping(tree, "rosters")):
            self.rosters[name] = self._roster(name, node, place, text(tree, "source"))
        self.questions.extend(_questions(tree))
        decision = mapping(tree, "decision")
        if decision is not None:
            name = text(decision, "name")
            if name in self.decisions:
                self._add(decision.place, "repeated-id", f"a decision `{name}` stands already at {self.decisions[name].place}")
            self.decisions[name] = Decision(
                name, text(decision, "about"), text(tree, "owner") or manifest.owner, texts(decision, "answers"), texts(decision, "beside"), decision.place,
            )

    def _roster(self, name: str, node: Node, place: Place, source: str) -> Roster:
        at, produces = text(node, "at"), text(node, "produces")
        if at not in self.facts or self.facts[at].type is not FactType.INSTANT:
            instants = [fact for fact in self.facts.values() if fact.type is FactType.INSTANT]
            self._add(place, "unknown-fact", f"the roster `{name}` needs an instant fact, not `{at}`", did_you_mean(at, [fact.name for fact in instants]))
        outcome = self.outcomes.get(produces)
        entries = tuple(Entry(text(item, "value"), text(item, "zone"), text(item, "name")) for item in items(node, "entries"))
        for entry, item in zip(entries, items(node, "entries"), strict=True):
            if entry.zone not in zoneinfo.available_timezones():
                self._add(item.place, "unknown-value", f"no time zone `{entry.zone}`", did_you_mean(entry.zone, zoneinfo.available_timezones()))
            if outcome is not None and entry.value not in {value.value for value in outcome.values}:
                self._add(item.place, "unknown-value", f"unknown {produces} `{entry.value}`", did_you_mean(entry.value, [value.value for value in outcome.values]))
        if outcome is None:
            self._add(place, "unknown-fact", f"no outcome `{produces}` in the vocabulary", did_you_mean(produces, self.outcomes))
        hours = [_minutes(moment) for moment in texts(node, "open")] or [0, 0]
        if hours[0] >= hours[-1]:
            self._add(place, "bad-format", f"the roster `{name}` closes before it opens")
        return Roster(name, text(node, "about"), at, hours[0], hours[-1], entries, produces, text(node, "source") or source, text(node, "assumption"), place)

    def _check_ids(self) -> None:
        seen: dict[str, Place] = {}
        for rule in _rules(self.tables.values()):
            if rule.id in seen and rule.id:
                self._add(rule.place, "repeated-id", f"the rule id `{rule.id}` stands already at {seen[rule.id]}")
            seen.setdefault(rule.id, rule.place)
        ids: set[str] = set()
        for question in self.questions:
            if question.id in ids:
                self._add(question.place, "repeated-id", f"the question `{question.id}` stands twice")
            ids.add(question.id)
            for rule_id in question.rules:
                if rule_id not in seen and rule_id not in self.tables:
                    self._add(question.place, "unknown-reference", f"no rule or table `{rule_id}`", did_you_mean(rule_id, (*seen, *self.tables)))

    def _check_references(self, manifest: Manifest) -> None:
        for name in manifest.triage:
            if name not in self.decisions:
                node = self.manifest_tree.get("triage") if isinstance(self.manifest_tree, Mapping) else None
                self._add(node.place if node else manifest.place, "unknown-reference", f"no decision `{name}`", did_you_mean(name, self.decisions))
        for decision in self.decisions.values():
            for name in decision.outcomes:
                if name not in self.outcomes:
                    self._add(decision.place, "unknown-fact", f"no outcome `{name}` in the vocabulary", did_you_mean(name, self.outcomes))
        if not self.problems:
            self._check_producers()

    def _check_producers(self) -> None:
        producers: dict[str, Place] = {}
        for made in (*self.tables.values(), *self.rosters.values()):
            for name in (made.produces,) if isinstance(made.produces, str) else made.produces:
                if name in producers:
                    self._add(made.place, "produced-twice", f"`{name}` is produced at {producers[name]} already", "one table produces an outcome")
                producers.setdefault(name, made.place)
        for name, outcome in self.outcomes.items():
            if name not in producers:
                self._add(outcome.place, "never-produced", f"no table produces the outcome `{name}`", "take it out of the vocabulary, or give it a table")
        by_roster = {roster.produces for roster in self.rosters.values()}
        for table in self.tables.values():
            for name in sorted(by_roster & set(table.reads)):
                self._add(table.place, "bad-condition", f"the table `{table.name}` reads `{name}`, which depends on the time of day")

    def _order(self) -> tuple[str, ...]:
        """Put every table behind those it reads from; report each cycle once."""
        producer = {name: table.name for table in self.tables.values() for name in table.produces}
        reads = {table.name: sorted({producer[name] for name in table.reads if name in producer}) for table in self.tables.values()}
        order: list[str] = []
        state: dict[str, str] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if state.get(name) == "done":
                return
            if state.get(name) == "open":
                cycle = (*path[path.index(name):], name)
                self._add(self.tables[name].place, "cycle", "tables wait for each other: " + " → ".join(cycle), "each reads what the next produces")
                return
            state[name] = "open"
            for other in reads[name]:
                visit(other, (*path, name))
            state[name] = "done"
            order.append(name)

        for name in sorted(self.tables):
            visit(name, ())
        return tuple(order)

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


def _minutes(moment: str) -> int:
    hours, _, minutes = moment.partition(":")
    return int(hours) * 60 + int(minutes) if hours.isdigit() and minutes.isdigit() else 0


