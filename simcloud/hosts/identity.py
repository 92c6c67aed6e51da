"""What makes a copy of an image one certain machine: written onto its disk before its first boot.

On a real cloud the hypervisor, its name server and its agents give all this; here files do.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from simcloud.hosts.model import Machine
from simcloud.hosts.network import AWS_API, GCP_API, METADATA, MIRROR

STARTUP_SCRIPTS = "google-startup-scripts.service"
AGENTS = ("google-guest-agent.service", "google-shutdown-scripts.service", STARTUP_SCRIPTS)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in. public_key: in OpenSSH's form; it stands where SSM, IAP and OS Login stand."""

    public_key: str
    known_hosts: Path
    agent: bool = True
    """Whether there is a metadata service, so that the cloud's agent can run on the host's first boot."""


def endpoint_variables(machine: Machine) -> dict[str, str]:
    """Where programs on the machine find the simulated APIs, which have no names of their own."""
    if machine.cloud == "aws":
        return {
            "AWS_ENDPOINT_URL": f"http://{AWS_API}",
            "AWS_REGION": machine.region,
            "AWS_DEFAULT_REGION": machine.region,
        }
    return {
        "STORAGE_EMULATOR_HOST": f"http://{GCP_API}",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"http://{GCP_API}/storage/v1/",
        "GOOGLE_CLOUD_PROJECT": machine.project,
    }


def write(machine: Machine, root: Path, access: Access) -> None:
    """Write it below the mounted root of a new disk."""
    etc = root / "etc"
    (etc / "hostname").write_text(f"{machine.host_name}\n")
    (etc / "hosts").write_text(
        f"127.0.0.1 localhost\n{machine.address} {machine.host_name}\n"
        f"{METADATA} metadata.google.internal metadata\n{MIRROR} mirror.internal\n"
    )
    _key_pair(machine, root, access)
    _log_in(root, access.public_key)
    _write(etc / "apt/apt.conf.d/90-simulated", f'Acquire::http::Proxy "http://{MIRROR}:3142";\n')
    _write(etc / "pip.conf", f"[global]\nindex-url = http://{MIRROR}/simple\ntrusted-host = {MIRROR}\n")
    variables = endpoint_variables(machine)
    _write(etc / "environment", "".join(f"{name}={value}\n" for name, value in variables.items()))
    defaults = "".join(f'DefaultEnvironment="{name}={value}"\n' for name, value in variables.items())
    _write(etc / "systemd/system.conf.d/90-simulated.conf", f"[Manager]\n{defaults}")
    _agent(machine, etc, access.agent)


def firmware(machine: Machine, folder: Path) -> dict[str, str]:
    """What the hypervisor shows to the machine: files here, and where the machine sees them.

    Software knows EC2 by a hypervisor's uuid that begins with `ec2`. Source: EC2 User Guide, "Identify EC2 instances".
    """
    if machine.cloud != "aws":
        return {}
    file = folder / "hypervisor-uuid"
    digest = hashlib.sha256(machine.key.encode()).hexdigest()
    file.write_text(f"ec2{digest[:5]}-{digest[5:9]}-{digest[9:13]}-{digest[13:17]}-{digest[17:29]}\n")
    return {str(file): "/sys/hypervisor/uuid"}


def _agent(machine: Machine, etc: Path, runs: bool) -> None:
    """The cloud's own agent runs, the other one does not."""
    if machine.cloud == "aws" and runs:
        _write(etc / "cloud/cloud.cfg.d/90-datasource.cfg", _EC2)
        # Its only work here would be to ask for an address, by DHCP, for a minute; the host has one.
        _mask(etc, "cloud-init-local.service")
        for unit in AGENTS:
            _mask(etc, unit)
        return
    _write(etc / "cloud/cloud-init.disabled", "")
    _write(etc / "default/instance_configs.cfg", _GUEST_AGENT)
    for unit in AGENTS:
        if not (runs and unit == STARTUP_SCRIPTS):
            _mask(etc, unit)
    if runs:
        _enable(etc, STARTUP_SCRIPTS)


_EC2 = """\
datasource_list: [Ec2]
datasource:
  Ec2: {strict_id: false, max_wait: 30, timeout: 5, apply_full_imds_network_config: false}
"""

_GUEST_AGENT = """\
[Accounts]
deprovision_remove = false
[Daemons]
accounts_daemon = false
clock_skew_daemon = false
network_daemon = false
"""


def _key_pair(machine: Machine, root: Path, access: Access) -> None:
    """The host's own key, and its public half where the one who comes in looks it up by the machine's key."""
    key = root / "etc/ssh/ssh_host_ed25519_key"
    key.unlink(missing_ok=True)
    key.with_name(f"{key.name}.pub").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", machine.host_name, "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    public = key.with_name(f"{key.name}.pub").read_text().split()
    forget(machine.key, access.known_hosts)
    with access.known_hosts.open("a") as known:
        known.write(f"{alias(machine.key)} {public[0]} {public[1]}\n")


def alias(key: str) -> str:
    """The name under which a machine's host key is known: no address, for VPCs may share those."""
    return key.replace("/", ":")


def forget(key: str, known_hosts: Path) -> None:
    """Take a machine's host key off the list."""
    if known_hosts.exists():
        lines = known_hosts.read_text().splitlines(keepends=True)
        known_hosts.write_text("".join(line for line in lines if not line.startswith(f"{alias(key)} ")))


def _log_in(root: Path, public_key: str) -> None:
    row = next(line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("ansible:"))
    uid, gid = (int(part) for part in row.split(":")[2:4])
    ssh = root / "home/ansible/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    keys = ssh / "authorized_keys"
    keys.write_text(f"{public_key}\n")
    keys.chmod(0o600)
    for path in (ssh, keys):
        shutil.chown(path, uid, gid)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _mask(etc: Path, unit: str) -> None:
    link = etc / "systemd/system" / unit
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/null")


def _enable(etc: Path, unit: str) -> None:
    wants = etc / "systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    link = wants / unit
    link.unlink(missing_ok=True)
    link.symlink_to(f"/lib/systemd/system/{unit}")
