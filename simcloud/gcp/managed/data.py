"""File and database services: Filestore, Parallelstore, Memorystore, Cloud SQL, BigQuery."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, handles
from simcloud.gcp.compute.base import exists, key_from
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import Kind, answer, declare, digest, found, keep, operations, things, wrong
from simcloud.gcp.managed.common import key, network

_FILE = "docs.cloud.google.com/filestore/docs"
TIER = rule("filestore.capacity", "a share's size lies in the bounds of its tier", _FILE + "/service-tiers", ours=True)
SHARE = rule(
    "filestore.shape",
    "an instance has one share and one network; its name and place fit its tier",
    "discovery document file.v1: Instance",
    ours=True,
)
SHRINK = rule("filestore.shrink", "basic tiers do not shrink", _FILE + "/editing-instances", ours=True)
REDIS = rule(
    "redis.shape",
    "size, version, tier and replicas go together",
    "docs.cloud.google.com/memorystore/docs/redis",
    ours=True,
)
SQL = rule(
    "sql.settings",
    "tier, version, storage and network of an instance are legal",
    "docs.cloud.google.com/sql/docs/postgres/instance-settings",
    ours=True,
)
SQL_GONE = rule("sql.name-kept", "a deleted instance's name is free again after a week", "sql/docs/troubleshooting")
LUSTRE = rule(
    "parallelstore.capacity",
    "a capacity is a legal number of GiB",
    "docs.cloud.google.com/parallelstore/docs",
    ours=True,
)
DATASET = rule(
    "bigquery.names",
    "datasets and tables have word characters only",
    "bigquery/docs/datasets#dataset-naming",
    ours=True,
)
TABLE = rule("bigquery.table", "a table's schema is legal and what it is, it stays", "bigquery/docs/schemas", ours=True)

# Filestore ------------------------------------------------------------------------------------------------------------

_TIERS: dict[str, tuple[int, int, str]] = {
    "STANDARD": (1024, 65433, "zone"),
    "BASIC_HDD": (1024, 65433, "zone"),
    "PREMIUM": (2560, 65433, "zone"),
    "BASIC_SSD": (2560, 65433, "zone"),
    "HIGH_SCALE_SSD": (10240, 102400, "zone"),
    "ZONAL": (1024, 102400, "zone"),
    "ENTERPRISE": (1024, 10240, "region"),
    "REGIONAL": (1024, 102400, "region"),
}
"""Least and most GiB of a tier, and whether it lies in a zone or a region. Source: filestore/docs/service-tiers."""


def _filestore(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    place = name.split("/")[3]
    tier = item.get("tier", "")
    if tier not in _TIERS:
        raise wrong(f"Invalid value at 'instance.tier': {tier}.", SHARE)
    low, high, scope = _TIERS[tier]
    if (scope == "zone") != facts.zone_exists(place):
        raise wrong(f"Tier {tier} lies in a {scope}, not in '{place}'.", SHARE)
    shares = item.get("fileShares", [])
    if len(shares) != 1:
        raise wrong("An instance has exactly one file share.", SHARE)
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,15}", str(shares[0].get("name", ""))):
        raise wrong(f"Invalid file share name '{shares[0].get('name')}'.", SHARE)
    size = int(shares[0].get("capacityGb") or 0)
    if not low <= size <= high:
        raise wrong(f"Capacity of tier {tier} must be from {low} to {high} GiB, not {size}.", TIER)
    before = int(old["fileShares"][0]["capacityGb"]) if old is not None else 0
    if size < before and tier.startswith(("BASIC", "STANDARD", "PREMIUM")):
        raise wrong("The capacity of a basic instance cannot be decreased.", SHRINK)
    for option in shares[0].get("nfsExportOptions", []):
        for value in option.get("ipRanges", []):
            try:
                ipaddress.ip_network(value)
            except ValueError:
                raise wrong(f"Invalid IP range '{value}' in the export options.", SHARE) from None
    _filestore_networks(call, item, name, old)
    if item.get("kmsKeyName"):
        key(call, item["kmsKeyName"])
    item["state"] = "READY"
    item.setdefault("protocol", "NFS_V3")


def _filestore_networks(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    nets = item.get("networks", [])
    if len(nets) != 1:
        raise wrong("An instance has exactly one network.", SHARE)
    net = nets[0]
    given = net.get("network", "")
    path = network(call, given)
    net["network"] = given if "/" not in given else path
    net.setdefault("modes", ["MODE_IPV4"])
    net.setdefault("connectMode", "DIRECT_PEERING")
    if net.get("reservedIpRange") and "/" in net["reservedIpRange"]:
        try:
            ipaddress.IPv4Network(net["reservedIpRange"])
        except ValueError:
            raise wrong(f"Invalid reserved IP range '{net['reservedIpRange']}'.", SHARE) from None
    if old is None:
        block = int(digest("filestore", name, length=4), 16)
        net.setdefault("reservedIpRange", f"10.{200 + block % 40}.{block // 256 % 256}.{block % 32 * 8}/29")
        base = net["reservedIpRange"]
        first = ipaddress.IPv4Network(base)[2] if "/" in base else ipaddress.IPv4Address("10.199.0.2")
        net["ipAddresses"] = [str(first)]
    else:
        net.update({k: v for k, v in old["networks"][0].items() if k in ("reservedIpRange", "ipAddresses")})


declare(
    Kind(
        "file.projects.locations.instances",
        id="instanceId",
        operations="rpc",
        places="either",
        needed=("tier", "fileShares", "networks"),
        fixed=frozenset({"tier", "kmsKeyName", "protocol"}),
        stamps=("createTime", ""),
        prepare=_filestore,
    )
)
operations("file", "file.projects.locations.operations.get")

# Parallelstore --------------------------------------------------------------------------------------------------------


def _parallelstore(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    size = int(item.get("capacityGib") or 0)
    if not 12000 <= size <= 100000 or size % 4000:
        raise wrong(f"Capacity must be from 12000 to 100000 GiB in steps of 4000, not {size}.", LUSTRE)
    item["network"] = network(call, item.get("network") or "default")
    item["state"] = "ACTIVE"
    block = int(digest("parallelstore", name, length=4), 16)
    item["accessPoints"] = [f"10.{150 + block % 40}.{block // 256 % 256}.{i}" for i in (2, 3, 4)]
    item["daosVersion"] = "v2.4"
    item.setdefault("fileStripeLevel", "FILE_STRIPE_LEVEL_BALANCED")
    item.setdefault("directoryStripeLevel", "DIRECTORY_STRIPE_LEVEL_MAX")


declare(
    Kind(
        "parallelstore.projects.locations.instances",
        id="instanceId",
        operations="rpc",
        places="zone",
        needed=("capacityGib",),
        changes=frozenset({"description", "labels"}),
        prepare=_parallelstore,
    )
)
operations("parallelstore", "parallelstore.projects.locations.operations.get")

# Memorystore for Redis ------------------------------------------------------------------------------------------------

_REDIS_VERSIONS = ("REDIS_3_2", "REDIS_4_0", "REDIS_5_0", "REDIS_6_X", "REDIS_7_0", "REDIS_7_2")


def _redis(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    region = name.split("/")[3]
    size = int(item.get("memorySizeGb") or 0)
    if not 1 <= size <= 300:
        raise wrong(f"Memory size must be from 1 to 300 GB, not {size}.", REDIS)
    if item.setdefault("redisVersion", "REDIS_7_0") not in _REDIS_VERSIONS:
        raise wrong(f"Redis version {item['redisVersion']} is not supported.", REDIS)
    tier = item.setdefault("tier", "BASIC")
    replicas = item.get("replicaCount")
    if item.get("readReplicasMode") == "READ_REPLICAS_ENABLED" and (tier != "STANDARD_HA" or size < 5):
        raise wrong("Read replicas need the tier STANDARD_HA and 5 GB or more.", REDIS)
    if tier == "BASIC" and replicas:
        raise wrong("A basic instance has no replicas.", REDIS)
    item.setdefault("replicaCount", 0 if tier == "BASIC" else 1)
    for field in ("locationId", "alternativeLocationId"):
        if item.get(field) and facts.region_of(item[field]) != region:
            raise wrong(f"Zone {item[field]} is not in region {region}.", REDIS)
    zones = facts.regions()[region]
    item.setdefault("locationId", zones[0])
    item.setdefault("currentLocationId", item["locationId"])
    item["authorizedNetwork"] = network(call, item.get("authorizedNetwork") or "default")
    item.setdefault("connectMode", "DIRECT_PEERING")
    item.setdefault("transitEncryptionMode", "DISABLED")
    item.setdefault("readReplicasMode", "READ_REPLICAS_DISABLED")
    item.setdefault("persistenceConfig", {"persistenceMode": "DISABLED"})
    block = int(digest("redis", name, length=4), 16)
    base = f"10.{100 + block % 40}.{block // 256 % 256}"
    item.setdefault("reservedIpRange", f"{base}.{block % 32 * 8}/29")
    item |= {
        "host": f"{base}.{block % 32 * 8 + 3}",
        "port": 6379,
        "state": "READY",
        "nodes": [{"id": "node-0", "zone": item["locationId"]}],
        "persistenceIamIdentity": f"serviceAccount:{block}-compute@developer.gserviceaccount.com",
    }


declare(
    Kind(
        "redis.projects.locations.instances",
        id="instanceId",
        operations="rpc",
        needed=("memorySizeGb",),
        fixed=frozenset({"tier", "authorizedNetwork", "connectMode", "locationId", "transitEncryptionMode"}),
        stamps=("createTime", ""),
        prepare=_redis,
    )
)
operations("redis", "redis.projects.locations.operations.get")


@handles("redis.projects.locations.instances.getAuthString")
def redis_auth(call: Call) -> dict[str, Any]:
    """The password of an instance that has one."""
    name = call.match.name.removesuffix("/authString")
    return {"authString": digest("redis auth", name, length=32)}


# Cloud SQL ------------------------------------------------------------------------------------------------------------

_SQL_VERSION = re.compile(
    r"MYSQL_(5_6|5_7|8_0(_\d+)?|8_4)|POSTGRES_(9_6|1[0-8])|SQLSERVER_20(17|19|22|25)_(STANDARD|ENTERPRISE|EXPRESS|WEB)"
)
_SQL_TIER = re.compile(
    r"db-(f1-micro|g1-small|custom-\d+-\d+|n1-(standard|highmem)-\d+|perf-optimized-N-\d+|c4a-highmem-\d+)"
)


def _sql_instance(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    project = name.split("/")[1]
    region = item.setdefault("region", "us-central1")
    if region not in facts.regions():
        raise Refusal(400, f"Invalid request: Invalid region: {region}.", reason="invalid", rule=SQL)
    version = item.setdefault("databaseVersion", "MYSQL_8_0")
    if not _SQL_VERSION.fullmatch(version):
        raise Refusal(400, f"Invalid request: Invalid database version {version}.", reason="invalid", rule=SQL)
    settings = item.setdefault("settings", {})
    _sql_settings(call, settings, version, item)
    if old is not None:
        for field in ("region", "databaseVersion"):
            before = str(old[field])
            grows = field == "databaseVersion" and before.split("_")[0] == str(item[field]).split("_")[0]
            if item[field] != before and not grows:
                raise Refusal(400, f"The {field} of an instance cannot be changed.", reason="invalid", rule=SQL)
        grown = int(settings["dataDiskSizeGb"]) >= int(old["settings"]["dataDiskSizeGb"])
        if not grown:
            raise Refusal(400, "The disk of an instance does not shrink.", reason="invalid", rule=SQL)
        settings["settingsVersion"] = str(int(old["settings"]["settingsVersion"]) + 1)
    block = int(digest("sql", name, length=6), 16)
    addresses = []
    ip = settings["ipConfiguration"]
    if ip["ipv4Enabled"]:
        addresses.append({"type": "PRIMARY", "ipAddress": f"203.0.113.{1 + block % 250}"})
    if ip.get("privateNetwork"):
        addresses.append({"type": "PRIVATE", "ipAddress": f"10.{40 + block % 40}.{block // 256 % 256}.3"})
    item |= {
        "kind": "sql#instance",
        "name": name.rpartition("/")[2],
        "project": project,
        "state": "RUNNABLE",
        "backendType": "SECOND_GEN",
        "connectionName": f"{project}:{region}:{name.rpartition('/')[2]}",
        "selfLink": f"https://sqladmin.googleapis.com/sql/v1beta4/{name}",
        "instanceType": "READ_REPLICA_INSTANCE" if item.get("masterInstanceName") else "CLOUD_SQL_INSTANCE",
        "ipAddresses": addresses,
        "gceZone": facts.regions()[region][0],
        "serviceAccountEmailAddress": f"p{block}-{digest(name, length=6)}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
        "databaseInstalledVersion": version,
        "serverCaCert": {
            "kind": "sql#sslCert",
            "cert": "-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----",
            "commonName": "C=US,O=Google\\, Inc,CN=Google Cloud SQL Server CA",
            "sha1Fingerprint": digest("sql cert", name, length=40),
            "createTime": call.now,
            "expirationTime": call.now,
            "instance": name.rpartition("/")[2],
        },
    }
    item.setdefault("createTime", call.now)
    item["etag"] = digest(item, length=32)


def _sql_settings(call: Call, settings: dict[str, Any], version: str, item: dict[str, Any]) -> None:
    tier = settings.get("tier", "")
    if not _SQL_TIER.fullmatch(tier):
        raise Refusal(400, f"Invalid request: Invalid Tier ({tier}) for ({version}).", reason="invalid", rule=SQL)
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", tier)
    if custom:
        cpus, memory = int(custom.group(1)), int(custom.group(2))
        if (cpus != 1 and cpus % 2) or memory % 256 or not 0.9 * 1024 * cpus <= memory <= 6.5 * 1024 * cpus + 1:
            raise Refusal(400, f"Invalid request: Invalid custom tier {tier}.", reason="invalid", rule=SQL)
    if version.startswith("SQLSERVER") and tier in ("db-f1-micro", "db-g1-small"):
        raise Refusal(400, f"Invalid request: Invalid Tier ({tier}) for ({version}).", reason="invalid", rule=SQL)
    if version.startswith("SQLSERVER") and not item.get("rootPassword") and "createTime" not in item:
        raise Refusal(400, "Invalid request: A root password is needed for SQL Server.", reason="invalid", rule=SQL)
    low = 10
    settings.setdefault("dataDiskSizeGb", str(low))
    if not low <= int(settings["dataDiskSizeGb"]) <= 65536:
        raise Refusal(400, f"Invalid request: disk size {settings['dataDiskSizeGb']}.", reason="invalid", rule=SQL)
    settings.setdefault("kind", "sql#settings")
    settings.setdefault("settingsVersion", "1")
    for field, value in (
        ("dataDiskType", "PD_SSD"),
        ("activationPolicy", "ALWAYS"),
        ("pricingPlan", "PER_USE"),
        ("availabilityType", "ZONAL"),
        ("storageAutoResize", True),
        ("storageAutoResizeLimit", "0"),
        ("edition", "ENTERPRISE"),
        ("deletionProtectionEnabled", False),
        ("connectorEnforcement", "NOT_REQUIRED"),
    ):
        settings.setdefault(field, value)
    backup = settings.setdefault("backupConfiguration", {})
    backup.setdefault("kind", "sql#backupConfiguration")
    backup.setdefault("enabled", False)
    backup.setdefault("startTime", "13:00")
    backup.setdefault("transactionLogRetentionDays", 7)
    backup.setdefault("backupRetentionSettings", {"retentionUnit": "COUNT", "retainedBackups": 7})
    if settings["availabilityType"] == "REGIONAL" and not backup["enabled"]:
        raise Refusal(400, "Invalid request: High availability needs backups.", reason="invalid", rule=SQL)
    ip = settings.setdefault("ipConfiguration", {})
    ip.setdefault("ipv4Enabled", True)
    ip.setdefault("sslMode", "ALLOW_UNENCRYPTED_AND_ENCRYPTED")
    if not ip["ipv4Enabled"] and not ip.get("privateNetwork") and not ip.get("pscConfig"):
        raise Refusal(
            400,
            "Invalid request: At least one of Public IP, Private IP or PSC connectivity must be enabled.",
            reason="invalid",
            rule=SQL,
        )
    for entry in ip.get("authorizedNetworks", []):
        try:
            ipaddress.ip_network(entry.get("value", ""), strict=False)
        except ValueError:
            raise Refusal(
                400, f"Invalid request: authorized network '{entry.get('value')}'.", reason="invalid", rule=SQL
            ) from None
    if ip.get("privateNetwork"):
        path = key_from(ip["privateNetwork"])
        if not exists(call.world, path):
            raise Refusal(400, f"Invalid request: network '{ip['privateNetwork']}'.", reason="invalid", rule=SQL)
        peered = things(call.world, "servicenetworking", "services/.*/connections/.*")
        if not any(c.get("_network") == path for _, c in peered):
            raise Refusal(
                400,
                "Failed to create subnetwork. Couldn't find free blocks in allocated IP ranges, or the network has no "
                "private services connection. Please create one with servicenetworking.googleapis.com.",
                reason="NETWORK_NOT_PEERED",
                rule=SQL,
            )


def _sql_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    if item["settings"].get("deletionProtectionEnabled"):
        raise Refusal(
            400, "The instance is protected. Please disable the deletion protection and try again.", reason="invalid"
        )
    for other, one in things(call.world, "sql", "projects/[^/]+/instances/[^/]+"):
        if one.get("masterInstanceName") in (name.rpartition("/")[2], item["connectionName"]) and other != name:
            raise Refusal(400, f"The instance has a replica: {other}.", reason="invalid", rule=SQL)
    call.world.state.things[f"sql-deleted/{name}"] = {"_madeBy": name, "at": call.now}


def _sql_name(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if old is None and f"sql-deleted/{name}" in call.world.state.things:
        raise Refusal(
            409,
            "The Cloud SQL instance already exists. When you delete an instance, you can't reuse the name of the "
            "deleted instance until one week from the deletion date.",
            reason="instanceAlreadyExists",
        )
    _sql_instance(call, item, name, old)


declare(
    Kind(
        "sql.instances",
        create="insert",
        operations="sql",
        ids=r"[a-z](?:[a-z0-9-]{0,96}[a-z0-9])?",
        places="none",
        labels="",
        stamps=("", ""),
        prepare=_sql_name,
        leave=_sql_leave,
        listed="items",
    )
)
operations("sqladmin", "sql.operations.get")


def _database(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    found(call, SQL_INSTANCES, "/".join(parts[:4]))
    version = str(found(call, SQL_INSTANCES, "/".join(parts[:4]))["databaseVersion"])
    item |= {"kind": "sql#database", "instance": parts[3], "project": parts[1], "name": parts[5]}
    item["selfLink"] = f"https://sqladmin.googleapis.com/sql/v1beta4/{name}"
    item.setdefault("charset", "UTF8" if version.startswith("POSTGRES") else "utf8mb3")
    item.setdefault("collation", "en_US.UTF8" if version.startswith("POSTGRES") else "utf8mb3_general_ci")
    item["etag"] = digest(item, length=32)


SQL_INSTANCES = Kind("sql.instances")
declare(
    Kind(
        "sql.databases",
        create="insert",
        operations="sql",
        ids=r"[^/]{1,64}",
        places="none",
        labels="",
        stamps=("", ""),
        prepare=_database,
        listed="items",
    )
)


def _user(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    instance = found(call, SQL_INSTANCES, "/".join(parts[:4]))
    item |= {"kind": "sql#user", "instance": parts[3], "project": parts[1]}
    if str(instance["databaseVersion"]).startswith("POSTGRES") and item.get("host"):
        raise Refusal(400, "Invalid request: PostgreSQL users have no host.", reason="invalid", rule=SQL)
    item.setdefault("host", "" if str(instance["databaseVersion"]).startswith("POSTGRES") else "%")
    item.pop("password", None)


_USERS = declare(
    Kind(
        "sql.users",
        create="insert",
        operations="sql",
        ids=r".{1,128}",
        places="none",
        labels="",
        stamps=("", ""),
        prepare=_user,
        listed="items",
    )
)


def _user_name(call: Call) -> str:
    return f"{call.match.name}/{call.query.get('name', '')}"


@handles("sql.users.delete")
def delete_user(call: Call) -> dict[str, Any]:
    """A user is named by a query parameter."""
    name = _user_name(call)
    item = found(call, _USERS, name)
    done = answer(call, _USERS, name, item, "delete")
    del call.world.state.things[f"sql/{name}"]
    return done


@handles("sql.users.update")
def update_user(call: Call) -> dict[str, Any]:
    """A user's password changes."""
    name = _user_name(call)
    item = dict(found(call, _USERS, name)) | {k: v for k, v in call.body.items() if k not in ("name", "password")}
    keep(call, _USERS, name, item)
    return answer(call, _USERS, name, item, "update")


# BigQuery -------------------------------------------------------------------------------------------------------------


def _dataset(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    project, id = name.split("/")[1], name.rpartition("/")[2]
    place = str(item.setdefault("location", "US"))
    item["location"] = place.upper() if place.upper() in ("US", "EU") else place
    if place.upper() not in ("US", "EU") and place.lower() not in facts.regions():
        raise Refusal(404, f"Location {place} is not a valid BigQuery location.", reason="notFound", rule=DATASET)
    if old is not None and item["location"] != old["location"]:
        raise Refusal(400, "The location of a dataset cannot be changed.", reason="invalid", rule=DATASET)
    for field in ("defaultTableExpirationMs", "defaultPartitionExpirationMs"):
        if item.get(field) is not None and int(item[field]) < 3600000 and field == "defaultTableExpirationMs":
            raise Refusal(400, f"{field} must be at least 3600000.", reason="invalid", rule=DATASET)
    now = str(int(call.moment.now.timestamp() * 1000))
    item |= {
        "kind": "bigquery#dataset",
        "id": f"{project}:{id}",
        "datasetReference": {"datasetId": id, "projectId": project},
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{name}",
        "lastModifiedTime": now,
        "type": "DEFAULT",
    }
    item.setdefault("creationTime", now)
    item.setdefault("maxTimeTravelHours", "168")
    item.setdefault(
        "access",
        [
            {"role": "WRITER", "specialGroup": "projectWriters"},
            {"role": "OWNER", "specialGroup": "projectOwners"},
            {"role": "READER", "specialGroup": "projectReaders"},
        ],
    )
    item["etag"] = digest(item, length=22)


declare(
    Kind(
        "bigquery.datasets",
        create="insert",
        named="datasetReference.datasetId",
        ids=r"\w{1,1024}",
        places="none",
        stamps=("", ""),
        prepare=_dataset,
    )
)


@handles("bigquery.datasets.delete")
def delete_dataset(call: Call) -> dict[str, Any]:
    """A dataset with tables goes only with its content."""
    kind = Kind("bigquery.datasets")
    name = re.sub(r"^v\d+/", "", call.match.name)
    found(call, kind, name)
    tables = [n for n, _ in things(call.world, "bigquery", re.escape(name) + "/tables/.*")]
    if tables and call.query.get("deleteContents", "").lower() != "true":
        raise Refusal(400, f"Dataset {name} is still in use", reason="resourceInUse")
    for gone in (*tables, name):
        call.world.state.things.pop(f"bigquery/{gone}", None)
    return {}


_TYPES = frozenset(
    {"STRING", "BYTES", "INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "BOOL"}
    | {"TIMESTAMP", "DATE", "TIME", "DATETIME", "GEOGRAPHY", "RECORD", "STRUCT", "JSON", "RANGE", "INTERVAL"}
)


def _columns(fields: list[Any], where: str) -> None:
    seen: set[str] = set()
    for field in fields:
        name = str(field.get("name", ""))
        if not re.fullmatch(r"[A-Za-z_]\w{0,299}", name) or name.lower() in seen:
            raise Refusal(400, f'Invalid field name "{name}" in {where}.', reason="invalid", rule=TABLE)
        seen.add(name.lower())
        if str(field.get("type", "")).upper() not in _TYPES:
            raise Refusal(
                400, f"Invalid value for type: {field.get('type')} is not a valid value", reason="invalid", rule=TABLE
            )
        _columns(field.get("fields", []), name)


def _table(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    dataset = "/".join(parts[:4])
    if f"bigquery/{dataset}" not in call.world.state.things:
        raise Refusal(404, f"Not found: Dataset {parts[1]}:{parts[3]}", reason="notFound")
    fields = item.get("schema", {}).get("fields", [])
    _columns(fields, "the schema")
    if old is not None and old.get("schema", {}).get("fields"):
        now = {f["name"]: f for f in fields}
        for field in old["schema"]["fields"]:
            if field["name"] not in now or now[field["name"]].get("type") != field.get("type"):
                raise Refusal(
                    400,
                    f"Provided Schema does not match Table {parts[1]}:{parts[3]}.{parts[5]}. Field {field['name']} is "
                    "missing in new schema or has another type",
                    reason="invalid",
                )
    partition = item.get("timePartitioning")
    if partition and partition.get("field") and fields and partition["field"] not in {f["name"] for f in fields}:
        raise Refusal(
            400, f"The field {partition['field']} of the partition is not in the schema.", reason="invalid", rule=TABLE
        )
    now_ms = str(int(call.moment.now.timestamp() * 1000))
    item |= {
        "kind": "bigquery#table",
        "id": f"{parts[1]}:{parts[3]}.{parts[5]}",
        "tableReference": {"projectId": parts[1], "datasetId": parts[3], "tableId": parts[5]},
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{name}",
        "type": "VIEW" if item.get("view") else "EXTERNAL" if item.get("externalDataConfiguration") else "TABLE",
        "lastModifiedTime": now_ms,
        "numBytes": "0",
        "numLongTermBytes": "0",
        "numRows": "0",
        "location": call.world.state.things[f"bigquery/{dataset}"]["location"],
    }
    item.setdefault("creationTime", now_ms)
    item["etag"] = digest(item, length=22)


declare(
    Kind(
        "bigquery.tables",
        create="insert",
        named="tableReference.tableId",
        ids=r"[^/]{1,1024}",
        places="none",
        stamps=("", ""),
        prepare=_table,
    )
)
