"""Loading: the files of a version in, a policy out, or every problem that they have.

One module a section of the files, each from trees to nouns::

    vocabulary  facts and outcomes
    tables      decision tables, as rules, matrix or entries
    rosters     places that take turns
    calendars   calendars and regions
    holidays    the list of a region
    deadlines   deadlines, and facts that follow from time that has passed
    policy      all files together
    fit         what only shows when all parts are there: names, references, producers, amounts
    order       the order in which tables can be worked out
"""

from __future__ import annotations

from engine.load.policy import (
    HOLIDAYS,
    MANIFEST,
    VOCABULARY,
    list_place,
    load,
    load_with_trees,
    policy_files,
    read_trees,
)

__all__ = ["HOLIDAYS", "MANIFEST", "VOCABULARY", "list_place", "load", "load_with_trees", "policy_files", "read_trees"]
