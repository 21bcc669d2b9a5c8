"""Notifies a service manager such as systemd, over the datagram socket that $NOTIFY_SOCKET names."""

from __future__ import annotations

import logging
import os
import socket
from typing import Final

log = logging.getLogger("guidepost.supervisor")

VARIABLE: Final = "NOTIFY_SOCKET"

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"


def notify(*states: str) -> bool:
    """Send states to the service manager; return whether they were sent.

    A failure is logged, and the server goes on.
    """
    path = os.environ.get(VARIABLE, "")
    if not path.startswith(("/", "@")):
        return False
    # A path that begins with @ is an abstract socket: the kernel writes it with a leading NUL.
    address = f"\0{path[1:]}" if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect(address)
            manager.sendall("\n".join(states).encode())
    except OSError as error:
        log.warning("the service manager cannot be notified: %s", error)
        return False
    return True
