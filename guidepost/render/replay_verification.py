"""The verification of a log in every format: terminal, Markdown, HTML and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from jinja2 import Template
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from guidepost.render.console import count, grid, ruled_table
from guidepost.render.html import page_template
from guidepost.render.markdown import MOST_BYTES, arrows, code, escaped, fit_parts, prose
from guidepost.render.replay_json import FORMAT
from guidepost.replay.verify_log import LogVerification, Mismatch, VersionVerification

LENGTHS: Final = (200, 50, 8)

PROVIDE: Final = "--with VERSION names a version that is not in the policies folder: a folder, a bundle, a git revision"


def headline(one: LogVerification) -> str:
    """Return the result of a verification in one sentence."""
    if one.ok:
        records = "the record is" if one.records == 1 else f"all {one.records:,} records are"
        return f"The log matches the policies: {records} decided as recorded."
    parts = []
    if one.differing:
        parts.append(
            f"{count(one.differing, 'record')} of {one.records:,} {'is' if one.differing == 1 else 'are'} decided differently"
        )
    if one.missing:
        number = sum(version.records for version in one.missing)
        versions = (
            "its version is" if number == 1 else "their version is" if len(one.missing) == 1 else "their versions are"
        )
        parts.append(
            f"{count(number, 'record')} of {one.records:,} could not be decided again, because {versions} missing"
        )
    if one.rejected:
        parts.append(f"{count(sum(one.rejected.values()), 'record')} could not be read")
    return f"{'; '.join(parts) or 'There are no records'}."


def verification_parts(one: LogVerification) -> Iterator[RenderableType]:
    """Yield a verification for the terminal."""
    yield Text(one.source, "bold")
    yield Text(headline(one), "green" if one.ok else "bold red")
    yield from map(Text, one.notes)
    if one.versions:
        yield ""
        yield ruled_table(
            ("version", "digest", "records", ""),
            [
                (
                    _name(version),
                    version.digest[:12],
                    Text(f"{version.records:,}", justify="right"),
                    Text(_result_text(version), "green" if _fine(version) else "red"),
                )
                for version in one.versions
            ],
        )
    if one.missing:
        yield Text(f"help: {PROVIDE}")
    if one.mismatches:
        yield ""
        yield Text("Records that are decided differently", "bold underline red")
        rows = [
            (record.record or f"row {record.row}", record.digest[:12], outcome, change)
            for record in one.mismatches
            for outcome, change in record.outcomes.items()
        ]
        yield Padding(ruled_table(("record", "under", "outcome", "recorded -> decided now"), rows), (0, 0, 0, 2))
        if more := one.differing - len(one.mismatches):
            yield Padding(Text(f"and {count(more, 'record')} more; --all lists them", "dim"), (0, 0, 0, 2))
    if one.rejected:
        yield ""
        yield Text(
            f"Records that could not be read{f': {one.rejected_file}' if one.rejected_file else ''}",
            "bold underline yellow",
        )
        yield Padding(
            grid([(Text(f"{number:,}", justify="right"), what) for what, number in one.rejected.items()]), (0, 0, 0, 2)
        )


def verification_markdown(one: LogVerification, most: int = MOST_BYTES) -> str:
    """Return a verification as Markdown of at most ``most`` bytes."""
    return fit_parts(lambda length: _parts(one, length), LENGTHS, most, "guidepost replay verify")


def _parts(one: LogVerification, length: int) -> Iterator[str]:
    yield "## Verification of the log"
    yield f"{'✅' if one.ok else '❌'} **{escaped(headline(one))}**"
    yield code(one.source)
    if one.notes:
        yield "\n".join(f"- {prose(note)}" for note in one.notes)
    yield "\n".join(
        [
            "| version | digest | records | |",
            "|---|---|---:|---|",
            *(
                f"| {escaped(_name(version))} | {code(version.digest[:12])} | {version.records:,} | {escaped(_result_text(version))} |"
                for version in one.versions
            ),
        ]
    )
    if one.missing:
        yield prose(PROVIDE)
    if one.mismatches:
        rows = [
            f"| {code(record.record or f'row {record.row}', in_table=True)} | {escaped(outcome)} | {escaped(change)} |"
            for record in one.mismatches
            for outcome, change in record.outcomes.items()
        ]
        more = (
            [f"\n{one.differing - len(one.mismatches[:length]):,} more are decided differently."]
            if one.differing > len(one.mismatches[:length])
            else []
        )
        yield "\n".join(["| record | outcome | recorded → decided now |", "|---|---|---|", *rows[:length], *more])
    if one.rejected:
        yield "\n".join(f"- {number:,}× {prose(what)}" for what, number in list(one.rejected.items())[:length])


def plain_verification(one: LogVerification) -> dict[str, Any]:
    """Return a verification as data."""
    return {
        "format": FORMAT,
        "source": one.source,
        "whole": one.ok,
        "headline": headline(one),
        "records": one.records,
        "differing": one.differing,
        "notes": list(one.notes),
        "versions": [
            {
                "digest": version.digest,
                "name": version.version.name if version.version else None,
                "version": version.version.version if version.version else None,
                "found": version.version is not None,
                "records": version.records,
                "differing": version.differing,
            }
            for version in one.versions
        ],
        "mismatches": [_plain(record) for record in one.mismatches],
        "unread": {"rows": sum(one.rejected.values()), "by": dict(one.rejected), "file": one.rejected_file},
    }


def verification_html(one: LogVerification) -> str:
    """Return a verification as an HTML page."""
    return _template().render(verification=one)


@cache
def _template() -> Template:
    words = {
        "headline": headline,
        "name": _name,
        "result_text": _result_text,
        "fine": _fine,
        "provide": PROVIDE,
        "arrows": arrows,
    }
    return page_template("verification.html.j2", words, "replay.css")


def _plain(one: Mismatch) -> dict[str, Any]:
    return {"row": one.row, "record": one.record, "digest": one.digest, "outcomes": dict(one.outcomes)}


def _name(one: VersionVerification) -> str:
    return f"{one.version.name} {one.version.version}" if one.version else "missing"


def _fine(one: VersionVerification) -> bool:
    return one.version is not None and not one.differing


def _result_text(one: VersionVerification) -> str:
    if one.version is None:
        return "not decided again"
    return "all decided as recorded" if not one.differing else f"{count(one.differing, 'record')} decided differently"
