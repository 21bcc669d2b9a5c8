"""Findings as SARIF 2.1.0, the format that code-scanning tools read; the same findings yield the same bytes.

A finding keeps its fingerprint when lines move: it depends on the code, the file and the message without its numbers,
except those in backticks.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

from engine.model.problem_codes import CODES
from engine.model.problems import Place, Problem
from guidepost.render.console import JsonObject

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
"""The base of the addresses of files: the top of the repository."""

_PARTS: Final = re.compile(r"(`[^`]*`)")
_NUMBERS: Final = re.compile(r"\d[\d,.:-]*")


def sarif(findings: Iterable[Problem], version: str, address: Callable[[str], str] = str) -> JsonObject:
    """Return findings as one SARIF log; ``version`` is that of the program.

    ``address`` maps the file of a place to its path in the repository.
    """
    codes = {code: at for at, code in enumerate(CODES)}
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        print_ = _fingerprint(finding, address)
        seen[print_] += 1
        results.append(_result(finding, codes[finding.code], f"{print_}:{seen[print_]}", address))
    driver = {
        "name": "guidepost",
        "version": version,
        "semanticVersion": version,
        "rules": [_rule(code) for code in CODES],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the top of the repository"}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> JsonObject:
    kind = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": kind.about},
        "fullDescription": {"text": f"{kind.about[0].upper()}{kind.about[1:]}."},
        "help": {"text": f"{kind.help[0].upper()}{kind.help[1:]}."},
        "defaultConfiguration": {"level": kind.level.value},
    }


def _result(finding: Problem, index: int, fingerprint: str, address: Callable[[str], str]) -> JsonObject:
    witness = ", ".join(f"{fact}={value}" for fact, value in finding.witness)
    parts = [finding.message, f"for example with {witness}" if witness else "", finding.help]
    result: JsonObject = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.level.value,
        "message": {"text": "; ".join(part for part in parts if part)},
        "locations": [{"physicalLocation": _physical(finding.place, address)}],
        "partialFingerprints": {"guidepost/v1": fingerprint},
    }
    if finding.also:
        result["relatedLocations"] = [
            {"id": at, "physicalLocation": _physical(other.place, address), "message": {"text": other.what}}
            for at, other in enumerate(finding.also)
        ]
    if finding.witness:
        result["properties"] = {"witness": dict(finding.witness)}
    return result


def _physical(place: Place, address: Callable[[str], str]) -> JsonObject:
    return {
        "artifactLocation": {"uri": quote(address(place.file)), "uriBaseId": ROOT},
        "region": {"startLine": place.line, "startColumn": place.column},
    }


def _fingerprint(finding: Problem, address: Callable[[str], str]) -> str:
    """Return a hash that stays the same when lines or counts change; names in backticks keep their digits."""
    parts = _PARTS.split(finding.message)
    stable = "".join(part if part.startswith("`") else _NUMBERS.sub("#", part) for part in parts)
    return hashlib.sha256("\0".join((finding.code, address(finding.place.file), stable)).encode()).hexdigest()[:32]
