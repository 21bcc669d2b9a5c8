"""Decodes UTF-8 files, and names the encoding of others."""

from __future__ import annotations

import codecs
from typing import Final

from engine.model.problems import Place, Problem

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""The byte order marks, the longer ones first: the mark of UTF-32 begins with that of UTF-16."""

_LOOKED_AT: Final = 4096
_LATIN: Final = 0xA0
"""The first byte from which Latin-1 and Windows-1252 agree."""

_HELP: Final = "save the file as UTF-8"


def decode_text(file: str, content: bytes) -> str | Problem:
    r"""Return the text of a file in UTF-8, with or without a byte order mark, or the problem.

    >>> decode_text("a.yaml", b"a: 1"), decode_text("a.yaml", "a: 1".encode("utf-16")).message
    ('a: 1', 'expected UTF-8, got UTF-16')
    """
    if encoding := _encoding(content):
        return Problem(place=Place(file=file), code="yaml", message=f"expected UTF-8, got {encoding}", help=_HELP)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _byte_problem(file, content, error.start)


def _encoding(content: bytes) -> str:
    """Return "UTF-16" or "UTF-32" by the byte order mark or the positions of zero bytes, or ""."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    start = content[:_LOOKED_AT]
    zeros = [start[at::4].count(0) * 2 > len(start[at::4]) > 0 for at in range(4)]
    if zeros.count(True) == 3 and zeros[1] and zeros[2]:
        return "UTF-32"
    return "UTF-16" if zeros in ([False, True] * 2, [True, False] * 2) else ""


def _byte_problem(file: str, content: bytes, at: int) -> Problem:
    """Return the problem of a byte that is not UTF-8, with its character in Latin-1 or Windows-1252 if there is one."""
    start = content.rfind(b"\n", 0, at) + 1
    line = content[start:].split(b"\n", 1)[0].decode("cp1252", errors="replace").rstrip("\r")
    sign = content[at : at + 1].decode("cp1252", errors="replace")
    column = len(content[start:at].decode("utf-8", errors="replace")) + 1
    place = Place(
        file=file, line=content.count(b"\n", 0, at) + 1, column=column, text=line if content[start:at].isascii() else ""
    )
    perhaps = (
        "" if sign == "\ufffd" else f", which is `{sign}` in {'Latin-1' if content[at] >= _LATIN else 'Windows-1252'}"
    )
    return Problem(
        place=place, code="yaml", message=f"expected UTF-8, got the byte 0x{content[at]:02X}{perhaps}", help=_HELP
    )
