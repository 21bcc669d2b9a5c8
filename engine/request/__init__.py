"""What a caller sends: facts, instants and holds, each read once.

Modules::

    instant_help  why a text is not an instant, and what to write instead
    moment        instants, `now` and holds, as callers send them
    ticket        facts as callers send them -> a ticket of atoms
"""
