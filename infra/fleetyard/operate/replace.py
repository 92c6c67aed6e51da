"""Gives one machine back to the cloud, whose group puts another one in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleetyard.findings import Exit, error

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs
    from fleetyard.report.members import Member


def give_back(outputs: StackOutputs, member: Member, env: Mapping[str, str]) -> str:
    """Ask the cloud to replace a machine; which call it was. It may be asked again without harm.

    Raises FleetyardError: FY3211 for a machine that no group holds, FY3212 when the cloud refuses (77 without
    permission, 69 otherwise).
    """
    pool = outputs.pools[member.pool]
    if pool.kind == "autoscaling-group":
        from fleetyard.operate.replace_aws import give_back as ask
    elif pool.kind == "instance-group":
        from fleetyard.operate.replace_gcp import give_back as ask
    else:
        message = f"is of a pool of kind {pool.kind}, whose hosts come and go together"
        fix = "end the slice's job, then `pulumi up` with --target-replace for its node"
        raise error("FY3211", member.name, message, fix, Exit.REFUSED)
    return ask(outputs, member, env)
