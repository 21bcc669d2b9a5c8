"""How a change of facts moves due times, for the terminal and as data."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.decide.answer_json import plain_rule, plain_value
from engine.decide.answer_times_json import plain_due
from engine.decide.reschedule import Changed, Moved, Rescheduled
from engine.model.answer import Due, Outcome, Status
from engine.model.policy import Policy
from guidepost.render.answer_console import literal_text
from guidepost.render.console import JsonObject, grid
from guidepost.render.deadlines_console import NEVER, uncertain_text, why_text
from guidepost.render.time_text import instant_text, length_text


def reschedule_parts(change: Rescheduled, policy: Policy) -> Iterator[RenderableType]:
    """Yield each deadline before and after the change, how far it moved, and the changed outcomes with their rules."""
    yield Text("the change", "bold")
    if not change.deadlines:
        yield Padding(Text("nothing was due before, and nothing is due now"), (0, 0, 0, 2))
    for moved in change.deadlines:
        yield Padding(Text.assemble((moved.name, "bold cyan"), ": ", _difference(moved)), (0, 0, 0, 2))
        rows = [(label, _due(due, policy)) for label, due in (("before", moved.before), ("after", moved.after))]
        yield Padding(grid(rows, "cyan"), (0, 0, 0, 4))
    if change.because:
        yield Padding(Text("because", "cyan"), (0, 0, 0, 2))
        for one in change.because:
            yield Padding(
                Text.assemble((one.after.name, "cyan"), f"  {_value(one.before)} -> {_value(one.after)}"), (0, 0, 0, 4)
            )
            yield Padding(grid([*_reasons(one)]), (0, 0, 0, 6))


def _difference(moved: Moved) -> Text:
    before, after = (due.due if due else None for due in (moved.before, moved.after))
    if before is None or after is None:
        texts = {
            (True, False): "nothing was due or decided before",
            (False, True): "nothing is due or decided any more",
        }
        return Text(texts.get((before is None, after is None), "not decided, before and after"), "yellow")
    if before == after:
        return Text("as before")
    later = after > before
    return Text(f"{length_text(abs(after - before))} {'later' if later else 'earlier'}", "bold yellow")


def _due(due: Due | None, policy: Policy) -> Text:
    if due is None:
        return Text("nothing is due, or it is not decided", "dim")
    if due.due is None:
        return uncertain_text(due.uncertain, due.zone) if due.uncertain else Text(NEVER)
    return Text.assemble((instant_text(due.due, due.zone, named=True), "bold"), (f"\n{why_text(due, policy)}", "dim"))


def _reasons(changed: Changed) -> Iterator[tuple[RenderableType, ...]]:
    for rule in changed.after.rules:
        yield rule.id, Text(str(rule.place), "dim"), f"source {rule.source}" if rule.source else ""


def _value(outcome: Outcome) -> str:
    return "undecided" if outcome.status is Status.UNDECIDED else literal_text(outcome.value)


def plain_reschedule(change: Rescheduled) -> JsonObject:
    """Return a change as data."""
    return {
        "deadlines": [
            {
                "name": moved.name,
                "moved": moved.moved,
                "before": plain_due(moved.before) if moved.before else None,
                "after": plain_due(moved.after) if moved.after else None,
            }
            for moved in change.deadlines
        ],
        "because": [
            {
                "outcome": one.after.name,
                "before": _plain_outcome(one.before),
                "after": _plain_outcome(one.after),
                "rules": [plain_rule(rule) for rule in one.after.rules],
            }
            for one in change.because
        ],
    }


def _plain_outcome(outcome: Outcome) -> JsonObject:
    return {
        "status": outcome.status.value,
        "value": None if outcome.value is None else plain_value(outcome.value),
    }
