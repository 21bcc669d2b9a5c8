"""What a server says of itself to whoever started it as a service: systemd, over the datagram socket that it names in $NOTIFY_SOCKET."""

from __future__ import annotations

import logging
import os
import socket
from typing import Final

log = logging.getLogger("guidepost.supervisor")

VARIABLE: Final = "NOTIFY_SOCKET"

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(*said: str) -> bool:
    """Return it; true if there was somebody to tell. A service manager that does not listen is no reason not to serve."""
    named = os.environ.get(VARIABLE, "")
    if not named.startswith(("/", "@")):
        return False
    # A name that begins with @ is one without a file: the kernel writes it with a NUL in front.
    address = f"\0{named[1:]}" if named.startswith("@") else named
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect(address)
            manager.sendall("\n".join(said).encode())
    except OSError as error:
        log.warning("the service manager could not be told: %s", error)
        return False
    return True
