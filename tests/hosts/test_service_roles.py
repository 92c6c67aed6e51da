"""Roles of storage, monitoring, backup and intrusion detection on one host: real programs, real refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play

pytestmark = pytest.mark.timeout(1500)
PLAYBOOK = "playbooks/services.yml"


@dataclass
class Node:
    """A lab host, and the variables that an inventory would give it."""

    hosts: Hosts
    variables: dict[str, Any]
    folder: Path
    fresh_check: Play | None = None
    first: Play | None = None
    second: Play | None = None
    check: Play | None = None

    def play(self, *words: str, path: str | Path = PLAYBOOK, **more: Any) -> Play:
        file = self.folder / "variables.json"
        file.write_text(json.dumps({**self.variables, **more}))
        return self.hosts.playbook(path, "-e", f"@{file}", *words)

    def refused(self, *words: str, **more: Any) -> str:
        """What the playbook says when it must fail, as one line."""
        play = self.play(*words, **more)
        assert play.status != 0, play.text[-3000:]
        return re.sub(r"\s+", " ", play.text)

    def on(self, command: str) -> str:
        return self.hosts.inside(self.hosts.listed()[0]["key"], command)


@pytest.fixture(scope="module")
def node(labs: Callable[..., Hosts], tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The playbook was run: as a check, twice for real, and as a check again."""
    variables = {
        "fleetyard_services": ["backup", "integrity"],
        "restic_repository": "/srv/backup",
        "restic_password": "right horse",
        "restic_read": "100%",
    }
    made = Node(labs({"train": ("compute", 1)}), variables, tmp_path_factory.mktemp("services"))
    # As role base does before.
    made.on("apt-get update >&2")
    made.fresh_check = made.play("--check")
    made.first = made.play()
    made.second = made.play()
    made.check = made.play("--check")
    return made


# Converging


def test_check_mode_on_a_fresh_host_ends_well_and_names_what_would_come(node: Node) -> None:
    assert node.fresh_check is not None
    assert node.fresh_check.worked().changed > 0


def test_it_converges_and_a_second_run_changes_nothing(node: Node) -> None:
    assert node.first is not None
    assert node.second is not None
    node.first.worked()
    assert node.second.worked().changed == 0, re.findall(r"^(?:TASK|changed: ).*", node.second.text, re.MULTILINE)


def test_check_mode_on_a_converged_host_changes_nothing(node: Node) -> None:
    assert node.check is not None
    assert node.check.worked().changed == 0, re.findall(r"^changed: .*", node.check.text, re.MULTILINE)


def test_a_host_that_shall_get_nothing_gets_nothing(node: Node) -> None:
    nothing = node.play(fleetyard_services=[], restic_repository="").worked()
    assert nothing.changed == 0
    assert nothing.stats["train-0"]["ok"] <= 1, nothing.text


# Backup


def test_the_service_backs_up_and_what_was_lost_comes_back(node: Node) -> None:
    node.on("echo precious > /root/precious; systemctl start fleetyard-backup && rm /root/precious")
    assert "fleetyard_backup_success 1" in node.on("cat /var/lib/prometheus/node-exporter/fleetyard_backup.prom")
    node.on("install -d -m 777 /tmp/back")
    node.on("fleetyard-backup restic restore latest --tag fleetyard --target /tmp/back >&2")
    assert node.on("cat /tmp/back/root/precious").strip() == "precious"
    # Nobody but root reads the password, and the service's user reads files without owning any.
    assert node.on("stat -c '%U %a' /etc/restic/password").strip() == "root 600"
    assert node.on("stat -c %U /srv/backup/config").strip() == "fleetyard-backup"


# What backups alone refuse, without a look at all files each time.
BACKUP = {"fleetyard_services": ["backup"]}


def test_a_wrong_password_is_refused_and_no_repository_is_made_over_it(node: Node) -> None:
    before = node.on("sha256sum /srv/backup/config")
    said = node.refused("--tags", "restic", **BACKUP, restic_password="wrong horse")
    assert "FY2851 error train-0: /srv/backup does not open" in said
    assert "wrong password" in said
    assert "horse" not in said.replace("restic_password", "")
    assert node.on("sha256sum /srv/backup/config") == before
    node.play("--tags", "restic", **BACKUP).worked()


def test_no_password_at_all_is_refused(node: Node) -> None:
    node.on("mv /etc/restic/password /root/kept")
    try:
        assert "FY2850 error train-0" in node.refused("--tags", "restic", **BACKUP, restic_password="")
    finally:
        node.on("mv /root/kept /etc/restic/password")


def test_a_repository_that_is_lost_is_not_made_again_in_silence(node: Node) -> None:
    said = node.refused("--tags", "restic", **BACKUP, restic_repository="/srv/other", restic_create=False)
    assert "FY2852 error train-0: there is no repository in /srv/other" in said
    node.play("--tags", "restic", **BACKUP).worked()


def test_a_damaged_repository_is_refused(node: Node) -> None:
    node.on("cp -a /srv/backup /srv/kept && rm $(find /srv/backup/data -type f | head -n 1)")
    try:
        said = node.refused("--tags", "restic", **BACKUP)
    finally:
        node.on("rm -r /srv/backup && mv /srv/kept /srv/backup")
    assert "FY2853 error train-0: backups in /srv/backup cannot be trusted" in said
    # Until it is whole again.
    assert node.play("--tags", "restic", **BACKUP).worked().changed == 0


# Intrusion detection


def test_a_change_that_nobody_meant_is_found_and_stops_the_next_run(node: Node) -> None:
    # What the tests before changed and put back is no change.
    assert node.on("fleetyard-integrity check") == ""
    node.on("cp -a /etc/issue /root/issue; echo evil >> /etc/issue; touch /usr/local/bin/new; chmod u+s /usr/bin/tail")
    try:
        node.on("systemctl start fleetyard-integrity")
        said = {"added /usr/local/bin/new", "changed /etc/issue", "changed /usr/bin/tail"}
        assert set(node.on("fleetyard-integrity last").splitlines()) == said
        assert "fleetyard_integrity_changes 3" in node.on(
            "cat /var/lib/prometheus/node-exporter/fleetyard_integrity.prom"
        )
        refused = node.refused("--tags", "integrity")
        assert "FY2860 error train-0: nobody meant 3 changes" in refused
        assert "/usr/local/bin/new" in refused
    finally:
        node.on("cp -a /root/issue /etc/issue; rm /usr/local/bin/new; chmod u-s /usr/bin/tail")
    # Put back, it is well again; what a run changes itself is meant.
    changed = node.play(restic_excludes=["*.tmp"]).worked()
    assert changed.changed == 2, changed.text
    assert node.on("fleetyard-integrity check") == ""
