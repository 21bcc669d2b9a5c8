"""The commands of ``guidepost``, one module each.

Modules::

    access               ``access``: make API keys, check the file of callers
    analyze              ``analyze``: find mistakes and needless rules
    audit                ``audit get``, ``query``, ``export`` and ``verify``
    audit_certificate    ``audit certificate`` and ``check``
    audit_explain        ``audit explain``
    audit_purge          ``audit purge``
    audit_filter_check  names in a filter of the log that no version has
    build                ``build``: make a bundle
    check                ``check``: check every version of a folder
    ci                   ``ci``: check a change as a pull request does
    ci_github            the report of ``ci`` as annotations of a GitHub job
    ci_json              the report of ``ci`` as data
    ci_markdown          the report of ``ci`` as the summary of a pull request
    ci_report            the report of ``ci``: the results of check, test, analyze, fmt and diff
    clock                ``clock add`` and ``count``
    clock_show           ``clock show`` and ``sun``
    diff                 ``diff``: compare two versions
    eval                 ``eval``: decide one ticket
    eval_why_not         ``eval --why-not``
    fmt                  ``fmt``: format policy files
    health               ``health``: ask a server for its health
    holidays             ``holidays``: show and draft holiday lists
    keys                 ``keys``, ``sign`` and ``verify``
    prove                ``prove``: prove the invariants
    release              ``release``: freeze the working version
    replay               ``replay``: its three commands and their options
    replay_inputs        the tickets that ``replay`` reads, and errors of sources
    replay_progress      a progress bar
    replay_run           ``replay run``
    replay_suggest       ``replay suggest-mapping``
    replay_verify        ``replay verify``
    schema               ``schema``: write the JSON Schemas
    serve                ``serve``: start a server
    serve_check          ``serve --check``
    show                 ``show``: show a policy
    test                 ``test``: run, watch and propose cases
    unpack               ``unpack``: make a policies folder from bundles
    version              ``version``: list the versions of everything that runs
"""
