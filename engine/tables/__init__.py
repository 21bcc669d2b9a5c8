"""Rules as complete tables: every combination of facts with its outcome, whether the facts are known or not.

Modules::

    cells          how many cells there may be, which are reached, where rules hold
    chain          a table with all tables behind it, and what they distinguish
    check          problems of tables: gaps, overlaps, rules that never fire, values that no rule returns
    classes        values that no rule distinguishes, merged into classes
    fact_order     the order in which diagrams ask facts
    lists          a list whose parts are drawn apart -> what matters of it
    local_table    one table by itself: which rules count, what is open, what tickets reach
    node_limit     what a table that takes too many nodes has to remember, and what helps
    partition      values that no rule of any table distinguishes
    reached        the combinations of what a table reads that tickets reach
    reading        what tables read, over sent facts, in a store that may grow
    rule_diagram   the rules of a table over what it reads
    rule_paths     the rules behind an outcome, through all tables
    table_diagram  tables over sent facts, as diagrams
    explain        the rules behind an outcome, or what is missing for it
    merge_alike    dense arrays without repeated slices
    missing_facts  the outcomes of a table for every combination of known and missing facts
    possible_sets  the exact set of possible outcomes in every cell
    reach          the cases that a ticket becomes once facts that it lacks are known
    walk           where the atoms of a ticket lead: its outcomes, all at once
    tabulate       the rules of a table -> the rules that count in each cell
"""
