"""Rules as complete tables: every combination of facts with its outcome, whether the facts are known or not.

Modules::

    check          problems of tables: gaps, overlaps, rules that never fire, values that no rule returns
    classes        values that no rule distinguishes, merged into classes
    explain        the rules behind an outcome, or what is missing for it
    merge_alike    dense arrays without repeated slices
    partial        the outcomes of a table for every combination of known and missing facts
    possible_sets  the exact set of possible outcomes in every cell
    reach          the cells that become reachable once missing facts are known
    tabulate       the rules of a table -> the rules that count in each cell
"""
