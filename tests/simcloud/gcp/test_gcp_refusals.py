"""Planted mistakes: each is refused with the service's words and changes nothing; put right, it is accepted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from gcp_bench import PROJECT, Bench

from simcloud.gcp.client import GcpClient
from simcloud.gcp.errors import OURS, RULES
from simcloud.provider.model import CloudError
from simcloud.wire import Request, Response

P = f"projects/{PROJECT}"
NET = "global/networks/net"
SUB = "regions/us-central1/subnetworks/sub"
IMAGE = "projects/debian-cloud/global/images/family/debian-12"
TERMINATE = {"onHostMaintenance": "TERMINATE"}
RING = f"{P}/locations/us-west4/keyRings/ring"
KEY = f"{RING}/cryptoKeys/key"
ZONE = f"{P}/locations/us-west4-a"


@dataclass
class Case:
    """`method` with `arguments` is right; with `wrong` put into them it is refused."""

    method: str
    arguments: dict[str, Any]
    wrong: dict[str, Any]
    status: int
    code: str
    says: str = ""
    ours: bool | None = None
    before: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def merge(base: Any, change: Any) -> Any:
    if not isinstance(change, dict) or not isinstance(base, dict):
        return change
    made = dict(base)
    for key, value in change.items():
        if value is ...:
            made.pop(key, None)
        else:
            made[key] = merge(made.get(key), value)
    return made


def compute(collection: str, body: dict[str, Any], **where: str) -> tuple[str, dict[str, Any]]:
    return f"compute.{collection}.insert", {"project": PROJECT, **where, "body": body}


def subnet(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {"name": "sub2", "network": NET, "ipCidrRange": "10.61.0.0/24", **body}
    return compute("subnetworks", made, region="us-central1")


def vm(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {
        "name": "vm",
        "machineType": "zones/us-central1-a/machineTypes/n1-standard-8",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE}}],
        "networkInterfaces": [{"subnetwork": SUB}],
        **body,
    }
    return compute("instances", made, zone="us-central1-a")


def gpu(machine: str, **body: Any) -> tuple[str, dict[str, Any]]:
    disk = {
        "sourceImage": IMAGE,
        "diskType": "hyperdisk-balanced" if "ultra" in machine or "a4" in machine else "pd-ssd",
    }
    body.setdefault("scheduling", TERMINATE)
    body.setdefault("disks", [{"boot": True, "autoDelete": True, "initializeParams": disk}])
    zone = body.pop("zone", "us-central1-a")
    method, arguments = vm(machineType=f"zones/{zone}/machineTypes/{machine}", **body)
    return method, {**arguments, "zone": zone}


def template(**properties: Any) -> tuple[str, dict[str, Any]]:
    made = {
        "machineType": "n1-standard-8",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE}}],
        "networkInterfaces": [{"subnetwork": SUB}],
        **properties,
    }
    return compute("instanceTemplates", {"name": "t", "properties": made})


def group(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {"name": "g", "targetSize": 1, "versions": [{"instanceTemplate": "global/instanceTemplates/t"}], **body}
    return compute("instanceGroupManagers", made, zone="us-central1-a")


def region_group(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {"name": "g", "targetSize": 1, "versions": [{"instanceTemplate": "global/instanceTemplates/t"}], **body}
    return compute("regionInstanceGroupManagers", made, region="us-central1")


def bucket(**body: Any) -> tuple[str, dict[str, Any]]:
    return "storage.buckets.insert", {"project": PROJECT, "body": {"name": "bkt", "location": "us-west4", **body}}


def node(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {
        "acceleratorType": "v5litepod-16",
        "runtimeVersion": "v2-alpha-tpuv5-lite",
        "networkConfig": {"subnetwork": f"{P}/regions/us-west4/subnetworks/west"},
        **body,
    }
    return "tpu.projects.locations.nodes.create", {"parent": ZONE, "nodeId": "n", "body": made}


def queued(**spec: Any) -> tuple[str, dict[str, Any]]:
    one = {"parent": ZONE, "nodeId": "q", "node": node()[1]["body"], **spec}
    body = {"tpu": {"nodeSpec": [one]}}
    return "tpu.projects.locations.queuedResources.create", {"parent": ZONE, "queuedResourceId": "q", "body": body}


def account(**body: Any) -> tuple[str, dict[str, Any]]:
    return "iam.projects.serviceAccounts.create", {"name": P, "body": {"accountId": "worker", **body}}


def key(**body: Any) -> tuple[str, dict[str, Any]]:
    made = {"purpose": "ENCRYPT_DECRYPT", **body}
    return "cloudkms.projects.locations.keyRings.cryptoKeys.create", {"parent": RING, "cryptoKeyId": "k2", "body": made}


def policy(role: str, member: str, **more: Any) -> tuple[str, dict[str, Any]]:
    body = {"policy": {"bindings": [{"role": role, "members": [member], **more}]}}
    return "cloudresourcemanager.projects.setIamPolicy", {"resource": PROJECT, "body": body}


RIGHT_MEMBER = f"serviceAccount:trainer@{PROJECT}.iam.gserviceaccount.com"
T4 = [{"acceleratorType": "zones/us-central1-a/acceleratorTypes/nvidia-tesla-t4", "acceleratorCount": 1}]
BAD = "compute"

CASES: dict[str, Case] = {
    # The schema
    "unknown member": Case(
        *subnet(), {"body": {"cidr": "1"}}, 400, "badRequest", 'Unknown name "cidr": Cannot find field.'
    ),
    "wrong type": Case(
        *subnet(),
        {"body": {"privateIpGoogleAccess": "yes"}},
        400,
        "badRequest",
        "Invalid value at 'privateIpGoogleAccess'",
    ),
    "enum": Case(
        *compute("firewalls", {"name": "f", "network": NET, "allowed": [{"IPProtocol": "tcp"}]}),
        {"body": {"direction": "IN"}},
        400,
        "invalid",
        "Must be one of",
    ),
    "pattern of a name": Case(*subnet(), {"body": {"name": "Sub_2"}}, 400, "invalid", "Must be a match of regex"),
    "missing name": Case(
        *subnet(), {"body": {"name": ...}}, 400, "required", "Required field 'resource.name' not specified"
    ),
    "unknown member, new API": Case(
        *node(), {"body": {"topologie": "4x4"}}, 400, "INVALID_ARGUMENT", "Cannot find field"
    ),
    "missing member, new API": Case(
        *node(),
        {"body": {"networkConfigs": ..., "acceleratorConfig": {"type": "V5LITE_POD"}, "acceleratorType": ...}},
        400,
        "INVALID_ARGUMENT",
        "topology",
    ),
    # Networks
    "name taken": Case(*subnet(), {"body": {"name": "sub"}}, 409, "alreadyExists", "already exists"),
    "no such network": Case(
        *subnet(),
        {"body": {"network": "global/networks/nope"}},
        400,
        "invalid",
        "The referenced network resource cannot be found.",
    ),
    "malformed network": Case(*subnet(), {"body": {"network": "net"}}, 400, "invalid", "The URL is malformed."),
    "overlap": Case(
        *subnet(), {"body": {"ipCidrRange": "10.60.1.0/24"}}, 400, "invalid", "conflicts with existing subnetwork 'sub'"
    ),
    "overlap with a secondary range": Case(
        *subnet(), {"body": {"ipCidrRange": "10.64.0.0/16"}}, 400, "invalid", "conflicts with existing subnetwork 'sub'"
    ),
    "secondary range overlaps its own": Case(
        *subnet(),
        {"body": {"secondaryIpRanges": [{"rangeName": "a", "ipCidrRange": "10.61.0.0/25"}]}},
        400,
        "invalid",
        "overlaps",
    ),
    "prohibited range": Case(
        *subnet(), {"body": {"ipCidrRange": "169.254.0.0/24"}}, 400, "invalid", "never legal", True
    ),
    "too small a range": Case(
        *subnet(), {"body": {"ipCidrRange": "10.61.0.0/30"}}, 400, "invalid", "prefix length", True
    ),
    "host bits": Case(*subnet(), {"body": {"ipCidrRange": "10.61.0.1/24"}}, 400, "invalid", "host bits"),
    "no such region": Case(*subnet(), {"region": "us-nowhere1"}, 400, "invalid", "Unknown region"),
    "MTU": Case(
        *compute("networks", {"name": "n2", "autoCreateSubnetworks": False}),
        {"body": {"mtu": 9000}},
        400,
        "invalid",
        "8896",
        True,
    ),
    "legacy network": Case(
        *compute("networks", {"name": "n2", "autoCreateSubnetworks": False}),
        {"body": {"autoCreateSubnetworks": ...}},
        400,
        "invalid",
        "Legacy",
        True,
    ),
    "firewall with both": Case(
        *compute("firewalls", {"name": "f", "network": NET, "allowed": [{"IPProtocol": "tcp"}]}),
        {"body": {"denied": [{"IPProtocol": "udp"}]}},
        400,
        "invalid",
        "either",
        True,
    ),
    "firewall port": Case(
        *compute("firewalls", {"name": "f", "network": NET, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}),
        {"body": {"allowed": [{"IPProtocol": "tcp", "ports": ["99999"]}]}},
        400,
        "invalid",
        "port",
        True,
    ),
    "firewall range": Case(
        *compute("firewalls", {"name": "f", "network": NET, "allowed": [{"IPProtocol": "tcp"}]}),
        {"body": {"sourceRanges": ["10.0.0.0/40"]}},
        400,
        "invalid",
        "CIDR",
    ),
    "route without a hop": Case(
        *compute("routes", {"name": "r", "network": NET, "destRange": "192.168.0.0/16", "nextHopIp": "10.60.0.9"}),
        {"body": {"nextHopIp": ...}},
        400,
        "invalid",
        "next hop",
        True,
    ),
    "NAT without its subnets": Case(
        *compute(
            "routers",
            {
                "name": "r",
                "network": NET,
                "nats": [{"name": "n", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}],
            },
            region="us-central1",
        ),
        {"body": {"nats": [{"name": "n", "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}]}},
        400,
        "invalid",
        "Subnetworks",
        True,
    ),
    "private ASN": Case(
        *compute("routers", {"name": "r", "network": NET, "bgp": {"asn": 64512}}, region="us-central1"),
        {"body": {"bgp": {"asn": 100}}},
        400,
        "invalid",
        "ASN",
        True,
    ),
    "address outside its subnet": Case(
        *compute(
            "addresses",
            {"name": "a", "addressType": "INTERNAL", "subnetwork": SUB, "address": "10.60.0.77"},
            region="us-central1",
        ),
        {"body": {"address": "10.99.0.1"}},
        400,
        "invalid",
        "",
        True,
    ),
    "labels": Case(
        *compute("addresses", {"name": "a", "labels": {"owner": "me"}}, region="us-central1"),
        {"body": {"labels": {"Owner": "Me"}}},
        400,
        "invalid",
        "label",
        True,
    ),
    # Machines
    "no such machine type": Case(
        *vm(),
        {"body": {"machineType": "zones/us-central1-a/machineTypes/n9-huge-1"}},
        400,
        "invalid",
        "Machine type with name 'n9-huge-1' does not exist in zone 'us-central1-a'",
    ),
    "machine type not in the zone": Case(
        *gpu("a2-highgpu-1g"),
        {
            "zone": "us-east5-a",
            "body": {
                "machineType": "zones/us-east5-a/machineTypes/a2-highgpu-1g",
                "networkInterfaces": [{"subnetwork": "regions/us-east5/subnetworks/east"}],
            },
        },
        400,
        "invalid",
        "does not exist in zone",
    ),
    "live migration of a GPU": Case(
        *vm(guestAccelerators=T4, scheduling=TERMINATE),
        {"body": {"scheduling": {"onHostMaintenance": "MIGRATE"}}},
        400,
        "badRequest",
        "do not support live migration",
    ),
    "live migration by default": Case(
        *vm(guestAccelerators=T4, scheduling=TERMINATE),
        {"body": {"scheduling": ...}},
        400,
        "badRequest",
        "do not support live migration",
    ),
    "live migration of an A2 by default": Case(
        *gpu("a2-highgpu-1g"),
        {"body": {"scheduling": ...}},
        400,
        "badRequest",
        "do not support live migration",
    ),
    "three T4": Case(
        *vm(guestAccelerators=T4, scheduling=TERMINATE),
        {"body": {"guestAccelerators": [{**T4[0], "acceleratorCount": 3}]}},
        400,
        "invalid",
        "count",
        True,
    ),
    "GPU on E2": Case(
        *vm(guestAccelerators=T4, scheduling=TERMINATE),
        {"body": {"machineType": "zones/us-central1-a/machineTypes/e2-standard-4"}},
        400,
        "invalid",
        "takes no",
        True,
    ),
    "wrong GPU for A2": Case(
        *gpu("a2-highgpu-1g"), {"body": {"guestAccelerators": T4}}, 400, "invalid", "nvidia-tesla-a100", True
    ),
    "A3 Ultra on demand": Case(
        *gpu("a3-ultragpu-8g", zone="us-central1-b", scheduling={"provisioningModel": "SPOT"}),
        {"body": {"scheduling": {"provisioningModel": "STANDARD", **TERMINATE}}},
        400,
        "invalid",
        "SPOT",
        True,
    ),
    "flex-start for a month": Case(
        *gpu("a3-highgpu-1g", scheduling={"provisioningModel": "FLEX_START", "maxRunDuration": {"seconds": "3600"}}),
        {"body": {"scheduling": {"maxRunDuration": {"seconds": "2592000"}}}},
        400,
        "invalid",
        "7 days",
        True,
    ),
    "reservation that is not there": Case(
        *vm(reservationAffinity={"consumeReservationType": "ANY_RESERVATION"}),
        {
            "body": {
                "reservationAffinity": {
                    "consumeReservationType": "SPECIFIC_RESERVATION",
                    "key": "compute.googleapis.com/reservation-name",
                    "values": ["nope"],
                }
            }
        },
        400,
        "invalid",
        "reservation",
        True,
    ),
    "Spot that restarts": Case(
        *vm(scheduling={"provisioningModel": "SPOT", "automaticRestart": False}),
        {"body": {"scheduling": {"automaticRestart": True}}},
        400,
        "invalid",
        "Spot",
        True,
    ),
    "local SSD count": Case(
        *gpu(
            "a2-highgpu-2g",
            disks=[
                {"boot": True, "initializeParams": {"sourceImage": IMAGE}},
                *[{"type": "SCRATCH", "autoDelete": True}] * 2,
            ],
        ),
        {
            "body": {
                "disks": [
                    {"boot": True, "initializeParams": {"sourceImage": IMAGE}},
                    {"type": "SCRATCH", "autoDelete": True},
                ]
            }
        },
        400,
        "invalid",
        "local SSDs",
        True,
    ),
    "persistent disk on A3 Ultra": Case(
        *gpu("a3-ultragpu-8g", zone="us-central1-b", scheduling={"provisioningModel": "SPOT"}),
        {"body": {"disks": [{"boot": True, "initializeParams": {"sourceImage": IMAGE, "diskType": "pd-ssd"}}]}},
        400,
        "badRequest",
        "not compatible for creating instance",
    ),
    "no such image": Case(
        *vm(),
        {
            "body": {
                "disks": [
                    {
                        "boot": True,
                        "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-99"},
                    }
                ]
            }
        },
        400,
        "invalid",
        "The referenced image resource cannot be found.",
    ),
    "disk smaller than its image": Case(
        *vm(),
        {"body": {"disks": [{"boot": True, "initializeParams": {"sourceImage": IMAGE, "diskSizeGb": "5"}}]}},
        400,
        "invalid",
        "",
        None,
    ),
    "no boot disk": Case(*vm(), {"body": {"disks": []}}, 400, "invalid", "boot", True),
    "two interfaces in one network": Case(
        *vm(),
        {"body": {"networkInterfaces": [{"subnetwork": SUB}, {"subnetwork": SUB}]}},
        400,
        "invalid",
        "Networks must be distinct",
    ),
    "subnet of another region": Case(
        *vm(),
        {"body": {"networkInterfaces": [{"subnetwork": "regions/us-west4/subnetworks/west"}]}},
        400,
        "invalid",
        "not in region",
        True,
    ),
    "custom network without a subnet": Case(
        *vm(), {"body": {"networkInterfaces": [{"network": NET}]}}, 400, "invalid", "must specify a subnet"
    ),
    "no such service account": Case(
        *vm(
            serviceAccounts=[{"email": RIGHT_MEMBER[15:], "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}]
        ),
        {"body": {"serviceAccounts": [{"email": f"nope@{PROJECT}.iam.gserviceaccount.com"}]}},
        400,
        "invalid",
        "was not found",
        True,
    ),
    "network tag": Case(
        *vm(tags={"items": ["ssh"]}), {"body": {"tags": {"items": ["SSH Tag"]}}}, 400, "invalid", "tag", True
    ),
    "placement on E2": Case(
        *vm(
            machineType="zones/us-central1-a/machineTypes/n2-standard-8",
            resourcePolicies=["regions/us-central1/resourcePolicies/compact"],
        ),
        {"body": {"machineType": "zones/us-central1-a/machineTypes/e2-standard-8"}},
        400,
        "invalid",
        "compactly",
        True,
    ),
    "template with a URL": Case(
        *template(),
        {"body": {"properties": {"machineType": "zones/us-central1-a/machineTypes/n1-standard-8"}}},
        400,
        "invalid",
        "name only",
        True,
    ),
    "template without an image": Case(
        *template(), {"body": {"properties": {"disks": [{"boot": True}]}}}, 400, "invalid", "image", True
    ),
    "group without its template": Case(
        *group(),
        {"body": {"versions": [{"instanceTemplate": "global/instanceTemplates/nope"}]}},
        400,
        "invalid",
        "cannot be found",
        before=[template()],
    ),
    "neither surge nor unavailability": Case(
        *group(),
        {"body": {"updatePolicy": {"maxSurge": {"fixed": 0}, "maxUnavailable": {"fixed": 0}}}},
        400,
        "invalid",
        "both 0",
        True,
        before=[template()],
    ),
    "recreation with surge": Case(
        *group(),
        {"body": {"updatePolicy": {"replacementMethod": "RECREATE", "maxSurge": {"fixed": 1}}}},
        400,
        "invalid",
        "RECREATE",
        True,
        before=[template()],
    ),
    "regional surge": Case(
        *region_group(),
        {"body": {"updatePolicy": {"maxSurge": {"fixed": 1}}}},
        400,
        "invalid",
        "has to be either 0 or at least equal to the number of zones",
        before=[template()],
    ),
    "zone of another region": Case(
        *region_group(distributionPolicy={"zones": [{"zone": "zones/us-central1-a"}]}),
        {"body": {"distributionPolicy": {"zones": [{"zone": "zones/us-west4-a"}]}}},
        400,
        "invalid",
        "us-central1",
        True,
        before=[template()],
    ),
    "policy of two kinds": Case(
        *compute(
            "resourcePolicies",
            {"name": "p", "groupPlacementPolicy": {"collocation": "COLLOCATED"}},
            region="us-central1",
        ),
        {"body": {"workloadPolicy": {"type": "HIGH_THROUGHPUT"}}},
        400,
        "invalid",
        "one kind",
        True,
    ),
    "health check slower than its interval": Case(
        *compute("healthChecks", {"name": "h", "tcpHealthCheck": {"port": 22}}),
        {"body": {"timeoutSec": 9}},
        400,
        "invalid",
        "interval",
        True,
    ),
    "disk type": Case(
        *compute("disks", {"name": "d", "sizeGb": "100"}, zone="us-central1-a"),
        {"body": {"type": "zones/us-central1-a/diskTypes/pd-quantum"}},
        400,
        "invalid",
        "diskType resource cannot be found",
    ),
    # Storage
    "bucket name": Case(*bucket(), {"body": {"name": "My_Bucket-"}}, 400, "invalid", "Invalid bucket name", True),
    "bucket name with google": Case(*bucket(), {"body": {"name": "my-google-bucket"}}, 400, "invalid", "", True),
    "bucket taken by another project": Case(*bucket(), {"body": {"name": "taken"}}, 409, "conflict", "not available"),
    "bucket location": Case(*bucket(), {"body": {"location": "us-nowhere1"}}, 400, "invalid", "location", None),
    "lifecycle without condition": Case(
        *bucket(lifecycle={"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]}),
        {"body": {"lifecycle": {"rule": [{"action": {"type": "Delete"}}]}}},
        400,
        "invalid",
        "condition",
        True,
    ),
    "soft delete of a day": Case(
        *bucket(softDeletePolicy={"retentionDurationSeconds": "604800"}),
        {"body": {"softDeletePolicy": {"retentionDurationSeconds": "86400"}}},
        400,
        "invalid",
        "",
        True,
    ),
    "key that the service may not use": Case(
        *bucket(),
        {"body": {"encryption": {"defaultKmsKeyName": KEY}}},
        403,
        "forbidden",
        "Permission denied on Cloud KMS key",
    ),
    "key that is not there": Case(
        *bucket(), {"body": {"encryption": {"defaultKmsKeyName": KEY + "x"}}}, 400, "invalid", "", True
    ),
    # IAM, KMS
    "account id": Case(*account(), {"body": {"accountId": "x"}}, 400, "INVALID_ARGUMENT", "service account ID", True),
    "account taken": Case(
        *account(),
        {"body": {"accountId": "trainer"}},
        409,
        "ALREADY_EXISTS",
        f"already exists within project projects/{PROJECT}",
    ),
    "member that does not exist": Case(
        *policy("roles/viewer", RIGHT_MEMBER),
        {"body": policy("roles/viewer", f"serviceAccount:nope@{PROJECT}.iam.gserviceaccount.com")[1]["body"]},
        400,
        "INVALID_ARGUMENT",
        "does not exist.",
    ),
    "member without a kind": Case(
        *policy("roles/viewer", "user:a@example.com"),
        {"body": policy("roles/viewer", "a@example.com")[1]["body"]},
        400,
        "INVALID_ARGUMENT",
        "Invalid member",
        True,
    ),
    "role without roles/": Case(
        *policy("roles/viewer", RIGHT_MEMBER),
        {"body": policy("viewer", RIGHT_MEMBER)[1]["body"]},
        400,
        "INVALID_ARGUMENT",
        "",
        True,
    ),
    "stale etag": Case(
        *policy("roles/viewer", RIGHT_MEMBER),
        {"body": {"policy": {"etag": "BwXXXXXXXXX="}}},
        409,
        "ABORTED",
        "concurrent policy changes",
    ),
    "key ring location": Case(
        "cloudkms.projects.locations.keyRings.create",
        {"parent": f"{P}/locations/us-west4", "keyRingId": "r2", "body": {}},
        {"parent": f"{P}/locations/us-nowhere1"},
        400,
        "INVALID_ARGUMENT",
        "does not exist",
        True,
    ),
    "key without a purpose": Case(*key(), {"body": {"purpose": ...}}, 400, "INVALID_ARGUMENT", "purpose", True),
    "key taken": Case(*key(), {"cryptoKeyId": "key"}, 409, "ALREADY_EXISTS", "already exists."),
    "rotation every hour": Case(
        *key(rotationPeriod="86400s", nextRotationTime="2027-01-01T00:00:00Z"),
        {"body": {"rotationPeriod": "3600s"}},
        400,
        "INVALID_ARGUMENT",
        "24 hours",
        True,
    ),
    "destruction within the hour": Case(
        *key(), {"body": {"destroyScheduledDuration": "3600s"}}, 400, "INVALID_ARGUMENT", "", True
    ),
    # TPU
    "slice that the zone does not offer": Case(
        *node(), {"body": {"acceleratorType": "v5p-8"}}, 404, "NOT_FOUND", "not found in location us-west4-a", True
    ),
    "slice that does not exist": Case(
        *node(), {"body": {"acceleratorType": "v5litepod-12"}}, 404, "NOT_FOUND", "", True
    ),
    "topology that does not exist": Case(
        *node(acceleratorType=None, acceleratorConfig={"type": "V5LITE_POD", "topology": "4x4"}),
        {"body": {"acceleratorConfig": {"topology": "3x5"}}},
        400,
        "INVALID_ARGUMENT",
        "3x5",
        True,
    ),
    "type and configuration": Case(
        *node(),
        {"body": {"acceleratorConfig": {"type": "V5LITE_POD", "topology": "4x4"}}},
        400,
        "INVALID_ARGUMENT",
        "not both",
        True,
    ),
    "runtime of another generation": Case(
        *node(), {"body": {"runtimeVersion": "v2-alpha-tpuv6e"}}, 400, "INVALID_ARGUMENT", "v2-alpha-tpuv6e", True
    ),
    "subnetwork of another region": Case(
        *node(),
        {"body": {"networkConfig": {"subnetwork": f"{P}/{SUB}"}}},
        400,
        "INVALID_ARGUMENT",
        "not found in region us-west4",
        True,
    ),
    "spot and reserved": Case(
        *node(schedulingConfig={"spot": True}),
        {"body": {"schedulingConfig": {"reserved": True}}},
        400,
        "INVALID_ARGUMENT",
        "exclude",
        True,
    ),
    "writable disk on several hosts": Case(
        *node(dataDisks=[{"sourceDisk": f"{P}/zones/us-west4-a/disks/data", "mode": "READ_ONLY"}]),
        {"body": {"dataDisks": [{"sourceDisk": f"{P}/zones/us-west4-a/disks/data", "mode": "READ_WRITE"}]}},
        400,
        "INVALID_ARGUMENT",
        "READ_ONLY",
        True,
    ),
    "TPU account": Case(
        *node(),
        {"body": {"serviceAccount": {"email": f"nope@{PROJECT}.iam.gserviceaccount.com"}}},
        400,
        "INVALID_ARGUMENT",
        "does not exist",
        True,
    ),
    "zone without TPUs": Case(*node(), {"parent": f"{P}/locations/us-west4-c"}, 404, "NOT_FOUND", "us-west4-c", True),
    "queue for another zone": Case(
        *queued(),
        {
            "body": {
                "tpu": {
                    "nodeSpec": [{**queued()[1]["body"]["tpu"]["nodeSpec"][0], "parent": f"{P}/locations/us-west1-c"}]
                }
            }
        },
        400,
        "INVALID_ARGUMENT",
        "parent",
        True,
    ),
    "queue for one of several": Case(
        *queued(),
        {
            "body": {
                "tpu": {
                    "nodeSpec": [{**queued()[1]["body"]["tpu"]["nodeSpec"][0], "multisliceParams": {"nodeCount": 2}}]
                }
            }
        },
        400,
        "INVALID_ARGUMENT",
        "",
        True,
    ),
}


def stage(cloud: GcpClient) -> None:
    for method, arguments in (
        compute("networks", {"name": "net", "autoCreateSubnetworks": False}),
        subnet(
            name="sub",
            ipCidrRange="10.60.0.0/20",
            secondaryIpRanges=[{"rangeName": "pods", "ipCidrRange": "10.64.0.0/14"}],
        ),
        compute("subnetworks", {"name": "west", "network": NET, "ipCidrRange": "10.70.0.0/20"}, region="us-west4"),
        compute("subnetworks", {"name": "east", "network": NET, "ipCidrRange": "10.71.0.0/20"}, region="us-east5"),
        compute(
            "resourcePolicies",
            {"name": "compact", "groupPlacementPolicy": {"collocation": "COLLOCATED"}},
            region="us-central1",
        ),
        compute("disks", {"name": "data", "sizeGb": "100"}, zone="us-west4-a"),
        account(accountId="trainer"),
        (
            "cloudkms.projects.locations.keyRings.create",
            {"parent": f"{P}/locations/us-west4", "keyRingId": "ring", "body": {}},
        ),
        ("cloudkms.projects.locations.keyRings.cryptoKeys.create", {**key()[1], "cryptoKeyId": "key"}),
        ("storage.buckets.insert", {"project": "somebody-else", "body": {"name": "taken", "location": "us"}}),
    ):
        cloud.change(method, **arguments)


@pytest.fixture(scope="module")
def staged() -> tuple[Bench, GcpClient]:
    bench = Bench()
    cloud = bench.client()
    stage(cloud)
    return bench, cloud


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_refused_and_changes_nothing(name: str, staged: tuple[Bench, GcpClient]) -> None:
    bench, cloud = staged
    case = CASES[name]
    kept = copy.deepcopy(bench.world.state)
    try:
        for method, arguments in case.before:
            cloud.change(method, **copy.deepcopy(arguments))
        before = bench.world.snapshot()
        answers: list[Response] = []
        wrong = merge(case.arguments, case.wrong)
        with pytest.raises(CloudError) as caught:
            recorded(bench, answers, lambda: cloud.change(case.method, **wrong), cloud)
        assert (caught.value.status, caught.value.code) == (case.status, case.code), caught.value
        assert case.says in caught.value.message
        assert bench.world.snapshot() == before
        if case.ours is not None:
            assert (OURS in answers[-1].body.decode()) == case.ours
        cloud.change(case.method, **case.arguments)  # the control: without the mistake it is accepted
        assert bench.world.snapshot() != before
    finally:
        bench.world.state = kept


def recorded(bench: Bench, answers: list[Response], call: Callable[[], object], cloud: GcpClient) -> None:
    send = cloud._http._send

    def watching(request: Request) -> Response:
        answers.append(send(request))
        return answers[-1]

    cloud._http._send = watching
    try:
        call()
    finally:
        cloud._http._send = send


def test_there_are_many_planted_mistakes() -> None:
    assert len(CASES) >= 30


def test_every_rule_says_what_it_holds_and_where_it_comes_from() -> None:
    assert len(RULES) > 60
    for code, rule in RULES.items():
        assert rule.code == code
        assert rule.says
        assert rule.source
