"""The list `scripts/plain-words`: what it finds, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).resolve().parents[2] / "scripts" / "plain-words"


def listed(folder: Path, text: str) -> tuple[int, list[str]]:
    """Return the exit code of the script for a page with this text, and the phrases that it lists."""
    (folder / "page.md").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, SCRIPT, "page.md"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, [line.split("`")[1] for line in done.stdout.splitlines()]


PHRASES: Final = {
    "The value {} whole number.\n": "is no",
    "It is for {} calls.\n": "whoever",
    "The supervisor {} to stop.\n": "is told",
    "Some tickets are {}.\n": "decided otherwise",
    "The caller proves {} identity.\n": "his",
    "The list {} the manifest.\n": "stands in",
    "This {} at once.\n": "is said",
    "The answer {}.\n": "says so",
    "Every record {} equal.\n": "comes out",
    "A region {} the facts.\n": "goes by",
    "Holds {} a due time.\n": "put off",
}


@pytest.mark.parametrize(("sentence", "phrase"), PHRASES.items())
def test_a_phrase_of_the_list_is_found(tmp_path: Path, sentence: str, phrase: str) -> None:
    assert listed(tmp_path, sentence.format(phrase)) == (1, [phrase])


@pytest.mark.parametrize(
    "sentence",
    [
        "The server is no longer healthy, and there is no key.\n",
        "The value comes out of the log.\n",
        "The answers are all the same value.\n",
        "A caller has the role, and their history is kept.\n",
    ],
)
def test_plain_sentences_are_left_alone(tmp_path: Path, sentence: str) -> None:
    assert listed(tmp_path, sentence) == (0, [])
