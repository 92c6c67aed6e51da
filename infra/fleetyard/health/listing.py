"""Health in operation as a page of documentation: `python -m fleetyard.health.listing > docs/health.md`."""

from __future__ import annotations

from fleetyard.health.classify import (
    EPISODE_GAP_S,
    FLAP_WINDOW_S,
    FLAPS,
    NVME_RESETS,
    NVME_WINDOW_S,
    REPEATED,
)
from fleetyard.health.devices import COUNTERS, SIGNS
from fleetyard.health.xid import sources, table

_HEAD = """\
# Health in operation

Made from the code: `python -m fleetyard.health.listing > docs/health.md`.

    fleetyard health classify FILE        # dmesg, journalctl -k (or -o json), a probe, {"events": [...]}, - for a pipe
    fleetyard health codes

says what is done about what a node reports, and exits with status 1 when that is `drain` or `replace`.

| action | what happens |
|---|---|
| ignore | nothing |
| look | a person should; nothing happens by itself. Also what becomes of anything that no table knows |
| restart-app | the job has ended or will; the node is well |
| drain | no new jobs; reset or reboot; accepted again before it opens (docs/acceptance.md) |
| replace | the machine goes back to the cloud, its successor is accepted |

Thresholds are ours where the table says so: vendors document counters, not limits. They were never tuned on a running
fleet.
"""


def _rows(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def page() -> str:
    """The page as Markdown."""
    parts = [
        _HEAD,
        "\n## Xid\n\n`NVIDIA` is the immediate resolution of NVIDIA's catalogue. by-severity: a line marked\n",
    ]
    parts.append(
        "`Nonfatal` is ignored, any other drains. by-recovery: the line says which action the driver wants.\n\n"
    )
    rows = [[str(x.code), x.title, x.bucket, x.action, x.why, x.source] for x in table().values()]
    parts.append(_rows(["code", "meaning", "NVIDIA", "action", "why, where it differs", "source"], rows))
    parts.append("\n" + "".join(f"- {name}: {text}\n" for name, text in sources().items()))
    parts.append(
        "\nA code that is not here is looked at. SXid of NVSwitches: the line says `Fatal`, which drains, or"
        " `Non-fatal`, which is ignored.\n"
    )
    parts.append("\n## Repetition\n\nOurs. Lines of the same code on the same device within ")
    parts.append(f"{EPISODE_GAP_S:.0f} s are one episode.\n\n")
    rows = [[str(r.action), str(r.count), f"{r.window_s / 3600:.0f} h", str(r.becomes), r.why] for r in REPEATED]
    parts.append(_rows(["action", "episodes", "within", "becomes", "why"], rows))
    parts.append(
        "\nA link that is down drains; one that came back is looked at, and drains after"
        f" {FLAPS} times in {FLAP_WINDOW_S:.0f} s."
    )
    parts.append(
        " An NVMe controller that was reset is looked at, and replaced after"
        f" {NVME_RESETS} times in {NVME_WINDOW_S:.0f} s"
    )
    parts.append(" or when the kernel removes it. An uncorrected PCIe error drains.\n")
    parts.append("\n## What devices report of themselves\n\n")
    rows = [[name, s.kind, s.title, str(s.action), s.source] for name, s in SIGNS.items()]
    parts.append(_rows(["sign", "kind", "meaning", "action", "source"], rows))
    parts.append("\nSigns of heat should show in several readings in a row before they drain (`persistent`).\n")
    parts.append(
        "\n## Counters of RDMA ports\n\nGrowth a second between two readings; one that went backwards was reset.\n\n"
    )
    rows = [
        [name, f"> {c.look_per_s:.3g}", "never" if c.drain_per_s is None else f"> {c.drain_per_s:.3g}", c.about]
        for name, c in COUNTERS.items()
    ]
    parts.append(_rows(["counter", "look, a second", "drain, a second", "meaning"], rows))
    return "".join(parts)


if __name__ == "__main__":
    print(page(), end="")
