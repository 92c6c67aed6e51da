"""File systems: EFS and FSx for Lustre.

Sources: EFS and FSx API references; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import uuid
from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, Props
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType, same_document


class FileSystem(TableType):
    """aws.efs.FileSystem."""

    token = "aws:efs/fileSystem:FileSystem"
    service = "efs"
    creates, made = "CreateFileSystem", "FileSystemId"
    reads, row, status = "DescribeFileSystems", "FileSystems.0", ("LifeCycleState", "deleted", "deleting")
    updates, deletes = ("UpdateFileSystem",), "DeleteFileSystem"
    named = {"FileSystemId": "id"}
    renames = {"arn": "FileSystemArn", "lifecyclePolicies": "", "protection": ""}
    replace_on = frozenset(
        {"region", "availabilityZoneName", "creationToken", "encrypted", "kmsKeyId", "performanceMode"}
    )
    computed = REGIONAL | {
        "availabilityZoneName",
        "creationToken",
        "encrypted",
        "kmsKeyId",
        "performanceMode",
        "protection",
    }
    defaults = {"throughputMode": "bursting"}
    shows = {
        "dnsName": "{id}.efs.{region}.amazonaws.com",
        "ownerId": ACCOUNT,
        "availabilityZoneId": "",
        "availabilityZoneName": "",
        "name": "",
    }
    tag_target = {"ResourceId": "id"}
    sources = ("EFS API: CreateFileSystem, UpdateFileSystem", "AWS::EFS::FileSystem createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"CreationToken": f"terraform-{uuid.uuid4().hex[:26]}", **asked}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self.changed(cloud, id, {}, inputs)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if (old.get("lifecyclePolicies") or []) != (new.get("lifecyclePolicies") or []):
            rows = [
                {k[:1].upper() + k[1:].replace("Ia", "IA"): v for k, v in one.items() if v}
                for one in new.get("lifecyclePolicies") or ()
            ]
            self.api(cloud, new).put_lifecycle_configuration(FileSystemId=id, LifecyclePolicies=rows)
        if old.get("protection") != new.get("protection") and new.get("protection"):
            self.api(cloud, new).update_file_system_protection(
                FileSystemId=id, ReplicationOverwriteProtection=new["protection"]["replicationOverwrite"]
            )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        rows = self.api(cloud, state).describe_lifecycle_configuration(FileSystemId=row["FileSystemId"])
        state["lifecyclePolicies"] = [
            {k[:1].lower() + k[1:].replace("IA", "Ia"): v for k, v in one.items()} for one in rows["LifecyclePolicies"]
        ]
        state["sizeInBytes"] = [{"value": 0, "valueInIa": 0, "valueInStandard": 0}]
        state["name"] = (state.get("tagsAll") or {}).get("Name", "")


class MountTarget(TableType):
    """aws.efs.MountTarget."""

    token = "aws:efs/mountTarget:MountTarget"
    service = "efs"
    creates, made = "CreateMountTarget", "MountTargetId"
    reads, row, status = "DescribeMountTargets", "MountTargets.0", ("LifeCycleState", "deleted", "deleting")
    deletes, named = "DeleteMountTarget", {"MountTargetId": "id"}
    replace_on = frozenset({"region", "fileSystemId", "subnetId", "ipAddress", "ipAddressType", "ipv6Address"})
    computed = REGIONAL | {"ipAddress", "ipAddressType", "ipv6Address", "securityGroups"}
    unordered = frozenset({"securityGroups"})
    provider_only = frozenset({"ipAddressType"})
    shows = {
        "dnsName": "{fileSystemId}.efs.{region}.amazonaws.com",
        "mountTargetDnsName": "{availabilityZoneName}.{fileSystemId}.efs.{region}.amazonaws.com",
        "fileSystemArn": "arn:aws:elasticfilesystem:{region}:{account}:file-system/{fileSystemId}",
        "ownerId": ACCOUNT,
    }
    sources = ("EFS API: CreateMountTarget, ModifyMountTargetSecurityGroups", "AWS::EFS::MountTarget")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if set(old.get("securityGroups") or ()) != set(new.get("securityGroups") or ()):
            self.api(cloud, new).modify_mount_target_security_groups(
                MountTargetId=id, SecurityGroups=list(new.get("securityGroups") or ())
            )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        answer = self.api(cloud, state).describe_mount_target_security_groups(MountTargetId=row["MountTargetId"])
        state["securityGroups"] = answer.get("SecurityGroups") or []


class AccessPoint(TableType):
    """aws.efs.AccessPoint. Everything but its tags replaces it."""

    token = "aws:efs/accessPoint:AccessPoint"
    service = "efs"
    creates, made = "CreateAccessPoint", "AccessPointId"
    reads, row = "DescribeAccessPoints", "AccessPoints.0"
    deletes, named = "DeleteAccessPoint", {"AccessPointId": "id"}
    renames = {"arn": "AccessPointArn"}
    replace_on = frozenset({"region", "fileSystemId", "posixUser", "rootDirectory"})
    computed = REGIONAL | {"rootDirectory"}
    shows = {
        "fileSystemArn": "arn:aws:elasticfilesystem:{region}:{account}:file-system/{fileSystemId}",
        "ownerId": ACCOUNT,
    }
    tag_target = {"ResourceId": "id"}
    sources = ("EFS API: CreateAccessPoint, DeleteAccessPoint", "AWS::EFS::AccessPoint createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"ClientToken": f"terraform-{uuid.uuid4().hex[:26]}", **asked}


class BackupPolicy(TableType):
    """aws.efs.BackupPolicy. Deleting it turns the backups off."""

    token = "aws:efs/backupPolicy:BackupPolicy"
    service = "efs"
    creates, reads, id_form = "PutBackupPolicy", "DescribeBackupPolicy", "{fileSystemId}"
    updates = ("PutBackupPolicy",)
    named = {"FileSystemId": "id"}
    replace_on = frozenset({"region", "fileSystemId"})
    sources = ("EFS API: PutBackupPolicy, DescribeBackupPolicy",)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        absent_is_none(lambda: api.put_backup_policy(FileSystemId=id, BackupPolicy={"Status": "DISABLED"}))


class FileSystemPolicy(TableType):
    """aws.efs.FileSystemPolicy."""

    token = "aws:efs/fileSystemPolicy:FileSystemPolicy"
    service = "efs"
    creates, reads, id_form = "PutFileSystemPolicy", "DescribeFileSystemPolicy", "{fileSystemId}"
    updates, deletes = ("PutFileSystemPolicy",), "DeleteFileSystemPolicy"
    named = {"FileSystemId": "id"}
    documents = frozenset({"policy"})
    replace_on = frozenset({"region", "fileSystemId"})
    provider_only = frozenset({"bypassPolicyLockoutSafetyCheck"})
    sources = ("EFS API: PutFileSystemPolicy, DescribeFileSystemPolicy",)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["policy"] = same_document(row["Policy"], known.get("policy"))


class LustreFileSystem(TableType):
    """aws.fsx.LustreFileSystem."""

    token = "aws:fsx/lustreFileSystem:LustreFileSystem"
    service = "fsx"
    creates, made = "CreateFileSystem", "FileSystem.FileSystemId"
    reads, row, status = "DescribeFileSystems", "FileSystems.0", ("Lifecycle", "DELETING", "DELETED")
    deletes, named = "DeleteFileSystem", {"FileSystemId": "id", "FileSystemIds": "id"}
    renames = {
        "arn": "ResourceARN",
        "logConfiguration": "",
        "dnsName": "DNSName",
        "networkInterfaceIds": "NetworkInterfaceIds",
    }
    provider_only = frozenset({"skipFinalBackup", "finalBackupTags"})
    replace_on = frozenset(
        {
            "region",
            "backupId",
            "copyTagsToBackups",
            "deploymentType",
            "driveCacheType",
            "efaEnabled",
            "exportPath",
            "fileSystemTypeVersion",
            "importPath",
            "importedFileChunkSize",
            "kmsKeyId",
            "securityGroupIds",
            "storageType",
            "subnetIds",
        }
    )
    defaults = {
        "deploymentType": "SCRATCH_1",
        "storageType": "SSD",
        "copyTagsToBackups": False,
        "skipFinalBackup": True,
        "dataCompressionType": "NONE",
    }
    computed = REGIONAL | {
        "autoImportPolicy",
        "automaticBackupRetentionDays",
        "dailyAutomaticBackupStartTime",
        "weeklyMaintenanceStartTime",
        "exportPath",
        "fileSystemTypeVersion",
        "importedFileChunkSize",
        "kmsKeyId",
        "efaEnabled",
        "logConfiguration",
        "metadataConfiguration",
        "dataReadCacheConfiguration",
        "throughputCapacity",
    }
    shows = {
        "arn": "arn:aws:fsx:{region}:{account}:file-system/{id}",
        "dnsName": "{id}.fsx.{region}.amazonaws.com",
        "ownerId": ACCOUNT,
        "mountName": "fsx",
        "networkInterfaceIds": [],
    }
    sources = (
        "FSx API: CreateFileSystem, UpdateFileSystem",
        "AWS::FSx::FileSystem createOnlyProperties",
        "provider documentation",
    )
    _LUSTRE = (
        "autoImportPolicy",
        "automaticBackupRetentionDays",
        "copyTagsToBackups",
        "dailyAutomaticBackupStartTime",
        "dataCompressionType",
        "dataReadCacheConfiguration",
        "deploymentType",
        "driveCacheType",
        "efaEnabled",
        "exportPath",
        "importPath",
        "importedFileChunkSize",
        "metadataConfiguration",
        "perUnitStorageThroughput",
        "rootSquashConfiguration",
        "throughputCapacity",
        "weeklyMaintenanceStartTime",
    )

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """Storage grows in place and never shrinks."""
        found = super().replaces(old, new, changed)
        if "storageCapacity" in changed and (new.get("storageCapacity") or 0) < (old.get("storageCapacity") or 0):
            found |= {"storageCapacity"}
        return found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["LustreConfiguration"]
        lustre = self.parameters(shape, {n: inputs[n] for n in self._LUSTRE if inputs.get(n) is not None})
        subnets = inputs["subnetIds"]
        return {
            **asked,
            "FileSystemType": "LUSTRE",
            "SubnetIds": subnets if isinstance(subnets, list) else [subnets],
            "LustreConfiguration": lustre,
        }

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, asked = self.api(cloud, new), {}
        shape = api.shape("UpdateFileSystem").members["LustreConfiguration"]
        different = {n: new[n] for n in self._LUSTRE if new.get(n) is not None and new.get(n) != old.get(n)}
        lustre = self.parameters(shape, different)
        if lustre:
            asked["LustreConfiguration"] = lustre
        if old.get("storageCapacity") != new.get("storageCapacity") and new.get("storageCapacity"):
            asked["StorageCapacity"] = new["storageCapacity"]
        if asked:
            api.update_file_system(FileSystemId=id, **asked)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        lustre = row.get("LustreConfiguration") or {}
        for name in (*self._LUSTRE, "mountName"):
            member = name[:1].upper() + name[1:]
            if lustre.get(member) is not None:
                state[name] = lustre[member]
        subnets = row.get("SubnetIds") or []
        state["subnetIds"] = subnets[0] if subnets else known.get("subnetIds")


TYPES = (FileSystem, MountTarget, AccessPoint, BackupPolicy, FileSystemPolicy, LustreFileSystem)
