"""The nouns of a policy and of an answer, as frozen values.

Modules::

    answer        the nouns of an answer: status, outcomes, the rules that fired, and what is still missing
    conditions    conditions: what a rule asks of one fact, as data
    did_you_mean  the nearest of a list of words to one that is not in it
    invariants    what an invariant says, as data
    policy        the nouns of a policy: what the YAML says once it is read, and nothing else
    problems      what can be wrong with a policy, as values: a place, a code, a message and a help
    quoting       how words from outside are shown: what a caller sent, in a few characters
    targets       how a policy says that time counts
    vocabulary    facts and outcomes: what a policy may speak of, with types, values and aliases
"""
