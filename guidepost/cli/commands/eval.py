"""``guidepost eval``: decide one ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.decide.answer_json import plain
from engine.decide.decider import Decider
from engine.decide.reschedule import Rescheduled, reschedule
from engine.model.answer import Answer, UnknownDecision, WrongFact, WrongRequest
from engine.model.policy import Policy
from engine.request.moment import Moment
from engine.version.version import Version
from guidepost.cli.commands.eval_why_not import answer_why_not, plain_why_not, why_not_parts
from guidepost.cli.options.facts import (
    EvalArguments,
    Facts,
    FactsError,
    read_arguments,
    read_before_facts,
    read_file,
    read_json,
)
from guidepost.cli.options.moment import NOW, PAUSES, NowOption, Pause, PauseOption, read_moment_options, wrong_lines
from guidepost.cli.options.policies_folder import AsOfOption, DigestOption, PoliciesOption, VersionOption, load
from guidepost.render.answer_console import AnswerPage
from guidepost.render.console import DID_YOU_MEAN, TableOrJson, command_error, results, show_json, suggestion
from guidepost.render.reschedule_console import plain_reschedule, reschedule_parts

TRIAGE: Final = "triage"
"""The name for all decisions that a new ticket needs."""

BEFORE: Final = "before."
"""The prefix of an earlier fact in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalInput:
    """The ticket to decide: its decision, facts and moment, its earlier facts, and the problems of the times."""

    words: EvalArguments
    facts: Facts
    moment: Moment
    before: EvalArguments | None
    problems: tuple[str, ...]


def evaluate(
    context: typer.Context,
    *,
    fact: Annotated[
        list[str] | None, typer.Option("--fact", metavar="NAME=VALUE", help="A fact; may be repeated.")
    ] = None,
    json_text: Annotated[str, typer.Option("--json", metavar="OBJECT", help="Facts as a JSON object.")] = "",
    file: Annotated[
        str, typer.Option("--file", "-f", metavar="PATH", help="A file of facts in JSON or YAML; - is standard input.")
    ] = "",
    now: NowOption = "",
    pause: PauseOption = None,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="NAME=VALUE",
            help="An earlier value of a fact, or `NAME=` if it was not known; shows how the change moved due times. May be "
            "repeated.",
        ),
    ] = None,
    why_not: Annotated[
        str,
        typer.Option(
            "--why-not",
            metavar="VALUE",
            help="Find the smallest change of facts that gives this value; also OUTCOME=VALUE, decided or not_covered.",
        ),
    ] = "",
    version: VersionOption = "",
    digest: DigestOption = "",
    as_of: AsOfOption = "",
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show the rules of every outcome, and draw the way to every due time."),
    ] = False,
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
    policies: PoliciesOption = None,
) -> None:
    """Decide one ticket from its facts, and show the reasons.

    If facts are missing, shows which ones, and what to ask next. DECISION is one of the policy's decisions, or triage
    (the default): all decisions that a new ticket needs.

    Each fact of the policy is an option, such as --impact high, and may also be written as impact=high; `guidepost show
    facts` lists them. Facts on the command line override --json, which overrides --file. In a file, holds are a list
    under pauses, each with from and to.
    """
    loaded, problems = load(policies), list[str]()
    elsewhere = _from_elsewhere(file, json_text)
    filed_now, pauses = elsewhere.pop(NOW, None), elsewhere.pop(PAUSES, ())
    holds: tuple[Pause, ...] = pauses if isinstance(pauses, tuple) else ()
    moment = read_moment_options(now, pause or [], loaded.now, problems, filed_now=filed_now, filed=holds)
    chosen = replace(loaded, now=moment.now or loaded.now).select(version=version, digest=digest, as_of=as_of)
    arguments = read_arguments(context.args, fact or [], chosen.policy.facts, (*chosen.policy.decisions, TRIAGE))
    eval_input = EvalInput(
        words=arguments,
        facts={**elsewhere, **arguments.facts},
        moment=moment,
        before=read_before_facts(before) if before else None,
        problems=tuple(problems),
    )
    made = loaded.build(chosen)
    answers, change = _decide(made, eval_input)
    unlike = answer_why_not(made, arguments.decision, why_not, eval_input.facts, eval_input.moment) if why_not else None
    if output is TableOrJson.JSON:
        one = arguments.decision not in ("", TRIAGE)
        found: dict[str, Any] = plain(answers[0]) if one else {"answers": [plain(answer) for answer in answers]}
        found |= {"rescheduled": plain_reschedule(change)} if change else {}
        show_json(found | ({"why_not": plain_why_not(unlike)} if unlike else {}))
        return
    parts = _parts(chosen.policy, answers, change, eval_input, explain=explain)
    results().show(*((*why_not_parts(unlike, chosen.policy), "") if unlike else ()), *parts)


def _from_elsewhere(file: str, json_text: str) -> Facts:
    try:
        from_file = read_file(file) if file else {}
        return {**from_file, **(read_json(json_text, "--json") if json_text else {})}
    except FactsError as error:
        raise command_error(str(error)) from error


def _decide(version: Version, eval_input: EvalInput) -> tuple[tuple[Answer, ...], Rescheduled | None]:
    """Decide the ticket; end the command with all problems of the arguments and the facts."""
    problems, answers = (
        [*eval_input.words.problems, *(eval_input.before.problems if eval_input.before else ())],
        tuple[Answer, ...](),
    )
    wrong: list[WrongFact] = []
    decider = Decider(version)
    name = eval_input.words.decision or TRIAGE
    if name not in (*version.plans, TRIAGE):
        hint = suggestion(name, (*version.plans, TRIAGE))
        problems.append(
            f"unknown decision `{name}`{hint}" if hint else str(UnknownDecision(name, (*sorted(version.plans), TRIAGE)))
        )
    try:
        answers = (
            (decider.decide(name, eval_input.facts, eval_input.moment),)
            if name in version.plans
            else decider.triage(eval_input.facts, eval_input.moment)
        )
    except WrongRequest as error:
        wrong += error.wrong
    try:
        decider.triage(eval_input.before.facts if eval_input.before else {})
    except WrongRequest as error:
        wrong += (replace(fact, fact=f"{BEFORE}{fact.fact}") for fact in error.wrong)
    if problems or eval_input.problems or wrong:
        raise command_error(*_wrong_lines(problems, eval_input.problems, wrong, version.policy))
    return answers, reschedule(
        decider, eval_input.facts, eval_input.before.facts, eval_input.moment
    ) if eval_input.before else None


def _wrong_lines(
    problems: Sequence[str], times: Sequence[str], wrong: Sequence[WrongFact], policy: Policy
) -> list[str]:
    """Return the lines of a message on all problems, each with the allowed values."""
    lines, unknown = [*problems, *times], [*problems]
    for fact in wrong:
        name = fact.fact.removeprefix(BEFORE)
        if name in policy.facts:
            lines += wrong_lines(fact.fact if name == fact.fact else f"--before {name}", fact)
        else:
            unknown.append(f"{fact.message}{suggestion(name, policy.facts)}")
            lines.append(unknown[-1])
    if not all(DID_YOU_MEAN in line for line in unknown):
        lines.append(f"facts: {', '.join(policy.facts)}")
    return lines


def _parts(
    policy: Policy, answers: tuple[Answer, ...], change: Rescheduled | None, eval_input: EvalInput, *, explain: bool
) -> Iterator[RenderableType]:
    page = AnswerPage(policy, eval_input.moment.now)
    for answer in answers:
        yield from page.parts(answer, explain=explain)
        yield ""
    if change is not None:
        yield from reschedule_parts(change, policy)
        yield ""
    ref = answers[0].version
    yield Text(f"policy {ref.name} {ref.version}, digest {ref.digest[:12]}", "dim")
    if policy.manifest.notice is not None:
        yield Text(policy.manifest.notice.text, "dim")
