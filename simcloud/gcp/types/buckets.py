"""Cloud Storage beside buckets and objects: access control lists, notifications, HMAC keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, GcpType
from simcloud.gcp.types.codec import Field, from_api
from simcloud.provider.model import CloudError, Failure, Props


class _Control(GcpType):
    """One entity's right."""

    methods: ClassVar[str]
    computed = frozenset()
    has_deletion_policy = True
    fields: ClassVar[tuple[Field, ...]] = (Field("entity"), Field("role"))
    outputs: ClassVar[tuple[Field, ...]] = (Field("email"), Field("domain"))

    def _where(self, props: Mapping[str, Any]) -> dict[str, str]:
        return {"bucket": str(props["bucket"])}

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        body = {"entity": inputs["entity"], "role": inputs.get("role")}
        cloud.call(f"storage.{self.methods}.insert", **self._where(inputs), body=body)
        return self.id_of({n: str(inputs.get(n)) for n in ("bucket", "object", "entity")})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find(f"storage.{self.methods}.get", **self._where(parts), entity=parts["entity"])

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = {"email": "", "domain": "", **from_api(self.fields + self.outputs, item), **parts}
        return made if "object" in self.path else {k: v for k, v in made.items() if k != "object"}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """The role changes in place."""
        parts = self.parse(cloud, id)
        if old.get("role") != new.get("role"):
            body = {"entity": parts["entity"], "role": new.get("role")}
            cloud.call(f"storage.{self.methods}.update", **self._where(parts), entity=parts["entity"], body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.call(f"storage.{self.methods}.delete", **self._where(parts), entity=parts["entity"])


class BucketAccessControl(_Control):
    """An entity's right to a bucket."""

    token = "gcp:storage/bucketAccessControl:BucketAccessControl"
    methods = "bucketAccessControls"
    path = "{bucket}/{entity}"
    replace_on = frozenset({"bucket", "entity"})
    sources = (PROVIDER + "storage_bucket_access_control",)


class DefaultObjectAccessControl(_Control):
    """An entity's right to the objects that come."""

    token = "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl"
    methods = "defaultObjectAccessControls"
    path = "{bucket}/{entity}"
    replace_on = frozenset({"bucket", "entity"})
    sources = (PROVIDER + "storage_default_object_access_control",)


class ObjectAccessControl(_Control):
    """An entity's right to an object."""

    token = "gcp:storage/objectAccessControl:ObjectAccessControl"
    methods = "objectAccessControls"
    path = "{bucket}/{object}/{entity}"
    replace_on = frozenset({"bucket", "entity", "object"})
    sources = (PROVIDER + "storage_object_access_control",)

    def _where(self, props: Mapping[str, Any]) -> dict[str, str]:
        return {"bucket": str(props["bucket"]), "object": str(props["object"])}


class BucketACL(GcpType):
    """All rights to a bucket."""

    token = "gcp:storage/bucketACL:BucketACL"
    path = "{bucket}-acl"
    computed = frozenset({"roleEntities"})
    replace_on = frozenset({"bucket", "predefinedAcl"})
    write_only = frozenset({"predefinedAcl", "defaultAcl"})
    unordered = frozenset({"roleEntities"})
    sources = (PROVIDER + "storage_bucket_acl",)

    def check(self, inputs: Props) -> list[Failure]:
        """A list by name or by entries, not both."""
        found = super().check(inputs)
        if inputs.get("predefinedAcl") and inputs.get("roleEntities"):
            found.append(Failure("roleEntities", '"role_entity": conflicts with predefined_acl'))
        return found

    def _set(self, cloud: GcpClient, bucket: str, old: list[str], new: list[str]) -> None:
        want = {entity: role for role, _, entity in (entry.partition(":") for entry in new)}
        gone = {entry.split(":", 1)[1] for entry in old} - want.keys()
        for entity, role in want.items():
            body = {"entity": entity, "role": role}
            cloud.call("storage.bucketAccessControls.insert", bucket=bucket, body=body)
        for entity in sorted(gone):
            cloud.call("storage.bucketAccessControls.delete", bucket=bucket, entity=entity)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        bucket = str(inputs["bucket"])
        public = {"publicRead": ["READER:allUsers"], "publicReadWrite": ["WRITER:allUsers"]}
        public |= {"authenticatedRead": ["READER:allAuthenticatedUsers"]}
        given = inputs.get("roleEntities") or public.get(str(inputs.get("predefinedAcl")), [])
        if not given:
            cloud.call("storage.bucketAccessControls.list", bucket=bucket)
        self._set(cloud, bucket, [], [str(e) for e in given])
        return f"{bucket}-acl"

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """See ResourceType."""
        bucket = str(known.get("bucket") or id.removesuffix("-acl"))
        listed = cloud.find("storage.bucketAccessControls.list", bucket=bucket)
        if listed is None:
            return None
        entries = [f"{i['role']}:{i['entity']}" for i in listed.get("items", [])]
        kept = {n: known[n] for n in self.write_only if known.get(n) is not None}
        policy = {"deletionPolicy": known.get("deletionPolicy") or "DELETE"}
        return {"bucket": bucket, "roleEntities": entries, **kept, **policy, "id": f"{bucket}-acl"}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Entries come and go."""
        had, wants = list(old.get("roleEntities") or []), list(new.get("roleEntities") or [])
        self._set(cloud, str(new["bucket"]), had, wants)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        try:
            self._set(cloud, str(state["bucket"]), [str(e) for e in state.get("roleEntities") or []], [])
        except CloudError as error:
            if error.status != 404:
                raise


class Notification(GcpType):
    """Changes of a bucket are told to a topic. Everything replaces it."""

    token = "gcp:storage/notification:Notification"
    path = "{bucket}/notificationConfigs/{number}"
    computed = frozenset()
    has_deletion_policy = False
    replace_on = frozenset({"bucket", "payloadFormat", "topic", "customAttributes", "eventTypes", "objectNamePrefix"})
    unordered = frozenset({"eventTypes"})
    sources = (PROVIDER + "storage_notification",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. A topic's name is completed."""
        topic = str(inputs["topic"]).removeprefix("//pubsub.googleapis.com/")
        topic = topic if "/" in topic else f"projects/{cloud.project}/topics/{topic}"
        body: dict[str, Any] = {
            "topic": f"//pubsub.googleapis.com/{topic}",
            "payload_format": inputs["payloadFormat"],
        }
        for name, member in (
            ("customAttributes", "custom_attributes"),
            ("eventTypes", "event_types"),
            ("objectNamePrefix", "object_name_prefix"),
        ):
            if inputs.get(name):
                body[member] = inputs[name]
        made = cloud.call("storage.notifications.insert", bucket=inputs["bucket"], body=body)
        return self.id_of({"bucket": str(inputs["bucket"]), "number": made["id"]})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find("storage.notifications.get", bucket=parts["bucket"], notification=parts["number"])

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        topic = str(item["topic"])
        given = str(known.get("topic") or "")
        return {
            "bucket": parts["bucket"],
            "payloadFormat": item["payload_format"],
            "topic": given if given and topic.endswith(given) else topic,
            "notificationId": item["id"],
            "selfLink": item["selfLink"],
            "customAttributes": item.get("custom_attributes"),
            "eventTypes": item.get("event_types"),
            "objectNamePrefix": item.get("object_name_prefix"),
        }

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Nothing changes in place."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """See GcpType."""
        cloud.call("storage.notifications.delete", bucket=parts["bucket"], notification=parts["number"])


class HmacKey(GcpType):
    """An HMAC key of a service account."""

    token = "gcp:storage/hmacKey:HmacKey"
    path = "projects/{project}/hmacKeys/{accessId}"
    replace_on = frozenset({"project", "serviceAccountEmail"})
    defaults: ClassVar[Props] = {"state": "ACTIVE"}
    changed_by_update = frozenset({"updated"})
    sources = (PROVIDER + "storage_hmac_key",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType. The secret is told now and never again."""
        project = str(inputs.get("project") or cloud.project)
        made = cloud.call(
            "storage.projects.hmacKeys.create", projectId=project, serviceAccountEmail=inputs["serviceAccountEmail"]
        )
        id = str(made["metadata"]["accessId"])
        self._told = {**getattr(self, "_told", {}), id: made["secret"]}
        if inputs.get("state") == "INACTIVE":
            self._turn(cloud, {"project": project, "accessId": id}, "INACTIVE")
        return self.id_of({"project": project, "accessId": id})

    def _turn(self, cloud: GcpClient, parts: Mapping[str, str], state: str) -> None:
        where = {"projectId": parts["project"], "accessId": parts["accessId"]}
        cloud.call("storage.projects.hmacKeys.update", **where, body={"state": state})

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        where = {"projectId": parts["project"], "accessId": parts["accessId"]}
        return cloud.find("storage.projects.hmacKeys.get", **where)

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        secret = known.get("secret") or getattr(self, "_told", {}).pop(parts["accessId"], "")
        keep = {n: item[n] for n in ("accessId", "serviceAccountEmail", "state", "timeCreated", "updated")}
        return {**keep, "project": parts["project"], "secret": secret}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """A key is switched on or off."""
        if old.get("state") != new.get("state"):
            self._turn(cloud, self.parse(cloud, id), str(new.get("state") or "ACTIVE"))

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """A key is switched off, then deleted."""
        item = self.fetch(cloud, parts)
        if item is not None and item["state"] == "ACTIVE":
            self._turn(cloud, parts, "INACTIVE")
        where = {"projectId": parts["project"], "accessId": parts["accessId"]}
        cloud.call("storage.projects.hmacKeys.delete", **where)


TYPES = (BucketAccessControl, DefaultObjectAccessControl, ObjectAccessControl, BucketACL, Notification, HmacKey)
