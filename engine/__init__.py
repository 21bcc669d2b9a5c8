"""Guidepost's core: policies in, decisions out.

Functions take values and return values. Nothing here reads the present time, a socket, a database or protobuf, and
nothing knows the words of a desk. The folders are stages; each imports only those above it in this list.

Modules::

    cache        a bounded store of values that can be computed again

    diagrams     decision diagrams: a table stored without repeating equal parts
    clock        business time: calendars, holidays, zones
    model        the nouns of a policy and of an answer
    tables       rules as complete tables; what missing facts leave possible
    request      what a caller sends: facts, instants and holds
    load         the files of a version -> a policy, or every problem
    invariants   what must hold in every case -> a proof, or a ticket that breaks it
    deadlines    a target and an instant -> when it is due, and why
    cross_check  the tables against durable-rules, cell by cell, in a process of its own
    version      files -> a version, checked and drawn as diagrams; a bundle of several
    decide       a version and a ticket -> an answer

    analysis     mistakes, needless rules and assumptions of a version
    cases        a policy's own cases: run, compared, proposed
    columns      columns of tickets -> columns of outcomes, for millions of rows
    records      answers -> records, chained and verified
    diff         two versions -> every decision that differs
    whynot       a ticket and an outcome -> the smallest change of facts that would have given it
    replay       past tickets -> what would be decided differently
"""
