"""Commands in this process that read the same policies once: the shipped ones take a second of CPU time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from engine.load import load_with_trees
from engine.model.answer import VersionRef
from engine.model.policy import Policy
from engine.version.build import build, version_of_policy
from engine.version.version import Version
from guidepost.cli.options import policies_folder, version_spec

_LOADED: Final[dict[object, Any]] = {}
_VERSIONS: Final[dict[object, tuple[Policy, Version]]] = {}
_BUILT: Final[dict[object, Version]] = {}


def _load(files: Mapping[str, str], root: str) -> Any:
    key = (root, *sorted(files.items()))
    if key not in _LOADED:
        _LOADED[key] = load_with_trees(files, root)
    return _LOADED[key]


def _version(policy: Policy, ref: VersionRef) -> Version:
    key = (id(policy), ref.digest)
    if key not in _VERSIONS:
        _VERSIONS[key] = (policy, version_of_policy(policy, ref))  # the policy is kept, so that its id stays its own
    return _VERSIONS[key][1]


def _build(files: Mapping[str, str], root: str = "") -> Version:
    key = (root, *sorted(files.items()))
    if key not in _BUILT:
        _BUILT[key] = build(files, root)
    return _BUILT[key]


@pytest.fixture
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process load and build the same files once."""
    monkeypatch.setattr(policies_folder, "load_with_trees", _load)
    monkeypatch.setattr(policies_folder, "version_of_policy", _version)
    monkeypatch.setattr(version_spec, "build", _build)
