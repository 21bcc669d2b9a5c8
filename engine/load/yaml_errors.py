"""Explains text that is not YAML: the parser's error and the text -> a problem with the correction.

The parser reports the place where it stopped and the token that it expected. The place to edit is often further up, and
the mistake is one of a few: a tab, an open quote or bracket, a missing space or `:`, a reserved sign. Each is searched
for in the text around the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.model.problems import Place, Problem

_BETWEEN: Final = "=" * 7
_CONFLICT: Final = re.compile(r"(<{7}|\|{7}|>{7})(?: |$)")
_NO_SPACE: Final = re.compile(r"\s*(?:- )*([\w.-]+):(?=[^\s:/])(\S.*)")
_NO_COLON: Final = re.compile(r"\s*(?:- )*([\w.-]+)(?:\s+(\S.*?))?\s*")
_KEY: Final = re.compile(r"\s*(?:- )*([\w.-]+)")
_KEY_AND_VALUE: Final = re.compile(r"\s*(?:- )*([\w.-]+): +[^\s#]")
_KEY_START: Final = re.compile(r"\s*(?:- )*([\w.-]+:(?: |$))")
_ITEM: Final = re.compile(r"\s*(- )")
_VALUE: Final = re.compile(r"\s*(?:- )*[\w.-]+: +([^\s\"'\[{>|&*!%@`]\S*(?: +[^\s#]\S*)*)")
_IN_BRACKETS: Final = re.compile(r"[^\s,\[\]{}]+(?: +[^\s,\[\]{}#]+)*")
_TO_THE_END: Final = re.compile(r"\S+(?: +[^\s#]\S*)*")
_QUOTES: Final = "\"'"
_CLOSING: Final = {"]": ("[", "list"), "}": ("{", "mapping")}

_OPENING: Final = {opening: (closing, what) for closing, (opening, what) in _CLOSING.items()}
_BRACKET: Final = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:''|[^'])*'|\s#.*|[\[\]{}]""")

_KNOWN: Final[dict[str, tuple[str, str]]] = {
    "did not find expected key": (
        "this line does not fit the mapping that begins in line {line}",
        "check the indentation, and the quotes and brackets above",
    ),
    "did not find expected '-' indicator": (
        "this line does not fit the list that begins in line {line}",
        "check the indentation; each item begins with `-`",
    ),
    "could not find expected ':'": ("a key without `:`", "write `key: value`"),
    "mapping values are not allowed in this context": (
        "unexpected `:`",
        "quote a text that contains `: `, and check the indentation",
    ),
    "block sequence entries are not allowed in this context": (
        "unexpected list item",
        "begin the list on the line below its key",
    ),
    "did not find expected comment or line break": (
        "a text that begins with `>` or `|` continues on the lines below",
        "quote it; or close a quote that is open further up",
    ),
    "found unknown escape character": (
        "unknown escape",
        "use single quotes, or write `\\\\` for a backslash",
    ),
    "did not find expected hexdecimal number": (
        "unknown escape",
        "use single quotes, or write `\\\\` for a backslash",
    ),
    "did not find expected <document start>": (
        "this line does not belong to the document above",
        "a file contains one document: check the indentation",
    ),
    "found unknown directive name": ("a line cannot begin with `%`", "quote a text that begins with `%`"),
}
"""The parser's errors in plain words: message and help; ``{line}`` is where the wrong part begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFailure:
    """The place where the parser stopped in a text.

    Attributes:
        file: what the text is called.
        lines: the text.
        said: the parser's words.
        at: line and column, from 0, of what it could not read.
        begins: line and column of the part that it was reading.
        quoted: line and column of the quoted text that ended in the same line, if its quote opened in a line above.
    """

    file: str
    lines: Sequence[str]
    said: str
    at: tuple[int, int]
    begins: tuple[int, int]
    quoted: tuple[int, int] | None

    @property
    def line(self) -> str:
        """The line of the place, up to its end; "" after the last."""
        return self.lines[self.at[0]] if self.at[0] < len(self.lines) else ""

    @property
    def here(self) -> str:
        """The line from the place on."""
        return self.line[self.at[1] :]

    @property
    def before(self) -> str:
        """The line in front of the place, without spaces at its end."""
        return self.line[: self.at[1]].rstrip()

    def problem(self, at: tuple[int, int], message: str, help_: str) -> Problem:
        """Return the problem at a line and column, both from 0."""
        text = self.lines[at[0]] if at[0] < len(self.lines) else ""
        return Problem(
            place=Place(file=self.file, line=at[0] + 1, column=at[1] + 1, text=text),
            code="yaml",
            message=f"not YAML: {message}",
            help=help_,
        )


def explain(file: str, lines: Sequence[str], error: Any, quoted: tuple[int, int] | None = None) -> Problem:
    """Return the problem behind an error of the parser.

    Args:
        file: what the text is called.
        lines: the text.
        error: the ``yaml.MarkedYAMLError``.
        quoted: where the last quoted text begins that was read, if it ends in a line below.
    """
    said = error.problem or error.context or "cannot be read"
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(place=Place(file=file), code="yaml", message=f"not YAML: {said}")
    begins = error.context_mark or mark
    failure = YamlFailure(
        file=file,
        lines=lines,
        said=said,
        at=(mark.line, mark.column),
        begins=(begins.line, begins.column),
        quoted=quoted,
    )
    return next((found for look in _LOOKS if (found := look(failure)) is not None), None) or _as_said(failure)


def conflicts(file: str, lines: Sequence[str]) -> Iterator[Problem]:
    """Find the merge conflicts that are left in a text, each once.

    >>> [
    ...     problem.message
    ...     for problem in conflicts("a.yaml", ["<<<<<<< HEAD", "a: 1", "=======", "a: 2", ">>>>>>> branch"])
    ... ]
    ['not YAML: a merge conflict begins here and ends in line 5']
    >>> [problem.message for problem in conflicts("a.yaml", ["a: 1", "=======", "b: 2"])]
    ['not YAML: a merge conflict marker is left']
    """
    begun = False
    for number, line in enumerate(lines):
        if line == _BETWEEN and not begun and not any(_CONFLICT.match(other) for other in lines):
            yield _conflict(file, number, line, "a merge conflict marker is left")
        sign = _CONFLICT.match(line)
        if sign is None or (begun and sign[1][0] != ">"):
            continue
        if sign[1][0] == ">":
            if not begun:
                yield _conflict(file, number, line, "a merge conflict ends here")
            begun = False
            continue
        begun = True
        end = next((later for later in range(number + 1, len(lines)) if lines[later].startswith(">" * 7)), None)
        yield _conflict(
            file,
            number,
            line,
            "a merge conflict begins here" + (f" and ends in line {end + 1}" if end is not None else ""),
        )


def _conflict(file: str, number: int, line: str, message: str) -> Problem:
    return Problem(
        place=Place(file=file, line=number + 1, column=1, text=line),
        code="yaml",
        message=f"not YAML: {message}",
        help="keep the lines you want, and remove those with `<<<<<<<`, `=======` and `>>>>>>>`",
    )


# ---- Possible mistakes, the most specific first


def _tab(failure: YamlFailure) -> Problem | None:
    if "tab" not in failure.said and not failure.here.startswith("\t"):
        return None
    return failure.problem(failure.at, "a tab in the indentation", "indent with spaces")


def _reserved(failure: YamlFailure) -> Problem | None:
    """A text that begins with a sign that YAML reserves."""
    if failure.said == "found character that cannot start any token":
        at = failure.at
    elif failure.said == "did not find expected alphabetic or numeric character" or (
        failure.said == "did not find expected key" and _alias_before(failure)
    ):
        at = (
            failure.begins
            if failure.said != "did not find expected key"
            else (failure.at[0], _alias_before(failure) - 1)
        )
    else:
        return None
    line = failure.lines[at[0]]
    inside = sum(line.count(sign, 0, at[1]) for sign in "[{") > sum(line.count(sign, 0, at[1]) for sign in "]}")
    text = (_IN_BRACKETS if inside else _TO_THE_END).match(line, at[1])
    sign = line[at[1] : at[1] + 1]
    return failure.problem(
        at,
        f"a text cannot begin with {'a backtick' if sign == '`' else f'`{sign}`'}",
        "quote it" if sign == "`" else f'quote it: `"{text[0] if text else sign}"`',
    )


def _alias_before(failure: YamlFailure) -> int:
    """Return the column, from 1, of a `*name` or `&name` in front of the place; 0 if there is none."""
    found = re.search(r"(?:: |- |^\s*)([*&]\S*)$", failure.before)
    return found.start(1) + 1 if found else 0


def _empty_item(failure: YamlFailure) -> Problem | None:
    if failure.said != "did not find expected node content":
        return None
    sign = failure.here[:1]
    if not sign:
        return _open_at_the_end(failure)
    if sign in _CLOSING:
        return _surplus(failure, sign)
    return failure.problem(
        failure.at,
        f"a value is missing before this `{sign}`",
        'write the value, or remove the sign; an empty text is `""`',
    )


def _open_at_the_end(failure: YamlFailure) -> Problem | None:
    """A text that ends inside brackets: the last of them that is open."""
    opened: list[tuple[str, tuple[int, int]]] = []
    for number, line in enumerate(failure.lines):
        for found in _BRACKET.finditer(line):
            if found[0] in _OPENING:
                opened.append((found[0], (number, found.start())))
            elif found[0] in _CLOSING and opened:
                opened.pop()
    if not opened:
        return None
    closing, what = _OPENING[opened[-1][0]]
    return failure.problem(opened[-1][1], f"the {what} that opens here is not closed", f"add `{closing}` at its end")


def _surplus(failure: YamlFailure, sign: str) -> Problem:
    opening, what = _CLOSING[sign]
    return failure.problem(
        failure.at, f"unexpected `{sign}`: nothing is open", f"remove it, or open the {what} with `{opening}`"
    )


def _not_closed(failure: YamlFailure) -> Problem | None:
    """A list or mapping in brackets that the next lines do not belong to."""
    found = re.fullmatch(r"did not find expected ',' or '([\]}])'", failure.said)
    if found is None:
        return None
    opening, what = _CLOSING[found[1]]
    sign = failure.here[:1]
    if failure.at[0] > failure.begins[0] or not sign or (sign in _CLOSING and sign != found[1]):
        return failure.problem(
            failure.begins, f"the {what} that opens here is not closed", f"add `{found[1]}` at its end"
        )
    return failure.problem(
        failure.at,
        f"expected `,` or `{found[1]}`, got `{sign}`",
        f"put `,` between values; quote a text that contains `{opening}`, `{found[1]}` or `,`",
    )


def _quote(failure: YamlFailure) -> Problem | None:
    """A quote that is never closed, or closed too late, or too early."""
    if failure.said == "found unexpected end of stream":
        return failure.problem(failure.begins, "the quote that opens here is never closed", "add the closing quote")
    if failure.quoted is not None and failure.before[-1:] in _QUOTES:
        return failure.problem(
            failure.quoted,
            f"the quote that opens here is not closed before line {failure.at[0] + 1}",
            "add the closing quote at the end of the text",
        )
    if failure.said != "did not find expected key" or not failure.before:
        return None
    if failure.here[:1] in _CLOSING:
        return _surplus(failure, failure.here[:1])
    end = failure.before[-1]
    if end in _QUOTES:
        return failure.problem(
            failure.at,
            f"unexpected text after the closing `{end}`",
            "quote the whole text once; inside `'…'` a quote is written `''`, inside `\"…\"` it is `\\\"`",
        )
    if end in _CLOSING:
        return failure.problem(
            failure.at,
            f"unexpected text after the closing `{end}`",
            "quote the whole text if it begins with `{` or `[`",
        )
    return None


def _indented(failure: YamlFailure) -> Problem | None:
    """A key that is indented below one that already has a value."""
    found = _KEY.fullmatch(failure.before) if failure.said == "mapping values are not allowed in this context" else None
    above = next(
        (
            number
            for number in range(failure.at[0] - 1, -1, -1)
            if failure.lines[number].strip() and not failure.lines[number].lstrip().startswith("#")
        ),
        None,
    )
    if found is None or above is None:
        return None
    over = _KEY_AND_VALUE.match(failure.lines[above])
    if over is None or over.start(1) >= found.start(1):
        return None
    return failure.problem(
        (failure.at[0], found.start(1)),
        f"`{found[1]}` is indented below `{over[1]}`, which already has a value",
        f"indent it like line {above + 1}, or remove the value of `{over[1]}`",
    )


def _between_levels(failure: YamlFailure) -> Problem | None:
    """A key or an item that is indented a little more or less than those it belongs to: the nearest of them above."""
    if failure.before or failure.said not in ("did not find expected key", "did not find expected '-' indicator"):
        return None
    start = _ITEM if failure.here.startswith("- ") else _KEY_START
    levels: list[tuple[int, int]] = []
    for number in range(failure.at[0] - 1, -1, -1):
        found = start.match(failure.lines[number])
        if found is not None and (not levels or found.start(1) < levels[-1][0]):
            levels.append((found.start(1), number + 1))
    if not levels or any(column == failure.at[1] for column, _ in levels):
        return None
    column, line = min(levels, key=lambda level: abs(level[0] - failure.at[1]))
    amount = f"indent it by {column} space{'' if column == 1 else 's'}" if column else "do not indent it"
    return failure.problem(
        failure.at, _KNOWN[failure.said][0].format(line=failure.begins[0] + 1), f"{amount}, like line {line}"
    )


def _colon(failure: YamlFailure) -> Problem | None:
    """A text with `: ` in it that has no quotes."""
    found = _VALUE.match(failure.line) if failure.said == "mapping values are not allowed in this context" else None
    if found is None or found.start(1) > failure.at[1] or '"' in found[1] or "\\" in found[1]:
        return None
    return failure.problem(failure.at, _KNOWN[failure.said][0], f'quote the text: `"{found[1]}"`')


def _missing_space(failure: YamlFailure) -> Problem | None:
    """`key:value`, in the line where the parser began, in the one where it gave up, or in the one above."""
    if failure.said not in (
        "could not find expected ':'",
        "mapping values are not allowed in this context",
        "did not find expected key",
    ):
        return None
    for number in dict.fromkeys(
        (failure.begins[0] if failure.said.startswith("could") else failure.at[0], failure.at[0] - 1)
    ):
        found = _NO_SPACE.fullmatch(failure.lines[number]) if 0 <= number < len(failure.lines) else None
        if found is not None:
            return failure.problem(
                (number, found.end(1)),
                f"a space is missing after `{found[1]}:`",
                f"write `{found[1]}: {found[2].rstrip()}`",
            )
    return None


def _missing_colon(failure: YamlFailure) -> Problem | None:
    """A line that should be a key: a word, and perhaps its value."""
    if failure.said != "could not find expected ':'":
        return None
    found = _NO_COLON.fullmatch(failure.lines[failure.begins[0]])
    if found is None:
        return None
    written = f"{found[1]}: {found[2]}" if found[2] else f"{found[1]}:"
    return failure.problem(
        (failure.begins[0], found.start(1)),
        f"a `:` is missing after `{found[1]}`",
        f"write `{written}`; or, if the line belongs to a text above, indent it",
    )


_LOOKS: Final[tuple[Callable[[YamlFailure], Problem | None], ...]] = (
    _tab,
    _reserved,
    _empty_item,
    _not_closed,
    _quote,
    _missing_space,
    _between_levels,
    _indented,
    _colon,
    _missing_colon,
)


def _as_said(failure: YamlFailure) -> Problem:
    message, help_ = _KNOWN.get(failure.said, (failure.said, ""))
    at = (
        failure.begins
        if failure.said in ("could not find expected ':'", "found unknown directive name")
        else failure.at
    )
    return failure.problem(at, message.format(line=failure.begins[0] + 1), help_)
