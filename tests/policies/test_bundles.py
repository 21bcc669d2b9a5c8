"""Built bundles: always the same bytes, read only as they were built, and signed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as other_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from engine.model.problems import PolicyErrors
from engine.version.build import build
from guidepost.policies.sources.bundle_archive import MAX_ARCHIVE, make_bundle, pack, read_bundle
from guidepost.policies.sources.resolve import read_source
from guidepost.policies.sources.signatures import (
    new_key,
    private_key,
    read_signature,
    same_digest,
    sign,
    trusted_keys,
    verify,
)
from guidepost.policies.sources.source import SourceError
from tests.support.command import run_command
from tests.support.desks import CASES, GOOD, commit_all, git, renumbered, write, write_desk

BUNDLE: Final = make_bundle(GOOD)


def refused(data: bytes) -> str:
    """Return the problems of bytes that are not a bundle."""
    with pytest.raises(PolicyErrors) as caught:
        read_bundle(data, "a.zip")
    return str(caught.value)


def described(data: bytes = BUNDLE.data) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found: dict[str, Any] = json.loads(archive.read("bundle.json"))
    return found


def rebuilt(change: Callable[[dict[str, Any]], object], files: dict[str, str] = GOOD) -> bytes:
    """Return the bundle of these files with another description."""
    description = described()
    change(description)
    return pack(files, (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())


def zipped(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return written.getvalue()


class TestSameBytes:
    def test_the_order_of_the_files_does_not_count(self) -> None:
        names = list(GOOD)
        random.Random(1).shuffle(names)

        assert list(names) != list(GOOD)
        assert make_bundle({name: GOOD[name] for name in names}).data == BUNDLE.data

    def test_two_processes_of_other_seeds_zones_and_masks_build_the_same(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "desk", GOOD)
        built = []
        for seed, zone, mask in (("1", "UTC", 0o022), ("2", "Asia/Tokyo", 0o077)):
            code = f"import os; os.umask({mask}); from guidepost.cli.app import app; app()"
            path = tmp_path / f"{seed}.zip"
            subprocess.run(
                [sys.executable, "-c", code, "build", "--policies", str(folder), "-o", str(path)],
                check=True,
                capture_output=True,
                env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "GUIDEPOST_CACHE": str(tmp_path)},
            )
            built.append(path.read_bytes())

        assert built == [BUNDLE.data, BUNDLE.data]

    def test_a_folder_a_revision_and_the_bundle_itself_build_the_same(self, tmp_path: Path) -> None:
        folder = write(tmp_path, GOOD)
        git(tmp_path, "init", "--quiet")
        commit_all(tmp_path)
        write(tmp_path, {"README.md": "no policy"})
        (tmp_path / "a.zip").write_bytes(BUNDLE.data)

        assert {
            make_bundle(read_source(spec, policies=folder).files).sha256
            for spec in ("working", "HEAD", f"bundle:{tmp_path}/a.zip")
        } == {BUNDLE.sha256}

    def test_the_layout_of_the_archive_is_the_same_on_every_python_and_zlib(self) -> None:
        assert (
            hashlib.sha256(pack({"b.yaml": "b: ä\n", "a.yaml": "a: 1\n"}, b"{}\n")).hexdigest()
            == "e40c03efe5c29bad440759c9ec5211674a625e0a7b49c4214ec5ad7715844dc9"
        )

    def test_another_remark_is_another_bundle_of_the_same_digest(self) -> None:
        other = make_bundle({**GOOD, "queue.yaml": GOOD["queue.yaml"] + "# a remark\n"})

        assert (other.ref, other.sha256 == BUNDLE.sha256) == (BUNDLE.ref, False)

    def test_a_bundle_says_what_it_holds(self) -> None:
        version = build(GOOD)
        found = described()

        assert {key: found[key] for key in ("name", "version", "effective_from", "digest")} == {
            "name": "bike-workshop",
            "version": "1.0.0",
            "effective_from": "2024-03-01T00:00:00+00:00",
            "digest": version.digest,
        }
        assert {file["path"]: file["sha256"] for file in found["files"]} == {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in GOOD.items()
        }
        tables = [*version.policy.tables.values(), *(deadline.table for deadline in version.policy.deadlines.values())]
        rules = [rule for table in tables for rule in (*table.rules, *filter(None, [table.otherwise]))]
        assert sorted((rule["id"], rule["source"], rule["assumption"]) for rule in found["rules"]) == sorted(
            (rule.id, rule.source, rule.assumption) for rule in rules
        )
        assert {"table": "brakes", "id": "brakes.gone", "source": "card, 1", "assumption": ""} in found["rules"]

    def test_places_in_a_bundle_are_those_of_the_files(self) -> None:
        assert read_bundle(BUNDLE.data, "a.zip").files == GOOD


class TestReading:
    def test_every_changed_byte_is_found(self) -> None:
        generator = random.Random(4)
        for at in [generator.randrange(len(BUNDLE.data)) for _ in range(150)]:
            changed = bytearray(BUNDLE.data)
            changed[at] ^= 1 << generator.randrange(8)
            refused(bytes(changed))

    @given(st.integers(0, len(BUNDLE.data) - 1), st.binary(max_size=30), st.integers(0, 30))
    def test_bytes_put_in_or_taken_out_are_found(self, at: int, put_in: bytes, taken_out: int) -> None:
        changed = BUNDLE.data[:at] + put_in + BUNDLE.data[at + taken_out :]
        if changed != BUNDLE.data:
            refused(changed)

    def test_a_file_that_was_changed_is_named(self) -> None:
        changed = {**GOOD, "queue.yaml": GOOD["queue.yaml"].replace("later", "today")}

        assert refused(rebuilt(lambda _: None, changed)) == (
            "a.zip/queue.yaml:1:1: the file was changed: its SHA-256 differs [altered-bundle]\n"
            "    help: use the bundle as it was built, or build it again with `guidepost build`"
        )

    def test_files_that_were_added_or_taken_away_are_named_all_at_once(self) -> None:
        files = {name: text for name, text in GOOD.items() if name != "parts.yaml"} | {"more.yaml": "kind: policy\n"}

        assert [line for line in refused(rebuilt(lambda _: None, files)).splitlines() if "help" not in line] == [
            "a.zip/more.yaml:1:1: the file is in the archive but not listed in bundle.json [altered-bundle]",
            "a.zip/parts.yaml:1:1: the file is listed but not in the archive [altered-bundle]",
        ]

    @pytest.mark.parametrize("key", ["name", "version", "effective_from", "digest"])
    def test_a_description_of_another_policy_is_refused(self, key: str) -> None:
        assert f"`{key}` does not match the files [altered-bundle]" in refused(
            rebuilt(lambda found: found.update({key: "0" * 64}))
        )

    def test_a_rule_list_of_another_policy_is_refused(self) -> None:
        assert "`rules` does not match the files [altered-bundle]" in refused(
            rebuilt(lambda found: found["rules"].pop())
        )

    def test_a_description_of_another_shape_or_format_is_refused(self) -> None:
        assert "[bad-bundle]" in refused(rebuilt(lambda found: found.update(more=1)))
        assert "the bundle is of format 2; this program reads format 1" in refused(
            rebuilt(lambda found: found.update(format=2))
        )
        assert "not JSON" in refused(pack(GOOD, b"{"))

    @pytest.mark.parametrize(
        "name",
        [
            "../a.yaml",
            "/etc/a.yaml",
            "cases/../../a.yaml",
            "..\\a.yaml",
            "past/1.0.0/a.yaml",
            "a.py",
            "schemas/a.json",
            "cases/",
            "C:\\a\\b.txt",
        ],
    )
    def test_an_entry_that_no_version_has_is_refused_before_it_is_read(self, name: str) -> None:
        assert "is not part of a bundle [bad-bundle]" in refused(zipped([("bundle.json", b"{}"), (name, b"a")]))

    def test_a_compressed_entry_is_refused_before_it_is_read(self) -> None:
        bomb = zipped([("bundle.json", b"{}"), ("a.yaml", bytes(50_000_000))], zipfile.ZIP_DEFLATED)

        assert len(bomb) < 100_000
        assert "the entry `a.yaml` is compressed [bad-bundle]" in refused(bomb)

    def test_an_entry_that_stands_twice_is_refused(self) -> None:
        with pytest.warns(UserWarning, match="Duplicate name"):
            twice = zipped([("bundle.json", b"{}"), ("a.yaml", b"a"), ("a.yaml", b"b")])

        assert "is in the archive twice" in refused(twice)

    def test_too_many_entries_and_too_many_bytes_are_refused(self) -> None:
        assert "2,002 entries; a bundle may have 2,001 [too-large]" in refused(
            zipped([("bundle.json", b"{}"), *((f"{at}.yaml", b"") for at in range(2_001))])
        )
        assert "[too-large]" in refused(bytes(MAX_ARCHIVE + 1))

    def test_an_archive_of_something_else_says_what_to_do(self) -> None:
        assert "there is no bundle.json in the archive [bad-bundle]" in refused(
            zipped([(name, text.encode()) for name, text in GOOD.items()])
        )
        assert "not an archive that can be read" in refused(b"no zip")

    def test_a_bundle_of_a_broken_policy_has_the_problems_of_the_policy(self) -> None:
        broken = {**GOOD, "queue.yaml": "kind: policy\n"}
        files = [{"path": name, "sha256": hashlib.sha256(text.encode()).hexdigest()} for name, text in broken.items()]

        assert "a.zip/queue.yaml:1:1: `about` is missing [missing-key]" in refused(
            rebuilt(lambda found: found.update(files=files), broken)
        )


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the pairs of keys of Ann and of Bo."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("ann", "bo"):
        new_key(folder / f"{name}.private.pem", folder / f"{name}.public.pem")
    return folder


class TestSignatures:
    def test_a_signature_holds_for_these_bytes_by_this_key(self, keys: Path) -> None:
        signature = read_signature(
            sign(BUNDLE.sha256, BUNDLE.ref.digest, private_key(keys / "ann.private.pem")), "a.sig"
        )

        assert verify(BUNDLE.sha256, signature, trusted_keys([keys]), "a.zip").name == "ann.public.pem"
        with pytest.raises(SourceError, match="does not match its signature"):
            verify("0" * 64, signature, trusted_keys([keys]), "a.zip")
        with pytest.raises(SourceError, match="which is not trusted"):
            verify(BUNDLE.sha256, signature, trusted_keys([keys / "bo.public.pem"]), "a.zip")

    @pytest.mark.parametrize(
        ("field", "value"), [("sha256", "0" * 64), ("digest", "0" * 64), ("signature", "A" * 86 + "=="), ("key", "bo")]
    )
    def test_a_signature_that_was_changed_holds_no_more(self, keys: Path, field: str, value: str) -> None:
        trust = trusted_keys([keys])
        plain = json.loads(sign(BUNDLE.sha256, BUNDLE.ref.digest, private_key(keys / "ann.private.pem")))
        changed = {
            **plain,
            field: next(key.id for key in trust.keys if key.name.startswith("bo")) if value == "bo" else value,
        }
        sha256 = changed["sha256"]

        with pytest.raises(SourceError, match=r"the signature of a\.zip is invalid"):
            verify(sha256, read_signature(json.dumps(changed).encode(), "a.sig"), trust, "a.zip")

    def test_what_is_signed_says_what_it_is_for(self, keys: Path) -> None:
        key = private_key(keys / "ann.private.pem")
        plain = json.loads(sign(BUNDLE.sha256, BUNDLE.ref.digest, key))
        bare = (
            __import__("base64")
            .b64encode(key.sign(f"sha256 {BUNDLE.sha256}\ndigest {BUNDLE.ref.digest}\n".encode()))
            .decode()
        )

        with pytest.raises(SourceError, match="is invalid"):
            verify(
                BUNDLE.sha256,
                read_signature(json.dumps({**plain, "signature": bare}).encode(), "a.sig"),
                trusted_keys([keys]),
                "a.zip",
            )

    def test_the_digest_that_was_signed_is_that_of_the_policy(self, keys: Path) -> None:
        signature = read_signature(sign(BUNDLE.sha256, "1" * 64, private_key(keys / "ann.private.pem")), "a.sig")

        with pytest.raises(SourceError, match="for a policy with another digest"):
            same_digest(signature, BUNDLE.ref.digest, "a.zip")

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"x" * 5_000, b'{"format": 1}', b"[" * 4_000])
    def test_what_is_no_signature_is_said_plainly(self, content: bytes) -> None:
        with pytest.raises(SourceError, match="expected a signature in"):
            read_signature(content, "a.sig")

    def test_a_private_key_is_for_its_owner_s_eyes_only_and_none_is_overwritten(self, keys: Path) -> None:
        assert stat.S_IMODE((keys / "ann.private.pem").stat().st_mode) == 0o600
        with pytest.raises(SourceError, match="keys are not overwritten"):
            new_key(keys / "ann.private.pem", keys / "c.public.pem")

    def test_keys_of_another_kind_or_for_another_purpose_are_refused(self, keys: Path, tmp_path: Path) -> None:
        other = other_key(SECP256R1())
        locked = private_key(keys / "ann.private.pem").private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
        )
        for name, pem in {
            "other.private.pem": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "other.public.pem": other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "locked.pem": locked,
            "none.pem": b"hello",
        }.items():
            (tmp_path / name).write_bytes(pem)

        said = []
        for path in (
            tmp_path / "other.private.pem",
            tmp_path / "locked.pem",
            tmp_path / "none.pem",
            keys / "ann.public.pem",
            tmp_path / "gone",
        ):
            with pytest.raises(SourceError) as caught:
                private_key(path)
            said.append(caught.value.message.replace(f"{path.parent}/", ""))
        for path in (
            tmp_path / "other.public.pem",
            keys / "ann.private.pem",
            tmp_path / "none.pem",
            tmp_path / "keys" / "gone",
        ):
            with pytest.raises(SourceError) as caught:
                trusted_keys([path])
            said.append(caught.value.message.replace(f"{path.parent}/", ""))

        assert said == [
            "the key in other.private.pem is not an Ed25519 key",
            "the key in locked.pem is encrypted",
            "none.pem holds no private key in PEM",
            "ann.public.pem holds a public key; signing needs the private one",
            "the key gone cannot be read: No such file or directory",
            "the key in other.public.pem is not an Ed25519 key",
            "ann.private.pem holds a private key; expected a public one",
            "none.pem holds no public key in PEM",
            "the key gone cannot be read: No such file or directory",
        ]

    def test_a_private_key_in_the_place_of_its_public_half_names_the_file_of_that(self, keys: Path) -> None:
        with pytest.raises(SourceError) as caught:
            trusted_keys([keys / "ann.private.pem"])

        assert caught.value.help == "use its public half: ann.public.pem beside it"

    def test_a_folder_of_keys_is_that_of_its_public_ones(self, keys: Path, tmp_path: Path) -> None:
        assert [key.name for key in trusted_keys([keys]).keys] == ["ann.public.pem", "bo.public.pem"]
        with pytest.raises(SourceError, match="no public key in the folder"):
            trusted_keys([tmp_path])


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small desk as the default policies folder, with a case."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUIDEPOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GUIDEPOST_TRUSTED_KEYS", raising=False)
    monkeypatch.setenv("GUIDEPOST_POLICIES", "desk")
    return write(write_desk(tmp_path / "desk"), {"cases/a.yaml": CASES})


@pytest.mark.usefixtures("policies")
class TestCommands:
    def test_build_sign_and_verify(self, golden: Callable[[str, str], None]) -> None:
        made = run_command("keys", "new", "ann").stdout
        ann = made.split()[-1]
        said = [
            f"$ guidepost {' '.join(command)}\n{(result := run_command(*command)).stdout}{result.stderr}--- exit {result.exit_code} ---\n"
            for command in (
                ("build",),
                ("build", "1.0.0", "-o", "old.zip"),
                ("sign", "bike-workshop-2.0.0.zip", "--key", "ann.private.pem"),
                ("verify", "bike-workshop-2.0.0.zip", "--key", "ann.public.pem"),
                ("verify", "old.zip", "--key", "ann.public.pem", "--signature", "bike-workshop-2.0.0.zip.sig"),
                ("verify", "old.zip"),
            )
        ]

        text = f"$ guidepost keys new ann\n{made}\n{chr(10).join(said)}".replace(ann, "KEY")
        golden("cli/bundles.txt", re.sub(r"\b[0-9a-f]{64}\b", "0123...cdef", text))

    def test_only_what_checks_clean_is_built(self, policies: Path) -> None:
        write(policies, {"cases/a.yaml": CASES.replace("safety: unsafe", "safety: safe")})
        failed = run_command("build")
        write(policies, {"queue.yaml": GOOD["queue.yaml"].replace("> 80", "> 81")})
        broken = run_command("build")

        assert (failed.exit_code, broken.exit_code) == (4, 3)
        assert "safety: expected safe, got unsafe" in failed.stderr
        assert "[gap]" in broken.stderr
        assert not list(Path().glob("*.zip"))

    def test_a_released_number_is_built_of_the_released_policy_only(self, policies: Path) -> None:
        write(policies, {"manifest.yaml": GOOD["manifest.yaml"].replace("the head mechanic", "ann")})
        result = run_command("build", "folder:desk")

        assert result.exit_code == 3
        assert "1.0.0 was released with digest" in result.stderr
        assert run_command("build", "1.0.0", "-o", "a.zip").exit_code == 2  # two folders are called 1.0.0 now
        assert run_command("build", "desk/past/1.0.0", "-o", "a.zip").exit_code == 0

    def test_a_bundle_can_be_built_into_a_folder_and_said_as_json(self, tmp_path: Path) -> None:
        result = run_command("build", "1.0.0", "-o", str(tmp_path), "--json")
        found = json.loads(result.stdout)

        assert found["sha256"] == BUNDLE.sha256
        assert (tmp_path / "bike-workshop-1.0.0.zip").read_bytes() == BUNDLE.data
        assert stat.S_IMODE((tmp_path / "bike-workshop-1.0.0.zip").stat().st_mode) == 0o644

    def test_no_half_of_a_bundle_is_ever_left(self) -> None:
        assert run_command("build", "-o", "gone/a.zip").exit_code == 2
        assert not list(Path().rglob("*a.zip*"))

    def test_only_a_bundle_is_signed(self) -> None:
        run_command("keys", "new", "ann")
        Path("a.zip").write_bytes(BUNDLE.data[:-1])

        assert run_command("sign", "a.zip", "--key", "ann.private.pem").exit_code == 3
        assert run_command("sign", "gone.zip", "--key", "ann.private.pem").exit_code == 2
        assert not Path("a.zip.sig").exists()

    def test_all_that_is_given_to_verify_by_has_to_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run_command("keys", "new", "ann")
        Path("a.zip").write_bytes(BUNDLE.data)
        run_command("sign", "a.zip", "--key", "ann.private.pem")

        assert run_command("verify", f"a.zip#sha256={BUNDLE.sha256}").exit_code == 0
        assert run_command("verify", f"a.zip#sha256={BUNDLE.sha256}", "--key", "ann.public.pem").exit_code == 0
        assert run_command("verify", f"a.zip#sha256={'0' * 64}", "--key", "ann.public.pem").exit_code == 3

        monkeypatch.setenv("GUIDEPOST_TRUSTED_KEYS", "ann.public.pem")

        assert json.loads(run_command("verify", "a.zip", "--json").stdout)["digest"] == BUNDLE.ref.digest

        Path("a.zip").write_bytes(make_bundle(renumbered()).data)

        assert run_command("verify", "a.zip").exit_code == 3
