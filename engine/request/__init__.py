"""What a caller sends: facts, instants and holds, read once.

Modules::

    instant_help  what is wrong with a text that should be an instant
    lookup        where the outcomes of a decision stand in the tables, and how a ticket finds them there
    moment        instants as a caller sends them: read once, here
    ticket        facts as a caller sends them in, a ticket of atoms out
"""
