"""Replaying past tickets: what a version makes of them, beside what was made of them before.

The way of a past ticket, one module a step::

    nouns       what goes in (Chunk) and comes out (Replay)
    replay      chunks of tickets       -> tallies       (Replayer: all of the below)
    side        a chunk, one version    -> Made          (states and due times in every row, and how its facts are read)
    spaces      two versions            -> the situations of each outcome
    space       atoms of both           -> the number of the situation that each row falls in
    pairs       states of both          -> which pairs differ
    count       columns of both         -> tallies of an outcome and of a deadline
    groups      atoms of one fact       -> tallies by its value
    shifts      moves of due times      -> how many there are of each length
    texts       a version               -> the texts that it gives to every ticket
    tolerance   recorded, decided       -> recorded, with what is close enough taken for the same
    seen        numbers of tickets      -> how many there are (in bounded memory)
    tally       tallies                 -> their sum     (in any order; as JSON)
    rows        a chunk                 -> some of its rows
    in_force    chunks, versions        -> tallies, each row by the version in force at its instant
    join        Replays                 -> one of all their tickets
    regions     situations of tickets   -> few boxes that hold all that changes
    summary     a tally                 -> Replay
    budget      a Replay                -> what it does beyond what it may

Tallies of one source add up to the same however it is cut, so chunks can be replayed anywhere.
"""

from engine.replay.in_force import InForceReplayer
from engine.replay.replay import Replayer
from engine.replay.tally import Tally

__all__ = ["InForceReplayer", "Replayer", "Tally"]
