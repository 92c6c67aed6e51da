"""The provider's functions: look-ups without a resource."""

from __future__ import annotations

import hashlib
import json
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


_MAPS = frozenset({"labels", "effectiveLabels", "pulumiLabels", "metadata", "annotations", "resourceLabels", "limits"})


def _told(state: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's outputs as a function tells them: single blocks are lists of one."""
    made: dict[str, Any] = {}
    for name, value in state.items():
        if isinstance(value, Mapping) and name not in _MAPS:
            made[name if name.endswith("s") else f"{name}s"] = [_told(value)]
        elif isinstance(value, list):
            made[name] = [_told(v) if isinstance(v, Mapping) else v for v in value]
        else:
            made[name] = value
    return made


def _of(token: str, form: str) -> Callable[[GcpClient, Args], dict[str, Any]]:
    """The function that reads one resource of a type; `form` is its id, with arguments and the provider's defaults."""

    def read(cloud: GcpClient, args: Args) -> dict[str, Any]:
        from simcloud.gcp.types import REGISTRY

        given = str(args.get("selfLink") or "")
        zone = args.get("zone") or cloud.zone
        place = {"project": cloud.project, "region": cloud.region, "zone": zone, "location": zone or cloud.region}
        id = relative(given) if given else form.format(**{**place, **{k: v for k, v in args.items() if v is not None}})
        return _told(_found(REGISTRY[token].read(cloud, id, {}), id))

    return read


def regions(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The regions of a project."""
    where, status = _project(cloud, args), args.get("status")
    listed = cloud.call("compute.regions.list", project=where).get("items", [])
    names = sorted(r["name"] for r in listed if status is None or r["status"] == status)
    return {"id": f"projects/{where}", "project": where, "names": names, "status": status}


def default_account(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The account that machines run as when nobody says otherwise."""
    where = _project(cloud, args)
    email = cloud.call("compute.projects.get", project=where)["defaultServiceAccount"]
    name = f"projects/{where}/serviceAccounts/{email}"
    texts = {
        "displayName": "Compute Engine default service account",
        "uniqueId": "",
        "member": f"serviceAccount:{email}",
    }
    return {"id": name, "name": name, "email": email, "project": where, **texts}


def account(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A service account by its id, its email or its name."""
    given = str(args["accountId"]).rpartition("/")[2]
    email = given if "@" in given else f"{given}@{_project(cloud, args)}.iam.gserviceaccount.com"
    from simcloud.gcp.types.iam import Account

    made = _found(Account().read(cloud, email, {}), f"service account {email}")
    return {**{k: v for k, v in made.items() if k != "deletionPolicy"}, "accountId": args["accountId"]}


def machine_types(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The machine types of a zone."""
    where, zone = _project(cloud, args), _zone(cloud, args)
    listed: list[dict[str, Any]] = []
    token: str | None = ""
    while token is not None:
        more = {"filter": args["filter"]} if args.get("filter") else {}
        page = cloud.call("compute.machineTypes.list", project=where, zone=zone, pageToken=token or None, **more)
        listed += page.get("items", [])
        token = page.get("nextPageToken")
    kinds = [
        {
            "name": t["name"],
            "description": t["description"],
            "guestCpus": t["guestCpus"],
            "memoryMb": t["memoryMb"],
            "isSharedCpus": t["isSharedCpu"],
            "maximumPersistentDisks": t["maximumPersistentDisks"],
            "maximumPersistentDisksSizeGb": int(t["maximumPersistentDisksSizeGb"]),
            "selfLink": t["selfLink"],
            "accelerators": t.get("accelerators", []),
            "bundledLocalSsds": [],
            "deprecateds": [],
        }
        for t in listed
    ]
    return {"id": f"projects/{where}/zones/{zone}/machineTypes", "project": where, "zone": zone, "machineTypes": kinds}


def engine_versions(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """The versions of GKE in a location."""
    where = _project(cloud, args)
    place = str(args.get("location") or cloud.zone or cloud.region)
    name = f"projects/{where}/locations/{place}"
    found = cloud.call("container.projects.locations.getServerConfig", name=name)
    prefix = str(args.get("versionPrefix") or "")
    masters = [v for v in found["validMasterVersions"] if v.startswith(prefix)]
    nodes = [v for v in found["validNodeVersions"] if v.startswith(prefix)]
    channels = {c["channel"]: c["defaultVersion"] for c in found["channels"]}
    return {
        "id": name,
        "project": where,
        "location": place,
        "versionPrefix": args.get("versionPrefix"),
        "defaultClusterVersion": found["defaultClusterVersion"],
        "validMasterVersions": masters,
        "validNodeVersions": nodes,
        "latestMasterVersion": masters[0] if masters else "",
        "latestNodeVersion": nodes[0] if nodes else "",
        "releaseChannelDefaultVersion": channels,
        "releaseChannelLatestVersion": {c["channel"]: c["validVersions"][0] for c in found["channels"]},
        "releaseChannelUpgradeTargetVersion": channels,
    }


def iam_policy(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A policy as JSON text, sorted as the provider sorts it. No call is made."""
    bindings = []
    for one in args.get("bindings") or []:
        made: dict[str, Any] = {"members": sorted(one["members"]), "role": one["role"]}
        if one.get("condition"):
            made["condition"] = {k: v for k, v in one["condition"].items() if v is not None}
        bindings.append(made)
    bindings.sort(key=lambda b: str(b["role"]))
    document: dict[str, Any] = {"bindings": bindings} if bindings else {}
    if args.get("auditConfigs"):
        document["auditConfigs"] = args["auditConfigs"]
    text = json.dumps(document, separators=(",", ":"))
    digest = str(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16))
    return {
        "id": digest,
        "policyData": text,
        "bindings": args.get("bindings"),
        "auditConfigs": args.get("auditConfigs"),
    }


def secret_version(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A version of a secret with what it holds."""
    from simcloud.gcp.types.managed import SecretVersion

    secret = str(args["secret"])
    name = secret if "/" in secret else f"projects/{_project(cloud, args)}/secrets/{secret}"
    id = f"{name}/versions/{args.get('version') or 'latest'}"
    made = _found(SecretVersion().read(cloud, id, {}), id)
    keep = ("id", "name", "createTime", "destroyTime", "enabled", "secretData", "version")
    found = {n: made.get(n) for n in keep}
    return {**found, "secret": args["secret"], "project": made["name"].split("/")[1], "isSecretDataBase64": False}


def storage_bucket(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A bucket."""
    from simcloud.gcp.types.storage import Bucket

    made = _told(_found(Bucket().read(cloud, str(args["name"]), {}), f"bucket {args['name']}"))
    made.pop("deletionPolicy", None)
    return made


def instance_group(cloud: GcpClient, args: Args) -> dict[str, Any]:
    """A group with its members, managed or not."""
    given = relative(str(args.get("selfLink") or ""))
    bits = given.split("/") if given else []
    where = {
        "project": bits[1] if bits else _project(cloud, args),
        "zone": bits[3] if bits else _zone(cloud, args),
        "instanceGroup": bits[5] if bits else str(args["name"]),
    }
    item = cloud.call("compute.instanceGroups.get", **where)
    listed = cloud.call("compute.instanceGroups.listInstances", **where, body={"instanceState": "ALL"})
    return {
        "id": f"projects/{where['project']}/zones/{where['zone']}/instanceGroups/{item['name']}",
        "name": item["name"],
        "project": where["project"],
        "zone": where["zone"],
        "description": item.get("description", ""),
        "network": item.get("network", ""),
        "selfLink": item["selfLink"],
        "size": item["size"],
        "namedPorts": item.get("namedPorts", []),
        "instances": [i["instance"] for i in listed.get("items", [])],
    }


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
    "gcp:compute/getRegions:getRegions": regions,
    "gcp:compute/getMachineTypes:getMachineTypes": machine_types,
    "gcp:compute/getDefaultServiceAccount:getDefaultServiceAccount": default_account,
    "gcp:compute/getInstanceGroup:getInstanceGroup": instance_group,
    "gcp:compute/getInstance:getInstance": _of("gcp:compute/instance:Instance", "{project}/{zone}/{name}"),
    "gcp:compute/getAddress:getAddress": _of("gcp:compute/address:Address", "{project}/{region}/{name}"),
    "gcp:compute/getGlobalAddress:getGlobalAddress": _of("gcp:compute/globalAddress:GlobalAddress", "{project}/{name}"),
    "gcp:compute/getDisk:getDisk": _of("gcp:compute/disk:Disk", "{project}/{zone}/{name}"),
    "gcp:compute/getRouter:getRouter": _of("gcp:compute/router:Router", "{project}/{region}/{name}"),
    "gcp:container/getEngineVersions:getEngineVersions": engine_versions,
    "gcp:container/getCluster:getCluster": _of(
        "gcp:container/cluster:Cluster", "projects/{project}/locations/{location}/clusters/{name}"
    ),
    "gcp:organizations/getIAMPolicy:getIAMPolicy": iam_policy,
    "gcp:serviceaccount/getAccount:getAccount": account,
    "gcp:secretmanager/getSecret:getSecret": _of(
        "gcp:secretmanager/secret:Secret", "projects/{project}/secrets/{secretId}"
    ),
    "gcp:secretmanager/getSecretVersion:getSecretVersion": secret_version,
    "gcp:storage/getBucket:getBucket": storage_bucket,
    "gcp:dns/getManagedZone:getManagedZone": _of("gcp:dns/managedZone:ManagedZone", "{project}/{name}"),
    "gcp:artifactregistry/getRepository:getRepository": _of(
        "gcp:artifactregistry/repository:Repository",
        "projects/{project}/locations/{location}/repositories/{repositoryId}",
    ),
    "gcp:pubsub/getTopic:getTopic": _of("gcp:pubsub/topic:Topic", "projects/{project}/topics/{name}"),
    "gcp:cloudrunv2/getService:getService": _of(
        "gcp:cloudrunv2/service:Service", "projects/{project}/locations/{location}/services/{name}"
    ),
    "gcp:sql/getDatabaseInstance:getDatabaseInstance": _of(
        "gcp:sql/databaseInstance:DatabaseInstance", "projects/{project}/instances/{name}"
    ),
}
"""Every function by its token."""
