"""What the roles write: as the boot script has it, as the services read it, and without what must not be there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from rendering import render, variables_of

from fleetyard.catalog import Cloud
from fleetyard.plan.model import CachePlan
from fleetyard.plan.userdata import boot_script

ROOT = Path(__file__).resolve().parents[2]
LINKS = {
    cloud: yaml.safe_load((ROOT / "playbooks" / "group_vars" / f"cloud_{cloud}.yml").read_text())["nvme_cache_links"]
    for cloud in ("aws", "gcp")
}


# The cache


@pytest.mark.parametrize("cloud", [Cloud.AWS, Cloud.GCP])
@pytest.mark.parametrize("medium", ["nvme", "ram"])
@pytest.mark.parametrize("at", ["/cache", "/mnt/fast/cache"])
def test_role_and_boot_script_write_the_same_cache(cloud: Cloud, medium: str, at: str) -> None:
    """Whichever comes second changes nothing."""
    script = boot_script(cloud, CachePlan("data", at, medium))
    values = {"nvme_cache_at": at, "nvme_cache_medium": medium, "nvme_cache_links": LINKS[str(cloud)]}
    assert render("nvme_cache", f"{medium}.sh.j2", values) + "FLEETYARD_SCRIPT\n" in script
    assert render("nvme_cache", "fleetyard-cache.service.j2", values) + "FLEETYARD_UNIT\n" in script


def test_drives_are_found_once_and_network_disks_never(tmp_path: Path) -> None:
    """Links as udev makes them: two a drive, one a partition, and those of network disks."""
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    text = render(
        "nvme_cache", "nvme.sh.j2", {"nvme_cache_links": [f"{by_id}/nvme-Amazon_EC2_NVMe_Instance_Storage_*"]}
    )
    for link, target in {
        "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS1": "nvme1n1",
        "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS1_1": "nvme1n1",
        "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS2": "nvme2n1",
        "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS2_1-part1": "nvme2n1p1",
        "nvme-Amazon_EC2_NVMe_Instance_Storage_dangling": "absent",
        "nvme-Amazon_Elastic_Block_Store_vol01": "nvme0n1",
    }.items():
        if target != "absent":
            (tmp_path / target).touch()
        (by_id / link).symlink_to(tmp_path / target)
    begin, end = text.index("drives=()"), text.index("if ((${#drives")
    # Files stand for devices here.
    part = text[begin:end].replace("-b $link", "-f $link")
    done = subprocess.run(
        ["bash", "-euc", f'{part}\nprintf "%s\\n" "${{drives[@]}}"'], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(tmp_path / "nvme1n1"), str(tmp_path / "nvme2n1")]


# Security updates


def blacklist() -> list[str]:
    text = render("hardening", "unattended-upgrades.j2")
    block = text[text.index("Package-Blacklist {") :]
    return re.findall(r'"(.*)";', block)


@pytest.mark.parametrize(
    "package",
    [
        "nvidia-driver-570-server-open", "nvidia-dkms-570", "nvidia-fabricmanager-570",
        "nvidia-fabricmanager", "nvidia-persistenced", "nvidia-container-toolkit", "nvidia-kernel-open-dkms",
        "nvidia-open", "nvidia-imex", "libnvidia-compute-570", "libnvidia-container1", "libnvidia-nscq-570",
        "cuda-drivers", "cuda-toolkit-12-8", "libcuda1", "libnccl2", "libnccl-dev", "nccl-gib",
        "libcudnn9-cuda-12", "datacenter-gpu-manager-4-cuda12", "gdrdrv-dkms", "efa", "efa-config",
        "libfabric1", "libfabric-aws-bin", "rdma-core", "libibverbs1", "ibverbs-providers", "librdmacm1",
        "infiniband-diags", "openmpi-bin", "libopenmpi3", "lustre-client-modules-6.8.0-1021-aws", "slurmd",
        "slurm-wlm", "libslurm38", "munge", "linux-image-6.8.0-1021-aws", "linux-image-cloud-amd64",
        "linux-headers-aws", "linux-aws", "linux-gcp", "linux-modules-extra-6.8.0-1021-gcp",
        "linux-modules-nvidia-570-aws",
    ],
)  # fmt: skip
def test_unattended_upgrades_leave_the_accelerators_software_alone(package: str) -> None:
    """As unattended-upgrades judges: a regular expression at the beginning of the name."""
    assert any(re.match(pattern, package) for pattern in blacklist())


@pytest.mark.parametrize(
    "package",
    ["openssl", "libc6", "openssh-server", "sudo", "systemd", "python3.11", "linux-libc-dev", "curl", "nginx"],
)
def test_unattended_upgrades_mend_everything_else(package: str) -> None:
    assert not any(re.match(pattern, package) for pattern in blacklist())


# SSH and firewall


def test_the_firewall_replaces_its_own_table_and_no_other() -> None:
    text = render("hardening", "nftables.conf.j2", {"hardening_cluster": ["10.40.0.0/16"]})
    assert "flush ruleset" not in text
    assert (
        text.index("\ntable inet fleetyard\n") < text.index("delete table inet fleetyard") < text.index("chain input")
    )
    assert "policy drop" in text
    assert 'tcp dport 22 accept comment "SSH"' in text
    assert "ip saddr @cluster meta l4proto tcp accept" in text
    assert "elements = { 10.40.0.0/16 }" in text


def test_what_the_control_host_offers_is_all_that_it_offers() -> None:
    offered = yaml.safe_load((ROOT / "playbooks" / "group_vars" / "role_control.yml").read_text())["hardening_open"]
    text = render("hardening", "nftables.conf.j2", {"hardening_cluster": ["10.40.0.0/16"], "hardening_open": offered})
    rules = [line.strip() for line in text.splitlines() if "accept comment" in line]
    assert len(rules) == 1 + len(offered)
    assert all(rule.startswith("ip saddr @cluster tcp dport {") for rule in rules[1:])


def test_rules_about_a_cluster_without_ranges_are_left_out() -> None:
    text = render("hardening", "nftables.conf.j2", {"hardening_cluster": []})
    assert "@cluster" not in text
    odd = {"hardening_open": [{"name": "web", "from": "any", "protocols": ["tcp"], "ports": [80, "8000-8010"]}]}
    assert 'tcp dport { 80, 8000-8010 } accept comment "web"' in render("hardening", "nftables.conf.j2", odd)


def test_the_ssh_server_gets_users_and_port_only_if_given() -> None:
    plain = render("hardening", "sshd.conf.j2")
    assert "PasswordAuthentication no" in plain
    assert "AllowUsers" not in plain
    assert "Port " not in plain
    other = render("hardening", "sshd.conf.j2", {"hardening_ssh_users": ["ansible", "ada"], "hardening_ssh_port": 2222})
    assert {"AllowUsers ansible ada", "Port 2222"} <= set(other.splitlines())


# Monitoring


def rules(**variables: Any) -> dict[str, dict[str, Any]]:
    said = yaml.safe_load(render("prometheus", "rules.yml.j2", variables))
    return {rule["alert"]: rule for group in said["groups"] for rule in group["rules"]}


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    found = rules()
    wanted = {"HostDown", "DiskAlmostFull", "HydrationFailed", "ClockOff", "CheckpointTooOld", "CheckpointNotSent"}
    assert wanted <= set(found)
    for rule in found.values():
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["fix"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.search(r"\$labels", rule["annotations"]["summary"]), rule["alert"]


def test_alerts_can_be_left_out_one_by_one() -> None:
    assert set(rules()) - set(rules(prometheus_alerts_off=["ClockOff", "HostDown"])) == {"ClockOff", "HostDown"}


def test_thresholds_come_from_the_variables() -> None:
    found = rules(prometheus_disk_low_percent=7, prometheus_checkpoint_age_s=99, prometheus_down_for="3s")
    assert "< 7" in found["DiskAlmostFull"]["expr"]
    assert found["CheckpointTooOld"]["expr"].endswith("> 99")
    assert found["HostDown"]["for"] == "3s"


def own_metrics() -> set[str]:
    """Names of the metrics that the hosts' programs write."""
    hydrate = (ROOT / "roles" / "hydrate" / "files" / "hydrate.py").read_text()
    kept = (ROOT / "roles" / "checkpoint_sync" / "files" / "checkpoints.py").read_text()
    names = re.findall(r'^        "(\w+)": \("', hydrate, re.MULTILINE)
    found = {f"fleetyard_hydrate_{name}" for name in names}
    found |= {f"fleetyard_checkpoint_{name}" for name in re.findall(r'^        "(\w+)": \("', kept, re.MULTILINE)}
    return found | {"fleetyard_host_info"}


def test_rules_and_dashboards_ask_for_metrics_that_there_are() -> None:
    boards = [json.loads(path.read_text()) for path in (ROOT / "roles" / "prometheus" / "files").rglob("*.json")]
    asked = [rule["expr"] for rule in rules().values()]
    asked += [target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) > 20
    used = {name for text in asked for name in re.findall(r"\bfleetyard_[a-z_]+", text)}
    assert used
    assert used - own_metrics() == set()


def test_dashboards_name_the_data_source_that_is_provisioned() -> None:
    uid = yaml.safe_load(render("prometheus", "datasources.yml.j2"))["datasources"][0]["uid"]
    for path in (ROOT / "roles" / "prometheus" / "files" / "dashboards").glob("*.json"):
        board = json.loads(path.read_text())
        assert board["uid"] == path.stem
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {uid}
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_prometheus_reads_a_file_for_each_job() -> None:
    jobs = {"node": [{"targets": ["10.40.0.1:9100"], "labels": {}}], "slurm": []}
    said = yaml.safe_load(render("prometheus", "prometheus.yml.j2", {"prometheus_targets": jobs}))
    files = {job["job_name"]: job.get("file_sd_configs") for job in said["scrape_configs"]}
    assert set(files) == {"prometheus", "node", "slurm"}
    assert files["slurm"][0]["files"] == ["/etc/prometheus/targets/slurm.json"]


def test_a_password_for_mail_stands_in_no_configuration() -> None:
    values = {
        "alertmanager_smtp": {
            "host": "smtp.example.org:587",
            "from": "a@example.org",
            "user": "a",
            "password": "hunter2",
        },
        "alertmanager_email_to": ["ops@example.org"],
        "alertmanager_webhooks": ["http://chat.example.org/hook"],
    }
    text = render("alertmanager", "alertmanager.yml.j2", values)
    said = yaml.safe_load(text)
    assert "hunter2" not in text
    assert said["global"]["smtp_auth_password_file"] == "/etc/prometheus/alertmanager.smtp-password"
    (people,) = said["receivers"]
    assert people["email_configs"][0]["to"] == "ops@example.org"
    assert people["webhook_configs"][0]["send_resolved"] is True
    assert yaml.safe_load(render("alertmanager", "alertmanager.yml.j2"))["receivers"] == [{"name": "people"}]


def test_a_host_is_described_by_one_metric_with_its_labels() -> None:
    text = render(
        "node_exporter", "fleetyard_host.prom.j2", {"node_exporter_labels": {"pool": 'a"b', "accelerators": 8}}
    )
    assert text.splitlines()[-1] == 'fleetyard_host_info{accelerators="8",pool="a\\"b"} 1'


# Services


def test_the_filling_service_waits_for_the_cache_and_has_its_environment() -> None:
    values = {
        "hydrate_from": "s3://lake/datasets", "hydrate_to": "/cache/datasets", "hydrate_only": ["text", "images"],
        "hydrate_environment": {"AWS_REGION": "us-east-1"},
    }  # fmt: skip
    text = render("hydrate", "fleetyard-hydrate.service.j2", values)
    assert "Requires=fleetyard-cache.service" in text
    assert 'Environment="AWS_REGION=us-east-1"' in text
    assert "--only text images" in text
    plain = render("hydrate", "fleetyard-hydrate.service.j2", {**values, "hydrate_only": [], "hydrate_after": []})
    assert "Requires" not in plain
    assert "--only" not in plain


def test_checkpoints_are_sent_once_more_before_the_network_goes() -> None:
    text = render("checkpoint_sync", "fleetyard-checkpoints.service.j2", {"checkpoint_sync_to": "s3://lake/x"})
    assert "After=network-online.target" in text
    assert "Type=notify" in text
    assert "TimeoutStopSec=600" in text


def test_limits_say_infinity_where_logins_say_unlimited() -> None:
    text = render("limits", "system.conf.j2", {"limits_memlock": "65536"})
    assert {"DefaultLimitMEMLOCK=65536K", "DefaultLimitSTACK=infinity"} <= set(text.splitlines())
    assert "* - memlock unlimited" in render("limits", "limits.conf.j2")
    keys = [line.split(" = ")[0] for line in render("limits", "sysctl.conf.j2").splitlines()[1:]]
    assert keys == sorted(variables_of("limits")["limits_sysctl"])


@pytest.mark.parametrize("receives", [True, False])
def test_logs_are_bounded_at_both_ends(receives: bool) -> None:
    values = {"log_shipping_to": "10.40.0.9", "log_shipping_receive": receives, "log_shipping_from": ["10.40.0.0/16"]}
    text = render("log_shipping", "rsyslog.conf.j2", values)
    if receives:
        assert 'rotation.sizeLimit="104857600"' in text
        assert "$AllowedSender TCP, 127.0.0.1, 10.40.0.0/16" in text
        assert "omfwd" not in text
    else:
        assert 'queue.maxDiskSpace="256m"' in text
        assert 'target="10.40.0.9"' in text
    assert text.rstrip().endswith("stop")


def test_a_full_log_is_put_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    script = tmp_path / "rotate"
    script.write_text(
        render("log_shipping", "rotate.sh.j2", {"log_shipping_folder": str(tmp_path), "log_shipping_files": 3})
    )
    for n in range(6):
        (tmp_path / "all.log").write_text(str(n))
        subprocess.run(["sh", str(script)], check=True)
    assert {p.name: p.read_text() for p in tmp_path.glob("all.log*")} == {
        "all.log.1": "5",
        "all.log.2": "4",
        "all.log.3": "3",
    }


def test_time_has_the_clouds_own_source() -> None:
    for cloud, address in (("aws", "169.254.169.123"), ("gcp", "metadata.google.internal")):
        sources = yaml.safe_load((ROOT / "playbooks" / "group_vars" / f"cloud_{cloud}.yml").read_text())["time_sources"]
        servers = [
            line
            for line in render("time", "chrony.conf.j2", {"time_sources": sources}).splitlines()
            if "server" in line
        ]
        assert [line.split()[1] for line in servers] == [address]


def test_sudo_is_for_those_who_are_there() -> None:
    people = [{"name": "ada", "sudo": True}, {"name": "bob"}, {"name": "eve", "sudo": True, "state": "absent"}]
    text = render("base", "sudoers.j2", {"base_users": people})
    assert [line.split()[0] for line in text.splitlines() if "NOPASSWD" in line] == ["ada"]
