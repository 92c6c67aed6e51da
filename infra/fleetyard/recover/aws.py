"""What AWS lists of a stack, and how each kind is deleted. Reads side by side with `fleetyard.recover.gcp`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from fleetyard.findings import Exit, FleetyardError, error
from fleetyard.recover.decide import Thing, with_objects
from fleetyard.recover.names import NAMED, TAG, TAGGED, Place, inside
from fleetyard.recover.patience import Answer, RefusedError

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "InvalidClientTokenId"}
BUSY = {
    "DependencyViolation",
    "ResourceInUse",
    "ResourceInUseFault",
    "ResourceContention",
    "ScalingActivityInProgress",
    "InvalidIPAddress.InUse",
    "InvalidPlacementGroup.InUse",
    "DeleteConflict",
    "OperationAborted",
}
"""Answers that mean: not yet. Sources: API references of EC2, Auto Scaling, IAM, S3, "Errors"."""
GOING = {"deleting", "deleted", "shutting-down"}
KEY_WINDOW_DAYS = 30
"""The longest that KMS lets a key wait, and take it back."""
SETTINGS = {
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "get_bucket_ownership_controls",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "get_public_access_block",
    "aws:s3/bucketVersioning:BucketVersioning": "get_bucket_versioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "get_bucket_encryption",
    "aws:s3/bucketPolicy:BucketPolicy": "get_bucket_policy",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "get_bucket_lifecycle_configuration",
}
"""A bucket's settings and the calls that read them. Each is one PUT, which the next `up` repeats without harm."""


class Aws:
    """The account and region of a stack. Every call raises FleetyardError when AWS does not answer or denies."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session = boto3.Session(region_name=place.region)
        self._wait = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 5, "mode": "standard"})
        self._clients: dict[str, Any] = {}

    def things(self) -> list[Thing]:
        """Everything of the stack's. Raises FleetyardError (77 without permission, 69 when AWS does not answer)."""
        try:
            stores = list(self._stores())
            rest = [*self._network(), *self._machines(), *self._identities()]
            return [*rest, *self._keys(with_objects(stores)), *stores]
        except NoCredentialsError:
            fix = "sign in, or `fleetyard sim env`"
            raise error("FY1711", "credentials", "there are none for AWS", fix, Exit.PERMISSION) from None
        except ClientError as refused:
            raise _refused(refused) from None
        except BotoCoreError as silent:
            raise error("FY1713", "aws", f"does not answer: {silent}", "is it running?", Exit.REFUSED) from None

    def delete(self, thing: Thing) -> None:
        """Delete one. Raises RefusedError, which says whether to try again."""
        try:
            _DELETE[thing.type](self, thing)
        except ClientError as refused:
            code, message = refused.response["Error"]["Code"], refused.response["Error"].get("Message", "")
            raise RefusedError(code, message, answer(code)) from None
        except BotoCoreError as silent:
            raise RefusedError("no answer", str(silent), Answer.BUSY) from None

    def order(self, thing: Thing) -> int:
        """What goes first when several are deleted: users before what they use."""
        return list(_DELETE).index(thing.type)

    def client(self, service: str) -> Any:
        """A service's client."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=self._wait)
        return self._clients[service]

    def _pages(self, service: str, operation: str, member: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        client = self.client(service)
        if client.can_paginate(operation):
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page[member]
        else:
            yield from getattr(client, operation)(**arguments)[member]

    def _tagged(self, operation: str, member: str, filters: str = "Filters") -> Iterator[dict[str, Any]]:
        """Rows of EC2 with the stack's tag."""
        wanted = [{"Name": f"tag:{TAG}", "Values": [self._place.stack]}]
        for row in self._pages("ec2", operation, member, **{filters: wanted}):
            if _tags(row).get(TAG) == self._place.stack and row.get("State") not in GOING:
                yield row

    def _network(self) -> Iterator[Thing]:
        for row in self._tagged("describe_vpcs", "Vpcs"):
            yield _ec2("aws:ec2/vpc:Vpc", row["VpcId"], row, cidrBlock=row["CidrBlock"])
        for row in self._tagged("describe_subnets", "Subnets"):
            yield _ec2("aws:ec2/subnet:Subnet", row["SubnetId"], row, vpcId=row["VpcId"], cidrBlock=row["CidrBlock"])
        for row in self._tagged("describe_internet_gateways", "InternetGateways"):
            vpc = next((a["VpcId"] for a in row["Attachments"]), "")
            at = {"vpcId": vpc} if vpc else {}
            yield _ec2("aws:ec2/internetGateway:InternetGateway", row["InternetGatewayId"], row, **at)
        for row in self._tagged("describe_route_tables", "RouteTables"):
            yield _ec2("aws:ec2/routeTable:RouteTable", row["RouteTableId"], row, vpcId=row["VpcId"])
            yield from _in_route_table(row)
        for row in self._tagged("describe_addresses", "Addresses"):
            yield _ec2("aws:ec2/eip:Eip", row["AllocationId"], row)
        for row in self._tagged("describe_nat_gateways", "NatGateways", "Filter"):
            allocated = next((a["AllocationId"] for a in row["NatGatewayAddresses"] if "AllocationId" in a), "")
            facts = {"subnetId": row["SubnetId"], **({"allocationId": allocated} if allocated else {})}
            yield _ec2("aws:ec2/natGateway:NatGateway", row["NatGatewayId"], row, **facts)
        for row in self._tagged("describe_security_groups", "SecurityGroups"):
            facts = {"vpcId": row["VpcId"], "name": row["GroupName"]}
            yield _ec2("aws:ec2/securityGroup:SecurityGroup", row["GroupId"], row, **facts)
        for row in self._tagged("describe_security_group_rules", "SecurityGroupRules"):
            yield _rule(row)
        for row in self._tagged("describe_vpc_endpoints", "VpcEndpoints"):
            facts = {"vpcId": row["VpcId"], "serviceName": row["ServiceName"]}
            yield _ec2("aws:ec2/vpcEndpoint:VpcEndpoint", row["VpcEndpointId"], row, **facts)
        for row in self._tagged("describe_flow_logs", "FlowLogs", "Filter"):
            yield _ec2("aws:ec2/flowLog:FlowLog", row["FlowLogId"], row, vpcId=row["ResourceId"])
        flow = f"{self._place.stack}-flow"
        for row in self._pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=f"{flow}-"):
            name = row["logGroupName"]
            if self._place.is_named(name, flow):
                yield Thing("aws:cloudwatch/logGroup:LogGroup", name, name, NAMED, {"name": name})

    def _machines(self) -> Iterator[Thing]:
        for row in self._tagged("describe_placement_groups", "PlacementGroups"):
            name = row["GroupName"]
            yield Thing("aws:ec2/placementGroup:PlacementGroup", name, name, TAGGED, {"name": name})
        for row in self._tagged("describe_launch_templates", "LaunchTemplates"):
            name = row["LaunchTemplateName"]
            kind = "aws:ec2/launchTemplate:LaunchTemplate"
            yield Thing(kind, row["LaunchTemplateId"], name, TAGGED, {"name": name})
        wanted = [{"Name": f"tag:{TAG}", "Values": [self._place.stack]}]
        for row in self._pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=wanted):
            name = row["AutoScalingGroupName"]
            if _tags(row).get(TAG) == self._place.stack and not row.get("Status"):  # a status says that it is going
                yield Thing("aws:autoscaling/group:Group", name, name, TAGGED, {"name": name})

    def _identities(self) -> Iterator[Thing]:
        iam, roles = self.client("iam"), set()
        for row in self._pages("iam", "list_roles", "Roles"):
            name = row["RoleName"]
            if self._place.of_stack(name) and _tags(iam.list_role_tags(RoleName=name)).get(TAG) == self._place.stack:
                roles.add(name)
                yield Thing("aws:iam/role:Role", name, name, TAGGED, {"name": name})
                yield from self._of_role(name)
        for row in self._pages("iam", "list_instance_profiles", "InstanceProfiles"):
            name = row["InstanceProfileName"]
            if not self._place.of_stack(name):
                continue
            # The list leaves tags out.
            about = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
            if _tags(about).get(TAG) == self._place.stack:
                why = TAGGED
            elif roles & {role["RoleName"] for role in row["Roles"]}:
                why = inside("a role")
            elif TAG not in _tags(about) and self._place.is_named(name, *self._place.pool_names()):
                why = NAMED
            else:
                continue
            yield Thing("aws:iam/instanceProfile:InstanceProfile", name, name, why, {"name": name})

    def _of_role(self, role: str) -> Iterator[Thing]:
        for name in self._pages("iam", "list_role_policies", "PolicyNames", RoleName=role):
            token, facts = "aws:iam/rolePolicy:RolePolicy", {"role": role, "name": str(name)}
            if self._place.of_stack(str(name)):
                yield Thing(token, f"{role}:{name}", str(name), inside("a role"), facts, at=facts)
        for row in self._pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role):
            token, facts = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": row["PolicyArn"]}
            facts["role"] = role
            id, name = f"{role}/{row['PolicyArn']}", row["PolicyName"]
            yield Thing(token, id, name, inside("a role"), facts, at=facts, healed_by_up=True)

    def _keys(self, holds: str) -> Iterator[Thing]:
        kms, mine = self.client("kms"), set()
        for row in self._pages("kms", "list_keys", "Keys"):
            about = kms.describe_key(KeyId=row["KeyId"])["KeyMetadata"]
            if about["KeyManager"] != "CUSTOMER" or about["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
                continue
            if _tags(kms.list_resource_tags(KeyId=row["KeyId"])).get(TAG) == self._place.stack:
                mine.add(row["KeyId"])
                facts = {"description": about.get("Description", "")}
                made, name = about["CreationDate"], facts["description"]
                yield Thing("aws:kms/key:Key", row["KeyId"], name, TAGGED, facts, holds, lasting=True, made=made)
        for row in self._pages("kms", "list_aliases", "Aliases"):
            name, key = row["AliasName"], row.get("TargetKeyId", "")
            if key in mine and self._place.is_named(name, f"alias/{self._place.stack}"):
                yield Thing("aws:kms/alias:Alias", name, name, inside("a key"), {"name": name})

    def _stores(self) -> Iterator[Thing]:
        s3 = self.client("s3")
        for row in s3.list_buckets()["Buckets"]:
            name = row["Name"]
            if not self._place.of_stack(name):
                continue
            tags = _tags({"Tags": (_asked(s3.get_bucket_tagging, Bucket=name) or {}).get("TagSet")})
            if tags.get(TAG) == self._place.stack:
                why = TAGGED
            elif TAG not in tags and self._place.is_named(name, *self._place.store_names()):
                why = NAMED
            else:
                continue
            listed = s3.list_object_versions(Bucket=name, MaxKeys=1)
            full = listed.get("Versions") or listed.get("DeleteMarkers")
            holds = "holds objects" if full else ""
            made = row["CreationDate"]
            yield Thing("aws:s3/bucket:Bucket", name, name, why, {"bucket": name}, holds, lasting=True, made=made)
            for token, read in SETTINGS.items():
                said = _asked(getattr(s3, read), Bucket=name)
                if said and (read != "get_bucket_versioning" or "Status" in said):
                    yield Thing(token, name, name, inside("a bucket"), {"bucket": name}, healed_by_up=True)


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        tag.get("Key", tag.get("TagKey", "")): tag.get("Value", tag.get("TagValue", ""))
        for tag in row.get("Tags") or ()
    }


def _ec2(token: str, id: str, row: Mapping[str, Any], **facts: str) -> Thing:
    name = _tags(row).get("Name", "")
    return Thing(token, id, name or id, TAGGED, {"tags.Name": name, **facts} if name else facts, at=facts)


def _in_route_table(table: Mapping[str, Any]) -> Iterator[Thing]:
    id = table["RouteTableId"]
    for row in table["Associations"]:
        if row.get("SubnetId") and not row.get("Main"):
            token, facts = "aws:ec2/routeTableAssociation:RouteTableAssociation", {"subnetId": row["SubnetId"]}
            facts["routeTableId"] = id
            yield Thing(token, row["RouteTableAssociationId"], id, inside("a route table"), facts)
    for row in table["Routes"]:
        to = row.get("DestinationCidrBlock")
        if to and row.get("GatewayId") != "local" and not row.get("GatewayId", "").startswith("vpce-"):
            facts = {"routeTableId": id, "destinationCidrBlock": to}
            yield Thing(
                "aws:ec2/route:Route", route_id(id, to), f"{id} to {to}", inside("a route table"), facts, at=facts
            )


def route_id(table: str, to: str) -> str:
    """The id that the provider gives a route: EC2 has none. Source: terraform-provider-aws, `routeCreateID`."""
    return f"r-{table}{zlib.crc32(to.encode())}"


def _rule(row: Mapping[str, Any]) -> Thing:
    way = "Egress" if row["IsEgress"] else "Ingress"
    referenced = (row.get("ReferencedGroupInfo") or {}).get("GroupId")
    said = {"cidrIpv4": row.get("CidrIpv4"), "referencedSecurityGroupId": referenced}
    facts = {"securityGroupId": row["GroupId"], **{name: value for name, value in said.items() if value}}
    token = f"aws:vpc/securityGroup{way}Rule:SecurityGroup{way}Rule"
    name = f"{way.lower()} rule of {row['GroupId']}"
    return Thing(token, row["SecurityGroupRuleId"], name, TAGGED, facts, at={"group": row["GroupId"]})


def _asked(read: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any] | None:
    try:
        return read(**arguments)
    except ClientError as refused:
        if refused.response["Error"]["Code"].startswith(("NoSuch", "ServerSide", "OwnershipControls")):
            return None
        raise


def answer(code: str) -> Answer:
    """What an error code means for a deletion."""
    if code in BUSY:
        return Answer.BUSY
    absent = any(word in code for word in ("NotFound", "NoSuch", "NotAttached"))
    return Answer.GONE if absent else Answer.REFUSED


def _refused(refused: ClientError) -> FleetyardError:
    code, text = refused.response["Error"]["Code"], refused.response["Error"].get("Message", "")
    status = Exit.PERMISSION if code in DENIED else Exit.REFUSED
    return error("FY1712", f"aws {refused.operation_name}", f"{code}: {text}", exit_code=status)


def _delete_internet_gateway(aws: Aws, thing: Thing) -> None:
    if vpc := thing.at.get("vpcId"):
        try:
            aws.client("ec2").detach_internet_gateway(InternetGatewayId=thing.id, VpcId=vpc)
        except ClientError as refused:
            if answer(refused.response["Error"]["Code"]) is not Answer.GONE:
                raise
    aws.client("ec2").delete_internet_gateway(InternetGatewayId=thing.id)


def _delete_profile(aws: Aws, thing: Thing) -> None:
    iam = aws.client("iam")
    for role in iam.get_instance_profile(InstanceProfileName=thing.id)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=thing.id, RoleName=role["RoleName"])
    iam.delete_instance_profile(InstanceProfileName=thing.id)


def _delete_role(aws: Aws, thing: Thing) -> None:
    iam = aws.client("iam")
    for policy in iam.list_attached_role_policies(RoleName=thing.id)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=thing.id, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=thing.id)["PolicyNames"]:
        iam.delete_role_policy(RoleName=thing.id, PolicyName=name)
    iam.delete_role(RoleName=thing.id)


def _delete_endpoint(aws: Aws, thing: Thing) -> None:
    said = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[thing.id])
    for failed in said.get("Unsuccessful", ()):
        code = failed["Error"]["Code"]
        raise RefusedError(code, failed["Error"].get("Message", ""), answer(code))


def _delete_group(aws: Aws, thing: Thing) -> None:
    """With its machines; done when it is gone, for they hold network interfaces."""
    scaling = aws.client("autoscaling")
    here = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[thing.id])["AutoScalingGroups"]
    if not here:
        return
    if not here[0].get("Status"):
        scaling.delete_auto_scaling_group(AutoScalingGroupName=thing.id, ForceDelete=True)
    raise RefusedError("deleting", "the group still lets its machines go", Answer.BUSY)


def _delete_nat(aws: Aws, thing: Thing) -> None:
    """Done when it is gone, for until then it holds its address."""
    ec2 = aws.client("ec2")
    state = next((r["State"] for r in ec2.describe_nat_gateways(NatGatewayIds=[thing.id])["NatGateways"]), "deleted")
    if state == "deleted":
        return
    if state != "deleting":
        ec2.delete_nat_gateway(NatGatewayId=thing.id)
    raise RefusedError("deleting", "the NAT gateway still holds its address", Answer.BUSY)


def _delete_association(aws: Aws, thing: Thing) -> None:
    aws.client("ec2").disassociate_route_table(AssociationId=thing.id)


def _delete_route(aws: Aws, thing: Thing) -> None:
    at = thing.at
    aws.client("ec2").delete_route(RouteTableId=at["routeTableId"], DestinationCidrBlock=at["destinationCidrBlock"])


def _delete_key(aws: Aws, thing: Thing) -> None:
    aws.client("kms").schedule_key_deletion(KeyId=thing.id, PendingWindowInDays=KEY_WINDOW_DAYS)


def _by_id(service: str, operation: str, argument: str) -> Callable[[Aws, Thing], None]:
    def delete(aws: Aws, thing: Thing) -> None:
        getattr(aws.client(service), operation)(**{argument: thing.id})

    return delete


def _delete_rule(way: str) -> Callable[[Aws, Thing], None]:
    def delete(aws: Aws, thing: Thing) -> None:
        revoke = getattr(aws.client("ec2"), f"revoke_security_group_{way}")
        revoke(GroupId=thing.at["group"], SecurityGroupRuleIds=[thing.id])

    return delete


def _delete_role_policy(aws: Aws, thing: Thing) -> None:
    aws.client("iam").delete_role_policy(RoleName=thing.at["role"], PolicyName=thing.at["name"])


_DELETE: dict[str, Callable[[Aws, Thing], None]] = {
    "aws:autoscaling/group:Group": _delete_group,
    "aws:ec2/launchTemplate:LaunchTemplate": _by_id("ec2", "delete_launch_template", "LaunchTemplateId"),
    "aws:ec2/placementGroup:PlacementGroup": _by_id("ec2", "delete_placement_group", "GroupName"),
    "aws:iam/instanceProfile:InstanceProfile": _delete_profile,
    "aws:ec2/flowLog:FlowLog": lambda aws, thing: aws.client("ec2").delete_flow_logs(FlowLogIds=[thing.id]) and None,
    "aws:iam/rolePolicy:RolePolicy": _delete_role_policy,
    "aws:iam/role:Role": _delete_role,
    "aws:cloudwatch/logGroup:LogGroup": _by_id("logs", "delete_log_group", "logGroupName"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _delete_endpoint,
    "aws:ec2/route:Route": _delete_route,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _delete_association,
    "aws:ec2/natGateway:NatGateway": _delete_nat,
    "aws:ec2/eip:Eip": _by_id("ec2", "release_address", "AllocationId"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _delete_rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _delete_rule("egress"),
    "aws:ec2/securityGroup:SecurityGroup": _by_id("ec2", "delete_security_group", "GroupId"),
    "aws:ec2/routeTable:RouteTable": _by_id("ec2", "delete_route_table", "RouteTableId"),
    "aws:ec2/subnet:Subnet": _by_id("ec2", "delete_subnet", "SubnetId"),
    "aws:ec2/internetGateway:InternetGateway": _delete_internet_gateway,
    "aws:ec2/vpc:Vpc": _by_id("ec2", "delete_vpc", "VpcId"),
    "aws:s3/bucket:Bucket": _by_id("s3", "delete_bucket", "Bucket"),
    "aws:kms/alias:Alias": _by_id("kms", "delete_alias", "AliasName"),
    "aws:kms/key:Key": _delete_key,
}
"""How each type is deleted, in the order in which several are."""
