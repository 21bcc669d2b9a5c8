"""``python -m guidepost ADDRESS FACT=VALUE ...``: triage a ticket on a running server, and print the reply as JSON."""

# ruff: noqa: T201 - a command line prints

from __future__ import annotations

import sys

import grpc
from google.protobuf.json_format import MessageToJson

from guidepost.client import Client
from guidepost.failures import wrong_fields


def main(arguments: list[str]) -> int:
    """Make the call; give the exit code: 0 answered, 1 failed, 2 wrongly called."""
    if not arguments or any("=" not in fact for fact in arguments[1:]):
        print("usage: python -m guidepost ADDRESS [FACT=VALUE ...]", file=sys.stderr)
        return 2
    # All of them as texts: the server reads each by the type that the policy gives it.
    facts = dict(fact.split("=", 1) for fact in arguments[1:])
    with Client(arguments[0]) as client:
        try:
            reply = client.triage(facts)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            for path, description in list(wrong_fields(error).items())[1:]:
                print(f"{path}: {description}", file=sys.stderr)
            return 1
    print(MessageToJson(reply, preserving_proto_field_name=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
