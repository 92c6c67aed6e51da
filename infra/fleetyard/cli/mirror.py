"""`fleetyard mirror`: what a mirror must hold so that a stack can be installed without a way out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fleetyard.catalog import Unknown
from fleetyard.cli.project import add_stack_arguments, require_stack_file, stack_names, stacks_folder
from fleetyard.findings import Exit, error
from fleetyard.plan import Plan, make_plan, sized_pools
from fleetyard.report.tables import table
from fleetyard.spec import load_stack
from fleetyard.versions import Chosen, manifest, planned
from fleetyard.versions.mirror import MirrorFile, check_base, files, supplied_checksums, with_checksums


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    add_stack_arguments(parser, "the files of every stack are listed")
    add_mirror_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the files as JSON; an unknown checksum is null")


def add_mirror_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where a mirror is and what it supplies."""
    parser.add_argument("--base", help="the mirror's URL; without it, files come from where vendors publish")
    parser.add_argument("--checksums", type=Path, help="JSON of the mirror's own: path to SHA-256")


def run(args: argparse.Namespace) -> int:
    """List the files. Raises FleetyardError (exit 65) for a wrong stack, URL or checksum."""
    base = check_base(args.base) if args.base else None
    folder = stacks_folder(args)
    names = [args.stack] if args.stack else stack_names(folder)
    choices = [chosen for name in names for _, _, each in choices_of(read_plan(folder, name)) for chosen in each]
    listed = with_checksums(files(choices, base), read_checksums(args.checksums))
    if args.json:
        document = {"base": base, "stacks": names, "files": [each.as_dict() for each in listed]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(listed)))
    return Exit.DONE


def read_plan(folder: Path, name: str) -> Plan:
    """A stack's plan. Versions do not depend on counts: a pool that is to be sized counts one."""
    stack = load_stack(require_stack_file(folder, name))
    return make_plan(stack, dict.fromkeys(sized_pools(stack), 1))


def choices_of(plan: Plan) -> Iterator[tuple[str, str, tuple[Chosen, ...]]]:
    """Pool, its set and what is chosen for it. Raises FleetyardError (exit 65, FY1811) for an unknown set."""
    from fleetyard.checks.versions import targets

    name = manifest().version_set(plan.version_set).name
    for pool, target in targets(plan):
        yield pool.name, name, planned(name, target, pool.versions)[1]


def read_checksums(path: Path | None) -> dict[str, str]:
    """The mirror's checksums from a file; none without one. Raises FleetyardError (exit 65, FY1814, FY1815)."""
    return {} if path is None else supplied_checksums(read_json(path), path.name)


def read_json(path: Path) -> Any:
    """A JSON file. Raises FleetyardError (exit 65, FY1814)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise error("FY1814", path.name, f"cannot be read: {wrong.strerror}", "check the path") from None
    except (ValueError, RecursionError):
        raise error("FY1814", path.name, "is no JSON", "an object in JSON") from None


def _text(listed: tuple[MirrorFile, ...]) -> Iterator[str]:
    rows = [("component", "version", "licence", "SHA-256", "file")]
    rows += [
        (
            each.component,
            each.version,
            each.licence.value,
            "unknown" if isinstance(each.sha256, Unknown) else each.sha256,
            each.url,
        )
        for each in listed
    ]
    yield table(rows, right=frozenset()).rstrip("\n")
    unknown = sum(isinstance(each.sha256, Unknown) for each in listed)
    yield f"{len(listed)} files, {unknown} without a known checksum (real installs need the mirror to supply it)"
