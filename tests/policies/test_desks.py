"""A folder holds the versions of one desk, and their days are shown as their owner wrote them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from engine.decide.decider import Deciders
from engine.load import load, load_with_trees
from engine.load.digest import digest
from engine.model.problems import Place, PolicyErrors
from engine.version.release_register import Frozen, read_register, register_text
from guidepost.policies.sources.bundle_archive import make_bundle, read_bundle
from guidepost.policies.sources.folder import build_bundle
from guidepost.server.workers.messages import Rejected, Reloaded
from guidepost.server.workers.single_process import SingleProcess
from guidepost.server.workers.supervisor import builder_of
from tests.support.command import run_command
from tests.support.desks import GOOD, renumbered, write, write_desk
from tests.support.releases import register

RENAMED = {
    **renumbered(),
    "manifest.yaml": renumbered()["manifest.yaml"].replace(
        "name: bike-workshop", "name: bike-shop\nformerly: [bike-workshop]"
    ),
}
SKIS = {
    **GOOD,
    "manifest.yaml": GOOD["manifest.yaml"]
    .replace("name: bike-workshop", "name: ski-rental")
    .replace("2024", "2023")
    .replace("1.0.0", "1.5.0"),
}
AHEAD = {**GOOD, "manifest.yaml": GOOD["manifest.yaml"].replace("2024-03-01T00:00:00Z", "2024-03-01T00:00:00+10:00")}


def mixed(folder: Path) -> Path:
    """Write a desk with a version of another one in its past, entered in the register."""
    past = {f"past/1.5.0/{name}": text for name, text in SKIS.items()}
    return write(write_desk(folder), {**past, "past/frozen.yaml": register(GOOD, SKIS)})


def bundles(folder: Path, *versions: dict[str, str]) -> list[Path]:
    found = []
    for number, files in enumerate(versions):
        path = folder / f"{number}.zip"
        path.write_bytes(make_bundle(files).data)
        found.append(path)
    return found


def test_versions_of_two_desks_are_never_served_from_one_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyErrors) as refused:
        build_bundle(mixed(tmp_path / "desk"))

    (problem,) = refused.value.problems
    assert (problem.code, problem.place.line, problem.place.column) == ("other-desk", 2, 7)
    assert problem.place.file.endswith("past/1.5.0/manifest.yaml")
    assert "`ski-rental`" in problem.message
    assert "`bike-workshop`" in problem.message


@pytest.mark.parametrize(
    "command",
    [
        ("check", "--no-cross-check"),
        ("eval", "queue", "damage=broken", "--policies"),
        ("serve", "--check", "--log-durability", "off", "--port", "0", "--policies"),
        ("serve", "--policies"),
    ],
)
def test_every_command_that_loads_a_folder_refuses_a_version_of_another_desk(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_command(*command, mixed(tmp_path / "desk"))

    assert done.exit_code == 3
    assert "past/1.5.0/manifest.yaml:2:7: " in done.output
    assert "[other-desk]" in done.output


def test_a_version_of_another_desk_is_not_offered_a_line_in_the_register(tmp_path: Path) -> None:
    folder = mixed(tmp_path / "desk")
    write(folder, {"past/frozen.yaml": register(GOOD)})

    done = run_command("check", folder, "--no-cross-check")

    assert "[other-desk]" in done.output
    assert "[not-frozen]" not in done.output


def test_a_desk_that_took_the_place_of_another_is_not_asked_for_a_new_number(tmp_path: Path) -> None:
    other = {**SKIS, "manifest.yaml": SKIS["manifest.yaml"].replace("1.5.0", "1.0.0")}

    done = run_command("check", write(write_desk(tmp_path / "desk"), other), "--no-cross-check")

    assert "[other-desk]" in done.output
    assert "[version-unchanged]" not in done.output


def test_a_reload_that_finds_a_version_of_another_desk_changes_nothing(tmp_path: Path) -> None:
    folder = write_desk(tmp_path / "desk")

    async def reload_twice() -> tuple[object, object, Deciders, Deciders]:
        server = SingleProcess(builder_of(folder))
        first = await server.reload()
        before = server.live.deciders
        mixed(folder)
        return first, await server.reload(), before, server.live.deciders

    first, second, before, after = asyncio.run(reload_twice())

    assert isinstance(first, Reloaded)
    assert isinstance(second, Rejected)
    assert {one.code for one in second.problems} == {"other-desk"}
    assert after is before
    assert len(after.versions) == 2


def test_bundles_of_two_desks_are_not_unpacked_together(tmp_path: Path) -> None:
    done = run_command("unpack", *bundles(tmp_path, renumbered(), SKIS), "--to", tmp_path / "policies")

    assert done.exit_code == 3
    assert "1.zip/manifest.yaml:2:7: this is a version of `ski-rental`" in done.output.replace("\n", "")
    assert not (tmp_path / "policies").exists()


def test_a_desk_keeps_its_past_under_a_new_name_that_lists_the_old_one(tmp_path: Path) -> None:
    done = run_command("unpack", *bundles(tmp_path, GOOD, RENAMED), "--to", tmp_path / "policies")

    assert done.exit_code == 0, done.output
    assert [version.ref.name for version in build_bundle(tmp_path / "policies").versions] == [
        "bike-workshop",
        "bike-shop",
    ]


def test_a_bundle_may_have_the_number_of_a_version_that_another_desk_released(tmp_path: Path) -> None:
    other = write(tmp_path / "skis", {**SKIS, "manifest.yaml": SKIS["manifest.yaml"].replace("1.5.0", "1.0.0")})

    done = run_command("build", other, "--policies", write_desk(tmp_path / "desk"), "-o", tmp_path / "skis.zip")

    assert done.exit_code == 0, done.output


def test_a_difference_between_two_desks_is_called_that_in_every_form(tmp_path: Path) -> None:
    sides = write(tmp_path / "skis", SKIS), write(tmp_path / "bikes", renumbered())

    forms = {form: run_command("diff", *sides, "-o", form).stdout for form in ("text", "markdown", "html", "json")}

    assert all(
        "These are versions of two desks, ski-rental and bike-workshop." in " ".join(text.split())
        for text in forms.values()
    )
    assert json.loads(forms["json"])["two_desks"] is True
    assert (
        json.loads(
            run_command("diff", write(tmp_path / "old", GOOD), write(tmp_path / "new", RENAMED), "-o", "json").stdout
        )["two_desks"]
        is False
    )


def test_records_are_not_proved_by_a_version_of_another_desk(tmp_path: Path) -> None:
    done = run_command(
        "replay", "verify", "log", "--with", write(tmp_path / "skis", SKIS), "--policies", write_desk(tmp_path / "desk")
    )

    assert done.exit_code == 3
    assert "[other-desk]" in done.output


@pytest.mark.parametrize(
    "command",
    [
        ("check", "--no-cross-check"),
        ("show", "--policies"),
        ("version", "--policies"),
        ("version", "-o", "json", "--policies"),
        ("build", "-o", "B", "--policies"),
    ],
)
def test_a_day_of_effect_is_shown_by_the_offset_that_its_owner_wrote(command: tuple[str, ...], tmp_path: Path) -> None:
    words = [str(tmp_path / "one.zip") if word == "B" else word for word in command]

    done = run_command(*words, write(tmp_path / "desk", AHEAD))

    assert done.exit_code == 0, done.output
    assert "2024-03-01" in done.output
    assert "2024-02-29" not in done.output


def test_unpacked_and_released_versions_keep_the_offset_of_their_day_of_effect(tmp_path: Path) -> None:
    following = {**renumbered(), "manifest.yaml": renumbered()["manifest.yaml"].replace("00:00:00Z", "00:00:00+10:00")}

    done = run_command("unpack", *bundles(tmp_path, AHEAD, following), "--to", tmp_path / "policies")

    assert "2024-03-01" in done.output
    assert 'effective_from: "2024-03-01T00:00:00+10:00"' in (tmp_path / "policies/past/frozen.yaml").read_text()
    assert run_command("release", "--policies", tmp_path / "policies").exit_code == 0
    assert (tmp_path / "policies/past/frozen.yaml").read_text().count("+10:00") == 2


def test_the_offset_of_a_day_of_effect_changes_neither_the_bytes_nor_the_reading_of_a_bundle() -> None:
    made = make_bundle(AHEAD)

    assert b'"effective_from": "2024-02-29T14:00:00+00:00"' in made.data
    assert read_bundle(made.data, "one.zip").ref == made.ref


def test_a_register_keeps_its_days_as_they_are_written() -> None:
    policy, trees = load_with_trees(AHEAD)
    text = register_text(
        [
            Frozen(
                version=policy.manifest.version,
                effective_from=policy.manifest.effective_from,
                digest=digest(trees),
                place=Place(file=""),
            )
        ]
    )

    found, problems = read_register("frozen.yaml", text)

    assert problems == []
    assert register_text(found.values()) == text
    assert found["1.0.0"].effective_from == load(AHEAD).manifest.effective_from
