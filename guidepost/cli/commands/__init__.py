"""The commands of ``guidepost``, one module each.

Modules::

    access               ``guidepost access``: API keys for callers, and whether the file of callers can be used
    analyze              ``guidepost analyze``
    audit                ``guidepost audit``
    audit_certificate    ``guidepost audit certificate`` and ``check``
    audit_explain        ``guidepost audit explain``
    audit_purge          ``guidepost audit purge``
    audit_unknown_words  what a filter of the log asks for that no version at hand can have decided
    build                ``guidepost build``
    check                ``guidepost check``
    ci                   ``guidepost ci``
    ci_markdown          what ``guidepost ci`` found out, written
    ci_report            everything that ``guidepost ci`` finds out of a policies folder
    clock                ``guidepost clock add`` and ``count``: business time on its own, without a ticket
    clock_show           ``guidepost clock show`` and ``sun``
    diff                 ``guidepost diff``: what the text of two versions says, and what it does, exactly
    eval                 ``guidepost eval``: facts in, a decision out, with the reason
    eval_why_not         ``guidepost eval --why-not``
    fmt                  ``guidepost fmt``: policy files in one layout, with everything they say kept
    health               ``guidepost health``: whether a server answers, by the standard health service
    holidays             ``guidepost holidays``
    keys                 ``guidepost keys``, ``sign`` and ``verify``: who vouches for a bundle
    prove                ``guidepost prove``
    release              ``guidepost release``
    replay               ``guidepost replay``
    replay_progress      how far a replay is: rows, how many a second, and the time left
    replay_setup         what ``guidepost replay`` is asked for: sources and versions opened, replayed or proved
    schema               ``guidepost schema``: the published JSON Schemas of every version, written or compared
    serve                ``guidepost serve``: the policies of a folder, answered over gRPC until interrupted
    serve_check          ``guidepost serve --check``
    show                 ``guidepost show``: a policy as people read it
    test                 ``guidepost test``: the policies' own cases, run
    unpack               ``guidepost unpack``
    version              ``guidepost version``: which program, which policies, and what it runs on
"""
