"""Replaying past tickets: what a version makes of them, beside what was made of them before.

Tallies of one source add up to the same however it is cut, so chunks can be replayed anywhere.

Modules::

    budget     what a replay may not do
    count      columns of two sides in, counts out: one outcome, or one deadline, of one chunk
    groups     tickets by the value of one fact: how many there are, and in how many something changes
    in_force   tickets decided by the version that was in force when each of them was decided
    join       replays of the tickets of several versions in, one replay of all of them out
    nouns      the nouns of a replay
    pairs      states before and after as pairs
    regions    where tickets change, in words of few facts
    replay     A version and chunks of past tickets in, tallies out
    rows       some rows of a chunk, as a chunk of their own
    seen       the tickets that rows belong to, counted in bounded memory
    shifts     between which lengths of time the moves of due times are counted
    side       one version's side of a replay
    space      the situations of an outcome, numbered
    spaces     the situations of every outcome of one or two versions
    summary    A tally in, a replay out
    tally      what is counted of replayed tickets
    texts      texts that a version gives to every ticket, whatever its facts: a mailbox, a help text
    tolerance  what is recorded to the minute, and decided to the second
"""

from engine.replay.in_force import InForceReplayer
from engine.replay.replay import Replayer
from engine.replay.tally import Tally

__all__ = ["InForceReplayer", "Replayer", "Tally"]
