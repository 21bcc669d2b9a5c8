"""Every setting of a server, once. From here come the flags, the environment variables, the keys of the file, and the table of docs/settings.md."""

# ruff: noqa: RUF009 - setting() is dataclasses.field, with what is known of the setting

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from guidepost.decision_log.settings import DEFAULTS, Durability
from guidepost.server.settings.types import (
    ADDRESS,
    FILE,
    FOLDER,
    NAME,
    SHARE,
    TEXT,
    TEXTS,
    URL,
    YES,
    SettingType,
    integer,
    one_of,
    seconds,
)

PREFIX: Final = "GUIDEPOST_"

SERVING, WATCHED, LOG, SECURITY, LIMITS = "Serving", "Being watched", "The decision log", "Who may call", "Limits"
"""The groups, as the help and the page show them."""

GROUPS: Final = (SERVING, WATCHED, LOG, SECURITY, LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """What is known of a setting besides its name and its default; ``unset`` says what holds where it is not set."""

    kind: SettingType
    group: str
    help: str
    unset: str = ""


def setting(default: Any, kind: SettingType, group: str, help_: str, unset: str = "") -> Any:
    """Declare a setting."""
    return field(default=default, metadata={"about": SettingInfo(kind=kind, group=group, help=help_, unset=unset)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a server is told. A name here, ``log_durability``, is the flag ``--log-durability``, the variable ``GUIDEPOST_LOG_DURABILITY`` and the key ``log-durability``."""

    policies: Path | None = setting(
        None, FOLDER, SERVING, "Folder of the policies.", "`./policies`, or the one that came with the program"
    )
    host: str = setting(
        "127.0.0.1",
        TEXT,
        SERVING,
        "Address to listen on; 0.0.0.0 is every one, and with `--workers 0` it may be unix:PATH.",
    )
    port: int = setting(50051, integer(0, 65535), SERVING, "Port to listen on; 0 is any free one.")
    workers: int | None = setting(
        None,
        integer(0, 256),
        SERVING,
        "How many processes answer calls; with 0 a single one, which nobody starts anew and which has no admin service.",
        "one for each core",
    )
    watch: bool = setting(True, YES, SERVING, "Reload the policies when their files change; SIGHUP always does.")
    grace: float = setting(5.0, seconds(0), SERVING, "How long calls under way have to end when a worker is told to.")
    reflection: bool = setting(True, YES, SERVING, "Tell callers which services there are (gRPC reflection).")
    admin: str = setting("", ADDRESS, SERVING, "Where the admin service listens.", "nowhere")

    metrics: str = setting(
        "", ADDRESS, WATCHED, "Serve metrics for Prometheus here, to whoever reaches it.", "not at all"
    )
    messages: str = setting(
        "auto",
        one_of("auto", "text", "json"),
        WATCHED,
        "How the server's messages are written to standard error; `auto` is text on a terminal, else JSON.",
    )
    log_calls: bool = setting(
        False,
        YES,
        WATCHED,
        "Write a message for each call, too: caller, method, status, version and id, and nothing of a ticket.",
    )
    traces: str = setting(
        "",
        URL,
        WATCHED,
        "Send traces to an OpenTelemetry collector (OTLP over gRPC), such as http://127.0.0.1:4317. Needs the extra `tracing`.",
        "not at all",
    )
    traces_share: float = setting(
        1.0, SHARE, WATCHED, "Which share of the calls is traced where the caller does not say, from 0 to 1."
    )

    decision_log: str = setting(
        "",
        URL,
        LOG,
        "The decision log: sqlite:///FILE or postgresql+psycopg://HOST/NAME, without a password.",
        "a SQLite file in your state folder",
    )
    decision_log_file: Path | None = setting(
        None, FILE, LOG, "A file that holds the URL of the decision log; it may have a password.", "none"
    )
    log_durability: str = setting(
        DEFAULTS.durability.value,
        one_of(*(one.value for one in Durability)),
        LOG,
        "What is promised of an answer: `sync`, its record is on disk; `bounded`, only so many records or milliseconds are at risk; `off`, nothing.",
    )
    log_records: int = setting(
        DEFAULTS.records,
        integer(1),
        LOG,
        "Under `bounded`: at most so many records are at risk, in all workers together.",
    )
    log_milliseconds: int = setting(
        DEFAULTS.milliseconds,
        integer(1),
        LOG,
        "Under `bounded`: no answer leaves ahead of a record that is older than this.",
    )
    log_writer: str = setting(
        DEFAULTS.writer,
        NAME,
        LOG,
        "The name of this server's chains; servers that share a log have names of their own.",
    )
    log_patience: float = setting(
        DEFAULTS.patience,
        seconds(0.01),
        LOG,
        "How long an answer waits for its record before the call is refused; less if the caller's deadline is nearer. Keep it below what callers wait.",
    )
    log_mask_key: Path | None = setting(
        None, FILE, LOG, "The key of the tokens that stand for texts; without one, texts leave no token.", "none"
    )
    log_mask: tuple[str, ...] = setting((), TEXTS, LOG, "Mask what is not on the open list of this fact, too.", "none")
    log_in_clear: tuple[str, ...] = setting((), TEXTS, LOG, "Record this text as it is sent.", "none")
    log_sign: bool = setting(
        True,
        YES,
        LOG,
        "Sign how far the chain has come, every minute, so that `guidepost audit verify --key` and certificates prove something.",
    )
    log_sign_key: Path | None = setting(
        None, FILE, LOG, "The private key that signs.", "one in your state folder, made on first start"
    )
    audit_purge: bool = setting(
        False,
        YES,
        LOG,
        "Let anybody who may call remove old records from the decision log, over gRPC; where callers are known, the role `admin` may.",
    )

    tls_certificate: Path | None = setting(
        None,
        FILE,
        SECURITY,
        "The server's certificate and those above it, as PEM; read again when the file changes.",
        "no TLS",
    )
    tls_key: Path | None = setting(None, FILE, SECURITY, "The private key of the certificate.", "no TLS")
    tls_client_ca: Path | None = setting(
        None, FILE, SECURITY, "Only clients with a certificate of one of these authorities get in (mTLS).", "any client"
    )
    callers: Path | None = setting(
        None,
        FILE,
        SECURITY,
        "Who may call, with which keys and roles; read again when the file changes.",
        "everybody, on loopback",
    )
    jwt_keys: Path | None = setting(None, FILE, SECURITY, "The public keys of who issues tokens, as JWKS.", "no tokens")
    jwt_issuer: str = setting("", TEXT, SECURITY, "Who has to have issued a token.", "required with `--jwt-keys`")
    jwt_audience: str = setting("", TEXT, SECURITY, "For whom a token has to be.", "required with `--jwt-keys`")
    jwt_leeway: float = setting(30.0, seconds(0), SECURITY, "By how much the clocks of server and issuer may differ.")
    jwt_roles_claim: str = setting("guidepost_roles", NAME, SECURITY, "Where a token names the roles of its caller.")
    trust_network: bool = setting(
        False,
        YES,
        SECURITY,
        "Listen beyond loopback without TLS or callers: the network lets in only who may come in, as behind a mesh.",
    )

    max_in_flight: int = setting(
        1_000, integer(1), LIMITS, "Calls with one answer that may be under way in one worker."
    )
    max_streams: int = setting(32, integer(1), LIMITS, "Streams that may be under way in one worker.")
    max_health_watches: int = setting(1_000, integer(1), LIMITS, "Health watches that may be open in one worker.")
    max_incomplete: int = setting(
        48,
        integer(1),
        LIMITS,
        "Messages that one worker receives at once; one more ends the call that has waited longest.",
    )
    max_incomplete_open: int = setting(
        12,
        integer(1),
        LIMITS,
        "The same for health and for reflection, which need no key; also the most reflection streams.",
    )
    message_timeout: float = setting(10.0, seconds(0.1), LIMITS, "How long a message may take to arrive.")
    max_request_bytes: int = setting(1 << 20, integer(1_024), LIMITS, "The most bytes of a request.")
    max_batch: int = setting(1_000, integer(1, 1_000), LIMITS, "The most tickets of one call.")
    max_metadata_bytes: int = setting(16 << 10, integer(1_024), LIMITS, "The most bytes of a call's metadata.")
    max_connections: int = setting(
        1_000, integer(1), LIMITS, "Connections of one worker; further ones are closed at once."
    )
    max_connection_streams: int = setting(100, integer(1), LIMITS, "Calls that may be under way on one connection.")
    max_connection_idle: int = setting(
        900, integer(1), LIMITS, "After how many seconds without a call a connection is closed."
    )
    max_connection_age: int = setting(
        3_600, integer(1), LIMITS, "After how many seconds a connection is closed, so that clients spread anew."
    )
    max_connection_age_grace: int = setting(
        60, integer(1), LIMITS, "Seconds that the calls of such a connection have to end."
    )
    min_ping_interval: int = setting(
        5,
        integer(1),
        LIMITS,
        "Seconds between the pings of a client (keepalive), also without a call; a client that pings more often is disconnected.",
    )


def settings() -> tuple[Field[Any], ...]:
    """Return all settings, in their order."""
    return fields(ServerSettings)


def about(one: Field[Any]) -> SettingInfo:
    """Return what is known of a setting."""
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
