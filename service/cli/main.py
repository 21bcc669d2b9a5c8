"""The ``guidepost`` command with all its sub-commands."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from service.cli.access import access
from service.cli.analyze import analyze
from service.cli.audit import audit
from service.cli.build import build
from service.cli.check import check
from service.cli.ci import ci
from service.cli.clock import clock
from service.cli.configured import with_flags
from service.cli.diff import diff
from service.cli.evaluate import WORDS, WORDS_ALLOWED, evaluate
from service.cli.fmt import fmt
from service.cli.health import health
from service.cli.holidays import holidays
from service.cli.prove import prove
from service.cli.release import release
from service.cli.replay import replay
from service.cli.schema import schema
from service.cli.serve import serve
from service.cli.show import show
from service.cli.sign import keys, sign, verify_bundle
from service.cli.terminal import help_markup
from service.cli.test import policy_tests
from service.cli.unpack import unpack
from service.cli.version import PROGRAM, installed
from service.cli.version import version as version_command

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
