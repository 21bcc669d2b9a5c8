"""The formatter of policy files: the text of a file in, the formatted text or the reason for leaving it alone out.

The formatter indents lists and mappings, aligns matrices in columns, and keeps a list on one line up to a width. It
keeps comments, quotes, the order of keys and lists, and single empty lines. It leaves a file alone if its content would
change, if a comment would be lost, or if formatting it again would change it again.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from engine.load.yaml_tree import Mapping, Node, Scalar, read
from engine.model.problems import Problem
from guidepost.policies.format_matrix import FAST, align_matrices

WIDTH: Final = 200
"""The longest line of a list or mapping in brackets; a longer one gets a line for each item."""

MAX_PASSES: Final = 4
"""A text that still changes after this many passes is left alone."""

_COMMENT: Final = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A formatted text; ``problems`` if it cannot be read, or ``left_alone`` with the reason for not changing it."""

    text: str
    problems: tuple[Problem, ...] = ()
    left_alone: str = ""


def format_text(file: str, text: str) -> Formatted:
    r"""Format the text of a policy file; ``file`` is its name in problems.

    >>> print(
    ...     format_text(
    ...         "a.yaml", "# the desk\nkind:   manifest\ntriage: [ a,b ]\nparts:\n- version: 1.10 # as sent\n"
    ...     ).text,
    ...     end="",
    ... )
    # the desk
    kind: manifest
    triage: [a, b]
    parts:
      - version: 1.10 # as sent
    """
    tree, problems = read(file, text)
    if tree is None or problems:
        return Formatted(text, tuple(problems))
    made = text
    for _ in range(MAX_PASSES):
        try:
            again = _tidy(align_matrices(_within_width(made)))
        except (YAMLError, yaml.YAMLError):
            return Formatted(text, left_alone="it cannot be formatted")
        if again == made:
            lost = _loss(file, text, tree, made) if made != text else ""
            return Formatted(text if lost else made, left_alone=lost)
        made = again
    return Formatted(text, left_alone="formatting it again changes it again")


def _loss(file: str, before: str, tree: Node, after: str) -> str:
    """Return what formatting would change or lose, or ""."""
    again, problems = read(file, after)
    if again is None or problems or _content(again) != _content(tree):
        return "its content would change"
    return "" if [*comments_of(after)] == [*comments_of(before)] else "a comment would be lost"


def _content(node: Node) -> object:
    """Return a tree as plain data that keeps the order of keys."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return ("mapping", [(key, _content(value)) for key, value in node.entries.items()])
    return [_content(item) for item in node.items]


def comments_of(text: str) -> Iterator[str]:
    r"""Yield the comments of a text in order: those between its tokens, and those after the sign of a block text.

    >>> [*comments_of("# one\na: 'no # two'\nb: | # three\n  # no\nc: x#y # four\n")]
    ['# one', '# three', '# four']
    """
    end = 0
    for token in yaml.scan(text, Loader=FAST):
        yield from (found.rstrip() for found in _COMMENT.findall(text[end : token.start_mark.index]))
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            yield from (found.rstrip() for found in _COMMENT.findall(text[token.start_mark.index :].split("\n", 1)[0]))
        end = token.end_mark.index


class _AllText(VersionedResolver):
    """Reads every plain word as text, so that numbers and dates keep their spelling."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return super().resolve(kind, value, (False, True) if kind is ScalarNode else implicit)


def _layout() -> YAML:
    layout = YAML()
    layout.Resolver = _AllText
    layout.preserve_quotes = True
    layout.width = 1_000_000
    layout.brace_single_entry_mapping_in_flow_sequence = True
    layout.indent(mapping=2, sequence=4, offset=2)
    return layout


def _within_width(text: str) -> str:
    """Dump a text again, with one line for each item of lists and mappings that are too wide."""
    layout = _layout()
    content = layout.load(text)
    while True:
        written = io.StringIO()
        layout.dump(content, written)
        made = written.getvalue()
        wide = [*_too_wide(yaml.compose(made, Loader=FAST))]
        if not wide:
            return made
        for path in wide:
            _at(content, path).fa.set_block_style()


def _too_wide(node: yaml.Node | None, path: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """Yield the paths of the outermost lists and mappings in brackets that end beyond the width."""
    if not isinstance(node, yaml.CollectionNode):
        return
    if node.flow_style:
        if node.value and node.end_mark.column > WIDTH:
            yield path
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _too_wide(value, (*path, key.value))
    else:
        for at, value in enumerate(node.value):
            yield from _too_wide(value, (*path, at))


def _at(content: Any, path: tuple[int | str, ...]) -> Any:
    for step in path:
        content = content[step]
    return content


def _tidy(text: str) -> str:
    """Remove trailing spaces and repeated empty lines, except within a text."""
    within: set[int] = set()
    for token in yaml.scan(text, Loader=FAST):
        if isinstance(token, yaml.ScalarToken):
            within.update(range(token.start_mark.line, token.end_mark.line))
    made: list[str] = []
    for at, line in enumerate(text.split("\n")):
        if at in within:
            made.append(line)
        elif line.strip() or (made and made[-1]):
            made.append(line.rstrip())
    return "\n".join(made).rstrip("\n") + "\n"
