"""What moto's EKS lacks: add-ons, access entries, pod identities, updates of versions.

Source: Amazon EKS API reference (each operation's page), and its service model for the members of the answers.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.served import Row, served
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

ACCOUNT = moto_bridge.ACCOUNT
_ADDONS = frozenset(
    {
        "adot",
        "amazon-cloudwatch-observability",
        "aws-ebs-csi-driver",
        "aws-efs-csi-driver",
        "aws-fsx-csi-driver",
        "aws-guardduty-agent",
        "aws-mountpoint-s3-csi-driver",
        "aws-network-flow-monitoring-agent",
        "cert-manager",
        "coredns",
        "eks-node-monitoring-agent",
        "eks-pod-identity-agent",
        "external-dns",
        "kube-proxy",
        "kube-state-metrics",
        "metrics-server",
        "prometheus-node-exporter",
        "snapshot-controller",
        "vpc-cni",
    }
)
"""Names of AWS's own add-ons. Source: EKS User Guide, "AWS add-ons", and "Community add-ons"."""
_VERSION = "v1.0.0-eksbuild.1"
"""The simulation's stand-in for an add-on's default version: the real ones change weekly."""
_PRINCIPAL = re.compile(r"^arn:aws[\w-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+$")


def cluster(call: Call, name: str) -> Any:
    """moto's cluster. Raises ResourceNotFoundException."""
    found = moto_bridge.backend("eks", call.region).clusters.get(name)
    if found is None:
        raise CloudError("ResourceNotFoundException", call.operation, f"No cluster found for name: {name}.", 404)
    return found


def _id(moment: Moment) -> str:
    return str(uuid.UUID(int=moment.chance.getrandbits(128), version=4))


def _given(p: Mapping[str, Any], *names: str) -> Row:
    return {n: p[n] for n in names if p.get(n) is not None}


def _arn(call: Call, kind: str, name: str, moment: Moment) -> str:
    return f"arn:aws:eks:{call.region}:{ACCOUNT}:{kind}/{name}/{_id(moment)}"


@served("eks:CreateAddon")
def _create_addon(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p = call.params
    name, addon = p["clusterName"], p["addonName"]
    cluster(call, name)
    rows = world.shelves.of("eks addon", call.region)
    if (name, addon) in rows:
        raise CloudError("ResourceInUseException", call.operation, "Addon already exists.", 409)
    if addon not in _ADDONS:
        raise CloudError("InvalidParameterException", call.operation, f"Addon {addon} specified is not supported")
    rows[name, addon] = {
        **_given(p, "addonName", "clusterName", "serviceAccountRoleArn", "configurationValues"),
        "addonVersion": p.get("addonVersion") or _VERSION,
        "status": "ACTIVE",
        "health": {"issues": []},
        "addonArn": _arn(call, "addon", f"{name}/{addon}", moment),
        "createdAt": moment.now,
        "modifiedAt": moment.now,
        "tags": dict(p.get("tags") or {}),
    }
    return {"addon": rows[name, addon]}


def _addon(world: AwsWorld, call: Call) -> Row:
    name, addon = call.params["clusterName"], call.params["addonName"]
    cluster(call, name)
    return world.shelves.find(
        "eks addon",
        call,
        (name, addon),
        "ResourceNotFoundException",
        f"No addon: {addon} found in cluster: {name}",
        404,
    )


@served("eks:DescribeAddon")
def _describe_addon(world: AwsWorld, call: Call, moment: Moment) -> Row:
    return {"addon": _addon(world, call)}


@served("eks:UpdateAddon")
def _update_addon(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _addon(world, call)
    row |= _given(call.params, "addonVersion", "serviceAccountRoleArn", "configurationValues")
    row["modifiedAt"] = moment.now
    return _update("AddonUpdate", moment)


@served("eks:DeleteAddon")
def _delete_addon(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _addon(world, call)
    del world.shelves.of("eks addon", call.region)[row["clusterName"], row["addonName"]]
    return {"addon": {**row, "status": "DELETING"}}


@served("eks:ListAddons")
def _list_addons(world: AwsWorld, call: Call, moment: Moment) -> Row:
    rows = world.shelves.of("eks addon", call.region)
    return {"addons": sorted(addon for name, addon in rows if name == call.params["clusterName"])}


def _update(kind: str, moment: Moment) -> Row:
    return {"update": {"id": _id(moment), "status": "Successful", "type": kind, "createdAt": moment.now, "errors": []}}


@served("eks:UpdateClusterVersion")
def _update_cluster_version(world: AwsWorld, call: Call, moment: Moment) -> Row:
    found, wanted = cluster(call, call.params["name"]), str(call.params["version"])
    was = [int(n) for n in str(found.version).split(".")]
    now = [int(n) for n in wanted.split(".")] if re.fullmatch(r"\d+\.\d+", wanted) else [0, 0]
    if now == was or now[0] != was[0] or now[1] != was[1] + 1:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"Unsupported Kubernetes minor version update from {found.version} to {wanted}",
        )
    found.version = wanted
    return _update("VersionUpdate", moment)


@served("eks:UpdateNodegroupVersion")
def _update_nodegroup_version(world: AwsWorld, call: Call, moment: Moment) -> Row:
    groups = cluster(call, call.params["clusterName"]).nodegroups
    group = groups.get(call.params["nodegroupName"])
    if group is None:
        raise CloudError(
            "ResourceNotFoundException",
            call.operation,
            f"No node group found for name: {call.params['nodegroupName']}.",
            404,
        )
    for name, member in (
        ("version", "version"),
        ("releaseVersion", "release_version"),
        ("launchTemplate", "launch_template"),
    ):
        if call.params.get(name):
            setattr(group, member, call.params[name])
    return _update("VersionUpdate", moment)


# Access


@served("eks:CreateAccessEntry")
def _create_access_entry(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p = call.params
    name, principal = p["clusterName"], p["principalArn"]
    cluster(call, name)
    rows = world.shelves.of("eks access entry", call.region)
    if not _PRINCIPAL.match(principal):
        raise CloudError(
            "InvalidParameterException", call.operation, "The specified principalArn is invalid: invalid principal."
        )
    if (name, principal) in rows:
        raise CloudError(
            "ResourceInUseException",
            call.operation,
            "The specified access entry resource is already in use on this cluster.",
            409,
        )
    kind = p.get("type") or "STANDARD"
    if kind != "STANDARD" and p.get("kubernetesGroups"):
        raise CloudError(
            "InvalidParameterException", call.operation, f"You cannot give groups to an access entry of type {kind}"
        )
    digest = hashlib.sha256(f"{name} {principal}".encode()).hexdigest()[:8]
    principal_kind, _, principal_name = principal.split(":", 5)[-1].partition("/")
    row = {
        **_given(p, "clusterName", "principalArn"),
        "kubernetesGroups": list(p.get("kubernetesGroups") or ()),
        "type": kind,
        "username": p.get("username") or principal,
        "accessEntryArn": (
            f"arn:aws:eks:{call.region}:{ACCOUNT}:access-entry/{name}/{principal_kind}/{ACCOUNT}/"
            f"{principal_name.rsplit('/', 1)[-1]}/{digest}-{_id(moment)[9:]}"
        ),
        "createdAt": moment.now,
        "modifiedAt": moment.now,
        "tags": dict(p.get("tags") or {}),
    }
    rows[name, principal] = row
    return {"accessEntry": row}


def _entry(world: AwsWorld, call: Call) -> Row:
    name, principal = call.params["clusterName"], call.params["principalArn"]
    cluster(call, name)
    return world.shelves.find(
        "eks access entry",
        call,
        (name, principal),
        "ResourceNotFoundException",
        "The specified principalArn could not be found. You can view your available access entries with "
        "'list-access-entries'.",
        404,
    )


@served("eks:DescribeAccessEntry")
def _describe_access_entry(world: AwsWorld, call: Call, moment: Moment) -> Row:
    return {"accessEntry": _entry(world, call)}


@served("eks:UpdateAccessEntry")
def _update_access_entry(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _entry(world, call)
    row |= _given(call.params, "kubernetesGroups", "username")
    row["modifiedAt"] = moment.now
    return {"accessEntry": row}


@served("eks:DeleteAccessEntry")
def _delete_access_entry(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _entry(world, call)
    del world.shelves.of("eks access entry", call.region)[row["clusterName"], row["principalArn"]]
    return {}


@served("eks:ListAccessEntries")
def _list_access_entries(world: AwsWorld, call: Call, moment: Moment) -> Row:
    rows = world.shelves.of("eks access entry", call.region)
    return {"accessEntries": sorted(principal for name, principal in rows if name == call.params["clusterName"])}


@served("eks:AssociateAccessPolicy")
def _associate_access_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p, entry = call.params, _entry(world, call)
    if ":eks::aws:cluster-access-policy/" not in p["policyArn"]:
        raise CloudError(
            "InvalidParameterException",
            call.operation,
            f"The policyArn parameter format is not valid: {p['policyArn']}",
        )
    scope = p["accessScope"]
    if scope.get("type") == "namespace" and not scope.get("namespaces"):
        raise CloudError(
            "InvalidParameterException", call.operation, "The access scope type namespace needs namespaces"
        )
    row = {"policyArn": p["policyArn"], "accessScope": scope, "associatedAt": moment.now, "modifiedAt": moment.now}
    entry.setdefault("policies", {})[p["policyArn"]] = row
    return {"clusterName": p["clusterName"], "principalArn": p["principalArn"], "associatedAccessPolicy": row}


@served("eks:ListAssociatedAccessPolicies")
def _list_access_policies(world: AwsWorld, call: Call, moment: Moment) -> Row:
    entry = _entry(world, call)
    return {
        "clusterName": entry["clusterName"],
        "principalArn": entry["principalArn"],
        "associatedAccessPolicies": list(entry.get("policies", {}).values()),
    }


@served("eks:DisassociateAccessPolicy")
def _disassociate_access_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    _entry(world, call).get("policies", {}).pop(call.params["policyArn"], None)
    return {}


# Pod identities


@served("eks:CreatePodIdentityAssociation")
def _create_pod_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    p = call.params
    cluster(call, p["clusterName"])
    rows = world.shelves.of("eks pod identity", call.region)
    wanted = (p["clusterName"], p["namespace"], p["serviceAccount"])
    if any((r["clusterName"], r["namespace"], r["serviceAccount"]) == wanted for r in rows.values()):
        raise CloudError(
            "ResourceInUseException",
            call.operation,
            f"Association already exists: {p['namespace']}/{p['serviceAccount']}",
            409,
        )
    id = "a-" + "".join(moment.chance.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(17))
    rows[id] = {
        **_given(
            p, "clusterName", "namespace", "serviceAccount", "roleArn", "disableSessionTags", "targetRoleArn", "policy"
        ),
        "associationId": id,
        "associationArn": f"arn:aws:eks:{call.region}:{ACCOUNT}:podidentityassociation/{p['clusterName']}/{id}",
        "createdAt": moment.now,
        "modifiedAt": moment.now,
        "tags": dict(p.get("tags") or {}),
    }
    return {"association": rows[id]}


def _pod_identity(world: AwsWorld, call: Call) -> Row:
    cluster(call, call.params["clusterName"])
    id = call.params["associationId"]
    return world.shelves.find(
        "eks pod identity", call, id, "ResourceNotFoundException", f"Association not found: {id}", 404
    )


@served("eks:DescribePodIdentityAssociation")
def _describe_pod_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    return {"association": _pod_identity(world, call)}


@served("eks:UpdatePodIdentityAssociation")
def _update_pod_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _pod_identity(world, call)
    row |= _given(call.params, "roleArn", "disableSessionTags", "targetRoleArn", "policy")
    return {"association": row}


@served("eks:DeletePodIdentityAssociation")
def _delete_pod_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _pod_identity(world, call)
    del world.shelves.of("eks pod identity", call.region)[row["associationId"]]
    return {"association": row}


# Tags of what moto does not know


def _owned_tags(world: AwsWorld, call: Call) -> Row | None:
    arn = call.params["resourceArn"]
    kinds = (":addon/", ":access-entry/", ":podidentityassociation/")
    return world.shelves.tags(arn) if any(k in arn for k in kinds) else None


@served("eks:TagResource")
def _tag(world: AwsWorld, call: Call, moment: Moment) -> Row:
    tags = _owned_tags(world, call)
    if tags is None:
        backend = moto_bridge.backend("eks", call.region)
        backend.tag_resource(call.params["resourceArn"], call.params["tags"])
    else:
        tags |= call.params["tags"]
    return {}


@served("eks:UntagResource")
def _untag(world: AwsWorld, call: Call, moment: Moment) -> Row:
    tags, keys = _owned_tags(world, call), call.params["tagKeys"]
    if tags is None:
        backend = moto_bridge.backend("eks", call.region)
        backend.untag_resource(call.params["resourceArn"], keys)
    else:
        for key in keys:
            tags.pop(key, None)
    return {}
