"""Analysis: everything that the cells and the words of a policy show, beside what is plainly wrong with it.

Modules::

    analyse     A policy and its cells in, findings out
    cells       A table as analyses look at it
    citations   what a policy rests on: citations that are missing, and every assumption and open question
    rules       rules that say too much or the same twice, and rules of which only the order decides
    tickets     tickets for the rules of deadlines
    times       calendars, regions, holiday lists and rosters that nothing uses, and holidays whose dates nobody has
                confirmed
    vocabulary  words of the vocabulary that make no difference
"""

from __future__ import annotations

from engine.analysis.analyse import analyse

__all__ = ["analyse"]
