"""Members and bindings of the policies on services that are told by tables; keys of service accounts; audit logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, GcpType, Spelling, last
from simcloud.gcp.types.codec import plain
from simcloud.gcp.types.iam import _Binding, _Get, _Member, _named, _Policy, _project_get, _project_set, _Set, _Whole
from simcloud.provider.model import CloudError, Failure, Props


class _Granted(_Policy):
    """On a resource that is named by a property and its place."""

    methods: ClassVar[str]
    full: ClassVar[str]
    """The resource's name, with its parts."""

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _named(self.methods)

    def canonical(self, value: str) -> str:
        """A name and the last part of a path mean the same."""
        return last(value) if value.startswith("projects/") else super().canonical(value)

    def _parts(self, cloud: GcpClient, props: Mapping[str, Any]) -> dict[str, str]:
        given = str(props[self.on])
        names = re.findall(r"\{(\w+)\}", self.full)
        whole = re.fullmatch(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.full)), given)
        if whole:
            return whole.groupdict()
        defaults = {"project": cloud.project, "region": cloud.region, "location": cloud.region}
        bits = given.split("/")
        found = dict(zip(names[len(names) - len(bits) :], bits, strict=False))
        for name in names:
            found.setdefault(name, str(props.get(name) or defaults.get(name) or ""))
        return found

    def name(self, cloud: GcpClient, props: Props) -> str:
        """The resource's name."""
        return self.full.format(**self._parts(cloud, props))

    def naming(self, cloud: GcpClient, props: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The resource as the program names it, and its place."""
        parts = self._parts(cloud, {**props, self.on: name})
        keep = str(props.get(self.on) or "")
        return {**parts, self.on: keep if last(keep) == parts[self.on] else parts[self.on]}


_SERVICES: tuple[tuple[str, str, str, str, str, str], ...] = (
    # module, type, property, methods, name, the provider's page
    (
        "cloudfunctions",
        "FunctionIam",
        "cloudFunction",
        "cloudfunctions.projects.locations.functions",
        "projects/{project}/locations/{region}/functions/{cloudFunction}",
        "cloudfunctions_cloud_function_iam",
    ),
    (
        "cloudfunctionsv2",
        "FunctionIam",
        "cloudFunction",
        "v2.cloudfunctions.projects.locations.functions",
        "projects/{project}/locations/{location}/functions/{cloudFunction}",
        "cloudfunctions2_function_iam",
    ),
    (
        "cloudrun",
        "Iam",
        "service",
        "v1.run.projects.locations.services",
        "projects/{project}/locations/{location}/services/{service}",
        "cloud_run_service_iam",
    ),
    (
        "cloudrunv2",
        "ServiceIam",
        "name",
        "run.projects.locations.services",
        "projects/{project}/locations/{location}/services/{name}",
        "cloud_run_v2_service_iam",
    ),
    (
        "cloudrunv2",
        "JobIam",
        "name",
        "run.projects.locations.jobs",
        "projects/{project}/locations/{location}/jobs/{name}",
        "cloud_run_v2_job_iam",
    ),
    ("pubsub", "TopicIAM", "topic", "pubsub.projects.topics", "projects/{project}/topics/{topic}", "pubsub_topic_iam"),
    (
        "pubsub",
        "SubscriptionIAM",
        "subscription",
        "pubsub.projects.subscriptions",
        "projects/{project}/subscriptions/{subscription}",
        "pubsub_subscription_iam",
    ),
    (
        "secretmanager",
        "SecretIam",
        "secretId",
        "secretmanager.projects.secrets",
        "projects/{project}/secrets/{secretId}",
        "secret_manager_secret_iam",
    ),
    (
        "artifactregistry",
        "RepositoryIam",
        "repository",
        "artifactregistry.projects.locations.repositories",
        "projects/{project}/locations/{location}/repositories/{repository}",
        "artifact_registry_repository_iam",
    ),
)


_REPLACES = {
    "Member": frozenset({"role", "condition", "member"}),
    "Binding": frozenset({"role", "condition"}),
    "Policy": frozenset(),
}


def _made(base: type[_Policy], kind: str, row: tuple[str, str, str, str, str, str]) -> type[_Policy]:
    module, stem, on, methods, full, page = row
    name = f"{stem}{kind}"
    parts = set(re.findall(r"\{(\w+)\}", full))
    return type(
        f"{module}_{name}",
        (_Granted, base),
        {
            "__doc__": f"A {kind.lower()} of a role on a resource of {module}.",
            "token": f"gcp:{module}/{name[0].lower()}{name[1:]}:{name}",
            "on": on,
            "methods": methods,
            "full": full,
            "computed": frozenset(parts - {on}),
            "replace_on": frozenset(parts) | _REPLACES[kind],
            "sources": (PROVIDER + page,),
        },
    )


GRANTS: tuple[type[_Policy], ...] = tuple(
    _made(base, kind, row)
    for row in _SERVICES
    for base, kind in ((_Member, "Member"), (_Binding, "Binding"), (_Whole, "Policy"))
)
"""One class for a member, one for a binding and one for the whole policy of each kind of resource."""


class Key(GcpType):
    """A key of a service account."""

    token = "gcp:serviceaccount/key:Key"
    path = "projects/{project}/serviceAccounts/{email}/keys/{key}"
    replace_on = frozenset(
        {"serviceAccountId", "keepers", "keyAlgorithm", "privateKeyType", "publicKeyData", "publicKeyType"}
    )
    defaults: ClassVar[Props] = {
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
        "publicKeyType": "TYPE_X509_PEM_FILE",
    }
    write_only = frozenset({"keepers"})
    computed = frozenset()
    has_deletion_policy = True
    sources = (PROVIDER + "google_service_account_key",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. The private half is told now and never again."""
        account = str(inputs["serviceAccountId"])
        if not account.startswith("projects/"):
            email = account if "@" in account else f"{account}@{cloud.project}.iam.gserviceaccount.com"
            account = f"projects/{cloud.project}/serviceAccounts/{email}"
        body = {n: inputs[n] for n in ("keyAlgorithm", "privateKeyType") if inputs.get(n)}
        made = cloud.call("iam.projects.serviceAccounts.keys.create", name=account, body=body)
        self._told = {**getattr(self, "_told", {}), made["name"]: made["privateKeyData"]}
        return str(made["name"])

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        name = self.id_of(parts)
        return cloud.find("iam.projects.serviceAccounts.keys.get", name=name, publicKeyType="TYPE_X509_PEM_FILE")

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        private = known.get("privateKey") or getattr(self, "_told", {}).pop(item["name"], None)
        return {
            "name": item["name"],
            "serviceAccountId": known.get("serviceAccountId") or item["name"].rpartition("/keys/")[0],
            "keyAlgorithm": item["keyAlgorithm"],
            "publicKey": item.get("publicKeyData", ""),
            "validAfter": item["validAfterTime"],
            "validBefore": item["validBeforeTime"],
            **({"privateKey": private} if private else {}),
            **{n: known[n] for n in ("privateKeyType", "publicKeyType") if known.get(n)},
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Everything replaces."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.call("iam.projects.serviceAccounts.keys.delete", name=self.id_of(parts))


class AuditConfig(Spelling):
    """Which accesses to a service are logged: a part of the project's policy."""

    token = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
    replace_on = frozenset({"project", "service"})
    unordered = frozenset({"auditLogConfigs"})
    changed_by_update = frozenset({"etag"})
    sources = (PROVIDER + "google_project_iam",)

    def check(self, inputs: Props) -> list[Failure]:
        """A log's kind is one of three."""
        found = []
        for i, one in enumerate(inputs.get("auditLogConfigs") or []):
            kind = one.get("logType") if isinstance(one, Mapping) else None
            if kind is not None and kind not in ("ADMIN_READ", "DATA_READ", "DATA_WRITE"):
                found.append(Failure(f"auditLogConfigs[{i}].logType", f"expected one of the three kinds, got {kind}"))
        return found

    def _write(self, cloud: GcpClient, project: str, service: str, logs: list[dict[str, Any]] | None) -> None:
        policy = _project_get(cloud, project) or {}
        kept = [c for c in policy.get("auditConfigs", []) if c["service"] != service]
        policy["auditConfigs"] = kept + ([{"service": service, "auditLogConfigs": logs}] if logs is not None else [])
        _project_set(cloud, project, policy)

    def _logs(self, props: Props) -> list[dict[str, Any]]:
        return [{k: plain(v) for k, v in one.items() if v} for one in props["auditLogConfigs"]]

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        self._write(cloud, str(inputs["project"]), str(inputs["service"]), self._logs(inputs))
        return f"{inputs['project']}/audit_config/{inputs['service']}"

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        project, service = id.split(" ") if " " in id else (id.partition("/")[0], id.rpartition("/")[2])
        policy = _project_get(cloud, project) or {}
        found = next((c for c in policy.get("auditConfigs", []) if c["service"] == service), None)
        if found is None:
            return None
        return {
            "project": project,
            "service": service,
            "auditLogConfigs": found["auditLogConfigs"],
            "etag": policy.get("etag", ""),
            "id": f"{project}/audit_config/{service}",
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The kinds of logs change in place."""
        self._write(cloud, str(new["project"]), str(new["service"]), self._logs(new))

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See ResourceType."""
        try:
            self._write(cloud, str(state["project"]), str(state["service"]), None)
        except CloudError as error:
            if error.status != 404:
                raise


TYPES = (*GRANTS, Key, AuditConfig)
