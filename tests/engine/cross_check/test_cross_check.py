"""Durable-rules and the tables that serve agree on every cell, and nothing that happens to it harms the caller."""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cross_check import (
    LEAF,
    CrossCheckCache,
    CrossCheckReport,
    CrossCheckRule,
    CrossCheckTable,
    Disagreement,
    Extent,
    Failure,
    ServedRules,
    TableCrossCheck,
    cross_check_key,
    cross_check_tables,
)
from engine.cross_check.network import MAX_RULES, pack_sampled, pack_whole
from engine.cross_check.plan import plan
from engine.cross_check.run import WORKER

Tests = dict[int, set[int]]


def axes_of(sizes: list[int]) -> tuple[tuple[str, int], ...]:
    """Name the axes."""
    return tuple((f"fact{number}", size) for number, size in enumerate(sizes))


def rules_of(rules: list[Tests]) -> tuple[CrossCheckRule, ...]:
    """Name the rules."""
    return tuple(
        CrossCheckRule(f"r{number}", tuple((axis, frozenset(allowed)) for axis, allowed in tests.items()))
        for number, tests in enumerate(rules)
    )


def table(policy: str, sizes: list[int], rules: list[Tests], name: str = "example") -> CrossCheckTable:
    """Find the rules of each cell by plain loops, as slow and obvious as can be."""
    counted: dict[tuple[int, ...], tuple[int, ...]] = {}
    for cell in itertools.product(*map(range, sizes)):
        matching = [n for n, tests in enumerate(rules) if all(cell[axis] in allowed for axis, allowed in tests.items())]
        if policy == "unique":
            assert len(matching) <= 1, "the example is not a unique table"
        counted[cell] = tuple(matching if policy == "collect" else matching[:1])
    return CrossCheckTable(
        name=name,
        axes=axes_of(sizes),
        rules=rules_of(rules),
        policy=policy,
        served=(served(sizes, counted.__getitem__, len(rules)),),
    )


def served(sizes: list[int], counted: Callable[[tuple[int, ...]], tuple[int, ...]], rules: int) -> ServedRules:
    """Write down what counts in each cell as a diagram."""
    levels: list[dict[tuple[int, ...], int]] = [{} for _ in (*sizes, None)]

    def visit(cell: tuple[int, ...]) -> int:
        at = len(cell)
        below = counted(cell) if at == len(sizes) else tuple(visit((*cell, one)) for one in range(sizes[at]))
        return levels[at].setdefault(below, len(levels[at]))

    visit(())
    starts = list(itertools.accumulate(map(len, levels), initial=0))
    nodes = [
        (at, tuple(starts[at + 1] + one for one in below)) if at < len(sizes) else (LEAF, below)
        for at, level in enumerate(levels)
        for below in level
    ]
    return ServedRules(tuple(range(rules)), tuple(nodes))


def changed(example: CrossCheckTable, cells: Collection[tuple[int, ...]], rules: tuple[int, ...]) -> CrossCheckTable:
    """Return a table in which other rules count in some cells."""
    [right] = example.served
    wrong = served(
        list(example.shape), lambda cell: rules if cell in cells else right.counted(cell), len(example.rules)
    )
    return replace(example, served=(wrong,))


def large_table(policy: str, sizes: list[int], rules: list[Tests]) -> CrossCheckTable:
    """Draw many rules by painting the last one first; the first one that matches decides."""
    hit = np.full(sizes, -1, dtype=np.int32)
    for number, tests in reversed(list(enumerate(rules))):
        region = [sorted(tests.get(axis, range(size))) for axis, size in enumerate(sizes)]
        hit[np.ix_(*region)] = number
    one = served(sizes, lambda cell: (int(hit[cell]),) if hit[cell] >= 0 else (), len(rules))
    return CrossCheckTable(name="large", axes=axes_of(sizes), rules=rules_of(rules), policy=policy, served=(one,))


def steps(count: int) -> CrossCheckTable:
    """List a step for each of many facts; each step is a diagram of its own."""
    rules: list[Tests] = [{axis: {2}} for axis in range(count)]
    parts = tuple(ServedRules((axis,), ((axis, (1, 1, 2)), (LEAF, ()), (LEAF, (axis,)))) for axis in range(count))
    return CrossCheckTable(
        name="steps", axes=axes_of([3] * count), rules=rules_of(rules), policy="collect", served=parts
    )


MATRIX = table("unique", [4, 4], [{0: {row}, 1: {column}} for row in (1, 2, 3) for column in (1, 2, 3)], "matrix")
LADDER = table("first", [4, 3, 2], [{0: {3}, 1: {1, 2}}, {0: {2, 3}}, {2: {0}, 1: {1}}], "ladder")
UNMET = table("collect", [3, 3, 4], [{0: {1}}, {1: {0, 2}}, {2: {1, 2, 3}}, {0: {1, 2}, 2: {0}}], "unmet")


@pytest.mark.parametrize("example", [MATRIX, LADDER, UNMET], ids=lambda example: example.policy)
def test_durable_rules_agrees_on_every_cell_of_a_right_table(example: CrossCheckTable) -> None:
    report = cross_check_tables([example])

    assert report.ok
    assert (Extent.WHOLE, example.cells, 0) == (
        report.tables[0].extent,
        report.tables[0].covered,
        report.tables[0].disagreements,
    )


@pytest.mark.parametrize("budget", [40_000, 0], ids=["whole", "sampled"])
@pytest.mark.parametrize("example", [MATRIX, LADDER, UNMET], ids=lambda example: example.policy)
def test_a_wrong_cell_is_found_and_named(example: CrossCheckTable, budget: int) -> None:
    cell = tuple(1 for _ in example.axes)
    right = example.expected(cell)
    wrong = () if right else (0,)
    report = cross_check_tables([changed(example, {cell}, wrong)], budget=budget)
    expected, got = (tuple(example.rules[one].id for one in counted) for counted in (wrong, right))

    assert not report.ok
    assert 1 == report.tables[0].disagreements
    assert (
        Disagreement(table=example.name, cell=cell, expected_rules=expected, got_rules=got),
    ) == report.disagreements


def test_an_overlap_in_a_unique_table_is_a_disagreement_that_names_both_rules() -> None:
    overlapping = replace(table("first", [3, 3], [{0: {1}}, {1: {2}}]), policy="unique")

    assert (
        Disagreement(table="example", cell=(1, 2), expected_rules=("r0",), got_rules=("r0", "r1")),
    ) == cross_check_tables([overlapping]).disagreements


def test_only_the_first_disagreements_are_given_and_all_are_counted() -> None:
    report = cross_check_tables([changed(MATRIX, set(itertools.product(range(4), repeat=2)), ())])

    assert (9, 5) == (report.tables[0].disagreements, len(report.disagreements))


def test_a_wrong_table_does_not_hide_another() -> None:
    wrong = changed(LADDER, {(3, 1, 1)}, ())
    report = cross_check_tables([MATRIX, wrong, UNMET])

    assert ["matrix", "ladder", "unmet"] == [one.table for one in report.tables]
    assert {"ladder"} == {disagreement.table for disagreement in report.disagreements}


def test_rules_without_tests_always_match() -> None:
    assert cross_check_tables([table("collect", [3], [{}, {0: {1}}, {}])]).ok
    assert cross_check_tables([table("first", [2, 2], [{0: {1}}, {}])]).ok


def test_tables_without_axes_or_rules_are_proved() -> None:
    report = cross_check_tables([table("first", [], [{}]), table("unique", [3], [])])

    assert report.ok
    assert [1, 0] == [one.asked for one in report.tables]


def test_no_tables_need_no_durable_rules() -> None:
    assert CrossCheckReport(()) == cross_check_tables([], command=["/no/such/program"])


def test_rules_that_allow_none_or_all_classes_are_proved() -> None:
    assert cross_check_tables([table("collect", [3, 2], [{0: set()}, {0: {0, 1, 2}}, {0: {1}, 1: {0, 1}}])]).ok


def test_lists_of_39_of_40_classes_are_proved() -> None:
    rules: list[Tests] = [{0: set(range(40)) - {number}, 1: {number % 3}} for number in range(40)]
    report = cross_check_tables([table("collect", [40, 3], rules)])

    assert report.ok
    assert report.tables[0].extent is Extent.WHOLE


def test_a_rule_with_more_tests_than_durable_rules_takes_as_lists_is_proved() -> None:
    rules: list[Tests] = [{axis: {0, 1} for axis in range(15)}, {axis: {1} for axis in range(15)}, {0: {1}}]

    assert cross_check_tables([large_table("first", [2] * 15, rules)]).ok


@st.composite
def tables(draw: st.DrawFn) -> CrossCheckTable:
    """Draw a small table of any hit policy."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    tests = st.fixed_dictionaries({}, optional={a: st.sets(st.integers(0, size - 1)) for a, size in enumerate(sizes)})
    rules = draw(st.lists(tests, max_size=70))
    policy = draw(st.sampled_from(["unique", "first", "collect"]))
    if policy == "unique":
        rules = [dict(enumerate({c} for c in cell)) for cell in itertools.product(*map(range, sizes)) if sum(cell) % 2]
    return table(policy, sizes, draw(st.permutations(rules)) if len(rules) < 10 else rules)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(examples=st.lists(tables(), min_size=1, max_size=4), budget=st.sampled_from([0, 30, 40_000]))
def test_durable_rules_agrees_with_plain_loops_on_random_tables(examples: list[CrossCheckTable], budget: int) -> None:
    report = cross_check_tables(examples, budget=budget)

    assert report.ok, report


@settings(max_examples=25, deadline=None)
@given(example=tables())
def test_networks_hold_every_rule_once_and_merge_only_what_no_rule_of_theirs_tells_apart(
    example: CrossCheckTable,
) -> None:
    for networks in (pack_whole(example, 10**9), pack_sampled(example)):
        assert networks is not None
        assert list(range(len(example.rules))) == sorted(rule for network in networks for rule in network.rules)
        for network in networks:
            assert len(network.rules) <= MAX_RULES
            for rule, tests in zip(network.rules, network.tests, strict=True):
                for (axis, allowed), (position, merged) in zip(sorted(example.rules[rule].tests), tests, strict=True):
                    assert network.axes[position] == axis
                    for c in range(example.shape[axis]):
                        assert (c in allowed) == (network.merged[position][c] in merged)


def random_rules(count: int, sizes: list[int], seed: int) -> list[Tests]:
    """Draw rules with single values and lists on some of the axes."""
    chance = random.Random(seed)
    return [
        {
            axis: set(chance.sample(range(sizes[axis]), chance.randrange(1, 4)))
            for axis in sorted(chance.sample(range(len(sizes)), chance.randrange(2, 5)))
        }
        for _ in range(count)
    ]


def test_a_sample_has_every_corner_of_every_rule() -> None:
    sizes = [6, 5, 7, 6]
    example = large_table("first", sizes, random_rules(200, sizes, seed=1))
    planned = plan([example], budget=100).tables[0]
    assert planned.sample is not None
    for index, rule in enumerate(example.rules):
        [home] = [n for n, question in enumerate(planned.questions) if index in question.network.rules]
        asked = planned.sample.cells[planned.sample.rows[home]]
        axes = [axis for axis, _ in rule.tests]
        seen = set(map(tuple, asked[:, axes].tolist()))
        first = [min(allowed) for _, allowed in rule.tests]

        assert tuple(first) in seen
        assert tuple(max(allowed) for _, allowed in rule.tests) in seen
        for place, (axis, allowed) in enumerate(rule.tests):
            refused = set(range(sizes[axis])) - allowed
            nearest = min(abs(r - c) for r in refused for c in allowed)
            beside = {r for r in refused for c in allowed if abs(r - c) == nearest}
            assert (*first[:place], 0, *first[place + 1 :]) in seen
            assert any((*first[:place], c, *first[place + 1 :]) in seen for c in beside)


def test_the_same_seed_gives_the_same_sample_and_another_seed_another() -> None:
    sizes = [6, 5, 7, 6]
    example = large_table("first", sizes, random_rules(200, sizes, seed=2))
    first, again, other = (json.dumps(plan([example], budget=100, seed=seed).as_plain()) for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_a_table_beyond_its_budget_is_sampled_and_says_so() -> None:
    sizes = [6, 5, 7, 6]
    example = large_table("first", sizes, random_rules(200, sizes, seed=3))
    [sampled] = cross_check_tables([example], budget=100).tables
    [whole] = cross_check_tables([example], budget=10**6).tables

    assert (Extent.SAMPLED, Extent.WHOLE) == (sampled.extent, whole.extent)
    assert sampled.covered < sampled.cells == whole.covered
    assert (0, 0) == (sampled.disagreements, whole.disagreements)


@pytest.mark.parametrize("count", [40, 70])
def test_a_list_of_many_steps_is_sampled_part_by_part(count: int) -> None:
    [sampled] = cross_check_tables([steps(count)], budget=2_000).tables

    assert (Extent.SAMPLED, 3**count, 0) == (sampled.extent, sampled.cells, sampled.disagreements)


def test_a_step_that_never_counts_is_found_by_a_sample() -> None:
    example = steps(40)
    never = ServedRules((7,), ((LEAF, ()),))
    report = cross_check_tables([replace(example, served=(*example.served[:7], never, *example.served[8:]))])

    assert report.tables[0].disagreements
    assert {(("r7" in one.expected_rules), ("r7" in one.got_rules)) for one in report.disagreements} == {(False, True)}


def test_one_rule_that_tests_more_facts_than_a_number_of_64_bits_can_count_is_sampled() -> None:
    rules = (CrossCheckRule("all", tuple((axis, frozenset({2})) for axis in range(70))),)
    nodes = ((axis, (71, 71, axis + 1)) for axis in range(70))
    deep = ServedRules((0,), (*nodes, (LEAF, (0,)), (LEAF, ())))
    example = CrossCheckTable(name="deep", axes=axes_of([3] * 70), rules=rules, policy="first", served=(deep,))

    assert cross_check_tables([example], budget=500).ok
    assert not cross_check_tables([replace(example, served=(ServedRules((0,), ((LEAF, ()),)),))], budget=500).ok


def test_a_sample_meets_every_leaf_that_serves() -> None:
    sizes = [6, 5, 7, 6]
    example = large_table("first", sizes, random_rules(200, sizes, seed=5))
    planned = plan([example], budget=100).tables[0]
    assert planned.sample is not None
    [part] = example.served
    leaves = {below for axis, below in part.nodes if axis == LEAF}

    assert leaves == {part.counted(tuple(cell)) for cell in planned.sample.cells.tolist()}


def test_ten_thousand_rules_are_proved_by_a_sample() -> None:
    sizes = [10, 10, 10, 10, 10]
    example = large_table("first", sizes, random_rules(10_000, sizes, seed=4))
    report = cross_check_tables([example])

    assert report.ok, report
    assert report.tables[0].extent is Extent.SAMPLED


# What can happen to the child


def stand_in(folder: Path, at_ask: str) -> list[str]:
    """Return a command that runs the worker with something happening at its sixth question."""
    script = folder / "stand_in.py"
    script.write_text(
        "import importlib.util, os, signal, sys, time\n"
        f"spec = importlib.util.spec_from_file_location('worker', {str(WORKER)!r})\n"
        "worker = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(worker)\n"
        "ask, asked = worker.ask, []\n"
        "def ask_or_not(engine, handle, fact):\n"
        "    asked.append(fact)\n"
        "    if len(asked) == 6:\n"
        f"        {at_ask}\n"
        "    return ask(engine, handle, fact)\n"
        "worker.ask = ask_or_not\n"
        "sys.exit(worker.main(sys.argv[1:]))\n",
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


ENTRIES = table("unique", [4], [{0: {number}} for number in (1, 2, 3)], "entries")
SIXTH = (0, 1)
"""The cell of the matrix that is asked second, after the four of the entries."""


def failing(folder: Path, at_ask: str, timeout_seconds: float = 60) -> tuple[CrossCheckReport, Failure]:
    """Cross-check two tables with a child that fails at the second cell of the second table."""
    command = stand_in(folder, at_ask)
    report = cross_check_tables([ENTRIES, MATRIX], command=command, timeout_seconds=timeout_seconds)
    [failure] = report.failures
    return report, failure


def test_a_crash_of_the_child_names_table_and_cell_and_spares_the_parent(tmp_path: Path) -> None:
    report, failure = failing(tmp_path, "os.kill(os.getpid(), signal.SIGSEGV)")

    assert not report.ok
    assert Failure(table="matrix", cell=SIXTH, reason="the child was ended by SIGSEGV") == failure
    assert (
        TableCrossCheck(table="entries", extent=Extent.WHOLE, cells=4, covered=4, asked=4, disagreements=0),
    ) == report.tables
    assert cross_check_tables([ENTRIES, MATRIX]).ok


def test_a_child_that_hangs_is_ended_and_names_table_and_cell(tmp_path: Path) -> None:
    report, failure = failing(tmp_path, "time.sleep(60)", timeout_seconds=2)

    assert not report.ok
    assert Failure(table="matrix", cell=SIXTH, reason="the child was ended after 2 seconds") == failure


def test_an_error_code_of_durable_rules_names_table_and_cell(tmp_path: Path) -> None:
    _, failure = failing(tmp_path, "raise engine.error('Could not assert fact, error code: 303')")

    assert ("matrix", SIXTH) == (failure.table, failure.cell)
    assert "the child ended with exit code 4: durable-rules: Could not assert fact, error code: 303" == failure.reason


STALE = """'{"id":99,"any":1,"f0":1,"f1":1}'"""


def test_a_match_of_another_fact_is_refused(tmp_path: Path) -> None:
    _, failure = failing(tmp_path, f"engine.assert_fact(handle, {STALE})")

    assert "matrix" == failure.table
    assert "durable-rules: unexpected match" in failure.reason


def test_a_fact_left_behind_is_refused(tmp_path: Path) -> None:
    at_ask = f"_, s = engine.assert_fact(handle, {STALE}); engine.start_action_for_state(handle, s)"
    _, failure = failing(tmp_path, f"{at_ask}; engine.complete_and_start_action(handle, s)")

    assert "matrix" == failure.table
    assert "durable-rules: facts left behind" in failure.reason


def test_a_wrong_answer_of_durable_rules_is_a_disagreement(tmp_path: Path) -> None:
    report = cross_check_tables([ENTRIES, MATRIX], command=stand_in(tmp_path, "return ask(engine, handle, fact) | 1"))

    assert (Disagreement(table="matrix", cell=SIXTH, expected_rules=(), got_rules=("r0",)),) == report.disagreements


def test_a_code_other_than_taken_or_unmatched_is_refused(tmp_path: Path) -> None:
    _, failure = failing(tmp_path, "ask(type('E', (), {'assert_fact': lambda *a: (2, 1)}), handle, 'F')")

    assert "the child ended with exit code 4: durable-rules: code 2 on asserting F" == failure.reason


def test_a_mistake_in_the_child_is_a_failure_with_its_last_line(tmp_path: Path) -> None:
    _, failure = failing(tmp_path, "1 / 0")

    assert "the child ended with exit code 1: ZeroDivisionError: division by zero" == failure.reason


def test_a_child_that_answers_too_little_is_a_failure() -> None:
    [failure] = cross_check_tables([MATRIX], command=[sys.executable, "-c", "pass"]).failures

    assert Failure(table=None, cell=None, reason="the child answered for 0 of 16 cells") == failure


def test_durable_rules_not_installed_is_a_failure_that_says_so() -> None:
    report = cross_check_tables([MATRIX], command=[sys.executable, "-I", "-S", str(WORKER)])
    [failure] = report.failures

    assert () == report.tables
    assert failure.reason == "durable-rules is not installed: No module named 'durable_rules_engine'"
    assert (
        failure.help
        == "install Guidepost for Python 3.11 or 3.12; `guidepost check --no-cross-check` checks everything else"
    )


def test_where_python_is_too_new_for_durable_rules_that_is_the_reason() -> None:
    program = f"import sys; sys.version_info = (3, 13, 1); sys.argv[0] = '{WORKER}'; exec(compile(open('{WORKER}').read(), '{WORKER}', 'exec'))"
    [failure] = cross_check_tables([MATRIX], command=[sys.executable, "-I", "-S", "-c", program]).failures

    assert failure.reason == "durable-rules is not installed: it runs on Python 3.11 and 3.12, and this is Python 3.13"


def test_a_child_that_cannot_be_started_is_a_failure() -> None:
    [failure] = cross_check_tables([MATRIX], command=["/no/such/program"]).failures

    assert failure.reason.startswith("the child did not start: ")


# Kept results


def test_a_kept_result_is_returned(tmp_path: Path) -> None:
    cache = CrossCheckCache(tmp_path / "checks")
    key = cross_check_key([MATRIX, UNMET])
    report = cross_check_tables([MATRIX, UNMET])

    assert cache.load(key) is None
    assert cache.store(key, report)
    assert report == cache.load(key)
    assert [f"{key}.json"] == os.listdir(tmp_path / "checks")


def test_failed_cross_checks_are_not_kept(tmp_path: Path) -> None:
    cache = CrossCheckCache(tmp_path)
    key = cross_check_key([MATRIX])

    assert not cache.store(key, CrossCheckReport((), failures=(Failure(table=None, cell=None, reason="it failed"),)))
    assert not cache.store(
        key,
        CrossCheckReport(
            (TableCrossCheck(table="matrix", extent=Extent.WHOLE, cells=16, covered=16, asked=16, disagreements=1),)
        ),
    )
    assert [] == os.listdir(tmp_path)


def test_damaged_and_foreign_files_are_ignored(tmp_path: Path) -> None:
    cache = CrossCheckCache(tmp_path)
    key, other = cross_check_key([MATRIX]), cross_check_key([UNMET])
    cache.store(key, cross_check_tables([MATRIX]))
    good = (tmp_path / f"{key}.json").read_text(encoding="utf-8")
    (tmp_path / f"{other}.json").write_text(good, encoding="utf-8")
    assert cache.load(other) is None
    for bad in ("", good[:-20], good.replace("16", "17"), "[]", "null", "[" * 100_000, "\x00\xff", '{"key": 1}'):
        (tmp_path / f"{key}.json").write_text(bad, encoding="utf-8")
        assert cache.load(key) is None
    (tmp_path / f"{key}.json").write_text(good, encoding="utf-8")
    assert cache.load(key) is not None


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")

    assert not CrossCheckCache(tmp_path / "file").store(cross_check_key([]), CrossCheckReport(()))


def test_the_key_covers_all_that_the_result_depends_on() -> None:
    changed_rule = CrossCheckRule("r0", ((0, frozenset({1})), (1, frozenset({2}))))
    keys = [
        cross_check_key([MATRIX]),
        cross_check_key([MATRIX], budget=1),
        cross_check_key([MATRIX], seed=1),
        cross_check_key([MATRIX, UNMET]),
        cross_check_key([replace(MATRIX, name="other")]),
        cross_check_key([replace(MATRIX, policy="first")]),
        cross_check_key([changed(MATRIX, {(1, 1)}, ())]),
        cross_check_key([replace(MATRIX, axes=(("other", 4), ("fact1", 4)))]),
        cross_check_key([replace(MATRIX, rules=(changed_rule, *MATRIX.rules[1:]))]),
    ]

    assert len(keys) == len(set(keys))
    assert keys[0] == cross_check_key([changed(MATRIX, set(), ())])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policy": "any"}, "unknown hit policy"),
        ({"served": ()}, "expected one diagram of all rules"),
        ({"served": (ServedRules(tuple(range(9)), ((LEAF, (9,)),)),)}, "a leaf has a rule"),
        ({"served": (ServedRules(tuple(range(9)), ((0, (1, 1)), (LEAF, ()))),)}, "a later node for each class"),
        ({"served": (ServedRules(tuple(range(9)), ((0, (0, 0, 0, 0)), (LEAF, ()))),)}, "a later node for each class"),
        ({"rules": (CrossCheckRule("r", ((0, frozenset({4})),)),)}, "an axis or class that is not there"),
        ({"rules": (CrossCheckRule("r", ((0, frozenset({1})), (0, frozenset({2})))),)}, "tests an axis twice"),
    ],
)
def test_a_table_that_does_not_fit_together_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MATRIX, **change)  # type: ignore[arg-type]  # one field at a time
