"""Root file systems for hosts: Debian by mmdebstrap, and layers baked on top. Kept in the user's cache folder.

Both clouds' own agents are in the base image, from Debian: cloud-init (Amazon EC2's datasource) and Google's guest
agent with its startup scripts. Which one runs, a host's first boot decides.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SUITES = ("bookworm", "trixie")
COMPONENTS = "main,contrib,non-free,non-free-firmware"
PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "udev",
        "openssh-server",
        "sudo",
        "ca-certificates",
        "gnupg",
        "procps",
        "kmod",
    ),
    *("iproute2", "iputils-ping", "netcat-openbsd", "nftables", "curl", "acl", "less"),
    # What Ansible's apt and deb822_repository modules import.
    *("python3", "python3-apt", "python3-debian"),
    *("cloud-init", "google-guest-agent"),
)
MASKED = (
    # They hold dpkg's lock whenever they please, or wait for hardware that a container has not.
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "dpkg-db-backup.timer"),
    *("console-getty.service", "systemd-timesyncd.service", "systemd-networkd-wait-online.service"),
)
FORMAT = 3
"""Raise it when the customizing below changes: it is part of what an image's folder is named by."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """Layers of a root file system, the topmost first."""

    name: str
    layers: tuple[Path, ...]


def folder() -> Path:
    """Where images are kept; safe to delete while no host runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetyard" / "images"


def mirror() -> str:
    """The Debian archive that this machine itself installs from. Raises RuntimeError when it has none."""
    fields = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"]
    for uri in subprocess.run(fields, capture_output=True, text=True, check=False).stdout.split():
        if uri.rstrip("/").endswith("/debian") and uri.startswith("http"):
            return uri
    raise RuntimeError("this machine's apt knows no Debian archive, and an image cannot be made without one")


def base(suite: str, say: Say) -> Image:
    """The image of a Debian suite, made if it is not there yet (half a minute). Raises RuntimeError."""
    if suite not in SUITES:
        raise RuntimeError(f"there is no image of {suite}: {', '.join(SUITES)}")
    recipe = json.dumps([FORMAT, suite, COMPONENTS, PACKAGES, MASKED])
    at = folder() / f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not at.exists():
        say(f"making the {suite} image (half a minute, once)")
        _made_in(at, lambda root: _bootstrap(suite, root))
    return Image(suite, (at,))


BAKED = r"baked-[0-9a-f]{12}"
"""Names of baked images. A cloud's image that is registered under one is booted from it."""


def baked(suite: str, name: str) -> Image | None:
    """A base image with a layer that `keep` made of it, if there is one."""
    under = base(suite, lambda _: None)
    at = folder() / f"{under.layers[0].name}-{name}"
    return Image(f"{suite}-{name}", (at, *under.layers)) if at.exists() else None


def keep(under: Image, name: str, changes: Path) -> Image:
    """Make a layer of what a stopped host changed on its disk, apart from what is the host's own."""
    at = folder() / f"{under.layers[-1].name}-{name}"
    _made_in(at, lambda root: _copied(changes, root))
    return Image(f"{under.name}-{name}", (at, *under.layers))


def _made_in(at: Path, make: Callable[[Path], None]) -> None:
    """Make a folder beside its place and move it there when it is whole: an image is all there or not at all."""
    at.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{at.name}.", dir=at.parent))
    try:
        unfinished.chmod(0o755)
        make(unfinished)
        if at.exists():
            shutil.rmtree(at)
        unfinished.rename(at)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


OWN = (
    # Each host's own: a layer with one of them would give it to all.
    *("etc/hostname", "etc/hosts", "etc/machine-id", "etc/ssh/ssh_host_*", "var/lib/cloud", "var/lib/google"),
    *("home/ansible/.ssh", "var/log/journal", "var/cache/apt/archives/*.deb", "tmp/*", "var/tmp/*", "run/*"),
    *("etc/cloud/cloud.cfg.d/90-datasource.cfg", "etc/cloud/cloud-init.disabled", "etc/default/instance_configs.cfg"),
    *(
        "etc/systemd/system/google-*.service",
        "etc/systemd/system/cloud-init-local.service",
        "etc/systemd/system/multi-user.target.wants/google-*.service",
    ),
    *(
        "etc/environment",
        "etc/pip.conf",
        "etc/apt/apt.conf.d/90-simulated",
        "etc/systemd/system.conf.d/90-simulated.conf",
    ),
)


def _copied(changes: Path, root: Path) -> None:
    # cp keeps what overlayfs means by its devices and attributes: deletions stay deletions.
    _run(["cp", "--archive", f"{changes}/.", str(root)])
    for pattern in OWN:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _bootstrap(suite: str, root: Path) -> None:
    include = f"--include={','.join(PACKAGES)}"
    _run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", include, f"--components={COMPONENTS}"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            *("--dpkgopt=path-exclude=/usr/share/locale/*", suite, str(root), mirror()),
        ]
    )
    _run(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "ansible"])
    sudoers = root / "etc/sudoers.d/90-ansible"
    sudoers.write_text("ansible ALL=(ALL) NOPASSWD:ALL\n")
    sudoers.chmod(0o440)
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    for unit in ("getty@tty1.service", "serial-getty@ttyS0.service"):
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    # A host has its network from outside, as a cloud's hypervisor gives it, and names from a file alone: without this
    # sudo would wait ten seconds for a name server that is not there.
    _replace(root / "etc/nsswitch.conf", "hosts:", "hosts: files")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/machine-id").write_text("")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    cloud = root / "etc/cloud"
    # Found by files alone, not by the machine's firmware, which is this computer's.
    (cloud / "ds-identify.cfg").write_text("policy: enabled\n")
    (cloud / "cloud.cfg.d/80-fleetyard.cfg").write_text(_CLOUD_INIT)


_CLOUD_INIT = """\
# The hypervisor configured the network; host keys and names are given before the first boot. Of the modules those are
# left that carry out user data: the others would spend seconds of each boot to find that there is nothing to do.
network: {config: disabled}
ssh_deletekeys: false
preserve_hostname: true
manage_etc_hosts: false
locale: C.UTF-8
users: []
cloud_init_modules: [seed_random, bootcmd, write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [package-update-upgrade-install, scripts-per-boot, scripts-per-instance, scripts-user]
"""


def _replace(path: Path, start: str, line: str) -> None:
    lines = [line if one.startswith(start) else one for one in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def hold(image: Image) -> list[int]:
    """Say that hosts run from an image: nobody drops it while the descriptors that this gives are open."""
    held = [os.open(layer, os.O_RDONLY) for layer in image.layers]
    for layer in held:
        fcntl.flock(layer, fcntl.LOCK_SH)
    return held


def drop(layer: Path) -> bool:
    """Delete a layer unless hosts run from it; whether it is gone."""
    found = os.open(layer, os.O_RDONLY)
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(found)
    shutil.rmtree(layer, ignore_errors=True)
    return True


def listed() -> list[dict[str, object]]:
    """The images that are kept."""
    found = sorted(folder().glob("*")) if folder().exists() else []
    return [asdict(Image(path.name, (path,))) for path in found if path.is_dir()]
