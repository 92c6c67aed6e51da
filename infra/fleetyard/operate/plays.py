"""Runs the project's playbooks and says in a line what they said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetyard.drift.ask import run
from fleetyard.findings import Exit, error

LONGEST = 400
_OURS = re.compile(r"FY\d{4} error .*?(?= Fix:|\"\}|$)")
_FATAL = re.compile(r"^(?:fatal|failed): \[[^\]]+\].*?(?=^\S|\Z)|^\[ERROR\][^\n]*", re.M | re.S)
_MESSAGE = re.compile(r"\bmsg: (?:[|>]-?\s+)?(.*?)(?=\n    \w+:|\Z)", re.S)
BUSY, UNREACHABLE = 75, 4


@dataclass(frozen=True, slots=True)
class Played:
    """How a playbook ended, and what it said."""

    status: int
    text: str

    def worked_on(self, host: str) -> bool:
        """Whether it ended well and the host took part: a limit that fits no host is no failure to Ansible."""
        return self.status == 0 and re.search(rf"^{re.escape(host)}\s+: ok=", self.text, re.M) is not None

    @property
    def reason(self) -> str:
        """Why it failed: the last finding of ours that it names, else its last error."""
        folded = " ".join(self.text.split())
        if found := _OURS.findall(folded):
            return str(found[-1])[:LONGEST]
        if lines := _FATAL.findall(self.text):
            message = _MESSAGE.search(lines[-1])
            return " ".join((message[1] if message else str(lines[-1])).split()).strip("'\"")[:LONGEST]
        return f"exit status {self.status}: {folded[-LONGEST:]}"


def _plain(value: Any) -> Any:
    """Without the wrapping in which Ansible prints texts that are not its own."""
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if "__ansible_unsafe" in value else {k: _plain(v) for k, v in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Plays:
    """The playbooks of a project on one inventory. extra: words for every one of them (`-e ...`)."""

    project: Path
    inventory: Path
    extra: Sequence[str] = ()

    def play(self, name: str, *words: str, variables: Mapping[str, Any] | None = None) -> Played:
        """Run `playbooks/NAME`. Raises FleetyardError FY3203 (exit 75) when another playbook runs on the stack."""
        given = ["-i", str(self.inventory), *self.extra]
        given += ["-e", json.dumps(dict(variables))] if variables else []
        status, out, err = run(
            self.project, "ansible-playbook", [*given, f"playbooks/{name}", *words], {"ANSIBLE_NOCOLOR": "1"}
        )
        if status == BUSY:
            raise error("FY3203", name, "another playbook runs on the stack", "it is done at the next look", BUSY)
        return Played(status, out + err)

    def reach(self, host: str, seconds: int) -> Played:
        """Wait until a host can be logged in to."""
        words = [
            "-i",
            str(self.inventory),
            host,
            "-m",
            "ansible.builtin.wait_for_connection",
            "-a",
            f"timeout={seconds}",
        ]
        status, out, err = run(self.project, "ansible", words, {"ANSIBLE_NOCOLOR": "1"})
        return Played(status, out + err)

    def hosts(self) -> dict[str, dict[str, Any]]:
        """The compute hosts that are up, with their variables. Raises FleetyardError FY3204."""
        words = ["-i", str(self.inventory), "--list"]
        status, out, err = run(self.project, "ansible-inventory", words, {"ANSIBLE_NOCOLOR": "1"})
        try:
            top = json.loads(out)
            names = top.get("role_compute", {}).get("hosts", [])
            return {name: _plain(top["_meta"]["hostvars"].get(name, {})) for name in names}
        except (ValueError, KeyError, TypeError):
            said = (err or out).strip()[-LONGEST:]
            fix = "ansible-inventory --list must print it"
            raise error("FY3204", str(self.inventory), f"status {status}: {said}", fix, Exit.REFUSED) from None
