"""Cross-checks that succeeded, kept by a digest of all that they depend on.

A cross-check takes seconds and its result never changes, so a second start reads it here. A file that is missing,
damaged or of another cross-check is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from engine.cross_check.plan import BUDGET, Extent
from engine.cross_check.report import CrossCheckReport, TableCrossCheck
from engine.cross_check.table import CrossCheckTable


def cross_check_key(tables: Sequence[CrossCheckTable], *, budget: int = BUDGET, seed: int = 0) -> str:
    """Return the key of a cross-check: a digest, in hex.

    It covers the tables whole, budget and seed, the versions of durable-rules and Python, and this package's code.
    """
    digest = hashlib.sha256()
    for part in (
        "guidepost-cross-check",
        _durable_rules_version(),
        *platform.python_version_tuple(),
        platform.machine(),
    ):
        _add(digest, part.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        _add(digest, path.read_bytes())
    _add(digest, json.dumps([budget, seed, len(tables)]).encode())
    for table in tables:
        rules = [[rule.id, [[axis, sorted(allowed)] for axis, allowed in rule.tests]] for rule in table.rules]
        served = [[one.rules, one.nodes] for one in table.served]
        _add(digest, json.dumps([table.name, table.axes, rules, table.policy, served]).encode())
    return digest.hexdigest()


class CrossCheckCache:
    """A folder of cross-checks that succeeded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> CrossCheckReport | None:
        """Return the report kept under a key; None without one, or if its file is damaged."""
        try:
            stored = json.loads(self._path(key).read_bytes())
            if stored["key"] != key or stored["check"] != _check(key, stored["tables"]):
                return None
            report = CrossCheckReport(tuple(_table_result(plain) for plain in stored["tables"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return report if report.ok else None

    def store(self, key: str, report: CrossCheckReport) -> bool:
        """Keep a report that succeeded; return whether it is kept: not if it failed or the folder cannot be written."""
        if not report.ok:
            return False
        tables = [_plain(one) for one in report.tables]
        text = json.dumps({"key": key, "check": _check(key, tables), "tables": tables}, indent=1)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".cross-check-")
        except OSError:
            return False
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path(key))
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink()
            return False
        return True

    def _path(self, key: str) -> Path:
        if not key or set(key) - set("0123456789abcdef"):
            raise ValueError(f"expected a cross-check key in hexadecimal, got `{key}`")
        return self.folder / f"{key}.json"


def _add(digest: Any, part: bytes) -> None:
    """Add a part with its length, so that no two lists of parts read the same."""
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)


def _check(key: str, tables: Any) -> str:
    """Return the checksum that shows damage to a kept file."""
    return hashlib.sha256(json.dumps([key, tables], sort_keys=True).encode()).hexdigest()


def _plain(result: TableCrossCheck) -> list[str | int]:
    return [result.table, result.extent.value, result.cells, result.covered, result.asked, result.disagreements]


def _table_result(plain: Any) -> TableCrossCheck:
    table, extent, *numbers = plain
    if not isinstance(table, str) or len(numbers) != 4 or any(type(number) is not int for number in numbers):
        raise ValueError("not the result of a table")
    cells, covered, asked, disagreements = numbers
    return TableCrossCheck(
        table=table,
        extent=Extent(extent),
        cells=cells,
        covered=covered,
        asked=asked,
        disagreements=disagreements,
    )


def _durable_rules_version() -> str:
    try:
        return metadata.version("durable_rules")
    except metadata.PackageNotFoundError:
        return "not installed"
