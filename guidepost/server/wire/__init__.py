"""Converts between protobuf messages and values of the engine; no other package knows both.

``*_bytes`` encode the same as ``*_message``, directly as bytes. Tests compare them byte by byte.

Modules::

    decode_request  requests in, facts and selections out
    answer_message  answers in, messages out
    diff_message    differences of versions in, messages out
    policy_message  policies in, messages out
    table_messages  tables, deadlines, rosters and calendars in, messages out
    audit           records of the decision log in, messages out; filters in
    times           instants, deadlines, duties and elapsed time in both directions
    answer_bytes    answers in, bytes out
    deadline_bytes  deadlines and duties in, bytes out
    protobuf_bytes  the wire format of protobuf
"""

from __future__ import annotations

from guidepost.server.wire.answer_bytes import EncodedAnswer, encode
from guidepost.server.wire.answer_message import decision, notice, rescheduled, typed, version_ref
from guidepost.server.wire.audit import (
    checked_text,
    entry,
    explanation,
    log_filter,
    purged_chain,
    required_instant,
    verification,
)
from guidepost.server.wire.decode_request import (
    NO_FACTS,
    TYPED_FACTS,
    InvalidSelector,
    facts,
    moment,
    now,
    path,
    selection,
)
from guidepost.server.wire.policy_message import policy_version, summary

__all__ = [
    "NO_FACTS",
    "TYPED_FACTS",
    "EncodedAnswer",
    "InvalidSelector",
    "checked_text",
    "decision",
    "encode",
    "entry",
    "explanation",
    "facts",
    "log_filter",
    "moment",
    "notice",
    "now",
    "path",
    "policy_version",
    "purged_chain",
    "required_instant",
    "rescheduled",
    "selection",
    "summary",
    "typed",
    "verification",
    "version_ref",
]
