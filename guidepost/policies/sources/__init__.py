"""The sources of versions: a name in, the files of one version out.

``read_source("HEAD~3", policies=folder)`` returns a :class:`Source`, ``load_source`` the built version.

Modules::

    bundle_archive  a bundle: the archive of a version with its description
    folder          a policies folder -> a bundle of versions
    git             a revision of a git repository
    remote          bundles from HTTP servers and object stores, verified
    resolve         the name of a version -> its files
    signatures      Ed25519 signatures of bundles, and trusted keys
    source          the classes of a source
    text_files      the bytes of a version's files -> their texts
    zip_tar         a zip or tar of a policies folder
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
