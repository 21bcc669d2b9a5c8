"""Protobuf <-> engine nouns, the one place that knows both.

``requests`` reads tickets, ``answers`` writes what was decided, ``encoded`` the same as bytes
(``encoding`` has the wire format, ``encoded_times`` what is due), ``policies`` and ``tables`` what a version says, ``diffs`` how two
versions differ, ``audit`` what the decision log holds, ``times`` what all of them say of time.

Modules::

    audit           the decision log on the wire
    decode_request  inward
    encode_answer   outward: an answer becomes a message, common or typed
    encode_diff     outward: the difference of two versions
    encode_policy   outward: what a version says, for policy owners and auditors
    encode_tables   outward: the tables, deadlines, rosters and calendars of a version, as they are written
    fast_answer     an answer as bytes
    fast_deadlines  deadlines and duties as bytes
    fast_protobuf   the wire format of protobuf, as far as answers are put together from parts that are encoded
                    already
    times           time on the wire: instants, deadlines, turns, and what has passed
"""

from __future__ import annotations

from guidepost.server.wire.audit import (
    asked_instant,
    checked_text,
    entry,
    explanation,
    log_filter,
    purged_chain,
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
    "asked_instant",
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
    "rescheduled",
    "selection",
    "summary",
    "typed",
    "verification",
    "version_ref",
]
