"""Object stores on loopback: moto's S3 server behind a relay that breaks things, and a small Google Cloud Storage."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Breaks = Callable[[str, str, bytes], bytes | None]
"""Given verb, path and the content that would be sent, what is sent instead; None for a cut connection."""


@dataclass
class Bucket:
    """A bucket with a way to put objects in past the program under test, and to break its answers."""

    url: str
    put: Callable[[str, bytes], None]
    get: Callable[[str], bytes]
    names: Callable[[], list[str]]
    state: Broken


@dataclass
class Broken:
    """What goes wrong, and what was asked."""

    breaks: Breaks | None = None
    before: Callable[[str, str], None] | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def reads_of(self, name: str) -> list[str]:
        """The ranges that were asked for of an object."""
        return [ranged for verb, path, ranged in self.asked if verb == "GET" and ranged and path.endswith(name)]


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, broken: Broken, verb: str, status: int, headers: dict[str, str], data: bytes) -> None:
        said = data
        if broken.breaks is not None and verb == "GET" and status < 300:
            changed = broken.breaks(verb, urllib.parse.unquote(self.path.partition("?")[0]), data)
            if changed is None:
                self.close_connection = True
                return
            said = changed
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        # The length is that of the whole: what is cut is missed by who counts.
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if verb != "HEAD":
            self.wfile.write(said)
        if len(said) != len(data):
            self.close_connection = True


@contextlib.contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()


_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


@contextlib.contextmanager
def s3_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """moto's own server, with a relay in front that notes and breaks."""
    import boto3
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    _, inner = moto.get_host_and_port()
    broken = Broken()

    class Relay(_Quiet):
        def _pass(self) -> None:
            verb, body = self.command, self._body()
            path = urllib.parse.unquote(self.path.partition("?")[0])
            broken.asked.append((verb, path, self.headers.get("Range", "")))
            if broken.before is not None:
                broken.before(verb, path)
            far = http.client.HTTPConnection("127.0.0.1", inner, timeout=20)
            far.request(verb, self.path, body, dict(self.headers.items()))
            reply = far.getresponse()
            data = reply.read()
            headers = {name: value for name, value in reply.getheaders() if name.lower() not in _HOP}
            self._answer(broken, verb, reply.status, headers, data)
            far.close()

    for verb in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        setattr(Relay, f"do_{verb}", Relay._pass)

    with _served(Relay) as port:
        for variable, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }.items():
            monkeypatch.setenv(variable, value)
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
            monkeypatch.delenv(variable, raising=False)
        direct = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{inner}", region_name="us-east-1")
        # moto keeps its buckets for as long as the process lives.
        name = f"lake-{uuid.uuid4().hex[:8]}"
        direct.create_bucket(Bucket=name)
        try:
            yield Bucket(
                f"s3://{name}",
                lambda key, data: direct.put_object(Bucket=name, Key=key, Body=data) and None,
                lambda key: bytes(direct.get_object(Bucket=name, Key=key)["Body"].read()),
                lambda: [row["Key"] for row in direct.list_objects_v2(Bucket=name).get("Contents", [])],
                broken,
            )
        finally:
            moto.stop()


@contextlib.contextmanager
def google_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """As much of Cloud Storage's JSON interface as the programs use, in its shapes; two objects to a page of a list."""
    held: dict[str, tuple[int, bytes]] = {}
    broken, count = Broken(), [1000]
    lock = threading.Lock()

    def put(name: str, data: bytes) -> None:
        with lock:
            count[0] += 1
            held[name] = (count[0], data)

    class Google(_Quiet):
        def _json(self, status: int, said: Any) -> None:
            self._answer(
                Broken(), self.command, status, {"Content-Type": "application/json"}, json.dumps(said).encode()
            )

        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            path = urllib.parse.unquote(parts.path)
            broken.asked.append(("GET", path, self.headers.get("Range", "")))
            if path == "/computeMetadata/v1/instance/service-accounts/default/token":
                assert self.headers["Metadata-Flavor"] == "Google"
                self._json(200, {"access_token": "of-the-machine", "expires_in": 3600, "token_type": "Bearer"})
                return
            if self.headers.get("Authorization") != "Bearer of-the-machine":
                self._json(401, {"error": {"message": "no token"}})
                return
            if broken.before is not None:
                broken.before("GET", path)
            if path == "/storage/v1/b/lake/o":
                names = sorted(n for n in held if n.startswith(query.get("prefix", "")))
                start = int(query.get("pageToken", 0))
                page = names[start : start + 2]
                items = [{"name": n, "size": str(len(held[n][1])), "generation": str(held[n][0])} for n in page]
                more = {"nextPageToken": str(start + 2)} if names[start + 2 :] else {}
                self._json(200, {"items": items, **more})
                return
            name = path.removeprefix("/storage/v1/b/lake/o/")
            found = held.get(name)
            if found is None or query.get("generation", str(found[0])) != str(found[0]):
                self._json(404, {"error": {"message": f"No such object: lake/{name}"}})
                return
            assert query["alt"] == "media"
            data, status = found[1], 200
            if ranged := self.headers.get("Range"):
                first, last = ranged.removeprefix("bytes=").split("-")
                data, status = data[int(first) : int(last) + 1], 206
            self._answer(broken, "GET", status, {"Content-Type": "application/octet-stream"}, data)

        def do_POST(self) -> None:
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
            broken.asked.append(("POST", query["name"], ""))
            assert query["uploadType"] == "media"
            put(query["name"], self._body())
            self._json(200, {"name": query["name"]})

    with _served(Google) as port:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{port}")
        yield Bucket("gs://lake", put, lambda name: held[name][1], lambda: sorted(held), broken)
