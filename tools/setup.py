"""Make `.venv`: the locked Python packages, the `fleetyard` command, and a Pulumi engine.

Run by `make setup` with any Python >= 3.11, so it uses the standard library alone. What is expensive to make (the
engine) is kept in the user's cache folder and can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / "tools"
LOCK = ROOT / "requirements" / "lock.txt"
OLDEST_ENGINE = (3, 250, 0)
NEWEST_ENGINE_MAJOR = 3
OLDEST_GO = (1, 25)


def cache_home() -> Path:
    """The user's cache folder for Fleetyard."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetyard"


def say(text: str) -> None:
    """A line of progress."""
    print(f"fleetyard setup: {text}", flush=True)


def timed(what: str, step: Callable[[], object]) -> None:
    """Run one step, with a line before and the elapsed time after it; long ones also show that they are alive."""
    say(what)
    start = time.monotonic()
    step()
    elapsed = time.monotonic() - start
    if elapsed > 1:
        say(f"  done in {elapsed:.0f} s")


def run(
    command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None, log: Path | None = None
) -> None:
    """Run a command; while it works, say so every 30 s. Ends the program if it fails.

    log: where its own output goes, for a command that would print hundreds of lines; its end is shown on failure.
    """
    with (log or Path(os.devnull)).open("w") as sink:
        out = sink if log else None
        with subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out) as child:
            started = time.monotonic()
            while True:
                try:
                    status = child.wait(timeout=30)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  … {time.monotonic() - started:.0f} s")
    if status:
        if log:
            print("\n".join(log.read_text(errors="replace").splitlines()[-20:]), file=sys.stderr)
        sys.exit(f"fleetyard setup: `{' '.join(command[:4])} …` ended with exit status {status}")


def stamp_of(*parts: bytes) -> str:
    """A short hash of everything that a step's result depends on."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def make_packages() -> None:
    """Create the virtual environment and install the locked packages, each checked against its hash."""
    stamp = VENV / ".fleetyard-lock"
    wanted = stamp_of(LOCK.read_bytes(), sys.version.encode())
    if stamp.exists() and stamp.read_text() == wanted and (VENV / "bin" / "fleetyard").exists():
        return
    if not (VENV / "bin" / "python").exists():
        timed("creating .venv", lambda: venv.create(VENV, with_pip=True, symlinks=True))
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    timed(
        "installing the locked packages (2 to 4 minutes the first time)",
        lambda: run([*pip, "--require-hashes", "-r", str(LOCK)]),
    )
    timed(
        "installing the fleetyard command",
        lambda: run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]),
    )
    stamp.write_text(wanted)


def version_of(output: str) -> tuple[int, ...]:
    """The first dotted version in a command's output; () when there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", output)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _version_command(path: str, *arguments: str) -> tuple[int, ...]:
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    return version_of(done.stdout)


def official_engine() -> str | None:
    """The path of a Pulumi CLI of a supported version that the user already has, if there is one."""
    path = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if Path(p) != VENV / "bin")
    found = shutil.which("pulumi", path=path)
    if found is None or shutil.which("pulumi-language-python", path=path) is None:
        return None
    version = _version_command(found, "version")
    if version and version >= OLDEST_ENGINE and version[0] == NEWEST_ENGINE_MAJOR:
        return found
    say(f"the pulumi on PATH is version {'.'.join(map(str, version))}, outside the supported range; building one")
    return None


def engine_version() -> str:
    """The engine's version, as `tools/go.mod` pins it."""
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v[\d.]+)", (TOOLS / "go.mod").read_text())
    if not found:
        sys.exit("fleetyard setup: tools/go.mod does not pin github.com/pulumi/pulumi/pkg/v3")
    return found.group(1)


def build_engine() -> Path:
    """Build the Pulumi CLI from its Go modules into the cache; return the folder with it and its executor."""
    version = engine_version()
    key = stamp_of((TOOLS / "go.mod").read_bytes(), (TOOLS / "go.sum").read_bytes())
    home = cache_home() / "engine" / f"{version}-{platform.system().lower()}-{platform.machine()}-{key}"
    if (home / "pulumi").exists() and (home / "pulumi-language-python-exec").exists():
        return home
    go = shutil.which("go")
    if go is None or _version_command(go, "version")[:2] < OLDEST_GO:
        sys.exit(
            "fleetyard setup: neither a Pulumi CLI nor Go >= 1.25 is on PATH.\n"
            "  Fix: install Pulumi (3.250 or newer), or Go 1.25 or newer, and run `make setup` again."
        )
    home.mkdir(parents=True, exist_ok=True)
    building = home / f"pulumi.{os.getpid()}"
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    build = [go, "build", "-trimpath", "-tags", "osusergo,grpcnotrace", "-ldflags", flags, "-o", str(building)]
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    env = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false"}
    timed(
        f"building the Pulumi engine {version} from its Go modules (5 to 8 minutes, once)",
        lambda: run([*build, package], cwd=TOOLS, env=env, log=home / "build.log"),
    )
    listed = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
        cwd=TOOLS,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    executor = Path(listed.stdout.strip(), "python", "cmd", "pulumi-language-python-exec")
    shutil.copyfile(executor, home / executor.name)
    (home / executor.name).chmod(0o755)
    building.rename(home / "pulumi")
    return home


def _replace(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def link_engine() -> None:
    """Put a Pulumi engine within reach of `.venv`: the user's own, or the one built here with its language host."""
    command, host = VENV / "bin" / "pulumi", VENV / "bin" / "pulumi-language-python"
    official = official_engine()
    if official:
        command.unlink(missing_ok=True)
        host.unlink(missing_ok=True)
        say(f"using the Pulumi CLI at {official}")
        return
    home = build_engine()
    command.unlink(missing_ok=True)
    try:
        # Not a symbolic link: the engine looks for its language host beside the file that it really is.
        os.link(home / "pulumi", command)
    except OSError:
        shutil.copy2(home / "pulumi", command)
    _replace(
        host,
        f"#!{VENV}/bin/python\n"
        "import os, runpy\n"
        f"os.environ.setdefault('FLEETYARD_PULUMI_EXECUTOR', {str(home / 'pulumi-language-python-exec')!r})\n"
        f"runpy.run_path({str(TOOLS / 'language_host.py')!r}, run_name='__main__')\n",
    )


def index_types() -> None:
    """Read the resource types of the two provider SDKs once, so that no simulated cloud has to import them."""
    timed(
        "indexing the provider SDKs' types (about a minute, once)" if not _indexed() else "checking the type index",
        lambda: run([str(VENV / "bin" / "python"), "-m", "simcloud.schema"]),
    )


def _indexed() -> bool:
    return any((cache_home() / "types").glob("*.sqlite"))


def main() -> int:
    """Make everything that is missing."""
    make_packages()
    link_engine()
    index_types()
    say("ready: . .venv/bin/activate, or `make help`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
