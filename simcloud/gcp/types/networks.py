"""Networks, subnetworks, routers, NATs, firewalls, routes, addresses."""

from __future__ import annotations

from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import NAME, PROVIDER, ComputeType, differs, last
from simcloud.gcp.types.codec import Field, Place, from_api, plain, to_api
from simcloud.provider.model import CloudError, Failure, Props

_PARAMS = Field("params", sub=(Field("resourceManagerTags"),))


class Network(ComputeType):
    """A VPC network."""

    computed = frozenset({"project", "mtu", "routingMode", "bgpBestPathSelectionMode", "internalIpv6Range"}) | {
        "bgpAlwaysCompareMed",
        "bgpInterRegionCost",
    }
    token = "gcp:compute/network:Network"
    auto_name = NAME
    collection = "networks"
    argument = "network"
    defaults: ClassVar[Props] = {
        "autoCreateSubnetworks": True,
        "deleteDefaultRoutesOnCreate": False,
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    }
    replace_on = frozenset(
        {"name", "description", "autoCreateSubnetworks", "internalIpv6Range", "networkProfile", "project", "params"}
    )
    write_only = frozenset({"deleteDefaultRoutesOnCreate", "params"})
    sources = (PROVIDER + "compute_network",)
    fields = (
        Field("name"),
        Field("description"),
        Field("autoCreateSubnetworks"),
        Field("mtu"),
        Field("enableUlaInternalIpv6"),
        Field("internalIpv6Range"),
        Field("networkFirewallPolicyEnforcementOrder"),
        Field("networkProfile"),
        Field("routingMode", "routingConfig.routingMode"),
        Field("bgpBestPathSelectionMode", "routingConfig.bgpBestPathSelectionMode"),
        Field("bgpAlwaysCompareMed", "routingConfig.bgpAlwaysCompareMed"),
        Field("bgpInterRegionCost", "routingConfig.bgpInterRegionCost"),
    )
    outputs = (
        Field("selfLink"),
        Field("gatewayIpv4", "gatewayIPv4", default=""),
        Field("numericId", "id"),
        Field("networkId", "id"),
    )

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """Makes the network; takes away its default routes when asked to."""
        id = super().create(cloud, inputs)
        if inputs.get("deleteDefaultRoutesOnCreate"):
            project, name = self.parse(cloud, id)["project"], str(inputs["name"])
            for route in cloud.call("compute.routes.list", project=project).get("items", []):
                if last(route["network"]) == name and route["destRange"] == "0.0.0.0/0":
                    cloud.change("compute.routes.delete", project=project, route=route["name"])
        return id

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        made.setdefault("deleteDefaultRoutesOnCreate", bool(known.get("deleteDefaultRoutesOnCreate", False)))
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Routing mode and enforcement order change in place."""
        body = to_api(self.fields, {k: v for k, v in new.items() if k not in self.replace_on}, Place(""))
        cloud.change("compute.networks.patch", **self.address(self.parse(cloud, id)), body=body)


_SECONDARY = Field(
    "secondaryIpRanges",
    many=True,
    sub=(Field("rangeName"), Field("ipCidrRange"), Field("reservedInternalRange"), Field("ipVersion")),
)
_LOG = Field(
    "logConfig",
    sub=(
        Field("aggregationInterval"),
        Field("flowSampling"),
        Field("metadata"),
        Field("metadataFields"),
        Field("filterExpr"),
    ),
)


class Subnetwork(ComputeType):
    """A subnetwork of a region."""

    computed = frozenset(
        {"project", "region", "purpose", "stackType", "privateIpv6GoogleAccess", "privateIpGoogleAccess"}
    )
    token = "gcp:compute/subnetwork:Subnetwork"
    auto_name = NAME
    scope = "region"
    collection = "subnetworks"
    argument = "subnetwork"
    replace_on = frozenset(
        {"name", "network", "region", "project", "description", "reservedInternalRange", "resolveSubnetMask"}
        | {"externalIpv6Prefix", "internalIpv6Prefix", "params"}
    )
    write_only = frozenset({"params", "sendSecondaryIpRangeIfEmpty", "resolveSubnetMask"})
    changed_by_update = frozenset({"fingerprint", "gatewayAddress"})
    sources = (PROVIDER + "compute_subnetwork",)
    fields = (
        Field("name"),
        Field("description"),
        Field("network", kind="ref", collection="networks"),
        Field("ipCidrRange"),
        Field("privateIpGoogleAccess"),
        Field("privateIpv6GoogleAccess"),
        Field("purpose"),
        Field("role"),
        Field("stackType"),
        Field("ipv6AccessType"),
        Field("reservedInternalRange"),
        _SECONDARY,
    )
    outputs = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("fingerprint"),
        Field("gatewayAddress"),
        Field("subnetworkId", "id", kind="int"),
        Field("state"),
    )

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """Flow logs are on when the block is there."""
        made = super().body(props, place)
        if props.get("logConfig") is not None:
            made["logConfig"] = {"enable": True, **to_api((_LOG,), props, place)["logConfig"]}
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        if item.get("logConfig", {}).get("enable"):
            made |= from_api((_LOG,), item)
        return made

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """A range that does not hold the old one replaces the subnetwork."""
        import ipaddress

        found = super().replaces(old, new, changed)
        if "ipCidrRange" in changed and old.get("ipCidrRange") and new.get("ipCidrRange"):
            try:
                before, after = ipaddress.ip_network(old["ipCidrRange"]), ipaddress.ip_network(new["ipCidrRange"])
            except ValueError:
                return found
            if not (isinstance(before, type(after)) and before.subnet_of(after)):  # type: ignore[arg-type]
                found |= {"ipCidrRange"}
        return found

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Each kind of change is a call of its own, as in the provider."""
        parts = self.parse(cloud, id)
        where = self.address(parts)
        if differs(old, new, "ipCidrRange"):
            cloud.change("compute.subnetworks.expandIpCidrRange", **where, body={"ipCidrRange": new["ipCidrRange"]})
        if differs(old, new, "privateIpGoogleAccess"):
            body: dict[str, Any] = {"privateIpGoogleAccess": bool(new.get("privateIpGoogleAccess"))}
            cloud.change("compute.subnetworks.setPrivateIpGoogleAccess", **where, body=body)
        apart = ("role", "purpose", "stackType", "privateIpv6GoogleAccess")
        if differs(old, new, "secondaryIpRanges", "logConfig", *apart):
            item = self.fetch(cloud, parts) or {}
            body = {"fingerprint": item.get("fingerprint")}
            place = self.place(cloud, new)
            given = self.body(new, place)
            if differs(old, new, "secondaryIpRanges"):
                body["secondaryIpRanges"] = given.get("secondaryIpRanges", [])
            if differs(old, new, "logConfig"):
                body["logConfig"] = given.get("logConfig", {"enable": False})
            for name in apart:
                if differs(old, new, name) and name in given:
                    body[name] = given[name]
            cloud.change("compute.subnetworks.patch", **where, body=body)


_BGP = Field(
    "bgp",
    sub=(
        Field("asn"),
        Field("advertiseMode"),
        Field("advertisedGroups"),
        Field("advertisedIpRanges", many=True, sub=(Field("range"), Field("description"))),
        Field("keepaliveInterval"),
        Field("identifierRange"),
    ),
)


class Router(ComputeType):
    """A Cloud Router."""

    computed = frozenset({"project", "region", "encryptedInterconnectRouter"})
    token = "gcp:compute/router:Router"
    auto_name = NAME
    scope = "region"
    collection = "routers"
    argument = "router"
    replace_on = frozenset(
        {"name", "network", "region", "project", "encryptedInterconnectRouter", "nccGateway", "params"}
    )
    write_only = frozenset({"params", "md5AuthenticationKeys"})
    sources = (PROVIDER + "compute_router",)
    fields = (
        Field("name"),
        Field("description"),
        Field("network", kind="ref", collection="networks"),
        Field("encryptedInterconnectRouter"),
        _BGP,
    )
    outputs = (Field("selfLink"), Field("creationTimestamp"))

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Description and BGP change in place."""
        body = to_api((Field("description"), _BGP), new, Place(""))
        body.setdefault("description", "")
        cloud.change("compute.routers.patch", **self.address(self.parse(cloud, id)), body=body)


class RouterNat(ComputeType):
    """A NAT: an entry of its router's list, changed by patching the router."""

    computed = frozenset(
        {"project", "region", "autoNetworkTier", "endpointTypes", "enableEndpointIndependentMapping"}
    ) | {
        "enableDynamicPortAllocation",
        "natIpAllocateOption",
        "natIps",
        "drainNatIps",
        "minPortsPerVm",
    }
    token = "gcp:compute/routerNat:RouterNat"
    auto_name = NAME
    scope = "region"
    collection = "routers"
    argument = "router"
    path = "{project}/{region}/{router}/{name}"
    defaults: ClassVar[Props] = {
        "icmpIdleTimeoutSec": 30,
        "tcpEstablishedIdleTimeoutSec": 1200,
        "tcpTimeWaitTimeoutSec": 120,
        "tcpTransitoryIdleTimeoutSec": 30,
        "udpIdleTimeoutSec": 30,
        "type": "PUBLIC",
    }
    replace_on = frozenset({"name", "router", "region", "project", "type", "initialNatIps", "endpointTypes"})
    write_only = frozenset({"initialNatIps"})
    unordered = frozenset({"natIps", "drainNatIps", "subnetworks", "rules", "nat64Subnetworks"})
    sources = (PROVIDER + "compute_router_nat",)
    fields = (
        Field("name"),
        Field("type"),
        Field("sourceSubnetworkIpRangesToNat"),
        Field("natIpAllocateOption"),
        Field("natIps", kind="ref", collection="addresses"),
        Field("drainNatIps", kind="ref", collection="addresses"),
        Field("minPortsPerVm"),
        Field("maxPortsPerVm"),
        Field("enableDynamicPortAllocation"),
        Field("enableEndpointIndependentMapping"),
        Field("endpointTypes"),
        Field("autoNetworkTier"),
        Field("icmpIdleTimeoutSec"),
        Field("tcpEstablishedIdleTimeoutSec"),
        Field("tcpTimeWaitTimeoutSec"),
        Field("tcpTransitoryIdleTimeoutSec"),
        Field("udpIdleTimeoutSec"),
        Field("sourceSubnetworkIpRangesToNat64"),
        Field("logConfig", sub=(Field("enable"), Field("filter"))),
        Field(
            "subnetworks",
            many=True,
            sub=(
                Field("name", kind="ref", collection="subnetworks"),
                Field("sourceIpRangesToNats", "sourceIpRangesToNat"),
                Field("secondaryIpRangeNames"),
            ),
        ),
        Field(
            "rules",
            many=True,
            sub=(
                Field("ruleNumber"),
                Field("description"),
                Field("match"),
                Field("action", sub=(Field("sourceNatActiveIps"), Field("sourceNatDrainIps"))),
            ),
        ),
    )

    def _change(
        self, cloud: GcpClient, parts: dict[str, str], entry: dict[str, Any] | None, *, new: bool = False
    ) -> None:
        """Rewrite the router's list without the entry of this name, and with `entry`."""
        where = {"project": parts["project"], "region": parts["region"], "router": last(parts["router"])}
        router = cloud.call("compute.routers.get", **where)
        nats = router.get("nats", [])
        if new and any(n["name"] == parts["name"] for n in nats):
            raise CloudError(
                "alreadyExists", "compute.routers.patch", f"Router nat {parts['name']} already exists", 409
            )
        kept = [n for n in nats if n["name"] != parts["name"]]
        cloud.change("compute.routers.patch", **where, body={"nats": [*kept, *([entry] if entry else [])]})

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        place = self.place(cloud, inputs)
        body = self.body(inputs, place)
        parts = {
            "project": place.project,
            "region": place.region,
            "router": last(str(inputs["router"])),
            "name": body["name"],
        }
        self._change(cloud, parts, body, new=True)
        return self.id_of(parts)

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """Also the long form `projects/p/regions/r/routers/router/name`."""
        bits = id.split("/")
        if len(bits) == 7 and bits[0] == "projects":
            return {"project": bits[1], "region": bits[3], "router": bits[5], "name": bits[6]}
        return super().parse(cloud, id)

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """The entry in the router's list."""
        where = {"project": parts["project"], "region": parts["region"], "router": parts["router"]}
        router = cloud.find("compute.routers.get", **where) or {}
        return next((n for n in router.get("nats", []) if n["name"] == parts["name"]), None)

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """Timeouts that the API leaves out are at their defaults."""
        given = str(known.get("router") or "")
        router = given if last(given) == parts["router"] else parts["router"]
        return {**self.defaults, **super().state(cloud, parts, item, known), "router": router}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The entry is replaced in the list."""
        parts = self.parse(cloud, id)
        self._change(cloud, parts, {**self.body(new, self.place(cloud, new)), "name": parts["name"]})

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        self._change(cloud, parts, None)


_PROTOCOL = (Field("protocol", "IPProtocol"), Field("ports"))


class Firewall(ComputeType):
    """A firewall rule of a network."""

    computed = frozenset({"project", "direction", "destinationRanges", "sourceRanges"})
    token = "gcp:compute/firewall:Firewall"
    auto_name = NAME
    collection = "firewalls"
    argument = "firewall"
    defaults: ClassVar[Props] = {"priority": 1000}
    replace_on = frozenset({"name", "project", "direction", "params"})
    unordered = frozenset(
        {"allows", "denies", "sourceRanges", "destinationRanges", "sourceTags", "targetTags"}
        | {"sourceServiceAccounts", "targetServiceAccounts"}
    )
    write_only = frozenset({"params"})
    sources = (PROVIDER + "compute_firewall",)
    fields = (
        Field("name"),
        Field("description"),
        Field("network", kind="ref", collection="networks"),
        Field("direction"),
        Field("priority"),
        Field("disabled", default=False),
        Field("sourceRanges"),
        Field("destinationRanges"),
        Field("sourceTags"),
        Field("targetTags"),
        Field("sourceServiceAccounts"),
        Field("targetServiceAccounts"),
        Field("allows", "allowed", many=True, sub=_PROTOCOL),
        Field("denies", "denied", many=True, sub=_PROTOCOL),
    )
    outputs = (Field("selfLink"), Field("creationTimestamp"))

    def check(self, inputs: Props) -> list[Failure]:
        """Allow or deny, not both."""
        found = super().check(inputs)
        if inputs.get("allows") and inputs.get("denies"):
            found.append(Failure("allows", '"allow": conflicts with deny'))
        return found

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """Logging is on when the block is there."""
        made = super().body(props, place)
        log = props.get("logConfig")
        made["logConfig"] = {"enable": True, **plain(log)} if log is not None else {"enable": False}
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = super().state(cloud, parts, item, known)
        log = item.get("logConfig", {})
        if log.get("enable"):
            made["logConfig"] = {"metadata": log["metadata"]}
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """All but name, network and direction change in place."""
        place = self.place(cloud, new)
        body = self.body(new, place)
        for name in sorted(self.unordered - {"allows", "denies"}):
            if old.get(name) and not new.get(name):
                body[name] = []
        body.setdefault("description", "") if old.get("description") else None
        body["disabled"] = bool(new.get("disabled"))
        cloud.change("compute.firewalls.patch", **self.address(self.parse(cloud, id)), body=body)


class Route(ComputeType):
    """A static route. Nothing of it changes in place."""

    token = "gcp:compute/route:Route"
    auto_name = NAME
    collection = "routes"
    argument = "route"
    defaults: ClassVar[Props] = {"priority": 1000}
    replace_on = frozenset(
        {"name", "description", "network", "project", "destRange", "priority", "tags", "nextHopGateway", "nextHopIp"}
        | {"nextHopInstance", "nextHopInstanceZone", "nextHopIlb", "nextHopVpnTunnel", "params"}
    )
    unordered = frozenset({"tags"})
    write_only = frozenset({"params", "nextHopInstanceZone"})
    sources = (PROVIDER + "compute_route",)
    fields = (
        Field("name"),
        Field("description"),
        Field("network", kind="ref", collection="networks"),
        Field("destRange"),
        Field("priority"),
        Field("tags"),
        Field("nextHopGateway"),
        Field("nextHopIp"),
        Field("nextHopInstance", kind="ref", collection="instances"),
        Field("nextHopIlb"),
        Field("nextHopVpnTunnel"),
    )
    outputs = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("nextHopNetwork"),
        Field("routeType"),
        Field("routeStatus"),
    )

    def body(self, props: Props, place: Place) -> dict[str, Any]:
        """The gateway may be given by name."""
        made = super().body(props, place)
        gateway = made.get("nextHopGateway")
        if gateway == "default-internet-gateway":
            made["nextHopGateway"] = f"projects/{place.project}/global/gateways/{gateway}"
        zone = props.get("nextHopInstanceZone")
        if zone and "/" not in str(props.get("nextHopInstance", "/")):
            made["nextHopInstance"] = (
                f"projects/{place.project}/zones/{last(zone)}/instances/{props['nextHopInstance']}"
            )
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Only the deletion policy changes, which the cloud does not know."""


class Address(ComputeType):
    """A reserved regional address."""

    computed: ClassVar[frozenset[str]] = frozenset(
        {"project", "region", "address", "networkTier", "purpose", "subnetwork", "prefixLength"}
    )
    token = "gcp:compute/address:Address"
    auto_name = NAME
    scope = "region"
    collection = "addresses"
    argument = "address"
    labelled = True
    defaults: ClassVar[Props] = {"addressType": "EXTERNAL"}
    replace_on = frozenset(
        {"name", "address", "addressType", "description", "network", "networkTier", "prefixLength", "project"}
        | {"purpose", "region", "subnetwork", "ipVersion", "ipCollection", "ipv6EndpointType"}
    )
    changed_by_update = frozenset({"labelFingerprint", "effectiveLabels", "pulumiLabels"})
    sources: ClassVar[tuple[str, ...]] = (PROVIDER + "compute_address",)
    fields: ClassVar[tuple[Field, ...]] = (
        Field("name"),
        Field("address"),
        Field("addressType"),
        Field("description"),
        Field("network", kind="ref", collection="networks"),
        Field("networkTier"),
        Field("prefixLength"),
        Field("purpose"),
        Field("subnetwork", kind="ref", collection="subnetworks"),
        Field("ipVersion"),
    )
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("selfLink"),
        Field("creationTimestamp"),
        Field("labelFingerprint"),
        Field("users", default=[]),
        Field("addressId", "id", kind="int"),
    )

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Only labels change in place."""
        if self.labels_change(cloud, old, new):
            self.set_labels(cloud, self.parse(cloud, id), old, new)


class GlobalAddress(Address):
    """A reserved global address."""

    computed = frozenset({"project", "address", "purpose", "prefixLength"})
    token = "gcp:compute/globalAddress:GlobalAddress"
    scope = "global"
    collection = "globalAddresses"
    path = "projects/{project}/global/addresses/{name}"
    sources = (PROVIDER + "compute_global_address",)
    replace_on = frozenset(
        {"name", "address", "addressType", "description", "network", "prefixLength", "project", "purpose", "ipVersion"}
    )
    fields = tuple(f for f in Address.fields if f.name not in ("networkTier", "subnetwork"))
    outputs = (Field("selfLink"), Field("creationTimestamp"), Field("labelFingerprint"))


TYPES = (Network, Subnetwork, Router, RouterNat, Firewall, Route, Address, GlobalAddress)
