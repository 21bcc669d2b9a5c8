"""The nouns of a policy and of an answer, as frozen values.

Modules::

    answer         an answer: status, outcomes, the rules that fired, and what is missing
    conditions     a condition of a rule on one fact
    did_you_mean   the known words nearest to an unknown one
    invariants     invariants and the results of their proofs
    policy         a policy as its YAML files declare it
    problem_codes  the codes of problems: meaning, level and help
    problems       a problem of a policy: place, code, message and help
    quoting        values from outside as short, safe text for messages
    targets        how a policy counts time: targets, regions, calendars
    vocabulary     facts and outcomes with their types, values and aliases
"""
