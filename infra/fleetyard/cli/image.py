"""`fleetyard image`: templates that bake a pool's image, and what a baked image saves."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path

from fleetyard.catalog import Unknown, catalog
from fleetyard.cli.mirror import read_plan
from fleetyard.cli.project import require_stack_file, stacks_folder
from fleetyard.findings import Exit, error
from fleetyard.images.packer import host_variables, template
from fleetyard.images.saved import Record, read, savings
from fleetyard.inventory.export import exported, project_root
from fleetyard.inventory.packages import Packages
from fleetyard.outputs import parse_outputs
from fleetyard.plan import Plan, make_plan, read_sized
from fleetyard.report.tables import table
from fleetyard.settings import simulated
from fleetyard.spec import load_stack

BAKED_FROM = ("roles", "playbooks")


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    act = parser.add_subparsers(dest="act", metavar="ACTION", required=True)
    made = act.add_parser("template", help="write Packer templates for the pools of a stack that stands")
    made.add_argument("--stack", "-s", required=True, help="the stack's name")
    made.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    made.add_argument("--pool", help="one pool (default: every pool that boots an image)")
    made.add_argument("--outputs", help="a file with the stack's output instead of its state; `-`: standard input")
    made.add_argument("--package-base", help="base URL of a mirror for packages (default: the vendors')")
    made.add_argument("--package-key", help="fingerprint of the key that signs the mirror's repositories")
    made.add_argument("--checksums", type=Path, help="JSON with the mirror's checksums")
    made.add_argument("--out", type=Path, required=True, help="folder for POOL.pkr.json and POOL.vars.json")
    said = act.add_parser("report", help="what a baked image saves at every start")
    said.add_argument("--record", type=Path, default=None, help="of baking (default: the newest of make setup-hosts)")
    said.add_argument("--stack", "-s", required=True, help="the stack whose hosts boot from it")
    said.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    said.add_argument("--json", action="store_true", help="print it as JSON")


def run(args: argparse.Namespace) -> int:
    """Write templates, or tell what is saved. Raises FleetyardError (exit 65)."""
    folder = stacks_folder(args)
    if args.act == "template":
        return _template(args, read_plan(folder, args.stack))
    stack = load_stack(require_stack_file(folder, args.stack))
    return _report(args, make_plan(stack, read_sized(stack, folder)))


def _template(args: argparse.Namespace, plan: Plan) -> int:
    project = project_root()
    outputs = parse_outputs(exported(args.outputs, args.stack, project))
    packages = Packages.mirror(args.package_base, args.package_key, args.checksums)
    if simulated(os.environ) and not args.package_base:
        packages = Packages.simulated(os.environ) or packages
    names = [pool.name for pool in plan.pools if not pool.tpu]
    if args.pool is not None:
        if args.pool not in {pool.name for pool in plan.pools}:
            raise error("FY2120", "--pool", f"{args.stack} has no pool {args.pool}", f"one of {', '.join(names)}")
        names = [args.pool]
    args.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        pool = plan.pool(name)
        if name not in outputs.pools:
            raise error("FY2120", f"pools.{name}", "does not stand yet", f"pulumi up --stack {args.stack}")
        about = host_variables(plan, pool, outputs.pools[name], outputs, packages)
        digest = _digest(project, json.dumps(about, sort_keys=True))
        for ending, document in (("pkr", template(plan, pool, outputs, catalog(), digest)), ("vars", about)):
            file = args.out / f"{name}.{ending}.json"
            file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            print(file)
    print(f"packer init {args.out}/POOL.pkr.json && packer build {args.out}/POOL.pkr.json, in {project}")
    return Exit.DONE


def _digest(project: Path, told: str) -> str:
    """Of everything that an image is made of."""
    digest = hashlib.sha256(told.encode())
    for folder in BAKED_FROM:
        for path in sorted((project / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _newest() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetyard" / "images"
    found = sorted(home.glob("*-baked-*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise error("FY2123", str(home), "no image was baked here", "make setup-hosts, or --record")
    return found[-1]


def _report(args: argparse.Namespace, plan: Plan) -> int:
    record = read(args.record or _newest())
    rows = list(savings(record, plan))
    if args.json:
        pools = [
            {
                "pool": each.pool,
                "hosts": each.hosts,
                "saved_s_per_host": round(each.s, 1),
                "saved_host_min": round(each.host_min, 1),
                "saved_usd": None if isinstance(each.usd, Unknown) else round(each.usd, 2),
            }
            for each in rows
        ]
        document = {"image": record.name, "install_s": record.install_s, "size_mib": record.size_mib, "pools": pools}
        print(json.dumps(document, indent=2))
        return Exit.DONE
    print(_head(record))
    lines = [("pool", "hosts", "minutes saved by each", "host minutes", "USD a start")]
    lines += [
        (
            each.pool,
            str(each.hosts),
            f"{each.s / 60:.1f}",
            f"{each.host_min:.1f}",
            "unknown" if isinstance(each.usd, Unknown) else f"{each.usd:.2f}",
        )
        for each in rows
    ]
    print(table(lines), end="")
    return Exit.DONE


def _head(record: Record) -> str:
    return (
        f"{record.name}: {record.packages} packages, {record.size_mib:.0f} MiB over the bare image.\n"
        f"The installing part of site.yml took {record.install_s:.0f} s on one bare host here;\n"
        "who boots from the image has that behind them."
    )
