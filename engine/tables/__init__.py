"""Rules as complete tables: every combination of facts with its outcome, known or not.

Modules::

    check          looking at every cell: gaps, overlaps, rules that never fire, outcomes that no rule gives
    classes        values that no rule tells apart are one class
    explain        why a cell says what it says
    merge_alike    dense arrays made small without losing anything
    partial        what holds when facts are missing
    possible_sets  what an outcome is in every cell
    reach          from a cell in which facts are missing
    tabulate       rules in, a dense table out: which rule fires in every cell of a table, once and for all
"""
