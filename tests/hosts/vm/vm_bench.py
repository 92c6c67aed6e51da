"""One virtual machine with its own kernel, for what a container cannot show: arrays, NFS, audit, clocks, vm.* keys.

QEMU emulates the processor, so it needs no hardware support and is slow: boot it once, ask it much.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine"))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from hosts_bench import Hosts
from setup import cache_home

SUITE = "bookworm"
PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "linux-image-cloud-amd64", "initramfs-tools", "kmod", "iproute2", "procps"),
    *("openssh-server", "sudo", "python3", "python3-apt", "python3-debian", "acl", "ca-certificates", "curl", "gnupg"),
    *(
        "mdadm",
        "xfsprogs",
        "nfs-kernel-server",
        "nfs-common",
        "auditd",
        "chrony",
        "less",
        "logrotate",
        "rsync",
        "xz-utils",
    ),
    *("munge", "slurm-client", "slurmctld", "slurmd", "util-linux-extra"),
)
INSTANCE_STORE = ("AWS1111AAAA", "AWS2222BBBB")
VOLUME = "vol0123456789abcdef0"
# On EC2 the drives' model names make these links (package amazon-ec2-utils); QEMU's drives have only serial numbers.
UDEV = "".join(
    f'ACTION!="remove", SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", ATTRS{{serial}}=="{serial}*", '
    f'SYMLINK+="disk/by-id/nvme-{model}_{serial}"\n'
    for serial, model in (
        *((serial, "Amazon_EC2_NVMe_Instance_Storage") for serial in INSTANCE_STORE),
        (VOLUME, "Amazon_Elastic_Block_Store"),
    )
)
NETWORK = "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n"
SIZE = "3G"
MEMORY_MIB = 1536


def mirror() -> str:
    """The archive that this computer itself uses."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        for line in path.read_text().splitlines() if path.exists() else ():
            words = line.split()
            if words[:1] == ["URIs:"]:
                return words[1]
            if words[:1] == ["deb"]:
                return next(word for word in words if "://" in word)
    raise AssertionError("apt has no source")


def image() -> Path:
    """The folder with disk, kernel and initial RAM disk; made when it is missing, which takes two minutes."""
    said = repr((SUITE, PACKAGES, UDEV, NETWORK, SIZE)).encode() + _prepare(Path("ROOT"), "KEY").encode()
    done = cache_home() / "images" / f"vm-{SUITE}-{hashlib.sha256(said).hexdigest()[:12]}"
    if (done / "disk.ext4").exists():
        return done
    making = done.with_name(f"{done.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    root = making / "root"
    try:
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(making / "key"))
        include = f"--include={','.join(PACKAGES)}"
        _run("mmdebstrap", "--quiet", "--variant=minbase", include, SUITE, str(root), mirror())
        _run("bash", "-euc", _prepare(root, (making / "key.pub").read_text().strip()))
        for name in ("vmlinuz", "initrd.img"):
            shutil.copyfile(next((root / "boot").glob(f"{name}-*")), making / name)
        _run("mkfs.ext4", "-q", "-L", "root", "-d", str(root), str(making / "disk.partial"), SIZE)
        shutil.rmtree(root)
        (making / "disk.partial").rename(making / "disk.ext4")
        shutil.rmtree(done, ignore_errors=True)
        making.rename(done)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    for old in done.parent.glob(f"vm-{SUITE}-*"):
        if old != done:
            shutil.rmtree(old, ignore_errors=True)
    return done


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"


def _prepare(root: Path, key: str) -> str:
    units = "apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer dpkg-db-backup.timer systemd-timesyncd.service"
    return f"""
    cd {root}
    chroot . useradd -m -s /bin/bash ansible
    echo 'ansible ALL=(ALL) NOPASSWD:ALL' > etc/sudoers.d/ansible
    install -d -m 700 home/ansible/.ssh
    echo '{key}' > home/ansible/.ssh/authorized_keys
    chroot . chown -R ansible: /home/ansible
    echo vm > etc/hostname
    printf '127.0.0.1 localhost\\n10.0.2.15 vm\\n' > etc/hosts
    sed -i 's/^hosts:.*/hosts: files/' etc/nsswitch.conf
    rm -f etc/resolv.conf; : > etc/resolv.conf
    echo 'LABEL=root / ext4 defaults 0 1' > etc/fstab
    printf '%s' '{NETWORK}' > etc/systemd/network/10-vm.network
    printf '%s' '{UDEV}' > etc/udev/rules.d/65-vm-drives.rules
    chroot . systemctl enable systemd-networkd.service >/dev/null 2>&1
    chroot . systemctl mask {units} >/dev/null 2>&1
    chroot . systemctl disable auditd nfs-server chrony slurmctld slurmd munge >/dev/null 2>&1
    rm -f etc/munge/munge.key var/cache/apt/archives/*.deb
    """


class Machine:
    """The virtual machine, with two instance-store drives and one volume. Its disk is a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._image = image()
        self._process: subprocess.Popen[bytes] | None = None
        self.drives = [folder / f"{serial}.raw" for serial in INSTANCE_STORE]
        self.volume = folder / "volume.raw"
        for path in (*self.drives, self.volume):
            _empty(path)
        shutil.copyfile(self._image / "key", folder / "key")
        (folder / "key").chmod(0o600)
        # Kept over a stop and start, as a root volume is.
        self._disk = folder / "disk.ext4"
        _run("cp", "--sparse=always", "--reflink=auto", str(self._image / "disk.ext4"), str(self._disk))
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self._ssh = ["ssh", "-q", "-i", str(folder / "key"), "-p", str(self.port), *self.options(), "ansible@127.0.0.1"]

    def options(self) -> list[str]:
        known = self.folder / "known_hosts"
        kept = (f"UserKnownHostsFile={known}", "StrictHostKeyChecking=accept-new", "BatchMode=yes", "ConnectTimeout=10")
        return [word for option in kept for word in ("-o", option)]

    def start(self, seconds: float = 300) -> None:
        """Boot it and wait until it answers."""
        drives = [(serial, path) for serial, path in zip(INSTANCE_STORE, self.drives, strict=True)]
        nvme = [
            word
            for number, (serial, path) in enumerate([*drives, (VOLUME, self.volume)])
            for word in (
                *("-drive", f"file={path},if=none,id=nvme{number},format=raw,cache=unsafe"),
                *("-device", f"nvme,serial={serial},drive=nvme{number}"),
            )
        ]
        command = [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"),
            *("-m", str(MEMORY_MIB), "-display", "none", "-serial", f"file:{self.folder / 'console.log'}"),
            *("-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._image / "initrd.img")),
            *("-append", "root=LABEL=root rw console=ttyS0 quiet net.ifnames=0 systemd.unified_cgroup_hierarchy=1"),
            *("-drive", f"file={self._disk},if=virtio,format=raw,cache=unsafe", *nvme),
            *(
                "-netdev",
                f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22",
                "-device",
                "virtio-net,netdev=net",
            ),
            *("-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off"),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.until(lambda: self.run("true", check=False).returncode == 0, seconds)

    def until(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """Ask again until it is so; what it said."""
        end = time.monotonic() + seconds
        while not (said := what()):
            assert self._process
            assert self._process.poll() is None, self._process.stderr and self._process.stderr.read()
            console = self.folder / "console.log"
            assert time.monotonic() < end, console.read_text(errors="replace")[-2000:] if console.exists() else "silent"
            time.sleep(1)
        return said

    def run(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """As root."""
        asked = [*self._ssh, f"sudo bash -c {_quoted(command)}"]
        done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def said(self, command: str) -> str:
        """What a command prints."""
        return self.run(command).stdout.strip()

    def stop(self, wipe: bool = False) -> None:
        """Shut it down. wipe: as a stopped instance, it comes back with other, empty instance-store drives."""
        if self._process and self._process.poll() is None:
            self.run("systemctl poweroff", check=False)
            try:
                self._process.wait(90)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGKILL)
                self._process.wait()
        if wipe:
            for path in self.drives:
                _empty(path)

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def hosts(self, variables: dict[str, Any], groups: Sequence[str] = ("fleetyard",)) -> Hosts:
        """For Ansible, as the fixtures of other hosts."""
        own = {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": "ansible",
            "ansible_ssh_private_key_file": str(self.folder / "key"),
            "ansible_ssh_common_args": " ".join(self.options()),
            **variables,
        }
        file = self.folder / "inventory.json"
        children = {group: {"hosts": {"vm": own}} for group in groups}
        file.write_text(json.dumps({"all": {"children": children}}))
        return Hosts(self.folder, file)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


def _empty(path: Path, mib: int = 256) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(mib << 20)


if __name__ == "__main__":
    print(image())
