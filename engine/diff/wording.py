"""Differences of the text of two versions: rules, values, citations, contacts and the rest, each with its place.

Each version becomes parts (a rule, a value, a holiday …) with aspects (a condition, an outcome, a source …); then the
parts are compared by name. Layout, and the order of what has no order, make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.diff.nouns import Edit, Wording
from engine.diff.parts import Part, PartKey, parts
from engine.model.policy import Policy

CITATION = "source"
"""The aspect with the heading that a part cites."""


def compare_wording(before: Policy, after: Policy) -> tuple[Wording, ...]:
    """Return the differences of the text, in the order of the later version; removed parts keep their position."""
    one, other = parts(before), parts(after)
    renamed = dict(_renamed(one, other))
    found: list[Wording] = []
    for key in _merged(one, other):
        was, now = one.get(key), other.get(key)
        if was is not None and now is not None:
            found.extend(_changed(key, was, now))
        elif key in renamed:
            old, new = one[key], other[renamed[key]]
            found.append(
                Wording(
                    part=key.part,
                    name=key.name,
                    edit=Edit.RENAMED,
                    what="name",
                    before=key.name,
                    after=renamed[key].name,
                    place_before=old.place,
                    place_after=new.place,
                )
            )
            found.extend(_changed(renamed[key], old, new))
        elif now is None and was is not None:
            found.append(
                Wording(
                    part=key.part,
                    name=key.name,
                    edit=Edit.REMOVED,
                    what="",
                    before=was.text,
                    after="",
                    place_before=was.place,
                    place_after=None,
                )
            )
        elif now is not None and key not in renamed.values():
            found.append(
                Wording(
                    part=key.part,
                    name=key.name,
                    edit=Edit.ADDED,
                    what="",
                    before="",
                    after=now.text,
                    place_before=None,
                    place_after=now.place,
                )
            )
    return tuple(found)


def _changed(key: PartKey, was: Part, now: Part) -> Iterator[Wording]:
    for what in dict.fromkeys((*was.said, *now.said)):
        one, other = was.said.get(what), now.said.get(what)
        if one == other or (one and other and (one.text == other.text or one.meaning == other.meaning)):
            continue
        edit = Edit.ADDED if one is None else Edit.REMOVED if other is None else Edit.CHANGED
        yield Wording(
            part=key.part,
            name=key.name,
            edit=edit,
            what=what,
            before=one.text if one else "",
            after=other.text if other else "",
            place_before=was.place,
            place_after=now.place,
        )


def _renamed(one: Mapping[PartKey, Part], other: Mapping[PartKey, Part]) -> Iterator[tuple[PartKey, PartKey]]:
    """Pair parts that only one version has, of the same kind and owner, if they are the same under another name."""
    left: dict[object, list[PartKey]] = {}
    for key, now in other.items():
        if key not in one and now.identity:
            left.setdefault((key.part, now.owner, now.identity), []).append(key)
    for key, was in one.items():
        there = left.get((key.part, was.owner, was.identity)) if key not in other and was.identity else None
        if there:
            yield key, there.pop(0)


def _merged(one: Iterable[PartKey], other: Mapping[PartKey, Part]) -> Iterator[PartKey]:
    """Yield all keys: those of the later version in order, each followed by the removed ones that came after it."""
    after: dict[PartKey | None, list[PartKey]] = {}
    last: PartKey | None = None
    for key in one:
        if key in other:
            last = key
        else:
            after.setdefault(last, []).append(key)
    yield from after.get(None, ())
    for key in other:
        yield key
        yield from after.get(key, ())


def citations(wording: Iterable[Wording]) -> dict[tuple[str, str], tuple[Wording, ...]]:
    """Return the changed citations of a difference by the headings before and after, the most frequent first."""
    found: dict[tuple[str, str], list[Wording]] = {}
    for one in wording:
        if one.what == CITATION and one.edit is Edit.CHANGED:
            found.setdefault((one.before, one.after), []).append(one)
    return {pair: tuple(there) for pair, there in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))}
