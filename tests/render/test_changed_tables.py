"""A difference whose tables changed, as people and programs read it: first the tables, then what follows."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from engine.diff import matrices
from engine.diff.compare import compare
from engine.version.build import build
from guidepost.render.console import Screen, json_text
from guidepost.render.diff_console import diff_parts
from guidepost.render.diff_html import diff_html
from guidepost.render.diff_json import plain_diff
from guidepost.render.diff_markdown import diff_markdown
from guidepost.render.diff_report import DiffReport
from tests.support.desks import GOOD
from tests.support.table_diffs import changed, decided, new, region, with_tables

ROW: Final = "        chain: {name: Chain, aliases: [bike chain], then: {in_stock: yes, price: 25}}\n"
BELL: Final = "        bell: {name: Bell, then: {in_stock: yes, price: 9}}\n"


@pytest.fixture(scope="module")
def report() -> DiffReport:
    """A dearer chain, a bell, and a turn of the queue."""
    parts = GOOD["parts.yaml"].replace(ROW, ROW.replace("25", "30") + BELL)
    queue = GOOD["queue.yaml"].replace("worn:   [today,   later]", "worn:   [today,   today]")
    before, after = build(GOOD), build({**GOOD, "parts.yaml": parts, "queue.yaml": queue})
    diff = with_tables(
        replace(compare(before, after), tables=()),
        before,
        after,
        changed("shelf", "in_stock", 5, region(new(True), 1, part="bell")),
        changed("shelf", "price", 5, region(new(9.0), 1, part="bell"), region(decided(25.0, 30.0), 1, part="chain")),
        changed("turn", "queue", 12, region(decided("later", "today"), 1, damage="worn", rider="other"), others=1),
    )
    return DiffReport(
        diff=diff,
        matrices=matrices(before.policy, after.policy),
        names=("main", "working"),
        options=("--version", "1.0.0"),
    )


def text(report: DiffReport, *, every: bool = False) -> str:
    stream = io.StringIO()
    Screen(stream).show(*diff_parts(report, every=every))
    return stream.getvalue()


def without_digests(found: str) -> str:
    return re.sub(r"\b[0-9a-f]{12}\b|\b[0-9a-f]{64}\b", "DIGEST", found)


def main_of(page: str) -> str:
    """Return the content of a page, without its style and script, one element on each line."""
    content = page.split("</div>\n\n", 1)[1].split("</main>", maxsplit=1)[0]
    return "\n".join(filter(None, map(str.strip, content.splitlines()))) + "\n"


def test_a_terminal_shows_the_tables_in_what_they_read_and_then_what_follows(
    report: DiffReport, golden: Callable[[str, str], None]
) -> None:
    golden("diff/tables.txt", without_digests(text(report)))


def test_a_pull_request_shows_the_same(report: DiffReport, golden: Callable[[str, str], None]) -> None:
    golden("diff/tables.md", without_digests(diff_markdown(report)))


def test_a_page_shows_the_same_and_has_the_facts_behind_a_fold(
    report: DiffReport, golden: Callable[[str, str], None]
) -> None:
    golden("diff/tables.html", without_digests(main_of(diff_html(report))))


def test_programs_read_the_same(report: DiffReport, golden: Callable[[str, str], None]) -> None:
    plain = plain_diff(report)

    golden("diff/tables.json", json_text({name: plain[name] for name in ("tables", "outcomes", "decisions")}))
    json.dumps(plain)


def test_situations_by_the_facts_that_are_sent_are_shown_only_when_asked_for(report: DiffReport) -> None:
    brief, whole = text(report), text(report, every=True)

    assert "--all shows where, by the facts that are sent" in brief
    assert "1 situation" not in brief
    assert "part=bell: not covered -> yes  1 situation" in whole
    assert "--all" not in whole
    assert "by the facts that are sent" not in diff_markdown(report)
    assert "#### in\\_stock, by the facts that are sent" in diff_markdown(report, every=True)


def test_no_line_of_a_pipe_is_padded_for_another(report: DiffReport) -> None:
    rows = text(report).split("What the text says\n")[1].split("\n\n")[0].splitlines()

    assert [
        row for row in rows if "  " in row.strip()[8:].replace("  parts.yaml", " ").replace("  queue.yaml", " ")
    ] == []


def test_an_example_names_the_version_that_decides_it(report: DiffReport) -> None:
    commands = re.findall(r"guidepost eval.*", text(report))

    assert commands
    assert all(command.endswith("--version 1.0.0") for command in commands)
