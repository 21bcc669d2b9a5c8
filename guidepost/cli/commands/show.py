"""``guidepost show``: show a policy, or one of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.model.policy import Deadline, Form, Policy, Roster
from guidepost.cli.options.policies_folder import DigestOption, LoadedPolicies, PoliciesOption, VersionOption, load
from guidepost.render.calendar_console import (
    calendar_parts,
    calendar_table,
    deadline_table,
    elapsed_table,
    holiday_list_table,
    holiday_parts,
    region_parts,
    region_table,
)
from guidepost.render.calendar_json import plain_calendar, plain_elapsed, plain_holidays, plain_region, plain_span
from guidepost.render.console import (
    JsonObject,
    TableOrJson,
    command_error,
    count,
    grid,
    results,
    ruled_table,
    show_json,
    suggestion,
)
from guidepost.render.policy_console import Part, PolicyPages, tables_of
from guidepost.render.policy_json import (
    plain_assumption,
    plain_decision,
    plain_fact,
    plain_facts,
    plain_overview,
    plain_part,
    plain_question,
)

SECTIONS = (
    "assumptions",
    "questions",
    "facts",
    "outcomes",
    "scope",
    "deadlines",
    "elapsed",
    "calendars",
    "regions",
    "holidays",
)
"""The sections of every policy, besides its own decisions, tables, deadlines, calendars, facts and outcomes."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a policy, for the terminal and as data."""

    parts: Iterable[RenderableType]
    plain: object


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="The name of a decision, table, deadline, calendar, region, fact or outcome, or: assumptions, questions, "
            "facts, outcomes, scope (every catalogue), deadlines, elapsed, calendars, regions, holidays. Default: an "
            "overview.",
        ),
    ] = "",
    policies: PoliciesOption = None,
    version: VersionOption = "",
    digest: DigestOption = "",
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Show a policy, or one of its parts."""
    loaded = load(policies)
    chosen = loaded.select(version=version, digest=digest)
    page = _part(chosen.policy, what) if what else _overview(loaded, chosen.policy, chosen.ref.digest)
    if output is TableOrJson.JSON:
        show_json(page.plain)
    else:
        results().show(*page.parts)


def _part(policy: Policy, what: str) -> Page:
    pages = PolicyPages(policy)
    match what:
        case "assumptions":
            return Page(pages.assumptions(), [plain_assumption(assumption) for assumption in policy.assumptions])
        case "questions":
            return Page(pages.questions(), [plain_question(question) for question in policy.questions])
        case "facts":
            return Page(pages.facts(policy.facts, "fact"), plain_facts(policy.facts))
        case "outcomes":
            return Page(pages.facts(policy.outcomes, "outcome"), plain_facts(policy.outcomes))
    return _timing(policy, what) or _named(policy, pages, what)


def _timing(policy: Policy, what: str) -> Page | None:
    """Return a section on time, or a calendar, region or holiday list by its name."""
    match what:
        case "deadlines":
            return Page(
                [deadline_table(policy.deadlines.values())],
                [plain_part(one) for one in policy.deadlines.values()],
            )
        case "elapsed":
            return Page(
                [elapsed_table(policy.elapsed.values())],
                [plain_elapsed(one) for one in policy.elapsed.values()],
            )
        case "calendars":
            return Page(
                [calendar_table(policy.calendars.values())],
                [plain_calendar(one) for one in policy.calendars.values()],
            )
        case "regions":
            return Page(
                [region_table(policy.regions.values())],
                [plain_region(one) for one in policy.regions.values()],
            )
        case "holidays":
            return Page(
                [holiday_list_table(policy.holidays.values())],
                [plain_span(one) for one in policy.holidays.values()],
            )
    if calendar := policy.calendars.get(what):
        return Page(calendar_parts(calendar), plain_calendar(calendar))
    listed = policy.holidays.get(what)
    if region := policy.regions.get(what):
        days = policy.holidays.get(region.holidays)
        return Page(
            region_parts(region, policy),
            {**plain_region(region), "holidays": plain_holidays(days) if days else None},
        )
    return Page(holiday_parts(listed), plain_holidays(listed)) if listed else None


def _named(policy: Policy, pages: PolicyPages, what: str) -> Page:
    """Return a decision, table, roster, deadline, fact or outcome by its name, or all catalogues."""
    if decision := policy.decisions.get(what):
        tables = [plain_part(table) for table in tables_of(policy, decision)]
        return Page(pages.decision(decision), {**plain_decision(decision), "tables": tables})
    if part := policy.tables.get(what) or policy.rosters.get(what) or policy.deadlines.get(what):
        return Page(_tables(pages, (part,)), plain_part(part))
    if fact := policy.facts.get(what) or policy.outcomes.get(what):
        elapsed = policy.elapsed.get(what)
        return Page(pages.fact(fact), {**plain_fact(fact), **({"elapsed": plain_elapsed(elapsed)} if elapsed else {})})
    if what == "scope":
        catalogues = tuple(table for table in policy.tables.values() if table.form is Form.ENTRIES)
        return Page(_tables(pages, catalogues), [plain_part(table) for table in catalogues])
    names = (
        *SECTIONS,
        *policy.decisions,
        *policy.tables,
        *policy.rosters,
        *policy.facts,
        *policy.outcomes,
        *policy.calendars,
        *policy.regions,
        *policy.holidays,
    )
    raise command_error(
        f"no part `{what}` in this policy{suggestion(what, names)}", "help: `guidepost show` lists all parts"
    )


def _tables(pages: PolicyPages, parts: Iterable[Part]) -> Iterator[RenderableType]:
    for position, part in enumerate(parts):
        if position:
            yield ""
        yield from pages.part(part)


def _overview(loaded: LoadedPolicies, policy: Policy, digest: str) -> Page:
    versions: list[JsonObject] = [
        {
            "version": version.ref.version,
            "digest": version.ref.digest,
            "effective_from": version.policy.manifest.effective_from.isoformat(),
        }
        for version in loaded.versions
    ]
    return Page(
        _overview_parts(loaded, policy, digest), {**plain_overview(policy), "digest": digest, "versions": versions}
    )


def _overview_parts(loaded: LoadedPolicies, policy: Policy, digest: str) -> Iterator[RenderableType]:
    manifest = policy.manifest
    yield Text.assemble((f"{manifest.name} {manifest.version}", "bold"), (f"  digest {digest[:12]}", "dim"))
    yield grid([*_manifest_rows(policy)], "cyan")
    yield ""
    versions = [
        (
            Text(version.ref.version, "bold" if version.ref.digest == digest else ""),
            f"{version.policy.manifest.effective_from:%Y-%m-%d}",
            Text(version.ref.digest[:12], "dim"),
            loaded.force_text(version),
        )
        for version in loaded.versions
    ]
    yield ruled_table(("version", "in force from", "digest", ""), versions)
    yield ""
    decisions = [
        (Text(decision.name, "bold"), ", ".join(decision.answers), decision.about)
        for decision in policy.decisions.values()
    ]
    yield ruled_table(("decision", "answers", "about"), decisions)
    yield ""
    listed: list[Part] = [*policy.tables.values(), *policy.rosters.values(), *policy.deadlines.values()]
    parts = [
        (Text(part.name, "bold"), *_size(part), part.about, Text(part.place.file.rpartition("/")[2], "dim"))
        for part in sorted(listed, key=lambda part: part.place)
    ]
    yield ruled_table(("table", "form", "size", "about", "in"), parts)
    yield ""
    if policy.calendars:
        yield calendar_table(policy.calendars.values())
        yield ""
    more = f"assumptions ({len(policy.assumptions)}), questions ({len(policy.questions)}), facts ({len(policy.facts)})"
    timing = {
        "deadlines": policy.deadlines,
        "elapsed": policy.elapsed,
        "calendars": policy.calendars,
        "regions": policy.regions,
        "holidays": policy.holidays,
    }
    times = "".join(f", {name} ({len(there)})" for name, there in timing.items() if there)
    yield Text.assemble(
        ("more: ", "cyan"), f"guidepost show NAME, or {more}, outcomes ({len(policy.outcomes)}), scope{times}"
    )


def _size(part: Part) -> tuple[str, str]:
    if isinstance(part, Roster):
        return "roster", count(len(part.entries), "entry", "entries")
    if isinstance(part, Deadline):
        return "deadline", count(len(part.table.rules), "rule")
    size = len(part.rules)
    match part.form:
        case Form.MATRIX:
            return "matrix", count(size, "cell")
        case Form.ENTRIES:
            return "entries", count(size, "entry", "entries")
        case Form.RULES:
            return ("rules", count(size, "rule")) if size else ("constant", "")


def _manifest_rows(policy: Policy) -> Iterator[tuple[str, str]]:
    manifest = policy.manifest
    yield "in force from", f"{manifest.effective_from:%Y-%m-%d %H:%M %Z}"
    yield "source", manifest.source
    if manifest.owner:
        yield "owner", manifest.owner
    yield "a new ticket needs", ", ".join(manifest.triage)
    if manifest.notice is not None:
        yield "notice", manifest.notice.text
