"""On Google Cloud: the managed instance group recreates the instance under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import httplib2
from googleapiclient.errors import HttpError

from fleetyard.findings import Exit, error
from fleetyard.report.members_gcp import DENIED, service

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs
    from fleetyard.report.members import Member


def give_back(outputs: StackOutputs, member: Member, env: Mapping[str, str]) -> str:
    """Recreate it. Raises FleetyardError FY3212."""
    group = outputs.pools[member.pool].groups[member.zone]
    where = {"project": outputs.project, "zone": member.zone, "instanceGroupManager": group}
    body = {"instances": [f"zones/{member.zone}/instances/{member.name}"]}
    try:
        service("compute", "v1", env).instanceGroupManagers().recreateInstances(**where, body=body).execute()
    except HttpError as refused:
        status = Exit.PERMISSION if refused.status_code in DENIED else Exit.REFUSED
        fix = "whoever operates needs compute.instanceGroupManagers.update in the project"
        raise error("FY3212", "gcp recreateInstances", str(refused.reason), fix, status) from None
    except (OSError, httplib2.HttpLib2Error) as silent:
        raise error("FY3212", "gcp", f"does not answer: {silent}", "run this again", Exit.REFUSED) from None
    return "instanceGroupManagers recreateInstances"
