"""Facts, values and spellings that only one of two versions accepts, or that the two read differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from engine.diff.nouns import Edit, Wording
from engine.model.policy import Policy
from engine.model.vocabulary import Fact, FactType, number_text
from engine.version.version import Version

_REFUSED = "refused"


ELAPSED: Final = "elapsed"
"""The part name of differences in elapsed times."""


def compare_requests(before: Version, after: Version, otherwise: Mapping[str, str]) -> tuple[Wording, ...]:
    """Return which requests are read differently; values that both accept are compared with the decisions.

    ``otherwise`` has the changes of elapsed times.
    """
    one, other = before.policy.facts, after.policy.facts
    found: list[Wording] = []
    for name in dict.fromkeys((*one, *other)):
        if name not in other:
            found.append(
                Wording(
                    part="fact",
                    name=name,
                    edit=Edit.REMOVED,
                    what="can no longer be sent",
                    place_before=one[name].place,
                )
            )
        elif name not in one:
            found.append(
                Wording(part="fact", name=name, edit=Edit.ADDED, what="can now be sent", place_after=other[name].place)
            )
        else:
            found.extend(_fact(name, before, after))
    found.extend(_elapsed(before.policy, after.policy, otherwise))
    found.extend(_triage(before.policy, after.policy))
    return tuple(found)


def _fact(name: str, before: Version, after: Version) -> Iterator[Wording]:
    one, other = before.policy.facts[name], after.policy.facts[name]
    for what, was, now in (
        ("type", str(one.type), str(other.type)),
        ("numbers", _range(one), _range(other)),
        ("longer tags", _tags(one), _tags(other)),
    ):
        if was != now:
            yield Wording(
                part="fact",
                name=name,
                edit=Edit.CHANGED,
                what=what,
                before=was,
                after=now,
                place_before=one.place,
                place_after=other.place,
            )
    if one.type is other.type is FactType.CHOICE:
        yield from _spellings(name, before, after)


def _spellings(name: str, before: Version, after: Version) -> Iterator[Wording]:
    """Compare how texts are read: values that one version rejects, and spellings that change their value."""
    one, other = before.policy.facts[name], after.policy.facts[name]
    listed = [value for fact in (one, other) for value in fact.values]
    owners: dict[str, set[str]] = {value.value: set() for value in listed}
    for value in listed:
        for text in filter(None, (value.name, *value.aliases)):
            owners.setdefault(text, set()).add(value.value)
    for text, values in owners.items():
        was, now = read = (_reads(name, text, before), _reads(name, text, after))
        stands_for_its_value = any(
            read == (_reads(name, value, before), _reads(name, value, after)) for value in values
        )
        if was != now and not stands_for_its_value and (values or _REFUSED in read):
            what = "is read as"
            if _REFUSED in read:
                what, (was, now) = "is", (word if word == _REFUSED else f"read as {word}" for word in read)
            yield Wording(
                part="value",
                name=f"{name}={text}",
                edit=Edit.CHANGED,
                what=what,
                before=was,
                after=now,
                place_before=one.place,
                place_after=other.place,
            )
    if one.open != other.open:
        taken = {True: "taken", False: _REFUSED}
        yield Wording(
            part="fact",
            name=name,
            edit=Edit.CHANGED,
            what="any other value",
            before=taken[one.open],
            after=taken[other.open],
            place_before=one.place,
            place_after=other.place,
        )


def _reads(name: str, text: str, version: Version) -> str:
    atom = version.reader.atom(name, text)
    return _REFUSED if atom is None else version.atoms[name].text(atom)


def _range(fact: Fact) -> str:
    if not fact.numeric:
        return ""
    low = "" if fact.minimum is None else number_text(fact.minimum)
    high = "" if fact.maximum is None else number_text(fact.maximum)
    return f"{low}..{high}"


def _tags(fact: Fact) -> str:
    return "fall back to their beginning" if fact.subtags else "stand for themselves"


def _elapsed(before: Policy, after: Policy, otherwise: Mapping[str, str]) -> Iterator[Wording]:
    """Yield the facts that are derived differently from instants if they are not sent."""
    for name in dict.fromkeys((*before.elapsed, *after.elapsed)):
        one, other = before.elapsed.get(name), after.elapsed.get(name)
        if one is None or other is None:
            edit = Edit.ADDED if one is None else Edit.REMOVED
            yield Wording(
                part=ELAPSED,
                name=name,
                edit=edit,
                what="follows from the time that has passed",
                place_before=one.place if one else None,
                place_after=other.place if other else None,
            )
        elif name in otherwise:
            yield Wording(
                part=ELAPSED,
                name=name,
                edit=Edit.CHANGED,
                what=otherwise[name],
                place_before=one.place,
                place_after=other.place,
            )


def _triage(before: Policy, after: Policy) -> Iterator[Wording]:
    """Yield the changes of the decisions of a triage."""
    one, other = before.manifest, after.manifest
    if one.triage != other.triage:
        yield Wording(
            part="triage",
            name=other.name,
            edit=Edit.CHANGED,
            what="a new ticket gets",
            before=", ".join(one.triage) or "nothing",
            after=", ".join(other.triage) or "nothing",
            place_before=one.place,
            place_after=other.place,
        )
