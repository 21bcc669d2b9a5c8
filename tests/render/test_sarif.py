"""Findings as SARIF: the requirements of code-scanning tools, and output that is stable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from typer.testing import CliRunner

from engine.model.problem_codes import CODES
from engine.model.problems import Place, Problem, Related
from guidepost.cli.app import app
from guidepost.render.sarif import sarif

Plain = dict[str, Any]


def closed(required: list[str], **properties: Any) -> Plain:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT: Final = closed(["text"], text={"type": "string", "minLength": 1})
COUNT: Final = {"type": "integer", "minimum": 1}
LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
PHYSICAL: Final = closed(
    ["artifactLocation", "region"],
    artifactLocation=closed(
        ["uri", "uriBaseId"], uri={"type": "string", "pattern": r"^[^/\\\s:][^\\\s]*$"}, uriBaseId={"type": "string"}
    ),
    region=closed(["startLine"], startLine=COUNT, startColumn=COUNT),
)
SARIF: Final = closed(
    ["version", "runs"],
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": closed(
            ["tool", "results"],
            tool=closed(
                ["driver"],
                driver=closed(
                    ["name"],
                    name={"type": "string"},
                    version={"type": "string"},
                    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ["id"],
                            id={"type": "string"},
                            shortDescription=TEXT,
                            fullDescription=TEXT,
                            help=TEXT,
                            defaultConfiguration=closed(["level"], level=LEVEL),
                        ),
                    },
                ),
            ),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            originalUriBaseIds={
                "type": "object",
                "additionalProperties": closed([], uri={"type": "string"}, description=TEXT),
            },
            results={
                "type": "array",
                "items": closed(
                    ["message", "ruleId", "ruleIndex", "level", "locations", "partialFingerprints"],
                    ruleId={"type": "string"},
                    ruleIndex={"type": "integer", "minimum": 0},
                    level=LEVEL,
                    message=TEXT,
                    locations={
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": closed(["physicalLocation"], physicalLocation=PHYSICAL),
                    },
                    relatedLocations={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ["id", "physicalLocation"],
                            id={"type": "integer", "minimum": 0},
                            physicalLocation=PHYSICAL,
                            message=TEXT,
                        ),
                    },
                    partialFingerprints={
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": {"type": "string"},
                    },
                    properties={"type": "object"},
                ),
            },
        ),
    },
)
"""The part of the SARIF 2.1.0 schema that Guidepost writes; other properties are rejected."""

GAP: Final = Problem(
    place=Place(file="policies/a.yaml", line=3, column=5),
    code="gap",
    message="no rule of `t` covers 12 cases",
    help="add a rule",
    witness=(("mood", "odd"),),
)
CONFLICT: Final = Problem(
    place=Place(file="policies/b c.yaml", line=9, column=1),
    code="conflict",
    message="`a` and `b` overlap",
    help="see that the order is meant",
    witness=(),
    also=(Related(Place(file="policies/b c.yaml", line=4, column=1), "`a` comes first"),),
)


def valid(log: Plain) -> list[Plain]:
    """Hold a log against the format, and give its results."""
    jsonschema.Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert [other["id"] for other in result.get("relatedLocations", [])] == [
            *range(len(result.get("relatedLocations", [])))
        ]
    return list(run["results"])


def prints(*findings: Problem) -> list[str]:
    return [result["partialFingerprints"]["guidepost/v1"] for result in valid(sarif(findings, "1.2.3"))]


def moved(finding: Problem, lines: int) -> Problem:
    return Problem(
        place=Place(file=finding.place.file, line=finding.place.line + lines, column=7),
        code=finding.code,
        message=finding.message,
        help=finding.help,
        witness=finding.witness,
        also=finding.also,
    )


def test_a_finding_is_a_result_with_its_place_its_witness_and_the_other_places() -> None:
    gap, conflict = valid(sarif((GAP, CONFLICT), "1.2.3"))

    assert gap["message"]["text"] == "no rule of `t` covers 12 cases; for example with mood=odd; add a rule"
    assert gap["properties"] == {"witness": {"mood": "odd"}}
    assert gap["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 5}
    assert (gap["level"], conflict["level"]) == ("error", "note")
    assert conflict["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policies/b%20c.yaml"
    assert conflict["relatedLocations"][0]["message"]["text"] == "`a` comes first"


def test_every_code_is_a_rule_with_its_words_and_its_level() -> None:
    log = sarif((), "1.2.3")

    assert valid(log) == []
    assert [
        (rule["id"], rule["shortDescription"]["text"], rule["defaultConfiguration"]["level"])
        for rule in log["runs"][0]["tool"]["driver"]["rules"]
    ] == [(code, kind.about, kind.level.value) for code, kind in CODES.items()]


def test_a_fingerprint_stays_when_lines_and_counts_change() -> None:
    recounted = Problem(
        place=GAP.place,
        code="gap",
        message="no rule of `t` covers 1,300 cases",
        help="add a rule",
        witness=(("mood", "bad"),),
    )

    assert prints(moved(GAP, 40), moved(CONFLICT, 2)) == prints(GAP, CONFLICT)
    assert prints(recounted) == prints(GAP)


def test_findings_that_differ_have_fingerprints_that_differ() -> None:
    others = [
        GAP,
        CONFLICT,
        Problem(place=GAP.place, code="gap", message="no rule of `t2` covers 12 cases"),
        Problem(place=Place(file="policies/b.yaml"), code="gap", message=GAP.message),
        Problem(place=GAP.place, code="overlap", message=GAP.message),
        moved(GAP, 1),
    ]

    assert len(set(prints(*others))) == len(others)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    policies = tmp_path / "desk" / "policies"
    policies.mkdir(parents=True)
    for path in (Path(__file__).parents[1] / "broken" / "good").rglob("*.yaml"):
        target = policies / path.relative_to(Path(__file__).parents[1] / "broken" / "good")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return policies


def written(folder: Path | str) -> str:
    result = CliRunner().invoke(app, ["analyze", "--policies", str(folder), "-o", "sarif", "--fail-on", "never"])
    assert result.exit_code == 0
    return result.stdout


def test_files_are_named_from_the_top_of_the_repository_wherever_the_command_runs(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository_path = written("desk/policies")
    uris = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in valid(json.loads(repository_path))
    }

    assert uris
    assert all(uri.startswith("desk/policies/") for uri in uris)
    assert written(repository) == repository_path
    monkeypatch.chdir(repository.parent)
    assert written("policies") == repository_path


def test_the_same_policies_yield_the_same_bytes(repository: Path) -> None:
    assert written(repository) == written(repository)


def test_a_policy_that_cannot_be_read_yields_its_problems(repository: Path) -> None:
    manifest = repository / "manifest.yaml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("kind: manifest", "kind: manifesto"), encoding="utf-8"
    )
    results = valid(json.loads(written("desk/policies")))

    assert {result["level"] for result in results} == {"error"}
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "desk/policies/manifest.yaml"
