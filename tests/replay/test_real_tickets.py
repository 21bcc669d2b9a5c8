"""Real tickets: the variant decides them exactly as the site's own system did, and the guide differs in one cell only.

The events are those of UCI data set 498 (DOI 10.24432/C57S4H, CC BY 4.0): all of them if the file is available, and
always the sample in tests/data.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

import pytest

from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import build_bundle
from tests.support.deciders import decide
from tests.support.paths import ROOT

EVENTS: Final = ROOT.parent / "shared" / "data" / "uci498_incident_events.csv.gz"
SAMPLE: Final = ROOT / "tests" / "data" / "uci498_sample.csv"

GUIDE_WORDS: Final = {"1": "high", "2": "medium", "3": "low"}
LOW_LOW: Final = ("3", "3")


class Event(NamedTuple):
    """What an event says of its ticket, and the priority that the site's system gave it."""

    contact_type: str
    impact: str
    urgency: str
    priority: str


@pytest.fixture(scope="module")
def variant() -> Version:
    (version,) = build_bundle(ROOT / "examples" / "low-low-p4").versions
    return version


@pytest.fixture(scope="module")
def sample() -> Counter[Event]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return counted(file)


@pytest.fixture(scope="module")
def events() -> Counter[Event]:
    if not EVENTS.is_file():
        pytest.skip(f"the real tickets are not here: {EVENTS}")
    with gzip.open(EVENTS, "rt", encoding="utf-8", newline="") as file:
        return counted(file)


def counted(lines: Iterable[str]) -> Counter[Event]:
    """Count equal events: equal facts are decided equally, so each needs to be decided once."""
    return Counter(
        Event(row["contact_type"], row["impact"], row["urgency"], row["priority"]) for row in csv.DictReader(lines)
    )


def differing(version: Version, events: Counter[Event], *, translated: bool = False) -> Counter[tuple[str, str]]:
    """Count the events, by impact and urgency, for which a version gives another priority than the site's system.

    The site's own words are sent, or, translated, those of the guide.
    """
    found: Counter[tuple[str, str]] = Counter()
    for event, times in events.items():
        impact, urgency = (GUIDE_WORDS[word] if translated else word for word in (event.impact, event.urgency))
        facts = {"impact": impact, "urgency": urgency} | ({} if translated else {"channel": event.contact_type})
        if decide(version, "priority", facts)["priority"].value != f"P{event.priority}":
            found[event.impact, event.urgency] += times
    return found


def test_the_variant_decides_every_event_as_the_site_did(variant: Version, events: Counter[Event]) -> None:
    assert events.total() == 141_712
    assert differing(variant, events) == {}


def test_the_guide_differs_on_exactly_the_low_low_events(shipped: Bundle, events: Counter[Event]) -> None:
    assert differing(shipped.versions[-1], events, translated=True) == {LOW_LOW: 3_431}


def test_the_variant_decides_the_sample_as_the_site_did(variant: Version, sample: Counter[Event]) -> None:
    assert sample.total() > 300
    assert differing(variant, sample) == {}


def test_the_guide_differs_on_exactly_the_low_low_events_of_the_sample(shipped: Bundle, sample: Counter[Event]) -> None:
    low_low = sum(times for event, times in sample.items() if (event.impact, event.urgency) == LOW_LOW)

    assert low_low > 30
    assert differing(shipped.versions[-1], sample, translated=True) == {LOW_LOW: low_low}


def test_the_sample_has_every_pair_of_impact_and_urgency_and_every_way_of_contact(sample: Counter[Event]) -> None:
    assert len({(event.impact, event.urgency) for event in sample}) == 8
    assert {event.contact_type for event in sample} == {"Phone", "Self service", "Email", "IVR", "Direct opening"}


@pytest.mark.parametrize(("number", "word"), [("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low")])
def test_the_variant_reads_the_words_that_the_site_s_people_see(variant: Version, number: str, word: str) -> None:
    for other in ("1", "2", "3"):
        assert decide(variant, "priority", {"impact": word, "urgency": other}) == decide(
            variant, "priority", {"impact": number, "urgency": other}
        )
        assert decide(variant, "priority", {"impact": other, "urgency": word}) == decide(
            variant, "priority", {"impact": other, "urgency": number}
        )
