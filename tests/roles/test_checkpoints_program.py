"""The program that keeps checkpoints in a store: whole ones, the newest one named last, and back again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import checkpoints
import fleetyard_store
import pytest
from loopback_stores import Bucket


def content(size: int, seed: int = 0) -> bytes:
    return hashlib.shake_128(f"{size}/{seed}".encode()).digest(size)


def write(folder: Path, step: int, seed: int = 0) -> str:
    """A checkpoint of a folder, as a trainer writes it: elsewhere, then renamed."""
    hidden, name = folder / f".step-{step}.tmp", f"step-{step:06d}"
    (hidden / "shards").mkdir(parents=True)
    (hidden / "shards" / "0.npz").write_bytes(content(70_000, seed + step))
    (hidden / "about.json").write_text(json.dumps({"step": step}))
    hidden.rename(folder / name)
    return name


def pair(folder: Path, step: int) -> str:
    """A checkpoint of two files of one stem."""
    (folder / f"{step:08d}.npz").write_bytes(content(5000, step))
    (folder / f"{step:08d}.json").write_text("{}")
    return f"{step:08d}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoints"
    path.mkdir()
    return path


def run(act: str, folder: Path, bucket: Bucket, *more: object) -> int:
    return checkpoints.main([act, "--folder", str(folder), "--to", f"{bucket.url}/pools/train/local", *map(str, more)])


def latest(bucket: Bucket) -> str:
    return str(json.loads(bucket.get("pools/train/local/latest.json"))["checkpoint"])


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and ".sent" not in p.name
    }


def test_what_is_sent_comes_back(bucket: Bucket, folder: Path, tmp_path: Path) -> None:
    write(folder, 100)
    newest = write(folder, 200)
    assert run("sync", folder, bucket) == 0
    assert latest(bucket) == newest
    assert run("restore", tmp_path / "other", bucket) == 0
    assert tree(tmp_path / "other") == {k: v for k, v in tree(folder).items() if k.startswith(newest)}


def test_checkpoints_of_two_files(bucket: Bucket, folder: Path, tmp_path: Path) -> None:
    pair(folder, 9)
    newest = pair(folder, 10)
    (folder / "00000011.npz").write_bytes(b"not finished: its description is not there")
    assert run("sync", folder, bucket) == 0
    assert latest(bucket) == newest
    assert run("restore", tmp_path / "other", bucket) == 0
    assert set(tree(tmp_path / "other")) == {"00000010.json", "00000010.npz"}


def test_nothing_here_and_nothing_there(bucket: Bucket, folder: Path) -> None:
    assert run("restore", folder, bucket) == 0
    assert run("sync", folder, bucket) == 0
    assert bucket.names() == []


def test_what_is_not_finished_is_not_sent(s3: Bucket, folder: Path) -> None:
    (folder / ".step-1.tmp").mkdir()
    (folder / ".step-1.tmp" / "0.npz").write_bytes(b"half")
    (folder / "notes.txt").write_text("no checkpoint")
    assert run("sync", folder, s3) == 0
    assert s3.names() == []


def test_the_pointer_moves_after_all_files_and_never_back(s3: Bucket, folder: Path, tmp_path: Path) -> None:
    order: list[str] = []
    s3.state.before = lambda verb, path: order.append(path) if verb == "PUT" else None
    newest = write(folder, 300)
    assert run("sync", folder, s3) == 0
    assert order[-1].endswith("latest.json")
    assert len(order) == 3
    behind = tmp_path / "behind"
    behind.mkdir()
    write(behind, 200)
    assert run("sync", behind, s3) == 0
    assert latest(s3) == newest


def test_a_broken_sending_leaves_the_old_pointer_and_goes_on(
    s3: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write(folder, 100)
    assert run("sync", folder, s3) == 0
    new = write(folder, 200)
    real = fleetyard_store.S3.upload

    def fails(store: fleetyard_store.S3, name: str, path: Path) -> None:
        if name.endswith(".npz"):
            raise fleetyard_store.StoreError("the link is down")
        real(store, name, path)

    monkeypatch.setattr(fleetyard_store.S3, "upload", fails)
    assert run("sync", folder, s3, "--jobs", 1, "--metrics", folder.parent / "m.prom") == 69
    assert latest(s3) == old
    assert "fleetyard_checkpoint_sync_success 0" in (folder.parent / "m.prom").read_text()
    monkeypatch.setattr(fleetyard_store.S3, "upload", real)
    puts: list[str] = []
    s3.state.before = lambda verb, path: puts.append(path) if verb == "PUT" else None
    assert run("sync", folder, s3, "--metrics", folder.parent / "m.prom") == 0
    assert latest(s3) == new
    # What had arrived is not sent again.
    assert not [path for path in puts if path.endswith("about.json")]
    assert "fleetyard_checkpoint_sent_step 200" in (folder.parent / "m.prom").read_text()
    assert "fleetyard_checkpoint_unsent_since_seconds 0" in (folder.parent / "m.prom").read_text()


def test_a_second_sending_sends_nothing(bucket: Bucket, folder: Path) -> None:
    write(folder, 100)
    assert run("sync", folder, bucket) == 0
    bucket.state.asked.clear()
    assert run("sync", folder, bucket) == 0
    assert [verb for verb, _, _ in bucket.state.asked if verb in ("PUT", "POST")] == []


def test_what_is_newer_here_is_kept(bucket: Bucket, folder: Path) -> None:
    write(folder, 100)
    assert run("sync", folder, bucket) == 0
    newer = write(folder, 200)
    before = tree(folder)
    assert run("restore", folder, bucket) == 0
    assert tree(folder) == before
    assert newer in {path.split("/")[0] for path in before}


@pytest.mark.parametrize("fault", ["truncated", "changed", "gone"])
def test_a_damaged_checkpoint_is_not_restored(
    bucket: Bucket, folder: Path, tmp_path: Path, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(folder, 100)
    assert run("sync", folder, bucket) == 0
    key = f"pools/train/local/{name}/shards/0.npz"
    if fault == "gone":
        pointer = json.loads(bucket.get("pools/train/local/latest.json"))
        pointer["files"].append({"key": f"{name}/shards/1.npz", "bytes": 5, "sha256": "0" * 64})
        bucket.put("pools/train/local/latest.json", json.dumps(pointer).encode())
    else:
        bucket.put(key, content(70_000 if fault == "changed" else 7, 5))
    assert run("restore", tmp_path / "other", bucket) == 65
    said = capsys.readouterr().err
    assert "Fix: send it again" in said
    assert checkpoints.local(tmp_path / "other") == []


@pytest.mark.parametrize(
    "pointer",
    [
        b"{",
        b"[]",
        b'{"version": 2}',
        b'{"version": 1, "checkpoint": "x", "files": [{"key": "../x", "bytes": 1, "sha256": ""}]}',
    ],
)
def test_a_pointer_that_is_none(s3: Bucket, folder: Path, pointer: bytes) -> None:
    s3.put("pools/train/local/latest.json", pointer)
    assert run("restore", folder, s3) == 65
    assert tree(folder) == {}


def test_the_newest_is_by_number_not_by_letters() -> None:
    names = ["step-9", "step-10", "step-100", "notes"]
    assert sorted(names, key=checkpoints.order) == ["notes", "step-9", "step-10", "step-100"]


def test_watching_restores_first_and_sends_once_more_at_the_end(s3: Bucket, folder: Path, tmp_path: Path) -> None:
    write(folder, 100)
    assert run("sync", folder, s3) == 0
    other = tmp_path / "other"
    library = str(Path(fleetyard_store.__file__).parent)
    words = ["watch", "--folder", str(other), "--to", f"{s3.url}/pools/train/local", "--every", "3600"]
    child = subprocess.Popen(
        [sys.executable, "-B", checkpoints.__file__, *words, "--metrics", str(tmp_path / "m.prom")],
        env={**os.environ, "PYTHONPATH": library},
    )
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "m.prom").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert (other / "step-000100" / "about.json").exists()
        newest = write(other, 300)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    finally:
        child.kill()
    assert latest(s3) == newest
