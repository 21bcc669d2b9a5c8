"""Invariants: sentences that must hold of a policy in every case, and their proof over all cells.

They stand in ``invariants.yaml`` beside the policy, decide nothing, and are no part of its digest.

Modules::

    ground   what an invariant names in, terms out
    holding  never, always and implies
    order    monotone: does raising one thing ever lower (or raise) another?
    prove    invariants and the cells of a policy in, a proof of each out
    terms    terms in, one array out
    written  an invariant in, a sentence out: what it says, in the words of the policy
"""
