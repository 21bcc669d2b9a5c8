"""What ``guidepost replay`` is asked for: sources and versions opened, replayed or proved; what is wrong with them, said."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from engine.decision_log.filter import Filter
from engine.diff import Budget, check_budget
from engine.diff.words import listed_text
from engine.model.answer import UnknownDecision
from engine.model.policy import Policy
from engine.model.problems import PolicyErrors
from engine.model.vocabulary import Fact
from engine.replay import InForceReplayer, Replayer
from engine.replay.budget import excesses
from engine.replay.in_force import IN_FORCE
from engine.replay.nouns import Replay
from engine.version.bundle import other_desks, same_desk
from engine.version.version import Version
from guidepost.cli.commands.replay_progress import progress
from guidepost.cli.options.budget import budget_as_usage
from guidepost.cli.options.policies_folder import Loaded, load
from guidepost.cli.options.version_spec import open_source, open_version, refusing
from guidepost.render.console import errors, refused
from guidepost.render.messages import problem_text
from guidepost.replay.report import ReplayReport
from guidepost.replay.run import RejectedRows, replay_source, usual_groups
from guidepost.replay.spark import ReplayerFiles, VersionFiles, run_on_spark
from guidepost.replay.verify_log import MAX_LISTED, LogVerification, verify_log
from guidepost.tickets import (
    ColumnMapping,
    MappingErrors,
    RejectedRowsWriter,
    TicketsError,
    Vocabulary,
    open_tickets,
    read_mapping,
)
from guidepost.tickets.from_decision_log import DEFAULT_LOG, ExportedRecords, StoredRecords, is_url
from guidepost.tickets.suggest import suggest_mapping

NUMBER: Final = re.compile(r"\d+\.\d+\.\d+")

NO_ROWS: Final = "a mapping file says what the columns mean: --suggest-mapping drafts one"


class Engine(StrEnum):
    """Where tickets are decided."""

    EMBEDDED = "embedded"
    SPARK = "spark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for: which tickets, by which versions, counted how, and where rows go that cannot be read."""

    source: str
    against: str
    before: str
    mapping: Path | None
    by: tuple[str, ...]
    decisions: tuple[str, ...]
    only: Filter
    limit: int | None
    unread: Path
    policies: Path | None
    keys: list[Path] | None
    engine: Engine

    @property
    def option(self) -> str:
        """What chooses the version under trial where a ticket is decided by hand."""
        if Path(self.against).is_dir():
            return f"--policies {shlex.quote(self.against)}"
        number = f"--version {self.against}" if NUMBER.fullmatch(self.against) else ""
        return " ".join(
            part for part in (number, f"--policies {shlex.quote(str(self.policies))}" if self.policies else "") if part
        )

    def texts(self, spec: str) -> VersionFiles:
        """Return the files of a version, or end the command."""
        source = open_source(spec, policies=self.policies, keys=self.keys)
        return VersionFiles.of(source.files, source.root)

    def version(self, spec: str) -> Version:
        """Open a version, or end the command."""
        return open_version(spec, policies=self.policies, keys=self.keys)


def beside(source: str) -> Path:
    """Return where rows of a source go that cannot be read: beside a file, else here.

    >>> beside("past/incidents.csv.gz").as_posix(), beside("sqlite:///log.db").as_posix(), beside("tickets/*.parquet").as_posix()
    ('past/incidents.unread.csv', 'tickets.unread.csv', 'tickets.unread.csv')
    """
    path = Path(source)
    if not path.is_file() and (
        source == DEFAULT_LOG or "://" in source or not re.fullmatch(r"[^*?\[]+", source) or path.is_dir()
    ):
        return Path("tickets.unread.csv")
    return path.with_name(f"{path.name.partition('.')[0] or path.name}.unread.csv")


def report_of(asked: Asked, budget: Budget) -> ReplayReport:
    """Replay a source against a version, and hold what changes against a budget."""
    in_force = _in_force(asked) if IN_FORCE in (asked.against, asked.before) else ()
    after = in_force[-1] if asked.against == IN_FORCE else asked.version(asked.against)
    before = asked.version(asked.before) if asked.before and asked.before != IN_FORCE else None
    versions = tuple(version for version in (*in_force, before, after) if version is not None)
    if before is not None and not same_desk(before.policy.manifest, after.policy.manifest):
        errors().show(f"note: these are versions of two desks, {before.ref.name} and {after.ref.name}")
    with budget_as_usage():
        check_budget(budget, *(version.policy for version in versions))
    asked = replace(
        asked,
        by=asked.by or usual_groups(after),
        decisions=asked.decisions or (() if in_force else _shared(after, before)),
    )
    replayer = _replayer(after, before, asked, in_force)
    words = _words(after, versions)
    with _reading(), RejectedRowsWriter(asked.unread) as unread:
        mapping = read_mapping(asked.mapping, words) if asked.mapping else None
        rejected = RejectedRows(write=unread.add)
        replayed = _on_spark if asked.engine is Engine.SPARK else _here
        found, notes = replayed(asked, replayer, words, mapping, rejected)
    _refuse_nothing(asked, found.tickets, rejected, _too_early(asked, replayer, rejected) or NO_ROWS)
    for note in notes:
        errors().show(f"note: {note}")
    tolerances = {} if mapping is None else {name: rule.tolerance_text for name, rule in mapping.tolerances.items()}
    return ReplayReport(
        replay=found,
        version=after,
        source=asked.source,
        before=asked.before,
        after=asked.against,
        first_rejected=tuple(rejected.first),
        rejected_file=_kept(asked, rejected),
        excesses=excesses(found, budget),
        option=asked.option,
        notes=tuple(notes),
        doubts=rejected.doubts,
        tolerances=tolerances,
    )


def _in_force(asked: Asked) -> tuple[Version, ...]:
    """Return all versions of the policies folder, in the order in which they come into effect."""
    loaded = load(asked.policies)
    with errors().working("loading the versions"):
        return tuple(loaded.tabulate(known) for known in loaded.versions)


def _here(
    asked: Asked,
    replayer: Replayer | InForceReplayer,
    words: Vocabulary,
    mapping: ColumnMapping | None,
    rejected: RejectedRows,
) -> tuple[Replay, list[str]]:
    """Replay on this machine; give also what there is to note of the source."""
    source = open_tickets(asked.source, words, mapping, asked.only)
    with progress(f"replaying {Path(asked.source).name}") as watch:
        return replay_source(source, replayer, rejected, watch, asked.limit), source.notes


def _on_spark(
    asked: Asked,
    replayer: Replayer | InForceReplayer,
    words: Vocabulary,
    mapping: ColumnMapping | None,
    rejected: RejectedRows,
) -> tuple[Replay, list[str]]:
    """Replay on Spark, whose workers build the versions from their texts."""
    if asked.only != Filter():
        raise refused(
            "--since and --until choose records of a log, which Spark does not read",
            "help: export the log as Parquet, or leave --engine out",
        )
    after, before = (asked.texts(spec) if spec and spec != IN_FORCE else None for spec in (asked.against, asked.before))
    known = load(asked.policies).versions if IN_FORCE in (asked.against, asked.before) else ()
    versions = tuple(asked.texts(f"version:{one.ref.version}") for one in known)
    trial = ReplayerFiles(
        after=after,
        before=before,
        by=asked.by,
        decisions=asked.decisions or None,
        versions=versions,
        from_in_force=asked.before == IN_FORCE,
    )
    with errors().working("replaying on Spark"):
        return run_on_spark(asked.source, words, mapping, trial, replayer, rejected, asked.limit)


def proof_of(asked: Asked, specs: Sequence[str], *, every: bool) -> LogVerification:
    """Decide the records of a log again, each under its own version: one of the policies folder, or one that is named."""
    loaded = load(asked.policies)
    named = {version.digest: version for version in map(asked.version, specs)}
    with refusing("these versions"):
        _refuse_other_desks(loaded, named.values())
    with _reading(), RejectedRowsWriter(asked.unread) as unread:
        source = open_tickets(asked.source, _vocabulary(loaded, named.values()), None, asked.only)
        if not isinstance(source, (StoredRecords, ExportedRecords)):
            raise refused(
                f"expected a decision log to prove, got {asked.source}",
                "help: --against VERSION says what to replay these tickets against",
            )
        rejected = RejectedRows(write=unread.add)
        with progress(f"proving {Path(asked.source).name}") as watch:
            found = verify_log(
                source,
                lambda digest: named.get(digest) or _known(loaded, digest),
                rejected,
                watch,
                limit=asked.limit,
                most=None if every else MAX_LISTED,
            )
    _refuse_nothing(asked, found.records, rejected)
    return replace(found, rejected_file=_kept(asked, rejected))


def _refuse_other_desks(loaded: Loaded, named: Iterable[Version]) -> None:
    """Refuse versions of another desk, whose words would be read for those of this one; raises PolicyErrors."""
    if problems := other_desks([version.policy.manifest for version in (*reversed(loaded.versions), *named)]):
        raise PolicyErrors(problems)


def suggestion_of(asked: Asked) -> str:
    """Draft a mapping file for a source."""
    if asked.source == DEFAULT_LOG or is_url(asked.source):
        raise refused(f"{asked.source} is a decision log, whose facts need no mapping")
    version = asked.version(asked.against if asked.against not in ("", IN_FORCE) else "working")
    with _reading():
        return suggest_mapping(asked.source, version)


@contextmanager
def _reading() -> Iterator[None]:
    """End the command, saying why, if a source or a mapping cannot be read, or if what is rejected cannot be kept."""
    try:
        yield
    except MappingErrors as error:
        errors().show(*map(problem_text, error.problems))
        raise refused("the mapping is not as it must be") from error
    except TicketsError as error:
        raise refused(error.message, *([f"help: {error.help}"] if error.help else [])) from error
    except OSError as error:
        raise refused(
            f"{error.filename or 'the rows that cannot be read'} cannot be written: {error.strerror}"
        ) from error


def _words(after: Version, versions: Sequence[Version]) -> Vocabulary:
    """Return what a mapping may speak of: what the version under trial knows, and the facts of the others, too."""
    return replace(Vocabulary.of(after), facts=_facts(version.policy for version in versions))


def _replayer(
    after: Version, before: Version | None, asked: Asked, in_force: tuple[Version, ...]
) -> Replayer | InForceReplayer:
    try:
        if in_force:
            trial = None if asked.against == IN_FORCE else after
            return InForceReplayer(
                in_force,
                trial,
                before,
                from_in_force=asked.before == IN_FORCE,
                by=asked.by,
                decisions=asked.decisions or None,
            )
        return Replayer(after, before, asked.by, asked.decisions or None)
    except ValueError as error:
        raise refused(f"--by: {error}") from error
    except UnknownDecision as error:
        raise refused(f"--decision: {error}") from error


def _shared(after: Version, before: Version | None) -> tuple[str, ...]:
    """Return the decisions that a new ticket needs and both versions make, and say which ones only one of them makes."""
    if before is None:
        return ()
    needed = dict.fromkeys((*after.policy.manifest.triage, *before.policy.manifest.triage))
    both = tuple(name for name in needed if name in after.plans and name in before.plans)
    if both and (only := [name for name in needed if name not in both]):
        errors().show(f"note: only one of the versions decides {listed_text(only)}; --decision compares that, too")
    return both


def _too_early(asked: Asked, replayer: Replayer | InForceReplayer, rejected: RejectedRows) -> str:
    """Return the help where every row is older than every version, else ""."""
    if not isinstance(replayer, InForceReplayer) or set(rejected.by) != {replayer.too_early}:
        return ""
    option = "--against" if asked.against == IN_FORCE else "--from"
    return f"these tickets are older than every version; name one: {option} {replayer.first}"


def _refuse_nothing(asked: Asked, tickets: int, rejected: RejectedRows, help_: str = NO_ROWS) -> None:
    """End the command if there was not one ticket."""
    if tickets:
        return
    if not rejected.rows:
        raise refused(f"there are no tickets in {asked.source}")
    lines = [f"row {one.row}{f', {one.field}' if one.field else ''}: {one.message}" for one in rejected.first]
    raise refused(
        f"none of the {rejected.rows:,} rows of {asked.source} can be read",
        *lines,
        *([f"they are in {asked.unread}"]),
        f"help: {help_}",
    )


def _kept(asked: Asked, rejected: RejectedRows) -> str:
    return str(asked.unread) if rejected.rows else ""


def _known(loaded: Loaded, digest: str) -> Version | None:
    """Return a version of the policies folder by its digest."""
    for known in loaded.versions:
        if known.ref.digest == digest:
            with errors().working(f"loading {known.ref.version}"):
                return loaded.tabulate(known)
    return None


def _vocabulary(loaded: Loaded, named: Iterable[Version]) -> Vocabulary:
    """Return the words of all versions together: a log holds records of several."""
    policies = [*(known.policy for known in loaded.versions), *(version.policy for version in named)]
    outcomes = {name: one for policy in policies for name, one in policy.outcomes.items()}
    return Vocabulary(
        facts=_facts(policies),
        outcomes=outcomes,
        deadlines=tuple(dict.fromkeys(name for policy in policies for name in policy.deadlines)),
    )


def _facts(policies: Iterable[Policy]) -> dict[str, Fact]:
    """Return the facts of all policies; those of a later one count."""
    return {name: fact for policy in policies for name, fact in policy.facts.items()}
