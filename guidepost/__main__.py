"""``python -m guidepost ADDRESS FACT=VALUE ...`` triages a ticket on a running server, and prints the reply as JSON."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import grpc
from google.protobuf.json_format import MessageToJson

from guidepost.client.errors import is_lost, wrong_fields
from guidepost.client.sync import Client


def main(arguments: list[str]) -> int:
    """Make the call, and return the exit code: 0 if it is answered, 1 if it fails. Wrong usage exits with 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if wrong := [fact for fact in options.facts if "=" not in fact]:
        parser.error(f"expected FACT=VALUE, got `{wrong[0]}`")
    try:
        token = "" if options.token_file is None else options.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--token-file {options.token_file} cannot be read: {getattr(error, 'strerror', None) or error}")
    # Facts are sent as text: the server converts each to the type that the policy declares.
    facts = dict(fact.split("=", 1) for fact in options.facts)
    with Client(options.address, token=token) as client:
        try:
            reply = client.triage(facts)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            for path, description in list(wrong_fields(error).items())[1:]:
                print(f"{path}: {description}", file=sys.stderr)
            if error.code() is grpc.StatusCode.UNAVAILABLE and is_lost(error):
                print("help: is the server running? `make serve` starts one", file=sys.stderr)
            return 1
    try:
        print(MessageToJson(reply, preserving_proto_field_name=True), flush=True)
    except BrokenPipeError:
        # The reader has what it wanted; the interpreter must not report what it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m guidepost",
        description="Triage a ticket on a running server, and print the reply as JSON.",
        allow_abbrev=False,
    )
    parser.add_argument("address", metavar="ADDRESS", help="address of the server, for example 127.0.0.1:50051")
    parser.add_argument("facts", metavar="FACT=VALUE", nargs="*", help="fact about the ticket, for example impact=high")
    # A file, since other processes can read the arguments of this one.
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        type=Path,
        help="file with your API key or JSON Web Token, for a server that authenticates callers",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
