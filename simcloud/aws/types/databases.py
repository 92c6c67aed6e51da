"""Databases: DynamoDB, RDS and ElastiCache.

Sources: DynamoDB, RDS and ElastiCache API references; `createOnlyProperties` of the registry schemas; the provider's
documentation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName, CloudError, Failure

# DynamoDB


def _throughput(props: Props, on_demand: bool) -> dict[str, Any]:
    if on_demand:
        return {}
    read, write = props.get("readCapacity") or 1, props.get("writeCapacity") or 1
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def _index(one: Props, on_demand: bool | None, hash_key: str = "") -> dict[str, Any]:
    keys = [{"AttributeName": one.get("hashKey") or hash_key, "KeyType": "HASH"}]
    if one.get("rangeKey"):
        keys.append({"AttributeName": one["rangeKey"], "KeyType": "RANGE"})
    projection: dict[str, Any] = {"ProjectionType": one["projectionType"]}
    if one.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(one["nonKeyAttributes"])
    found = {"IndexName": one["name"], "KeySchema": keys, "Projection": projection}
    return found if on_demand is None else {**found, **_throughput(one, on_demand)}


class Table(TableType):
    """aws.dynamodb.Table."""

    token = "aws:dynamodb/table:Table"
    service = "dynamodb"
    auto_name = AutoName(max_length=255)
    creates, id_form = "CreateTable", "{name}"
    reads, row, status = "DescribeTable", "Table", ("TableStatus", "DELETING")
    deletes, named = "DeleteTable", {"TableName": "id"}
    renames = {
        "name": "TableName",
        "arn": "TableArn",
        "streamArn": "LatestStreamArn",
        "streamLabel": "LatestStreamLabel",
        "attributes": "",
        "globalSecondaryIndexes": "",
        "localSecondaryIndexes": "",
        "tableClass": "",
        "replicas": "",
    }
    replace_on = frozenset({"region", "name", "hashKey", "rangeKey", "localSecondaryIndexes", "importTable"})
    defaults = {"billingMode": "PROVISIONED", "deletionProtectionEnabled": False}
    computed = REGIONAL | {
        "readCapacity",
        "writeCapacity",
        "streamViewType",
        "pointInTimeRecovery",
        "serverSideEncryption",
        "hashKey",
        "attributes",
        "onDemandThroughput",
        "warmThroughput",
    }
    unordered = frozenset({"attributes", "globalSecondaryIndexes", "localSecondaryIndexes", "replicas"})
    provider_only = frozenset({"tableClass", "importTable", "globalTableWitness"})
    tag_target = {"ResourceArn": "arn"}
    sources = ("DynamoDB API: CreateTable, UpdateTable, UpdateTimeToLive", "AWS::DynamoDB::Table createOnlyProperties")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Attributes are those that keys and indexes use, all of them and no others."""
        named = {a.get("name") for a in inputs.get("attributes") or ()}
        indexes = [*(inputs.get("globalSecondaryIndexes") or ()), *(inputs.get("localSecondaryIndexes") or ())]
        used = {inputs.get("hashKey"), inputs.get("rangeKey")} | {
            i.get(k) for i in indexes for k in ("hashKey", "rangeKey")
        }
        used -= {None, ""}
        if inputs.get("attributes") and named != used:
            odd = sorted(str(n) for n in named ^ used)
            yield Failure("attributes", f"all attributes must be indexed. Unused or missing attributes: {odd}")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        on_demand = inputs.get("billingMode") == "PAY_PER_REQUEST"
        keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
        if inputs.get("rangeKey"):
            keys.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
        found: dict[str, Any] = {
            "TableName": inputs["name"],
            "KeySchema": keys,
            "AttributeDefinitions": self._attributes(inputs),
            "BillingMode": inputs.get("billingMode") or "PROVISIONED",
            "DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled")),
            **_throughput(inputs, on_demand),
            **({"Tags": asked["Tags"]} if asked.get("Tags") else {}),
        }
        if inputs.get("globalSecondaryIndexes"):
            found["GlobalSecondaryIndexes"] = [_index(i, on_demand) for i in inputs["globalSecondaryIndexes"]]
        if inputs.get("localSecondaryIndexes"):
            own = inputs["hashKey"]
            found["LocalSecondaryIndexes"] = [_index(i, None, own) for i in inputs["localSecondaryIndexes"]]
        if inputs.get("streamEnabled"):
            found["StreamSpecification"] = self._stream(inputs)
        encrypted = inputs.get("serverSideEncryption") or {}
        if encrypted.get("enabled"):
            found["SSESpecification"] = present(
                {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": encrypted.get("kmsKeyArn")}
            )
        return found

    def _attributes(self, props: Props) -> list[dict[str, str]]:
        return [{"AttributeName": a["name"], "AttributeType": a["type"]} for a in props.get("attributes") or ()]

    def _stream(self, props: Props) -> dict[str, Any]:
        if not props.get("streamEnabled"):
            return {"StreamEnabled": False}
        return {"StreamEnabled": True, "StreamViewType": props.get("streamViewType") or "NEW_AND_OLD_IMAGES"}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self._later(cloud, id, {}, inputs)

    def _later(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        was, now = old.get("ttl") or {}, new.get("ttl") or {}
        if was != now and (now.get("attributeName") or was.get("attributeName")):
            spec = {
                "AttributeName": now.get("attributeName") or was["attributeName"],
                "Enabled": bool(now.get("enabled", bool(now))),
            }
            if bool(was.get("enabled", bool(was))) != spec["Enabled"]:
                api.update_time_to_live(TableName=id, TimeToLiveSpecification=spec)
        was, now = old.get("pointInTimeRecovery") or {}, new.get("pointInTimeRecovery") or {}
        if bool(was.get("enabled")) != bool(now.get("enabled")):
            api.update_continuous_backups(
                TableName=id,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": bool(now.get("enabled"))},
            )

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, on_demand = self.api(cloud, new), new.get("billingMode") == "PAY_PER_REQUEST"
        asked: dict[str, Any] = {}
        if old.get("billingMode") != new.get("billingMode"):
            asked["BillingMode"] = new["billingMode"]
        if not on_demand and (asked or _throughput(old, False) != _throughput(new, False)):
            asked |= _throughput(new, False)
        if bool(old.get("deletionProtectionEnabled")) != bool(new.get("deletionProtectionEnabled")):
            asked["DeletionProtectionEnabled"] = bool(new.get("deletionProtectionEnabled"))
        if self._stream(old) != self._stream(new):
            asked["StreamSpecification"] = self._stream(new)
        if asked:
            api.update_table(TableName=id, **asked)
        before = {i["name"]: i for i in old.get("globalSecondaryIndexes") or ()}
        after = {i["name"]: i for i in new.get("globalSecondaryIndexes") or ()}
        for name, one in after.items():
            if name in before and before[name] != one:
                api.update_table(TableName=id, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}])
            if before.get(name) != one:
                api.update_table(
                    TableName=id,
                    AttributeDefinitions=self._attributes(new),
                    GlobalSecondaryIndexUpdates=[{"Create": _index(one, on_demand)}],
                )
        for name in before.keys() - after.keys():
            api.update_table(TableName=id, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}])
        self._later(cloud, id, old, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        api, name = self.api(cloud, state), row["TableName"]
        keys = {k["KeyType"]: k["AttributeName"] for k in row["KeySchema"]}
        mode = (row.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
        units = row.get("ProvisionedThroughput") or {}
        stream = row.get("StreamSpecification") or {}
        state |= {
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "billingMode": mode,
            "attributes": [
                {"name": a["AttributeName"], "type": a["AttributeType"]} for a in row["AttributeDefinitions"]
            ],
            "readCapacity": units.get("ReadCapacityUnits") or 0 if mode == "PROVISIONED" else 0,
            "writeCapacity": units.get("WriteCapacityUnits") or 0 if mode == "PROVISIONED" else 0,
            "streamEnabled": bool(stream.get("StreamEnabled")),
            "streamViewType": stream.get("StreamViewType") or "",
            "globalSecondaryIndexes": [
                self._shown_index(i, mode == "PROVISIONED") for i in row.get("GlobalSecondaryIndexes") or ()
            ],
            "localSecondaryIndexes": [self._shown_index(i, None) for i in row.get("LocalSecondaryIndexes") or ()],
        }
        lives = api.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if lives.get("AttributeName"):
            state["ttl"] = {
                "attributeName": lives["AttributeName"],
                "enabled": lives.get("TimeToLiveStatus") == "ENABLED",
            }
        backups = api.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription") or {}
        state["pointInTimeRecovery"] = {"enabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED"}
        encrypted = row.get("SSEDescription") or {}
        if encrypted.get("Status") == "ENABLED":
            state["serverSideEncryption"] = {"enabled": True, "kmsKeyArn": encrypted.get("KMSMasterKeyArn", "")}

    def _shown_index(self, row: Props, provisioned: bool | None) -> dict[str, Any]:
        keys = {k["KeyType"]: k["AttributeName"] for k in row["KeySchema"]}
        found = {
            "name": row["IndexName"],
            "projectionType": row["Projection"]["ProjectionType"],
            "nonKeyAttributes": row["Projection"].get("NonKeyAttributes"),
            "rangeKey": keys.get("RANGE"),
        }
        if provisioned is not None:
            found["hashKey"] = keys["HASH"]
            units = row.get("ProvisionedThroughput") or {}
            if provisioned:
                found |= {
                    "readCapacity": units.get("ReadCapacityUnits"),
                    "writeCapacity": units.get("WriteCapacityUnits"),
                }
        return present(found)


class TableItem(TableType):
    """aws.dynamodb.TableItem."""

    token = "aws:dynamodb/tableItem:TableItem"
    service = "dynamodb"
    replace_on = frozenset({"region", "tableName", "hashKey", "rangeKey"})
    sources = ("DynamoDB API: PutItem, GetItem, DeleteItem",)

    def _key(self, props: Props) -> dict[str, Any]:
        item = json.loads(props["item"])
        return {k: item[k] for k in (props["hashKey"], props.get("rangeKey")) if k and k in item}

    def check(self, inputs: Props) -> Iterable[Failure]:
        """The item is a JSON object of typed attributes."""
        try:
            if "item" in inputs and not isinstance(json.loads(inputs["item"]), dict):
                yield Failure("item", "invalid format of item: not an object")
        except ValueError as wrong:
            yield Failure("item", f"invalid format of item: {wrong}")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        item = json.loads(inputs["item"])
        self.api(cloud, inputs).put_item(TableName=inputs["tableName"], Item=item)
        values = [str(next(iter(v.values()))) for v in self._key(inputs).values()]
        return "|".join(
            [inputs["tableName"], *(p for pair in zip(self._key(inputs), values, strict=True) for p in pair)]
        )

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        if not known.get("item"):
            return None
        answer = absent_is_none(
            lambda: self.api(cloud, known).get_item(TableName=known["tableName"], Key=self._key(known))
        )
        if not answer or "Item" not in answer:
            return None
        text = known["item"] if json.loads(known["item"]) == answer["Item"] else json.dumps(answer["Item"])
        kept = {k: known[k] for k in ("tableName", "hashKey", "rangeKey") if known.get(k)}
        return {"region": self.region(cloud, known), "item": text, **kept}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_item(TableName=state["tableName"], Key=self._key(state)))


# RDS


class DbSubnetGroup(TableType):
    """aws.rds.SubnetGroup."""

    token = "aws:rds/subnetGroup:SubnetGroup"
    service = "rds"
    auto_name = AutoName(max_length=255, lower=True)
    creates, id_form = "CreateDBSubnetGroup", "{name}"
    reads, row, deletes = "DescribeDBSubnetGroups", "DBSubnetGroups.0", "DeleteDBSubnetGroup"
    updates = ("ModifyDBSubnetGroup",)
    named = {"DBSubnetGroupName": "id"}
    renames = {
        "name": "DBSubnetGroupName",
        "description": "DBSubnetGroupDescription",
        "arn": "DBSubnetGroupArn",
    }
    replace_on = frozenset({"region", "name", "namePrefix"})
    defaults = {"description": "Managed by Pulumi"}
    computed = REGIONAL | {"namePrefix"}
    unordered = frozenset({"subnetIds"})
    shows = {"supportedNetworkTypes": ["IPV4"]}
    tag_target = {"ResourceName": "arn"}
    sources = ("RDS API: CreateDBSubnetGroup, ModifyDBSubnetGroup", "AWS::RDS::DBSubnetGroup")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["subnetIds"] = [s["SubnetIdentifier"] for s in row.get("Subnets") or ()]


_FAMILY_PORTS = {"mysql": 3306, "mariadb": 3306, "postgres": 5432, "aurora-mysql": 3306, "aurora-postgresql": 5432}


class DbInstance(TableType):
    """aws.rds.Instance."""

    token = "aws:rds/instance:Instance"
    service = "rds"
    auto_name = AutoName("identifier", max_length=63, lower=True)
    creates, made = "CreateDBInstance", "DBInstance.DbiResourceId"
    reads, row = "DescribeDBInstances", "DBInstances"
    updates, deletes = ("ModifyDBInstance",), "DeleteDBInstance"
    named = {"DBInstanceIdentifier": "identifier"}
    status = ("DBInstanceStatus", "deleting")
    renames = {
        "identifier": "DBInstanceIdentifier",
        "instanceClass": "DBInstanceClass",
        "username": "MasterUsername",
        "password": "MasterUserPassword",
        "parameterGroupName": "DBParameterGroupName",
        "dbSubnetGroupName": "DBSubnetGroupName",
        "vpcSecurityGroupIds": "VpcSecurityGroupIds",
        "backupWindow": "PreferredBackupWindow",
        "maintenanceWindow": "PreferredMaintenanceWindow",
        "multiAz": "MultiAZ",
        "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
        "performanceInsightsEnabled": "EnablePerformanceInsights",
        "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        "arn": "DBInstanceArn",
        "port": "Port",
        "endpoint": "",
        "resourceId": "DbiResourceId",
        "status": "DBInstanceStatus",
        "caCertIdentifier": "CACertificateIdentifier",
        "optionGroupName": "OptionGroupName",
        "dbName": "DBName",
    }
    shown_renames = {
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
        "performanceInsightsEnabled": "PerformanceInsightsEnabled",
        "enabledCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
    }
    replace_on = frozenset(
        {
            "region",
            "availabilityZone",
            "backupTarget",
            "characterSetName",
            "customIamInstanceProfile",
            "dbName",
            "engine",
            "kmsKeyId",
            "ncharCharacterSetName",
            "replicateSourceDb",
            "restoreToPointInTime",
            "snapshotIdentifier",
            "storageEncrypted",
            "timezone",
            "username",
            "s3Import",
        }
    )
    defaults = {
        "applyImmediately": False,
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "monitoringInterval": 0,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
    }
    computed = REGIONAL | {
        "allocatedStorage",
        "availabilityZone",
        "backupRetentionPeriod",
        "backupTarget",
        "backupWindow",
        "caCertIdentifier",
        "characterSetName",
        "databaseInsightsMode",
        "dbName",
        "dbSubnetGroupName",
        "engine",
        "engineLifecycleSupport",
        "engineVersion",
        "identifierPrefix",
        "iops",
        "kmsKeyId",
        "licenseModel",
        "maintenanceWindow",
        "masterUserSecretKmsKeyId",
        "monitoringRoleArn",
        "multiAz",
        "ncharCharacterSetName",
        "networkType",
        "optionGroupName",
        "parameterGroupName",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "port",
        "replicaMode",
        "snapshotIdentifier",
        "storageThroughput",
        "storageType",
        "timezone",
        "username",
        "vpcSecurityGroupIds",
        "storageEncrypted",
    }
    unordered = frozenset({"vpcSecurityGroupIds", "enabledCloudwatchLogsExports"})
    write_only = frozenset({"password", "identifierPrefix", "snapshotIdentifier"})
    provider_only = frozenset(
        {
            "applyImmediately",
            "skipFinalSnapshot",
            "finalSnapshotIdentifier",
            "deleteAutomatedBackups",
            "allowMajorVersionUpgrade",
            "blueGreenUpdate",
            "passwordWo",
            "passwordWoVersion",
            "engineLifecycleSupport",
            "upgradeStorageConfig",
        }
    )
    shows = {"listenerEndpoints": [], "masterUserSecrets": [], "replicas": [], "latestRestorableTime": ""}
    tag_target = {"ResourceName": "arn"}
    sources = ("RDS API: CreateDBInstance, ModifyDBInstance, DeleteDBInstance", "AWS::RDS::DBInstance")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """The last snapshot has a name, unless there is to be none."""
        new = not any(inputs.get(n) for n in ("snapshotIdentifier", "replicateSourceDb", "restoreToPointInTime"))
        if new and inputs.get("engine") is None:
            yield Failure("engine", "provider must be given an engine for a new instance")
        if new and inputs.get("allocatedStorage") is None and not str(inputs.get("engine")).startswith("aurora"):
            yield Failure("allocatedStorage", "a new instance needs allocatedStorage")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if inputs.get("replicateSourceDb"):
            raise CloudError("NotModelled", "CreateDBInstanceReadReplica", "replicas are not modelled", 501)
        return {k: v for k, v in asked.items() if k != "EngineLifecycleSupport"}

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        exports = asked.pop("EnableCloudwatchLogsExports", None)
        if exports is not None or old.get("enabledCloudwatchLogsExports") != new.get("enabledCloudwatchLogsExports"):
            was, now = set(old.get("enabledCloudwatchLogsExports") or ()), set(exports or ())
            asked["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(now - was),
                "DisableLogTypes": sorted(was - now),
            }
        if old.get("identifier") != new.get("identifier"):
            asked["NewDBInstanceIdentifier"] = new["identifier"]
        return {**asked, "ApplyImmediately": True}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        if "Filters" in shape.members and "DBInstanceIdentifier" in shape.members and "MaxRecords" in shape.members:
            return {"Filters": [{"Name": "dbi-resource-id", "Values": [id]}]}
        return super().target(shape, id, props)

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if state.get("skipFinalSnapshot"):
            return {**asked, "SkipFinalSnapshot": True}
        name = state.get("finalSnapshotIdentifier")
        if not name:
            raise CloudError(
                "InvalidParameterCombination",
                "DeleteDBInstance",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        return {**asked, "FinalDBSnapshotIdentifier": name}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        endpoint = row.get("Endpoint") or {}
        address = endpoint.get("Address", "")
        port = endpoint.get("Port") or _FAMILY_PORTS.get(str(row.get("Engine")), 0)
        state |= {
            "address": address,
            "port": port,
            "endpoint": f"{address}:{port}" if address else "",
            "hostedZoneId": endpoint.get("HostedZoneId") or "Z2R2ITUGPM61AM",
            "engineVersionActual": row.get("EngineVersion"),
            "status": "available",
            "vpcSecurityGroupIds": [g["VpcSecurityGroupId"] for g in row.get("VpcSecurityGroups") or ()],
            "dbSubnetGroupName": (row.get("DBSubnetGroup") or {}).get("DBSubnetGroupName")
            or known.get("dbSubnetGroupName"),
        }
        said = known.get("engineVersion")
        if said and str(row.get("EngineVersion", "")).startswith(f"{said}"):
            state["engineVersion"] = said
        groups = row.get("DBParameterGroups") or ()
        state["parameterGroupName"] = next((g["DBParameterGroupName"] for g in groups), known.get("parameterGroupName"))


class DbCluster(TableType):
    """aws.rds.Cluster."""

    token = "aws:rds/cluster:Cluster"
    service = "rds"
    auto_name = AutoName("clusterIdentifier", max_length=63, lower=True)
    creates, id_form = "CreateDBCluster", "{clusterIdentifier}"
    reads, row, deletes = "DescribeDBClusters", "DBClusters.0", "DeleteDBCluster"
    updates = ("ModifyDBCluster",)
    named = {"DBClusterIdentifier": "id"}
    renames = {
        "clusterIdentifier": "DBClusterIdentifier",
        "masterPassword": "MasterUserPassword",
        "dbSubnetGroupName": "DBSubnetGroupName",
        "dbClusterParameterGroupName": "DBClusterParameterGroupName",
        "arn": "DBClusterArn",
        "clusterResourceId": "DbClusterResourceId",
        "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
        "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
        "serverlessv2ScalingConfiguration": "ServerlessV2ScalingConfiguration",
        "clusterMembers": "",
        "availabilityZones": "AvailabilityZones",
        "dbClusterInstanceClass": "DBClusterInstanceClass",
    }
    shown_renames = {
        "dbSubnetGroupName": "DBSubnetGroup",
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
        "dbClusterParameterGroupName": "DBClusterParameterGroup",
    }
    replace_on = frozenset(
        {
            "region",
            "availabilityZones",
            "clusterIdentifier",
            "clusterIdentifierPrefix",
            "clusterScalabilityType",
            "databaseName",
            "dbSubnetGroupName",
            "dbSystemId",
            "engine",
            "engineMode",
            "kmsKeyId",
            "masterUsername",
            "restoreToPointInTime",
            "s3Import",
            "snapshotIdentifier",
            "sourceRegion",
            "storageEncrypted",
        }
    )
    defaults = {
        "applyImmediately": False,
        "backupRetentionPeriod": 1,
        "copyTagsToSnapshot": False,
        "skipFinalSnapshot": False,
        "engineMode": "provisioned",
    }
    computed = REGIONAL | {
        "allocatedStorage",
        "availabilityZones",
        "clusterIdentifierPrefix",
        "clusterMembers",
        "databaseName",
        "dbClusterParameterGroupName",
        "dbSubnetGroupName",
        "engineVersion",
        "iamRoles",
        "kmsKeyId",
        "masterUsername",
        "networkType",
        "port",
        "preferredBackupWindow",
        "preferredMaintenanceWindow",
        "storageEncrypted",
        "storageType",
        "vpcSecurityGroupIds",
        "engineLifecycleSupport",
        "databaseInsightsMode",
        "iops",
        "caCertificateIdentifier",
        "deletionProtection",
    }
    unordered = frozenset({"vpcSecurityGroupIds", "availabilityZones", "clusterMembers"})
    write_only = frozenset({"masterPassword", "clusterIdentifierPrefix", "snapshotIdentifier"})
    provider_only = frozenset(
        {
            "applyImmediately",
            "skipFinalSnapshot",
            "finalSnapshotIdentifier",
            "deleteAutomatedBackups",
            "allowMajorVersionUpgrade",
            "masterPasswordWo",
            "masterPasswordWoVersion",
            "engineLifecycleSupport",
            "iamRoles",
        }
    )
    tag_target = {"ResourceName": "arn"}
    sources = ("RDS API: CreateDBCluster, ModifyDBCluster, DeleteDBCluster", "AWS::RDS::DBCluster")

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        asked.pop("EnableCloudwatchLogsExports", None)
        return {**asked, "ApplyImmediately": True}

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if state.get("skipFinalSnapshot"):
            return {**asked, "SkipFinalSnapshot": True}
        name = state.get("finalSnapshotIdentifier")
        if not name:
            raise CloudError(
                "InvalidParameterCombination",
                "DeleteDBCluster",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        return {**asked, "FinalDBSnapshotIdentifier": name}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state |= {
            "vpcSecurityGroupIds": [g["VpcSecurityGroupId"] for g in row.get("VpcSecurityGroups") or ()],
            "engineVersionActual": row.get("EngineVersion"),
            "clusterMembers": [m["DBInstanceIdentifier"] for m in row.get("DBClusterMembers") or ()],
        }
        said = known.get("engineVersion")
        if said and str(row.get("EngineVersion", "")).startswith(f"{said}"):
            state["engineVersion"] = said


class DbClusterInstance(TableType):
    """aws.rds.ClusterInstance."""

    token = "aws:rds/clusterInstance:ClusterInstance"
    service = "rds"
    auto_name = AutoName("identifier", max_length=63, lower=True)
    creates, id_form = "CreateDBInstance", "{identifier}"
    reads, row, status = "DescribeDBInstances", "DBInstances.0", ("DBInstanceStatus", "deleting")
    updates, deletes = ("ModifyDBInstance",), "DeleteDBInstance"
    named = {"DBInstanceIdentifier": "id"}
    renames = {
        "identifier": "DBInstanceIdentifier",
        "clusterIdentifier": "DBClusterIdentifier",
        "instanceClass": "DBInstanceClass",
        "dbParameterGroupName": "DBParameterGroupName",
        "dbSubnetGroupName": "DBSubnetGroupName",
        "caCertIdentifier": "CACertificateIdentifier",
        "performanceInsightsEnabled": "EnablePerformanceInsights",
        "arn": "DBInstanceArn",
        "endpoint": "",
        "port": "",
    }
    shown_renames = {"performanceInsightsEnabled": "PerformanceInsightsEnabled", "dbSubnetGroupName": ""}
    replace_on = frozenset(
        {
            "region",
            "availabilityZone",
            "clusterIdentifier",
            "customIamInstanceProfile",
            "dbSubnetGroupName",
            "engine",
            "engineVersion",
            "identifier",
            "identifierPrefix",
        }
    )
    defaults = {
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "monitoringInterval": 0,
        "promotionTier": 0,
    }
    computed = REGIONAL | {
        "applyImmediately",
        "availabilityZone",
        "caCertIdentifier",
        "dbParameterGroupName",
        "dbSubnetGroupName",
        "engineVersion",
        "identifierPrefix",
        "monitoringRoleArn",
        "performanceInsightsEnabled",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "preferredBackupWindow",
        "preferredMaintenanceWindow",
        "publiclyAccessible",
    }
    write_only = frozenset({"identifierPrefix"})
    provider_only = frozenset({"applyImmediately", "forceDestroy", "engineVersion"})
    tag_target = {"ResourceName": "arn"}
    sources = ("RDS API: CreateDBInstance, ModifyDBInstance", "AWS::RDS::DBInstance", "provider documentation")

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "ApplyImmediately": True}

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "SkipFinalSnapshot": True}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        endpoint = row.get("Endpoint") or {}
        state |= {
            "endpoint": endpoint.get("Address", ""),
            "port": endpoint.get("Port") or _FAMILY_PORTS.get(str(row.get("Engine")), 0),
            "engineVersionActual": row.get("EngineVersion"),
            "engineVersion": known.get("engineVersion") or row.get("EngineVersion"),
            "dbSubnetGroupName": known.get("dbSubnetGroupName"),
            "writer": True,
        }


class DbParameterGroup(TableType):
    """aws.rds.ParameterGroup."""

    token = "aws:rds/parameterGroup:ParameterGroup"
    service = "rds"
    auto_name = AutoName(max_length=255, lower=True)
    creates, id_form = "CreateDBParameterGroup", "{name}"
    reads, row, deletes = "DescribeDBParameterGroups", "DBParameterGroups.0", "DeleteDBParameterGroup"
    named = {"DBParameterGroupName": "id"}
    renames = {
        "name": "DBParameterGroupName",
        "family": "DBParameterGroupFamily",
        "arn": "DBParameterGroupArn",
        "parameters": "",
    }
    replace_on = frozenset({"region", "name", "namePrefix", "family", "description"})
    defaults = {"description": "Managed by Pulumi", "skipDestroy": False}
    computed = REGIONAL | {"namePrefix"}
    unordered = frozenset({"parameters"})
    provider_only = frozenset({"skipDestroy"})
    tag_target = {"ResourceName": "arn"}
    sources = ("RDS API: CreateDBParameterGroup, ModifyDBParameterGroup", "AWS::RDS::DBParameterGroup")

    def _rows(self, rows: Any) -> list[dict[str, Any]]:
        return [
            {
                "ParameterName": p["name"],
                "ParameterValue": str(p["value"]),
                "ApplyMethod": p.get("applyMethod") or "immediate",
            }
            for p in rows
        ]

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        if inputs.get("parameters"):
            self.api(cloud, inputs).modify_db_parameter_group(
                DBParameterGroupName=id, Parameters=self._rows(inputs["parameters"])
            )

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        was, now = list(old.get("parameters") or ()), list(new.get("parameters") or ())
        api = self.api(cloud, new)
        different = [p for p in now if p not in was]
        if different:
            api.modify_db_parameter_group(DBParameterGroupName=id, Parameters=self._rows(different))
        gone = [p for p in was if p["name"] not in {n["name"] for n in now}]
        if gone:
            raise CloudError("NotModelled", "ResetDBParameterGroup", "taking parameters back is not modelled", 501)


# ElastiCache


class CacheSubnetGroup(TableType):
    """aws.elasticache.SubnetGroup."""

    token = "aws:elasticache/subnetGroup:SubnetGroup"
    service = "elasticache"
    auto_name = AutoName(max_length=255, lower=True)
    creates, id_form = "CreateCacheSubnetGroup", "{name}"
    reads, row, deletes = "DescribeCacheSubnetGroups", "CacheSubnetGroups.0", "DeleteCacheSubnetGroup"
    updates = ("ModifyCacheSubnetGroup",)
    named = {"CacheSubnetGroupName": "id"}
    renames = {"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription", "arn": "ARN"}
    replace_on = frozenset({"region", "name"})
    defaults = {"description": "Managed by Pulumi"}
    unordered = frozenset({"subnetIds"})
    tag_target = {"ResourceName": "arn"}
    sources = ("ElastiCache API: CreateCacheSubnetGroup", "AWS::ElastiCache::SubnetGroup")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["subnetIds"] = [s["SubnetIdentifier"] for s in row.get("Subnets") or ()]


class CacheCluster(TableType):
    """aws.elasticache.Cluster."""

    token = "aws:elasticache/cluster:Cluster"
    service = "elasticache"
    auto_name = AutoName("clusterId", max_length=50, lower=True)
    creates, id_form = "CreateCacheCluster", "{clusterId}"
    reads, row, deletes = "DescribeCacheClusters", "CacheClusters.0", "DeleteCacheCluster"
    status = ("CacheClusterStatus", "deleting", "deleted")
    named = {"CacheClusterId": "id"}
    renames = {
        "clusterId": "CacheClusterId",
        "nodeType": "CacheNodeType",
        "parameterGroupName": "CacheParameterGroupName",
        "subnetGroupName": "CacheSubnetGroupName",
        "numCacheNodes": "NumCacheNodes",
        "availabilityZone": "PreferredAvailabilityZone",
        "maintenanceWindow": "PreferredMaintenanceWindow",
        "arn": "ARN",
        "cacheNodes": "",
    }
    replace_on = frozenset(
        {
            "region",
            "availabilityZone",
            "clusterId",
            "engine",
            "networkType",
            "outpostMode",
            "port",
            "preferredOutpostArn",
            "replicationGroupId",
            "snapshotArns",
            "snapshotName",
            "subnetGroupName",
            "transitEncryptionEnabled",
        }
    )
    defaults = {"autoMinorVersionUpgrade": "true"}
    computed = REGIONAL | {
        "applyImmediately",
        "availabilityZone",
        "azMode",
        "engine",
        "engineVersion",
        "ipDiscovery",
        "maintenanceWindow",
        "networkType",
        "nodeType",
        "numCacheNodes",
        "parameterGroupName",
        "port",
        "preferredOutpostArn",
        "replicationGroupId",
        "securityGroupIds",
        "snapshotRetentionLimit",
        "snapshotWindow",
        "subnetGroupName",
        "transitEncryptionEnabled",
    }
    unordered = frozenset({"securityGroupIds"})
    provider_only = frozenset(
        {"applyImmediately", "finalSnapshotIdentifier", "logDeliveryConfigurations", "autoMinorVersionUpgrade"}
    )
    tag_target = {"ResourceName": "arn"}
    sources = ("ElastiCache API: CreateCacheCluster", "AWS::ElastiCache::CacheCluster createOnlyProperties")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        port = known.get("port") or (11211 if row.get("Engine") == "memcached" else 6379)
        host = f"{row['CacheClusterId']}.{_digest(row)}"
        region = "use1" if state["region"] == "us-east-1" else state["region"]
        state["port"] = port
        state["cacheNodes"] = [
            {
                "id": f"{n:04d}",
                "address": f"{host}.{n:04d}.{region}.cache.amazonaws.com",
                "port": port,
                "availabilityZone": row.get("PreferredAvailabilityZone") or f"{state['region']}a",
                "outpostArn": "",
            }
            for n in range(1, (row.get("NumCacheNodes") or 1) + 1)
        ]
        if row.get("Engine") == "memcached":
            state["clusterAddress"] = f"{host}.cfg.{region}.cache.amazonaws.com"
            state["configurationEndpoint"] = f"{state['clusterAddress']}:{port}"
        state["engineVersionActual"] = row.get("EngineVersion") or ""


def _digest(row: Props) -> str:
    """The six letters that ElastiCache puts into the names of an account's clusters."""

    return hashlib.sha256(str(row.get("ARN", "")).split(":cluster:")[0].encode()).hexdigest()[:6]


class ReplicationGroup(TableType):
    """aws.elasticache.ReplicationGroup."""

    token = "aws:elasticache/replicationGroup:ReplicationGroup"
    service = "elasticache"
    auto_name = AutoName("replicationGroupId", max_length=40, lower=True)
    creates, id_form = "CreateReplicationGroup", "{replicationGroupId}"
    reads, row, deletes = "DescribeReplicationGroups", "ReplicationGroups.0", "DeleteReplicationGroup"
    status = ("Status", "deleting", "deleted")
    named = {"ReplicationGroupId": "id"}
    renames = {
        "description": "ReplicationGroupDescription|Description",
        "nodeType": "CacheNodeType",
        "parameterGroupName": "CacheParameterGroupName",
        "subnetGroupName": "CacheSubnetGroupName",
        "multiAzEnabled": "MultiAZEnabled",
        "numCacheClusters": "NumCacheClusters",
        "arn": "ARN",
    }
    shown_renames = {"multiAzEnabled": "", "automaticFailoverEnabled": "", "authTokenUpdateStrategy": ""}
    replace_on = frozenset(
        {
            "region",
            "atRestEncryptionEnabled",
            "dataTieringEnabled",
            "globalReplicationGroupId",
            "kmsKeyId",
            "networkType",
            "port",
            "preferredCacheClusterAzs",
            "replicationGroupId",
            "securityGroupNames",
            "snapshotArns",
            "snapshotName",
            "subnetGroupName",
        }
    )
    defaults = {"automaticFailoverEnabled": False, "multiAzEnabled": False, "engine": "redis"}
    computed = REGIONAL | {
        "applyImmediately",
        "atRestEncryptionEnabled",
        "autoMinorVersionUpgrade",
        "clusterMode",
        "dataTieringEnabled",
        "engineVersion",
        "globalReplicationGroupId",
        "ipDiscovery",
        "maintenanceWindow",
        "networkType",
        "nodeType",
        "numCacheClusters",
        "numNodeGroups",
        "parameterGroupName",
        "port",
        "preferredCacheClusterAzs",
        "replicasPerNodeGroup",
        "securityGroupIds",
        "securityGroupNames",
        "snapshotWindow",
        "subnetGroupName",
        "transitEncryptionEnabled",
        "transitEncryptionMode",
        "nodeGroupConfigurations",
    }
    unordered = frozenset({"securityGroupIds"})
    provider_only = frozenset(
        {"applyImmediately", "finalSnapshotIdentifier", "authTokenUpdateStrategy", "logDeliveryConfigurations"}
    )
    write_only = frozenset({"authToken"})
    tag_target = {"ResourceName": "arn"}
    sources = ("ElastiCache API: CreateReplicationGroup", "AWS::ElastiCache::ReplicationGroup")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        groups = row.get("NodeGroups") or [{}]
        state["primaryEndpointAddress"] = (groups[0].get("PrimaryEndpoint") or {}).get("Address", "")
        state["readerEndpointAddress"] = (groups[0].get("ReaderEndpoint") or {}).get("Address", "")
        state["configurationEndpointAddress"] = (row.get("ConfigurationEndpoint") or {}).get("Address", "")
        state["memberClusters"] = row.get("MemberClusters") or []
        state["multiAzEnabled"] = row.get("MultiAZ") == "enabled"
        state["automaticFailoverEnabled"] = row.get("AutomaticFailover") in ("enabled", "enabling")
        state["port"] = known.get("port") or 6379


TYPES = (
    Table,
    TableItem,
    DbSubnetGroup,
    DbInstance,
    DbCluster,
    DbClusterInstance,
    DbParameterGroup,
    CacheSubnetGroup,
    CacheCluster,
    ReplicationGroup,
)
