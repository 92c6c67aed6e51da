"""What runs beside the machines: parameters, secrets, alarms, logs, budgets, batch queues, rules of scaling.

Sources: the API references of Systems Manager, Secrets Manager, CloudWatch, CloudWatch Logs, Budgets, Batch and
(Application) Auto Scaling; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.identity import document
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType, same_document
from simcloud.provider.model import AutoName, Failure

# Systems Manager and Secrets Manager


class Parameter(TableType):
    """aws.ssm.Parameter."""

    token = "aws:ssm/parameter:Parameter"
    service = "ssm"
    auto_name = AutoName(max_length=2048)
    creates, reads, row, deletes = "PutParameter", "GetParameter", "Parameter", "DeleteParameter"
    named = {"Name": "id"}
    renames = {"insecureValue": "", "arn": "ARN"}
    replace_on = frozenset({"region", "name", "dataType"})
    defaults = {"overwrite": False}
    computed = REGIONAL | {"arn", "dataType", "insecureValue", "keyId", "tier", "value"}
    provider_only = frozenset({"overwrite", "valueWo", "valueWoVersion"})
    changed_by_update = frozenset({"version"})
    tag_target = {"ResourceType": "Parameter", "ResourceId": "id"}
    sources = ("SSM API: PutParameter, GetParameter, DescribeParameters", "AWS::SSM::Parameter createOnlyProperties")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A parameter has a value, of a kind that exists."""
        if inputs.get("type") not in (None, "String", "StringList", "SecureString"):
            yield Failure(
                "type", f'expected type to be one of ["String" "StringList" "SecureString"], got {inputs["type"]}'
            )
        if all(inputs.get(n) is None for n in ("value", "insecureValue", "valueWo")):
            yield Failure("value", "one of insecureValue, value, valueWo must be specified")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        value = next((inputs[n] for n in ("value", "insecureValue", "valueWo") if inputs.get(n) is not None), "")
        return {**asked, "Value": value}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        more = {"WithDecryption": True} if "WithDecryption" in shape.members else {}
        return {**super().target(shape, id, props), **more}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        watched = ("value", "insecureValue", "type", "description", "tier", "keyId", "allowedPattern")
        if any(old.get(n) != new.get(n) for n in watched):
            api = self.api(cloud, new)
            asked = self.asked(cloud, new, self.parameters(api.shape("PutParameter"), new))
            api.put_parameter(**{**asked, "Overwrite": True})

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        shown = "insecureValue" if known.get("insecureValue") is not None else "value"
        state.pop("value", None)
        state[shown] = row["Value"]
        state["hasValueWo"] = False
        filters = [{"Key": "Name", "Option": "Equals", "Values": [row["Name"]]}]
        rows = self.api(cloud, state).describe_parameters(ParameterFilters=filters)["Parameters"]
        described = rows[0] if rows else {}
        for ours, theirs in (("description", "Description"), ("allowedPattern", "AllowedPattern"), ("keyId", "KeyId")):
            state[ours] = described.get(theirs) or known.get(ours)
        state["tier"] = described.get("Tier") or "Standard"


class Secret(TableType):
    """aws.secretsmanager.Secret."""

    token = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    auto_name = AutoName(max_length=512)
    creates, made = "CreateSecret", "ARN"
    reads, deletes = "DescribeSecret", "DeleteSecret"
    updates = ("UpdateSecret",)
    named = {"SecretId": "id"}
    renames = {"arn": "ARN", "policy": "", "replicas": "", "type": ""}
    replace_on = frozenset({"region", "name", "namePrefix"})
    defaults = {"recoveryWindowInDays": 30, "forceOverwriteReplicaSecret": False}
    computed = REGIONAL | {"namePrefix", "policy", "replicas"}
    documents = frozenset({"policy"})
    provider_only = frozenset({"recoveryWindowInDays", "forceOverwriteReplicaSecret", "type"})
    tag_target = {"SecretId": "id"}
    sources = ("Secrets Manager API: CreateSecret, UpdateSecret, DeleteSecret", "AWS::SecretsManager::Secret")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known)
        return None if row is None or row.get("DeletedDate") else row

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self.changed(cloud, id, {}, inputs)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("policy") != new.get("policy"):
            api = self.api(cloud, new)
            if new.get("policy"):
                api.put_resource_policy(SecretId=id, ResourcePolicy=document(new["policy"]))
            else:
                api.delete_resource_policy(SecretId=id)

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        window = state.get("recoveryWindowInDays", 30)
        return {**asked, **({"RecoveryWindowInDays": window} if window else {"ForceDeleteWithoutRecovery": True})}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        answer = absent_is_none(lambda: self.api(cloud, state).get_resource_policy(SecretId=row["ARN"])) or {}
        text = answer.get("ResourcePolicy")
        state["policy"] = same_document(text, known.get("policy")) if text else None
        state["replicas"] = []


class SecretVersion(TableType):
    """aws.secretsmanager.SecretVersion."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"
    service = "secretsmanager"
    creates, reads = "PutSecretValue", "GetSecretValue"
    replace_on = frozenset({"region", "secretId", "secretString", "secretBinary"})
    computed = REGIONAL | {"versionStages"}
    unordered = frozenset({"versionStages"})
    provider_only = frozenset({"secretStringWo", "secretStringWoVersion"})
    sources = ("Secrets Manager API: PutSecretValue, GetSecretValue, UpdateSecretVersionStage",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        value = inputs.get("secretString")
        if value is None:
            value = inputs.get("secretStringWo")
        asked = present(
            {
                "SecretString": value,
                "SecretBinary": inputs["secretBinary"].encode() if inputs.get("secretBinary") else None,
                "VersionStages": inputs.get("versionStages"),
            }
        )
        made = self.api(cloud, inputs).put_secret_value(SecretId=inputs["secretId"], **asked)
        return f"{inputs['secretId']}|{made['VersionId']}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        secret, _, version = id.rpartition("|")
        answer = absent_is_none(
            lambda: self.api(cloud, known).get_secret_value(SecretId=secret, VersionId=version),
            "InvalidRequestException",
        )
        if answer is None:
            return None
        return {
            "region": self.region(cloud, known),
            "secretId": known.get("secretId") or secret,
            "arn": answer["ARN"],
            "secretArn": answer["ARN"],
            "versionId": version,
            "secretString": answer.get("SecretString") or "",
            "secretBinary": answer["SecretBinary"].decode() if answer.get("SecretBinary") else "",
            "versionStages": answer.get("VersionStages") or [],
            "hasSecretStringWo": False,
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        secret, _, version = id.rpartition("|")
        for stage in set(new.get("versionStages") or ()) - set(old.get("versionStages") or ()):
            self.api(cloud, new).update_secret_version_stage(
                SecretId=secret, VersionStage=stage, MoveToVersionId=version
            )

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        """The current version goes with its secret; other stages are taken off."""
        secret, _, version = id.rpartition("|")
        api = self.api(cloud, state)
        for stage in state.get("versionStages") or ():
            if stage not in ("AWSCURRENT", "AWSPREVIOUS"):
                absent_is_none(
                    lambda stage=stage: api.update_secret_version_stage(
                        SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
                    ),
                    "InvalidRequestException",
                )


class SecretPolicy(TableType):
    """aws.secretsmanager.SecretPolicy."""

    token = "aws:secretsmanager/secretPolicy:SecretPolicy"
    service = "secretsmanager"
    creates, id_form = "PutResourcePolicy", "{secretArn}"
    reads, deletes = "GetResourcePolicy", "DeleteResourcePolicy"
    updates = ("PutResourcePolicy",)
    named = {"SecretId": "id"}
    renames = {"secretArn": "SecretId|ARN", "policy": "ResourcePolicy"}
    replace_on = frozenset({"region", "secretArn"})
    provider_only = frozenset({"blockPublicPolicy"})
    documents = frozenset({"policy"})
    sources = ("Secrets Manager API: PutResourcePolicy, DeleteResourcePolicy",)

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known)
        return row if row and row.get("ResourcePolicy") else None


# CloudWatch


class MetricAlarm(TableType):
    """aws.cloudwatch.MetricAlarm."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    auto_name = AutoName(max_length=255)
    creates, id_form = "PutMetricAlarm", "{name}"
    reads, row, deletes = "DescribeAlarms", "MetricAlarms.0", "DeleteAlarms"
    updates = ("PutMetricAlarm",)
    named = {"AlarmName": "id", "AlarmNames": "id"}
    renames = {"name": "AlarmName", "arn": "AlarmArn", "metricQueries": "Metrics", "okActions": "OKActions"}
    replace_on = frozenset({"region", "name"})
    defaults = {"actionsEnabled": True, "treatMissingData": "missing"}
    computed = REGIONAL | {"evaluateLowSampleCountPercentiles"}
    unordered = frozenset({"alarmActions", "okActions", "insufficientDataActions"})
    sources = ("CloudWatch API: PutMetricAlarm, DeleteAlarms", "AWS::CloudWatch::Alarm createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return self._sent(inputs, asked)

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return self._sent(new, asked)

    def _sent(self, props: Props, asked: dict[str, Any]) -> dict[str, Any]:
        said = props.get("dimensions") or {}
        asked["Dimensions"] = [{"Name": k, "Value": v} for k, v in said.items()]
        for query, ours in zip(asked.get("Metrics") or (), props.get("metricQueries") or (), strict=True):
            metric = ours.get("metric")
            if metric:
                where = [{"Name": k, "Value": v} for k, v in (metric.get("dimensions") or {}).items()]
                query.pop("Metric", None)
                query["MetricStat"] = present(
                    {
                        "Metric": present(
                            {
                                "MetricName": metric.get("metricName"),
                                "Namespace": metric.get("namespace"),
                                "Dimensions": where,
                            }
                        ),
                        "Period": metric.get("period"),
                        "Stat": metric.get("stat"),
                        "Unit": metric.get("unit"),
                    }
                )
        return asked

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        live = {d["Name"]: d["Value"] for d in row.get("Dimensions") or ()}
        state["dimensions"] = live or (known.get("dimensions") and {})
        state["metricQueries"] = known.get("metricQueries")


class Dashboard(TableType):
    """aws.cloudwatch.Dashboard."""

    token = "aws:cloudwatch/dashboard:Dashboard"
    service = "cloudwatch"
    creates, id_form = "PutDashboard", "{dashboardName}"
    reads, deletes = "GetDashboard", "DeleteDashboards"
    updates = ("PutDashboard",)
    named = {"DashboardName": "id", "DashboardNames": "id"}
    replace_on = frozenset({"region", "dashboardName"})
    documents = frozenset({"dashboardBody"})
    shows = {"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{id}"}
    gone_codes = ("ResourceNotFound",)
    sources = ("CloudWatch API: PutDashboard, GetDashboard", "AWS::CloudWatch::Dashboard createOnlyProperties")


class LogStream(TableType):
    """aws.cloudwatch.LogStream."""

    token = "aws:cloudwatch/logStream:LogStream"
    service = "logs"
    auto_name = AutoName(max_length=512)
    creates, id_form = "CreateLogStream", "{name}"
    reads, row, deletes = "DescribeLogStreams", "logStreams", "DeleteLogStream"
    named = {"logGroupName": "logGroupName", "logStreamName": "id", "logStreamNamePrefix": "id"}
    renames = {"name": "logStreamName"}
    replace_on = frozenset({"region", "name", "logGroupName"})
    arn_form = "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:log-stream:{id}"
    sources = ("CloudWatch Logs API: CreateLogStream, DescribeLogStreams", "AWS::Logs::LogStream")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("logGroupName") else None

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["logStreamName"] == id), None)


class LogMetricFilter(TableType):
    """aws.cloudwatch.LogMetricFilter."""

    token = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service = "logs"
    auto_name = AutoName(max_length=512)
    creates, id_form = "PutMetricFilter", "{name}"
    reads, row, deletes = "DescribeMetricFilters", "metricFilters", "DeleteMetricFilter"
    updates = ("PutMetricFilter",)
    named = {"logGroupName": "logGroupName", "filterName": "name", "filterNamePrefix": "id"}
    renames = {
        "name": "filterName|metricName",
        "pattern": "filterPattern",
        "value": "metricValue",
        "namespace": "metricNamespace",
    }
    replace_on = frozenset({"region", "name", "logGroupName"})
    computed = REGIONAL | {"applyOnTransformedLogs"}
    provider_only = frozenset({"applyOnTransformedLogs"})
    sources = ("CloudWatch Logs API: PutMetricFilter, DescribeMetricFilters", "AWS::Logs::MetricFilter")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("logGroupName") else None

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["filterName"] == id), None)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        rows = row.get("metricTransformations") or [{}]
        said = known.get("metricTransformation") or {}
        state["metricTransformation"] = present(
            {
                **said,
                "name": rows[0].get("metricName"),
                "namespace": rows[0].get("metricNamespace"),
                "value": rows[0].get("metricValue"),
            }
        )


class LogSubscriptionFilter(TableType):
    """aws.cloudwatch.LogSubscriptionFilter."""

    token = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    service = "logs"
    auto_name = AutoName(max_length=512)
    creates, reads, row = "PutSubscriptionFilter", "DescribeSubscriptionFilters", "subscriptionFilters"
    deletes, updates = "DeleteSubscriptionFilter", ("PutSubscriptionFilter",)
    named = {"logGroupName": "logGroup", "filterName": "name"}
    renames = {"name": "filterName", "logGroup": "logGroupName"}
    replace_on = frozenset({"region", "name", "logGroup"})
    computed = REGIONAL | {"distribution", "roleArn"}
    provider_only = frozenset({"applyOnTransformedLogs", "emitSystemFields"})
    sources = (
        "CloudWatch Logs API: PutSubscriptionFilter, DescribeSubscriptionFilters",
        "AWS::Logs::SubscriptionFilter",
    )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        super().create(cloud, inputs)
        return f"cwlsf-{zlib.crc32(inputs['logGroup'].encode())}"

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = super().target(shape, id, props)
        found.pop("filterNamePrefix", None)
        return found

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("logGroup") else None

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["filterName"] == known.get("name")), None)


class LogResourcePolicy(TableType):
    """aws.cloudwatch.LogResourcePolicy."""

    token = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    service = "logs"
    creates, id_form = "PutResourcePolicy", "{policyName}"
    reads, row, deletes = "DescribeResourcePolicies", "resourcePolicies", "DeleteResourcePolicy"
    updates = ("PutResourcePolicy",)
    named = {"policyName": "id"}
    replace_on = frozenset({"region", "policyName", "resourceArn"})
    documents = frozenset({"policyDocument"})
    sources = ("CloudWatch Logs API: PutResourcePolicy, DescribeResourcePolicies", "AWS::Logs::ResourcePolicy")

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["policyName"] == id), None)


# Budgets


class Budget(TableType):
    """aws.budgets.Budget."""

    token = "aws:budgets/budget:Budget"
    service = "budgets"
    auto_name = AutoName(max_length=100)
    creates, reads, row, deletes = "CreateBudget", "DescribeBudget", "Budget", "DeleteBudget"
    named = {"AccountId": "accountId", "BudgetName": "name"}
    replace_on = frozenset({"accountId", "name", "namePrefix"})
    computed = frozenset(
        {
            "accountId",
            "costFilters",
            "costTypes",
            "limitAmount",
            "limitUnit",
            "namePrefix",
            "timePeriodStart",
            "billingViewArn",
        }
    )
    unordered = frozenset({"notifications", "costFilters", "plannedLimits"})
    defaults = {"timePeriodEnd": "2087-06-15_00:00"}
    provider_only = frozenset({"plannedLimits", "autoAdjustData", "filterExpression", "metrics"})
    arn_form = "arn:aws:budgets::{account}:budget/{name}"
    tag_calls = ("TagResource", "UntagResource", "ListTagsForResource")
    tag_target = {"ResourceARN": "arn"}
    sources = ("Budgets API: CreateBudget, UpdateBudget, CreateNotification", "AWS::Budgets::Budget")

    def _budget(self, props: Props) -> dict[str, Any]:
        found: dict[str, Any] = {
            "BudgetName": props["name"],
            "BudgetType": props["budgetType"],
            "TimeUnit": props["timeUnit"],
        }
        if props.get("limitAmount") is not None:
            found["BudgetLimit"] = {"Amount": str(props["limitAmount"]), "Unit": props.get("limitUnit") or "USD"}
        filters = props.get("costFilters") or ()
        if filters:
            found["CostFilters"] = {f["name"]: list(f["values"]) for f in filters}
        period = {}
        for ours, theirs in (("timePeriodStart", "Start"), ("timePeriodEnd", "End")):
            if props.get(ours):
                period[theirs] = _budget_time(str(props[ours]))
        return found | ({"TimePeriod": period} if period else {})

    def _notifications(self, props: Props) -> list[dict[str, Any]]:
        rows = []
        for one in props.get("notifications") or ():
            people = [{"SubscriptionType": "EMAIL", "Address": a} for a in one.get("subscriberEmailAddresses") or ()]
            people += [{"SubscriptionType": "SNS", "Address": a} for a in one.get("subscriberSnsTopicArns") or ()]
            rows.append(
                {
                    "Notification": {
                        "NotificationType": one["notificationType"],
                        "ComparisonOperator": one["comparisonOperator"],
                        "Threshold": float(one["threshold"]),
                        "ThresholdType": one["thresholdType"],
                    },
                    "Subscribers": people,
                }
            )
        return rows

    def _where(self, props: Props) -> str:
        return str(props.get("accountId") or ACCOUNT)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        account = self._where(inputs)
        rows = self._notifications(inputs)
        more = {"NotificationsWithSubscribers": rows} if rows else {}
        self.api(cloud, inputs).create_budget(AccountId=account, Budget=self._budget(inputs), **more)
        return f"{account}:{inputs['name']}"

    def _names(self, id: str, props: Props) -> dict[str, Any]:
        account, _, name = id.partition(":")
        return {**super()._names(id, props), "accountId": account, "name": name}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, where = self.api(cloud, new), {"AccountId": self._where(new)}
        if self._budget(old) != self._budget(new):
            api.update_budget(**where, NewBudget=self._budget(new))
        before, after = self._notifications(old), self._notifications(new)
        for row in (r for r in before if r not in after):
            api.delete_notification(**where, BudgetName=new["name"], Notification=row["Notification"])
        for row in (r for r in after if r not in before):
            api.create_notification(**where, BudgetName=new["name"], **row)

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        return dict(state.get("tagsAll") or cloud.tags(state))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        account = state.get("accountId") or ACCOUNT
        state["accountId"], state["name"] = account, row["BudgetName"]
        limit = row.get("BudgetLimit") or {}
        amount, said = limit.get("Amount"), known.get("limitAmount")
        if amount is not None:
            same_number = said is not None and float(said) == float(amount)
            state["limitAmount"], state["limitUnit"] = said if same_number else amount, limit.get("Unit")
        state["costFilters"] = known.get("costFilters") or []
        state["notifications"] = known.get("notifications")
        period = row.get("TimePeriod") or {}
        for ours, theirs in (("timePeriodStart", "Start"), ("timePeriodEnd", "End")):
            if isinstance(period.get(theirs), datetime):
                state[ours] = period[theirs].astimezone(UTC).strftime("%Y-%m-%d_%H:%M")


def _budget_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d_%H:%M").replace(tzinfo=UTC)


# Batch


class ComputeEnvironment(TableType):
    """aws.batch.ComputeEnvironment."""

    token = "aws:batch/computeEnvironment:ComputeEnvironment"
    service = "batch"
    auto_name = AutoName(max_length=128)
    creates, id_form = "CreateComputeEnvironment", "{name}"
    reads, row, status = "DescribeComputeEnvironments", "computeEnvironments.0", ("status", "DELETED")
    updates, deletes = ("UpdateComputeEnvironment",), "DeleteComputeEnvironment"
    named = {"computeEnvironment": "id", "computeEnvironments": "id"}
    renames = {"name": "computeEnvironmentName", "arn": "computeEnvironmentArn", "instanceTypes": "instanceTypes"}
    replace_on = frozenset({"region", "name", "namePrefix", "type", "eksConfiguration"})
    defaults = {"state": "ENABLED"}
    computed = REGIONAL | {"namePrefix", "serviceRole"}
    shows = {"status": "VALID", "statusReason": "ComputeEnvironment Healthy"}
    sources = ("Batch API: CreateComputeEnvironment, UpdateComputeEnvironment", "AWS::Batch::ComputeEnvironment")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
        return {"serviceRole": role, **asked}

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).update_compute_environment(computeEnvironment=id, state="DISABLED"),
            "ClientException",
        )


class JobQueue(TableType):
    """aws.batch.JobQueue."""

    token = "aws:batch/jobQueue:JobQueue"
    service = "batch"
    auto_name = AutoName(max_length=128)
    creates, made = "CreateJobQueue", "jobQueueArn"
    reads, row, status = "DescribeJobQueues", "jobQueues.0", ("status", "DELETED")
    updates, deletes = ("UpdateJobQueue",), "DeleteJobQueue"
    named = {"jobQueue": "id", "jobQueues": "id"}
    renames = {"name": "jobQueueName", "arn": "jobQueueArn", "computeEnvironmentOrders": "computeEnvironmentOrder"}
    replace_on = frozenset({"region", "name"})
    provider_only = frozenset({"timeouts"})
    sources = ("Batch API: CreateJobQueue, UpdateJobQueue", "AWS::Batch::JobQueue createOnlyProperties")

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(
            lambda: self.api(cloud, state).update_job_queue(jobQueue=id, state="DISABLED"), "ClientException"
        )


class JobDefinition(TableType):
    """aws.batch.JobDefinition: a change makes a new revision."""

    token = "aws:batch/jobDefinition:JobDefinition"
    service = "batch"
    auto_name = AutoName(max_length=128)
    creates, made = "RegisterJobDefinition", "jobDefinitionArn"
    reads, row, status = "DescribeJobDefinitions", "jobDefinitions.0", ("status", "INACTIVE")
    deletes, named = "DeregisterJobDefinition", {"jobDefinition": "arn", "jobDefinitions": "arn"}
    renames = {"name": "jobDefinitionName", "arn": "jobDefinitionArn"}
    replace_on = frozenset({"region", "name"})
    defaults = {"deregisterOnNewRevision": True, "propagateTags": False}
    provider_only = frozenset({"deregisterOnNewRevision", "ecsProperties", "nodeProperties", "containerProperties"})
    changed_by_update = frozenset({"arn", "revision"})
    shows = {"revision": 1}
    sources = ("Batch API: RegisterJobDefinition, DeregisterJobDefinition", "provider documentation")
    _WATCHED = (
        "containerProperties",
        "nodeProperties",
        "ecsProperties",
        "eksProperties",
        "parameters",
        "platformCapabilities",
        "propagateTags",
        "retryStrategy",
        "schedulingPriority",
        "timeout",
        "type",
    )

    def _names(self, id: str, props: Props) -> dict[str, Any]:
        found = super()._names(id, props)
        return {**found, "arn": found.get("arn") or id}

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        for name in ("containerProperties", "nodeProperties", "ecsProperties"):
            if inputs.get(name):
                asked[name] = json.loads(inputs[name]) if isinstance(inputs[name], str) else inputs[name]
        return asked

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        """The newest revision that stands."""
        name = id.rsplit("/", 1)[-1].rsplit(":", 1)[0]
        rows = self.api(cloud, known).describe_job_definitions(jobDefinitionName=name, status="ACTIVE")[
            "jobDefinitions"
        ]
        return dict(max(rows, key=lambda r: r["revision"])) if rows else None

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if any(old.get(n) != new.get(n) for n in self._WATCHED):
            before = self.answer(cloud, id, new)
            self.create(cloud, new)
            if new.get("deregisterOnNewRevision", True) and before is not None:
                self.api(cloud, new).deregister_job_definition(jobDefinition=before["jobDefinitionArn"])

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["arnPrefix"] = row["jobDefinitionArn"].rsplit(":", 1)[0]


# Scaling


class ScalingPolicy(TableType):
    """aws.autoscaling.Policy."""

    token = "aws:autoscaling/policy:Policy"
    service = "autoscaling"
    auto_name = AutoName(max_length=255)
    creates, id_form = "PutScalingPolicy", "{name}"
    reads, row, deletes = "DescribePolicies", "ScalingPolicies.0", "DeletePolicy"
    updates = ("PutScalingPolicy",)
    named = {"AutoScalingGroupName": "autoscalingGroupName", "PolicyName": "id", "PolicyNames": "id"}
    renames = {"autoscalingGroupName": "AutoScalingGroupName", "name": "PolicyName", "arn": "PolicyARN"}
    replace_on = frozenset({"region", "name", "autoscalingGroupName"})
    defaults = {"policyType": "SimpleScaling", "enabled": True}
    computed = REGIONAL | {"metricAggregationType"}
    unordered = frozenset({"stepAdjustments"})
    sources = ("Auto Scaling API: PutScalingPolicy, DescribePolicies", "AWS::AutoScaling::ScalingPolicy")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("autoscalingGroupName") else None


class ScalingSchedule(TableType):
    """aws.autoscaling.Schedule."""

    token = "aws:autoscaling/schedule:Schedule"
    service = "autoscaling"
    creates, id_form = "PutScheduledUpdateGroupAction", "{scheduledActionName}"
    reads, row, deletes = "DescribeScheduledActions", "ScheduledUpdateGroupActions.0", "DeleteScheduledAction"
    updates = ("PutScheduledUpdateGroupAction",)
    named = {
        "AutoScalingGroupName": "autoscalingGroupName",
        "ScheduledActionName": "id",
        "ScheduledActionNames": "id",
    }
    renames = {"autoscalingGroupName": "AutoScalingGroupName", "arn": "ScheduledActionARN"}
    replace_on = frozenset({"region", "scheduledActionName", "autoscalingGroupName"})
    computed = REGIONAL | {"desiredCapacity", "maxSize", "minSize", "recurrence", "startTime", "endTime", "timeZone"}
    sources = ("Auto Scaling API: PutScheduledUpdateGroupAction", "AWS::AutoScaling::ScheduledAction")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("autoscalingGroupName") else None


class LifecycleHook(TableType):
    """aws.autoscaling.LifecycleHook."""

    token = "aws:autoscaling/lifecycleHook:LifecycleHook"
    service = "autoscaling"
    auto_name = AutoName(max_length=255)
    creates, id_form = "PutLifecycleHook", "{name}"
    reads, row, deletes = "DescribeLifecycleHooks", "LifecycleHooks.0", "DeleteLifecycleHook"
    updates = ("PutLifecycleHook",)
    named = {"AutoScalingGroupName": "autoscalingGroupName", "LifecycleHookName": "id", "LifecycleHookNames": "id"}
    renames = {
        "autoscalingGroupName": "AutoScalingGroupName",
        "name": "LifecycleHookName",
        "notificationTargetArn": "NotificationTargetARN",
        "roleArn": "RoleARN",
    }
    replace_on = frozenset({"region", "name", "autoscalingGroupName"})
    computed = REGIONAL | {"defaultResult"}
    sources = ("Auto Scaling API: PutLifecycleHook", "AWS::AutoScaling::LifecycleHook createOnlyProperties")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("autoscalingGroupName") else None


class ScalingAttachment(TableType):
    """aws.autoscaling.Attachment: a target group of a group."""

    token = "aws:autoscaling/attachment:Attachment"
    service = "autoscaling"
    reads, row = "DescribeLoadBalancerTargetGroups", "LoadBalancerTargetGroups"
    named = {"AutoScalingGroupName": "autoscalingGroupName"}
    replace_on = frozenset({"region", "autoscalingGroupName", "elb", "lbTargetGroupArn"})
    sources = ("Auto Scaling API: AttachLoadBalancerTargetGroups, DetachLoadBalancerTargetGroups",)

    def _does(self, cloud: AwsClient, word: str, props: Props) -> None:
        self.api(cloud, props).does(
            f"{word}LoadBalancerTargetGroups",
            AutoScalingGroupName=props["autoscalingGroupName"],
            TargetGroupARNs=[props["lbTargetGroupArn"]],
        )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._does(cloud, "Attach", inputs)
        parts = f"{inputs['autoscalingGroupName']}-{inputs['lbTargetGroupArn']}"
        return f"{inputs['autoscalingGroupName']}-{zlib.crc32(parts.encode()):010d}"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("autoscalingGroupName") else None

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["LoadBalancerTargetGroupARN"] == known["lbTargetGroupArn"]), None)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self._does(cloud, "Detach", state))


class ScalableTarget(TableType):
    """aws.appautoscaling.Target."""

    token = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    creates, id_form = "RegisterScalableTarget", "{resourceId}"
    reads, row, deletes = "DescribeScalableTargets", "ScalableTargets", "DeregisterScalableTarget"
    updates = ("RegisterScalableTarget",)
    named = {
        "ServiceNamespace": "serviceNamespace",
        "ScalableDimension": "scalableDimension",
        "ResourceId": "id",
        "ResourceIds": "id",
    }
    renames = {"arn": "ScalableTargetARN", "roleArn": "RoleARN"}
    replace_on = frozenset({"region", "resourceId", "scalableDimension", "serviceNamespace"})
    computed = REGIONAL | {"roleArn", "suspendedState"}
    tag_target = {"ResourceARN": "arn"}
    sources = ("Application Auto Scaling API: RegisterScalableTarget", "AWS::ApplicationAutoScaling::ScalableTarget")

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        return dict(state.get("tagsAll") or cloud.tags(state))

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("serviceNamespace") else None


class ScalableTargetPolicy(TableType):
    """aws.appautoscaling.Policy."""

    token = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    auto_name = AutoName(max_length=255)
    creates, id_form = "PutScalingPolicy", "{name}"
    reads, row, deletes = "DescribeScalingPolicies", "ScalingPolicies.0", "DeleteScalingPolicy"
    updates = ("PutScalingPolicy",)
    named = {
        "ServiceNamespace": "serviceNamespace",
        "ScalableDimension": "scalableDimension",
        "ResourceId": "resourceId",
        "PolicyName": "id",
        "PolicyNames": "id",
    }
    renames = {"name": "PolicyName", "arn": "PolicyARN"}
    replace_on = frozenset({"region", "name", "resourceId", "scalableDimension", "serviceNamespace"})
    defaults = {"policyType": "StepScaling"}
    computed = REGIONAL | {"alarmArns"}
    sources = ("Application Auto Scaling API: PutScalingPolicy", "AWS::ApplicationAutoScaling::ScalingPolicy")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("serviceNamespace") else None

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["alarmArns"] = [a["AlarmARN"] for a in row.get("Alarms") or () if a.get("AlarmARN")]


TYPES = (
    Parameter,
    Secret,
    SecretVersion,
    SecretPolicy,
    MetricAlarm,
    Dashboard,
    LogStream,
    LogMetricFilter,
    LogSubscriptionFilter,
    LogResourcePolicy,
    Budget,
    ComputeEnvironment,
    JobQueue,
    JobDefinition,
    ScalingPolicy,
    ScalingSchedule,
    LifecycleHook,
    ScalingAttachment,
    ScalableTarget,
    ScalableTargetPolicy,
)
