"""The training program: what is lost is only time."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from training_bench import Job, write_data

STEPS = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("training") / "data")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(scope="module")
def whole(data: Path, compiled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    """The losses of a run that nothing interrupts, on one process."""
    job = Job(data, tmp_path_factory.mktemp("whole"), compiled, f"--steps={STEPS}")
    assert job.run()[0] == [0]
    return job.losses()


def test_it_learns(whole: dict[int, float]) -> None:
    assert sorted(whole) == list(range(1, STEPS + 1))
    assert whole[STEPS] < whole[1]


def test_two_processes_that_lose_one_and_start_again_continue_the_same_curve(
    data: Path, compiled: Path, tmp_path: Path, whole: dict[int, float]
) -> None:
    job = Job(data, tmp_path / "store", compiled, f"--steps={STEPS}", "--pace=0.5")
    first, second = job.start(2)
    assert first.stdout
    for line in first.stdout:
        if line.startswith("{") and json.loads(line)["step"] == 6:
            second.kill()
            break
    first.communicate(timeout=120)
    second.communicate(timeout=10)
    assert first.returncode not in (0, 65)
    reached = max(job.losses())
    assert reached < STEPS

    assert job.run(2)[0] == [0, 0]
    assert job.losses() == pytest.approx(whole, abs=1e-4)
    again = [line["step"] for line in job.lines() if line["restarts"] == 1]
    assert again[0] == 5  # after the checkpoint of step 4, not from the start


def test_asked_to_stop_every_process_writes_and_leaves_in_the_same_step(
    data: Path, compiled: Path, tmp_path: Path, whole: dict[int, float]
) -> None:
    job = Job(data, tmp_path / "store", compiled, f"--steps={STEPS}", "--pace=0.5")
    first, second = job.start(2)
    assert first.stdout
    for line in first.stdout:
        if line.startswith("{") and json.loads(line)["step"] == 5:
            second.send_signal(signal.SIGTERM)
            break
    told = first.communicate(timeout=120)[1]
    second.communicate(timeout=60)
    assert [first.returncode, second.returncode] == [75, 75]
    last = max(job.losses())
    assert 5 < last < STEPS
    assert f"checkpoint {last}" in told
    # Another number of processes continues it: the position in the data does not depend on them.
    assert job.run(1)[0] == [0]
    assert job.losses() == pytest.approx(whole, abs=1e-4)
    assert len(job.lines()) == STEPS


def test_a_damaged_checkpoint_is_passed_over_and_a_complete_run_runs_no_more(
    data: Path, compiled: Path, tmp_path: Path, whole: dict[int, float]
) -> None:
    job = Job(data, tmp_path / "store", compiled, f"--steps={STEPS}")
    assert job.run()[0] == [0]
    kept = sorted(path.name for path in (job.store / "checkpoints").iterdir())
    assert kept == [f"{step:08d}.{kind}" for step in (4, 8, 12) for kind in ("json", "npz")]

    newest = job.store / "checkpoints" / "00000012.npz"
    newest.write_bytes(newest.read_bytes()[:-100])
    (job.store / "checkpoints" / "00000008.npz").unlink()
    status, told = job.run()
    assert status == [0]
    assert "continues after step 4" in told
    assert job.losses() == pytest.approx(whole, abs=1e-4)

    status, told = job.run()
    assert status == [0]
    assert f"continues after step {STEPS}" in told
    assert [line["restarts"] for line in job.lines()].count(2) == 0


def test_another_run_s_checkpoint_is_refused(data: Path, compiled: Path, tmp_path: Path) -> None:
    assert Job(data, tmp_path / "store", compiled, "--steps=2").run()[0] == [0]
    status, told = Job(data, tmp_path / "store", compiled, "--steps=4", "--seed=2").run()
    assert status == [65]
    assert "seed differ from this run" in told


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "is not a manifest"),
        (lambda folder: (folder / "1.bin").unlink(), "1.bin is missing or empty"),
        (lambda folder: (folder / "1.bin").write_bytes(b"a" * 3000), "1.bin is not what manifest.json lists"),
        (lambda folder: (folder / "0.bin").write_bytes(b"a" * 2999), "0.bin is not what manifest.json lists"),
    ],
)
def test_data_that_is_not_what_was_listed_is_not_trained_on(harm, said: str, tmp_path: Path) -> None:
    from trainer.data import BadDataError, load

    folder = write_data(tmp_path / "data")
    harm(folder)
    with pytest.raises(BadDataError, match=said):
        load(folder, context=16)


def test_the_rows_of_a_step_do_not_depend_on_who_reads_them(data: Path) -> None:
    from trainer.data import load

    shards = load(data, context=16)
    together = shards.batch(7, 3, range(8), 16)
    apart = [row for start in (0, 4) for row in shards.batch(7, 3, range(start, start + 4), 16)]
    assert [list(row) for row in together] == [list(row) for row in apart]
    assert (together != shards.batch(7, 4, range(8), 16)).any()
