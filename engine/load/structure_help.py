"""The help for problems of shape: what to write, derived from the file if possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from engine.load.yaml_tree import Node, Scalar, Sequence

KEYS: Final[Mapping[str, str]] = {
    "about": "describe it in a few words: `about: …`",
    "answers": "list the outcomes that it answers: `answers: [outcome]`",
    "at": "name the fact with the instant that counts: `at: fact`",
    "calendar": "name the calendar that the time counts by: `calendar: name`",
    "cases": "list the cases: `cases:`, and below it `- {name: …, decision: …, facts: {…}}`",
    "columns": "list the values of the fact across: `columns: [low, high]`",
    "count": "choose how a unit that has not ended counts: `count: full`, `begun` or `exact`",
    "covers": "write which days the list covers: `covers: {from: 2026-01-01, to: 2027-12-31}`",
    "days": "list the days: `days:`, and below it `2026-12-25: {name: …, status: confirmed}`",
    "decision": "name the decision that the case is about: `decision: name`",
    "digest": "write the digest that `guidepost release` recorded",
    "down": "name the fact whose values are the rows: `down: fact`",
    "across": "name the fact whose values are the columns: `across: fact`",
    "effective_from": 'write an instant with an offset: `effective_from: "2026-01-31T09:00:00+10:00"`',
    "entries": "list the places that take turns: `entries:`, and below it `- {value: …, zone: Europe/Paris}`",
    "extend": "choose whether holds extend the deadline: `extend: yes` or `extend: no`",
    "fact": "name the fact that the rows belong to: `fact: name`",
    "facts": "write the facts of the request: `facts: {fact: value}`; `facts: {}` sends none",
    "from": "name the fact with the instant from which the time counts: `from: fact`",
    "holds": "choose whether time on hold counts: `holds: {extend: yes}` extends the deadline by it, `holds: {extend: no}` does not",
    "holidays": "name a list of holidays/, or write `holidays: none`",
    "id": "add a unique id: `id: table.rule`",
    "if": "write the condition: `if: {fact: value}`",
    "invariants": "list the invariants: `invariants:`, and below it `- {id: …, about: …, never: {…}}`",
    "kind": "write the kind of the file in its first line: `kind: policy`",
    "left": "write how much time is left when it warns: `left: 25%`, or `left: 30 minutes`",
    "name": "add a name: `name: …`",
    "open": 'write the opening and closing time: `open: ["09:00", "17:00"]`',
    "outcomes": "declare what tables produce: `outcomes:`, and below it `name: {type: choice, about: …, values: […]}`",
    "owner": "name who is responsible for it: `owner: …`",
    "produces": "list the outcomes that the table produces: `produces: [outcome]`",
    "question": "write the question that is open: `question: …`",
    "raise": "name the fact that rises, with its values from the lowest: `raise: {fact: [low, high]}`",
    "reading": "write which answer counts until the question is resolved: `reading: …`",
    "reason": "give the reason: `reason: …`",
    "rows": "write a row for each value: `rows:`, and below it `value: […]`",
    "rules": "write the rules: `rules:`, and below it `- {id: …, when: {…}, then: {…}}`",
    "source": "cite the heading in the source text: `source: …`; `none` if there is none",
    "status": "choose whether the date is certain: `status: confirmed` or `status: estimated`",
    "text": "write the notice: `text: …`",
    "then": "write the outcomes of the rule: `then: {outcome: value}`",
    "to": "write the last day: `to: 2027-12-31`",
    "triage": "list the decisions of a triage in their order: `triage: [decision]`",
    "type": "choose its type: `type: choice`, `boolean`, `number`, `integer`, `text` or `instant`",
    "unit": "choose the unit: `unit: minutes`, `hours` or `business_days`",
    "value": "write the value: `value: …`",
    "version": 'write three numbers in quotes: `version: "1.0.0"`',
    "versions": "list the released versions: `versions:`, and below it `- {version: …, effective_from: …, digest: …}`",
    "when": "write when the rule applies: `when: {fact: value}`; `when: {}` always applies",
    "when_past": "choose its state once the instant has passed: `when_past: breached` or `when_past: passed`",
    "zone": "write an IANA time zone: `zone: Australia/Melbourne`",
}
"""The help for each required key."""

_OF_KIND: Final[Mapping[str, Mapping[str, str]]] = {
    "vocabulary": {
        "facts": "declare what callers send: `facts:`, and below it `name: {type: choice, about: …, values: […]}`"
    },
    "holidays": {
        "from": "write the first day: `from: 2026-01-01`",
        "package": "name the package that drafted the list: `package: holidays`",
        "version": "write the version of the package: `version: 0.60`",
        "code": "write the code of the region in the package: `code: DE/BY`",
        "source": "cite where the days are published: `source: …`",
    },
    "cases": {"from": "write the instant at which the hold begins: `from: 2026-01-31T09:00:00+10:00`"},
    "invariants": {"then": "write what must hold then: `then: {outcome: value}`"},
    "frozen": {"version": "write the number of the version: `version: 1.0.0`"},
}
"""The help for keys that mean something else in a kind of file."""

_DAYS: Final = frozenset({"day", "days", "calendar_day", "calendar_days", "week", "weeks"})
_CLOCK: Final = re.compile(r"(\d{1,2})[:.h](\d\d)")
_PARTS: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", re.IGNORECASE)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")


def keys_of(kind: str) -> Mapping[str, str]:
    """Return what to write for each key that a kind of file needs."""
    return {**KEYS, **_OF_KIND.get(kind, {})}


def unit(written: str) -> str:
    """Return the help for days and weeks; "" for any other unit.

    >>> unit("years")
    ''
    """
    if written not in _DAYS:
        return ""
    weeks = "; a week is 7 of them" if written.startswith("week") else ""
    return f"for the days on which a calendar is open, write `business_days`; for all days of the year, `business_days` with a calendar that has `always: yes`{weeks}"


def elsewhere(key: str, path: tuple[str | int, ...], properties: Mapping[str, Any]) -> str:
    """Return the help for a key that is not allowed in a part that has all of its keys."""
    if path[:1] == ("regions",) and key in ("hours", "dates", "breaks", "always"):
        return f"`{key}` belongs to a calendar: add one with the zone and `{key}` of `{path[-1]}`, and name it in the rules for this region"
    return f"remove it; allowed here: {', '.join(f'`{one}`' for one in properties)}"


def shaped(
    path: tuple[str | int, ...], wanted: str, node: Node, schema: Mapping[str, Any], keys: Mapping[str, str]
) -> str:
    """Return the help for a text, a list or a mapping of the wrong type."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if wanted == "array" and isinstance(node, Scalar):
        return f"write `{key}: [{node.text}]`" if node.text else keys.get(key, "")
    if wanted == "object" and isinstance(node, Scalar) and path:
        if required := schema.get("required", ()):
            parts = [
                f"{one}: {node.text if one in ('value', 'name', 'text') and node.text else '…'}" for one in required
            ]
            return f"write `{{{', '.join(parts)}}}`"
        return keys.get(key, "")
    if wanted == "string" and key == "left" and isinstance(node, Sequence):
        return "write one value, such as `left: 25%`; a second warning needs another deadline"
    return keys.get(key, "") if path[-1:] == (key,) else "write one value"


def formatted(pattern: str, written: str) -> str:
    r"""Return the help with a value corrected to its pattern; "" if it cannot be guessed.

    >>> formatted(r"^\d+\.", "2.0"), formatted(r"^([01]", "9:30"), formatted("^[a-z]", "Two Words")
    ('write `"2.0.0"`', 'write `"09:30"`', 'write `two_words`')
    """
    make = next((make for start, make in _MADE.items() if pattern.startswith(start)), None)
    return make(written.strip()) if make is not None else ""


def _version(written: str) -> str:
    found = _PARTS.fullmatch(written)
    return (
        f'write `"{".".join(part or "0" for part in found.groups())}"`'
        if found
        else "write three numbers separated by points"
    )


def _instant(written: str) -> str:
    if not _TIME.fullmatch(written):
        return ""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return ""
    made = found.isoformat()
    return f'write `"{made}Z"`, or an offset such as +10:00 in place of Z'


def _clock(written: str) -> str:
    found = _CLOCK.fullmatch(written)
    return f'write `"{int(found[1]):02d}:{found[2]}"`' if found and int(found[1]) < 24 and int(found[2]) < 60 else ""


def _name(written: str) -> str:
    made = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
    return f"write `{made}`" if made and made[0].isalpha() else ""


def _word(written: str) -> str:
    made = re.sub(r"[^A-Za-z0-9_.+-]+", "-", written).strip("-_.+")
    return f"write `{made}`" if made else ""


def _number(written: str) -> str:
    made = re.sub(r"(?<=\d),(?=\d{1,2}$)", ".", written.replace(" ", "")).rstrip("%")
    return f"write `{made}`" if re.fullmatch(r"[+-]?\d+(\.\d+)?", made) else ""


_MADE: Final[Mapping[str, Callable[[str], str]]] = {
    r"^[A-Za-z0-9]": _word,
    r"^[a-z]": _name,
    r"^[+-]?\d+": _number,
    r"^\d{4}": _instant,
    r"^([01]": _clock,
    r"^\d+\.": _version,
}
"""The function that corrects a value, by the beginning of its pattern."""
