"""Cloud KMS: key rings (never deleted), keys, versions with their wait before destruction, policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simcloud.gcp import facts, policies
from simcloud.gcp.call import Call, handles
from simcloud.gcp.errors import Refusal, rule
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/kms/docs"
NAME = rule(
    "kms.name",
    "a ring's or key's id is 1 to 63 letters, digits, dashes, underscores",
    "discovery document cloudkms.v1",
    ours=True,
)
PLACE = rule("kms.location", "a key ring lies in global, a region or a multi-region", _DOC + "/locations", ours=True)
ROTATION = rule(
    "kms.rotation",
    "a rotation period is at least a day, only for ENCRYPT_DECRYPT, with a next time",
    "discovery document cloudkms.v1",
    ours=True,
)
PURPOSE = rule(
    "kms.purpose", "purpose and destroy schedule of a key never change", "discovery document cloudkms.v1", ours=True
)
MASK = rule(
    "kms.mask", "a patch has an update mask of members that change", "discovery document cloudkms.v1", ours=True
)
SCHEDULE = rule(
    "kms.destroy-schedule",
    "versions wait 24 hours to 120 days before destruction, 30 days if nothing is said",
    _DOC + "/destroy-restore",
    ours=True,
)
STATE = rule(
    "kms.version-state",
    "only an enabled or disabled version is destroyed, only one that waits is restored",
    _DOC + "/key-states",
    ours=True,
)

_ALGORITHM = {
    "ENCRYPT_DECRYPT": "GOOGLE_SYMMETRIC_ENCRYPTION",
    "ASYMMETRIC_SIGN": "",
    "ASYMMETRIC_DECRYPT": "",
    "MAC": "HMAC_SHA256",
    "RAW_ENCRYPT_DECRYPT": "",
}
_ID = re.compile(r"[a-zA-Z0-9_-]{1,63}")
_MULTI = frozenset({"global", "us", "eu", "europe", "asia", "nam3", "nam4", "eur3", "eur4", "eur5", "asia1"})


def _seconds(value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", value)
    if found is None:
        raise Refusal(400, f"Invalid duration: {value}")
    return float(found.group(1))


def _check_location(call: Call) -> None:
    where = call.args.get("locationsId", "")
    if where not in _MULTI and where not in facts.regions():
        raise Refusal(400, f"The request concerns location '{where}' which does not exist.", rule=PLACE)


@handles("cloudkms.projects.locations.keyRings.create")
def create_ring(call: Call) -> dict[str, Any]:
    """A key ring. It can never be deleted."""
    _check_location(call)
    ring = call.query.get("keyRingId", "")
    if not _ID.fullmatch(ring):
        raise Refusal(400, f"Invalid key ring id: '{ring}'.", rule=NAME)
    name = f"{call.match.name}/{ring}"
    if name in call.world.state.rings:
        raise Refusal(409, f"KeyRing {name} already exists.", state="ALREADY_EXISTS")
    call.world.state.rings[name] = {"name": name, "createTime": call.now}
    return call.world.state.rings[name]


def _ring(call: Call, name: str) -> dict[str, Any]:
    found = call.world.state.rings.get(name)
    if found is None:
        raise Refusal(404, f"KeyRing {name} not found.")
    return found


def _key(call: Call, name: str) -> dict[str, Any]:
    found = call.world.state.keys.get(name)
    if found is None:
        raise Refusal(404, f"CryptoKey {name} not found.")
    return found


def _version(call: Call, name: str) -> dict[str, Any]:
    found = call.world.state.versions.get(name)
    if found is None:
        raise Refusal(404, f"CryptoKeyVersion {name} not found.")
    return found


@handles("cloudkms.projects.locations.keyRings.get")
def get_ring(call: Call) -> dict[str, Any]:
    """A key ring."""
    return _ring(call, call.match.name)


@handles("cloudkms.projects.locations.keyRings.list")
def list_rings(call: Call) -> dict[str, Any]:
    """The key rings of a location."""
    found = [r for n, r in call.world.state.rings.items() if n.startswith(call.match.name + "/")]
    return {"keyRings": found, "totalSize": len(found)} if found else {}


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.create")
def create_key(call: Call) -> dict[str, Any]:
    """A key, with its first version unless the caller says otherwise."""
    ring = call.match.name.removesuffix("/cryptoKeys")
    _ring(call, ring)
    id = call.query.get("cryptoKeyId", "")
    if not _ID.fullmatch(id):
        raise Refusal(400, f"Invalid key id: '{id}'.", rule=NAME)
    name = f"{ring}/cryptoKeys/{id}"
    if name in call.world.state.keys:
        raise Refusal(409, f"CryptoKey {name} already exists.", state="ALREADY_EXISTS")
    body = call.body
    purpose = body.get("purpose", "")
    if purpose not in _ALGORITHM:
        raise Refusal(400, "The purpose of a key is required.", rule=PURPOSE)
    _check_rotation(body, purpose)
    wait = _seconds(body.get("destroyScheduledDuration", "2592000s"))
    if not 86400 <= wait <= 120 * 86400:
        raise Refusal(400, "destroyScheduledDuration must be from 24 hours to 120 days.", rule=SCHEDULE)
    template = {"protectionLevel": "SOFTWARE", "algorithm": _ALGORITHM[purpose], **body.get("versionTemplate", {})}
    if not template["algorithm"]:
        raise Refusal(400, f"A key for {purpose} needs an algorithm in its version template.", rule=PURPOSE)
    made: dict[str, Any] = {
        "name": name,
        "purpose": purpose,
        "createTime": call.now,
        "versionTemplate": template,
        "destroyScheduledDuration": f"{wait:.0f}s",
        **{k: body[k] for k in ("nextRotationTime", "rotationPeriod", "labels", "importOnly") if body.get(k)},
    }
    call.world.state.keys[name] = made
    if call.query.get("skipInitialVersionCreation", "").lower() != "true" and not body.get("importOnly"):
        first = _add_version(call, name, made)
        if purpose == "ENCRYPT_DECRYPT":
            made["_primary"] = first["name"]
    return _shown(call, made)


def _check_rotation(body: dict[str, Any], purpose: str) -> None:
    period = body.get("rotationPeriod")
    if period is None:
        return
    if purpose != "ENCRYPT_DECRYPT" or _seconds(period) < 86400:
        raise Refusal(400, "A rotation period is at least 24 hours, for symmetric encryption keys.", rule=ROTATION)
    if not body.get("nextRotationTime"):
        raise Refusal(400, "A rotation period needs a next rotation time.", rule=ROTATION)


def _add_version(call: Call, key: str, item: dict[str, Any]) -> dict[str, Any]:
    number = 1 + sum(n.startswith(key + "/") for n in call.world.state.versions)
    name = f"{key}/cryptoKeyVersions/{number}"
    made = {
        "name": name,
        "state": "ENABLED",
        "createTime": call.now,
        "generateTime": call.now,
        "protectionLevel": item["versionTemplate"]["protectionLevel"],
        "algorithm": item["versionTemplate"]["algorithm"],
    }
    call.world.state.versions[name] = made
    return made


def _shown(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in item.items() if not k.startswith("_")}
    if item.get("_primary"):
        found["primary"] = call.world.state.versions[item["_primary"]]
    return found


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.get")
def get_key(call: Call) -> dict[str, Any]:
    """A key with its primary version."""
    return _shown(call, _key(call, call.match.name))


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.list")
def list_keys(call: Call) -> dict[str, Any]:
    """The keys of a ring."""
    _ring(call, call.match.name.removesuffix("/cryptoKeys"))
    found = [_shown(call, k) for n, k in call.world.state.keys.items() if n.startswith(call.match.name + "/")]
    return {"cryptoKeys": found, "totalSize": len(found)} if found else {}


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.patch")
def patch_key(call: Call) -> dict[str, Any]:
    """Rotation, labels and the version template change in place."""
    item = _key(call, call.match.name)
    mask = [f for f in call.query.get("updateMask", "").split(",") if f]
    if not mask:
        raise Refusal(400, "An update mask is required.", rule=MASK)
    wanted = dict(item)
    for field in mask:
        name = re.sub(r"_([a-z])", lambda m: m.group(1).upper(), field)
        if name in ("purpose", "destroyScheduledDuration", "importOnly", "cryptoKeyBackend"):
            raise Refusal(400, f"{name} of a key never changes.", rule=PURPOSE)
        top = name.split(".")[0]
        if top not in ("rotationPeriod", "nextRotationTime", "labels", "versionTemplate"):
            raise Refusal(400, f"Unknown field in the update mask: {field}.", rule=MASK)
        if top in call.body and call.body[top] not in ("", {}):
            new = call.body[top]
            wanted[top] = {**item.get(top, {}), **new} if top == "versionTemplate" else new
        else:
            wanted.pop(top, None)
    _check_rotation(wanted, item["purpose"])
    call.world.state.keys[call.match.name] = wanted
    return _shown(call, wanted)


_VERSIONS = "cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions"


@handles(f"{_VERSIONS}.create")
def create_version(call: Call) -> dict[str, Any]:
    """A further version of a key."""
    key = call.match.name.removesuffix("/cryptoKeyVersions")
    return _add_version(call, key, _key(call, key))


@handles(f"{_VERSIONS}.get")
def get_version(call: Call) -> dict[str, Any]:
    """A version."""
    return _version(call, call.match.name)


@handles(f"{_VERSIONS}.list")
def list_versions(call: Call) -> dict[str, Any]:
    """The versions of a key, those that are gone included."""
    _key(call, call.match.name.removesuffix("/cryptoKeyVersions"))
    found = [v for n, v in call.world.state.versions.items() if n.startswith(call.match.name + "/")]
    wanted = re.fullmatch(r"state\s*(=|!=)\s*\"?(\w+)\"?", call.query.get("filter", "").strip())
    if wanted:
        found = [v for v in found if (v["state"] == wanted.group(2)) == (wanted.group(1) == "=")]
    return {"cryptoKeyVersions": found, "totalSize": len(found)} if found else {}


@handles(f"{_VERSIONS}.patch")
def patch_version(call: Call) -> dict[str, Any]:
    """Enable or disable a version."""
    item = _version(call, call.match.name)
    wanted = call.body.get("state")
    if wanted not in ("ENABLED", "DISABLED") or item["state"] not in ("ENABLED", "DISABLED"):
        raise Refusal(
            400,
            f"A version in state {item['state']} does not become {wanted}.",
            state="FAILED_PRECONDITION",
            rule=STATE,
        )
    item["state"] = wanted
    return item


@handles(f"{_VERSIONS}.destroy")
def destroy_version(call: Call) -> dict[str, Any]:
    """A version waits for destruction; until then it can be restored."""
    item = _version(call, call.match.name)
    if item["state"] not in ("ENABLED", "DISABLED"):
        raise Refusal(
            400,
            f"The request cannot be fulfilled. Resource {item['name']} has value {item['state']} "
            "in field crypto_key_version.state.",
            state="FAILED_PRECONDITION",
        )
    key = _key(call, call.match.name.rpartition("/cryptoKeyVersions/")[0])
    item["state"] = "DESTROY_SCHEDULED"
    wait = timedelta(seconds=_seconds(key["destroyScheduledDuration"]))
    item["destroyTime"] = (call.moment.now + wait).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return item


@handles(f"{_VERSIONS}.restore")
def restore_version(call: Call) -> dict[str, Any]:
    """A waiting version comes back, disabled."""
    item = _version(call, call.match.name)
    if item["state"] != "DESTROY_SCHEDULED":
        raise Refusal(
            400, f"A version in state {item['state']} is not restored.", state="FAILED_PRECONDITION", rule=STATE
        )
    item["state"] = "DISABLED"
    item.pop("destroyTime")
    return item


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.updatePrimaryVersion")
def primary(call: Call) -> dict[str, Any]:
    """Choose the version that encrypts."""
    item = _key(call, call.match.name)
    name = f"{call.match.name}/cryptoKeyVersions/{call.body.get('cryptoKeyVersionId', '')}"
    if _version(call, name)["state"] != "ENABLED":
        raise Refusal(400, "The primary version is enabled.", state="FAILED_PRECONDITION", rule=STATE)
    item["_primary"] = name
    return _shown(call, item)


@handles("cloudkms.projects.locations.keyRings.getIamPolicy")
def ring_policy(call: Call) -> dict[str, Any]:
    """The policy on a ring."""
    return policies.read(call.world, _ring(call, call.match.name)["name"])


@handles("cloudkms.projects.locations.keyRings.setIamPolicy")
def set_ring_policy(call: Call) -> dict[str, Any]:
    """Replace the policy on a ring."""
    return policies.write(call, _ring(call, call.match.name)["name"], call.body.get("policy", {}))


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.getIamPolicy")
def key_policy(call: Call) -> dict[str, Any]:
    """The policy on a key."""
    return policies.read(call.world, _key(call, call.match.name)["name"])


@handles("cloudkms.projects.locations.keyRings.cryptoKeys.setIamPolicy")
def set_key_policy(call: Call) -> dict[str, Any]:
    """Replace the policy on a key."""
    return policies.write(call, _key(call, call.match.name)["name"], call.body.get("policy", {}))


_CRYPT = frozenset({"roles/cloudkms.cryptoKeyEncrypterDecrypter", "roles/cloudkms.admin", "roles/owner"})


def usable(world: GcpWorld, key: str) -> bool:
    """Whether a key exists and its primary version works."""
    item = world.state.keys.get(key)
    if item is None or not item.get("_primary"):
        return False
    return bool(world.state.versions[item["_primary"]]["state"] == "ENABLED")


def may_encrypt(world: GcpWorld, key: str, email: str) -> bool:
    """Whether a service account may encrypt and decrypt with a key, by the key's, ring's or project's policy."""
    names = [key, key.rpartition("/cryptoKeys/")[0], "/".join(key.split("/")[:2])]
    return policies.holds(world, names, f"serviceAccount:{email}", _CRYPT - {"roles/cloudkms.admin"})


def reconcile(world: GcpWorld, moment: Moment) -> bool:
    """Versions whose wait is over are destroyed; keys whose time has come rotate on the next tick."""
    changed = False
    for item in world.state.versions.values():
        due = str(item.get("destroyTime"))
        if item["state"] == "DESTROY_SCHEDULED" and datetime.fromisoformat(due.replace("Z", "+00:00")) <= moment.now:
            item["state"] = "DESTROYED"
            item["destroyEventTime"] = item.pop("destroyTime")
            changed = True
    return changed


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Keys that still have a version which works."""
    for name, item in world.state.keys.items():
        states = {v["state"] for n, v in world.state.versions.items() if n.startswith(name + "/")}
        if states & {"ENABLED", "DISABLED"}:
            yield {
                "type": "cloudkms.cryptoKeys",
                "name": name,
                "link": f"https://cloudkms.googleapis.com/v1/{name}",
                "labels": dict(item.get("labels", {})),
            }


def kept(world: GcpWorld) -> list[dict[str, Any]]:
    """Rings and keys, which Cloud KMS never deletes, and versions that wait for destruction."""
    source = "docs.cloud.google.com/kms/docs/resource-hierarchy, .../destroy-restore"
    found: list[dict[str, Any]] = [
        {
            "type": "cloudkms.keyRings",
            "name": name,
            "state": "KEPT",
            "reason": "key rings cannot be deleted",
            "source": source,
        }
        for name in world.state.rings
    ]
    found += [
        {
            "type": "cloudkms.cryptoKeys",
            "name": n,
            "state": "KEPT",
            "reason": "keys cannot be deleted",
            "source": source,
        }
        for n in world.state.keys
    ]
    for name, item in world.state.versions.items():
        if item["state"] == "DESTROY_SCHEDULED":
            found.append(
                {
                    "type": "cloudkms.cryptoKeyVersions",
                    "name": name,
                    "state": item["state"],
                    "until": item["destroyTime"],
                    "reason": "a destroyed version waits before its material goes",
                    "source": source,
                }
            )
    return found
