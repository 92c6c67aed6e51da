"""Cloud Logging, Cloud Monitoring, budgets."""

from __future__ import annotations

import json
import re
from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.kinds import Kind, answer, declare, digest, found, keep, thing, wrong
from simcloud.gcp.managed.common import seconds

_LOGS = "docs.cloud.google.com/logging/docs"
BUCKET = rule(
    "logging.bucket",
    "a log bucket keeps for 1 to 3650 days, and a locked one is not changed",
    _LOGS + "/buckets",
    ours=True,
)
SINK = rule(
    "logging.sink", "a sink's destination is one of those that exist", _LOGS + "/export/configure_export_v2", ours=True
)
METRIC = rule(
    "logging.metric",
    "a metric has a filter, and a value only for a distribution",
    _LOGS + "/logs-based-metrics",
    ours=True,
)
_MONITOR = "docs.cloud.google.com/monitoring/docs"
POLICY = rule("monitoring.policy", "a policy has conditions of one kind each, and a combiner", _MONITOR, ours=True)
CHANNEL = rule("monitoring.channel", "a channel has a type and the labels that it asks for", _MONITOR, ours=True)
CHECK = rule("monitoring.uptime", "an uptime check has one kind and one thing to look at", _MONITOR, ours=True)
BUDGET = rule("budget.shape", "a budget has an amount and thresholds", "docs.cloud.google.com/billing/docs", ours=True)

# Logging --------------------------------------------------------------------------------------------------------------


def _bucket(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    place = name.split("/")[3]
    if place not in ("global", "us", "eu") and place not in facts.regions():
        raise wrong(f"Location {place} is not supported for log buckets.", BUCKET)
    days = int(item.setdefault("retentionDays", 30) or 30)
    item["retentionDays"] = days
    if not 1 <= days <= 3650:
        raise wrong(f"Retention must be from 1 to 3650 days, not {days}.", BUCKET)
    if old is not None and old.get("locked") and (days != old["retentionDays"] or not item.get("locked")):
        raise Refusal(400, f"Bucket {name} is locked.", state="FAILED_PRECONDITION", rule=BUCKET)
    if old is not None and old.get("analyticsEnabled") and not item.get("analyticsEnabled"):
        raise wrong("Log Analytics cannot be switched off.", BUCKET)
    item["lifecycleState"] = "ACTIVE"


def _bucket_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    if name.rpartition("/")[2] in _OWN:
        raise wrong(f"Bucket {name} cannot be deleted.", BUCKET)
    if item.get("locked"):
        raise Refusal(400, f"Bucket {name} is locked.", state="FAILED_PRECONDITION", rule=BUCKET)
    call.world.state.things[f"logging-deleted/{name}"] = {"_madeBy": name, "at": call.now}


_OWN = ("_Default", "_Required")
_BUCKETS = declare(
    Kind(
        "logging.projects.locations.buckets",
        id="bucketId",
        ids=r"[A-Za-z0-9_][\w.-]{0,99}",
        places="none",
        labels="",
        prepare=_bucket,
        leave=_bucket_leave,
    )
)


@handles("logging.projects.locations.buckets.get")
def get_bucket(call: Call) -> dict[str, Any]:
    """A log bucket. Every project has two from the start."""
    name = call.match.name
    own = name.rpartition("/")[2]
    if thing(call.world, "logging", name) is None and own in _OWN and name.split("/")[3] == "global":
        return _first(own, name)
    return {k: v for k, v in found(call, _BUCKETS).items() if not k.startswith("_")}


def _first(own: str, name: str) -> dict[str, Any]:
    days = 30 if own == "_Default" else 400
    return {"name": name, "retentionDays": days, "lifecycleState": "ACTIVE", "locked": own == "_Required"}


@handles("logging.projects.locations.buckets.patch")
def patch_bucket(call: Call) -> dict[str, Any]:
    """A log bucket changes in place; the project's own ones exist without having been made."""
    from simcloud.gcp.kinds import _update

    name = call.match.name
    own = name.rpartition("/")[2]
    if own in _OWN and thing(call.world, "logging", name) is None:
        if own == "_Required":
            raise wrong("Bucket _Required cannot be modified.", BUCKET)
        keep(call, _BUCKETS, name, {**_first(own, name), "_madeBy": name})
    return _update(call, _BUCKETS, whole=False)


def _sink(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    short = name.rpartition("/")[2]
    item["name"] = short
    place = re.fullmatch(r"(storage|bigquery|pubsub|logging)\.googleapis\.com/(.+)", str(item.get("destination") or ""))
    if place is None:
        raise wrong(f"Unrecognized destination '{item.get('destination')}'.", SINK)
    kind, target = place.groups()
    # Whether the destination exists is found out when logs are written, not now.
    number = project_number(name.split("/")[1])
    unique = call.query.get("uniqueWriterIdentity", "").lower() == "true"
    if old is None or unique:
        item["writerIdentity"] = (
            f"serviceAccount:service-{number}@gcp-sa-logging.iam.gserviceaccount.com"
            if unique
            else "serviceAccount:cloud-logs@system.gserviceaccount.com"
        )
    if kind == "logging" and target.split("/")[1] == name.split("/")[1]:
        item.pop("writerIdentity", None)


declare(Kind("logging.projects.sinks", ids=r"[\w.-]{1,100}", places="none", labels="", full=False, prepare=_sink))


def _exclusion(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    item["name"] = name.rpartition("/")[2]
    if not item.get("filter"):
        raise wrong("An exclusion has a filter.", SINK)


declare(
    Kind("logging.projects.exclusions", ids=r"[\w.-]{1,100}", places="none", labels="", full=False, prepare=_exclusion)
)


def _metric(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if not item.get("filter"):
        raise wrong("A metric has a filter.", METRIC)
    descriptor = item.setdefault("metricDescriptor", {})
    descriptor.setdefault("metricKind", "DELTA")
    descriptor.setdefault("valueType", "INT64")
    descriptor.setdefault("unit", "1")
    if descriptor["valueType"] == "DISTRIBUTION" and not item.get("valueExtractor"):
        raise wrong("A distribution has a value extractor.", METRIC)
    if descriptor["valueType"] == "INT64" and item.get("valueExtractor"):
        raise wrong("A counter has no value extractor.", METRIC)
    labels = {entry.get("key") for entry in descriptor.get("labels", [])}
    if set(item.get("labelExtractors", {})) != labels:
        raise wrong("Each label of a metric has an extractor, and each extractor a label.", METRIC)
    id = item["name"].rpartition("/metrics/")[2]
    descriptor["type"] = f"logging.googleapis.com/user/{id}"
    descriptor["name"] = f"{name.rpartition('/metrics/')[0]}/metricDescriptors/{descriptor['type']}"
    item.setdefault("version", "V2")


_METRICS = declare(
    Kind("logging.projects.metrics", ids=r"[^/].{0,99}", places="none", labels="", full=False, prepare=_metric)
)


@handles("logging.projects.metrics.update")
def update_metric(call: Call) -> dict[str, Any]:
    """A metric is replaced as a whole, or made."""
    name = call.match.name
    old = thing(call.world, "logging", name)
    item = {**call.body, "updateTime": call.now, "createTime": (old or {}).get("createTime", call.now)}
    _metric(call, item, name, old)
    keep(call, _METRICS, name, item)
    return answer(call, _METRICS, name, item, "update")


# Monitoring -----------------------------------------------------------------------------------------------------------

_CONDITIONS = (
    "conditionThreshold",
    "conditionAbsent",
    "conditionMatchedLog",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionSql",
)


def _policy(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    conditions = item.get("conditions", [])
    if not 1 <= len(conditions) <= 6:
        raise wrong("A policy has one to six conditions.", POLICY)
    if not item.get("combiner"):
        raise wrong("Field alert_policy.combiner must be set.", POLICY)
    for i, one in enumerate(conditions):
        kinds = [k for k in _CONDITIONS if k in one]
        if len(kinds) != 1 or not one.get("displayName"):
            raise wrong("A condition has a display name and is of one kind.", POLICY)
        body = one[kinds[0]]
        if kinds[0] in ("conditionThreshold", "conditionAbsent"):
            seconds(body.setdefault("duration", "0s"), f"conditions[{i}].duration", 0, 84600)
            for entry in body.get("aggregations", []):
                if entry.get("alignmentPeriod"):
                    seconds(entry["alignmentPeriod"], f"conditions[{i}].aggregations", 60, 104 * 7 * 86400)
        if kinds[0] == "conditionThreshold":
            if "metric.type" not in str(body.get("filter", "")) and "resource.type" not in str(body.get("filter", "")):
                raise wrong("A threshold's filter names a metric type and a resource type.", POLICY)
            if not body.get("comparison"):
                raise wrong("A threshold has a comparison.", POLICY)
        one.setdefault("name", f"{name}/conditions/{digest(name, i, length=12)}")
    for channel in item.get("notificationChannels", []):
        if thing(call.world, "monitoring", channel) is None:
            raise wrong(f"Notification channel {channel} does not exist.", POLICY)
    item.setdefault("enabled", True)
    stamp = {"mutateTime": call.now, "mutatedBy": "simulated@fleetyard.invalid"}
    item["creationRecord"] = (old or {}).get("creationRecord", stamp)
    item["mutationRecord"] = stamp


declare(
    Kind(
        "monitoring.projects.alertPolicies",
        numbered=True,
        places="none",
        labels="userLabels",
        stamps=("", ""),
        prepare=_policy,
    )
)
_CHANNELS = {
    "email": ("email_address",),
    "sms": ("number",),
    "pubsub": ("topic",),
    "webhook_tokenauth": ("url",),
    "webhook_basicauth": ("url",),
    "slack": ("channel_name",),
    "pagerduty": (),
}


def _channel(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    kind = str(item.get("type") or "")
    if kind not in _CHANNELS:
        raise wrong(f"Unknown notification channel type '{kind}'.", CHANNEL)
    if old is not None and old["type"] != kind:
        raise wrong("The type of a channel cannot be changed.", CHANNEL)
    for label in _CHANNELS[kind]:
        if not item.get("labels", {}).get(label):
            raise wrong(f"Field notification_channel.labels['{label}'] must be set.", CHANNEL)
    address = item.get("labels", {}).get("email_address")
    if address is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        raise wrong(f"'{address}' is no email address.", CHANNEL)
    item.setdefault("enabled", True)


def _channel_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    from simcloud.gcp.kinds import things

    for user, policy in things(call.world, "monitoring", "projects/[^/]+/alertPolicies/[^/]+"):
        if name in policy.get("notificationChannels", []) and call.query.get("force", "").lower() != "true":
            raise wrong(f"Cannot delete the channel; it is used by {user}.", CHANNEL, state="FAILED_PRECONDITION")


declare(
    Kind(
        "monitoring.projects.notificationChannels",
        numbered=True,
        places="none",
        labels="userLabels",
        stamps=("", ""),
        prepare=_channel,
        leave=_channel_leave,
    )
)


def _uptime(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if sum(k in item for k in ("httpCheck", "tcpCheck", "syntheticMonitor")) != 1:
        raise wrong("An uptime check is of one kind.", CHECK)
    if "syntheticMonitor" not in item and sum(k in item for k in ("monitoredResource", "resourceGroup")) != 1:
        raise wrong("An uptime check looks at one resource or one group.", CHECK)
    if item.setdefault("period", "60s") not in ("60s", "300s", "600s", "900s"):
        raise wrong(f"Invalid period {item['period']}.", CHECK)
    seconds(item.setdefault("timeout", "10s"), "timeout", 1, 60)
    http = item.get("httpCheck")
    if http is not None:
        http.setdefault("path", "/")
        http.setdefault("port", 443 if http.get("useSsl") else 80)
        http.setdefault("requestMethod", "GET")
    item.setdefault("checkerType", "STATIC_IP_CHECKERS")


declare(
    Kind(
        "monitoring.projects.uptimeCheckConfigs",
        numbered=True,
        places="none",
        labels="",
        stamps=("", ""),
        prepare=_uptime,
    )
)


def _dashboard(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    if not item.get("displayName"):
        raise wrong("Field dashboard.displayName must be set.", CHANNEL)
    item["name"] = "/".join(["projects", project_number(name.split("/")[1]), *name.split("/")[2:]])
    item["etag"] = digest(json.dumps(item, sort_keys=True, default=str), length=32)


declare(
    Kind(
        "v1.monitoring.projects.dashboards",
        numbered=True,
        places="none",
        labels="",
        stamps=("", ""),
        full=False,
        prepare=_dashboard,
    )
)

# Budgets --------------------------------------------------------------------------------------------------------------


def _budget(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    amount = item.get("amount", {})
    if sum(k in amount for k in ("specifiedAmount", "lastPeriodAmount")) != 1:
        raise wrong("A budget has one amount.", BUDGET)
    for entry in item.get("thresholdRules", []):
        if float(entry.get("thresholdPercent") or 0) < 0:
            raise wrong("A threshold is not negative.", BUDGET)
        entry.setdefault("spendBasis", "CURRENT_SPEND")
    item.setdefault("ownershipScope", "ALL_USERS")
    item["etag"] = digest(name, call.now, length=12)


declare(
    Kind(
        "billingbudgets.billingAccounts.budgets",
        numbered=True,
        places="none",
        labels="",
        stamps=("", ""),
        prepare=_budget,
    )
)
