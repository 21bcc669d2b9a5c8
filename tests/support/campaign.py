"""How much random tests try: a sample by default, far more in a campaign."""

from __future__ import annotations

import os
from typing import Final

LONG: Final = os.environ.get("GUIDEPOST_CAMPAIGN") == "long"
"""Whether this is a campaign of hours."""

ALL_CELLS: Final = LONG or os.environ.get("GUIDEPOST_CELLS") == "all"
"""Whether every cell of the largest tables is compared with the oracle."""
