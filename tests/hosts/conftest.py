"""Fixtures for tests on booted hosts: Linux, root. They run by `make test-hosts` alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from hosts_bench import Cluster, Hosts, baked, cluster, lab
from setup_hosts import obstacle

GROUPS = dict.fromkeys(("test_cloud_aws", "test_site", "test_site_training", "test_site_trouble"), "aws")
"""Files that share a stack, and each other's work on it: one worker runs them, in this order. Others stand alone."""
FIRST = ("test_virtual_machine", "aws")
"""What takes longest, so that no worker is left with one of them at the end."""


def _group(file: Path) -> str:
    return GROUPS.get(file.stem, file.stem)


class _Groups(LoadScopeScheduling):
    """Gives whole groups to workers."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(Path(nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first; all skipped where hosts cannot boot."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    places = {group: place for place, group in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(_group(item.path), len(places)))
    if why := obstacle():
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=why))


Labs = Callable[..., Hosts]


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Boot hosts that no cloud owns: `labs({"control": ("control", 1), "train": ("compute", 2)})`."""
    made: list[Hosts] = []

    def boot(pools: Mapping[str, tuple[str, int]], suite: str = "bookworm", layer: str | None = None) -> Hosts:
        made.append(lab(tmp_path_factory.mktemp("lab"), pools, suite, layer))
        return made[-1]

    yield boot
    for hosts in made:
        hosts.stop()


def _up(folder: Path, stack: str, edit: tuple[str, str], machines: int) -> Iterator[Cluster]:
    made = cluster(folder, stack, [edit], baked())
    try:
        made.bring_up(machines)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """`a100-train` with one control and two compute hosts, brought up and booted from the baked image."""
    yield from _up(tmp_path_factory.mktemp("aws"), "a100-train", ("count: sized # or a number", "count: 2"), 3)


@pytest.fixture(scope="session")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """`tpu-train` with one slice of four hosts, brought up and booted from the baked image."""
    yield from _up(tmp_path_factory.mktemp("gcp"), "tpu-train", ("slices: sized", "slices: 1"), 4)
