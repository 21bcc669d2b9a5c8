"""Guidepost's core: policies in, decisions out. Values in, values out; no clock, no socket, no protobuf.

The way of a policy, one module a step::

    source      YAML text            -> trees that know line and column
    structure   tree                 -> problems of shape (JSON Schema, from schema)
    load        files                -> Policy          (load_vocabulary, load_tables, load_rosters, conditions)
    classes     rules                -> classes of values that no rule tells apart
    tabulate    table                -> Grid            (which rule fires in every cell)
    settle      Grid                 -> Flat            (over sent facts; what missing facts leave possible)
    check       Flat                 -> problems of the table, each with a witness
    version     files                -> Version         (all of the above, or PolicyErrors)
    agreement   Version              -> what durable-rules is to prove, and its findings as problems
    proof       tables               -> agreement with durable-rules, cell by cell, in a process of its own

The way of a ticket::

    ticket      facts                -> atoms           (read once)
    decide      Version, facts       -> Answer          (a look-up)
    explain     cell                 -> Outcome         (the rules behind it; reach: what missing facts lead to)
    roster      instant              -> who is in their own daytime
    record      Answer               -> plain data, always the same bytes

``bundle`` holds several versions and picks one; ``cases`` runs a policy's own worked examples.
"""
