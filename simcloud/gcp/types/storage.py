"""Buckets and objects."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from simcloud.gcp import facts
from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import PROVIDER, GcpType
from simcloud.gcp.types.codec import Field, Place, from_api, plain, to_api
from simcloud.provider.model import AutoName, CloudError, Failure, Props

_CONDITION = (
    Field("age"),
    Field("createdBefore"),
    Field("customTimeBefore"),
    Field("daysSinceCustomTime"),
    Field("daysSinceNoncurrentTime"),
    Field("matchesPrefixes", "matchesPrefix"),
    Field("matchesStorageClasses", "matchesStorageClass"),
    Field("matchesSuffixes", "matchesSuffix"),
    Field("noncurrentTimeBefore"),
    Field("numNewerVersions"),
)
_RULE = (Field("action", sub=(Field("type"), Field("storageClass"))), Field("condition", sub=_CONDITION))
_LIVE = {"LIVE": True, "ARCHIVED": False}
_SEND_ZERO = {
    "sendAgeIfZero": "age",
    "sendDaysSinceCustomTimeIfZero": "daysSinceCustomTime",
    "sendDaysSinceNoncurrentTimeIfZero": "daysSinceNoncurrentTime",
    "sendNumNewerVersionsIfZero": "numNewerVersions",
}


class Bucket(GcpType):
    """A Cloud Storage bucket."""

    computed = frozenset({"project", "uniformBucketLevelAccess", "publicAccessPrevention", "softDeletePolicy", "rpo"})
    token = "gcp:storage/bucket:Bucket"
    auto_name = AutoName(max_length=63, lower=True)
    path = "{name}"
    labelled = True
    defaults: ClassVar[Props] = {"forceDestroy": False, "storageClass": "STANDARD"}
    replace_on = frozenset(
        {"name", "location", "project", "customPlacementConfig", "enableObjectRetention", "hierarchicalNamespace"}
    )
    write_only = frozenset({"forceDestroy", "enableObjectRetention", "ipFilter"})
    changed_by_update = frozenset({"updated", "effectiveLabels", "pulumiLabels"})
    sources = (PROVIDER + "storage_bucket", "docs.cloud.google.com/storage/docs/json_api/v1/buckets")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("name"),
        Field("location"),
        Field("storageClass"),
        Field("versioning", sub=(Field("enabled"),)),
        Field("uniformBucketLevelAccess", "iamConfiguration.uniformBucketLevelAccess.enabled"),
        Field("publicAccessPrevention", "iamConfiguration.publicAccessPrevention"),
        Field("encryption", sub=(Field("defaultKmsKeyName"),)),
        Field("softDeletePolicy", sub=(Field("retentionDurationSeconds", kind="int"), Field("effectiveTime"))),
        Field("retentionPolicy", sub=(Field("retentionPeriod"), Field("isLocked"))),
        Field("logging", sub=(Field("logBucket"), Field("logObjectPrefix"))),
        Field("website", sub=(Field("mainPageSuffix"), Field("notFoundPage", "notFoundPage"))),
        Field(
            "cors",
            many=True,
            sub=(
                Field("origins", "origin"),
                Field("methods", "method"),
                Field("responseHeaders", "responseHeader"),
                Field("maxAgeSeconds"),
            ),
        ),
        Field("autoclass", sub=(Field("enabled"), Field("terminalStorageClass"))),
        Field("hierarchicalNamespace", sub=(Field("enabled"),)),
        Field("customPlacementConfig", sub=(Field("dataLocations"),)),
        Field("defaultEventBasedHold"),
        Field("requesterPays", "billing.requesterPays"),
        Field("rpo"),
    )
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("selfLink"),
        Field("timeCreated"),
        Field("updated"),
        Field("projectNumber", kind="int"),
    )

    def canonical(self, value: str) -> str:
        """A location is written in either case."""
        upper = value.upper()
        known = facts.data("places")["buckets"]
        place = upper in known["multi"] or upper in known["dual"] or value.lower() in facts.regions()
        return upper if place else value

    def check(self, inputs: Props) -> list[Failure]:
        """A lifecycle rule has an action and a condition; a name has no upper case."""
        found = super().check(inputs)
        name = inputs.get("name")
        if isinstance(name, str) and name != name.lower():
            found.append(Failure("name", f'"name" value cannot contain uppercase letters: {name}'))
        return found

    def _body(self, inputs: Props) -> dict[str, Any]:
        made = to_api(self.fields, inputs, Place(""))
        rules = inputs.get("lifecycleRules")
        if rules is not None:
            made["lifecycle"] = {"rule": [_rule_out(r) for r in rules]}
        return made

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        body = self._body(inputs)
        labels = self.merged(cloud, inputs)
        if labels:
            body["labels"] = labels
        cloud.call("storage.buckets.insert", project=str(inputs.get("project") or cloud.project), body=body)
        return str(body["name"])

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """`name` or `project/name`."""
        project, _, name = id.rpartition("/")
        return {"name": name, "project": project or cloud.project}

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find("storage.buckets.get", bucket=parts["name"])

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = from_api(self.fields + self.outputs, item)
        made["project"] = known.get("project") or parts["project"]
        made["url"] = f"gs://{item['name']}"
        made.setdefault("defaultEventBasedHold", False)
        made.setdefault("requesterPays", False)
        rules = [_rule_in(r) for r in item.get("lifecycle", {}).get("rule", [])]
        if rules:
            made["lifecycleRules"] = _keep_flags(rules, known.get("lifecycleRules"))
        made.setdefault("forceDestroy", bool(known.get("forceDestroy", False)))
        if "isLocked" not in made.get("retentionPolicy", {"isLocked": False}):
            made["retentionPolicy"]["isLocked"] = False
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Members that were given and are no more are sent as null."""
        before, after = self._body(old), self._body(new)
        body: dict[str, Any] = {n: v for n, v in after.items() if n not in ("name", "location") and before.get(n) != v}
        body |= {n: None for n in before if n not in after}
        if self.labels_change(cloud, old, new):
            actual = (cloud.call("storage.buckets.get", bucket=self.parse(cloud, id)["name"])).get("labels", {})
            wanted = self.relabelled(actual, cloud, old, new)
            body["labels"] = {**{k: None for k in actual if k not in wanted}, **wanted}
        if body:
            cloud.call("storage.buckets.patch", bucket=self.parse(cloud, id)["name"], body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """With `forceDestroy`, every generation of every object first."""
        bucket = parts["name"]
        if state.get("forceDestroy"):
            while items := cloud.call("storage.objects.list", bucket=bucket, versions=True).get("items", []):
                for item in items:
                    cloud.call(
                        "storage.objects.delete", bucket=bucket, object=item["name"], generation=item["generation"]
                    )
        try:
            cloud.call("storage.buckets.delete", bucket=bucket)
        except CloudError as error:
            if error.status == 409:
                text = f"Error trying to delete bucket {bucket} containing objects without `force_destroy` set to true"
                raise CloudError(error.code, error.operation, f"{text}: {error.message}", 409) from None
            raise


def _rule_out(rule: Mapping[str, Any]) -> dict[str, Any]:
    made = to_api(_RULE, rule, Place(""))
    given = rule.get("condition", {})
    condition = made.setdefault("condition", {})
    for flag, name in _SEND_ZERO.items():
        # The provider leaves a zero out unless the program says that it means zero.
        if condition.get(name) == 0 and flag in given and not given[flag]:
            del condition[name]
    if given.get("withState") in _LIVE:
        condition["isLive"] = _LIVE[given["withState"]]
    return made


def _rule_in(rule: Mapping[str, Any]) -> dict[str, Any]:
    made = from_api(_RULE, rule)
    live = rule.get("condition", {}).get("isLive")
    made.setdefault("condition", {})["withState"] = {None: "ANY", True: "LIVE", False: "ARCHIVED"}[live]
    return made


def _keep_flags(rules: list[dict[str, Any]], known: Any) -> list[dict[str, Any]]:
    """Flags that only the provider knows, from the last known state, where the rule is the same one."""
    for rule, old in zip(rules, known or [], strict=False):
        for flag in _SEND_ZERO:
            if flag in (old.get("condition") or {}):
                rule["condition"][flag] = old["condition"][flag]
    return rules


class BucketObject(GcpType):
    """An object with content that the program gives."""

    computed = frozenset({"contentType", "storageClass", "kmsKeyName", "detectMd5hash", "metadata"})
    token = "gcp:storage/bucketObject:BucketObject"
    auto_name = AutoName(max_length=1024)
    path = "{bucket}-{name}"
    replace_on = frozenset(
        {"bucket", "name", "kmsKeyName", "storageClass", "customerEncryption", "source", "contentType", "metadata"}
        | {"cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "forceEmptyContentType"}
    )
    write_only = frozenset({"source", "content", "sourceMd5hash", "customerEncryption", "forceEmptyContentType"})
    sources = (PROVIDER + "storage_bucket_object",)
    fields: ClassVar[tuple[Field, ...]] = (
        Field("name"),
        Field("contentType"),
        Field("cacheControl"),
        Field("contentDisposition"),
        Field("contentEncoding"),
        Field("contentLanguage"),
        Field("metadata"),
        Field("storageClass"),
        Field("eventBasedHold"),
        Field("temporaryHold"),
    )
    outputs: ClassVar[tuple[Field, ...]] = (
        Field("bucket"),
        Field("crc32c"),
        Field("md5hash", "md5Hash"),
        Field("detectMd5hash", "md5Hash"),
        Field("generation", kind="int"),
        Field("mediaLink"),
        Field("selfLink"),
        Field("outputName", "name"),
        Field("kmsKeyName"),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """Content or a source, and only one of them."""
        found = super().check(inputs)
        if "source" in inputs and "content" in inputs:
            found.append(Failure("content", '"content": only one of `content,source` can be specified'))
        return found

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        from googleapiclient.http import MediaInMemoryUpload

        body = to_api(self.fields, inputs, Place(""))
        kind = str(inputs.get("contentType") or "text/plain; charset=utf-8")
        media = MediaInMemoryUpload(_content(inputs), mimetype=kind)
        more = {"kmsKeyName": inputs["kmsKeyName"]} if inputs.get("kmsKeyName") else {}
        cloud.call("storage.objects.insert", bucket=inputs["bucket"], body=body, media_body=media, **more)
        return f"{inputs['bucket']}-{inputs['name']}"

    def read(self, cloud: GcpClient, id: str, known: Props) -> dict[str, Any] | None:
        """The id does not say where the bucket's name ends: the known state does."""
        bucket = str(known.get("bucket") or id.partition("-")[0])
        name = str(known.get("name") or id.removeprefix(f"{bucket}-"))
        item = cloud.find("storage.objects.get", bucket=bucket, object=name)
        if item is None:
            return None
        made = from_api(self.fields + self.outputs, item)
        made["md5hexhash"] = binascii.hexlify(base64.b64decode(item["md5Hash"])).decode()
        for prop in self.write_only:
            if known.get(prop) is not None:
                made[prop] = plain(known[prop])
        made["deletionPolicy"] = known.get("deletionPolicy") or "DELETE"
        made["id"] = f"{bucket}-{name}"
        return made

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Content that the program gives, and holds, change in place."""
        if new.get("content") is not None and old.get("content") != new.get("content"):
            self.create(cloud, new)
            return
        before, after = to_api(self.fields, old, Place("")), to_api(self.fields, new, Place(""))
        body: dict[str, Any] = {n: after.get(n) for n in {*before, *after} if before.get(n) != after.get(n)}
        if body:
            cloud.call("storage.objects.patch", bucket=new["bucket"], object=new["name"], body=body)

    def delete(self, cloud: GcpClient, id: str, state: Props) -> None:
        """See GcpType."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        if state.get("deletionPolicy") == "PREVENT":
            raise CloudError(
                "deletionPolicy", self.token, f"cannot destroy {id} without setting deletion_policy to something else"
            )
        try:
            cloud.call("storage.objects.delete", bucket=state["bucket"], object=state["name"])
        except CloudError as error:
            if error.status != 404:
                raise


def _content(inputs: Props) -> bytes:
    if inputs.get("content") is not None:
        return str(inputs["content"]).encode()
    source = inputs.get("source")
    if isinstance(source, str):
        return Path(source).read_bytes()
    if not isinstance(source, Mapping):
        raise CloudError(
            "invalid", "gcp:storage/bucketObject:BucketObject", "one of `content,source` must be specified"
        )
    if source.get("text") is not None:
        return str(source["text"]).encode()
    path = Path(str(source.get("path") or ""))
    if path.is_absolute() and path.is_file():
        return path.read_bytes()
    # An archive, or a file whose path counts from the program's folder, which the provider is not told: the engine has
    # read it and says its digest, so the content differs whenever the program's does.
    return json.dumps({"digest": source.get("hash"), "path": source.get("path")}, sort_keys=True).encode()


TYPES = (Bucket, BucketObject)
