"""Where versions come from: a name in, the files of one version out.

``read_source("HEAD~3", policies=folder)`` gives a :class:`Source`, ``load_source`` the built version. One module a step::

    source      the nouns: Source, Origin, SourceError
    texts       bytes -> texts; which files of a folder are a version's
    resolve     what people write -> one of the readers below
    git         a revision of a repository
"""

from __future__ import annotations

from service.sources.resolve import known_versions, load_source, read_source
from service.sources.source import Origin, Source, SourceError

__all__ = ["Origin", "Source", "SourceError", "known_versions", "load_source", "read_source"]
