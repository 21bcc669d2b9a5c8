"""``guidepost eval``: facts in, a decision out, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.answer import Answer, UnknownDecision, WrongFact, WrongRequest
from engine.decide import decide, triage
from engine.policy import Policy
from engine.record import plain
from engine.version import Version
from service.cli.answers import AnswerPage
from service.cli.facts import Facts, FactsError, Words, read_file, read_json, read_words
from service.cli.folder import AsOfOption, DigestOption, PoliciesOption, VersionOption, load
from service.cli.terminal import TableOrJson, meant, refused, results, show_json

TRIAGE: Final = "triage"
"""The word that asks for all the decisions a new ticket needs."""

WORDS: Final = "[DECISION] [--FACT VALUE | FACT=VALUE]... [OPTIONS]"
"""What the command takes, as its help has it."""

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
    """Decide: facts in, a decision out, with its reason, or with what is missing and what to ask next.

    DECISION is one of the policy's decisions, or triage (the default): all that a new ticket needs.

    Each fact of the policy is an option of its own, as in --impact high, and may also be written as impact=high;
    guidepost show facts lists them. Facts on the command line win over --json, and these over --file.
    """
    loaded = load(policies)
    chosen = loaded.select(version=version, digest=digest, as_of=as_of)
    said = read_words(context.args, fact or [], chosen.policy.facts, (*chosen.policy.decisions, TRIAGE))
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
    """Answer, or say everything that is wrong with the words and the facts."""
    problems, wrong, answers = [*said.problems], tuple[WrongFact, ...](), tuple[Answer, ...]()
    asked = said.decision or TRIAGE
    if asked not in (*version.plans, TRIAGE):
        problems.append(f"{UnknownDecision(asked, (*sorted(version.plans), TRIAGE))}{meant(asked, (*version.plans, TRIAGE))}")
    try:
        answers = (decide(version, asked, facts),) if asked in version.plans else triage(version, facts)
    except WrongRequest as error:
        wrong = error.wrong
    if problems or wrong:
        raise refused(*_wrong_lines(problems, wrong, version.policy))
    return answers


def _wrong_lines(problems: Sequence[str], wrong: Sequence[WrongFact], policy: Policy) -> list[str]:
    """Say everything that is wrong with what was sent, each with what it may be."""
    lines = [*problems]
    for fact in wrong:
        if fact.fact in policy.facts:
            lines.append(f"{fact.fact}: {fact.message}{f'; {fact.help}' if fact.help else ''}")
            lines += [f"  allowed: {', '.join(fact.allowed)}"] if fact.allowed else []
        else:
            lines.append(f"{fact.message}{meant(fact.fact, policy.facts)}")
    if problems or any(fact.fact not in policy.facts for fact in wrong):
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
