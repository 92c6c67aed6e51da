"""TPU nodes and queued resources."""

from __future__ import annotations

from typing import Any, ClassVar

from simcloud.gcp import facts
from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import NAME, PROVIDER, GcpType, differs, last
from simcloud.gcp.types.codec import Field, from_api, to_api
from simcloud.provider.model import Failure, Props

_NETWORK = (
    Field("network"),
    Field("subnetwork"),
    Field("enableExternalIps"),
    Field("canIpForward"),
    Field("queueCount"),
)


class V2Vm(GcpType):
    """A TPU slice."""

    computed = frozenset({"project", "zone", "acceleratorType", "acceleratorConfig", "cidrBlock", "serviceAccount"}) | {
        "networkConfig"
    }
    token = "gcp:tpu/v2Vm:V2Vm"
    auto_name = NAME
    scope = "zone"
    path = "projects/{project}/locations/{zone}/nodes/{name}"
    labelled = True
    replace_on = frozenset(
        {"name", "project", "zone", "runtimeVersion", "acceleratorType", "acceleratorConfig", "cidrBlock"}
        | {"networkConfig", "networkConfigs", "serviceAccount", "schedulingConfig", "shieldedInstanceConfig"}
    )
    unordered = frozenset({"tags"})
    changed_by_update = frozenset({"effectiveLabels", "pulumiLabels"})
    sources = (PROVIDER + "tpu_v2_vm", "docs.cloud.google.com/tpu/docs/reference/rest/v2/projects.locations.nodes")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("runtimeVersion"),
        Field("acceleratorType"),
        Field("acceleratorConfig", sub=(Field("type"), Field("topology"))),
        Field("description"),
        Field("cidrBlock"),
        Field("metadata"),
        Field("tags"),
        Field("networkConfig", sub=_NETWORK),
        Field("networkConfigs", many=True, sub=_NETWORK),
        Field("serviceAccount", sub=(Field("email"), Field("scopes", "scope"))),
        Field("schedulingConfig", sub=(Field("preemptible"), Field("reserved"), Field("spot"))),
        Field("shieldedInstanceConfig", sub=(Field("enableSecureBoot"),)),
        Field("dataDisks", many=True, sub=(Field("sourceDisk"), Field("mode"))),
    )
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("apiVersion"),
        Field("health"),
        Field("healthDescription", default=""),
        Field("state"),
        Field("multisliceNode", default=False),
        Field("queuedResource", default=""),
        Field("symptoms", default=[]),
        Field(
            "networkEndpoints",
            many=True,
            sub=(
                Field("ipAddress"),
                Field("port"),
                # The bridge turns the provider's list of one access configuration into a list of blocks.
                Field("accessConfigs", "accessConfig", sub=(Field("externalIp"),)),
            ),
        ),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """Type and configuration exclude each other, as do the two network blocks."""
        found = super().check(inputs)
        for one, other in (("acceleratorType", "acceleratorConfig"), ("networkConfig", "networkConfigs")):
            if inputs.get(one) and inputs.get(other):
                found.append(Failure(one, f'"{one}": conflicts with {other}'))
        return found

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """Naming the same slice in the other way changes nothing."""
        found = super().replaces(old, new, changed)
        kinds = frozenset(c for c in found if c.startswith("accelerator"))
        was, now = _slice(old), _slice(new)
        return found - kinds if was is not None and was == now else found

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. Waits for the slice."""
        place = self.place(cloud, inputs)
        name = str(inputs["name"])
        cloud.change(
            "tpu.projects.locations.nodes.create",
            parent=f"projects/{place.project}/locations/{place.zone}",
            nodeId=name,
            body={**to_api(self.fields, inputs, place), "labels": self.merged(cloud, inputs)},
        )
        return self.id_of({"project": place.project, "zone": place.zone, "name": name})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find("tpu.projects.locations.nodes.get", name=self.id_of(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """Blocks that nobody gave and that are empty are left out."""
        made = from_api(self.fields + self.outputs, item)
        for block in ("schedulingConfig", "shieldedInstanceConfig"):
            if not made.get(block):
                made.pop(block, None)
        for endpoint in made.get("networkEndpoints", []):
            access = endpoint.pop("accessConfigs", None)
            endpoint["accessConfigs"] = [access] if access else []
        made |= {"name": last(item["name"]), "zone": parts["zone"], "project": parts["project"]}
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Description, labels, tags, metadata and data disks change in place."""
        changed = [n for n in ("description", "tags", "metadata", "dataDisks") if differs(old, new, n)]
        if self.labels_change(cloud, old, new):
            changed.append("labels")
        if changed:
            place, parts = self.place(cloud, new), self.parse(cloud, id)
            body = to_api(self.fields, {n: new.get(n) for n in changed}, place)
            if "labels" in changed:
                body["labels"] = self.relabelled((self.fetch(cloud, parts) or {}).get("labels", {}), cloud, old, new)
            # googleapiclient wants a body for a patch, also when every named member is to go.
            body.setdefault("runtimeVersion", new["runtimeVersion"])
            name, mask = self.id_of(parts), ",".join(changed)
            cloud.change("tpu.projects.locations.nodes.patch", name=name, updateMask=mask, body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.change("tpu.projects.locations.nodes.delete", name=self.id_of(parts))


def _slice(inputs: Props) -> facts.Slice | None:
    config = inputs.get("acceleratorConfig")
    if config:
        return facts.tpu_slice(str(config.get("type")), str(config.get("topology")))
    return facts.tpu_slice_by_name(str(inputs.get("acceleratorType") or ""))


class V2QueuedResource(GcpType):
    """A request for a slice that waits in line."""

    computed = frozenset({"project", "zone"})
    token = "gcp:tpu/v2QueuedResource:V2QueuedResource"
    auto_name = NAME
    scope = "zone"
    path = "projects/{project}/locations/{zone}/queuedResources/{name}"
    replace_on = frozenset({"name", "project", "zone", "tpu"})
    sources = (PROVIDER + "tpu_v2_queued_resource",)
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "tpu",
            sub=(
                Field(
                    "nodeSpecs",
                    "nodeSpec",
                    many=True,
                    sub=(
                        Field("parent"),
                        Field("nodeId"),
                        Field(
                            "node",
                            sub=(
                                Field("runtimeVersion"),
                                Field("acceleratorType"),
                                Field("description"),
                                Field("networkConfig", sub=_NETWORK),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. The provider waits for the request to be accepted, not for the slice."""
        place = self.place(cloud, inputs)
        name = str(inputs["name"])
        cloud.change(
            "tpu.projects.locations.queuedResources.create",
            parent=f"projects/{place.project}/locations/{place.zone}",
            queuedResourceId=name,
            body=to_api(self.fields, inputs, place),
        )
        return self.id_of({"project": place.project, "zone": place.zone, "name": name})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find("tpu.projects.locations.queuedResources.get", name=self.id_of(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = from_api(self.fields, item)
        return made | {"name": last(item["name"]), "zone": parts["zone"], "project": parts["project"]}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Only the deletion policy changes, which the cloud does not know."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """With its nodes, as the provider does."""
        cloud.change("tpu.projects.locations.queuedResources.delete", name=self.id_of(parts), force=True)


TYPES = (V2Vm, V2QueuedResource)
