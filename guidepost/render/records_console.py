"""Records of the decision log and the verification of its chains, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from engine.model.answer import Status
from engine.model.quoting import visible
from engine.records.chain import Entry
from engine.records.masking import GIVEN, MASKED, TOKEN
from engine.records.record import Record, RecordedChange, RecordKind
from guidepost.decision_log.verify import VerificationReport
from guidepost.render.console import count, grid, ruled_table

SHORT = 12


def record_rows(found: Sequence[tuple[Entry, Record]]) -> RenderableType:
    """Return a table with a row for each record, without its empty columns."""
    headings = ("record", "received", "ticket", "caller", "version", "decided")
    rows = [
        (
            record.id,
            record.received[:19] + "Z",
            visible(record.ticket),
            visible(record.caller),
            record.version.version,
            visible(_summary(record)),
        )
        for _, record in found
    ]
    kept = [index for index in range(len(headings)) if any(row[index] for row in rows)]
    return ruled_table([headings[index] for index in kept], [[row[index] for index in kept] for row in rows])


def record_page(entry: Entry, record: Record) -> Iterator[RenderableType]:
    """Yield one record in full."""
    yield from facts_page(entry, record)
    for decided in record.decisions:
        yield ""
        yield Text.assemble((decided.decision, "bold"), f": {_status(decided.status)}")
        yield grid([(f"  {one.name}", _value(one.value, one.status)) for one in decided.outcomes])
        if decided.rules:
            yield Text("  rules        " + ", ".join(decided.rules), "dim")
        if decided.assumptions:
            yield Text("  assumptions  " + ", ".join(decided.assumptions), "dim")
    if record.change is not None:
        yield from _changed(record.change)


def facts_page(entry: Entry, record: Record) -> Iterator[RenderableType]:
    """Yield the call of a record: time, caller, version and facts."""
    yield Text.assemble("record ", (record.id, "bold"))
    rows = [
        ("received", record.received),
        ("caller", record.caller),
        ("request id", record.request_id),
        ("ticket", record.ticket),
        ("version", f"{record.version.name} {record.version.version}  digest {record.version.digest}"),
        ("decided at", record.now),
        *(("on hold", f"{start} to {end or 'now'}") for start, end in record.pauses),
        ("entry", f"{entry.sequence} of {entry.writer}  hash {entry.hash}"),
    ]
    yield grid([(f"  {name}", visible(value)) for name, value in rows if value], "cyan")
    yield ""
    yield Text("facts", "bold")
    yield grid(
        [(f"  {name}", fact_text(value)) for name, value in sorted(record.facts.items())] or [("  none", "")], "cyan"
    )


def log_verification_parts(report: VerificationReport) -> Iterator[RenderableType]:
    """Yield the results of a verification: breaks, doubts, the last entry of each chain, and purges."""
    found = report.found
    for one in found.breaks:
        yield Text(str(one), "red", no_wrap=True)
    for doubt in report.doubts:
        yield Text(doubt, "red", no_wrap=True)
    wrong = [
        count(number, noun) for number, noun in ((len(found.breaks), "break"), (len(report.doubts), "doubt")) if number
    ]
    counts = f"{count(found.entries, 'entry', 'entries')} in {count(len(found.heads), 'chain')}"
    whole = ("whole", "bold green") if found.heads else ("nothing to verify", "bold yellow")
    yield Text.assemble((f"{counts}: ", "bold"), (", ".join(wrong), "bold red") if wrong else whole)
    if not found.breaks:
        yield _covered(report)
    yield grid(
        [(f"  {head.writer}", f"up to {head.sequence}", f"hash {head.hash}") for head in found.heads],
        "cyan",
        "",
        "dim",
    )
    for note in report.notes:
        purge = note.purge
        vouched = f"signed by {note.key}" if note.key else "not signed"
        yield Text(
            f"  {purge.writer}: purged up to {purge.sequence} on {purge.purged} by {purge.by}: records received before "
            f"{purge.before}; {vouched}",
            "dim",
        )
    if found.unheld:
        yield Text(
            f"  {count(len(found.unheld), 'head')} could not be checked: the records that "
            f"{'it covers' if len(found.unheld) == 1 else 'they cover'} were purged",
            "dim",
        )
    for signed in last_vouched(report):
        yield Text(f"  {signed}", "dim")


def _covered(report: VerificationReport) -> Text:
    """Return how many entries a trusted head covers."""
    if report.coverage is None:
        return Text(
            "  without a key, a log that was rewritten as a whole is not detected; add --key FILE or --heads FILE",
            "yellow",
        )
    total = sum(one.entries for one in report.coverage)
    by = (
        "a head that a trusted key signed"
        if report.vouched
        else "a head that was exported earlier"
        if report.covered
        else "any trusted head"
    )
    return Text(
        f"  {report.covered:,} of {count(total, 'entry', 'entries')} covered by {by}",
        "green" if report.covered == total and total else "yellow",
    )


def last_vouched(report: VerificationReport) -> list[str]:
    """Return a line on the last head of each chain that a trusted key signed."""
    last = {one.head.writer: one for one in sorted(report.vouched, key=lambda one: one.head.sequence)}
    return [
        f"{writer}: signed at {one.head.sequence} on {one.signed} by {one.key}" for writer, one in sorted(last.items())
    ]


def plain_coverage(report: VerificationReport) -> list[dict[str, Any]] | None:
    """Return the coverage of each chain as data; None if no key or head is trusted."""
    if report.coverage is None:
        return None
    return [
        {
            "writer": one.writer,
            "entries": one.entries,
            "covered": one.covered,
            "head": one.head.head.sequence if one.head else None,
            "signed": one.head.signed if one.head else None,
        }
        for one in report.coverage
    ]


def fact_text(value: Any) -> str:
    r"""Return a recorded fact as text.

    >>> fact_text({"masked": "given", "token": "ab"}), fact_text({"masked": "blank"}), fact_text(True), fact_text("NZ")
    ('masked, token ab', 'blank', 'yes', 'NZ')

    The text stays on one line, so that it cannot look like another fact.

    >>> fact_text("NZ\npriority  P1")
    'NZ\\npriority  P1'
    """
    if isinstance(value, dict) and MASKED in value:
        token = f", token {value[TOKEN]}" if TOKEN in value else ""
        return f"{MASKED if value[MASKED] == GIVEN else value[MASKED]}{token}"
    return visible(_value(value, ""))


def _changed(change: RecordedChange) -> Iterator[RenderableType]:
    """Yield the earlier facts, and how the deadlines moved."""
    yield ""
    yield Text("facts before", "bold")
    yield grid(
        [
            (f"  {name}", "not known" if value is None else fact_text(value))
            for name, value in sorted(change.facts.items())
        ]
        or [("  the same", "")],
        "cyan",
    )
    yield ""
    yield Text.assemble(("reschedule", "bold"), ": before, and after")
    yield grid(
        [(f"  {one.name}", one.before or "not due", one.after or "not due") for one in change.deadlines]
        or [("  nothing was or is due", "", "")]
    )
    if change.because:
        yield Text("  because", "dim")
        yield grid(
            [
                (
                    f"    {one.after.name}",
                    _value(one.before.value, one.before.status),
                    _value(one.after.value, one.after.status),
                )
                for one in change.because
            ],
            "dim",
            "dim",
            "dim",
        )


def _summary(record: Record) -> str:
    """Return what was decided in a few words."""
    if record.change is not None:
        moved = [one.name for one in record.change.deadlines if one.before != one.after]
        return f"reschedule: {', '.join(moved)} moved" if moved else "reschedule: nothing moved"
    if record.kind is RecordKind.DECIDE:
        decided = record.decisions[0]
        value = decided.outcomes[0].value if decided.outcomes else None
        return f"{decided.decision}: {_value(value, decided.status)}"
    done = sum(decided.status == Status.DECIDED for decided in record.decisions)
    first = record.decisions[0] if record.decisions else None
    first_outcome = (
        f"{first.decision} {_value(first.outcomes[0].value, first.status)}, " if first and first.outcomes else ""
    )
    return f"triage: {first_outcome}{done} of {len(record.decisions)} decided"


def _status(status: str) -> str:
    return status.replace("_", " ")


def _value(value: Any, status: str) -> str:
    if value is None:
        return _status(status)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
