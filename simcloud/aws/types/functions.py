"""The provider's functions (data sources): what a program looks up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from simcloud.aws.client import AwsClient, mapping
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.provider.model import CloudError

Args = Mapping[str, Any]


def caller_identity(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.get_caller_identity, from STS."""
    who = cloud.api("sts").get_caller_identity()
    return {"id": who["Account"], "accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"]}


def region(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.get_region."""
    name = args.get("region") or args.get("name") or cloud.region
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def partition(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.get_partition."""
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def availability_zones(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.get_availability_zones: the state, names and ids, and filters by zone id, name and opt-in."""
    where = args.get("region") or cloud.region
    zones = cloud.api("ec2", where).describe_availability_zones()["AvailabilityZones"]
    for one in args.get("filters") or ():
        field = {
            "zone-id": "ZoneId",
            "zone-name": "ZoneName",
            "opt-in-status": "OptInStatus",
            "zone-type": "ZoneType",
        }.get(one["name"])
        if field:
            defaults = {"OptInStatus": "opt-in-not-required", "ZoneType": "availability-zone"}
            zones = [z for z in zones if (z.get(field) or defaults.get(field)) in one["values"]]
    if args.get("state"):
        zones = [z for z in zones if z["State"] == args["state"]]
    zones = [
        z
        for z in zones
        if z["ZoneName"] not in (args.get("excludeNames") or ())
        and z["ZoneId"] not in (args.get("excludeZoneIds") or ())
    ]
    zones = sorted(zones, key=lambda z: z["ZoneName"])
    return {
        "id": where,
        "region": where,
        "names": [z["ZoneName"] for z in zones],
        "zoneIds": [z["ZoneId"] for z in zones],
        "groupNames": [where],
        **{k: args[k] for k in ("state", "filters", "excludeNames", "excludeZoneIds") if args.get(k)},
    }


def availability_zone(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.get_availability_zone, by name or id."""
    where = args.get("region") or cloud.region
    for zone in cloud.api("ec2", where).describe_availability_zones()["AvailabilityZones"]:
        if args.get("zoneId") in (None, zone["ZoneId"]) and args.get("name") in (None, zone["ZoneName"]):
            return {
                "id": zone["ZoneName"],
                "name": zone["ZoneName"],
                "zoneId": zone["ZoneId"],
                "region": where,
                "state": zone["State"],
                "nameSuffix": zone["ZoneName"].removeprefix(where),
                "zoneType": "availability-zone",
                "groupName": where,
                "networkBorderGroup": where,
                "optInStatus": "opt-in-not-required",
                "parentZoneId": "",
                "parentZoneName": "",
                "groupLongName": "",
            }
    raise CloudError(
        "InvalidParameterValue",
        "DescribeAvailabilityZones",
        f"no zone {args.get('name') or args.get('zoneId')} in {where}",
    )


def ami(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.ec2.get_ami."""
    where = args.get("region") or cloud.region
    asked: dict[str, Any] = {"Filters": [{"Name": f["name"], "Values": f["values"]} for f in args.get("filters") or ()]}
    owners = [{"amazon": "137112412989", "self": ACCOUNT}.get(o, o) for o in args.get("owners") or ()]
    if owners:
        asked["Owners"] = owners
    found = cloud.api("ec2", where).describe_images(**asked)["Images"]
    if not found:
        raise CloudError(
            "NotFound",
            "DescribeImages",
            "Your query returned no results. Please change your search criteria and try again.",
        )
    if len(found) > 1 and not args.get("mostRecent"):
        raise CloudError(
            "TooMany",
            "DescribeImages",
            "Your query returned more than one result. Please try a more specific search criteria, or set "
            "`most_recent` attribute to true.",
        )
    image = max(found, key=lambda i: i.get("CreationDate", ""))
    return {
        "id": image["ImageId"],
        "imageId": image["ImageId"],
        "name": image.get("Name", ""),
        "architecture": image["Architecture"],
        "arn": f"arn:aws:ec2:{where}::image/{image['ImageId']}",
        "ownerId": image["OwnerId"],
        "state": image["State"],
        "creationDate": image.get("CreationDate", ""),
        "rootDeviceName": image.get("RootDeviceName", ""),
        "rootDeviceType": image.get("RootDeviceType", ""),
        "virtualizationType": image.get("VirtualizationType", ""),
        "description": image.get("Description", ""),
        "public": image.get("Public", True),
        "region": where,
        "hypervisor": image.get("Hypervisor", ""),
        "imageLocation": image.get("ImageLocation", ""),
        "imageType": "machine",
        "tags": mapping(image.get("Tags")),
        "blockDeviceMappings": [],
        "productCodes": [],
        "stateReason": {},
        "rootSnapshotId": "",
        "platform": "",
        "platformDetails": "Linux/UNIX",
        "ramdiskId": "",
        "kernelId": "",
        "sriovNetSupport": "simple",
        "enaSupport": True,
        "usageOperation": "RunInstances",
        "bootMode": "",
        "tpmSupport": "",
        "imdsSupport": "",
        "deprecationTime": "",
        "lastLaunchedTime": "",
        "imageOwnerAlias": "",
        "uefiData": "",
        **{k: args[k] for k in ("filters", "owners", "mostRecent") if args.get(k) is not None},
    }


_PRINCIPAL_ALL = "*"


def policy_document(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.iam.get_policy_document: statements rendered as the provider renders them. No call is made."""
    statements = []
    for one in args.get("statements") or ():
        row: dict[str, Any] = {}
        if one.get("sid"):
            row["Sid"] = one["sid"]
        row["Effect"] = one.get("effect") or "Allow"
        for ours, theirs in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
            if one.get(ours):
                row[theirs] = _principals(one[ours])
        for ours, theirs in (
            ("actions", "Action"),
            ("notActions", "NotAction"),
            ("resources", "Resource"),
            ("notResources", "NotResource"),
        ):
            if one.get(ours):
                row[theirs] = _one_or_many(one[ours])
        for condition in one.get("conditions") or ():
            row.setdefault("Condition", {}).setdefault(condition["test"], {})[condition["variable"]] = _one_or_many(
                condition["values"]
            )
        statements.append(row)
    text = json.dumps({"Version": args.get("version") or "2012-10-17", "Statement": statements}, indent=2)
    minified = json.dumps(json.loads(text), separators=(",", ":"))
    return {
        "id": str(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)),
        "json": text,
        "minifiedJson": minified,
        **{k: args[k] for k in ("statements", "version") if args.get(k) is not None},
    }


def _one_or_many(values: Any) -> Any:
    found = sorted(set(values), reverse=True)
    return found[0] if len(found) == 1 else found


def _principals(rows: Any) -> Any:
    if any(r["type"] == _PRINCIPAL_ALL for r in rows):
        return _PRINCIPAL_ALL
    return {r["type"]: _one_or_many(r["identifiers"]) for r in rows}


def vpc(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.ec2.get_vpc, by id, default, or filters."""
    where = args.get("region") or cloud.region
    filters = [{"Name": f["name"], "Values": f["values"]} for f in args.get("filters") or ()]
    if args.get("default"):
        filters.append({"Name": "is-default", "Values": ["true"]})
    filters += [{"Name": f"tag:{k}", "Values": [v]} for k, v in (args.get("tags") or {}).items()]
    asked: dict[str, Any] = {"Filters": filters} if filters else {}
    if args.get("id"):
        asked["VpcIds"] = [args["id"]]
    found = cloud.api("ec2", where).describe_vpcs(**asked)["Vpcs"]
    if len(found) != 1:
        raise CloudError(
            "NotFound" if not found else "TooMany", "DescribeVpcs", f"{len(found)} VPCs match; expected one"
        )
    one = found[0]
    tables = cloud.api("ec2", where).describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [one["VpcId"]]}])[
        "RouteTables"
    ]
    main = next((t["RouteTableId"] for t in tables if any(a.get("Main") for a in t["Associations"])), "")
    return {
        "id": one["VpcId"],
        "arn": f"arn:aws:ec2:{where}:{ACCOUNT}:vpc/{one['VpcId']}",
        "cidrBlock": one["CidrBlock"],
        "region": where,
        "default": one["IsDefault"],
        "state": one["State"],
        "dhcpOptionsId": one["DhcpOptionsId"],
        "instanceTenancy": one["InstanceTenancy"],
        "mainRouteTableId": main,
        "ownerId": ACCOUNT,
        "tags": mapping(one.get("Tags")),
        "cidrBlockAssociations": [],
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "enableNetworkAddressUsageMetrics": False,
        "ipv6AssociationId": "",
        "ipv6CidrBlock": "",
    }


def subnets(cloud: AwsClient, args: Args) -> dict[str, Any]:
    """aws.ec2.get_subnets, by filters and tags."""
    where = args.get("region") or cloud.region
    filters = [{"Name": f["name"], "Values": f["values"]} for f in args.get("filters") or ()]
    filters += [{"Name": f"tag:{k}", "Values": [v]} for k, v in (args.get("tags") or {}).items()]
    found = cloud.api("ec2", where).describe_subnets(**({"Filters": filters} if filters else {}))["Subnets"]
    return {"id": where, "region": where, "ids": [s["SubnetId"] for s in found], "tags": args.get("tags") or {}}


INVOKES: Mapping[str, Callable[[AwsClient, Args], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": region,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": availability_zones,
    "aws:index/getAvailabilityZone:getAvailabilityZone": availability_zone,
    "aws:ec2/getAmi:getAmi": ami,
    "aws:iam/getPolicyDocument:getPolicyDocument": policy_document,
    "aws:ec2/getVpc:getVpc": vpc,
    "aws:ec2/getSubnets:getSubnets": subnets,
}
