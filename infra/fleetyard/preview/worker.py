"""One stack of one version through the engine, in a process of its own.

Half of what a Pulumi run costs is Python reading the providers' SDKs. So one server process reads them once, and each
run is forked from it (`multiprocessing`'s fork server). The forked process takes Fleetyard's own modules from the
version that it is about, and is the language host of its own engine, as with Pulumi's Automation API.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any

WARM = {cloud: f"fleetyard.preview.warm.{cloud}" for cloud in ("aws", "gcp")}
DEEPEST = 74
"""Bytes of the temporary folder's path: a socket's path may have 107, and multiprocessing adds 33 of its own."""
_LONGEST_MESSAGE = 400 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Job:
    """One run of `stack` in `project`, a throw-away copy of one version: `up`, `preview`, `refresh`, `destroy`, or only
    its `facts`."""

    action: str
    stack: str
    project: Path
    env: Mapping[str, str]
    make: bool = False
    """Whether the stack must be made first."""
    own_modules: bool = True
    """Whether this version's Fleetyard is another one than that of the command, so that its modules must be read."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended. `steps` as `pulumi preview --json` gives them; `said`: the errors, when it failed."""

    ok: bool
    steps: tuple[Mapping[str, Any], ...] = ()
    said: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    """The resource types that stand after an `up`."""


def preload(clouds: Iterable[str]) -> None:
    """Say what the server process shall read before the first run."""
    modules = [
        "pulumi.automation._server",
        "fleetyard.preview.warm.pure",
        *(WARM[cloud] for cloud in sorted(set(clouds))),
    ]
    get_context("forkserver").set_forkserver_preload(modules)


def _context() -> ForkServerContext | SpawnContext:
    """Processes forked from the server; new ones, which take longer, where its socket's path would be too long."""
    deep = len(os.fsencode(tempfile.gettempdir())) > DEEPEST
    return get_context("spawn") if deep else get_context("forkserver")


def run(job: Job) -> Ran:
    """Carry out a job in a process forked from the server."""
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run_and_tell, args=(job, theirs), daemon=False)
    process.start()
    theirs.close()
    try:
        return Ran(**ours.recv())
    except EOFError:
        process.join()
        return Ran(False, said=(f"the run ended with status {process.exitcode} and said nothing",))
    finally:
        process.join()


def _run_and_tell(job: Job, pipe: Any) -> None:
    try:
        ran = _run(job)
    except BaseException as wrong:
        ran = Ran(False, said=(f"{type(wrong).__name__}: {wrong}",))
    pipe.send(asdict(ran))  # plain data: this process may know `Ran` from another version
    pipe.close()
    sys.stdout.flush()
    os._exit(0)  # gRPC's threads have nothing more to do


def _run(job: Job) -> Ran:
    os.environ.clear()
    os.environ.update(job.env)
    os.chdir(job.project)
    if job.own_modules:
        # The modules of the version that this run is about, not those of the command that asked for it.
        for name in [name for name in sys.modules if name.partition(".")[0] == "fleetyard"]:
            del sys.modules[name]
    sys.path.insert(0, str(job.project / "infra"))
    facts = _facts(job)
    if job.action == "facts":
        return Ran(True, facts=facts)
    if job.make:
        made = _pulumi(job, "stack", "init", job.stack, "--no-select")
        if made.returncode:
            return Ran(False, said=(made.stderr.strip(),), facts=facts)
    with _Host(job.project / "infra") as address:
        words = ["--stack", job.stack, "--client", address, "--json"]
        if job.action == "preview":
            return _previewed(_pulumi(job, "preview", *words), facts)
        done = _pulumi(job, job.action, "--yes", "--skip-preview", *words)
    types = _types(job) if job.action == "up" else ()
    return Ran(done.returncode == 0, said=() if done.returncode == 0 else _errors(done), facts=facts, types=types)


def _types(job: Job) -> tuple[str, ...]:
    """The types of what stands now, without components and providers."""
    exported = json.loads(_pulumi(job, "stack", "export", "--stack", job.stack).stdout)
    rows = exported["deployment"].get("resources") or ()
    found = {row["type"] for row in rows if row["custom"]}
    return tuple(sorted(kind for kind in found if not kind.startswith("pulumi:")))


def _previewed(done: subprocess.CompletedProcess[str], facts: Mapping[str, Any]) -> Ran:
    try:
        digest = json.loads(done.stdout)
    except ValueError:
        return Ran(False, said=(done.stderr.strip() or done.stdout.strip()[-2000:],), facts=facts)
    errors = tuple(d["message"].strip() for d in digest.get("diagnostics") or () if d.get("severity") == "error")
    steps = tuple(digest.get("steps") or ())
    return Ran(done.returncode == 0, steps, errors or (() if done.returncode == 0 else (done.stderr.strip(),)), facts)


def _errors(done: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    found = []
    for line in done.stdout.splitlines():
        said = json.loads(line).get("diagnosticEvent", {}) if line.startswith("{") else {}
        if said.get("severity") == "error":
            found.append(said["message"].strip())
    return tuple(found) or (done.stderr.strip()[-2000:],)


def _pulumi(job: Job, *words: str) -> subprocess.CompletedProcess[str]:
    pulumi = shutil.which("pulumi", path=job.env.get("PATH"))
    if pulumi is None:
        raise FileNotFoundError("no pulumi on PATH: make setup")
    command = [pulumi, *words, "--non-interactive", "--color", "never"]
    return subprocess.run(  # noqa: S603 - pulumi
        command, cwd=job.project, env=dict(job.env), capture_output=True, text=True, check=False
    )


class _Host:
    """The language host of one engine run: the program runs in this process."""

    def __init__(self, program: Path) -> None:
        self._program = program / "__main__.py"

    def __enter__(self) -> str:
        import grpc
        from pulumi.automation._server import LanguageServer
        from pulumi.runtime.proto import language_pb2_grpc

        options = [("grpc.max_receive_message_length", _LONGEST_MESSAGE), ("grpc.so_reuseport", 0)]
        self._server = grpc.server(ThreadPoolExecutor(max_workers=4), options=options)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(self._start), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._server.stop(0)

    def _start(self) -> None:
        from pulumi.errors import RunError

        try:
            runpy.run_path(str(self._program), run_name="__main__")
        except SystemExit as ended:
            if ended.code:
                # It has said what is wrong; the engine must know that it did not come to its end.
                raise RunError("the program ended before its end") from None


def _facts(job: Job) -> dict[str, Any]:
    """What this version's own rules say of the stack; nothing where it cannot tell."""
    try:
        from fleetyard.catalog import Unknown
        from fleetyard.checks import check
        from fleetyard.plan import make_plan, read_sized
        from fleetyard.spec import load_stack, stack_file

        folder = job.project / "stacks"
        stack = load_stack(stack_file(folder, job.stack))
        plan = make_plan(stack, read_sized(stack, folder))
        findings = [finding for finding in check(plan) if finding.level != "info"]
        price = plan.usd_per_hour
        return {
            "accelerators": sum(pool.accelerators for pool in plan.pools),
            "usd_per_hour": None if isinstance(price, Unknown) else price,
            "findings": tuple(str(finding) for finding in findings),
            "errors": sum(finding.level == "error" for finding in findings),
            "warnings": sum(finding.level == "warning" for finding in findings),
        }
    except Exception as wrong:
        listed = getattr(wrong, "findings", None)
        said = tuple(str(each) for each in listed) if listed else (f"{type(wrong).__name__}: {wrong}",)
        return {"findings": said, "errors": len(said), "warnings": 0}
