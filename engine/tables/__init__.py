"""Tables as decision diagrams: what each outcome is for every combination of facts, whether they are known or not.

Modules::

    atoms          the smallest sets of values that rules distinguish
    chain          a table with all tables behind it, and what they distinguish
    check          problems of tables: gaps, overlaps, rules that never fire, values that no rule returns
    compact        diagrams without the nodes that only drawing them took
    explain        the rules behind an outcome, or what is missing for it
    fact_order     the order in which diagrams ask facts
    lists          a list whose parts are drawn apart -> what matters of it
    local_table    one table by itself: which rules count, what is open, what tickets reach
    node_limit     what a table that takes too many nodes has to remember, and what helps
    partition      values that no rule of any table distinguishes
    reach          the cases that a ticket becomes once facts that it lacks are known
    reached        the combinations of what a table reads that tickets reach
    reading        what tables read, over sent facts, in a store that may grow
    rule_diagram   the rules of a table over what it reads
    rule_paths     the rules behind an outcome, through all tables
    table_diagram  tables over sent facts, as diagrams
    target_rules   the rules of a deadline over what it reads, with the target that follows
    walk           where the atoms of a ticket lead: its outcomes, all at once
"""
