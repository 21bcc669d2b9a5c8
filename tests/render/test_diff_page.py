"""The page of a difference, in a real browser: what it shows, how it is filtered, and that it needs nothing else.

Debian's Chromium is enough (`.ci/run` installs it where it can); without any, these tests say that they were skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from engine.diff import Budget, excesses, read_forbidden, read_limit
from engine.version.build import build
from guidepost.render.diff_html import diff_html
from guidepost.render.diff_report import DiffReport, make_diff_report
from tests.support.browser import Elements, OpenedPage, colours_of, contrast, in_a_browser, open_page
from tests.support.desks import GOOD

NASTY: Final = "</script><script>document.title = 'mine'</script> <img src=x onerror=alert(1)> \"two\" 'one' & `code`"


def changed(**edits: tuple[str, str]) -> dict[str, str]:
    """Return the bicycle workshop with pieces of its files replaced."""
    files = dict(GOOD)
    for name, (old, new) in edits.items():
        assert old in files[f"{name}.yaml"]
        files[f"{name}.yaml"] = files[f"{name}.yaml"].replace(old, new)
    return files


def shown() -> DiffReport:
    """Return a change of two cells, a price, and of a text that is written to do harm, with limits that it breaks."""
    after = changed(
        queue=("worn:   [today,   later]", "worn:   [later,   today]"),
        parts=("price: 25", "price: 30"),
    )
    after["queue.yaml"] = after["queue.yaml"].replace(
        "{greeting: leave it with us}", f"{{greeting: {json.dumps(NASTY)}}}"
    )
    found = make_diff_report(build(GOOD), build(after), ("main <b>", "working tree"))
    return DiffReport(
        diff=found.diff,
        matrices=found.matrices,
        names=found.names,
        excesses=excesses(found.diff, Budget(read_limit("10%"), (read_forbidden("queue: later -> today"),))),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "difference.html"
    path.write_text(diff_html(shown()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(file: Path) -> Iterator[OpenedPage]:
    with open_page(file) as page:
        yield page


@pytest.fixture
def page(opened: OpenedPage, file: Path) -> Iterator[Page]:
    """The page as it is at first; nothing may be asked of any server, and nothing may go wrong."""
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    opened.page.evaluate(
        "for (const fold of document.querySelectorAll('details')) fold.open = false; input.value = ''; filter(); input.blur()"
    )
    yield opened.page
    assert (set(opened.asked), opened.wrong) == ({file.as_uri()}, [])


# ---- In a browser


@in_a_browser
def test_matrices_are_side_by_side_with_their_changed_cells_marked(page: Page) -> None:
    before, after = page.locator(".sides figure").all()

    assert [cell.inner_text().split() for cell in before.locator("td.changed").all()] == [
        ["today", "(changed)"],
        ["later", "(changed)"],
    ]
    assert [cell.inner_text().split() for cell in after.locator("td.changed").all()] == [
        ["later", "(changed)"],
        ["today", "(changed)"],
    ]
    one, other = before.bounding_box(), after.bounding_box()
    assert one is not None
    assert other is not None
    assert one["y"] == other["y"]
    assert one["x"] + one["width"] < other["x"]
    assert "2 of 6 cells changed" in page.inner_text("main")


@in_a_browser
def test_the_filter_shows_the_entries_that_have_every_word_and_counts_them(page: Page) -> None:
    every = page.locator("[data-row]").count()
    page.keyboard.press("/")
    page.keyboard.type("damage=worn RIDER=other")

    left = page.locator("[data-row]:not([hidden])")
    expect(page.get_by_role("status")).to_have_text(re.compile(rf"^{left.count()} of {every} entries$"))
    assert 0 < left.count() < every
    for entry in left.all():
        assert "damage=worn" in (entry.get_attribute("data-find") or "")

    page.get_by_role("searchbox", name="Filter").fill("undecided")
    assert page.locator("details[open]").count() > 0
    assert page.locator("details[open]:not(:has([data-row]:not([hidden])))").count() == 0

    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("")
    assert page.locator("[data-row]:not([hidden])").count() == every
    assert page.locator("details[open]").count() == 0


@in_a_browser
def test_the_filter_finds_the_values_in_a_list_and_the_name_of_the_outcome(page: Page) -> None:
    page.get_by_role("searchbox", name="Filter").fill("price")

    assert page.locator("article:not([hidden])").count() == 2, "what the table changes, and the outcome"
    assert page.locator(".sides:visible").count() == 0


@in_a_browser
def test_the_filter_reports_when_nothing_matches(page: Page) -> None:
    page.get_by_role("searchbox", name="Filter").fill("no-such-word")

    expect(page.get_by_role("status")).to_have_text("Nothing here has all of these words.")
    assert page.locator("h2:visible").all_inner_texts() == ["Beyond the limits"]


@in_a_browser
def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")

    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@in_a_browser
def test_all_of_it_is_reached_by_keyboard_and_each_link_leads_somewhere(page: Page) -> None:
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "filter"

    links = [link.get_attribute("href") or "" for link in page.locator("a").all()]
    assert links
    assert [
        link
        for link in links
        if not page.evaluate("id => document.getElementById(id) !== null", link.removeprefix("#"))
    ] == []
    assert page.locator("h1").count() == 1
    assert page.locator("th:not([scope])").count() == 0


@in_a_browser
def test_it_prints_with_everything_opened_and_is_as_before_afterwards(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0

    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    page.emulate_media(media="print")
    assert not page.locator(".filter").is_visible()
    page.emulate_media(media="screen")


@in_a_browser
def test_text_has_enough_contrast_in_light_and_dark_mode(page: Page) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for where in ("body", ".quiet", ".excess", "td.changed", ".where span", "a", "summary", ".changed-word"):
            pair = colours_of(page, where)
            colours.add(pair)
            assert contrast(*pair) >= 4.5, where

    assert len(colours) > 8


@in_a_browser
def test_a_hostile_text_is_only_shown(page: Page) -> None:
    assert page.title() == "bike-workshop 1.0.0"
    assert NASTY in page.inner_text("main")
    assert page.locator("img, b").count() == 0


# ---- As text


def test_the_page_contains_everything_it_needs(file: Path) -> None:
    found = Elements(file.read_text(encoding="utf-8")).found

    assert [tag for tag, _ in found].count("script") == 1
    assert {tag for tag, _ in found} & {"link", "img", "iframe", "object", "form"} == set()
    assert [given for _, given in found if "src" in given or (given.get("href") or "#")[0] != "#"] == []


def test_no_two_elements_have_the_same_id(file: Path) -> None:
    ids = [given["id"] for _, given in Elements(file.read_text(encoding="utf-8")).found if "id" in given]

    assert len(ids) == len(set(ids))


def test_a_page_without_changes_states_that() -> None:
    same = make_diff_report(build(GOOD), build(GOOD), ("main", "working tree"))

    text = diff_html(same)

    assert 'class="headline same">No decision changes' in text
    assert "<h2>" not in text
