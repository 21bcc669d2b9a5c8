"""The messages between the processes of a server arrive as they were sent."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from engine.model.answer import VersionRef
from engine.model.problems import Place, Problem
from guidepost.decision_log.settings import Durability, LogSettings
from guidepost.server.auth.config import AuthConfig, TlsFiles
from guidepost.server.observability.config import ObservabilityConfig
from guidepost.server.rpc.limits import Limits
from guidepost.server.security import Security
from guidepost.server.workers.build_process import main
from guidepost.server.workers.messages import (
    Load,
    Message,
    Rejected,
    Reloaded,
    ServerMetrics,
    ServerStatus,
    WorkerMetrics,
    WorkerStatus,
    decode,
    encode,
)

REF = VersionRef("desk", "2.1.0", "ab" * 32)
PROBLEM = Problem(
    place=Place(file="priority.yaml", line=3, column=5, text="impact: hihg"),
    code="unknown-value",
    message="unknown impact `hihg`",
    help="did you mean `high`?",
    witness=(("impact", "hihg"),),
)
REJECTED = Rejected((PROBLEM,), versions=(REF,))


@pytest.mark.parametrize(
    "message",
    [
        Load(
            number=2,
            bundle=bytes(range(256)),
            address="127.0.0.1:0",
            log=LogSettings(durability=Durability.BOUNDED, mask=("service",), timeout=0.5),
            grace=5.0,
            observability=ObservabilityConfig(metrics=True, sample_ratio=0.25),
            security=Security(
                access=AuthConfig(callers="callers.yaml"),
                tls=TlsFiles("server.pem", "server.key"),
                limits=Limits(streams=3),
            ),
        ),
        Reloaded((REF, REF), changed=False),
        REJECTED,
        ServerMetrics(
            (WorkerMetrics(1, 'a 1\nb{c="ü"} 2\n'),),
            ServerStatus(
                started=1.5,
                versions=(REF,),
                workers=(WorkerStatus(number=1, process=7, since=2.5, restarts=0),),
                reloaded=2.0,
                reloads=1,
                failures=1,
                reload_error=REJECTED,
            ),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    line = encode(message)

    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_every_message_has_a_name_of_its_own() -> None:
    names = [kind.__name__ for kind in get_args(Message)]

    assert len(set(names)) == len(names) > 20


@pytest.mark.parametrize(
    "line", [b"", b"Traceback", b"{}", b'{"type": "Fly"}', b'{"type": "Prepare"}', b'{"failed": 1}']
)
def test_a_line_that_is_not_a_message_is_rejected(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(line)


def test_the_build_process_sends_every_problem_whole(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "manifest.yaml").write_text("nmae: desk\n", encoding="utf-8")

    code = main(str(tmp_path))
    last = decode(capfdbinary.readouterr().out.splitlines()[-1])

    assert code == 3
    assert isinstance(last, Rejected)
    assert any("nmae" in problem.message for problem in last.problems)
    assert all(problem.place.file for problem in last.problems)
