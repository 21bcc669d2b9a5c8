"""The file of callers: their keys, certificates, subjects and roles. YAML text in, Callers or every problem out.

::

    callers:
      - name: portal
        roles: [decide, read_policies]
        keys:
          - {id: 5f0c9a3b1d2e, sha256: 0b7c…, expires: 2027-07-01}
      - name: mail-gateway
        roles: [decide]
        certificates: [mail.desk.example]
      - name: auditors
        roles: [read_log]
        subjects: [auditors@desk.example]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final

from engine.load.yaml_tree import Mapping as Entries
from engine.load.yaml_tree import Node, Scalar, Sequence, read
from engine.model.did_you_mean import did_you_mean
from engine.model.problems import Place, Problem
from guidepost.server.auth.callers import Callers, Key
from guidepost.server.auth.roles import Caller, Role
from guidepost.source_excerpt import without_secrets

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
"""A caller's name.

It has no `/`, which precedes the name that a caller sends, and no `:`, which names from tokens have.
"""

_ID: Final = re.compile(r"[0-9a-f]{12}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEYS: Final = {
    "": ("callers",),
    "caller": ("name", "roles", "keys", "certificates", "subjects"),
    "key": ("id", "sha256", "expires"),
}


def read_callers(file: str, text: str) -> tuple[Callers, list[Problem]]:
    r"""Return the callers of a file, as far as they can be read, and every problem.

    >>> found, problems = read_callers(
    ...     "callers.yaml", "callers:\n  - {name: portal, roles: [decide], certificates: [a.example]}\n"
    ... )
    >>> found.certificates["a.example"].name, problems
    ('portal', [])
    """
    tree, problems = read(file, text)
    found, problems = (Callers(), problems) if tree is None else _Reader(problems).callers(tree)
    return found, [replace(problem, place=without_secrets(problem.place)) for problem in problems]


class _Reader:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._keys: dict[str, Key] = {}
        self._certificates: dict[str, Caller] = {}
        self._subjects: dict[str, Caller] = {}
        self._names: dict[str, Place] = {}

    def callers(self, tree: Node) -> tuple[Callers, list[Problem]]:
        entries = self._entries(tree, "", ("callers",))
        for node in self._items(entries, "callers"):
            self._caller(node)
        return Callers(
            keys=self._keys, certificates=self._certificates, subjects=self._subjects, names=tuple(self._names)
        ), sorted(self._problems)

    def _caller(self, node: Node) -> None:
        entries = self._entries(node, "caller", ("name", "roles"))
        if entries is None:
            return
        name = self._name(entries.get("name"))
        caller = Caller(name, frozenset(self._roles(entries)))
        for one in self._items(entries, "keys"):
            self._key(one, caller)
        for key, taken in (("certificates", self._certificates), ("subjects", self._subjects)):
            for text in self._texts(entries, key):
                self._put(taken, text.text, caller, text.place, key.removesuffix("s"))
        if name and not any(entries.get(key) for key in ("keys", "certificates", "subjects")):
            self._report(
                entries.place,
                "missing-key",
                f"the caller `{name}` has no credentials",
                "add `keys`, `certificates` or `subjects`; `guidepost access new-key` creates a key",
            )

    def _name(self, node: Node | None) -> str:
        text = self._text(node, "name")
        if text is None:
            return ""
        if not NAME.fullmatch(text.text):
            self._report(
                text.place,
                "bad-format",
                f"expected the name of a caller, got `{text.text[:80]}`",
                "1 to 64 letters, digits and `. _ @ -`, the first a letter or a digit",
            )
            return ""
        if text.text in self._names:
            self._report(
                text.place,
                "repeated-id",
                f"the caller `{text.text}` is repeated",
                f"first used in line {self._names[text.text].line}",
            )
        self._names.setdefault(text.text, text.place)
        return text.text

    def _roles(self, entries: Entries) -> Iterator[Role]:
        for text in self._texts(entries, "roles"):
            if text.text in set(Role):
                yield Role(text.text)
            else:
                self._report(
                    text.place, "unknown-value", f"unknown role `{text.text}`", did_you_mean(text.text, list(Role))
                )

    def _key(self, node: Node, caller: Caller) -> None:
        entries = self._entries(node, "key", ("id", "sha256"))
        if entries is None:
            return
        id_, sha256 = self._text(entries.get("id"), "id"), self._text(entries.get("sha256"), "sha256")
        expires = self._expires(entries.get("expires"))
        if id_ is None or sha256 is None:
            return
        for text, form, what in (
            (id_, _ID, "12 hexadecimal digits as the `id`, the middle part of the key"),
            (sha256, _SHA256, "64 hexadecimal digits as the `sha256`, which `guidepost access hash` prints"),
        ):
            if not form.fullmatch(text.text):
                # The text may be a secret in the wrong place, so it is not repeated.
                self._report(
                    replace(text.place, text=""),
                    "bad-format",
                    f"expected {what}",
                    "",
                )
                return
        if id_.text in self._keys:
            self._report(
                id_.place, "repeated-id", f"the key `{id_.text}` is repeated", "each key belongs to one caller"
            )
        self._keys[id_.text] = Key(caller, sha256.text, expires)

    def _expires(self, node: Node | None) -> datetime | None:
        text = self._text(node, "expires")
        if text is None:
            return None
        try:
            if len(text.text) == len("2027-07-01"):
                return datetime.combine(date.fromisoformat(text.text), time(), UTC)
            found = datetime.fromisoformat(text.text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self._report(
                text.place,
                "bad-format",
                f"expected an instant, got `{text.text[:80]}`",
                "write a day such as 2027-07-01, or an instant such as 2027-07-01T09:00+10:00",
            )
            return None
        return found

    def _put(self, taken: dict[str, Caller], text: str, caller: Caller, place: Place, what: str) -> None:
        if text in taken and taken[text] is not caller:
            self._report(
                place,
                "repeated-id",
                f"the {what} `{text}` already belongs to `{taken[text].name}`",
                f"each {what} belongs to one caller",
            )
        taken[text] = caller

    def _entries(self, node: Node, kind: str, wanted: Iterable[str]) -> Entries | None:
        if not isinstance(node, Entries):
            self._report(node.place, "wrong-type", f"expected the keys {', '.join(_KEYS[kind])}")
            return None
        for key, place in node.key_places.items():
            if key not in _KEYS[kind]:
                self._report(place, "unknown-key", f"unknown key `{key[:80]}`", did_you_mean(key, _KEYS[kind]))
        for key in wanted:
            if node.get(key) is None:
                self._report(node.place, "missing-key", f"`{key}` is missing")
        return node

    def _items(self, entries: Entries | None, key: str) -> tuple[Node, ...]:
        node = None if entries is None else entries.get(key)
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            text = node.text[:80] if isinstance(node, Scalar) else ""
            self._report(
                node.place,
                "wrong-type",
                f"`{key}`: expected a list, got {f'`{text}`' if text else 'keys with values'}",
                f"write `[{text}]`" if text else "",
            )
            return ()
        return node.items

    def _texts(self, entries: Entries, key: str) -> Iterator[Scalar]:
        for node in self._items(entries, key):
            text = self._text(node, key)
            if text is not None:
                yield text

    def _text(self, node: Node | None, what: str) -> Scalar | None:
        if node is None:
            return None
        if not isinstance(node, Scalar) or not node.text:
            self._report(node.place, "wrong-type", f"`{what}`: expected a text")
            return None
        return node

    def _report(self, place: Place, code: str, message: str, help_: str = "") -> None:
        self._problems.append(Problem(place=place, code=code, message=message, help=help_))
