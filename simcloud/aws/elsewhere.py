"""Single operations that moto lacks, of services that it has. Source: each service's API reference and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


@served("elasticache:DeleteCacheSubnetGroup")
def _delete_cache_subnet_group(world: AwsWorld, call: Call, moment: Moment) -> Row:
    name = call.params["CacheSubnetGroupName"]
    backend = moto_bridge.backend("elasticache", call.region)
    if name not in backend.cache_subnet_groups:
        raise CloudError("CacheSubnetGroupNotFoundFault", call.operation, f"CacheSubnetGroup {name} not found.", 404)
    users = [c.cache_cluster_id for c in backend.cache_clusters.values() if c.cache_subnet_group_name == name]
    if users:
        raise CloudError(
            "CacheSubnetGroupInUse", call.operation, f"Cache subnet group {name} is currently in use by {users[0]}"
        )
    del backend.cache_subnet_groups[name]
    return {}
