"""Where versions come from: a name in, the files of one version out.

``read_source("HEAD~3", policies=folder)`` gives a :class:`Source`, ``load_source`` the built version. One module a step::

    source      the nouns: Source, Origin, SourceError
    texts       bytes -> texts; which files of a folder are a version's
    resolve     what people write -> one of the readers below
    git         a revision of a repository
    bundles     a version <-> one archive, always the same bytes
    archives    a zip or tar of a policies folder
    signatures  keys, and what they sign
    remote      an address -> bytes that are verified
"""

from __future__ import annotations

from guidepost.policies.sources.bundle_archive import BuiltBundle, make_bundle, read_bundle
from guidepost.policies.sources.resolve import known_versions, load_source, read_source
from guidepost.policies.sources.signatures import Trust, trusted_keys
from guidepost.policies.sources.source import Origin, Source, SourceError

__all__ = [
    "BuiltBundle",
    "Origin",
    "Source",
    "SourceError",
    "Trust",
    "known_versions",
    "load_source",
    "make_bundle",
    "read_bundle",
    "read_source",
    "trusted_keys",
]
