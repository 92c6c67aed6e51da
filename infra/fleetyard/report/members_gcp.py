"""Live members on Google Cloud: instances of managed groups, and hosts of TPU slices, that the export names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import google.auth
import httplib2
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from fleetyard.findings import Exit, error
from fleetyard.report.members import Member, last_part, pages

if TYPE_CHECKING:
    from fleetyard.outputs import PoolOut, StackOutputs

SIM_ENDPOINT = "FLEETYARD_SIM_GCP_ENDPOINT"
SERVICE_PATH = {"compute": "/compute/v1/", "tpu": "/"}
"""What follows the endpoint in each service's addresses. Source: `servicePath` of their discovery documents."""
PAGE = 500
DENIED = {401, 403}


def find(outputs: StackOutputs, env: Mapping[str, str]) -> Sequence[Member]:
    """The members of every pool. Raises FleetyardError (77 without permission, 69 when the cloud does not answer)."""
    try:
        return [member for name, pool in sorted(outputs.pools.items()) for member in _pool(outputs, name, pool, env)]
    except DefaultCredentialsError:
        fix = "gcloud auth application-default login, or `fleetyard sim env`"
        raise error("FY1911", "credentials", "there are none for Google Cloud", fix, Exit.PERMISSION) from None
    except HttpError as refused:
        status = Exit.PERMISSION if refused.status_code in DENIED else Exit.REFUSED
        raise error(
            "FY1912", f"gcp {last_part(refused.uri.partition('?')[0])}", str(refused.reason), exit_code=status
        ) from None
    except (OSError, httplib2.HttpLib2Error) as silent:
        raise error("FY1913", "gcp", f"does not answer: {silent}", "is it running?", Exit.REFUSED) from None


def service(name: str, version: str, env: Mapping[str, str]) -> Any:
    """A client of one of Google's services, where the environment says that it is."""
    endpoint = env.get(SIM_ENDPOINT)
    if endpoint:
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        where = {"api_endpoint": endpoint + SERVICE_PATH[name]}
        return build(name, version, credentials=nobody, client_options=where, static_discovery=True)
    credentials, _ = google.auth.default()
    return build(name, version, credentials=credentials, static_discovery=True)


def _pool(outputs: StackOutputs, name: str, pool: PoolOut, env: Mapping[str, str]) -> Iterator[Member]:
    if pool.kind.startswith("tpu"):
        yield from _slices(outputs, name, pool, env)
    else:
        yield from _group(outputs, name, pool, env)


def _group(outputs: StackOutputs, name: str, pool: PoolOut, env: Mapping[str, str]) -> Iterator[Member]:
    compute = service("compute", "v1", env)
    for zone, group in sorted(pool.groups.items()):
        where = {"project": outputs.project, "zone": zone}
        asked = compute.instanceGroupManagers().listManagedInstances(**where, instanceGroupManager=group)
        following = compute.instanceGroupManagers().listManagedInstances_next
        instances = _instances(compute, where)
        for page in pages(asked, following):
            for row in page.get("managedInstances", []):
                host = last_part(row["instance"])
                instance = instances.get(host, {})
                action = row.get("currentAction", "NONE")
                state = row.get("instanceStatus") or "UNKNOWN"
                yield Member(
                    pool=name,
                    name=host,
                    state=state if action == "NONE" else f"{state} ({action})",
                    zone=zone,
                    address=next((card.get("networkIP") for card in instance.get("networkInterfaces", [])), None),
                    machine=last_part(instance.get("machineType", pool.machine)),
                    key=str(instance.get("id", "")),
                    host_name=host,
                )


def _instances(compute: Any, where: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The instances of a zone, by name: a page holds 500, where asking for each would be 500 calls."""
    asked = compute.instances().list(**where, maxResults=PAGE)
    listed = pages(asked, compute.instances().list_next)
    return {instance["name"]: instance for page in listed for instance in page.get("items", [])}


def _slices(outputs: StackOutputs, name: str, pool: PoolOut, env: Mapping[str, str]) -> Iterator[Member]:
    tpu = service("tpu", "v2", env)
    for _, node in sorted(pool.groups.items()):
        path = f"projects/{outputs.project}/locations/{pool.zones[0]}/nodes/{last_part(node)}"
        found = tpu.projects().locations().nodes().get(name=path).execute()
        for index, host in enumerate(found.get("networkEndpoints", [])):
            yield Member(
                pool=name,
                name=f"{last_part(node)}-w{index}",
                state=found.get("state", "UNKNOWN"),
                zone=pool.zones[0],
                address=host.get("ipAddress"),
                machine=found.get("acceleratorType", pool.machine),
                key=f"{path}/{index}",
                host_name=f"{last_part(node)}-w-{index}",
            )
