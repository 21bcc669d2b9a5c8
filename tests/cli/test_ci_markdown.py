"""The summary of ``guidepost ci``: texts of policies are escaped, and its length is limited."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

import pytest
from markdown_it import MarkdownIt

from engine.version.build import build
from guidepost.render.diff_markdown import diff_markdown
from guidepost.render.diff_report import make_diff_report
from guidepost.render.markdown import code, escaped, joined_parts, prose
from tests.support.desks import GOOD, renumbered

NASTY: Final = '<script>alert(1)</script> | `a` **b** _c_ [d](e) $x$ ~~f~~ & "quotes"'


def rendered(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


@pytest.mark.parametrize("write_it", [escaped, prose, code, lambda text: code(text, in_table=True)])
def test_texts_of_policies_are_escaped(write_it: Callable[[str], str]) -> None:
    shown = (
        rendered(f"| x |\n|---|\n| {write_it(NASTY)} |\n")
        if write_it not in (prose, code)
        else rendered(write_it(NASTY))
    )

    assert not re.search(r"<(?!/?(?:p|table|thead|tbody|tr|th|td|code)>)", shown)
    assert (
        re.sub(r"<[^>]*>", "", shown).replace("x", "").split()
        == re.sub("`" if write_it is prose else "$^", "", _html(NASTY)).replace("x", "").split()
    )


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def test_a_policy_with_markup_in_it_is_shown_as_text() -> None:
    words = json.dumps(f"{NASTY}\nand more")
    changed = {
        **GOOD,
        "queue.yaml": GOOD["queue.yaml"].replace("{greeting: leave it with us}", f"{{greeting: {words}}}"),
    }

    shown = rendered(diff_markdown(make_diff_report(build(GOOD), build(changed), ("a|b", "<b>"))))

    assert "alert(1)&lt;/script&gt; |" in shown
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "and more" in shown


def test_a_long_summary_is_shortened_and_notes_what_is_left_out() -> None:
    shown = make_diff_report(build(GOOD), build(renumbered(_many())), ("1.0.0", "2.0.0"))
    whole = diff_markdown(shown, 10_000_000)

    sizes = {most: diff_markdown(shown, most) for most in (len(whole.encode()) - 100, 2_000, 300)}

    assert "left out" not in whole
    assert all(len(text.encode()) <= most for most, text in sizes.items())
    assert "… and " in sizes[len(whole.encode()) - 100]
    assert re.search(r"\*\*Left out:\*\* \d+ of \d+ parts", sizes[300])
    assert rendered(sizes[2_000]).count("<details>") == rendered(sizes[2_000]).count("</details>")


def _many() -> dict[str, str]:
    """Return the workshop with a hundred more parts."""
    rows = "".join(
        f"        part{at}: {{name: Part {at}, then: {{in_stock: yes, price: {at}}}}}\n" for at in range(100)
    )
    return {**GOOD, "parts.yaml": GOOD["parts.yaml"].replace("      rows:\n", f"      rows:\n{rows}", 1)}


def test_parts_are_not_cut() -> None:
    assert joined_parts(["a" * 100, "b" * 100], 1_000) == f"{'a' * 100}\n\n{'b' * 100}\n"
    assert joined_parts(["a" * 100, "b" * 100], 350).startswith(f"{'a' * 100}\n\n**Left out:** 1 of 2 parts")
