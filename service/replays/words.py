"""A replay in words: the same ones on every surface."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engine.diff.words import change_text, changes_text, listed_text, share_text, when_texts
from engine.replay.nouns import Moves, Replayed, Shift, Tickets
from engine.shown import visible
from service.replays.report import NOT_SENT, Report, changes, only_one_side

_UNITS: Final = (("week", "weeks", timedelta(weeks=1)), ("day", "days", timedelta(days=1)), ("h", "h", timedelta(hours=1)), ("min", "min", timedelta(minutes=1)), ("s", "s", timedelta(seconds=1)))


MOST: Final = 80
"""How long a change may be in a table."""


def tickets_text(number: int) -> str:
    """Write a number of tickets.

    >>> tickets_text(1), tickets_text(1200)
    ('1 ticket', '1,200 tickets')
    """
    return f"{number:,} {'ticket' if number == 1 else 'tickets'}"


def of_text(number: int, all_: int) -> str:
    """Write how many tickets of how many, with the share.

    >>> of_text(1, 8), of_text(8, 8)
    ('1 of 8 tickets (12.5%)', 'all 8 tickets')
    """
    return f"all {tickets_text(all_)}" if number == all_ > 1 else share_text(number, all_).replace(" (", f" {tickets_text(all_).split()[1]} (")


def headline(shown: Report) -> str:
    """Say in one sentence what a replay comes to."""
    one = shown.replay
    if not shown.compared:
        return f"{tickets_text(one.tickets)} decided by {shown.after}. There is nothing to compare this with."
    if one.equal:
        return f"Nothing changes: {'the ticket comes' if one.tickets == 1 else f'all {one.tickets:,} tickets come'} out as before."
    return f"{_capital(of_text(one.changed, one.tickets))} {'comes' if one.changed == 1 else 'come'} out otherwise."


def sides(shown: Report) -> tuple[str, str]:
    """Say what before and after are."""
    one = shown.replay
    ref = one.after
    after = f"{ref.name} {ref.version} ({ref.digest[:12]})" + (f", {shown.after}" if shown.after != ref.version else "")
    if shown.before:
        return f"decided by {shown.before}", after
    if not one.recorded:
        return "nothing recorded", after
    known = [f"{f'by {digest[:12]}' if digest else 'by a version that is not known'}: {tickets_text(number)}" for digest, number in one.before.items()]
    return "as recorded" + (f" ({', '.join(known)})" if any(one.before) else ""), after


def compare_help() -> str:
    """Say how to compare, where there is nothing to compare with."""
    return "--from VERSION compares with what another version decides; `recorded:` in a mapping file names the columns that say how the desk decided"


def unread_text(shown: Report) -> str:
    """Say how many rows could not be read, and where they are; nothing if all were."""
    one = shown.replay
    number = sum(one.unread.values())
    if not number:
        return ""
    said = f"{number:,} of {one.rows:,} rows could not be read, and are in no other number"
    return said + (f"; they are in {shown.kept}" if shown.kept else "")


def outcome_text(one: Replayed) -> str:
    """Sum an outcome up: for how many tickets it changes."""
    return of_text(one.changed, one.tickets)


def mostly_text(one: Replayed) -> str:
    """Give the most frequent change of an outcome, and say how many there are besides."""
    found = list(changes(one))
    if said := only_one_side(one):
        return f"{said} is there such an outcome"
    if not found:
        return ""
    return short(change_text(found[0])) + (f", and {len(found) - 1:,} more" if len(found) > 1 else "")


def short(text: str) -> str:
    """Cut a long text in its middle, for tables.

    >>> short("a" * 50 + " -> " + "b" * 50)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa … bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
    """
    half = MOST // 2 - 1
    return text if len(text) <= MOST else f"{text[:half]} … {text[-half:]}"


def where_text(region: Tickets) -> str:
    """Say which tickets these are."""
    return ", ".join(when_texts(region.when)) if region.when else "every ticket"


def region_count(region: Tickets) -> str:
    """Say how many of the tickets of a region change."""
    return of_text(region.changed, region.tickets)


def region_changes(region: Tickets) -> str:
    """Say what happens in a region."""
    return changes_text(region.changes)


def elsewhere_text(one: Replayed) -> str:
    """Say how many tickets change that no region holds; nothing if there are none."""
    return f"elsewhere: {tickets_text(one.elsewhere)}, in too many different situations to tell" if one.elsewhere else ""


def value_label(value: str) -> str:
    """Write the value of a fact by which tickets are grouped."""
    return visible(value) or NOT_SENT


def moves_text(one: Moves) -> str:
    """Sum a deadline up: the share that moves, and how."""
    parts = [f"{number:,} {word}" for number, word in
             ((one.later, "later"), (one.earlier, "earlier"), (one.appear, "due only after"), (one.vanish, "due only before")) if number]
    return f"{of_text(one.changed, one.tickets)} {'change' if one.changed != 1 else 'changes'}: {', '.join(parts)}" if parts else of_text(0, one.tickets)


def extent_text(one: Moves) -> str:
    """Say by how much due times move; nothing if none does."""
    if one.mean is None:
        return ""
    most = [moved_text(by) for by in (one.most_later, one.most_earlier) if by]
    return f"{moved_text(one.mean)} on average" + (f", at most {' and '.join(most)}" if most else "")


def moved_text(by: timedelta) -> str:
    """Write by how much something moves.

    >>> moved_text(timedelta(hours=-5)), moved_text(timedelta(days=9, minutes=1)), moved_text(timedelta())
    ('5 h earlier', '1 week 2 days later', '0 s')
    """
    return duration_text(abs(by)) + ("" if not by else " earlier" if by < timedelta() else " later")


def duration_text(length: timedelta) -> str:
    """Write a length of time, in its two greatest units.

    >>> duration_text(timedelta(minutes=90)), duration_text(timedelta(days=7)), duration_text(timedelta(days=1, seconds=2))
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


def shift_text(one: Shift) -> str:
    """Say by how much the due times of a bucket move.

    >>> hour = timedelta(hours=1)
    >>> shift_text(Shift(timedelta(), hour, 1)), shift_text(Shift(-4 * hour, -hour, 1)), shift_text(Shift(4 * hour, None, 1)), shift_text(Shift(None, -hour, 1))
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


def same_text(shown: Report) -> str:
    """Name what comes out as before for every ticket."""
    return listed_text(shown.same) if shown.same else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
