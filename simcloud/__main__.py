"""`python -m simcloud`, also reached as `fleetyard sim`: start, stop and look into a simulated AWS and GCP."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from simcloud.client import RefusedError, ask
from simcloud.environment import posix, settings
from simcloud.faults import KINDS
from simcloud.server import Running, running, serve
from simcloud.world import wait_until

DONE, FINDINGS, USAGE, DEFECT = 0, 1, 2, 70
SAY_EVERY_S = 10.0


def default_home() -> Path:
    """Where the world lives unless FLEETYARD_SIM_HOME or `--home` says otherwise: the user's state folder."""
    chosen = os.environ.get("FLEETYARD_SIM_HOME")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "fleetyard" / "sim"


def start(home: Path, fresh: bool) -> int:
    """Start the world in the background, or say that it runs. `fresh` empties it first, with its Pulumi state."""
    world = running(home)
    if world and fresh:
        stop(home)
        world = None
    if fresh:
        # The passphrase stays: stack files carry a salt that fits it.
        for name in ("journal", "state", "pulumi"):
            path = home / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if world:
        print(f"simcloud: already running (pid {world.pid}, {ask(world, 'status')['records']} calls on record)")
        return DONE
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    began = time.monotonic()
    with (home / "log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "simcloud", "--home", str(home), "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # Sets must come out in one order in every life of the world, or a replay would differ.
            env=os.environ | {"PYTHONHASHSEED": "0"},
        )
    # A long journal takes long to carry out again: as long as the process lives, it is getting there.
    while not wait_until(lambda: child.poll() is not None or _serves(home, child.pid), SAY_EVERY_S):
        print(f"simcloud: … {time.monotonic() - began:.0f} s, carrying out its journal again", flush=True)
    world = running(home)
    if child.poll() is not None or world is None:
        print(f"simcloud: did not start; the end of {home / 'log'}:\n{_tail(home / 'log')}", file=sys.stderr)
        return FINDINGS
    records = ask(world, "status")["records"]
    print(
        f"simcloud: a simulated AWS and GCP run (pid {world.pid}, {records} calls on record, "
        f"{time.monotonic() - began:.1f} s). Nothing in them is real and nothing is bought."
    )
    return DONE


def _serves(home: Path, pid: int) -> bool:
    world = running(home)
    return world is not None and world.pid == pid


def _tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def stop(home: Path) -> int:
    """Stop the world. Its journal stays."""
    world = running(home)
    if world is None:
        print("simcloud: not running")
        return DONE
    try:
        ask(world, "stop", timeout_s=5)
    except (OSError, RefusedError):
        os.kill(world.pid, signal.SIGTERM)
    if not wait_until(lambda: running(home) is None, 10):
        os.kill(world.pid, signal.SIGKILL)
    print("simcloud: stopped")
    return DONE


def _needs(home: Path) -> Running:
    world = running(home)
    if world is None:
        print("simcloud: not running. Fix: fleetyard sim start", file=sys.stderr)
        raise SystemExit(FINDINGS)
    return world


def status(home: Path, as_json: bool) -> int:
    """Whether it runs, how many calls it holds, which faults are set. Exit status 1 when it does not run."""
    world = running(home)
    said = ask(world, "status") if world else None
    if as_json:
        print(json.dumps({"running": bool(world), "home": str(home), **(said or {})}, indent=2))
    elif world and said:
        print(f"simcloud: running (pid {world.pid}), {said['records']} calls on record, home {home}")
        for fault in said["faults"]:
            print(f"  fault: {fault['kind']} on {fault['match']}, fired {fault['fired']} of {fault['seen']} calls")
    else:
        print("simcloud: not running")
    return DONE if world else FINDINGS


def inventory(home: Path, as_json: bool) -> int:
    """Every resource that exists, and what the clouds keep by design."""
    found = ask(_needs(home), "inventory")
    if as_json:
        print(json.dumps(found, indent=2))
        return DONE
    for row in found["resources"]:
        print(f"{row['type']:<38} {row['id']:<50} {row['region']}")
    print(f"{len(found['resources'])} resources exist (simulated)")
    for row in found["kept"]:
        print(f"kept: {row['type']} {row['id']} ({row['state']}): {row['why']}. Source: {row['source']}")
    return DONE


def called(home: Path, as_json: bool) -> int:
    """Which API operations were called, with how often."""
    found = ask(_needs(home), "called")
    if as_json:
        print(json.dumps(found, indent=2))
        return DONE
    for cloud, names in found.items():
        for name, times in names.items():
            print(f"{cloud:<5} {times:>6}  {name}")
    return DONE


def rights(home: Path, as_json: bool) -> int:
    """What roles and service accounts were allowed and refused, and what was let pass because nobody could tell."""
    found = ask(_needs(home), "rights")
    if as_json:
        print(json.dumps(found, indent=2))
        return DONE
    for cloud, said in found.items():
        print(f"{cloud}: {said['allowed']} allowed, {sum(said['refused'].values())} refused")
        for word, rows in (("refused", said["refused"]), ("let pass", said["passed"])):
            for what, times in rows.items():
                print(f"{times:>6}  {word}: {what}")
    return DONE


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="fleetyard sim", description="A simulated AWS and GCP behind the real Pulumi engine."
    )
    parser.add_argument(
        "--home", type=Path, default=None, help="where the world lives (default: the user's state folder)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    boots = commands.add_parser("hosts", help="boot its instances as real hosts (Linux, root)", add_help=False)
    boots.add_argument("words", nargs=argparse.REMAINDER)
    begin = commands.add_parser("start", help="start the world in the background")
    begin.add_argument("--fresh", action="store_true", help="empty it first, together with its Pulumi state")
    commands.add_parser("stop", help="stop it; what it holds stays")
    commands.add_parser("serve", help="run it in the foreground")
    commands.add_parser("env", help='print the settings: eval "$(fleetyard sim env)"')
    called = commands.add_parser("called", help="which API operations were called since it started")
    called.add_argument("--json", action="store_true")
    judged = commands.add_parser("rights", help="what roles and service accounts were allowed and refused")
    judged.add_argument("--json", action="store_true")
    actions = commands.add_parser("read-actions", help="what AWS's registry says reading types of resources needs")
    actions.add_argument("tokens", nargs="*", metavar="TYPE", help="for example aws:ec2/vpc:Vpc")
    for name, about in (("status", "whether it runs"), ("inventory", "every resource in it, and what the clouds keep")):
        commands.add_parser(name, help=about).add_argument("--json", action="store_true")
    fault = commands.add_parser("fault", help="make calls fail: " + "; ".join(f"{k}: {v}" for k, v in KINDS.items()))
    fault.add_argument("kind", choices=[*KINDS, "clear"])
    fault.add_argument(
        "match", nargs="?", default="*", help="shell pattern over ec2:CreateVpc, compute.networks.insert …"
    )
    fault.add_argument("--after", type=int, default=0, help="calls that match and are let pass first")
    fault.add_argument("--every", type=int, default=1, help="then each n-th")
    fault.add_argument("--times", type=int, default=None, help="at most so often")
    fault.add_argument("--seconds", type=float, default=1.0, help="for slow")
    knob = commands.add_parser("set", help="turn a knob: capacity, quota, lose-instance …, with arguments name=value")
    knob.add_argument("cloud", choices=["aws", "gcp"])
    knob.add_argument("action")
    knob.add_argument("argument", nargs="*")
    args = parser.parse_args(argv)
    home = (args.home or default_home()).resolve()
    try:
        return _run(args, home)
    except RefusedError as refused:
        print(f"simcloud: {refused}", file=sys.stderr)
        return USAGE
    except OSError as gone:
        print(
            f"simcloud: the world does not answer ({gone}). See {home / 'log'}; then `fleetyard sim start`",
            file=sys.stderr,
        )
        return FINDINGS


def _run(args: argparse.Namespace, home: Path) -> int:
    if args.command == "hosts":
        from simcloud.hosts.command import main as of_hosts

        return of_hosts(args.words or ["--help"], home)
    if args.command == "start":
        return start(home, args.fresh)
    if args.command == "stop":
        return stop(home)
    if args.command == "serve":
        return serve(home)
    if args.command == "env":
        print(posix(settings(home, _needs(home))), end="")
        return DONE
    if args.command == "status":
        return status(home, args.json)
    if args.command == "inventory":
        return inventory(home, args.json)
    if args.command == "called":
        return called(home, args.json)
    if args.command == "rights":
        return rights(home, args.json)
    if args.command == "read-actions":
        from simcloud.registry import Registry

        registry = Registry()
        print(json.dumps({token: registry.read_actions(token) for token in args.tokens}, indent=2))
        return DONE
    if args.command == "fault":
        if args.kind == "clear":
            ask(_needs(home), "faults/clear")
        else:
            ask(
                _needs(home),
                "fault",
                {
                    "match": args.match,
                    "kind": args.kind,
                    "after": args.after,
                    "every": args.every,
                    "times": args.times,
                    "seconds": args.seconds,
                },
            )
        return status(home, False)
    pairs = (a.partition("=") for a in args.argument)
    values = {name: _value(value) for name, _, value in pairs}
    ask(_needs(home), "control", {"cloud": args.cloud, "action": args.action, "args": values})
    return DONE


def _value(text: str) -> int | str | None:
    if text in ("", "none", "unlimited"):
        return None
    return int(text) if text.lstrip("-").isdigit() else text


if __name__ == "__main__":
    sys.exit(main())
