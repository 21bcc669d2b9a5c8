"""The page of a replay in a real browser: charts, their text alternatives, and no other files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.version.bundle import Bundle
from guidepost.render.replay_html import replay_html
from guidepost.render.replay_verification import verification_html
from tests.support.browser import Elements, OpenedPage, colours_of, contrast, in_a_browser, open_page
from tests.support.replay_samples import NASTY, alone, proved, quiet, sample


@pytest.fixture(scope="module")
def file(shipped: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "replay.html"
    path.write_text(replay_html(sample(shipped.versions[-1])), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(file: Path) -> Iterator[OpenedPage]:
    with open_page(file) as page:
        yield page


@pytest.fixture
def page(opened: OpenedPage, file: Path) -> Iterator[Page]:
    """The page as it is at first; nothing may be asked of any server, and nothing may go wrong."""
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    opened.page.reload()
    yield opened.page
    assert (set(opened.asked), opened.wrong) == ({file.as_uri()}, [])


# ---- In a browser


@in_a_browser
def test_the_squares_of_a_heat_map_are_in_the_order_of_the_policy_with_their_numbers(page: Page) -> None:
    chart = page.locator("#priority .heat svg")

    assert chart.locator("text").all_text_contents() == [
        "P3",
        "P4",
        "P5",
        "P3",
        "1,465",
        "P4",
        "20,000",
        "P5",
        "3,431",
        "undecided",
        "4",
    ]
    strong, weak = (chart.locator("rect.moved").nth(at).evaluate("one => getComputedStyle(one).fill") for at in (0, 1))
    assert strong != weak
    assert chart.locator("rect.moved title").first.text_content() == "P5 → P4: 3,431 (13.8%)"


@in_a_browser
def test_bars_are_as_long_as_what_they_count(page: Page) -> None:
    widths = [bar.bounding_box() for bar in page.locator("#response_due .bar").all()]
    most = page.locator("#response_due .track").first.bounding_box()

    assert most is not None
    shares = [box["width"] / most["width"] for box in widths if box is not None]
    assert shares == [pytest.approx(share, abs=0.01) for share in (0.006, 30 / 200, 50 / 200, 1)]
    assert page.locator("#response_due .bar.earlier").count() == page.locator("#response_due .bar.later").count() == 2


@in_a_browser
def test_each_chart_has_a_name_a_description_and_a_table_with_its_numbers(page: Page) -> None:
    charts = page.get_by_role("img").all()

    assert len(charts) == page.locator("svg").count() == 4
    for chart in charts:
        title, description = (
            page.locator(f"#{id_}").text_content() for id_ in (chart.get_attribute("aria-labelledby") or "").split()
        )
        assert title
        assert description
        behind = chart.locator("xpath=following::details[1]").locator("table")
        assert behind.locator("tbody tr").count() > 0
    assert page.locator("#priority details tbody td").all_text_contents()[:3] == ["P5 → P4", "3,431", "13.8%"]


@in_a_browser
def test_the_filter_finds_regions_by_their_values_and_groups_by_theirs(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("urgency=low")

    assert page.locator("#priority [data-row]:not([hidden])").count() == 1
    page.get_by_role("searchbox", name="Filter").fill("telephone")
    expect(page.get_by_text("by channel, as a table").locator("xpath=..")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    assert page.locator("[data-row][hidden]").count() == 0


@in_a_browser
def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")

    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@in_a_browser
def test_all_of_it_is_reached_by_keyboard_and_each_link_leads_somewhere(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "filter"
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "chart of priority"

    links = [link.get_attribute("href") or "" for link in page.locator("a").all()]
    assert len(links) == 2
    assert [
        link
        for link in links
        if not page.evaluate("id => document.getElementById(id) !== null", link.removeprefix("#"))
    ] == []
    assert page.locator("h1").count() == 1
    assert page.locator("th:not([scope])").count() == 0


@in_a_browser
def test_text_has_enough_contrast_in_light_and_dark_mode(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for where in ("body", ".quiet", ".excess", ".where span", "a", "summary", ".legend", ".tiles span"):
            assert contrast(*colours_of(page, where)) >= 4.5, (scheme, where)
        for square in page.locator("rect.moved").all():
            fill = square.evaluate(
                "one => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = getComputedStyle(one).fill; c.fillRect(0, 0, 1, 1); return `rgb(${[...c.getImageData(0, 0, 1, 1).data].slice(0, 3)})`; }"
            )
            assert (
                contrast(
                    square.locator("xpath=following-sibling::*[1]").evaluate("one => getComputedStyle(one).fill"), fill
                )
                >= 4.5
            ), (scheme, fill)


@in_a_browser
def test_a_hostile_text_is_only_shown(page: Page) -> None:
    assert page.title() == "Past tickets by draft"
    assert NASTY.replace("`", "") in page.inner_text("main").replace("`", "")
    assert page.locator("img, script").count() == 1


@in_a_browser
def test_the_page_of_a_verification_lists_each_record_and_can_be_filtered(opened: OpenedPage, tmp_path: Path) -> None:
    path = tmp_path / "proof.html"
    path.write_text(verification_html(proved()), encoding="utf-8")
    browser = opened.page.context.browser
    assert browser is not None

    page = browser.new_page()
    proof = OpenedPage(page, path.as_uri())

    assert page.title() == "Verification of the log"
    assert NASTY.replace("`", "") in page.inner_text("main").replace("`", "")
    page.get_by_role("searchbox", name="Filter").fill("response_due")
    assert page.locator("[data-row]:not([hidden])").all_inner_texts() == [
        "019be902-5d88\tabababababab\tresponse_due\tdue 1 h earlier"
    ]
    page.set_viewport_size({"width": 390, "height": 800})
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (set(proof.asked), proof.wrong) == ({path.as_uri()}, [])
    page.close()


# ---- As text


def test_the_page_contains_everything_it_needs_and_no_id_twice(file: Path) -> None:
    found = Elements(file.read_text(encoding="utf-8")).found
    ids = [given["id"] for _, given in found if "id" in given]

    assert {tag for tag, _ in found} & {"link", "img", "iframe", "object", "form"} == set()
    assert [given for _, given in found if "src" in given or (given.get("href") or "#")[0] != "#"] == []
    assert len(ids) == len(set(ids))


def test_a_page_without_changes_states_that(shipped: Bundle) -> None:
    text = replay_html(quiet(shipped.versions[-1]))

    assert 'class="headline same">Nothing changes: all 24,900 tickets are decided as before.' in text
    assert "<h2>" not in text


def test_a_page_with_nothing_to_compare_shows_what_is_decided_and_how_to_compare(shipped: Bundle) -> None:
    text = replay_html(alone(shipped.versions[-1]))

    assert "There is nothing to compare with" in text
    assert "<h2>What is decided</h2>" in text
    assert "20,000 (80.3%)" in text
    assert "<span>differ</span>" not in text
