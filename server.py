"""The server's entry: ``python server.py`` is ``guidepost serve``, with the same settings and the same exit codes.

It serves the shipped policies on 127.0.0.1:50051 unless it is told otherwise.
"""

from __future__ import annotations

import sys

from guidepost.cli.entry import run_server

if __name__ == "__main__":
    run_server("server.py", sys.argv[1:])
