"""What tests need of released versions: the register that holds them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.load import load_with_trees
from engine.load.digest import digest
from engine.model.problems import Place
from engine.version.release_register import Frozen, register_text


def register(*versions: Mapping[str, str]) -> str:
    """Return the text of `past/frozen.yaml` for these versions, each as its files."""
    frozen = []
    for files in versions:
        policy, trees = load_with_trees(files)
        frozen.append(
            Frozen(
                version=policy.manifest.version,
                effective_from=policy.manifest.effective_from,
                digest=digest(trees),
                place=Place(file=""),
            )
        )
    return register_text(frozen)
