"""Decision certificates: one entry of the log as a small file that can be checked without the log.

A certificate contains the entry and, if a signed head covers it, this head and the inclusion path to the head's root.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final, Self

from engine.decide.decider import Decider
from engine.records.chain import Entry
from engine.records.merkle import climb, path
from engine.records.record import Record, canonical
from engine.records.reproduce import reproduce
from engine.version.version import Version
from guidepost.decision_log.export_jsonl import read_entry
from guidepost.decision_log.signed_heads import SignedHead, signature_problem
from guidepost.decision_log.store import Store
from guidepost.policies.sources.signatures import Trust

KIND: Final = "guidepost-decision-certificate"
FORMAT: Final = 1

MAX_SIZE: Final = 16_000_000
"""The most bytes that a certificate may have."""

_TRIED: Final = 8
"""The most heads that are tried if some of the entries that they cover are purged."""


class InvalidCertificate(ValueError):
    """A file is not a certificate, or was changed; the message contains the reason."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """An entry, the signed head that covers it, and the inclusion path to its root.

    There is no head if none covers it yet.
    """

    entry: Entry
    head: SignedHead | None = None
    path: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the file: indented JSON."""
        return json.dumps(self._plain, indent=1) + "\n"

    @property
    def _plain(self) -> dict[str, Any]:
        entry, record = self.entry, json.loads(self.entry.body)
        return {
            "kind": KIND,
            "format": FORMAT,
            "version": record["version"],
            "entry": {
                "writer": entry.writer,
                "sequence": entry.sequence,
                "previous": entry.previous,
                "hash": entry.hash,
                "record": record,
            },
            "head": self.head.plain if self.head else None,
            "path": list(self.path),
        }

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text of a file; raises InvalidCertificate unless it is what was written, except for white space."""
        try:
            plain = json.loads(text, object_pairs_hook=_each_once)
            known = (plain["kind"], plain["format"]) == (KIND, FORMAT)
            head = None if plain["head"] is None else SignedHead.of(plain["head"])
            made = cls(read_entry(plain["entry"]), head, tuple(str(one) for one in plain["path"]))
            as_written = canonical(made._plain) == canonical(plain)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            why = (
                str(error)
                if isinstance(error, InvalidCertificate)
                else "expected a decision certificate that this program can read"
            )
            raise InvalidCertificate(why) from error
        if not known:
            raise InvalidCertificate("expected a decision certificate that this program can read")
        if not as_written:
            raise InvalidCertificate("this is not what was written: something was added, left out or changed")
        return made


class StepResult(StrEnum):
    """The result of a step of a check."""

    OK = "ok"
    WRONG = "wrong"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One step of a check: the part of the certificate, the result, and a sentence about it."""

    name: str
    result: StepResult
    detail: str


def certify(store: Store, entry: Entry) -> Certificate:
    """Return the certificate of an entry, with the smallest complete tree that covers it."""
    for head in islice(store.heads_over(entry), _TRIED):
        leaves = list(store.hashes(entry.writer, head.since, head.head.sequence))
        if len(leaves) == head.head.sequence - head.since:
            return Certificate(entry, head, path(leaves, entry.sequence - head.since - 1))
    return Certificate(entry)


def check_certificate(certificate: Certificate, trust: Trust, version: Version | None = None) -> tuple[CheckStep, ...]:
    """Check a certificate by itself, by trusted keys, and by the version that may have decided.

    Returns a result for each step.
    """
    steps = [_hashed(certificate), _covered(certificate), _signed(certificate, trust)]
    try:
        record = Record.read(certificate.entry.body)
    except ValueError as error:
        return (*steps, CheckStep("record", StepResult.WRONG, str(error)))
    if not certificate.entry.holds:
        return (
            *steps,
            _version(record, version),
            CheckStep("decisions", StepResult.NOT_SHOWN, "not checked: the record was changed"),
        )
    return (*steps, _version(record, version), _decided(record, version))


def _hashed(certificate: Certificate) -> CheckStep:
    entry = certificate.entry
    if entry.holds:
        return CheckStep("entry", StepResult.OK, f"entry {entry.sequence} of {entry.writer} has its hash, {entry.hash}")
    return CheckStep("entry", StepResult.WRONG, "its hash does not match its content: something in it was changed")


def _covered(certificate: Certificate) -> CheckStep:
    entry, head = certificate.entry, certificate.head
    if head is None:
        return CheckStep(
            "path",
            StepResult.NOT_SHOWN,
            "no signed head covered the entry when the certificate was made, so it shows no more than its own hash",
        )
    place, size = entry.sequence - head.since, head.head.sequence - head.since
    same_chain = bool(head.root) and head.head.writer == entry.writer
    if (
        same_chain
        and climb(entry.hash, place - 1, size, certificate.path) == head.root
        and (entry.sequence < head.head.sequence or entry.hash == head.head.hash)
    ):
        which = "the only entry" if size == 1 else f"number {place:,} of the {size:,} entries"
        return CheckStep("path", StepResult.OK, f"it is {which} that the head at {head.head.sequence} covers")
    return CheckStep("path", StepResult.WRONG, "the path does not lead from this entry to the root of the head")


def _signed(certificate: Certificate, trust: Trust) -> CheckStep:
    head = certificate.head
    if head is None:
        return CheckStep("signature", StepResult.NOT_SHOWN, "there is no signed head")
    if not trust.keys:
        return CheckStep(
            "signature",
            StepResult.NOT_SHOWN,
            f"signed on {head.signed} by the key {head.key}, according to the file; --key FILE checks this",
        )
    why = signature_problem(head, trust)
    if why:
        return CheckStep("signature", StepResult.WRONG, why)
    name = next(one.name for one in trust.keys if one.id == head.key)
    return CheckStep("signature", StepResult.OK, f"signed on {head.signed} by {head.key} ({name})")


def _version(record: Record, version: Version | None) -> CheckStep:
    said = f"{record.version.name} {record.version.version}, digest {record.version.digest}"
    if version is None:
        return CheckStep(
            "version", StepResult.NOT_SHOWN, f"{said}, according to the file; --against VERSION checks this"
        )
    if version.ref == record.version:
        return CheckStep("version", StepResult.OK, said)
    return CheckStep(
        "version",
        StepResult.WRONG,
        f"it was decided under {said}; the given version is {version.ref.name} {version.ref.version},"
        f" digest {version.ref.digest}",
    )


def _decided(record: Record, version: Version | None) -> CheckStep:
    if version is None:
        return CheckStep("decisions", StepResult.NOT_SHOWN, "without the version, the record cannot be decided again")
    if version.ref != record.version:
        return CheckStep("decisions", StepResult.NOT_SHOWN, "the given version is not the one that decided")
    again = reproduce(record, Decider(version))
    if again.equal:
        return CheckStep(
            "decisions",
            StepResult.OK,
            f"the recorded facts, decided again as of {record.now}, give exactly what is recorded",
        )
    return CheckStep("decisions", StepResult.WRONG, again.wrong or "; ".join(map(str, again.differences)))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidCertificate("expected each key once, got a key twice")
    return found
