"""Single operations that moto lacks, of services that it has. Source: each service's API reference and model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from moto.core.exceptions import HTTPException

from simcloud.aws import moto_bridge
from simcloud.aws.calls import Call
from simcloud.aws.served import Row, served
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld


def _file_system(call: Call) -> str:
    id = str(call.params["FileSystemId"])
    if id not in moto_bridge.backend("efs", call.region).file_systems_by_id:
        raise CloudError("FileSystemNotFound", call.operation, f"File system '{id}' does not exist.", 404)
    return id


@served("efs:PutBackupPolicy")
def _put_backup_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    status = call.params["BackupPolicy"]["Status"]
    row = {"BackupPolicy": {"Status": {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}.get(status, status)}}
    world.shelves.of("efs backup", call.region)[_file_system(call)] = row
    return row


@served("efs:DescribeBackupPolicy")
def _describe_backup_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    id = _file_system(call)
    return world.shelves.find("efs backup", call, id, "PolicyNotFound", f"File system {id} has no backup policy", 404)


@served("efs:DeleteFileSystemPolicy")
def _delete_file_system_policy(world: AwsWorld, call: Call, moment: Moment) -> Row:
    moto_bridge.backend("efs", call.region).file_systems_by_id[_file_system(call)].file_system_policy = None
    return {}


@served("elasticache:DeleteCacheSubnetGroup")
def _delete_cache_subnet_group(world: AwsWorld, call: Call, moment: Moment) -> Row:
    name = call.params["CacheSubnetGroupName"]
    backend = moto_bridge.backend("elasticache", call.region)
    if name not in backend.cache_subnet_groups:
        raise CloudError("CacheSubnetGroupNotFoundFault", call.operation, f"CacheSubnetGroup {name} not found.", 404)
    users = [
        c.cache_cluster_id
        for c in backend.cache_clusters.values()
        if c.cache_subnet_group_name == name and c.cache_cluster_status != "deleting"
    ]
    if users:
        raise CloudError(
            "CacheSubnetGroupInUse", call.operation, f"Cache subnet group {name} is currently in use by {users[0]}"
        )
    del backend.cache_subnet_groups[name]
    return {}


@served("apigateway:PutRestApi")
def _put_rest_api(world: AwsWorld, call: Call, moment: Moment) -> Row:
    """moto reads OpenAPI 3 only; API Gateway reads Swagger 2.0 as well, whose paths say the same."""
    try:
        text = json.loads(call.request.body)
    except ValueError:
        raise CloudError("BadRequestException", call.operation, "Unable to parse document: not JSON") from None
    if text.pop("swagger", None) == "2.0":
        text["openapi"] = "3.0.1"
    mode = call.request.params().get("mode") or ["merge"]
    try:
        backend = moto_bridge.backend("apigateway", call.region)
        api = backend.put_rest_api(call.params["restApiId"], text, mode=mode[0], fail_on_warnings=False)
    except HTTPException as refused:
        raise CloudError(
            getattr(refused, "error_type", "BadRequestException"), call.operation, str(refused.description or refused)
        ) from None
    return {"id": api.id, "name": api.name, "description": api.description}


# CloudFront's origin access identities


def _identity(world: AwsWorld, call: Call) -> Row:
    id = call.params["Id"]
    return world.shelves.find(
        "cloudfront identity",
        call,
        id,
        "NoSuchCloudFrontOriginAccessIdentity",
        "The specified origin access identity does not exist.",
        404,
    )


@served("cloudfront:CreateCloudFrontOriginAccessIdentity")
def _create_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    id = "E" + "".join(moment.chance.choice(letters) for _ in range(13))
    row = {
        "CloudFrontOriginAccessIdentity": {
            "Id": id,
            "S3CanonicalUserId": f"{moment.chance.getrandbits(256):064x}",
            "CloudFrontOriginAccessIdentityConfig": dict(call.params["CloudFrontOriginAccessIdentityConfig"]),
        },
        "ETag": "E" + "".join(moment.chance.choice(letters) for _ in range(12)),
    }
    world.shelves.of("cloudfront identity", call.region)[id] = row
    return row


@served("cloudfront:GetCloudFrontOriginAccessIdentity")
def _get_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    return _identity(world, call)


@served("cloudfront:UpdateCloudFrontOriginAccessIdentity")
def _update_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    row = _identity(world, call)
    config = dict(call.params["CloudFrontOriginAccessIdentityConfig"])
    row["CloudFrontOriginAccessIdentity"]["CloudFrontOriginAccessIdentityConfig"] = config
    return row


@served("cloudfront:DeleteCloudFrontOriginAccessIdentity")
def _delete_identity(world: AwsWorld, call: Call, moment: Moment) -> Row:
    _identity(world, call)
    del world.shelves.of("cloudfront identity", call.region)[call.params["Id"]]
    return {}
