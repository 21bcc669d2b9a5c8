"""Replays with every kind of content that a report can show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from engine.diff import Change, Excess, OutcomeState, StateKind, Values
from engine.model.answer import VersionRef
from engine.replay.nouns import (
    DeadlineReplay,
    DueShift,
    Example,
    Group,
    OutcomeReplay,
    RejectedRow,
    Replay,
    TicketRegion,
)
from engine.version.version import Version
from guidepost.replay.report import ReplayReport
from guidepost.replay.verify_log import LogVerification, Mismatch, VersionVerification

HOUR: Final = timedelta(hours=1)
NASTY: Final = "</script><script>document.title = 'mine'</script> <img src=x onerror=alert(1)> | `code`"


def state(value: str | bool | float | tuple[str, ...]) -> OutcomeState:
    return OutcomeState(StateKind.DECIDED, value)


P3, P4, P5, OPEN = state("P3"), state("P4"), state("P5"), OutcomeState(StateKind.UNDECIDED)
LOW: Final = Example(
    row=7,
    name="INC0000007",
    facts={
        "impact": "low",
        "urgency": "low",
        "channel": "telephone",
        "stage": "triage",
        "received_at": "2016-03-01T02:10:00Z",
    },
    now="2016-03-01T09:00:00Z",
)
BARE: Final = Example(row=9, name="", facts={"impact": "low"})

PRIORITY: Final = OutcomeReplay(
    name="priority",
    tickets=24_900,
    changed=3_435,
    matrix={Change(P5, P4): 3_431, Change(P4, P4): 20_000, Change(P3, P3): 1_465, Change(OPEN, P5): 4},
    regions=(
        TicketRegion(
            when=(
                Values(fact="impact", unknown=False, words=("low",)),
                Values(fact="urgency", unknown=False, words=("low",)),
            ),
            tickets=3_431,
            changed=3_431,
            changes={Change(P5, P4): 3_431},
            examples=(LOW,),
        ),
        TicketRegion(
            when=(Values(fact="impact", unknown=False, words=("low",)), Values(fact="urgency", unknown=True)),
            tickets=19,
            changed=4,
            changes={Change(OPEN, P5): 4},
            examples=(BARE,),
        ),
    ),
    examples={Change(P5, P4): (LOW,)},
    elsewhere=3,
)
CHANNEL: Final = OutcomeReplay(
    name="channel_covered", tickets=24_900, changed=0, matrix={Change(state(True), state(True)): 24_900}
)
DUE: Final = DeadlineReplay(
    name="response_due",
    tickets=24_900,
    both=21_000,
    earlier=31,
    later=250,
    appear=3_431,
    vanish=2,
    shifts=(
        DueShift(None, -24 * HOUR, 1),
        DueShift(-4 * HOUR, -HOUR, 30),
        DueShift(timedelta(), HOUR, 50),
        DueShift(HOUR, 4 * HOUR, 200),
    ),
    mean=HOUR * 1.5,
    most_earlier=-70 * HOUR,
    most_later=HOUR * 3.9,
    examples=(LOW,),
)
GROUPS: Final = {
    "channel": (
        Group(value="telephone", tickets=24_000, changed=3_400, outcomes={"priority": 3_400, "response_due": 3_390}),
        Group(value="", tickets=900, changed=35, outcomes={"priority": 35}),
    ),
    "country": (Group(value="AU", tickets=24_900, changed=3_435, outcomes={"priority": 3_435}),),
}
UNREAD: Final = (
    RejectedRow(row=3, name="INC0000003", field="impact", message="unknown impact `9 - Huge`"),
    RejectedRow(row=17, name=NASTY, field="opened_at", message=NASTY, content=NASTY),
)


def sample(version: Version) -> ReplayReport:
    """Return a replay of what a desk recorded, with changes, moves, unread rows, and a limit that it breaks."""
    replay = Replay(
        after=version.ref,
        before={"": 24_900},
        recorded=True,
        rows=24_912,
        tickets=24_900,
        changed=3_440,
        unread={"unknown impact `9 - Huge`": 10, NASTY: 2},
        outcomes=(PRIORITY, CHANNEL),
        deadlines=(DUE,),
        groups=GROUPS,
        compared=24_900,
    )
    excess = Excess(
        rule="at most 2%",
        message="`priority` changes in 3,435 of 24,900 tickets (13.8%); the limit is 2%",
        region="impact=low, urgency=low",
        example="impact=low urgency=low",
    )
    return ReplayReport(
        replay=replay,
        version=version,
        source="incidents.csv",
        before="",
        after="draft",
        first_rejected=UNREAD,
        rejected_file="incidents.unread.csv",
        excesses=(excess,),
    )


def quiet(version: Version) -> ReplayReport:
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
    return ReplayReport(
        replay=Replay(
            after=version.ref,
            before={"17dfa7c9bbc5": 24_900},
            recorded=False,
            rows=24_900,
            tickets=24_900,
            changed=0,
            unread={},
            outcomes=(kept, CHANNEL),
            deadlines=(still,),
            groups={},
            compared=24_900,
        ),
        version=version,
        source="log",
        before="1.0.0",
        after="2.0.0",
    )


def alone(version: Version) -> ReplayReport:
    """Return a replay that has nothing to compare with."""
    made = {Change(one, one): number for one, number in ((P4, 20_000), (P3, 4_000), (OPEN, 900))}
    groups = {"channel": (Group(value="telephone", tickets=24_000, changed=0), Group(value="", tickets=900, changed=0))}
    return ReplayReport(
        replay=Replay(
            after=version.ref,
            before={},
            recorded=False,
            rows=24_900,
            tickets=24_900,
            changed=0,
            unread={},
            outcomes=(replace(PRIORITY, changed=0, matrix=made, regions=(), examples={}, elsewhere=0),),
            deadlines=(),
            groups=groups,
        ),
        version=version,
        source="tickets.parquet",
        before="",
        after="2.0.0",
    )


def proved() -> LogVerification:
    """Return a proof that fails in every way it can."""
    here, gone = VersionRef("desk", "2.0.0", "ab" * 32), "cd" * 32
    return LogVerification(
        source="sqlite:///decisions.db",
        versions=(
            VersionVerification(digest=here.digest, version=here, records=20, differing=2),
            VersionVerification(digest=gone, version=None, records=3, differing=0),
        ),
        mismatches=(
            Mismatch(
                row=4,
                record="019be902-5d88",
                digest=here.digest,
                outcomes={"priority": "P4 -> P2", "response_due": "due 1 h earlier"},
            ),
            Mismatch(row=9, record=NASTY, digest=here.digest, outcomes={"greeting": f"{NASTY} -> hello"}),
        ),
        rejected={NASTY: 1},
        first_rejected=UNREAD[1:],
        rejected_file="tickets.unread.csv",
    )
