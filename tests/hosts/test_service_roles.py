"""Roles of storage, monitoring, backup and intrusion detection on one host: real programs, real refusals."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Hosts, Play
from stand_ins import fill
from stand_ins.variables import node as variables_of

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


PREPARE = """
apt-get update >&2
# What a machine has and a container has not: FUSE.
[ -e /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229
# NFS, Lustre, Ceph: something answers there, as a server would before it is spoken to.
for port in 2049 988 6789; do
  systemd-run --quiet --collect --unit=listen-$port python3 -m http.server $port --bind 127.0.0.1 --directory /var/tmp
done
# A driver, as DKMS would have built it.
mkdir -p /var/lib/dkms/nvidia /usr/share/fleetyard-stand-in
ln -sfn 580.159.04/6.1/x86_64 /var/lib/dkms/nvidia/kernel-6.1-x86_64
echo 580.159.04 > /usr/share/fleetyard-stand-in/nvidia-driver
# EFA devices, as the kernel would tell of them.
for device in rdmap0s0 rdmap1s0; do
  at=/srv/sys/class/infiniband/$device/ports/1/hw_counters
  mkdir -p $at
  for counter in tx_bytes rx_bytes rx_drops rdma_read_wrs rdma_read_wr_err; do echo 17 > $at/$counter; done
done
"""
MOUNTS = [
    {"name": "home", "kind": "nfs", "source": "127.0.0.1:/srv/shared", "at": "/mnt/shared-home"},
    {"name": "scratch", "kind": "lustre", "source": "127.0.0.1@tcp:/abcdefgh", "at": "/fsx"},
    {"name": "pool", "kind": "ceph", "source": "127.0.0.1:/", "at": "/mnt/ceph", "user": "training"},
    {"name": "data", "kind": "gcsfuse", "source": "training-data/v1", "at": "/mnt/data", "read_only": True},
    {"name": "models", "kind": "mountpoint_s3", "source": "models", "at": "/mnt/models"},
]
# Of the form that Ceph has: type, time, length, 16 bytes.
CEPH_KEY = base64.b64encode(struct.pack("<HIIH", 1, 0, 0, 16) + bytes(range(16))).decode()


def variables() -> dict[str, Any]:
    """Of a p5.48xlarge that gets everything, with a bucket of each cloud."""
    tree = fill()
    # Under a name of its own: another session on this computer may show other stand-ins meanwhile.
    shelf = tree.parents[1] / "mirror" / tree.name
    if not shelf.is_symlink():
        shelf.symlink_to(tree)
    found = variables_of("aws", "p5.48xlarge", tree)
    found["fleetyard_versions"]["gcsfuse"] = variables_of("gcp", "a3-ultragpu-8g", tree)["fleetyard_versions"][
        "gcsfuse"
    ]
    base = found["fleetyard_package_base"]
    found = json.loads(json.dumps(found).replace(base, f"{base.rpartition('/')[0]}/{tree.name}"))
    return found | {
        "fleetyard_services": ["gpu_metrics", "efa_metrics", "dashboards", "backup", "integrity", "intrusion"],
        "shared_storage_mounts": MOUNTS,
        "shared_storage_lustre_modules": "image",
        "shared_storage_ceph_settings": {"fsid": "5f6f4ba1-6b5a-4a1e-9d0b-3a1f2f7b9c11", "mon_host": "127.0.0.1"},
        "shared_storage_ceph_keys": {"training": CEPH_KEY},
        "efa_exporter_sysfs": "/srv/sys/class/infiniband",
        "efa_exporter_devices": 2,
        "grafana_password": "battery staple",
        "restic_repository": "/srv/backup",
        "restic_password": "right horse",
        "restic_read": "100%",
        "suricata_interfaces": ["lo", "host0"],
        "suricata_backports": "bookworm-backports",
    }


@pytest.fixture(scope="module")
def node(labs: Callable[..., Hosts], tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The playbook was run after those that it builds on: as a check, twice for real, and as a check again."""
    made = Node(labs({"train": ("compute", 1)}), variables(), tmp_path_factory.mktemp("services"))
    # One host is the compute host and the one that watches.
    inventory = json.loads(made.hosts.inventory.read_text())
    inventory["all"]["children"]["role_control"] = {"hosts": {"train-0": {}}}
    made.hosts.inventory.write_text(json.dumps(inventory))
    made.on(PREPARE)
    made.play("--tags", "stand_in,package_source,dcgm", path="playbooks/accelerators.yml").worked()
    made.on("fleetyard-stand-in bucket training-data/v1; fleetyard-stand-in bucket models")
    made.on("echo tokens > /var/lib/fleetyard-stand-in/buckets/training-data/v1/one")
    made.play("--tags", "node_exporter,prometheus", path="playbooks/site.yml").worked()
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
    nothing = node.play(fleetyard_services=[], shared_storage_mounts=[]).worked()
    assert nothing.changed == 0
    assert nothing.stats["train-0"]["ok"] <= 1, nothing.text


# Shared storage


def test_buckets_are_real_mounts_that_others_read(node: Node) -> None:
    assert node.on("runuser -u nobody -- cat /mnt/data/one").strip() == "tokens"
    assert "Read-only file system" in node.on("touch /mnt/data/x 2>&1 || true")
    assert node.on("findmnt -no FSTYPE /mnt/models").strip().startswith("fuse")
    calls = [json.loads(line) for line in node.on("fleetyard-stand-in calls").splitlines()]
    (mounted,) = {tuple(row["arguments"]) for row in calls if row["program"] == "gcsfuse"}
    assert mounted == (
        "--foreground", "-o", "allow_other,ro", "--only-dir=v1", "--implicit-dirs", "training-data", "/mnt/data",
    )  # fmt: skip
    # Nobody's program runs as root.
    assert {row["uid"] for row in calls if row["program"] in ("gcsfuse", "mount-s3")} != {0}


def test_what_this_kernel_cannot_mount_is_laid_down_enabled_and_said(node: Node) -> None:
    assert node.first is not None
    assert re.search(
        r"Not mounted, because kernel \S+ has no ceph, lustre,\s+nfs: home,\s+scratch, pool", node.first.text
    )
    units = r"'mnt-shared\x2dhome.mount' fsx.mount mnt-ceph.mount"
    assert node.on(f"systemctl is-enabled {units}").split() == ["enabled"] * 3
    assert node.on(f"systemd-analyze verify {units} 2>&1 || true") == ""
    # The boot's target wants them and needs none.
    assert "fsx.mount" in node.on("systemctl show remote-fs.target -p Wants")
    assert "fsx.mount" not in node.on("systemctl show remote-fs.target -p Requires")
    assert (
        node.on("ceph-authtool --name client.training --print-key /etc/ceph/ceph.client.training.keyring").strip()
        == CEPH_KEY
    )
    assert node.on("stat -c %a /etc/ceph/ceph.client.training.keyring").strip() == "600"


STORAGE = {"fleetyard_services": []}


def test_a_server_that_does_not_answer_is_refused_before_anything_changes(node: Node) -> None:
    wrong = [{"name": "home", "kind": "nfs", "source": "10.90.77.1:/home", "at": "/mnt/other"}]
    said = node.refused("--tags", "shared_storage", **STORAGE, shared_storage_mounts=wrong)
    assert "FY2870 error train-0: no answer within 5 s from 10.90.77.1:/home" in said
    assert node.on("ls /etc/systemd/system/mnt-other.mount 2>/dev/null || true") == ""


def test_a_kernel_without_the_file_system_is_refused_where_it_must_have_it(node: Node) -> None:
    said = node.refused(
        "--tags", "shared_storage", **STORAGE, shared_storage_mounts=MOUNTS[:1], shared_storage_without_kernel="refuse"
    )
    assert re.search(r"FY2871 error train-0: kernel \S+ has no nfs", said)


def test_a_bucket_that_is_not_there_is_refused_and_no_boot_waits_for_it(node: Node) -> None:
    wrong = [{"name": "lost", "kind": "gcsfuse", "source": "no-such-bucket", "at": "/mnt/lost"}]
    try:
        said = node.refused("--tags", "shared_storage", **STORAGE, shared_storage_mounts=wrong)
        assert "FY2875 error train-0: lost: Error: fs.NewServer" in said
        assert "bucket doesn't exist" in said
        # It is enabled, and tried again and again; what the boot waits for comes up without it.
        assert node.on("systemctl is-enabled fleetyard-bucket-lost").strip() == "enabled"
        node.on("timeout 90 systemctl restart remote-fs.target && systemctl is-active remote-fs.target")
    finally:
        node.on("systemctl disable --now fleetyard-bucket-lost; rm /etc/systemd/system/fleetyard-bucket-lost.service")


def test_an_archive_that_is_not_the_one_meant_is_refused(node: Node) -> None:
    versions = {
        "mountpoint-s3": {**node.variables["fleetyard_versions"]["mountpoint-s3"], "version": "9", "sha256": "0" * 64}
    }
    said = node.refused(
        "--tags", "shared_storage", **STORAGE, shared_storage_mounts=MOUNTS[4:], shared_storage_versions=versions
    )
    assert "FY2873 error train-0: mountpoint-s3 9 is not installed" in said
    assert node.on("ls /opt/aws/mountpoint-s3/9/bin 2>/dev/null || true") == ""


# Monitoring


def asked(node: Node, path: str) -> Any:
    """What Prometheus answers."""
    return json.loads(node.on(f"curl -sg 'http://127.0.0.1:9090/api/v1/{path}'"))["data"]


def test_prometheus_has_the_metrics_of_gpus_and_efa_by_host_and_pool(node: Node) -> None:
    gpus = node.hosts.until(lambda: asked(node, "query?query=DCGM_FI_DEV_GPU_TEMP")["result"])
    assert len(gpus) == 8
    assert {(row["metric"]["instance"], row["metric"]["pool"], row["metric"]["job"]) for row in gpus} == {
        ("train-0", "train", "dcgm")
    }
    drops = node.hosts.until(lambda: asked(node, "query?query=node_amazonefa_rx_drops")["result"])
    assert {(row["metric"]["device"], row["value"][1]) for row in drops} == {("rdmap0s0", "17"), ("rdmap1s0", "17")}


def test_a_planted_xid_and_hot_gpu_raise_alerts_in_healths_words(node: Node) -> None:
    node.on("""fleetyard-stand-in xid 79 3; fleetyard-stand-in plant '{"remap_failed": [2]}'""")
    try:
        wanted = {("GpuXidReplace", "3"), ("GpuRowRemapFailed", "2")}

        def raised() -> set[tuple[str, str]]:
            rows = [row for row in asked(node, "alerts")["alerts"] if row["state"] == "firing"]
            return {(row["labels"]["alertname"], row["labels"].get("gpu", "")) for row in rows}

        assert node.hosts.until(lambda: wanted <= raised())
        rows = {row["labels"]["alertname"]: row for row in asked(node, "alerts")["alerts"]}
        assert rows["GpuXidReplace"]["annotations"]["summary"] == "GPU 3 of train-0: Xid 79"
        assert rows["GpuXidReplace"]["labels"]["action"] == "replace"
    finally:
        node.on("fleetyard-stand-in clear")


def test_rules_pass_their_own_tests(node: Node) -> None:
    text = (Path(__file__).parent / "service_alerts.yml").read_text()
    node.on(f"cat > /root/service_alerts.yml <<'END'\n{text}\nEND")
    assert "SUCCESS" in node.on("promtool test rules /root/service_alerts.yml")


def test_exporters_and_grafana_listen_where_they_are_told_as_nobody_special(node: Node) -> None:
    listening = node.on("ss -ltnH | awk '{print $4}'").split()
    assert "127.0.0.1:3000" in listening
    assert not [where for where in listening if where.endswith(":111")]
    for name in ("nvidia-dcgm-exporter", "grafana-server", "suricata"):
        assert node.on(f"ps -o user= -p $(systemctl show {name} -p MainPID --value)").strip() != "root", name


def test_an_exporter_of_another_dcgm_is_refused(node: Node) -> None:
    node.on("echo 3.3.9-4.8.1 > /usr/share/fleetyard-stand-in/dcgm-exporter")
    try:
        said = node.refused("--tags", "dcgm_exporter", fleetyard_services=["gpu_metrics"])
    finally:
        node.on("echo 4.5.2-4.8.1 > /usr/share/fleetyard-stand-in/dcgm-exporter")
    assert "FY2876 error train-0: DCGM's exporter 4.8.1 belongs 3.3.9, and DCGM here 4.5.2" in said


def test_grafana_serves_its_dashboards_to_who_has_the_password(node: Node) -> None:
    assert '"Unauthorized"' in node.on("curl -s -u admin:admin http://127.0.0.1:3000/api/search")
    found = json.loads(node.on("curl -s -u 'admin:battery staple' http://127.0.0.1:3000/api/search?type=dash-db"))
    assert {"fleetyard-hosts", "fleetyard-data", "fleetyard-accelerators"} == {row["uid"] for row in found}
    assert "battery" not in node.on("cat /etc/grafana/grafana.ini; ps axww")


# Intrusion detection in the network


def test_a_planted_packet_raises_an_alert(node: Node) -> None:
    node.on("systemd-run --quiet --collect python3 -m http.server 4444 --bind 10.90.0.10 --directory /var/tmp")
    words = 'printf "mining.subscribe\\r\\n\\r\\n" > /dev/tcp/10.90.0.10/4444'
    command = f"until bash -c '{words}' 2>/dev/null; do sleep 0.2; done"
    node.on(command)
    alerts = node.hosts.until(lambda: node.on('grep \'"event_type":"alert"\' /var/log/suricata/eve.json || true'), 60)
    rows = [json.loads(line) for line in alerts.splitlines()]
    assert 9000001 in {row["alert"]["signature_id"] for row in rows}
    # Shipped with the other logs.
    node.hosts.until(lambda: "mining pool" in node.on("journalctl -q -t suricata -o cat || true"), 30)


def test_a_rule_that_is_wrong_is_refused_and_the_old_ones_stay(node: Node) -> None:
    only = {"fleetyard_services": ["intrusion"], "suricata_rules": ["alert tcp any -> any (msg:broken;)"]}
    said = node.refused("--tags", "suricata", **only)
    assert "FY2865 error train-0" in said
    assert node.on("grep -c '^alert' /etc/suricata/rules/fleetyard.rules").strip() == "3"
    assert node.on("systemctl is-active suricata").strip() == "active"


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
