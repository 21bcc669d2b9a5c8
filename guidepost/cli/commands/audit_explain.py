"""``guidepost audit explain``: a past decision in full, decided again by its version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.decide.answer_json import plain
from engine.decide.decider import Decider
from engine.records.chain import Entry
from engine.records.masking import replayable
from engine.records.record import Record
from engine.records.reproduce import Reproduction, moment_of, reproduce
from engine.version.build import build
from engine.version.version import Version
from engine.whynot import WhyNot
from guidepost.cli.commands.audit_certificate import RecordArgument, read_entry
from guidepost.cli.commands.eval_why_not import answer_why_not, plain_why_not, why_not_parts
from guidepost.cli.options.decision_log import LogOption, open_log
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder
from guidepost.cli.options.version_spec import SPEC_HELP, KeysOption, open_source, source_errors
from guidepost.decision_log.export_jsonl import entry_line
from guidepost.decision_log.find_version import find_version
from guidepost.render.answer_console import AnswerPage
from guidepost.render.console import ExitCode, TableOrJson, command_error, errors, results, show_json
from guidepost.render.records_console import facts_page, record_page
from guidepost.render.reschedule_console import plain_reschedule, reschedule_parts


def explain(
    record: RecordArgument,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="VERSION",
            help=f"Also look for the deciding version here, not only in the policies folder; may be repeated. {SPEC_HELP}",
        ),
    ] = None,
    why_not: Annotated[
        str,
        typer.Option(
            "--why-not",
            metavar="OUTCOME=VALUE",
            help="Also find the smallest change of facts that gives this value.",
        ),
    ] = "",
    log: LogOption = "",
    policies: PoliciesOption = None,
    key: KeysOption = None,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Explain a past decision by deciding it again.

    Shows every rule with its file, line and heading. Exits with 7 if the decision differs from the record, and with 2
    if its version is missing.
    """
    with open_log(log) as store:
        entry = read_entry(store, record)
    recorded = Record.read(entry.body)
    version = _decider(recorded, given or [], policies, key)
    if version is None:
        _unexplained(entry, recorded, output)
        raise command_error(
            f"version {recorded.version.version} with digest {recorded.version.digest} is missing; only the record is shown",
            "help: name it with --with VERSION: a folder, a bundle, or a git revision that contains it",
        )
    again = reproduce(recorded, Decider(version))
    unlike = _why_not(recorded, version, why_not) if why_not else None
    if output is TableOrJson.JSON:
        show_json(_plain(entry, again, unlike))
    else:
        results().show(*_page(entry, recorded, version, again, unlike))
    if not again.equal:
        raise typer.Exit(int(ExitCode.LOG))


def _decider(record: Record, given: list[str], policies: Any, key: Any) -> Version | None:
    """Build the version that decided a record; None if it is missing."""
    sources = [open_source(spec, policies=policies, keys=key) for spec in given]
    found = find_version(record.version.digest, sources, find_folder(policies))
    if found is None:
        return None
    with source_errors(found.label), errors().working(f"loading {found.label}"):
        return build(found.files, found.root)


def _why_not(record: Record, version: Version, words: str) -> WhyNot:
    decision = record.decisions[0].decision if len(record.decisions) == 1 else ""
    return answer_why_not(version, decision, words, replayable(record.facts), moment_of(record))


def _unexplained(entry: Entry, record: Record, output: TableOrJson) -> None:
    if output is TableOrJson.JSON:
        show_json({**json.loads(entry_line(entry)), "equal": None})
    else:
        results().show(*record_page(entry, record))


def _plain(entry: Entry, again: Reproduction, unlike: WhyNot | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        **json.loads(entry_line(entry)),
        "equal": again.equal,
        "answers": [plain(answer) for answer in again.answers],
    }
    found |= {"rescheduled": plain_reschedule(again.moved)} if again.moved else {}
    found["differences"] = [
        {"decision": one.decision, "part": one.part, "recorded": one.recorded, "again": one.again}
        for one in again.differences
    ]
    found |= {"wrong": again.wrong} if again.wrong else {}
    return found | ({"why_not": plain_why_not(unlike)} if unlike else {})


def _page(
    entry: Entry, record: Record, version: Version, again: Reproduction, unlike: WhyNot | None
) -> Iterator[RenderableType]:
    if unlike:
        yield from why_not_parts(unlike, version.policy)
        yield ""
    yield from facts_page(entry, record)
    page = AnswerPage(version.policy, moment_of(record).now)
    for answer in again.answers:
        yield ""
        yield from page.parts(answer, explain=True)
    if again.moved is not None:
        yield ""
        yield from reschedule_parts(again.moved, version.policy)
    yield ""
    ref = version.ref
    if again.equal:
        yield Text(
            f"decided again by {ref.name} {ref.version}, digest {ref.digest[:12]}: equal to the record",
            "bold green",
        )
        return
    yield Text(
        f"decided again by {ref.name} {ref.version}, digest {ref.digest[:12]}: different from the record", "bold red"
    )
    for difference in (again.wrong,) if again.wrong else map(str, again.differences):
        yield Text(f"  {difference}", "red", no_wrap=True)
