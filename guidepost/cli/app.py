"""The ``guidepost`` command with all its sub-commands."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from guidepost.cli.commands.access import access
from guidepost.cli.commands.analyze import analyze
from guidepost.cli.commands.audit import audit
from guidepost.cli.commands.build import build
from guidepost.cli.commands.check import check
from guidepost.cli.commands.ci import ci
from guidepost.cli.commands.clock import clock
from guidepost.cli.commands.diff import diff
from guidepost.cli.commands.eval import WORDS, WORDS_ALLOWED, evaluate
from guidepost.cli.commands.fmt import fmt
from guidepost.cli.commands.health import health
from guidepost.cli.commands.holidays import holidays
from guidepost.cli.commands.keys import keys, sign, verify_bundle
from guidepost.cli.commands.prove import prove
from guidepost.cli.commands.release import release
from guidepost.cli.commands.replay import replay
from guidepost.cli.commands.schema import schema
from guidepost.cli.commands.serve import serve
from guidepost.cli.commands.show import show
from guidepost.cli.commands.test import policy_tests
from guidepost.cli.commands.unpack import unpack
from guidepost.cli.commands.version import PROGRAM, installed
from guidepost.cli.commands.version import version as version_command
from guidepost.cli.options.server_flags import with_flags
from guidepost.render.console import help_markup

app: Final = typer.Typer(
    name=PROGRAM,
    no_args_is_help=True,
    rich_markup_mode=help_markup(),
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def guidepost(
    version: Annotated[bool, typer.Option("--version", help="Say the version of the program and end.")] = False,
) -> None:
    """Decide support tickets by policies that people edit as YAML."""
    if version:
        sys.stdout.write(f"{PROGRAM} {installed(PROGRAM)}\n")
        raise typer.Exit


app.command("serve")(with_flags(serve))
app.command("health")(health)
app.command("check")(check)
app.command("analyze")(analyze)
app.command("prove")(prove)
app.command("test")(policy_tests)
app.command("fmt")(fmt)
app.command("eval", context_settings=WORDS_ALLOWED, options_metavar=WORDS)(evaluate)
app.command("show")(show)
app.command("diff")(diff)
app.command("ci")(ci)
app.command("replay")(replay)
app.add_typer(clock, name="clock")
app.add_typer(audit, name="audit")
app.command("release")(release)
app.command("build")(build)
app.command("sign")(sign)
app.command("verify")(verify_bundle)
app.command("unpack")(unpack)
app.add_typer(keys, name="keys")
app.add_typer(access, name="access")
app.command("schema")(schema)
app.add_typer(holidays, name="holidays")
app.command("version")(version_command)
