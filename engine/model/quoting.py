"""Values from outside as short text for messages, with control characters escaped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

_HIDDEN: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE: Final = re.compile(f"[{_HIDDEN}\t\n]")
_UNSAFE_IN_LINES: Final = re.compile(f"[{_HIDDEN}]")


def visible(text: str) -> str:
    r"""Write control characters, line breaks and marks of writing direction as escapes, on one line.

    A terminal obeys some of them, and others reorder or hide the text around them, in pages and log lines too.

    >>> visible("\x1b[31mRED\n\u202etxt"), visible("Zo\u00eb")
    ('\\x1b[31mRED\\n\\u202etxt', 'Zoë')
    """
    return _UNSAFE.sub(_escape, text)


def visible_lines(text: str) -> str:
    r"""Write the same characters as escapes, but keep line breaks and tabs.

    >>> visible_lines("one\ntwo \x9b31m")
    'one\ntwo \\x9b31m'
    """
    return _UNSAFE_IN_LINES.sub(_escape, text)


def visible_json(text: str) -> str:
    r"""Write the same characters of a JSON text as JSON escapes, which mean the same to every reader.

    >>> visible_json('{"note": "\u202etxt"}')
    '{"note": "\\u202etxt"}'
    """
    return _UNSAFE_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shell_word(text: str) -> str:
    r"""Quote a word for a shell, on one line and without a character that a terminal obeys.

    >>> print(shell_word("beds=< 3"), shell_word("note=it's\x1b[31m\nred"))
    'beds=< 3' $'note=it\'s\x1b[31m\nred'
    """
    if not _UNSAFE.search(text):
        return shlex.quote(text)
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    # For a shell, `\x9b` is a byte and `\u009b` a character.
    quoted = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}" if ord(found[0]) > 0x7F else _escape(found), escaped)
    return f"$'{quoted}'"


def _escape(found: re.Match[str]) -> str:
    character = ord(found[0])
    named = {0x09: r"\t", 0x0A: r"\n", 0x0D: r"\r"}.get(character)
    return named or (f"\\x{character:02x}" if character < 0x100 else f"\\u{character:04x}")


def encodable(text: str) -> bool:
    r"""Return whether a text can be written as UTF-8: it contains no lone surrogate.

    >>> encodable("Zoë"), encodable("\udce9")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def describe_value(sent: object) -> str:
    """Describe what was sent: its value, or its type.

    >>> describe_value(7), describe_value([1]), describe_value(10**30)
    ('`7`', 'a list', 'a number with more than 18 digits')
    """
    if isinstance(sent, int) and not isinstance(sent, bool) and abs(sent) > 10**18:
        return "a number with more than 18 digits"
    if isinstance(sent, (str, int, float)):
        return f"`{value_as_text(sent)}`"
    return (
        "a mapping"
        if isinstance(sent, Mapping)
        else "a list"
        if isinstance(sent, (list, tuple))
        else type(sent).__name__
    )


def value_as_text(sent: object) -> str:
    r"""Return a sent value as text.

    >>> value_as_text(True), value_as_text("text"), value_as_text("a\nb")
    ('true', 'text', 'a\\nb')
    """
    if isinstance(sent, bool):
        return "true" if sent else "false"
    if isinstance(sent, int):
        return str(sent) if abs(sent) <= 10**18 else "a number with more than 18 digits"
    return visible(sent) if isinstance(sent, str) else str(sent)
