"""Key rings and keys. Neither can be deleted: destroying a ring forgets it, destroying a key destroys its versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from simcloud.gcp.client import GcpClient
from simcloud.gcp.types.base import NAME, PROVIDER, GcpType, last
from simcloud.gcp.types.codec import Field, Place, from_api, to_api
from simcloud.provider.model import Failure, Props

_RINGS = "cloudkms.projects.locations.keyRings"


class KeyRing(GcpType):
    """A key ring."""

    token = "gcp:kms/keyRing:KeyRing"
    auto_name = NAME
    path = "projects/{project}/locations/{location}/keyRings/{name}"
    replace_on = frozenset({"name", "location", "project"})
    has_deletion_policy = False
    sources = (PROVIDER + "kms_key_ring",)

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        project = str(inputs.get("project") or cloud.project)
        parts = {"project": project, "location": str(inputs["location"]), "name": str(inputs["name"])}
        parent = f"projects/{project}/locations/{parts['location']}"
        cloud.call(f"{_RINGS}.create", parent=parent, keyRingId=parts["name"], body={})
        return self.id_of(parts)

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType."""
        return cloud.find(f"{_RINGS}.get", name=self.id_of(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        return {"name": parts["name"], "location": parts["location"], "project": parts["project"]}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Everything replaces."""

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """Cloud KMS keeps key rings for ever; the provider only forgets it."""


class CryptoKey(GcpType):
    """A key."""

    computed = frozenset({"destroyScheduledDuration", "versionTemplate", "importOnly", "cryptoKeyBackend"})
    token = "gcp:kms/cryptoKey:CryptoKey"
    auto_name = NAME
    path = "{keyRing}/cryptoKeys/{name}"
    labelled = True
    defaults: ClassVar[Props] = {"purpose": "ENCRYPT_DECRYPT"}
    replace_on = frozenset(
        {"name", "keyRing", "purpose", "importOnly", "destroyScheduledDuration"}
        | {"versionTemplate.protectionLevel", "cryptoKeyBackend"}
    )
    write_only = frozenset({"skipInitialVersionCreation", "keyAccessJustificationsPolicy"})
    changed_by_update = frozenset({"effectiveLabels", "pulumiLabels"})
    sources = (PROVIDER + "kms_crypto_key",)
    fields: ClassVar[tuple[Field, ...]] = (
        Field("purpose"),
        Field("rotationPeriod"),
        Field("destroyScheduledDuration"),
        Field("importOnly", default=False),
        Field("cryptoKeyBackend", default=""),
        Field("versionTemplate", sub=(Field("algorithm"), Field("protectionLevel"))),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """The provider checks the rotation period itself."""
        found = super().check(inputs)
        period = inputs.get("rotationPeriod")
        if isinstance(period, str) and (not period.endswith("s") or float(period[:-1] or 0) < 86400):
            found.append(Failure("rotationPeriod", "rotation period must be greater than 1 day"))
        return found

    def _body(self, cloud: GcpClient, inputs: Props) -> dict[str, Any]:
        made = to_api(self.fields, inputs, Place(""))
        if "rotationPeriod" in made:
            after = datetime.now(UTC) + timedelta(seconds=float(made["rotationPeriod"].removesuffix("s")))
            made["nextRotationTime"] = after.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return made

    def create(self, cloud: GcpClient, inputs: Props) -> str:
        """See ResourceType."""
        ring, name = str(inputs["keyRing"]), str(inputs["name"])
        cloud.call(
            f"{_RINGS}.cryptoKeys.create",
            parent=ring,
            cryptoKeyId=name,
            skipInitialVersionCreation=bool(inputs.get("skipInitialVersionCreation")),
            body={**self._body(cloud, inputs), "labels": self.merged(cloud, inputs)},
        )
        return f"{ring}/cryptoKeys/{name}"

    def parse(self, cloud: GcpClient, id: str) -> dict[str, str]:
        """`ring/cryptoKeys/name`, `ring/name`, or `project/location/ring/name`."""
        head, _, name = id.rpartition("/")
        ring = head.removesuffix("/cryptoKeys")
        if not ring.startswith("projects/"):
            bits = ring.split("/")
            project, where, short = bits if len(bits) == 3 else [cloud.project, *bits]
            ring = f"projects/{project}/locations/{where}/keyRings/{short}"
        return {"keyRing": ring, "name": name}

    def fetch(self, cloud: GcpClient, parts: dict[str, str]) -> dict[str, Any] | None:
        """See GcpType. A key whose versions are all destroyed or about to be is gone for the provider's users, yet
        the API still has it, and so has the provider."""
        return cloud.find(f"{_RINGS}.cryptoKeys.get", name=self.id_of(parts))

    def state(self, cloud: GcpClient, parts: dict[str, str], item: dict[str, Any], known: Props) -> dict[str, Any]:
        """See GcpType."""
        made = from_api(self.fields, item)
        primary = item.get("primary")
        made["primaries"] = [{"name": primary["name"], "state": primary["state"]}] if primary else []
        made["skipInitialVersionCreation"] = bool(known.get("skipInitialVersionCreation", False))
        return made | {"name": last(item["name"]), "keyRing": parts["keyRing"]}

    def update(self, cloud: GcpClient, id: str, old: Props, new: Props) -> None:
        """Rotation, labels and the algorithm change in place."""
        parts = self.parse(cloud, id)
        mask, body = [], self._body(cloud, new)
        if old.get("rotationPeriod") != new.get("rotationPeriod"):
            mask += ["rotationPeriod", "nextRotationTime"]
        if self.labels_change(cloud, old, new):
            mask.append("labels")
            actual = (self.fetch(cloud, parts) or {}).get("labels", {})
            body["labels"] = self.relabelled(actual, cloud, old, new)
        if old.get("versionTemplate") != new.get("versionTemplate"):
            mask.append("versionTemplate.algorithm")
        if mask:
            kept = {"rotationPeriod", "nextRotationTime", "labels", "versionTemplate"}
            body = {k: v for k, v in body.items() if k in kept}
            name = self.id_of(parts)
            cloud.call(f"{_RINGS}.cryptoKeys.patch", name=name, updateMask=",".join(mask), body=body)

    def remove(self, cloud: GcpClient, parts: dict[str, str], state: Props) -> None:
        """Destroys every version and stops the rotation."""
        name = self.id_of(parts)
        listed = cloud.call(f"{_RINGS}.cryptoKeys.cryptoKeyVersions.list", parent=name)
        for version in listed.get("cryptoKeyVersions", []):
            if version["state"] in ("ENABLED", "DISABLED"):
                cloud.call(f"{_RINGS}.cryptoKeys.cryptoKeyVersions.destroy", name=version["name"], body={})
        if state.get("rotationPeriod"):
            mask = "rotationPeriod,nextRotationTime"
            cloud.call(f"{_RINGS}.cryptoKeys.patch", name=name, updateMask=mask, body={})


TYPES = (KeyRing, CryptoKey)
