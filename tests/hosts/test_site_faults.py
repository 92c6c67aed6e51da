"""What goes wrong while hosts are configured: said clearly, ends with an error, and a new run completes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hosts_bench import BIN, ROOT, Hosts

pytestmark = pytest.mark.timeout(600)
SITE = "playbooks/site.yml"
BASE = ("--tags", "base")


@pytest.fixture(scope="module")
def lab(labs: Callable[..., Hosts]) -> Hosts:
    """One control and two compute hosts, with names and packages."""
    hosts = labs({"control": ("control", 1), "train": ("compute", 2)})
    hosts.env["XDG_STATE_HOME"] = str(hosts.home / "state")
    hosts.playbook(SITE, *BASE).worked()
    return hosts


def started(lab: Hosts, *words: str, **env: str) -> subprocess.Popen[str]:
    """`ansible-playbook` in the background."""
    return subprocess.Popen(
        [str(BIN / "ansible-playbook"), "-i", str(lab.inventory), SITE, *words],
        cwd=ROOT,
        env={**lab.env, "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until_said(play: subprocess.Popen[str], text: str) -> str:
    """Read until a line holds the text; all that was read."""
    assert play.stdout
    read = ""
    for line in play.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"{text!r} was never said:\n{read[-3000:]}")


def hosts_of(lab: Hosts) -> list[str]:
    return sorted(row["host"] for row in lab.listed())


def test_a_wrong_host_key_is_refused(lab: Hosts, tmp_path: Path) -> None:
    known = lab.home / "hosts" / "known_hosts"
    kept = known.read_text()
    victim = lab.row(hosts_of(lab)[-1])
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    other = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    lines = [f"{victim['key']} {other}" if line.startswith(f"{victim['key']} ") else line for line in kept.splitlines()]
    known.write_text("\n".join(lines) + "\n")
    # A connection that was open before knows nothing of it.
    anew = ("--limit", victim["host"], "-e", f"ansible_control_path_dir={tmp_path}/cp")
    try:
        play = lab.playbook(SITE, *BASE, *anew)
    finally:
        known.write_text(kept)
    assert play.status == 4
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in play.text or "Host key verification failed" in play.text
    assert play.stats[victim["host"]]["unreachable"] == 1
    assert sum(row["failed"] for row in play.stats.values()) == 0
    lab.playbook(SITE, *BASE, *anew).worked()


def test_an_unreachable_host_is_named_and_the_others_go_on(lab: Hosts) -> None:
    victim = hosts_of(lab)[-1]
    lab.inside(lab.row(victim)["key"], "systemctl stop ssh.service ssh.socket; pkill sshd || true")
    try:
        play = lab.playbook(SITE, *BASE, "--ssh-common-args=-o ConnectTimeout=3")
    finally:
        lab.inside(lab.row(victim)["key"], "systemctl start ssh.service")
    assert play.status == 4
    assert play.stats[victim]["unreachable"] == 1
    assert f"fatal: [{victim}]: UNREACHABLE!" in play.text
    others = [row for host, row in play.stats.items() if host != victim]
    assert [row["failed"] + row["unreachable"] for row in others] == [0, 0]
    assert min(row["ok"] for row in others) > play.stats[victim]["ok"]
    assert lab.playbook(SITE, *BASE).worked().changed == 0


def test_a_dead_mirror_is_said_and_what_to_do(lab: Hosts) -> None:
    name = hosts_of(lab)[-1]
    victim = lab.row(name)["key"]
    broken = "/etc/apt/apt.conf.d/99-broken"
    lab.inside(victim, f"echo 'Acquire::http::Proxy \"http://127.0.0.1:9\";' > {broken}; rm -rf /var/lib/apt/lists/*")
    lab.inside(victim, "rm -f /var/lib/apt/periodic/update-success-stamp")
    try:
        play = lab.playbook(SITE, *BASE, "--limit", name)
    finally:
        lab.inside(victim, f"rm {broken}")
    assert play.status == 2
    assert "The package mirror does not answer" in play.text
    assert "Fix: check the host's way out" in play.text
    lab.playbook(SITE, *BASE, "--limit", name).worked()


def test_a_half_installed_package_is_finished(lab: Hosts) -> None:
    name = hosts_of(lab)[-1]
    victim = lab.row(name)["key"]
    lab.inside(victim, "cd /tmp && apt-get -qq download tree && dpkg --unpack tree_*.deb")
    assert "tree" in lab.inside(victim, "dpkg --audit")
    play = lab.playbook(SITE, *BASE, "--limit", name).worked()
    assert "Finish what an interrupted installation left half-way" in play.text
    assert lab.inside(victim, "dpkg --audit").strip() == ""
    assert play.changed == 2, "the package, and the baseline that it joins"


def test_a_full_disk_is_said_before_anything_is_installed(lab: Hosts) -> None:
    name = hosts_of(lab)[-1]
    play = lab.playbook(SITE, *BASE, "--limit", name, "-e", "base_disk_free_mib=1000000000")
    assert play.status == 2
    assert "The disk is full: / has" in play.text
    assert "Install the packages" not in play.text
    lab.playbook(SITE, *BASE, "--limit", name).worked()


def test_a_disk_that_is_full_in_mid_install_is_said_and_a_new_run_completes(lab: Hosts) -> None:
    """Where packages are fetched to is truly full: a file system of 64 KiB. The check of / cannot see it."""
    name = hosts_of(lab)[-1]
    victim = lab.row(name)["key"]
    archives = "/var/cache/apt/archives"
    lab.inside(victim, f"apt-get -qq remove --yes rsync >/dev/null 2>&1; mount -t tmpfs -o size=64k none {archives}")
    try:
        play = lab.playbook(SITE, *BASE, "--limit", name)
    finally:
        lab.inside(victim, f"umount {archives}")
    assert play.status == 2, play.text[-3000:]
    assert play.stats[name]["failed"] == 1
    assert "enough free space" in play.text or "No space left" in play.text
    lab.playbook(SITE, *BASE, "--limit", name).worked()
    assert "rsync" in lab.inside(victim, "command -v rsync")


def test_a_firewall_that_locks_out_is_undone(lab: Hosts) -> None:
    """The guard: SSH is moved to a port that the way in does not know; the host takes it back."""
    victim = hosts_of(lab)[-1]
    play = lab.playbook(
        SITE, "--limit", victim, "--tags", "hardening", "-e", "hardening_ssh_port=2222", "-e", "hardening_trust_s=20"
    )
    assert play.status != 0
    # Ansible folds long lines.
    assert "It undoes both within 20 s" in " ".join(play.text.split())
    key = lab.row(victim)["key"]
    lab.until(lambda: lab.ansible(victim, "-m", "ansible.builtin.ping").status == 0, 60)
    assert lab.inside(key, "nft list tables | grep -c fleetyard || true").strip() == "0"
    lab.playbook(SITE, "--limit", victim, "--tags", "hardening").worked()
    assert lab.inside(key, "nft list tables | grep -c 'inet fleetyard' || true").strip() == "1"


def test_a_reboot_in_mid_play_is_said_and_a_new_run_completes(lab: Hosts) -> None:
    """Without SSH's own further tries, with which a host that comes back in seconds is not even missed."""
    victim = hosts_of(lab)[-1]
    key = lab.row(victim)["key"]
    booted = "cut -d' ' -f22 /proc/1/stat"
    before = lab.inside(key, booted)
    play = started(lab, "--limit", victim, "--tags", "base,limits", ANSIBLE_SSH_RETRIES="0")
    until_said(play, "TASK [base : Install the packages]")
    lab.inside(key, "systemctl reboot --force --force || true")
    said, _ = play.communicate(timeout=240)
    assert play.returncode == 4, said[-3000:]
    assert f"fatal: [{victim}]: UNREACHABLE!" in said
    lab.until(lambda: lab.ansible(victim, "-m", "ansible.builtin.ping").status == 0, 90)
    assert lab.inside(key, booted) != before
    lab.playbook(SITE, "--limit", victim, "--tags", "base,limits").worked()


def test_a_play_that_was_killed_leaves_a_host_that_a_new_run_completes(lab: Hosts) -> None:
    victim = hosts_of(lab)[-1]
    lab.inside(lab.row(victim)["key"], "apt-get -qq remove --yes rsync less >/dev/null 2>&1 || true")
    play = started(lab, "--limit", victim, *BASE)
    until_said(play, "TASK [base : Install the packages]")
    time.sleep(0.5)
    os.kill(play.pid, signal.SIGKILL)
    play.wait(10)
    # What it had begun on the host ends first, and holds the stack until then.
    again = lab.until(lambda: (done := lab.playbook(SITE, "--limit", victim, *BASE)).status != 75 and done, 240)
    again.worked()
    assert lab.inside(lab.row(victim)["key"], "dpkg --audit; command -v rsync").strip().endswith("rsync")


def test_two_plays_at_once(lab: Hosts) -> None:
    first = started(lab, *BASE)
    until_said(first, "TASK [base :")
    second = lab.playbook(SITE, *BASE)
    said, _ = first.communicate(timeout=300)
    assert (second.status, first.returncode) == (75, 0), said[-3000:] + second.text
    assert f"another playbook runs on it (process {first.pid})" in second.text
    assert "FY1934" in second.text
    assert second.stats == {}
    lab.playbook(SITE, *BASE).worked()


def test_nothing_of_a_run_is_left_in_a_process_list(lab: Hosts) -> None:
    """No key of the lab, and nobody's password, is an argument of anything on the hosts."""
    words = json.dumps([lab.inside(row["key"], "ps -eo args") for row in lab.listed()])
    assert "PRIVATE KEY" not in words
    assert "password=" not in words.lower()
