"""Many tickets at once: columns of facts -> columns of outcomes, equal to the answers of a decider.

Columns have outcomes only. For the rules behind a row, what is missing or what is still possible, ask a decider:
``facts_of`` returns the facts of a row as they were sent. Tickets with holds are decided one by one, too.

Modules::

    combinations  numbers for combinations of columns
    decide        columns of facts -> columns of outcomes
    due           due times as columns
    elapsed       elapsed times as columns
    fact_columns  columns of facts, as callers send them
    lookup        outcomes of tables as columns
    read          columns of facts -> columns of atoms
    roster        who is on duty, as a column
    walk          diagrams as flat arrays, for many rows at once
"""
