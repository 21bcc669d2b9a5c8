"""``guidepost health``: ask a server for its health, by the standard health service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from guidepost.render.console import ExitCode, TableOrJson, cannot_read, command_error, results, show_json

DEFAULT_ADDRESS: Final = "127.0.0.1:50051"


def health(
    address: Annotated[
        str, typer.Argument(metavar="[ADDRESS]", help="The server, as HOST:PORT or unix:PATH.")
    ] = DEFAULT_ADDRESS,
    service: Annotated[
        str,
        typer.Option(
            "--service",
            metavar="NAME",
            help="The service to ask for, such as guidepost.v1.PolicyService. Default: the whole server.",
        ),
    ] = "",
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0.01, help="How long to wait for the answer, in seconds."),
    ] = 3.0,
    authority: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="Use TLS, and trust the certificates in this file.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--cert", metavar="FILE", help="The client certificate, for a server that requires one."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The private key of the client certificate.")
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--server-name",
            metavar="NAME",
            help="The name in the server's certificate, if it differs from the address.",
        ),
    ] = "",
    output: Annotated[TableOrJson, typer.Option("-o", "--output", help="The output format.")] = TableOrJson.TABLE,
) -> None:
    """Ask a server for its health.

    Exits with 0 if it is serving, and with 1 if it is not or does not answer in time.
    """
    credentials = _credentials(authority, certificate, key)
    found, why, refused_reload = ask_health(address, service, timeout, credentials, name)
    if output is TableOrJson.JSON:
        show_json(
            {
                "address": address,
                "service": service,
                "status": found,
                **({"message": why} if why else {}),
                **({"last_reload": refused_reload} if refused_reload else {}),
            }
        )
    else:
        results().show(f"{address}: {found}" + (f", {why}" if why else ""))
        if refused_reload:
            results().show(
                f"the last reload failed, and the earlier versions still serve: {refused_reload}",
                "help: run `guidepost check` on the policies of that server",
            )
    if found != SERVING:
        raise typer.Exit(int(ExitCode.UNHEALTHY))


SERVING: Final = "SERVING"
LAST_RELOAD: Final = "guidepost-last-reload-bin"
"""The metadata with the error of the last reload, as in ``guidepost.server.rpc.health_service``.

It is repeated here because importing that module takes longer than the call.
"""

NO_ANSWER: Final = "NO_ANSWER"
"""The status of a server that does not answer."""


def ask_health(
    address: str, service: str, timeout: float, credentials: grpc.ChannelCredentials | None = None, name: str = ""
) -> tuple[str, str, str]:
    """Return the name of the status, the error of the call or "", and the error of the last reload or ""."""
    options = (("grpc.ssl_target_name_override", name),) if name else ()
    channel = (
        grpc.insecure_channel(address, options)
        if credentials is None
        else grpc.secure_channel(address, credentials, options)
    )
    with channel:
        try:
            answer, call = health_pb2_grpc.HealthStub(channel).Check.with_call(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout
            )
        except grpc.RpcError as error:
            return NO_ANSWER, f"{error.code().name}: {error.details()}", ""
    last_reload = dict(call.trailing_metadata() or ()).get(LAST_RELOAD, b"")
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status), "", last_reload.decode(errors="replace")


def _credentials(authority: Path | None, certificate: Path | None, key: Path | None) -> grpc.ChannelCredentials | None:
    """Read the files for TLS; end the command if one cannot be read, or needs another one that is missing."""
    if (certificate is None) != (key is None) or (certificate is not None and authority is None):
        raise command_error("--cert and --key go together, and need --ca")
    if authority is None:
        return None
    try:
        roots, private, chain = (path.read_bytes() if path else None for path in (authority, key, certificate))
        return grpc.ssl_channel_credentials(roots, private, chain)
    except OSError as error:
        raise cannot_read(error.filename, error) from error


if __name__ == "__main__":
    # Health checks run every few seconds; `python -m guidepost.cli.commands.health` starts in a tenth of the time of
    # the whole command line.
    typer.run(health)
