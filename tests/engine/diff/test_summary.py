"""What a difference says first: one line for each region of a changed table, one for each outcome that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.diff import Change, Diff, OutcomeDiff, OutcomeState, StateKind, compare
from engine.diff.nouns import Follows
from engine.diff.summary import changed_tables, follows_text, is_explained, shown_by
from engine.diff.words import change_text
from engine.version.build import build
from tests.support.desks import GOOD
from tests.support.table_diffs import changed, decided, new, region, with_tables

BEFORE = build(GOOD)
AFTER = build({**GOOD, "parts.yaml": GOOD["parts.yaml"].replace("price: 25", "price: 30")})
PLAIN = replace(compare(BEFORE, AFTER), tables=())


def outcome(**more: object) -> OutcomeDiff:
    """Return an outcome that changes in a quarter of its situations."""
    change = decided("P4", "P3")
    given = {"name": "priority", "situations": 8, "changed": 2, "changes": {change: 2}, "regions": (), "gist": ()}
    return OutcomeDiff(**{**given, **more})  # type: ignore[arg-type]


def lines(diff: Diff) -> list[str]:
    return [f"{table.name}: {line.text}" for table in changed_tables(diff) for line in table.lines]


def test_a_region_of_a_table_is_one_line_in_what_the_table_reads_with_its_share() -> None:
    table = changed("targets", "hours", 156, region(decided(4.0, 2.0), 8, target_priority="P2", plan="saas_24x7"))

    assert lines(with_tables(PLAIN, BEFORE, AFTER, table)) == [
        "targets: target_priority=P2, plan=saas_24x7: hours 4 -> 2, 5.13% of situations"
    ]


def test_outcomes_that_change_under_the_same_conditions_are_one_line() -> None:
    row = {"part": "bell"}
    found = with_tables(
        PLAIN,
        BEFORE,
        AFTER,
        changed("shelf", "in_stock", 4, region(new(True), 1, **row)),
        changed("shelf", "price", 4, region(new(30.0), 1, **row), region(decided(1.0, 2.0), 2, part="chain")),
    )

    assert lines(found) == [
        "shelf: part=bell: in_stock not covered -> yes; price not covered -> 30, 25% of situations",
        "shelf: part=chain: price 1 -> 2, 50% of situations",
    ]


def test_a_table_notes_the_situations_that_no_line_names() -> None:
    one = changed("shelf", "price", 1000, region(decided(1.0, 2.0), 2, part="chain"), others=5)

    (table,) = changed_tables(with_tables(PLAIN, BEFORE, AFTER, replace(one, only_possible=3)))

    assert (
        table.others
        == "0.2% of situations more in other ways and 0.3% of situations more only in what is still possible"
    )


def test_what_a_value_that_was_rejected_leaves_possible_for_the_earlier_rules_is_not_counted() -> None:
    one = replace(
        changed("shelf", "price", 1000, region(decided(1.0, 2.0), 2, part="chain"), others=3), only_possible=3
    )
    refused = Change(OutcomeState(StateKind.REFUSED), OutcomeState(StateKind.DECIDED, 2.0))
    undecided = Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.UNDECIDED))

    def others(*changes: Change) -> str:
        found = with_tables(PLAIN, BEFORE, AFTER, one)
        known = [outcome(name="price", changes=dict.fromkeys(changes, 2))]
        return changed_tables(replace(found, outcomes=tuple(known)))[0].others

    assert others(refused) == ""
    assert others(refused, undecided) == "0.3% of situations more only in what is still possible"


def test_a_line_names_a_decision_that_shows_what_follows() -> None:
    shown = changed("shelf", "price", 4, region(decided(1.0, 2.0), 2, part="chain"))
    inner = changed("shelf", "in_stock", 4, region(decided(False, True), 2, part="chain"))
    unseen = changed("nowhere", "nothing", 4, region(decided(False, True), 2, part="chain"))

    found = [table.lines[0].decision for table in changed_tables(with_tables(PLAIN, BEFORE, AFTER, shown, unseen))]

    assert found == ["part", ""]
    assert changed_tables(with_tables(PLAIN, BEFORE, AFTER, inner))[0].lines[0].decision == "part", "by what follows"


def test_an_outcome_names_the_changed_tables_on_which_it_depends() -> None:
    shelf = changed("shelf", "price", 4, region(decided(1.0, 2.0), 2, part="chain"))

    (price,) = with_tables(PLAIN, BEFORE, AFTER, shelf).outcomes

    assert (price.name, price.tables) == ("price", ("shelf",))
    assert with_tables(PLAIN, BEFORE, AFTER, changed("other", "x", 4)).outcomes[0].tables == ()


@pytest.mark.parametrize(
    ("tables", "change", "explained"),
    [
        (("shelf",), decided("P1", "P2"), True),
        ((), decided("P1", "P2"), False),
        (("shelf",), Change(OutcomeState(StateKind.DECIDED, "P1"), OutcomeState(StateKind.REFUSED)), False),
        (("shelf",), Change(OutcomeState(StateKind.ABSENT), OutcomeState(StateKind.DECIDED, "P1")), False),
    ],
)
def test_the_situations_of_an_outcome_are_shown_where_the_tables_do_not_explain_them(
    tables: tuple[str, ...], change: Change, explained: bool
) -> None:
    assert is_explained(outcome(tables=tables, changes={change: 2})) is explained


def test_what_follows_is_one_line_with_its_share_and_its_most_frequent_change() -> None:
    open_ = Change(OutcomeState(StateKind.UNDECIDED), OutcomeState(StateKind.UNDECIDED))

    assert follows_text(outcome()) == "25% of situations, P4 -> P3"
    assert (
        follows_text(outcome(changes={open_: 5, decided("P4", "P3"): 2})) == "25% of situations, P4 -> P3, and 1 more"
    ), "a change of a value counts before those of what is still possible"
    assert follows_text(outcome(inputs=True)) == "25% of combinations of what it depends on, P4 -> P3"
    assert follows_text(outcome(changed=0, changes={}, follows=(Follows("a", 3), Follows("b", 4)))) == "follows a and b"


def test_an_outcome_of_several_decisions_is_listed_once_and_they_name_it() -> None:
    one = next(decision for decision in PLAIN.decisions if decision.outcomes)
    both = replace(PLAIN, decisions=(replace(one, name="old", only_before=True), one, replace(one, name="more")))

    assert [found.name for found in both.outcomes] == ["price"]
    assert shown_by(both, "price") == (one.name, "more", "old"), "a decision that is still made comes first"


def test_items_of_a_list_are_named_by_how_they_change() -> None:
    was = OutcomeState(StateKind.UNDECIDED, ("fax", "post"), ("call", "mail"))
    now = OutcomeState(StateKind.UNDECIDED, ("chat", "call"), ("post", "text"))

    assert change_text(Change(was, now, in_part=True)) == (
        "- fax, + chat; now certain: call; no longer certain: post; now possible: text; no longer possible: mail"
    )
