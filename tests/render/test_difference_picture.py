"""The picture of a difference in README.md: `--update-golden` takes it again; a text beside it has what it shows."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import FloatRect, Page

from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.render.diff_html import diff_html
from guidepost.render.diff_report import make_diff_report
from tests.support.browser import in_a_browser, open_page

PICTURE: Final = Path(__file__).resolve().parents[2] / "docs" / "images" / "difference.png"
WIDTH: Final = 1100
MOST: Final = 720
"""The greatest height of the picture, so that it is small enough for the top of a page."""

SECTION: Final = "section:has(> article[data-group])"
"""The picture shows what the rules do, and not the text above it."""


def difference(shipped: Bundle) -> str:
    """Return the page of the shipped versions 1.0.0 and 2.0.0."""
    before, after = shipped.versions
    assert isinstance(before, Version)
    assert isinstance(after, Version)
    return diff_html(make_diff_report(before, after, ("1.0.0", "2.0.0")))


def area(page: Page) -> FloatRect:
    """Return the area of the picture, in pixels."""
    box = page.locator(SECTION).first.bounding_box()
    assert box is not None
    return {"x": 0, "y": round(box["y"]) - 8, "width": WIDTH, "height": min(round(box["height"]) + 16, MOST)}


@in_a_browser
def test_the_picture_of_a_difference_shows_what_the_page_shows(
    request: pytest.FixtureRequest, shipped: Bundle, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    file = tmp_path / "difference.html"
    file.write_text(difference(shipped), encoding="utf-8")

    with open_page(file) as opened:
        page = opened.page
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": WIDTH, "height": 1400})
        shown_area = area(page)
        rows = page.locator(SECTION).first.locator("li").all_inner_texts()
        shown = [
            page.inner_text("h1"),
            page.inner_text(".headline"),
            *(" | ".join(filter(None, row.splitlines())) for row in rows),
        ]
        if request.config.getoption("--update-golden"):
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE, clip=shown_area, full_page=True)

    golden("diff/picture.txt", "\n".join(shown) + "\n")


def test_the_picture_of_a_difference_is_small_and_as_wide_as_it_was_taken() -> None:
    content = PICTURE.read_bytes()
    width, shown = struct.unpack(">II", content[16:24])

    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) <= 150_000
    assert width == WIDTH
    assert 400 < shown < 1400
