"""Each Pulumi type: what create makes, read tells; update changes it in place; delete takes it away."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gcp_lives
import pytest
from gcp_bench import PROJECT, Bench, Made, refusal
from gcp_lives import COMPUTE, GRANTED, MANAGED, NUMBERED, Life, Step

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types import INVOKES, REGISTRY, groups
from simcloud.gcp.types.base import respelled
from simcloud.provider.servicer import CreatedButNotReadyError

P = f"projects/{PROJECT}"
LINK = "https://www.googleapis.com/compute/v1/"
KEY = f"{P}/locations/us-west4/keyRings/ring/cryptoKeys/key"
EMAIL = f"trainer@{PROJECT}.iam.gserviceaccount.com"
AGENT = "serviceAccount:service-678117860693@gs-project-accounts.iam.gserviceaccount.com"
BOOT = {"initializeParams": {"image": "debian-cloud/debian-12", "size": 20, "type": "pd-balanced"}}
NIC = [{"subnetwork": f"{LINK}{P}/regions/us-west4/subnetworks/sub"}]
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

NETWORK: Step = ("gcp:compute/network:Network", {"name": "net", "autoCreateSubnetworks": False})
SUBNET: Step = (
    "gcp:compute/subnetwork:Subnetwork",
    {"name": "sub", "network": f"{P}/global/networks/net", "region": "us-west4", "ipCidrRange": "10.60.0.0/20"},
)
ROUTER: Step = ("gcp:compute/router:Router", {"name": "router", "network": "net", "region": "us-west4"})
ACCOUNT: Step = ("gcp:serviceaccount/account:Account", {"accountId": "trainer"})
RING: Step = ("gcp:kms/keyRing:KeyRing", {"name": "ring", "location": "us-west4"})
CRYPTO: Step = ("gcp:kms/cryptoKey:CryptoKey", {"name": "key", "keyRing": f"{P}/locations/us-west4/keyRings/ring"})
BUCKET: Step = ("gcp:storage/bucket:Bucket", {"name": "bkt", "location": "US-WEST4", "uniformBucketLevelAccess": True})
TEMPLATE: Step = (
    "gcp:compute/instanceTemplate:InstanceTemplate",
    {
        "name": "t",
        "machineType": "n2-standard-4",
        "disks": [{"sourceImage": "debian-cloud/debian-12", "boot": True}],
        "networkInterfaces": NIC,
    },
)
SECOND_TEMPLATE: Step = (TEMPLATE[0], {**TEMPLATE[1], "name": "t2"})
REGION_TEMPLATE: Step = (
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
    {**TEMPLATE[1], "region": "us-west4"},
)
CHECK: Step = ("gcp:compute/healthCheck:HealthCheck", {"name": "hc", "tcpHealthCheck": {"port": 22}})
DISK: Step = ("gcp:compute/disk:Disk", {"name": "d", "zone": "us-west4-a", "size": 100, "type": "pd-ssd"})


LIVES: list[Life] = [
    Life(
        *NETWORK,
        f"{P}/global/networks/net",
        {"selfLink": f"{LINK}{P}/global/networks/net", "mtu": 1460, "routingMode": "REGIONAL"},
        updates=[{"routingMode": "GLOBAL"}, {"networkFirewallPolicyEnforcementOrder": "BEFORE_CLASSIC_FIREWALL"}],
    ),
    Life(
        *SUBNET,
        f"{P}/regions/us-west4/subnetworks/sub",
        {"gatewayAddress": "10.60.0.1", "network": f"{LINK}{P}/global/networks/net", "stackType": "IPV4_ONLY"},
        before=[NETWORK],
        updates=[
            {"privateIpGoogleAccess": True},
            {"ipCidrRange": "10.60.0.0/19"},
            {"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.80.0.0/16"}]},
            {"secondaryIpRanges": None},
            {
                "logConfig": {
                    "flowSampling": 0.25,
                    "aggregationInterval": "INTERVAL_1_MIN",
                    "metadata": "EXCLUDE_ALL_METADATA",
                }
            },
            {"logConfig": None},
        ],
    ),
    Life(
        ROUTER[0],
        {**ROUTER[1], "bgp": {"asn": 64514}},
        f"{P}/regions/us-west4/routers/router",
        {"bgp": {"asn": 64514, "advertiseMode": "DEFAULT", "keepaliveInterval": 20}},
        before=[NETWORK],
        updates=[{"description": "out"}, {"bgp": {"asn": 64515, "advertiseMode": "DEFAULT", "keepaliveInterval": 40}}],
    ),
    Life(
        "gcp:compute/routerNat:RouterNat",
        {
            "name": "nat",
            "router": "router",
            "region": "us-west4",
            "natIpAllocateOption": "AUTO_ONLY",
            "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        },
        f"{PROJECT}/us-west4/router/nat",
        {"udpIdleTimeoutSec": 30, "endpointTypes": ["ENDPOINT_TYPE_VM"], "type": "PUBLIC"},
        before=[NETWORK, SUBNET, ROUTER],
        updates=[
            {"minPortsPerVm": 128},
            {"udpIdleTimeoutSec": 60},
            {"logConfig": {"enable": True, "filter": "ERRORS_ONLY"}},
            {
                "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS",
                "subnetworks": [
                    {"name": f"{P}/regions/us-west4/subnetworks/sub", "sourceIpRangesToNats": ["ALL_IP_RANGES"]}
                ],
            },
        ],
    ),
    Life(
        "gcp:compute/firewall:Firewall",
        {
            "name": "iap",
            "network": "net",
            "allows": [{"protocol": "tcp", "ports": ["22"]}],
            "sourceRanges": ["35.235.240.0/20"],
            "targetTags": ["ssh"],
        },
        f"{P}/global/firewalls/iap",
        {"direction": "INGRESS", "priority": 1000, "disabled": False},
        before=[NETWORK],
        updates=[
            {"priority": 900},
            {"sourceRanges": ["10.0.0.0/8", "35.235.240.0/20"]},
            {"allows": [{"protocol": "tcp", "ports": ["22", "80-90"]}, {"protocol": "icmp"}]},
            {"targetTags": None},
            {"disabled": True},
            {"logConfig": {"metadata": "INCLUDE_ALL_METADATA"}},
            {"logConfig": None},
        ],
    ),
    Life(
        "gcp:compute/route:Route",
        {
            "name": "googleapis",
            "network": "net",
            "destRange": "199.36.153.8/30",
            "nextHopGateway": "default-internet-gateway",
        },
        f"{P}/global/routes/googleapis",
        {"priority": 1000, "nextHopGateway": "default-internet-gateway"},
        before=[NETWORK],
    ),
    Life(
        "gcp:compute/address:Address",
        {"name": "nat-ip", "region": "us-west4"},
        f"{P}/regions/us-west4/addresses/nat-ip",
        {"addressType": "EXTERNAL", "networkTier": "PREMIUM", "users": []},
        updates=[{"labels": {"owner": "me"}}, {"labels": {"owner": "you", "pool": "train"}}, {"labels": None}],
    ),
    Life(
        "gcp:compute/globalAddress:GlobalAddress",
        {"name": "front"},
        f"{P}/global/addresses/front",
        {"address": "203.0.113.1"},
    ),
    Life(
        *DISK,
        f"{P}/zones/us-west4-a/disks/d",
        {"size": 100, "type": "pd-ssd", "physicalBlockSizeBytes": 4096, "users": []},
        updates=[{"size": 200}, {"labels": {"a": "b"}}],
    ),
    Life(
        "gcp:compute/instance:Instance",
        {
            "name": "vm",
            "zone": "us-west4-a",
            "machineType": "e2-standard-4",
            "bootDisk": BOOT,
            "networkInterfaces": NIC,
            "tags": ["ssh"],
            "metadata": {"enable-oslogin": "TRUE"},
            "serviceAccount": {"email": EMAIL, "scopes": ["cloud-platform"]},
            "allowStoppingForUpdate": True,
            "labels": {"role": "control"},
        },
        f"{P}/zones/us-west4-a/instances/vm",
        {"currentStatus": "RUNNING", "machineType": "e2-standard-4", "metadata": {"enable-oslogin": "TRUE"}},
        before=[NETWORK, SUBNET, ACCOUNT, DISK],
        updates=[
            {"labels": {"role": "login"}},
            {"tags": ["ssh", "web"]},
            {"metadata": {"enable-oslogin": "FALSE", "a": "b"}},
            {"machineType": "e2-standard-8"},
            {"deletionProtection": True},
            {"deletionProtection": False},
            {"desiredStatus": "TERMINATED"},
            {"desiredStatus": "RUNNING"},
        ],
    ),
    Life(
        TEMPLATE[0],
        {
            **TEMPLATE[1],
            "serviceAccount": {"email": EMAIL, "scopes": ["cloud-platform"]},
            "labels": {"pool": "train"},
            "metadataStartupScript": "echo",
            "scheduling": {
                "preemptible": True,
                "provisioningModel": "SPOT",
                "automaticRestart": False,
                "onHostMaintenance": "TERMINATE",
            },
        },
        f"{P}/global/instanceTemplates/t",
        {
            "machineType": "n2-standard-4",
            "serviceAccount": {"email": EMAIL, "scopes": SCOPES},
            "metadataStartupScript": "echo",
        },
        before=[NETWORK, SUBNET, ACCOUNT],
    ),
    Life(
        *REGION_TEMPLATE,
        f"{P}/regions/us-west4/instanceTemplates/t",
        {"region": "us-west4", "canIpForward": False},
        before=[NETWORK, SUBNET],
    ),
    Life(
        "gcp:compute/instanceGroupManager:InstanceGroupManager",
        {
            "name": "g",
            "zone": "us-west4-a",
            "baseInstanceName": "train",
            "targetSize": 2,
            "versions": [{"instanceTemplate": f"{P}/global/instanceTemplates/t"}],
            "waitForInstances": True,
        },
        f"{P}/zones/us-west4-a/instanceGroupManagers/g",
        {"instanceGroup": f"{LINK}{P}/zones/us-west4-a/instanceGroups/g", "waitForInstances": True},
        before=[NETWORK, SUBNET, TEMPLATE, SECOND_TEMPLATE, CHECK],
        updates=[
            {"targetSize": 3},
            {"versions": [{"instanceTemplate": f"{LINK}{P}/global/instanceTemplates/t2"}]},
            {
                "updatePolicy": {
                    "type": "OPPORTUNISTIC",
                    "minimalAction": "REPLACE",
                    "maxSurgeFixed": 0,
                    "maxUnavailableFixed": 2,
                }
            },
            {
                "updatePolicy": {
                    "type": "PROACTIVE",
                    "minimalAction": "REPLACE",
                    "maxSurgePercent": 20,
                    "maxUnavailablePercent": 30,
                }
            },
            {"autoHealingPolicies": {"healthCheck": f"{P}/global/healthChecks/hc", "initialDelaySec": 300}},
            {"autoHealingPolicies": None},
            {"namedPorts": [{"name": "ssh", "port": 22}]},
        ],
    ),
    Life(
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        {
            "name": "g",
            "region": "us-west4",
            "baseInstanceName": "train",
            "targetSize": 2,
            "distributionPolicyZones": ["us-west4-a", "us-west4-b"],
            "versions": [{"instanceTemplate": f"{P}/regions/us-west4/instanceTemplates/t"}],
        },
        f"{P}/regions/us-west4/instanceGroupManagers/g",
        {"distributionPolicyZones": ["us-west4-a", "us-west4-b"], "distributionPolicyTargetShape": "EVEN"},
        before=[NETWORK, SUBNET, REGION_TEMPLATE],
        updates=[{"targetSize": 4}],
    ),
    Life(
        "gcp:compute/resourcePolicy:ResourcePolicy",
        {"name": "compact", "region": "us-west4", "groupPlacementPolicy": {"collocation": "COLLOCATED", "vmCount": 4}},
        f"{P}/regions/us-west4/resourcePolicies/compact",
        {"groupPlacementPolicy": {"collocation": "COLLOCATED", "vmCount": 4}},
    ),
    Life(
        *CHECK,
        f"{P}/global/healthChecks/hc",
        {"type": "TCP", "checkIntervalSec": 5},
        updates=[
            {"checkIntervalSec": 30, "timeoutSec": 10},
            {"tcpHealthCheck": None, "httpHealthCheck": {"port": 80, "requestPath": "/ok", "proxyHeader": "NONE"}},
        ],
    ),
    Life(
        "gcp:storage/bucket:Bucket",
        {
            **BUCKET[1],
            "versioning": {"enabled": True},
            "publicAccessPrevention": "enforced",
            "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 30, "withState": "ARCHIVED"}}],
            "encryption": {"defaultKmsKeyName": KEY},
        },
        "bkt",
        {"url": "gs://bkt", "selfLink": "https://www.googleapis.com/storage/v1/b/bkt", "storageClass": "STANDARD"},
        before=[
            RING,
            CRYPTO,
            (
                "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
                {"cryptoKeyId": KEY, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": AGENT},
            ),
        ],
        updates=[
            {"versioning": {"enabled": False}},
            {"labels": {"owner": "me"}},
            {"storageClass": "NEARLINE"},
            {
                "lifecycleRules": [
                    {
                        "action": {"type": "SetStorageClass", "storageClass": "ARCHIVE"},
                        "condition": {"age": 365, "withState": "ANY"},
                    }
                ]
            },
            {"lifecycleRules": None},
            {"publicAccessPrevention": "inherited"},
            {"encryption": None},
            {"labels": None},
        ],
    ),
    Life(
        "gcp:storage/bucketObject:BucketObject",
        {"bucket": "bkt", "name": "a/b.txt", "content": "hello", "contentType": "text/plain"},
        "bkt-a/b.txt",
        {"md5hash": "XUFAKrxLKna5cZ2REBfFkg==", "md5hexhash": "5d41402abc4b2a76b9719d911017c592", "crc32c": "mnG7TA=="},
        before=[BUCKET],
        updates=[{"content": "other"}, {"eventBasedHold": True}, {"eventBasedHold": None}],
    ),
    Life(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        {"bucket": "bkt", "role": "roles/storage.objectUser", "member": f"serviceAccount:{EMAIL}"},
        f"b/bkt/roles/storage.objectUser/serviceAccount:{EMAIL}",
        {"bucket": "b/bkt"},
        before=[BUCKET, ACCOUNT],
    ),
    Life(
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        {"bucket": "bkt", "role": "roles/storage.objectViewer", "members": [f"serviceAccount:{EMAIL}"]},
        "b/bkt/roles/storage.objectViewer",
        {"bucket": "b/bkt"},
        before=[BUCKET, ACCOUNT],
        updates=[{"members": [f"serviceAccount:{EMAIL}", "user:a@example.com"]}],
    ),
    Life(
        ACCOUNT[0],
        {**ACCOUNT[1], "displayName": "Trainer"},
        f"{P}/serviceAccounts/{EMAIL}",
        {"email": EMAIL, "member": f"serviceAccount:{EMAIL}", "name": f"{P}/serviceAccounts/{EMAIL}"},
        updates=[{"displayName": "Other"}, {"description": "trains"}, {"disabled": True}, {"disabled": False}],
    ),
    Life(
        "gcp:serviceaccount/iAMMember:IAMMember",
        {
            "serviceAccountId": f"{P}/serviceAccounts/{EMAIL}",
            "role": "roles/iam.serviceAccountUser",
            "member": "user:a@example.com",
        },
        f"{P}/serviceAccounts/{EMAIL}/roles/iam.serviceAccountUser/user:a@example.com",
        {},
        before=[ACCOUNT],
    ),
    Life(
        "gcp:projects/iAMMember:IAMMember",
        {
            "project": PROJECT,
            "role": "roles/logging.logWriter",
            "member": f"serviceAccount:{EMAIL}",
            "condition": {"title": "soon", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"},
        },
        f"{PROJECT}/roles/logging.logWriter/serviceAccount:{EMAIL}/soon",
        {"role": "roles/logging.logWriter"},
        before=[ACCOUNT],
    ),
    Life(*RING, f"{P}/locations/us-west4/keyRings/ring", {"project": PROJECT}, stays=True),
    Life(
        CRYPTO[0],
        {**CRYPTO[1], "rotationPeriod": "7776000s"},
        KEY,
        {"purpose": "ENCRYPT_DECRYPT", "primaries": [{"name": f"{KEY}/cryptoKeyVersions/1", "state": "ENABLED"}]},
        before=[RING],
        updates=[{"rotationPeriod": "8640000s"}, {"labels": {"a": "b"}}, {"rotationPeriod": None}],
        stays=True,
    ),
    Life(
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        {"cryptoKeyId": KEY, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": AGENT},
        f"{KEY}/roles/cloudkms.cryptoKeyEncrypterDecrypter/{AGENT}",
        {"cryptoKeyId": KEY},
        before=[RING, CRYPTO],
    ),
    Life(
        "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
        {
            "keyRingId": f"{P}/locations/us-west4/keyRings/ring",
            "role": "roles/cloudkms.viewer",
            "member": "user:a@example.com",
        },
        f"{P}/locations/us-west4/keyRings/ring/roles/cloudkms.viewer/user:a@example.com",
        {},
        before=[RING],
    ),
    Life(
        "gcp:tpu/v2Vm:V2Vm",
        {
            "name": "slice",
            "zone": "us-west4-a",
            "runtimeVersion": "v2-alpha-tpuv5-lite",
            "acceleratorConfig": {"type": "V5LITE_POD", "topology": "4x4"},
            "networkConfig": {
                "network": f"{P}/global/networks/net",
                "subnetwork": f"{P}/regions/us-west4/subnetworks/sub",
            },
            "serviceAccount": {"email": EMAIL, "scopes": SCOPES},
            "schedulingConfig": {"spot": True},
            "metadata": {"startup-script": "echo"},
            "labels": {"pool": "train"},
        },
        f"{P}/locations/us-west4-a/nodes/slice",
        {
            "acceleratorType": "v5litepod-16",
            "state": "READY",
            "health": "HEALTHY",
            "networkEndpoints": [
                {"ipAddress": f"10.60.0.{n}", "port": 8470, "accessConfigs": []} for n in (2, 3, 4, 5)
            ],
        },
        before=[NETWORK, SUBNET, ACCOUNT],
        updates=[
            {"description": "for training"},
            {"labels": {"pool": "serve"}},
            {"tags": ["tpu"]},
            {"metadata": {"startup-script": "true"}},
            {"metadata": None},
        ],
    ),
    Life(
        "gcp:tpu/v2QueuedResource:V2QueuedResource",
        {
            "name": "queue",
            "zone": "us-west4-a",
            "tpu": {
                "nodeSpecs": [
                    {
                        "parent": f"{P}/locations/us-west4-a",
                        "nodeId": "queued",
                        "node": {
                            "runtimeVersion": "v2-alpha-tpuv5-lite",
                            "acceleratorType": "v5litepod-4",
                            "networkConfig": {
                                "network": f"{P}/global/networks/net",
                                "subnetwork": f"{P}/regions/us-west4/subnetworks/sub",
                            },
                        },
                    }
                ]
            },
        },
        f"{P}/locations/us-west4-a/queuedResources/queue",
        {"project": PROJECT},
        before=[NETWORK, SUBNET],
    ),
]


LIVES += [*COMPUTE, *MANAGED, *GRANTED]


def test_every_type_has_a_life() -> None:
    assert {life.token for life in LIVES} | {step[0] for step, *_ in NUMBERED} == set(REGISTRY)


@pytest.mark.parametrize(("step", "form", "before", "change"), NUMBERED, ids=[n[0][0].split(":")[-1] for n in NUMBERED])
def test_the_life_of_a_resource_that_the_service_names(
    step: Step,
    form: str,
    before: list[Step],
    change: dict[str, Any],
    cloud: GcpClient,
    make: Callable[..., Made],
) -> None:
    for token, inputs in before:
        make(token, **inputs)
    kind = REGISTRY[step[0]]
    made = make(step[0], **step[1])
    assert re.fullmatch(form, made.id)
    assert kind.read(cloud, made.id, made.state) == made.state, "a refresh finds what create left"
    reached(step[1], made.state)
    if change:
        new = {**made.inputs, **change}
        assert not kind.replaces(made.inputs, new, frozenset(change))
        kind.update(cloud, made.id, made.inputs, new)
        state = kind.read(cloud, made.id, {**made.state, **new})
        assert state is not None
        reached(change, state)
    kind.delete(cloud, made.id, made.state)
    kind.delete(cloud, made.id, made.state)  # once more is no error
    assert kind.read(cloud, made.id, made.state) is None


@pytest.mark.parametrize(
    "life", LIVES, ids=[life.token.rpartition(":")[2] + "-" + life.token.split("/")[0][4:] for life in LIVES]
)
def test_the_life_of_a_resource(life: Life, cloud: GcpClient, make: Callable[..., Made]) -> None:
    for token, inputs in life.before:
        make(token, **inputs)
    kind = REGISTRY[life.token]
    made = make(life.token, **life.inputs)
    assert made.id == life.id
    assert made.state["id"] == life.id
    assert {n: made.state.get(n) for n in life.says} == life.says
    assert kind.read(cloud, made.id, made.state) == made.state, "a refresh finds what create left"
    reached(life.inputs, made.state)

    old = made.inputs
    for change in life.updates:
        new = {n: v for n, v in {**old, **change}.items() if v is not None}
        assert not kind.replaces(old, new, frozenset(change)), f"{change} replaces"
        kind.update(cloud, made.id, old, new)
        state = kind.read(cloud, made.id, {**made.state, **new, **{n: None for n in change if n not in new}})
        assert state is not None
        reached({n: v for n, v in change.items() if v is not None}, state)
        for name in (n for n, v in change.items() if v is None):
            assert state.get(name) in (None, {}, []), f"{name} should be gone"
        old = new

    kind.delete(cloud, made.id, {**made.state, **old})
    kind.delete(cloud, made.id, {**made.state, **old})  # once more is no error
    assert (kind.read(cloud, made.id, made.state) is None) != life.stays


def reached(wanted: dict[str, Any], state: dict[str, Any]) -> None:
    """Every input stands in the state, in the provider's spelling."""
    for name, value in wanted.items():
        assert name in state, name
        assert same(value, state[name]), f"{name}: {value} is not {state[name]}"


def same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(k in found and same(v, found[k]) for k, v in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        if all(isinstance(v, str) for v in wanted):
            return {spelling(v) for v in wanted} == {spelling(v) for v in found}
        return len(wanted) == len(found) and all(same(a, b) for a, b in zip(wanted, found, strict=True))
    if isinstance(wanted, str) and isinstance(found, str):
        a, b = spelling(wanted), spelling(found)
        return a == b or b.endswith("/" + a) or "debian-12" in a
    return bool(wanted == found)


def spelling(value: str) -> str:
    scope = {"cloud-platform": SCOPES[0]}
    return scope.get(value, value).removeprefix(LINK)


IMPORTS = [
    ("gcp:compute/network:Network", "net", f"{P}/global/networks/net"),
    ("gcp:compute/network:Network", f"{PROJECT}/net", f"{P}/global/networks/net"),
    ("gcp:compute/subnetwork:Subnetwork", "us-west4/sub", f"{P}/regions/us-west4/subnetworks/sub"),
    (
        "gcp:compute/subnetwork:Subnetwork",
        f"{LINK}{P}/regions/us-west4/subnetworks/sub",
        f"{P}/regions/us-west4/subnetworks/sub",
    ),
    ("gcp:serviceaccount/account:Account", EMAIL, f"{P}/serviceAccounts/{EMAIL}"),
    ("gcp:storage/bucket:Bucket", f"{PROJECT}/bkt", "bkt"),
    ("gcp:kms/keyRing:KeyRing", "us-west4/ring", f"{P}/locations/us-west4/keyRings/ring"),
    (
        "gcp:projects/iAMMember:IAMMember",
        f"{PROJECT} roles/viewer user:a@example.com",
        f"{PROJECT}/roles/viewer/user:a@example.com",
    ),
]


@pytest.mark.parametrize(("token", "given", "full"), IMPORTS)
def test_an_import_takes_short_ids_and_tells_enough_for_the_inputs(
    token: str, given: str, full: str, cloud: GcpClient, make: Callable[..., Made]
) -> None:
    made = {}
    for step, inputs in (NETWORK, SUBNET, ACCOUNT, BUCKET, RING):
        made[step] = make(step, **inputs)
    member = (
        "gcp:projects/iAMMember:IAMMember",
        {"project": PROJECT, "role": "roles/viewer", "member": "user:a@example.com"},
    )
    made[member[0]] = make(member[0], **member[1])
    state = REGISTRY[token].read(cloud, given, {})
    assert state is not None
    assert state["id"] == full
    reached({n: v for n, v in made[token].inputs.items() if n != "deleteDefaultRoutesOnCreate"}, state)


def test_an_import_that_names_nothing_finds_nothing(cloud: GcpClient) -> None:
    assert REGISTRY["gcp:compute/network:Network"].read(cloud, "nope", {}) is None
    assert refusal(lambda: REGISTRY["gcp:compute/network:Network"].read(cloud, "a/b/c/d", {})).code == "invalid"


def test_labels_of_the_provider_and_of_others_are_told_apart(bench: Bench) -> None:
    cloud = bench.client(default_labels={"goog-pulumi-provisioned": "true"})
    kind = REGISTRY["gcp:compute/address:Address"]
    inputs = {"name": "a", "region": "us-west4", "labels": {"owner": "me"}}
    id = kind.create(cloud, inputs)
    everything = {"owner": "me", "goog-pulumi-provisioned": "true"}
    state = kind.read(cloud, id, inputs) or {}
    assert (state["labels"], state["effectiveLabels"], state["pulumiLabels"]) == (
        {"owner": "me"},
        everything,
        everything,
    )
    cloud.change(
        "compute.addresses.setLabels",
        project=PROJECT,
        region="us-west4",
        resource="a",
        body={"labels": {**everything, "billing": "x"}, "labelFingerprint": state["labelFingerprint"]},
    )
    state = kind.read(cloud, id, state) or {}
    assert state["labels"] == {"owner": "me"}
    assert state["pulumiLabels"] == everything
    assert state["effectiveLabels"] == {**everything, "billing": "x"}
    kind.update(cloud, id, inputs, {**inputs, "labels": {"pool": "train"}})
    state = kind.read(cloud, id, {**inputs, "labels": {"pool": "train"}}) or {}
    assert state["effectiveLabels"] == {"pool": "train", "goog-pulumi-provisioned": "true", "billing": "x"}


def test_deletion_policies_prevent_and_abandon(cloud: GcpClient, make: Callable[..., Made]) -> None:
    kind = REGISTRY[NETWORK[0]]
    made = make(NETWORK[0], **NETWORK[1], deletionPolicy="PREVENT")
    assert "cannot destroy" in refusal(lambda: kind.delete(cloud, made.id, made.state)).message
    kind.delete(cloud, made.id, {**made.state, "deletionPolicy": "ABANDON"})
    assert kind.read(cloud, made.id, made.state) is not None


def test_a_bucket_with_objects_goes_only_by_force(cloud: GcpClient, make: Callable[..., Made]) -> None:
    kind = REGISTRY[BUCKET[0]]
    made = make(BUCKET[0], **BUCKET[1], versioning={"enabled": True})
    first = make("gcp:storage/bucketObject:BucketObject", bucket="bkt", name="x", content="1")
    REGISTRY[first.token].delete(cloud, first.id, first.state)
    error = refusal(lambda: kind.delete(cloud, made.id, made.state))
    assert (error.status, error.code) == (409, "conflict"), "a noncurrent version is content"
    kind.delete(cloud, made.id, {**made.state, "forceDestroy": True})
    assert kind.read(cloud, made.id, made.state) is None


def test_a_smaller_range_and_a_smaller_disk_replace() -> None:
    subnet, disk = REGISTRY[SUBNET[0]], REGISTRY[DISK[0]]
    old = {"ipCidrRange": "10.0.0.0/20", "size": 100.0}
    assert subnet.replaces(old, {"ipCidrRange": "10.0.0.0/24"}, frozenset({"ipCidrRange"})) == {"ipCidrRange"}
    assert subnet.replaces(old, {"ipCidrRange": "10.0.0.0/19"}, frozenset({"ipCidrRange"})) == set()
    assert disk.replaces(old, {"size": 50.0}, frozenset({"size"})) == {"size"}
    assert disk.replaces(old, {"size": 200.0}, frozenset({"size"})) == set()


def test_two_members_of_one_role_leave_each_other_alone(cloud: GcpClient, make: Callable[..., Made]) -> None:
    token = "gcp:projects/iAMMember:IAMMember"
    one = make(token, project=PROJECT, role="roles/viewer", member="user:a@example.com")
    two = make(token, project=PROJECT, role="roles/viewer", member="user:b@example.com")
    REGISTRY[token].delete(cloud, one.id, one.state)
    assert REGISTRY[token].read(cloud, one.id, one.state) is None
    assert REGISTRY[token].read(cloud, two.id, two.state) is not None


@pytest.mark.parametrize(
    ("known", "live", "shown"),
    [
        ("net", f"{LINK}{P}/global/networks/net", "net"),
        (f"{P}/global/networks/net", f"{LINK}{P}/global/networks/net", f"{LINK}{P}/global/networks/net"),
        ("other", f"{LINK}{P}/global/networks/net", f"{LINK}{P}/global/networks/net"),
        (
            "debian-cloud/debian-12",
            f"{LINK}projects/debian-cloud/global/images/debian-12-bookworm-v20261110",
            "debian-cloud/debian-12",
        ),
        (
            "debian-cloud/debian-11",
            f"{LINK}projects/debian-cloud/global/images/debian-12-bookworm-v20261110",
            f"{LINK}projects/debian-cloud/global/images/debian-12-bookworm-v20261110",
        ),
        ("plain", "plain", "plain"),
    ],
)
def test_another_spelling_of_the_same_thing_is_no_drift(known: str, live: str, shown: str) -> None:
    assert respelled({"a": [live]}, {"a": [known]}) == {"a": [shown]}
    kind = REGISTRY[SUBNET[0]]
    assert kind.canonical(f"{LINK}{P}/global/networks/net") == kind.canonical(f"{P}/global/networks/net")


def test_one_slice_has_two_names() -> None:
    kind = REGISTRY["gcp:tpu/v2Vm:V2Vm"]
    one = {"acceleratorType": "v5litepod-16"}
    two = {"acceleratorConfig": {"type": "V5LITE_POD", "topology": "4x4"}}
    changed = frozenset({"acceleratorType", "acceleratorConfig"})
    assert kind.replaces(one, two, changed) == set()
    assert kind.replaces({"acceleratorType": "v5litepod-32"}, two, changed) == changed


def test_a_group_without_capacity_is_made_and_not_ready(
    bench: Bench, cloud: GcpClient, make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "_PATIENCE_SECONDS", 0)
    for token, inputs in (NETWORK, SUBNET, TEMPLATE):
        make(token, **inputs)
    bench.control("capacity", zone="us-west4-a", type="n2-standard-4", limit=1)
    kind = REGISTRY["gcp:compute/instanceGroupManager:InstanceGroupManager"]
    versions = [{"instanceTemplate": f"{P}/global/instanceTemplates/t"}]
    inputs = {"name": "g", "zone": "us-west4-a", "baseInstanceName": "g", "targetSize": 2, "versions": versions}
    with pytest.raises(CreatedButNotReadyError, match="ZONE_RESOURCE_POOL_EXHAUSTED") as caught:
        kind.create(cloud, {**inputs, "waitForInstances": True})
    state = kind.read(cloud, caught.value.id, inputs)
    assert state is not None
    assert state["statuses"][0]["isStable"] is False


FUNCTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "getClientConfig": ({}, {"project": PROJECT, "region": "us-west4", "zone": "us-west4-a"}),
    "getProject": ({}, {"projectId": PROJECT, "number": "678117860693"}),
    "getZones": ({"region": "us-central1"}, {"names": [f"us-central1-{z}" for z in "abcf"]}),
    "getImage": ({"family": "debian-12", "project": "debian-cloud"}, {"family": "debian-12", "diskSizeGb": 10}),
    "getNetwork": ({"name": "net"}, {"subnetworksSelfLinks": [f"{LINK}{P}/regions/us-west4/subnetworks/sub"]}),
    "getSubnetwork": ({"name": "sub"}, {"ipCidrRange": "10.60.0.0/20", "gatewayAddress": "10.60.0.1"}),
    "getProjectServiceAccount": ({}, {"member": AGENT}),
    "getV2RuntimeVersions": ({}, {"zone": "us-west4-a"}),
    "getV2AcceleratorTypes": ({"zone": "us-west4-a"}, {"zone": "us-west4-a"}),
    "getKMSKeyRing": ({"name": "ring", "location": "us-west4"}, {"name": "ring"}),
    "getKMSCryptoKey": (
        {"name": "key", "keyRing": f"{P}/locations/us-west4/keyRings/ring"},
        {"purpose": "ENCRYPT_DECRYPT"},
    ),
    "getRegions": ({}, {"project": PROJECT}),
    "getMachineTypes": ({"filter": 'name = "e2-small"'}, {"zone": "us-west4-a"}),
    "getDefaultServiceAccount": ({}, {"email": "678117860693-compute@developer.gserviceaccount.com"}),
    "getInstanceGroup": ({"name": "ug"}, {"size": 0, "instances": []}),
    "getInstance": ({"name": "vm"}, {"machineType": "e2-small"}),
    "getAddress": ({"name": "out"}, {"addressType": "EXTERNAL"}),
    "getGlobalAddress": ({"name": "front"}, {"selfLink": f"{LINK}{P}/global/addresses/front"}),
    "getDisk": ({"name": "d"}, {"size": 100}),
    "getRouter": ({"name": "router"}, {"region": "us-west4"}),
    "getEngineVersions": ({"versionPrefix": "1.33."}, {"defaultClusterVersion": "1.33.5-gke.1201000"}),
    "getCluster": ({"name": "c"}, {"location": "us-west4-a"}),
    "getIAMPolicy": (
        {"bindings": [{"role": "roles/viewer", "members": ["user:b@example.com", "user:a@example.com"]}]},
        {"policyData": '{"bindings":[{"members":["user:a@example.com","user:b@example.com"],"role":"roles/viewer"}]}'},
    ),
    "getAccount": ({"accountId": "trainer"}, {"email": EMAIL}),
    "getSecret": ({"secretId": "s"}, {"name": f"{P}/secrets/s"}),
    "getSecretVersion": ({"secret": "s"}, {"version": "1", "secretData": "hush"}),
    "getBucket": ({"name": "bkt"}, {"location": "US-WEST4"}),
    "getManagedZone": ({"name": "zone"}, {"dnsName": "example.com."}),
    "getRepository": ({"repositoryId": "images", "location": "us-west4"}, {"format": "DOCKER"}),
    "getTopic": ({"name": "news"}, {"id": f"{P}/topics/news"}),
    "getService": ({"name": "web", "location": "us-west4"}, {"ingress": "INGRESS_TRAFFIC_ALL"}),
    "getDatabaseInstance": ({"name": "db"}, {"databaseVersion": "POSTGRES_15"}),
}
STANDING = [
    NETWORK,
    SUBNET,
    RING,
    CRYPTO,
    ROUTER,
    ACCOUNT,
    BUCKET,
    DISK,
    gcp_lives.MACHINE,
    gcp_lives.CLUSTER,
    gcp_lives.SECRET,
    ("gcp:secretmanager/secretVersion:SecretVersion", {"secret": f"{P}/secrets/s", "secretData": "hush"}),
    gcp_lives.ZONE,
    gcp_lives.REPO,
    gcp_lives.TOPIC,
    gcp_lives.RUN,
    gcp_lives.INSTANCE,
    ("gcp:compute/instanceGroup:InstanceGroup", {"name": "ug", "zone": "us-west4-a"}),
    ("gcp:compute/address:Address", {"name": "out", "region": "us-west4"}),
    ("gcp:compute/globalAddress:GlobalAddress", {"name": "front"}),
]


@pytest.fixture(scope="module")
def standing() -> GcpClient:
    """A cloud in which one of each stands."""
    cloud = Bench().client()
    for token, inputs in STANDING:
        kind = REGISTRY[token]
        kind.create(cloud, {**kind.defaults, **inputs})
    return cloud


@pytest.mark.parametrize("token", INVOKES)
def test_functions_tell_what_stands(token: str, standing: GcpClient) -> None:
    arguments, says = FUNCTIONS[token.rpartition(":")[2]]
    found = INVOKES[token](standing, arguments)
    assert {n: found[n] for n in says} == says


def test_an_instance_changes_in_place_where_the_provider_does(cloud: GcpClient, make: Callable[..., Made]) -> None:
    for token, inputs in (gcp_lives.NETWORK, gcp_lives.SUBNET, gcp_lives.SMALL):
        make(token, **inputs)
    made = make(gcp_lives.MACHINE[0], **gcp_lives.MACHINE[1])
    kind = REGISTRY[made.token]
    old = {**made.inputs, "allowStoppingForUpdate": True}
    boot = {"initializeParams": {"image": "debian-cloud/debian-12", "size": 40}}
    small = f"{P}/regions/us-west4/subnetworks/small"
    for change, paths, says in (
        ({"description": "x"}, {"description"}, {"description": "x"}),
        ({"canIpForward": True}, {"canIpForward"}, {"canIpForward": True}),
        ({"bootDisk": boot}, {"bootDisk.initializeParams.size"}, {}),
        ({"minCpuPlatform": "Intel Haswell"}, {"minCpuPlatform"}, {"minCpuPlatform": "Intel Haswell"}),
        ({"networkInterfaces": [{"subnetwork": small}]}, {"networkInterfaces.subnetwork"}, {}),
        (
            {"networkInterfaces": [{"subnetwork": small, "accessConfigs": [{}]}]},
            {"networkInterfaces.accessConfigs"},
            {},
        ),
    ):
        new = {**old, **change}
        assert not kind.replaces(old, new, frozenset(paths)), f"{change} replaces"
        kind.update(cloud, made.id, old, new)
        state = kind.read(cloud, made.id, {**made.state, **new})
        assert state is not None
        assert {n: state[n] for n in says} == says
        old = new
    assert state["bootDisk"]["initializeParams"]["size"] == 40
    nic = state["networkInterfaces"][0]
    assert nic["networkIp"].startswith("10.70.0.")
    assert nic["accessConfigs"][0]["natIp"]
    assert state["currentStatus"] == "RUNNING"
    shrunk = {**old, "bootDisk": {"initializeParams": {**boot["initializeParams"], "size": 20}}}
    assert kind.replaces(old, shrunk, frozenset({"bootDisk.initializeParams.size"}))
    assert kind.replaces(old, old, frozenset({"networkInterfaces"})), "another number of interfaces"
