"""Load balancing, certificates, groups without a manager, autoscalers and other types of Compute Engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, ComputeType, differs, image_path, last, relative
from simcloud.gcp.types.codec import Place, plain
from simcloud.gcp.types.table import ComputeTable
from simcloud.provider.model import AutoName, CloudError, Props

_CHECK: Props = {"checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2, "unhealthyThreshold": 2}


class HttpHealthCheck(ComputeTable):
    """A legacy HTTP health check."""

    token = "gcp:compute/httpHealthCheck:HttpHealthCheck"
    methods = "compute.httpHealthChecks"
    schema = "HttpHealthCheck"
    argument = "httpHealthCheck"
    defaults: ClassVar[Props] = {**_CHECK, "port": 80, "requestPath": "/"}
    sources = (PROVIDER + "compute_http_health_check",)


class HttpsHealthCheck(ComputeTable):
    """A legacy HTTPS health check."""

    token = "gcp:compute/httpsHealthCheck:HttpsHealthCheck"
    methods = "compute.httpsHealthChecks"
    schema = "HttpsHealthCheck"
    argument = "httpsHealthCheck"
    defaults: ClassVar[Props] = {**_CHECK, "port": 443, "requestPath": "/"}
    sources = (PROVIDER + "compute_https_health_check",)


class RegionHealthCheck(ComputeTable):
    """A health check of a region."""

    token = "gcp:compute/regionHealthCheck:RegionHealthCheck"
    methods = "compute.regionHealthChecks"
    schema = "HealthCheck"
    argument = "healthCheck"
    computed = frozenset({f"{k}HealthCheck" for k in ("tcp", "http", "https", "ssl", "http2", "grpc")})
    defaults: ClassVar[Props] = _CHECK
    exclusive = (tuple(f"{k}HealthCheck" for k in ("grpc", "grpcTls", "http2", "http", "https", "ssl", "tcp")),)
    sources = (PROVIDER + "compute_region_health_check",)


_FILLED = frozenset(
    {f"cdnPolicy.{n}" for n in ("cacheMode", "clientTtl", "defaultTtl", "maxTtl", "negativeCaching")}
    | {"iap.oauth2ClientSecretSha256"}
)
"""What the service fills in of a backend service's blocks."""


class _Backends(ComputeTable):
    refs: ClassVar[Mapping[str, str]] = {"healthChecks": "healthChecks", "network": "networks"}
    setters: ClassVar[Mapping[str, str]] = {"securityPolicy": "setSecurityPolicy"}
    updates = "whole"
    kept = frozenset({"iap.enabled"})
    renamed: ClassVar[Mapping[str, str]] = {
        "logConfig.requestHeaders": "loggingHttpRequestHeaders",
        "logConfig.responseHeaders": "loggingHttpResponseHeaders",
    }
    defaults: ClassVar[Props] = {"connectionDrainingTimeoutSec": 300}
    unordered = frozenset({"healthChecks"})
    inner_computed: ClassVar[frozenset[str]] = _FILLED

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Draining stands in a block of its own; a name of a health check may be of any kind."""
        if inputs.get("connectionDrainingTimeoutSec") is not None:
            seconds = plain(inputs["connectionDrainingTimeoutSec"])
            body["connectionDraining"] = {"drainingTimeoutSec": seconds}
        if isinstance(inputs.get("healthChecks"), str):
            body["healthChecks"] = [inputs["healthChecks"]]
        if inputs.get("iap"):
            body["iap"] = {**body.get("iap", {}), "enabled": bool(inputs["iap"].get("enabled", True))}
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["connectionDrainingTimeoutSec"] = item.get("connectionDraining", {}).get("drainingTimeoutSec", 0)
        if isinstance(made.get("healthChecks"), list):
            made["healthChecks"] = made["healthChecks"][0] if made["healthChecks"] else None
        if "iap" in made:
            made["iap"] = {**made["iap"], "enabled": bool(item["iap"].get("enabled"))}
        return made


class BackendService(_Backends):
    """A global backend service."""

    token = "gcp:compute/backendService:BackendService"
    methods = "compute.backendServices"
    schema = "BackendService"
    argument = "backendService"
    computed = frozenset({"iap"})
    unordered = frozenset({"healthChecks", "customRequestHeaders", "customResponseHeaders"})
    inner_computed = _FILLED | {
        f"backends.{n}" for n in ("maxConnections", "maxRate", "maxUtilization", "maxRatePerInstance")
    }
    sources = (PROVIDER + "compute_backend_service",)


class RegionBackendService(_Backends):
    """A backend service of a region."""

    token = "gcp:compute/regionBackendService:RegionBackendService"
    methods = "compute.regionBackendServices"
    schema = "BackendService"
    argument = "backendService"
    setters: ClassVar[Mapping[str, str]] = {}
    in_place = frozenset({"region"})
    replace_on = frozenset({"loadBalancingScheme"})
    exclusive = (("haPolicy", "healthChecks"), ("haPolicy", "failoverPolicy"), ("haPolicy", "sessionAffinity"))
    sources = (PROVIDER + "compute_region_backend_service",)


class BackendBucket(ComputeTable):
    """A bucket behind a load balancer."""

    token = "gcp:compute/backendBucket:BackendBucket"
    methods = "compute.backendBuckets"
    schema = "BackendBucket"
    argument = "backendBucket"
    updates = "whole"
    inner_computed = frozenset(f"cdnPolicy.{n}" for n in ("cacheMode", "clientTtl", "defaultTtl", "maxTtl"))
    sources = (PROVIDER + "compute_backend_bucket",)


class URLMap(ComputeTable):
    """A URL map."""

    token = "gcp:compute/uRLMap:URLMap"
    methods = "compute.urlMaps"
    schema = "UrlMap"
    argument = "urlMap"
    updates = "whole"
    refs: ClassVar[Mapping[str, str]] = {"defaultService": "backendServices"}
    unordered = frozenset({"hostRules.hosts", "pathMatchers.pathRules.paths"})
    exclusive = (("defaultService", "defaultUrlRedirect"), ("defaultRouteAction", "defaultUrlRedirect"))
    checked = frozenset(
        f"{where}.redirectResponseCode"
        for where in (
            *("defaultUrlRedirect", "pathMatchers.defaultUrlRedirect"),
            *("pathMatchers.pathRules.urlRedirect", "pathMatchers.routeRules.urlRedirect"),
        )
    )
    sources = (PROVIDER + "compute_url_map",)


class RegionUrlMap(URLMap):
    """A URL map of a region."""

    token = "gcp:compute/regionUrlMap:RegionUrlMap"
    methods = "compute.regionUrlMaps"
    in_place = frozenset({"region"})
    sources = (PROVIDER + "compute_region_url_map",)


class TargetHttpProxy(ComputeTable):
    """An HTTP proxy."""

    token = "gcp:compute/targetHttpProxy:TargetHttpProxy"
    methods = "compute.targetHttpProxies"
    schema = "TargetHttpProxy"
    argument = "targetHttpProxy"
    refs: ClassVar[Mapping[str, str]] = {"urlMap": "urlMaps"}
    setters: ClassVar[Mapping[str, str]] = {"urlMap": "setUrlMap"}
    replace_on = frozenset({"description", "httpKeepAliveTimeoutSec", "proxyBind"})
    sources = (PROVIDER + "compute_target_http_proxy",)


class RegionTargetHttpProxy(ComputeTable):
    """An HTTP proxy of a region."""

    token = "gcp:compute/regionTargetHttpProxy:RegionTargetHttpProxy"
    methods = "compute.regionTargetHttpProxies"
    schema = "TargetHttpProxy"
    argument = "targetHttpProxy"
    setters: ClassVar[Mapping[str, str]] = {"urlMap": "setUrlMap"}
    replace_on = frozenset({"description", "httpKeepAliveTimeoutSec"})
    sources = (PROVIDER + "compute_region_target_http_proxy",)


class TargetHttpsProxy(ComputeTable):
    """An HTTPS proxy."""

    token = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
    methods = "compute.targetHttpsProxies"
    schema = "TargetHttpsProxy"
    argument = "targetHttpsProxy"
    refs: ClassVar[Mapping[str, str]] = {
        "urlMap": "urlMaps",
        "sslCertificates": "sslCertificates",
        "sslPolicy": "sslPolicies",
    }
    setters: ClassVar[Mapping[str, str]] = {
        "urlMap": "setUrlMap",
        "sslCertificates": "setSslCertificates",
        "sslPolicy": "setSslPolicy",
        "quicOverride": "setQuicOverride",
    }
    kept = frozenset({"certificateManagerCertificates"})
    replace_on = frozenset({"description", "httpKeepAliveTimeoutSec", "proxyBind", "tlsEarlyData"})
    exclusive = (("certificateManagerCertificates", "sslCertificates"),)
    sources = (PROVIDER + "compute_target_https_proxy",)


class TargetTCPProxy(ComputeTable):
    """A TCP proxy."""

    token = "gcp:compute/targetTCPProxy:TargetTCPProxy"
    methods = "compute.targetTcpProxies"
    schema = "TargetTcpProxy"
    argument = "targetTcpProxy"
    refs: ClassVar[Mapping[str, str]] = {"backendService": "backendServices"}
    renamed: ClassVar[Mapping[str, str]] = {"backendService": "service"}
    setters: ClassVar[Mapping[str, str]] = {"service": "setBackendService", "proxyHeader": "setProxyHeader"}
    replace_on = frozenset({"description", "proxyBind"})
    sources = (PROVIDER + "compute_target_tcp_proxy",)


class TargetSSLProxy(TargetTCPProxy):
    """An SSL proxy."""

    token = "gcp:compute/targetSSLProxy:TargetSSLProxy"
    methods = "compute.targetSslProxies"
    schema = "TargetSslProxy"
    argument = "targetSslProxy"
    refs: ClassVar[Mapping[str, str]] = {"backendService": "backendServices", "sslCertificates": "sslCertificates"}
    setters: ClassVar[Mapping[str, str]] = {
        "service": "setBackendService",
        "proxyHeader": "setProxyHeader",
        "sslCertificates": "setSslCertificates",
    }
    replace_on = frozenset({"description"})
    sources = (PROVIDER + "compute_target_ssl_proxy",)


_RULE = frozenset({"description", "ipAddress", "ipProtocol", "ipVersion", "network", "networkTier", "portRange"}) | {
    *("noAutomateDnsZone", "serviceDirectoryRegistrations", "sourceIpRanges", "subnetwork"),
}
"""What makes a new forwarding rule, of a region or global."""


class ForwardingRule(ComputeTable):
    """A forwarding rule of a region."""

    token = "gcp:compute/forwardingRule:ForwardingRule"
    methods = "compute.forwardingRules"
    schema = "ForwardingRule"
    argument = "forwardingRule"
    computed = frozenset({"ports"})
    refs: ClassVar[Mapping[str, str]] = {
        "network": "networks",
        "subnetwork": "subnetworks",
        "backendService": "backendServices",
    }
    renamed: ClassVar[Mapping[str, str]] = {"ipAddress": "IPAddress", "ipProtocol": "IPProtocol"}
    setters: ClassVar[Mapping[str, str]] = {"target": "setTarget"}
    replace_on = _RULE | {
        *("allPorts", "backendService", "isMirroringCollector", "loadBalancingScheme", "ports", "serviceLabel"),
    }
    defaults: ClassVar[Props] = {"recreateClosedPsc": False}
    unordered = frozenset({"ports"})
    sources: ClassVar[tuple[str, ...]] = (PROVIDER + "compute_forwarding_rule",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. A target that is only a name is a target pool of the region."""
        if body.get("target") and "/" not in body["target"] and "region" in parts:
            body["target"] = f"projects/{parts['project']}/regions/{parts['region']}/targetPools/{body['target']}"
        if body.get("backendService") and "region" in parts and "/" not in str(inputs["backendService"]):
            place = f"projects/{parts['project']}/regions/{parts['region']}"
            body["backendService"] = f"{place}/backendServices/{inputs['backendService']}"
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. The provider takes an address's link and its value for one, `80` and `80-80` too."""
        given = str(known.get("ipAddress") or "")
        if given and not given[:1].isdigit():
            name = relative(given)
            where = {"project": parts["project"], "address": last(name)}
            found = (
                cloud.find("compute.addresses.get", region=parts["region"], **where)
                if "region" in parts
                else cloud.find("compute.globalAddresses.get", **where)
            )
            if found and found["address"] == item.get("IPAddress"):
                made["ipAddress"] = given
        span = str(item.get("portRange") or "")
        if span and known.get("portRange") and span == f"{known['portRange']}-{known['portRange']}":
            made["portRange"] = known["portRange"]
        made["baseForwardingRule"] = item.get("baseForwardingRule", "")
        made["forwardingRuleId"] = int(item["id"])
        return made


class GlobalForwardingRule(ForwardingRule):
    """A global forwarding rule."""

    token = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
    methods = "compute.globalForwardingRules"
    computed = frozenset({"portRange"})
    refs: ClassVar[Mapping[str, str]] = {"network": "networks", "subnetwork": "subnetworks"}
    replace_on = _RULE | {"metadataFilters"}
    defaults: ClassVar[Props] = {}
    unordered = frozenset()
    sources = (PROVIDER + "compute_global_forwarding_rule",)


class TargetPool(ComputeTable):
    """A target pool."""

    token = "gcp:compute/targetPool:TargetPool"
    methods = "compute.targetPools"
    schema = "TargetPool"
    argument = "targetPool"
    renamed: ClassVar[Mapping[str, str]] = {"healthChecks": "healthChecks"}
    refs: ClassVar[Mapping[str, str]] = {"backupPool": "targetPools"}
    replace_on = frozenset({"description", "failoverRatio", "sessionAffinity"})
    defaults: ClassVar[Props] = {"sessionAffinity": "NONE"}
    unordered = frozenset({"instances"})
    sources = (PROVIDER + "compute_target_pool",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Instances may be named `zone/name`, a health check by its name."""
        made = []
        for value in inputs.get("instances") or []:
            bits = str(value).split("/")
            made.append(
                f"projects/{parts['project']}/zones/{bits[0]}/instances/{bits[1]}" if len(bits) == 2 else str(value)
            )
        if made:
            body["instances"] = made
        check = inputs.get("healthChecks")
        if check:
            check = check if isinstance(check, str) else check[0]
            body["healthChecks"] = [Place(parts["project"]).refer(str(check), "httpHealthChecks")]
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. The provider shows instances as `zone/name`, and one health check."""
        made["instances"] = ["/".join(relative(i).split("/")[3::2]) for i in item.get("instances", [])]
        if item.get("healthChecks"):
            made["healthChecks"] = item["healthChecks"][0]
        else:
            made.pop("healthChecks", None)
        return made

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """Members join and leave one by one."""
        where = self._at(parts)
        item = self.fetch(cloud, parts) or {}
        for member, verb, name in (
            ("instances", "Instance", "instance"),
            ("healthChecks", "HealthCheck", "healthCheck"),
        ):
            if member in changed:
                have, want = {relative(i) for i in item.get(member, [])}, {relative(i) for i in body.get(member, [])}
                for sign, those in (("add", want - have), ("remove", have - want)):
                    if those:
                        entries = [{name: t} for t in sorted(those)]
                        cloud.change(f"{self.methods}.{sign}{verb}", **where, body={member: entries})


class ManagedSslCertificate(ComputeTable):
    """A certificate that Google obtains."""

    token = "gcp:compute/managedSslCertificate:ManagedSslCertificate"
    methods = "compute.sslCertificates"
    schema = "SslCertificate"
    argument = "sslCertificate"
    replace_on = frozenset({"description", "managed", "type"})
    sources = (PROVIDER + "compute_managed_ssl_certificate",)

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["subjectAlternativeNames"] = item.get("subjectAlternativeNames", [])
        made["certificateId"] = int(item["id"])
        made["expireTime"] = item.get("expireTime", "")
        return made


class SSLCertificate(ManagedSslCertificate):
    """A certificate that somebody brings. The API never gives the key back."""

    token = "gcp:compute/sSLCertificate:SSLCertificate"
    write_only = frozenset({"privateKey", "namePrefix"})
    replace_on = frozenset({"certificate", "description", "namePrefix", "privateKey", "privateKeyWoVersion"})
    exclusive = (("name", "namePrefix"), ("privateKey", "privateKeyWo"))
    sources = (PROVIDER + "compute_ssl_certificate",)


class SSLPolicy(ComputeTable):
    """Which versions and ciphers a proxy takes."""

    token = "gcp:compute/sSLPolicy:SSLPolicy"
    methods = "compute.sslPolicies"
    schema = "SslPolicy"
    argument = "sslPolicy"
    replace_on = frozenset({"description"})
    unordered = frozenset({"customFeatures"})
    sources = (PROVIDER + "compute_ssl_policy",)


class NetworkEndpointGroup(ComputeTable):
    """Endpoints of a zone."""

    token = "gcp:compute/networkEndpointGroup:NetworkEndpointGroup"
    methods = "compute.networkEndpointGroups"
    schema = "NetworkEndpointGroup"
    argument = "networkEndpointGroup"
    refs: ClassVar[Mapping[str, str]] = {"network": "networks", "subnetwork": "subnetworks"}
    replace_on = frozenset({"defaultPort", "description", "network", "networkEndpointType", "subnetwork"})
    sources = (PROVIDER + "compute_network_endpoint_group",)


class RegionNetworkEndpointGroup(ComputeTable):
    """Endpoints of a region: serverless services, for example."""

    token = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
    methods = "compute.regionNetworkEndpointGroups"
    schema = "NetworkEndpointGroup"
    argument = "networkEndpointGroup"
    refs: ClassVar[Mapping[str, str]] = {"network": "networks", "subnetwork": "subnetworks"}
    replace_on = frozenset({"description", "network", "networkEndpointType", "subnetwork"}) | {
        *("appEngine", "cloudFunction", "cloudRun", "pscData", "pscTargetService"),
    }
    exclusive = (("appEngine", "cloudFunction", "cloudRun"),)
    sources = (PROVIDER + "compute_region_network_endpoint_group",)


class Autoscaler(ComputeTable):
    """An autoscaler of a zone's group."""

    token = "gcp:compute/autoscaler:Autoscaler"
    methods = "compute.autoscalers"
    schema = "Autoscaler"
    argument = "autoscaler"
    renamed: ClassVar[Mapping[str, str]] = {
        f"autoscalingPolicy.{name}": api
        for name, api in {
            "cooldownPeriod": "coolDownPeriodSec",
            "cpuUtilization.target": "utilizationTarget",
            "loadBalancingUtilization.target": "utilizationTarget",
            "maxReplicas": "maxNumReplicas",
            "metrics": "customMetricUtilizations",
            "metrics.name": "metric",
            "metrics.target": "utilizationTarget",
            "metrics.type": "utilizationTargetType",
            "minReplicas": "minNumReplicas",
            "stabilizationPeriod": "stabilizationPeriodSec",
        }.items()
    }
    inner_computed = frozenset({"autoscalingPolicy.cpuUtilization"})
    sources = (PROVIDER + "compute_autoscaler",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Schedules are a map in the API."""
        schedules = (inputs.get("autoscalingPolicy") or {}).get("scalingSchedules")
        if schedules:
            body["autoscalingPolicy"]["scalingSchedules"] = {
                s["name"]: {k: plain(v) for k, v in s.items() if k != "name" and v is not None} for s in schedules
            }
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        schedules = item.get("autoscalingPolicy", {}).get("scalingSchedules")
        if schedules:
            made["autoscalingPolicy"]["scalingSchedules"] = [{"name": n, **s} for n, s in schedules.items()]
        return made

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """The autoscaler is named by a query parameter."""
        where = {**self._under(parts), self.argument: parts["name"]}
        cloud.change(f"{self.methods}.update", **where, body=whole)


class RegionAutoscaler(Autoscaler):
    """An autoscaler of a region's group."""

    token = "gcp:compute/regionAutoscaler:RegionAutoscaler"
    methods = "compute.regionAutoscalers"
    sources = (PROVIDER + "compute_region_autoscaler",)


class InstanceGroup(ComputeTable):
    """A group without a manager."""

    token = "gcp:compute/instanceGroup:InstanceGroup"
    methods = "compute.instanceGroups"
    schema = "InstanceGroup"
    argument = "instanceGroup"
    kept = frozenset({"instances"})
    unordered = frozenset({"instances"})
    replace_on = frozenset({"description", "network"})
    path = "projects/{project}/zones/{zone}/instanceGroups/{name}"
    sources = (PROVIDER + "compute_instance_group",)
    refs: ClassVar[Mapping[str, str]] = {"network": "networks"}
    renamed: ClassVar[Mapping[str, str]] = {"network": "network", "description": "description"}

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        body = super().make(cloud, inputs, parts)
        for name in ("description", "network"):
            if inputs.get(name):
                value = str(inputs[name])
                body[name] = Place(parts["project"]).refer(value, "networks") if name == "network" else value
        return body

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """The group, then its members."""
        id = super().create(cloud, inputs)
        self._members(cloud, self.parse(cloud, id), [], list(inputs.get("instances") or []))
        return id

    def _members(self, cloud: GcpClient, parts: dict[str, str], old: list[str], new: list[str]) -> None:
        before, after = {relative(i) for i in old}, {relative(i) for i in new}
        for verb, those in (("addInstances", after - before), ("removeInstances", before - after)):
            if those:
                entries = [{"instance": t} for t in sorted(those)]
                cloud.change(f"{self.methods}.{verb}", **self._at(parts), body={"instances": entries})

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. Members are listed by a call of their own."""
        listed = cloud.call(f"{self.methods}.listInstances", **self._at(parts), body={"instanceState": "ALL"})
        made["instances"] = [i["instance"] for i in listed.get("items", [])]
        made["network"] = item.get("network", "")
        if item.get("description"):
            made["description"] = item["description"]
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """What the cloud lists counts, not what the program says."""
        made = super().state(cloud, parts, item, known)
        return self.decode(cloud, made, item, known, parts)

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Members and named ports change in place."""
        parts = self.parse(cloud, id)
        if differs(old, new, "instances"):
            self._members(cloud, parts, list(old.get("instances") or []), list(new.get("instances") or []))
        if differs(old, new, "namedPorts"):
            ports = [dict(plain(p)) for p in new.get("namedPorts") or []]
            stamp = (self.fetch(cloud, parts) or {}).get("fingerprint")
            body = {"namedPorts": ports, "fingerprint": stamp}
            cloud.change(f"{self.methods}.setNamedPorts", **self._at(parts), body=body)


class Image(ComputeTable):
    """An image of one's own."""

    token = "gcp:compute/image:Image"
    methods = "compute.images"
    schema = "Image"
    argument = "image"
    refs: ClassVar[Mapping[str, str]] = {"sourceDisk": "disks", "sourceSnapshot": "snapshots"}
    renamed: ClassVar[Mapping[str, str]] = {"rawDisk.sha1": "sha1Checksum"} | {
        f"{key}.kmsKeySelfLink": "kmsKeyName"
        for key in (
            "imageEncryptionKey",
            "sourceDiskEncryptionKey",
            "sourceImageEncryptionKey",
            "sourceSnapshotEncryptionKey",
        )
    }
    replace_on = frozenset(
        {"description", "diskSizeGb", "family", "guestOsFeatures", "imageEncryptionKey", "licenses"}
    ) | {
        *("rawDisk", "sourceDisk", "sourceImage", "sourceSnapshot", "storageLocations", "shieldedInstanceInitialState"),
        *("sourceDiskEncryptionKey", "sourceImageEncryptionKey", "sourceSnapshotEncryptionKey"),
    }
    sources = (PROVIDER + "compute_image",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        if body.get("sourceImage"):
            body["sourceImage"] = image_path(str(body["sourceImage"]))
        return body


class Snapshot(ComputeTable):
    """A snapshot of a disk."""

    token = "gcp:compute/snapshot:Snapshot"
    methods = "compute.snapshots"
    schema = "Snapshot"
    argument = "snapshot"
    kept = frozenset({"zone", "sourceDisk"})
    renamed: ClassVar[Mapping[str, str]] = {
        "snapshotEncryptionKey.kmsKeySelfLink": "kmsKeyName",
        "sourceDiskEncryptionKey.kmsKeySelfLink": "kmsKeyName",
    }
    replace_on = frozenset({"chainName", "description", "snapshotType", "sourceDisk", "storageLocations", "zone"}) | {
        *("snapshotEncryptionKey", "sourceDiskEncryptionKey", "sourceInstantSnapshot"),
    }
    exclusive = (("sourceDisk", "sourceInstantSnapshot"),)
    sources = (PROVIDER + "compute_snapshot",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. The disk may be named with a zone beside it."""
        zone = last(str(inputs.get("zone") or cloud.zone or ""))
        body["sourceDisk"] = Place(parts["project"], zone=zone).refer(str(inputs["sourceDisk"]), "disks")
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["sourceDisk"] = known.get("sourceDisk") or item.get("sourceDisk")
        return made


class RegionDisk(ComputeTable):
    """A disk in two zones."""

    token = "gcp:compute/regionDisk:RegionDisk"
    methods = "compute.regionDisks"
    schema = "Disk"
    argument = "disk"
    renamed: ClassVar[Mapping[str, str]] = {"size": "sizeGb", "snapshot": "sourceSnapshot", "image": "sourceImage"}
    bare = frozenset({"type"})
    setters: ClassVar[Mapping[str, str]] = {"sizeGb": "resize"}
    defaults: ClassVar[Props] = {"type": "pd-standard", "createSnapshotBeforeDestroy": False}
    replace_on = frozenset({"description", "image", "replicaZones", "snapshot", "sourceDisk", "type"}) | {
        *("diskEncryptionKey", "guestOsFeatures", "licenses", "physicalBlockSizeBytes", "asyncPrimaryDisk"),
        *("sourceImageEncryptionKey", "sourceSnapshotEncryptionKey"),
    }
    sources = (PROVIDER + "compute_region_disk",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        where = f"projects/{parts['project']}"
        body["replicaZones"] = [f"{where}/zones/{last(str(z))}" for z in inputs["replicaZones"]]
        kind = str(inputs.get("type") or "pd-standard")
        body["type"] = kind if "/" in kind else f"{where}/regions/{parts['region']}/diskTypes/{kind}"
        return body


class Reservation(ComputeTable):
    """Machines that are kept."""

    token = "gcp:compute/reservation:Reservation"
    methods = "compute.reservations"
    schema = "Reservation"
    argument = "reservation"
    renamed: ClassVar[Mapping[str, str]] = {
        "specificReservation.instanceProperties.localSsds.diskSizeGb": "diskSizeGb",
    }
    kept = frozenset({"shareSettings.projectMaps"})
    defaults: ClassVar[Props] = {"specificReservationRequired": False}
    replace_on = frozenset({"description", "specificReservationRequired", "specificReservation.instanceProperties"}) | {
        *("shareSettings.shareType", "reservationSharingPolicy.serviceShareType"),
        *("deleteAtTime", "deleteAfterDuration"),
    }
    inner_computed = frozenset({"specificReservation.inUseCount", "specificReservation.assuredCount"})
    sources = (PROVIDER + "compute_reservation",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Projects are a map in the API."""
        projects = (inputs.get("shareSettings") or {}).get("projectMaps")
        if projects:
            body["shareSettings"]["projectMap"] = {p["id"]: {"projectId": p["projectId"]} for p in projects}
        return body

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """The count changes by a call of its own."""
        if "specificReservation" in changed:
            count = {"specificSkuCount": str(whole["specificReservation"]["count"])}
            cloud.change(f"{self.methods}.resize", **self._at(parts), body=count)


class SecurityPolicy(ComputeTable):
    """A Cloud Armor policy."""

    token = "gcp:compute/securityPolicy:SecurityPolicy"
    methods = "compute.securityPolicies"
    schema = "SecurityPolicy"
    argument = "securityPolicy"
    replace_on = frozenset({"type"})
    unordered = frozenset({"rules.match.config.srcIpRanges"})
    checked = frozenset({"advancedOptionsConfig.logLevel", "advancedOptionsConfig.jsonParsing"}) | {
        *("rules.redirectOptions.type", "rules.rateLimitOptions.exceedRedirectOptions.type"),
    }
    sources = (PROVIDER + "compute_security_policy",)

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        body = super().make(cloud, inputs, parts)
        return body | {n: inputs[n] for n in ("description", "type") if inputs.get(n)}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        return made | {n: item[n] for n in ("description", "type") if item.get(n)}

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """Rules are added, changed and removed one by one, by their priorities."""
        where = self._at(parts)
        if "rules" in changed:
            changed = [c for c in changed if c != "rules"]
            have = {r["priority"]: r for r in (self.fetch(cloud, parts) or {}).get("rules", [])}
            want = {int(r["priority"]): r for r in body.pop("rules", [])}
            for priority in sorted(have.keys() - want.keys() - {2147483647}):
                cloud.change(f"{self.methods}.removeRule", **where, priority=priority)
            for priority, entry in sorted(want.items()):
                if priority not in have:
                    cloud.change(f"{self.methods}.addRule", **where, body=entry)
                else:
                    cloud.change(f"{self.methods}.patchRule", **where, priority=priority, body=entry)
        if changed:
            super().send(cloud, parts, changed, body, whole)


class NetworkPeering(ComputeType):
    """One side of a peering: an entry of its network."""

    computed = frozenset({"exportSubnetRoutesWithPublicIp", "importSubnetRoutesWithPublicIp", "stackType"})
    token = "gcp:compute/networkPeering:NetworkPeering"
    auto_name = AutoName(max_length=63, lower=True)
    collection = "networks"
    argument = "network"
    path = "{network}/{name}"
    defaults: ClassVar[Props] = {
        "exportCustomRoutes": False,
        "importCustomRoutes": False,
        "exportSubnetRoutesWithPublicIp": True,
    }
    replace_on = frozenset({"name", "network", "peerNetwork"})
    changed_by_update = frozenset({"state", "stateDetails"})
    has_deletion_policy = True
    sources = (PROVIDER + "compute_network_peering",)
    fields = ()

    _SAME = (
        "exportCustomRoutes",
        "importCustomRoutes",
        "exportSubnetRoutesWithPublicIp",
        "importSubnetRoutesWithPublicIp",
        "stackType",
        "updateStrategy",
    )

    def _entry(self, props: Props) -> dict[str, Any]:
        made = {n: props[n] for n in self._SAME if props.get(n) is not None}
        return {**made, "name": props["name"], "network": props["peerNetwork"], "exchangeSubnetRoutes": True}

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The network's name, its project, the peering's name."""
        head, _, name = id.rpartition("/")
        bits = head.split("/")
        project = (
            bits[bits.index("projects") + 1] if "projects" in bits else bits[0] if len(bits) > 1 else cloud.project
        )
        return {"project": project, "network": bits[-1], "name": name}

    def id_of(self, parts: Mapping[str, str]) -> str:
        """See GcpType."""
        return f"{parts['network']}/{parts['name']}"

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self._parts(cloud, inputs)
        where = {"project": parts["project"], "network": parts["network"]}
        cloud.change("compute.networks.addPeering", **where, body={"networkPeering": self._entry(inputs)})
        return self.id_of(parts)

    def _parts(self, cloud: GcpClient, props: Props) -> dict[str, str]:
        return self.parse(cloud, f"{relative(str(props['network']))}/{props['name']}")

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        parts = self._parts(cloud, known) if known.get("network") else self.parse(cloud, id)
        network = cloud.find("compute.networks.get", project=parts["project"], network=parts["network"]) or {}
        entry = next((p for p in network.get("peerings", []) if p["name"] == parts["name"]), None)
        if entry is None:
            return None
        return {
            **{n: entry[n] for n in (*self._SAME, "state", "stateDetails") if n in entry},
            "name": parts["name"],
            "network": known.get("network") or network["selfLink"],
            "peerNetwork": entry["network"],
            "deletionPolicy": known.get("deletionPolicy") or "DELETE",
            "id": self.id_of(parts),
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Which routes are exchanged changes in place."""
        if differs(old, new, *self._SAME):
            parts = self._parts(cloud, new)
            where = {"project": parts["project"], "network": parts["network"]}
            cloud.change("compute.networks.updatePeering", **where, body={"networkPeering": self._entry(new)})

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        parts = self._parts(cloud, state)
        try:
            where = {"project": parts["project"], "network": parts["network"]}
            cloud.change("compute.networks.removePeering", **where, body={"name": parts["name"]})
        except CloudError as error:
            if error.status != 404 and "no such peering" not in error.message:
                raise


class AttachedDisk(ComputeType):
    """A disk on an instance, apart from both."""

    computed = frozenset({"project", "zone", "deviceName"})
    token = "gcp:compute/attachedDisk:AttachedDisk"
    collection = "instances"
    argument = "instance"
    scope = "zone"
    path = "projects/{project}/zones/{zone}/instances/{instance}/{name}"
    defaults: ClassVar[Props] = {"mode": "READ_WRITE"}
    replace_on = frozenset({"disk", "instance", "project", "zone", "mode", "deviceName", "interface"})
    write_only = frozenset({"interface"})
    sources = (PROVIDER + "compute_attached_disk",)
    fields = ()

    def _where(self, cloud: GcpClient, props: Props) -> dict[str, str]:
        path = relative(str(props["instance"])).split("/")
        full = len(path) == 6
        return {
            "project": path[1] if full else str(props.get("project") or cloud.project),
            "zone": path[3] if full else last(str(props.get("zone") or cloud.zone or "")),
            "instance": path[-1],
        }

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        where = self._where(cloud, inputs)
        place = Place(where["project"], zone=where["zone"])
        body = {"source": place.refer(str(inputs["disk"]), "disks"), "mode": inputs.get("mode") or "READ_WRITE"}
        if inputs.get("deviceName"):
            body["deviceName"] = str(inputs["deviceName"])
        cloud.change("compute.instances.attachDisk", **where, body=body)
        return self.id_of({**where, "name": last(str(inputs["disk"]))})

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        parts = self.parse(cloud, id)
        where = {n: parts[n] for n in ("project", "zone", "instance")}
        item = cloud.find("compute.instances.get", **where) or {}
        for disk in item.get("disks", []):
            if last(disk.get("source", "")) == parts["name"]:
                return {
                    "disk": known.get("disk") or disk["source"],
                    "instance": known.get("instance") or parts["instance"],
                    "deviceName": disk["deviceName"],
                    "mode": disk["mode"],
                    "project": parts["project"],
                    "zone": parts["zone"],
                    **{n: known[n] for n in self.write_only if known.get(n) is not None},
                    "deletionPolicy": known.get("deletionPolicy") or "DELETE",
                    "id": id,
                }
        return None

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Everything replaces."""

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        if self.read(cloud, id, state) is not None:
            cloud.change(
                "compute.instances.detachDisk", **self._where(cloud, state), deviceName=str(state["deviceName"])
            )


class ProjectMetadataItem(ComputeType):
    """One entry of a project's metadata."""

    token = "gcp:compute/projectMetadataItem:ProjectMetadataItem"
    collection = "projects"
    argument = "project"
    path = "{name}"
    computed = frozenset({"project"})
    replace_on = frozenset({"key", "project"})
    sources = (PROVIDER + "compute_project_metadata_item",)
    fields = ()

    def _keys(self, props: Props) -> dict[str, str]:
        return {str(props["key"]): str(props["value"])} if props.get("key") else {}

    def _set(
        self, cloud: GcpClient, project: str, gone: Mapping[str, str], new: Mapping[str, str], *, fresh: bool
    ) -> None:
        now = cloud.call("compute.projects.get", project=project)["commonInstanceMetadata"]
        items = {i["key"]: i["value"] for i in now.get("items", [])}
        if fresh and set(new) & set(items):
            key = sorted(set(new) & set(items))[0]
            raise CloudError(
                "alreadyExists", self.token, f'key "{key}" already present in metadata for project "{project}"', 409
            )
        items = {k: v for k, v in items.items() if k not in gone} | dict(new)
        body = {"fingerprint": now["fingerprint"], "items": [{"key": k, "value": v} for k, v in sorted(items.items())]}
        cloud.change("compute.projects.setCommonInstanceMetadata", project=project, body=body)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        self._set(cloud, str(inputs.get("project") or cloud.project), {}, self._keys(inputs), fresh=True)
        return str(inputs["key"])

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        project = str(known.get("project") or cloud.project)
        now = cloud.call("compute.projects.get", project=project)["commonInstanceMetadata"]
        items = {i["key"]: i["value"] for i in now.get("items", [])}
        if id not in items:
            return None
        policy = {"deletionPolicy": known.get("deletionPolicy") or "DELETE"}
        return {"key": id, "value": items[id], "project": project, "id": id, **policy}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The value changes in place."""
        self._set(cloud, str(new.get("project") or cloud.project), self._keys(old), self._keys(new), fresh=False)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") != "ABANDON":
            self._set(cloud, str(state.get("project") or cloud.project), self._keys(state), {}, fresh=False)


class ProjectMetadata(ProjectMetadataItem):
    """A project's metadata, all of it."""

    token = "gcp:compute/projectMetadata:ProjectMetadata"
    replace_on = frozenset({"project"})
    sources = (PROVIDER + "compute_project_metadata",)

    def _keys(self, props: Props) -> dict[str, str]:
        return {k: str(v) for k, v in (props.get("metadata") or {}).items()}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. What was there is replaced."""
        project = str(inputs.get("project") or cloud.project)
        now = cloud.call("compute.projects.get", project=project)["commonInstanceMetadata"]
        old = {i["key"]: "" for i in now.get("items", [])}
        self._set(cloud, project, old, self._keys(inputs), fresh=False)
        return project

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        now = cloud.call("compute.projects.get", project=id)["commonInstanceMetadata"]
        items = {i["key"]: i["value"] for i in now.get("items", [])}
        policy = {"deletionPolicy": known.get("deletionPolicy") or "DELETE"}
        return {"metadata": items, "project": id, "id": id, **policy}


class DiskResourcePolicyAttachment(ComputeType):
    """A snapshot schedule on a disk."""

    token = "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment"
    collection = "disks"
    argument = "disk"
    scope = "zone"
    path = "{project}/{zone}/{disk}/{name}"
    computed = frozenset({"project", "zone"})
    replace_on = frozenset({"name", "disk", "zone", "project"})
    sources = (PROVIDER + "compute_disk_resource_policy_attachment",)
    fields = ()

    def _parts(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        place = self.place(cloud, inputs)
        names = {"disk": last(str(inputs["disk"])), "name": last(str(inputs["name"]))}
        return {"project": place.project, "zone": place.zone, **names}

    def _change(self, cloud: GcpClient, parts: Mapping[str, str], verb: str) -> None:
        where = {n: parts[n] for n in ("project", "zone", "disk")}
        region = parts["zone"].rpartition("-")[0]
        policy = f"projects/{parts['project']}/regions/{region}/resourcePolicies/{parts['name']}"
        cloud.change(f"compute.disks.{verb}", **where, body={"resourcePolicies": [policy]})

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self._parts(cloud, inputs)
        self._change(cloud, parts, "addResourcePolicies")
        return self.id_of(parts)

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        parts = self.parse(cloud, id)
        disk = cloud.find("compute.disks.get", **{n: parts[n] for n in ("project", "zone", "disk")}) or {}
        if parts["name"] not in [last(p) for p in disk.get("resourcePolicies", [])]:
            return None
        return {**parts, "deletionPolicy": known.get("deletionPolicy") or "DELETE", "id": id}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Everything replaces."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        self._change(cloud, parts, "removeResourcePolicies")


TYPES = (
    HttpHealthCheck,
    HttpsHealthCheck,
    RegionHealthCheck,
    BackendService,
    RegionBackendService,
    BackendBucket,
    URLMap,
    RegionUrlMap,
    TargetHttpProxy,
    RegionTargetHttpProxy,
    TargetHttpsProxy,
    TargetTCPProxy,
    TargetSSLProxy,
    ForwardingRule,
    GlobalForwardingRule,
    TargetPool,
    ManagedSslCertificate,
    SSLCertificate,
    SSLPolicy,
    NetworkEndpointGroup,
    RegionNetworkEndpointGroup,
    Autoscaler,
    RegionAutoscaler,
    InstanceGroup,
    Image,
    Snapshot,
    RegionDisk,
    Reservation,
    SecurityPolicy,
    NetworkPeering,
    AttachedDisk,
    ProjectMetadataItem,
    ProjectMetadata,
    DiskResourcePolicyAttachment,
)
