"""Functions (data sources) that find what stands and show it as its resource type does, and facts of AWS itself.

Sources: the provider's documentation of each function; EC2, IAM and the services' API references.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simcloud.aws.client import AwsClient, mapping
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.provider.model import CloudError

Args = Mapping[str, Any]
Found = dict[str, Any]
Invoke = Callable[[AwsClient, Args], Found]


def _region(cloud: AwsClient, args: Args) -> str:
    return str(args.get("region") or cloud.region)


def _filters(args: Args, **more: Any) -> list[dict[str, Any]]:
    rows = [{"Name": f["name"], "Values": list(f["values"])} for f in args.get("filters") or ()]
    rows += [{"Name": f"tag:{k}", "Values": [v]} for k, v in (args.get("tags") or {}).items()]
    return rows + [{"Name": k.replace("_", "-"), "Values": [v]} for k, v in more.items() if v is not None]


def _one(rows: list[Any], operation: str, what: str) -> Any:
    if not rows:
        raise CloudError("NotFound", operation, f"no matching {what} found")
    if len(rows) > 1:
        raise CloudError(
            "TooMany", operation, f"multiple {what}s matched; use additional constraints to reduce matches"
        )
    return rows[0]


def _shown(cloud: AwsClient, token: str, id: str, args: Args) -> Found:
    """What a resource type shows of one resource. Raises CloudError when it is not there."""
    from simcloud.aws.types import REGISTRY

    # An argument that a program left out must not hide what the cloud has.
    known = {k: v for k, v in args.items() if v is not None and k not in ("filters", "tags")}
    state = REGISTRY[token].read(cloud, id, known)
    if state is None:
        raise CloudError("NotFound", "read", f"couldn't find resource: {token} {id}")
    shown = {k: v for k, v in args.items() if v is not None} | state
    return {**shown, "id": id, "tags": state.get("tagsAll") or {}}


def by_property(token: str, property: str = "name") -> Invoke:
    """A function whose argument is the resource's id."""

    def look(cloud: AwsClient, args: Args) -> Found:
        return _shown(cloud, token, str(args[property]), args)

    return look


# EC2


def _ec2(operation: str, members: str, id: str, token: str, what: str, **filters: str) -> Invoke:
    """A function over an EC2 Describe operation: by id, by named arguments, by filters and tags."""

    def look(cloud: AwsClient, args: Args) -> Found:
        api = cloud.api("ec2", _region(cloud, args))
        named = {f: args.get(property) for property, f in filters.items()}
        asked = _filters(args) + [{"Name": f, "Values": [str(v)]} for f, v in named.items() if v is not None]
        rows = api.does(operation, **({"Filters": asked} if asked else {}))[members]
        wanted = args.get("id")
        row = _one([r for r in rows if wanted in (None, r[id])], operation, what)
        return _shown(cloud, token, row[id], {k: v for k, v in args.items() if k in ("region",)})

    return look


def _ids(operation: str, members: str, id: str) -> Invoke:
    """A function that lists ids."""

    def look(cloud: AwsClient, args: Args) -> Found:
        where, asked = _region(cloud, args), _filters(args)
        rows = cloud.api("ec2", where).does(operation, **({"Filters": asked} if asked else {}))[members]
        ids = sorted(r[id] for r in rows)
        return {"id": where, "region": where, "ids": ids, "tags": args.get("tags") or {}}

    return look


def subnet(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_subnet."""
    api = cloud.api("ec2", _region(cloud, args))
    asked = _filters(
        args,
        vpc_id=args.get("vpcId"),
        availability_zone=args.get("availabilityZone"),
        availability_zone_id=args.get("availabilityZoneId"),
        state=args.get("state"),
    )
    if args.get("cidrBlock"):
        asked.append({"Name": "cidr-block", "Values": [args["cidrBlock"]]})
    if args.get("defaultForAz") is not None:
        asked.append({"Name": "default-for-az", "Values": [str(args["defaultForAz"]).lower()]})
    call: dict[str, Any] = {"Filters": asked} if asked else {}
    if args.get("id"):
        call["SubnetIds"] = [args["id"]]
    row = _one(api.describe_subnets(**call)["Subnets"], "DescribeSubnets", "EC2 Subnet")
    more = {
        "state": row["State"],
        "defaultForAz": row["DefaultForAz"],
        "availableIpAddressCount": row["AvailableIpAddressCount"],
    }
    return _shown(cloud, "aws:ec2/subnet:Subnet", row["SubnetId"], {"region": _region(cloud, args)}) | more


def security_groups(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_security_groups."""
    where, asked = _region(cloud, args), _filters(args)
    rows = cloud.api("ec2", where).describe_security_groups(**({"Filters": asked} if asked else {}))["SecurityGroups"]
    return {
        "id": where,
        "region": where,
        "ids": [r["GroupId"] for r in rows],
        "vpcIds": [r.get("VpcId", "") for r in rows],
        "arns": [f"arn:aws:ec2:{where}:{ACCOUNT}:security-group/{r['GroupId']}" for r in rows],
        "tags": args.get("tags") or {},
    }


def instance(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_instance."""
    where, asked = _region(cloud, args), _filters({**args, "tags": args.get("instanceTags")})
    call: dict[str, Any] = {"Filters": asked} if asked else {}
    if args.get("instanceId"):
        call["InstanceIds"] = [args["instanceId"]]
    answer = cloud.api("ec2", where).describe_instances(**call)["Reservations"]
    rows = [i for r in answer for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    row = _one(rows, "DescribeInstances", "EC2 Instance")
    shown = _shown(cloud, "aws:ec2/instance:Instance", row["InstanceId"], {"region": where})
    return {**shown, "instanceId": row["InstanceId"], "instanceState": row["State"]["Name"]}


def instances(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_instances."""
    where = _region(cloud, args)
    states = list(args.get("instanceStateNames") or ["running"])
    asked = [
        *_filters({**args, "tags": args.get("instanceTags")}),
        {"Name": "instance-state-name", "Values": states},
    ]
    answer = cloud.api("ec2", where).describe_instances(Filters=asked)["Reservations"]
    rows = [i for r in answer for i in r["Instances"]]
    return {
        "id": where,
        "region": where,
        "ids": [i["InstanceId"] for i in rows],
        "privateIps": [i["PrivateIpAddress"] for i in rows if i.get("PrivateIpAddress")],
        "publicIps": [i["PublicIpAddress"] for i in rows if i.get("PublicIpAddress")],
        "ipv6Addresses": [],
        "instanceTags": args.get("instanceTags") or {},
        "instanceStateNames": args.get("instanceStateNames"),
    }


def route_table(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_route_table."""
    where = _region(cloud, args)
    asked = _filters(args, vpc_id=args.get("vpcId"))
    for property, name in (
        ("subnetId", "association.subnet-id"),
        ("gatewayId", "association.gateway-id"),
        ("routeTableId", "route-table-id"),
    ):
        if args.get(property):
            asked.append({"Name": name, "Values": [args[property]]})
    row = _one(
        cloud.api("ec2", where).describe_route_tables(Filters=asked)["RouteTables"],
        "DescribeRouteTables",
        "EC2 Route Table",
    )
    shown = _shown(cloud, "aws:ec2/routeTable:RouteTable", row["RouteTableId"], {"region": where})
    ties = [
        {
            "routeTableAssociationId": a["RouteTableAssociationId"],
            "routeTableId": a["RouteTableId"],
            "subnetId": a.get("SubnetId", ""),
            "gatewayId": a.get("GatewayId", ""),
            "main": bool(a.get("Main")),
        }
        for a in row["Associations"]
    ]
    routes = [{**dict.fromkeys(_ROUTE, ""), **r} for r in shown["routes"]]
    return {
        **shown,
        "routeTableId": row["RouteTableId"],
        "associations": ties,
        "routes": routes,
        **{k: args[k] for k in ("subnetId", "gatewayId", "filters") if args.get(k)},
    }


_ROUTE = (
    "cidrBlock",
    "ipv6CidrBlock",
    "destinationPrefixListId",
    "carrierGatewayId",
    "coreNetworkArn",
    "egressOnlyGatewayId",
    "gatewayId",
    "instanceId",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)


def instance_type(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_instance_type."""
    where, name = _region(cloud, args), args["instanceType"]
    row = cloud.api("ec2", where).describe_instance_types(InstanceTypes=[name])["InstanceTypes"][0]
    cpus, network = row["VCpuInfo"], row.get("NetworkInfo") or {}
    gpus = (row.get("GpuInfo") or {}).get("Gpus") or []
    disks = row.get("InstanceStorageInfo") or {}
    efa = network.get("EfaInfo") or {}
    return {
        "id": name,
        "region": where,
        "instanceType": name,
        "currentGeneration": bool(row.get("CurrentGeneration")),
        "bareMetal": bool(row.get("BareMetal")),
        "burstablePerformanceSupported": bool(row.get("BurstablePerformanceSupported")),
        "defaultVcpus": cpus["DefaultVCpus"],
        "defaultCores": cpus.get("DefaultCores") or 0,
        "defaultThreadsPerCore": cpus.get("DefaultThreadsPerCore") or 0,
        "validCores": cpus.get("ValidCores") or [],
        "validThreadsPerCores": cpus.get("ValidThreadsPerCore") or [],
        "memorySize": row["MemoryInfo"]["SizeInMiB"],
        "supportedArchitectures": row["ProcessorInfo"]["SupportedArchitectures"],
        "sustainedClockSpeed": row["ProcessorInfo"].get("SustainedClockSpeedInGhz") or 0,
        "supportedUsagesClasses": row.get("SupportedUsageClasses") or [],
        "supportedRootDeviceTypes": row.get("SupportedRootDeviceTypes") or [],
        "supportedVirtualizationTypes": row.get("SupportedVirtualizationTypes") or [],
        "supportedPlacementStrategies": (row.get("PlacementGroupInfo") or {}).get("SupportedStrategies") or [],
        "freeTierEligible": bool(row.get("FreeTierEligible")),
        "hibernationSupported": bool(row.get("HibernationSupported")),
        "hypervisor": row.get("Hypervisor") or "",
        "dedicatedHostsSupported": bool(row.get("DedicatedHostsSupported")),
        "autoRecoverySupported": bool(row.get("AutoRecoverySupported")),
        "instanceStorageSupported": bool(row.get("InstanceStorageSupported")),
        "totalInstanceStorage": disks.get("TotalSizeInGB") or 0,
        "instanceDisks": [
            {"count": d["Count"], "size": d["SizeInGB"], "type": d["Type"]} for d in disks.get("Disks") or ()
        ],
        "totalGpuMemory": (row.get("GpuInfo") or {}).get("TotalGpuMemoryInMiB") or 0,
        "gpuses": [
            {
                "count": g["Count"],
                "manufacturer": g["Manufacturer"],
                "memorySize": (g.get("MemoryInfo") or {}).get("SizeInMiB") or 0,
                "name": g["Name"],
            }
            for g in gpus
        ],
        "fpgas": [],
        "inferenceAccelerators": [],
        "mediaAccelerators": [],
        "neuronDevices": [],
        "networkPerformance": network.get("NetworkPerformance") or "",
        "maximumNetworkInterfaces": network.get("MaximumNetworkInterfaces") or 0,
        "maximumNetworkCards": network.get("MaximumNetworkCards") or 0,
        "maximumIpv4AddressesPerInterface": network.get("Ipv4AddressesPerInterface") or 0,
        "maximumIpv6AddressesPerInterface": network.get("Ipv6AddressesPerInterface") or 0,
        "ipv6Supported": bool(network.get("Ipv6Supported")),
        "enaSupport": network.get("EnaSupport") or "",
        "efaSupported": bool(network.get("EfaSupported")),
        "efaMaximumInterfaces": efa.get("MaximumEfaInterfaces") or 0,
        "ebsOptimizedSupport": (row.get("EbsInfo") or {}).get("EbsOptimizedSupport") or "",
        "ebsEncryptionSupport": (row.get("EbsInfo") or {}).get("EncryptionSupport") or "",
        "ebsNvmeSupport": (row.get("EbsInfo") or {}).get("NvmeSupport") or "",
    }


def offerings(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_instance_type_offerings."""
    where, kind = _region(cloud, args), args.get("locationType") or "region"
    asked = _filters(args)
    api = cloud.api("ec2", where)
    rows: list[Any] = []
    token: dict[str, str] = {}
    while True:
        answer = api.describe_instance_type_offerings(
            LocationType=kind, **({"Filters": asked} if asked else {}), **token
        )
        rows += answer["InstanceTypeOfferings"]
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    return {
        "id": where,
        "region": where,
        "instanceTypes": [r["InstanceType"] for r in rows],
        "locations": [r["Location"] for r in rows],
        "locationTypes": [r.get("LocationType", kind) for r in rows],
        **{k: args[k] for k in ("filters", "locationType") if args.get(k)},
    }


def ami_ids(cloud: AwsClient, args: Args) -> Found:
    """aws.ec2.get_ami_ids, the newest first."""
    where, asked = _region(cloud, args), _filters(args)
    owners = [{"amazon": "137112412989", "self": ACCOUNT}.get(o, o) for o in args["owners"]]
    rows = cloud.api("ec2", where).describe_images(Owners=owners, **({"Filters": asked} if asked else {}))["Images"]
    rows.sort(key=lambda i: i.get("CreationDate", ""), reverse=not args.get("sortAscending"))
    return {"id": where, "region": where, "ids": [i["ImageId"] for i in rows], "owners": list(args["owners"])}


# Accounts, regions, names of AWS itself


def regions(cloud: AwsClient, args: Args) -> Found:
    """aws.get_regions."""
    rows = cloud.api("ec2").describe_regions(AllRegions=bool(args.get("allRegions")))["Regions"]
    names = sorted(r["RegionName"] for r in rows)
    return {"id": "aws", "names": names, **{k: args[k] for k in ("filters", "allRegions") if args.get(k) is not None}}


def canonical_user_id(cloud: AwsClient, args: Args) -> Found:
    """aws.s3.get_canonical_user_id."""
    owner = cloud.api("s3").list_buckets()["Owner"]
    return {"id": owner["ID"], "displayName": owner.get("DisplayName", "")}


_ELB_ACCOUNTS = {
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
    "eu-west-1": "156460612806",
    "eu-central-1": "054676820928",
    "ap-northeast-1": "582318560864",
    "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266",
}
"""Accounts of Elastic Load Balancing. Source: Elastic Load Balancing User Guide, "Access logs for your Application
Load Balancer", bucket policy of regions before August 2022."""


def elb_service_account(cloud: AwsClient, args: Args) -> Found:
    """aws.elb.get_service_account."""
    where = _region(cloud, args)
    account = _ELB_ACCOUNTS.get(where)
    if account is None:
        raise CloudError("NotModelled", "get_service_account", f"the simulation knows no account of {where}", 501)
    return {"id": account, "arn": f"arn:aws:iam::{account}:root", "region": where}


def service_principal(cloud: AwsClient, args: Args) -> Found:
    """aws.get_service_principal."""
    where, name = _region(cloud, args), args["serviceName"]
    return {
        "id": f"{name}.{where}.amazonaws.com",
        "name": f"{name}.amazonaws.com",
        "serviceName": name,
        "region": where,
        "suffix": "amazonaws.com",
    }


def service(cloud: AwsClient, args: Args) -> Found:
    """aws.get_service."""
    where = _region(cloud, args)
    id = args.get("serviceId")
    name = args.get("dnsName") or args.get("reverseDnsName") or f"com.amazonaws.{where}.{id}"
    parts = str(name).split(".")
    if parts[0] != "com":
        parts = parts[::-1]
    where, id = parts[2], ".".join(parts[3:])
    return {
        "id": ".".join(parts),
        "dnsName": ".".join(reversed(parts)),
        "reverseDnsName": ".".join(parts),
        "reverseDnsPrefix": "com.amazonaws",
        "partition": "aws",
        "region": where,
        "serviceId": id,
        "supported": True,
    }


def arn_parts(cloud: AwsClient, args: Args) -> Found:
    """aws.get_arn."""
    text = str(args["arn"])
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise CloudError("InvalidArn", "get_arn", f"{text!r} is an invalid ARN: arn: invalid prefix")
    names = ("partition", "service", "region", "account", "resource")
    return {"id": text, "arn": text, **dict(zip(names, parts[1:], strict=True))}


def default_tags(cloud: AwsClient, args: Args) -> Found:
    """aws.get_default_tags."""
    return {"id": "aws", "tags": dict(cloud.default_tags)}


# Identities, keys, secrets


def role(cloud: AwsClient, args: Args) -> Found:
    """aws.iam.get_role."""
    found = _shown(cloud, "aws:iam/role:Role", args["name"], {})
    return {**found, "roleLastUseds": [], "permissionsBoundary": found.get("permissionsBoundary") or ""}


def user(cloud: AwsClient, args: Args) -> Found:
    """aws.iam.get_user."""
    found = _shown(cloud, "aws:iam/user:User", args["userName"], {})
    return {**found, "userName": args["userName"], "userId": found["uniqueId"], "id": found["uniqueId"]}


def policy(cloud: AwsClient, args: Args) -> Found:
    """aws.iam.get_policy."""
    api, wanted = cloud.api("iam", "us-east-1"), args.get("arn")
    if not wanted:
        rows: list[Any] = []
        marker: dict[str, str] = {}
        while True:
            answer = api.list_policies(**marker)
            rows += [p for p in answer["Policies"] if p["PolicyName"] == args.get("name")]
            if not answer.get("IsTruncated"):
                break
            marker = {"Marker": answer["Marker"]}
        wanted = _one(rows, "ListPolicies", "IAM Policy")["Arn"]
    one = api.get_policy(PolicyArn=wanted)["Policy"]
    version = api.get_policy_version(PolicyArn=wanted, VersionId=one["DefaultVersionId"])["PolicyVersion"]
    document = version["Document"]
    return {
        "id": wanted,
        "arn": wanted,
        "name": one["PolicyName"],
        "path": one["Path"],
        "policyId": one["PolicyId"],
        "description": one.get("Description") or "",
        "attachmentCount": one.get("AttachmentCount") or 0,
        "policy": document if isinstance(document, str) else json.dumps(document),
        "tags": mapping(one.get("Tags")),
    }


def instance_profile(cloud: AwsClient, args: Args) -> Found:
    """aws.iam.get_instance_profile."""
    one = cloud.api("iam", "us-east-1").get_instance_profile(InstanceProfileName=args["name"])["InstanceProfile"]
    roles = one.get("Roles") or [{}]
    return {
        "id": one["InstanceProfileId"],
        "name": args["name"],
        "arn": one["Arn"],
        "path": one["Path"],
        "createDate": one["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "roleArn": roles[0].get("Arn", ""),
        "roleId": roles[0].get("RoleId", ""),
        "roleName": roles[0].get("RoleName", ""),
    }


def kms_key(cloud: AwsClient, args: Args) -> Found:
    """aws.kms.get_key."""
    one = cloud.api("kms", _region(cloud, args)).describe_key(KeyId=args["keyId"])["KeyMetadata"]
    return {
        "id": one["KeyId"],
        "keyId": args["keyId"],
        "arn": one["Arn"],
        "awsAccountId": one["AWSAccountId"],
        "creationDate": one["CreationDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customerMasterKeySpec": one["KeySpec"],
        "keySpec": one["KeySpec"],
        "description": one.get("Description", ""),
        "enabled": one["Enabled"],
        "keyManager": one["KeyManager"],
        "keyState": one["KeyState"],
        "keyUsage": one["KeyUsage"],
        "multiRegion": bool(one.get("MultiRegion")),
        "multiRegionConfigurations": [],
        "origin": one["Origin"],
        "cloudHsmClusterId": "",
        "customKeyStoreId": "",
        "deletionDate": "",
        "expirationModel": "",
        "pendingDeletionWindowInDays": 0,
        "validTo": "",
        "xksKeyConfigurations": [],
        "region": _region(cloud, args),
    }


def parameter(cloud: AwsClient, args: Args) -> Found:
    """aws.ssm.get_parameter: one's own, and the public ones of Amazon's images."""
    one = cloud.api("ssm", _region(cloud, args)).get_parameter(
        Name=args["name"], WithDecryption=args.get("withDecryption") is not False
    )["Parameter"]
    plain = one["Type"] != "SecureString"
    return {
        "id": args["name"],
        "name": args["name"],
        "arn": one.get("ARN") or f"arn:aws:ssm:{_region(cloud, args)}::parameter{args['name']}",
        "type": one["Type"],
        "value": one["Value"],
        "insecureValue": one["Value"] if plain else "",
        "version": one.get("Version", 1),
        "region": _region(cloud, args),
        "withDecryption": args.get("withDecryption"),
    }


def secret(cloud: AwsClient, args: Args) -> Found:
    """aws.secretsmanager.get_secret."""
    wanted = args.get("arn") or args.get("name")
    one = cloud.api("secretsmanager", _region(cloud, args)).describe_secret(SecretId=wanted)
    found = _shown(cloud, "aws:secretsmanager/secret:Secret", one["ARN"], {"region": _region(cloud, args)})
    return {**found, "policy": found.get("policy") or "", "createdDate": "", "lastChangedDate": ""}


def secret_version(cloud: AwsClient, args: Args) -> Found:
    """aws.secretsmanager.get_secret_version."""
    asked: dict[str, Any] = {"SecretId": args["secretId"]}
    if args.get("versionId"):
        asked["VersionId"] = args["versionId"]
    stage = args.get("versionStage") or "AWSCURRENT"
    one = cloud.api("secretsmanager", _region(cloud, args)).get_secret_value(**asked, VersionStage=stage)
    binary = one.get("SecretBinary")
    return {
        "id": f"{args['secretId']}|{stage}",
        "arn": one["ARN"],
        "secretId": args["secretId"],
        "secretString": one.get("SecretString", ""),
        "secretBinary": binary.decode() if binary else "",
        "versionId": one["VersionId"],
        "versionStage": stage,
        "versionStages": one.get("VersionStages") or [],
        "createdDate": one["CreatedDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": _region(cloud, args),
    }


# Load balancers, names, clusters, registries


def _elb(cloud: AwsClient, args: Args, operation: str, members: str, token: str, arn: str) -> Found:
    asked: dict[str, Any] = {}
    if args.get("arn"):
        asked[f"{arn}s"] = [args["arn"]]
    elif args.get("name"):
        asked["Names"] = [args["name"]]
    rows = cloud.api("elbv2", _region(cloud, args)).does(operation, **asked)[members]
    row = _one(rows, operation, token.rsplit(":", 1)[1])
    return _shown(cloud, token, row[arn], {"region": _region(cloud, args)})


def load_balancer(cloud: AwsClient, args: Args) -> Found:
    """aws.lb.get_load_balancer."""
    token = "aws:lb/loadBalancer:LoadBalancer"
    return _elb(cloud, args, "DescribeLoadBalancers", "LoadBalancers", token, "LoadBalancerArn")


def target_group(cloud: AwsClient, args: Args) -> Found:
    """aws.lb.get_target_group."""
    token = "aws:lb/targetGroup:TargetGroup"
    return _elb(cloud, args, "DescribeTargetGroups", "TargetGroups", token, "TargetGroupArn")


def zone(cloud: AwsClient, args: Args) -> Found:
    """aws.route53.get_zone."""
    api, id = cloud.api("route53", "us-east-1"), args.get("zoneId")
    if not id:
        name = str(args.get("name") or "").rstrip(".")
        private = bool(args.get("privateZone"))
        rows = [
            z
            for z in api.list_hosted_zones()["HostedZones"]
            if z["Name"].rstrip(".") == name and bool(z["Config"].get("PrivateZone")) == private
        ]
        id = _one(rows, "ListHostedZones", "Route 53 Hosted Zone")["Id"].removeprefix("/hostedzone/")
    found = _shown(cloud, "aws:route53/zone:Zone", str(id), {})
    return {
        **found,
        "zoneId": id,
        "privateZone": bool(found.get("vpcs")),
        "callerReference": "",
        "linkedServiceDescription": "",
        "linkedServicePrincipal": "",
        "resourceRecordSetCount": 2,
    }


def certificate(cloud: AwsClient, args: Args) -> Found:
    """aws.acm.get_certificate, by domain; issued ones unless said otherwise."""
    api = cloud.api("acm", _region(cloud, args))
    wanted = list(args.get("statuses") or ["ISSUED"])
    rows = [
        c
        for c in api.list_certificates(CertificateStatuses=wanted)["CertificateSummaryList"]
        if c["DomainName"] == args.get("domain")
    ]
    if len(rows) > 1 and args.get("mostRecent"):
        rows = rows[-1:]
    row = _one(rows, "ListCertificates", "ACM Certificate")
    found = _shown(cloud, "aws:acm/certificate:Certificate", row["CertificateArn"], {"region": _region(cloud, args)})
    return {**found, "domain": args.get("domain"), "certificate": "", "certificateChain": ""}


def eks_cluster(cloud: AwsClient, args: Args) -> Found:
    """aws.eks.get_cluster."""
    found = _shown(cloud, "aws:eks/cluster:Cluster", args["name"], {"region": _region(cloud, args)})
    return {
        **found,
        "certificateAuthorities": [found["certificateAuthority"]],
        "accessConfigs": [found["accessConfig"]] if found.get("accessConfig") else [],
        "enabledClusterLogTypes": found.get("enabledClusterLogTypes") or [],
    }


def cluster_auth(cloud: AwsClient, args: Args) -> Found:
    """aws.eks.get_cluster_auth: a token of the right form that opens nothing."""
    url = f"https://sts.{_region(cloud, args)}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&simulated"
    text = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return {"id": args["name"], "name": args["name"], "region": _region(cloud, args), "token": f"k8s-aws-v1.{text}"}


def authorization_token(cloud: AwsClient, args: Args) -> Found:
    """aws.ecr.get_authorization_token."""
    where = _region(cloud, args)
    asked = {"registryIds": [args["registryId"]]} if args.get("registryId") else {}
    one = cloud.api("ecr", where).get_authorization_token(**asked)["authorizationData"][0]
    name, _, password = base64.b64decode(one["authorizationToken"]).decode().partition(":")
    return {
        "id": where,
        "region": where,
        "authorizationToken": one["authorizationToken"],
        "expiresAt": one["expiresAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "password": password,
        "userName": name,
        "proxyEndpoint": one["proxyEndpoint"],
        "registryId": args.get("registryId"),
    }


def credentials(cloud: AwsClient, args: Args) -> Found:
    """aws.ecr.get_credentials."""
    found = authorization_token(cloud, args)
    return {k: found[k] for k in ("id", "authorizationToken", "expiresAt", "proxyEndpoint", "registryId", "region")}


def hosted_zone_of_balancers(cloud: AwsClient, args: Args) -> Found:
    """aws.lb.get_hosted_zone_id."""
    from simcloud.aws.types.loadbalancing import ZONES

    where = _region(cloud, args)
    if where not in ZONES:
        raise CloudError("NotModelled", "get_hosted_zone_id", f"the simulation knows no zone of {where}", 501)
    id = ZONES[where][args.get("loadBalancerType") == "network"]
    return {"id": id, "region": where, "loadBalancerType": args.get("loadBalancerType")}


def queue(cloud: AwsClient, args: Args) -> Found:
    """aws.sqs.get_queue."""
    url = cloud.api("sqs", _region(cloud, args)).get_queue_url(QueueName=args["name"])["QueueUrl"]
    return _shown(cloud, "aws:sqs/queue:Queue", url, {"region": _region(cloud, args)})


def topic(cloud: AwsClient, args: Args) -> Found:
    """aws.sns.get_topic."""
    arn = f"arn:aws:sns:{_region(cloud, args)}:{ACCOUNT}:{args['name']}"
    return _shown(cloud, "aws:sns/topic:Topic", arn, {"region": _region(cloud, args)})


def bucket(cloud: AwsClient, args: Args) -> Found:
    """aws.s3.get_bucket."""
    found = _shown(cloud, "aws:s3/bucket:Bucket", args["bucket"], {"region": _region(cloud, args)})
    return {**found, "websiteDomain": "", "websiteEndpoint": ""}


def bucket_object(cloud: AwsClient, args: Args) -> Found:
    """aws.s3.get_object; the body of text alone, as the provider does."""
    api = cloud.api("s3", _region(cloud, args))
    one = api.get_object(Bucket=args["bucket"], Key=args["key"])
    kind = one.get("ContentType", "")
    shown = kind.startswith("text/") or kind in ("application/json", "application/xml")
    return {
        "id": f"{args['bucket']}/{args['key']}",
        "arn": f"arn:aws:s3:::{args['bucket']}/{args['key']}",
        "bucket": args["bucket"],
        "key": args["key"],
        "region": _region(cloud, args),
        "body": one["Body"].read().decode() if shown else "",
        "contentType": kind,
        "contentLength": one.get("ContentLength", 0),
        "etag": one["ETag"].strip('"'),
        "versionId": one.get("VersionId", ""),
        "metadata": one.get("Metadata") or {},
        "storageClass": one.get("StorageClass") or "STANDARD",
        "lastModified": one["LastModified"].strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "tags": {},
    }


_AT_INDEX: Iterable[tuple[str, Invoke]] = (
    ("getRegions", regions),
    ("getArn", arn_parts),
    ("getServicePrincipal", service_principal),
    ("getService", service),
    ("getDefaultTags", default_tags),
)

LOOKUPS: Mapping[str, Invoke] = {
    **{f"aws:index/{name}:{name}": look for name, look in _AT_INDEX},
    "aws:ec2/getVpcs:getVpcs": _ids("DescribeVpcs", "Vpcs", "VpcId"),
    "aws:ec2/getSubnet:getSubnet": subnet,
    "aws:ec2/getSecurityGroup:getSecurityGroup": _ec2(
        "DescribeSecurityGroups",
        "SecurityGroups",
        "GroupId",
        "aws:ec2/securityGroup:SecurityGroup",
        "EC2 Security Group",
        name="group-name",
        vpcId="vpc-id",
    ),
    "aws:ec2/getSecurityGroups:getSecurityGroups": security_groups,
    "aws:ec2/getInstance:getInstance": instance,
    "aws:ec2/getInstances:getInstances": instances,
    "aws:ec2/getRouteTable:getRouteTable": route_table,
    "aws:ec2/getRouteTables:getRouteTables": _ids("DescribeRouteTables", "RouteTables", "RouteTableId"),
    "aws:ec2/getInternetGateway:getInternetGateway": _ec2(
        "DescribeInternetGateways",
        "InternetGateways",
        "InternetGatewayId",
        "aws:ec2/internetGateway:InternetGateway",
        "EC2 Internet Gateway",
        internetGatewayId="internet-gateway-id",
    ),
    "aws:ec2/getNatGateway:getNatGateway": _ec2(
        "DescribeNatGateways",
        "NatGateways",
        "NatGatewayId",
        "aws:ec2/natGateway:NatGateway",
        "EC2 NAT Gateway",
        vpcId="vpc-id",
        subnetId="subnet-id",
    ),
    "aws:ec2/getElasticIp:getElasticIp": _ec2(
        "DescribeAddresses",
        "Addresses",
        "AllocationId",
        "aws:ec2/eip:Eip",
        "EC2 EIP",
        publicIp="public-ip",
    ),
    "aws:ec2/getLaunchTemplate:getLaunchTemplate": _ec2(
        "DescribeLaunchTemplates",
        "LaunchTemplates",
        "LaunchTemplateId",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "EC2 Launch Template",
        name="launch-template-name",
    ),
    "aws:ec2/getInstanceType:getInstanceType": instance_type,
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": offerings,
    "aws:ec2/getAmiIds:getAmiIds": ami_ids,
    "aws:ssm/getParameter:getParameter": parameter,
    "aws:iam/getRole:getRole": role,
    "aws:iam/getUser:getUser": user,
    "aws:iam/getPolicy:getPolicy": policy,
    "aws:iam/getInstanceProfile:getInstanceProfile": instance_profile,
    "aws:kms/getKey:getKey": kms_key,
    "aws:kms/getAlias:getAlias": by_property("aws:kms/alias:Alias"),
    "aws:s3/getBucket:getBucket": bucket,
    "aws:s3/getObject:getObject": bucket_object,
    "aws:s3/getBucketObject:getBucketObject": bucket_object,
    "aws:s3/getCanonicalUserId:getCanonicalUserId": canonical_user_id,
    "aws:route53/getZone:getZone": zone,
    "aws:eks/getCluster:getCluster": eks_cluster,
    "aws:eks/getClusterAuth:getClusterAuth": cluster_auth,
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": authorization_token,
    "aws:ecr/getCredentials:getCredentials": credentials,
    "aws:ecr/getRepository:getRepository": by_property("aws:ecr/repository:Repository"),
    "aws:elb/getServiceAccount:getServiceAccount": elb_service_account,
    "aws:acm/getCertificate:getCertificate": certificate,
    "aws:lb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:alb/getLoadBalancer:getLoadBalancer": load_balancer,
    "aws:lb/getTargetGroup:getTargetGroup": target_group,
    "aws:alb/getTargetGroup:getTargetGroup": target_group,
    "aws:lb/getHostedZoneId:getHostedZoneId": hosted_zone_of_balancers,
    "aws:secretsmanager/getSecret:getSecret": secret,
    "aws:secretsmanager/getSecretVersion:getSecretVersion": secret_version,
    "aws:sqs/getQueue:getQueue": queue,
    "aws:sns/getTopic:getTopic": topic,
    "aws:dynamodb/getTable:getTable": by_property("aws:dynamodb/table:Table"),
    "aws:autoscaling/getGroup:getGroup": by_property("aws:autoscaling/group:Group"),
    "aws:efs/getFileSystem:getFileSystem": by_property("aws:efs/fileSystem:FileSystem", "fileSystemId"),
    "aws:cloudwatch/getLogGroup:getLogGroup": by_property("aws:cloudwatch/logGroup:LogGroup"),
    "aws:lambda/getFunction:getFunction": by_property("aws:lambda/function:Function", "functionName"),
}
