"""Analysis: everything that the cells and the words of a policy show, beside what is plainly wrong with it.

One module a family of findings, each from a policy and its cells to findings::

    finding     the nouns: Finding, its level, and the closed list of codes
    cells       a table as analyses look at it: what tickets reach, what comes out there, a ticket for each cell
    tickets     tickets for the rules of deadlines, which read outcomes
    rules       rules that are redundant, subsumed or in conflict, and conditions that say nothing
    vocabulary  facts, values and thresholds that make no difference, outcomes that nobody sees
    times       calendars, regions, lists and rosters that nothing uses; estimated holidays
    citations   missing citations, assumptions, open questions
    analyse     all of it, with the problems that the check finds
"""

from __future__ import annotations

from engine.analysis.analyse import analyse, analyse_problems
from engine.analysis.finding import FINDINGS, Finding, Kind, Level, Related

__all__ = ["FINDINGS", "Finding", "Kind", "Level", "Related", "analyse", "analyse_problems"]
