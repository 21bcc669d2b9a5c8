"""What the text of two versions says differently: a rule that changed is one rule, and no rule is taken for another."""

from __future__ import annotations

import pytest

from engine.diff.wording import compare_wording
from engine.diff.words import wording_text
from engine.load import load

MANIFEST = """
kind: manifest
name: desk
version: 1.0.0
effective_from: 2020-01-01T00:00:00Z
source: a text
owner: me
triage: [urgency]
"""

VOCABULARY = """
kind: vocabulary
facts:
  way: {type: choice, about: how it came, open: yes, values: [{value: mail, about: m}, {value: call, about: c}, {value: fax, about: f}]}
  share: {type: number, about: how many, minimum: "0", maximum: "100"}
outcomes:
  level: {type: choice, about: how urgent, values: [{value: high, about: h}, {value: mid, about: m}, {value: low, about: l}, {value: top, about: t}]}
  team: {type: choice, about: who, values: [{value: red, about: r}, {value: blue, about: b}]}
  paid: {type: boolean, about: whether it is charged}
  cell: {type: choice, about: of the matrix, values: [{value: a, about: a}, {value: b, about: b}, {value: c, about: c}]}
"""

DESK = """
kind: policy
about: all
source: "1"
decision: {name: urgency, about: how urgent, answers: [level], beside: [team, paid, cell]}
tables:
  level:
    about: by share
    hit: first
    produces: level
    rules:
      - {id: level.many, when: {share: ">= 50"}, then: {level: high}}
      - {id: level.some, when: {share: ">= 20", way: [mail, call]}, then: {level: mid}}
      - {id: level.mail, when: {way: mail}, then: {level: mid}}
      - {id: level.rest, when: {}, then: {level: low}}
  ways:
    about: by way
    produces: [team, paid]
    entries:
      fact: way
      rows:
        mail: {then: {team: red, paid: no}}
        call: {then: {team: red, paid: yes}}
        unlisted: {then: {team: blue, paid: yes}}
    otherwise: not_covered
  grid:
    about: by level and team
    produces: cell
    matrix:
      down: level
      across: team
      columns: [red, blue]
      rows:
        high: [a, b]
        mid:  [b, c]
        low:  [c, c]
"""

ROW = "        call: {then: {team: red, paid: yes}}\n"


def texts(desk: str) -> dict[str, str]:
    return {"manifest.yaml": MANIFEST, "vocabulary.yaml": VOCABULARY, "desk.yaml": desk}


def said(*edits: tuple[str, str]) -> list[str]:
    """Return what the text says differently after some replacements."""
    after = DESK
    for old, new in edits:
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    found = compare_wording(load(texts(DESK)), load(texts(after)))
    back = compare_wording(load(texts(after)), load(texts(DESK)))
    assert len(found) == len(back), "the way back has as many changes"
    return [f"{one.edit.value} {wording_text(one)}" for one in found]


def lines(*ids: str) -> str:
    return "".join(next(line for line in DESK.splitlines(keepends=True) if f"id: {one}," in line) for one in ids)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '{id: level.many, when: {share: ">= 50"}',
            '{id: level.many, when: {share: ">= 50", way: call}',
            "changed rule level.many: when way added: call",
        ),
        (
            '{share: ">= 20", way: [mail, call]}',
            '{share: ">= 20"}',
            "changed rule level.some: when way removed: [mail, call]",
        ),
        (
            "way: [mail, call]",
            "way: [mail, call, fax]",
            "changed rule level.some: when way [mail, call] -> [mail, call, fax]",
        ),
        ('">= 50"}, then: {level: high}', '">= 50"}, then: {level: mid}', "changed rule level.many: level high -> mid"),
        (
            "then: {level: low}}",
            "then: {level: low}, assumption: a guess}",
            "changed rule level.rest: assumption added: a guess",
        ),
        ("{id: level.mail,", "{id: level.post,", "renamed rule level.mail is now called level.post"),
        ("{team: red, paid: no}", "{team: blue, paid: no}", "changed rule ways.mail: team red -> blue"),
        ("        mid:  [b, c]", "        mid:  [b, a]", "changed rule grid.mid.blue: cell c -> a"),
    ],
)
def test_a_rule_that_gained_lost_or_changed_a_statement_is_changed(old: str, new: str, expected: str) -> None:
    assert said((old, new)) == [expected]


def test_a_rule_beside_a_similar_one_is_added() -> None:
    again = lines("level.mail").replace("level.mail", "level.fax").replace("way: mail", "way: fax")

    assert said((lines("level.mail"), lines("level.mail") + again)) == [
        "added rule level.fax: when way: fax; level: mid; source: 1"
    ]
    assert said((ROW, ROW + ROW.replace("call", "fax"))) == [
        "added rule ways.fax: when way: fax; team: red; paid: yes; source: 1"
    ]


def test_an_id_is_the_identity_of_a_rule_even_beside_a_similar_one() -> None:
    fax = "      - {id: level.fax, when: {way: fax}, then: {level: mid}}\n"

    assert said((lines("level.mail"), fax)) == [
        "removed rule level.mail: when way: mail; level: mid; source: 1",
        "added rule level.fax: when way: fax; level: mid; source: 1",
    ]


def test_a_row_with_another_key_in_the_same_place_is_the_same_row() -> None:
    assert said((ROW, ROW.replace("call", "fax"))) == ["changed rule ways.fax: when way call -> fax"]


def test_a_row_in_another_place_or_with_other_outcomes_is_another_row() -> None:
    gone = "removed rule ways.call: when way: call; team: red; paid: yes; source: 1"

    assert sorted(said((ROW, ""), ("        mail: {then", ROW.replace("call", "fax") + "        mail: {then"))) == [
        "added rule ways.fax: when way: fax; team: red; paid: yes; source: 1",
        gone,
    ]
    assert sorted(said((ROW, "        fax: {then: {team: blue, paid: no}}\n"))) == [
        "added rule ways.fax: when way: fax; team: blue; paid: no; source: 1",
        gone,
    ]


def test_the_rows_that_are_most_alike_are_paired() -> None:
    two = ROW.replace("call", "fax").replace("red", "blue") + ROW.replace("call", "fax").replace("fax", "unlisted")
    row = "        unlisted: {then: {team: blue, paid: yes}}\n"

    assert said((ROW + row, two)) == [
        "removed rule ways.call: when way: call; team: red; paid: yes; source: 1",
        "added rule ways.fax: when way: fax; team: blue; paid: yes; source: 1",
        "changed rule ways.unlisted: team blue -> red",
    ], "a row that keeps its key is that row"


def test_another_heading_of_a_matrix_changes_each_of_its_cells() -> None:
    assert said(("        mid:  [b, c]", "        top:  [b, a]")) == [
        "changed rule grid.top.red: when level mid -> top",
        "changed rule grid.top.blue: when level mid -> top",
        "changed rule grid.top.blue: cell c -> a",
    ]


def test_the_rules_of_two_tables_are_never_the_same_rule() -> None:
    found = said(("  ways:", "  paths:"))

    assert [one for one in found if not one.startswith(("added", "removed"))] == []
    assert sum(one.startswith("added rule paths.") for one in found) == 3


def test_a_rule_that_moved_is_named_with_its_place_where_the_order_counts() -> None:
    swapped = lines("level.some", "level.many")
    to_the_end = lines("level.some", "level.mail", "level.many")

    assert said((lines("level.many", "level.some"), swapped)) == [
        "changed rule level.many: order first -> after level.some"
    ]
    assert said((lines("level.many", "level.some", "level.mail"), to_the_end)) == [
        "changed rule level.many: order first -> after level.mail"
    ]


def test_a_row_that_moved_is_no_difference_where_the_order_does_not_count() -> None:
    mail = "        mail: {then: {team: red, paid: no}}\n"

    assert said((mail + ROW, ROW + mail)) == []


def test_a_rule_can_move_and_change() -> None:
    moved = lines("level.some").replace("level: mid", "level: high") + lines("level.many")

    assert said((lines("level.many", "level.some"), moved)) == [
        "changed rule level.some: level mid -> high",
        "changed rule level.many: order first -> after level.some",
    ]
