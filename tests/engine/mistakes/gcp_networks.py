"""Networks, addresses, routes, firewalls, peerings, load balancers, names."""

from __future__ import annotations

import functools
from typing import Any

import pulumi_gcp as gcp
from planted import CHECK, mistake

PROJECT = "projects/planted-mistakes"


@functools.cache
def network() -> gcp.compute.Network:
    """The network that the area shares."""
    return gcp.compute.Network("shared", auto_create_subnetworks=False)


@functools.cache
def subnet() -> gcp.compute.Subnetwork:
    """Its subnetwork."""
    return gcp.compute.Subnetwork("shared", network=network().id, ip_cidr_range="10.1.0.0/20", region="us-central1")


@functools.cache
def router() -> gcp.compute.Router:
    """Its router."""
    return gcp.compute.Router("shared", network=network().id, region="us-central1")


@functools.cache
def check() -> gcp.compute.HealthCheck:
    """A health check that the area shares."""
    return gcp.compute.HealthCheck("shared", http_health_check={"port": 80})


@functools.cache
def backend() -> gcp.compute.BackendService:
    """A backend service that the area shares."""
    return gcp.compute.BackendService("shared", protocol="HTTP", health_checks=check().id)


@functools.cache
def urls() -> gcp.compute.URLMap:
    """A URL map that the area shares."""
    return gcp.compute.URLMap("shared", default_service=backend().id)


@functools.cache
def proxy() -> gcp.compute.TargetHttpProxy:
    """A proxy that the area shares."""
    return gcp.compute.TargetHttpProxy("shared", url_map=urls().id)


@functools.cache
def zone() -> gcp.dns.ManagedZone:
    """A zone of names that the area shares."""
    return gcp.dns.ManagedZone("shared", dns_name="example.com.")


SUBNETS = "vpc/docs/subnets"


@mistake(
    "network-with-a-tiny-mtu", source="discovery: Network.mtu", code="invalid", operation="compute.networks.insert"
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Network(n, auto_create_subnetworks=False, mtu=1000 if wrong else 1500)


@mistake("subnet-that-overlaps", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    cidr = "10.1.8.0/24" if wrong else "10.2.0.0/24"
    gcp.compute.Subnetwork(n, network=subnet().network, ip_cidr_range=cidr, region="us-central1")


@mistake("subnet-with-host-bits", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    cidr = "10.3.0.1/24" if wrong else "10.3.0.0/24"
    gcp.compute.Subnetwork(n, network=network().id, ip_cidr_range=cidr, region="us-central1")


@mistake("subnet-that-is-too-small", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    cidr = "10.4.0.0/30" if wrong else "10.4.0.0/29"
    gcp.compute.Subnetwork(n, network=network().id, ip_cidr_range=cidr, region="us-central1")


@mistake("subnet-of-a-region-that-is-none", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    region = "us-middle9" if wrong else "us-west4"
    gcp.compute.Subnetwork(n, network=network().id, ip_cidr_range="10.5.0.0/24", region=region)


@mistake("subnet-in-a-forbidden-range", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    cidr = "169.254.1.0/24" if wrong else "10.6.0.0/24"
    gcp.compute.Subnetwork(n, network=network().id, ip_cidr_range=cidr, region="us-central1")


@mistake("subnet-of-a-network-that-is-none", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    where = f"{PROJECT}/global/networks/nothing" if wrong else network().id
    gcp.compute.Subnetwork(n, network=where, ip_cidr_range="10.7.0.0/24", region="us-central1")


@mistake("secondary-range-that-overlaps", source=SUBNETS, code="invalid", operation="compute.subnetworks.insert")
def _(n: str, wrong: bool) -> None:
    second = "10.8.0.0/25" if wrong else "10.9.0.0/24"
    gcp.compute.Subnetwork(
        n,
        network=network().id,
        ip_cidr_range="10.8.0.0/24",
        region="us-central1",
        secondary_ip_ranges=[{"range_name": "pods", "ip_cidr_range": second}],
    )


@mistake(
    "firewall-port-that-is-none",
    source="docs.cloud.google.com/firewall/docs",
    code="invalid",
    operation="compute.firewalls.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Firewall(
        n,
        network=network().id,
        allows=[{"protocol": "tcp", "ports": ["99999" if wrong else "80"]}],
        source_ranges=["10.0.0.0/8"],
    )


@mistake(
    "firewall-range-that-is-none",
    source="docs.cloud.google.com/firewall/docs",
    code="invalid",
    operation="compute.firewalls.insert",
)
def _(n: str, wrong: bool) -> None:
    ranges = ["10.0.0.0/40" if wrong else "10.0.0.0/8"]
    gcp.compute.Firewall(n, network=network().id, allows=[{"protocol": "tcp"}], source_ranges=ranges)


@mistake(
    "firewall-that-allows-and-denies",
    source="Google provider: compute_firewall",
    code="conflicts with",
    operation=CHECK,
    property="allows",
)
def _(n: str, wrong: bool) -> None:
    more: dict[str, Any] = {"denies": [{"protocol": "udp"}]} if wrong else {}
    gcp.compute.Firewall(n, network=network().id, allows=[{"protocol": "tcp"}], source_ranges=["10.0.0.0/8"], **more)


@mistake(
    "route-without-a-next-hop",
    source="docs.cloud.google.com/vpc/docs/routes",
    code="invalid",
    operation="compute.routes.insert",
)
def _(n: str, wrong: bool) -> None:
    hop = {} if wrong else {"next_hop_gateway": "default-internet-gateway"}
    gcp.compute.Route(n, network=network().id, dest_range="192.0.2.0/24", **hop)


@mistake(
    "router-with-a-public-asn",
    source="docs.cloud.google.com/network-connectivity/docs/router",
    code="invalid",
    operation="compute.routers.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Router(n, network=network().id, region="us-central1", bgp={"asn": 3320 if wrong else 64514})


@mistake(
    "nat-by-hand-without-addresses",
    source="docs.cloud.google.com/nat/docs",
    code="invalid",
    operation="compute.routers.patch",
)
def _(n: str, wrong: bool) -> None:
    address = gcp.compute.Address(f"{n}-right", region="us-central1")
    gcp.compute.RouterNat(
        n,
        router=router().name,
        region="us-central1",
        nat_ip_allocate_option="MANUAL_ONLY",
        nat_ips=[] if wrong else [address.self_link],
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    )


@mistake(
    "internal-address-outside-its-subnet",
    source="docs.cloud.google.com/compute/docs/ip-addresses",
    code="invalid",
    operation="compute.addresses.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.Address(
        n,
        region="us-central1",
        address_type="INTERNAL",
        subnetwork=subnet().id,
        address="10.99.0.9" if wrong else "10.1.0.9",
    )


@mistake(
    "peering-with-itself",
    source="docs.cloud.google.com/vpc/docs/vpc-peering",
    code="invalid",
    operation="compute.networks.addPeering",
)
def _(n: str, wrong: bool) -> None:
    other = gcp.compute.Network(f"{n}-other", auto_create_subnetworks=False)
    there = network().self_link if wrong else other.self_link
    gcp.compute.NetworkPeering(n, network=network().self_link, peer_network=there)


@mistake(
    "peering-of-overlapping-networks",
    source="docs.cloud.google.com/vpc/docs/vpc-peering",
    code="invalid",
    operation="compute.networks.addPeering",
)
def _(n: str, wrong: bool) -> None:
    other = gcp.compute.Network(f"{n}-other", auto_create_subnetworks=False)
    theirs = gcp.compute.Subnetwork(
        f"{n}-other", network=other.id, ip_cidr_range="10.1.0.0/24" if wrong else "10.90.0.0/24", region="us-central1"
    )
    gcp.compute.NetworkPeering(n, network=subnet().network, peer_network=theirs.network)


@mistake(
    "check-slower-than-its-interval",
    source="docs.cloud.google.com/load-balancing/docs/health-checks",
    code="invalid",
    operation="compute.healthChecks.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.HealthCheck(n, check_interval_sec=5, timeout_sec=10 if wrong else 5, tcp_health_check={"port": 80})


@mistake(
    "check-of-two-kinds",
    source="Google provider: compute_health_check",
    code="only one of",
    operation=CHECK,
    property="httpHealthCheck",
)
def _(n: str, wrong: bool) -> None:
    more: dict[str, Any] = {"http_health_check": {"port": 80}} if wrong else {}
    gcp.compute.HealthCheck(n, tcp_health_check={"port": 80}, **more)


@mistake(
    "backend-of-a-group-that-is-none",
    source="docs.cloud.google.com/load-balancing/docs",
    code="invalid",
    operation="compute.backendServices.insert",
)
def _(n: str, wrong: bool) -> None:
    made = gcp.compute.InstanceGroup(f"{n}-right", zone="us-central1-a", network=network().id)
    nothing = f"{PROJECT}/zones/us-central1-a/instanceGroups/nothing"
    gcp.compute.BackendService(
        n, protocol="HTTP", health_checks=check().id, backends=[{"group": nothing if wrong else made.id}]
    )


@mistake(
    "backend-without-a-health-check",
    source="docs.cloud.google.com/load-balancing/docs",
    code="required",
    operation="compute.backendServices.insert",
)
def _(n: str, wrong: bool) -> None:
    made = gcp.compute.InstanceGroup(f"{n}-right", zone="us-central1-a", network=network().id)
    more: dict[str, Any] = {} if wrong else {"health_checks": check().id}
    gcp.compute.BackendService(n, protocol="HTTP", backends=[{"group": made.id}], **more)


@mistake(
    "internal-backend-of-http",
    source="docs.cloud.google.com/load-balancing/docs/internal",
    code="invalid",
    operation="compute.regionBackendServices.insert",
)
def _(n: str, wrong: bool) -> None:
    made = gcp.compute.RegionHealthCheck(f"{n}-right", region="us-central1", tcp_health_check={"port": 80})
    gcp.compute.RegionBackendService(
        n,
        region="us-central1",
        load_balancing_scheme="INTERNAL",
        protocol="HTTP" if wrong else "TCP",
        health_checks=made.id,
    )


@mistake(
    "bucket-behind-a-balancer-that-is-none",
    source="docs.cloud.google.com/load-balancing/docs/https/backend-bucket",
    code="invalid",
    operation="compute.backendBuckets.insert",
)
def _(n: str, wrong: bool) -> None:
    bucket = gcp.storage.Bucket(f"{n}-right", location="US")
    gcp.compute.BackendBucket(n, bucket_name="no-such-bucket-at-all" if wrong else bucket.name)


@mistake(
    "url-map-without-its-matcher",
    source="docs.cloud.google.com/load-balancing/docs/url-map-concepts",
    code="invalid",
    operation="compute.urlMaps.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.URLMap(
        n,
        default_service=backend().id,
        host_rules=[{"hosts": ["*"], "path_matcher": "nothing" if wrong else "all"}],
        path_matchers=[{"name": "all", "default_service": backend().id}],
    )


@mistake(
    "url-map-to-a-service-that-is-none",
    source="docs.cloud.google.com/load-balancing/docs/url-map-concepts",
    code="invalid",
    operation="compute.urlMaps.insert",
)
def _(n: str, wrong: bool) -> None:
    nothing = f"{PROJECT}/global/backendServices/nothing"
    gcp.compute.URLMap(n, default_service=nothing if wrong else backend().id)


@mistake(
    "proxy-without-certificates",
    source="docs.cloud.google.com/load-balancing/docs/target-proxies",
    code="required",
    operation="compute.targetHttpsProxies.insert",
)
def _(n: str, wrong: bool) -> None:
    made = gcp.compute.ManagedSslCertificate(f"{n}-right", managed={"domains": ["www.example.com"]})
    gcp.compute.TargetHttpsProxy(n, url_map=urls().id, ssl_certificates=[] if wrong else [made.id])


@mistake(
    "rule-to-a-target-of-the-wrong-kind",
    source="docs.cloud.google.com/load-balancing/docs/forwarding-rule-concepts",
    code="invalid",
    operation="compute.globalForwardingRules.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.GlobalForwardingRule(n, target=urls().id if wrong else proxy().id, port_range="80")


@mistake(
    "rule-of-several-ports-to-a-proxy",
    source="docs.cloud.google.com/load-balancing/docs/forwarding-rule-concepts",
    code="invalid",
    operation="compute.globalForwardingRules.insert",
)
def _(n: str, wrong: bool) -> None:
    gcp.compute.GlobalForwardingRule(n, target=proxy().id, port_range="80-90" if wrong else "80")


@mistake(
    "rule-on-a-taken-address",
    source="docs.cloud.google.com/load-balancing/docs/forwarding-rule-concepts",
    code="invalid",
    operation="compute.globalForwardingRules.insert",
)
def _(n: str, wrong: bool) -> None:
    address = gcp.compute.GlobalAddress(f"{n}-right")
    first = gcp.compute.GlobalForwardingRule(
        f"{n}-first", target=proxy().id, ip_address=address.address, port_range="80"
    )
    gcp.compute.GlobalForwardingRule(
        n, target=proxy().id, ip_address=first.ip_address, port_range="80" if wrong else "8080"
    )


@mistake(
    "certificate-that-is-none",
    source="docs.cloud.google.com/load-balancing/docs/ssl-certificates",
    code="sslCertificateCouldNotBeParsed",
    operation="compute.sslCertificates.insert",
)
def _(n: str, wrong: bool) -> None:
    pem = "hello" if wrong else "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
    key = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"
    gcp.compute.SSLCertificate(n, certificate=pem, private_key=key)


@mistake(
    "policy-rule-of-no-address",
    source="docs.cloud.google.com/armor/docs/security-policy-overview",
    code="invalid",
    operation="compute.securityPolicies.insert",
)
def _(n: str, wrong: bool) -> None:
    def rule(priority: int, source: str, action: str) -> dict[str, Any]:
        match = {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": [source]}}
        return {"priority": priority, "action": action, "match": match}

    rules = [rule(1000, "10.0.0.0/99" if wrong else "10.0.0.0/8", "deny(403)"), rule(2147483647, "*", "allow")]
    gcp.compute.SecurityPolicy(n, rules=rules)


@mistake(
    "record-outside-its-zone",
    source="docs.cloud.google.com/dns/docs/records",
    code="invalid",
    operation="dns.changes.create",
)
def _(n: str, wrong: bool) -> None:
    name = "www.example.org." if wrong else "www.example.com."
    gcp.dns.RecordSet(n, managed_zone=zone().name, name=name, type="A", ttl=300, rrdatas=["203.0.113.9"])


@mistake(
    "record-with-data-of-another-type",
    source="docs.cloud.google.com/dns/docs/records",
    code="invalid",
    operation="dns.changes.create",
)
def _(n: str, wrong: bool) -> None:
    data = "not-an-address" if wrong else "203.0.113.8"
    gcp.dns.RecordSet(n, managed_zone=zone().name, name="a.example.com.", type="A", ttl=300, rrdatas=[data])


@mistake(
    "zone-without-its-dot",
    source="docs.cloud.google.com/dns/docs/zones",
    code="invalid",
    operation="dns.managedZones.create",
)
def _(n: str, wrong: bool) -> None:
    gcp.dns.ManagedZone(n, dns_name="example.net" if wrong else "example.net.")
