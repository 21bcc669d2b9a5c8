"""``guidepost replay run``: past tickets decided by another version, in this process or on Spark."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from engine.diff import Budget, check_budget
from engine.diff.words import listed_text
from engine.model.answer import UnknownDecision
from engine.records.filter import Filter
from engine.replay import InForceReplayer, Replayer
from engine.replay.budget import excesses
from engine.replay.in_force import IN_FORCE
from engine.replay.nouns import Replay
from engine.version.bundle import same_desk
from engine.version.version import Version
from guidepost.cli.commands.replay_inputs import MAPPING_HELP, Tickets, all_facts, reading_tickets, require_tickets
from guidepost.cli.commands.replay_progress import progress
from guidepost.cli.options.budget import budget_errors
from guidepost.cli.options.policies_folder import load
from guidepost.cli.options.version_spec import open_source, open_version
from guidepost.past_tickets import ColumnMapping, RejectedRowsWriter, Vocabulary, open_tickets, read_mapping
from guidepost.render.console import command_error, errors
from guidepost.replay.report import ReplayReport
from guidepost.replay.run import RejectedRows, replay_source, usual_groups
from guidepost.replay.spark import ReplayerFiles, VersionFiles, run_on_spark

NUMBER: Final = re.compile(r"\d+\.\d+\.\d+")


class Engine(StrEnum):
    """Where tickets are decided."""

    EMBEDDED = "embedded"
    SPARK = "spark"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a replay: which tickets, by which versions, and how changes are counted."""

    tickets: Tickets
    against: str
    before: str
    mapping: Path | None
    by: tuple[str, ...]
    decisions: tuple[str, ...]
    policies: Path | None
    keys: list[Path] | None
    engine: Engine

    @property
    def eval_options(self) -> str:
        """The options of ``guidepost eval`` that choose the version of ``--against``."""
        if Path(self.against).is_dir():
            return f"--policies {shlex.quote(self.against)}"
        number = f"--version {self.against}" if NUMBER.fullmatch(self.against) else ""
        folder = f"--policies {shlex.quote(str(self.policies))}" if self.policies else ""
        return " ".join(filter(None, (number, folder)))

    def texts(self, spec: str) -> VersionFiles:
        """Return the files of a version; end the command if there is none."""
        source = open_source(spec, policies=self.policies, keys=self.keys)
        return VersionFiles.of(source.files, source.root)

    def version(self, spec: str) -> Version:
        """Build a version; end the command if there is none, or if it has problems."""
        return open_version(spec, policies=self.policies, keys=self.keys)


def run_replay(options: RunOptions, budget: Budget) -> ReplayReport:
    """Decide past tickets by the version of ``--against``; the report lists where changes exceed the budget."""
    tickets = options.tickets
    in_force = _in_force(options) if IN_FORCE in (options.against, options.before) else ()
    after = in_force[-1] if options.against == IN_FORCE else options.version(options.against)
    before = options.version(options.before) if options.before and options.before != IN_FORCE else None
    versions = tuple(version for version in (*in_force, before, after) if version is not None)
    if before is not None and not same_desk(before.policy.manifest, after.policy.manifest):
        errors().show(f"note: these are versions of two desks, {before.ref.name} and {after.ref.name}")
    with budget_errors():
        check_budget(budget, *(version.policy for version in versions))
    options = replace(
        options,
        by=options.by or usual_groups(after),
        decisions=options.decisions or (() if in_force else _shared_decisions(after, before)),
    )
    replayer = _replayer(after, before, options, in_force)
    words = _vocabulary(after, versions)
    with reading_tickets(), RejectedRowsWriter(tickets.unread) as unread:
        mapping = read_mapping(options.mapping, words) if options.mapping else None
        rejected = RejectedRows(write=unread.add)
        replayed = _on_spark if options.engine is Engine.SPARK else _here
        replay, notes = replayed(options, replayer, words, mapping, rejected)
    require_tickets(tickets, replay.tickets, rejected, _too_early_help(options, replayer, rejected) or MAPPING_HELP)
    for note in notes:
        errors().show(f"note: {note}")
    return ReplayReport(
        replay=replay,
        version=after,
        source=tickets.source,
        before=options.before,
        after=options.against,
        first_rejected=tuple(rejected.first),
        rejected_file=tickets.unread_file(rejected),
        excesses=excesses(replay, budget),
        option=options.eval_options,
        notes=tuple(notes),
        doubts=rejected.doubts,
        tolerances={} if mapping is None else {name: rule.tolerance_text for name, rule in mapping.tolerances.items()},
    )


def _in_force(options: RunOptions) -> tuple[Version, ...]:
    """Return all versions of the policies folder, in the order in which they come into effect."""
    loaded = load(options.policies)
    with errors().working("loading the versions"):
        return tuple(loaded.build(known) for known in loaded.versions)


def _here(
    options: RunOptions,
    replayer: Replayer | InForceReplayer,
    words: Vocabulary,
    mapping: ColumnMapping | None,
    rejected: RejectedRows,
) -> tuple[Replay, list[str]]:
    """Replay in this process; return also the notes on the source."""
    tickets = options.tickets
    source = open_tickets(tickets.source, words, mapping, tickets.only)
    with progress(f"replaying {Path(tickets.source).name}") as watch:
        return replay_source(source, replayer, rejected, watch, tickets.limit), source.notes


def _on_spark(
    options: RunOptions,
    replayer: Replayer | InForceReplayer,
    words: Vocabulary,
    mapping: ColumnMapping | None,
    rejected: RejectedRows,
) -> tuple[Replay, list[str]]:
    """Replay on Spark, whose workers build the versions from their files; return also the notes on the source."""
    if options.tickets.only != Filter():
        raise command_error(
            "--since and --until choose records of a log, which Spark does not read",
            "help: export the log as Parquet, or leave --engine out",
        )
    specs = (options.against, options.before)
    after, before = (options.texts(spec) if spec and spec != IN_FORCE else None for spec in specs)
    known = load(options.policies).versions if IN_FORCE in specs else ()
    trial = ReplayerFiles(
        after=after,
        before=before,
        by=options.by,
        decisions=options.decisions or None,
        versions=tuple(options.texts(f"version:{one.ref.version}") for one in known),
        from_in_force=options.before == IN_FORCE,
    )
    with errors().working("replaying on Spark"):
        return run_on_spark(
            options.tickets.source,
            words,
            mapping=mapping,
            files=trial,
            replayer=replayer,
            rejected=rejected,
            limit=options.tickets.limit,
        )


def _vocabulary(after: Version, versions: Sequence[Version]) -> Vocabulary:
    """Return the words a mapping may use: those of the version of ``--against``, and the facts of all versions."""
    return replace(Vocabulary.of(after), facts=all_facts(version.policy for version in versions))


def _replayer(
    after: Version, before: Version | None, options: RunOptions, in_force: tuple[Version, ...]
) -> Replayer | InForceReplayer:
    try:
        if in_force:
            trial = None if options.against == IN_FORCE else after
            return InForceReplayer(
                in_force,
                trial,
                before,
                from_in_force=options.before == IN_FORCE,
                by=options.by,
                decisions=options.decisions or None,
            )
        return Replayer(after, before, options.by, options.decisions or None)
    except ValueError as error:
        raise command_error(f"--by: {error}") from error
    except UnknownDecision as error:
        raise command_error(f"--decision: {error}") from error


def _shared_decisions(after: Version, before: Version | None) -> tuple[str, ...]:
    """Return the decisions that a new ticket needs and both versions make; a note names those of only one version."""
    if before is None:
        return ()
    needed = dict.fromkeys((*after.policy.manifest.triage, *before.policy.manifest.triage))
    both = tuple(name for name in needed if name in after.plans and name in before.plans)
    if both and (only := [name for name in needed if name not in both]):
        errors().show(f"note: only one of the versions decides {listed_text(only)}; --decision compares that, too")
    return both


def _too_early_help(options: RunOptions, replayer: Replayer | InForceReplayer, rejected: RejectedRows) -> str:
    """Return a help text if every row is older than every version, else ""."""
    if not isinstance(replayer, InForceReplayer) or set(rejected.by) != {replayer.too_early}:
        return ""
    option = "--against" if options.against == IN_FORCE else "--from"
    return f"these tickets are older than every version; name one: {option} {replayer.first}"
