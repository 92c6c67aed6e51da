"""`fleetyard recover`: show what a killed `pulumi up` left behind, and put it right with `--yes`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from fleetyard.cli.project import project_root, require_stack_file, stacks_folder
from fleetyard.findings import Exit, error
from fleetyard.recover.backend import Backend, backend
from fleetyard.recover.decide import Action, to_do
from fleetyard.recover.engine import Engine
from fleetyard.recover.names import Place
from fleetyard.recover.run import CloudSide, Found, look, mend
from fleetyard.settings import refuse_mixed_settings, simulated
from fleetyard.spec import Stack, load_stack
from fleetyard.spec.yaml_reader import read_yaml


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("--stack", "-s", required=True, help="the stack's name")
    parser.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    parser.add_argument("--yes", action="store_true", help="do what is shown")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="delete what could be recorded, and empty stores and keys that may have been kept on purpose",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(args: argparse.Namespace) -> int:
    """Show what was left; 1 when there is something to do and it was not asked for, 0 when nothing is left to do."""
    refuse_mixed_settings(os.environ)
    stack = load_stack(require_stack_file(stacks_folder(args), args.stack))
    root = project_root()
    engine = Engine(root, args.stack)
    files = _files(root, args.stack)
    cloud = _cloud(_place(stack, args.stack))
    found = look(files, engine, cloud, args.delete)
    if not args.json:
        print(_text(args.stack, found, files is not None), end="")
    if args.yes and found.anything():
        mend(
            found,
            files,
            engine,
            cloud,
            (lambda _: None) if args.json else (lambda line: print(f"  {line}", flush=True)),
        )
    if args.json:
        document = {"stack": args.stack, "simulated": simulated(os.environ), "done": args.yes, **found.as_dict()}
        print(json.dumps(document, indent=2))
    if not found.anything():
        return Exit.DONE
    if args.yes:
        if not args.json:
            print(f"done; now `pulumi up --stack {args.stack}`")
        return Exit.DONE
    return Exit.FINDINGS


def _place(stack: Stack, name: str) -> Place:
    zones = dict.fromkeys([*stack.zones, *(zone for pool in stack.pools.values() for zone in pool.zones or ())])
    return Place(
        name, str(stack.cloud), stack.region, tuple(zones), stack.project or "", tuple(stack.pools), tuple(stack.stores)
    )


def _cloud(place: Place) -> CloudSide:
    if place.cloud == "aws":
        from fleetyard.recover.aws import Aws

        return Aws(place)
    from fleetyard.recover.gcp import Gcp

    return Gcp(place)


def _files(root: Path, stack: str) -> Backend | None:
    """The file backend's folder; None for other backends, whose locks are not read."""
    project = read_yaml(root / "Pulumi.yaml")
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        raise error("FY1706", "Pulumi.yaml", "names no project", "run this in the project's folder")
    url = os.environ.get("PULUMI_BACKEND_URL") or (project.get("backend") or {}).get("url") or _logged_in()
    return backend(url, project["name"], stack)


def _logged_in() -> str:
    """The backend of the last `pulumi login`."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current") or "")
    except (OSError, ValueError, AttributeError):
        return ""


_WORDS = {
    Action.IMPORT: "record",
    Action.DELETE: "delete",
    Action.CLEAR: "clear",
    Action.REFRESH: "read again",
    Action.KEEP: "kept",
}


def _text(stack: str, found: Found, locks_read: bool) -> str:
    lines = [f"lock of {lock}: its owner is dead, {said.proof}" for lock, said in found.locks]
    lines += [f"torn file {path.name}: a write was cut off in it" for path in found.torn]
    lines += [
        f"{_WORDS[each.action]:<10} {each.type} {each.id or each.name}\n             {each.why}"
        for each in found.decisions
    ]
    if not locks_read:
        lines.append(
            "locks: only those of a file backend are read. If the stack is locked and you know that no `pulumi` runs "
            "on it, remove the lock with `pulumi cancel --yes`"
        )
    count = len(to_do(found.decisions)) + len(found.locks) + len(found.torn)
    if count:
        lines.append(f"{stack}: {count} thing{'s' if count > 1 else ''} to put right; `--yes` does what stands above")
    else:
        lines.append(f"{stack}: nothing was left behind")
    return "\n".join(lines) + "\n"
