"""Checks a request's body against the discovery document: names, types, enums, patterns, required members.

Output-only members are dropped, as Google's servers do, so that what a client read can be sent back.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

from simcloud.gcp.documents import Method, document
from simcloud.gcp.errors import Refusal, invalid_field, missing_field, rule

_SOURCE = "discovery documents shipped with google-api-python-client"
rule("schema.unknown-name", "a body names only members of its schema", _SOURCE)
rule("schema.type", "a member has the type of its schema", _SOURCE)
rule("schema.enum", "a member with an enum has one of its values", _SOURCE)
rule("schema.pattern", "a member with a pattern matches it", _SOURCE)
rule("schema.required", "members that the method requires are present", _SOURCE)
STORAGE_SHAPE = rule("schema.storage", "Cloud Storage's wording for a body of the wrong shape", _SOURCE, ours=True)


def clean(method: Method, body: Any) -> dict[str, Any]:
    """`body` without output-only members. Raises Refusal when it does not fit the method's schema."""
    if method.request is None:
        return {}
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid JSON payload received. Root element must be a message.", reason="parseError")
    return _Checker(method).message(method.request, body, "", "resource")


def check_parameter(name: str, spec: dict[str, Any], value: str) -> None:
    """Raises Refusal when a query parameter does not have its type, or a page token is none of ours."""
    kind = "integer" if name == "pageToken" and value else spec.get("type")
    wrong = kind == "integer" and not re.fullmatch(r"\d{1,10}", value)
    wrong |= kind == "boolean" and value.lower() not in ("true", "false")
    if wrong:
        wanted = "TYPE_BOOL" if kind == "boolean" else "TYPE_UINT32"
        text = f"Invalid value at '{name}' ({wanted}), \"{value}\""
        raise Refusal(400, text, reason="badRequest")


class _Checker:
    def __init__(self, method: Method) -> None:
        self.api = method.api
        self.key = method.key
        self.doc = document(method.key)
        self.id = method.id

    def message(self, schema: str, value: dict[str, Any], path: str, field: str) -> dict[str, Any]:
        shape = self.doc["schemas"][schema]
        properties: dict[str, Any] = shape.get("properties", {})
        extra = shape.get("additionalProperties")
        kept: dict[str, Any] = {}
        for name, item in value.items():
            spec = properties.get(name, extra)
            if spec is None:
                raise self._payload(
                    f'Unknown name "{name}"' + (f" at '{path}'" if path else "") + ": Cannot find field.", path
                )
            if item is None or (spec.get("readOnly") and name not in _SENT_BACK):
                continue
            inner = f"{path}.{name}" if path else name
            kept[name] = self.value(spec, item, inner, f"{field}.{name}")
        for name in _required(self.key, schema, self.id):
            if kept.get(name) in (None, ""):
                raise self._missing(f"{field}.{name}", name)
        return kept

    def value(self, spec: dict[str, Any], value: Any, path: str, field: str) -> Any:
        if "$ref" in spec:
            if not isinstance(value, dict):
                raise self._wrong(path, value, spec["$ref"])
            return self.message(spec["$ref"], value, path, field)
        kind = spec.get("type")
        if kind == "array":
            if not isinstance(value, list):
                raise self._wrong(path, value, "list")
            return [self.value(spec["items"], v, f"{path}[{i}]", f"{field}[{i}]") for i, v in enumerate(value)]
        if kind == "object":
            if not isinstance(value, dict):
                raise self._wrong(path, value, "map")
            inner = spec.get("additionalProperties")
            if inner is None:
                return value
            # A null in a map takes its key away in a patch; the services that merge look at the body as it was sent.
            kept = {k: v for k, v in value.items() if v is not None}
            return {k: self.value(inner, v, f"{path}[{k}]", f"{field}.{k}") for k, v in kept.items()}
        if kind == "any":
            return value
        return self._scalar(spec, kind, value, path, field)

    def _scalar(self, spec: dict[str, Any], kind: str | None, value: Any, path: str, field: str) -> Any:
        whole = spec.get("format") in ("int32", "uint32", "int64", "uint64")
        if kind == "boolean":
            if not isinstance(value, bool):
                raise self._wrong(path, value, "TYPE_BOOL")
            return value
        if kind in ("integer", "number") or whole:
            return self._number(spec, kind, value, path)
        if not isinstance(value, str):
            raise self._wrong(path, value, "TYPE_STRING")
        if spec.get("format") == "byte":
            try:
                base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
            except (binascii.Error, ValueError):
                raise self._payload(
                    f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{value}\"", path
                ) from None
        self._closed(spec, value, path, field)
        return value

    def _number(self, spec: dict[str, Any], kind: str | None, value: Any, path: str) -> Any:
        wide = f"TYPE_{str(spec.get('format', 'int32')).upper()}"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._wrong(path, value, wide)
        if kind == "number":
            try:
                return float(value)
            except ValueError:
                raise self._wrong(path, value, "TYPE_DOUBLE") from None
        try:
            number = int(value) if not isinstance(value, float) else int(value) if value.is_integer() else None
        except ValueError:
            number = None
        if number is None:
            raise self._wrong(path, value, wide)
        return str(number) if kind == "string" else number

    def _closed(self, spec: dict[str, Any], value: str, path: str, field: str) -> None:
        enum = spec.get("enum")
        if enum is not None and value not in enum:
            if self.api == "compute":
                raise invalid_field(field, value, f"Must be one of [{', '.join(enum)}]")
            if self.api == "storage":
                raise Refusal(400, f"Invalid argument: {path}: {value}", reason="invalid", rule=STORAGE_SHAPE)
            raise self._payload(f"Invalid value at '{path}' (enum), \"{value}\"", path)
        pattern = spec.get("pattern")
        if pattern is not None and value != "" and self.api == "compute" and not re.fullmatch(pattern, value):
            raise invalid_field(field, value, f"Must be a match of regex '{pattern}'")

    def _missing(self, field: str, name: str) -> Refusal:
        if self.api in ("compute", "storage"):
            return missing_field(field)
        return Refusal(400, f"Missing required field: {name}.")

    def _wrong(self, path: str, value: Any, wanted: str) -> Refusal:
        shown = f'"{value}"' if isinstance(value, str) else value
        return self._payload(f"Invalid value at '{path}' ({wanted}), {shown}", path)

    def _payload(self, what: str, path: str) -> Refusal:
        text = f"Invalid JSON payload received. {what}" if what.startswith("Unknown") else what
        violation = {"field": path, "description": text} if path else {"description": text}
        return Refusal(
            400,
            text,
            reason="badRequest",
            rule=STORAGE_SHAPE if self.api == "storage" else None,
            details=[{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}],
        )


_SENT_BACK = frozenset({"fingerprint", "etag", "labelFingerprint", "state"})
"""Marked output only in places, yet read by updates (optimistic locking)."""


_FILLED_IN = frozenset({("Route", "priority")})
"""Marked as required, yet their description names a default."""


_TELLING = frozenset(
    {"tpu", "file", "redis", "secretmanager", "parallelstore", "artifactregistry", "cloudscheduler"}
    | {"vpcaccess", "run", "v2.cloudfunctions", "billingbudgets"}
)
"""APIs whose documents begin the description of what is required with that word."""


@cache
def _required(api: str, schema: str, method: str) -> tuple[str, ...]:
    """Members of a schema that a method requires: marked by annotation, or by the word Required in the newer APIs."""
    found = []
    for name, spec in document(api)["schemas"][schema].get("properties", {}).items():
        made = method.endswith((".insert", ".create"))
        marked = made and method in spec.get("annotations", {}).get("required", []) and (schema, name) not in _FILLED_IN
        told = api in _TELLING and method.endswith(".create") and name not in ("name", "parent")
        told = told and spec.get("description", "").startswith("Required.") and not spec.get("readOnly")
        if marked or told:
            found.append(name)
    return tuple(found)
