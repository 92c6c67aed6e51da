"""What an instance is asked to be: checks of its properties, and its launch.

The same code launches an instance that a person asks for and a member of a managed group.
"""

from __future__ import annotations

import copy
import ipaddress
import re
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, policies
from simcloud.gcp.call import Call, fingerprint, project_number
from simcloud.gcp.compute import disks, networks, quotas
from simcloud.gcp.compute.base import check_labels, key_from, last, link, of_kind, reference, resource
from simcloud.gcp.errors import Refusal, in_use, invalid_field, missing_field, rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_GPU = "docs.cloud.google.com/compute/docs/gpus"
rule(
    "instance.machine",
    "the machine type exists in the zone",
    "API errors seen: Machine type with name ... does not exist in zone",
)
rule(
    "instance.migrate",
    "machines with accelerators do not migrate live",
    _GPU + "; API errors seen: do not support live migration",
)
ATTACH = rule(
    "instance.accelerator",
    "accelerators fit the machine type and the zone",
    _GPU + "/create-gpu-vm-general-purpose",
    ours=True,
)
SPOT = rule(
    "instance.spot",
    "Spot machines do not restart by themselves, nor migrate",
    "docs.cloud.google.com/compute/docs/instances/spot",
    ours=True,
)
MODEL = rule(
    "instance.model",
    "the machine type is sold by the provisioning model",
    "docs.cloud.google.com/compute/docs/accelerator-optimized-machines, consumption options",
    ours=True,
)
BOUND = rule(
    "instance.reservation",
    "a reservation-bound machine names its reservation, which exists",
    "docs.cloud.google.com/compute/docs/instances/reservations-overview",
    ours=True,
)
FLEX = rule(
    "instance.flex",
    "flex-start machines have a run duration of at most 7 days",
    "docs.cloud.google.com/compute/docs/instances/about-dws",
    ours=True,
)
SSD = rule(
    "instance.local-ssd",
    "the machine type takes the number of local SSDs",
    "docs.cloud.google.com/compute/docs/disks/local-ssd",
    ours=True,
)
BOOT = rule(
    "instance.boot",
    "one disk boots, and it is the first",
    "discovery document compute.v1: AttachedDisk.boot",
    ours=True,
)
rule("instance.networks", "interfaces lie in different networks", "API errors seen: Networks must be distinct for NICs")
NICS = rule(
    "instance.nics",
    "the machine type has as many interfaces",
    "docs.cloud.google.com/vpc/docs/create-use-multiple-interfaces",
    ours=True,
)
SUBNET = rule(
    "instance.subnet",
    "an interface names a subnetwork of the zone's region",
    "docs.cloud.google.com/vpc/docs/subnets",
    ours=True,
)
ADDRESS = rule(
    "instance.address",
    "a chosen address is free and in its subnet",
    "docs.cloud.google.com/compute/docs/ip-addresses",
    ours=True,
)
ACCOUNT = rule(
    "instance.account",
    "one service account, which exists, with scopes",
    "discovery document compute.v1: serviceAccounts",
    ours=True,
)
METADATA = rule(
    "instance.metadata",
    "metadata keys are unique and legal, values at most 256 KiB",
    "docs.cloud.google.com/compute/docs/metadata/setting-custom-metadata",
    ours=True,
)
TAGS = rule("instance.tags", "network tags follow RFC 1035", "discovery document compute.v1: Tags", ours=True)
PLACEMENT = rule(
    "instance.placement",
    "a placement policy lies in the region, fits the machine type and has room",
    "docs.cloud.google.com/compute/docs/instances/use-compact-placement-policies",
    ours=True,
)
rule("instance.capacity", "the zone has the machine", "API errors seen: ZONE_RESOURCE_POOL_EXHAUSTED")

Failure = tuple[str, str, int]
"""Code, message and HTTP status of an operation that failed."""

_COMPACT = frozenset({"a2", "a3", "a4", "c2", "c2d", "c3", "c4", "g2", "h3", "n2", "n2d", "ct5lp", "ct5p", "ct6e"})


def is_spot(scheduling: dict[str, Any]) -> bool:
    """Whether the machine can be taken away."""
    return bool(scheduling.get("preemptible")) or scheduling.get("provisioningModel") == "SPOT"


def _machine(call: Call, item: dict[str, Any], zone: str, field: str) -> facts.Machine:
    if not item.get("machineType"):
        raise missing_field(f"{field}.machineType")
    name = last(item["machineType"])
    found = facts.machine(name, zone)
    if found is None:
        raise invalid_field(
            f"{field}.machineType",
            item["machineType"],
            f"Machine type with name '{name}' does not exist in zone '{zone}'.",
        )
    item["machineType"] = link(f"projects/{call.project}/zones/{zone}/machineTypes/{name}")
    return found


def _accelerators(call: Call, item: dict[str, Any], machine: facts.Machine, zone: str, field: str) -> None:
    given = item.get("guestAccelerators") or []
    for i, card in enumerate(given):
        where = f"{field}.guestAccelerators[{i}].acceleratorType"
        name = last(card.get("acceleratorType", ""))
        if name not in facts.accelerators(zone) and not machine.tpu:
            raise invalid_field(
                where, card.get("acceleratorType"), "The referenced acceleratorType resource cannot be found."
            )
        card["acceleratorType"] = link(f"projects/{call.project}/zones/{zone}/acceleratorTypes/{name}")
        card["acceleratorCount"] = int(card.get("acceleratorCount") or 1)
        if machine.gpu:
            if (name, card["acceleratorCount"]) != machine.gpu:
                raise invalid_field(
                    where, name, f"{machine.name} has {machine.gpu[1]} x {machine.gpu[0]}.", rule=ATTACH
                )
        elif name not in machine.attachable:
            raise invalid_field(where, name, f"{machine.name} takes no {name}.", rule=ATTACH)
        else:
            counts = facts.accelerators(zone)[name].get("counts", [])
            if card["acceleratorCount"] not in counts:
                raise invalid_field(where, card["acceleratorCount"], f"The count must be one of {counts}.", rule=ATTACH)
    if machine.gpu and not given:
        name, count = machine.gpu
        given = [
            {
                "acceleratorType": link(f"projects/{call.project}/zones/{zone}/acceleratorTypes/{name}"),
                "acceleratorCount": count,
            }
        ]
    if given:
        item["guestAccelerators"] = given


def _scheduling(item: dict[str, Any], machine: facts.Machine, field: str) -> None:
    wanted = item.setdefault("scheduling", {})
    model = wanted.get("provisioningModel") or ("SPOT" if wanted.get("preemptible") else "STANDARD")
    wanted["provisioningModel"] = model
    wanted["preemptible"] = bool(wanted.get("preemptible")) or model == "SPOT"
    fixed = bool(item.get("guestAccelerators") or machine.tpu)
    spot = is_spot(wanted)
    # The API's default is to migrate, also for machines that cannot be migrated: these have to say TERMINATE.
    # Only Spot and flex-start machines get it by themselves.
    wanted.setdefault("onHostMaintenance", "TERMINATE" if spot or model == "FLEX_START" else "MIGRATE")
    wanted.setdefault("automaticRestart", not spot and model != "FLEX_START")
    if fixed and wanted["onHostMaintenance"] != "TERMINATE":
        raise Refusal(400, "Instances with guest accelerators do not support live migration.", reason="badRequest")
    if spot and (wanted["automaticRestart"] or wanted["onHostMaintenance"] != "TERMINATE"):
        raise invalid_field(
            f"{field}.scheduling", model, "A Spot VM neither restarts by itself nor migrates.", rule=SPOT
        )
    if machine.models and model not in machine.models:
        raise invalid_field(
            f"{field}.scheduling.provisioningModel",
            model,
            f"{machine.name} is provided as {', '.join(machine.models)}.",
            rule=MODEL,
        )
    if model == "FLEX_START":
        seconds = int(wanted.get("maxRunDuration", {}).get("seconds", 0))
        if not 0 < seconds <= 7 * 86400:
            raise invalid_field(f"{field}.scheduling.maxRunDuration", seconds, "At most 7 days.", rule=FLEX)


def _reservation(call: Call, item: dict[str, Any], zone: str, field: str) -> None:
    affinity = item.get("reservationAffinity", {})
    specific = affinity.get("consumeReservationType") == "SPECIFIC_RESERVATION"
    if item["scheduling"]["provisioningModel"] == "RESERVATION_BOUND" and not specific:
        raise invalid_field(f"{field}.reservationAffinity", "", "Name the reservation.", rule=BOUND)
    if not specific:
        return
    for value in affinity.get("values", []):
        key = f"projects/{call.project}/zones/{zone}/reservations/{last(value)}"
        if key not in call.world.state.compute:
            raise invalid_field(
                f"{field}.reservationAffinity.values", value, "There is no such reservation.", rule=BOUND
            )


def _interfaces(call: Call, item: dict[str, Any], machine: facts.Machine, zone: str, field: str) -> None:
    nics = item.get("networkInterfaces") or []
    if not nics:
        raise missing_field(f"{field}.networkInterfaces")
    if len(nics) > machine.nics:
        raise invalid_field(
            f"{field}.networkInterfaces", len(nics), f"{machine.name} has at most {machine.nics}.", rule=NICS
        )
    region = facts.region_of(zone)
    seen: set[str] = set()
    for i, nic in enumerate(nics):
        where = f"{field}.networkInterfaces[{i}]"
        _subnet(call, nic, region, where)
        if nic["network"] in seen and nic.get("nicType") not in ("MRDMA", "IRDMA"):
            raise Refusal(
                400,
                f"Invalid value for field '{where}': ''. Networks must be distinct for NICs attached to the same VM.",
                reason="invalid",
            )
        seen.add(nic["network"])
        nic["name"] = f"nic{i}"
        nic["kind"] = "compute#networkInterface"
        nic.setdefault("stackType", "IPV4_ONLY")
        nic["fingerprint"] = fingerprint({"nic": i, "subnet": nic.get("subnetwork")})
        for access in nic.get("accessConfigs", []):
            access.setdefault("type", "ONE_TO_ONE_NAT")
            access.setdefault("name", "External NAT")
            access.setdefault("networkTier", "PREMIUM")
            access["kind"] = "compute#accessConfig"


def _subnet(call: Call, nic: dict[str, Any], region: str, where: str) -> None:
    if nic.get("network"):
        nic["network"] = reference(call, nic["network"], "networks", f"{where}.network")
    if nic.get("subnetwork"):
        nic["subnetwork"] = reference(call, nic["subnetwork"], "subnetworks", f"{where}.subnetwork")
        sub = resource(call, key_from(nic["subnetwork"]))
        if last(sub["region"]) != region:
            raise invalid_field(f"{where}.subnetwork", nic["subnetwork"], f"It is not in region {region}.", rule=SUBNET)
        if nic.setdefault("network", sub["network"]) != sub["network"]:
            raise invalid_field(f"{where}.subnetwork", nic["subnetwork"], "It is in another network.", rule=SUBNET)
        return
    network = nic.get("network") or reference(call, "global/networks/default", "networks", f"{where}.network")
    nic["network"] = network
    if not resource(call, key_from(network)).get("autoCreateSubnetworks"):
        raise invalid_field(
            f"{where}.subnetwork",
            "",
            "Network interface must specify a subnet if the network resource is in custom subnet mode.",
        )
    key = f"projects/{key_from(network).split('/')[1]}/regions/{region}/subnetworks/{last(network)}"
    nic["subnetwork"] = reference(call, key, "subnetworks", f"{where}.subnetwork")


def place_interface(call: Call, nic: dict[str, Any], region: str, where: str) -> None:
    """Put one interface into its network and give it an address. Raises Refusal."""
    _subnet(call, nic, region, where)
    if not nic.get("networkIP"):
        nic["networkIP"] = networks.free_addresses(call.world, nic["subnetwork"])[0]
    nic.setdefault("stackType", "IPV4_ONLY")


def _addresses(call: Call, item: dict[str, Any], field: str) -> None:
    taken: dict[str, list[str]] = {}
    for i, nic in enumerate(item["networkInterfaces"]):
        subnet = nic["subnetwork"]
        wanted = nic.get("networkIP")
        if wanted:
            wanted = _reserved(call, wanted)
            cidr = ipaddress.IPv4Network(resource(call, key_from(subnet))["ipCidrRange"])
            if ipaddress.IPv4Address(wanted) not in cidr:
                raise invalid_field(
                    f"{field}.networkInterfaces[{i}].networkIP", wanted, "It is outside the subnet.", rule=ADDRESS
                )
            held = call.world.ledger.addresses(subnet) - _kept_for_machines(call, subnet)
            if wanted in held or wanted in taken.get(subnet, []):
                raise invalid_field(
                    f"{field}.networkInterfaces[{i}].networkIP", wanted, "IP address is already in use.", rule=ADDRESS
                )
            nic["networkIP"] = wanted
        else:
            done = taken.setdefault(subnet, [])
            free = networks.free_addresses(call.world, subnet, len(done) + 1)
            nic["networkIP"] = next(a for a in free if a not in done)
        taken.setdefault(subnet, []).append(nic["networkIP"])
        for access in nic.get("accessConfigs", []):
            access.setdefault("natIP", networks.external_address(call))


def _kept_for_machines(call: Call, subnet: str) -> set[str]:
    """Reserved addresses of a subnet that no machine has yet: they are for a machine to take."""
    return {
        str(a["address"])
        for _, a in of_kind(call.world, "addresses")
        if a.get("subnetwork") == subnet and not a.get("users")
    }


def _reserved(call: Call, value: str) -> str:
    key = key_from(value)
    return str(resource(call, key)["address"]) if key else value


def _identity(call: Call, item: dict[str, Any], field: str) -> None:
    accounts = item.get("serviceAccounts", [])
    if len(accounts) > 1:
        raise invalid_field(f"{field}.serviceAccounts", len(accounts), "At most one service account.", rule=ACCOUNT)
    for account in accounts:
        if account.get("email") in (None, "", "default"):
            account["email"] = f"{project_number(call.project)}-compute@developer.gserviceaccount.com"
        if not policies.account_exists(call.world, account["email"], call.project):
            raise Refusal(
                400,
                f"The resource 'projects/{call.project}/serviceAccounts/{account['email']}' of type 'serviceAccount' "
                "was not found.",
                reason="invalid",
                rule=ACCOUNT,
            )
    check_metadata(item.get("metadata", {}), field)
    for tag in item.get("tags", {}).get("items", []):
        if not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", tag):
            raise invalid_field(f"{field}.tags.items", tag, "Not a valid network tag.", rule=TAGS)
    check_labels(item.get("labels", {}), f"{field}.labels")


def check_metadata(metadata: dict[str, Any], field: str) -> None:
    """Raises Refusal for metadata that Compute Engine does not take."""
    keys = [e.get("key", "") for e in metadata.get("items", [])]
    for key in keys:
        if keys.count(key) > 1 or not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", key):
            raise invalid_field(f"{field}.metadata.items.key", key, "Duplicate or illegal metadata key.", rule=METADATA)
    for entry in metadata.get("items", []):
        if len(str(entry.get("value", "")).encode()) > 262144:
            raise invalid_field(f"{field}.metadata.items.value", entry["key"], "Larger than 256 KiB.", rule=METADATA)


def _policies(call: Call, item: dict[str, Any], machine: facts.Machine, region: str, field: str) -> None:
    made = []
    for value in item.get("resourcePolicies", []):
        where = f"{field}.resourcePolicies"
        name = value if "/" in value else f"regions/{region}/resourcePolicies/{value}"
        found = reference(call, name, "resourcePolicies", where)
        policy = resource(call, key_from(found))
        if last(policy["region"]) != region:
            raise invalid_field(where, found, f"It is not in region {region}.", rule=PLACEMENT)
        group = policy.get("groupPlacementPolicy", {})
        if group.get("collocation") == "COLLOCATED":
            if machine.family not in _COMPACT:
                raise invalid_field(where, found, f"{machine.name} is not placed compactly.", rule=PLACEMENT)
            there = sum(found in i.get("resourcePolicies", []) for _, i in of_kind(call.world, "instances"))
            if group.get("vmCount") and there >= group["vmCount"]:
                raise invalid_field(where, found, f"It holds {group['vmCount']} VMs.", rule=PLACEMENT)
        made.append(found)
    if made:
        item["resourcePolicies"] = made


def _disks(call: Call, item: dict[str, Any], machine: facts.Machine, zone: str, field: str) -> list[dict[str, Any]]:
    """Check the disks; returns the new ones to be made with the instance."""
    wanted = item.get("disks") or []
    boots = [d for d in wanted if d.get("boot")]
    if len(boots) != 1 or not wanted[0].get("boot"):
        raise invalid_field(f"{field}.disks", len(boots), "The first disk, and only it, boots.", rule=BOOT)
    scratch = sum(d.get("type") == "SCRATCH" for d in wanted)
    if scratch and machine.bundled_ssds not in (0, scratch):
        raise invalid_field(
            f"{field}.disks", scratch, f"{machine.name} has {machine.bundled_ssds} local SSDs.", rule=SSD
        )
    if scratch and not machine.bundled_ssds and scratch not in machine.local_ssds:
        allowed = ", ".join(map(str, machine.local_ssds)) or "none"
        raise invalid_field(f"{field}.disks", scratch, f"{machine.name} takes {allowed} local SSDs.", rule=SSD)
    for _ in range(machine.bundled_ssds if not scratch else 0):
        wanted.append({"type": "SCRATCH", "interface": "NVME", "autoDelete": True, "_bundled": True})
    made = []
    for i, disk in enumerate(wanted):
        where = f"{field}.disks[{i}]"
        disk["index"] = i
        disk["kind"] = "compute#attachedDisk"
        disk.setdefault("type", "PERSISTENT")
        disk.setdefault("mode", "READ_WRITE")
        disk.setdefault("boot", False)
        disk.setdefault("autoDelete", False)
        disk.setdefault("interface", "NVME" if disk["type"] == "SCRATCH" else "SCSI")
        if disk["type"] == "SCRATCH":
            disk.pop("initializeParams", None)
            disk.setdefault("deviceName", f"local-ssd-{i - 1}")
            disk["diskSizeGb"] = "375"
            continue
        disk.setdefault("deviceName", f"persistent-disk-{i}")
        if disk.get("source"):
            disk["source"] = reference(call, disk["source"], "disks", f"{where}.source")
            one = resource(call, key_from(disk["source"]))
            if one.get("users"):
                raise in_use("disk", key_from(disk["source"]), key_from(one["users"][0]))
            disks.check_machine(machine, last(one["type"]))
            disk["diskSizeGb"] = one["sizeGb"]
            continue
        made.append(_new_disk(call, item, disk, machine, zone, where))
    item["disks"] = wanted
    return made


def _new_disk(
    call: Call, item: dict[str, Any], disk: dict[str, Any], machine: facts.Machine, zone: str, where: str
) -> dict[str, Any]:
    ask = disk.pop("initializeParams", {})
    if disk["boot"] and not (ask.get("sourceImage") or ask.get("sourceSnapshot")):
        raise invalid_field(f"{where}.initializeParams.sourceImage", "", "A boot disk needs an image.", rule=BOOT)
    name = ask.get("diskName") or (item["name"] if disk["boot"] else f"{item['name']}-{disk['index']}")
    key = f"projects/{call.project}/zones/{zone}/disks/{name}"
    if key in call.world.state.compute:
        raise Refusal(409, f"The resource '{key}' already exists", reason="alreadyExists")
    usual = "pd-standard" if machine.persistent_disk else "hyperdisk-balanced"
    body: dict[str, Any] = {
        "kind": "compute#disk",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "name": name,
        "zone": link(f"projects/{call.project}/zones/{zone}"),
        "selfLink": link(key),
        "type": ask.get("diskType") or usual,
        **{k: ask[k] for k in ("sourceImage", "labels", "provisionedIops", "provisionedThroughput") if ask.get(k)},
    }
    size = ask.get("diskSizeGb") or disk.get("diskSizeGb")
    if size:
        body["sizeGb"] = size
    disks.make(call, body, zone, f"{where}.initializeParams")
    disks.check_machine(machine, last(body["type"]))
    disk["source"] = body["selfLink"]
    disk["diskSizeGb"] = body["sizeGb"]
    disk["_type"] = last(body["type"])
    for member in ("architecture", "guestOsFeatures", "licenses"):
        if body.get(member):
            disk.setdefault(member, body[member])
    return body


def launch(call: Call, zone: str, asked: dict[str, Any], field: str = "resource") -> tuple[str, Failure | None]:
    """Launch an instance in a zone out of what is asked for (an instance's members, with its name).

    Returns its resource name and, when quota or capacity are missing, the failure. Raises Refusal for what is
    not legal; nothing is changed then.
    """
    item = copy.deepcopy(asked)
    region = facts.region_of(zone)
    key = f"projects/{call.project}/zones/{zone}/instances/{item['name']}"
    machine = _machine(call, item, zone, field)
    _accelerators(call, item, machine, zone, field)
    _scheduling(item, machine, field)
    _reservation(call, item, zone, field)
    _interfaces(call, item, machine, zone, field)
    _identity(call, item, field)
    _policies(call, item, machine, region, field)
    new_disks = _disks(call, item, machine, zone, field)
    _addresses(call, item, field)
    item["zone"] = link(f"projects/{call.project}/zones/{zone}")
    failure = _short(call, item, machine, zone)
    if failure is not None:
        return key, failure
    _settle(call, item, key, machine, new_disks)
    return key, None


def _short(call: Call, item: dict[str, Any], machine: facts.Machine, zone: str) -> Failure | None:
    world = call.world
    error = quotas.exceeded(world, call.project, facts.region_of(zone), quotas.needs(item))
    if error is not None:
        return error
    knobs = world.state.knobs
    bound = knobs.capacity.get(f"{zone}/{machine.name}")
    full = bound is not None and world.ledger.machines(zone, machine.name) >= bound
    if knobs.fail_launches > 0 or full:
        code = knobs.fail_code
        knobs.fail_launches -= not full
        world.state.stirred |= not full
        place = f"projects/{call.project}/zones/{zone}"
        return (
            "ZONE_RESOURCE_POOL_EXHAUSTED" if full else code,
            f"The zone '{place}' does not have enough resources available to fulfill the request.  "
            "Try a different zone, or try again later.",
            503,
        )
    return None


def _settle(
    call: Call, item: dict[str, Any], key: str, machine: facts.Machine, new_disks: list[dict[str, Any]]
) -> None:
    """Store a launched instance and its disks."""
    compute = call.world.state.compute
    for body in new_disks:
        compute[key_from(body["selfLink"])] = body
    for disk in item["disks"]:
        if disk.get("source"):
            one = compute[key_from(disk["source"])]
            one.setdefault("users", []).append(link(key))
            one["lastAttachTimestamp"] = call.compute_now
            if disk["autoDelete"]:
                one["_madeBy"] = key
        disk.pop("_bundled", None)
    item.setdefault("metadata", {})
    item["metadata"] = {
        "kind": "compute#metadata",
        "fingerprint": fingerprint(item["metadata"].get("items")),
        **item["metadata"],
    }
    item["tags"] = {"fingerprint": fingerprint(item.get("tags", {}).get("items")), **item.get("tags", {})}
    shielded = {"enableSecureBoot": False, "enableVtpm": True, "enableIntegrityMonitoring": True}
    made: dict[str, Any] = {
        "kind": "compute#instance",
        "id": call.number(),
        "creationTimestamp": call.compute_now,
        "selfLink": link(key),
        **item,
        "status": "RUNNING",
        "cpuPlatform": machine.cpu,
        "labelFingerprint": fingerprint(item.get("labels")),
        "startRestricted": False,
        "deletionProtection": bool(item.get("deletionProtection")),
        "canIpForward": bool(item.get("canIpForward")),
        "lastStartTimestamp": call.compute_now,
        "shieldedInstanceConfig": {**shielded, **item.get("shieldedInstanceConfig", {})},
        "shieldedInstanceIntegrityPolicy": {"updateAutoLearnPolicy": True},
        "resourceStatus": {
            "scheduling": {},
            "physicalHost": f"/{call.hexadecimal(8)}/{call.hexadecimal(8)}/{call.hexadecimal(8)}",
        },
        "satisfiesPzs": False,
    }
    made["fingerprint"] = fingerprint({"id": made["id"]})
    compute[key] = made
    call.world.ledger.launched(call.project, facts.region_of(last(made["zone"])), made, new_disks)


def drop(world: GcpWorld, key: str) -> None:
    """Take an instance away, with its automatic disks; others are detached."""
    world.forget()
    compute = world.state.compute
    item = compute.pop(key)
    world.state.lives.pop(item["id"], None)
    for disk in item.get("disks", []):
        source = key_from(disk.get("source", ""))
        if source not in compute:
            continue
        if disk.get("autoDelete"):
            del compute[source]
        else:
            left = [u for u in compute[source].get("users", []) if key_from(u) != key]
            compute[source]["users"] = left
            if not left:
                del compute[source]["users"]
