"""The two translations: which resource types and functions each provider models, and the client they call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from simcloud.documented import documented
from simcloud.faults import LostConnectionError
from simcloud.provider.model import CloudError, ResourceType
from simcloud.provider.servicer import Translation
from simcloud.schema import ResourceSchema
from simcloud.wire import Request, Response
from simcloud.world import World

REGION_FILE = "region"


def default_region(home: Path) -> str:
    """The region of programs that name none: what `sim env` last exported as AWS_REGION.

    A real provider reads that from its own environment; this one lives in the world's process, not in the shell's.
    """
    try:
        return (home / REGION_FILE).read_text().strip()
    except OSError:
        return ""


Invoke = Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]
GCP_ATTEMPTS = 6
GCP_REPEATED = frozenset({429, 500, 502, 503})
"""What the Google provider repeats, beside calls whose connection was reset: its `isCommonRetryableErrorCode`. It goes
on for 90 s with growing pauses; here the pauses are a tenth of its own and end after `GCP_ATTEMPTS`."""
GCP_FIRST_PAUSE_S = 0.05


class _Side:
    """What both translations share: the world behind them, and the path of a type that neither models."""

    def __init__(self, world: World) -> None:
        self._world = world

    package: str

    def _call(self, request: Request) -> Response:
        try:
            return self._world.call(self.package, request)
        except OSError as full:
            # Nothing was done: a call is written down first.
            message = f"the simulated cloud cannot write its journal ({full}): make room, then go on"
            raise CloudError("JournalNotWritten", f"{request.method} {request.path}", message, 500) from None

    def generic(self, schema: ResourceSchema) -> ResourceType[Any]:
        return documented(self.package, schema, self._ask)

    def _ask(self, action: str, args: Mapping[str, Any]) -> Any:
        world = self._world
        return world.look("generic", action, args) if action == "get" else world.control("generic", action, args)


class _Aws(_Side):
    package = "aws"

    def _send(self, request: Request) -> Response:
        try:
            return self._call(request)
        except LostConnectionError:
            from botocore.exceptions import ConnectionClosedError

            # The client tries again, as the real provider's does: what was done and not answered is done twice.
            raise ConnectionClosedError(endpoint_url=request.path) from None

    def types(self) -> Mapping[str, ResourceType[Any]]:
        from simcloud.aws.types import REGISTRY

        return REGISTRY

    def invokes(self) -> Mapping[str, Invoke]:
        from simcloud.aws.types import INVOKES

        return INVOKES

    def client(self, config: Mapping[str, Any]) -> Any:
        from simcloud.aws.client import AwsClient
        from simcloud.aws.inner import Clients

        return AwsClient.configured(Clients(self._send), config, default_region(self._world.home))


class _Gcp(_Side):
    package = "gcp"

    def _send(self, request: Request) -> Response:
        last: Response | None = None
        for attempt in range(GCP_ATTEMPTS):
            if attempt:
                time.sleep(GCP_FIRST_PAUSE_S * 2 ** (attempt - 1))
            try:
                last = self._call(request)
            except LostConnectionError:
                continue
            if last.status not in GCP_REPEATED:
                return last
        if last is not None:
            return last
        raise CloudError("connectionReset", f"{request.method} {request.path}", "the connection was closed", 503)

    def types(self) -> Mapping[str, ResourceType[Any]]:
        from simcloud.gcp.types import REGISTRY

        return REGISTRY

    def invokes(self) -> Mapping[str, Invoke]:
        from simcloud.gcp.types import INVOKES

        return INVOKES

    def client(self, config: Mapping[str, Any]) -> Any:
        from simcloud.gcp.cloud import client

        return client(self._send, config)


def translation(package: str, world: World) -> Translation:
    """The translation of `aws` or `gcp` onto a world."""
    return _Aws(world) if package == "aws" else _Gcp(world)
