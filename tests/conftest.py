"""What all tests share: golden files, and the shipped policies built once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from engine.version.bundle import Bundle
from engine.version.version import Version
from guidepost.policies.sources.folder import build_bundle
from tests.support.built_once import built_once
from tests.support.garage import garage
from tests.support.paths import GOLDEN, POLICIES

__all__ = ["built_once", "garage"]

# How long an example takes says how busy the machine is, and nothing of what it holds.
settings.register_profile("guidepost", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("guidepost")

# Golden files are of output that no setting of the shell narrows or paints.
for _name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
    os.environ.pop(_name, None)
    # Readline, which pytest loads, sets COLUMNS behind Python's back, for the processes that tests start.
    os.unsetenv(_name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="accept what the tests print now as the golden files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first, so that no worker starts one last; leave faults to `.ci/run`."""
    items.sort(key=lambda item: "every_cell_of_every_table" not in item.name)
    if os.environ.get("GUIDEPOST_CAMPAIGN") == "long":
        for item in items:
            if item.get_closest_marker("campaign"):
                item.add_marker(pytest.mark.timeout(6 * 3600))
    if os.environ.get("GUIDEPOST_FAULTS") != "yes":
        left = pytest.mark.skip(
            reason="servers are killed, drained and flooded with GUIDEPOST_FAULTS=yes, as .ci/run sets it"
        )
        for item in items:
            if item.get_closest_marker("faults"):
                item.add_marker(left)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a golden file, by its name below tests/golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden file {name}: run with --update-golden, and read what it writes"
        assert path.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(scope="session", autouse=True)
def _a_decision_log_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Servers that tests start as a person does keep their log, and the key that signs it, where tests may write."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    os.environ["GUIDEPOST_DECISION_LOG"] = f"sqlite:///{tmp_path_factory.mktemp('log')}/decisions.db"


@pytest.fixture(autouse=True)
def _messages_of_one_test() -> Iterator[None]:
    """Restore the messages of a server after each test: the next test may close their stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    """The shipped versions, built but not put before durable-rules."""
    return build_bundle(POLICIES)


@pytest.fixture
def guide(shipped: Bundle) -> Version:
    """The shipped version 2.0.0."""
    return shipped.versions[-1]
