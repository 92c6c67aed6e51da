"""The rules in front of moto: what AWS refuses and moto accepts.

A rule is a function of one call and the state; it is registered under the operation that it guards, with its source. It
raises CloudError with the service's own code. Where the wording is ours and not AWS's, the rule says so.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simcloud.aws.calls import Call
from simcloud.provider.model import CloudError

if TYPE_CHECKING:
    from simcloud.aws.world import AwsWorld

Check = Callable[[Call, "AwsWorld"], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it guards, what it says, where that is written."""

    operation: str
    says: str
    source: str
    own_wording: bool
    check: Check


_rules: dict[str, list[Rule]] = defaultdict(list)


def rule(operation: str, source: str, own_wording: bool = False) -> Callable[[Check], Check]:
    """Register a rule under `service:Operation`."""

    def register(check: Check) -> Check:
        says = (check.__doc__ or "").strip().split("\n")[0]
        _rules[operation].append(Rule(operation, says, source, own_wording, check))
        return check

    return register


def all_rules() -> Iterator[Rule]:
    """Every rule, by operation."""
    for operation in sorted(_rules):
        yield from _rules[operation]


def apply(call: Call, world: AwsWorld) -> None:
    """Check a call against the service model's shapes, then against its own rules. Raises CloudError."""
    if call.model is not None and call.model.input_shape is not None:
        _shape(call, call.model.input_shape, call.params, "")
    for one in _rules.get(call.name, ()):
        one.check(call, world)


_OPEN_ENUMS = frozenset(
    {
        "InstanceType",
        "BucketLocationConstraint",
        "ServiceName",
        "ResourceType",
        "CRType",
        "CRAllocationType",
        "AMITypes",
        "LogDestinationType",
        "VPCRegion",
        "ResourceRecordSetRegion",
        "Runtime",
        "DirectConnectGatewayAssociationState",
    }
)
"""Sets that AWS extends between SDK releases: a value that is not in ours may be good."""
_WITHOUT_PATTERNS = frozenset({"ec2", "s3", "sts"})
"""Services whose models give patterns that the service itself does not hold to, or answers in words of its own."""


def _shape(call: Call, shape: Any, value: Any, path: str) -> None:
    """Enums, lengths, ranges and patterns of botocore's service models. Its own validator checks types, required
    members and minima only."""
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        for name, member in shape.members.items():
            if isinstance(value, dict) and name in value:
                _shape(call, member, value[name], f"{path}.{name}" if path else name)
    elif kind == "list" and isinstance(value, list):
        _size(call, shape, len(value), path, "members")
        for index, member in enumerate(value):
            _shape(call, shape.member, member, f"{path}[{index}]")
    elif kind == "map" and isinstance(value, dict):
        _size(call, shape, len(value), path, "entries")
        for key, held in value.items():
            _shape(call, shape.key, key, f"{path} key")
            _shape(call, shape.value, held, f"{path}.{key}")
    elif kind == "string":
        _string(call, shape, value, path)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, int | float):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if (most is not None and value > most) or (least is not None and value < least):
            raise refusal(call, f"{path}: {value} is not within {least} to {most}")


def _size(call: Call, shape: Any, size: int, path: str, what: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and size > most:
        raise refusal(call, f"{path}: {size} {what}, at most {most}")
    if least is not None and size < least:
        raise refusal(call, f"{path}: {size} {what}, at least {least}")


def _string(call: Call, shape: Any, value: Any, path: str) -> None:
    if not isinstance(value, str):
        return
    allowed = getattr(shape, "enum", None)
    if allowed and shape.name not in _OPEN_ENUMS and value not in allowed:
        raise refusal(call, f"{path}: {value!r} is not one of {', '.join(sorted(allowed)[:12])}")
    if call.service not in _WITHOUT_PATTERNS or "max" in shape.metadata:
        _size(call, shape, len(value), path, "characters")
    pattern = shape.metadata.get("pattern")
    if pattern and call.service not in _WITHOUT_PATTERNS and not _fits(pattern, value):
        raise refusal(call, f"{path}: {value[:80]!r} does not satisfy the pattern {pattern}")


_TRANSLATED = (
    (r"\p{IsAlphabetic}", r"[^\W\d_]"),
    (r"\p{L}", "a-zA-Z\u00c0-\uffff"),
    (r"\p{Z}", r"\s"),
    (r"\p{N}", r"\d"),
    (r"\p{M}", ""),
    (r"\p{P}", r"\-!-/:-@\[-`{-~"),
    (r"\p{S}", "$+<->^`|~"),
    (r"\p{Alnum}", "a-zA-Z0-9"),
    (r"\p{ASCII}", r"\x00-\x7f"),
    (r"\p{Graph}", "!-~"),
    (r"\p{Print}", " -~"),
)
"""Java's classes of characters, as far as the models use them, in Python's words."""


@functools.lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of a service model; None for one that Python does not read, which is then not checked."""
    for java, python in _TRANSLATED:
        before, *rest = text.split(java)
        for part in rest:
            # A class may stand inside brackets or alone.
            inside = before.rfind("[") > before.rfind("]") or python.startswith("[") or not python
            before += (python if inside or len(python) == 2 else f"[{python}]") + part
        text = before
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(text)
    except re.error:
        return None


def _fits(pattern: str, value: str) -> bool:
    """Without anchors the services mean the whole text."""
    compiled = _pattern(pattern)
    if compiled is None:
        return True
    anchored = pattern.startswith("^") or pattern.endswith("$")
    return bool(compiled.search(value) if anchored else compiled.fullmatch(value))


_SHAPE_CODES = {
    "ec2": "InvalidParameterValue",
    "s3": "InvalidArgument",
    "autoscaling": "ValidationError",
    "iam": "ValidationError",
    "sts": "ValidationError",
    "elbv2": "ValidationError",
    "cloudwatch": "ValidationError",
    "rds": "InvalidParameterValue",
    "elasticache": "InvalidParameterValue",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "logs": "InvalidParameterException",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "eks": "InvalidParameterException",
    "efs": "BadRequest",
    "fsx": "BadRequest",
    "batch": "ClientException",
    "budgets": "InvalidParameterException",
    "apigateway": "BadRequestException",
    "apigatewayv2": "BadRequestException",
    "cloudfront": "InvalidArgument",
    "route53": "InvalidInput",
}
"""The code with which each service answers a value that its model does not allow. Source: the errors that each
service's API reference lists; ValidationException, which all the others share, is in "Common Errors"."""


def shape_code(service: str) -> str:
    """The service's code for a value that its model does not allow."""
    return _SHAPE_CODES.get(service, "ValidationException")


def refusal(call: Call, message: str) -> CloudError:
    """A value that the service model does not allow. The code is the service's; the wording is ours."""
    in_a_body = call.service == "s3" and "." in message.split(":")[0]
    return CloudError("MalformedXML" if in_a_body else shape_code(call.service), call.operation, message)
