"""The instance metadata service: what an instance is told of itself, as a function of the world and the request.

Sources: EC2 User Guide, "Instance metadata categories", "Use IMDSv2", "Spot Instance interruption notices". Left out:
signatures of the identity document, IPv6, scheduled events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from simcloud.aws import lives, moto_bridge, sessions
from simcloud.aws.fleet import profile_of, role_of, user_data
from simcloud.wire import Request, Response

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-aws-ec2-metadata-token"  # noqa: S105 - a header's name
LONGEST_TTL_S = 21600
HOP_HEADER = "x-simcloud-hop-limit"
"""Of our own making: the number of hops that a token's answer may travel, for whoever puts it on the wire."""
VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01"),
    *("2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20"),
    *("2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01"),
    *("2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11", "latest"),
)
_TOKENS = "aws metadata"

Tree = Mapping[str, Any]
"""Names to texts, bytes or trees."""


def answer(world: AwsWorld, id: str, request: Request, now: datetime) -> Response:
    """What the service says to a request of one instance. Raises ValueError when there is no such instance."""
    region, instance = lives.find(world, id)
    options = instance.metadata_options
    if options.http_endpoint == "disabled":
        return _error(HTTPStatus.FORBIDDEN)
    path = [p for p in request.path.split("/") if p]
    if path[1:] == ["api", "token"]:
        return _token(world, instance, request, now)
    if request.method not in ("GET", "HEAD"):
        return _error(HTTPStatus.METHOD_NOT_ALLOWED)
    token = request.headers.get(TOKEN_HEADER)
    if token is None and options.http_tokens == "required":
        return _error(HTTPStatus.UNAUTHORIZED)
    if token is not None:
        said = world.tickets.read(_TOKENS, token)
        if said is None or said["id"] != id or now.timestamp() >= said["until"]:
            return _error(HTTPStatus.UNAUTHORIZED)
    if not path:
        return _text("\n".join(VERSIONS))
    if path[0] not in VERSIONS:
        return _error(HTTPStatus.NOT_FOUND)
    found: Any = _all(world, region, instance, now)
    for name in path[1:]:
        # `0` stands for `0=name` in the list of public keys.
        found = found.get(name) if isinstance(found, Mapping) else None
        if found is None:
            return _error(HTTPStatus.NOT_FOUND)
    if isinstance(found, Mapping):
        return _text("\n".join(_listed(found)))
    kind = "application/octet-stream" if path[1:] == ["user-data"] else "text/plain"
    return _text(found, kind)


def _listed(tree: Tree) -> list[str]:
    names = tree.get("", {})
    return [names.get(n, n + "/" if isinstance(v, Mapping) else n) for n, v in tree.items() if n]


def _token(world: AwsWorld, instance: Any, request: Request, now: datetime) -> Response:
    """A session token. A request that came through a proxy gets none (`X-Forwarded-For`)."""
    if request.method != "PUT":
        return _error(HTTPStatus.METHOD_NOT_ALLOWED)
    if "x-forwarded-for" in request.headers:
        return _error(HTTPStatus.FORBIDDEN)
    asked = request.headers.get(TTL_HEADER, "")
    if not asked.isdigit() or not 1 <= int(asked) <= LONGEST_TTL_S:
        return _error(HTTPStatus.BAD_REQUEST)
    token = world.tickets.write(_TOKENS, {"id": instance.id, "until": now.timestamp() + int(asked)})
    hops = str(instance.metadata_options.http_put_response_hop_limit)
    said = _text(token)
    return Response(200, {**said.headers, TTL_HEADER: asked, HOP_HEADER: hops}, said.body)


def _text(content: str | bytes, kind: str = "text/plain") -> Response:
    body = content if isinstance(content, bytes) else content.encode()
    return Response(200, {"content-type": kind, "server": "EC2ws"}, body)


def _error(status: HTTPStatus) -> Response:
    title = f"{status.value} - {status.phrase}"
    page = (
        '<?xml version="1.0" encoding="iso-8859-1"?>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n'
        f" <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    )
    return Response(status.value, {"content-type": "text/html", "server": "EC2ws"}, page.encode())


# What there is to know


def _all(world: AwsWorld, region: str, instance: Any, now: datetime) -> Tree:
    document = json.dumps(_document(region, instance), indent=2)
    found: dict[str, Any] = {
        "dynamic": {"instance-identity": {"document": document}},
        "meta-data": _meta_data(world, region, instance, now),
    }
    data = user_data(instance)
    return found | ({"user-data": data} if data else {})


def _document(region: str, instance: Any) -> dict[str, Any]:
    return {
        "accountId": moto_bridge.ACCOUNT,
        "architecture": instance.architecture,
        "availabilityZone": instance.availability_zone,
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "kernelId": None,
        "pendingTime": instance.launch_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "privateIp": instance.private_ip_address,
        "ramdiskId": None,
        "region": region,
        "version": "2017-09-30",
    }


def _meta_data(world: AwsWorld, region: str, instance: Any, now: datetime) -> Tree:
    life = lives.life_of(instance)
    host = instance.private_dns_name
    found: dict[str, Any] = {
        "ami-id": instance.image_id,
        "ami-launch-index": str(instance.ami_launch_index),
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": _drives(instance),
        "events": _events(life),
        "hibernation": {"configured": "false"},
        "hostname": host,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "spot" if instance.lifecycle == "spot" else "on-demand",
        "instance-type": instance.instance_type,
        "local-hostname": host,
        "local-ipv4": instance.private_ip_address,
        "mac": instance.nics[0].mac_address,
        "network": {"interfaces": {"macs": {n.mac_address: _interface(instance, n) for n in instance.nics.values()}}},
        "placement": _placement(world, region, instance),
        "profile": "default-hvm",
        "reservation-id": _reservation(instance),
        "security-groups": "\n".join(g.name for g in instance.nics[0].group_set),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "system": "nitro",
    }
    group = next((t["value"] for t in instance.get_tags() if t["key"] == "aws:autoscaling:groupName"), None)
    if group is not None:
        found["autoscaling"] = {"target-lifecycle-state": "InService"}
    if instance.public_ip:
        found |= {"public-hostname": instance.public_dns_name or "", "public-ipv4": instance.public_ip}
    identity = _identity(world, instance, now)
    if identity:
        found["iam"] = identity
    key = instance.ec2_backend.key_pairs.get(instance.key_name) if instance.key_name else None
    if key is not None:
        line = f"{key.public_key.strip()} {key.key_name}"
        found["public-keys"] = {"": {"0": f"0={key.key_name}"}, "0": {"openssh-key": line}}
    if life.taken is not None:
        at = f"{life.taken:%Y-%m-%dT%H:%M:%SZ}"
        said = json.dumps({"action": "terminate", "time": at})
        found["spot"] = {"instance-action": said, "termination-time": at}
    if instance.metadata_options.instance_metadata_tags == "enabled":
        found["tags"] = {"instance": {t["key"]: t["value"] for t in instance.get_tags()}}
    return dict(sorted(found.items()))


def _drives(instance: Any) -> Tree:
    found = {"ami": instance.root_device_name, "root": instance.root_device_name}
    others = [name for name in instance.block_device_mapping if name != instance.root_device_name]
    return found | {f"ebs{i}": name for i, name in enumerate(sorted(others), 1)}


def _events(life: lives.Life) -> Tree:
    found: dict[str, Any] = {"maintenance": {"history": "[]", "scheduled": "[]"}}
    if life.told is not None:
        notice = json.dumps({"noticeTime": f"{life.told:%Y-%m-%dT%H:%M:%SZ}"})
        found["recommendations"] = {"rebalance": notice}
    return found


def _interface(instance: Any, nic: Any) -> Tree:
    vpc = nic.subnet.ec2_backend.vpcs[nic.subnet.vpc_id]
    cidrs = [row["cidr_block"] for row in vpc.get_cidr_block_association_set()] or [vpc.cidr_block]
    found = {
        "device-number": str(nic.device_index),
        "interface-id": nic.id,
        "mac": nic.mac_address,
        "owner-id": moto_bridge.ACCOUNT,
        "security-group-ids": "\n".join(g.id for g in nic.group_set),
        "security-groups": "\n".join(g.name for g in nic.group_set),
        "subnet-id": nic.subnet.id,
        "subnet-ipv4-cidr-block": nic.subnet.cidr_block,
        "vpc-id": nic.subnet.vpc_id,
        "vpc-ipv4-cidr-block": vpc.cidr_block,
        "vpc-ipv4-cidr-blocks": "\n".join(cidrs),
    }
    card = getattr(nic, "network_card_index", 0)
    if card or len(instance.nics) > 1:
        found["network-card"] = str(card)
    if nic.private_ip_address:
        addresses = [a["PrivateIpAddress"] for a in nic.private_ip_addresses] or [nic.private_ip_address]
        found |= {"local-hostname": instance.private_dns_name, "local-ipv4s": "\n".join(addresses)}
    return dict(sorted(found.items()))


def _placement(world: AwsWorld, region: str, instance: Any) -> Tree:
    zones = world.ec2.backend(region).describe_availability_zones()
    zone_id = next((z.zone_id for z in zones if z.name == instance.availability_zone), "")
    found = {"availability-zone": instance.availability_zone, "availability-zone-id": zone_id, "region": region}
    group = world.ec2.region(region).placed.get(instance.id)
    return found | ({"group-name": group} if group else {})


def _reservation(instance: Any) -> str:
    for reservation in instance.ec2_backend.reservations.values():
        if any(i.id == instance.id for i in reservation.instances):
            return str(reservation.id)
    return ""


def _identity(world: AwsWorld, instance: Any, now: datetime) -> Tree | None:
    profile, role = profile_of(instance), role_of(instance)
    if profile is None or role is None:
        return None
    held = sessions.issue(world.tickets, role, instance.id, now)
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    info = {
        "Code": "Success",
        "LastUpdated": held.given.strftime(stamp),
        "InstanceProfileArn": profile.arn,
        "InstanceProfileId": profile.id,
    }
    credentials = {
        "Code": "Success",
        "LastUpdated": held.given.strftime(stamp),
        "Type": "AWS-HMAC",
        "AccessKeyId": held.access_key,
        "SecretAccessKey": held.secret_key,
        "Token": held.token,
        "Expiration": held.expires.strftime(stamp),
    }
    return {
        "info": json.dumps(info, indent=2),
        "security-credentials": {role.name: json.dumps(credentials, indent=2)},
    }
