"""``guidepost replay verify``: each record of a log decided again by the version that decided it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.model.problems import PolicyErrors
from engine.version.bundle import other_desks
from engine.version.version import Version
from guidepost.cli.commands.replay_inputs import Tickets, all_facts, reading_tickets, require_tickets
from guidepost.cli.commands.replay_progress import progress
from guidepost.cli.options.policies_folder import LoadedPolicies, load
from guidepost.cli.options.version_spec import open_version, source_errors
from guidepost.past_tickets import RejectedRowsWriter, Vocabulary, open_tickets
from guidepost.past_tickets.from_decision_log import ExportedRecords, StoredRecords
from guidepost.render.console import command_error, errors
from guidepost.replay.run import RejectedRows
from guidepost.replay.verify_log import MAX_LISTED, LogVerification, verify_log


def verified_log(
    tickets: Tickets, specs: Sequence[str], *, policies: Path | None, keys: list[Path] | None, every: bool
) -> LogVerification:
    """Decide the records of a log by their own versions: those of the policies folder, and those that specs name."""
    loaded = load(policies)
    versions = (open_version(spec, policies=policies, keys=keys) for spec in specs)
    named = {version.digest: version for version in versions}
    with source_errors("these versions"):
        _require_one_desk(loaded, named.values())
    with reading_tickets(), RejectedRowsWriter(tickets.unread) as unread:
        source = open_tickets(tickets.source, _vocabulary(loaded, named.values()), None, tickets.only)
        if not isinstance(source, (StoredRecords, ExportedRecords)):
            raise command_error(
                f"expected a decision log, got {tickets.source}",
                f"help: `guidepost replay run {tickets.source} --against VERSION` decides these tickets by a version",
            )
        rejected = RejectedRows(write=unread.add)
        with progress(f"verifying {Path(tickets.source).name}") as watch:
            found = verify_log(
                source,
                lambda digest: named.get(digest) or _version(loaded, digest),
                rejected,
                watch,
                limit=tickets.limit,
                most=None if every else MAX_LISTED,
            )
    require_tickets(tickets, found.records, rejected)
    return replace(found, rejected_file=tickets.unread_file(rejected))


def _require_one_desk(loaded: LoadedPolicies, named: Iterable[Version]) -> None:
    """Raise PolicyErrors for versions of another desk: the same word may mean something else there."""
    if problems := other_desks([version.policy.manifest for version in (*reversed(loaded.versions), *named)]):
        raise PolicyErrors(problems)


def _version(loaded: LoadedPolicies, digest: str) -> Version | None:
    for known in loaded.versions:
        if known.ref.digest == digest:
            with errors().working(f"loading {known.ref.version}"):
                return loaded.build(known)
    return None


def _vocabulary(loaded: LoadedPolicies, named: Iterable[Version]) -> Vocabulary:
    """Return the words of all versions together, since a log holds records of several."""
    policies = [*(known.policy for known in loaded.versions), *(version.policy for version in named)]
    return Vocabulary(
        facts=all_facts(policies),
        outcomes={name: one for policy in policies for name, one in policy.outcomes.items()},
        deadlines=tuple(dict.fromkeys(name for policy in policies for name in policy.deadlines)),
    )
