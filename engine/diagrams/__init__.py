"""Decision diagrams: what a table decides, as a small graph instead of a cell for every combination of facts.

Modules::

    store      the diagrams themselves: made, combined, counted
    transfer   functions of one store in another
    witnesses  the shortest way to every value
"""
