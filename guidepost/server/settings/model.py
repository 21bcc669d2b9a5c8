"""Every setting of a server, with its type, default, group and help.

Flags, environment variables, keys of the file and docs/settings.md follow from it.

Defaults come from the classes that use them.
"""

# ruff: noqa: RUF009 - setting() is dataclasses.field with metadata

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from guidepost.decision_log.settings import DEFAULTS as LOG_DEFAULTS
from guidepost.server import defaults
from guidepost.server.auth.config import AuthConfig
from guidepost.server.observability.config import NO_OBSERVABILITY
from guidepost.server.rpc import limits
from guidepost.server.settings.types import (
    ADDRESS,
    BOOLEAN,
    FILE,
    FOLDER,
    NAME,
    RATIO,
    TEXT,
    TEXTS,
    URL,
    SettingType,
    integer,
    one_of,
    seconds,
)

PREFIX: Final = "GUIDEPOST_"

SERVING, OBSERVABILITY, LOG, SECURITY, LIMITS = (
    "Serving",
    "Metrics, messages and traces",
    "Decision log",
    "Security",
    "Limits",
)
"""The groups, as the help and docs/settings.md show them."""

GROUPS: Final = (SERVING, OBSERVABILITY, LOG, SECURITY, LIMITS)

_AUTH: Final = AuthConfig()
_MAX: Final = limits.Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """The metadata of a setting. ``unset`` describes the default if it is not a plain value."""

    kind: SettingType
    group: str
    help: str
    unset: str = ""


def setting(default: Any, kind: SettingType, group: str, help_: str, unset: str = "") -> Any:
    """Declare a setting."""
    return field(default=default, metadata={"about": SettingInfo(kind=kind, group=group, help=help_, unset=unset)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The settings of a server.

    ``log_durability`` here is the flag ``--log-durability``, the variable ``GUIDEPOST_LOG_DURABILITY`` and the key
    ``log-durability`` of the file.
    """

    policies: Path | None = setting(
        None, FOLDER, SERVING, "Folder of the policies.", "`./policies`, or the folder that came with the program"
    )
    host: str = setting(
        defaults.HOST,
        TEXT,
        SERVING,
        "Address to listen on; 0.0.0.0 is every address. With `--workers 0`, unix:PATH is a socket.",
    )
    port: int = setting(defaults.PORT, integer(0, 65535), SERVING, "Port to listen on; 0 is any free port.")
    workers: int | None = setting(
        None,
        integer(0, 256),
        SERVING,
        "Number of worker processes. 0 serves from a single process, which is not restarted and has no admin service.",
        "one for each core",
    )
    watch: bool = setting(
        True, BOOLEAN, SERVING, "Reload the policies when their files change. SIGHUP reloads them in any case."
    )
    grace: float = setting(
        defaults.GRACE, seconds(0), SERVING, "Time that calls under way have to complete when a worker stops."
    )
    reflection: bool = setting(True, BOOLEAN, SERVING, "Let clients list the services (gRPC reflection).")
    admin: str = setting("", ADDRESS, SERVING, "Address of the admin service.", "no admin service")

    metrics: str = setting(
        "", ADDRESS, OBSERVABILITY, "Serve Prometheus metrics on this address, without authentication.", "no metrics"
    )
    messages: str = setting(
        "auto",
        one_of("auto", "text", "json"),
        OBSERVABILITY,
        "Format of the messages on standard error. `auto` is text on a terminal, else JSON.",
    )
    log_calls: bool = setting(
        NO_OBSERVABILITY.log_calls,
        BOOLEAN,
        OBSERVABILITY,
        "Log each call: caller, method, status, version and ids, but no facts of the ticket.",
    )
    traces: str = setting(
        "",
        URL,
        OBSERVABILITY,
        "Send traces to an OpenTelemetry collector (OTLP over gRPC), for example http://127.0.0.1:4317. "
        "Needs the extra `tracing`.",
        "no traces",
    )
    traces_sample_ratio: float = setting(
        NO_OBSERVABILITY.sample_ratio,
        RATIO,
        OBSERVABILITY,
        "Share of the calls to trace, from 0 to 1, if the caller does not decide it.",
    )

    decision_log: str = setting(
        "",
        URL,
        LOG,
        "URL of the decision log, without a password: sqlite:///FILE or postgresql+psycopg://HOST/NAME.",
        "a SQLite file in your state folder",
    )
    decision_log_file: Path | None = setting(
        None, FILE, LOG, "File that contains the URL of the decision log; the URL may have a password.", "none"
    )
    log_durability: str = setting(
        LOG_DEFAULTS.durability.value,
        one_of("sync", "bounded", "off"),
        LOG,
        "When an answer is sent. `sync`: after its record is on disk. `bounded`: with a limited number of records or "
        "milliseconds at risk. `off`: at once, and nothing is recorded.",
    )
    log_records: int = setting(
        LOG_DEFAULTS.records,
        integer(1),
        LOG,
        "With `bounded`: maximum number of records at risk, in all workers together.",
    )
    log_milliseconds: int = setting(
        LOG_DEFAULTS.milliseconds,
        integer(1),
        LOG,
        "With `bounded`: maximum age of a record at risk.",
    )
    log_writer: str = setting(
        LOG_DEFAULTS.writer,
        NAME,
        LOG,
        "Name of this server's chains. Servers that share a log need different names.",
    )
    log_timeout: float = setting(
        LOG_DEFAULTS.timeout,
        seconds(0.01),
        LOG,
        "Time that an answer waits for its record before the call fails; less if the caller's deadline is nearer. "
        "Keep it below your clients' timeouts.",
    )
    log_mask_key: Path | None = setting(
        None, FILE, LOG, "Key for the tokens that replace masked texts.", "masked texts leave no token"
    )
    log_mask: tuple[str, ...] = setting(
        (), TEXTS, LOG, "Mask the values of this fact that are not on its open list.", "none"
    )
    log_unmasked: tuple[str, ...] = setting((), TEXTS, LOG, "Record this text as it is sent.", "none")
    log_sign: bool = setting(
        True,
        BOOLEAN,
        LOG,
        "Sign the heads of the chains every minute. "
        "`guidepost audit verify --key` and certificates need the signatures.",
    )
    log_sign_key: Path | None = setting(
        None, FILE, LOG, "Private key that signs.", "a key in your state folder, created on the first start"
    )
    audit_purge: bool = setting(
        _AUTH.purge,
        BOOLEAN,
        LOG,
        "Allow every caller to remove old records over gRPC. "
        "With `callers` or `jwt-keys`, the role `admin` allows it instead.",
    )

    tls_certificate: Path | None = setting(
        None,
        FILE,
        SECURITY,
        "Certificate chain of the server, as PEM. Read again when the file changes.",
        "no TLS",
    )
    tls_key: Path | None = setting(None, FILE, SECURITY, "Private key of the certificate.", "no TLS")
    tls_client_ca: Path | None = setting(
        None, FILE, SECURITY, "Accept only clients with a certificate of these authorities (mTLS).", "any client"
    )
    callers: Path | None = setting(
        None,
        FILE,
        SECURITY,
        "File of callers, with their keys and roles. Read again when the file changes.",
        "every caller, on loopback only",
    )
    jwt_keys: Path | None = setting(
        None, FILE, SECURITY, "Public keys of the issuer of tokens, as JWKS.", "tokens are not accepted"
    )
    jwt_issuer: str = setting(
        _AUTH.jwt_issuer, TEXT, SECURITY, "Issuer that tokens must have.", "required with `--jwt-keys`"
    )
    jwt_audience: str = setting(
        _AUTH.jwt_audience, TEXT, SECURITY, "Audience that tokens must have.", "required with `--jwt-keys`"
    )
    jwt_leeway: float = setting(
        _AUTH.jwt_leeway, seconds(0), SECURITY, "Maximum difference between the clocks of server and issuer."
    )
    jwt_roles_claim: str = setting(
        _AUTH.jwt_roles_claim, NAME, SECURITY, "Claim of a token that contains the roles of its bearer."
    )
    trust_network: bool = setting(
        False,
        BOOLEAN,
        SECURITY,
        "Listen beyond loopback without TLS or callers, "
        "because the network admits only authorized clients, as a mesh does.",
    )

    max_in_flight: int = setting(_MAX.in_flight, integer(1), LIMITS, "Maximum unary calls under way in one worker.")
    max_streams: int = setting(_MAX.streams, integer(1), LIMITS, "Maximum streams under way in one worker.")
    max_health_watches: int = setting(_MAX.watches, integer(1), LIMITS, "Maximum health watches of one worker.")
    max_incomplete: int = setting(
        _MAX.incomplete,
        integer(1),
        LIMITS,
        "Maximum messages that one worker is receiving. One more ends the call that has waited longest.",
    )
    max_incomplete_open: int = setting(
        _MAX.open_incomplete,
        integer(1),
        LIMITS,
        "The same for health and reflection, which need no key; also the maximum of reflection streams.",
    )
    message_timeout: float = setting(
        _MAX.message_timeout, seconds(0.1), LIMITS, "Time within which a message must arrive completely."
    )
    max_request_bytes: int = setting(_MAX.request, integer(1_024), LIMITS, "Maximum bytes of a request message.")
    max_batch: int = setting(_MAX.batch, integer(1, limits.MOST_TICKETS), LIMITS, "Maximum tickets of one call.")
    max_metadata_bytes: int = setting(_MAX.metadata, integer(1_024), LIMITS, "Maximum bytes of a call's metadata.")
    max_connections: int = setting(
        _MAX.connections, integer(1), LIMITS, "Maximum connections of one worker; further ones are closed at once."
    )
    max_connection_streams: int = setting(
        _MAX.connection_streams, integer(1), LIMITS, "Maximum calls under way on one connection."
    )
    max_connection_idle: int = setting(
        _MAX.connection_idle, integer(1), LIMITS, "Seconds after which a connection without calls is closed."
    )
    max_connection_age: int = setting(
        _MAX.connection_age,
        integer(1),
        LIMITS,
        "Seconds after which a connection is closed, so that clients spread over the servers again.",
    )
    max_connection_age_grace: int = setting(
        _MAX.connection_age_grace, integer(1), LIMITS, "Seconds that calls on such a connection have to complete."
    )
    min_ping_interval: int = setting(
        _MAX.ping_interval,
        integer(1),
        LIMITS,
        "Minimum seconds between the keepalive pings of a client. A client that pings more often is disconnected.",
    )


def settings() -> tuple[Field[Any], ...]:
    """Return all settings in order."""
    return fields(ServerSettings)


def about(one: Field[Any]) -> SettingInfo:
    """Return the metadata of a setting."""
    return one.metadata["about"]  # type: ignore[no-any-return]


def flag(name: str) -> str:
    """Return the flag of a setting.

    >>> flag("log_durability"), variable("log_durability"), key("log_durability")
    ('--log-durability', 'GUIDEPOST_LOG_DURABILITY', 'log-durability')
    """
    return f"--{key(name)}"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def key(name: str) -> str:
    """Return the key of a setting in the file."""
    return name.replace("_", "-")
