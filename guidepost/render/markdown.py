"""Markdown for pull requests: escaped texts, folded parts, and summaries of limited length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from engine.model.quoting import visible

MOST_BYTES: Final = 1_000_000
"""The longest summary; GitHub does not show summaries of more than 1 MiB."""

SPECIAL: Final = "\\`*_[]|~$#"
"""The characters that Markdown reads as markup."""


def fit_parts(write: Callable[[int], Iterable[str]], lengths: Sequence[int], most: int, whole: str) -> str:
    """Return the parts for the first length of lists with which they fit into ``most`` bytes, joined."""
    parts: list[str] = []
    for length in lengths:
        parts = [*write(length)]
        if sum(map(_size, parts)) <= most:
            break
    return joined_parts(parts, most, whole)


def joined_parts(parts: Sequence[str], most: int = MOST_BYTES, whole: str = "guidepost diff") -> str:
    """Join parts as long as they fit, and note how many are left out; ``whole`` is the command that shows them all."""
    left = most - 200  # for the note on what is left out
    kept: list[str] = []
    for part in parts:
        left -= _size(part)
        if left < 0:
            kept.append(
                f"**Left out:** {len(parts) - len(kept):,} of {len(parts):,} parts, because a summary may not be longer. "
                f"`{whole}` shows all of it."
            )
            break
        kept.append(part)
    return "\n\n".join(kept) + "\n"


def escaped(text: str) -> str:
    r"""Escape a text, so that Markdown reads no markup in it, and put it on one line.

    >>> escaped("a|b <i> c_d\n -> e")
    'a\\|b &lt;i&gt; c\\_d → e'
    """
    text = visible(arrows(" ".join(text.split())))
    for mark in SPECIAL:
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def prose(text: str) -> str:
    r"""Return a message as Markdown: words in backticks as code, the rest escaped.

    >>> prose("unknown impact `a_b`; 1 < 2")
    'unknown impact `a_b`; 1 &lt; 2'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    pieces = (code(part) if at % 2 else _spaced(part) for at, part in enumerate(parts))
    return "".join(pieces).strip()


def code(text: str, *, in_table: bool = False) -> str:
    r"""Return a text as code, whatever it contains; in a table, bars are escaped too.

    >>> code("a=b"), code("a`b"), code("a|b", in_table=True)
    ('`a=b`', '``a`b``', '`a\\|b`')
    """
    text = visible(" ".join(text.split())) or " "
    marks = "`"
    while marks in text:
        marks += "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text.replace('|', chr(92) + '|') if in_table else text}{space}{marks}"


def folded(title: str, lines: Iterable[str]) -> str:
    """Return a part that opens on a click."""
    return "\n".join((f"<details><summary>{title}</summary>", "", *lines, "", "</details>"))


def listed(lines: Sequence[str], length: int) -> Iterator[str]:
    """Yield the first lines of a list, and a line with the number of the others."""
    yield from lines[:length]
    if len(lines) > length:
        yield f"- … and {len(lines) - length:,} more"


def _size(part: str) -> int:
    return len(part.encode()) + 2


def _spaced(text: str) -> str:
    """Escape a piece of a sentence, and keep the spaces at its ends."""
    return f"{' ' * text[:1].isspace()}{escaped(text)}{' ' * (text[-1:].isspace() and not text.isspace())}"


def arrows(text: str) -> str:
    """Return a text with its ASCII arrows as →."""
    return text.replace(" -> ", " → ")
