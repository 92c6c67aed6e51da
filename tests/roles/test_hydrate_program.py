"""The program that fills a cache: whole, checked, resumed; and what it says when the store or the disk is at fault."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import fleetyard_store
import hydrate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback_stores import Bucket

MIB = 1 << 20


def content(size: int, seed: int = 0) -> bytes:
    """Bytes that differ everywhere, so that a part in a wrong place is seen."""
    return hashlib.shake_128(f"{size}/{seed}".encode()).digest(size)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.bin").write_bytes(content(3 * MIB + 17))
    (folder / "b.bin").write_bytes(content(5))
    (folder / "empty").write_bytes(b"")
    (folder / "deep" / "er" / "c d+é.bin").write_bytes(content(MIB, 2))
    return folder


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def run(*words: object) -> int:
    return hydrate.main([str(word) for word in words])


def fill(bucket: Bucket, to: Path, *more: object) -> int:
    return run("fill", "--from", f"{bucket.url}/datasets", "--to", to, "--chunk-mib", 1, "--jobs", 4, *more)


def published(bucket: Bucket, source: Path, name: str = "text") -> None:
    assert run("publish", source, f"{bucket.url}/datasets/{name}") == 0


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "manifest.json"
    }


def metric(path: Path, name: str) -> float:
    (line,) = [line for line in path.read_text().splitlines() if line.startswith(f"fleetyard_hydrate_{name} ")]
    return float(line.split()[1])


def test_what_is_published_arrives_as_it_was(bucket: Bucket, source: Path, tmp_path: Path) -> None:
    published(bucket, source)
    prom = tmp_path / "fleetyard_hydrate.prom"
    assert fill(bucket, tmp_path / "cache", "--metrics", prom) == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)
    assert (tmp_path / "cache" / "text" / "manifest.json").read_bytes() == bucket.get("datasets/text/manifest.json")
    assert len(bucket.state.reads_of("a.bin")) == 4
    assert (metric(prom, "success"), metric(prom, "objects"), metric(prom, "datasets")) == (1, 4, 1)
    assert metric(prom, "fetched_bytes") == metric(prom, "listed_bytes") == sum(map(len, tree(source).values()))
    assert not list((tmp_path / "cache").rglob("*.part*"))


def test_a_second_run_fetches_nothing(bucket: Bucket, source: Path, tmp_path: Path) -> None:
    published(bucket, source)
    assert fill(bucket, tmp_path / "cache") == 0
    bucket.state.asked.clear()
    prom = tmp_path / "m.prom"
    assert fill(bucket, tmp_path / "cache", "--metrics", prom) == 0
    assert metric(prom, "fetched_bytes") == 0
    assert not bucket.state.reads_of(".bin")


def test_a_damaged_file_is_found_by_verify_and_fetched_again(s3: Bucket, source: Path, tmp_path: Path) -> None:
    published(s3, source)
    assert fill(s3, tmp_path / "cache") == 0
    damaged = tmp_path / "cache" / "text" / "a.bin"
    about = damaged.stat()
    damaged.write_bytes(content(about.st_size, 9))
    os.utime(damaged, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert fill(s3, tmp_path / "cache", "--verify") == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)


def test_a_file_that_was_touched_is_checked_and_kept(s3: Bucket, source: Path, tmp_path: Path) -> None:
    published(s3, source)
    assert fill(s3, tmp_path / "cache") == 0
    (tmp_path / "cache" / "text" / "a.bin").touch()
    s3.state.asked.clear()
    assert fill(s3, tmp_path / "cache") == 0
    assert not s3.state.reads_of("a.bin")


def test_several_datasets_and_a_choice_of_them(s3: Bucket, source: Path, tmp_path: Path) -> None:
    published(s3, source, "text")
    published(s3, source / "deep", "images/small")
    assert fill(s3, tmp_path / "one", "--only", "images/small") == 0
    assert set(tree(tmp_path / "one")) == {"images/small/er/c d+é.bin"}
    assert fill(s3, tmp_path / "all") == 0
    assert {path.split("/")[0] for path in tree(tmp_path / "all")} == {"text", "images"}
    assert fill(s3, tmp_path / "one", "--only", "imgaes") == 66


def test_nothing_published_yet_is_no_failure(bucket: Bucket, tmp_path: Path) -> None:
    prom = tmp_path / "m.prom"
    assert fill(bucket, tmp_path / "cache", "--metrics", prom) == 0
    assert (metric(prom, "success"), metric(prom, "datasets")) == (1, 0)


def test_a_new_version_replaces_the_old_and_what_left_is_removed(bucket: Bucket, source: Path, tmp_path: Path) -> None:
    published(bucket, source)
    assert fill(bucket, tmp_path / "cache") == 0
    (tmp_path / "cache" / "text" / "of-a-person").write_bytes(b"mine")
    (source / "b.bin").write_bytes(content(5, 1))
    (source / "empty").unlink()
    published(bucket, source)
    assert fill(bucket, tmp_path / "cache") == 0
    assert tree(tmp_path / "cache" / "text") == {**tree(source), "of-a-person": b"mine"}


# Faults


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_an_object_truncated_after_publishing_is_named(
    bucket: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(bucket, source)
    bucket.put("datasets/text/a.bin", content(MIB))
    prom = tmp_path / "m.prom"
    assert fill(bucket, tmp_path / "cache", "--metrics", prom) == 65
    text = said(capsys)
    assert f"{bucket.url}/datasets/text/a.bin has {MIB} bytes, manifest.json says {3 * MIB + 17}" in text
    assert "publish the dataset again" in text
    assert metric(prom, "success") == 0
    assert not (tmp_path / "cache" / "text" / "manifest.json").exists()
    published(bucket, source)
    assert fill(bucket, tmp_path / "cache", "--metrics", prom) == 0
    assert (tree(tmp_path / "cache" / "text"), metric(prom, "success")) == (tree(source), 1)


def test_a_missing_object_is_named(
    bucket: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(bucket, source)
    manifest = json.loads(bucket.get("datasets/text/manifest.json"))
    manifest["objects"].append({"key": "gone.bin", "bytes": 1, "sha256": "0" * 64})
    bucket.put("datasets/text/manifest.json", json.dumps(manifest).encode())
    assert fill(bucket, tmp_path / "cache") == 65
    assert "datasets/text/gone.bin is listed in manifest.json and not there" in said(capsys)


def test_an_object_that_changes_while_it_is_read_is_never_a_mixture(
    bucket: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(bucket, source)
    reads = []

    def change(verb: str, path: str) -> None:
        if verb == "GET" and path.endswith("a.bin"):
            reads.append(path)
            if len(reads) == 2:
                bucket.put("datasets/text/a.bin", content(3 * MIB + 17, seed=1))

    bucket.state.before = change
    assert fill(bucket, tmp_path / "cache", "--jobs", 1) == 65
    assert "a.bin changed while it was read" in said(capsys)
    assert not (tmp_path / "cache" / "text" / "a.bin").exists()
    bucket.state.before = None
    # Publishing again mends it.
    published(bucket, source)
    assert fill(bucket, tmp_path / "cache") == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)


def test_same_size_other_content_is_found_by_the_hash(
    bucket: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(bucket, source)
    bucket.put("datasets/text/b.bin", content(5, 7))
    assert fill(bucket, tmp_path / "cache") == 65
    assert "datasets/text/b.bin has sha256" in said(capsys)
    assert not (tmp_path / "cache" / "text" / "b.bin").exists()


def test_a_transfer_that_breaks_off_goes_on_where_it_was(bucket: Bucket, source: Path, tmp_path: Path) -> None:
    published(bucket, source)
    cuts = []

    def cut(verb: str, path: str, data: bytes) -> bytes:
        if path.endswith("a.bin") and len(data) > 1000 and len(cuts) < 3:
            cuts.append(path)
            return data[: len(data) // 2]
        return data

    bucket.state.breaks = cut
    assert fill(bucket, tmp_path / "cache", "--jobs", 1) == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)
    starts = [int(ranged.removeprefix("bytes=").split("-")[0]) for ranged in bucket.state.reads_of("a.bin")]
    assert len(cuts) == 3
    assert any(start % MIB for start in starts)


def test_an_object_that_is_always_cut_off_ends_the_run_and_is_resumed(
    bucket: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published(bucket, source)
    last_part = 3 * MIB
    bucket.state.breaks = lambda _, path, data: data[:3] if path.endswith("a.bin") and len(data) <= 17 else data
    # Three bytes come with every try, seventeen are wanted: five tries do not suffice.
    assert fill(bucket, tmp_path / "cache") == 69
    assert f"15 of 17 bytes came from byte {last_part}" in said(capsys)
    bucket.state.breaks = None
    bucket.state.asked.clear()
    assert fill(bucket, tmp_path / "cache") == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)
    assert len(bucket.state.reads_of("a.bin")) < 4


def test_a_run_that_is_killed_keeps_its_parts(s3: Bucket, source: Path, tmp_path: Path) -> None:
    published(s3, source)
    words = ["fill", "--from", f"{s3.url}/datasets", "--to", str(tmp_path / "cache"), "--chunk-mib", "1", "--jobs", "1"]
    killed = []

    def stop(verb: str, path: str) -> None:
        if verb == "GET" and path.endswith("a.bin"):
            killed.append(path)
            if len(killed) == 3:
                child.kill()

    s3.state.before = stop
    library = str(Path(fleetyard_store.__file__).parent)
    child = subprocess.Popen(
        [sys.executable, "-B", hydrate.__file__, *words], env={**os.environ, "PYTHONPATH": library}
    )
    assert child.wait(60) == -9
    s3.state.before = None
    s3.state.asked.clear()
    assert run(*words) == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)
    assert len(s3.state.reads_of("a.bin")) == 2


def test_a_full_disk_is_said_before_anything_is_fetched(
    s3: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(s3, source)
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((*real[:3], 10, 10, *real[5:])))
    s3.state.asked.clear()
    assert fill(s3, tmp_path / "cache") == 74
    assert "the disk is full: 0.00 GB are to be fetched" in said(capsys)
    assert not s3.state.reads_of(".bin")


def test_a_disk_that_fills_up_meanwhile_is_said_and_the_run_goes_on_later(
    s3: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(s3, source)
    real, written = os.pwrite, []

    def pwrite(handle: int, data: bytes, at: int) -> int:
        written.append(len(data))
        if len(written) > 2:
            raise OSError(28, "No space left on device")
        return real(handle, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    assert fill(s3, tmp_path / "cache", "--jobs", 1) == 74
    assert "the disk is full. What was fetched is kept" in said(capsys)
    monkeypatch.setattr(os, "pwrite", real)
    s3.state.asked.clear()
    assert fill(s3, tmp_path / "cache") == 0
    assert tree(tmp_path / "cache" / "text") == tree(source)
    assert len(s3.state.reads_of("a.bin")) == 2


def test_two_runs_on_one_cache(s3: Bucket, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published(s3, source)
    prom = tmp_path / "m.prom"
    with hydrate.held(tmp_path / "cache"):
        assert fill(s3, tmp_path / "cache", "--metrics", prom) == 75
    assert "another run fills" in said(capsys)
    assert not prom.exists()


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b'{"version": 2, "objects": []}',
        b'{"version": 1, "objects": [{"key": "../../etc/passwd", "bytes": 1, "sha256": "' + b"0" * 64 + b'"}]}',
        b'{"version": 1, "objects": [{"key": "/etc/passwd", "bytes": 1, "sha256": "' + b"0" * 64 + b'"}]}',
        b'{"version": 1, "objects": [{"key": "a", "bytes": 1, "sha256": "short"}]}',
        b'{"version": 1, "objects": [{"key": ".hydrate.json", "bytes": 1, "sha256": "' + b"0" * 64 + b'"}]}',
        b'{"version": 1, "objects": [{"key": "a", "bytes": "many", "sha256": ""}]}',
    ],
)
def test_a_manifest_that_is_none_writes_nothing(s3: Bucket, manifest: bytes, tmp_path: Path) -> None:
    s3.put("datasets/text/manifest.json", manifest)
    assert fill(s3, tmp_path / "cache") == 65
    assert tree(tmp_path) == {}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.text(min_size=0, max_size=12))
def test_no_key_leaves_the_folder(key: str) -> None:
    said = json.dumps({"version": 1, "objects": [{"key": key, "bytes": 0, "sha256": "0" * 64}]}).encode()
    try:
        (entry,) = hydrate.read_manifest("here", said)
    except hydrate.RunError:
        return
    inside = Path("/cache/text")
    assert os.path.normpath(inside / entry.key).startswith(f"{inside}/")


def test_no_bucket_no_right_and_no_server_are_told_apart(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = bucket.url.partition(":")[0]
    missing = ["fill", "--from", f"{kind}://no-such-bucket/x", "--to", str(tmp_path / "cache")]
    assert run(*missing) == 66
    assert "no-such-bucket" in said(capsys)
    monkeypatch.setattr(fleetyard_store, "TRIES", 2)
    for name in ("AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fill(bucket, tmp_path / "cache") == 69


def test_a_machine_without_rights_is_status_77(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bucket.url.startswith("s3"):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    else:
        monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    assert fill(bucket, tmp_path / "cache") == 77


def test_a_wrong_address_says_the_right_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fill", "--from", "https://lake/x", "--to", tmp_path) == 66
    assert "s3://BUCKET/PREFIX" in said(capsys)
