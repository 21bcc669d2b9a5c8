"""Cases: a policy's worked examples in YAML, run against the version, with their coverage.

Modules::

    case          a case, its result and its mismatches
    cases_yaml    cases -> YAML
    cells         combinations of what a table reads that tickets reach
    comparison    expected and actual values as text for people
    coverage      the rules and cells that cases cover
    expected      checks the expectations of a case against the policy
    load          YAML -> cases, or every problem
    propose       cases for what is not covered
    rule_tickets  tickets for a rule
    run           cases and a version -> answers and mismatches
    select        expressions that select cases
"""

from __future__ import annotations

from engine.cases.case import Case, CaseResult
from engine.cases.load import load_cases, read_cases
from engine.cases.run import run_case, run_cases

__all__ = ["Case", "CaseResult", "load_cases", "read_cases", "run_case", "run_cases"]
