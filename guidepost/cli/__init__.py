"""The command line: a thin shell around the core.

The present time is read here, once for each call.

Modules::

    entry          the entry points of ``guidepost`` and ``python server.py``
    app            the table of commands, each loaded when it runs
    commands       the commands, one module each
    options        options that several commands share
    command_group  groups of commands, such as ``guidepost audit``
"""
