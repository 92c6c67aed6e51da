"""EC2 types that are a table, or close to one: addresses, peering, network ACLs, keys, volumes, interfaces, gateways.

Sources: EC2 API reference (each class names its operations); `createOnlyProperties` of the registry schemas; the
provider's documentation.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, AwsType, Props, present, retag_ec2
from simcloud.aws.types.network import RouteTable, SecurityGroup, Subnet, Vpc, absent_is_none, permission
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName, CloudError, Failure


class SecurityGroupRule(AwsType):
    """aws.ec2.SecurityGroupRule: one or more permissions of a group, without tags."""

    token = "aws:ec2/securityGroupRule:SecurityGroupRule"
    replace_on = frozenset(
        {
            "region",
            "securityGroupId",
            "type",
            "protocol",
            "fromPort",
            "toPort",
            "cidrBlocks",
            "ipv6CidrBlocks",
            "prefixListIds",
            "self",
            "sourceSecurityGroupId",
        }
    )
    defaults = {"self": False}
    computed = REGIONAL | {"sourceSecurityGroupId"}
    sources = ("EC2 API: AuthorizeSecurityGroupIngress/Egress, RevokeSecurityGroupIngress/Egress",)

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A rule goes in or out, and says from or to where."""
        if inputs.get("type", "ingress") not in ("ingress", "egress"):
            yield Failure("type", f'expected type to be one of ["ingress" "egress"], got {inputs["type"]}')
        if inputs.get("self") and (inputs.get("cidrBlocks") or inputs.get("sourceSecurityGroupId")):
            yield Failure("self", "conflicts with cidrBlocks and sourceSecurityGroupId")

    def _permission(self, inputs: Props) -> dict[str, Any]:
        source = inputs.get("sourceSecurityGroupId")
        return permission({**inputs, "securityGroups": [source] if source else None}, str(inputs["securityGroupId"]))

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, group, wanted = self.api(cloud, inputs), inputs["securityGroupId"], self._permission(inputs)
        getattr(api, f"authorize_security_group_{inputs['type']}")(GroupId=group, IpPermissions=[wanted])
        return f"sgrule-{zlib.crc32(repr((group, inputs['type'], wanted)).encode())}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        if "securityGroupId" not in known:
            return None  # the import id is another form, which the engine cannot make up
        api, group = self.api(cloud, known), known["securityGroupId"]
        answer = absent_is_none(
            lambda: api.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        )
        wanted, found = self._permission(known), []
        ports = (wanted.get("FromPort", -1), wanted.get("ToPort", -1))
        places = {
            *(r["CidrIp"] for r in wanted.get("IpRanges", ())),
            *(r["CidrIpv6"] for r in wanted.get("Ipv6Ranges", ())),
            *(r["PrefixListId"] for r in wanted.get("PrefixListIds", ())),
            *(r["GroupId"] for r in wanted.get("UserIdGroupPairs", ())),
        }
        for row in (answer or {}).get("SecurityGroupRules", ()):
            place = (
                row.get("CidrIpv4")
                or row.get("CidrIpv6")
                or row.get("PrefixListId")
                or (row.get("ReferencedGroupInfo") or {}).get("GroupId")
            )
            alike = row["IpProtocol"] == wanted["IpProtocol"] and row["IsEgress"] == (known["type"] == "egress")
            if alike and place in places and (row["IpProtocol"] == "-1" or (row["FromPort"], row["ToPort"]) == ports):
                found.append(row)
        if not found:
            return None
        live = {r.get("CidrIpv4") for r in found}
        kept = {k: known[k] for k in self.replace_on | {"description"} if known.get(k) is not None}
        if known.get("cidrBlocks"):
            kept["cidrBlocks"] = [c for c in known["cidrBlocks"] if c in live]
        return {
            **kept,
            "region": self.region(cloud, known),
            "self": bool(known.get("self")),
            "description": next((r["Description"] for r in found if r.get("Description")), known.get("description")),
            "securityGroupRuleId": found[0]["SecurityGroupRuleId"] if len(found) == 1 else None,
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        getattr(self.api(cloud, new), f"update_security_group_rule_descriptions_{new['type']}")(
            GroupId=new["securityGroupId"], IpPermissions=[self._permission(new)]
        )

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        revoke = getattr(self.api(cloud, state), f"revoke_security_group_{state['type']}")
        absent_is_none(
            lambda: revoke(GroupId=state["securityGroupId"], IpPermissions=[self._permission(state)]),
            "InvalidGroup.NotFound",
            "InvalidPermission.NotFound",
        )


class EipAssociation(TableType):
    """aws.ec2.EipAssociation."""

    token = "aws:ec2/eipAssociation:EipAssociation"
    creates, made = "AssociateAddress", "AssociationId"
    reads, row = "DescribeAddresses", "Addresses"
    deletes, named = "DisassociateAddress", {"AssociationId": "id"}
    gone_codes = ("InvalidAssociationID.NotFound",)
    replace_on = frozenset(
        {
            "region",
            "allocationId",
            "instanceId",
            "networkInterfaceId",
            "privateIpAddress",
            "publicIp",
            "allowReassociation",
        }
    )
    provider_only = frozenset()
    write_only = frozenset({"allowReassociation"})
    computed = REGIONAL | {"allocationId", "instanceId", "networkInterfaceId", "privateIpAddress", "publicIp"}
    sources = ("EC2 API: AssociateAddress, DescribeAddresses, DisassociateAddress", "AWS::EC2::EIPAssociation")

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r.get("AssociationId") == id), None)

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        if "AllocationIds" in shape.members:
            return {"Filters": [{"Name": "association-id", "Values": [id]}]}
        return super().target(shape, id, props)


class KeyPair(TableType):
    """aws.ec2.KeyPair: a public key that the program has."""

    token = "aws:ec2/keyPair:KeyPair"
    auto_name = AutoName("keyName", max_length=255)
    creates, id_form = "ImportKeyPair", "{keyName}"
    reads, row = "DescribeKeyPairs", "KeyPairs.0"
    deletes, named = "DeleteKeyPair", {"KeyName": "keyName", "KeyNames": "id"}
    renames = {"publicKey": "PublicKeyMaterial", "fingerprint": "KeyFingerprint"}
    replace_on = frozenset({"region", "keyName", "keyNamePrefix", "publicKey"})
    computed = REGIONAL | {"keyNamePrefix"}
    write_only = frozenset({"publicKey", "keyNamePrefix"})
    arn_form = "arn:aws:ec2:{region}:{account}:key-pair/{id}"
    tag_kind, tag_target = "key-pair", {"Resources": "keyPairId"}
    carried = frozenset({"tagsAll", "keyPairId"})
    sources = ("EC2 API: ImportKeyPair, DescribeKeyPairs, DeleteKeyPair", "AWS::EC2::KeyPair createOnlyProperties")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["keyNamePrefix"] = known.get("keyNamePrefix") or ""
        if known.get("publicKey"):
            state["fingerprint"], state["keyType"] = fingerprint(known["publicKey"])


def fingerprint(public_key: str) -> tuple[str, str]:
    """What EC2 shows of an imported key, and its type.

    Source: EC2 User Guide, "Verify the fingerprint": MD5 of the DER public key for RSA, SHA-256 in base64 for ED25519.
    """
    words = public_key.split()
    try:
        blob = base64.b64decode(words[1]) if len(words) > 1 else b""
    except ValueError:
        blob = b""
    if words and words[0] == "ssh-ed25519":
        return base64.b64encode(hashlib.sha256(blob).digest()).decode(), "ed25519"
    numbers = []
    while blob:
        size = struct.unpack(">I", blob[:4])[0]
        numbers.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    digest = hashlib.md5(_der(numbers[2], numbers[1]) if len(numbers) == 3 else public_key.encode()).hexdigest()  # noqa: S324
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2)), "rsa"


def _der(modulus: bytes, exponent: bytes) -> bytes:
    """A SubjectPublicKeyInfo of an RSA key."""

    def field(tag: int, body: bytes) -> bytes:
        size = len(body)
        length = (
            bytes([size])
            if size < 128
            else bytes([0x80 | ((size.bit_length() + 7) // 8)]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
        )
        return bytes([tag]) + length + body

    key = field(0x30, field(2, modulus) + field(2, exponent))
    rsa = field(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\x00")
    return field(0x30, rsa + field(3, b"\x00" + key))


class Volume(TableType):
    """aws.ebs.Volume."""

    token = "aws:ebs/volume:Volume"
    creates, made = "CreateVolume", "VolumeId"
    reads, row, status = "DescribeVolumes", "Volumes.0", ("State", "deleted", "deleting")
    updates, deletes = ("ModifyVolume",), "DeleteVolume"
    named = {"VolumeId": "id", "VolumeIds": "id"}
    renames = {"type": "VolumeType", "finalSnapshot": ""}
    replace_on = frozenset(
        {
            "region",
            "availabilityZone",
            "encrypted",
            "kmsKeyId",
            "multiAttachEnabled",
            "outpostArn",
            "snapshotId",
            "volumeInitializationRate",
        }
    )
    computed = REGIONAL | {"encrypted", "iops", "kmsKeyId", "size", "snapshotId", "throughput", "type"}
    defaults = {"finalSnapshot": False}
    write_only = frozenset({"finalSnapshot"})
    arn_form = "arn:aws:ec2:{region}:{account}:volume/{id}"
    shows = {"throughput": 0, "outpostArn": "", "multiAttachEnabled": False}
    tag_kind = "volume"
    sources = ("EC2 API: CreateVolume, ModifyVolume, DeleteVolume", "AWS::EC2::Volume")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"VolumeType": "gp2", **asked}

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A volume has a size of its own or a snapshot's."""
        if inputs.get("size") is None and inputs.get("snapshotId") is None:
            yield Failure("size", "one of size, snapshotId must be specified")

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if state.get("finalSnapshot"):
            self.api(cloud, state).create_snapshot(VolumeId=id)


class VolumeAttachment(TableType):
    """aws.ec2.VolumeAttachment."""

    token = "aws:ec2/volumeAttachment:VolumeAttachment"
    creates, reads, row, deletes = "AttachVolume", "DescribeVolumes", "Volumes.0", "DetachVolume"
    named = {"VolumeId": "volumeId", "VolumeIds": "volumeId", "InstanceId": "instanceId", "Device": "deviceName"}
    renames = {"deviceName": "Device"}
    replace_on = frozenset({"region", "deviceName", "instanceId", "volumeId"})
    provider_only = frozenset({"forceDetach", "skipDestroy", "stopInstanceBeforeDetaching"})
    gone_codes = ("IncorrectState", "InvalidAttachment.NotFound")
    sources = ("EC2 API: AttachVolume, DetachVolume", "AWS::EC2::VolumeAttachment createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        super().create(cloud, {**inputs, "name": ""})
        # The provider's own id: a hash of the three, each followed by a dash.
        parts = "".join(f"{inputs[n]}-" for n in ("deviceName", "instanceId", "volumeId"))
        return f"vai-{zlib.crc32(parts.encode())}"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known) if known.get("volumeId") else None
        attached = [a for a in (row or {}).get("Attachments", ()) if a.get("InstanceId") == known.get("instanceId")]
        return dict(attached[0]) if attached else None


class Snapshot(TableType):
    """aws.ebs.Snapshot."""

    token = "aws:ebs/snapshot:Snapshot"
    creates, made = "CreateSnapshot", "SnapshotId"
    reads, row, deletes = "DescribeSnapshots", "Snapshots.0", "DeleteSnapshot"
    named = {"SnapshotId": "id", "SnapshotIds": "id"}
    replace_on = frozenset({"region", "volumeId", "description", "outpostArn"})
    computed = REGIONAL | {"storageTier"}
    provider_only = frozenset({"permanentRestore", "temporaryRestoreDays"})
    arn_form = "arn:aws:ec2:{region}::snapshot/{id}"
    shows = {"storageTier": "standard", "dataEncryptionKeyId": "", "kmsKeyId": "", "ownerAlias": ""}
    tag_kind = "snapshot"
    sources = ("EC2 API: CreateSnapshot, DeleteSnapshot", "provider documentation: aws.ebs.Snapshot")


class NetworkInterface(TableType):
    """aws.ec2.NetworkInterface."""

    token = "aws:ec2/networkInterface:NetworkInterface"
    creates, made = "CreateNetworkInterface", "NetworkInterface.NetworkInterfaceId"
    reads, row, deletes = "DescribeNetworkInterfaces", "NetworkInterfaces.0", "DeleteNetworkInterface"
    named = {"NetworkInterfaceId": "id", "NetworkInterfaceIds": "id"}
    renames = {
        "securityGroups": "Groups",
        "privateIp": "PrivateIpAddress",
        "privateIps": "",
        "interfaceType": "InterfaceType",
        "attachments": "",
    }
    replace_on = frozenset({"region", "subnetId", "interfaceType", "enablePrimaryIpv6"})
    defaults = {"sourceDestCheck": True, "privateIpListEnabled": False, "ipv6AddressListEnabled": False}
    computed = REGIONAL | {
        "interfaceType",
        "privateIp",
        "privateIps",
        "privateIpLists",
        "privateIpsCount",
        "securityGroups",
        "attachments",
        "ipv6Addresses",
        "ipv6AddressCount",
        "ipv6AddressLists",
        "ipv4Prefixes",
        "ipv4PrefixCount",
        "ipv6Prefixes",
        "ipv6PrefixCount",
    }
    unordered = frozenset({"securityGroups", "privateIps", "attachments"})
    write_only = frozenset({"privateIpListEnabled", "ipv6AddressListEnabled"})
    arn_form = "arn:aws:ec2:{region}:{account}:network-interface/{id}"
    shows = {
        "ownerId": ACCOUNT,
        "outpostArn": "",
        "interfaceType": "interface",
        "ipv6AddressCount": 0,
        "ipv6Addresses": [],
    }
    tag_kind = "network-interface"
    sources = ("EC2 API: CreateNetworkInterface, ModifyNetworkInterfaceAttribute", "AWS::EC2::NetworkInterface")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        addresses = inputs.get("privateIps") or []
        if addresses:
            asked["PrivateIpAddress"] = addresses[0]
            asked["PrivateIpAddresses"] = [{"PrivateIpAddress": a, "Primary": i == 0} for i, a in enumerate(addresses)]
        return asked

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        api = self.api(cloud, inputs)
        if inputs.get("sourceDestCheck") is False:
            api.modify_network_interface_attribute(NetworkInterfaceId=id, SourceDestCheck={"Value": False})
        for one in inputs.get("attachments") or ():
            api.attach_network_interface(
                NetworkInterfaceId=id, InstanceId=one["instance"], DeviceIndex=one["deviceIndex"]
            )

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if set(old.get("securityGroups") or ()) != set(new.get("securityGroups") or ()) and new.get("securityGroups"):
            api.modify_network_interface_attribute(NetworkInterfaceId=id, Groups=list(new["securityGroups"]))
        if old.get("sourceDestCheck") != new.get("sourceDestCheck"):
            api.modify_network_interface_attribute(
                NetworkInterfaceId=id, SourceDestCheck={"Value": bool(new.get("sourceDestCheck"))}
            )
        if (old.get("description") or "") != (new.get("description") or ""):
            api.modify_network_interface_attribute(
                NetworkInterfaceId=id, Description={"Value": new.get("description") or ""}
            )
        was, now = list(old.get("privateIps") or ()), list(new.get("privateIps") or ())
        if was != now and now:
            gone, come = [a for a in was if a not in now], [a for a in now if a not in was]
            if gone:
                api.unassign_private_ip_addresses(NetworkInterfaceId=id, PrivateIpAddresses=gone)
            if come:
                api.assign_private_ip_addresses(NetworkInterfaceId=id, PrivateIpAddresses=come)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        addresses = [a["PrivateIpAddress"] for a in row.get("PrivateIpAddresses", ())]
        attachment = row.get("Attachment") or {}
        state |= {
            "privateIps": addresses,
            "privateIpLists": addresses,
            "privateIpsCount": max(len(addresses) - 1, 0),
            "securityGroups": [g["GroupId"] for g in row.get("Groups", ())],
            "privateDnsName": row.get("PrivateDnsName")
            or f"ip-{row['PrivateIpAddress'].replace('.', '-')}.ec2.internal",
            "sourceDestCheck": bool(row.get("SourceDestCheck", True)),
        }
        state["attachments"] = (
            [
                {
                    "instance": attachment["InstanceId"],
                    "deviceIndex": attachment["DeviceIndex"],
                    "attachmentId": attachment.get("AttachmentId", ""),
                }
            ]
            if attachment.get("InstanceId")
            else []
        )

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        for one in state.get("attachments") or ():
            absent_is_none(lambda one=one: api.detach_network_interface(AttachmentId=one["attachmentId"], Force=True))


class NetworkInterfaceAttachment(TableType):
    """aws.ec2.NetworkInterfaceAttachment."""

    token = "aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment"
    creates, made = "AttachNetworkInterface", "AttachmentId"
    reads, row, deletes = "DescribeNetworkInterfaces", "NetworkInterfaces.0", "DetachNetworkInterface"
    named = {"NetworkInterfaceIds": "networkInterfaceId", "AttachmentId": "id"}
    replace_on = frozenset({"region", "deviceIndex", "instanceId", "networkInterfaceId", "networkCardIndex"})
    computed = REGIONAL | {"networkCardIndex"}
    shows = {"attachmentId": "{id}", "status": "attached"}
    sources = ("EC2 API: AttachNetworkInterface, DetachNetworkInterface", "AWS::EC2::NetworkInterfaceAttachment")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known) if known.get("networkInterfaceId") else None
        found = (row or {}).get("Attachment") or {}
        return dict(found) if found.get("AttachmentId") == id else None


def _side(row: Props, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = row.get(name) or {}
    return found


_PEERING_OPTIONS = {
    "allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
}


def _set_peering_options(api: Any, id: str, new: Props) -> None:
    asked = {}
    for ours, theirs in (
        ("accepter", "AccepterPeeringConnectionOptions"),
        ("requester", "RequesterPeeringConnectionOptions"),
    ):
        said = new.get(ours)
        if said:
            asked[theirs] = {api_name: bool(said.get(n)) for n, api_name in _PEERING_OPTIONS.items()}
    if asked:
        api.modify_vpc_peering_connection_options(VpcPeeringConnectionId=id, **asked)


def _peering_options(row: Props) -> dict[str, Any]:
    found = {}
    for ours, theirs in (("accepter", "AccepterVpcInfo"), ("requester", "RequesterVpcInfo")):
        options = _side(row, theirs).get("PeeringOptions") or {}
        found[ours] = {n: bool(options.get(api_name)) for n, api_name in _PEERING_OPTIONS.items()}
    return found


class VpcPeeringConnection(TableType):
    """aws.ec2.VpcPeeringConnection."""

    token = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
    creates, made = "CreateVpcPeeringConnection", "VpcPeeringConnection.VpcPeeringConnectionId"
    reads, row, deletes = "DescribeVpcPeeringConnections", "VpcPeeringConnections.0", "DeleteVpcPeeringConnection"
    named = {"VpcPeeringConnectionId": "id", "VpcPeeringConnectionIds": "id"}
    renames = {"accepter": "", "requester": ""}
    replace_on = frozenset({"region", "vpcId", "peerVpcId", "peerOwnerId", "peerRegion"})
    provider_only = frozenset({"autoAccept"})
    computed = REGIONAL | {"accepter", "requester", "peerOwnerId", "peerRegion"}
    tag_kind = "vpc-peering-connection"
    sources: ClassVar[tuple[str, ...]] = (
        "EC2 API: CreateVpcPeeringConnection, AcceptVpcPeeringConnection",
        "AWS::EC2::VPCPeeringConnection",
    )

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Only within one region can the requester accept too."""
        if inputs.get("autoAccept") and inputs.get("peerRegion"):
            yield Failure(
                "peerRegion",
                "`peer_region` cannot be set whilst `auto_accept` is `true`",
            )

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in asked.items() if not k.endswith("PeeringOptions")}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        row = super().answer(cloud, id, inputs)
        status = row["Status"] if row else {}
        if status.get("Code") == "failed":
            raise CloudError(
                "UnexpectedState",
                self.creates,
                f"{id} is failed, wanted active or pending: {status['Message']}",
            )
        if inputs.get("autoAccept"):
            self.api(cloud, inputs).accept_vpc_peering_connection(VpcPeeringConnectionId=id)
            _set_peering_options(self.api(cloud, inputs), id, inputs)

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known)
        return None if row is None or row["Status"]["Code"] in ("deleted", "rejected", "expired", "failed") else row

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if new.get("autoAccept") and not old.get("autoAccept"):
            api.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
        if any(old.get(n) != new.get(n) for n in ("accepter", "requester")):
            _set_peering_options(api, id, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        requester, accepter = _side(row, "RequesterVpcInfo"), _side(row, "AccepterVpcInfo")
        region = state["region"]
        state |= {
            "vpcId": requester.get("VpcId"),
            "peerVpcId": accepter.get("VpcId"),
            "peerOwnerId": accepter.get("OwnerId") or ACCOUNT,
            "peerRegion": accepter.get("Region") or region,
            "acceptStatus": row["Status"]["Code"],
            "autoAccept": known.get("autoAccept"),
            **_peering_options(row),
        }


class VpcPeeringConnectionAccepter(VpcPeeringConnection):
    """aws.ec2.VpcPeeringConnectionAccepter: the other side's yes. Deleting it leaves the connection."""

    token = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
    replace_on = frozenset({"region", "vpcPeeringConnectionId"})
    computed = REGIONAL | {"accepter", "requester"}
    sources = ("EC2 API: AcceptVpcPeeringConnection",)

    def check(self, inputs: Props) -> Iterable[Failure]:
        return ()

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id, api = str(inputs["vpcPeeringConnectionId"]), self.api(cloud, inputs)
        if inputs.get("autoAccept"):
            api.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
            _set_peering_options(api, id, inputs)
        tags = cloud.tags(inputs)
        if tags:
            retag_ec2(api, cloud, id, {"tagsAll": {}}, inputs)
        return id

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        super().finish(cloud, row, state, known)
        requester, accepter = _side(row, "RequesterVpcInfo"), _side(row, "AccepterVpcInfo")
        # Seen from the accepter the requester is the peer.
        state |= {
            "vpcPeeringConnectionId": row["VpcPeeringConnectionId"],
            "vpcId": accepter.get("VpcId"),
            "peerVpcId": requester.get("VpcId"),
            "peerOwnerId": requester.get("OwnerId") or ACCOUNT,
        }

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        return


class PeeringConnectionOptions(TableType):
    """aws.ec2.PeeringConnectionOptions. Deleting it leaves the options."""

    token = "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions"
    reads, row = "DescribeVpcPeeringConnections", "VpcPeeringConnections.0"
    named = {"VpcPeeringConnectionIds": "id"}
    renames = {"accepter": "", "requester": ""}
    replace_on = frozenset({"region", "vpcPeeringConnectionId"})
    computed = REGIONAL | {"accepter", "requester"}
    sources = ("EC2 API: ModifyVpcPeeringConnectionOptions",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id = str(inputs["vpcPeeringConnectionId"])
        _set_peering_options(self.api(cloud, inputs), id, inputs)
        return id

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        _set_peering_options(self.api(cloud, new), id, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state |= {"vpcPeeringConnectionId": row["VpcPeeringConnectionId"], **_peering_options(row)}


_PROTOCOLS = {"all": "-1", "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
LAST_RULE = 32767
"""The rule that denies what no other allows; it cannot be changed."""


def _protocol(value: Any) -> str:
    return _PROTOCOLS.get(str(value).lower(), str(value))


def _entry(rule: Props, egress: bool, number: str = "ruleNo", action: str = "action") -> dict[str, Any]:
    protocol = _protocol(rule["protocol"])
    asked: dict[str, Any] = {
        "RuleNumber": rule[number],
        "Protocol": protocol,
        "RuleAction": str(rule[action]).lower(),
        "Egress": egress,
    }
    asked |= present({"CidrBlock": rule.get("cidrBlock"), "Ipv6CidrBlock": rule.get("ipv6CidrBlock")})
    if protocol in ("6", "17"):
        asked["PortRange"] = {"From": rule.get("fromPort") or 0, "To": rule.get("toPort") or 0}
    if protocol in ("1", "58"):
        asked["IcmpTypeCode"] = {"Type": rule.get("icmpType") or 0, "Code": rule.get("icmpCode") or 0}
    return asked


def _shown_entry(row: Props, said: Mapping[int, Props]) -> dict[str, Any]:
    known = said.get(row["RuleNumber"]) or {}
    protocol = known.get("protocol") if _protocol(known.get("protocol", "")) == row["Protocol"] else row["Protocol"]
    ports = row.get("PortRange") or {}
    return {
        "ruleNo": row["RuleNumber"],
        "action": row["RuleAction"],
        "protocol": protocol,
        "fromPort": ports.get("From", 0) or 0,
        "toPort": ports.get("To", 0) or 0,
        **present({"cidrBlock": row.get("CidrBlock"), "ipv6CidrBlock": row.get("Ipv6CidrBlock")}),
        **{k: known[k] for k in ("icmpType", "icmpCode") if k in known},
    }


class NetworkAcl(TableType):
    """aws.ec2.NetworkAcl, with its in-line rules and subnets."""

    token = "aws:ec2/networkAcl:NetworkAcl"
    creates, made = "CreateNetworkAcl", "NetworkAcl.NetworkAclId"
    reads, row, deletes = "DescribeNetworkAcls", "NetworkAcls.0", "DeleteNetworkAcl"
    named = {"NetworkAclId": "id", "NetworkAclIds": "id"}
    renames = {"ingress": "", "egress": "", "subnetIds": ""}
    replace_on = frozenset({"region", "vpcId"})
    computed = REGIONAL | {"ingress", "egress", "subnetIds"}
    unordered = frozenset({"ingress", "egress", "subnetIds"})
    arn_form = "arn:aws:ec2:{region}:{account}:network-acl/{id}"
    shows = {"ownerId": ACCOUNT}
    tag_kind = "network-acl"
    sources = ("EC2 API: CreateNetworkAcl, CreateNetworkAclEntry, ReplaceNetworkAclAssociation", "AWS::EC2::NetworkAcl")

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self.changed(cloud, id, {}, inputs)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        for direction in ("ingress", "egress"):
            egress = direction == "egress"
            before = {r["ruleNo"]: r for r in old.get(direction) or ()}
            after = {r["ruleNo"]: r for r in new.get(direction) or ()}
            for number in before.keys() - after.keys():
                absent_is_none(
                    lambda number=number, egress=egress: api.delete_network_acl_entry(
                        NetworkAclId=id, RuleNumber=number, Egress=egress
                    )
                )
            for number, rule in after.items():
                if number not in before:
                    api.create_network_acl_entry(NetworkAclId=id, **_entry(rule, egress))
                elif before[number] != rule:
                    api.replace_network_acl_entry(NetworkAclId=id, **_entry(rule, egress))
        was, now = set(old.get("subnetIds") or ()), set(new.get("subnetIds") or ())
        if now - was:
            associate_acl(api, id, sorted(now - was))
        if was - now:
            associate_acl(api, default_acl(api, str(new["vpcId"])), sorted(was - now))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        for direction in ("ingress", "egress"):
            said = {r["ruleNo"]: r for r in known.get(direction) or ()}
            rows = [e for e in row["Entries"] if e["Egress"] == (direction == "egress") and e["RuleNumber"] < LAST_RULE]
            state[direction] = [_shown_entry(e, said) for e in sorted(rows, key=lambda e: e["RuleNumber"])]
        state["subnetIds"] = [a["SubnetId"] for a in row.get("Associations", ())]

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        row = self.answer(cloud, id, state)
        subnets = [a["SubnetId"] for a in (row or {}).get("Associations", ())]
        if row is not None and subnets:
            api = self.api(cloud, state)
            associate_acl(api, default_acl(api, row["VpcId"]), subnets)


def default_acl(api: Any, vpc: str) -> str:
    """The network ACL that a VPC has from the start."""
    found = api.describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    )["NetworkAcls"]
    return str(found[0]["NetworkAclId"])


def associate_acl(api: Any, acl: str, subnets: list[str]) -> None:
    """Put subnets under a network ACL."""
    for subnet in subnets:
        found = api.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
            "NetworkAcls"
        ]
        for one in (a for n in found for a in n["Associations"] if a["SubnetId"] == subnet):
            api.replace_network_acl_association(AssociationId=one["NetworkAclAssociationId"], NetworkAclId=acl)


class DefaultNetworkAcl(NetworkAcl):
    """aws.ec2.DefaultNetworkAcl: the ACL that a VPC has from the start, with exactly the rules the program says."""

    token = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"
    creates = ""
    replace_on = frozenset({"region", "defaultNetworkAclId"})
    computed = REGIONAL | {"subnetIds"}
    sources = ("EC2 API: DescribeNetworkAcls, CreateNetworkAclEntry", "provider documentation: DefaultNetworkAcl")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id = str(inputs["defaultNetworkAclId"])
        current = self.read(cloud, id, inputs)
        if current is None:
            raise CloudError(
                "InvalidNetworkAclID.NotFound", "DescribeNetworkAcls", f"The network ACL ID '{id}' does not exist"
            )
        self.changed(
            cloud, id, {**current, "subnetIds": inputs.get("subnetIds")}, {**inputs, "vpcId": current["vpcId"]}
        )
        retag_ec2(self.api(cloud, inputs), cloud, id, {"tagsAll": {}}, inputs)
        return id

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        super().finish(cloud, row, state, known)
        state["defaultNetworkAclId"] = row["NetworkAclId"]

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        return


class NetworkAclRule(TableType):
    """aws.ec2.NetworkAclRule."""

    token = "aws:ec2/networkAclRule:NetworkAclRule"
    creates = "CreateNetworkAclEntry"
    reads, row, deletes = "DescribeNetworkAcls", "NetworkAcls.0", "DeleteNetworkAclEntry"
    named = {
        "NetworkAclId": "networkAclId",
        "NetworkAclIds": "networkAclId",
        "RuleNumber": "ruleNumber",
        "Egress": "egress",
    }
    replace_on = frozenset(
        {
            "region",
            "networkAclId",
            "ruleNumber",
            "egress",
            "protocol",
            "ruleAction",
            "cidrBlock",
            "ipv6CidrBlock",
            "fromPort",
            "toPort",
            "icmpType",
            "icmpCode",
        }
    )
    defaults = {"egress": False}
    gone_codes = ("InvalidNetworkAclEntry.NotFound",)
    sources = ("EC2 API: CreateNetworkAclEntry, DeleteNetworkAclEntry", "AWS::EC2::NetworkAclEntry")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        asked = _entry(inputs, bool(inputs.get("egress")), "ruleNumber", "ruleAction")
        self.api(cloud, inputs).create_network_acl_entry(NetworkAclId=inputs["networkAclId"], **asked)
        parts = f"{inputs['networkAclId']}-{inputs['ruleNumber']}-{inputs.get('egress')}-{inputs['protocol']}-"
        return f"nacl-{zlib.crc32(parts.encode())}"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known) if known.get("networkAclId") else None
        for entry in (row or {}).get("Entries", ()):
            if entry["RuleNumber"] == known["ruleNumber"] and entry["Egress"] == bool(known.get("egress")):
                ports = entry.get("PortRange") or {}
                said = str(known.get("protocol"))
                found = {**entry, "FromPort": ports.get("From"), "ToPort": ports.get("To")}
                return found | ({"Protocol": said} if _protocol(said) == entry["Protocol"] else {})
        return None

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Egress": bool(state.get("egress"))}


class NetworkAclAssociation(AwsType):
    """aws.ec2.NetworkAclAssociation."""

    token = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
    replace_on = frozenset({"region", "subnetId"})
    sources = ("EC2 API: ReplaceNetworkAclAssociation", "AWS::EC2::SubnetNetworkAclAssociation")

    def _find(self, api: Any, subnet: str) -> tuple[str, str, str] | None:
        rows = api.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
        for acl in rows:
            for one in acl["Associations"]:
                if one["SubnetId"] == subnet:
                    return one["NetworkAclAssociationId"], acl["NetworkAclId"], acl["VpcId"]
        return None

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        associate_acl(api, str(inputs["networkAclId"]), [str(inputs["subnetId"])])
        found = self._find(api, str(inputs["subnetId"]))
        if found is None:
            raise CloudError(
                "InvalidSubnetID.NotFound",
                "ReplaceNetworkAclAssociation",
                f"The subnet ID '{inputs['subnetId']}' does not exist",
            )
        return found[0]

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        for acl in self.api(cloud, known).describe_network_acls()["NetworkAcls"]:
            for one in acl["Associations"]:
                if one["NetworkAclAssociationId"] == id:
                    return {
                        "region": self.region(cloud, known),
                        "networkAclId": acl["NetworkAclId"],
                        "subnetId": one["SubnetId"],
                    }
        return None

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        associate_acl(self.api(cloud, new), str(new["networkAclId"]), [str(new["subnetId"])])

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        found = self._find(api, state["subnetId"])
        if found is not None and found[1] == state["networkAclId"]:
            associate_acl(api, default_acl(api, found[2]), [state["subnetId"]])


class VpcDhcpOptions(TableType):
    """aws.ec2.VpcDhcpOptions. Everything but its tags replaces it."""

    token = "aws:ec2/vpcDhcpOptions:VpcDhcpOptions"
    creates, made = "CreateDhcpOptions", "DhcpOptions.DhcpOptionsId"
    reads, row, deletes = "DescribeDhcpOptions", "DhcpOptions.0", "DeleteDhcpOptions"
    named = {"DhcpOptionsId": "id", "DhcpOptionsIds": "id"}
    replace_on = frozenset(
        {
            "region",
            "domainName",
            "domainNameServers",
            "ipv6AddressPreferredLeaseTime",
            "netbiosNameServers",
            "netbiosNodeType",
            "ntpServers",
        }
    )
    arn_form = "arn:aws:ec2:{region}:{account}:dhcp-options/{id}"
    shows = {"ownerId": ACCOUNT}
    sources = ("EC2 API: CreateDhcpOptions, DeleteDhcpOptions", "AWS::EC2::DHCPOptions createOnlyProperties")
    _KEYS = {
        "domainName": "domain-name",
        "domainNameServers": "domain-name-servers",
        "netbiosNameServers": "netbios-name-servers",
        "netbiosNodeType": "netbios-node-type",
        "ntpServers": "ntp-servers",
    }

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        rows = [
            {"Key": key, "Values": inputs[n] if isinstance(inputs[n], list) else [str(inputs[n])]}
            for n, key in self._KEYS.items()
            if inputs.get(n)
        ]
        return {**asked, "DhcpConfigurations": rows}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        live = {r["Key"]: [v["Value"] for v in r["Values"]] for r in row.get("DhcpConfigurations", ())}
        for name, key in self._KEYS.items():
            if key in live:
                state[name] = live[key] if name.endswith("Servers") else live[key][0]


class VpcDhcpOptionsAssociation(AwsType):
    """aws.ec2.VpcDhcpOptionsAssociation. Deleting it gives the VPC the default options."""

    token = "aws:ec2/vpcDhcpOptionsAssociation:VpcDhcpOptionsAssociation"
    replace_on = frozenset({"region", "vpcId"})
    sources = ("EC2 API: AssociateDhcpOptions", "AWS::EC2::VPCDHCPOptionsAssociation")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._put(cloud, inputs, str(inputs["dhcpOptionsId"]))
        return f"{inputs['dhcpOptionsId']}-{inputs['vpcId']}"

    def _put(self, cloud: AwsClient, props: Props, options: str) -> None:
        self.api(cloud, props).associate_dhcp_options(VpcId=props["vpcId"], DhcpOptionsId=options)

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        vpc = known.get("vpcId") or "vpc-" + id.rsplit("vpc-", 1)[-1]
        answer = absent_is_none(lambda: self.api(cloud, known).describe_vpcs(VpcIds=[vpc]))
        found = answer["Vpcs"][0].get("DhcpOptionsId") if answer and answer["Vpcs"] else None
        if not found or found == "default":
            return None
        return {"region": self.region(cloud, known), "vpcId": vpc, "dhcpOptionsId": found}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._put(cloud, new, str(new["dhcpOptionsId"]))

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self._put(cloud, state, "default"))


class DefaultSecurityGroup(SecurityGroup):
    """aws.ec2.DefaultSecurityGroup: a VPC's own group, with exactly the rules the program says."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    auto_name = None
    replace_on = frozenset({"region", "vpcId"})
    defaults = {}
    computed = REGIONAL | {"vpcId", "ingress", "egress"}
    sources = ("EC2 API: RevokeSecurityGroupIngress, AuthorizeSecurityGroupIngress", "provider documentation")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        vpc = inputs.get("vpcId") or default_vpc(api)["VpcId"]
        found = api.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        if not found:
            raise CloudError("InvalidVpcID.NotFound", "DescribeSecurityGroups", f"no default security group in {vpc}")
        id = str(found[0]["GroupId"])
        current = self.read(cloud, id, inputs) or {}
        self._rules(api, id, current, inputs)
        retag_ec2(api, cloud, id, {"tagsAll": {}}, inputs)
        return id

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        return


class DefaultRouteTable(RouteTable):
    """aws.ec2.DefaultRouteTable: a VPC's main table, with exactly the routes the program says."""

    token = "aws:ec2/defaultRouteTable:DefaultRouteTable"
    replace_on = frozenset({"region", "defaultRouteTableId"})
    sources = ("EC2 API: DescribeRouteTables, CreateRoute, DeleteRoute", "provider documentation: DefaultRouteTable")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id = str(inputs["defaultRouteTableId"])
        current = super().read(cloud, id, inputs)
        if current is None:
            raise CloudError(
                "InvalidRouteTableID.NotFound", "DescribeRouteTables", f"The routeTable ID '{id}' does not exist"
            )
        super().update(cloud, id, {**current, "tagsAll": {}}, inputs)
        return id

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        state = super().read(cloud, id, known)
        return None if state is None else {**state, "defaultRouteTableId": id}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        return


def default_vpc(api: Any) -> dict[str, Any]:
    """The region's default VPC."""
    found = api.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        raise CloudError("DefaultVpcDoesNotExist", "DescribeVpcs", "There is no default VPC in this region")
    return dict(found[0])


class DefaultVpc(Vpc):
    """aws.ec2.DefaultVpc: the region's default VPC, taken over. Deleting it leaves the VPC unless forceDestroy."""

    token = "aws:ec2/defaultVpc:DefaultVpc"
    replace_on = REGIONAL
    defaults = {"enableDnsSupport": True, "enableDnsHostnames": True, "forceDestroy": False}
    write_only = frozenset({"forceDestroy"})
    sources = ("EC2 API: DescribeVpcs, CreateDefaultVpc, ModifyVpcAttribute", "provider documentation: DefaultVpc")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        id = str(default_vpc(self.api(cloud, inputs))["VpcId"])
        self.update(cloud, id, {"tagsAll": {}}, inputs)
        return id

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        state = super().read(cloud, id, known)
        if state is None:
            return None
        return {**state, "existingDefaultVpc": True, "forceDestroy": bool(known.get("forceDestroy"))}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if state.get("forceDestroy"):
            super().delete(cloud, id, state)


class DefaultSubnet(Subnet):
    """aws.ec2.DefaultSubnet: a zone's default subnet, taken over."""

    token = "aws:ec2/defaultSubnet:DefaultSubnet"
    replace_on = frozenset({"region", "availabilityZone", "ipv6Native"})
    defaults = {**Subnet.defaults, "mapPublicIpOnLaunch": True, "forceDestroy": False}
    write_only = frozenset({"forceDestroy"})
    sources = ("EC2 API: DescribeSubnets, ModifySubnetAttribute", "provider documentation: DefaultSubnet")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, zone = self.api(cloud, inputs), inputs["availabilityZone"]
        found = api.describe_subnets(
            Filters=[{"Name": "availability-zone", "Values": [zone]}, {"Name": "default-for-az", "Values": ["true"]}]
        )["Subnets"]
        if not found:
            raise CloudError("InvalidParameterValue", "DescribeSubnets", f"there is no default subnet in {zone}")
        id = str(found[0]["SubnetId"])
        self.update(cloud, id, {"mapPublicIpOnLaunch": found[0]["MapPublicIpOnLaunch"], "tagsAll": {}}, inputs)
        return id

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        state = super().read(cloud, id, known)
        if state is None:
            return None
        return {**state, "existingDefaultSubnet": True, "forceDestroy": bool(known.get("forceDestroy"))}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if state.get("forceDestroy"):
            super().delete(cloud, id, state)


class MainRouteTableAssociation(AwsType):
    """aws.ec2.MainRouteTableAssociation. Deleting it gives the VPC its first table back."""

    token = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
    replace_on = frozenset({"region"})
    changed_by_update = frozenset({"originalRouteTableId"})
    sources = ("EC2 API: ReplaceRouteTableAssociation",)

    def _main(self, api: Any, vpc: str) -> tuple[str, str]:
        for table in api.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]:
            for one in table["Associations"]:
                if one.get("Main"):
                    return one["RouteTableAssociationId"], table["RouteTableId"]
        raise CloudError("InvalidVpcID.NotFound", "DescribeRouteTables", f"The vpc ID '{vpc}' does not exist")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api = self.api(cloud, inputs)
        association, _ = self._main(api, str(inputs["vpcId"]))
        answer = api.replace_route_table_association(AssociationId=association, RouteTableId=inputs["routeTableId"])
        return str(answer["NewAssociationId"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        for table in self.api(cloud, known).describe_route_tables()["RouteTables"]:
            for one in table["Associations"]:
                if one.get("RouteTableAssociationId") == id:
                    return {
                        "region": self.region(cloud, known),
                        "vpcId": table["VpcId"],
                        "routeTableId": table["RouteTableId"],
                        "originalRouteTableId": known.get("originalRouteTableId")
                        or self._first(cloud, known, table["VpcId"]),
                    }
        return None

    def _first(self, cloud: AwsClient, known: Props, vpc: str) -> str:
        tables = self.api(cloud, known).describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
            "RouteTables"
        ]
        return str(tables[0]["RouteTableId"])

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.api(cloud, new).replace_route_table_association(AssociationId=id, RouteTableId=new["routeTableId"])

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).replace_route_table_association(
                AssociationId=id, RouteTableId=state["originalRouteTableId"]
            )
        )


class EgressOnlyInternetGateway(TableType):
    """aws.ec2.EgressOnlyInternetGateway."""

    token = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"
    creates, made = "CreateEgressOnlyInternetGateway", "EgressOnlyInternetGateway.EgressOnlyInternetGatewayId"
    reads, row = "DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways.0"
    deletes = "DeleteEgressOnlyInternetGateway"
    named = {"EgressOnlyInternetGatewayId": "id", "EgressOnlyInternetGatewayIds": "id"}
    replace_on = frozenset({"region", "vpcId"})
    tag_kind = "egress-only-internet-gateway"
    sources = ("EC2 API: CreateEgressOnlyInternetGateway", "AWS::EC2::EgressOnlyInternetGateway")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["vpcId"] = next((a["VpcId"] for a in row.get("Attachments", ())), known.get("vpcId"))


class InternetGatewayAttachment(TableType):
    """aws.ec2.InternetGatewayAttachment."""

    token = "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"
    creates, id_form = "AttachInternetGateway", "{internetGatewayId}:{vpcId}"
    reads, row, deletes = "DescribeInternetGateways", "InternetGateways.0", "DetachInternetGateway"
    named = {"InternetGatewayId": "internetGatewayId", "InternetGatewayIds": "internetGatewayId", "VpcId": "vpcId"}
    replace_on = frozenset({"region", "internetGatewayId", "vpcId"})
    gone_codes = ("Gateway.NotAttached",)
    sources = ("EC2 API: AttachInternetGateway, DetachInternetGateway", "AWS::EC2::VPCGatewayAttachment")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known)
        vpc = self._parts(id)["vpcId"]
        return row if row and any(a["VpcId"] == vpc for a in row["Attachments"]) else None


class VpcIpv4CidrBlockAssociation(TableType):
    """aws.ec2.VpcIpv4CidrBlockAssociation."""

    token = "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation"
    creates, made = "AssociateVpcCidrBlock", "CidrBlockAssociation.AssociationId"
    reads, row, deletes = "DescribeVpcs", "Vpcs", "DisassociateVpcCidrBlock"
    named = {"AssociationId": "id"}
    replace_on = frozenset({"region", "vpcId", "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"})
    computed = REGIONAL | {"cidrBlock"}
    sources = ("EC2 API: AssociateVpcCidrBlock, DisassociateVpcCidrBlock", "AWS::EC2::VPCCidrBlock")

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        for vpc in rows:
            for one in vpc.get("CidrBlockAssociationSet", ()):
                if one["AssociationId"] == id:
                    return {**one, "VpcId": vpc["VpcId"]}
        return None


class ManagedPrefixList(TableType):
    """aws.ec2.ManagedPrefixList."""

    token = "aws:ec2/managedPrefixList:ManagedPrefixList"
    auto_name = AutoName()
    creates, made = "CreateManagedPrefixList", "PrefixList.PrefixListId"
    reads, row, status = "DescribeManagedPrefixLists", "PrefixLists.0", ("State", "delete-complete")
    deletes, named = "DeleteManagedPrefixList", {"PrefixListId": "id", "PrefixListIds": "id"}
    renames = {"name": "PrefixListName", "arn": "PrefixListArn", "entries": "Entries"}
    replace_on = frozenset({"region", "addressFamily"})
    computed = REGIONAL | {"entries"}
    unordered = frozenset({"entries"})
    changed_by_update = frozenset({"version"})
    arn_form = "arn:aws:ec2:{region}:{account}:prefix-list/{id}"
    shows = {"ownerId": ACCOUNT}
    tag_kind = "prefix-list"
    sources = ("EC2 API: CreateManagedPrefixList, ModifyManagedPrefixList", "AWS::EC2::PrefixList")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        was = {e["cidr"]: e for e in old.get("entries") or ()}
        now = {e["cidr"]: e for e in new.get("entries") or ()}
        asked: dict[str, Any] = {}
        come = [
            {"Cidr": c, **present({"Description": e.get("description")})} for c, e in now.items() if was.get(c) != e
        ]
        gone = [{"Cidr": c} for c in was if c not in now]
        if come:
            asked["AddEntries"] = come
        if gone:
            asked["RemoveEntries"] = gone
        if old.get("name") != new.get("name"):
            asked["PrefixListName"] = new["name"]
        api = self.api(cloud, new)
        if asked:
            live = api.describe_managed_prefix_lists(PrefixListIds=[id])["PrefixLists"][0]
            api.modify_managed_prefix_list(PrefixListId=id, CurrentVersion=live["Version"], **asked)
        if old.get("maxEntries") != new.get("maxEntries"):
            api.modify_managed_prefix_list(PrefixListId=id, MaxEntries=new["maxEntries"])

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        entries = self.api(cloud, state).get_managed_prefix_list_entries(PrefixListId=row["PrefixListId"])["Entries"]
        state["entries"] = [
            {"cidr": e["Cidr"], **({"description": e["Description"]} if e.get("Description") else {})} for e in entries
        ]


class TransitGateway(TableType):
    """aws.ec2transitgateway.TransitGateway."""

    token = "aws:ec2transitgateway/transitGateway:TransitGateway"
    creates, made = "CreateTransitGateway", "TransitGateway.TransitGatewayId"
    reads, row, status = "DescribeTransitGateways", "TransitGateways.0", ("State", "deleted", "deleting")
    deletes, named = "DeleteTransitGateway", {"TransitGatewayId": "id", "TransitGatewayIds": "id"}
    renames = {"arn": "TransitGatewayArn"}
    replace_on = frozenset({"region", "amazonSideAsn", "multicastSupport"})
    defaults = {
        "amazonSideAsn": 64512,
        "autoAcceptSharedAttachments": "disable",
        "defaultRouteTableAssociation": "enable",
        "defaultRouteTablePropagation": "enable",
        "dnsSupport": "enable",
        "multicastSupport": "disable",
        "securityGroupReferencingSupport": "disable",
        "vpnEcmpSupport": "enable",
    }
    computed = REGIONAL | {"encryptionSupport"}
    arn_form = "arn:aws:ec2:{region}:{account}:transit-gateway/{id}"
    shows = {"ownerId": ACCOUNT}
    tag_kind = "transit-gateway"
    sources = ("EC2 API: CreateTransitGateway, ModifyTransitGateway", "AWS::EC2::TransitGateway createOnlyProperties")
    _OPTIONS = (
        "amazonSideAsn",
        "autoAcceptSharedAttachments",
        "defaultRouteTableAssociation",
        "defaultRouteTablePropagation",
        "dnsSupport",
        "multicastSupport",
        "securityGroupReferencingSupport",
        "vpnEcmpSupport",
        "transitGatewayCidrBlocks",
    )

    def _options(self, props: Props) -> dict[str, Any]:
        return {n[:1].upper() + n[1:]: props[n] for n in self._OPTIONS if props.get(n) is not None}

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Options": self._options(inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        options = {k: v for k, v in self._options(new).items() if self._options(old).get(k) != v}
        was, now = set(old.get("transitGatewayCidrBlocks") or ()), set(new.get("transitGatewayCidrBlocks") or ())
        options.pop("TransitGatewayCidrBlocks", None)
        if now - was:
            options["AddTransitGatewayCidrBlocks"] = sorted(now - was)
        if was - now:
            options["RemoveTransitGatewayCidrBlocks"] = sorted(was - now)
        described = (
            {"Description": new.get("description") or ""} if old.get("description") != new.get("description") else {}
        )
        if options or described:
            self.api(cloud, new).modify_transit_gateway(
                TransitGatewayId=id, **described, **({"Options": options} if options else {})
            )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        options = row.get("Options") or {}
        for name in (*self._OPTIONS, "associationDefaultRouteTableId", "propagationDefaultRouteTableId"):
            live = options.get(name[:1].upper() + name[1:])
            if live is not None:
                state[name] = int(live) if name == "amazonSideAsn" else live


class TransitGatewayVpcAttachment(TableType):
    """aws.ec2transitgateway.VpcAttachment."""

    token = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
    creates = "CreateTransitGatewayVpcAttachment"
    made = "TransitGatewayVpcAttachment.TransitGatewayAttachmentId"
    reads, row = "DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments.0"
    status = ("State", "deleted", "deleting")
    deletes = "DeleteTransitGatewayVpcAttachment"
    named = {"TransitGatewayAttachmentId": "id", "TransitGatewayAttachmentIds": "id"}
    replace_on = frozenset({"region", "transitGatewayId", "vpcId"})
    defaults = {
        "applianceModeSupport": "disable",
        "dnsSupport": "enable",
        "ipv6Support": "disable",
        "transitGatewayDefaultRouteTableAssociation": True,
        "transitGatewayDefaultRouteTablePropagation": True,
    }
    computed = REGIONAL | {"securityGroupReferencingSupport"}
    unordered = frozenset({"subnetIds"})
    arn_form = "arn:aws:ec2:{region}:{account}:transit-gateway-attachment/{id}"
    shows = {"vpcOwnerId": ACCOUNT}
    provider_only = frozenset(
        {
            "transitGatewayDefaultRouteTableAssociation",
            "transitGatewayDefaultRouteTablePropagation",
        }
    )
    tag_kind = "transit-gateway-attachment"
    sources = ("EC2 API: CreateTransitGatewayVpcAttachment", "AWS::EC2::TransitGatewayVpcAttachment")
    _OPTIONS = ("applianceModeSupport", "dnsSupport", "ipv6Support")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Options": {n[:1].upper() + n[1:]: inputs[n] for n in self._OPTIONS if inputs.get(n)}}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        was, now = set(old.get("subnetIds") or ()), set(new.get("subnetIds") or ())
        asked: dict[str, Any] = {}
        if now - was:
            asked["AddSubnetIds"] = sorted(now - was)
        if was - now:
            asked["RemoveSubnetIds"] = sorted(was - now)
        options = {n[:1].upper() + n[1:]: new[n] for n in self._OPTIONS if new.get(n) and new.get(n) != old.get(n)}
        if options:
            asked["Options"] = options
        if asked:
            self.api(cloud, new).modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id, **asked)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        for name in self._OPTIONS:
            live = (row.get("Options") or {}).get(name[:1].upper() + name[1:])
            if live is not None:
                state[name] = live


class TransitGatewayRouteTable(TableType):
    """aws.ec2transitgateway.RouteTable."""

    token = "aws:ec2transitgateway/routeTable:RouteTable"
    creates, made = "CreateTransitGatewayRouteTable", "TransitGatewayRouteTable.TransitGatewayRouteTableId"
    reads, row = "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTables.0"
    status = ("State", "deleted", "deleting")
    deletes = "DeleteTransitGatewayRouteTable"
    named = {"TransitGatewayRouteTableId": "id", "TransitGatewayRouteTableIds": "id"}
    replace_on = frozenset({"region", "transitGatewayId"})
    arn_form = "arn:aws:ec2:{region}:{account}:transit-gateway-route-table/{id}"
    tag_kind = "transit-gateway-route-table"
    shows = {"defaultAssociationRouteTable": False, "defaultPropagationRouteTable": False}
    sources = ("EC2 API: CreateTransitGatewayRouteTable", "AWS::EC2::TransitGatewayRouteTable")


class TransitGatewayRoute(TableType):
    """aws.ec2transitgateway.Route."""

    token = "aws:ec2transitgateway/route:Route"
    creates, id_form = "CreateTransitGatewayRoute", "{transitGatewayRouteTableId}_{destinationCidrBlock}"
    reads, row, deletes = "SearchTransitGatewayRoutes", "Routes", "DeleteTransitGatewayRoute"
    named = {"TransitGatewayRouteTableId": "transitGatewayRouteTableId", "DestinationCidrBlock": "destinationCidrBlock"}
    replace_on = frozenset(
        {"region", "transitGatewayRouteTableId", "destinationCidrBlock", "transitGatewayAttachmentId", "blackhole"}
    )
    defaults = {"blackhole": False}
    write_only = frozenset({"blackhole"})
    status = ("State", "deleted", "deleting")
    sources = ("EC2 API: CreateTransitGatewayRoute, SearchTransitGatewayRoutes", "AWS::EC2::TransitGatewayRoute")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = super().target(shape, id, props)
        if "Filters" in shape.members:
            found["Filters"] = [{"Name": "type", "Values": ["static"]}]
        return found

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["DestinationCidrBlock"] == self._parts(id)["destinationCidrBlock"]), None)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        for one in row.get("TransitGatewayAttachments", ()):
            state["transitGatewayAttachmentId"] = one.get("TransitGatewayAttachmentId")


class _TransitGatewayTableMember(TableType):
    """An attachment's place in a route table of a transit gateway."""

    id_form = "{transitGatewayRouteTableId}_{transitGatewayAttachmentId}"
    named = {
        "TransitGatewayRouteTableId": "transitGatewayRouteTableId",
        "TransitGatewayAttachmentId": "transitGatewayAttachmentId",
    }
    replace_on = frozenset({"region", "transitGatewayAttachmentId", "transitGatewayRouteTableId"})
    provider_only = frozenset({"replaceExistingAssociation"})
    status = ("State", "disassociated", "disassociating", "disabled", "disabling")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = super().target(shape, id, props)
        if "Filters" in shape.members:
            found.pop("TransitGatewayAttachmentId", None)
        return found

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        attachment = self._parts(id)["transitGatewayAttachmentId"]
        return next((r for r in rows if r["TransitGatewayAttachmentId"] == attachment), None)


class TransitGatewayRouteTableAssociation(_TransitGatewayTableMember):
    """aws.ec2transitgateway.RouteTableAssociation."""

    token = "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation"
    creates, deletes = "AssociateTransitGatewayRouteTable", "DisassociateTransitGatewayRouteTable"
    reads, row = "GetTransitGatewayRouteTableAssociations", "Associations"
    sources = ("EC2 API: AssociateTransitGatewayRouteTable", "AWS::EC2::TransitGatewayRouteTableAssociation")


class TransitGatewayRouteTablePropagation(_TransitGatewayTableMember):
    """aws.ec2transitgateway.RouteTablePropagation."""

    token = "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation"
    creates, deletes = "EnableTransitGatewayRouteTablePropagation", "DisableTransitGatewayRouteTablePropagation"
    reads, row = "GetTransitGatewayRouteTablePropagations", "TransitGatewayRouteTablePropagations"
    sources = ("EC2 API: EnableTransitGatewayRouteTablePropagation", "AWS::EC2::TransitGatewayRouteTablePropagation")


class CustomerGateway(TableType):
    """aws.ec2.CustomerGateway. Everything but its tags replaces it."""

    token = "aws:ec2/customerGateway:CustomerGateway"
    creates, made = "CreateCustomerGateway", "CustomerGateway.CustomerGatewayId"
    reads, row, status = "DescribeCustomerGateways", "CustomerGateways.0", ("State", "deleted", "deleting")
    deletes, named = "DeleteCustomerGateway", {"CustomerGatewayId": "id", "CustomerGatewayIds": "id"}
    replace_on = frozenset({"region", "type", "bgpAsn", "bgpAsnExtended", "certificateArn", "deviceName", "ipAddress"})
    arn_form = "arn:aws:ec2:{region}:{account}:customer-gateway/{id}"
    tag_kind = "customer-gateway"
    sources = ("EC2 API: CreateCustomerGateway", "AWS::EC2::CustomerGateway createOnlyProperties")


class VpnGateway(TableType):
    """aws.ec2.VpnGateway."""

    token = "aws:ec2/vpnGateway:VpnGateway"
    creates, made = "CreateVpnGateway", "VpnGateway.VpnGatewayId"
    reads, row, status = "DescribeVpnGateways", "VpnGateways.0", ("State", "deleted", "deleting")
    deletes, named = "DeleteVpnGateway", {"VpnGatewayId": "id", "VpnGatewayIds": "id"}
    renames = {"vpcId": ""}
    replace_on = frozenset({"region", "amazonSideAsn", "availabilityZone"})
    computed = REGIONAL | {"amazonSideAsn", "vpcId"}
    arn_form = "arn:aws:ec2:{region}:{account}:vpn-gateway/{id}"
    tag_kind = "vpn-gateway"
    sources = ("EC2 API: CreateVpnGateway, AttachVpnGateway", "AWS::EC2::VPNGateway createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        asn = {"AmazonSideAsn": int(inputs["amazonSideAsn"])} if inputs.get("amazonSideAsn") else {}
        return {**asked, **asn, "Type": "ipsec.1"}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        if inputs.get("vpcId"):
            self.api(cloud, inputs).attach_vpn_gateway(VpnGatewayId=id, VpcId=inputs["vpcId"])

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("vpcId") != new.get("vpcId"):
            self.before_delete(cloud, id, old)
            self.after_create(cloud, id, new)

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if state.get("vpcId"):
            absent_is_none(lambda: self.api(cloud, state).detach_vpn_gateway(VpnGatewayId=id, VpcId=state["vpcId"]))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["vpcId"] = next((a["VpcId"] for a in row.get("VpcAttachments", ()) if a["State"] == "attached"), None)


class EncryptionByDefault(AwsType):
    """aws.ebs.EncryptionByDefault. Deleting it turns the encryption off."""

    token = "aws:ebs/encryptionByDefault:EncryptionByDefault"
    replace_on = REGIONAL
    defaults = {"enabled": True}
    sources = ("EC2 API: EnableEbsEncryptionByDefault, GetEbsEncryptionByDefault",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self.update(cloud, "", {}, inputs)
        return f"terraform-{self.region(cloud, inputs)}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = self.api(cloud, known).get_ebs_encryption_by_default()
        return {"region": self.region(cloud, known), "enabled": bool(answer["EbsEncryptionByDefault"])}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        word = "Enable" if new.get("enabled", True) else "Disable"
        self.api(cloud, new).does(f"{word}EbsEncryptionByDefault")

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        self.api(cloud, state).disable_ebs_encryption_by_default()


TYPES = (
    SecurityGroupRule,
    EipAssociation,
    KeyPair,
    Volume,
    VolumeAttachment,
    Snapshot,
    NetworkInterface,
    NetworkInterfaceAttachment,
    VpcPeeringConnection,
    VpcPeeringConnectionAccepter,
    PeeringConnectionOptions,
    NetworkAcl,
    DefaultNetworkAcl,
    NetworkAclRule,
    NetworkAclAssociation,
    VpcDhcpOptions,
    VpcDhcpOptionsAssociation,
    DefaultSecurityGroup,
    DefaultRouteTable,
    DefaultVpc,
    DefaultSubnet,
    MainRouteTableAssociation,
    EgressOnlyInternetGateway,
    InternetGatewayAttachment,
    VpcIpv4CidrBlockAssociation,
    ManagedPrefixList,
    TransitGateway,
    TransitGatewayVpcAttachment,
    TransitGatewayRouteTable,
    TransitGatewayRoute,
    TransitGatewayRouteTableAssociation,
    TransitGatewayRouteTablePropagation,
    CustomerGateway,
    VpnGateway,
    EncryptionByDefault,
)
