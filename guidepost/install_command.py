"""The command that installs a missing package for the Python that runs this program."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Final

PYTHON: Final = "python"


def install_command(*packages: str) -> str:
    """Return the command; a Python below the working directory has its relative path.

    It does not use `pip` alone, which may belong to another Python.

    >>> install_command("psycopg[binary]").endswith("-m pip install 'psycopg[binary]'")
    True
    """
    from_here = os.path.relpath(sys.executable)
    python = PYTHON if from_here.startswith(os.pardir) else from_here
    return shlex.join([python, "-m", "pip", "install", *packages])
