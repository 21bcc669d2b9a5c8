"""``guidepost holidays``: show the holiday lists of the policies, and draft them again for review."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from engine.clock.calendar import FIRST_YEAR, LAST_YEAR, HolidayList, HolidayStatus
from engine.load import HOLIDAYS, policy_files
from engine.model.problems import PolicyErrors, Problem
from guidepost.cli.command_group import command_group
from guidepost.cli.options.policies_folder import PoliciesOption, find_folder, policy_error
from guidepost.install_command import install_command
from guidepost.policies.holiday_drafts import (
    PACKAGE,
    DateChange,
    DateChangeKind,
    DraftComparison,
    Drafter,
    HolidayFile,
    NoSuchCalendar,
    PackageMissing,
    compare_list,
    installed_package,
    read_list,
    revise_list,
)
from guidepost.policies.sources.folder import read_folder, version_folders
from guidepost.render.console import ExitCode, command_error, count, results, ruled_table, suggestion

holidays: Final = command_group("Show the holiday lists, or draft them again.")

RegionsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[REGION]...", help="Names of lists, such as AU-NSW. Default: all lists.")
]

_STYLES: Final = {
    DateChangeKind.ADDED: "green",
    DateChangeKind.REMOVED: "red",
    DateChangeKind.MOVED: "yellow",
    DateChangeKind.RENAMED: "yellow",
    DateChangeKind.KEPT: "dim",
}


@holidays.command("refresh")
def refresh(
    regions: RegionsArgument = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 3 if a list would change.")] = False,
    first: Annotated[
        int | None,
        typer.Option(
            "--from",
            metavar="YEAR",
            min=FIRST_YEAR,
            max=LAST_YEAR,
            help="The first year to draft. Default: the years that a list covers.",
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--to",
            metavar="YEAR",
            min=FIRST_YEAR,
            max=LAST_YEAR,
            help="The last year to draft; a later year extends the list.",
        ),
    ] = None,
    policies: PoliciesOption = None,
) -> None:
    """Draft the lists again with the `holidays` package.

    Shows the changes and writes them as estimated. Entries that a person confirmed, added or removed stay; where the
    package disagrees, the difference is shown.
    """
    if first is not None and last is not None and first > last:
        raise command_error(f"expected --from no later than --to, got {first} and {last}")
    folder, files = _lists(policies, regions)
    drafted = _drafted(files, first, last)
    screen = results()
    stale: list[Path] = []
    for name, (file, drafter, made) in drafted.items():
        path = folder / name
        if drafter is None or made is None:
            screen.show(f"{file.list.name}: maintained manually, not drafted")
            continue
        text = revise_list(file, drafter, made)
        screen.show(*_differences(file, made))
        if text == file.text:
            continue
        stale.append(path)
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    if check and stale:
        raise command_error(
            f"{count(len(stale), 'list')} out of date with {PACKAGE}; `guidepost holidays refresh` writes them",
            *map(str, stale),
            code=ExitCode.POLICY,
        )
    screen.show(*[f"wrote {path}" for path in stale], f"{count(len(drafted), 'list')} up to date")


@holidays.command("show")
def show(
    regions: RegionsArgument = None,
    year: Annotated[int | None, typer.Option("--year", metavar="YEAR", help="Only this year.")] = None,
    policies: PoliciesOption = None,
) -> None:
    """Show all lists, or the holidays of some lists."""
    _, files = _lists(policies, regions)
    screen = results()
    if not regions and year is None:
        screen.show(
            ruled_table(
                ("list", "covers", "holidays", "estimated", "about"), [_overview(file) for file in files.values()]
            )
        )
        return
    for file in files.values():
        rows = [
            (
                str(day),
                f"{day:%a}",
                entry.name,
                Text(entry.status, "yellow" if entry.status is HolidayStatus.ESTIMATED else ""),
                entry.source,
            )
            for day, entry in file.list.days.items()
            if year is None or day.year == year
        ]
        if year is not None and not file.list.first.year <= year <= file.list.last.year:
            screen.show(f"{file.list.name} covers {file.list.first} to {file.list.last}, not {year}")
        else:
            screen.show(ruled_table((file.list.name, "", "holiday", "status", "source"), rows))


def _lists(policies: Path | None, regions: list[str] | None) -> tuple[Path, dict[str, HolidayFile]]:
    """Return the policies folder and its lists by path, or those of some regions."""
    folder = find_folder(policies)
    version = version_folders(folder)[0]
    try:
        written = {path: text for path, text in policy_files(read_folder(version)).items() if path.startswith(HOLIDAYS)}
    except PolicyErrors as error:
        raise policy_error(folder, error.problems) from error
    paths = {Path(path).stem: path for path in written}
    for region in regions or ():
        if region not in paths:
            raise command_error(f"no list `{region}` in {folder / HOLIDAYS}{suggestion(region, paths)}")
    files: dict[str, HolidayFile] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(regions or paths):
        file, found = read_list(f"{version.root}/{paths[name]}", name, written[paths[name]])
        problems.extend(found)
        if file is not None:
            files[paths[name]] = file
    if problems:
        raise policy_error(folder, tuple(sorted(problems)))
    return folder, files


def _drafted(
    files: dict[str, HolidayFile], first: int | None, last: int | None
) -> dict[str, tuple[HolidayFile, Drafter | None, DraftComparison | None]]:
    """Draft every list, so that nothing is written if one fails."""
    try:
        drafter = installed_package()
    except PackageMissing as error:
        raise command_error(
            f"the `{PACKAGE}` package drafts the lists, and is not installed: `{install_command(PACKAGE)}`"
        ) from error
    drafted: dict[str, tuple[HolidayFile, Drafter | None, DraftComparison | None]] = {}
    for name, file in files.items():
        if not file.code:
            drafted[name] = (file, None, None)
            continue
        if file.package != PACKAGE:
            raise command_error(f"expected a draft by `{PACKAGE}` in {file.list.name}, got `{file.package}`")
        try:
            drafted[name] = (file, drafter, compare_list(file, drafter, first, last))
        except NoSuchCalendar as error:
            raise command_error(
                f"{file.list.name}: {PACKAGE} {drafter.version} has no calendar `{file.code}`"
            ) from error
    return drafted


def _differences(file: HolidayFile, made: DraftComparison) -> Iterable[RenderableType]:
    """Yield the changes of a new draft, and the differences that are kept."""
    changed = sum(change.kind is not DateChangeKind.KEPT for change in made.changes)
    wider = (
        ""
        if (made.first, made.last) == (file.list.first, file.list.last)
        else f", before {file.list.first} to {file.list.last}"
    )
    yield f"{file.list.name}: {made.first} to {made.last}{wider}: {count(changed, 'change') if changed else 'no change'}"
    if made.changes:
        yield ruled_table(("date", "", "holiday", "change"), [_row(change) for change in made.changes])
        yield ""


def _row(change: DateChange) -> tuple[RenderableType, ...]:
    change_text = {
        DateChangeKind.ADDED: "added, estimated",
        DateChangeKind.REMOVED: "removed",
        DateChangeKind.MOVED: f"moved from {change.was}, estimated",
        DateChangeKind.RENAMED: f"renamed from {change.was}",
        DateChangeKind.KEPT: change.why,
    }[change.kind]
    return str(change.day), f"{change.day:%a}", change.name, Text(change_text, _STYLES[change.kind])


def _overview(file: HolidayFile) -> tuple[RenderableType, ...]:
    known: HolidayList = file.list
    estimated = sum(entry.status is HolidayStatus.ESTIMATED for entry in known.days.values())
    return known.name, f"{known.first} to {known.last}", f"{len(known.days)}", f"{estimated}", file.about
