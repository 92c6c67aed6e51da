"""`fleetyard sim hosts`: boot the machines of a simulated cloud as real hosts on this computer."""

from __future__ import annotations

import os
import sys


def connect(home: str, key: str) -> None:
    """Become a pipe to a machine's SSH server (an `ssh` ProxyCommand). Kept light: it starts with each connection.

    On AWS from inside the machine, as its SSM agent would; on Google Cloud from Identity-Aware Proxy's range, through
    the VPC's firewall.
    """
    import json

    try:
        with open(os.path.join(home, "hosts", "run.json")) as file:
            rows = json.load(file)["hosts"]
        with open(os.path.join(home, "hosts", "pid")) as file:
            keeper = f"/proc/{int(file.read())}/fd"
    except (OSError, ValueError):
        sys.exit("simcloud: no hosts run. Fix: fleetyard sim hosts start")
    row = next((row for row in rows if key in (row["key"], row["key"].replace("/", ":"), row["host"])), None)
    if row is None or row["state"] == "off":
        sys.exit(f"simcloud: {key} is {'off' if row else 'no machine of this world'}. See: fleetyard sim hosts list")
    if not row["reachable"]:
        sys.exit(f"simcloud: the network of {key} is cut")
    if row["cloud"] == "aws":
        words = ["nsenter", f"--net={keeper}/{row['space']}", "nc", "127.0.0.1", "22"]
    else:
        words = ["nsenter", f"--net={keeper}/{row['vpc']}", "nc", "-s", "35.235.240.1", row["address"], "22"]
    os.execvp(words[0], words)


def _home() -> str:
    chosen = os.environ.get("FLEETYARD_SIM_HOME")
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return chosen or os.path.join(state, "fleetyard", "sim")


if __name__ == "__main__":
    if sys.argv[1:2] == ["connect"] and len(sys.argv) == 3:
        connect(_home(), sys.argv[2])
    from simcloud.hosts.command import main

    sys.exit(main())
