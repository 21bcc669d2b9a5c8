"""``guidepost serve --check``: everything that would prevent serving, reported at once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer
from rich.text import Text

from engine.model.problems import PolicyErrors
from guidepost.cli.options.policies_folder import PoliciesNotFound, policies_folder
from guidepost.cli.options.server_flags import setting_message, settings_error
from guidepost.policies.sources.folder import load_bundle
from guidepost.render.console import ExitCode, command_error, count, errors, results
from guidepost.render.messages import problem_text
from guidepost.server.auth.callers import expired_keys
from guidepost.server.auth.callers_file import read_callers
from guidepost.server.auth.errors import read_file
from guidepost.server.settings.checks import environment_problems, setting_problems
from guidepost.server.settings.file_modes import file_mode_warnings
from guidepost.server.settings.load import LoadedSettings, WrongSetting
from guidepost.server.settings.signing_key import signing_problem
from guidepost.text_encoding import decode_text


def _warnings(found: LoadedSettings, now: datetime) -> list[WrongSetting]:
    """Return what does not prevent serving but should be fixed: open files, expired keys, heads without a signature."""
    warnings = [
        *file_mode_warnings(found),
        *(WrongSetting(origin=found.origin("callers"), message=one) for one in _expired(found.settings.callers, now)),
    ]
    if why := signing_problem(found.settings):
        warnings.append(
            WrongSetting(
                origin="log-sign",
                message=f"the heads of the decision log would not be signed: {why}",
                help="name a key with log-sign-key, or set log-sign to false",
            )
        )
    return warnings


def _expired(file: Path | None, now: datetime) -> list[str]:
    """Return a message for each expired key of the file of callers, whose problems were reported before."""
    text = "" if file is None else decode_text(str(file), read_file(file))
    return expired_keys(read_callers(str(file), text)[0], now) if isinstance(text, str) and text else []


def check_server(found: LoadedSettings, now: datetime) -> typer.Exit:
    """Check settings, keys, log, ports and policies; return the exit to raise: 2 for settings, else 3 for policies."""
    wrong = [*setting_problems(found), *environment_problems(found)]
    try:
        folder = policies_folder(found.settings.policies)
    except PoliciesNotFound as error:
        return settings_error((*wrong, WrongSetting(origin=found.origin("policies"), message=str(error))))
    try:
        with errors().working("checking the policies"):
            versions = load_bundle(folder).versions
    except PolicyErrors as error:
        errors().show(*map(problem_text, error.problems), *map(setting_message, wrong))
        summary = (
            count(len(error.problems), "problem")
            + f" in {folder}"
            + (f", {count(len(wrong), 'problem')} with the settings" if wrong else "")
        )
        return command_error(summary, code=ExitCode.USAGE if wrong else ExitCode.POLICY)
    if wrong:
        return settings_error(tuple(wrong))
    named = ", ".join(f"{version.ref.name} {version.ref.version}" for version in versions)
    for one in _warnings(found, now):
        errors().show(Text.assemble(("warning: ", "bold yellow"), str(one)))
    results().show(
        Text.assemble(("ready to serve", "bold green"), f": {named}; settings, keys, decision log and ports are valid")
    )
    return typer.Exit(int(ExitCode.OK))
