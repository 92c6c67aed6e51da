"""boto3 clients that end in this process: for the provider (through the rules) and for the world's own use (past
them)."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from simcloud.wire import Request, Response

Send = Callable[[Request], Response]


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def to_request(prepared: Any) -> Request:
    """A botocore request as the world takes it."""
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {str(k).lower(): v.decode() if isinstance(v, bytes) else str(v) for k, v in prepared.headers.items()}
    return Request(prepared.method, url.path or "/", url.query, headers, bytes(body))


@functools.lru_cache(maxsize=1)
def _session() -> Any:
    """One session for the process: it keeps the service models, which take long to read."""
    import boto3

    return boto3.Session()


class Clients:
    """boto3 clients whose calls go to `send`. Thread-safe; a client is made once per service and region."""

    def __init__(self, send: Send, access_key: str = "AKIASIMULATED0000000") -> None:
        self._send = send
        self._key = access_key
        self._made: dict[tuple[str, str], Any] = {}
        self._guard = threading.Lock()

    def __reduce__(self) -> Any:
        """A snapshot holds no client: what held one gets the clients of the process that takes it up."""
        return (_of_this_process, ())

    def get(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        with self._guard:
            if (service, region) not in self._made:
                self._made[service, region] = self._make(service, region)
            return self._made[service, region]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"max_attempts": 5, "mode": "standard"},
            parameter_validation=True,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = _session().client(
            service,
            region_name=region,
            endpoint_url=f"http://{service}.simulated.invalid",
            # An access key is enough for the call to say which service and region it is for.
            aws_access_key_id=self._key,
            aws_secret_access_key="simulated",  # noqa: S106
            config=config,
        )
        client.meta.events.register("before-send.*.*", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        reply = self._send(to_request(request))
        return AWSResponse(request.url, reply.status, _Headers(reply.headers), _Body(reply.body))


_own_use: list[Clients] = []


def for_own_use(send: Send) -> Clients:
    """The clients through which the world itself calls, past its rules. The last ones made are the process's."""
    _own_use[:] = [Clients(send)]
    return _own_use[0]


def _of_this_process() -> Clients:
    return _own_use[0]


class _Headers(dict[str, str]):
    """Header names in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({k.lower(): v for k, v in headers.items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())
