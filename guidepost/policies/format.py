"""One layout for policy files: their text in, the same content laid out in (text, or why it is left alone).

Lists and mappings are indented alike, matrices stand in columns, what is written in one line stays in one up to a width.
Comments, quotes, the order of keys and lists, and single empty lines stay. What would read otherwise afterwards, lose a
comment or never come to rest is left as it is.
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
"""A list or mapping that is written in one line may make it this long; beyond that each item gets a line of its own."""

MAX_PASSES: Final = 4
"""A text that still changes after so many passes is left alone."""

_COMMENT: Final = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text laid out; ``problems`` if it cannot be read, ``left_alone`` says why it is as it was."""

    text: str
    problems: tuple[Problem, ...] = ()
    left_alone: str = ""


def format_text(file: str, text: str) -> Formatted:
    r"""Lay a policy file out; ``file`` is what it is called in problems.

    >>> print(format_text("a.yaml", "# the desk\nkind:   manifest\ntriage: [ a,b ]\nparts:\n- version: 1.10 # as sent\n").text, end="")
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
            return Formatted(text, left_alone="it cannot be laid out")
        if again == made:
            lost = _lost(file, text, tree, made) if made != text else ""
            return Formatted(text if lost else made, left_alone=lost)
        made = again
    return Formatted(text, left_alone="its layout never comes to rest")


def _lost(file: str, before: str, tree: Node, after: str) -> str:
    """Return what a text lost by its layout, or nothing."""
    again, problems = read(file, after)
    if again is None or problems or _content(again) != _content(tree):
        return "it would read otherwise"
    return "" if [*comments_of(after)] == [*comments_of(before)] else "a comment would be lost"


def _content(node: Node) -> object:
    """Return a tree as plain data that keeps the order of keys."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return ("mapping", [(key, _content(value)) for key, value in node.entries.items()])
    return [_content(item) for item in node.items]


def comments_of(text: str) -> Iterator[str]:
    r"""Yield the comments of a text in order: what stands between its tokens, and behind the sign of a text in lines.

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
    """Every plain word is text, as it is to a policy: nothing is written otherwise because it looks like a number or a date."""

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
    """Write a text anew; what makes a line too long is spread over several."""
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
    """Yield the paths to the outermost lists and mappings in lines that are too long."""
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
    """Take out spaces at the end of lines and all but one of empty lines in a row, but not within a text."""
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
