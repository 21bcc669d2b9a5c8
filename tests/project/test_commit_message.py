"""The hook `scripts/commit-message`: which messages it accepts, and what it reports of others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).resolve().parents[2] / "scripts" / "commit-message"
BODY: Final = "\n\nA lost server failed the calls that were under way.\n"


def checked(folder: Path, message: str) -> tuple[int, list[str]]:
    """Return the exit code of the hook, and what it reports."""
    file = folder / "COMMIT_EDITMSG"
    file.write_text(message, encoding="utf-8")
    done = subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True, check=False)
    return done.returncode, [line.removeprefix("commit message: ") for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    "message",
    [
        f"Retry the calls of a lost server{BODY}",
        f"Pass the region to the calendar{BODY}",
        f"{'Retry'.ljust(72, 'x')}{BODY}",
        f"Retry lost calls{BODY}\nCo-authored-by: A. Person <a@example.org>\n",
        f"Retry lost calls{BODY}# a remark of git\n",
        "Merge branch 'main' into topic\n",
        'Revert "Retry lost calls"\n\nThis reverts commit 3518362.\n',
        "fixup! Retry lost calls\n",
    ],
)
def test_a_message_that_keeps_the_rule_is_accepted(tmp_path: Path, message: str) -> None:
    assert checked(tmp_path, message) == (0, [])


@pytest.mark.parametrize(
    ("message", "reported"),
    [
        (f"{'Retry'.ljust(73, 'x')}{BODY}", "expected a subject of at most 72 characters, got 73"),
        (f"Added a retry{BODY}", "expected a verb in the imperative first, got `Added`"),
        (f"Adding a retry{BODY}", "expected a verb in the imperative first, got `Adding`"),
        (f"Adds a retry{BODY}", "expected a verb in the imperative first, got `Adds`"),
        (f"retry lost calls{BODY}", "expected a capital letter first, got `retry`"),
        (f"Retry lost calls.{BODY}", "expected a subject without a full stop"),
        (
            f"Retry lost calls; log them{BODY}",
            "expected one change, got a list of them joined by `;`: make a commit of each",
        ),
        ("Retry lost calls\nbecause they failed\n", "expected an empty line after the subject"),
        ("Retry lost calls\n", "expected a body with the reason for the change"),
        (
            "Retry lost calls\n\nSigned-off-by: A. Person <a@example.org>\n",
            "expected a body with the reason for the change",
        ),
    ],
)
def test_a_message_that_breaks_the_rule_is_rejected_with_what_was_expected(
    tmp_path: Path, message: str, reported: str
) -> None:
    assert checked(tmp_path, message) == (1, [reported])


def test_a_message_without_a_subject_is_rejected(tmp_path: Path) -> None:
    code, reported = checked(tmp_path, "# a remark of git\n")

    assert code == 1
    assert "expected a subject, got an empty line" in reported
