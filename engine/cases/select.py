"""Expressions that select cases: words with ``and``, ``or``, ``not`` and parentheses, over name, file and decision."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from engine.cases.case import Case

_TOKEN: Final = re.compile(r'\s*(?:([()])|"([^"]*)"|([^\s()"]+))')
_OPERATORS: Final = ("and", "or", "not")

Selection = Callable[[str], bool]
"""Returns whether a text (in lower case) matches."""


class NotAnExpression(Exception):
    """An expression that cannot be read: what is wrong, at which character, counted from 1."""

    def __init__(self, message: str, at: int) -> None:
        self.message, self.at = message, at
        super().__init__(f"{message}, at character {at}")


def is_selected(selection: Selection, case: Case) -> bool:
    """Return whether a case matches."""
    return selection(f"{case.name}\n{case.place.file}\n{case.decision}".casefold())


def read_selection(expression: str) -> Selection:
    """Read an expression: a word, or several in quotes, matches wherever it occurs, in any case.

    >>> meant = read_selection('matrix and not (P1 or "by telephone")')
    >>> meant("p2 by the matrix"), meant("p1 by the matrix"), meant("matrix by telephone")
    (True, False, False)

    Raises NotAnExpression.
    """
    reader = _Expression(expression)
    selection = reader.either()
    if reader.kind:
        after = reader.text or reader.kind
        raise NotAnExpression(
            "this `)` has no matching `(`"
            if reader.kind == ")"
            else f"expected `and`, `or` or quotes before `{after}`",
            reader.at,
        )
    return selection


class _Expression:
    """A reader of an expression; ``kind`` and ``text`` are those of the next token, "" at the end."""

    def __init__(self, expression: str) -> None:
        self.expression, self._end = expression.rstrip(), 0
        self.kind, self.text, self.at = "", "", 1
        self._next()

    def _next(self) -> None:
        rest = self.expression[self._end :]
        self.at = self._end + len(rest) - len(rest.lstrip()) + 1
        if not rest.strip():
            self.kind, self.text = "", ""
            return
        found = _TOKEN.match(self.expression, self._end)
        if found is None:
            raise NotAnExpression("this quote is not closed", self.at)
        self._end = found.end()
        bracket, quoted, word = found.groups()
        self.text = quoted if quoted is not None else (bracket or word)
        self.kind = bracket or ("word" if quoted is not None or word.casefold() not in _OPERATORS else word.casefold())

    def either(self) -> Selection:
        """Read what ``or`` joins."""
        parts = [self._both()]
        while self.kind == "or":
            self._next()
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda text: any(part(text) for part in parts)

    def _both(self) -> Selection:
        parts = [self._one()]
        while self.kind == "and":
            self._next()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda text: all(part(text) for part in parts)

    def _one(self) -> Selection:
        kind, text, at = self.kind, self.text, self.at
        if kind == "not":
            self._next()
            inner = self._one()
            return lambda text: not inner(text)
        if kind == "(":
            self._next()
            inner = self.either()
            if self.kind != ")":
                raise NotAnExpression("this `(` is not closed", at)
            self._next()
            return inner
        if kind != "word" or not text.strip():
            raise NotAnExpression(f"a word is missing before `{text}`" if kind else "a word is missing at the end", at)
        self._next()
        word = text.casefold()
        return lambda text: word in text
