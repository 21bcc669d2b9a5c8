"""The command line: a thin shell around the core.

The present time is read here, once for each call.

Modules::

    entry     where ``guidepost`` and ``python server.py`` begin
    app       the table of the commands, each loaded when it is run
    commands  the commands, one module each
    options   options that several commands share
"""
