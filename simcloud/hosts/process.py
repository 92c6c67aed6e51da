"""The process that keeps the hosts: its lock, its services in each VPC, its loop, and its end."""

from __future__ import annotations

import contextlib
import fcntl
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from simcloud.hosts import control_groups, images, services
from simcloud.hosts.follow import STATE_FILE, Follower
from simcloud.hosts.identity import Access
from simcloud.hosts.images import Image
from simcloud.hosts.model import Machine
from simcloud.hosts.network import AWS_API, GCP_API, METADATA, MIRROR, Vpc
from simcloud.hosts.source import NOBODY, Source

LOCK_FILE = "lock"
KEY_FILE = "id_ed25519"
APT_PORT = 3142
BUSY_S, IDLE_S = 0.05, 0.3
WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH_WATCHERS = 8192
"""systemd and its services hold about eight on every host: the kernel's default of 128 is used up by the fifteenth."""
PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "nc": "netcat-openbsd",
    "ssh-keygen": "openssh-client",
    "apt-cacher-ng": "apt-cacher-ng",
}
"""What it runs, with the Debian package that has it."""


def missing() -> list[str]:
    """The Debian packages that are missing here."""
    return sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})


def held(home: Path) -> bool:
    """Whether a process keeps the hosts of this home."""
    try:
        with (home / LOCK_FILE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def access(home: Path, agent: bool = True) -> Access:
    """The key that opens every host of this home, made when it is not there."""
    key = home / KEY_FILE
    if not key.exists():
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleetyard", "-f", str(key)]
        subprocess.run(words, check=True, capture_output=True)
    return Access(key.with_name(f"{KEY_FILE}.pub").read_text().strip(), home / "known_hosts", agent)


class Serving:
    """What every VPC is offered, from sockets that this process opens in its namespace."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._apt = _free_port()
        self._mirror = images.folder().parent / "mirror"
        self._mirror.mkdir(parents=True, exist_ok=True)
        self._cache: subprocess.Popen[bytes] | None = None

    def start_cache(self, home: Path) -> None:
        """Start the cache of Debian packages that hosts install through. The thread that calls must live on."""
        kept, logs = images.folder().parent / "apt", home / "apt-log"
        for each in (kept, logs):
            each.mkdir(parents=True, exist_ok=True)
        words = [f"Port={self._apt}", "BindAddress=127.0.0.1", f"CacheDir={kept}", f"LogDir={logs}", "ForeGround=1"]
        self._cache = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "apt-cacher-ng", *words, f"SocketPath={home}/apt.sock"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def open(self, vpc: Vpc, follower: Follower) -> None:
        """Serve a new VPC."""
        network = vpc.network.id

        def answer(address: str, method: str, path: str, query: str, headers: services.Headers) -> services.Answer:
            machine = follower.machine_at(network, address)
            return NOBODY if machine is None else self._source.metadata(machine, method, path, query, headers)

        services.metadata(vpc.space.listen(METADATA, 80), answer)
        services.files(vpc.space.listen(MIRROR, 80), self._mirror)
        services.Relay(vpc.space.listen(MIRROR, APT_PORT), lambda: self._apt)
        services.Relay(vpc.space.listen(AWS_API, 80), lambda: self._source.ports()[0])
        services.Relay(vpc.space.listen(GCP_API, 80), lambda: self._source.ports()[1])

    def end(self) -> None:
        """Stop the cache."""
        if self._cache is not None:
            self._cache.terminate()
            self._cache.wait(10)


def _free_port() -> int:
    """A free port on loopback that apt-cacher-ng accepts: it takes none above 32767."""
    for port in random.sample(range(20000, 32000), 50):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port on loopback between 20000 and 32000")


def _room_for_watches() -> None:
    """All hosts share root's allowance of this kernel. It stays raised until the computer boots again."""
    if int(WATCHERS.read_text()) < ENOUGH_WATCHERS:
        WATCHERS.write_text(str(ENOUGH_WATCHERS))


class Images:
    """Which image a machine boots from: a baked one, where the cloud's image has its name, or the one of all."""

    def __init__(self, suite: str, usual: Image) -> None:
        self._suite, self._usual = suite, usual
        self._own: dict[str, Image] = {}
        images.hold(usual)

    def __call__(self, machine: Machine) -> Image:
        """The machine's. An image is kept from being dropped once a machine has booted from it."""
        name = machine.image_name
        if not re.fullmatch(images.BAKED, name):
            return self._usual
        if name not in self._own:
            found = images.baked(self._suite, name)
            if found is None:
                print(
                    f"{machine.key}: there is no image {name} of {self._suite} here: it boots from the usual one",
                    flush=True,
                )
                return self._usual
            images.hold(found)
            self._own[name] = found
        return self._own[name]


def serve(home: Path, source: Source, image: Callable[[Machine], Image]) -> int:
    """Keep the hosts until told to stop. Returns 0; 1 when another process keeps them already.

    It must be the first process of a process namespace and have a mount namespace of its own: then every host, and all
    that it mounted, goes with it, however it ends.
    """
    lock = (home / LOCK_FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return 1
    (home / STATE_FILE).unlink(missing_ok=True)
    _room_for_watches()
    control_groups.remove_branch()  # of a process that was killed; its hosts ended with it
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serving = Serving(source)
    serving.start_cache(home)
    follower = Follower(home, source, image, access(home, source.agent), serving.open)
    while not stop.is_set():
        try:
            busy = follower.step()
        except Exception:
            # One host that cannot be booted must not end all the others.
            traceback.print_exc()
            busy = False
            time.sleep(1)
        stop.wait(BUSY_S if busy else IDLE_S)
    follower.end()
    serving.end()
    return 0
