"""Invariants: sentences that must hold of a policy in every case, and their proof over all cells.

They stand in ``invariants.yaml`` beside the policy, decide nothing, and are no part of its digest. One module a step::

    nouns     what an invariant says, as data
    written   an invariant             -> a sentence
    load      tree                     -> invariants, or problems
    ground    what an invariant names  -> arrays over sent facts (terms)
    terms     terms                    -> one array over the facts of all of them
    holding   never, always, implies   -> counterexample, or none
    order     monotone                 -> counterexample, or none
    prove     invariants, cells        -> a proof of each, and problems of those that do not hold
"""
