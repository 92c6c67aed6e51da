"""The provider's functions: look-ups without a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import last, relative
from simcloud.gcp.types.kms import CryptoKey, KeyRing
from simcloud.gcp.types.networks import Network, Subnetwork
from simcloud.provider.model import CloudError

Args = Mapping[str, Any]


def _project(cloud: GcpClient, args: Args) -> str:
    return str(args.get("project") or cloud.project)


def _zone(cloud: GcpClient, args: Args) -> str:
    zone = str(args.get("zone") or cloud.zone or "")
    if not zone:
        raise CloudError("invalid", "zone", "Cannot determine zone: set it in this function or the provider")
    return zone


def _found(made: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if made is None:
        raise CloudError("notFound", what, f"{what} not found", 404)
    return made


def client_config(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The provider's own settings. The access token is none."""
    place = f"projects/{cloud.project}/regions/{cloud.region or ''}/zones/{cloud.zone or ''}"
    return {
        "id": place,
        "project": cloud.project,
        "region": cloud.region or "",
        "zone": cloud.zone or "",
        "accessToken": "simulated-access-token",
        "defaultLabels": dict(cloud.default_labels),
    }


def project(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A project."""
    id = str(args.get("projectId") or cloud.project)
    found = cloud.call("cloudresourcemanager.projects.get", projectId=id)
    return {
        "id": f"projects/{id}",
        "projectId": id,
        "name": found["name"],
        "number": found["projectNumber"],
        "labels": found.get("labels", {}),
        "effectiveLabels": found.get("labels", {}),
        "pulumiLabels": {},
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "folderId": "",
        "orgId": "",
        "tags": {},
    }


def zones(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The zones of a region."""
    where, region = _project(cloud, args), str(args.get("region") or cloud.region or "")
    listed = cloud.call("compute.zones.list", project=where).get("items", [])
    status = args.get("status")
    names = sorted(
        z["name"] for z in listed if last(z["region"]) == region and (status is None or z["status"] == status)
    )
    return {
        "id": f"projects/{where}/regions/{region}",
        "project": where,
        "region": region,
        "names": names,
        "status": status,
    }


def image(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """An image by name or the newest of a family."""
    where = _project(cloud, args)
    if args.get("name"):
        found = cloud.call("compute.images.get", project=where, image=args["name"])
    elif args.get("family"):
        found = cloud.call("compute.images.getFromFamily", project=where, family=args["family"])
    else:
        listed = cloud.call("compute.images.list", project=where, filter=str(args.get("filter", ""))).get("items", [])
        if not listed or (len(listed) > 1 and not args.get("mostRecent")):
            raise CloudError(
                "notFound", "compute.images.list", "your filter has returned no image, or more than one", 404
            )
        found = max(listed, key=lambda i: str(i["creationTimestamp"]))
    return {
        "id": f"projects/{where}/global/images/{found['name']}",
        "project": where,
        "name": found["name"],
        "family": found.get("family", ""),
        "description": found.get("description", ""),
        "selfLink": found["selfLink"],
        "imageId": found["id"],
        "diskSizeGb": int(found["diskSizeGb"]),
        "archiveSizeBytes": int(found.get("archiveSizeBytes", 0)),
        "creationTimestamp": found["creationTimestamp"],
        "labelFingerprint": found.get("labelFingerprint", ""),
        "labels": found.get("labels", {}),
        "licenses": found.get("licenses", []),
        "status": found["status"],
        "sourceDisk": found.get("sourceDisk", ""),
        "sourceDiskId": "",
        "sourceImageId": "",
        "imageEncryptionKeySha256": "",
        "sourceDiskEncryptionKeySha256": "",
    }


def network(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A network by name or link."""
    id = relative(str(args["selfLink"])) if args.get("selfLink") else f"{_project(cloud, args)}/{args['name']}"
    kind = Network()
    made = _found(kind.read(cloud, id, {}), f"network {id}")
    item = kind.fetch(cloud, kind.parse(cloud, id)) or {}
    keep = ("id", "name", "project", "selfLink", "gatewayIpv4", "numericId", "networkProfile", "internalIpv6Range")
    return {
        **{n: made.get(n, "") for n in keep},
        "description": made.get("description", ""),
        "networkId": int(made["networkId"]),
        "subnetworksSelfLinks": item.get("subnetworks", []),
    }


def subnetwork(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A subnetwork by name or link."""
    if args.get("selfLink"):
        id = relative(str(args["selfLink"]))
    else:
        id = f"{_project(cloud, args)}/{args.get('region') or cloud.region}/{args['name']}"
    made = _found(Subnetwork().read(cloud, id, {}), f"subnetwork {id}")
    keep = (
        "id",
        "name",
        "project",
        "region",
        "network",
        "selfLink",
        "ipCidrRange",
        "gatewayAddress",
        "privateIpGoogleAccess",
        "subnetworkId",
        "stackType",
    )
    texts = dict.fromkeys(("description", "externalIpv6Prefix", "internalIpv6Prefix", "ipv6AccessType"), "")
    seconds = [
        {"rangeName": s["rangeName"], "ipCidrRange": s["ipCidrRange"]} for s in made.get("secondaryIpRanges", [])
    ]
    return {**texts, **{n: made[n] for n in keep}, "secondaryIpRanges": seconds}


def storage_agent(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A project's Cloud Storage service agent."""
    where = _project(cloud, args)
    email = cloud.call("storage.projects.serviceAccount.get", projectId=where)["email_address"]
    return {"id": email, "project": where, "emailAddress": email, "member": f"serviceAccount:{email}"}


def runtime_versions(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """TPU runtime versions of a zone."""
    where, zone = _project(cloud, args), _zone(cloud, args)
    parent = f"projects/{where}/locations/{zone}"
    listed = cloud.call("tpu.projects.locations.runtimeVersions.list", parent=parent)
    versions = sorted(v["version"] for v in listed.get("runtimeVersions", []))
    return {"id": parent, "project": where, "zone": zone, "versions": versions}


def accelerator_types(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """TPU slice types of a zone."""
    where, zone = _project(cloud, args), _zone(cloud, args)
    parent = f"projects/{where}/locations/{zone}"
    listed = cloud.call("tpu.projects.locations.acceleratorTypes.list", parent=parent)
    types = sorted(t["type"] for t in listed.get("acceleratorTypes", []))
    return {"id": parent, "project": where, "zone": zone, "types": types}


def key_ring(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A key ring."""
    id = f"{_project(cloud, args)}/{args['location']}/{args['name']}"
    return _found(KeyRing().read(cloud, id, {}), f"key ring {id}")


def crypto_key(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A key."""
    id = f"{args['keyRing']}/cryptoKeys/{args['name']}"
    made = _found(CryptoKey().read(cloud, id, {}), f"key {id}")
    template = made.pop("versionTemplate", None)
    texts = {"rotationPeriod": "", "labels": {}, "keyAccessJustificationsPolicies": []}
    return {**texts, **made, "versionTemplates": [template] if template else []}


INVOKES: dict[str, Callable[[GcpClient, Args], dict[str, Any]]] = {
    "gcp:organizations/getClientConfig:getClientConfig": client_config,
    "gcp:organizations/getProject:getProject": project,
    "gcp:compute/getZones:getZones": zones,
    "gcp:compute/getImage:getImage": image,
    "gcp:compute/getNetwork:getNetwork": network,
    "gcp:compute/getSubnetwork:getSubnetwork": subnetwork,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": storage_agent,
    "gcp:tpu/getV2RuntimeVersions:getV2RuntimeVersions": runtime_versions,
    "gcp:tpu/getV2AcceleratorTypes:getV2AcceleratorTypes": accelerator_types,
    "gcp:kms/getKMSKeyRing:getKMSKeyRing": key_ring,
    "gcp:kms/getKMSCryptoKey:getKMSCryptoKey": crypto_key,
}
"""Every function by its token."""
