"""The server's entry: settings from arguments or the environment, policies from a folder, and serve until told to stop.

``python server.py`` serves the shipped policies on 127.0.0.1:50051. Exit codes: 0 stopped in good order, 1 the address
cannot be bound or the decision log cannot be opened, 2 wrong arguments, 3 the policies have problems.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final

from engine.problems import PolicyErrors
from service.app import DEFAULT_ADDRESS, serve
from service.log.database import LogRefused
from service.log.settings import Durability, LogSettings, default_url
from service.store import load_bundle

SHIPPED: Final = Path(__file__).resolve().parent / "policies"
"""The policies that come with Guidepost."""


def run(policies: Path = SHIPPED, address: str = DEFAULT_ADDRESS, log: LogSettings | None = None) -> int:
    """Load the policies of a folder and serve them, without a log unless there are settings for one; give the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        bundle = load_bundle(policies)
    except PolicyErrors as error:
        print(error, file=sys.stderr)
        return 3
    try:
        asyncio.run(serve(bundle, address, log=log, ready=announce))
    except (OSError, LogRefused) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def announce(address: str) -> None:
    """Say where calls are answered, and one to try."""
    print(f"listening on {address}; try: {python()} -m guidepost {address} impact=high urgency=medium", flush=True)


def python() -> str:
    """Give the running interpreter as one would type it here."""
    here = os.path.relpath(sys.executable)
    return sys.executable if here.startswith("..") else here


def main() -> int:
    """Read the settings, and run."""
    parser = argparse.ArgumentParser(prog="server.py", description="Serve support-desk decisions over gRPC.")
    parser.add_argument(
        "--address",
        default=os.environ.get("GUIDEPOST_ADDRESS", DEFAULT_ADDRESS),
        help="host:port, or unix:path (GUIDEPOST_ADDRESS; default %(default)s)",
    )
    parser.add_argument(
        "--policies",
        type=Path,
        default=Path(os.environ.get("GUIDEPOST_POLICIES", SHIPPED)),
        help="the policy folder (GUIDEPOST_POLICIES; default: the shipped policies)",
    )
    parser.add_argument("--decision-log", metavar="URL", default=default_url(), help="the decision log's database (GUIDEPOST_DECISION_LOG; default %(default)s)")
    parser.add_argument(
        "--log-durability", type=Durability, choices=list(Durability), default=Durability.SYNC,
        help="what is promised of a decision that was answered (default %(default)s; `guidepost serve` has further settings)",
    )
    settings = parser.parse_args()
    return run(settings.policies, settings.address, LogSettings(settings.decision_log, settings.log_durability))


if __name__ == "__main__":
    raise SystemExit(main())
