"""Make a Python environment from a locked list, or say whether one is what its list says.

Runs on the host with its own Python >= 3.11. An environment that is whole has a file `.complete`, so one that was
interrupted is made anew. Nothing is installed that the list does not name with a SHA-256.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

COMPLETE = ".complete"
HASH = re.compile(r"sha256[:=]([0-9a-f]{64})\b|#([0-9a-f]{64})$")
CONDA_NAME = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.(?:conda|tar\.bz2)$")


class RefusedError(Exception):
    """code, what is wrong, the fix."""

    def __init__(self, code: str, what: str, fix: str) -> None:
        super().__init__(code, what, fix)
        self.code, self.what, self.fix = code, what, fix


def rows(lock: str) -> Iterator[str]:
    """The entries of a list, each on one line, without comments."""
    for row in re.sub(r"\\\n", " ", lock).splitlines():
        text = row.strip()
        if text and not text.startswith(("#", "@")):
            yield " ".join(text.split())


def without_hash(lock: str) -> list[str]:
    """Entries that name no SHA-256."""
    return [row.split()[0] for row in rows(lock) if not HASH.search(row)]


def _run(command: list[str], code: str, what: str, fix: str, **more: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **more})  # noqa: S603
    if done.returncode:
        said = [row for row in (done.stderr or done.stdout).splitlines() if row.strip() and "WARNING" not in row]
        # pip names both hashes under its error, and a package that is missing above it.
        raise RefusedError(code, f"{what}: {' '.join(' '.join(said[-12:]).split())[:900]}", fix)


def make_venv(target: Path, lock: Path, options: argparse.Namespace) -> None:
    """A venv with the list's packages."""
    command = [sys.executable, "-m", "venv", *(["--system-site-packages"] if options.system else []), str(target)]
    _run(command, "FY2822", "Python makes no environment", "python_environment_packages: [python3-venv]")
    index = ["--index-url", options.index, "--trusted-host", urlsplit(options.index).hostname or ""]
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "install"]
    wanted = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    built = [f"--no-binary={name}" for name in options.build]
    _run(
        [*pip, *wanted, *built, *(index if options.index else []), "--requirement", str(lock)],
        "FY2821",
        f"the index does not give what {lock.name} names",
        "python_environment_index_url must answer and have every file of the list; run this playbook again",
        # A list is the whole truth: settings of the host's pip add nothing to it.
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_INPUT="1",
    )


def conda_urls(lock: str, alias: str) -> list[tuple[str, str]]:
    """Address and SHA-256 of each package of an explicit list; what has no scheme lies under the alias."""
    found = []
    for row in rows(lock):
        where, _, digest = row.partition("#")
        url = where if "://" in where else f"{alias.rstrip('/')}/{where}"
        found.append((url, digest.removeprefix("sha256:")))
    return found


def install_conda(target: Path, lock: str, alias: str, cache: Path) -> None:
    """Fetch, check and link; runs in the client's environment, which has rattler."""
    import rattler

    records = []
    for url, digest in conda_urls(lock, alias):
        channel, subdir, file = url.rsplit("/", 2)
        named = CONDA_NAME.match(file)
        if not named:
            raise RefusedError("FY2820", f"{file} is no name of a conda package", "NAME-VERSION-BUILD.conda#SHA256")
        number = re.search(r"(\d+)$", named["build"])
        record = rattler.PackageRecord(
            named["name"], named["version"], rattler.BuildString(named["build"]), int(number[1]) if number else 0,
            subdir, sha256=bytes.fromhex(digest), noarch="generic" if subdir == "noarch" else None,
        )  # fmt: skip
        records.append(rattler.RepoDataRecord(record, file, url, channel))
    asyncio.run(rattler.install(records, target, cache_dir=cache, execute_link_scripts=False, show_progress=False))


def make_conda(target: Path, lock: Path, options: argparse.Namespace) -> None:
    """A conda prefix with the list's packages, linked by a client that has an environment of its own."""
    client = Path(options.client)
    cache = target.with_name(f"{target.name}.cache")
    fix = "python_environment_channel_alias must answer and have every file of the list; run this playbook again"
    words = ["install-conda", str(target), str(lock), "--alias", options.alias, "--cache", str(cache)]
    try:
        _run(
            [str(client / "bin" / "python"), __file__, *words],
            "FY2825", f"the channel does not give what {lock.name} names", fix,
        )  # fmt: skip
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def make(options: argparse.Namespace) -> None:
    """Make it whole, or leave nothing."""
    target, lock = Path(options.target), Path(options.lock)
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one is what this refuses
        raise RefusedError(
            "FY2822", f"Python {sys.version.split()[0]} is too old", "python_environment_python: 3.11 or newer"
        )
    if loose := without_hash(lock.read_text()):
        fix = "lock it again: uv pip compile --generate-hashes, or micromamba env export --explicit --sha256"
        raise RefusedError("FY2820", f"{', '.join(loose[:5])} of {lock.name} have no SHA-256", fix)
    shutil.rmtree(target, ignore_errors=True)
    try:
        (make_conda if options.kind == "conda" else make_venv)(target, lock, options)
        (target / COMPLETE).touch()
    finally:
        if not (target / COMPLETE).exists():
            shutil.rmtree(target, ignore_errors=True)


INSTALLED = """
import importlib.metadata as m, json, sys
own = [p for p in sys.path if p.startswith(sys.prefix)]
print(json.dumps({d.metadata["Name"]: d.version for d in m.distributions(path=own)}))
"""
WANTED = """
import json, sys
from pip._vendor.packaging.requirements import Requirement
found = {}
for row in json.load(sys.stdin):
    r = Requirement(row)
    if r.marker is None or r.marker.evaluate():
        found[r.name] = next(iter(r.specifier)).version
print(json.dumps(found))
"""


def _ask(python: Path, program: str, text: str = "") -> dict[str, str]:
    done = subprocess.run([str(python), "-c", program], input=text, capture_output=True, text=True, check=True)  # noqa: S603
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in json.loads(done.stdout).items()}


def differences(target: Path, lock: str, kind: str) -> list[str]:
    """What an environment has that its list does not name, or the other way round."""
    if kind == "conda":
        wanted = {
            named["name"]: named["version"]
            for url, _ in conda_urls(lock, "-")
            if (named := CONDA_NAME.match(url.rsplit("/", 1)[1]))
        }
        files = [json.loads(path.read_text()) for path in (target / "conda-meta").glob("*.json")]
        found = {row["name"]: row["version"] for row in files}
        brought: set[str] = set()
    else:
        python = target / "bin" / "python"
        wanted = _ask(python, WANTED, json.dumps([row.split(" --hash")[0] for row in rows(lock)]))
        found = _ask(python, INSTALLED)
        brought = {"pip", "setuptools"}
    return [
        f"{name} is {found.get(name, 'missing')}, {wanted.get(name, 'none')} is in the list"
        for name in sorted({*wanted, *found})
        if found.get(name) != wanted.get(name) and not (name in brought and name not in wanted)
    ]


def verify(options: argparse.Namespace) -> None:
    """Compare with the list. Raises RefusedError when somebody changed it."""
    target = Path(options.target)
    if found := differences(target, Path(options.lock).read_text(), options.kind):
        what = f"{target.name} was changed by hand: {'; '.join(found[:5])}"
        raise RefusedError("FY2823", what, f"rm -r {target}, when no job uses it; then run this playbook again")


def main(words: list[str]) -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="environment.py", description=__doc__)
    parser.add_argument("what", choices=["make", "verify", "install-conda"])
    parser.add_argument("target")
    parser.add_argument("lock")
    parser.add_argument("--host", default="this host")
    parser.add_argument("--kind", choices=["venv", "conda"], default="venv")
    parser.add_argument("--index", default="")
    parser.add_argument("--build", nargs="*", default=[])
    parser.add_argument("--system", action="store_true")
    parser.add_argument("--alias", default="")
    parser.add_argument("--client", default="")
    parser.add_argument("--cache", default="")
    options = parser.parse_args(words)
    try:
        if options.what == "install-conda":
            install_conda(Path(options.target), Path(options.lock).read_text(), options.alias, Path(options.cache))
        else:
            (make if options.what == "make" else verify)(options)
    except RefusedError as why:
        print(f"{why.code} error {options.host}: {why.what}. Fix: {why.fix}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
