"""What Google Cloud lists of a stack, and how each kind is deleted. Reads side by side with `fleetyard.recover.aws`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import google.auth
import httplib2
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from fleetyard.findings import Exit, FleetyardError, error
from fleetyard.recover.decide import Thing, with_objects
from fleetyard.recover.names import NAMED, TAG, TAGGED, Place, inside
from fleetyard.recover.patience import Answer, RefusedError

SIM_ENDPOINT = "FLEETYARD_SIM_GCP_ENDPOINT"
SERVICES = {
    "compute": ("v1", "/compute/v1/"),
    "storage": ("v1", "/storage/v1/"),
    "iam": ("v1", "/"),
    "cloudkms": ("v1", "/"),
    "tpu": ("v2", "/"),
}
"""Version, and what follows the endpoint in each service's addresses (`servicePath` of the discovery documents)."""
DENIED = {401, 403}
ABSENT = {404, 410}
BUSY = (
    "resourceInUseByAnotherResource",
    "resourceNotReady",
    "RESOURCE_IN_USE",
    "RESOURCE_NOT_READY",
    "operationInProgress",
)
"""Reasons that mean: not yet. Source: Compute Engine documentation, "Troubleshooting API errors"."""
LEAVING = {"DELETING", "TERMINATED"}
KMS_ENDED = {"DESTROYED", "DESTROY_SCHEDULED"}


class Gcp:
    """The project of a stack. Every call raises FleetyardError when Google does not answer or denies."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._services: dict[str, Any] = {}

    def things(self) -> list[Thing]:
        """Everything of the stack's. Raises FleetyardError (77 without permission, 69 when Google does not answer)."""
        try:
            stores = list(self._stores())
            rest = [*self._machines(), *self._network(), *self._accounts()]
            return [*rest, *self._keys(with_objects(stores)), *stores]
        except (DefaultCredentialsError, GoogleAuthError):
            fix = "gcloud auth application-default login, or `fleetyard sim env`"
            raise error("FY1711", "credentials", "there are none for Google Cloud", fix, Exit.PERMISSION) from None
        except HttpError as refused:
            raise _refused(refused) from None
        except (OSError, httplib2.HttpLib2Error) as silent:
            raise error("FY1713", "gcp", f"does not answer: {silent}", "is it running?", Exit.REFUSED) from None

    def delete(self, thing: Thing) -> None:
        """Delete one. Raises RefusedError, which says whether to try again."""
        try:
            _DELETE[thing.type](self, thing)
        except HttpError as refused:
            raise RefusedError(str(refused.status_code), str(refused.reason), _answer(refused)) from None
        except (OSError, httplib2.HttpLib2Error) as silent:
            raise RefusedError("no answer", str(silent), Answer.BUSY) from None

    def order(self, thing: Thing) -> int:
        """What goes first when several are deleted: users before what they use."""
        return list(_DELETE).index(thing.type)

    def service(self, name: str) -> Any:
        """Google's client for one API."""
        if name not in self._services:
            version, path = SERVICES[name]
            endpoint = os.environ.get(SIM_ENDPOINT)
            if endpoint:
                nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
                where = {"api_endpoint": endpoint + path}
                made = build(name, version, credentials=nobody, client_options=where, static_discovery=True)
            else:
                credentials, _ = google.auth.default()
                made = build(name, version, credentials=credentials, static_discovery=True)
            self._services[name] = made
        return self._services[name]

    @property
    def place(self) -> Place:
        """The stack's place."""
        return self._place

    def _compute(self, collection: str, **where: str) -> Iterator[dict[str, Any]]:
        yield from _rows(getattr(self.service("compute"), collection)(), "items", project=self._place.project, **where)

    def _network(self) -> Iterator[Thing]:
        place, region = self._place, f"projects/{self._place.project}/regions/{self._place.region}"
        networks = {row["selfLink"] for row in self._compute("networks") if place.is_named(row["name"], place.stack)}
        for link in sorted(networks):
            yield _named(
                "gcp:compute/network:Network", f"projects/{place.project}/global/networks/{_last(link)}", NAMED
            )
        why = inside("the network")
        for row in self._mine(networks, "subnetworks", region=place.region):
            yield _named("gcp:compute/subnetwork:Subnetwork", f"{region}/subnetworks/{row['name']}", why)
        for row in self._mine(networks, "routers", region=place.region):
            yield _named("gcp:compute/router:Router", f"{region}/routers/{row['name']}", why)
            for nat in row.get("nats", []):
                id = f"{place.project}/{place.region}/{row['name']}/{nat['name']}"
                facts = {"name": nat["name"], "router": row["name"]}
                yield Thing("gcp:compute/routerNat:RouterNat", id, nat["name"], inside("a router"), facts, at=facts)
        for row in self._mine(networks, "firewalls"):
            id = f"projects/{place.project}/global/firewalls/{row['name']}"
            yield _named("gcp:compute/firewall:Firewall", id, why)

    def _mine(self, networks: set[str], collection: str, **where: str) -> Iterator[dict[str, Any]]:
        for row in self._compute(collection, **where):
            if row["network"] in networks and self._place.of_stack(row["name"]):
                yield row

    def _machines(self) -> Iterator[Thing]:
        place = self._place
        pools = place.pool_names()
        for zone in place.zones:
            for row in self._compute("instanceGroupManagers", zone=zone):
                if place.is_named(row["name"], *(f"{pool}-{zone}" for pool in pools)):
                    id = f"projects/{place.project}/zones/{zone}/instanceGroupManagers/{row['name']}"
                    yield _named("gcp:compute/instanceGroupManager:InstanceGroupManager", id, NAMED, zone=zone)
            parent = f"projects/{place.project}/locations/{zone}"
            yield from self._tpus(parent, pools)
        for row in self._compute("instanceTemplates"):
            if row.get("properties", {}).get("labels", {}).get(TAG) == place.stack:
                id = f"projects/{place.project}/global/instanceTemplates/{row['name']}"
                yield _named("gcp:compute/instanceTemplate:InstanceTemplate", id, TAGGED)
        for row in self._compute("resourcePolicies", region=place.region):
            if place.is_named(row["name"], *pools):
                id = f"projects/{place.project}/regions/{place.region}/resourcePolicies/{row['name']}"
                yield _named("gcp:compute/resourcePolicy:ResourcePolicy", id, NAMED)

    def _tpus(self, parent: str, pools: list[str]) -> Iterator[Thing]:
        locations = self.service("tpu").projects().locations()
        queued = set()
        for row in self._if_offered(locations.queuedResources(), "queuedResources", parent):
            name = _last(row["name"])
            queued.add(row["name"])
            if self._place.is_named(*_slice(name, pools)):
                yield _named("gcp:tpu/v2QueuedResource:V2QueuedResource", row["name"], NAMED)
        for row in self._if_offered(locations.nodes(), "nodes", parent):
            if row.get("state") in LEAVING or row.get("queuedResource") in queued:
                continue
            if row.get("labels", {}).get(TAG) == self._place.stack:
                yield _named("gcp:tpu/v2Vm:V2Vm", row["name"], TAGGED)

    def _if_offered(self, collection: Any, member: str, parent: str) -> Iterator[dict[str, Any]]:
        """Nothing where a zone has no TPUs at all: Google answers 403 or 404 there."""
        if not any(word in parent for word in self._place.zones):
            return
        try:
            yield from _rows(collection, member, parent=parent)
        except HttpError as refused:
            if refused.status_code not in ABSENT:
                raise

    def _accounts(self) -> Iterator[Thing]:
        accounts = self.service("iam").projects().serviceAccounts()
        for row in _rows(accounts, "accounts", name=f"projects/{self._place.project}"):
            account = row["email"].partition("@")[0]
            if account in self._place.pool_names():
                id = f"projects/{self._place.project}/serviceAccounts/{row['email']}"
                yield Thing("gcp:serviceaccount/account:Account", id, account, NAMED, {"accountId": account})

    def _keys(self, holds: str) -> Iterator[Thing]:
        place = self._place
        rings = self.service("cloudkms").projects().locations().keyRings()
        for ring in _rows(rings, "keyRings", parent=f"projects/{place.project}/locations/{place.region}"):
            if not place.is_named(_last(ring["name"]), place.stack):
                continue
            # Google deletes no key ring and charges nothing for one: it is told only to complete a pending create.
            facts = {"name": _last(ring["name"])}
            yield Thing("gcp:kms/keyRing:KeyRing", ring["name"], facts["name"], NAMED, facts, healed_by_up=True)
            for key in _rows(rings.cryptoKeys(), "cryptoKeys", parent=ring["name"]):
                labelled = key.get("labels", {}).get(TAG) == place.stack
                # A key ring is not deleted either; what can end are a key's versions.
                ended = not self.living_versions(key["name"])
                facts = {"name": _last(key["name"]), "keyRing": ring["name"]}
                why = TAGGED if labelled else inside("a key ring")
                token = "gcp:kms/cryptoKey:CryptoKey"  # noqa: S105 - a type's name
                made = datetime.fromisoformat(key["createTime"])
                yield Thing(
                    token, key["name"], facts["name"], why, facts, holds, lasting=True, made=made, healed_by_up=ended
                )
                policy = rings.cryptoKeys().getIamPolicy(resource=key["name"]).execute()
                yield from _members("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "cryptoKeyId", key["name"], policy)

    def living_versions(self, key: str) -> list[str]:
        """The versions of a key that are not on their way out."""
        versions = self.service("cloudkms").projects().locations().keyRings().cryptoKeys().cryptoKeyVersions()
        rows = _rows(versions, "cryptoKeyVersions", parent=key)
        return [row["name"] for row in rows if row.get("state") not in KMS_ENDED]

    def _stores(self) -> Iterator[Thing]:
        place, storage = self._place, self.service("storage")
        for row in _rows(storage.buckets(), "items", project=place.project, prefix=f"{place.stack}-"):
            name, labels = row["name"], row.get("labels", {})
            if labels.get(TAG) == place.stack:
                why = TAGGED
            elif TAG not in labels and place.is_named(name, *place.store_names()):
                why = NAMED
            else:
                continue
            full = storage.objects().list(bucket=name, versions=True, maxResults=1).execute().get("items")
            holds = "holds objects" if full else ""
            made = datetime.fromisoformat(row["timeCreated"])
            yield Thing("gcp:storage/bucket:Bucket", name, name, why, {"name": name}, holds, lasting=True, made=made)
            policy = storage.buckets().getIamPolicy(bucket=name, optionsRequestedPolicyVersion=3).execute()
            yield from _members("gcp:storage/bucketIAMMember:BucketIAMMember", "bucket", name, policy, "b/")


def _slice(name: str, pools: list[str]) -> tuple[str, ...]:
    """The name of a queued slice and the logical names it may come from: `<stack>-<pool>-<number>`."""
    logical = name.rpartition("-")[0]
    pool, _, number = logical.rpartition("-")
    return (name, logical) if pool in pools and number.isdigit() else (name,)


def _members(token: str, on: str, name: str, policy: Mapping[str, Any], before: str = "") -> Iterator[Thing]:
    for binding in policy.get("bindings", []):
        title = binding.get("condition", {}).get("title", "")
        for member in binding["members"]:
            id = f"{before}{name}/{binding['role']}/{member}{'/' + title if title else ''}"
            facts = {on: name, "role": binding["role"], "member": member}
            if title:
                facts["condition.title"] = title
            yield Thing(
                token, id, f"{binding['role']} on {_last(name)}", inside("a store or key"), facts, healed_by_up=True
            )


def _rows(collection: Any, member: str, **where: Any) -> Iterator[dict[str, Any]]:
    """All rows of a list, page by page."""
    asked = collection.list(**where)
    while asked is not None:
        page = asked.execute()
        yield from page.get(member, [])
        asked = collection.list_next(asked, page) if hasattr(collection, "list_next") else None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _named(token: str, id: str, why: str, **at: str) -> Thing:
    return Thing(token, id, _last(id), why, {"name": _last(id)}, at=at)


def _refused(refused: HttpError) -> FleetyardError:
    status = Exit.PERMISSION if refused.status_code in DENIED else Exit.REFUSED
    where = _last(refused.uri.partition("?")[0])
    return error("FY1712", f"gcp {where}", str(refused.reason), exit_code=status)


def _answer(refused: HttpError) -> Answer:
    if refused.status_code in ABSENT:
        return Answer.GONE
    text = refused.content.decode(errors="replace")
    busy = refused.status_code in (409, 429, 503) or any(word in text for word in BUSY)
    return Answer.BUSY if busy else Answer.REFUSED


def _finished(gcp: Gcp, operation: Mapping[str, Any]) -> None:
    """Wait for a Compute Engine operation. Raises RefusedError when it ends with errors."""
    compute, where = gcp.service("compute"), {"project": gcp.place.project, "operation": operation["name"]}
    waiting = compute.globalOperations()
    for scope in ("zone", "region"):
        if scope in operation:
            where[scope] = _last(operation[scope])
            waiting = getattr(compute, f"{scope}Operations")()
    while operation["status"] != "DONE":
        operation = waiting.wait(**where).execute()
    for failed in operation.get("error", {}).get("errors", []):
        busy = any(word in failed["code"] for word in BUSY)
        raise RefusedError(failed["code"], failed.get("message", ""), Answer.BUSY if busy else Answer.REFUSED)


def _compute(collection: str, argument: str, scope: str = "") -> Callable[[Gcp, Thing], None]:
    def delete(gcp: Gcp, thing: Thing) -> None:
        where = {"project": gcp.place.project, argument: thing.name}
        if scope:
            where[scope] = thing.at.get(scope) or gcp.place.region
        _finished(gcp, getattr(gcp.service("compute"), collection)().delete(**where).execute())

    return delete


def _delete_nat(gcp: Gcp, thing: Thing) -> None:
    routers, place = gcp.service("compute").routers(), gcp.place
    where = {"project": place.project, "region": place.region, "router": thing.at["router"]}
    nats = [nat for nat in routers.get(**where).execute().get("nats", []) if nat["name"] != thing.at["name"]]
    _finished(gcp, routers.patch(**where, body={"nats": nats}).execute())


def _delete_tpu(collection: str, **more: Any) -> Callable[[Gcp, Thing], None]:
    """Done when the slice is gone, for its hosts lie in the network."""

    def delete(gcp: Gcp, thing: Thing) -> None:
        locations = gcp.service("tpu").projects().locations()
        here = getattr(locations, collection)().get(name=thing.id).execute()
        state = here.get("state")
        if (state.get("state") if isinstance(state, Mapping) else state) != "DELETING":
            getattr(locations, collection)().delete(name=thing.id, **more).execute()
        raise RefusedError("deleting", "the slice still lets its hosts go", Answer.BUSY)

    return delete


def _delete_account(gcp: Gcp, thing: Thing) -> None:
    gcp.service("iam").projects().serviceAccounts().delete(name=thing.id).execute()


def _delete_bucket(gcp: Gcp, thing: Thing) -> None:
    gcp.service("storage").buckets().delete(bucket=thing.id).execute()


def _delete_key(gcp: Gcp, thing: Thing) -> None:
    """The versions wait for their destruction, and can be taken back until then; the key itself stays for ever."""
    versions = gcp.service("cloudkms").projects().locations().keyRings().cryptoKeys().cryptoKeyVersions()
    for name in gcp.living_versions(thing.id):
        versions.destroy(name=name, body={}).execute()


_DELETE: dict[str, Callable[[Gcp, Thing], None]] = {
    "gcp:compute/instanceGroupManager:InstanceGroupManager": _compute(
        "instanceGroupManagers", "instanceGroupManager", "zone"
    ),
    "gcp:tpu/v2QueuedResource:V2QueuedResource": _delete_tpu("queuedResources", force=True),
    "gcp:tpu/v2Vm:V2Vm": _delete_tpu("nodes"),
    "gcp:compute/instanceTemplate:InstanceTemplate": _compute("instanceTemplates", "instanceTemplate"),
    "gcp:compute/resourcePolicy:ResourcePolicy": _compute("resourcePolicies", "resourcePolicy", "region"),
    "gcp:compute/routerNat:RouterNat": _delete_nat,
    "gcp:compute/router:Router": _compute("routers", "router", "region"),
    "gcp:compute/firewall:Firewall": _compute("firewalls", "firewall"),
    "gcp:compute/subnetwork:Subnetwork": _compute("subnetworks", "subnetwork", "region"),
    "gcp:compute/network:Network": _compute("networks", "network"),
    "gcp:serviceaccount/account:Account": _delete_account,
    "gcp:storage/bucket:Bucket": _delete_bucket,
    "gcp:kms/cryptoKey:CryptoKey": _delete_key,
}
"""How each type is deleted, in the order in which several are."""
