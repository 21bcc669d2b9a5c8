"""What the check says of a rule that can never fire holds in plain loops."""

from __future__ import annotations

import re
from itertools import product

from hypothesis import HealthCheck, given, settings

from engine.load import load
from engine.model.problems import PolicyErrors
from engine.tables.atoms import all_atoms
from engine.version.build import build
from tests.oracle import Oracle
from tests.support.strategies import policies


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(policies())
def test_the_rule_that_is_named_fires_for_the_witness(files: dict[str, str]) -> None:
    try:
        build(files)
    except PolicyErrors as error:
        problems = error.problems
    else:
        return
    policy = load(files)
    values = {name: one.samples for name, one in all_atoms(policy).items() if name in policy.facts}
    oracle = Oracle(policy, values)
    tables = {rule.id: table for table in policy.tables.values() for rule in table.all_rules}
    for problem in problems:
        named = re.match(r"for the witness, `(.+)` in line", problem.help)
        if problem.code != "never-fires" or not named:
            continue
        table = tables[named[1]]
        sent = {
            fact: next(one for one in values[fact] if str(one).removesuffix(".0") == text)
            for fact, text in problem.witness
        }
        alone = dict.fromkeys(policy.facts) | sent
        others = [] if not oracle.open_facts(table, alone) else [fact for fact in values if fact not in sent]
        for chosen in product(*(values[fact] for fact in others)):
            known = alone | dict(zip(others, chosen, strict=True))
            read = {name: oracle._known(name, known) for name in table.reads}
            assert [rule.id for rule in oracle._counting(table, read)][:1] == [named[1]]
