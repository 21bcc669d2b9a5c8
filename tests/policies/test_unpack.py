"""Bundles become a complete policies folder in the order of their effective dates, or nothing changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from guidepost.cli.app import app
from guidepost.policies.sources.bundle_archive import BuiltBundle, make_bundle
from guidepost.policies.sources.folder import build_bundle
from guidepost.policies.sources.signatures import SUFFIX, new_key, private_key, sign
from tests.support.servers import COUNTER


def desk(version: str, year: int) -> BuiltBundle:
    """Return the bundle of a small desk, in force from a year on."""
    manifest = COUNTER["manifest.yaml"].replace("7.0.0", version).replace("2020-", f"{year}-")
    return make_bundle({**COUNTER, "manifest.yaml": manifest})


OLD, MIDDLE, NEW = desk("1.0.0", 2001), desk("1.1.0", 2002), desk("2.0.0", 2003)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """Return a folder with three bundles, whose names are not in the order of effect."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    for name, one in (("b", OLD), ("c", MIDDLE), ("a", NEW)):
        (folder / f"{name}.zip").write_bytes(one.data)
    return folder


def unpack(*words: object) -> Result:
    return CliRunner().invoke(app, ["unpack", *map(str, words)])


def test_the_last_version_to_come_into_effect_is_the_working_one_and_the_others_are_frozen_beside_it(
    bundles: Path, tmp_path: Path
) -> None:
    done = unpack(bundles, "--to", tmp_path / "policies", "-o", "json")

    made = build_bundle(tmp_path / "policies")
    assert done.exit_code == 0, done.output
    assert [row["version"] for row in json.loads(done.stdout)["versions"]] == ["1.0.0", "1.1.0", "2.0.0"]
    assert [version.ref for version in made.versions] == [OLD.ref, MIDDLE.ref, NEW.ref]
    assert 'version: "2.0.0"' in (tmp_path / "policies" / "manifest.yaml").read_text()


def test_every_character_of_the_files_comes_out(tmp_path: Path) -> None:
    one = make_bundle({**COUNTER, "gift.yaml": COUNTER["gift.yaml"].replace("\n", "\r\n")})
    (tmp_path / "one.zip").write_bytes(one.data)

    assert unpack(tmp_path / "one.zip", "--to", tmp_path / "policies").exit_code == 0
    assert {name: (tmp_path / "policies" / name).read_bytes() for name in one.files} == {
        name: text.encode() for name, text in one.files.items()
    }


def test_a_folder_that_is_there_stays_as_it_is_unless_it_is_to_be_replaced(bundles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")

    refused = unpack(bundles, "--to", folder)
    assert (refused.exit_code, sorted(path.name for path in folder.iterdir())) == (2, ["mine.txt"])
    assert "--replace" in refused.output
    assert unpack(bundles, "--to", folder, "--replace").exit_code == 0
    assert not (folder / "mine.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundles", "policies"]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([OLD, desk("1.0.0", 2009)], "two bundles are of version 1.0.0"),
        ([OLD, desk("3.0.0", 2001)], "the same instant"),
        ([], "expected files that end with .zip in"),
    ],
)
def test_versions_that_cannot_stand_beside_each_other_are_refused(
    others: list[BuiltBundle], said: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bundles"
    folder.mkdir()
    for number, one in enumerate(others):
        (folder / f"{number}.zip").write_bytes(one.data)

    done = unpack(folder, "--to", tmp_path / "policies")
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "policies").exists()


def test_a_bundle_that_was_altered_is_refused_and_nothing_is_written(bundles: Path, tmp_path: Path) -> None:
    altered = bytearray(NEW.data)
    altered[altered.index(b"Fast lane")] ^= 1
    (bundles / "a.zip").write_bytes(altered)

    assert unpack(bundles, "--to", tmp_path / "policies").exit_code == 3
    assert not (tmp_path / "policies").exists()


def test_with_a_key_every_bundle_has_to_be_signed_by_it(bundles: Path, tmp_path: Path) -> None:
    private, public = tmp_path / "desk.private.pem", tmp_path / "desk.public.pem"
    new_key(private, public)
    for name, one in (("a", NEW), ("b", OLD)):
        (bundles / f"{name}.zip{SUFFIX}").write_bytes(sign(one.sha256, one.ref.digest, private_key(private)))

    assert unpack(bundles, "--to", tmp_path / "policies", "--key", public).exit_code == 3
    assert not (tmp_path / "policies").exists()
    (bundles / f"c.zip{SUFFIX}").write_bytes(sign(MIDDLE.sha256, MIDDLE.ref.digest, private_key(private)))
    assert unpack(bundles, "--to", tmp_path / "policies", "--key", public).exit_code == 0
