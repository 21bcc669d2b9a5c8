"""Protobuf <-> engine nouns, the one place that knows both.

``requests`` reads tickets, ``answers`` writes what was decided, ``policies`` and ``tables`` what a version says, ``diffs`` how two
versions differ, ``times`` what all of them say of time.
"""

from __future__ import annotations

from service.wire.answers import date, decision, notice, rescheduled, typed, undated, version_ref
from service.wire.diffs import decision_diff, diff_summary
from service.wire.policies import policy_version, summary
from service.wire.requests import NO_FACTS, TYPED_FACTS, WrongSelector, facts, moment, now, path, selection

__all__ = [
    "NO_FACTS", "TYPED_FACTS", "WrongSelector", "date", "decision", "decision_diff", "diff_summary", "facts", "moment", "notice", "now", "path", "policy_version",
    "rescheduled", "selection", "summary", "typed", "undated", "version_ref",
]
