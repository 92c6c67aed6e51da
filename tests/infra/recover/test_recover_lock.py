"""A lock is removed only when its owner is proven dead; what a cut-off write left is told from what is whole."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetyard.findings import FleetyardError
from fleetyard.recover.backend import Backend, backend
from fleetyard.recover.owner import Life, Lock, Process, judge, process, verdict
from fleetyard.recover.patience import Answer, RefusedError, patiently
from fleetyard.recover.run import dead_locks

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LOCK = Lock(Path("lock.json"), 4711, "mira", "here", NOW)


@pytest.mark.parametrize(
    ("host", "found", "life"),
    [
        ("here", None, Life.DEAD),
        ("here", Process("S", NOW - timedelta(hours=1)), Life.ALIVE),
        ("here", Process("S", NOW + timedelta(seconds=1)), Life.ALIVE),  # within what the clocks can tell apart
        ("here", Process("S", NOW + timedelta(seconds=10)), Life.DEAD),
        ("here", Process("Z", NOW - timedelta(hours=1)), Life.DEAD),
        ("here", Process("?", None), Life.ALIVE),
        ("there", None, Life.ELSEWHERE),
    ],
)
def test_the_owner_is_dead_only_where_that_is_proven(host: str, found: Process | None, life: Life) -> None:
    assert judge(LOCK, host, found).life is life


def lock_of(pid: int, at: datetime | None = None) -> Lock:
    return Lock(Path("lock.json"), pid, "mira", socket.gethostname(), at or datetime.now(UTC))


def test_real_processes() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert verdict(lock_of(child.pid)).life is Life.ALIVE
        assert verdict(lock_of(child.pid, datetime.now(UTC) - timedelta(days=1))).life is Life.DEAD  # its number reused
        child.kill()
        end = time.monotonic() + 10
        while (seen := process(child.pid)) and seen.state != "Z" and time.monotonic() < end:
            time.sleep(0.01)
        assert verdict(lock_of(child.pid)).life is Life.DEAD  # a zombie: nobody has waited for it
    finally:
        child.kill()
        child.wait()
    assert verdict(lock_of(child.pid)).life is Life.DEAD
    assert process(child.pid) is None


def test_living_owners_are_named_and_refused() -> None:
    with pytest.raises(FleetyardError, match=r"FY1702 error lock: the stack is in use by mira@") as alive:
        dead_locks([lock_of(os.getpid(), datetime.now(UTC) + timedelta(seconds=1))])
    assert alive.value.exit_code == 1
    with pytest.raises(FleetyardError, match=r"FY1703 error lock: .* cannot be proven from here"):
        dead_locks([Lock(Path("l"), 1, "mira", "another-machine", NOW)])


@pytest.fixture
def files(tmp_path: Path) -> Backend:
    found = backend(tmp_path.as_uri(), "p", "s")
    assert found
    for part in ("locks/organization/p/s", "stacks/p", "history/p/s", "backups/p/s"):
        (found.root / part).mkdir(parents=True)
    return found


def test_only_a_file_backend_has_files() -> None:
    assert backend("s3://bucket?region=us-east-1", "p", "s") is None
    assert backend("https://api.pulumi.com", "p", "s") is None
    assert backend("", "p", "s") is None


def test_locks_as_the_engine_writes_them(files: Backend) -> None:
    file = files.root / "locks/organization/p/s/one.json"
    file.write_text('{"pid":9540,"username":"mira","hostname":"vm","timestamp":"2026-11-22T08:43:24.244533644+01:00"}')
    (only,) = files.locks()
    assert (only.pid, only.user, only.host, only.file) == (9540, "mira", "vm", file)
    assert only.at == datetime(2026, 11, 22, 7, 43, 24, 244533, UTC)
    for text in ("", "{}", "[]", '{"pid":"x","username":"","hostname":"","timestamp":""}'):
        file.write_text(text)
        with pytest.raises(FleetyardError, match="FY1704"):
            files.locks()


def test_torn_files_are_told_from_whole_ones_and_from_other_stacks(files: Backend) -> None:
    stacks = files.root / "stacks/p"
    (stacks / "s.json").write_text(json.dumps({"checkpoint": {"latest": {"resources": []}}}))
    (stacks / "s.json.attrs").write_text("")
    (stacks / "s.json.18ea4e05a4c25a29.tmp").write_text('{"cut')
    (stacks / "s.json.bak.attrs").write_text('{"md5":"x"}')
    (stacks / "s-other.json.attrs").write_text("")
    (files.root / "history/p/s/s-1.history.json.attrs").write_text('{"user')
    assert {path.name for path in files.torn()} == {
        "s.json.attrs",
        "s.json.18ea4e05a4c25a29.tmp",
        "s-1.history.json.attrs",
    }
    assert files.deployment() == {"resources": []}


def test_the_past_says_what_it_knows_and_no_more(files: Backend) -> None:
    assert files.past().recorded("bucket-1", NOW) is None  # no past at all
    start = int(NOW.timestamp())
    (files.root / "history/p/s/s-1.history.json").write_text(json.dumps({"kind": "update", "startTime": start}))
    (files.root / "history/p/s/s-1.checkpoint.json.gz").write_bytes(gzip.compress(b'{"id":"bucket-1"}'))
    past = files.past()
    assert past.recorded("bucket-1", NOW) is True
    assert past.recorded("bucket-2", NOW + timedelta(minutes=1)) is False
    assert past.recorded("bucket-2", NOW - timedelta(minutes=1)) is None  # from before the stack's oldest state
    assert past.recorded("bucket-2", None) is None
    (files.root / "history/p/s/s-2.checkpoint.json.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    assert files.past().recorded("bucket-2", NOW + timedelta(minutes=1)) is None  # one state cannot be read


def test_what_is_busy_is_tried_again_and_what_is_refused_is_said() -> None:
    answers = [Answer.BUSY, Answer.BUSY, None]
    tried: list[Answer | None] = []

    def delete() -> None:
        tried.append(answers[len(tried)])
        if tried[-1]:
            raise RefusedError("DependencyViolation", "in use", tried[-1])

    patiently("vpc-1", delete)
    assert len(tried) == 3

    def refuse(answer: Answer) -> None:
        raise RefusedError("Denied", "no", answer)

    patiently("vpc-1", lambda: refuse(Answer.GONE))
    with pytest.raises(FleetyardError, match=r"FY1708 error vpc-1: could not be deleted: Denied: no"):
        patiently("vpc-1", lambda: refuse(Answer.REFUSED))
    with pytest.raises(FleetyardError, match="FY1708"):
        patiently("vpc-1", lambda: refuse(Answer.BUSY), patience_s=0)
