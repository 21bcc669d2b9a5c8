"""The digest of a policy version: the same for the same content in any layout.

Comments, the order of keys and white space do not count; the order of lists does, because rules are lists.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from engine.load.yaml_tree import Node, plain


def digest(trees: Mapping[str, Node]) -> str:
    r"""Return the SHA-256 of the files of a version (path to tree), as hex.

    >>> from engine.load.yaml_tree import read
    >>> one = digest({"a.yaml": read("a.yaml", "b: 1\nc: [x, y]")[0]})
    >>> two = digest({"a.yaml": read("a.yaml", "# note\nc:\n  - x\n  - y\nb:   1")[0]})
    >>> one == two
    True
    """
    content = {path: plain(tree) for path, tree in trees.items()}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
