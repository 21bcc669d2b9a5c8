"""Cross-check: durable-rules and the tables that serve must agree.

Each decision table is served by diagrams. Before it may serve, durable-rules, in a process of its own, evaluates the
same rules as equality tests on class indices, and both must agree: in every cell, or in a sample of a large table.

>>> rules = (CrossCheckRule("known", ((0, frozenset({1, 2})),)),)
>>> table = CrossCheckTable(
...     name="example",
...     axes=(("impact", 3),),
...     rules=rules,
...     policy="unique",
...     served=(ServedRules((0,), ((0, (1, 2, 2)), (LEAF, ()), (LEAF, (0,)))),),
... )
>>> print(cross_check_tables([table]).tables[0])
example: checked whole, 3 of 3 cells (2 asked)

Modules::

    cache    cross-checks that succeeded, kept by a digest of all that they depend on
    compare  durable-rules' matches -> the rules that count in every cell, compared with the table that serves
    network  small networks: a few dozen rules of one table on the cells that these rules tell apart
    plan     tables -> the networks and cells put to durable-rules, as plain data for the child
    report   the result of a cross-check
    run      ``cross_check_tables``: starts the child, waits for it, and compares its answers
    sample   the cells chosen of a table too large to be checked whole
    table    a decision table over classes of values, as it is served
    worker   the child process, the only module that calls durable-rules
"""

from __future__ import annotations

from engine.cross_check.cache import CrossCheckCache, cross_check_key
from engine.cross_check.plan import BUDGET, Extent
from engine.cross_check.report import CrossCheckReport, Disagreement, Failure, TableCrossCheck
from engine.cross_check.run import TIMEOUT_SECONDS, cross_check_tables
from engine.cross_check.table import LEAF, CrossCheckRule, CrossCheckTable, ServedRules

__all__ = [
    "BUDGET",
    "LEAF",
    "TIMEOUT_SECONDS",
    "CrossCheckCache",
    "CrossCheckReport",
    "CrossCheckRule",
    "CrossCheckTable",
    "Disagreement",
    "Extent",
    "Failure",
    "ServedRules",
    "TableCrossCheck",
    "cross_check_key",
    "cross_check_tables",
]
