"""Replay: decides past tickets again, and compares the decisions with earlier ones.

The tallies of the chunks of a source always add up to the same, so chunks can be replayed anywhere.

Modules::

    budget            limits on how many tickets may change, and forbidden changes
    constant_texts    outcomes that are the same text for every ticket, such as a mailbox
    count             columns of two sides -> counts of one outcome or deadline of a chunk
    distinct_tickets  distinct tickets, counted in bounded memory
    due_shifts        the bins in which moves of due times are counted
    groups            tickets and changes by the value of one fact
    in_force          tickets, each by the version in force at its instant
    join              replays by version -> one replay of all tickets
    nouns             the nouns of a replay
    pairs             pairs of states before and after, by number
    regions           the tickets that change, grouped by conditions on few facts
    replay            a version and chunks of past tickets -> tallies
    rows              some rows of a chunk as a chunk
    side              one version's side of a replay
    space             the situations of an outcome, numbered
    spaces            the situations of every outcome of one or two versions
    summary           a tally -> a replay
    tally             the counts of replayed tickets
    tolerance         recorded values that are close enough to count as the same
"""

from engine.replay.in_force import InForceReplayer
from engine.replay.replay import Replayer
from engine.replay.tally import Tally

__all__ = ["InForceReplayer", "Replayer", "Tally"]
