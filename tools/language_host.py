"""A Python language host for a Pulumi engine that was built from its Go modules.

The official Pulumi install brings `pulumi-language-python`; the engine's Go module does not. This serves the same
LanguageRuntime service with the Python SDK's own stubs, and starts the program through `pulumi-language-python-exec`,
which lies in Pulumi's Go SDK module. It is installed as `.venv/bin/pulumi-language-python` by `tools/setup.py`, and
only where no official Pulumi is on PATH.

What it leaves to the official one: generating programs, projects and packages, packing and linking.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

EXECUTOR_ENV = "FLEETYARD_PULUMI_EXECUTOR"
SHOWED_MESSAGE = 32
"""The executor's exit status when it has told the user already what is wrong."""
MESSAGE_LIMIT = 400 * 1024 * 1024


def _stubs_without_the_sdk() -> None:
    """Make `pulumi.runtime.proto` importable without running the SDK's `__init__` (0.4 s that a host never uses)."""
    import importlib.util

    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("pulumi-language-python: the pulumi package is not installed in " + sys.executable)
    root = Path(next(iter(spec.submodule_search_locations)))
    for name, path in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package


_stubs_without_the_sdk()

import grpc  # noqa: E402 - only after the stubs have been made importable
from google.protobuf import empty_pb2  # noqa: E402
from pulumi.runtime.proto import (  # noqa: E402
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
)

GRPC_OPTIONS = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]


def interpreter(root: str, options: dict[str, Any]) -> str:
    """The program's Python: that of the project's `virtualenv` option if it has one, else the one that runs this
    host."""
    chosen = options.get("virtualenv")
    if not chosen:
        return sys.executable
    path = Path(root, str(chosen), "bin", "python")
    if not path.exists():
        raise FileNotFoundError(f"the project's virtualenv {chosen!r} has no interpreter at {path}: create it first")
    return str(path)


def _site_packages(python: str) -> list[Path]:
    if python == sys.executable:
        return [Path(p) for p in sys.path if p.endswith("site-packages")]
    return sorted(Path(python).parent.parent.glob("lib/python*/site-packages"))


def provider_packages(python: str) -> Iterator[tuple[str, str, str]]:
    """(name, version, download server) of every provider SDK in the interpreter's packages."""
    for site in _site_packages(python):
        for plugin_file in sorted(site.glob("*/pulumi-plugin.json")):
            plugin = json.loads(plugin_file.read_text())
            if plugin.get("resource"):
                yield plugin["name"], plugin.get("version", ""), plugin.get("server", "")


def distributions(python: str) -> Iterator[tuple[str, str]]:
    """(name, version) of every installed distribution."""
    for site in _site_packages(python):
        for info in sorted(site.glob("*.dist-info")):
            name, _, version = info.name.removesuffix(".dist-info").partition("-")
            yield name, version


class Host(language_pb2_grpc.LanguageRuntimeServicer):  # type: ignore[misc]
    """The LanguageRuntime service. One instance serves one engine."""

    def __init__(self, engine_address: str, executor: Path) -> None:
        self._engine_address = engine_address
        self._executor = executor
        self._children: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()

    # What the engine asks about the environment

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        python = self._python(request.info, context)
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(name=name, kind="resource", version=version, server=server)
                for name, version, server in provider_packages(python)
            ]
        )

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        python = self._python(request.info, context)
        return language_pb2.GetRequiredPluginsResponse(
            plugins=[
                plugin_pb2.PluginDependency(name=name, kind="resource", version=version, server=server)
                for name, version, server in provider_packages(python)
            ]
        )

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        python = self._python(request.info, context)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version) for name, version in distributions(python)
            ]
        )

    def About(self, request: Any, context: Any) -> Any:
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Template(self, request: Any, context: Any) -> Any:
        return language_pb2.TemplateResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        python = self._python(request.info, context)
        requirements = Path(request.directory, "requirements.txt")
        if not requirements.exists():
            yield language_pb2.InstallDependenciesResponse(stdout=b"no requirements.txt: nothing to install\n")
            return
        done = subprocess.run(
            [python, "-m", "pip", "install", "-r", str(requirements)], capture_output=True, check=False
        )
        yield language_pb2.InstallDependenciesResponse(stdout=done.stdout, stderr=done.stderr)
        if done.returncode:
            context.abort(grpc.StatusCode.INTERNAL, f"pip ended with exit status {done.returncode}")

    # What runs programs

    def Run(self, request: Any, context: Any) -> Any:
        python = self._python(request.info, context)
        program = os.path.normpath(os.path.join(request.info.program_directory or request.program, "."))
        if request.info.entry_point not in ("", "."):
            program = os.path.join(program, request.info.entry_point)
        command = [python, "-u", str(self._executor)]
        for flag, value in (
            ("--monitor", request.monitor_address),
            ("--engine", self._engine_address),
            ("--project", request.project),
            ("--stack", request.stack),
            ("--pwd", request.pwd),
            ("--dry_run", "true" if request.dryRun else "false"),
            ("--parallel", str(request.parallel)),
            ("--organization", request.organization),
            ("--root_directory", request.info.root_directory),
        ):
            if value:
                command += [flag, value]
        env = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        with grpc.insecure_channel(self._engine_address, options=GRPC_OPTIONS) as channel:
            engine = engine_pb2_grpc.EngineStub(channel)
            status = self._run([*command, program, *request.args], env, request.pwd, engine)
        if status == 0:
            return language_pb2.RunResponse()
        if status == SHOWED_MESSAGE:
            return language_pb2.RunResponse(bail=True)
        reason = f"killed by signal {-status}" if status < 0 else f"exited with non-zero exit code: {status}"
        return language_pb2.RunResponse(error=f"Program {reason}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a plugin written in Python: a policy pack (kind analyzer), or a directory with `__main__.py`."""
        python = self._python(request.info, context)
        directory = request.info.program_directory
        if request.kind == "analyzer":
            command = [python, "-u", "-m", "pulumi.policy", *list(request.args), directory]
        else:
            command = [python, "-u", directory, *list(request.args)]
        env = dict(entry.split("=", 1) for entry in request.env) if request.env else dict(os.environ)
        child = self._start(command, env, request.pwd)
        assert child.stdout is not None
        for line in child.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        assert child.stderr is not None
        yield language_pb2.RunPluginResponse(stderr=child.stderr.read())
        status = child.wait()
        self._forget(child)
        yield language_pb2.RunPluginResponse(exitcode=status)

    def Cancel(self, request: Any, context: Any) -> Any:
        self.end_children()
        return empty_pb2.Empty()

    def end_children(self) -> None:
        """End the process groups of all programs that still run."""
        with self._guard:
            for child in self._children:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGTERM)

    def _python(self, info: Any, context: Any) -> str:
        from google.protobuf import json_format

        try:
            return interpreter(info.root_directory, json_format.MessageToDict(info.options))
        except FileNotFoundError as missing:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(missing))
            raise

    def _start(self, command: list[str], env: dict[str, str], cwd: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            command,
            env=env,
            cwd=cwd or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with self._guard:
            self._children.add(child)
        return child

    def _forget(self, child: subprocess.Popen[bytes]) -> None:
        with self._guard:
            self._children.discard(child)

    def _run(self, command: list[str], env: dict[str, str], cwd: str, engine: Any) -> int:
        child = self._start(command, env, cwd)
        assert child.stdout is not None
        assert child.stderr is not None
        readers = [
            threading.Thread(target=_forward, args=(child.stdout, engine, engine_pb2.INFO)),
            threading.Thread(target=_forward, args=(child.stderr, engine, engine_pb2.ERROR)),
        ]
        for reader in readers:
            reader.start()
        status = child.wait()
        for reader in readers:
            reader.join()
        self._forget(child)
        return status


def _forward(stream: BinaryIO, engine: Any, severity: int) -> None:
    """Send each line of a program's output to the engine while the program runs."""
    for line in stream:
        try:
            engine.Log(engine_pb2.LogRequest(severity=severity, message=line.decode(errors="replace")))
        except grpc.RpcError:
            # The engine has gone; the program's output has no reader any more, but its pipe must still be drained.
            continue


def main() -> int:
    """Serve until the engine ends. The port goes to standard output, as the engine expects."""
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    engine_address = arguments[-1] if arguments else ""
    executor = Path(os.environ.get(EXECUTOR_ENV) or Path(__file__).with_name("pulumi-language-python-exec"))
    if not executor.exists():
        sys.exit(f"pulumi-language-python: missing executor {executor.name}: run `make setup`")
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=GRPC_OPTIONS)
    host = Host(engine_address, executor)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    done = threading.Event()
    # The engine ends its plugins with SIGINT and waits for them to go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    parent = os.getppid()
    while not done.wait(1.0):
        if os.getppid() != parent:  # the engine was killed: nobody will ask again
            break
    host.end_children()
    server.stop(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
