"""Pub/Sub, Cloud Scheduler, Secret Manager, Cloud DNS."""

from __future__ import annotations

import base64
import ipaddress
import re
from functools import partial
from typing import Any

from simcloud.gcp.call import Call, handles
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import Kind, absent, declare, digest, found, path_of, thing, things, wrong
from simcloud.gcp.managed.common import account, key, network, seconds

_PUBSUB = "docs.cloud.google.com/pubsub/docs"
TOPIC = rule("pubsub.topic", "a topic's schema exists, its retention lies in bounds", _PUBSUB, ours=True)
SUBSCRIPTION = rule(
    "pubsub.subscription",
    "a subscription's topic exists, its deadline and retention lie in bounds",
    _PUBSUB + "/subscription-properties",
    ours=True,
)
FIXED = rule("pubsub.fixed", "a subscription's topic and filter stay", _PUBSUB + "/subscription-properties", ours=True)
SCHEDULE = rule(
    "scheduler.job",
    "a job has one target, a schedule in cron's form and a time zone",
    "docs.cloud.google.com/scheduler/docs/configuring/cron-job-schedules",
    ours=True,
)
_SECRETS = "docs.cloud.google.com/secret-manager/docs"
REPLICATION = rule("secret.replication", "a secret is replicated automatically or to named places", _SECRETS, ours=True)
PAYLOAD = rule("secret.payload", "a version has 1 to 65536 bytes", _SECRETS + "/quotas", ours=True)
VERSION = rule("secret.version", "only a version that is not destroyed changes its state", _SECRETS, ours=True)
_DNS = "docs.cloud.google.com/dns/docs"
ZONE = rule("dns.zone", "a zone's name ends with a dot; a private one has networks", _DNS + "/zones", ours=True)
RECORD = rule("dns.record", "a record lies in its zone and its data fits its type", _DNS + "/records", ours=True)
HELD = rule("dns.not-empty", "a zone goes when only its own records are left", _DNS + "/zones", ours=True)

# Pub/Sub --------------------------------------------------------------------------------------------------------------

_NAME = r"(?!goog)[A-Za-z][\w.~+%-]{2,254}"


def _topic(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if item.get("messageRetentionDuration"):
        seconds(item["messageRetentionDuration"], "messageRetentionDuration", 600, 31 * 86400)
    schema = item.get("schemaSettings", {}).get("schema")
    if schema and thing(call.world, "pubsub", schema) is None:
        raise Refusal(404, f"Resource not found (resource={schema.rpartition('/')[2]}).", rule=TOPIC)
    if item.get("kmsKeyName"):
        key(call, item["kmsKeyName"])


declare(
    Kind(
        "pubsub.projects.topics",
        exact=True,
        wrapped="topic",
        ids=_NAME,
        places="none",
        stamps=("", ""),
        prepare=_topic,
        leave=lambda call, name, item: _orphan(call, name),
    )
)


def _orphan(call: Call, topic: str) -> None:
    """Subscriptions outlive their topic."""
    for _, item in things(call.world, "pubsub", "projects/[^/]+/subscriptions/[^/]+"):
        if item.get("topic") == topic:
            item["topic"] = "_deleted-topic_"


def _subscription(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    topic = str(item.get("topic") or "")
    if old is None and thing(call.world, "pubsub", topic) is None:
        raise Refusal(404, f"Resource not found (resource={topic.rpartition('/')[2]}).", rule=SUBSCRIPTION)
    for field in ("topic", "filter", "enableMessageOrdering"):
        if old is not None and item.get(field) != old.get(field) and old.get("topic") != "_deleted-topic_":
            raise wrong(f"The {field} of a subscription cannot be changed.", FIXED)
    deadline = int(item.setdefault("ackDeadlineSeconds", 10) or 10)
    item["ackDeadlineSeconds"] = deadline
    if not 10 <= deadline <= 600:
        raise wrong(f"Invalid ack deadline given: {deadline}. It must be from 10 to 600.", SUBSCRIPTION)
    seconds(item.setdefault("messageRetentionDuration", "604800s"), "messageRetentionDuration", 600, 31 * 86400)
    item.setdefault("expirationPolicy", {"ttl": "2678400s"})
    dead = item.get("deadLetterPolicy", {})
    if dead:
        if dead.get("deadLetterTopic") and thing(call.world, "pubsub", dead["deadLetterTopic"]) is None:
            raise Refusal(404, f"Resource not found (resource={dead['deadLetterTopic']}).", rule=SUBSCRIPTION)
        if not 5 <= int(dead.setdefault("maxDeliveryAttempts", 5)) <= 100:
            raise wrong("maxDeliveryAttempts must be from 5 to 100.", SUBSCRIPTION)
    endpoint = item.get("pushConfig", {}).get("pushEndpoint")
    if endpoint and not endpoint.startswith("https://"):
        raise wrong(f"Invalid push endpoint given (endpoint={endpoint}). It must begin with https://.", SUBSCRIPTION)
    table = item.get("bigqueryConfig", {}).get("table")
    if table:
        parts = re.split(r"[.:]", table)
        if len(parts) != 3 or thing(call.world, "bigquery", "projects/{}/datasets/{}/tables/{}".format(*parts)) is None:
            raise wrong(f"Table {table} was not found.", SUBSCRIPTION)
    item["state"] = "ACTIVE"


declare(
    Kind(
        "pubsub.projects.subscriptions",
        exact=True,
        wrapped="subscription",
        ids=_NAME,
        places="none",
        needed=("topic",),
        stamps=("", ""),
        prepare=_subscription,
    )
)


def _schema(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    import json

    if item.get("type") not in ("AVRO", "PROTOCOL_BUFFER"):
        raise wrong(f"Invalid schema type {item.get('type')}.", TOPIC)
    if item["type"] == "AVRO":
        try:
            json.loads(str(item.get("definition")))
        except ValueError:
            raise wrong("The definition is no Avro schema.", TOPIC) from None
    item["revisionId"] = digest(name, item.get("definition"))
    item["revisionCreateTime"] = call.now


declare(
    Kind(
        "pubsub.projects.schemas", id="schemaId", ids=_NAME, places="none", stamps=("", ""), labels="", prepare=_schema
    )
)


@handles("pubsub.projects.topics.publish")
def publish(call: Call) -> dict[str, Any]:
    """Messages get numbers; nobody reads them."""
    found(call, Kind("pubsub.projects.topics"))
    return {"messageIds": [call.number()[:16] for _ in call.body.get("messages", [])]}


# Cloud Scheduler ------------------------------------------------------------------------------------------------------

_CRON_FIELD = re.compile(r"(\*|\d+(-\d+)?|[A-Za-z]{3}(-[A-Za-z]{3})?)(/\d+)?(,(\d+(-\d+)?|[A-Za-z]{3})(/\d+)?)*")


def _job(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    targets = [t for t in ("httpTarget", "pubsubTarget", "appEngineHttpTarget") if item.get(t)]
    if len(targets) != 1:
        raise wrong("A job has exactly one target.", SCHEDULE)
    schedule = str(item.get("schedule") or "")
    fields = schedule.split()
    cron = len(fields) == 5 and all(_CRON_FIELD.fullmatch(f) for f in fields)
    if not cron and not schedule.startswith("every "):
        raise wrong(f"Schedule or time zone is invalid: '{schedule}'.", SCHEDULE)
    zone = item.setdefault("timeZone", "Etc/UTC")
    if not re.fullmatch(r"UTC|GMT|[A-Z][A-Za-z_]+(/[A-Za-z_+\-0-9]+){1,2}", zone):
        raise wrong(f"Schedule or time zone is invalid: '{zone}'.", SCHEDULE)
    topic = item.get("pubsubTarget", {}).get("topicName")
    if topic and thing(call.world, "pubsub", topic) is None:
        raise Refusal(404, f"Topic {topic} does not exist.", rule=SCHEDULE)
    http = item.get("httpTarget")
    if http:
        if not re.match(r"https?://", str(http.get("uri", ""))):
            raise wrong(f"Invalid target URI '{http.get('uri')}'.", SCHEDULE)
        http.setdefault("httpMethod", "POST")
        for token in ("oidcToken", "oauthToken"):
            if http.get(token, {}).get("serviceAccountEmail"):
                account(call, http[token]["serviceAccountEmail"])
    retry = item.setdefault("retryConfig", {})
    for field, value in (
        ("maxRetryDuration", "0s"),
        ("minBackoffDuration", "5s"),
        ("maxBackoffDuration", "3600s"),
        ("maxDoublings", 5),
    ):
        retry.setdefault(field, value)
    item.setdefault("attemptDeadline", "180s")
    seconds(item["attemptDeadline"], "attemptDeadline", 15, 86400)
    item.setdefault("state", "ENABLED")
    item["userUpdateTime"] = call.now


declare(
    Kind(
        "cloudscheduler.projects.locations.jobs",
        ids=r"[A-Za-z0-9_-]{1,500}",
        labels="",
        stamps=("", ""),
        prepare=_job,
    )
)


def _pause(call: Call, state: str) -> dict[str, Any]:
    item = found(call, Kind("cloudscheduler.projects.locations.jobs"))
    item["state"] = state
    return item


handles("cloudscheduler.projects.locations.jobs.pause")(lambda call: _pause(call, "PAUSED"))
handles("cloudscheduler.projects.locations.jobs.resume")(lambda call: _pause(call, "ENABLED"))

# Secret Manager -------------------------------------------------------------------------------------------------------


def _secret(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    replication = item.get("replication", {})
    kinds = [k for k in ("automatic", "userManaged") if k in replication]
    if len(kinds) != 1:
        raise wrong("Replication is automatic or user managed.", REPLICATION)
    if old is not None and replication != old["replication"]:
        raise wrong("The replication of a secret cannot be changed.", REPLICATION)
    if kinds == ["userManaged"]:
        from simcloud.gcp import facts

        replicas = replication["userManaged"].get("replicas", [])
        places = [r.get("location") for r in replicas]
        if not places or len(set(places)) < len(places) or any(p not in facts.regions() for p in places):
            raise wrong(f"Replicas name regions, each once: {places}.", REPLICATION)
    for topic in item.get("topics", []):
        if thing(call.world, "pubsub", topic.get("name", "")) is None:
            raise wrong(f"Topic {topic.get('name')} does not exist.", REPLICATION)
    rotation = item.get("rotation")
    if rotation and not item.get("topics"):
        raise wrong("A secret that rotates has a topic.", REPLICATION)
    if item.pop("ttl", None):
        item["expireTime"] = call.now
    item["etag"] = f'"{digest(name, call.now, length=14)}"'
    item.setdefault("_next", 1)


declare(
    Kind(
        "secretmanager.projects.secrets",
        id="secretId",
        ids=r"[\w-]{1,255}",
        places="none",
        needed=("replication",),
        stamps=("createTime", ""),
        prepare=_secret,
    )
)
_VERSIONS = declare(
    Kind("secretmanager.projects.secrets.versions", ids=r"\d+|latest", places="none", stamps=("", ""), labels="")
)


@handles("secretmanager.projects.secrets.addVersion")
def add_version(call: Call) -> dict[str, Any]:
    """A version; reading what it holds is a call of its own."""
    name = path_of(call)
    item = found(call, Kind("secretmanager.projects.secrets"), name)
    data = call.body.get("payload", {}).get("data", "")
    content = base64.b64decode(data.replace("-", "+").replace("_", "/"))
    if not 1 <= len(content) <= 65536:
        raise wrong("The payload of a version has 1 to 65536 bytes.", PAYLOAD)
    number = item["_next"]
    item["_next"] = number + 1
    made = {
        "name": f"{name}/versions/{number}",
        "createTime": call.now,
        "state": "ENABLED",
        "replicationStatus": {"automatic": {}},
        "etag": f'"{digest(name, number, length=14)}"',
        "clientSpecifiedPayloadChecksum": bool(call.body.get("payload", {}).get("dataCrc32c")),
        "_data": data,
    }
    call.world.state.things[f"secretmanager/{made['name']}"] = made
    return {k: v for k, v in made.items() if not k.startswith("_")}


def _version(call: Call) -> dict[str, Any]:
    name = path_of(call)
    head, _, number = name.rpartition("/")
    if number == "latest":
        live = [n for n, _ in things(call.world, "secretmanager", re.escape(head) + r"/\d+")]
        if not live:
            raise absent(call, name)
        name = live[-1]
    return found(call, _VERSIONS, name)


@handles("secretmanager.projects.secrets.versions.get")
def get_version(call: Call) -> dict[str, Any]:
    """A version without what it holds."""
    return {k: v for k, v in _version(call).items() if not k.startswith("_")}


@handles("secretmanager.projects.secrets.versions.access")
def access_version(call: Call) -> dict[str, Any]:
    """What a version holds."""
    item = _version(call)
    if item["state"] != "ENABLED":
        raise Refusal(
            400,
            f"Secret Version [{item['name']}] is in {item['state']} state.",
            state="FAILED_PRECONDITION",
            rule=VERSION,
        )
    return {"name": item["name"], "payload": {"data": item["_data"]}}


def _turn(call: Call, state: str) -> dict[str, Any]:
    item = _version(call)
    if item["state"] == "DESTROYED":
        raise Refusal(
            400, f"Secret Version [{item['name']}] is in DESTROYED state.", state="FAILED_PRECONDITION", rule=VERSION
        )
    item["state"] = state
    if state == "DESTROYED":
        item["destroyTime"] = call.now
        item["_data"] = ""
    return {k: v for k, v in item.items() if not k.startswith("_")}


for _verb, _state in (("enable", "ENABLED"), ("disable", "DISABLED"), ("destroy", "DESTROYED")):
    handles(f"secretmanager.projects.secrets.versions.{_verb}")(partial(_turn, state=_state))

# Cloud DNS ------------------------------------------------------------------------------------------------------------

_DNS_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+", re.I)


def _zone(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    dns = str(item.get("dnsName") or "")
    if not _DNS_NAME.fullmatch(dns):
        raise Refusal(400, f"Invalid value for 'entity.managedZone.dnsName': '{dns}'", reason="invalid", rule=ZONE)
    if old is not None and (dns != old["dnsName"] or item.get("visibility") != old["visibility"]):
        raise Refusal(400, "A zone keeps its name and its visibility.", reason="invalid", rule=ZONE)
    item.setdefault("visibility", "public")
    nets = item.get("privateVisibilityConfig", {}).get("networks", [])
    if item["visibility"] == "public" and nets:
        raise Refusal(400, "A public zone has no networks.", reason="invalid", rule=ZONE)
    for one in nets:
        path = network(call, one.get("networkUrl", ""))
        one["networkUrl"] = f"https://www.googleapis.com/compute/v1/{path}"
        one.setdefault("kind", "dns#managedZonePrivateVisibilityConfigNetwork")
    item.setdefault("description", "")
    if old is None:
        letter = "abcde"[int(digest(name, length=2), 16) % 5]
        item |= {
            "kind": "dns#managedZone",
            "id": call.number()[:19],
            "creationTime": call.now,
            "nameServers": [f"ns-cloud-{letter}{i}.googledomains.com." for i in (1, 2, 3, 4)]
            if item["visibility"] == "public"
            else ["ns-gcp-private.googledomains.com."],
            "cloudLoggingConfig": item.get("cloudLoggingConfig") or {"kind": "dns#managedZoneCloudLoggingConfig"},
        }
        own = {"ttl": 21600, "_madeBy": name, "kind": "dns#resourceRecordSet"}
        servers = item["nameServers"]
        soa = f"{servers[0]} cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"
        for kind, data in (("NS", servers), ("SOA", [soa])):
            record = {"name": dns, "type": kind, "rrdatas": data, **own}
            call.world.state.things[f"dns/{name}/rrsets/{dns}/{kind}"] = record


def _zone_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    for other, record in things(call.world, "dns", re.escape(name) + "/rrsets/.*"):
        if not record.get("_madeBy"):
            raise Refusal(
                400,
                f"The resource named '{item['name']}' cannot be deleted because it contains one or more 'resource "
                f"records' ({other.split('/rrsets/')[1]}).",
                reason="containerNotEmpty",
                rule=HELD,
            )


declare(
    Kind(
        "dns.managedZones",
        ids=r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
        places="none",
        needed=("dnsName",),
        stamps=("", ""),
        prepare=_zone,
        leave=_zone_leave,
    )
)


def _check_record(call: Call, zone: dict[str, Any], record: dict[str, Any]) -> str:
    name, kind = str(record.get("name") or ""), str(record.get("type") or "")
    if not _DNS_NAME.fullmatch(name) or (not name.endswith("." + zone["dnsName"]) and name != zone["dnsName"]):
        raise Refusal(400, f"Invalid value for 'entity.change.additions.name': '{name}'", reason="invalid", rule=RECORD)
    data = record.get("rrdatas", [])
    if not data and not record.get("routingPolicy"):
        raise Refusal(400, "A record has data.", reason="invalid", rule=RECORD)
    for value in data:
        ok = True
        try:
            if kind in ("A", "AAAA"):
                ok = isinstance(ipaddress.ip_address(value), ipaddress.IPv4Address) == (kind == "A")
        except ValueError:
            ok = False
        ok = ok and not (kind in ("CNAME", "NS", "PTR") and not _DNS_NAME.fullmatch(value))
        ok = ok and not (kind == "MX" and not re.fullmatch(r"\d+ \S+\.", value))
        if not ok:
            raise Refusal(
                400, f"Invalid value for 'entity.change.additions.rrdata': '{value}'", reason="invalid", rule=RECORD
            )
    if kind == "CNAME" and (len(data) > 1 or name == zone["dnsName"]):
        raise Refusal(
            400,
            f"The resource record set 'entity.change.additions' is invalid because the DNS name '{name}' may not have "
            "that CNAME.",
            reason="cnameResourceRecordSetConflict",
        )
    if not 0 <= int(record.get("ttl") or 300) <= 2147483647:
        raise Refusal(400, "Invalid value for 'entity.change.additions.ttl'", reason="invalid", rule=RECORD)
    return f"{name}/{kind}"


@handles("dns.changes.create")
def change(call: Call) -> dict[str, Any]:
    """Records go and come in one step: all of it or nothing."""
    where = path_of(call).removesuffix("/changes")
    zone = found(call, Kind("dns.managedZones"), where)
    table = call.world.state.things
    gone = []
    for record in call.body.get("deletions", []):
        path = f"dns/{where}/rrsets/{record.get('name')}/{record.get('type')}"
        have = table.get(path)
        if have is None or sorted(have.get("rrdatas", [])) != sorted(record.get("rrdatas", [])):
            raise Refusal(
                404,
                f"The 'entity.change.deletions[0]' resource named '{record.get('name')} ({record.get('type')})' does "
                "not exist.",
                reason="notFound",
            )
        gone.append(path)
    new = {}
    for record in call.body.get("additions", []):
        path = f"dns/{where}/rrsets/{_check_record(call, zone, record)}"
        if path in table and path not in gone:
            raise Refusal(
                409,
                f"The resource 'entity.change.additions[0]' named '{record['name']} ({record['type']})' already exists",
                reason="alreadyExists",
            )
        kinds = {k.rpartition("/")[2] for k in table if k.startswith(f"dns/{where}/rrsets/{record['name']}/")}
        kinds -= {g.rpartition("/")[2] for g in gone if g.startswith(f"dns/{where}/rrsets/{record['name']}/")}
        if kinds and ("CNAME" in kinds) != (record["type"] == "CNAME"):
            raise Refusal(
                409,
                f"The resource record set 'entity.change.additions[0]' is invalid because the DNS name "
                f"'{record['name']}' may have either one CNAME resource record set or resource record sets of other "
                "types, but not both.",
                reason="cnameResourceRecordSetConflict",
            )
        new[path] = {"kind": "dns#resourceRecordSet", "ttl": 300, **record}
    for path in gone:
        del table[path]
    table.update(new)
    made: dict[str, Any] = {"kind": "dns#change", "id": str(len(call.world.state.operations)), "status": "done"}
    return {**made, "startTime": call.now, **{k: call.body[k] for k in ("additions", "deletions") if k in call.body}}


@handles("dns.resourceRecordSets.list")
def list_records(call: Call) -> dict[str, Any]:
    """A zone's records, of one name and type where the query says so."""
    where = path_of(call).removesuffix("/rrsets")
    found(call, Kind("dns.managedZones"), where)
    rows = [
        {k: v for k, v in r.items() if not k.startswith("_")}
        for _, r in things(call.world, "dns", re.escape(where) + "/rrsets/.*")
        if call.query.get("name", r["name"]) == r["name"] and call.query.get("type", r["type"]) == r["type"]
    ]
    return {"kind": "dns#resourceRecordSetsListResponse", "rrsets": rows}


@handles("dns.resourceRecordSets.get")
def get_record(call: Call) -> dict[str, Any]:
    """One record."""
    item = found(call, Kind("dns.resourceRecordSets"))
    return {k: v for k, v in item.items() if not k.startswith("_")}
