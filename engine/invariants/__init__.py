"""Invariants: statements that must hold in every case of a policy, and their proof over all cases.

They are in ``invariants.yaml`` next to the policy, decide nothing, and the digest does not cover them.

Modules::

    case_space  the names of an invariant -> diagrams over sent facts
    order       monotone: raising one thing never lowers (or raises) another
    prove       invariants and the diagrams of a policy -> a result for each
    sentence    an invariant -> a sentence in the words of the policy
"""
