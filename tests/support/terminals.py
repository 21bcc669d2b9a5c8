"""What a command shows on a terminal."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from typing import Final

from tests.support.paths import ROOT

COLOURED: Final = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|38;5;\d+)m")


def run_on_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """Return what a command shows on a terminal so wide, as it arrives there."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {
        **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")},
        "TERM": "xterm-256color",
        **environment,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "guidepost.cli", *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return shown.decode().replace("\r\n", "\n")
