"""Where versions come from: a name in, the files of one version out.

``read_source("HEAD~3", policies=folder)`` gives a :class:`Source`, ``load_source`` the built version.

Modules::

    bundle_archive  A built bundle: one archive that holds a version and says what is in it
    folder          policy folders in, a bundle of versions out
    git             A revision of a git repository as a source
    remote          bytes from elsewhere
    resolve         what people write for a version in, its files out
    signatures      ed25519 signatures of bundles, and the keys that are trusted
    source          the nouns: a source of a version, where it came from, and what is wrong when there is none
    text_files      bytes of a version's files in, their texts out
    zip_tar         A zip or tar of a policies folder, as `zip://FOLDER::FILE` or `tar://FOLDER::FILE`
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
