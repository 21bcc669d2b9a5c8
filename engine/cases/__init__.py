"""A policy's own worked examples: cases in YAML beside it, run against the version, with what they cover.

Modules::

    case        the nouns of policy tests: a case as it is written, and how it came out
    comparison  what a case expects beside what came out, for people
    coverage    what cases cover
    expected    what a case expects, held against the policy
    joint       which cells of a deadline tickets can reach, and with which facts
    load        cases as YAML in, cases out, or every problem that they have
    propose     cases for what others leave out
    run         cases run against a version: each answer, and where it is not as expected
    select      which cases are meant
    witness     tickets for a rule
    written     cases as YAML, as a policy owner would write them
"""

from __future__ import annotations

from engine.cases.case import Case, CaseResult
from engine.cases.load import load_cases, read_cases
from engine.cases.run import run_case, run_cases

__all__ = ["Case", "CaseResult", "load_cases", "read_cases", "run_case", "run_cases"]
