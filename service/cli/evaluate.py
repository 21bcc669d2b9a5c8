"""``guidepost eval``: facts in, a decision out, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.answer import Answer, UnknownDecision, WrongFact, WrongRequest
from engine.decide import decide, triage
from engine.nearest import did_you_mean
from engine.policy import Policy
from engine.record import plain
from engine.version import Version
from service.cli.answers import AnswerPage
from service.cli.facts import Facts, FactsError, Words, read_file, read_json, read_words
from service.cli.folder import AsOfOption, DigestOption, PoliciesOption, VersionOption, load
from service.cli.terminal import TableOrJson, refused, results, show_json

TRIAGE: Final = "triage"
"""The word that asks for all the decisions a new ticket needs."""

WORDS_ALLOWED: Final = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Typer's settings of this command: options that only the policy knows are read by :mod:`service.cli.facts`."""


def evaluate(
    context: typer.Context,
    *,
    fact: Annotated[list[str] | None, typer.Option("--fact", metavar="NAME=VALUE", help="A fact; may be repeated.")] = None,
    json_text: Annotated[str, typer.Option("--json", metavar="OBJECT", help="Facts as a JSON object.")] = "",
    file: Annotated[str, typer.Option("--file", "-f", metavar="PATH", help="Facts in JSON or YAML; - is standard input.")] = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    as_of: AsOfOption = "",
    explain: Annotated[bool, typer.Option("--explain", help="Show the rules behind every outcome as a table.")] = False,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="How to write the answer.")] = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Decide: guidepost eval [DECISION] --impact high --urgency medium, or impact=high urgency=medium.

    DECISION is one of the policy's decisions, or triage (the default): all that a new ticket needs.
    Each fact of the policy is an option of its own (guidepost show facts lists them) and may also be written as
    name=value. Facts on the command line win over --json, and that over --file.
    """
    loaded = load(policies)
    chosen = loaded.select(version=version, digest=digest, as_of=as_of)
    said = read_words(context.args, fact or [], chosen.policy.facts)
    facts = {**_from_elsewhere(file, json_text), **said.facts}
    answers = _decide(loaded.tabulate(chosen), said, facts)
    if output is TableOrJson.JSON:
        one = said.decision not in ("", TRIAGE)
        show_json(plain(answers[0]) if one else {"answers": [plain(answer) for answer in answers]})
        return
    results().show(*_parts(chosen.policy, answers, explain=explain))


def _from_elsewhere(file: str, json_text: str) -> Facts:
    try:
        from_file = read_file(file) if file else {}
        return {**from_file, **(read_json(json_text, "--json") if json_text else {})}
    except FactsError as error:
        raise refused(str(error)) from error


def _decide(version: Version, said: Words, facts: Facts) -> tuple[Answer, ...]:
    wrong: tuple[WrongFact, ...] = ()
    answers: tuple[Answer, ...] = ()
    try:
        one = said.decision not in ("", TRIAGE)
        answers = (decide(version, said.decision, facts),) if one else triage(version, facts)
    except UnknownDecision as error:
        raise refused(f"{error}, {TRIAGE}; {did_you_mean(error.asked, (*error.known, TRIAGE))}") from error
    except WrongRequest as error:
        wrong = error.wrong
    if said.problems or wrong:
        raise refused(*_wrong_lines(said.problems, wrong, version.policy))
    return answers


def _wrong_lines(problems: Sequence[str], wrong: Sequence[WrongFact], policy: Policy) -> list[str]:
    """Say everything that is wrong with what was sent, each with what it may be."""
    lines = [*problems]
    unknown = bool(problems)
    for fact in wrong:
        near = f"; {fact.help}" if fact.help and not fact.help.startswith("known:") else ""
        if fact.fact in policy.facts:
            lines.append(f"{fact.fact}: {fact.message}{near}")
            lines += [f"  allowed: {', '.join(fact.allowed)}"] if fact.allowed else []
        else:
            unknown = True
            lines.append(f"{fact.message}{near}")
    if unknown:
        lines.append(f"facts: {', '.join(policy.facts)}")
    return lines


def _parts(policy: Policy, answers: tuple[Answer, ...], *, explain: bool) -> Iterator[RenderableType]:
    page = AnswerPage(policy)
    for answer in answers:
        yield from page.parts(answer, explain=explain)
        yield ""
    ref = answers[0].version
    yield Text(f"policy {ref.name} {ref.version}, digest {ref.digest[:12]}", "dim")
    if policy.manifest.notice is not None:
        yield Text(policy.manifest.notice.text, "dim")
