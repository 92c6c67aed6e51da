"""Get this computer ready to boot simulated instances: programs, images, wheels. Linux, root, Debian or Ubuntu.

Run by `make setup-hosts` in `.venv`. All that is expensive lies in the user's cache folder and can be deleted at any
time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lab
import stand_ins
import wheels
from setup import ROOT, cache_home, say, timed

from simcloud.hosts import images, process

SUITE = "bookworm"
KEPT_S = 86400
"""How long an image that was baked from other roles is kept."""
CANNOT = 77
"""Exit status where hosts cannot boot at all, as `fleetyard` has it."""
VM_PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "mkfs.ext4": "e2fsprogs"}
"""For the one virtual machine of the tests."""


def obstacle() -> str | None:
    """Why no host can boot on this computer, whatever is installed."""
    if sys.platform != "linux":
        return "hosts need Linux (systemd-nspawn)"
    if os.geteuid() != 0:
        return "hosts need root (systemd-nspawn)"
    spaces = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true"]
    done = subprocess.run(spaces, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"root may not make namespaces here: {done.stderr.strip()}"
    return None


def packages() -> list[str]:
    """The Debian packages that are missing here."""
    return sorted({*process.missing(), *(deb for program, deb in VM_PROGRAMS.items() if shutil.which(program) is None)})


def install(names: list[str]) -> None:
    """Install them. Ends the program when apt refuses."""
    # Nothing that comes with them shall start here.
    guard = Path("/usr/sbin/policy-rc.d")
    ours = not guard.exists()
    if ours:
        guard.write_text("#!/bin/sh\nexit 101\n")
        guard.chmod(0o755)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
            done = subprocess.run(["apt-get", "--quiet", *words], env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"fleetyard setup: apt-get {words[0]} failed:\n{done.stderr[-2000:]}")
    finally:
        if ours:
            guard.unlink()


def layer_name() -> str:
    """The baked image's name: it changes with what the roles and playbooks say."""
    digest = hashlib.sha256()
    for folder in ("roles", "playbooks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return f"baked-{digest.hexdigest()[:12]}"


def bake(suite: str, name: str) -> None:
    """Boot one host as every role of machine at once, install what the roles install, and keep its disk as an image.

    A record of what was measured lies beside it (`fleetyard image report`).

    Ends the program when the playbook fails.
    """
    with tempfile.TemporaryDirectory(prefix="fleetyard-bake-") as folder:
        home = Path(folder)
        hosts = _Baking(home, suite)
        try:
            hosts.start()
            began = time.monotonic()
            hosts.install()
            took_s = time.monotonic() - began
            count = hosts.packages()
            hosts.clean()
        finally:
            hosts.stop()
        changes = next((home / "hosts" / "disks").iterdir()) / "upper"
        layer = images.keep(images.base(suite, say), name, changes).layers[0]
        size = sum(path.lstat().st_size for path in layer.rglob("*") if path.is_file() and not path.is_symlink())
        record = {"name": layer.name, "install_s": took_s, "size_mib": size / 2**20, "packages": count}
        layer.with_name(f"{layer.name}.json").write_text(json.dumps(record) + "\n")
        _forget_older(layer)


def _forget_older(kept: Path) -> None:
    """An image that was baked from other roles is of no use any more, but hosts of another checkout may run on it."""
    base = kept.name.partition("-baked-")[0]
    for path in kept.parent.glob(f"{base}-baked-*"):
        if path.is_dir() and path != kept and time.time() - path.stat().st_mtime > KEPT_S and images.drop(path):
            path.with_name(f"{path.name}.json").unlink(missing_ok=True)


class _Baking:
    def __init__(self, home: Path, suite: str) -> None:
        self._home, self._suite = home, suite
        self._inventory = home / "inventory.json"

    def _sim(self, *words: str) -> str:
        command = [sys.executable, "-m", "simcloud.hosts", "--home", str(self._home), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"fleetyard setup: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Boot it."""
        bake = lab.Row("bake", "bake", ("compute", "control", "login"), "10.90.0.10")
        fleet = self._home / "fleet.json"
        lab.write_fleet(fleet, [bake])
        self._sim("start", "--suite", self._suite, "--fleet", str(fleet))
        lab.write_inventory(self._inventory, self._home, [bake], cache="/cache")
        self._sim("wait", "1")

    def install(self) -> None:
        """Carry out the installing part of every role."""
        playbook = str(Path(sys.executable).parent / "ansible-playbook")
        command = [playbook, "-i", str(self._inventory), "playbooks/site.yml", "--tags", "install"]
        env = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"fleetyard setup: baking failed:\n{done.stdout[-4000:]}{done.stderr[-1000:]}")

    def packages(self) -> int:
        """How many are installed."""
        return len(self._sim("exec", "i-bake", "--", "dpkg-query", "--show").splitlines())

    def clean(self) -> None:
        """Take away what an image has no use for."""
        # How this one host was is nothing that another should be compared with.
        litter = "/var/log/*.log /root/.ansible /home/ansible/.ansible /var/lib/fleetyard/state"
        self._sim("exec", "i-bake", "--", "sh", "-c", f"apt-get clean; rm -rf {litter}")

    def stop(self) -> None:
        """Shut it down; its disk stays."""
        self._sim("stop")


def main() -> int:
    """Do what is not done yet."""
    if why := obstacle():
        print(f"fleetyard setup: {why}. All else works without: make setup", file=sys.stderr)
        return CANNOT
    names = packages()
    if names:
        timed(f"installing {' '.join(names)}", lambda: install(names))
    timed(f"the {SUITE} image", lambda: images.base(SUITE, lambda _: None))
    timed("wheels of the training stack", _wheels)
    timed("stand-ins for packages that no index has", stand_ins.fill)
    name = layer_name()
    if images.baked(SUITE, name) is None:
        timed("baking an image from the roles (minutes; again when a role changes)", lambda: bake(SUITE, name))
    return 0


def _wheels() -> None:
    """Download them, and show them where hosts look for an index."""
    mirror = cache_home() / "mirror"
    mirror.mkdir(parents=True, exist_ok=True)
    link = mirror / "simple"
    link.unlink(missing_ok=True)
    link.symlink_to(wheels.fill() / "simple")


if __name__ == "__main__":
    if sys.argv[1:] == ["--layer"]:
        print(layer_name())
    else:
        sys.exit(main())
