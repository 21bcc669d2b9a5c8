"""How what a caller sent is named in messages: whatever it is, in a few characters that can be shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

_MOVING: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINING: Final = "\u200c\u200d"
"""Characters without a width of their own that scripts and emoji need."""


def kind(sent: object) -> str:
    """Name what was sent: the value, or for what has none the shape it has.

    >>> kind(7), kind([1]), kind(10**30)
    ('`7`', 'a list', 'a number of so many digits')
    """
    if isinstance(sent, int) and not isinstance(sent, bool) and abs(sent) > 10**18:
        return "a number of so many digits"
    if isinstance(sent, (str, int, float)):
        return f"`{shown(sent)}`"
    return "a mapping" if isinstance(sent, Mapping) else "a list" if isinstance(sent, (list, tuple)) else type(sent).__name__


def visible(text: str) -> str:
    r"""Write control characters, and those that change the direction of a text, as escapes; all others stay.

    >>> visible("a\x1b[31mb\u202ec é")
    'a\\x1b[31mb\\u202ec é'
    """
    return "".join(repr(sign)[1:-1] if unicodedata.category(sign) in _MOVING and sign not in _JOINING else sign for sign in text)


def shown(sent: object) -> str:
    """Write what was sent.

    >>> shown(True), shown("text")
    ('true', 'text')
    """
    if isinstance(sent, bool):
        return "true" if sent else "false"
    if isinstance(sent, int):
        return str(sent) if abs(sent) <= 10**18 else "a number of so many digits"
    return sent.encode(errors="backslashreplace").decode() if isinstance(sent, str) else str(sent)
