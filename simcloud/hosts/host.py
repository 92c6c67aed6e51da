"""One host: an overlay on an image, a systemd-nspawn that boots it, and its end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from enum import Enum
from pathlib import Path

from simcloud.hosts import control_groups, identity
from simcloud.hosts.identity import Access
from simcloud.hosts.images import Image
from simcloud.hosts.model import Machine
from simcloud.hosts.network import Vpc

REBOOTED = 133
"""systemd-nspawn's exit status when the host rebooted itself."""
PATIENCE_S = 20.0
"""How long a host that was told to shut down may take before it is ended."""

_ENTER = """\
for group in $GROUPS_OF_HOST; do echo $$ > "$group/cgroup.procs"; done
exec "$@"
"""


class End(Enum):
    """How a host ended by itself."""

    WENT_DOWN = "went-down"
    REBOOTED = "rebooted"


class Host:
    """A machine's host. Not thread-safe: one thread starts and ends all of them."""

    def __init__(self, machine: Machine, image: Image, vpc: Vpc, home: Path, access: Access) -> None:
        self.machine = machine
        self.image = image
        self.started_at = 0.0
        self._vpc = vpc
        self._process: subprocess.Popen[bytes] | None = None
        self._stop_by: float | None = None
        self._again = False
        self.folder = self.folder_of(home, machine.key)
        self._name = f"{machine.host_name[:40].rstrip('-.')}-{self.folder.name}"
        self.root = self.folder / "root"
        self.console = self.folder / "console.log"
        # By its place: another world may have a machine with the same key.
        self.groups = control_groups.folders(hashlib.sha256(str(self.folder).encode()).hexdigest()[:12])
        self._make_disk(access)
        self._firmware = identity.firmware(machine, self.folder)
        self.space = vpc.attach(machine)
        if not machine.reachable:
            vpc.cut(machine, False)

    @staticmethod
    def folder_of(home: Path, key: str) -> Path:
        """Where a machine's disk lies."""
        return home / "disks" / hashlib.sha256(key.encode()).hexdigest()[:12]

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def stopping(self) -> bool:
        """Whether it was told to shut down and has not yet."""
        return self._stop_by is not None

    @property
    def init_pid(self) -> int | None:
        """The process id, here, of its first process."""
        if self._process is None:
            return None
        try:
            path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            children = path.read_text().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def ready(self) -> bool:
        """Whether somebody can log in."""
        return self.runs and self.space.answers("127.0.0.1", 22)

    def start(self) -> None:
        """Power on."""
        control_groups.make(self.groups)
        self._stop_by = None
        self._again = False
        self.started_at = time.monotonic()
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", _ENTER, "sh", *self._nspawn()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env={
                    "PATH": os.environ["PATH"],
                    "GROUPS_OF_HOST": " ".join(str(group) for group in self.groups),
                    # net.* settings are the host's own; all others are this computer's.
                    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
                },
            )

    def _nspawn(self) -> list[str]:
        return [
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", f"--machine={self._name}"),
            *("-D", str(self.root), f"--network-namespace-path={self.space.path}"),
            f"--hostname={self.machine.host_name}",
            # Its firewall is its own: the namespace is.
            "--capability=CAP_NET_ADMIN",
            *("--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"),
            *(f"--bind-ro={file}:{place}" for file, place in self._firmware.items()),
        ]

    def stop(self, again: bool = False) -> None:
        """Shut down, as its power button would; `tend` sees to the end. again: start it once more then."""
        if self._process is not None and self.runs:
            self._stop_by = time.monotonic() + PATIENCE_S
            self._again = again
            self._process.send_signal(signal.SIGTERM)

    def cut_power(self) -> None:
        """End it at once."""
        if self._process is not None:
            # The host itself first: it outlives a systemd-nspawn that is killed.
            for pid in (self.init_pid, self._process.pid):
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self._process.wait()
        # What was ended has not gone down by itself.
        self._process = None
        self._stop_by = None
        self._again = False

    def tend(self) -> End | None:
        """End what does not shut down, start what rebooted; what the host has just done by itself."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is None:
            if self._stop_by is not None and time.monotonic() > self._stop_by:
                again = self._again
                self.cut_power()
                if again:
                    self.start()
            return None
        told, again = self._stop_by is not None, self._again
        self._process = None
        self._stop_by = None
        if again or (status == REBOOTED and not told):
            self.start()
            return End.REBOOTED
        return None if told else End.WENT_DOWN

    def cut_network(self, machine: Machine) -> None:
        """Cut its network, or join it again, as `machine.reachable` says."""
        self._vpc.cut(machine, machine.reachable)

    def close(self) -> None:
        """End it, and take away all but its disk."""
        self.cut_power()
        self._vpc.detach(self.machine.key)
        self.space.close()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False, capture_output=True)
        control_groups.remove(self.groups)

    def remove(self) -> None:
        """End it, and take away its disk too."""
        self.close()
        # Never through a mount that is still there.
        if not os.path.ismount(self.root):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _make_disk(self, access: Access) -> None:
        """Mount its disk; an empty one gets the machine's identity first."""
        upper, work, life = self.folder / "upper", self.folder / "work", self.folder / "life"
        new = not life.exists() or life.read_text() != self.machine.disk
        if new:
            shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (upper, work, self.root):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        lower = ":".join(str(layer) for layer in self.image.layers)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        command = ["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)]
        subprocess.run(command, check=True, capture_output=True)
        if new:
            identity.write(self.machine, self.root, access)
            life.write_text(self.machine.disk)
