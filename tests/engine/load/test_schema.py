"""The published JSON Schemas: what editors complete and check with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from engine.load.schema import published
from engine.load.yaml_tree import plain, read
from engine.version.bundle import Bundle
from tests.support.paths import ROOT

FILES = sorted(
    path
    for folder in (
        ROOT / "policies",
        ROOT / "policies/past/1.0.0",
        *(path.parent for path in (ROOT / "examples").glob("*/manifest.yaml")),
    )
    for path in (*folder.glob("*.yaml"), *folder.glob("cases/*.yaml"), *folder.glob("holidays/*.yaml"))
)


class EditorLoader(yaml.SafeLoader):
    """Reads YAML as editors do, who leave dates as they are written."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def named_schema(path: Path) -> Path:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named, f"{path.relative_to(ROOT)} does not name its schema in its first line"
    return path.parent / named[1]


def problems(schema: dict[str, object], instance: object) -> list[str]:
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(instance)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_policy_file_names_a_schema_that_accepts_it(path: Path) -> None:
    schema = json.loads(named_schema(path).read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    tree, _ = read(path.name, text)

    assert tree is not None
    assert problems(schema, plain(tree)) == []
    # As an editor sees it: with YAML's own types.
    assert problems(schema, yaml.load(text, EditorLoader)) == []


def test_published_schemas_are_those_of_the_vocabulary(shipped: Bundle) -> None:
    for version, folder in zip(shipped.versions, ("policies/past/1.0.0", "policies"), strict=True):
        for name, text in published(version.policy).items():
            assert (ROOT / folder / "schemas" / name).read_text(encoding="utf-8") == text


def test_published_schemas_are_themselves_valid(shipped: Bundle) -> None:
    for text in published(shipped.versions[-1].policy).values():
        Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"impact": "hihg"}, "impact"),
        ({"impcat": "high"}, ""),
        ({"impact": {"not": "hihg"}}, "impact"),
        ({"affected_percent": {"over": "50"}}, "affected_percent"),
    ],
)
def test_the_schema_knows_the_facts_and_their_values(shipped: Bundle, change: dict[str, object], place: str) -> None:
    schema = json.loads(published(shipped.versions[-1].policy)["policy.schema.json"])
    file = {
        "kind": "policy",
        "about": "x",
        "source": "x",
        "tables": {
            "t": {
                "about": "x",
                "produces": "priority",
                "rules": [{"id": "r", "when": change, "then": {"priority": "P1"}}],
            }
        },
    }

    found = [list(error.absolute_path)[5:] for error in Draft202012Validator(schema).iter_errors(file)]

    assert found == [[place] if place else []]
