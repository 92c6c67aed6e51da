"""Types of the managed services: files and databases, serverless, messages, secrets, names, logs, identities."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, differs, last, relative
from simcloud.gcp.types.codec import plain
from simcloud.gcp.types.table import Table
from simcloud.provider.model import AutoName, CloudError, Failure, Props


def _network_path(value: str, project: str) -> str:
    path = relative(value)
    return path if "/" in path else f"projects/{project}/global/networks/{path}"


# Files and databases --------------------------------------------------------------------------------------------------


class FilestoreInstance(Table):
    """A Filestore instance."""

    token = "gcp:filestore/instance:Instance"
    methods = "file.projects.locations.instances"
    schema = "Instance"
    id_argument = "instanceId"
    renamed: ClassVar[Mapping[str, str]] = {
        "initialReplication": "replication",
        "effectiveReplications": "replication",
    }
    computed = frozenset({"zone"})
    replace_on = frozenset({"kmsKeyName", "protocol", "tier", "zone", "fileShares.name", "fileShares.sourceBackup"}) | {
        f"networks.{n}" for n in ("network", "modes", "connectMode", "reservedIpRange")
    }
    replace_block = frozenset({"networks", "initialReplication"})
    in_place = frozenset({"name"})
    defaults: ClassVar[Props] = {"desiredReplicaState": "READY"}
    inner_computed = frozenset({"networks.ipAddresses", "networks.reservedIpRange"})
    sources = (PROVIDER + "filestore_instance",)

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. The zone is another word for the location."""
        made["zone"] = known.get("zone") or parts["location"]
        return made


class ParallelstoreInstance(Table):
    """A Parallelstore instance."""

    token = "gcp:parallelstore/instance:Instance"
    methods = "parallelstore.projects.locations.instances"
    schema = "Instance"
    id_argument = "instanceId"
    sources = (PROVIDER + "parallelstore_instance",)


class RedisInstance(Table):
    """A Memorystore instance."""

    token = "gcp:redis/instance:Instance"
    methods = "redis.projects.locations.instances"
    schema = "Instance"
    id_argument = "instanceId"
    replace_on = frozenset({"alternativeLocationId", "authorizedNetwork", "connectMode", "customerManagedKey"}) | {
        *("locationId", "reservedIpRange", "tier", "transitEncryptionMode"),
    }
    defaults: ClassVar[Props] = {"authEnabled": False}
    inner_computed = frozenset({"persistenceConfig.persistenceMode", "persistenceConfig.rdbNextSnapshotTime"}) | {
        *("maintenancePolicy.createTime", "maintenancePolicy.updateTime"),
    }
    sources = (PROVIDER + "redis_instance",)

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table. The password is asked for by a call of its own."""
        made["effectiveReservedIpRange"] = item.get("reservedIpRange", "")
        made["authString"] = ""
        if item.get("authEnabled"):
            made["authString"] = cloud.call(f"{self.methods}.getAuthString", name=self._name(parts))["authString"]
        made["authEnabled"] = bool(item.get("authEnabled"))
        return made


class DatabaseInstance(Table):
    """A Cloud SQL instance."""

    token = "gcp:sql/databaseInstance:DatabaseInstance"
    methods = "sql.instances"
    schema = "DatabaseInstance"
    creates = "insert"
    updates = "whole"
    at: ClassVar[Mapping[str, str]] = {"project": "{project}", "instance": "{name}"}
    under: ClassVar[Mapping[str, str]] = {"project": "{project}"}
    auto_name = AutoName(max_length=98, lower=True)
    renamed: ClassVar[Mapping[str, str]] = {
        "settings.diskSize": "dataDiskSizeGb",
        "settings.diskType": "dataDiskType",
        "settings.diskAutoresize": "storageAutoResize",
        "settings.diskAutoresizeLimit": "storageAutoResizeLimit",
        "settings.userLabels": "userLabels",
        "settings.version": "settingsVersion",
        "settings.databaseFlags": "databaseFlags",
        "settings.ipConfiguration.authorizedNetworks": "authorizedNetworks",
        "ipAddresses": "ipAddresses",
    }
    kept = frozenset(
        {
            "rootPassword",
            "rootPasswordWo",
            "rootPasswordWoVersion",
            "encryptionKeyName",
            "clone",
            "restoreBackupContext",
        }
        | {
            "deletionProtection",
            "replicationCluster",
            "settings.ipConfiguration.pscConfigs",
            "pointInTimeRestoreContext",
        }
        | {"settings.effectiveAvailabilityType", "finalBackupDescription", "backupdrBackup", "settings.timeZone"}
    )
    write_only = frozenset({"rootPassword", "clone", "restoreBackupContext"})
    replace_on = frozenset({"encryptionKeyName", "region", "settings.collation", "replicaConfiguration.failoverTarget"})
    exclusive = (("rootPassword", "rootPasswordWo"),)
    unordered = frozenset({"settings.databaseFlags", "settings.ipConfiguration.authorizedNetworks"})
    inner_computed = frozenset(
        f"settings.{n}"
        for n in (
            *("backupConfiguration", "connectorEnforcement", "diskSize", "diskType", "edition"),
            *("effectiveAvailabilityType", "ipConfiguration", "locationPreference"),
            *("userLabels", "version", "backupConfiguration.startTime", "ipConfiguration.sslMode"),
        )
    )
    checked = frozenset({f"settings.{n}" for n in ("availabilityType", "connectorEnforcement", "edition")}) | {
        *("settings.ipConfiguration.sslMode", "settings.ipConfiguration.serverCaMode"),
    }
    sources = (PROVIDER + "sql_database_instance",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        body |= {"name": parts["name"], "region": str(inputs.get("region") or cloud.region or "us-central1")}
        if inputs.get("rootPassword"):
            body["rootPassword"] = str(inputs["rootPassword"])
        network = body.get("settings", {}).get("ipConfiguration", {}).get("privateNetwork")
        if network:
            body["settings"]["ipConfiguration"]["privateNetwork"] = _network_path(network, parts["project"])
        settings = body.get("settings")
        if settings is not None and cloud.default_labels:
            settings["userLabels"] = {**cloud.default_labels, **settings.get("userLabels", {})}
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        first = {a["type"]: a["ipAddress"] for a in reversed(item.get("ipAddresses", []))}
        settings = made.get("settings", {})
        given = (known.get("settings") or {}).get("userLabels")
        labels = item["settings"].get("userLabels", {})
        settings["userLabels"] = {k: v for k, v in labels.items() if k in (given or {}) or not known}
        settings["version"] = int(item["settings"]["settingsVersion"])
        if "diskAutoresizeLimit" in settings:
            settings["diskAutoresizeLimit"] = int(settings["diskAutoresizeLimit"])
        made |= {
            "region": item["region"],
            "settings": settings,
            "firstIpAddress": item["ipAddresses"][0]["ipAddress"] if item.get("ipAddresses") else "",
            "publicIpAddress": first.get("PRIMARY", ""),
            "privateIpAddress": first.get("PRIVATE", ""),
            "ipAddresses": [{"timeToRetire": "", **a} for a in item.get("ipAddresses", [])],
            "serviceAccountEmailAddress": item["serviceAccountEmailAddress"],
            "serverCaCerts": [
                {
                    "cert": item["serverCaCert"]["cert"],
                    "commonName": item["serverCaCert"]["commonName"],
                    "createTime": item["serverCaCert"]["createTime"],
                    "expirationTime": item["serverCaCert"]["expirationTime"],
                    "sha1Fingerprint": item["serverCaCert"]["sha1Fingerprint"],
                }
            ],
        }
        return made


class Database(Table):
    """A database of a Cloud SQL instance."""

    token = "gcp:sql/database:Database"
    methods = "sql.databases"
    schema = "Database"
    creates = "insert"
    updates = "whole"
    auto_name = AutoName()
    at: ClassVar[Mapping[str, str]] = {"project": "{project}", "instance": "{instance}", "database": "{name}"}
    under: ClassVar[Mapping[str, str]] = {"project": "{project}", "instance": "{instance}"}
    sources = (PROVIDER + "sql_database",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "name": parts["name"], "instance": parts["instance"]}


class User(Table):
    """A user of a Cloud SQL instance."""

    token = "gcp:sql/user:User"
    methods = "sql.users"
    schema = "User"
    creates = "insert"
    path = "{name}/{host}/{instance}"
    auto_name = AutoName()
    kept = frozenset({"password", "passwordWo", "passwordWoVersion", "passwordPolicy", "databaseRoles"})
    write_only = frozenset({"password"})
    computed = frozenset({"host", "type"})
    replace_on = frozenset({"type"})
    exclusive = (("password", "passwordWo"),)
    sources = (PROVIDER + "sql_user",)

    def _where(self, cloud: GcpClient, props: Props) -> dict[str, str]:
        return {"project": str(props.get("project") or cloud.project), "instance": last(str(props["instance"]))}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        body = {n: inputs[n] for n in ("name", "host", "type", "password") if inputs.get(n)}
        cloud.change("sql.users.insert", **self._where(cloud, inputs), body=body)
        return f"{inputs['name']}/{inputs.get('host') or ''}/{inputs['instance']}"

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. An import's id is `project/instance/host/name` or `project/instance/name`."""
        if known.get("instance"):
            where, name = self._where(cloud, known), str(known["name"])
        else:
            bits = id.split("/")
            where, name = {"project": bits[0], "instance": bits[1]}, bits[-1]
        listed = cloud.find("sql.users.list", **where) or {}
        item = next((u for u in listed.get("items", []) if u["name"] == name), None)
        if item is None:
            return None
        kept = {n: known[n] for n in self.kept if known.get(n) is not None}
        return {
            **kept,
            "name": name,
            "instance": where["instance"],
            "project": where["project"],
            "host": item.get("host", ""),
            "type": item.get("type", ""),
            "sqlServerUserDetails": [],
            "deletionPolicy": known.get("deletionPolicy") or "DELETE",
            "id": id,
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The password changes in place."""
        if differs(old, new, "password"):
            body = {"name": new["name"], "password": new.get("password")}
            cloud.change("sql.users.update", **self._where(cloud, new), name=str(new["name"]), body=body)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        try:
            cloud.change("sql.users.delete", **self._where(cloud, state), name=str(state["name"]))
        except CloudError as error:
            if error.status != 404:
                raise


class Dataset(Table):
    """A BigQuery dataset."""

    token = "gcp:bigquery/dataset:Dataset"
    methods = "bigquery.datasets"
    schema = "Dataset"
    creates = "insert"
    updates = "patch"
    at: ClassVar[Mapping[str, str]] = {"projectId": "{project}", "datasetId": "{datasetId}"}
    under: ClassVar[Mapping[str, str]] = {"projectId": "{project}"}
    computed = frozenset({"defaultCollation"})
    unordered = frozenset({"accesses"})
    replace_on = frozenset({"externalDatasetReference"})
    defaults: ClassVar[Props] = {"deleteContentsOnDestroy": False, "location": "US"}
    sources = (PROVIDER + "bigquery_dataset",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "datasetReference": {"datasetId": parts["datasetId"], "projectId": parts["project"]}}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        for name in ("creationTime", "lastModifiedTime"):
            made[name] = int(item[name])
        return made

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """With its tables, when the program says so."""
        content = bool(state.get("deleteContentsOnDestroy"))
        cloud.change("bigquery.datasets.delete", **self._at(parts), deleteContents=content)


class BigqueryTable(Table):
    """A BigQuery table."""

    token = "gcp:bigquery/table:Table"
    methods = "bigquery.tables"
    schema = "Table"
    creates = "insert"
    updates = "whole"
    at: ClassVar[Mapping[str, str]] = {"projectId": "{project}", "datasetId": "{datasetId}", "tableId": "{tableId}"}
    under: ClassVar[Mapping[str, str]] = {"projectId": "{project}", "datasetId": "{datasetId}"}
    kept = frozenset({"schema", "clusterings", "ignoreAutoGeneratedSchema", "ignoreSchemaChanges"})
    path = "projects/{project}/datasets/{datasetId}/tables/{tableId}"
    replace_on = frozenset({"biglakeConfiguration", "materializedView.query", "rangePartitioning.field"}) | {
        *("tableReplicationInfo", "timePartitioning.field", "externalDataConfiguration.schema"),
    }
    replace_block = frozenset({"encryptionConfiguration", "schemaForeignTypeInfo"})
    defaults: ClassVar[Props] = {"deletionProtection": True, "ignoreAutoGeneratedSchema": False}
    inner_computed = frozenset(
        {"timePartitioning.expirationMs", "view.useLegacySql", "encryptionConfiguration.kmsKeyVersion"}
    )
    sources = (PROVIDER + "bigquery_table",)

    def canonical(self, value: str) -> str:
        """Two spellings of one schema are the same."""
        if value.startswith("["):
            try:
                return json.dumps(_columns(json.loads(value)), sort_keys=True)
            except ValueError:
                return value
        return super().canonical(value)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. The schema is JSON text in the program."""
        reference = {"projectId": parts["project"], "datasetId": parts["datasetId"], "tableId": parts["tableId"]}
        body["tableReference"] = reference
        if inputs.get("schema"):
            body["schema"] = {"fields": json.loads(str(inputs["schema"]))}
        if inputs.get("clusterings"):
            body["clustering"] = {"fields": list(inputs["clusterings"])}
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made |= {
            n: int(item[n]) for n in ("creationTime", "lastModifiedTime", "numBytes", "numRows", "numLongTermBytes")
        }
        fields = item.get("schema", {}).get("fields")
        made["schema"] = json.dumps(fields) if fields else known.get("schema")
        made["clusterings"] = item.get("clustering", {}).get("fields")
        return {k: v for k, v in made.items() if v is not None}

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """The schema as the cloud has it, in the program's words when it says the same."""
        made = super().state(cloud, parts, item, known)
        fields = item.get("schema", {}).get("fields")
        given = known.get("schema")
        if fields is not None:
            live = json.dumps(fields)
            made["schema"] = given if given and self.canonical(str(given)) == self.canonical(live) else live
        return made


def _columns(fields: Any) -> Any:
    if not isinstance(fields, list):
        return fields
    return [{"mode": "NULLABLE", **f} if isinstance(f, dict) else f for f in fields]


# Serverless -----------------------------------------------------------------------------------------------------------


class RunService(Table):
    """A Cloud Run service."""

    token = "gcp:cloudrunv2/service:Service"
    methods = "run.projects.locations.services"
    schema = "GoogleCloudRunV2Service"
    replace_on = frozenset({"tags"})
    id_argument = "serviceId"
    auto_name = AutoName(max_length=49, lower=True)
    defaults: ClassVar[Props] = {"deletionProtection": True}
    inner_computed = frozenset(
        {f"scaling.{n}" for n in ("manualInstanceCount", "maxInstanceCount", "minInstanceCount")}
        | {f"template.{n}" for n in ("maxInstanceRequestConcurrency", "scaling", "serviceAccount", "timeout")}
        | {f"template.containers.{n}" for n in ("ports", "ports.name", "resources", "resources.limits", "startupProbe")}
        | {"template.vpcAccess.egress", "traffics.percent", "buildConfig.name"}
    )
    sources = (PROVIDER + "cloud_run_v2_service",)


class RunJob(Table):
    """A Cloud Run job."""

    token = "gcp:cloudrunv2/job:Job"
    methods = "run.projects.locations.jobs"
    schema = "GoogleCloudRunV2Job"
    replace_on = frozenset({"tags"})
    id_argument = "jobId"
    defaults: ClassVar[Props] = {"deletionProtection": True}
    inner_computed = frozenset(
        {"template.parallelism", "template.taskCount"}
        | {f"template.template.{n}" for n in ("executionEnvironment", "serviceAccount", "timeout", "containers")}
        | {f"template.template.containers.{n}" for n in ("resources", "resources.limits", "startupProbe")}
    )
    sources = (PROVIDER + "cloud_run_v2_job",)

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """A job is sent as a whole: its patch has no mask."""
        cloud.change(f"{self.methods}.patch", **self._at(parts), body={**whole, **body})


class KnativeService(Table):
    """A Cloud Run service by the first version of its API, in Knative's shape."""

    token = "gcp:cloudrun/service:Service"
    methods = "v1.run.projects.locations.services"
    schema = "Service"
    resource = "projects/{project}/locations/{location}/services/{name}"
    auto_name = AutoName(max_length=49, lower=True)
    renamed: ClassVar[Mapping[str, str]] = {"template": "spec.template", "traffics": "spec.traffic"}
    kept = frozenset({"autogenerateRevisionName", "metadata", "template", "traffics"})
    computed = frozenset({"template"})
    changed_by_update = frozenset({"statuses"})
    defaults: ClassVar[Props] = {"autogenerateRevisionName": False}
    inner_computed = frozenset(
        {f"metadata.{n}" for n in ("namespace", "generation", "resourceVersion", "selfLink", "uid")}
        | {"metadata.effectiveAnnotations", "metadata.effectiveLabels", "template.metadata", "template.spec"}
        | {f"template.spec.{n}" for n in ("containerConcurrency", "containers", "serviceAccountName", "timeoutSeconds")}
        | {f"template.spec.containers.{n}" for n in ("name", "ports", "ports.name", "resources", "resources.limits")}
        | {"template.spec.containers.startupProbe", "traffics.url"}
    )
    sources = (PROVIDER + "cloud_run_service",)

    def _derived(self, types: Mapping[str, str], told: Mapping[str, str]) -> Any:
        return super()._derived({k: v for k, v in types.items() if k != "statuses"}, told)

    @property
    def api(self) -> str:
        """See Table."""
        return "v1.run"

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        template, traffic = inputs.get("template") or {}, inputs.get("traffics")
        body = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": parts["name"]}}
        meta = inputs.get("metadata") or {}
        labels = {**cloud.default_labels, **(meta.get("labels") or {})}
        body["metadata"] |= {"namespace": parts["project"], "labels": labels}
        if meta.get("annotations"):
            body["metadata"]["annotations"] = dict(meta["annotations"])
        body["spec"] = {"template": _to_knative(plain(template))}
        if traffic:
            body["spec"]["traffic"] = [
                {_TRAFFIC.get(k, k): v for k, v in plain(t).items() if v is not None} for t in traffic
            ]
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        spec, status = item["spec"], item["status"]
        given = known.get("metadata") or {}
        meta = item["metadata"]
        made["template"] = _overlay(_from_knative(spec["template"]), known.get("template"))
        made["traffics"] = known.get("traffics") or [{**t} for t in spec.get("traffic", [])]
        made["metadata"] = {
            "namespace": given.get("namespace") or parts["project"],
            "labels": {k: v for k, v in meta.get("labels", {}).items() if k in (given.get("labels") or {})},
            "annotations": {
                k: v for k, v in meta.get("annotations", {}).items() if k in (given.get("annotations") or {})
            },
            "effectiveLabels": meta.get("labels", {}),
            "effectiveAnnotations": meta.get("annotations", {}),
            "pulumiLabels": {
                k: v
                for k, v in meta.get("labels", {}).items()
                if k in (given.get("labels") or {}) or k in cloud.default_labels
            },
            **{n: meta[n] for n in ("generation", "resourceVersion", "selfLink", "uid")},
        }
        made["statuses"] = [
            {
                "conditions": [{"message": "", "reason": "", **c} for c in status["conditions"]],
                "url": status["url"],
                "observedGeneration": status["observedGeneration"],
                "latestReadyRevisionName": status["latestReadyRevisionName"],
                "latestCreatedRevisionName": status["latestCreatedRevisionName"],
                "traffics": status["traffic"],
            }
        ]
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """What only the provider knows of the metadata is decoded, not kept."""
        made = super().state(cloud, parts, item, known)
        return self.decode(cloud, made, item, known, parts)

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The service is replaced as a whole."""
        parts = self.parse(cloud, id)
        if differs(old, new, "template", "traffics", "metadata"):
            body = self.encode(cloud, {}, new, parts)
            cloud.change(f"{self.methods}.replaceService", **self._at(parts), body=body)


_TRAFFIC = {"latestRevision": "latestRevision", "revisionName": "revisionName", "percent": "percent", "tag": "tag"}
_KNATIVE = {
    "envs": "env",
    "envFroms": "envFrom",
    "volumeMounts": "volumeMounts",
    "commands": "command",
    "serviceAccountName": "serviceAccountName",
}


def _to_knative(value: Any) -> Any:
    """The provider's words in Knative's."""
    if isinstance(value, list):
        return [_to_knative(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {
        _KNATIVE.get(k, k): (v if k in ("annotations", "labels", "limits", "requests") else _to_knative(v))
        for k, v in value.items()
        if v is not None
    }


def _from_knative(value: Any) -> Any:
    back = {v: k for k, v in _KNATIVE.items()}
    if isinstance(value, list):
        return [_from_knative(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {
        back.get(k, k): (v if k in ("annotations", "labels", "limits", "requests") else _from_knative(v))
        for k, v in value.items()
    }


def _overlay(live: Any, known: Any) -> Any:
    """What the cloud has; where the program left a block out and the cloud filled it in, the cloud's."""
    if isinstance(live, dict) and isinstance(known, Mapping):
        return {**live, **{k: _overlay(live.get(k), v) for k, v in known.items() if v is not None and k in live}}
    if isinstance(live, list) and isinstance(known, list) and len(live) == len(known):
        return [_overlay(a, b) for a, b in zip(live, known, strict=True)]
    return live


class Function1(Table):
    """A Cloud Function of the first generation."""

    token = "gcp:cloudfunctions/function:Function"
    methods = "cloudfunctions.projects.locations.functions"
    schema = "CloudFunction"
    path = "projects/{project}/locations/{region}/functions/{name}"
    under: ClassVar[Mapping[str, str]] = {"location": "projects/{project}/locations/{region}"}
    auto_name = AutoName(max_length=63)
    replace_on = frozenset({"entryPoint", "eventTrigger.eventType", "serviceAccountEmail", "triggerHttp"})
    kept = frozenset(
        {"sourceArchiveBucket", "sourceArchiveObject", "triggerHttp", "httpsTriggerSecurityLevel", "eventTrigger"}
        | {"httpsTriggerUrl", "timeout", "secretEnvironmentVariables", "secretVolumes", "onDeployUpdatePolicy"}
    )
    renamed: ClassVar[Mapping[str, str]] = {"sourceRepository": "sourceRepository"}
    computed = frozenset({"dockerRepository", "entryPoint", "minInstances"})
    defaults: ClassVar[Props] = {"ingressSettings": "ALLOW_ALL", "timeout": 60}
    in_place = frozenset({"ingressSettings"})
    exclusive = (
        ("eventTrigger", "triggerHttp"),
        ("sourceArchiveBucket", "sourceRepository"),
        ("automaticUpdatePolicy", "onDeployUpdatePolicy"),
    )
    inner_computed = frozenset({"eventTrigger.failurePolicy", "sourceRepository.deployedUrl"})
    sources = (PROVIDER + "cloudfunctions_function",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        body["name"] = self._name(parts)
        if inputs.get("sourceArchiveBucket"):
            body["sourceArchiveUrl"] = f"gs://{inputs['sourceArchiveBucket']}/{inputs.get('sourceArchiveObject')}"
        if inputs.get("triggerHttp"):
            body["httpsTrigger"] = {}
            if inputs.get("httpsTriggerSecurityLevel"):
                body["httpsTrigger"]["securityLevel"] = inputs["httpsTriggerSecurityLevel"]
        event = inputs.get("eventTrigger")
        if event:
            body["eventTrigger"] = {
                "eventType": event["eventType"],
                "resource": _event_resource(event, parts["project"]),
            }
            if (event.get("failurePolicy") or {}).get("retry"):
                body["eventTrigger"]["failurePolicy"] = {"retry": {}}
        body["timeout"] = f"{plain(inputs.get('timeout') or 60)}s"
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        archive = re.fullmatch(r"gs://([^/]+)/(.+)", str(item.get("sourceArchiveUrl", "")))
        if archive:
            made["sourceArchiveBucket"], made["sourceArchiveObject"] = archive.groups()
        made["timeout"] = int(str(item.get("timeout", "60s")).rstrip("s"))
        trigger = item.get("httpsTrigger")
        if trigger is not None:
            made |= {"triggerHttp": True, "httpsTriggerUrl": trigger["url"]}
            made["httpsTriggerSecurityLevel"] = trigger["securityLevel"]
        event = item.get("eventTrigger")
        if event:
            made["eventTrigger"] = {
                "eventType": event["eventType"],
                "resource": event["resource"],
                "failurePolicy": {"retry": "retry" in event.get("failurePolicy", {})},
            }
        made["versionId"] = str(item["versionId"])
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """What the cloud says of source and triggers counts; an event's resource keeps the program's spelling."""
        made = self.decode(cloud, super().state(cloud, parts, item, known), item, known, parts)
        given = (known.get("eventTrigger") or {}).get("resource")
        if given and last(str(given)) == last(str(made["eventTrigger"]["resource"])):
            made["eventTrigger"]["resource"] = given
        return made


def _event_resource(event: Mapping[str, Any], project: str) -> str:
    resource = str(event["resource"])
    if "/" in resource:
        return resource
    kind = "topics" if "pubsub" in str(event["eventType"]) else "buckets"
    return f"projects/{project if kind == 'topics' else '_'}/{kind}/{resource}"


class Function2(Table):
    """A Cloud Function of the second generation."""

    token = "gcp:cloudfunctionsv2/function:Function"
    methods = "v2.cloudfunctions.projects.locations.functions"
    schema = "Function"
    id_argument = "functionId"
    computed = frozenset({"buildConfig", "serviceConfig", "eventTrigger"})
    inner_computed = frozenset(
        {f"serviceConfig.{n}" for n in ("uri", "gcfUri", "service", "serviceAccountEmail", "timeoutSeconds")}
        | {
            f"serviceConfig.{n}"
            for n in ("availableCpu", "availableMemory", "environmentVariables", "maxInstanceCount")
        }
        | {f"buildConfig.{n}" for n in ("build", "dockerRepository", "environmentVariables", "serviceAccount")}
        | {f"eventTrigger.{n}" for n in ("trigger", "triggerRegion", "pubsubTopic", "serviceAccountEmail")}
    )
    sources = (PROVIDER + "cloudfunctions2_function",)


class Repository(Table):
    """An Artifact Registry repository."""

    token = "gcp:artifactregistry/repository:Repository"
    methods = "artifactregistry.projects.locations.repositories"
    schema = "Repository"
    id_argument = "repositoryId"
    kept = frozenset({"cleanupPolicies"})
    bare = frozenset({"name"})
    replace_on = frozenset({"format", "kmsKeyName", "mode", "mavenConfig.versionPolicy"}) | {
        f"remoteRepositoryConfig.{kind}Repository"
        for kind in ("apt", "common", "docker", "maven", "npm", "python", "yum")
    }
    replace_block = frozenset({"remoteRepositoryConfig"})
    exclusive = (("remoteRepositoryConfig", "virtualRepositoryConfig"),)
    inner_computed = frozenset({"vulnerabilityScanningConfig.enablementState"})
    sources = (PROVIDER + "artifact_registry_repository",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Cleanup policies are a map in the API."""
        policies = inputs.get("cleanupPolicies")
        if policies:
            body["cleanupPolicies"] = {
                p["id"]: {
                    "id": p["id"],
                    **{k: plain(p[k]) for k in ("action", "condition", "mostRecentVersions") if p.get(k) is not None},
                }
                for p in policies
            }
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["name"] = parts["repositoryId"]
        return made


class Connector(Table):
    """A Serverless VPC Access connector."""

    token = "gcp:vpcaccess/connector:Connector"
    methods = "vpcaccess.projects.locations.connectors"
    schema = "Connector"
    id_argument = "connectorId"
    auto_name = AutoName(max_length=25, lower=True)
    bare = frozenset({"network"})
    replace_on = frozenset({"ipCidrRange", "maxThroughput", "minThroughput", "network", "subnet"})
    defaults: ClassVar[Props] = {"machineType": "e2-micro"}
    exclusive = (("maxInstances", "maxThroughput"), ("minInstances", "minThroughput"))
    inner_computed = frozenset({"subnet.projectId"})
    sources = (PROVIDER + "vpc_access_connector",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        if body.get("network"):
            body["network"] = last(body["network"])
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        if known.get("network") and last(str(known["network"])) == made.get("network"):
            made["network"] = known["network"]
        made["selfLink"] = item["name"]
        return made


# Messages, secrets, names ---------------------------------------------------------------------------------------------


class Topic(Table):
    """A Pub/Sub topic."""

    token = "gcp:pubsub/topic:Topic"
    methods = "pubsub.projects.topics"
    schema = "Topic"
    under: ClassVar[Mapping[str, str]] = {"name": "projects/{project}/topics/{name}"}
    auto_name = AutoName(max_length=255)
    computed = frozenset({"schemaSettings"})
    unordered = frozenset({"messageStoragePolicy.allowedPersistenceRegions"})
    sources = (PROVIDER + "pubsub_topic",)

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """See Table. Resource and mask stand in the body."""
        resource = {"name": self._name(parts), **body}
        cloud.change(
            "pubsub.projects.topics.patch",
            name=self._name(parts),
            body={"topic": resource, "updateMask": ",".join(changed)},
        )

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"topic": self._name(parts)}


class Subscription(Table):
    """A Pub/Sub subscription."""

    token = "gcp:pubsub/subscription:Subscription"
    methods = "pubsub.projects.subscriptions"
    schema = "Subscription"
    under: ClassVar[Mapping[str, str]] = {"name": "projects/{project}/subscriptions/{name}"}
    auto_name = AutoName(max_length=255)
    replace_on = frozenset({"enableMessageOrdering", "filter", "topic"})
    defaults: ClassVar[Props] = {"messageRetentionDuration": "604800s"}
    exclusive = (("bigqueryConfig", "cloudStorageConfig", "pushConfig"),)
    inner_computed = frozenset({"retryPolicy.minimumBackoff", "retryPolicy.maximumBackoff", "cloudStorageConfig.state"})
    sources = (PROVIDER + "pubsub_subscription",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. A topic's name is completed."""
        topic = str(body.get("topic") or "")
        if topic and "/" not in topic:
            body["topic"] = f"projects/{parts['project']}/topics/{topic}"
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        if known.get("topic") and last(str(known["topic"])) == last(str(made.get("topic"))):
            made["topic"] = known["topic"]
        return made

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """See Table. Resource and mask stand in the body."""
        resource = {**body, "name": self._name(parts), "topic": whole.get("topic")}
        cloud.change(
            "pubsub.projects.subscriptions.patch",
            name=self._name(parts),
            body={"subscription": resource, "updateMask": ",".join(changed)},
        )

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"subscription": self._name(parts)}


class Schema(Table):
    """A Pub/Sub schema."""

    token = "gcp:pubsub/schema:Schema"
    methods = "pubsub.projects.schemas"
    schema = "Schema"
    id_argument = "schemaId"
    auto_name = AutoName(max_length=255)
    replace_on = frozenset({"definition", "type"})
    sources = (PROVIDER + "pubsub_schema",)


class SchedulerJob(Table):
    """A Cloud Scheduler job."""

    token = "gcp:cloudscheduler/job:Job"
    methods = "cloudscheduler.projects.locations.jobs"
    schema = "Job"
    auto_name = AutoName(max_length=500)
    kept = frozenset({"paused"})
    computed = frozenset({"retryConfig"})
    defaults: ClassVar[Props] = {"attemptDeadline": "180s", "timeZone": "Etc/UTC"}
    exclusive = (("appEngineHttpTarget", "httpTarget", "pubsubTarget"),)
    inner_computed = frozenset(
        f"retryConfig.{n}"
        for n in ("retryCount", "maxRetryDuration", "minBackoffDuration", "maxBackoffDuration", "maxDoublings")
    )
    sources = (PROVIDER + "cloud_scheduler_job",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "name": self._name(parts)}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """A job, paused when the program says so."""
        id = super().create(cloud, inputs)
        if inputs.get("paused"):
            cloud.call(f"{self.methods}.pause", name=id, body={})
        return id

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["state"] = item["state"]
        return made

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See Table."""
        return {**super().state(cloud, parts, item, known), "paused": item["state"] == "PAUSED"}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Pausing has a method of its own."""
        if bool(old.get("paused")) != bool(new.get("paused")):
            cloud.call(f"{self.methods}.{'pause' if new.get('paused') else 'resume'}", name=id, body={})
        super().update(cloud, id, {**old, "paused": None}, {**new, "paused": None})


class Secret(Table):
    """A secret."""

    token = "gcp:secretmanager/secret:Secret"
    methods = "secretmanager.projects.secrets"
    schema = "Secret"
    id_argument = "secretId"
    kept = frozenset({"replication.auto", "versionAliases", "ttl", "versionDestroyTtl"})
    replace_on = frozenset({"tags", "replication.userManaged.replicas.location"})
    replace_block = frozenset(
        {"replication", "replication.auto", "replication.userManaged", "replication.userManaged.replicas"}
    )
    defaults: ClassVar[Props] = {"deletionProtection": False}
    sources = (PROVIDER + "secret_manager_secret",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. `auto` is `automatic` in the API."""
        auto = (inputs.get("replication") or {}).get("auto")
        if auto is not None:
            made: dict[str, Any] = {}
            if auto.get("customerManagedEncryption"):
                made["customerManagedEncryption"] = dict(auto["customerManagedEncryption"])
            body["replication"] = {"automatic": made}
        if inputs.get("ttl"):
            body["ttl"] = inputs["ttl"]
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        replication = item.get("replication", {})
        if "automatic" in replication:
            made["replication"] = {"auto": dict(replication["automatic"])}
        return made


class SecretVersion(Table):
    """A version of a secret."""

    token = "gcp:secretmanager/secretVersion:SecretVersion"
    methods = "secretmanager.projects.secrets.versions"
    schema = "SecretVersion"
    path = "{name}"
    whole = frozenset({"name"})
    auto_name = None
    write_only = frozenset({"secretData"})
    defaults: ClassVar[Props] = {"enabled": True}
    computed = frozenset({"deletionPolicy"})
    replace_on = frozenset({"isSecretDataBase64", "secret", "secretData", "secretDataWoVersion"})
    exclusive = (("secretData", "secretDataWo"),)
    sources = (PROVIDER + "secret_manager_secret_version",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        secret = str(inputs["secret"])
        if "/" not in secret:
            secret = f"projects/{cloud.project}/secrets/{secret}"
        text = str(inputs.get("secretData") or inputs.get("secretDataWo") or "")
        data = text if inputs.get("isSecretDataBase64") else base64.b64encode(text.encode()).decode()
        made = cloud.call("secretmanager.projects.secrets.addVersion", parent=secret, body={"payload": {"data": data}})
        if inputs.get("enabled") is False:
            cloud.call(f"{self.methods}.disable", name=made["name"], body={})
        return str(made["name"])

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. A destroyed version is none."""
        item = cloud.find(f"{self.methods}.get", name=id)
        if item is None or item["state"] == "DESTROYED":
            return None
        made: dict[str, Any] = {
            "name": item["name"],
            "createTime": item["createTime"],
            "destroyTime": "",
            "enabled": item["state"] == "ENABLED",
            "secret": known.get("secret") or item["name"].rpartition("/versions/")[0],
            "version": last(item["name"]),
            "deletionPolicy": known.get("deletionPolicy") or "DELETE",
            "isSecretDataBase64": bool(known.get("isSecretDataBase64", False)),
            "id": item["name"],
        }
        if item["state"] == "ENABLED":
            data = base64.b64decode(cloud.call(f"{self.methods}.access", name=id)["payload"]["data"])
            encoded = base64.b64encode(data).decode()
            made["secretData"] = encoded if made["isSecretDataBase64"] else data.decode(errors="replace")
        elif known.get("secretData") is not None:
            made["secretData"] = known["secretData"]
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """A version is switched on and off."""
        if bool(old.get("enabled", True)) != bool(new.get("enabled", True)):
            verb = "enable" if new.get("enabled", True) else "disable"
            cloud.call(f"{self.methods}.{verb}", name=id, body={})

    def check(self, inputs: Props) -> list[Failure]:
        """The policy has a value of its own here."""
        found = super().check({n: v for n, v in inputs.items() if n != "deletionPolicy"})
        policy = inputs.get("deletionPolicy")
        if policy is not None and policy not in ("DELETE", "DISABLE", "ABANDON"):
            found.append(Failure("deletionPolicy", f"expected DELETE, DISABLE or ABANDON, got {policy}"))
        return found

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """Destroyed, disabled or left alone."""
        policy = state.get("deletionPolicy")
        if policy == "ABANDON":
            return
        try:
            cloud.call(f"{self.methods}.{'disable' if policy == 'DISABLE' else 'destroy'}", name=id, body={})
        except CloudError as error:
            if error.status != 404 and "DESTROYED" not in error.message:
                raise


class ManagedZone(Table):
    """A zone of names."""

    token = "gcp:dns/managedZone:ManagedZone"
    methods = "dns.managedZones"
    schema = "ManagedZone"
    updates = "patch"
    at: ClassVar[Mapping[str, str]] = {"project": "{project}", "managedZone": "{name}"}
    under: ClassVar[Mapping[str, str]] = {"project": "{project}"}
    refs: ClassVar[Mapping[str, str]] = {"privateVisibilityConfig.networks.networkUrl": "networks"}
    kept = frozenset({"forceDestroy", "privateVisibilityConfig.gkeClusters"})
    defaults: ClassVar[Props] = {"description": "Managed by Pulumi", "forceDestroy": False}
    replace_on = frozenset({"dnsName", "visibility"})
    inner_computed = frozenset({"dnssecConfig.defaultKeySpecs", "dnssecConfig.nonExistence"})
    sources = (PROVIDER + "dns_managed_zone",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        for one in body.get("privateVisibilityConfig", {}).get("networks", []):
            one["networkUrl"] = _network_path(str(one["networkUrl"]), parts["project"])
        return {**body, "name": parts["name"]}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["managedZoneId"] = int(item["id"])
        return made

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """With its records, when the program says so."""
        if state.get("forceDestroy"):
            where = self._at(parts)
            listed = cloud.call("dns.resourceRecordSets.list", **where).get("rrsets", [])
            own = [r for r in listed if r["type"] not in ("NS", "SOA") or r["name"] != state.get("dnsName")]
            if own:
                cloud.call("dns.changes.create", **where, body={"deletions": own})
        super().remove(cloud, parts, state)


class RecordSet(Table):
    """Records of one name and type."""

    token = "gcp:dns/recordSet:RecordSet"
    methods = "dns.resourceRecordSets"
    schema = "ResourceRecordSet"
    auto_name = None
    kept = frozenset({"routingPolicy"})
    computed = frozenset({"ttl"})
    path = "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}"
    in_place = frozenset({"type"})
    exclusive = (("routingPolicy", "rrdatas"),)
    sources = (PROVIDER + "dns_record_set",)

    def _record(self, props: Props) -> dict[str, Any]:
        made = {"name": str(props["name"]), "type": str(props["type"]), "ttl": plain(props.get("ttl") or 0)}
        made["rrdatas"] = [_quoted(str(r), made["type"]) for r in props.get("rrdatas") or []]
        return made

    def _where(self, cloud: GcpClient, props: Props) -> dict[str, str]:
        return {
            "project": str(props.get("project") or cloud.project),
            "managedZone": last(str(props["managedZone"])),
        }

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. A zone's own records are taken over."""
        where, record = self._where(cloud, inputs), self._record(inputs)
        body: dict[str, Any] = {"additions": [record]}
        if record["type"] in ("NS", "SOA"):
            listed = cloud.call("dns.resourceRecordSets.list", **where, name=record["name"], type=record["type"])
            if listed.get("rrsets"):
                body["deletions"] = listed["rrsets"]
        cloud.call("dns.changes.create", **where, body=body)
        zone = f"projects/{where['project']}/managedZones/{where['managedZone']}"
        return f"{zone}/rrsets/{record['name']}/{record['type']}"

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. An import's id may be short: `zone/name/type`."""
        bits = id.split("/")
        full = bits[0] == "projects"
        project = bits[1] if full else bits[0] if len(bits) == 4 else cloud.project
        zone, name, kind = (bits[3], bits[5], bits[6]) if full else tuple(bits[-3:])
        where = {"project": project, "managedZone": zone}
        listed = cloud.find("dns.resourceRecordSets.list", **where, name=name, type=kind) or {}
        if not listed.get("rrsets"):
            return None
        item = listed["rrsets"][0]
        data = item.get("rrdatas", [])
        given = [str(r) for r in known.get("rrdatas") or []]
        if [_quoted(g, kind) for g in given] == data:
            data = given
        made = {"managedZone": zone, "name": name, "type": kind, "rrdatas": data, "project": project}
        made["managedZone"] = known.get("managedZone") or zone
        ttl = {"ttl": item.get("ttl")} if known.get("ttl") or not known else {}
        policy = {"deletionPolicy": known.get("deletionPolicy") or "DELETE"}
        return {**made, **ttl, **policy, "id": f"projects/{project}/managedZones/{zone}/rrsets/{name}/{kind}"}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The old records go and the new ones come in one step."""
        if differs(old, new, "rrdatas", "ttl", "type", "routingPolicy"):
            body = {"deletions": [self._record(old)], "additions": [self._record(new)]}
            cloud.call("dns.changes.create", **self._where(cloud, new), body=body)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType. A zone's own records stay."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        where = self._where(cloud, state)
        listed = cloud.find("dns.resourceRecordSets.list", **where, name=state["name"], type=state["type"]) or {}
        if listed.get("rrsets") and state["type"] not in ("NS", "SOA"):
            cloud.call("dns.changes.create", **where, body={"deletions": listed["rrsets"]})


def _quoted(value: str, kind: str) -> str:
    """Text with blanks is in quotes in the API."""
    return f'"{value}"' if kind in ("TXT", "SPF") and " " in value and not value.startswith('"') else value


# Logs and metrics -----------------------------------------------------------------------------------------------------


class Metric(Table):
    """A metric out of logs."""

    token = "gcp:logging/metric:Metric"
    methods = "logging.projects.metrics"
    schema = "LogMetric"
    path = "{name}"
    auto_name = AutoName(max_length=100)
    updates = "whole"
    resource = "projects/{project}/metrics/{name}"
    under: ClassVar[Mapping[str, str]] = {"parent": "projects/{project}"}
    replace_on = frozenset({"metricDescriptor.labels.key", "metricDescriptor.labels.valueType"})
    in_place = frozenset({"name"})
    sources = (PROVIDER + "logging_metric",)

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See Table."""
        return {"name": str(inputs["name"]), "project": str(inputs.get("project") or cloud.project)}

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The name, with or without its project before it."""
        bits = id.split(" ")
        return {"project": bits[0] if len(bits) == 2 else cloud.project, "name": bits[-1]}

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "name": parts["name"]}

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        # A metric's name may hold slashes, which a path may not.
        return {"metricName": f"projects/{parts['project']}/metrics/{quote(parts['name'], safe='')}"}

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. The project is none of the id's parts."""
        project = known.get("project")
        made = super().read(cloud, f"{project} {id}" if project else id, known)
        return None if made is None else {**made, "project": project or cloud.project, "id": id.split(" ")[-1]}


class ProjectSink(Table):
    """A sink of a project's logs."""

    token = "gcp:logging/projectSink:ProjectSink"
    methods = "logging.projects.sinks"
    schema = "LogSink"
    path = "projects/{project}/sinks/{name}"
    auto_name = AutoName(max_length=100)
    defaults: ClassVar[Props] = {"uniqueWriterIdentity": True}
    kept = frozenset({"uniqueWriterIdentity", "customWriterIdentity"})
    renamed: ClassVar[Mapping[str, str]] = {"exclusions": "exclusions"}
    changed_by_update = frozenset({"writerIdentity"})
    sources = (PROVIDER + "logging_project_sink",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "name": parts["name"]}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        unique = bool(inputs.get("uniqueWriterIdentity", True))
        body = self.make(cloud, inputs, parts)
        cloud.call(f"{self.methods}.create", **self._under(parts), uniqueWriterIdentity=unique, body=body)
        return self.id_of(parts)

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"sinkName": self._name(parts)}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made.setdefault("writerIdentity", "")
        return made

    def send(
        self, cloud: GcpClient, parts: dict[str, str], changed: list[str], body: dict[str, Any], whole: dict[str, Any]
    ) -> None:
        """See Table."""
        mask = ",".join(changed)
        cloud.call(f"{self.methods}.patch", **self._at(parts), updateMask=mask, uniqueWriterIdentity=True, body=whole)


class ProjectExclusion(Table):
    """Logs that are not kept."""

    token = "gcp:logging/projectExclusion:ProjectExclusion"
    methods = "logging.projects.exclusions"
    schema = "LogExclusion"
    path = "projects/{project}/exclusions/{name}"
    auto_name = AutoName(max_length=100)
    sources = (PROVIDER + "logging_project_exclusion",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        return {**body, "name": parts["name"]}


class ProjectBucketConfig(Table):
    """A log bucket; one of the project's own is taken over."""

    token = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
    methods = "logging.projects.locations.buckets"
    schema = "LogBucket"
    id_argument = "bucketId"
    auto_name = None
    renamed: ClassVar[Mapping[str, str]] = {"enableAnalytics": "analyticsEnabled"}
    defaults: ClassVar[Props] = {"retentionDays": 30}
    computed = frozenset({"cmekSettings"})
    sources = (PROVIDER + "logging_project_bucket_config",)
    _OWN = ("_Default", "_Required")

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        if parts["bucketId"] not in self._OWN:
            return super().create(cloud, inputs)
        body = self.make(cloud, inputs, parts)
        mask = ",".join(sorted(body))
        cloud.call(f"{self.methods}.patch", name=self._name(parts), updateMask=mask, body=body)
        return self.id_of(parts)

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["name"] = item["name"]
        return made

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """The project's own buckets stay."""
        if parts["bucketId"] not in self._OWN:
            super().remove(cloud, parts, state)


class _Numbered(Table):
    """A type whose name the service gives."""

    path = "{name}"
    whole = frozenset({"name"})
    auto_name = None

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See Table."""
        return {"name": "", "project": str(inputs.get("project") or cloud.project)}

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The whole id is the name."""
        return {"name": id}

    def _under(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"name": f"projects/{parts['project']}"}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["project"] = known.get("project") or item["name"].split("/")[1]
        return made


class AlertPolicy(_Numbered):
    """An alerting policy."""

    token = "gcp:monitoring/alertPolicy:AlertPolicy"
    methods = "monitoring.projects.alertPolicies"
    schema = "AlertPolicy"
    defaults: ClassVar[Props] = {"enabled": True}
    inner_computed = frozenset({"conditions.name"})
    sources = (PROVIDER + "monitoring_alert_policy",)


class NotificationChannel(_Numbered):
    """Where alerts go."""

    token = "gcp:monitoring/notificationChannel:NotificationChannel"
    methods = "monitoring.projects.notificationChannels"
    schema = "NotificationChannel"
    renamed: ClassVar[Mapping[str, str]] = {"labels": "labels"}
    kept = frozenset({"sensitiveLabels"})
    defaults: ClassVar[Props] = {"enabled": True, "forceDelete": False}
    sources = (PROVIDER + "monitoring_notification_channel",)

    def encode(self, cloud: GcpClient, body: dict[str, Any], inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table. Labels are a channel's settings here."""
        if inputs.get("labels"):
            body["labels"] = dict(inputs["labels"])
        return body

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made = super().decode(cloud, made, item, known, parts)
        if item.get("labels"):
            made["labels"] = item["labels"]
        return made

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See Table."""
        cloud.change(f"{self.methods}.delete", **self._at(parts), force=bool(state.get("forceDelete")))


class UptimeCheckConfig(_Numbered):
    """A check from outside."""

    token = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
    methods = "monitoring.projects.uptimeCheckConfigs"
    schema = "UptimeCheckConfig"
    computed = frozenset({"logCheckFailures"})
    kept = frozenset({"httpCheck.authInfo"})
    replace_on = frozenset({"checkerType", "httpCheck.requestMethod"}) | {
        *("monitoredResource", "resourceGroup", "syntheticMonitor"),
    }
    defaults: ClassVar[Props] = {"period": "300s"}
    exclusive = (("monitoredResource", "resourceGroup", "syntheticMonitor"),)
    inner_computed = frozenset({"httpCheck.port", "httpCheck.headers"})
    sources = (PROVIDER + "monitoring_uptime_check_config",)

    def _under(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"parent": f"projects/{parts['project']}"}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made = super().decode(cloud, made, item, known, parts)
        made["uptimeCheckId"] = last(item["name"])
        return made


class Dashboard(_Numbered):
    """A dashboard, as a JSON document."""

    token = "gcp:monitoring/dashboard:Dashboard"
    methods = "v1.monitoring.projects.dashboards"
    schema = "Dashboard"
    path = "{name}"
    sources = (PROVIDER + "monitoring_dashboard",)

    def make(self, cloud: GcpClient, inputs: Props, parts: dict[str, str]) -> dict[str, Any]:
        """See Table."""
        made: dict[str, Any] = json.loads(str(inputs["dashboardJson"]))
        return made

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        body = self.make(cloud, inputs, parts)
        return str(cloud.call(f"{self.methods}.create", parent=f"projects/{parts['project']}", body=body)["name"])

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find(f"{self.methods}.get", name=self._by_id(cloud, parts["name"]))

    @staticmethod
    def _by_id(cloud: GcpClient, name: str) -> str:
        bits = name.split("/")
        return "/".join(["projects", cloud.project, *bits[2:]])

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """The document in the program's words when it says the same."""
        live = {k: v for k, v in item.items() if k not in ("name", "etag")}
        given = known.get("dashboardJson")
        same = given is not None and _without(json.loads(str(given))) == live
        return {
            "dashboardJson": given if same else json.dumps(live),
            "project": known.get("project") or cloud.project,
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The document is replaced."""
        parts = self.parse(cloud, id)
        have = self.fetch(cloud, parts) or {}
        body = {**self.make(cloud, new, parts), "etag": have.get("etag"), "name": have.get("name")}
        cloud.call(f"{self.methods}.patch", name=self._by_id(cloud, id), body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See Table."""
        cloud.call(f"{self.methods}.delete", name=self._by_id(cloud, parts["name"]))


def _without(document: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k not in ("name", "etag")}


# Identities and services ----------------------------------------------------------------------------------------------


class WorkloadIdentityPool(Table):
    """A pool of identities from elsewhere."""

    token = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
    methods = "iam.projects.locations.workloadIdentityPools"
    schema = "WorkloadIdentityPool"
    id_argument = "workloadIdentityPoolId"
    auto_name = None
    sources = (PROVIDER + "iam_workload_identity_pool",)

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["name"] = item["name"]
        return made


class WorkloadIdentityPoolProvider(WorkloadIdentityPool):
    """Whom a pool believes."""

    token = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
    methods = "iam.projects.locations.workloadIdentityPools.providers"
    schema = "WorkloadIdentityPoolProvider"
    id_argument = "workloadIdentityPoolProviderId"
    computed = frozenset({"attributeMapping"})
    exclusive = (("aws", "oidc", "saml", "x509"),)
    sources = (PROVIDER + "iam_workload_identity_pool_provider",)


class CustomRole(Table):
    """A role of a project's own."""

    token = "gcp:projects/iAMCustomRole:IAMCustomRole"
    methods = "iam.projects.roles"
    schema = "Role"
    auto_name = None
    renamed: ClassVar[Mapping[str, str]] = {"permissions": "includedPermissions"}
    unordered = frozenset({"permissions"})
    path = "projects/{project}/roles/{roleId}"
    checked = frozenset({"stage"})
    sources = (PROVIDER + "google_project_iam_custom_role",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. A deleted role of this id comes back."""
        parts = self.parts_of(cloud, inputs)
        name = self._name(parts)
        old = cloud.find(f"{self.methods}.get", name=name)
        body = self.make(cloud, inputs, parts)
        if old is not None and old.get("deleted"):
            cloud.call(f"{self.methods}.undelete", name=name, body={})
            mask = ",".join(sorted(body))
            cloud.call(f"{self.methods}.patch", name=name, updateMask=mask, body=body)
        else:
            request = {"roleId": parts["roleId"], "role": body}
            cloud.call(f"{self.methods}.create", parent=f"projects/{parts['project']}", body=request)
        return name

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """A deleted role is none."""
        found = super().fetch(cloud, parts)
        return None if found is None or found.get("deleted") else found

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made.setdefault("stage", "GA")
        made |= {"deleted": bool(item.get("deleted")), "name": item["name"]}
        return made


class ProjectService(Table):
    """A service that is on."""

    token = "gcp:projects/service:Service"
    methods = "serviceusage.services"
    schema = "GoogleApiServiceusageV1Service"
    path = "{project}/{service}"
    auto_name = None
    kept = frozenset({"disableDependentServices", "disableOnDestroy", "checkIfServiceHasUsageOnDestroy"})
    sources = (PROVIDER + "google_project_service",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        parts["project"] = parts["project"].removeprefix("projects/")
        body = {"serviceIds": [parts["service"]]}
        cloud.change("serviceusage.services.batchEnable", parent=f"projects/{parts['project']}", body=body)
        return self.id_of(parts)

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """A service that is off is none."""
        found = cloud.find("serviceusage.services.get", name=f"projects/{parts['project']}/services/{parts['service']}")
        return found if found and found["state"] == "ENABLED" else None

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        kept = {n: known[n] for n in self.kept if known.get(n) is not None}
        return {**parts, **kept}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Only what the provider keeps to itself changes."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """Switched off only when the program says so."""
        if state.get("disableOnDestroy"):
            name = f"projects/{parts['project']}/services/{parts['service']}"
            cloud.change("serviceusage.services.disable", name=name, body={})


class Connection(Table):
    """A private connection to a service's network."""

    token = "gcp:servicenetworking/connection:Connection"
    methods = "servicenetworking.services.connections"
    schema = "Connection"
    path = "{network}:{service}"
    auto_name = None
    replace_on = frozenset({"network", "service"})
    kept = frozenset({"updateOnCreationFail"})
    sources = (PROVIDER + "service_networking_connection",)

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See Table."""
        network = _network_path(str(inputs["network"]), cloud.project)
        return {"network": network, "service": last(str(inputs["service"]))}

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """Network and service, with a colon between."""
        network, _, service = id.rpartition(":")
        return {"network": network, "service": service}

    def _numbered(self, cloud: GcpClient, network: str) -> str:
        bits = network.split("/")
        number = cloud.call("cloudresourcemanager.projects.get", projectId=bits[1])["projectNumber"]
        return "/".join(["projects", str(number), *bits[2:]])

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        parts = self.parts_of(cloud, inputs)
        body = {
            "network": self._numbered(cloud, parts["network"]),
            "reservedPeeringRanges": [last(str(r)) for r in inputs["reservedPeeringRanges"]],
        }
        cloud.change(f"{self.methods}.create", parent=f"services/{parts['service']}", body=body)
        return self.id_of(parts)

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        network = self._numbered(cloud, parts["network"])
        listed = cloud.call(f"{self.methods}.list", parent=f"services/{parts['service']}", network=network)
        return next(iter(listed.get("connections", [])), None)

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        return {
            "network": known.get("network") or parts["network"],
            "service": parts["service"],
            "peering": item["peering"],
            "reservedPeeringRanges": item["reservedPeeringRanges"],
            **{n: known[n] for n in self.kept if known.get(n) is not None},
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The ranges change in place."""
        if differs(old, new, "reservedPeeringRanges"):
            parts = self.parse(cloud, id)
            body = {
                "network": self._numbered(cloud, parts["network"]),
                "reservedPeeringRanges": [last(str(r)) for r in new["reservedPeeringRanges"]],
            }
            name = f"services/{parts['service']}/connections/-"
            cloud.change(f"{self.methods}.patch", name=name, updateMask="reservedPeeringRanges", body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        body = {"consumerNetwork": self._numbered(cloud, parts["network"])}
        name = f"services/{parts['service']}/connections/{parts['service'].replace('.', '-')}"
        cloud.change(f"{self.methods}.deleteConnection", name=name, body=body)


class Budget(_Numbered):
    """A budget of a billing account."""

    token = "gcp:billing/budget:Budget"
    methods = "billingbudgets.billingAccounts.budgets"
    schema = "GoogleCloudBillingBudgetsV1Budget"
    path = "billingAccounts/{billingAccount}/budgets/{name}"
    auto_name = None
    renamed: ClassVar[Mapping[str, str]] = {
        "allUpdatesRule": "notificationsRule",
        "budgetFilter.customPeriod": "customPeriod",
    }
    kept = frozenset({"budgetFilter.labels"})
    computed = frozenset({"thresholdRules"})
    unordered = frozenset({"budgetFilter.projects", "budgetFilter.resourceAncestors"})
    inner_computed = frozenset({"amount.specifiedAmount.currencyCode", "budgetFilter.services"})
    sources = (PROVIDER + "billing_budget",)

    def parts_of(self, cloud: GcpClient, inputs: Props) -> dict[str, str]:
        """See Table."""
        return {"name": "", "billingAccount": str(inputs["billingAccount"])}

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The account and the number."""
        bits = id.split("/")
        return {"billingAccount": bits[1], "name": bits[-1]}

    def named(self, parts: dict[str, str], answer: Mapping[str, Any]) -> dict[str, str]:
        """See Table."""
        return {**parts, "name": last(str(answer["name"]))}

    def _under(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"parent": f"billingAccounts/{parts['billingAccount']}"}

    def _at(self, parts: Mapping[str, str]) -> dict[str, str]:
        return {"name": f"billingAccounts/{parts['billingAccount']}/budgets/{parts['name']}"}

    def decode(
        self, cloud: GcpClient, made: dict[str, Any], item: dict[str, Any], known: Props, parts: dict[str, str]
    ) -> dict[str, Any]:
        """See Table."""
        made["name"] = last(item["name"])
        return made


TYPES = (
    FilestoreInstance,
    ParallelstoreInstance,
    RedisInstance,
    DatabaseInstance,
    Database,
    User,
    Dataset,
    BigqueryTable,
    RunService,
    RunJob,
    KnativeService,
    Function1,
    Function2,
    Repository,
    Connector,
    Topic,
    Subscription,
    Schema,
    SchedulerJob,
    Secret,
    SecretVersion,
    ManagedZone,
    RecordSet,
    Metric,
    ProjectSink,
    ProjectExclusion,
    ProjectBucketConfig,
    AlertPolicy,
    NotificationChannel,
    UptimeCheckConfig,
    Dashboard,
    WorkloadIdentityPool,
    WorkloadIdentityPoolProvider,
    CustomRole,
    ProjectService,
    Connection,
    Budget,
)
