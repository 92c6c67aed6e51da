"""Lists of stacks, stand-ins for them, and the program that makes environments: without root, without a network."""

from __future__ import annotations

import hashlib
import http.server
import json
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from software import conda, lists, wheels  # noqa: E402
from software.fill import LISTS, PLAYED, REAL  # noqa: E402

PROGRAM = ROOT / "roles" / "python_environment" / "files" / "environment.py"
STACKS = yaml.safe_load((ROOT / "playbooks" / "vars" / "software_stacks.yml").read_text())["fleetyard_stacks"]


def environment(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# Lists


@pytest.mark.parametrize("name", [*REAL, *PLAYED])
def test_every_entry_of_a_list_has_a_version_and_a_hash(name: str) -> None:
    found = lists.entries((LISTS / f"{name}.txt").read_text())
    assert found
    assert all(
        entry.hashes and all(len(word) == len("--hash=sha256:") + 64 for word in entry.hashes) for entry in found
    )
    assert len({entry.name for entry in found}) == len(found)


@pytest.mark.parametrize("name", [*REAL, *PLAYED])
def test_a_list_has_what_it_was_made_from(name: str) -> None:
    wanted = {row.split("[")[0].split("<")[0].strip() for row in (LISTS / f"{name}.in").read_text().splitlines()}
    assert wanted <= {entry.name for entry in lists.entries((LISTS / f"{name}.txt").read_text())}


def test_lists_name_no_address() -> None:
    assert [
        path.name for path in LISTS.glob("*.txt") if "://" in path.read_text() or "--index" in path.read_text()
    ] == []


def test_markers_are_those_of_the_host() -> None:
    lock = "a==1 ; python_full_version < '3.11.5' --hash=sha256:0\nb==2 ; sys_platform == 'win32' --hash=sha256:0\n"
    assert [entry.name for entry in lists.entries(lock)] == ["a"]


# Stand-ins


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_a_stand_in_has_the_true_version_says_what_it_is_and_records_who_asked(stack: str, tmp_path: Path) -> None:
    about, module = STACKS[stack], STACKS[stack]["module"]
    found = {entry.name: entry for entry in lists.entries((LISTS / f"{stack}.txt").read_text())}
    entry = found[about["package"]]
    for each in (entry, wheels.HELPER):
        with zipfile.ZipFile(wheels.build(each, tmp_path)) as wheel:
            wheel.extractall(tmp_path / "site")
    use = f"import {module} as m; print(m.__version__)\nm.tensor"
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {use}"
    env = {"FLEETYARD_STAND_IN_ROOT": str(tmp_path), "PATH": "/usr/bin"}
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False, env=env)
    assert done.stdout.strip() == entry.version
    assert f"{entry.name} {entry.version} (stand-in): nothing is computed" in done.stderr
    assert "computes nothing: it has no tensor" in done.stderr
    (row,) = (tmp_path / "var/lib/fleetyard-stand-in/calls.jsonl").read_text().splitlines()
    assert json.loads(row)["program"] == f"import {entry.name}"


def test_a_wheel_is_the_same_each_time_and_its_record_is_true(tmp_path: Path) -> None:
    entry = lists.Entry("vllm", "1.0", ())
    first = wheels.build(entry, tmp_path).read_bytes()
    assert wheels.build(entry, tmp_path).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "vllm-1.0-py3-none-any.whl") as wheel:
        rows = dict(row.split(",")[:2] for row in wheel.read("vllm-1.0.dist-info/RECORD").decode().splitlines())
        assert set(rows) == set(wheel.namelist())


# The program that makes environments


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An index with two stand-ins, and the list that installs them."""
    import wheels as training

    root = tmp_path_factory.mktemp("index")
    (root / "work").mkdir()
    lock = root / "stack.txt"
    lock.write_text(wheels.play([lists.Entry("horovod", "0.28.1", ())], root / "work"))
    training.index(root / "work", root / "simple")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0),
        lambda *words: Quiet(*words, directory=str(root)),  # type: ignore[arg-type]
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple", lock
    server.shutdown()


def test_an_environment_holds_its_list_and_a_change_by_hand_is_found(index: tuple[str, Path], tmp_path: Path) -> None:
    url, lock = index
    target = tmp_path / "made"
    # One that was interrupted is made anew.
    (target / "bin").mkdir(parents=True)
    done = environment("make", target, lock, "--index", url, "--build")
    assert done.returncode == 0, done.stderr
    assert (target / ".complete").exists()
    assert environment("verify", target, lock).returncode == 0
    (about,) = target.glob("lib/*/site-packages/horovod-0.28.1.dist-info/METADATA")
    about.write_text(about.read_text().replace("0.28.1", "0.29.0"))
    refused = environment("verify", target, lock, "--host", "n1")
    assert refused.returncode == 1
    assert "FY2823 error n1: made was changed by hand: horovod is 0.29.0, 0.28.1 is in the list" in refused.stderr


def test_a_wrong_hash_leaves_nothing(index: tuple[str, Path], tmp_path: Path) -> None:
    url, _ = index
    digest = hashlib.sha256(b"other").hexdigest()
    (tmp_path / "l.txt").write_text(f"horovod==0.28.1 --hash=sha256:{digest}\n")
    refused = environment("make", tmp_path / "made", tmp_path / "l.txt", "--host", "n1", "--index", url, "--build")
    assert refused.returncode == 1
    assert "FY2821 error n1: the index does not give what l.txt names" in refused.stderr
    assert digest in refused.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("row", ["horovod==0.28.1", "fleetyard/noarch/a-1-0.conda", "a==1 --hash=md5:0123"])
def test_an_entry_without_a_sha256_is_refused_before_anything_is_made(row: str, tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text(f"# a list\n{row}\n")
    refused = environment("make", tmp_path / "made", tmp_path / "l.txt", "--host", "n1")
    assert refused.returncode == 1
    assert f"FY2820 error n1: {row.split()[0]} of l.txt have no SHA-256" in refused.stderr
    assert not (tmp_path / "made").exists()


def test_the_conda_package_says_its_files_truly(tmp_path: Path) -> None:
    explicit = conda.channel(tmp_path)
    (row,) = [row for row in explicit.splitlines() if not row.startswith("@")]
    path, _, digest = row.partition("#")
    assert hashlib.sha256((tmp_path / path).read_bytes()).hexdigest() == digest
    assert (
        json.loads((tmp_path / "fleetyard/noarch/repodata.json").read_text())["packages"][Path(path).name]["sha256"]
        == digest
    )
