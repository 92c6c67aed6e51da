"""The way to the simulated cloud: Google's own client library over a function that answers requests.

The same class works inside one process and over HTTP; only `send` differs.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from simcloud.gcp.documents import APIS, text
from simcloud.provider.model import CloudError
from simcloud.wire import Request, Response

Send = Callable[[Request], Response]


CALLED = {"sql": "sqladmin"}
"""Documents whose methods' ids begin with another word than their service's name."""


class _Http:
    """What googleapiclient needs of httplib2: one `request` method."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.redirect_codes: frozenset[int] = frozenset()

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> tuple[Any, bytes]:
        import httplib2

        url = urlsplit(uri)
        content = body.encode() if isinstance(body, str) else body or b""
        lower = {name.lower(): value for name, value in (headers or {}).items()} | {"host": url.netloc}
        answer = self._send(Request(method, url.path, url.query, lower, content))
        return httplib2.Response({**answer.headers, "status": str(answer.status)}), answer.body

    def close(self) -> None:
        """Nothing is held open."""


class GcpClient:
    """Calls Google's APIs by the method's id in the discovery document.

    `project`, `region` and `zone` are the provider's defaults; a region follows from a zone. `default_labels` go onto
    everything that the Pulumi types label (the provider's `defaultLabels`, its attribution label). Refusals are
    raised as CloudError with the service's own code, message and HTTP status.
    """

    def __init__(
        self,
        send: Send,
        project: str,
        region: str | None = None,
        zone: str | None = None,
        default_labels: Mapping[str, str] | None = None,
    ) -> None:
        self.project = project
        self.default_labels = dict(default_labels or {})
        self.zone = zone
        self.region = region or (zone.rpartition("-")[0] if zone else None)
        self._http = _Http(send)
        self._collections: dict[str, Any] = {}

    def service(self, api: str) -> Any:
        """Google's client for one of `documents.APIS`, or for a name that a document calls itself by."""
        api = CALLED.get(api, api)
        if api not in self._collections:
            from googleapiclient.discovery import build_from_document

            self._collections[api] = build_from_document(text(api), http=self._http)
        return self._collections[api]

    def collection(self, path: str) -> Any:
        """A collection of an API: `compute.networks`, `tpu.projects.locations.nodes`, `v2.cloudfunctions.projects`."""
        if path not in self._collections:
            parent, _, name = path.rpartition(".")
            above = self.service(parent) if parent in APIS or parent in CALLED else self.collection(parent)
            self._collections[path] = getattr(above, name)()
        return self._collections[path]

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call `compute.networks.insert` and the like; the answer as a dict (empty for no content).

        Raises CloudError.
        """
        from googleapiclient.errors import HttpError

        path, _, name = method.rpartition(".")
        try:
            answer = getattr(self.collection(path), name)(**arguments).execute()
        except HttpError as error:
            raise _refused(method, error) from None
        return answer if isinstance(answer, dict) else {}

    def find(self, method: str, **arguments: Any) -> dict[str, Any] | None:
        """Like `call`; None when the resource does not exist."""
        try:
            return self.call(method, **arguments)
        except CloudError as error:
            if error.status == 404:
                return None
            raise

    def change(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Like `call`, and wait for the long-running operation that it starts. Raises CloudError when that fails."""
        operation = self.call(method, **arguments)
        if operation.get("kind") == "compute#operation":
            return self._wait_compute(method, operation)
        if operation.get("kind") == "sql#operation":
            where = {"project": operation["targetProject"], "operation": operation["name"]}
            return self._wait_status(method, operation, "sql.operations.get", where)
        if method.startswith("container.") and "operationType" in operation:
            name = operation["selfLink"].partition("/v1/")[2]
            return self._wait_status(method, operation, "container.projects.locations.operations.get", {"name": name})
        if re.search(r"(^|/)operations/", str(operation.get("name", ""))):
            return self._wait_rpc(method, operation)
        return operation

    def _wait_compute(self, method: str, operation: dict[str, Any]) -> dict[str, Any]:
        where = {"project": operation["selfLink"].split("/projects/")[1].split("/")[0], "operation": operation["name"]}
        scope = "global"
        for name in ("zone", "region"):
            if name in operation:
                scope, where[name] = name, operation[name].rpartition("/")[2]
        while operation["status"] != "DONE":
            operation = self.call(f"compute.{scope}Operations.wait", **where)
        errors = operation.get("error", {}).get("errors", [])
        if errors:
            raise CloudError(
                errors[0]["code"], method, errors[0]["message"], int(operation.get("httpErrorStatusCode", 400))
            )
        return operation

    def _wait_status(
        self, method: str, operation: dict[str, Any], look: str, where: Mapping[str, str]
    ) -> dict[str, Any]:
        pause = 0.0
        while operation["status"] != "DONE":
            operation = self.call(look, **where)
            time.sleep(pause)
            pause = 0.2
        error = operation.get("error")
        if error:
            first = (error.get("errors") or [error])[0]
            raise CloudError(str(first.get("code", "UNKNOWN")), method, str(first.get("message", "")), 400)
        return operation

    def _wait_rpc(self, method: str, operation: dict[str, Any]) -> dict[str, Any]:
        pause = 0.0
        while not operation.get("done"):
            operation = self.call(_look(method, operation["name"]), name=operation["name"])
            time.sleep(pause)
            pause = 0.2
        if "error" in operation:
            error = operation["error"]
            raise CloudError(
                _RPC.get(error["code"], str(error["code"])),
                method,
                error["message"],
                429 if error["code"] == 8 else 400,
            )
        found: dict[str, Any] = operation.get("response", {})
        return {k: v for k, v in found.items() if k != "@type"}


def _look(method: str, name: str) -> str:
    """The method that looks at a service's operation of this name."""
    head = method.split(".")
    api = ".".join(head[:2]) if re.fullmatch(r"v\d+", head[0]) else head[0]
    collections = name.split("/")[:-1:2]
    return ".".join([api, *collections, "get"])


_RPC = {3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 6: "ALREADY_EXISTS", 8: "RESOURCE_EXHAUSTED", 9: "FAILED_PRECONDITION"}


def _refused(method: str, error: Any) -> CloudError:
    status = int(error.resp.status)
    try:
        told = json.loads(error.content)["error"]
        errors = told.get("errors") or [{}]
        code = told.get("status") or errors[0].get("reason") or str(status)
        return CloudError(code, method, told.get("message", ""), status)
    except (ValueError, KeyError, TypeError):
        return CloudError(str(status), method, str(error), status)
