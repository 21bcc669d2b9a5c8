"""The sources of versions: a name in, the files of one version out.

``resolve.read_source("HEAD~3", policies=folder)`` returns a :class:`source.Source`, ``resolve.load_source`` the built
version.

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
