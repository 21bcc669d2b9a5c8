"""A policy's own worked examples: cases in YAML beside it, run against the version, with what they cover.

One module a step::

    case      the nouns: a case as written, and how it came out
    load      files, Policy       -> cases              (or every problem of them)
    expected  a case, Policy      -> problems of what it expects: words that nothing gives
    run       Version, cases      -> results
    select    an expression       -> which cases are meant
    coverage  Version, cases      -> which rules and cells their answers came from (joint: the cells of a deadline)
    propose   Version, cases      -> cases for what they leave out (witness: tickets for a rule)
    written   cases               -> YAML
"""

from __future__ import annotations

from engine.cases.case import Case, CaseResult
from engine.cases.load import load_cases, read_cases
from engine.cases.run import run_case, run_cases

__all__ = ["Case", "CaseResult", "load_cases", "read_cases", "run_case", "run_cases"]
