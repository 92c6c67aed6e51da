"""Functions and the APIs in front of them: Lambda, API Gateway (REST, HTTP).

A function's code is kept as an archive with the digest of what the program gave: nothing runs it. Sources: Lambda and
API Gateway API references; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.table import TableType, same_document
from simcloud.provider.model import AutoName, Failure

# Lambda


def packed(code: Any) -> bytes:
    """An archive that differs whenever the program's code does. The engine has digested the files already."""
    text = code.get("hash") if isinstance(code, dict) else None
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("code.sha256", (2026, 1, 1, 0, 0, 0))
        archive.writestr(entry, str(text or json.dumps(code, sort_keys=True)))
    return out.getvalue()


def invoke_arn(region: str, arn: str) -> str:
    """What an API's integration calls to invoke a function."""
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Function(TableType):
    """aws.lambda.Function."""

    token = "aws:lambda/function:Function"
    service = "lambda"
    auto_name = AutoName(max_length=64)
    creates, id_form = "CreateFunction", "{name}"
    reads, row, deletes = "GetFunction", "Configuration", "DeleteFunction"
    updates = ("UpdateFunctionConfiguration",)
    named = {"FunctionName": "id"}
    renames = {
        "name": "FunctionName",
        "arn": "FunctionArn",
        "code": "",
        "imageUri": "",
        "codeSha256": "CodeSha256",
        "sourceCodeHash": "",
        "sourceCodeSize": "CodeSize",
        "layers": "Layers",
    }
    replace_on = frozenset({"region", "name", "packageType", "tenancyConfig"})
    defaults = {
        "memorySize": 128,
        "timeout": 3,
        "packageType": "Zip",
        "publish": False,
        "skipDestroy": False,
        "reservedConcurrentExecutions": -1,
    }
    computed = REGIONAL | {
        "architectures",
        "codeSha256",
        "ephemeralStorage",
        "loggingConfig",
        "sourceCodeHash",
        "tracingConfig",
        "snapStart",
    }
    unordered = frozenset({"replacementSecurityGroupIds"})
    provider_only = frozenset(
        {
            "publish",
            "publishTo",
            "skipDestroy",
            "s3Bucket",
            "s3Key",
            "s3ObjectVersion",
            "reservedConcurrentExecutions",
            "replaceSecurityGroupsOnDestroy",
            "replacementSecurityGroupIds",
            "useResourceTimeoutForPropagation",
            "sourceKmsKeyArn",
        }
    )
    write_only = frozenset({"code", "imageUri"})
    changed_by_update = frozenset({"lastModified", "codeSha256", "sourceCodeHash", "version", "qualifiedArn"})
    tag_target = {"Resource": "arn"}
    sources = ("Lambda API: CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration", "AWS::Lambda::Function")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Code comes one way; an archive has a handler and a runtime."""
        ways = [n for n in ("code", "s3Bucket", "imageUri") if inputs.get(n) is not None]
        if len(ways) != 1:
            yield Failure("code", "one of code, imageUri, s3Bucket must be specified")
        if inputs.get("packageType") != "Image":
            for name in ("handler", "runtime"):
                if inputs.get(name) is None and "imageUri" not in inputs:
                    yield Failure(name, "handler and runtime must be set when PackageType is Zip")

    def _code(self, props: Props) -> dict[str, Any]:
        if props.get("imageUri"):
            return {"ImageUri": props["imageUri"]}
        if props.get("s3Bucket"):
            return present(
                {
                    "S3Bucket": props["s3Bucket"],
                    "S3Key": props.get("s3Key"),
                    "S3ObjectVersion": props.get("s3ObjectVersion"),
                }
            )
        return {"ZipFile": packed(props.get("code"))}

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Code": self._code(inputs), "Publish": bool(inputs.get("publish"))}

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self._concurrency(cloud, id, {}, inputs)

    def _concurrency(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        was, now = old.get("reservedConcurrentExecutions", -1), new.get("reservedConcurrentExecutions", -1)
        if was == now:
            return
        if now is None or now < 0:
            self.api(cloud, new).delete_function_concurrency(FunctionName=id)
        else:
            self.api(cloud, new).put_function_concurrency(FunctionName=id, ReservedConcurrentExecutions=now)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if self._code(old) != self._code(new) or old.get("architectures") != new.get("architectures"):
            self.api(cloud, new).update_function_code(
                FunctionName=id, **self._code(new), Publish=bool(new.get("publish"))
            )
        self._concurrency(cloud, id, old, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        region, arn = state["region"], row["FunctionArn"]
        version = row.get("Version") or "$LATEST"
        state |= {
            "arn": arn,
            "invokeArn": invoke_arn(region, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(region, f"{arn}:{version}"),
            "responseStreamingInvokeArn": invoke_arn(region, arn).replace(
                "/invocations", "/response-streaming-invocations"
            ),
            "version": version,
            "sourceCodeHash": known.get("sourceCodeHash") or row.get("CodeSha256"),
            "signingJobArn": "",
            "signingProfileVersionArn": "",
        }
        layers = row.get("Layers")
        if layers:
            state["layers"] = [one["Arn"] for one in layers]


class Permission(TableType):
    """aws.lambda.Permission. Everything replaces it."""

    token = "aws:lambda/permission:Permission"
    service = "lambda"
    auto_name = AutoName("statementId", max_length=100)
    creates, id_form = "AddPermission", "{statementId}"
    reads, deletes = "GetPolicy", "RemovePermission"
    named = {"FunctionName": "function", "StatementId": "id", "Qualifier": "qualifier"}
    renames = {"function": "FunctionName", "principalOrgId": "PrincipalOrgID"}
    replace_on = frozenset(
        {
            "region",
            "action",
            "eventSourceToken",
            "function",
            "functionUrlAuthType",
            "invokedViaFunctionUrl",
            "principal",
            "principalOrgId",
            "qualifier",
            "sourceAccount",
            "sourceArn",
            "statementId",
            "statementIdPrefix",
        }
    )
    computed = REGIONAL | {"statementIdPrefix"}
    sources = ("Lambda API: AddPermission, GetPolicy, RemovePermission", "AWS::Lambda::Permission")

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = super().answer(cloud, id, known) if known.get("function") else None
        statements = json.loads(row["Policy"])["Statement"] if row else []
        found = next((s for s in statements if s.get("Sid") == id), None)
        if found is None:
            return None
        principal = found.get("Principal")
        held = next(iter(principal.values())) if isinstance(principal, dict) else principal
        condition = found.get("Condition") or {}
        arns = {**condition.get("ArnLike", {}), **condition.get("StringEquals", {})}
        low = {k.lower(): v for k, v in arns.items()}
        return present(
            {
                "Action": found.get("Action"),
                "Principal": known.get("principal") if _same_principal(held, known.get("principal")) else held,
                "SourceArn": low.get("aws:sourcearn"),
                "SourceAccount": low.get("aws:sourceaccount"),
                "StatementId": id,
            }
        )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["statementIdPrefix"] = known.get("statementIdPrefix") or ""


def _same_principal(live: Any, said: Any) -> bool:
    return bool(said) and (str(live) == str(said) or str(live).split(":")[4:5] == [str(said)])


class EventSourceMapping(TableType):
    """aws.lambda.EventSourceMapping."""

    token = "aws:lambda/eventSourceMapping:EventSourceMapping"
    service = "lambda"
    creates, made = "CreateEventSourceMapping", "UUID"
    reads, deletes = "GetEventSourceMapping", "DeleteEventSourceMapping"
    updates = ("UpdateEventSourceMapping",)
    named = {"UUID": "id"}
    renames = {"uuid": "UUID", "arn": "EventSourceMappingArn", "enabled": "Enabled"}
    replace_on = frozenset(
        {
            "region",
            "eventSourceArn",
            "queues",
            "startingPosition",
            "startingPositionTimestamp",
            "topics",
            "selfManagedEventSource",
            "amazonManagedKafkaEventSourceConfig",
            "selfManagedKafkaEventSourceConfig",
        }
    )
    defaults = {"enabled": True}
    computed = REGIONAL | {
        "batchSize",
        "maximumBatchingWindowInSeconds",
        "maximumRecordAgeInSeconds",
        "maximumRetryAttempts",
        "parallelizationFactor",
        "amazonManagedKafkaEventSourceConfig",
        "selfManagedKafkaEventSourceConfig",
        "destinationConfig",
    }
    arn_form = "arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"
    sources = ("Lambda API: CreateEventSourceMapping, UpdateEventSourceMapping", "AWS::Lambda::EventSourceMapping")

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        return dict(state.get("tagsAll") or cloud.tags(state))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["functionArn"] = row.get("FunctionArn")
        said = known.get("functionName")
        state["functionName"] = said or row.get("FunctionArn")
        state["enabled"] = row.get("State") in ("Enabled", "Creating", "Enabling")


class LayerVersion(TableType):
    """aws.lambda.LayerVersion. Everything replaces it."""

    token = "aws:lambda/layerVersion:LayerVersion"
    service = "lambda"
    creates, made = "PublishLayerVersion", "LayerVersionArn"
    reads, deletes = "GetLayerVersion", "DeleteLayerVersion"
    renames = {"arn": "LayerVersionArn", "code": "", "sourceCodeHash": ""}
    replace_on = frozenset(
        {
            "region",
            "code",
            "compatibleArchitectures",
            "compatibleRuntimes",
            "description",
            "layerName",
            "licenseInfo",
            "s3Bucket",
            "s3Key",
            "s3ObjectVersion",
            "sourceCodeHash",
        }
    )
    defaults = {"skipDestroy": False}
    computed = REGIONAL | {"sourceCodeHash"}
    unordered = frozenset({"compatibleRuntimes", "compatibleArchitectures"})
    provider_only = frozenset({"skipDestroy", "s3Bucket", "s3Key", "s3ObjectVersion"})
    write_only = frozenset({"code"})
    sources = ("Lambda API: PublishLayerVersion, DeleteLayerVersion", "AWS::Lambda::LayerVersion")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if inputs.get("s3Bucket"):
            content = {"S3Bucket": inputs["s3Bucket"], "S3Key": inputs["s3Key"]}
        else:
            content = {"ZipFile": packed(inputs.get("code"))}
        return {**asked, "Content": content}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        parts = id.split(":")
        return {"LayerName": parts[6], "VersionNumber": int(parts[7])}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        content = row.get("Content") or {}
        state |= {
            "arn": row["LayerVersionArn"],
            "layerArn": row["LayerVersionArn"].rsplit(":", 1)[0],
            "layerName": known.get("layerName") or row["LayerVersionArn"].split(":")[6],
            "version": row["LayerVersionArn"].rsplit(":", 1)[1],
            "codeSha256": content.get("CodeSha256"),
            "sourceCodeHash": known.get("sourceCodeHash") or content.get("CodeSha256"),
            "sourceCodeSize": content.get("CodeSize"),
        }


class FunctionUrl(TableType):
    """aws.lambda.FunctionUrl."""

    token = "aws:lambda/functionUrl:FunctionUrl"
    service = "lambda"
    creates, id_form = "CreateFunctionUrlConfig", "{functionName}"
    reads, deletes = "GetFunctionUrlConfig", "DeleteFunctionUrlConfig"
    updates = ("UpdateFunctionUrlConfig",)
    named = {"FunctionName": "functionName", "Qualifier": "qualifier"}
    renames = {"authorizationType": "AuthType"}
    replace_on = frozenset({"region", "functionName", "qualifier"})
    defaults = {"invokeMode": "BUFFERED"}
    sources = ("Lambda API: CreateFunctionUrlConfig, UpdateFunctionUrlConfig", "AWS::Lambda::Url")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        # moto's address is one for all functions; AWS's has an id of its own.
        id = f"{zlib.crc32(str(row.get('FunctionArn')).encode()):08x}".ljust(32, "0")
        state |= {"urlId": id, "functionUrl": f"https://{id}.lambda-url.{state['region']}.on.aws/"}


class FunctionAlias(TableType):
    """aws.lambda.Alias."""

    token = "aws:lambda/alias:Alias"
    service = "lambda"
    auto_name = AutoName(max_length=128)
    creates, made = "CreateAlias", "AliasArn"
    reads, deletes = "GetAlias", "DeleteAlias"
    updates = ("UpdateAlias",)
    named = {"FunctionName": "functionName", "Name": "name"}
    renames = {"arn": "AliasArn"}
    replace_on = frozenset({"region", "functionName", "name"})
    sources = ("Lambda API: CreateAlias, UpdateAlias", "AWS::Lambda::Alias createOnlyProperties")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["invokeArn"] = invoke_arn(state["region"], row["AliasArn"])
        state["functionName"] = known.get("functionName") or row["AliasArn"].split(":")[6]


# API Gateway, HTTP and WebSocket


class HttpApi(TableType):
    """aws.apigatewayv2.Api."""

    token = "aws:apigatewayv2/api:Api"
    service = "apigatewayv2"
    auto_name = AutoName(max_length=128)
    creates, made = "CreateApi", "ApiId"
    reads, deletes = "GetApi", "DeleteApi"
    updates = ("UpdateApi",)
    named = {"ApiId": "id"}
    renames = {"body": "", "target": "Target", "routeKey": "RouteKey"}
    replace_on = frozenset({"region", "protocolType"})
    defaults = {
        "apiKeySelectionExpression": "$request.header.x-api-key",
        "routeSelectionExpression": "$request.method $request.path",
        "disableExecuteApiEndpoint": False,
        "failOnWarnings": False,
    }
    computed = REGIONAL | {"ipAddressType"}
    provider_only = frozenset({"body", "failOnWarnings"})
    write_only = frozenset({"target", "routeKey", "credentialsArn"})
    shows = {
        "arn": "arn:aws:apigateway:{region}::/apis/{id}",
        "executionArn": "arn:aws:execute-api:{region}:{account}:{id}",
        "apiEndpoint": "https://{id}.execute-api.{region}.amazonaws.com",
    }
    tag_target = {"ResourceArn": "arn"}
    sources = ("API Gateway v2 API: CreateApi, UpdateApi", "AWS::ApiGatewayV2::Api createOnlyProperties")

    def _tag_parameters(self, shape: Any, tags: Any) -> dict[str, Any]:
        return {"Tags": dict(tags)} if tags else {}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        scheme = "wss" if row.get("ProtocolType") == "WEBSOCKET" else "https"
        id = row["ApiId"]
        state["apiEndpoint"] = f"{scheme}://{id}.execute-api.{state['region']}.amazonaws.com"


class _OfApi(TableType):
    """Something inside an HTTP API."""

    service = "apigatewayv2"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("apiId") else None


class HttpIntegration(_OfApi):
    """aws.apigatewayv2.Integration."""

    token = "aws:apigatewayv2/integration:Integration"
    creates, made = "CreateIntegration", "IntegrationId"
    reads, deletes = "GetIntegration", "DeleteIntegration"
    updates = ("UpdateIntegration",)
    named = {"ApiId": "apiId", "IntegrationId": "id"}
    renames = {"timeoutMilliseconds": "TimeoutInMillis"}
    replace_on = frozenset({"region", "apiId", "integrationSubtype", "integrationType"})
    defaults = {"connectionType": "INTERNET", "payloadFormatVersion": "1.0"}
    computed = REGIONAL | {"timeoutMilliseconds", "integrationMethod", "passthroughBehavior"}
    sources = ("API Gateway v2 API: CreateIntegration, UpdateIntegration", "AWS::ApiGatewayV2::Integration")


class HttpRoute(_OfApi):
    """aws.apigatewayv2.Route."""

    token = "aws:apigatewayv2/route:Route"
    creates, made = "CreateRoute", "RouteId"
    reads, deletes = "GetRoute", "DeleteRoute"
    updates = ("UpdateRoute",)
    named = {"ApiId": "apiId", "RouteId": "id"}
    replace_on = frozenset({"region", "apiId"})
    defaults = {"apiKeyRequired": False, "authorizationType": "NONE"}
    sources = ("API Gateway v2 API: CreateRoute, UpdateRoute", "AWS::ApiGatewayV2::Route createOnlyProperties")


class HttpStage(_OfApi):
    """aws.apigatewayv2.Stage."""

    token = "aws:apigatewayv2/stage:Stage"
    auto_name = AutoName(max_length=128)
    creates, id_form = "CreateStage", "{name}"
    reads, deletes = "GetStage", "DeleteStage"
    updates = ("UpdateStage",)
    named = {"ApiId": "apiId", "StageName": "id"}
    renames = {"name": "StageName"}
    replace_on = frozenset({"region", "apiId", "name"})
    defaults = {"autoDeploy": False}
    computed = REGIONAL | {"deploymentId", "defaultRouteSettings", "routeSettings"}
    provider_only = frozenset({"routeSettings"})
    tag_target = {"ResourceArn": "arn"}
    sources = ("API Gateway v2 API: CreateStage, UpdateStage", "AWS::ApiGatewayV2::Stage createOnlyProperties")

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        return dict(row.get("Tags") or {})

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        api, region, name = known["apiId"], state["region"], row["StageName"]
        execution = f"arn:aws:execute-api:{region}:{ACCOUNT}:{api}/{name}"
        state |= {
            "arn": f"arn:aws:apigateway:{region}::/apis/{api}/stages/{name}",
            "executionArn": execution,
            "invokeUrl": f"https://{api}.execute-api.{region}.amazonaws.com/" + ("" if name == "$default" else name),
        }


class HttpDeployment(_OfApi):
    """aws.apigatewayv2.Deployment."""

    token = "aws:apigatewayv2/deployment:Deployment"
    creates, made = "CreateDeployment", "DeploymentId"
    reads, deletes = "GetDeployment", "DeleteDeployment"
    updates = ("UpdateDeployment",)
    named = {"ApiId": "apiId", "DeploymentId": "id"}
    replace_on = frozenset({"region", "apiId", "triggers"})
    provider_only = frozenset({"triggers"})
    shows = {"autoDeployed": False}
    sources = ("API Gateway v2 API: CreateDeployment", "AWS::ApiGatewayV2::Deployment createOnlyProperties")


# API Gateway, REST


class RestApi(TableType):
    """aws.apigateway.RestApi."""

    token = "aws:apigateway/restApi:RestApi"
    service = "apigateway"
    auto_name = AutoName(max_length=1024)
    creates, made = "CreateRestApi", "id"
    reads, deletes = "GetRestApi", "DeleteRestApi"
    named = {"restApiId": "id"}
    renames = {"body": "", "parameters": "", "policy": "policy"}
    defaults = {"failOnWarnings": False, "putRestApiMode": "overwrite"}
    replace_on = REGIONAL
    computed = REGIONAL | {
        "apiKeySource",
        "binaryMediaTypes",
        "description",
        "disableExecuteApiEndpoint",
        "endpointConfiguration",
        "minimumCompressionSize",
        "policy",
        "securityPolicy",
        "endpointAccessMode",
    }
    documents = frozenset({"policy"})
    provider_only = frozenset(
        {"body", "failOnWarnings", "parameters", "putRestApiMode", "securityPolicy", "endpointAccessMode"}
    )
    shows = {
        "arn": "arn:aws:apigateway:{region}::/restapis/{id}",
        "executionArn": "arn:aws:execute-api:{region}:{account}:{id}",
    }
    tag_target = {"resourceArn": "arn"}
    sources = ("API Gateway API: CreateRestApi, PutRestApi, UpdateRestApi", "AWS::ApiGateway::RestApi")

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        if inputs.get("body"):
            self.api(cloud, inputs).put_rest_api(
                restApiId=id, mode=inputs.get("putRestApiMode") or "overwrite", body=str(inputs["body"]).encode()
            )
            # The document's own title does not become the API's name where the program gave one.
            self._patch(cloud, id, {}, {"name": inputs["name"]}, inputs)

    def _patch(self, cloud: AwsClient, id: str, old: Props, new: Props, where: Props) -> None:
        rows = [
            {
                "op": "replace",
                "path": f"/{name}",
                "value": str(new[name]).lower() if isinstance(new[name], bool) else str(new[name]),
            }
            for name in ("name", "description", "apiKeySource", "disableExecuteApiEndpoint", "minimumCompressionSize")
            if new.get(name) is not None and new.get(name) != old.get(name)
        ]
        if rows:
            self.api(cloud, where).update_rest_api(restApiId=id, patchOperations=rows)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._patch(cloud, id, old, new, new)
        if old.get("body") != new.get("body") and new.get("body"):
            self.after_create(cloud, id, new)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        rows = self.api(cloud, state).get_resources(restApiId=row["id"])["items"]
        state["rootResourceId"] = next((r["id"] for r in rows if r["path"] == "/"), "")
        if known.get("name"):
            state["name"] = row.get("name")
        state["endpointConfiguration"] = known.get("endpointConfiguration") or {
            "types": ((row.get("endpointConfiguration") or {}).get("types") or ["EDGE"])[0]
        }
        if row.get("policy"):
            state["policy"] = same_document(row["policy"].replace('\\"', '"'), known.get("policy"))


class _OfRest(TableType):
    """Something inside a REST API."""

    service = "apigateway"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("restApi") else None


class RestResource(_OfRest):
    """aws.apigateway.Resource."""

    token = "aws:apigateway/resource:Resource"
    creates, made = "CreateResource", "id"
    reads, deletes = "GetResource", "DeleteResource"
    named = {"restApiId": "restApi", "resourceId": "id", "parentId": "parentId"}
    renames = {"restApi": "restApiId"}
    replace_on = frozenset({"region", "restApi"})
    sources = ("API Gateway API: CreateResource, UpdateResource", "AWS::ApiGateway::Resource")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        found = super().target(shape, id, props)
        found.pop("parentId", None)
        return found

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        rows = [
            {"op": "replace", "path": f"/{n}", "value": new[n]} for n in ("parentId", "pathPart") if old[n] != new[n]
        ]
        if rows:
            self.api(cloud, new).update_resource(restApiId=new["restApi"], resourceId=id, patchOperations=rows)


class RestMethod(_OfRest):
    """aws.apigateway.Method."""

    token = "aws:apigateway/method:Method"
    creates, id_form = "PutMethod", "agm-{restApi}-{resourceId}-{httpMethod}"
    reads, deletes = "GetMethod", "DeleteMethod"
    updates = ("PutMethod",)
    named = {"restApiId": "restApi", "resourceId": "resourceId", "httpMethod": "httpMethod"}
    renames = {"restApi": "restApiId", "authorization": "authorizationType"}
    replace_on = frozenset({"region", "httpMethod", "resourceId", "restApi"})
    defaults = {"apiKeyRequired": False}
    sources = ("API Gateway API: PutMethod, DeleteMethod", "AWS::ApiGateway::Method")


class RestIntegration(_OfRest):
    """aws.apigateway.Integration."""

    token = "aws:apigateway/integration:Integration"
    creates, id_form = "PutIntegration", "agi-{restApi}-{resourceId}-{httpMethod}"
    reads, deletes = "GetIntegration", "DeleteIntegration"
    updates = ("PutIntegration",)
    named = {"restApiId": "restApi", "resourceId": "resourceId", "httpMethod": "httpMethod"}
    renames = {
        "restApi": "restApiId",
        "integrationHttpMethod": "integrationHttpMethod|httpMethod",
        "timeoutMilliseconds": "timeoutInMillis",
    }
    shown_renames = {"httpMethod": ""}
    replace_on = frozenset({"region", "httpMethod", "integrationHttpMethod", "resourceId", "restApi", "type"})
    computed = REGIONAL | {"cacheNamespace", "passthroughBehavior", "timeoutMilliseconds", "responseTransferMode"}
    provider_only = frozenset({"integrationTarget", "responseTransferMode"})
    sources = ("API Gateway API: PutIntegration, DeleteIntegration", "provider documentation")

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["httpMethod"] = known["httpMethod"]


class RestMethodResponse(_OfRest):
    """aws.apigateway.MethodResponse."""

    token = "aws:apigateway/methodResponse:MethodResponse"
    creates, id_form = "PutMethodResponse", "agmr-{restApi}-{resourceId}-{httpMethod}-{statusCode}"
    reads, deletes = "GetMethodResponse", "DeleteMethodResponse"
    updates = ("PutMethodResponse",)
    named = {
        "restApiId": "restApi",
        "resourceId": "resourceId",
        "httpMethod": "httpMethod",
        "statusCode": "statusCode",
    }
    renames = {"restApi": "restApiId"}
    replace_on = frozenset({"region", "httpMethod", "resourceId", "restApi", "statusCode"})
    sources = ("API Gateway API: PutMethodResponse, DeleteMethodResponse",)


class RestIntegrationResponse(_OfRest):
    """aws.apigateway.IntegrationResponse."""

    token = "aws:apigateway/integrationResponse:IntegrationResponse"
    creates, id_form = "PutIntegrationResponse", "agir-{restApi}-{resourceId}-{httpMethod}-{statusCode}"
    reads, deletes = "GetIntegrationResponse", "DeleteIntegrationResponse"
    updates = ("PutIntegrationResponse",)
    named = RestMethodResponse.named
    renames = {"restApi": "restApiId"}
    replace_on = frozenset({"region", "httpMethod", "resourceId", "restApi", "statusCode"})
    sources = ("API Gateway API: PutIntegrationResponse, DeleteIntegrationResponse",)


class RestDeployment(_OfRest):
    """aws.apigateway.Deployment."""

    token = "aws:apigateway/deployment:Deployment"
    creates, made = "CreateDeployment", "id"
    reads, deletes = "GetDeployment", "DeleteDeployment"
    named = {"restApiId": "restApi", "deploymentId": "id"}
    renames = {"restApi": "restApiId"}
    replace_on = frozenset({"region", "restApi", "triggers", "variables"})
    provider_only = frozenset({"triggers"})
    sources = ("API Gateway API: CreateDeployment, UpdateDeployment", "AWS::ApiGateway::Deployment")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("description") != new.get("description"):
            rows = [{"op": "replace", "path": "/description", "value": new.get("description") or ""}]
            self.api(cloud, new).update_deployment(restApiId=new["restApi"], deploymentId=id, patchOperations=rows)


class RestStage(_OfRest):
    """aws.apigateway.Stage."""

    token = "aws:apigateway/stage:Stage"
    creates, id_form = "CreateStage", "ags-{restApi}-{stageName}"
    reads, deletes = "GetStage", "DeleteStage"
    named = {"restApiId": "restApi", "stageName": "stageName"}
    renames = {"restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"}
    replace_on = frozenset({"region", "restApi", "stageName"})
    defaults = {"xrayTracingEnabled": False}
    computed = REGIONAL | {"cacheClusterSize"}
    provider_only = frozenset({"accessLogSettings", "canarySettings", "clientCertificateId"})
    shows = {"webAclArn": ""}
    tag_target = {"resourceArn": "arn"}
    sources = ("API Gateway API: CreateStage, UpdateStage", "AWS::ApiGateway::Stage createOnlyProperties")
    _PATHS = {
        "deployment": "/deploymentId",
        "description": "/description",
        "xrayTracingEnabled": "/tracingEnabled",
        "cacheClusterEnabled": "/cacheClusterEnabled",
        "cacheClusterSize": "/cacheClusterSize",
    }

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        rows = [
            {"op": "replace", "path": path, "value": str(new[n]).lower() if isinstance(new[n], bool) else str(new[n])}
            for n, path in self._PATHS.items()
            if new.get(n) is not None and new.get(n) != old.get(n)
        ]
        was, now = old.get("variables") or {}, new.get("variables") or {}
        rows += [{"op": "replace", "path": f"/variables/{k}", "value": v} for k, v in now.items() if was.get(k) != v]
        rows += [{"op": "remove", "path": f"/variables/{k}"} for k in was if k not in now]
        if rows:
            self.api(cloud, new).update_stage(
                restApiId=new["restApi"], stageName=new["stageName"], patchOperations=rows
            )

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        return dict(row.get("tags") or {})

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        api, region, name = known["restApi"], state["region"], row["stageName"]
        state |= {
            "arn": f"arn:aws:apigateway:{region}::/restapis/{api}/stages/{name}",
            "executionArn": f"arn:aws:execute-api:{region}:{ACCOUNT}:{api}/{name}",
            "invokeUrl": f"https://{api}.execute-api.{region}.amazonaws.com/{name}",
        }


TYPES = (
    Function,
    Permission,
    EventSourceMapping,
    LayerVersion,
    FunctionUrl,
    FunctionAlias,
    HttpApi,
    HttpIntegration,
    HttpRoute,
    HttpStage,
    HttpDeployment,
    RestApi,
    RestResource,
    RestMethod,
    RestIntegration,
    RestMethodResponse,
    RestIntegrationResponse,
    RestDeployment,
    RestStage,
)
