"""Messages about a place in a file: the message, the source line with a caret, and the help.

The first line is ``file:line:column: message [code]``, which editors and CI systems parse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.text import Text

from engine.model.problems import Place, Problem
from guidepost.source_excerpt import excerpt

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a screen: its first line, the source line cut to the width of the screen, and the lines below."""

    head: Text
    place: Place
    more: Sequence[str] = ()

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines, none of which is wrapped."""
        number = f"{INDENT}{self.place.line} | "
        found = excerpt(self.place, options.max_width - len(number))
        lines = [self.head]
        if found is not None:
            lines.append(Text.assemble((number, "blue"), found.line))
            lines.append(Text.assemble((f"{' ' * (len(number) - 2)}| ", "blue"), (found.caret, "bold red")))
        lines += [Text(f"{INDENT}{line}", "dim") for line in self.more]
        yield Text("\n", no_wrap=True).join(lines)


def problem_text(problem: Problem) -> Message:
    """Return the message of a problem, with its source line."""
    first, *more = str(problem).splitlines()
    place, code = str(problem.place), f"[{problem.code}]"
    head = Text(first)
    head.stylize("bold", 0, len(place))
    head.stylize("red", len(first) - len(code), len(first))
    return Message(head, problem.place, [line.removeprefix(INDENT) for line in more])
