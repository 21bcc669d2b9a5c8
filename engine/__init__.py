"""Guidepost's core: policies in, decisions out. Values in, values out; no present time, no socket, no protobuf.

The way of a policy, one module a step::

    source      YAML text            -> trees that know line and column
                yaml_errors: what a text that is not YAML was meant to be
    indentation tree                 -> the tree that was meant, where a part is indented too far or too little
    structure   tree                 -> problems of shape (JSON Schema, from schema); helps: what to write instead
    load        files                -> Policy          (a package with its own map; conditions)
    classes     rules                -> classes of values that no rule tells apart
    tabulate    table                -> Grid            (which rule fires in every cell)
    settle      Grid                 -> Flat            (over sent facts; what missing facts leave possible)
    states      Flat, outcome        -> the exact set of what is still possible in every cell
    check       Flat                 -> problems of the table, each with a witness
    invariants  Flats                -> proofs          (package with its own map: what must hold in every case, or a ticket that shows otherwise)
    version     files                -> Version         (all of the above, or PolicyErrors)
    agreement   Version              -> what durable-rules is to prove, and its findings as problems
    proof       tables               -> agreement with durable-rules, cell by cell, in a process of its own

The way of a ticket::

    ticket      facts                -> atoms           (read once)
    moment      now, holds           -> Moment          (and instants, as callers send them; instant_help: what is wrong with one)
    elapsed     instant, now         -> facts that follow from the time that has passed
    decide      Version, facts       -> Answer          (a look-up; look: where the outcomes stand)
    explain     cell                 -> Outcome         (the rules behind it; reach: what missing facts lead to)
    assemble    outcomes             -> Answer          (what they rest on, what is missing, what to ask next)
    dated       Answer, instants     -> Answer          (filled in: schedule, due, roster)
    change      facts before, after  -> how deadlines move, and why
    record      Answer               -> plain data, always the same bytes (record_times: its instants)
    columns     columns of tickets   -> columns of outcomes and due times (package with its own map: the same answers, for millions of rows)
    decisionlog Answers              -> records, chained and verified (a package with its own map)
    replay      past tickets         -> what would be decided otherwise (a package with its own map)

What a version is asked beside tickets::

    analysis    Policy, Layout       -> findings        (package with its own map: what is wrong, needless, assumed)
    diff        two Versions         -> Diff            (package with its own map: what they say and decide differently)
    whynot      ticket, outcome      -> WhyNot          (package with its own map: the smallest change of facts that would have given it)

The way of a due time::

    timing      the nouns: calendars as written, regions, units, measures, targets
    schedule    deadline, ticket     -> Schedule        (the target, or those that are still possible)
    clocks      calendar, region     -> Clock           (package clock: business time, with its own map)
    due         target, instant      -> Due             (when, how it stands, what counted and what did not)
    roster      instant              -> Duty            (who is in their own daytime, until when, who is next)

``bundle`` holds several versions and picks one; ``frozen`` holds released ones to the register; ``cases`` (a package with
its own map) runs a policy's own worked examples, says what they cover, and proposes more. ``shown`` names what a caller sent
in messages, ``shrink`` makes dense arrays small, ``localtime`` writes an instant by the clock on the wall.
"""
