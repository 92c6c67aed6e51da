"""`fleetyard versions`: what a set puts on which machine, and what is wrong with what a node has."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetyard.catalog import Machine, Unknown, catalog
from fleetyard.cli.catalog import find_machine as in_catalog
from fleetyard.cli.mirror import add_mirror_arguments, choices_of, read_checksums, read_json, read_plan
from fleetyard.cli.project import add_stack_arguments, require_stack_file, stack_names, stacks_folder
from fleetyard.findings import Exit, error, has_errors, render_json, render_text
from fleetyard.report.tables import table
from fleetyard.spec import nearest
from fleetyard.versions import Chosen, Target, choose, judge, manifest, unlocked
from fleetyard.versions.mirror import MirrorFile, check_base, file_of, require_checksums, with_checksums


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    shown = actions.add_parser("list", help="the versions of a stack's pools, or of one machine")
    add_stack_arguments(shown, "the default set is listed for every stack")
    _machine_arguments(shown)
    shown.add_argument("--set", dest="version_set", help="a set of versions (with --machine)")
    shown.add_argument("--json", action="store_true", help="print the versions as JSON")
    judged = actions.add_parser("check", help="say what is wrong with what a node reports")
    judged.add_argument("--installed", type=Path, required=True, metavar="FILE.json", help="component to version")
    _machine_arguments(judged)
    judged.add_argument("--kernel", help="what `uname -r` says")
    judged.add_argument("--stack", "-s", help="also compare with what this stack's lock says (with --pool)")
    judged.add_argument("--pool", help="the pool whose lock it is")
    judged.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    judged.add_argument("--json", action="store_true", help="print the findings as JSON")
    made = actions.add_parser("vars", help="a stack's versions as variables for roles, by inventory group")
    made.add_argument("--stack", "-s", required=True, help="the stack's name")
    made.add_argument("--stacks", type=Path, default=None, help="where stack files lie (default: the project's)")
    add_mirror_arguments(made)
    made.add_argument("--real", action="store_true", help="refuse what has no known checksum (FY1812)")


def _machine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--machine", help="a machine type of the catalogue")
    parser.add_argument("--os", help="the operating system: debian-12, ubuntu-24.04")


def run(args: argparse.Namespace) -> int:
    """List, check or print variables. Raises FleetyardError (exit 65) for bad input."""
    return {"list": _list, "check": _check, "vars": _vars}[args.action](args)


def _check(args: argparse.Namespace) -> int:
    installed = read_installed(args.installed)
    machine = find_machine(args.machine or str(installed.pop("machine", "")) or None)
    system = check_os(args.os or str(installed.pop("os", "")) or None)
    for key in ("machine", "os"):
        installed.pop(key, None)
    if args.kernel:
        installed["kernel"] = args.kernel
    findings = judge(installed, machine, system)
    if args.stack or args.pool:
        findings += unlocked(installed, _lock(args))
    if args.json:
        print(render_json(findings), end="")
    elif findings:
        print(render_text(findings))
    else:
        print(f"{len(installed)} components of {machine.name} go together")
    return Exit.FINDINGS if has_errors(findings) else Exit.DONE


def _lock(args: argparse.Namespace) -> tuple[Chosen, ...]:
    """What a pool's lock says. Raises FleetyardError (exit 65, FY1818) for a pool that there is not."""
    if not (args.stack and args.pool):
        raise error("FY1818", "--pool", "a lock is one pool's of one stack", "--stack a100-train --pool train")
    locks = {pool: each for pool, _, each in choices_of(read_plan(stacks_folder(args), args.stack))}
    if args.pool not in locks:
        close = nearest(args.pool, locks)
        fix = f"--pool {close}" if close else f"one of {', '.join(locks)}"
        raise error("FY1818", "--pool", f"{args.stack} has no pool {args.pool}", fix)
    return locks[args.pool]


def read_installed(path: Path) -> dict[str, str]:
    """What a node reports: component to version, and perhaps `machine` and `os`.

    A component whose value is null or empty is not installed. Raises FleetyardError (exit 65, FY1814).
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise error("FY1814", path.name, "is no mapping from component to version", '{"nvidia-driver": "580.159.04"}')
    for name, version in value.items():
        if version is not None and not isinstance(version, str):
            raise error("FY1814", f"{path.name}: {name[:60]}", "is no text", f'"{name[:60]}": "a version in quotes"')
    return {name: version for name, version in value.items() if version}


def find_machine(name: str | None) -> Machine:
    """A machine of either cloud by name. Raises FleetyardError (exit 65, FY1801) with near names."""
    if name is None:
        raise error("FY1801", "--machine", "is missing", "--machine p5.48xlarge, or `machine` in the file")
    return in_catalog(catalog(), name)[0]


def check_os(name: str | None) -> str:
    """An operating system that the manifest or a rule knows. Raises FleetyardError (exit 65, FY1817)."""
    from fleetyard.versions.rules_fabric import GLIBC

    if name in GLIBC:
        return name
    close = nearest(name, GLIBC) if name else None
    what = f"{name!r} is no operating system that the rules know" if name else "is missing"
    raise error("FY1817", "--os", what, f"--os {close}" if close else f"one of {', '.join(sorted(GLIBC))}")


def _list(args: argparse.Namespace) -> int:
    if args.machine:
        target = Target.of(find_machine(args.machine), check_os(args.os or "ubuntu-22.04"), "slurm")
        name = manifest().version_set(args.version_set).name
        chosen = [(args.machine, name, choose(name, target))]
    else:
        folder = stacks_folder(args)
        names = [args.stack] if args.stack else stack_names(folder)
        chosen = [
            (f"{stack}.{pool}", name, each)
            for stack in names
            for pool, name, each in choices_of(read_plan(folder, stack))
        ]
    if args.json:
        document = {where: {"set": name, "versions": _data(each, None)} for where, name, each in chosen}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return Exit.DONE
    for where, name, each in chosen:
        print(f"{where}: {name}")
        rows = [("component", "version", "SHA-256", "source")]
        rows += [
            (
                choice.component,
                f"{choice.version} or newer" if choice.floor else choice.version,
                "unknown" if isinstance(choice.sha256, Unknown) else choice.sha256,
                choice.source,
            )
            for choice in each
        ]
        print(table(rows, right=frozenset()))
    return Exit.DONE


def _vars(args: argparse.Namespace) -> int:
    base = check_base(args.base) if args.base else None
    supplied = read_checksums(args.checksums)
    folder = stacks_folder(args)
    require_stack_file(folder, args.stack)
    document: dict[str, Any] = {}
    needed: dict[str, MirrorFile] = {}
    for pool, name, each in choices_of(read_plan(folder, args.stack)):
        made = [file for file in (file_of(choice, base) for choice in each) if file is not None]
        listed = with_checksums(made, supplied)
        needed |= {file.path: file for file in listed}
        known = {file.component: file.sha256 for file in listed}
        document[f"pool_{pool.replace('-', '_')}"] = {
            "fleetyard_version_set": name,
            "fleetyard_versions": _data(each, base, known),
        }
    if args.real:
        require_checksums(needed.values())
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return Exit.DONE


def _data(
    each: tuple[Chosen, ...], base: str | None, known: Mapping[str, str | Unknown] | None = None
) -> dict[str, dict[str, Any]]:
    """Component to version, SHA-256 (empty: not known) and URL (empty: nothing is fetched for it)."""
    data: dict[str, dict[str, Any]] = {}
    for choice in each:
        file = file_of(choice, base)
        digest = (known or {}).get(choice.component, choice.sha256)
        data[choice.component] = {
            "version": choice.version,
            "floor": choice.floor,
            "sha256": "" if isinstance(digest, Unknown) else digest,
            "url": file.url if file else "",
            "source": choice.source,
        }
    return data
