"""The command line of the hosts."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simcloud.hosts import images, process
from simcloud.hosts.follow import EVENTS_FILE, STATE_FILE
from simcloud.hosts.source import FileSource, Source, WorldSource

DONE, FINDINGS, USAGE, PERMISSION = 0, 1, 2, 77
START_S = 20.0
STOP_S = 40.0
_APART = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")


def say(text: str) -> None:
    """A line of progress."""
    print(f"simcloud: {text}", flush=True)


def hosts(home: Path) -> list[dict[str, Any]]:
    """The hosts that there are, as the process says; none when it does not run."""
    try:
        rows: list[dict[str, Any]] = json.loads((home / "hosts" / STATE_FILE).read_text())["hosts"]
    except (OSError, ValueError, KeyError):
        return []
    return rows


def start(home: Path, suite: str, layer: str | None, fleet: Path | None) -> int:
    """Boot the hosts of a world, and follow it from here on, in the background."""
    if os.geteuid() != 0 or sys.platform != "linux":
        say("hosts need Linux and root: they are systemd-nspawn containers. The simulated clouds work without them.")
        return PERMISSION
    if lacking := process.missing():
        say(f"missing here: {' '.join(lacking)}. Fix: make setup-hosts")
        return PERMISSION
    own = home / "hosts"
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    if process.held(own):
        say(f"hosts run already ({len(hosts(home))})")
        return DONE
    images.base(suite, say)
    if layer and images.baked(suite, layer) is None:
        say(f"there is no baked image {layer!r} of {suite}. Fix: make setup-hosts, or leave --layer out")
        return USAGE
    words = [sys.executable, "-m", "simcloud.hosts", "--home", str(home), "serve", "--suite", suite]
    words += ["--layer", layer] if layer else []
    words += ["--fleet", str(fleet)] if fleet else []
    with (own / "log").open("ab") as log:
        # With the first process of a process namespace the kernel ends all others in it, and with the last one of a
        # mount namespace its mounts go: whatever happens to this process, no host is left.
        child = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                *words,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START_S
    while child.poll() is None and not process.held(own) and time.monotonic() < until:
        time.sleep(0.05)
    if not process.held(own):
        say(f"the hosts' process did not start; see {own / 'log'}")
        return FINDINGS
    pid = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()[0]
    (own / "pid").write_text(pid)
    say(f"instances boot as hosts from now on (pid {pid}, {suite}{f' with {layer}' if layer else ''})")
    return DONE


def serve(home: Path, suite: str, layer: str | None, fleet: Path | None) -> int:
    """The process itself."""
    source: Source = FileSource(fleet) if fleet else WorldSource(home)
    image = (images.baked(suite, layer) if layer else None) or images.base(suite, say)
    return process.serve(home / "hosts", source, process.Images(suite, image))


def stop(home: Path) -> int:
    """Shut all hosts down. Their disks stay until the world forgets the machines."""
    own = home / "hosts"
    if not process.held(own):
        say("no hosts run")
        return DONE
    pid = int((own / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while process.held(own) and time.monotonic() < until:
        time.sleep(0.05)
    if process.held(own):
        os.kill(pid, signal.SIGKILL)
    say("hosts stopped")
    return DONE


def wait(home: Path, count: int, seconds: float) -> int:
    """Wait until so many hosts can be logged in to. Exit status 1 when they cannot in time, with who is late."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ready = [row for row in hosts(home) if row["state"] == "ready"]
        if len(ready) >= count:
            say(f"{len(ready)} hosts are ready")
            return DONE
        time.sleep(0.1)
    for row in hosts(home):
        say(f"{row['host']} ({row['key']}): {row['state']}; its console: {row['console']}")
    say(f"not {count} hosts are ready after {seconds:.0f} s")
    return FINDINGS


def listed(home: Path, as_json: bool) -> int:
    """The hosts, with their state."""
    rows = hosts(home)
    if as_json:
        print(json.dumps(rows, indent=2))
        return DONE
    for row in rows:
        print(f"{row['host']:<24} {row['address']:<15} {row['state']:<9} {row['machine']:<18} {row['key']}")
    print(f"{len(rows)} hosts (simulated machines, real systems)")
    return DONE


def inside(home: Path, key: str, command: Sequence[str]) -> int:
    """Run a command as root on a host, past its network: what a serial console is for."""
    row = next((row for row in hosts(home) if key in (row["key"], row["host"])), None)
    if row is None or not row["init"]:
        say(f"{key} does not run")
        return FINDINGS
    keeper = (home / "hosts" / "pid").read_text()
    words = ["nsenter", "-t", keeper, "-m", "-p", "--", "nsenter", "-t", str(row["init"]), "-m", "-u", "-i", "-n", "-p"]
    return subprocess.run([*words, "--", *(command or ["/bin/bash", "-l"])], check=False).returncode


def events(home: Path) -> int:
    """What happened to the hosts, a JSON line each."""
    path = home / "hosts" / EVENTS_FILE
    if path.exists():
        print(path.read_text(), end="")
    return DONE


def main(argv: Sequence[str] | None = None, home: Path | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fleetyard sim hosts", description="Simulated instances as real hosts.")
    parser.add_argument("--home", type=Path, default=home)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("start", "boot them, and follow the world"), ("serve", "the same in the foreground")):
        one = commands.add_parser(name, help=about)
        one.add_argument("--suite", choices=images.SUITES, default="bookworm")
        one.add_argument("--layer", help="boot from this baked image")
        one.add_argument("--fleet", type=Path, help="follow a file instead of a world")
    commands.add_parser("stop", help="shut them down")
    commands.add_parser("list", help="which there are").add_argument("--json", action="store_true")
    commands.add_parser("events", help="what happened to them")
    commands.add_parser("images", help="which images are kept")
    late = commands.add_parser("wait", help="until they can be logged in to")
    late.add_argument("count", type=int)
    late.add_argument("--seconds", type=float, default=120)
    commands.add_parser("connect", help="a pipe to one's SSH server").add_argument("key")
    into = commands.add_parser("exec", help="run a command on one, past its network")
    into.add_argument("key")
    into.add_argument("words", nargs=argparse.REMAINDER)
    args = parser.parse_args(argv)
    where = (args.home or _default_home()).resolve()
    if args.command == "connect":
        from simcloud.hosts.__main__ import connect

        connect(str(where), args.key)
    if args.command == "images":
        for row in images.listed():
            print(row["name"])
        return DONE
    acts = {
        "start": lambda: start(where, args.suite, args.layer, args.fleet),
        "serve": lambda: serve(where, args.suite, args.layer, args.fleet),
        "stop": lambda: stop(where),
        "list": lambda: listed(where, args.json),
        "events": lambda: events(where),
        "wait": lambda: wait(where, args.count, args.seconds),
        "exec": lambda: inside(where, args.key, [word for word in args.words if word != "--"]),
    }
    return acts[args.command]()


def _default_home() -> Path:
    from simcloud.__main__ import default_home

    return default_home()
