"""The rules in front of moto: what AWS refuses and moto accepts.

A rule is a function of one call and the state; it is registered under the operation that it guards, with its source. It
raises CloudError with the service's own code. Where the wording is ours and not AWS's, the rule says so.
"""

from __future__ import annotations

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


_OPEN_ENUMS = frozenset({"InstanceType", "BucketLocationConstraint", "ServiceName", "ResourceType"})
"""Sets that AWS extends between SDK releases: a value that is not in ours may be good."""


def _shape(call: Call, shape: Any, value: Any, path: str) -> None:
    """Enums, maxima and ranges of botocore's service models. Its own validator checks types, required members and
    minima only."""
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        for name, member in shape.members.items():
            if isinstance(value, dict) and name in value:
                _shape(call, member, value[name], f"{path}.{name}" if path else name)
    elif kind == "list":
        longest = shape.metadata.get("max")
        if longest is not None and len(value) > longest:
            raise refusal(call, f"{path}: {len(value)} members, at most {longest}")
        for index, member in enumerate(value):
            _shape(call, shape.member, member, f"{path}[{index}]")
    elif kind == "string":
        _string(call, shape, value, path)
    elif kind in ("integer", "long") and isinstance(value, int):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if (most is not None and value > most) or (least is not None and value < least):
            raise refusal(call, f"{path}: {value} is not within {least} to {most}")


def _string(call: Call, shape: Any, value: Any, path: str) -> None:
    if not isinstance(value, str):
        return
    allowed = getattr(shape, "enum", None)
    if allowed and shape.name not in _OPEN_ENUMS and value not in allowed:
        raise refusal(call, f"{path}: {value!r} is not one of {', '.join(sorted(allowed)[:12])}")
    longest = shape.metadata.get("max")
    if longest is not None and len(value) > longest:
        raise refusal(call, f"{path}: {len(value)} characters, at most {longest}")


_SHAPE_CODES = {
    "ec2": "InvalidParameterValue",
    "s3": "InvalidArgument",
    "autoscaling": "ValidationError",
    "iam": "ValidationError",
    "sts": "ValidationError",
}


def refusal(call: Call, message: str) -> CloudError:
    """A value that the service model does not allow. The code is the service's; the wording is ours."""
    return CloudError(_SHAPE_CODES.get(call.service, "ValidationException"), call.operation, message)
