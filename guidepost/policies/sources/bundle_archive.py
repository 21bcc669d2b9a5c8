"""Bundles: the archive of a version with its description, reproducible byte for byte.

A bundle is a zip of stored entries: ``bundle.json`` first, then the files by path, all with the same date and mode. A
bundle is only read if it equals, byte for byte, what :func:`pack` writes for its content.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from engine.load import load_with_trees
from engine.load.digest import digest
from engine.load.files import of_a_version
from engine.model.answer import VersionRef
from engine.model.policy import Manifest, Policy, Rule
from engine.model.problems import Place, PolicyErrors, Problem
from guidepost.policies.sources.text_files import MAX_BYTES, MAX_FILES, decode_files

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FORMAT: Final = 1
DESCRIPTION: Final = "bundle.json"
MAX_ARCHIVE: Final = MAX_BYTES + 16_000_000
"""The largest bundle in bytes: its files, their names twice, and its description."""

_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The first date of a zip entry; a real date would make every build a different file."""

_UNIX: Final = 3
_READABLE: Final = 0o100644 << 16
_AS_BUILT: Final = "use the bundle as it was built, or build it again with `guidepost build`"

_TEXT: Final = {"type": "string"}
_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _exactly(**keys: Any) -> dict[str, Any]:
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}


_SHAPE: Final = _exactly(
    kind={"const": "guidepost-bundle"},
    format={"const": FORMAT},
    name=_TEXT,
    version=_TEXT,
    effective_from=_TEXT,
    digest=_HASH,
    files={"type": "array", "items": _exactly(path=_TEXT, sha256=_HASH)},
    rules={"type": "array", "items": _exactly(table=_TEXT, id=_TEXT, source=_TEXT, assumption=_TEXT)},
)


@cache
def _validator() -> Draft202012Validator:
    # Imported only where bundles are read, which keeps the processes that answer calls small.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(_SHAPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltBundle:
    """A version as one archive: its files, its name, and the bytes with their SHA-256."""

    files: Mapping[str, str] = field(repr=False)
    ref: VersionRef
    manifest: Manifest
    rules: int
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole archive, as hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def effective_from(self) -> datetime:
        """The effective date of the version, with the offset of its manifest."""
        return self.manifest.effective_from

    @property
    def file_name(self) -> str:
        """The default name of the archive."""
        return f"{self.ref.name}-{self.ref.version}.zip"


def make_bundle(files: Mapping[str, str], root: str = "") -> BuiltBundle:
    """Return the bundle of a version's files; raises PolicyErrors if they cannot be loaded."""
    policy, trees = load_with_trees(files, root)
    ref = VersionRef(policy.manifest.name, policy.manifest.version, digest(trees))
    description = _describe(files, policy, ref)
    return BuiltBundle(
        files=dict(files),
        ref=ref,
        manifest=policy.manifest,
        rules=len(description["rules"]),
        data=pack(files, _description_bytes(description)),
    )


def pack(files: Mapping[str, str], description: bytes) -> bytes:
    r"""Return the bytes of the archive: the description, then the files in the order of their paths.

    >>> pack({"a.yaml": "a: 1\n", "b.yaml": "b: 2\n"}, b"{}") == pack({"b.yaml": "b: 2\n", "a.yaml": "a: 1\n"}, b"{}")
    True
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for path, content in (
            (DESCRIPTION, description),
            *((path, text.encode()) for path, text in sorted(files.items())),
        ):
            entry = zipfile.ZipInfo(path, _DATE)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, content)
    return written.getvalue()


def read_bundle(data: bytes, root: str) -> BuiltBundle:
    """Read a bundle; raises PolicyErrors if it was altered, or if its policies cannot be loaded."""
    contents = _entries(data, root)
    description = description_of(contents.pop(DESCRIPTION), root)
    if problems := _hash_problems(contents, description, root):
        raise PolicyErrors(problems)
    files = decode_files(contents, root)
    made = make_bundle(files, root)
    if made.data != data:
        raise _bundle_error(f"{root}/{DESCRIPTION}", "altered-bundle", _difference(made, description), _AS_BUILT)
    return made


def _describe(files: Mapping[str, str], policy: Policy, ref: VersionRef) -> dict[str, Any]:
    return {
        "kind": "guidepost-bundle",
        "format": FORMAT,
        "name": ref.name,
        "version": ref.version,
        "effective_from": policy.manifest.effective_from.astimezone(UTC).isoformat(),
        "digest": ref.digest,
        "files": [
            {"path": path, "sha256": hashlib.sha256(text.encode()).hexdigest()} for path, text in sorted(files.items())
        ],
        "rules": [
            {"table": name, "id": rule.id, "source": rule.source, "assumption": rule.assumption}
            for name, rule in _rules(policy)
        ],
    }


def _rules(policy: Policy) -> Iterator[tuple[str, Rule]]:
    """Yield every rule with the name of its table or deadline, in the order of evaluation."""
    tables = {**policy.tables, **{name: deadline.table for name, deadline in policy.deadlines.items()}}
    for name, table in sorted(tables.items()):
        for rule in table.all_rules:
            yield name, rule


def _description_bytes(description: Mapping[str, Any]) -> bytes:
    return (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode()


def _entries(data: bytes, root: str) -> dict[str, bytes]:
    """Return the entries of an archive, after checks that they take no more memory than the archive itself."""
    if len(data) > MAX_ARCHIVE:
        raise _bundle_error(root, "too-large", f"{len(data):,} bytes; a bundle may have {MAX_ARCHIVE:,}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            problems = [problem for entry in listed if (problem := _entry_problem(entry, root))]
            names = [entry.filename for entry in listed]
            if len(listed) > MAX_FILES + 1:
                problems = [
                    Problem(
                        place=Place(file=root),
                        code="too-large",
                        message=f"{len(listed):,} entries; a bundle may have {MAX_FILES + 1:,}",
                    )
                ]
            elif len(set(names)) < len(names):
                problems.append(
                    Problem(
                        place=Place(file=root),
                        code="bad-bundle",
                        message="an entry is in the archive twice",
                        help=_AS_BUILT,
                    )
                )
            elif DESCRIPTION not in names:
                problems.append(
                    Problem(
                        place=Place(file=root),
                        code="bad-bundle",
                        message=f"there is no {DESCRIPTION} in the archive",
                        help="build a bundle with `guidepost build`, or write `zip://::FILE` for a zip of policies",
                    )
                )
            if problems:
                raise PolicyErrors(problems)
            return {entry.filename: archive.read(entry) for entry in listed}
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        UnicodeDecodeError,
    ) as error:
        raise _bundle_error(root, "bad-bundle", f"not an archive that can be read: {error}", _AS_BUILT) from error


def _entry_problem(entry: zipfile.ZipInfo, root: str) -> Problem | None:
    """Return the problem of an entry that must not be read, or None."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in entry.filename[:100])
    if entry.filename != DESCRIPTION and not of_a_version(entry.filename):
        return Problem(
            place=Place(file=root),
            code="bad-bundle",
            message=f"the entry `{shown}` is not part of a bundle",
            help="a bundle contains only the YAML files of one version",
        )
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        return Problem(
            place=Place(file=root), code="bad-bundle", message=f"the entry `{shown}` is compressed", help=_AS_BUILT
        )
    return None


def description_of(content: bytes, root: str) -> dict[str, Any]:
    """Read the description of a bundle from the bytes of its ``bundle.json``; raises PolicyErrors if it is invalid."""
    place = f"{root}/{DESCRIPTION}"
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _bundle_error(place, "bad-bundle", f"not JSON: {error}", _AS_BUILT) from error
    if isinstance(found, dict) and found.get("kind") == "guidepost-bundle" and found.get("format") != FORMAT:
        raise _bundle_error(
            place,
            "bad-bundle",
            f"the bundle is of format {found.get('format')}; this program reads format {FORMAT}",
            "use a newer version of Guidepost",
        )
    problems = [
        Problem(
            place=Place(file=place),
            code="bad-bundle",
            message=f"`{error.json_path}`: {error.message[:200]}",
            help=_AS_BUILT,
        )
        for error in _validator().iter_errors(found)
    ]
    if problems:
        raise PolicyErrors(problems)
    described: dict[str, Any] = found
    return described


def _hash_problems(contents: Mapping[str, bytes], description: Mapping[str, Any], root: str) -> list[Problem]:
    """Return the problems of files that do not match the hashes of the description."""
    hashes = {file["path"]: file["sha256"] for file in description["files"]}
    said = dict.fromkeys(hashes.keys() - contents.keys(), "is listed but not in the archive")
    said |= dict.fromkeys(contents.keys() - hashes.keys(), f"is in the archive but not listed in {DESCRIPTION}")
    both = hashes.keys() & contents.keys()
    said |= {
        path: "was changed: its SHA-256 differs"
        for path in both
        if hashlib.sha256(contents[path]).hexdigest() != hashes[path]
    }
    return [
        Problem(place=Place(file=f"{root}/{path}"), code="altered-bundle", message=f"the file {what}", help=_AS_BUILT)
        for path, what in sorted(said.items())
    ]


def _difference(made: BuiltBundle, description: Mapping[str, Any]) -> str:
    """Return which parts of the description do not match the files, or that the layout of the archive differs."""
    actual = description_of(_entries(made.data, "")[DESCRIPTION], "")
    parts = [f"`{name}` does not match the files" for name in actual if actual[name] != description[name]]
    return "; ".join(parts) or "the layout of the archive was changed"


def _bundle_error(place: str, code: str, message: str, help_: str = "") -> PolicyErrors:
    return PolicyErrors([Problem(place=Place(file=place), code=code, message=message, help=help_)])
