"""The command line: a thin shell around the core.

``main`` names the commands and each has a module of its own (``serve`` with ``configured`` and ``serve_check``, ``check``, ``analyze``, ``evaluate`` with ``why_not``, ``show``, ``clock``
with ``clock_show``, ``holidays``, ``schema``, ``version``). ``access`` makes keys for callers. ``build``, ``sign`` (with ``verify`` and ``keys``)
and ``release`` make versions into bundles and freeze them, ``unpack`` makes a folder of bundles, and ``health`` asks a server how it is. ``test`` runs the policies' cases and ``tested`` writes what
came of them; ``fmt`` lays policy files out. ``replay`` decides past tickets again, with ``replay_asked`` and ``replay_progress``. ``ci`` does all of it for a pull request: ``examined`` gathers
what each of them finds, ``ci_summary`` writes it. ``folder`` finds and loads the policies, ``sourced`` any version by its name; ``facts`` reads a
ticket as people type it, ``moments`` what time it is and the holds, ``asked`` what the clock is asked. ``answers``,
``dues`` and ``moved`` write answers for people, ``pages`` and ``calendar_pages`` policies, ``timeline``, ``month`` and
``sun`` draw time, and ``times`` has the words for it. ``plain`` and ``calendar_plain`` write policies as data, and
``terminal`` knows colours, widths and exit codes.

The clock is read here and nowhere below, once for each call.
"""
