"""Pages in a real browser: opened from disk, watched, and read; what tests of pages share.

Debian's Chromium is enough (`.ci/run` installs it where it can); without any, these tests say that they were skipped.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: the page was not opened in a browser (`apt-get install chromium`)"
)


class OpenedPage:
    """A page that was opened from disk, what it asked for, and what went wrong in its script."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.asked, self.wrong = page, list[str](), list[str]()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        page.goto(address)


@contextmanager
def open_page(file: Path) -> Iterator[OpenedPage]:
    """Open a page, as long as the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield OpenedPage(browser.new_page(), file.as_uri())
        browser.close()


COLOURS: Final = """element => {
  let behind = element;
  while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  return [getComputedStyle(element).color, getComputedStyle(behind ?? document.body).backgroundColor];
}"""


def colours_of(page: Page, where: str) -> tuple[str, str]:
    """Return the colour of the text of the first such element, and the colour behind it."""
    text, behind = page.locator(where).first.evaluate(COLOURS)
    return text, behind


def contrast(one: str, other: str) -> float:
    """Return how much two colours stand out from each other, as WCAG 2 counts it."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class Elements(HTMLParser):
    """The elements of a page: their names and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
