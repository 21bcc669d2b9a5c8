"""The command line: a thin shell around the core.

``main`` names the commands and each has a module of its own (``serve``, ``check``, ``evaluate``, ``show``, ``schema``,
``version``). ``folder`` finds and loads the policies, ``facts`` reads a ticket as people type it, ``answers`` and
``pages`` write answers and policies for people, ``plain`` writes policies as data, and ``terminal`` knows colours,
widths and exit codes. The clock is read here and nowhere below, once for each call.
"""
