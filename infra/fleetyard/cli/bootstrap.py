"""`fleetyard bootstrap`: write the project that makes a stack's state, key and identities, with the least rights it
needs."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from fleetyard.bootstrap import actions_aws, actions_gcp
from fleetyard.bootstrap.files import FOLDER, Forge, Settings, write
from fleetyard.bootstrap.life import Life, live
from fleetyard.cli.project import STACKS, project_root, require_stack_file
from fleetyard.findings import Exit, error
from fleetyard.spec import Stack, load_stack

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)+")
_LONGEST_INLINE = 10_240
"""Characters of a role's own policies. Source: IAM User Guide, "IAM and AWS STS quotas"."""


def add(parser: argparse.ArgumentParser) -> None:
    """Arguments of the subcommand."""
    parser.add_argument("--stack", "-s", required=True, help="the stack whose deployer is to be made")
    parser.add_argument("--repository", required=True, metavar="OWNER/NAME", help="where its changes are reviewed")
    parser.add_argument(
        "--forge", choices=[str(each) for each in Forge], default="github", help="and which forge that is"
    )
    parser.add_argument("--branch", default="main", help="the branch that is deployed")
    parser.add_argument("--json", action="store_true", help="print the settings as JSON and write nothing")


def run(args: argparse.Namespace) -> int:
    """Walk the stack through its life on the simulated cloud, derive the rights, write the project."""
    if not REPOSITORY.fullmatch(args.repository):
        raise error(
            "FY2701", "--repository", f"{args.repository!r} is no OWNER/NAME", "for example example/fleet", Exit.USAGE
        )
    if not re.fullmatch(r"[\w./-]+", args.branch):
        raise error("FY2701", "--branch", f"{args.branch!r} is no branch name", "for example main", Exit.USAGE)
    root = project_root()
    stack = load_stack(require_stack_file(root / STACKS, args.stack))
    life = live(root, args.stack, str(stack.cloud), _say)
    settings = _settings(args, stack, life)
    if args.json:
        print(json.dumps({name: getattr(settings, name) for name in Settings.__slots__}, indent=2))
        return Exit.DONE
    for path in write(root, settings):
        print(f"written: {path.relative_to(root)}")
    print(_next(root, settings))
    return Exit.DONE


def _settings(args: argparse.Namespace, stack: Stack, life: Life) -> Settings:
    if stack.cloud == "aws":
        place = (args.stack, stack.region)
        deploy = actions_aws.deploying(life.calls, life.read_actions, *place)
        preview = actions_aws.previewing(life.calls, life.read_actions, *place)
        size = len(json.dumps(deploy, separators=(",", ":")))
        if size > _LONGEST_INLINE:
            message = f"the deployer's policy has {size:,} characters; AWS takes {_LONGEST_INLINE:,} in a role"
            raise error("FY2703", args.stack, message, "split the stack", Exit.REFUSED)
        rights: tuple[tuple[object, ...], tuple[object, ...]] = (tuple(deploy), tuple(preview))
    else:
        permissions = actions_gcp.permissions_of(life.calls)
        rights = (permissions, actions_gcp.reads(permissions))
    where = (str(stack.cloud), stack.region, stack.project)
    return Settings(args.stack, *where, args.forge, args.repository, args.branch, *rights)


def _next(root: Path, settings: Settings) -> str:
    stack = settings.stack
    return f"""
Read {FOLDER}/Pulumi.{stack}.yaml: it holds every right that would be given. Then, once, as an administrator:

  cd {FOLDER}
  pulumi login file://.              # this one state cannot be kept in what it makes; it holds no secret
  pulumi stack init {stack} && pulumi up
  pulumi stack output --json         # the settings of .github/workflows/account.yml
  cd .. && pulumi login "$(pulumi -C {FOLDER} stack output FLEETYARD_STATE)"
  pulumi stack init {stack} --secrets-provider "$(pulumi -C {FOLDER} stack output FLEETYARD_SECRETS)"
""".rstrip()


def _say(line: str) -> None:
    print(f"fleetyard bootstrap: {line}", file=sys.stderr, flush=True)
