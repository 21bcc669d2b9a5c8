"""Replays made by hand, with everything that a reader can meet in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from engine.diff import Change, Excess, Kind, State, Values
from engine.model.answer import VersionRef
from engine.replay.nouns import Example, Group, Moves, Replay, Replayed, Shift, Tickets, Unread
from engine.version.version import Version
from guidepost.replay.report import Report
from guidepost.replay.verify_log import Otherwise, Proof, Proved

HOUR: Final = timedelta(hours=1)
NASTY: Final = "</script><script>document.title = 'mine'</script> <img src=x onerror=alert(1)> | `code`"


def state(value: str | bool | float | tuple[str, ...]) -> State:
    return State(Kind.DECIDED, value)


P3, P4, P5, OPEN = state("P3"), state("P4"), state("P5"), State(Kind.UNDECIDED)
LOW: Final = Example(
    7,
    "INC0000007",
    {
        "impact": "low",
        "urgency": "low",
        "channel": "telephone",
        "stage": "triage",
        "received_at": "2016-03-01T02:10:00Z",
    },
    "2016-03-01T09:00:00Z",
)
BARE: Final = Example(9, "", {"impact": "low"})

PRIORITY: Final = Replayed(
    "priority",
    24_900,
    3_435,
    {Change(P5, P4): 3_431, Change(P4, P4): 20_000, Change(P3, P3): 1_465, Change(OPEN, P5): 4},
    (
        Tickets(
            (Values("impact", False, ("low",)), Values("urgency", False, ("low",))),
            3_431,
            3_431,
            {Change(P5, P4): 3_431},
            (LOW,),
        ),
        Tickets((Values("impact", False, ("low",)), Values("urgency", True)), 19, 4, {Change(OPEN, P5): 4}, (BARE,)),
    ),
    {Change(P5, P4): (LOW,)},
    3,
)
CHANNEL: Final = Replayed("channel_covered", 24_900, 0, {Change(state(True), state(True)): 24_900})
DUE: Final = Moves(
    "response_due",
    24_900,
    21_000,
    31,
    250,
    3_431,
    2,
    (Shift(None, -24 * HOUR, 1), Shift(-4 * HOUR, -HOUR, 30), Shift(timedelta(), HOUR, 50), Shift(HOUR, 4 * HOUR, 200)),
    HOUR * 1.5,
    -70 * HOUR,
    HOUR * 3.9,
    (LOW,),
)
GROUPS: Final = {
    "channel": (
        Group("telephone", 24_000, 3_400, {"priority": 3_400, "response_due": 3_390}),
        Group("", 900, 35, {"priority": 35}),
    ),
    "country": (Group("AU", 24_900, 3_435, {"priority": 3_435}),),
}
UNREAD: Final = (
    Unread(3, "INC0000003", "impact", "unknown impact `9 - Huge`"),
    Unread(17, NASTY, "opened_at", NASTY, NASTY),
)


def sample(version: Version) -> Report:
    """Return a replay of what a desk recorded, with changes, moves, unread rows, and a limit that it breaks."""
    replay = Replay(
        version.ref,
        {"": 24_900},
        True,
        24_912,
        24_900,
        3_440,
        {"unknown impact `9 - Huge`": 10, NASTY: 2},
        (PRIORITY, CHANNEL),
        (DUE,),
        GROUPS,
        24_900,
    )
    excess = Excess(
        "at most 2%",
        "`priority` changes in 3,435 of 24,900 tickets (13.8%); the limit is 2%",
        "impact=low, urgency=low",
        "impact=low urgency=low",
    )
    return Report(replay, version, "incidents.csv", "", "draft", UNREAD, "incidents.unread.csv", (excess,))


def quiet(version: Version) -> Report:
    """Return a replay in which nothing changes."""
    kept = replace(PRIORITY, changed=0, matrix={Change(P4, P4): 24_900}, regions=(), examples={}, elsewhere=0)
    still = replace(
        DUE,
        both=24_900,
        earlier=0,
        later=0,
        appear=0,
        vanish=0,
        shifts=(),
        mean=None,
        most_earlier=None,
        most_later=None,
        examples=(),
    )
    return Report(
        Replay(
            version.ref, {"17dfa7c9bbc5": 24_900}, False, 24_900, 24_900, 0, {}, (kept, CHANNEL), (still,), {}, 24_900
        ),
        version,
        "log",
        "1.0.0",
        "2.0.0",
    )


def alone(version: Version) -> Report:
    """Return a replay that has nothing to compare with."""
    made = {Change(one, one): number for one, number in ((P4, 20_000), (P3, 4_000), (OPEN, 900))}
    groups = {"channel": (Group("telephone", 24_000, 0), Group("", 900, 0))}
    return Report(
        Replay(
            version.ref,
            {},
            False,
            24_900,
            24_900,
            0,
            {},
            (replace(PRIORITY, changed=0, matrix=made, regions=(), examples={}, elsewhere=0),),
            (),
            groups,
        ),
        version,
        "tickets.parquet",
        "",
        "2.0.0",
    )


def proved() -> Proof:
    """Return a proof that fails in every way it can."""
    here, gone = VersionRef("desk", "2.0.0", "ab" * 32), "cd" * 32
    return Proof(
        "sqlite:///decisions.db",
        (Proved(here.digest, here, 20, 2), Proved(gone, None, 3, 0)),
        (
            Otherwise(4, "019be902-5d88", here.digest, {"priority": "P4 -> P2", "response_due": "due 1 h earlier"}),
            Otherwise(9, NASTY, here.digest, {"greeting": f"{NASTY} -> hello"}),
        ),
        {NASTY: 1},
        UNREAD[1:],
        "tickets.unread.csv",
    )
