"""Service accounts, and members and bindings of policies on every kind of resource."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, GcpType, Spelling
from simcloud.gcp.types.codec import plain
from simcloud.provider.model import AutoName, CloudError, Failure, Props

_EMAIL = ".iam.gserviceaccount.com"


class Account(GcpType):
    """A service account."""

    token = "gcp:serviceaccount/account:Account"
    auto_name = AutoName("accountId", max_length=30, lower=True)
    path = "projects/{project}/serviceAccounts/{email}"
    replace_on = frozenset({"accountId", "project"})
    defaults: ClassVar[Props] = {"disabled": False}
    write_only = frozenset({"createIgnoreAlreadyExists"})
    sources = (
        PROVIDER + "google_service_account",
        "docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts",
    )

    def check(self, inputs: Props) -> list[Failure]:
        """The provider checks the id's pattern itself."""
        import re

        found = super().check(inputs)
        id = inputs.get("accountId")
        if isinstance(id, str) and not re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", id):
            found.append(
                Failure(
                    "accountId", f'"account_id" ("{id}") doesn\'t match regexp "^[a-z](?:[-a-z0-9]{{4,28}}[a-z0-9])$"'
                )
            )
        return found

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        project = str(inputs.get("project") or cloud.project)
        texts = {n: inputs[n] for n in ("displayName", "description") if inputs.get(n)}
        name = f"projects/{project}/serviceAccounts/{inputs['accountId']}@{project}{_EMAIL}"
        try:
            cloud.call(
                "iam.projects.serviceAccounts.create",
                name=f"projects/{project}",
                body={"accountId": inputs["accountId"], "serviceAccount": texts},
            )
        except CloudError as error:
            if error.status != 409 or not inputs.get("createIgnoreAlreadyExists"):
                raise
        if inputs.get("disabled"):
            cloud.call("iam.projects.serviceAccounts.disable", name=name, body={})
        return name

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """The full name, or the email."""
        email = id.rpartition("/")[2]
        project = email.partition("@")[2].removesuffix(_EMAIL) if "@" in email else cloud.project
        return {"email": email, "project": project}

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find("iam.projects.serviceAccounts.get", name=self.id_of(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        return {
            "accountId": item["email"].partition("@")[0],
            "displayName": item.get("displayName", ""),
            "description": item.get("description"),
            "disabled": item.get("disabled", False),
            "project": item["projectId"],
            "name": item["name"],
            "email": item["email"],
            "member": f"serviceAccount:{item['email']}",
            "uniqueId": item["uniqueId"],
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Texts are patched; disabled has methods of its own."""
        name = self.id_of(self.parse(cloud, id))
        fields = [n for n in ("displayName", "description") if old.get(n) != new.get(n)]
        if fields:
            body = {"updateMask": ",".join(fields), "serviceAccount": {n: new.get(n) or "" for n in fields}}
            cloud.call("iam.projects.serviceAccounts.patch", name=name, body=body)
        if bool(old.get("disabled")) != bool(new.get("disabled")):
            verb = "disable" if new.get("disabled") else "enable"
            cloud.call(f"iam.projects.serviceAccounts.{verb}", name=name, body={})

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.call("iam.projects.serviceAccounts.delete", name=self.id_of(parts))


# Policies -----------------------------------------------------------------------------------------------------------

_Get = Callable[[GcpClient, str], dict[str, Any] | None]
_Set = Callable[[GcpClient, str, dict[str, Any]], object]


def _bucket_get(cloud: GcpClient, name: str) -> dict[str, Any] | None:
    return cloud.find("storage.buckets.getIamPolicy", bucket=name, optionsRequestedPolicyVersion=3)


def _bucket_set(cloud: GcpClient, name: str, policy: dict[str, Any]) -> object:
    return cloud.call("storage.buckets.setIamPolicy", bucket=name, body=policy)


def _project_get(cloud: GcpClient, name: str) -> dict[str, Any] | None:
    body = {"options": {"requestedPolicyVersion": 3}}
    return cloud.find("cloudresourcemanager.projects.getIamPolicy", resource=name, body=body)


def _project_set(cloud: GcpClient, name: str, policy: dict[str, Any]) -> object:
    return cloud.call("cloudresourcemanager.projects.setIamPolicy", resource=name, body={"policy": policy})


def _named(collection: str) -> tuple[_Get, _Set]:
    def get(cloud: GcpClient, name: str) -> dict[str, Any] | None:
        return cloud.find(f"{collection}.getIamPolicy", resource=name, options_requestedPolicyVersion=3)

    def put(cloud: GcpClient, name: str, policy: dict[str, Any]) -> object:
        return cloud.call(f"{collection}.setIamPolicy", resource=name, body={"policy": policy})

    return get, put


_Key = tuple[str, str]


def _key(binding: Mapping[str, Any]) -> _Key:
    condition = binding.get("condition") or {}
    return str(binding["role"]), json.dumps({k: v for k, v in condition.items() if v}, sort_keys=True)


class _Policy(Spelling):
    """Common to members and bindings: the resource that carries the policy, and reading, changing, writing it."""

    on: ClassVar[str]
    """The property that names the resource."""
    replace_on = frozenset({"role", "member", "condition"})

    def reach(self) -> tuple[_Get, _Set]:
        """How the policy is read and written."""
        raise NotImplementedError

    def name(self, cloud: GcpClient, props: Props) -> str:
        """What the API calls the resource."""
        return str(props[self.on])

    def canonical(self, value: str) -> str:
        """A bucket is `bucket` and `b/bucket`."""
        return value.removeprefix("b/")

    def shown(self, name: str) -> str:
        """What the state calls the resource."""
        return name

    def naming(self, cloud: GcpClient, props: Mapping[str, Any], name: str) -> dict[str, Any]:
        """How the state names the resource: one property, or a name and its place."""
        return {self.on: self.shown(name)}

    def edit(self, cloud: GcpClient, name: str, change: Callable[[dict[_Key, dict[str, Any]]], None]) -> None:
        """Read, change and write the policy; once more when somebody else was faster, up to ten times."""
        get, put = self.reach()
        for attempt in range(10):
            policy = get(cloud, name)
            if policy is None:
                raise CloudError("NOT_FOUND", self.token, f"{name} does not exist", 404)
            table = {_key(b): {**b, "members": list(b.get("members", []))} for b in policy.get("bindings", [])}
            change(table)
            bindings = [b for b in table.values() if b["members"]]
            version = 3 if any("condition" in b for b in bindings) else policy.get("version", 1)
            try:
                audit = {"auditConfigs": policy["auditConfigs"]} if "auditConfigs" in policy else {}
                put(cloud, name, {"version": version, "etag": policy.get("etag"), "bindings": bindings, **audit})
                return
            except CloudError as error:
                if error.status not in (409, 412) or attempt == 9 or "prevention" in error.message:
                    raise

    def find(self, cloud: GcpClient, name: str, key: _Key) -> tuple[dict[str, Any] | None, str]:
        """The binding, and the policy's etag."""
        policy = self.reach()[0](cloud, name)
        if policy is None:
            return None, ""
        found = next((b for b in policy.get("bindings", []) if _key(b) == key), None)
        return found, str(policy.get("etag", ""))


class _Member(_Policy):
    """One member of one role."""

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. The member joins whoever has the role."""
        name = self.name(cloud, inputs)
        key = _key(inputs)

        def add(table: dict[_Key, dict[str, Any]]) -> None:
            binding = table.setdefault(key, {"role": inputs["role"], "members": []})
            if inputs.get("condition"):
                binding["condition"] = plain(inputs["condition"])
            if inputs["member"] not in binding["members"]:
                binding["members"].append(inputs["member"])

        self.edit(cloud, name, add)
        title = (inputs.get("condition") or {}).get("title")
        return f"{self.shown(name)}/{inputs['role']}/{inputs['member']}" + (f"/{title}" if title else "")

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. An import's id has blanks between resource, role, member and a condition's title."""
        props = dict(known) if known.get("role") else self._from_id(cloud, id)
        name = self.name(cloud, props)
        binding, etag = self._binding(cloud, name, props)
        if binding is None or props["member"] not in binding["members"]:
            return None
        condition = binding.get("condition")
        title = (condition or {}).get("title")
        return {
            **self.naming(cloud, props, name),
            "role": props["role"],
            "member": props["member"],
            **({"condition": condition} if condition else {}),
            "etag": etag,
            "id": f"{self.shown(name)}/{props['role']}/{props['member']}" + (f"/{title}" if title else ""),
        }

    def _binding(self, cloud: GcpClient, name: str, props: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
        title = props.get("_title")
        if not title:
            return self.find(cloud, name, _key(props))
        policy = self.reach()[0](cloud, name) or {}
        for binding in policy.get("bindings", []):
            if binding["role"] == props["role"] and binding.get("condition", {}).get("title") == title:
                return binding, str(policy.get("etag", ""))
        return None, ""

    def _from_id(self, cloud: GcpClient, id: str) -> dict[str, Any]:
        bits = id.split(" ")
        if len(bits) < 3:
            # The id that create gives: resource, role and member with slashes between them.
            head, mark, rest = id.partition("/roles/")
            role, _, member = rest.partition("/")
            if not mark or not member:
                raise CloudError(
                    "invalid",
                    self.token,
                    f"Wrong number of parts to Member id {id}; expected 'resource_name role member [condition_title]'.",
                )
            bits = [head, f"roles/{role}", member]
        found: dict[str, Any] = {self.on: bits[0], "role": bits[1], "member": bits[2]}
        if len(bits) > 3:
            found["_title"] = " ".join(bits[3:])
        return found

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Everything replaces."""

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See ResourceType. The others of the role stay."""
        key = _key(state)

        def drop(table: dict[_Key, dict[str, Any]]) -> None:
            if key in table:
                table[key]["members"] = [m for m in table[key]["members"] if m != state["member"]]

        try:
            self.edit(cloud, self.name(cloud, state), drop)
        except CloudError as error:
            if error.status != 404:
                raise


class _OnBucket(_Policy):
    on = "bucket"

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _bucket_get, _bucket_set

    def name(self, cloud: GcpClient, props: Props) -> str:
        """The bucket without `b/`."""
        return str(props["bucket"]).removeprefix("b/")

    def shown(self, name: str) -> str:
        """The provider's state says `b/name`."""
        return f"b/{name}"


class BucketIAMMember(_OnBucket, _Member):
    """A member of a role on a bucket."""

    token = "gcp:storage/bucketIAMMember:BucketIAMMember"
    replace_on = _Policy.replace_on | {"bucket"}
    sources = (PROVIDER + "storage_bucket_iam",)


class _Binding(_Policy):
    """All members of one role."""

    unordered = frozenset({"members"})
    changed_by_update = frozenset({"etag"})

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        self._put(cloud, inputs)
        return f"{self.shown(self.name(cloud, inputs))}/{inputs['role']}"

    def _put(self, cloud: GcpClient, props: Props) -> None:
        def write(table: dict[_Key, dict[str, Any]]) -> None:
            made: dict[str, Any] = {"role": props["role"], "members": list(props["members"])}
            if props.get("condition"):
                made["condition"] = plain(props["condition"])
            table[_key(props)] = made

        self.edit(cloud, self.name(cloud, props), write)

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType. An import's id has a blank between resource and role."""
        props = dict(known)
        if not known.get("role"):
            head, _, role = id.partition(" ") if " " in id else id.partition("/roles/")
            props = {self.on: head, "role": role if "roles/" in role else f"roles/{role}"}
        name = self.name(cloud, props)
        binding, etag = self.find(cloud, name, _key(props))
        if binding is None:
            return None
        condition = {"condition": binding["condition"]} if binding.get("condition") else {}
        found = {"role": props["role"], "members": binding["members"], "etag": etag}
        found |= self.naming(cloud, props, name)
        return {**found, **condition, "id": f"{self.shown(name)}/{props['role']}"}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The list of members is replaced."""
        self._put(cloud, new)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See ResourceType."""

        def drop(table: dict[_Key, dict[str, Any]]) -> None:
            table.pop(_key(state), None)

        try:
            self.edit(cloud, self.name(cloud, state), drop)
        except CloudError as error:
            if error.status != 404:
                raise


class BucketIAMBinding(_OnBucket, _Binding):
    """All members of a role on a bucket."""

    token = "gcp:storage/bucketIAMBinding:BucketIAMBinding"
    replace_on = frozenset({"bucket", "role", "condition"})
    sources = (PROVIDER + "storage_bucket_iam",)


class _OnProject(_Policy):
    on = "project"

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _project_get, _project_set

    def name(self, cloud: GcpClient, props: Props) -> str:
        """The project without `projects/`."""
        return str(props["project"]).removeprefix("projects/")


class _Whole(_Policy):
    """A policy as a whole, given as JSON text."""

    changed_by_update = frozenset({"etag"})

    def canonical(self, value: str) -> str:
        """Two spellings of one policy are the same."""
        return _normal(value) if value.lstrip().startswith("{") else super().canonical(value)

    def _put(self, cloud: GcpClient, name: str, document: Mapping[str, Any]) -> None:
        get, put = self.reach()
        policy = get(cloud, name)
        if policy is None:
            raise CloudError("NOT_FOUND", self.token, f"{name} does not exist", 404)
        bindings = document.get("bindings", [])
        version = 3 if any(b.get("condition") for b in bindings) else 1
        audit = {"auditConfigs": document["auditConfigs"]} if document.get("auditConfigs") else {}
        put(cloud, name, {"version": version, "etag": policy.get("etag"), "bindings": bindings, **audit})

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. What was there is replaced."""
        name = self.name(cloud, inputs)
        self._put(cloud, name, json.loads(str(inputs["policyData"])))
        return self.shown(name)

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        name = self.name(cloud, known if known.get(self.on) else {self.on: id})
        policy = self.reach()[0](cloud, name)
        if policy is None:
            return None
        live = {n: policy[n] for n in ("bindings", "auditConfigs") if policy.get(n)}
        text = json.dumps(live, separators=(",", ":"))
        given = known.get("policyData")
        same = given is not None and _normal(str(given)) == _normal(text)
        naming = self.naming(cloud, known or {self.on: id}, name)
        found = {"policyData": given if same else text, "etag": policy.get("etag", "")}
        return {**naming, **found, "id": self.shown(name)}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The policy is replaced."""
        self._put(cloud, self.name(cloud, new), json.loads(str(new["policyData"])))

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """An empty policy stays."""
        try:
            self._put(cloud, self.name(cloud, state), {})
        except CloudError as error:
            if error.status != 404:
                raise


def _normal(text: str) -> str:
    """A policy's text with its bindings and members in one order."""
    try:
        policy = json.loads(text)
    except ValueError:
        return text
    bindings = [{**b, "members": sorted(b.get("members", []))} for b in policy.get("bindings", [])]
    ordered = sorted(json.dumps(b, sort_keys=True) for b in bindings if b["members"])
    return json.dumps([ordered, policy.get("auditConfigs") or []], sort_keys=True)


class BucketIAMPolicy(_OnBucket, _Whole):
    """The whole policy on a bucket."""

    token = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy"
    replace_on = frozenset({"bucket"})
    sources = (PROVIDER + "storage_bucket_iam",)


class ProjectIAMMember(_OnProject, _Member):
    """A member of a role on a project."""

    token = "gcp:projects/iAMMember:IAMMember"
    replace_on = _Policy.replace_on | {"project"}
    sources = (PROVIDER + "google_project_iam",)


class ProjectIAMBinding(_OnProject, _Binding):
    """All members of a role on a project."""

    token = "gcp:projects/iAMBinding:IAMBinding"
    replace_on = frozenset({"project", "role", "condition"})
    sources = (PROVIDER + "google_project_iam",)


class _OnAccount(_Policy):
    on = "serviceAccountId"

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _named("iam.projects.serviceAccounts")


class AccountIAMMember(_OnAccount, _Member):
    """A member of a role on a service account: who may act as it."""

    token = "gcp:serviceaccount/iAMMember:IAMMember"
    replace_on = _Policy.replace_on | {"serviceAccountId"}
    sources = (PROVIDER + "google_service_account_iam",)


class AccountIAMBinding(_OnAccount, _Binding):
    """All members of a role on a service account."""

    token = "gcp:serviceaccount/iAMBinding:IAMBinding"
    replace_on = frozenset({"serviceAccountId", "role", "condition"})
    sources = (PROVIDER + "google_service_account_iam",)


class AccountIAMPolicy(_OnAccount, _Whole):
    """The whole policy on a service account."""

    token = "gcp:serviceaccount/iAMPolicy:IAMPolicy"
    replace_on = frozenset({"serviceAccountId"})
    sources = (PROVIDER + "google_service_account_iam",)


class _OnKey(_Policy):
    on = "cryptoKeyId"

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _named("cloudkms.projects.locations.keyRings.cryptoKeys")

    def name(self, cloud: GcpClient, props: Props) -> str:
        """Also `project/location/ring/key`, which the state keeps so."""
        given = str(props[self.on])
        bits = given.split("/")
        if given.startswith("projects/"):
            return given
        project, where, ring, key = bits if len(bits) == 4 else [cloud.project, *bits]
        return f"projects/{project}/locations/{where}/keyRings/{ring}/cryptoKeys/{key}"


class CryptoKeyIAMMember(_OnKey, _Member):
    """A member of a role on a key."""

    token = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    replace_on = _Policy.replace_on | {"cryptoKeyId"}
    sources = (PROVIDER + "google_kms_crypto_key_iam",)


class CryptoKeyIAMBinding(_OnKey, _Binding):
    """All members of a role on a key."""

    token = "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"
    replace_on = frozenset({"cryptoKeyId", "role", "condition"})
    sources = (PROVIDER + "google_kms_crypto_key_iam",)


class KeyRingIAMMember(_Member):
    """A member of a role on a key ring."""

    token = "gcp:kms/keyRingIAMMember:KeyRingIAMMember"
    on = "keyRingId"
    replace_on = _Policy.replace_on | {"keyRingId"}
    sources = (PROVIDER + "google_kms_key_ring_iam",)

    def reach(self) -> tuple[_Get, _Set]:
        """See _Policy."""
        return _named("cloudkms.projects.locations.keyRings")

    def name(self, cloud: GcpClient, props: Props) -> str:
        """Also `project/location/ring`."""
        given = str(props[self.on])
        if given.startswith("projects/"):
            return given
        bits = given.split("/")
        project, where, ring = bits if len(bits) == 3 else [cloud.project, *bits]
        return f"projects/{project}/locations/{where}/keyRings/{ring}"


TYPES = (
    Account,
    BucketIAMMember,
    BucketIAMBinding,
    BucketIAMPolicy,
    AccountIAMPolicy,
    ProjectIAMMember,
    ProjectIAMBinding,
    AccountIAMMember,
    AccountIAMBinding,
    CryptoKeyIAMMember,
    CryptoKeyIAMBinding,
    KeyRingIAMMember,
)
