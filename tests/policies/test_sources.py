"""Where versions come from: numbers, folders, git revisions, archives and addresses, each read whole or refused."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

import fsspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.model.problems import PolicyErrors
from guidepost.install_command import install_command
from guidepost.policies.sources import remote
from guidepost.policies.sources.bundle_archive import make_bundle
from guidepost.policies.sources.resolve import load_source, read_source
from guidepost.policies.sources.signatures import Trust, TrustedKey, key_id, sign
from guidepost.policies.sources.source import Origin, SourceError
from tests.support.desks import GOOD, commit_all, git, renumbered, write, write_desk

NOBODY: Final = Path("nowhere")


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policies folder in no repository, from where it is called `policies`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_desk(tmp_path / "policies")
    return Path("policies")


@pytest.fixture
def repository(policies: Path) -> Path:
    """The same in a repository: 1.0.0 was committed first (tag `first`), then 2.0.0."""
    root = Path.cwd()
    working = {path: path.read_bytes() for path in policies.rglob("*.yaml")}
    git(root, "init", "--quiet")
    write(policies, GOOD)
    commit_all(root, "the first version")
    git(root, "tag", "first")
    for path, content in working.items():
        path.write_bytes(content)
    commit_all(root, "the second version")
    return policies


def refusal(spec: str, policies: Path, trust: Trust = Trust()) -> str:  # noqa: B008
    """Return the error of a source that is rejected."""
    with pytest.raises(SourceError) as caught:
        read_source(spec, policies=policies, trust=trust)
    return str(caught.value)


def number(spec: str, policies: Path, trust: Trust = Trust()) -> str:  # noqa: B008
    """Return the number of the version that a spec names."""
    return load_source(spec, policies=policies, trust=trust).ref.version


class TestNames:
    def test_a_version_is_named_by_its_number_and_the_working_one_by_a_word(self, policies: Path) -> None:
        assert {spec: number(spec, policies) for spec in ("1.0.0", "2.0.0", "working", "current", "version:1.0.0")} == {
            "1.0.0": "1.0.0",
            "2.0.0": "2.0.0",
            "working": "2.0.0",
            "current": "2.0.0",
            "version:1.0.0": "1.0.0",
        }

    def test_places_are_called_as_the_source_is(self, policies: Path) -> None:
        found = load_source("1.0.0", policies=policies)

        assert found.policy.manifest.place.file == "policies/past/1.0.0/manifest.yaml"

    def test_a_folder_with_a_manifest_is_a_version(self, policies: Path) -> None:
        source = read_source("policies/past/1.0.0", policies=policies)

        assert (source.root, source.origin, source.files) == ("policies/past/1.0.0", Origin.FOLDER, GOOD)

    def test_a_number_is_a_version_even_where_a_folder_or_a_tag_is_called_so(self, repository: Path) -> None:
        write(Path("2.0.0"), GOOD)
        git(Path(), "tag", "1.0.0")

        assert (number("2.0.0", repository), number("folder:2.0.0", repository)) == ("2.0.0", "1.0.0")
        assert (number("1.0.0", repository), number("git:1.0.0", repository)) == ("1.0.0", "2.0.0")

    def test_a_name_that_is_both_a_path_and_a_revision_is_refused_with_both_ways_to_say_it(
        self, repository: Path
    ) -> None:
        write(Path("main"), GOOD)

        assert (
            refusal("main", repository)
            == "`main` is both a path and a git revision\n    help: write `folder:main` or `git:main`"
        )
        assert (number("folder:main", repository), number("./main", repository), number("git:main", repository)) == (
            "1.0.0",
            "1.0.0",
            "2.0.0",
        )

    def test_what_is_not_known_is_told_with_what_was_tried_and_what_is_near(self, repository: Path) -> None:
        assert refusal("1.0.1", repository) == (
            "unknown version `1.0.1`: not a version in policies, a folder, a bundle or a git revision\n    help: did you mean `1.0.0`?; versions here: 1.0.0, 2.0.0"
        )
        assert "did you mean `first`?" in refusal("frist", repository)
        assert refusal("version:3.0.0", repository).startswith("no version `3.0.0` in policies\n")

    @pytest.mark.parametrize(
        "spec", ["", " ", "a\0b", "x" * 5_000, "main\n", "é", "%", "@{", "~", "git:", "version:", "..", "HEAD..HEAD"]
    )
    def test_odd_names_are_refused_like_any_other(self, repository: Path, spec: str) -> None:
        assert refusal(spec, repository)

    def test_a_folder_without_a_manifest_says_which_ones_below_have_one(self, policies: Path) -> None:
        assert (
            refusal("policies/past", policies)
            == "the folder `policies/past` does not contain a version: there is no manifest.yaml\n    help: there is one in `policies/past/1.0.0`"
        )

    def test_two_folders_with_one_number_and_different_policies_are_ambiguous(self, policies: Path) -> None:
        write(policies / "past" / "copy", GOOD)

        assert number("1.0.0", policies) == "1.0.0"

        write(policies / "past" / "copy", {"queue.yaml": GOOD["queue.yaml"].replace("later", "today")})

        assert (
            refusal("1.0.0", policies)
            == "there are several versions `1.0.0` in policies\n    help: name the folder: `policies/past/1.0.0`, `policies/past/copy`"
        )

    def test_a_version_with_problems_is_told_with_their_places(self, policies: Path) -> None:
        write(policies, {"queue.yaml": "kind: policy\n"})

        with pytest.raises(PolicyErrors) as caught:
            load_source("working", policies=policies)

        assert {problem.place.file for problem in caught.value.problems} >= {"policies/queue.yaml"}


class TestGit:
    def test_a_revision_is_the_policies_folder_as_it_was_then(self, repository: Path) -> None:
        source = read_source("HEAD~1", policies=repository)

        assert source.files == GOOD
        assert (source.root, source.origin, source.detail) == (
            "HEAD~1:policies",
            Origin.GIT,
            "commit " + git(Path(), "rev-parse", "HEAD~1"),
        )
        assert [
            number(spec, repository)
            for spec in ("first", "HEAD", "main", "git:first", git(Path(), "rev-parse", "HEAD")[:9])
        ] == ["1.0.0", "2.0.0", "2.0.0", "1.0.0", "2.0.0"]

    def test_another_folder_of_a_revision_stands_behind_a_colon(self, repository: Path) -> None:
        assert number("HEAD:policies/past/1.0.0", repository) == "1.0.0"
        assert read_source("HEAD:policies/past/1.0.0", policies=repository).root == "HEAD:policies/past/1.0.0"

    def test_what_is_not_committed_does_not_count_and_nothing_is_touched(self, repository: Path) -> None:
        write(repository, {"queue.yaml": "half written"})
        write(repository, {"more.yaml": "not added"})
        (repository / "parts.yaml").unlink()
        git(Path(), "add", "policies/queue.yaml")
        before = git(Path(), "status", "--porcelain"), (Path(".git") / "index").read_bytes()

        assert read_source("HEAD", policies=repository).files == renumbered()
        assert (git(Path(), "status", "--porcelain"), (Path(".git") / "index").read_bytes()) == before

    def test_only_the_files_of_the_version_are_read(self, repository: Path) -> None:
        write(
            repository,
            {
                "README.md": "no policy",
                "cases/a.yaml": "kind: cases\n",
                "cases/deep/b.yaml": "no",
                "holidays/SE.yml": "kind: holidays\n",
            },
        )
        commit_all(Path())

        assert set(read_source("HEAD", policies=repository).files) == {*GOOD, "cases/a.yaml", "holidays/SE.yml"}

    def test_a_worktree_a_subfolder_and_a_clone_are_repositories_too(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        git(Path(), "worktree", "add", "--quiet", str(tmp_path / "beside"), "first")
        git(Path(), "clone", "--quiet", ".", str(tmp_path / "clone"))

        assert number("main", tmp_path / "beside" / "policies") == "2.0.0"
        assert number("origin/main", tmp_path / "clone" / "policies") == "2.0.0"

        monkeypatch.chdir(repository)

        assert number("first", Path()) == "1.0.0"

    def test_a_bare_clone_needs_the_folder(self, repository: Path, tmp_path: Path) -> None:
        bare = tmp_path / "bare.git"
        git(Path(), "clone", "--quiet", "--bare", ".", str(bare))

        assert number("first:policies", bare) == "1.0.0"
        assert refusal("git:first", bare).endswith("help: name the folder: `first:policies`")
        assert repository.exists()

    def test_a_policies_folder_at_the_top_of_its_repository(self, tmp_path: Path) -> None:
        top = write(tmp_path / "top", GOOD)
        git(top, "init", "--quiet")
        commit_all(top)

        assert read_source("HEAD", policies=top).files == GOOD

    def test_no_revision_can_be_an_option(self, repository: Path) -> None:
        for spec in ("-x", "--help", "--upload-pack=touch x", "git:--all", "git:-n1", "git:--git-dir=/"):
            assert "git revision" in refusal(spec, repository)

    def test_a_hook_s_own_repository_does_not_count(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = write(tmp_path / "other", {"a.txt": "a"})
        git(other, "init", "--quiet")
        commit_all(other)
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))

        assert read_source("first", policies=repository).files == GOOD

    @pytest.mark.usefixtures("repository")
    def test_no_policies_there_at_that_revision(self) -> None:
        git(Path(), "mv", "policies", "rules")
        commit_all(Path())
        rules = Path("rules")

        assert (
            refusal("first", rules)
            == "no policies in `rules` at `first`: there is no manifest.yaml\n    help: there is one in `first:policies`, `first:policies/past/1.0.0`"
        )
        assert number("first:policies", rules) == "1.0.0"

    def test_a_link_in_place_of_a_file_is_refused(self, repository: Path) -> None:
        (repository / "queue.yaml").unlink()
        (repository / "queue.yaml").symlink_to("/etc/passwd")
        commit_all(Path())

        assert (
            refusal("HEAD", repository)
            == "`policies/queue.yaml` is a link at `HEAD`, not a file\n    help: put the file itself there"
        )

    def test_a_shallow_clone_says_so(self, repository: Path, tmp_path: Path) -> None:
        git(Path(), "clone", "--quiet", "--depth", "1", f"file://{Path.cwd()}", str(tmp_path / "shallow"))

        assert "git fetch --unshallow" in refusal("HEAD~1", tmp_path / "shallow" / "policies")
        assert "git fetch --unshallow" in refusal("git:first", tmp_path / "shallow" / "policies")
        assert repository.exists()

    def test_outside_of_a_repository_no_revision_is_known(self, policies: Path) -> None:
        assert refusal("git:HEAD", policies).startswith("policies is in no git repository")

    def test_without_git_versions_still_have_their_names(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")

        assert number("1.0.0", repository) == "1.0.0"
        assert refusal("git:HEAD", repository).startswith("git is not installed")

    def test_a_file_of_a_revision_that_is_no_text_is_a_problem_at_its_place(self, repository: Path) -> None:
        (repository / "queue.yaml").write_bytes(b"kind: p\xff")
        commit_all(Path())

        with pytest.raises(
            PolicyErrors,
            match=r"HEAD:policies/queue\.yaml:1:8: expected UTF-8, got the byte 0xFF, which is `ÿ` in Latin-1",
        ):
            read_source("HEAD", policies=repository)


def zipped(files: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return written.getvalue()


def tarred(files: dict[str, str], mode: str) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]
        for name, text in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(text.encode())
            archive.addfile(about, io.BytesIO(text.encode()))
    return written.getvalue()


class TestArchives:
    def test_a_zip_or_tar_of_a_policies_folder_is_a_version(self, tmp_path: Path) -> None:
        below = {f"desk-main/policies/{name}": text for name, text in GOOD.items()}
        (tmp_path / "a.zip").write_bytes(zipped(GOOD))
        (tmp_path / "b.zip").write_bytes(zipped(below))
        (tmp_path / "c.tar").write_bytes(tarred(below, ""))
        (tmp_path / "d.tgz").write_bytes(tarred(GOOD, "gz"))

        for spec in (
            f"zip://::{tmp_path}/a.zip",
            f"zip://desk-main/policies::{tmp_path}/b.zip",
            f"tar://desk-main/policies::file://{tmp_path}/c.tar",
            f"tar://::{tmp_path}/d.tgz",
        ):
            assert read_source(spec, policies=NOBODY).files == GOOD

    def test_the_folder_that_was_meant_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "b.zip").write_bytes(zipped({f"policies/{name}": text for name, text in GOOD.items()}))

        assert refusal(f"zip://::{tmp_path}/b.zip", NOBODY).endswith("help: there is one in `zip://policies::...`")

    @pytest.mark.parametrize("spec", ["zip://a::b::c", "rar://::a.rar", "simplecache::s3://a/b"])
    def test_other_chains_are_refused(self, spec: str) -> None:
        assert "is not the name of an archive" in refusal(spec, NOBODY)

    def test_what_is_no_archive_is_said_in_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(b"not a zip")

        assert "cannot be read as zip" in refusal(f"zip://::{tmp_path}/a.zip", NOBODY)
        assert "cannot be read as tar" in refusal(f"tar://::{tmp_path}/a.zip", NOBODY)
        assert "cannot be read" in refusal(f"tar://::{tmp_path}/gone.tar", NOBODY)

    def test_an_archive_that_unpacks_to_more_than_may_be_is_not_read_to_its_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.zip").write_bytes(zipped({**GOOD, "big.yaml": "x" * 3_000_000}))
        (tmp_path / "a.tgz").write_bytes(tarred({**GOOD, "big.yaml": "x" * 3_000_000}, "gz"))
        monkeypatch.setattr("guidepost.policies.sources.zip_tar.MAX_BYTES", 1_000_000)
        monkeypatch.setattr("guidepost.policies.sources.text_files.MAX_BYTES", 1_000_000)
        monkeypatch.setattr("guidepost.policies.sources.zip_tar.MAX_ARCHIVE", 1_000_000)

        with pytest.raises(PolicyErrors, match="too-large"):
            read_source(f"zip://::{tmp_path}/a.zip", policies=NOBODY)
        assert "more than 1,000,000 bytes" in refusal(f"tar://::{tmp_path}/a.tgz", NOBODY)


KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))


def trusting(key: Ed25519PrivateKey) -> Trust:
    return Trust((TrustedKey("desk.public.pem", key_id(key.public_key()), key.public_key()),))


BUNDLE: Final = make_bundle(GOOD)
SIGNATURE: Final = sign(BUNDLE.sha256, BUNDLE.ref.digest, KEY)


def unpacked() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(BUNDLE.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Site(BaseHTTPRequestHandler):
    """Serves what is in ``files``, and has its whims."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    release: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(self.path)
        if path == "/hangs":
            self.release.wait(20)
        elif path == "/trickles":
            self.send_response(200)
            self.end_headers()
            while not self.release.wait(0.1):
                self.wfile.write(b"x")
                self.wfile.flush()
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            with_zeros = bytes(1 << 16)
            while not self.release.is_set():
                try:
                    self.wfile.write(with_zeros)
                except OSError:
                    return
        elif path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/to/").replace("%3A", ":"))
            self.end_headers()
        elif path in self.files:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.files[path])))
            self.end_headers()
            self.wfile.write(self.files[path])
        else:
            self.send_error(500 if path == "/broken" else 404)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server on a free port, with the bundle, its signature and the bundle unpacked."""
    pytest.importorskip("aiohttp")
    folder = {f"/folder/{name}": content for name, content in unpacked().items()}
    monkeypatch.setattr(
        Site, "files", {"/desk.zip": BUNDLE.data, "/desk.zip.sig": SIGNATURE, **folder, "/folder/bundle.sig": SIGNATURE}
    )
    monkeypatch.setattr(Site, "asked", [])
    monkeypatch.setattr(Site, "release", threading.Event())
    monkeypatch.setattr(remote, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(remote, "TOTAL_SECONDS", 1.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Site.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


class TestAddresses:
    def test_a_bundle_that_a_trusted_key_signed_is_used(self, site: str) -> None:
        source = read_source(f"{site}/desk.zip", policies=NOBODY, trust=trusting(KEY))

        assert (source.files, source.root, source.origin) == (GOOD, f"{site}/desk.zip", Origin.REMOTE)
        assert source.detail == f"signed by {key_id(KEY.public_key())} (desk.public.pem)"
        assert Site.asked == ["/desk.zip", "/desk.zip.sig"]

    def test_a_bundle_whose_sha256_was_said_is_used(self, site: str) -> None:
        source = read_source(f"{site}/desk.zip#sha256={BUNDLE.sha256.upper()}", policies=NOBODY)

        assert (source.files, source.detail) == (GOOD, f"pinned by sha256 {BUNDLE.sha256}")
        assert Site.asked == ["/desk.zip"]

    def test_what_nothing_could_verify_is_not_even_fetched(self, site: str) -> None:
        assert refusal(f"{site}/desk.zip", NOBODY).startswith(
            f"{site}/desk.zip is remote, and there is no key or SHA-256 to verify it with\n    help: pass a trusted key"
        )
        assert Site.asked == []

    def test_a_stranger_s_signature_another_bundle_s_and_none_at_all_are_refused(
        self, site: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "which is not trusted" in refusal(f"{site}/desk.zip", NOBODY, trusting(STRANGER))

        other = make_bundle(renumbered())
        monkeypatch.setitem(Site.files, "/desk.zip", other.data)
        assert "does not match its signature" in refusal(f"{site}/desk.zip", NOBODY, trusting(KEY))

        monkeypatch.delitem(Site.files, "/desk.zip.sig")
        assert refusal(f"{site}/desk.zip", NOBODY, trusting(KEY)) == f"there is nothing at {site}/desk.zip.sig"

    def test_other_bytes_than_those_that_were_pinned_are_refused(self, site: str) -> None:
        assert "does not have the expected SHA-256" in refusal(f"{site}/desk.zip#sha256={'0' * 64}", NOBODY)
        assert refusal(f"{site}/desk.zip#sha256=12", NOBODY).startswith("expected a SHA-256, got `#sha256=12`")

    def test_an_unpacked_bundle_is_verified_by_packing_it_again(
        self, site: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert read_source(f"{site}/folder/", policies=NOBODY, trust=trusting(KEY)).files == GOOD
        assert read_source(f"{site}/folder/#sha256={BUNDLE.sha256}", policies=NOBODY).files == GOOD

        monkeypatch.setitem(Site.files, "/folder/queue.yaml", Site.files["/folder/queue.yaml"] + b"# a remark\n")

        assert "does not match its signature" in refusal(f"{site}/folder/", NOBODY, trusting(KEY))
        assert "does not have the expected SHA-256" in refusal(f"{site}/folder/#sha256={BUNDLE.sha256}", NOBODY)

    def test_an_unpacked_bundle_can_name_no_file_outside(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        described = Site.files["/folder/bundle.json"].replace(b'"queue.yaml"', b'"../desk.zip"')
        monkeypatch.setitem(Site.files, "/folder/bundle.json", described)

        assert "lists files that a bundle cannot contain" in refusal(f"{site}/folder/", NOBODY, trusting(KEY))
        assert Site.asked == ["/folder/bundle.json"]

    def test_a_remote_archive_of_policies_has_to_be_pinned(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        packed = tarred({f"desk/{name}": text for name, text in GOOD.items()}, "gz")
        monkeypatch.setitem(Site.files, "/main.tar.gz", packed)
        spec = f"tar://desk::{site}/main.tar.gz"

        assert read_source(f"{spec}#sha256={hashlib.sha256(packed).hexdigest()}", policies=NOBODY).files == GOOD
        assert "there is no key or SHA-256 to verify it with" in refusal(spec, NOBODY)

    def test_a_server_that_says_nothing_or_never_ends_is_left_in_time(self, site: str) -> None:
        for path in ("hangs", "trickles"):
            assert (
                refusal(f"{site}/{path}#sha256={'0' * 64}", NOBODY)
                == f"{site}/{path} timed out (0.5 s for the first byte, 1 s in total)"
            )

    def test_a_server_that_sends_too_much_is_left(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(remote, "MAX_ARCHIVE", 100_000)
        monkeypatch.setitem(Site.files, "/desk.zip.sig", b"x" * 5_000)

        assert refusal(f"{site}/endless#sha256={'0' * 64}", NOBODY).startswith(
            f"{site}/endless is larger than 100,000 bytes"
        )
        assert refusal(f"{site}/desk.zip", NOBODY, trusting(KEY)).startswith(
            f"{site}/desk.zip.sig is larger than 4,096 bytes"
        )

    def test_a_redirect_is_followed_but_not_to_another_scheme(self, site: str) -> None:
        assert read_source(f"{site}/to//desk.zip#sha256={BUNDLE.sha256}", policies=NOBODY).files == GOOD
        for there in ("https://desk.example/a.zip", "file:///etc/passwd", "ftp://desk.example/a.zip"):
            assert "which is not followed" in refusal(
                f"{site}/to/{there.replace(':', '%3A')}#sha256={BUNDLE.sha256}", NOBODY
            )

    def test_an_address_that_fails_says_how_without_its_secrets(self, site: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            closed = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
            assert "cannot be fetched" in refusal(f"{closed}?token=hush#sha256={'0' * 64}", NOBODY)
            assert "hush" not in refusal(f"{closed}?token=hush#sha256={'0' * 64}", NOBODY)
        assert refusal(f"{site}/gone?token=hush#sha256={'0' * 64}", NOBODY) == f"there is nothing at {site}/gone"
        assert (
            refusal(f"{site}/broken?token=hush#sha256={'0' * 64}", NOBODY)
            == f"{site}/broken cannot be fetched: the server answers 500"
        )

    def test_a_query_stays_behind_the_name_of_the_signature(self, site: str) -> None:
        assert read_source(f"{site}/desk.zip?token=1", policies=NOBODY, trust=trusting(KEY)).files == GOOD
        assert Site.asked == ["/desk.zip?token=1", "/desk.zip.sig?token=1"]

    def test_any_store_that_fsspec_knows_is_verified_alike(self) -> None:
        store = fsspec.filesystem("memory")
        store.pipe({"/desk/a.zip": BUNDLE.data, "/desk/a.zip.sig": SIGNATURE})

        assert number("memory://desk/a.zip", NOBODY, trusting(KEY)) == "1.0.0"
        assert "there is no key or SHA-256 to verify it with" in refusal("memory://desk/a.zip", NOBODY)

    def test_a_driver_that_is_not_there_is_named_with_the_extra_that_has_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "s3fs", None)

        assert refusal(f"s3://desk/a.zip#sha256={'0' * 64}", NOBODY) == (
            "s3://desk/a.zip cannot be read without a driver for `s3://`\n    help: install the one for it: `"
            + install_command("s3fs")
            + "`"
        )

    @pytest.mark.parametrize(
        "spec", ["ftp://desk.example/a.zip", "github://desk:main@/a.zip", "sftp://desk.example/a.zip", "local://a.zip"]
    )
    def test_other_protocols_are_refused(self, spec: str) -> None:
        assert "known: http, https, s3, gs, memory" in refusal(f"{spec}#sha256={'0' * 64}", NOBODY)
