"""Differences of the text of two versions: rules, values, citations, contacts and the rest, each with its place.

Each version becomes parts (a rule, a value, a holiday …) with aspects (a condition, an outcome, a source …); then the
parts are compared (:mod:`engine.diff.same_parts` pairs them). Layout, and the order of what has no order, make no
difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from engine.diff.nouns import Edit, Wording
from engine.diff.parts import WEEKDAYS, Part, PartKey, parts
from engine.diff.same_parts import Pairs, moved_rules, same_parts
from engine.model.policy import Policy

CITATION = "source"
"""The aspect with the heading that a part cites."""

ORDER = "order"
"""The aspect with the place of a rule in a table in which the order counts."""


def compare_wording(before: Policy, after: Policy) -> tuple[Wording, ...]:
    """Return the differences of the text, in the order of the later version; removed parts keep their position."""
    one, other = parts(before), parts(after)
    same = same_parts(one, other)
    moved = moved_rules(before, after, same)
    found: list[Wording] = []
    for early, late in _merged(one, other, same):
        if late is None and early is not None:
            found.append(_whole(early, Edit.REMOVED, before=one[early]))
        elif early is None and late is not None:
            found.append(_whole(late, Edit.ADDED, after=other[late]))
        elif early is not None and late is not None:
            found.extend(_changed(early, late, one[early], other[late], moved.get(late)))
    return tuple(found)


def _whole(key: PartKey, edit: Edit, *, before: Part | None = None, after: Part | None = None) -> Wording:
    return Wording(
        part=key.part,
        name=key.name,
        edit=edit,
        what="",
        before=before.text if before else "",
        after=after.text if after else "",
        place_before=before.place if before else None,
        place_after=after.place if after else None,
    )


def _changed(early: PartKey, late: PartKey, was: Part, now: Part, moved: tuple[str, str] | None) -> Iterator[Wording]:
    """Yield the changes of a part: its name, each statement that it gained, lost or changed, and its place."""

    def change(what: str, before: str, after: str, name: str = late.name, edit: Edit = Edit.CHANGED) -> Wording:
        return Wording(
            part=late.part,
            name=name,
            edit=edit,
            what=what,
            before=before,
            after=after,
            place_before=was.place,
            place_after=now.place,
        )

    if early != late and not now.by_content:
        yield change("name", early.name, late.name, early.name, Edit.RENAMED)
    for what, one, other in _together(_statements(was, now)):
        yield change(what, one, other)
    if moved:
        yield change(ORDER, *moved)


def _statements(was: Part, now: Part) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each statement that changed, with its text before and after."""
    for what in dict.fromkeys((*was.said, *now.said)):
        one, other = was.said.get(what), now.said.get(what)
        if one == other or (one and other and (one.text == other.text or one.meaning == other.meaning)):
            continue
        yield what, one.text if one else "", other.text if other else ""


def _together(found: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield changed statements, those of weekdays in a row that change alike as one: `Mon-Fri`."""

    def alike(one: tuple[int, tuple[str, str, str]]) -> tuple[object, ...]:
        at, (what, *texts) = one
        return (WEEKDAYS.index(what) - at, *texts) if what in WEEKDAYS else (what,)

    for _, run in groupby(enumerate(found), alike):
        (_, (first, before, after)), *others = run
        yield f"{first}-{others[-1][1][0]}" if others else first, before, after


def _merged(
    one: Iterable[PartKey], other: Iterable[PartKey], same: Pairs
) -> Iterator[tuple[PartKey | None, PartKey | None]]:
    """Yield the parts of the later version in order with their earlier selves, each followed by those removed there."""
    gone: dict[PartKey | None, list[PartKey]] = {}
    last: PartKey | None = None
    for key in one:
        if key in same:
            last = same[key]
        else:
            gone.setdefault(last, []).append(key)
    back = {late: early for early, late in same.items()}
    yield from ((key, None) for key in gone.get(None, ()))
    for key in other:
        yield back.get(key), key
        yield from ((early, None) for early in gone.get(key, ()))


def citations(wording: Iterable[Wording]) -> dict[tuple[str, str], tuple[Wording, ...]]:
    """Return the changed citations of a difference by the headings before and after, the most frequent first."""
    found: dict[tuple[str, str], list[Wording]] = {}
    for one in wording:
        if one.what == CITATION and one.edit is Edit.CHANGED:
            found.setdefault((one.before, one.after), []).append(one)
    return {pair: tuple(there) for pair, there in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))}
