"""Instances and instance templates: the same properties, in the provider's two spellings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import NAME, PROVIDER, ComputeType, differs, image_path, last, relative
from simcloud.gcp.types.codec import Field, Place, from_api, plain, to_api
from simcloud.provider.model import CloudError, Failure, Props

_DURATION = (Field("seconds", kind="int"), Field("nanos"))

_SCHEDULING: tuple[Field, ...] = (
    Field("automaticRestart"),
    Field("availabilityDomain"),
    Field("hostErrorTimeoutSeconds"),
    Field("instanceTerminationAction"),
    Field("maintenanceInterval"),
    Field("maxRunDuration", sub=_DURATION),
    Field("minNodeCpus"),
    Field("nodeAffinities", many=True, sub=(Field("key"), Field("operator"), Field("values"))),
    Field("onHostMaintenance"),
    Field("onInstanceStopAction", sub=(Field("discardLocalSsd"),)),
    Field("preemptible"),
    Field("provisioningModel"),
    Field("terminationTime"),
)
_NIC: tuple[Field, ...] = (
    Field("name"),
    Field("network", kind="ref", collection="networks"),
    Field("subnetwork", kind="ref", collection="subnetworks"),
    Field("networkIp", "networkIP"),
    Field("nicType"),
    Field("stackType"),
    Field("queueCount"),
    Field("networkAttachment"),
    Field("internalIpv6PrefixLength"),
    Field(
        "accessConfigs",
        many=True,
        sub=(Field("natIp", "natIP"), Field("networkTier"), Field("publicPtrDomainName")),
    ),
    Field("aliasIpRanges", many=True, sub=(Field("ipCidrRange"), Field("subnetworkRangeName"))),
)
_SHIELDED = Field(
    "shieldedInstanceConfig",
    sub=(Field("enableSecureBoot"), Field("enableVtpm"), Field("enableIntegrityMonitoring")),
)
_ADVANCED = Field(
    "advancedMachineFeatures",
    sub=(
        Field("enableNestedVirtualization"),
        Field("enableUefiNetworking"),
        Field("performanceMonitoringUnit"),
        Field("threadsPerCore"),
        Field("turboMode"),
        Field("visibleCoreCount"),
    ),
)
_CONFIDENTIAL = Field(
    "confidentialInstanceConfig", sub=(Field("enableConfidentialCompute"), Field("confidentialInstanceType"))
)

_COMMON: tuple[Field, ...] = (
    Field("canIpForward", default=False),
    Field("minCpuPlatform"),
    Field("keyRevocationActionType"),
    Field("scheduling", sub=_SCHEDULING),
    Field("networkInterfaces", many=True, sub=_NIC),
    Field("serviceAccount", "serviceAccounts", kind="first", sub=(Field("email"), Field("scopes"))),
    _SHIELDED,
    _ADVANCED,
    _CONFIDENTIAL,
    Field("networkPerformanceConfig", sub=(Field("totalEgressBandwidthTier"),)),
    Field("tags", "tags.items"),
)

_SCOPES = {
    "cloud-platform": "cloud-platform",
    "storage-ro": "devstorage.read_only",
    "storage-rw": "devstorage.read_write",
    "storage-full": "devstorage.full_control",
    "logging-write": "logging.write",
    "monitoring-write": "monitoring.write",
    "monitoring": "monitoring",
    "compute-ro": "compute.readonly",
    "compute-rw": "compute",
    "service-control": "servicecontrol",
    "service-management": "service.management.readonly",
    "trace": "trace.append",
    "bigquery": "bigquery",
    "cloud-source-repos": "source.full_control",
    "cloud-source-repos-ro": "source.read_only",
    "datastore": "datastore",
    "monitoring-read": "monitoring.read",
    "pubsub": "pubsub",
    "sql": "sqlservice",
    "sql-admin": "sqlservice.admin",
    "taskqueue": "taskqueue",
    "useraccounts-ro": "cloud.useraccounts.readonly",
    "useraccounts-rw": "cloud.useraccounts",
    "userinfo-email": "userinfo.email",
}
"""Short names of scopes (gcloud's aliases, which the provider expands)."""


def _scope(value: str) -> str:
    return value if value.startswith("https://") else f"https://www.googleapis.com/auth/{_SCOPES.get(value, value)}"


def _metadata(props: Props) -> dict[str, Any]:
    entries = {k: str(v) for k, v in (props.get("metadata") or {}).items()}
    if props.get("metadataStartupScript") is not None:
        entries["startup-script"] = props["metadataStartupScript"]
    return {"items": [{"key": k, "value": v} for k, v in sorted(entries.items())]}


def _metadata_state(item: Mapping[str, Any], known: Props) -> dict[str, Any]:
    entries = {e["key"]: e["value"] for e in item.get("metadata", {}).get("items", [])}
    made: dict[str, Any] = {}
    if known.get("metadataStartupScript") is not None:
        made["metadataStartupScript"] = entries.pop("startup-script", None)
    if entries or known.get("metadata") is not None:
        made["metadata"] = entries
    made["metadataFingerprint"] = item.get("metadata", {}).get("fingerprint")
    return made


def _affinity(props: Props) -> dict[str, Any] | None:
    given = props.get("reservationAffinity")
    if given is None:
        return None
    specific = given.get("specificReservation") or {}
    made: dict[str, Any] = {"consumeReservationType": given["type"]}
    return made | ({"key": specific["key"], "values": list(specific["values"])} if specific else {})


def _account_state(made: dict[str, Any], known: Props) -> None:
    """`default` stands for the project's default account."""
    given = (known.get("serviceAccount") or {}).get("email")
    account = made.get("serviceAccount") or {}
    if given == "default" and str(account.get("email")).endswith("-compute@developer.gserviceaccount.com"):
        account["email"] = given


def _affinity_state(item: Mapping[str, Any]) -> dict[str, Any]:
    given = item.get("reservationAffinity")
    if not given:
        return {}
    made: dict[str, Any] = {"type": given["consumeReservationType"]}
    if given.get("key"):
        made["specificReservation"] = {"key": given["key"], "values": given["values"]}
    return {"reservationAffinity": made}


def _properties(props: Props, place: Place) -> dict[str, Any]:
    """The members that instances and templates share."""
    made = to_api(_COMMON, props, place)
    account = props.get("serviceAccount")
    if account is not None:
        made["serviceAccounts"] = [
            {"email": account.get("email") or "default", "scopes": [_scope(s) for s in account["scopes"]]}
        ]
    made["metadata"] = _metadata(props)
    affinity = _affinity(props)
    if affinity:
        made["reservationAffinity"] = affinity
    if props.get("resourcePolicies"):
        given = props["resourcePolicies"]
        made["resourcePolicies"] = [str(given)] if isinstance(given, str) else [str(g) for g in given]
    return made


def _nic_state(nics: list[dict[str, Any]], place: Mapping[str, str]) -> None:
    for nic in nics:
        nic.setdefault("accessConfigs", [])
        if nic.get("subnetwork"):
            nic["subnetworkProject"] = relative(nic["subnetwork"]).split("/")[1]


class Instance(ComputeType):
    """One instance."""

    computed = frozenset(
        {"project", "zone", "scheduling", "shieldedInstanceConfig", "guestAccelerators", "attachedDisks"}
    )
    token = "gcp:compute/instance:Instance"
    auto_name = NAME
    scope = "zone"
    collection = "instances"
    argument = "instance"
    labelled = True
    defaults: ClassVar[Props] = {"canIpForward": False, "deletionProtection": False}
    replace_on = frozenset(
        {"name", "zone", "project", "hostname", "metadataStartupScript", "guestAccelerators", "instanceEncryptionKey"}
        | {"scratchDisks", "reservationAffinity", "confidentialInstanceConfig", "params", "networkPerformanceConfig"}
        | {"bootDisk.deviceName", "bootDisk.source", "bootDisk.mode", "bootDisk.kmsKeySelfLink", "bootDisk.interface"}
        | {"bootDisk.initializeParams.image", "bootDisk.initializeParams.type", "bootDisk.initializeParams.snapshot"}
        | {"bootDisk.initializeParams.provisionedIops", "bootDisk.initializeParams.provisionedThroughput"}
        | {"networkInterfaces.nicType", "networkInterfaces.queueCount", "keyRevocationActionType"}
        | {"scheduling.provisioningModel", "scheduling.preemptible", "scheduling.maxRunDuration"}
        | {"scheduling.terminationTime", "scheduling.onInstanceStopAction", "scheduling.localSsdRecoveryTimeout"}
        | {"advancedMachineFeatures.enableUefiNetworking", "attachedDisks.forceAttach"}
        | {"workloadIdentityConfig.identity", "workloadIdentityConfig.identityCertificateEnabled"}
    )
    inner_computed = frozenset(
        {"networkInterfaces.name", "networkInterfaces.networkIp", "networkInterfaces.subnetwork"}
        | {"networkInterfaces.network", "networkInterfaces.accessConfigs.natIp", "bootDisk.deviceName"}
        | {"networkInterfaces.accessConfigs.networkTier", "bootDisk.source", "attachedDisks.deviceName"}
    )
    write_only = frozenset({"allowStoppingForUpdate", "params", "eraseWindowsVssSignature"})
    unordered = frozenset({"tags"})
    changed_by_update = frozenset(
        {
            "labelFingerprint",
            "metadataFingerprint",
            "tagsFingerprint",
            "effectiveLabels",
            "pulumiLabels",
            "currentStatus",
        }
    )
    sources = (PROVIDER + "compute_instance",)
    fields = (
        Field("name"),
        Field("description"),
        Field("hostname"),
        Field("machineType", kind="short"),
        Field("deletionProtection", default=False),
        *_COMMON,
    )
    outputs = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("instanceId", "id"),
        Field("cpuPlatform"),
        Field("currentStatus", "status"),
        Field("labelFingerprint"),
        Field("tagsFingerprint", "tags.fingerprint"),
    )

    def canonical(self, value: str) -> str:
        """Scopes have short names, too."""
        return _scope(value) if value in _SCOPES else super().canonical(value)

    def check(self, inputs: Props) -> list[Failure]:
        """An interface names a network or a subnetwork."""
        found = super().check(inputs)
        for i, nic in enumerate(inputs.get("networkInterfaces") or []):
            # An unknown name is absent here; an empty block is the only sure mistake.
            if isinstance(nic, Mapping) and not nic:
                found.append(
                    Failure(
                        f"networkInterfaces[{i}]",
                        "exactly one of network, subnetwork, or network_attachment must be provided",
                    )
                )
        return found

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """A boot disk grows and does not shrink; interfaces change one by one and keep their number."""
        found = super().replaces(old, new, changed)
        size = "bootDisk.initializeParams.size"
        if size in changed:
            before, after = ((p["bootDisk"].get("initializeParams") or {}).get("size") for p in (old, new))
            found |= {size} if before and after and float(after) < float(before) else frozenset()
        return found | (changed & {"networkInterfaces", "bootDisk"})

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """See ComputeType."""
        made = _properties(props, place)
        made |= to_api(
            (Field("name"), Field("description"), Field("hostname"), Field("deletionProtection")), props, place
        )
        made["machineType"] = place.refer(str(props["machineType"]), "machineTypes")
        made["disks"] = [_boot(props["bootDisk"])]
        for disk in props.get("scratchDisks") or []:
            made["disks"].append(
                {
                    "type": "SCRATCH",
                    "interface": disk["interface"],
                    "autoDelete": True,
                    "initializeParams": {"diskType": f"zones/{place.zone}/diskTypes/local-ssd"},
                    **({"deviceName": disk["deviceName"]} if disk.get("deviceName") else {}),
                }
            )
        for disk in props.get("attachedDisks") or []:
            made["disks"].append(_attached(disk, place))
        if props.get("guestAccelerators"):
            made["guestAccelerators"] = [
                {"acceleratorType": place.refer(g["type"], "acceleratorTypes"), "acceleratorCount": plain(g["count"])}
                for g in props["guestAccelerators"]
            ]
        return made

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        id = super().create(cloud, inputs)
        if inputs.get("desiredStatus") == "TERMINATED":
            cloud.change("compute.instances.stop", **self.address(self.parse(cloud, id)))
        return id

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        made |= _metadata_state(item, known)
        made.setdefault("metadata", {})
        made |= _affinity_state(item)
        _account_state(made, known)
        _nic_state(made.get("networkInterfaces", []), parts)
        made["guestAccelerators"] = [
            {"type": g["acceleratorType"], "count": g["acceleratorCount"]} for g in item.get("guestAccelerators", [])
        ]
        if item.get("resourcePolicies"):
            made["resourcePolicies"] = item["resourcePolicies"][0]
        made["desiredStatus"] = known.get("desiredStatus")
        given = known.get("scratchDisks")
        scratch = []
        attached = []
        for disk in item["disks"]:
            if disk["boot"]:
                made["bootDisk"] = self._boot_state(cloud, parts, disk)
            elif disk["type"] == "SCRATCH":
                scratch.append({"deviceName": disk["deviceName"], "interface": disk["interface"], "size": 375})
            else:
                attached.append({"source": disk["source"], "deviceName": disk["deviceName"], "mode": disk["mode"]})
        made["scratchDisks"] = scratch if scratch or given else None
        made["attachedDisks"] = attached or None
        return made

    def _boot_state(self, cloud: GcpClient, parts: dict[str, str], disk: dict[str, Any]) -> dict[str, Any]:
        found = (
            cloud.find("compute.disks.get", project=parts["project"], zone=parts["zone"], disk=last(disk["source"]))
            or {}
        )
        params = {
            "image": found.get("sourceImage"),
            "size": int(found.get("sizeGb", 0)),
            "type": last(found.get("type", "")),
            "labels": found.get("labels"),
            "architecture": found.get("architecture"),
            "provisionedIops": int(found["provisionedIops"]) if "provisionedIops" in found else None,
            "provisionedThroughput": int(found["provisionedThroughput"]) if "provisionedThroughput" in found else None,
        }
        return {
            "autoDelete": disk["autoDelete"],
            "deviceName": disk["deviceName"],
            "mode": disk["mode"],
            "source": disk["source"],
            "interface": disk["interface"],
            "initializeParams": {k: v for k, v in params.items() if v is not None},
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Each kind of change is a call; some need the machine stopped, which the program must allow."""
        parts = self.parse(cloud, id)
        where = self.address(parts)
        item = self.fetch(cloud, parts) or {}
        place = self.place(cloud, {**new, "zone": parts["zone"]})
        if self.labels_change(cloud, old, new):
            self.set_labels(cloud, parts, old, new)
        if differs(old, new, "metadata", "metadataStartupScript"):
            body = {**_metadata(new), "fingerprint": item["metadata"]["fingerprint"]}
            cloud.change("compute.instances.setMetadata", **where, body=body)
        if differs(old, new, "tags"):
            tags = {"items": list(new.get("tags") or []), "fingerprint": item["tags"]["fingerprint"]}
            cloud.change("compute.instances.setTags", **where, body=tags)
        if differs(old, new, "deletionProtection"):
            cloud.change(
                "compute.instances.setDeletionProtection",
                project=parts["project"],
                zone=parts["zone"],
                resource=parts["name"],
                deletionProtection=bool(new.get("deletionProtection")),
            )
        if differs(old, new, "scheduling"):
            cloud.change(
                "compute.instances.setScheduling", **where, body=to_api(_SCHEDULING, new.get("scheduling") or {}, place)
            )
        if differs(old, new, "attachedDisks"):
            self._attach(cloud, where, old, new, place)
        self._more(cloud, where, item, old, new)
        self._interfaces(cloud, where, item, old, new, place)
        if differs(old, new, *self._WHILE_STOPPED) or self._moved(old, new):
            self._stopped(cloud, where, item, old, new, place)
        if differs(old, new, "desiredStatus") and new.get("desiredStatus") in ("RUNNING", "TERMINATED"):
            verb = "start" if new["desiredStatus"] == "RUNNING" else "stop"
            cloud.change(f"compute.instances.{verb}", **where)

    _WHILE_STOPPED = (
        "machineType",
        "serviceAccount",
        "minCpuPlatform",
        "enableDisplay",
        "shieldedInstanceConfig",
        "advancedMachineFeatures",
    )

    def _more(self, cloud: GcpClient, where: dict[str, str], item: dict[str, Any], old: Props, new: Props) -> None:
        if differs(old, new, "description", "canIpForward"):
            body: dict[str, Any] = {"canIpForward": bool(new.get("canIpForward"))}
            body |= {"description": new["description"]} if new.get("description") else {}
            stamp = (self.fetch(cloud, self.parse(cloud, item["selfLink"])) or {}).get("fingerprint")
            cloud.change(
                "compute.instances.update", **where, body={**body, **({"fingerprint": stamp} if stamp else {})}
            )
        if differs(old, new, "resourcePolicies"):
            had, wants = (
                [p] if isinstance(p, str) else list(p or []) for p in (q.get("resourcePolicies") for q in (old, new))
            )
            for verb, those in (("removeResourcePolicies", had), ("addResourcePolicies", wants)):
                if those:
                    cloud.change(f"compute.instances.{verb}", **where, body={"resourcePolicies": those})
        sizes = [((p.get("bootDisk") or {}).get("initializeParams") or {}).get("size") for p in (old, new)]
        if sizes[1] and plain(sizes[0]) != plain(sizes[1]):
            boot = next(last(d["source"]) for d in item["disks"] if d["boot"])
            disk = {"project": where["project"], "zone": where["zone"], "disk": boot}
            cloud.change("compute.disks.resize", **disk, body={"sizeGb": str(plain(sizes[1]))})

    @staticmethod
    def _moved(old: Props, new: Props) -> list[int]:
        """The interfaces that go to another network, subnetwork or address."""
        pairs = zip(old.get("networkInterfaces") or [], new.get("networkInterfaces") or [], strict=False)
        return [i for i, (a, b) in enumerate(pairs) if differs(a, b, "network", "subnetwork", "networkIp")]

    def _interfaces(
        self, cloud: GcpClient, where: dict[str, str], item: dict[str, Any], old: Props, new: Props, place: Place
    ) -> None:
        """External addresses and alias ranges change while the machine runs."""
        pairs = zip(old.get("networkInterfaces") or [], new.get("networkInterfaces") or [], strict=False)
        for (before, after), nic in zip(pairs, item["networkInterfaces"], strict=False):
            if differs(before, after, "accessConfigs"):
                for access in nic.get("accessConfigs", []):
                    cloud.change(
                        "compute.instances.deleteAccessConfig",
                        **where,
                        accessConfig=access["name"],
                        networkInterface=nic["name"],
                    )
                for access in to_api(_NIC, after, place).get("accessConfigs", []):
                    more = {"networkInterface": nic["name"], "body": access}
                    cloud.change("compute.instances.addAccessConfig", **where, **more)
            if differs(before, after, "aliasIpRanges", "stackType"):
                ranges = to_api(_NIC, after, place)
                body = {n: ranges.get(n, []) for n in ("aliasIpRanges",)} | {"fingerprint": nic["fingerprint"]}
                more = {"networkInterface": nic["name"], "body": body}
                cloud.change("compute.instances.updateNetworkInterface", **where, **more)

    def _attach(self, cloud: GcpClient, where: dict[str, str], old: Props, new: Props, place: Place) -> None:
        before = {last(d["source"]): d for d in old.get("attachedDisks") or []}
        after = {last(d["source"]): d for d in new.get("attachedDisks") or []}
        item = cloud.call("compute.instances.get", **where)
        for name in before.keys() - after.keys():
            for disk in item["disks"]:
                if last(disk.get("source", "")) == name:
                    cloud.change("compute.instances.detachDisk", **where, deviceName=disk["deviceName"])
        for name in after.keys() - before.keys():
            cloud.change("compute.instances.attachDisk", **where, body=_attached(after[name], place))

    def _stopped(
        self, cloud: GcpClient, where: dict[str, str], item: dict[str, Any], old: Props, new: Props, place: Place
    ) -> None:
        if not new.get("allowStoppingForUpdate"):
            raise CloudError(
                "allowStoppingForUpdate",
                self.token,
                "Changing the machine_type, min_cpu_platform, service_account, enable_display, "
                "shielded_instance_config, scheduling.node_affinities, scheduling.max_run_duration or "
                "network_interface.[#d].(network/subnetwork/subnetwork_project) or advanced_machine_features on a "
                "started instance requires stopping it. To acknowledge this, please set allow_stopping_for_update = "
                "true in your config.",
            )
        running = item["status"] == "RUNNING"
        if running:
            cloud.change("compute.instances.stop", **where)
        if differs(old, new, "machineType"):
            body: dict[str, Any] = {"machineType": place.refer(str(new["machineType"]), "machineTypes")}
            cloud.change("compute.instances.setMachineType", **where, body=body)
        for prop, verb in (
            ("minCpuPlatform", "setMinCpuPlatform"),
            ("shieldedInstanceConfig", "updateShieldedInstanceConfig"),
        ):
            if differs(old, new, prop):
                value = plain(new.get(prop))
                body = {prop: value} if prop == "minCpuPlatform" else value or {}
                cloud.change(f"compute.instances.{verb}", **where, body=body)
        if differs(old, new, "enableDisplay"):
            body = {"enableDisplay": bool(new.get("enableDisplay"))}
            cloud.change("compute.instances.updateDisplayDevice", **where, body=body)
        if differs(old, new, "advancedMachineFeatures"):
            body = to_api((_ADVANCED,), new, place)
            cloud.change("compute.instances.update", **where, body=body)
        for i in self._moved(old, new):
            nic = to_api(_NIC, new["networkInterfaces"][i], place)
            body = {n: nic[n] for n in ("network", "subnetwork", "networkIP") if n in nic}
            more = {"networkInterface": item["networkInterfaces"][i]["name"], "body": body}
            cloud.change("compute.instances.updateNetworkInterface", **where, **more)
        if differs(old, new, "serviceAccount"):
            account = new.get("serviceAccount") or {}
            body = {"email": account.get("email", ""), "scopes": [_scope(s) for s in account.get("scopes", [])]}
            cloud.change("compute.instances.setServiceAccount", **where, body=body)
        if running:
            cloud.change("compute.instances.start", **where)


def _boot(disk: Props) -> dict[str, Any]:
    made: dict[str, Any] = {"boot": True, "autoDelete": disk.get("autoDelete", True)}
    made |= {n: disk[n] for n in ("deviceName", "mode", "source", "interface") if disk.get(n)}
    params = disk.get("initializeParams") or {}
    ask: dict[str, Any] = {}
    if params.get("image"):
        ask["sourceImage"] = image_path(str(params["image"]))
    if params.get("size"):
        ask["diskSizeGb"] = str(plain(params["size"]))
    if params.get("type"):
        ask["diskType"] = str(params["type"])
    for name in ("provisionedIops", "provisionedThroughput"):
        if params.get(name):
            ask[name] = str(plain(params[name]))
    if params.get("labels"):
        ask["labels"] = dict(params["labels"])
    if not disk.get("source"):
        made["initializeParams"] = ask
    return made


def _attached(disk: Props, place: Place) -> dict[str, Any]:
    made = {"source": place.refer(str(disk["source"]), "disks"), "mode": disk.get("mode") or "READ_WRITE"}
    return made | ({"deviceName": disk["deviceName"]} if disk.get("deviceName") else {})


_TEMPLATE_DISK: tuple[Field, ...] = (
    Field("autoDelete"),
    Field("boot"),
    Field("deviceName"),
    Field("interface"),
    Field("mode"),
    Field("source"),
    Field("type"),
    Field("architecture"),
    Field("diskName", "initializeParams.diskName"),
    Field("diskSizeGb", "initializeParams.diskSizeGb", kind="int"),
    Field("diskType", "initializeParams.diskType"),
    Field("sourceImage", "initializeParams.sourceImage"),
    Field("sourceSnapshot", "initializeParams.sourceSnapshot"),
    Field("labels", "initializeParams.labels"),
    Field("provisionedIops", "initializeParams.provisionedIops", kind="int"),
    Field("provisionedThroughput", "initializeParams.provisionedThroughput", kind="int"),
    Field("resourceManagerTags", "initializeParams.resourceManagerTags"),
    Field("resourcePolicies", "initializeParams.resourcePolicies", kind="one"),
)
_TEMPLATE: tuple[Field, ...] = (
    Field("machineType"),
    Field("instanceDescription", "description"),
    Field("disks", many=True, sub=_TEMPLATE_DISK),
    *_COMMON,
)


class InstanceTemplate(ComputeType):
    """A global instance template. Everything replaces it."""

    computed = frozenset({"project", "region", "namePrefix", "scheduling", "serviceAccount"})
    token = "gcp:compute/instanceTemplate:InstanceTemplate"
    auto_name = NAME
    collection = "instanceTemplates"
    argument = "instanceTemplate"
    labelled = True
    has_deletion_policy = False
    defaults: ClassVar[Props] = {"canIpForward": False}
    write_only = frozenset({"namePrefix", "region", "resourceManagerTags", "partnerMetadata"})
    unordered = frozenset({"tags"})
    sources = (PROVIDER + "compute_instance_template",)
    replace_on = frozenset(
        {
            "name",
            "namePrefix",
            "project",
            "region",
            "description",
            "instanceDescription",
            "machineType",
            "disks",
            "labels",
        }
        | {
            "networkInterfaces",
            "scheduling",
            "serviceAccount",
            "tags",
            "metadata",
            "metadataStartupScript",
            "canIpForward",
        }
        | {"guestAccelerators", "shieldedInstanceConfig", "advancedMachineFeatures", "confidentialInstanceConfig"}
        | {
            "reservationAffinity",
            "resourcePolicies",
            "minCpuPlatform",
            "networkPerformanceConfig",
            "resourceManagerTags",
        }
        | {"enableDisplay", "keyRevocationActionType", "partnerMetadata", "workloadIdentityConfig"}
    )
    fields = (Field("name"), Field("description"))
    inner = _TEMPLATE
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("numericId", "id"),
        Field("tagsFingerprint", "properties.tags.fingerprint", default=""),
    )

    def canonical(self, value: str) -> str:
        """Scopes have short names, too."""
        return _scope(value) if value in _SCOPES else super().canonical(value)

    def check(self, inputs: Props) -> list[Failure]:
        """The first disk boots; a name is not a name and a prefix."""
        found = super().check(inputs)
        for i, disk in enumerate(inputs.get("disks") or []):
            if isinstance(disk, Mapping) and disk.get("boot") and i > 0:
                found.append(Failure(f"disks[{i}].boot", "Only first disk can be a boot disk."))
        return found

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """See ComputeType."""
        made: dict[str, Any] = {"name": self._name(props), **to_api((Field("description"),), props, place)}
        properties = {**_properties(props, place), **to_api(_TEMPLATE[:3], props, place)}
        for i, disk in enumerate(properties["disks"]):
            params = disk.get("initializeParams", {})
            if params.get("sourceImage"):
                params["sourceImage"] = image_path(params["sourceImage"])
            disk.setdefault("autoDelete", True)
            disk["boot"] = i == 0
            if disk.get("type") == "SCRATCH":
                params.setdefault("diskType", "local-ssd")
                disk["initializeParams"] = params
        if props.get("guestAccelerators"):
            properties["guestAccelerators"] = [
                {"acceleratorType": last(g["type"]), "acceleratorCount": plain(g["count"])}
                for g in props["guestAccelerators"]
            ]
        made["properties"] = properties
        return made

    def _name(self, props: Props) -> str:
        if props.get("namePrefix") and not props.get("name"):
            digest = hashlib.sha256(repr(sorted(props.items(), key=lambda i: i[0])).encode()).hexdigest()
            return f"{props['namePrefix']}{digest[:16]}"
        return str(props["name"])

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. Labels are those of the machines."""
        place = self.place(cloud, inputs)
        body = self.body(inputs, place)
        labels = self.merged(cloud, inputs)
        if labels:
            body["properties"]["labels"] = labels
        cloud.change(f"compute.{self.collection}.insert", **self.where(place), body=body)
        return self.id_of({"project": place.project, "region": place.region, "name": body["name"]})

    def labels_in(self, item: Mapping[str, Any]) -> Mapping[str, str]:
        """See GcpType."""
        found: Mapping[str, str] = item["properties"].get("labels", {})
        return found

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        properties = item["properties"]
        made = super().state(cloud, parts, item, known)
        made |= from_api(_TEMPLATE, properties)
        made |= _metadata_state(properties, known)
        made |= _affinity_state(properties)
        _account_state(made, known)
        _nic_state(made.get("networkInterfaces", []), parts)
        if properties.get("resourcePolicies"):
            made["resourcePolicies"] = properties["resourcePolicies"][0]
        if properties.get("guestAccelerators"):
            made["guestAccelerators"] = [
                {"type": g["acceleratorType"], "count": g["acceleratorCount"]} for g in properties["guestAccelerators"]
            ]
        if "selfLinkUnique" in _OUTPUTS.get(self.token, ()):
            made["selfLinkUnique"] = f"{item['selfLink']}?uniqueId={item['id']}"
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Nothing changes in place."""


_OUTPUTS = {"gcp:compute/instanceTemplate:InstanceTemplate": ("selfLinkUnique",)}


class RegionInstanceTemplate(InstanceTemplate):
    """A regional instance template."""

    token = "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"
    scope = "region"
    collection = "regionInstanceTemplates"
    path = "projects/{project}/regions/{region}/instanceTemplates/{name}"
    has_deletion_policy = True
    sources = (PROVIDER + "compute_region_instance_template",)


class Disk(ComputeType):
    """A zonal disk."""

    computed = frozenset({"project", "zone", "physicalBlockSizeBytes", "provisionedIops", "provisionedThroughput"}) | {
        "architecture",
        "guestOsFeatures",
        "licenses",
        "enableConfidentialCompute",
        "size",
        "accessMode",
    }
    token = "gcp:compute/disk:Disk"
    auto_name = NAME
    scope = "zone"
    collection = "disks"
    argument = "disk"
    labelled = True
    defaults: ClassVar[Props] = {"type": "pd-standard"}
    replace_on = frozenset(
        {"name", "zone", "project", "type", "image", "snapshot", "sourceDisk", "description", "physicalBlockSizeBytes"}
        | {"diskEncryptionKey", "enableConfidentialCompute", "multiWriter", "storagePool", "architecture", "params"}
        | {"asyncPrimaryDisk", "guestOsFeatures", "licenses", "sourceImageEncryptionKey", "sourceInstantSnapshot"}
        | {"sourceSnapshotEncryptionKey", "sourceStorageObject"}
    )
    write_only = frozenset({"params", "createSnapshotBeforeDestroy", "createSnapshotBeforeDestroyPrefix"})
    changed_by_update = frozenset({"labelFingerprint", "effectiveLabels", "pulumiLabels"})
    sources = (PROVIDER + "compute_disk",)
    fields = (
        Field("name"),
        Field("description"),
        Field("size", "sizeGb", kind="int"),
        Field("type", kind="short"),
        Field("physicalBlockSizeBytes", kind="int"),
        Field("provisionedIops", kind="int"),
        Field("provisionedThroughput", kind="int"),
        Field("image", "sourceImage"),
        Field("architecture"),
        Field("accessMode"),
        Field("enableConfidentialCompute"),
        Field("licenses"),
        Field("resourcePolicies"),
        Field("guestOsFeatures", many=True, sub=(Field("type"),)),
    )
    outputs = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("diskId", "id"),
        Field("labelFingerprint"),
        Field("lastAttachTimestamp", default=""),
        Field("lastDetachTimestamp", default=""),
        Field("sourceImageId", default=""),
        Field("users", default=[]),
    )

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """See ComputeType."""
        made = super().body(props, place)
        if made.get("sourceImage"):
            made["sourceImage"] = image_path(made["sourceImage"])
        made["type"] = place.refer(str(props.get("type") or "pd-standard"), "diskTypes")
        return made

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """A disk grows; a smaller one is another one."""
        found = super().replaces(old, new, changed)
        if "size" in changed and new.get("size") and old.get("size") and float(new["size"]) < float(old["size"]):
            found |= {"size"}
        return found

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Size and labels change in place."""
        parts = self.parse(cloud, id)
        if self.labels_change(cloud, old, new):
            self.set_labels(cloud, parts, old, new)
        if differs(old, new, "size") and new.get("size"):
            cloud.change("compute.disks.resize", **self.address(parts), body={"sizeGb": str(plain(new["size"]))})


TYPES = (Instance, InstanceTemplate, RegionInstanceTemplate, Disk)
