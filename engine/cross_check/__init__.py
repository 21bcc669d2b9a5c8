"""Prove that durable-rules and the tables that serve agree on every cell.

Each decision table is tabulated by our own vectorised evaluation. Before it may serve, durable-rules, in a process of
its own, evaluates the same rules as equality tests on class indices, and both must agree:

- `table`: what goes in, a `ProofTable`;
- `network`: its rules in small networks, each with only the cells that its own rules tell apart;
- `sample`: the cells asked of a table that is too large to be asked whole;
- `plan`: both together, and the plain data for the child;
- `worker`: the child process, the only module that calls durable-rules;
- `compare`: which rules count in every cell by its answers, against the array that serves;
- `run`: `prove`, from tables to a `ProofReport`;
- `cache`: proofs that succeeded, kept by digest.

>>> import numpy as np
>>> rules = (ProofRule("known", ((0, frozenset({1, 2})),)),)
>>> table = ProofTable("example", (("impact", 3),), rules, "unique", np.array([0, 1, 1], np.int32), ((), (0,)))
>>> print(prove([table]).tables[0])
example: proved whole, 3 of 3 cells (2 asked)
"""

from __future__ import annotations

from engine.cross_check.cache import ProofCache, proof_key
from engine.cross_check.plan import BUDGET, Extent
from engine.cross_check.report import Disagreement, Failure, ProofReport, TableProof
from engine.cross_check.run import TIMEOUT_SECONDS, prove
from engine.cross_check.table import ProofRule, ProofTable

__all__ = [
    "BUDGET",
    "TIMEOUT_SECONDS",
    "Disagreement",
    "Extent",
    "Failure",
    "ProofCache",
    "ProofReport",
    "ProofRule",
    "ProofTable",
    "TableProof",
    "proof_key",
    "prove",
]
