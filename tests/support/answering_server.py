"""``python -m tests.support.answering_server ADDRESS``: a small server in its own process, which prints its port.

Every response has only the id of the process, as the deciding version. Several servers may share an address.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from guidepost.v1 import decision_service_pb2 as pb
from guidepost.v1.decision_service_pb2_grpc import DecisionServiceServicer, add_DecisionServiceServicer_to_server


class Answering(DecisionServiceServicer):
    """Answers at once."""

    def Triage(self, request: Any, context: Any) -> pb.TriageResponse:  # noqa: N802 - gRPC names methods as the proto files do
        answer = pb.TriageResponse()
        answer.version.version = f"{os.getpid()}"
        return answer


def main(address: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_DecisionServiceServicer_to_server(Answering(), server)
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port(address)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


@contextmanager
def answering_process(address: str = "127.0.0.1:0") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server while the block does; gives the process and its address."""
    line = [sys.executable, "-m", "tests.support.answering_server", address]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            assert process.stdout is not None
            yield process, f"{address.rpartition(':')[0]}:{int(process.stdout.readline())}"
        finally:
            process.kill()  # also one that was stopped


if __name__ == "__main__":
    main(sys.argv[1])
