"""Options that several commands share, and the functions that read their values.

Modules::

    budget           ``--max-changed`` and ``--forbid``: what a change may do
    clock            ``--calendar``, ``--region`` and ``--rule``, and amounts of time
    decision_log     ``--decision-log``, and the store that it names
    facts            facts of a ticket: options, ``name=value``, JSON or a file
    moment           ``--now`` and ``--pause``
    policies_folder  ``--policies``, ``--version``, ``--digest`` and ``--as-of``
    report_output    ``--output`` and ``--to`` of reports
    server_flags     the flags of a server, made from the model of its settings
    version_spec     versions by name: a number, a folder, a git revision, a bundle
"""
