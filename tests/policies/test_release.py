"""Releases: the working version frozen beside the old ones, and kept so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.load.yaml_tree import plain, read
from engine.model.problems import Place, PolicyErrors
from engine.version.build import build
from engine.version.release_register import Frozen, read_register, register_text
from engine.version.version import Version
from guidepost.policies import release
from guidepost.policies.release import NotReleased, freeze, next_manifest
from guidepost.policies.sources.folder import build_bundle, load_bundle, read_folder, version_folders
from tests.support.command import run_command
from tests.support.desks import CASES, GOOD, renumbered, write, write_desk

REMARK = "# yaml-language-server: $schema=schemas/manifest.schema.json\n"


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk of version 2.0.0 with cases and schemas, 1.0.0 released beside it, as the default policies folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GUIDEPOST_POLICIES", "desk")
    folder = write_desk(Path("desk"))
    write(
        folder,
        {
            "cases/a.yaml": CASES,
            "README.md": "how to",
            "manifest.yaml": REMARK + (folder / "manifest.yaml").read_text(encoding="utf-8"),
        },
    )
    run_command("schema")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def working(policies: Path) -> Version:
    return build(read_folder(version_folders(policies)[0]), "desk")


def test_a_release_puts_the_version_aside_whole_and_records_it(
    policies: Path, golden: Callable[[str, str], None]
) -> None:
    before = contents(policies)
    result = run_command("release")
    after = contents(policies)

    assert result.exit_code == 0
    aside = {
        name.removeprefix("past/2.0.0/"): content for name, content in after.items() if name.startswith("past/2.0.0/")
    }
    assert aside == {
        name: content for name, content in before.items() if not name.startswith("past/") and name != "README.md"
    }
    assert {
        name: content for name, content in after.items() if not name.startswith(("past/2.0.0/", "past/frozen"))
    } == {name: content for name, content in before.items() if name != "past/frozen.yaml"}
    register, problems = read_register("frozen.yaml", (policies / "past" / "frozen.yaml").read_text(encoding="utf-8"))
    version = working(policies)
    assert problems == []
    assert list(register) == ["1.0.0", "2.0.0"]
    assert (register["2.0.0"].digest, register["2.0.0"].effective_from) == (
        version.digest,
        version.policy.manifest.effective_from,
    )
    golden("cli/release.txt", f"$ guidepost release\n{result.stdout}".replace(version.digest, "0123...cdef"))


def test_a_released_version_that_is_still_the_working_one_is_one_version(policies: Path) -> None:
    run_command("release")
    bundle = build_bundle(policies)

    assert [version.ref.version for version in bundle.versions] == ["1.0.0", "2.0.0"]
    assert bundle.versions[-1].policy.manifest.place.file == "desk/manifest.yaml"
    assert run_command("check").exit_code == 0
    assert [version["version"] for version in json.loads(run_command("version", "-o", "json").stdout)["policies"]] == [
        "1.0.0",
        "2.0.0",
    ]


def test_a_remark_in_the_working_policy_after_its_release_changes_nothing(policies: Path) -> None:
    run_command("release")
    write(policies, {"queue.yaml": GOOD["queue.yaml"] + "# a remark\n"})

    assert [version.ref.version for version in build_bundle(policies).versions] == ["1.0.0", "2.0.0"]


def test_what_changes_after_its_release_needs_a_new_version(policies: Path) -> None:
    run_command("release")
    write(policies, {"queue.yaml": GOOD["queue.yaml"].replace("> 80", "> 85").replace("<= 80", "<= 85")})
    said = "manifest.yaml:2:1: the policy changed since 2.0.0 was released, but its version is still 2.0.0 [version-unchanged]"

    result = run_command("check")
    assert result.exit_code == 3
    assert [line for line in result.stdout.splitlines() if line.endswith("]")] == [f"desk/{said}"]
    with pytest.raises(PolicyErrors, match="version-unchanged"):
        load_bundle(policies)


def test_a_released_version_that_was_changed_is_neither_checked_nor_served(policies: Path) -> None:
    frozen = policies / "past" / "1.0.0" / "parts.yaml"
    frozen.write_text(frozen.read_text(encoding="utf-8").replace("price: 25", "price: 26"), encoding="utf-8")

    assert "[frozen-changed]" in run_command("check").stdout
    with pytest.raises(PolicyErrors, match="frozen-changed"):
        load_bundle(policies)


def test_a_released_version_whose_folder_is_gone_is_missed(policies: Path) -> None:
    shutil.rmtree(policies / "past" / "1.0.0")

    with pytest.raises(
        PolicyErrors,
        match=r"desk/past/frozen\.yaml:4:5: 1\.0\.0 is frozen, but its folder `1\.0\.0` is missing \[frozen-gone\]",
    ):
        build_bundle(policies)


def test_cases_may_be_added_to_a_released_version(policies: Path) -> None:
    write(policies / "past" / "1.0.0", {"cases/a.yaml": CASES, "README.md": "more"})

    assert run_command("check").exit_code == 0


def test_the_next_version_begins_with_its_number_and_day_and_nothing_else(policies: Path) -> None:
    before = (policies / "manifest.yaml").read_text(encoding="utf-8")
    result = run_command("release", "--next", "2.1.0", "--effective-from", "2026-07-01T00:00:00+10:00")

    assert result.exit_code == 0
    assert (policies / "manifest.yaml").read_text(encoding="utf-8") == before.replace('"2.0.0"', '"2.1.0"').replace(
        '"2025-03-01T00:00:00Z"', '"2026-07-01T00:00:00+10:00"'
    )
    assert [version.ref.version for version in build_bundle(policies).versions] == ["1.0.0", "2.0.0", "2.1.0"]
    assert run_command("schema", "--check").exit_code == 0
    assert run_command("check").exit_code == 0


def test_a_version_that_is_frozen_already_is_left_as_it_is(policies: Path) -> None:
    run_command("release")
    before = contents(policies)
    result = run_command("release", "-o", "json")

    assert json.loads(result.stdout)["was_frozen"] is True
    assert contents(policies) == before
    assert run_command("release", "--next", "2.0.1", "--effective-from", "2026-07-01T00:00:00Z").exit_code == 0


def test_nothing_is_released_with_a_problem_a_failed_case_and_a_wrong_next_version_and_all_is_said_at_once(
    policies: Path,
) -> None:
    write(policies, {"cases/a.yaml": CASES.replace("safety: unsafe", "safety: safe")})
    frozen = policies / "past" / "1.0.0" / "parts.yaml"
    frozen.write_text(frozen.read_text(encoding="utf-8").replace("price: 25", "price: 26"), encoding="utf-8")
    before = contents(policies)

    result = run_command("release", "--next", "1.0.0", "--effective-from", "2020-01-01T00:00:00Z")

    assert result.exit_code == 3
    assert "[frozen-changed]" in result.stderr
    assert "[failed case]" in result.stderr
    assert result.stderr.splitlines()[-6:] == [
        "error: nothing was released",
        "expected a version after 2.0.0 for --next, got 1.0.0",
        "desk/past contains a version 1.0.0 already",
        "expected --effective-from after that of 2.0.0, 2025-03-01T00:00:00+00:00, got 2020-01-01T00:00:00Z",
        "1 problem",
        "1 failed case",
    ]
    assert contents(policies) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--next", "2.1.0"), "expected both --next and --effective-from"),
        (("--effective-from", "2026-07-01T00:00:00Z"), "expected both --next and --effective-from"),
        (("--next", "next", "--effective-from", "2026-07-01T00:00:00Z"), "expected a version such as 2.1.0 for --next"),
        (("--next", "2.0.0", "--effective-from", "2026-07-01T00:00:00Z"), "expected a version after 2.0.0"),
        (
            ("--next", "2.1.0", "--effective-from", "2025-03-01T01:00:00+01:00"),
            "expected --effective-from after that of 2.0.0",
        ),
        (("--next", "2.1.0", "--effective-from", "soon"), "expected an instant such as"),
        (("--next", "2.1.0", "--effective-from", "2026-07-01T00:00:00"), "expected an offset from UTC"),
    ],
)
def test_a_next_version_that_cannot_be_is_a_wrong_use(policies: Path, options: tuple[str, ...], said: str) -> None:
    result = run_command("release", *options)

    assert (result.exit_code, said in result.stderr) == (2, True)
    assert not (policies / "past" / "2.0.0").exists()


def test_a_release_that_was_cut_off_is_finished_by_the_next_one(
    policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = working(policies)

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "write_atomically", power_cut)
        with pytest.raises(KeyboardInterrupt):
            freeze(policies, version)

    assert "[not-frozen]" in run_command("check").stdout
    assert run_command("release").exit_code == 0
    assert run_command("check").exit_code == 0


def test_a_release_that_fails_while_it_copies_leaves_nothing_behind(
    policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(policies)
    copy = shutil.copyfile

    def full_disk(one: Path, other: Path) -> None:
        if one.name == "queue.yaml":
            raise OSError(28, "No space left on device")
        copy(one, other)

    monkeypatch.setattr(release.shutil, "copyfile", full_disk)
    result = run_command("release")

    assert result.exit_code == 3
    assert "No space left on device" in result.stderr
    assert contents(policies) == before


def test_policies_that_change_while_they_are_put_aside_are_not_released(policies: Path) -> None:
    version = working(policies)
    write(policies, {"queue.yaml": GOOD["queue.yaml"].replace("> 80", "> 85").replace("<= 80", "<= 85")})
    before = contents(policies)

    with pytest.raises(NotReleased, match="the policies changed during the release"):
        freeze(policies, version)
    assert contents(policies) == before


def test_a_first_release_makes_the_folder_of_the_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path / "cache"))
    folder = write(tmp_path / "new", renumbered())

    assert run_command("release", "--policies", str(folder)).exit_code == 0
    assert [version.ref.version for version in build_bundle(folder).versions] == ["2.0.0"]


def test_a_desk_without_a_past_needs_no_register(tmp_path: Path) -> None:
    assert len(build_bundle(write(tmp_path / "new", GOOD)).versions) == 1


LINE = st.sampled_from(["# a remark", "owner: ann  # who", "source: 'a: b'", "", "triage: [queue]"])


@given(
    st.lists(LINE, max_size=4, unique=True),
    st.sampled_from(['"1.0.0"', "'1.0.0'", "1.0.0"]),
    st.sampled_from(['"2020-01-01T00:00:00Z"', "2020-01-01 00:00Z"]),
    st.sampled_from(["", "   # a remark", " "]),
    st.booleans(),
)
def test_only_the_two_values_of_a_manifest_change_however_it_is_laid_out(
    around: list[str], number: str, since: str, behind: str, swapped: bool
) -> None:
    two = [f"version: {number}{behind}", f"effective_from:  {since}{behind}"]
    text = "\n".join([*around[:2], *(two[::-1] if swapped else two), *around[2:]]) + "\n"
    changed = next_manifest(text, "1.1.0", datetime(2021, 7, 1, tzinfo=UTC))

    expected = text.replace(f"version: {number}", 'version: "1.1.0"').replace(
        f"effective_from:  {since}", 'effective_from:  "2021-07-01T00:00:00Z"'
    )
    assert changed == expected
    tree, _ = read("manifest.yaml", changed)
    assert tree is not None
    assert plain(tree)["version"] == "1.1.0"


@pytest.mark.parametrize(
    "text",
    [
        "version: >\n  1.0.0\neffective_from: 2020-01-01T00:00:00Z\n",
        'version: "1.0\\\n  .0"\neffective_from: x\n',
        "version: 1.0.0\n",
        "- a\n",
    ],
)
def test_a_manifest_that_only_a_person_can_change_is_left_alone(text: str) -> None:
    with pytest.raises(NotReleased):
        next_manifest(text, "1.1.0", datetime(2021, 7, 1, tzinfo=UTC))


NUMBER = st.tuples(*[st.integers(0, 999)] * 3).map(lambda parts: ".".join(map(str, parts)))
INSTANT = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001
DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.lists(st.tuples(NUMBER, INSTANT, DIGEST), min_size=1, max_size=5, unique_by=lambda one: one[0]))
def test_a_register_reads_back_as_it_was_written(entries: list[tuple[str, datetime, str]]) -> None:
    frozen = [
        Frozen(version=number, effective_from=since.replace(tzinfo=UTC), digest=digest, place=Place(file=""))
        for number, since, digest in entries
    ]
    found, problems = read_register("frozen.yaml", register_text(frozen))

    assert problems == []
    assert {(one.version, one.effective_from, one.digest) for one in found.values()} == {
        (one.version, one.effective_from, one.digest) for one in frozen
    }
