"""How SSH reaches a machine that has no public address: through the cloud's own door, which knows who one is.

Session Manager on AWS, Identity-Aware Proxy on Google Cloud, the hosts' process on the simulated clouds. Each door is a
proxy command, so no address need be routed and ranges of two stacks may overlap.

Host keys are checked always. A machine's key is kept under the machine's own id, never under an address or a name, for
those come back with other machines. On a real cloud it is learnt at the first connection, which the cloud's door has
authenticated; a key that changes later is refused. The simulated cloud writes down the keys itself, so there nothing is
learnt.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetyard.settings import SIM_HOME, simulated

if TYPE_CHECKING:
    from fleetyard.outputs import StackOutputs
    from fleetyard.report.members import Member

USER = {"aws": "ubuntu", "gcp": "ansible"}
"""Who logs in when nobody is named: the login of Ubuntu's images on AWS; on Google Cloud OS Login gives the name."""
SIMULATED_USER = "ansible"


def state_home(env: Mapping[str, str]) -> Path:
    """Where Fleetyard keeps what must outlive a command: known host keys, locks, secrets."""
    return Path(env.get("XDG_STATE_HOME") or Path(env.get("HOME", "~")).expanduser() / ".local" / "state") / "fleetyard"


def alias(key: str) -> str:
    """A machine's id as one word: the name under which its host key is known."""
    return key.replace("/", ":")


@dataclass(frozen=True, slots=True)
class Access:
    """The way to the machines of one stack.

    user, private_key: as the person chose; None leaves the cloud's usual user, and SSH's own choice of key.
    push_key: on AWS, send the public half of `private_key` to the machine before each connection (EC2 Instance
    Connect keeps it for a minute), so that no machine holds a key for long.
    """

    simulated: bool
    home: Path
    known_hosts: Path
    user: str | None = None
    private_key: Path | None = None
    push_key: bool = True

    @classmethod
    def of(cls, stack: str, env: Mapping[str, str], user: str | None = None, private_key: str | None = None) -> Access:
        """From the environment: simulated if it says so."""
        if simulated(env):
            hosts = Path(env.get(SIM_HOME, "")) / "hosts"
            return cls(True, hosts, hosts / "known_hosts", SIMULATED_USER, hosts / "id_ed25519")
        state = state_home(env)
        key = Path(private_key).expanduser() if private_key else None
        return cls(False, state, state / "known_hosts" / stack, user, key)

    def variables(self, outputs: StackOutputs, member: Member) -> dict[str, str]:
        """The connection variables of one machine."""
        name = alias(member.key)
        checking = "yes" if self.simulated else "accept-new"
        # Quoted once for Ansible, which splits the arguments; `%` would be a token of SSH's.
        options = [
            f"ProxyCommand={self._proxy(outputs, member)}",
            f"HostKeyAlias={name}",
            f"UserKnownHostsFile={_escaped(str(self.known_hosts))}",
            "GlobalKnownHostsFile=/dev/null",
            f"StrictHostKeyChecking={checking}",
        ]
        found = {
            # No address: masters of kept connections are told apart by it, and addresses repeat between stacks.
            "ansible_host": name,
            "ansible_user": self.user or USER[outputs.cloud],
            "ansible_ssh_common_args": " ".join(f"-o {shlex.quote(option)}" for option in options),
        }
        if self.simulated:
            # Ids repeat between worlds: kept connections of one must not serve another.
            world = hashlib.sha256(str(self.home).encode()).hexdigest()[:8]
            found["ansible_control_path_dir"] = f"~/.ansible/cp/{world}"
        if self.private_key is not None:
            found["ansible_ssh_private_key_file"] = str(self.private_key)
        return found

    def _proxy(self, outputs: StackOutputs, member: Member) -> str:
        """What SSH runs to be connected: one command, for SSH puts `exec` before it and gives it to a shell."""
        if self.simulated:
            home = f"{SIM_HOME}={self.home.parent}"
            words = ["env", home, sys.executable, "-m", "simcloud.hosts", "connect", member.key]
            return shlex.join([_escaped(word) for word in words])
        if outputs.cloud == "aws":
            return self._session_manager(outputs, member)
        return _identity_aware_proxy(outputs, member)

    def _session_manager(self, outputs: StackOutputs, member: Member) -> str:
        """Source: Systems Manager documentation, "Allow and control permissions for SSH connections"."""
        session = ["aws", "ssm", "start-session", "--region", outputs.region, "--target", member.key]
        start = f"{shlex.join(session)} --document-name AWS-StartSSHSession --parameters portNumber=%p"
        if self.private_key is None or not self.push_key:
            return start
        words = {
            "--region": outputs.region,
            "--instance-id": member.key,
            "--instance-os-user": self.user or USER["aws"],
            "--ssh-public-key": f"file://{_escaped(str(self.private_key))}.pub",
        }
        push = shlex.join(
            ["aws", "ec2-instance-connect", "send-ssh-public-key", *(w for pair in words.items() for w in pair)]
        )
        return f"sh -c {shlex.quote(f'{push} >/dev/null && exec {start}')}"


def _identity_aware_proxy(outputs: StackOutputs, member: Member) -> str:
    """Source: Google Cloud, "Using IAP for TCP forwarding"; Cloud TPU documentation, "Connect to a TPU VM"."""
    place = ["--project", outputs.project or "", "--zone", member.zone]
    if outputs.pools[member.pool].kind.startswith("tpu"):
        # A TPU VM is no instance of the project: only the TPU command knows the way to it.
        node, _, worker = member.key.rpartition("/")
        words = ["gcloud", "compute", "tpus", "tpu-vm", "ssh", node.rpartition("/")[2], "--worker", worker, *place]
        return shlex.join([*words, "--tunnel-through-iap", "--", "-W"]) + " localhost:%p"
    tunnel = shlex.join(["gcloud", "compute", "start-iap-tunnel", member.name])
    return f"{tunnel} %p {shlex.join(['--listen-on-stdin', *place, '--verbosity=warning'])}"


def _escaped(text: str) -> str:
    """For an option of SSH's, where a percent sign begins a token."""
    return text.replace("%", "%%")


def environment_of(outputs: StackOutputs, env: Mapping[str, str]) -> dict[str, str]:
    """What programs on the machines need in their environment to find the cloud's services."""
    found: dict[str, str] = {}
    if outputs.cloud == "aws":
        found["AWS_REGION"] = found["AWS_DEFAULT_REGION"] = outputs.region
        if simulated(env):
            found["AWS_ENDPOINT_URL"] = f"http://{SIMULATED_AWS}"
    else:
        found["GOOGLE_CLOUD_PROJECT"] = outputs.project or ""
        if simulated(env):
            found["STORAGE_EMULATOR_HOST"] = f"http://{SIMULATED_GCP}"
    return found


SIMULATED_AWS = "169.254.169.251"
SIMULATED_GCP = "169.254.169.252"
"""Where a simulated machine finds the clouds' interfaces: they have no names that resolve there."""
