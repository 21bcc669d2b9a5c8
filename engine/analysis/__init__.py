"""Analysis: warnings and notes about a policy, from its cells and its vocabulary.

Modules::

    analyse     a policy and its cells -> its problems of every level
    cells       a table with the cells that tickets reach
    citations   missing citations, assumptions and open questions
    rules       redundant, subsumed and conflicting rules
    tickets     tickets for the rules of deadlines
    times       unused calendars, regions, holiday lists and rosters, and holidays that are not confirmed
    vocabulary  facts, values and thresholds that make no difference
"""

from __future__ import annotations

from engine.analysis.analyse import analyse

__all__ = ["analyse"]
