"""Options that several commands share.

Modules::

    budget           what a change may do, as the options of ``guidepost diff`` and ``guidepost ci`` say it
    clock            what the ``guidepost clock`` commands are asked
    decision_log     what commands are told about the decision log, and the store that they read
    facts            the facts of a ticket as a person gives them: options, ``name=value``, JSON or a file
    moment           what time it is, and when a ticket was on hold, as a person says it
    policies_folder  the policies folder
    server_flags     the flags of a server, made from the model of its settings
    version_spec     versions that a command is given by name
"""
