"""What answers inside every VPC: the metadata service, the simulated APIs, a cache of packages, a folder of files."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the metadata service."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Headers = Mapping[str, str]
Ask = Callable[[str, str, str, str, Headers], Answer]
"""Answer a host's request: address of the host, method, path, query, headers (names in lower case)."""


class _OnSocket(ThreadingHTTPServer):
    """A server on a socket that already listens, in a namespace of its own."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__(listening.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True).start()


class _Metadata(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    ask: ClassVar[Ask]

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = type(self).ask(self.client_address[0], self.command, path, query, headers)
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_HEAD = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Not logged: answers carry credentials."""


def metadata(listening: socket.socket, ask: Ask) -> ThreadingHTTPServer:
    """Serve the metadata service on a socket."""
    handler = type("Handler", (_Metadata,), {"ask": staticmethod(ask)})
    return _OnSocket(listening, handler)


class _Files(SimpleHTTPRequestHandler):
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """Not logged."""


def files(listening: socket.socket, folder: Path) -> ThreadingHTTPServer:
    """Serve a folder's files on a socket, read only."""
    return _OnSocket(listening, partial(_Files, directory=str(folder)))


class Relay:
    """Passes connections on a socket to a port on this computer's loopback, asked for with each connection."""

    def __init__(self, listening: socket.socket, port: Callable[[], int]) -> None:
        self._listening, self._port = listening, port
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._port()), timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for side in (near, far):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()
        near.close()
        far.close()

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    buffer = memoryview(bytearray(CHUNK))
    try:
        while count := source.recv_into(buffer):
            sink.sendall(buffer[:count])
    except OSError:
        pass
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
