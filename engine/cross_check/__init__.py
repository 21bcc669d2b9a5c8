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
>>> table = ProofTable(name="example", axes=(("impact", 3),), rules=rules, policy="unique", hit=np.array([0, 1, 1], np.int32), hits=((), (0,)))
>>> print(prove([table]).tables[0])
example: proved whole, 3 of 3 cells (2 asked)

Modules::

    cache    keep proofs that succeeded, by a digest of all that they depend on
    compare  rebuild from durable-rules' matches which rules count in every cell, and compare with the table that
             serves
    network  small networks: a few dozen rules of one table on the cells that these rules tell apart
    plan     the plan of a proof
    report   what a proof says
    run      prove tables: start the child, wait for it, and compare its answers with what serves
    sample   which cells of a table too large to prove whole are put to durable-rules
    table    what is to be proved: a decision table over classes of values, as it will be served
    worker   the child process: puts planned cells to durable-rules and writes down which rules match
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
