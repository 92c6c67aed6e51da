"""AWS calls as data: which operation of which service with which parameters, read from the HTTP request.

The wire protocols are moto's, which read botocore's service models; nothing of a protocol is written here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from simcloud.provider.model import CloudError
from simcloud.wire import Request, Response

BOTO_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "execute-api": "apigateway",
    "states": "stepfunctions",
    "servicequotas": "service-quotas",
    "es": "opensearch",
    "aps": "amp",
    "elasticmapreduce": "emr",
}
"""Signing names that differ from the service's name in botocore."""
_V2_PATH = re.compile(r"^/v2/")
_ELB_V1 = re.compile(rb"(?:^|&)Version=2012-06-01(?:&|$)")

_SCOPE = r"([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request"
_CREDENTIAL = re.compile(f"Credential={_SCOPE}")
_PRESIGNED = re.compile(_SCOPE)
_READS = re.compile(r"^(Describe|Get|List|Head|BatchGet|Search|Select|Lookup|Simulate|Validate|Decode|Test|Detect)")


@dataclass(frozen=True, slots=True)
class Call:
    """One decoded call. `params` are the operation's input members, as botocore names them."""

    service: str
    region: str
    operation: str
    params: Mapping[str, Any]
    request: Request
    access_key: str = ""
    model: OperationModel | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """For example `ec2:CreateVpc`."""
        return f"{self.service}:{self.operation}"


def scope(request: Request) -> tuple[str, str, str]:
    """(access key, region, service) of the signature; S3 in us-east-1 for a call that has none, as an open bucket's.

    A URL may carry it too, as S3's presigned ones do, of version 4 or 2.
    """
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    if found:
        return found.group(1), found.group(2), _service(found.group(3), request)
    found = _PRESIGNED.fullmatch((request.params().get("X-Amz-Credential") or [""])[0])
    if found:
        return found.group(1), found.group(2), found.group(3)
    return (request.params().get("AWSAccessKeyId") or [""])[0], "us-east-1", "s3"


def _service(signed: str, request: Request) -> str:
    """botocore's name of a service; two pairs of services share a signing name."""
    if signed == "apigateway" and _V2_PATH.match(request.path):
        return "apigatewayv2"
    if signed == "elasticloadbalancing" and _ELB_V1.search(request.body):
        return "elb"
    return BOTO_NAMES.get(signed, signed)


def operation_name(request: Request, service: str) -> str:
    """The operation's name without decoding its parameters; empty when nothing in the service model fits."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rsplit(".", 1)[-1]
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or service == "ec2":
        found = re.search(rb"(?:^|&)Action=(\w+)", request.body) or re.search(r"(?:^|&)Action=(\w+)", request.query)
        if found:
            word = found.group(1)
            return word.decode() if isinstance(word, bytes) else word
    try:
        model, _ = get_service_router(service).match(_moto_request(request, service))
    except Exception:
        return ""
    return str(model.name)


def is_read(operation: str) -> bool:
    """Whether an operation only reads, by AWS's own naming."""
    return bool(_READS.match(operation))


def decode(request: Request) -> Call:
    """The whole call. A call that fits no operation has an empty operation name."""
    key, region, service = scope(request)
    name = operation_name(request, service)
    model = _operation(service, name)
    if model is None:
        return Call(service, region, name, {}, request, key)
    moto_request = _moto_request(request, service)
    parser = PROTOCOL_PARSERS[determine_request_protocol(model.service_model, moto_request.content_type)](model)
    labels: Mapping[str, Any] = {}
    if model.service_model.metadata.get("protocol", "").startswith("rest"):
        _, labels = get_service_router(service).match(moto_request)
    params = parser.parse(
        {
            "method": moto_request.method,
            "values": moto_request.values,
            "headers": moto_request.headers,
            "body": moto_request.data,
            "url_path": moto_request.path,
            "url_params": labels,
        }
    )
    return Call(service, region, name, dict(params), request, key, model)


def _moto_request(request: Request, service: str) -> MotoRequest:
    query = f"?{request.query}" if request.query else ""
    url = f"https://{service}.us-east-1.amazonaws.com{request.path}{query}"
    headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
    return MotoRequest.from_primitives(request.method, url, headers, request.body)


@functools.lru_cache(maxsize=1024)
def _operation(service: str, name: str) -> OperationModel | None:
    try:
        found: ServiceModel = get_service_model(service)
        return found.operation_model(name)
    except Exception:
        return None


def encode(call: Call, result: Mapping[str, Any]) -> Response:
    """The answer of a service of ours, in the service's own protocol."""
    assert call.model is not None
    model = call.model
    protocol = determine_request_protocol(model.service_model, call.request.headers.get("content-type"))
    serialized = get_serializer_class(call.service, protocol)(operation_model=model).serialize(dict(result))
    return _response(serialized)


class _ServiceError(Exception):
    """What moto's serializers take for an error."""

    def __init__(self, error: CloudError) -> None:
        super().__init__(error.message)
        self.code = error.code
        self.message = error.message


def refuse(call: Call, error: CloudError) -> Response:
    """A refusal in the service's own protocol."""
    model = call.model or _operation(call.service, call.operation) or _any_operation(call.service)
    protocol = determine_request_protocol(model.service_model, call.request.headers.get("content-type"))
    serialized = get_serializer_class(call.service, protocol)(operation_model=model).serialize(_ServiceError(error))
    response = _response(serialized)
    status = error.status if error.status != 400 else response.status
    return Response(status, response.headers, response.body)


def _any_operation(service: str) -> OperationModel:
    model = get_service_model(service)
    return model.operation_model(model.operation_names[0])


def _response(serialized: Mapping[str, Any]) -> Response:
    body = serialized["body"]
    headers = {str(k).lower(): str(v) for k, v in dict(serialized["headers"]).items()}
    return Response(serialized["status_code"], headers, body if isinstance(body, bytes) else str(body).encode())
