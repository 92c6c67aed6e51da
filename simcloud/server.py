"""The world's process: HTTP ports for the clouds' APIs, two gRPC ports for the Pulumi providers, on loopback only.

`/_simcloud/` on the AWS port is the simulation's own interface: status, faults, knobs, inventory, stop.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from simcloud.faults import Fault, LostConnectionError
from simcloud.journal import JournalDamagedError
from simcloud.wire import Request, Response
from simcloud.world import World

LOOPBACK = "127.0.0.1"
RUN_FILE = "run.json"
LOCK_FILE = "lock"
MAX_MESSAGE = 400 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running world listens, as `run.json` in its home says. `token` opens the simulation's own interface.

    aws_machines, gcp_machines: the same APIs for machines, which must show credentials: there is no simulated user.
    """

    pid: int
    aws_http: int
    gcp_http: int
    aws_grpc: int
    gcp_grpc: int
    token: str
    aws_machines: int = 0
    gcp_machines: int = 0


def running(home: Path) -> Running | None:
    """The world of this home, if a process holds it. The lock says so: a process id may be a dead or another one's."""
    try:
        with (home / LOCK_FILE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        pass
    except OSError:
        return None
    try:
        return Running(**json.loads((home / RUN_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _makers() -> dict[str, Any]:
    # A world without AWS must not pay for moto, nor one without GCP for the discovery documents.
    def aws() -> Any:
        from simcloud.aws.world import AwsWorld

        return AwsWorld()

    def gcp() -> Any:
        from simcloud.gcp.cloud import Gcp

        return Gcp()

    def generic() -> Any:
        from simcloud.generic import GenericWorld

        return GenericWorld()

    return {"aws": aws, "gcp": gcp, "generic": generic}


def open_world(home: Path) -> World:
    """The world of a home folder, rebuilt from its journal."""
    world = World(home, _makers())
    world.open()
    return world


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    world: World
    cloud: str
    token: str
    stop: threading.Event
    for_machines: bool

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        headers = {k.lower(): v for k, v in self.headers.items()}
        if path.startswith("/_simcloud/") and not self.for_machines:
            self._answer(self._own(path.removeprefix("/_simcloud/"), headers, body))
            return
        try:
            request = Request(self.command, path, query, headers, body)
            self._answer(self.world.call(self.cloud, request, from_machine=self.for_machines))
        except LostConnectionError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            self._answer(Response(500, {}, f"the simulated cloud cannot write its journal: {error}".encode()))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            if name not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        body = b"" if response.status in (204, 304) else response.body
        length = response.headers.get("content-length", str(len(body))) if self.command == "HEAD" else str(len(body))
        self.send_header("content-length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _own(self, what: str, headers: Mapping[str, str], body: bytes) -> Response:
        if headers.get("x-simcloud-token") != self.token:
            return Response(403, {}, b"the simulation's own interface needs the token of run.json")
        try:
            return Response.of_json(self._do(what, json.loads(body or b"{}")))
        except (ValueError, KeyError, TypeError) as wrong:
            return Response.of_json({"error": str(wrong)}, 400)

    def _do(self, what: str, args: dict[str, Any]) -> Any:
        world = self.world
        if what == "status":
            return {"pid": os.getpid(), "records": world.records(), "faults": world.faults.listed()}
        if what == "called":
            return world.called()
        if what == "rights":
            return world.rights()
        if what == "inventory":
            return {"resources": world.inventory(), "kept": world.kept()}
        if what == "machines":
            fleet = world.fleet()
            return {"unchanged": True} if args.get("since") == fleet.revision else fleet.as_dict()
        if what == "metadata":
            headers = {str(k).lower(): str(v) for k, v in args.get("headers", {}).items()}
            asked = Request(args.get("method", "GET"), args["path"], args.get("query", ""), headers)
            said = _told(world, args["cloud"], args["key"], asked, self.stop)
            try:
                return {"status": said.status, "headers": dict(said.headers), "body": said.body.decode()}
            except UnicodeDecodeError:  # user data may be anything
                body = base64.b64encode(said.body).decode()
                return {"status": said.status, "headers": dict(said.headers), "body": body, "base64": True}
        if what == "fault":
            world.faults.add(Fault(**args))
            return {"faults": world.faults.listed()}
        if what == "faults/clear":
            world.faults.clear()
            return {}
        if what == "control":
            return world.control(args["cloud"], args["action"], args.get("args", {}))
        if what == "stop":
            self.stop.set()
            return {}
        raise ValueError(f"no such request: {what}")

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: they may carry what nobody should read."""


LONGEST_WAIT_S = 50.0
"""Who asks the own interface waits a minute at most."""
LOOK_EVERY_S = 0.5


def _told(world: World, cloud: str, machine: str, request: Request, stop: threading.Event) -> Response:
    """What the metadata service says; with `wait_for_change` (Google's) not before it says something else."""
    said = world.metadata(cloud, machine, request)
    query = {name.lower(): values[0] for name, values in request.params().items()}
    known = query.get("last_etag") or said.headers.get("etag")
    if cloud != "gcp" or query.get("wait_for_change", "").lower() != "true" or known != said.headers.get("etag"):
        return said
    asked = query.get("timeout_sec", "")
    end = time.monotonic() + min(float(asked) if asked.isdigit() else LONGEST_WAIT_S, LONGEST_WAIT_S)
    records = world.records()
    while time.monotonic() < end and not stop.wait(LOOK_EVERY_S):
        if world.records() != records:  # nothing changes without a record
            records = world.records()
            said = world.metadata(cloud, machine, request)
            if said.headers.get("etag") != known:
                break
    return said


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _http(
    world: World, cloud: str, token: str, port: int, stop: threading.Event, *, for_machines: bool = False
) -> ThreadingHTTPServer:
    given = {"world": world, "cloud": cloud, "token": token, "stop": stop, "for_machines": for_machines}
    handler = type("Handler", (_Handler,), given)
    server = _HttpServer((LOOPBACK, port), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return server


def _grpc(world: World, package: str, port: int) -> tuple[Any, int]:
    import grpc
    from pulumi.runtime.proto import provider_pb2_grpc

    from simcloud.provider.servicer import Provider
    from simcloud.provider.translations import translation
    from simcloud.schema import TypeIndex

    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=options)
    provider = Provider(translation(package, world), TypeIndex(package))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    bound = server.add_insecure_port(f"{LOOPBACK}:{port}")
    server.start()
    return server, bound


def serve(home: Path) -> int:
    """Serve a world until it is told to stop. Returns 0; 1 when another process holds this home or it is damaged."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (home / LOCK_FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("simcloud: another process holds this world", file=sys.stderr)
        return 1
    try:
        world = open_world(home)
    except JournalDamagedError as damaged:
        print(f"simcloud: {damaged}", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # A restarted world listens where the last one did, so that clients which know it find it again.
    ports = _last_ports(home)
    token = secrets.token_hex(16)
    aws, gcp = (_http(world, cloud, token, ports[f"{cloud}_http"], stop) for cloud in ("aws", "gcp"))
    machines = {
        cloud: _http(world, cloud, token, ports[f"{cloud}_machines"], stop, for_machines=True)
        for cloud in ("aws", "gcp")
    }
    grpc_servers = {package: _grpc(world, package, ports[f"{package}_grpc"]) for package in ("aws", "gcp")}
    state = Running(
        os.getpid(),
        aws.server_port,
        gcp.server_port,
        grpc_servers["aws"][1],
        grpc_servers["gcp"][1],
        token,
        machines["aws"].server_port,
        machines["gcp"].server_port,
    )
    unfinished = home / f"{RUN_FILE}.new"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(0o600)  # it holds the token
    unfinished.write_text(json.dumps(asdict(state)))
    unfinished.replace(home / RUN_FILE)
    threading.Thread(target=world.reconcile, daemon=True).start()
    threading.Thread(target=_warm, args=(world,), daemon=True).start()
    stop.wait()
    for server, _ in grpc_servers.values():
        server.stop(0.5)
    for one in (aws, gcp, *machines.values()):
        one.shutdown()
    world.close()
    return 0


def _last_ports(home: Path) -> dict[str, int]:
    names = ("aws_http", "gcp_http", "aws_grpc", "gcp_grpc", "aws_machines", "gcp_machines")
    try:
        said = json.loads((home / RUN_FILE).read_text())
        ports = {n: int(said.get(n, 0)) for n in names}
    except (OSError, ValueError, AttributeError):
        return dict.fromkeys(names, 0)
    return {n: p if _free(p) else 0 for n, p in ports.items()}


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _warm(world: World) -> None:
    """Load what the first calls would wait for, while the user is still typing."""
    for cloud in ("aws", "gcp"):
        world.cloud(cloud)
