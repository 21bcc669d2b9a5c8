"""``guidepost eval --why-not``: the smallest change of facts that gives an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.model.answer import Outcome, Status
from engine.model.policy import Policy
from engine.model.vocabulary import NOT_COVERED, UNLISTED
from engine.request.moment import Moment
from engine.version.version import Version
from engine.whynot import FactChange, UnknownWanted, Wanted, WhyNot, read_wanted, why_not
from guidepost.render.answer_console import literal_text, status_text
from guidepost.render.console import command_error, count, grid

MANY: Final = 6
"""From this many values on, the values that do not work are listed, if they are fewer."""

MAX_SHOWN: Final = 20
"""How many attainable values are listed."""


def answer_why_not(version: Version, decision: str, words: str, facts: Mapping[str, object], moment: Moment) -> WhyNot:
    """Find the changes of facts that give a value; end the command if the text does not name a value."""
    try:
        wanted = (
            read_wanted(version, decision, words) if decision in version.plans else _of_a_new_ticket(version, words)
        )
        return why_not(version, facts, wanted, moment)
    except UnknownWanted as error:
        raise command_error(f"--why-not {words}: {error.message}", *([error.help] if error.help else [])) from error


def _of_a_new_ticket(version: Version, words: str) -> Wanted:
    """Return the value as one of the first triage decision that can have it."""
    asked = [plan.decision.name for plan in version.triage]
    for decision in asked:
        with suppress(UnknownWanted):
            return read_wanted(version, decision, words)
    raise UnknownWanted(
        f"none of {', '.join(asked)} has this value",
        f"name the decision, as in `guidepost eval {asked[0]} --why-not {words}`",
    )


def why_not_parts(found: WhyNot, policy: Policy) -> Iterator[RenderableType]:
    """Yield the changes, or that the outcome has the value already, or that no ticket gets it."""
    name, wanted = found.wanted.outcome, "not covered" if found.wanted.text == NOT_COVERED else found.wanted.text
    yield Text.assemble(
        (f"why not {name} {wanted}", "bold"), f"? It is {_now(found.current)}{' already' if found.already else ''}."
    )
    if found.already:
        return
    if not found.alternatives:
        yield from _impossible(found)
        return
    yield Text(f"  It would be {wanted} with {'one change' if found.changes == 1 else f'{found.changes} changes'}:")
    rows: list[tuple[RenderableType, ...]] = []
    for number, alternative in enumerate(found.alternatives):
        for position, change in enumerate(alternative):
            joint = "or" if number and not position else "and" if position else ""
            rows.append(
                (
                    Text(joint, "dim"),
                    change.fact,
                    values_text(change, policy),
                    Text(f"({'now ' + change.now if change.now else 'not sent'}{_follows(found, change)})", "dim"),
                )
            )
    yield Padding(grid(rows, "", "cyan"), (0, 0, 0, 4))
    if found.more:
        yield Text(f"    and {count(found.more, 'further combination')} of values", "dim")


def _now(outcome: Outcome) -> str:
    if outcome.status is not Status.DECIDED:
        return status_text(outcome.status)
    return (
        f"[{'; '.join(outcome.value)}]"
        if isinstance(outcome.value, tuple) and outcome.value
        else literal_text(outcome.value)
    )


def _follows(found: WhyNot, change: FactChange) -> str:
    since = next((one.since for one in found.follows if one.fact == change.fact), "")
    return f", which follows from {since}" if since else ""


def _impossible(found: WhyNot) -> Iterator[RenderableType]:
    kept = ", ".join(f"`{one.fact}`" for one in found.follows)
    yield Text(f"  No ticket gets that{f' as long as {kept} follows' if kept else ''}.")
    got = [literal_text(one) for one in found.attainable]
    more = f" and {len(got) - MAX_SHOWN:,} more" if len(got) > MAX_SHOWN else ""
    yield Text(f"  It can be {', '.join(got[:MAX_SHOWN]) or 'nothing'}{more}.")


def values_text(change: FactChange, policy: Policy) -> str:
    """Return the values that a fact needs, or those that do not work if they are fewer."""
    fact = policy.facts[change.fact]
    others = [word for word in fact.words if word not in change.to and word != change.now]
    if len(change.to) >= MANY and len(others) < len(change.to) // 2 and "" not in change.to and not fact.numeric:
        return "any other" + (f" but {_or(others)}" if others else "")
    return _or([{"": "not sent", UNLISTED: "a value that is not listed"}.get(word, word) for word in change.to])


def _or(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def plain_why_not(found: WhyNot) -> dict[str, object]:
    """Return the result as data, for JSON; null is a fact that is not sent."""
    return {
        "outcome": found.wanted.outcome,
        "wanted": found.wanted.text,
        "now": {"status": found.current.status.value, "value": found.current.value},
        "already": found.already,
        "possible": found.already or bool(found.alternatives),
        "changes": found.changes,
        "alternatives": [
            [
                {"fact": change.fact, "now": change.now or None, "to": [word or None for word in change.to]}
                for change in alternative
            ]
            for alternative in found.alternatives
        ],
        "more": found.more,
        "follows": {one.fact: one.since for one in found.follows},
        "attainable": list(found.attainable),
    }
