"""The desk of a garage, in two versions: what tests of the command line work with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from guidepost.cli.options import policies_folder
from tests.support.releases import register

GARAGE: Final = {
    "manifest.yaml": """\
kind: manifest
name: garage
version: "2.0.0"
effective_from: "2025-01-01T00:00:00Z"
source: the sign on the door
owner: the foreman
triage: [urgency, bay]
notice: {text: No liability for parked cars., source: back of the sign}
assumptions:
  - {id: date, reason: the sign carries no date, source: none}
""",
    "vocabulary.yaml": """\
kind: vocabulary
facts:
  noise:
    type: choice
    about: how loud it is
    values: [{value: loud, about: "one cannot talk beside it", aliases: [very loud]}, {value: faint, about: "one has to listen for it"}]
  smoke: {type: choice, about: whether it smokes, values: [{value: thick, about: thick smoke}, {value: none, about: no smoke}]}
  drives: {type: boolean, about: whether it still drives}
  age: {type: integer, about: how old the car is, unit: years, minimum: 0, maximum: 120}
  make: {type: choice, open: yes, about: who built it, values_in: makes}
  came_at: {type: instant, about: when it came in}
  remark: {type: text, about: anything else}
outcomes:
  urgency: {type: choice, about: how soon, values: [{value: now, about: at once, name: Right now}, {value: soon, about: this week}, {value: later, about: some day}]}
  bay: {type: choice, about: which bay, values: [{value: pit, about: the pit}, {value: lift, about: the lift}]}
  towed: {type: boolean, about: whether it must be towed}
  parts: {type: text, about: where the parts come from}
  mechanic: {type: choice, about: who is there, values: [{value: ann, about: Ann}, {value: bo, about: Bo}]}
  papers: {type: list, about: what to bring}
""",
    "urgency.yaml": """\
kind: policy
about: how soon a car is looked at
source: front
decision: {name: urgency, about: how soon the car is looked at, answers: [urgency], beside: [mechanic]}
tables:
  look:
    about: by noise and smoke
    produces: urgency
    matrix:
      down: noise
      across: smoke
      columns: [thick, none]
      rows:
        loud:  [now,  soon]
        faint: [soon, later]
rosters:
  mechanics:
    about: who is there when
    source: rota
    assumption: the rota is that of this year
    at: came_at
    open: ["07:00", "15:30"]
    entries:
      - {value: ann, zone: Europe/Berlin, name: Ann}
      - {value: bo, zone: America/New_York, name: Bo}
    produces: mechanic
questions:
  - {id: smoke-colour, question: front says white smoke is thick and back says it is none, reading: white smoke is none, source: "front, back", rules: [look.loud.none]}
""",
    "bay.yaml": """\
kind: policy
about: where the car goes
source: back
decision: {name: bay, about: where the car goes, answers: [bay, towed], beside: [parts, papers]}
tables:
  bays:
    about: by age and whether it drives
    hit: first
    produces: [bay, towed]
    rules:
      - id: bays.stuck
        when: {drives: no}
        then: {bay: pit, towed: yes}
      - id: bays.old
        when: {age: ">= 30", drives: yes}
        then: {bay: pit, towed: no}
        about: the lift is too strong for old frames
      - id: bays.unknown-age
        when: {age: unknown, drives: yes}
        then: {bay: lift, towed: no}
        source: ask Ann
        assumption: a car whose age nobody knows is young
    otherwise: {then: {bay: lift, towed: no}}
  makes:
    about: where the parts of a make come from
    produces: [parts]
    entries:
      fact: make
      rows:
        acme: {name: Acme Motors, aliases: [ACM], then: {parts: shelf}}
        bolt: {then: {parts: shelf}, source: front}
        crank: {name: Crank & Sons, then: {parts: shelf}, assumption: they were bought by Acme}
        dyna: {name: Dynamo, then: {parts: ordered}}
    otherwise: not_covered
  wanted:
    about: what to bring
    hit: collect
    produces: [papers]
    rules:
      - {id: wanted.remark, when: {remark: blank}, then: {papers: a description}}
      - {id: wanted.old, when: {age: "> 50"}, then: {papers: "the papers, if there are any"}}
""",
    "cases/garage.yaml": """\
kind: cases
cases:
  - name: A loud car with thick smoke is looked at now
    decision: urgency
    facts: {noise: loud, smoke: thick}
    expect: {urgency: now}
""",
}


@pytest.fixture
def garage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small desk of two versions, as the default policies folder, on a fixed day."""
    desk = tmp_path / "garage"
    past = {**GARAGE, "manifest.yaml": GARAGE["manifest.yaml"].replace("2.0.0", "1.0.0").replace("2025", "2020")}
    past["urgency.yaml"] = past["urgency.yaml"].replace("[soon, later]", "[later, later]")
    for base, files in ((desk, GARAGE), (desk / "past" / "1.0.0", past)):
        for name, text in files.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    (desk / "past" / "frozen.yaml").write_text(register(past), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_POLICIES", desk.name)
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(policies_folder, "utc_now", lambda: datetime(2026, 1, 23, tzinfo=UTC))
    return desk
