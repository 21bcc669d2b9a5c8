"""Where the files of the repository are that tests read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
POLICIES: Final = ROOT / "policies"
EXAMPLES: Final = ROOT / "examples"
GOLDEN: Final = ROOT / "tests" / "golden"
BROKEN: Final = ROOT / "tests" / "broken"
"""Broken policies and wrong requests, as texts; ``good/`` has the desk that they change."""
