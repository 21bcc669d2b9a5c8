"""Converts between protobuf messages and values of the engine; no other package knows both.

``fast_*`` encode the same messages as ``encode_*``, directly as bytes. Tests compare them byte by byte.

Modules::

    decode_request  requests in, facts and selections out
    encode_answer   answers in, messages out
    encode_diff     differences of versions in, messages out
    encode_policy   policies in, messages out
    encode_tables   tables, deadlines, rosters and calendars in, messages out
    audit           records of the decision log in, messages out; filters in
    times           instants, deadlines, duties and elapsed time in both directions
    fast_answer     answers in, bytes out
    fast_deadlines  deadlines and duties in, bytes out
    fast_protobuf   the wire format of protobuf
"""

from __future__ import annotations

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
from guidepost.server.wire.encode_answer import decision, notice, rescheduled, typed, version_ref
from guidepost.server.wire.encode_diff import decision_diff, diff_summary
from guidepost.server.wire.encode_policy import policy_version, summary
from guidepost.server.wire.fast_answer import Template, encode

__all__ = [
    "NO_FACTS",
    "TYPED_FACTS",
    "InvalidSelector",
    "Template",
    "checked_text",
    "decision",
    "decision_diff",
    "diff_summary",
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
