"""Sixteen hosts on a small computer."""

from __future__ import annotations

from pathlib import Path

from conftest import Labs

LIMIT_GIB = 4.0


def memory_gib(pids: set[int]) -> float:
    """What these processes hold, shared pages counted once among those who share them."""
    total_kib = 0
    for pid in pids:
        try:
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            continue
        total_kib += sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total_kib / 1024**2


def descendants(root: int) -> set[int]:
    found, todo = {root}, [root]
    while todo:
        for path in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            new = {int(pid) for pid in path.read_text().split()} - found
            found |= new
            todo += new
    return found


def test_sixteen_hosts_fit_in_four_gib(labs: Labs) -> None:
    many = labs({"train": ("compute", 16)})
    assert [row["state"] for row in many.listed()] == ["ready"] * 16
    keeper = int((many.home / "hosts" / "pid").read_text())
    held = descendants(keeper)
    assert len(held) > 16 * 5, "systemd and its services run on every host"
    used = memory_gib(held)
    print(f"16 hosts: {used:.2f} GiB in {len(held)} processes")
    assert used < LIMIT_GIB
    many.stop()
