"""The sentences of a report on a replay, the same in every format."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engine.diff.words import change_text, changes_text, listed_text, share_text, when_texts
from engine.model.quoting import visible
from engine.replay.in_force import IN_FORCE
from engine.replay.nouns import DeadlineReplay, DueShift, OutcomeReplay, TicketRegion
from guidepost.replay.report import NOT_SENT, ReplayReport, only_one_side, outcome_changes

_UNITS: Final = (
    ("week", "weeks", timedelta(weeks=1)),
    ("day", "days", timedelta(days=1)),
    ("h", "h", timedelta(hours=1)),
    ("min", "min", timedelta(minutes=1)),
    ("s", "s", timedelta(seconds=1)),
)


MOST: Final = 80
"""The longest text of a change in a table."""


def tickets_text(number: int, unit: str = "tickets") -> str:
    """Return a number of tickets, or of rows, as text.

    >>> tickets_text(1), tickets_text(1200), tickets_text(1, "rows")
    ('1 ticket', '1,200 tickets', '1 row')
    """
    return f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"


def share_of_text(number: int, all_: int, unit: str = "tickets") -> str:
    """Return how many tickets of how many as text, with the share.

    >>> share_of_text(1, 8), share_of_text(8, 8), share_of_text(3, 5, "rows")
    ('1 of 8 tickets (12.5%)', 'all 8 tickets', '3 of 5 rows (60%)')
    """
    return (
        f"all {tickets_text(all_, unit)}"
        if number == all_ > 1
        else share_text(number, all_, tickets_text(all_, unit).split()[1])
    )


def headline(shown: ReplayReport) -> str:
    """Return the result of a replay in one or two sentences: how much was compared, and how much of it differs."""
    one, unit = shown.replay, shown.unit
    left = one.tickets - one.compared
    nothing = f"Nothing was recorded for {left:,} of {tickets_text(one.tickets, unit)}"
    if not one.compared:
        if one.recorded:
            return f"{nothing}; nothing is compared."
        version = "the version in force at the time" if shown.after == IN_FORCE else shown.after
        return f"{tickets_text(one.tickets, unit)} decided by {version}. There is nothing to compare with."
    rest = f" {nothing}; {'it is' if left == 1 else 'they are'} not counted elsewhere." if left else ""
    every = tickets_text(one.compared, unit) if one.compared == 1 else f"all {tickets_text(one.compared, unit)}"
    if not one.changed:
        said = (
            f"{'the ' if one.compared == 1 else ''}{every} that {'was' if one.compared == 1 else 'were'} compared"
            if left
            else every
        )
        if shown.alike:
            names = listed_text([outcome.name for outcome in shown.alike])
            compared = f"Nothing differs in the {tickets_text(one.compared, unit)} compared"
            return f"{compared}, except what changes for every {unit.removesuffix('s')}: {names}.{rest}"
        return f"Nothing changes: {said} {_is(one.compared)} decided as before.{rest}"
    said = share_of_text(one.changed, one.compared, unit)
    if left:
        noun, _, share = said.partition(" (")
        said = f"{noun} that {'was' if one.compared == 1 else 'were'} compared" + (f" ({share}" if share else "")
    return f"{_capital(said)} {'differs' if one.changed == 1 else 'differ'}.{rest}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def alike_texts(shown: ReplayReport) -> list[str]:
    """Return the sentences on what changes for every ticket in the same way."""
    unit = shown.unit.removesuffix("s")
    found = [
        f"{one.name} changes for every {unit}: {shorten(change_text(next(iter(outcome_changes(one)))))}"
        for one in shown.alike
        if not one.one_sided
    ]
    for side, asked in (("only now", shown.after), ("only before", shown.before)):
        if names := [one.name for one in shown.alike if only_one_side(one) == side]:
            decides = (
                "the version in force at the time decides"
                if asked == IN_FORCE
                else f"{asked} decides"
                if asked
                else "what is recorded has"
            )
            found.append(f"Only {decides}: {listed_text(names)}")
    return found


def notes(shown: ReplayReport) -> list[str]:
    """Return the notes on rows and tickets, versions, tolerances, and words that may mark an empty cell."""
    one = shown.replay
    found = []
    if repeats := one.repeats:
        example = (
            f"{repeats.examples[0][0]} is in {repeats.examples[0][1]:,}"
            if repeats.examples and repeats.examples[0][0]
            else ""
        )
        about = "" if repeats.exact else "about "
        found.append(
            f"{tickets_text(one.tickets, 'rows')}, {about}{tickets_text(repeats.tickets)}{f' ({example})' if example else ''}: all numbers count rows; "
            "`repeated: last` in a mapping keeps the last row of each ticket",
        )
    if one.decided:
        found.append(
            "decided by the version in force: "
            + ", ".join(f"{version} {tickets_text(number, shown.unit)}" for version, number in one.decided.items())
        )
    parts: tuple[OutcomeReplay | DeadlineReplay, ...] = (*one.outcomes, *one.deadlines)
    for part in parts:
        if part.name in shown.tolerances:
            counts = "counts" if part.near == 1 else "count"
            found.append(
                f"{part.name}: {tickets_text(part.near, shown.unit)} within {shown.tolerances[part.name]} "
                f"of what was recorded {counts} as the same"
            )
    found += [
        f"`{word}` is read as the value of {fact} in {tickets_text(number, 'rows')}; "
        "if it marks an empty cell, list it under `empty` in the mapping"
        for (fact, word), number in shown.doubts.items()
    ]
    return found


def sides(shown: ReplayReport) -> tuple[str, str]:
    """Return the descriptions of before and after."""
    one = shown.replay
    ref = one.after
    after = f"{ref.name} {ref.version} ({ref.digest[:12]})" + (f", {shown.after}" if shown.after != ref.version else "")
    if one.decided and shown.after == IN_FORCE:
        after = "by the version in force at the time"
    if shown.before:
        return (
            "decided by the version in force at the time" if shown.before == IN_FORCE else f"decided by {shown.before}",
            after,
        )
    if not one.recorded:
        return "nothing recorded", after
    known = [
        f"{f'by {digest[:12]}' if digest else 'by an unknown version'}: {tickets_text(number)}"
        for digest, number in one.before.items()
    ]
    return "as recorded" + (f" ({', '.join(known)})" if any(one.before) else ""), after


def compare_help() -> str:
    """Return the help for a replay that compares nothing."""
    return (
        "--from VERSION compares with what another version decides; "
        "`recorded:` in a mapping file names the columns with the desk's decisions"
    )


def unread_text(shown: ReplayReport) -> str:
    """Return how many rows could not be read and the file that has them, or "" if all were read."""
    one = shown.replay
    number = sum(one.unread.values())
    if not number:
        return ""
    said = f"{number:,} of {one.rows:,} rows could not be read and are not counted elsewhere"
    return said + (f"; they are in {shown.rejected_file}" if shown.rejected_file else "")


def outcome_text(one: OutcomeReplay, unit: str = "tickets") -> str:
    """Return for how many tickets an outcome changes."""
    return share_of_text(one.changed, one.tickets, unit)


def mostly_text(one: OutcomeReplay) -> str:
    """Return the most frequent change of an outcome, and how many more there are."""
    found = list(outcome_changes(one))
    if not found:
        return ""
    return shorten(change_text(found[0])) + (f", and {len(found) - 1:,} more" if len(found) > 1 else "")


def shorten(text: str) -> str:
    """Cut a long text in its middle, for tables.

    >>> shorten("a" * 50 + " -> " + "b" * 50)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa … bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
    """
    half = MOST // 2 - 1
    return text if len(text) <= MOST else f"{text[:half]} … {text[-half:]}"


def where_text(region: TicketRegion) -> str:
    """Return the condition of a region."""
    said = ", ".join(when_texts(region.when)) if region.when else "every ticket"
    return f"{said}, decided by {region.version}" if region.version else said


def region_count(region: TicketRegion, unit: str = "tickets") -> str:
    """Return how many of the tickets of a region change."""
    return share_of_text(region.changed, region.tickets, unit)


def region_changes(region: TicketRegion) -> str:
    """Return the changes in a region."""
    return changes_text(region.changes)


def elsewhere_text(one: OutcomeReplay) -> str:
    """Return how many tickets change outside every region, or "" if none do."""
    return f"elsewhere: {tickets_text(one.elsewhere)}, in too many situations to list" if one.elsewhere else ""


def value_label(value: str) -> str:
    """Return the value of a fact by which tickets are grouped."""
    return visible(value) or NOT_SENT


def moves_text(one: DeadlineReplay, unit: str = "tickets") -> str:
    """Return for how many tickets a deadline changes, and how."""
    parts = [
        f"{number:,} {word}"
        for number, word in (
            (one.later, "later"),
            (one.earlier, "earlier"),
            (one.appear, "due only after"),
            (one.vanish, "due only before"),
        )
        if number
    ]
    return (
        f"{share_of_text(one.changed, one.tickets, unit)} {'change' if one.changed != 1 else 'changes'}: {', '.join(parts)}"
        if parts
        else share_of_text(0, one.tickets, unit)
    )


def extent_text(one: DeadlineReplay) -> str:
    """Return by how much due times move, or "" if none does."""
    if one.mean is None:
        return ""
    most = [moved_text(by) for by in (one.most_later, one.most_earlier) if by]
    return f"{moved_text(one.mean)} on average" + (f", at most {' and '.join(most)}" if most else "")


def moved_text(by: timedelta) -> str:
    """Return a difference in time as text.

    >>> moved_text(timedelta(hours=-5)), moved_text(timedelta(days=9, minutes=1)), moved_text(timedelta())
    ('5 h earlier', '1 week 2 days later', '0 s')
    """
    return duration_text(abs(by)) + ("" if not by else " earlier" if by < timedelta() else " later")


def duration_text(length: timedelta) -> str:
    """Return a duration in its two largest units.

    >>> (
    ...     duration_text(timedelta(minutes=90)),
    ...     duration_text(timedelta(days=7)),
    ...     duration_text(timedelta(days=1, seconds=2)),
    ... )
    ('1 h 30 min', '1 week', '1 day')
    """
    parts: list[str] = []
    for at, (unit, units, size) in enumerate(_UNITS):
        number, length = divmod(length, size)
        if number:
            parts.append(f"{number} {unit if number == 1 else units}")
        if parts and (len(parts) == 2 or at + 1 == len(_UNITS) or length < _UNITS[at + 1][2]):
            break
    return " ".join(parts) or "0 s"


def shift_text(one: DueShift) -> str:
    """Return by how much the due times of a bucket move.

    >>> hour = timedelta(hours=1)
    >>> (
    ...     shift_text(DueShift(timedelta(), hour, 1)),
    ...     shift_text(DueShift(-4 * hour, -hour, 1)),
    ...     shift_text(DueShift(4 * hour, None, 1)),
    ...     shift_text(DueShift(None, -hour, 1)),
    ... )
    ('less than 1 h later', '1 h to 4 h earlier', '4 h or more later', 'more than 1 h earlier')
    """
    least, most = one.least, one.most
    if most is None:
        return f"{duration_text(least or timedelta())} or more later"
    if least is None:
        return f"more than {duration_text(abs(most))} earlier"
    if not least:
        return f"less than {duration_text(most)} later"
    if not most:
        return f"up to {duration_text(abs(least))} earlier"
    near, far = sorted((abs(least), abs(most)))
    return f"{duration_text(near)} to {duration_text(far)} {'later' if least > timedelta() else 'earlier'}"


def same_text(shown: ReplayReport) -> str:
    """Return the names of what is the same for every ticket."""
    return listed_text(shown.same) if shown.same else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
