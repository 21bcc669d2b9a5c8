"""``guidepost replay suggest-mapping``: a first mapping file, from the columns of a file."""

from __future__ import annotations

from pathlib import Path

from guidepost.cli.commands.replay_inputs import reading_tickets
from guidepost.cli.options.version_spec import open_version
from guidepost.past_tickets.from_decision_log import DEFAULT_LOG, is_url
from guidepost.past_tickets.suggest import suggest_mapping
from guidepost.render.console import command_error


def suggested_mapping(source: str, spec: str, *, policies: Path | None, keys: list[Path] | None) -> str:
    """Return the text of a mapping from the columns of a file to the facts of a version."""
    if source == DEFAULT_LOG or is_url(source):
        raise command_error(f"{source} is a decision log, whose facts do not need a mapping")
    version = open_version(spec, policies=policies, keys=keys)
    with reading_tickets():
        return suggest_mapping(source, version)
