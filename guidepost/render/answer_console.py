"""Answers for the terminal: outcomes, reasons, due times and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby, zip_longest
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.model.answer import Answer, Due, Duty, Outcome, PossibleItems, Status, Unlisted
from engine.model.policy import Literal, Policy
from engine.model.quoting import visible
from engine.model.vocabulary import number_text
from guidepost.render.console import grid, rank_style, sectioned_table
from guidepost.render.deadlines_console import due_text, duty_text, passed_text, timeline_parts, why_text, zone_of
from guidepost.render.facts_text import allowed_values_text
from guidepost.render.time_text import instant_text

STATUS_STYLES: Final = {
    Status.DECIDED: "bold green",
    Status.UNDECIDED: "bold yellow",
    Status.NOT_COVERED: "bold magenta",
}


MOST_ITEMS: Final = 8
"""How many items of a list are shown of those that are always in it, and of those that may be."""


def literal_text(value: Literal | None) -> str:
    """Return a value of an outcome as text; None means that the policy does not cover the case.

    >>> literal_text(True), literal_text(4.0), literal_text(("a", "b")), literal_text(()), literal_text(None)
    ('yes', '4', 'a, b', 'none', 'not covered')
    """
    match value:
        case None:
            return "not covered"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ("\n" if any("," in item for item in value) else ", ").join(value) or "none"
        case str():
            return value
        case datetime():
            return instant_text(value, "UTC")
        case _:
            return number_text(value)


def items_text(items: PossibleItems) -> Text:
    """Return what is possible of a list as text; what is never in it is left out.

    >>> items_text(PossibleItems(always=("a",), open=("b", "c, if any"), never=("d",))).plain
    'always: a; open: b, "c, if any"'
    >>> items_text(PossibleItems(always=(), open=tuple("abcdefghij"), never=())).plain
    'open: a, b, c, d, e, f, g, h and 2 more'
    """
    return Text("; ").join(
        Text.assemble(f"{word}: ", (_shortened(found), "bold"))
        for word, found in (("always", items.always), ("open", items.open))
        if found
    )


def _shortened(items: tuple[str, ...]) -> str:
    shown = ", ".join([f'"{item}"' if "," in item or ";" in item else item for item in items[:MOST_ITEMS]])
    return shown if len(items) <= MOST_ITEMS else f"{shown} and {len(items) - MOST_ITEMS} more"


def status_text(status: Status) -> str:
    """Return a status as words, such as "not covered"."""
    return status.value.replace("_", " ")


class AnswerPage:
    """Writes the answers of one version, with its values in colours; ``now`` is the instant of the call."""

    def __init__(self, policy: Policy, now: datetime | None = None) -> None:
        self._policy = policy
        self._now = now

    def parts(self, answer: Answer, *, explain: bool) -> Iterator[RenderableType]:
        """Yield one answer: the outcomes and their reasons, or the missing facts and what to ask next."""
        yield Text.assemble((answer.decision, "bold"), ": ", (status_text(answer.status), STATUS_STYLES[answer.status]))
        yield Padding(grid([*self._rows(answer, explain=explain)], "cyan"), (0, 0, 0, 2))
        if not explain and (reasons := [*self._reasons(answer)]):
            yield Padding(grid(reasons, "cyan"), (0, 0, 0, 2))
        if explain:
            yield ""
            for part in self._path(answer):
                yield Padding(part, (0, 0, 0, 2))
            for due in answer.dues:
                yield ""
                for part in timeline_parts(due, self._now):
                    yield Padding(part, (0, 0, 0, 2))

    def _rows(self, answer: Answer, *, explain: bool) -> Iterator[tuple[RenderableType, RenderableType]]:
        dues = {due.name: due for due in answer.dues}
        duties = {duty.outcome: duty for duty in answer.duties}
        for position, outcome in enumerate(answer.outcomes):
            is_deadline = outcome.name in self._policy.deadlines
            value = self._deadline(outcome, answer, dues.get(outcome.name)) if is_deadline else self._outcome(outcome)
            if position >= answer.answers and outcome.status is not Status.DECIDED:
                value = Text(value.plain, "dim")
            if not explain:
                value = value + self._beneath(dues.get(outcome.name) or duties.get(outcome.name))
            yield Text(outcome.name, "bold cyan" if position < answer.answers else "cyan"), value
        for passed in answer.passed:
            yield passed.fact, passed_text(passed)
        for unlisted in answer.unlisted:
            yield "not listed", _unlisted(unlisted)
        if answer.missing:
            yield "missing", ", ".join(answer.missing)
        if answer.ask_next:
            yield "ask next", self._question(answer.ask_next)

    def _beneath(self, timed: Due | Duty | None) -> Text:
        """Return the line below an outcome: how its instant was computed, or whose turn it is until when."""
        match timed:
            case Due():
                return Text(f"\n{why_text(timed, self._policy)}", "dim")
            case Duty():
                return Text(f"\n{duty_text(timed)}", "dim")
            case None:
                return Text()

    def _deadline(self, outcome: Outcome, answer: Answer, due: Due | None) -> Text:
        if due is not None:
            return due_text(due, self._now)
        if outcome.status is Status.NOT_COVERED:
            return Text("nothing is due", "dim")
        zone = zone_of(self._policy, {other.name: other.value for other in answer.outcomes}, outcome.name)
        instants = [instant_text(value, zone) for value in outcome.possible if isinstance(value, datetime)]
        text = Text.assemble(("undecided", "yellow"))
        if instants:
            text.append(
                f"; still possible: {', '.join(instants)} {zone}{', nothing is due' if None in outcome.possible else ''}"
            )
        return text.append(f"; depends on {', '.join(outcome.missing)}")

    def _reasons(self, answer: Answer) -> Iterator[tuple[RenderableType, RenderableType]]:
        rows = [
            (Text(rule.id, "bold"), Text(str(rule.place), "dim"), f"source {rule.source}" if rule.source else "")
            for rule in answer.rules
        ]
        if rows:
            yield "because", grid(rows)
        for assumed in answer.assumptions:
            yield "assumes", Text.assemble(assumed.assumption, (f"  ({assumed.id})", "dim"))

    def _outcome(self, outcome: Outcome) -> Text:
        if outcome.status is Status.DECIDED:
            styled = self._value(outcome.name, outcome.value)
            return styled + Text(f"  {outcome.text}") if outcome.text else styled
        if outcome.status is Status.NOT_COVERED:
            return Text("not covered", "dim")
        undecided = Text.assemble(("undecided", "yellow"))
        if outcome.items is not None:
            undecided.append("; ").append(items_text(outcome.items))
        if outcome.possible:
            possible = Text(", ").join(self._possible(outcome.name, value) for value in outcome.possible)
            undecided.append("; still possible: ").append(possible)
        return undecided

    def _possible(self, outcome: str, value: Literal | None) -> Text:
        """Return one of several possible values; a list is in brackets, which show where it ends."""
        return Text(f"[{'; '.join(value)}]", "bold") if isinstance(value, tuple) else self._value(outcome, value)

    def _value(self, outcome: str, value: Literal | None) -> Text:
        words = [listed.value for listed in self._policy.named(outcome).values]
        return Text(literal_text(value), rank_style(value, words) or ("dim" if value is None else "bold"))

    def _question(self, name: str) -> Text:
        fact = self._policy.facts.get(name)
        if fact is None:
            return Text(name, "bold")
        about = f": {fact.about}" if fact.about else ""
        return Text.assemble((name, "bold"), about, (f"  ({allowed_values_text(fact)})", "dim"))

    def _path(self, answer: Answer) -> Iterator[RenderableType]:
        """Yield the rules of each outcome; neighbouring outcomes with the same rules share a section."""
        groups: list[list[tuple[RenderableType, ...]]] = []
        for (rules, reason), outcomes in groupby(
            answer.outcomes, key=lambda outcome: (outcome.rules, _without_rules(outcome))
        ):
            names = (Text(outcome.name, "cyan") for outcome in outcomes)
            marked: list[tuple[RenderableType, ...]] = [
                (f"{rule.id}{'*' if rule.assumption else ''}", Text(str(rule.place), "dim"), rule.source)
                for rule in rules
            ]
            groups.append(
                [
                    (name or "", *(row or ("", "", "")))
                    for name, row in zip_longest(names, marked or [(Text(reason, "dim"), "", "")])
                ]
            )
        yield sectioned_table(("outcome", "rule", "place", "source"), groups)
        assumed = [("*", Text.assemble((f"{rule.id}: ", "bold"), rule.assumption)) for rule in answer.assumptions]
        if assumed:
            yield grid(assumed, "yellow")


def _without_rules(outcome: Outcome) -> str:
    """Return why an outcome has no rule, or "" if it has one."""
    if outcome.rules:
        return ""
    return f"depends on {', '.join(outcome.missing)}" if outcome.missing else "no rule fires"


def _unlisted(unlisted: Unlisted) -> Text:
    shown = Text.assemble(unlisted.fact, " ", (f"`{visible(unlisted.sent)}`", "bold"))
    if not unlisted.nearest:
        return shown
    near = ", ".join(f"{value} ({name})" if name else value for value, name in unlisted.nearest)
    return shown.append(f"; nearest: {near}")
