"""Load balancing: health checks of the older kinds, backends, URL maps, proxies, forwarding rules, certificates."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute import networks
from simcloud.gcp.compute.base import key_from, key_of, last, link, of_kind, operation, reference, resource
from simcloud.gcp.compute.declared import Shape, setter, shape
from simcloud.gcp.compute.policies import fill_check
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule

_LB = "docs.cloud.google.com/load-balancing/docs"
BACKENDS = rule(
    "lb.backends",
    "a backend service's protocol fits its scheme, its backends are of one kind and each is named once",
    _LB + "/backend-service",
    ours=True,
)
CHECKS = rule("lb.health-checks", "a backend service has at most one health check", "discovery document", ours=True)
URLS = rule(
    "lb.url-map",
    "a URL map has a default, its matchers exist and each host is matched once",
    _LB + "/url-map-concepts",
    ours=True,
)
FORWARD = rule(
    "lb.forwarding-rule",
    "a forwarding rule has one target, and ports that the target takes",
    _LB + "/forwarding-rule-concepts",
    ours=True,
)
TAKEN = rule(
    "lb.address-in-use",
    "an address and a port are used by one forwarding rule",
    _LB + "/forwarding-rule-concepts",
    ours=True,
)
CERTIFICATE = rule(
    "lb.certificate",
    "a certificate is managed with domains, or brings a PEM certificate and its key",
    _LB + "/ssl-certificates",
    ours=True,
)
CDN = rule("lb.cdn", "CDN settings are legal", "docs.cloud.google.com/cdn/docs/caching", ours=True)
POOL = rule("lb.target-pool", "a target pool's backup goes with a failover ratio", "discovery document", ours=True)
NEG = rule(
    "lb.endpoint-group",
    "an endpoint group's type and members go together",
    _LB + "/negs",
    ours=True,
)

_HEALTH = ("healthChecks", "httpHealthChecks", "httpsHealthChecks")
_GROUPS = ("instanceGroups", "networkEndpointGroups")
_SERVICES = ("backendServices", "backendBuckets")


def _old_check(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    https = item["kind"].endswith("httpsHealthCheck")
    for name, value in (("checkIntervalSec", 5), ("timeoutSec", 5), ("healthyThreshold", 2), ("unhealthyThreshold", 2)):
        item.setdefault(name, value)
    item.setdefault("port", 443 if https else 80)
    item.setdefault("requestPath", "/")
    if item["timeoutSec"] > item["checkIntervalSec"]:
        raise invalid_field("resource.timeoutSec", item["timeoutSec"], "It is above the interval.", rule=CHECKS)


def _new_check(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    fill_check(item)


shape(Shape("httpHealthChecks", "httpHealthCheck", {}, fill=_old_check, updates=("patch", "update")))
shape(Shape("httpsHealthChecks", "httpsHealthCheck", {}, fill=_old_check, updates=("patch", "update")))
shape(Shape("regionHealthChecks", "healthCheck", {}, fill=_new_check, updates=("patch", "update")))


def _backend_service(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    regional = "region" in item
    scheme = item.setdefault("loadBalancingScheme", "INTERNAL" if regional else "EXTERNAL")
    internal = scheme == "INTERNAL"
    protocol = item.setdefault("protocol", "TCP" if internal else "HTTP")
    item.setdefault("timeoutSec", 30)
    item.setdefault("sessionAffinity", "NONE")
    item.setdefault("connectionDraining", {}).setdefault("drainingTimeoutSec", 0)
    if not internal:
        item.setdefault("port", 443 if protocol in ("HTTPS", "HTTP2") else 80)
        item.setdefault("portName", "http")
    if scheme in ("EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL_MANAGED"):
        item.setdefault("enableCDN", False)
    if internal and protocol not in ("TCP", "UDP", "UNSPECIFIED", "SSL"):
        raise invalid_field("resource.protocol", protocol, "An internal service takes TCP or UDP.", rule=BACKENDS)
    if len(item.get("healthChecks", [])) > 1:
        raise invalid_field("resource.healthChecks", item["healthChecks"], "At most one.", rule=CHECKS)
    kinds = set()
    groups = [b.get("group") for b in item.get("backends", [])]
    for i, backend in enumerate(item.get("backends", [])):
        if not backend.get("group"):
            raise missing_field(f"resource.backends[{i}].group")
        kinds.add(backend["group"].split("/")[-2])
        backend.setdefault("balancingMode", "CONNECTION" if internal else "UTILIZATION")
        if backend["balancingMode"] != "CONNECTION" or "capacityScaler" in backend:
            backend.setdefault("capacityScaler", 1.0)
        if not 0 <= float(backend.get("capacityScaler", 1)) <= 1:
            raise invalid_field(
                f"resource.backends[{i}].capacityScaler", backend["capacityScaler"], "From 0 to 1.", rule=BACKENDS
            )
        if internal and backend["balancingMode"] != "CONNECTION":
            raise invalid_field(
                f"resource.backends[{i}].balancingMode",
                backend["balancingMode"],
                "Balancing mode must be CONNECTION for an INTERNAL backend service.",
                rule=BACKENDS,
            )
    if len(kinds) > 1 or len(set(groups)) < len(groups):
        raise invalid_field("resource.backends", groups, "One kind of group, each once.", rule=BACKENDS)
    serverless = any(_serverless(call, str(g)) for g in groups)
    if groups and not item.get("healthChecks") and not serverless:
        raise missing_field("resource.healthChecks")
    _cdn(item)
    item.setdefault("generatedId", item["id"])


def _serverless(call: Call, group: str) -> bool:
    found = call.world.state.compute.get(key_from(group), {})
    return str(found.get("networkEndpointType", "")) in ("SERVERLESS", "PRIVATE_SERVICE_CONNECT", "INTERNET_FQDN_PORT")


def _cdn(item: dict[str, Any]) -> None:
    policy = item.get("cdnPolicy")
    if not item.get("enableCDN") or policy is None:
        return
    policy.setdefault("cacheMode", "CACHE_ALL_STATIC")
    if policy["cacheMode"] == "USE_ORIGIN_HEADERS" and (policy.get("defaultTtl") or policy.get("clientTtl")):
        raise invalid_field("resource.cdnPolicy", policy, "TTLs do not go with USE_ORIGIN_HEADERS.", rule=CDN)
    for name in ("defaultTtl", "maxTtl", "clientTtl"):
        if int(policy.get(name) or 0) > 31622400:
            raise invalid_field(f"resource.cdnPolicy.{name}", policy[name], "At most 31622400 s.", rule=CDN)


_BACKENDS = {
    "backends.group": _GROUPS,
    "healthChecks": _HEALTH,
    "network": ("networks",),
    "securityPolicy": ("securityPolicies",),
}
_STAYS = frozenset({"loadBalancingScheme", "network"})
for _name in ("backendServices", "regionBackendServices"):
    shape(
        Shape(
            _name,
            "backendService",
            _BACKENDS,
            fill=_backend_service,
            updates=("patch", "update"),
            fixed=_STAYS,
            printed=True,
        )
    )
setter("backendServices", "setSecurityPolicy", "securityPolicy", ("securityPolicies",))


def _bucket(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    if item["bucketName"] not in call.world.state.buckets:
        raise invalid_field("resource.bucketName", item["bucketName"], "The bucket does not exist.", rule=BACKENDS)
    item.setdefault("enableCdn", False)
    if item["enableCdn"]:
        policy = item.setdefault("cdnPolicy", {})
        policy.setdefault("cacheMode", "CACHE_ALL_STATIC")
        if policy["cacheMode"] != "USE_ORIGIN_HEADERS":
            policy.setdefault("defaultTtl", 3600)
            policy.setdefault("clientTtl", 3600)
        if policy["cacheMode"] == "CACHE_ALL_STATIC":
            policy.setdefault("maxTtl", 86400)
        _cdn({**item, "enableCDN": True})


shape(
    Shape(
        "backendBuckets",
        "backendBucket",
        {"edgeSecurityPolicy": ("securityPolicies",)},
        needed=("bucketName",),
        fill=_bucket,
        updates=("patch", "update"),
    )
)


def _url_map(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    action = item.get("defaultRouteAction", {}).get("weightedBackendServices")
    if not item.get("defaultService") and not item.get("defaultUrlRedirect") and not action:
        raise missing_field("resource.defaultService")
    if item.get("defaultService") and item.get("defaultUrlRedirect"):
        raise invalid_field("resource.defaultUrlRedirect", "", "Not together with a default service.", rule=URLS)
    matchers = [m.get("name") for m in item.get("pathMatchers", [])]
    if len(set(matchers)) < len(matchers):
        raise invalid_field("resource.pathMatchers", matchers, "Two matchers have one name.", rule=URLS)
    hosts: list[str] = []
    for i, entry in enumerate(item.get("hostRules", [])):
        hosts += entry.get("hosts", [])
        if entry.get("pathMatcher") not in matchers:
            raise invalid_field(
                f"resource.hostRules[{i}].pathMatcher", entry.get("pathMatcher"), "There is no such matcher.", rule=URLS
            )
    if len(set(hosts)) < len(hosts):
        raise invalid_field("resource.hostRules", hosts, "A host is matched twice.", rule=URLS)
    unused = set(matchers) - {r.get("pathMatcher") for r in item.get("hostRules", [])}
    if unused:
        raise invalid_field("resource.pathMatchers", sorted(map(str, unused)), "No host rule uses it.", rule=URLS)
    for i, matcher in enumerate(item.get("pathMatchers", [])):
        for j, path_rule in enumerate(matcher.get("pathRules", [])):
            for path in path_rule.get("paths", []):
                if not re.fullmatch(r"/[^*?#]*(/\*)?|/\*", path):
                    raise invalid_field(
                        f"resource.pathMatchers[{i}].pathRules[{j}].paths", path, "Not a legal path.", rule=URLS
                    )


_SERVICE_REFS = {
    "defaultService": _SERVICES,
    "pathMatchers.defaultService": _SERVICES,
    "pathMatchers.pathRules.service": _SERVICES,
    "pathMatchers.routeRules.service": _SERVICES,
    "defaultRouteAction.weightedBackendServices.backendService": _SERVICES,
    "pathMatchers.pathRules.routeAction.weightedBackendServices.backendService": _SERVICES,
    "tests.service": _SERVICES,
}
for _name in ("urlMaps", "regionUrlMaps"):
    shape(Shape(_name, "urlMap", _SERVICE_REFS, fill=_url_map, updates=("patch", "update"), printed=True))


def _proxy(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    item.setdefault("proxyBind", False) if "region" not in item else None


def _https(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    if not item.get("sslCertificates") and not item.get("certificateMap"):
        raise missing_field("resource.sslCertificates")
    item.setdefault("quicOverride", "NONE")
    item.setdefault("tlsEarlyData", "DISABLED")


_MAPS = {"urlMap": ("urlMaps",)}
_TLS = {**_MAPS, "sslCertificates": ("sslCertificates",), "sslPolicy": ("sslPolicies",)}
shape(Shape("targetHttpProxies", "targetHttpProxy", _MAPS, needed=("urlMap",), fill=_proxy, printed=True))
shape(Shape("regionTargetHttpProxies", "targetHttpProxy", _MAPS, needed=("urlMap",), updates=()))
shape(Shape("targetHttpsProxies", "targetHttpsProxy", _TLS, needed=("urlMap",), fill=_https, printed=True))
shape(Shape("regionTargetHttpsProxies", "targetHttpsProxy", _TLS, needed=("urlMap",), fill=_https, updates=("patch",)))
for _name in ("targetHttpProxies", "regionTargetHttpProxies", "targetHttpsProxies", "regionTargetHttpsProxies"):
    setter(_name, "setUrlMap", "urlMap", ("urlMaps",))
for _name in ("targetHttpsProxies", "regionTargetHttpsProxies"):
    setter(_name, "setSslCertificates", "sslCertificates", ("sslCertificates",), many=True)
setter("targetHttpsProxies", "setSslPolicy", "sslPolicy", ("sslPolicies",))
setter("targetHttpsProxies", "setQuicOverride", "quicOverride")


def _stream(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    item.setdefault("proxyHeader", "NONE")
    service = resource(call, key_from(item["service"]))
    wanted = "SSL" if item["kind"].endswith("targetSslProxy") else "TCP"
    if service.get("protocol") not in (wanted, "TCP"):
        raise invalid_field("resource.service", item["service"], f"Its protocol is not {wanted}.", rule=BACKENDS)


_STREAMS = {"service": ("backendServices",), "sslCertificates": ("sslCertificates",), "sslPolicy": ("sslPolicies",)}
shape(Shape("targetTcpProxies", "targetTcpProxy", _STREAMS, needed=("service",), fill=_stream, updates=()))
shape(Shape("targetSslProxies", "targetSslProxy", _STREAMS, needed=("service",), fill=_stream, updates=()))
for _name in ("targetTcpProxies", "targetSslProxies"):
    setter(_name, "setBackendService", "service", ("backendServices",))
    setter(_name, "setProxyHeader", "proxyHeader")
setter("targetSslProxies", "setSslCertificates", "sslCertificates", ("sslCertificates",), many=True)


def _ports(value: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", value)
    if found is None:
        return None
    low, high = int(found.group(1)), int(found.group(2) or found.group(1))
    return (low, high) if 1 <= low <= high <= 65535 else None


_PROXIES = ("targetHttpProxies", "targetHttpsProxies", "targetTcpProxies", "targetSslProxies", "targetGrpcProxies")
_TARGETS = (*_PROXIES, "targetPools", "targetInstances", "targetVpnGateways", "serviceAttachments")


def _forwarding_rule(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    if bool(item.get("target")) == bool(item.get("backendService")):
        raise invalid_field("resource.target", item.get("target"), "Give a target or a backend service.", rule=FORWARD)
    scheme = item.setdefault("loadBalancingScheme", "EXTERNAL")
    item.setdefault("IPProtocol", "TCP")
    item.setdefault("networkTier", "PREMIUM") if scheme.startswith("EXTERNAL") else None
    for port in item.get("ports", []):
        if _ports(port) is None:
            raise invalid_field("resource.ports", port, "Not a port.", rule=FORWARD)
    if item.get("portRange"):
        found = _ports(item["portRange"])
        if found is None:
            raise invalid_field(
                "resource.portRange", item["portRange"], "Not a port or a range of ports.", rule=FORWARD
            )
        item["portRange"] = f"{found[0]}-{found[1]}"
        if last(item.get("target", "").rpartition("/")[0]) in _PROXIES and found[0] != found[1]:
            raise invalid_field("resource.portRange", item["portRange"], "A proxy takes one port.", rule=FORWARD)
    elif last(item.get("target", "").rpartition("/")[0]) in _PROXIES:
        raise missing_field("resource.portRange")
    if item.get("backendService"):
        service = resource(call, key_from(item["backendService"]))
        if service.get("loadBalancingScheme") != scheme:
            raise invalid_field(
                "resource.loadBalancingScheme", scheme, "The backend service has another scheme.", rule=FORWARD
            )
    _forwarding_network(call, item, scheme)
    if old is None or "IPAddress" not in item:
        _forwarding_address(call, item)
    _only_one(call, item)


def _forwarding_network(call: Call, item: dict[str, Any], scheme: str) -> None:
    if not scheme.startswith("INTERNAL"):
        return
    if item.get("subnetwork"):
        item["network"] = resource(call, key_from(item["subnetwork"]))["network"]
    elif not item.get("network"):
        item["network"] = reference(call, "global/networks/default", "networks", "resource.network")
    if scheme == "INTERNAL" and not item.get("ports") and not item.get("allPorts"):
        raise missing_field("resource.ports")


def _forwarding_address(call: Call, item: dict[str, Any]) -> None:
    given = item.get("IPAddress")
    internal = item["loadBalancingScheme"].startswith("INTERNAL")
    if given and "/" in given:
        found = resource(call, key_from(reference(call, given, "addresses", "resource.IPAddress")))
        item["IPAddress"] = found["address"]
    elif given:
        try:
            ipaddress.ip_address(given)
        except ValueError:
            name = f"{'/'.join(key_from(item['selfLink']).split('/')[:-2])}/addresses/{given}"
            if name not in call.world.state.compute:
                raise invalid_field("resource.IPAddress", given, "Not an IP address.", rule=FORWARD) from None
            item["IPAddress"] = call.world.state.compute[name]["address"]
    elif internal and item.get("subnetwork"):
        item["IPAddress"] = networks.free_addresses(call.world, item["subnetwork"])[0]
    else:
        item["IPAddress"] = networks.external_address(call)
    for _, address in of_kind(call.world, "addresses", call.project):
        if address.get("address") == item["IPAddress"]:
            address["users"] = sorted({*address.get("users", []), item["selfLink"]})
            address["status"] = "IN_USE"


def _only_one(call: Call, item: dict[str, Any]) -> None:
    mine = _taken_ports(item)
    for key, other in of_kind(call.world, "forwardingRules", call.project):
        same = other.get("IPAddress") == item["IPAddress"] and other.get("IPProtocol") == item["IPProtocol"]
        if (
            same
            and link(key) != item["selfLink"]
            and any(a <= d and c <= b for a, b in mine for c, d in _taken_ports(other))
        ):
            raise invalid_field(
                "resource.IPAddress",
                item["IPAddress"],
                "Specified IP address is in-use and would result in a conflict.",
                rule=TAKEN,
            )


def _taken_ports(item: dict[str, Any]) -> list[tuple[int, int]]:
    given = [_ports(p) for p in [*item.get("ports", []), item.get("portRange") or ""] if p]
    return [g for g in given if g] or [(1, 65535)]


def _free(call: Call, key: str, item: dict[str, Any]) -> None:
    for _, address in of_kind(call.world, "addresses"):
        if item["selfLink"] in address.get("users", []):
            address["users"] = [u for u in address["users"] if u != item["selfLink"]]
            if not address["users"]:
                del address["users"]
                address["status"] = "RESERVED"


_FORWARDS = {
    "target": _TARGETS,
    "backendService": ("backendServices",),
    "network": ("networks",),
    "subnetwork": ("subnetworks",),
}
_FORWARD_STAYS = frozenset({"IPAddress", "IPProtocol", "portRange", "ports", "loadBalancingScheme", "subnetwork"})
for _name in ("globalForwardingRules", "forwardingRules"):
    shape(
        Shape(
            _name,
            "forwardingRule",
            _FORWARDS,
            fill=_forwarding_rule,
            fixed=_FORWARD_STAYS,
            labels=True,
            leave=_free,
            printed=True,
        )
    )
    setter(_name, "setTarget", "target", _TARGETS)


def _pool(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    item.setdefault("sessionAffinity", "NONE")
    if bool(item.get("backupPool")) != ("failoverRatio" in item):
        raise invalid_field("resource.failoverRatio", item.get("failoverRatio"), "It goes with a backup.", rule=POOL)
    # Members need not exist yet (the provider's documentation of the type).
    item["instances"] = [
        reference(call, v, "instances", f"resource.instances[{i}]", must_exist=False)
        for i, v in enumerate(item.get("instances", []))
    ]
    for i, check in enumerate(item.get("healthChecks", [])):
        if "/httpHealthChecks/" not in check:
            raise invalid_field(f"resource.healthChecks[{i}]", check, "Only a legacy HTTP health check.", rule=POOL)


shape(
    Shape(
        "targetPools",
        "targetPool",
        {"healthChecks": _HEALTH, "backupPool": ("targetPools",)},
        fill=_pool,
        updates=(),
    )
)


def _change_pool(verb: str, member: str, sub: str, collection: str, *, add: bool) -> None:
    def put(call: Call) -> dict[str, Any]:
        key = key_of(call)
        item = resource(call, key)
        given = [
            reference(call, g[sub], collection, f"resource.{member}") for g in call.body.get(member, []) if sub in g
        ]
        now = [*item.get(member, []), *given] if add else [i for i in item.get(member, []) if i not in given]
        item[member] = list(dict.fromkeys(now))
        return operation(call, key, verb)

    handles(f"compute.targetPools.{verb}")(put)


_change_pool("addInstance", "instances", "instance", "instances", add=True)
_change_pool("removeInstance", "instances", "instance", "instances", add=False)
_change_pool("addHealthCheck", "healthChecks", "healthCheck", "httpHealthChecks", add=True)
_change_pool("removeHealthCheck", "healthChecks", "healthCheck", "httpHealthChecks", add=False)

_DOMAIN = re.compile(r"(?=.{1,253}\.?$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\.?", re.I)


def _certificate(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    managed = item.get("managed", {}).get("domains")
    kind = item.setdefault("type", "MANAGED" if managed else "SELF_MANAGED")
    if kind == "MANAGED":
        if not managed:
            raise missing_field("resource.managed.domains")
        for domain in managed:
            if not _DOMAIN.fullmatch(domain):
                raise invalid_field("resource.managed.domains", domain, "Not a legal domain name.", rule=CERTIFICATE)
        if len(managed) > 100:
            raise invalid_field("resource.managed.domains", len(managed), "At most 100 domains.", rule=CERTIFICATE)
        item["managed"] |= {"status": "PROVISIONING", "domainStatus": dict.fromkeys(managed, "PROVISIONING")}
        return
    for name in ("certificate", "privateKey"):
        if not item.get(name):
            raise missing_field(f"resource.{name}")
    if "-----BEGIN CERTIFICATE-----" not in item["certificate"]:
        raise Refusal(400, "The SSL certificate could not be parsed.", reason="sslCertificateCouldNotBeParsed")
    if "PRIVATE KEY-----" not in item["privateKey"]:
        raise Refusal(400, "The SSL key could not be parsed.", reason="sslCertificateCouldNotParsePrivateKey")
    del item["privateKey"]  # the API never gives it back, and the world does not keep it
    item["selfManaged"] = {"certificate": item["certificate"]}


shape(Shape("sslCertificates", "sslCertificate", {}, fill=_certificate, updates=()))
shape(Shape("regionSslCertificates", "sslCertificate", {}, fill=_certificate, updates=()))


def _ssl_policy(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    profile = item.setdefault("profile", "COMPATIBLE")
    item.setdefault("minTlsVersion", "TLS_1_0")
    if (profile == "CUSTOM") != bool(item.get("customFeatures")):
        raise invalid_field(
            "resource.customFeatures", item.get("customFeatures"), "With CUSTOM only.", rule=CERTIFICATE
        )
    item["enabledFeatures"] = item.get("customFeatures") or ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]


shape(Shape("sslPolicies", "sslPolicy", {}, fill=_ssl_policy, printed=True))


def _endpoint_group(call: Call, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    regional = "region" in item
    kind = item.setdefault("networkEndpointType", "SERVERLESS" if regional else "GCE_VM_IP_PORT")
    item.setdefault("size", 0)
    targets = [n for n in ("cloudRun", "appEngine", "cloudFunction", "serverlessDeployment") if item.get(n) is not None]
    if kind == "SERVERLESS" and len(targets) != 1:
        raise invalid_field("resource", targets, "A serverless group has one target.", rule=NEG)
    if kind != "SERVERLESS" and targets:
        raise invalid_field("resource.networkEndpointType", kind, "Only SERVERLESS has such a target.", rule=NEG)
    if kind in ("GCE_VM_IP_PORT", "GCE_VM_IP") and not regional and not item.get("network"):
        item["network"] = reference(call, "global/networks/default", "networks", "resource.network")
    if kind == "GCE_VM_IP" and item.get("defaultPort"):
        raise invalid_field("resource.defaultPort", item["defaultPort"], "Not for GCE_VM_IP.", rule=NEG)


_NEGS = {"network": ("networks",), "subnetwork": ("subnetworks",)}
for _name in ("networkEndpointGroups", "regionNetworkEndpointGroups"):
    shape(Shape(_name, "networkEndpointGroup", _NEGS, fill=_endpoint_group, updates=()))
