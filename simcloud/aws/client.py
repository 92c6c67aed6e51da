"""What a resource type of the simulated AWS provider calls: boto3 clients, the region, the provider's default tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simcloud.aws.inner import Clients
from simcloud.aws.rules import shape_code
from simcloud.provider.model import CloudError

DEFAULT_REGION = "us-east-1"
"""The region where nobody named one: what `sim env` exports when AWS_REGION is not set."""
ABSENT = ("NotFound", "NoSuch", "Unknown", "ResourceNotFoundException", "NotFoundException")


def is_absent(error: CloudError) -> bool:
    """Whether a refusal says that the thing is not there."""
    return any(word in error.code for word in ABSENT) or "not found" in error.message.lower()


class Api:
    """One boto3 client whose refusals are CloudErrors."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> dict[str, Any]:
            from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError

            operation = self._client.meta.method_to_api_mapping.get(name, name)
            try:
                return dict(method(**arguments))
            except ClientError as error:
                said = error.response["Error"]
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
                raise CloudError(said.get("Code", "Unknown"), operation, said.get("Message", ""), status) from None
            except ParamValidationError as error:
                service = self._client.meta.service_model.service_name
                missing = "Missing required parameter" in str(error)
                code = "MissingParameter" if missing and service == "ec2" else shape_code(service)
                raise CloudError(code, operation, str(error)) from None
            except HTTPClientError as error:
                raise CloudError("RequestError", operation, f"no answer after the last attempt: {error}", 503) from None

        return call

    def does(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation by the name that the service gives it."""
        from botocore import xform_name

        return self.__getattr__(xform_name(operation))(**arguments)

    def shape(self, operation: str) -> Any:
        """The input shape of an operation, from the service model."""
        return self._client.meta.service_model.operation_model(operation).input_shape


@dataclass(frozen=True, slots=True)
class AwsClient:
    """One provider instance's view of AWS."""

    clients: Clients
    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def configured(cls, clients: Clients, config: Mapping[str, Any], default_region: str = "") -> AwsClient:
        """From the provider's configuration. Raises ValueError for credentials that look real."""
        region = config.get("region") or default_region or DEFAULT_REGION
        if config.get("profile"):
            raise ValueError("a provider with a profile of real credentials is attached to the simulated AWS: unset it")
        tags = _plain(config.get("defaultTags")) or {}
        return cls(clients, region, dict(tags.get("tags") or {}))

    def api(self, service: str, region: str | None = None) -> Api:
        """A service's API in the provider's region or another one."""
        return Api(self.clients.get(service, region or self.region))

    def tags(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """The tags of a resource: the provider's default ones under its own."""
        return {**self.default_tags, **(inputs.get("tags") or {})}

    def tags_before(self, old: Mapping[str, Any]) -> dict[str, str]:
        """The tags that a resource had before an update. The provider's default ones may have been others then."""
        everything = old.get("tagsAll")
        return self.tags(old) if everything is None else dict(everything)

    def tag_changes(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
        """What an update does to a resource's tags: the keys that go, and those that come or change."""
        before, after = self.tags_before(old), self.tags(new)
        return [k for k in before if k not in after], {k: v for k, v in after.items() if before.get(k) != v}

    def own_tags(self, tags: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
        """`tags` and `tagsAll` of a state. A default tag counts as the resource's own only if the program said so
        too."""
        everything = {k: v for k, v in tags.items() if not k.startswith("aws:")}
        said = known.get("tags") or {}
        own = {k: v for k, v in everything.items() if k in said or self.default_tags.get(k) != v}
        return {"tags": own or None, "tagsAll": everything}


def _plain(value: Any) -> Any:
    """Nested provider configuration comes as JSON text from some SDKs."""
    return json.loads(value) if isinstance(value, str) and value else value


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as a list of pairs."""
    return [{key: k, value: v} for k, v in tags.items()]


def mapping(tags: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as a mapping."""
    return {t[key]: t.get(value, "") for t in tags or ()}
