"""The entry point of the server: ``python server.py`` is ``guidepost serve``, with the same settings and exit codes.

By default it serves the shipped policies on 127.0.0.1:50051.
"""

from __future__ import annotations

import sys

from guidepost.cli.entry import run_server

if __name__ == "__main__":
    run_server("server.py", sys.argv[1:])
