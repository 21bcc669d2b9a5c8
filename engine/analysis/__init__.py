"""Analysis: warnings and notes about a policy, from its diagrams and its vocabulary.

Modules::

    analyse     a policy and its diagrams -> its problems of every level
    citations   missing citations, assumptions and open questions
    likeness    whether rules mean the same as others
    rules       redundant, subsumed and conflicting rules
    times       unused calendars, regions, holiday lists and rosters, and holidays that are not confirmed
    vocabulary  facts, values and thresholds that make no difference
"""

from __future__ import annotations

from engine.analysis.analyse import analyse

__all__ = ["analyse"]
