"""Results of cases, for the terminal and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.cases import Case, CaseResult
from engine.cases.coverage import Coverage, TableCoverage, TableKind, percent
from engine.cases.rule_tickets import RuleTickets, Witness
from engine.decide.answer_times_json import iso
from engine.model.quoting import shell_word
from engine.request.moment import Hold
from engine.version.version import Version
from guidepost.policies.run_cases import CaseRun, CaseSource
from guidepost.render.console import JsonObject, count, sectioned_table
from guidepost.render.messages import problem_text
from guidepost.render.policy_json import plain_place


def case_run_parts(trial: CaseRun, *, verbose: bool) -> Iterator[RenderableType]:
    """Yield the results of one version: problems, failed cases, passed ones if verbose, and their number."""
    yield Text.assemble(
        (trial.source.root, "bold"),
        (f"  {trial.ref.name} {trial.ref.version}" if trial.ref else "  not loaded", "dim" if trial.ref else "red"),
    )
    yield from map(problem_text, trial.problems)
    for timed in trial.results:
        if not timed.result.passed:
            yield from failure_parts(timed.result, trial)
        elif verbose:
            yield Text.assemble(
                ("  passed  ", "green"), timed.result.case.name, (f"  {timed.result.case.place}", "dim"), no_wrap=True
            )
    if trial.results or not trial.problems:
        yield Padding(_count_text(trial), (0, 0, 0, 2))


def failure_parts(result: CaseResult, trial: CaseRun) -> Iterator[RenderableType]:
    """Yield a failed case: each difference with its rules, and a command that shows it."""
    yield Text.assemble((f"{result.case.place}: ", "bold"), result.case.name, (" [failed case]", "red"), no_wrap=True)
    for one in result.found:
        yield Text(f"    {one.sentence}", no_wrap=True)
        for rule in one.rules:
            source = f", source {rule.source}" if rule.source else ""
            yield Text(f"        by {rule.id}, {rule.place}{source}", "dim", no_wrap=True)
    yield Text(
        f"    try: {eval_command(result.case, trial.source, trial.ref.version if trial.ref else '')}",
        "cyan",
        no_wrap=True,
    )


def eval_command(case: Case, source: CaseSource, version: str) -> str:
    """Return the command line that decides the ticket of a case."""
    words = ["guidepost", "eval", case.decision, *(f"{name}={value}" for name, value in case.facts.items())]
    words += ["--now", iso(case.moment.now)] if case.moment.now else []
    for hold in case.moment.holds:
        words += ["--pause", _hold_text(hold)]
    words += ["--policies", source.policies, "--version", version] if source.policies else []
    return " ".join(map(shell_word, [*words, "--explain"]))


def _hold_text(hold: Hold) -> str:
    begin, end = hold
    return f"{iso(begin)}/{iso(end) if end else ''}"


def _count_text(trial: CaseRun) -> Text:
    failed, run = len(trial.failed), len(trial.results)
    left_out = f", {trial.left_out:,} left out" if trial.left_out else ""
    return Text.assemble(
        (f"{failed:,} of {count(run, 'case')} failed", "bold red")
        if failed
        else (f"{count(run, 'case')} passed", "green"),
        (left_out, "dim"),
    )


def coverage_parts(version: Version, covered: Coverage) -> Iterator[RenderableType]:
    """Yield the coverage of each table, then the rules that no case covers, each with a ticket for it."""
    rules, cells = covered.rules, covered.cells
    rows = [_coverage_row(table) for table in covered.tables]
    total: tuple[RenderableType, ...] = ("all", "", Text(_share(*rules), "bold"), Text(_share(*cells), "bold"))
    yield Padding(sectioned_table(("table", "", "rules", "cells"), [rows, [total]]), (1, 0, 1, 2))
    witnesses = RuleTickets(version)
    for rule, witness in missed_rules(covered, witnesses):
        yield Text.assemble(
            (f"{rule[1]}: ", "bold"), f"no case covers `{rule[0]}`", (" [not covered]", "yellow"), no_wrap=True
        )
        found = (
            f"witness: {_facts_text(witness)} ({witness.decision})" if witness else "no ticket was found that uses it"
        )
        yield Text(f"    {found}", "dim", no_wrap=True)
    if not covered.missed:
        yield Padding(Text(f"every rule is covered: {rules[1]:,} of {rules[1]:,}", "green"), (0, 0, 0, 2))


def missed_rules(covered: Coverage, witnesses: RuleTickets) -> Iterator[tuple[tuple[str, object], Witness | None]]:
    """Yield the id and place of each rule that no case covers, with a ticket for it if there is one."""
    for table in covered.tables:
        for at, rule in enumerate(table.rules):
            if not rule.cases:
                yield (
                    (rule.id, rule.place),
                    witnesses.first_turn(table.name)
                    if table.kind is TableKind.ROSTER
                    else witnesses.rule(table.name, at),
                )


def _coverage_row(table: TableCoverage) -> tuple[RenderableType, ...]:
    whole = table.rules_hit == len(table.rules)
    style = "dim" if whole else "yellow"
    cells = _share(table.hit, table.cells) if table.cells is not None else f"{table.hit:,} of too many to count"
    return (
        Text(table.name, style),
        Text("" if table.kind is TableKind.TABLE else table.kind.value, "dim"),
        Text(_share(table.rules_hit, len(table.rules)), style),
        Text(cells, "dim"),
    )


def _share(part: int, whole: int) -> str:
    """Return a share as text; it is never rounded up to the whole.

    >>> _share(3, 4), _share(9999, 10000)
    ('3 of 4, 75 %', '9,999 of 10,000, 99.9 %')
    """
    return f"{part:,} of {whole:,}, {share_text(part, whole)} %"


def share_text(part: int, whole: int) -> str:
    """Return a share in percent, truncated to one decimal."""
    return f"{int(10 * percent(part, whole)) / 10:g}"


def _facts_text(witness: Witness) -> str:
    return ", ".join(f"{name}={value}" for name, value in witness.facts.items()) or "no facts"


def summary_text(trials: Sequence[CaseRun], seconds: float) -> Text:
    """Return the results of all versions in one line."""
    run, failed = sum(len(one.results) for one in trials), sum(len(one.failed) for one in trials)
    problems = sum(len(one.problems) for one in trials)
    broken = [one.source.root for one in trials if one.ref is None]
    return Text.assemble(
        f"{count(len(trials), 'version')}: ",
        (count(problems, "problem"), "bold red") if problems else "",
        (", ", "; ")[bool(broken)] if problems else "",
        (cases_summary(failed, run, broken), "bold red" if failed else "yellow" if broken else "green"),
        (f" in {seconds:.1f} s", "dim"),
    )


def cases_summary(failed: int, run: int, broken: Sequence[str]) -> str:
    """Return how many cases failed, and which versions could not run theirs.

    >>> cases_summary(1, 3, []), cases_summary(0, 0, ["policies"])
    ('1 of 3 cases failed', 'the cases of policies were not run')
    >>> cases_summary(0, 3, ["policies"])
    'the cases of policies were not run, 3 of 3 elsewhere passed'
    """
    if not broken:
        return f"{failed:,} of {count(run, 'case')} failed" if run else "no case run"
    elsewhere = (
        f", {failed:,} of {run:,} elsewhere failed"
        if failed
        else f", {run:,} of {run:,} elsewhere passed"
        if run
        else ""
    )
    return f"the cases of {' and '.join(broken)} were not run{elsewhere}"


def plain_case_runs(trials: Sequence[CaseRun], seconds: float, *, ok: bool) -> JsonObject:
    """Return the results of all versions as data."""
    return {"ok": ok, "seconds": round(seconds, 3), "versions": [_plain_trial(one) for one in trials]}


def _plain_trial(trial: CaseRun) -> JsonObject:
    found: JsonObject = {
        "folder": trial.source.root,
        "name": trial.ref.name if trial.ref else None,
        "version": trial.ref.version if trial.ref else None,
        "digest": trial.ref.digest if trial.ref else None,
        "problems": [problem.as_plain() for problem in trial.problems],
        "run": len(trial.results),
        "failed": len(trial.failed),
        "left_out": trial.left_out,
        "cases": [_plain_result(timed.result, trial) for timed in trial.results],
    }
    if trial.coverage is not None and trial.version is not None:
        found["coverage"] = plain_coverage(trial.coverage, trial.version)
    return found


def _plain_result(result: CaseResult, trial: CaseRun) -> JsonObject:
    found: JsonObject = {
        "name": result.case.name,
        "decision": result.case.decision,
        "place": plain_place(result.case.place),
        "passed": result.passed,
    }
    if not result.passed:
        found["differences"] = [
            {
                "what": one.what,
                "expected": one.expected,
                "got": one.got,
                "rules": [
                    {"rule": rule.id, "place": plain_place(rule.place), "source": rule.source} for rule in one.rules
                ],
            }
            | ({"missing": [*one.missing]} if one.missing else {})
            for one in result.found
        ]
        found["try"] = eval_command(result.case, trial.source, trial.ref.version if trial.ref else "")
    return found


def plain_coverage(covered: Coverage, version: Version) -> JsonObject:
    """Return coverage as data, with tickets for the first uncovered cells of each table."""
    witnesses = RuleTickets(version)
    missed = [
        {
            "rule": rule[0],
            "place": str(rule[1]),
            "witness": {"decision": witness.decision, "facts": dict(witness.facts)} if witness else None,
        }
        for rule, witness in missed_rules(covered, witnesses)
    ]
    return {
        "rules": _plain_share(*covered.rules),
        "cells": _plain_share(*covered.cells),
        "missed_rules": missed,
        "tables": [_plain_table(table, witnesses) for table in covered.tables],
    }


def _plain_table(table: TableCoverage, witnesses: RuleTickets) -> JsonObject:
    return {
        "table": table.name,
        "kind": table.kind.value,
        "place": plain_place(table.place),
        "rules": _plain_share(table.rules_hit, len(table.rules)),
        "cells": _plain_share(table.hit, table.cells) if table.cells is not None else None,
        "rules_by_cases": {rule.id: rule.cases for rule in table.rules},
        "missed_cells": [
            dict(facts) for cell in table.missed if (facts := witnesses.cell(table.name, cell)) is not None
        ],
    }


def _plain_share(part: int, whole: int) -> JsonObject:
    return {"hit": part, "all": whole, "percent": float(share_text(part, whole))}
