"""`site.yml` on the machines of a whole stack: converges, changes nothing again; the services do what they are for."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosts_bench import Cluster, Play

# Four whole runs come before the first test.
pytestmark = pytest.mark.timeout(1800)
SITE = "playbooks/site.yml"
ROOT = Path(__file__).resolve().parents[2]
SHARD = bytes(range(256)) * 4096


@dataclass
class Site:
    """A cluster that was converged, and what each run said."""

    cluster: Cluster
    bucket: str
    fresh_check: Play
    first: Play
    second: Play
    check: Play

    @property
    def control(self) -> str:
        return self.named("control")[0]

    @property
    def compute(self) -> list[str]:
        return self.named("compute")

    def named(self, role: str) -> list[str]:
        done = self.cluster.hosts.ansible(f"role_{role}", "--list-hosts")
        return [line.strip() for line in done.out.splitlines()[1:]]

    def on(self, host: str, command: str) -> str:
        """A command as root, past the network."""
        row = next(row for row in self.cluster.hosts.listed() if row["host"] == host)
        return self.cluster.hosts.inside(row["key"], command)

    def query(self, text: str) -> list[dict[str, Any]]:
        """What Prometheus says."""
        said = self.on(self.control, f"curl -sS -G http://127.0.0.1:9090/api/v1/query --data-urlencode 'query={text}'")
        found = json.loads(said)
        assert found["status"] == "success", said
        return list(found["data"]["result"])


def publish(cluster: Cluster, bucket: str, name: str, data: bytes) -> None:
    """A data set of one file, with its manifest."""
    import hashlib

    s3 = cluster.engine.api("s3")
    row = {"key": "shard-0.bin", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    s3.put_object(Bucket=bucket, Key=f"datasets/{name}/shard-0.bin", Body=data)
    manifest = json.dumps({"version": 1, "objects": [row]}).encode()
    s3.put_object(Bucket=bucket, Key=f"datasets/{name}/manifest.json", Body=manifest)


@pytest.fixture(scope="module")
def site(aws: Cluster) -> Site:
    said = json.loads(aws.engine.pulumi("stack", "output", "fleetyard", "--json", "--stack", aws.stack).out)
    bucket = said["stores"]["data"]["bucket"]
    publish(aws, bucket, "probe", SHARD)
    play = aws.hosts.playbook
    return Site(aws, bucket, play(SITE, "--check"), play(SITE), play(SITE), play(SITE, "--check"))


def test_check_mode_on_fresh_hosts_ends_well(site: Site) -> None:
    site.fresh_check.worked()
    assert site.fresh_check.changed > 0


def test_it_converges(site: Site) -> None:
    site.first.worked()
    assert len(site.first.stats) == 3


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert site.second.worked().changed == 0, re.findall(r"^changed: .*", site.second.text, re.MULTILINE)


def test_check_mode_on_converged_hosts_changes_nothing(site: Site) -> None:
    assert site.check.worked().changed == 0


def drift(site: Site) -> tuple[int, dict[str, Any]]:
    """`fleetyard drift`, as a person would ask it."""
    words = ("drift", "--stack", site.cluster.stack, "--inventory", str(site.cluster.hosts.inventory), "--json")
    done = site.cluster.engine.fleetyard(*words)
    assert done.status in (0, 1), done.text
    return done.status, json.loads(done.out)


def test_planted_drift_is_found_and_nothing_else(site: Site) -> None:
    status, found = drift(site)
    assert status == 0, found
    host, other = site.compute[0], site.control
    ec2 = site.cluster.engine.api("ec2")
    vpc = next(v for v in ec2.describe_vpcs()["Vpcs"] if v["CidrBlock"].startswith("10.40."))["VpcId"]
    plant = {
        ("package", "less:amd64"): (host, "apt-get -qq remove --yes less >/dev/null", "apt-get -qq install --yes less"),
        ("hold", "curl:amd64"): (host, "apt-mark -qq hold curl", "apt-mark -qq unhold curl"),
        ("sysctl", "net.core.somaxconn"): (
            host,
            "sysctl -qw net.core.somaxconn=99",
            "sysctl -qw net.core.somaxconn=4096",
        ),
        ("unit", "chrony.service"): (host, "systemctl -q stop chrony", "systemctl -q start chrony"),
        ("file", "/etc/chrony/chrony.conf"): (
            other,
            "chmod 600 /etc/chrony/chrony.conf",
            "chmod 644 /etc/chrony/chrony.conf",
        ),
        ("user", "eve"): (other, "useradd eve", "userdel eve"),
    }
    before = {host: site.on(host, "sysctl -n net.core.somaxconn").strip()}
    try:
        for where, command, _ in plant.values():
            site.on(where, command)
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "by", "Value": "hand"}])
        status, found = drift(site)
    finally:
        for where, _, command in plant.values():
            site.on(where, command)
        ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "by"}])
    assert before[host] == "4096"
    assert status == 1
    said = {(row["where"], row["kind"], row["name"]) for row in found["nodes"]}
    # A package that goes takes files with it, and a user has more than a line.
    expected = {(where, kind, name) for (kind, name), (where, _, _) in plant.items()}
    assert expected <= said
    assert {(where, kind) for where, kind, _ in said} <= {(where, kind) for where, kind, _ in expected} | {
        (host, "file")
    }
    assert [row["name"].rpartition(" ")[2] for row in found["cloud"]] == ["tags.by"]
    assert found["unknown"] == {}


def test_hosts_know_each_other_by_name(site: Site) -> None:
    for host in site.compute:
        assert site.on(host, f"getent hosts {site.control}").split()[0].startswith("10.40.")


def test_the_cache_holds_what_was_published(site: Site) -> None:
    for host in site.compute:
        assert (
            site.on(host, "sha256sum /cache/datasets/probe/shard-0.bin | cut -c1-64").strip()
            == (json.loads(site.on(host, "cat /cache/datasets/probe/manifest.json"))["objects"][0]["sha256"])
        )


def test_every_host_is_asked_and_says_what_it_is(site: Site) -> None:
    found = site.cluster.hosts.until(
        lambda: len(site.query('up{job="node"} == 1')) == 3 and site.query("fleetyard_host_info")
    )
    assert {row["metric"]["pool"] for row in found} == {"control", "train"}
    filled = site.cluster.hosts.until(lambda: site.query("fleetyard_hydrate_success == 1"))
    assert {row["metric"]["instance"] for row in filled} == set(site.compute)


def test_dashboards_ask_what_prometheus_can_answer(site: Site) -> None:
    for path in (ROOT / "roles" / "prometheus" / "files" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text())["panels"]:
            site.query(panel["targets"][0]["expr"].replace("$pool", ".*"))


def test_an_alert_fires_is_told_and_clears(site: Site) -> None:
    host = site.compute[0]
    until = site.cluster.hosts.until

    def told() -> list[dict[str, Any]]:
        found = json.loads(site.on(site.control, "curl -sS http://127.0.0.1:9093/api/v2/alerts?active=true"))
        return [a for a in found if a["labels"]["alertname"] == "HostDown" and a["labels"]["instance"] == host]

    site.on(host, "systemctl stop prometheus-node-exporter")
    try:
        (alert,) = until(told, 90)
        assert host in alert["annotations"]["summary"]
        assert alert["labels"]["severity"] == "page"
    finally:
        site.on(host, "systemctl start prometheus-node-exporter")
    until(lambda: not site.query(f'ALERTS{{alertname="HostDown",alertstate="firing",instance="{host}"}}'), 60)


def test_logs_of_all_hosts_arrive_in_one_place(site: Site) -> None:
    mark = f"mark-{time.time_ns()}"
    for host in [*site.compute, site.control]:
        site.on(host, f"logger -t probe '{mark} {host}'")
    site.cluster.hosts.until(
        lambda: site.on(site.control, f"grep -c {mark} /var/log/cluster/all.log || true").strip() == "3", 30
    )


def test_the_host_firewall_lets_in_what_it_should_and_nothing_else(site: Site) -> None:
    address = site.on(site.compute[0], f"getent hosts {site.control}").split()[0]
    site.on(site.control, "systemd-run --quiet --unit=probe-listener nc -lk 18080")
    try:
        knock = f"nc -z -w 2 {address}"
        assert site.on(site.compute[0], f"{knock} 9090 && echo open || echo shut").strip() == "open"
        assert site.on(site.compute[0], f"{knock} 18080 && echo open || echo shut").strip() == "shut"
    finally:
        site.on(site.control, "systemctl stop probe-listener")


def test_one_new_host_is_told_to_the_others_without_restarts(site: Site) -> None:
    new, other = site.compute
    started = "systemctl show -p ActiveEnterTimestampMonotonic prometheus chrony ssh rsyslog"
    before = site.on(site.control, started)
    for host in (other, site.control):
        site.on(host, f"sed -i '/ {new}$/d' /etc/hosts")
    site.on(site.control, "sed -i 's/9100/9101/' /etc/prometheus/targets/node.json")
    site.cluster.hosts.playbook(SITE, "--limit", new, "--tags", "base").worked()
    for host in (other, site.control):
        assert site.on(host, f"getent hosts {new}")
    assert "9101" not in site.on(site.control, "cat /etc/prometheus/targets/node.json")
    assert site.on(site.control, started) == before


def test_members_tells_all_hosts_at_once(site: Site) -> None:
    other = site.compute[1]
    site.on(other, f"sed -i '/ {site.control}$/d' /etc/hosts")
    told = site.cluster.hosts.playbook("playbooks/members.yml").worked()
    assert told.changed == 1
    assert site.on(other, f"getent hosts {site.control}")


def test_checkpoints_go_to_the_store_under_the_pools_own_prefix(site: Site) -> None:
    host = site.compute[0]
    place = "/var/lib/fleetyard/checkpoints"
    site.on(host, f"mkdir {place}/.new && echo 7 > {place}/.new/state && mv {place}/.new {place}/step-0007")
    site.on(host, "systemctl restart fleetyard-checkpoints")
    s3 = site.cluster.engine.api("s3")

    def pointer() -> Any:
        listed = s3.list_objects_v2(Bucket=site.bucket, Prefix="pools/train/local-checkpoints/latest").get("Contents")
        return listed and json.loads(s3.get_object(Bucket=site.bucket, Key=listed[0]["Key"])["Body"].read())

    assert site.cluster.hosts.until(pointer, 60)["checkpoint"] == "step-0007"
    other = site.compute[1]
    site.on(other, "systemctl restart fleetyard-checkpoints")
    assert site.on(other, f"cat {place}/step-0007/state").strip() == "7"


def test_a_second_run_costs_little_more_than_asking_who_is_there(site: Site) -> None:
    """Seconds of a task's result against those of `ansible -m ping`, both shown; judged in the bench, not here."""
    began = time.monotonic()
    assert site.cluster.hosts.ansible("fleetyard", "-m", "ansible.builtin.ping").status == 0
    ping = (time.monotonic() - began) / 3
    results = sum(row["ok"] + row["changed"] for row in site.second.stats.values())
    print(
        f"\nsite.yml: first {site.first.seconds:.0f} s, second {site.second.seconds:.0f} s, {results} results, "
        f"{site.second.seconds / results:.2f} s each; ping {ping:.2f} s each"
    )
    assert results > 100


def test_hydration_keeps_up_with_the_slowest_of_disk_link_and_server(site: Site) -> None:
    """MB/s of a hydration beside those of what it needs, each measured alone in this run: shown, not judged."""
    import hashlib

    import boto3
    from botocore.config import Config

    host, place, shards = site.compute[0], "/cache/rated", 8
    engine = site.cluster.engine
    shard = os.urandom(16 << 20)
    rows = [
        {"key": f"{n}.bin", "bytes": len(shard), "sha256": hashlib.sha256(shard).hexdigest()} for n in range(shards)
    ]
    s3 = engine.api("s3")
    for row in rows:
        s3.put_object(Bucket=site.bucket, Key=f"datasets/rated/{row['key']}", Body=shard)
    manifest = json.dumps({"version": 1, "objects": rows}).encode()
    s3.put_object(Bucket=site.bucket, Key="datasets/rated/manifest.json", Body=manifest)

    # What the host would ask the server for, with leave to ask it.
    keys = {"aws_access_key_id": engine.env["AWS_ACCESS_KEY_ID"]}
    keys |= {"aws_secret_access_key": engine.env["AWS_SECRET_ACCESS_KEY"]}
    asked = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://169.254.169.251",
        config=Config(signature_version="s3v4"),
        **keys,
    )
    urls = [
        asked.generate_presigned_url(
            "get_object", Params={"Bucket": site.bucket, "Key": f"datasets/rated/{row['key']}"}
        )
        for row in rows
    ]
    mb = shards * len(shard) / 1e6
    stopwatch = "import time,sys,subprocess;t=time.monotonic();subprocess.run(sys.argv[1],shell=True,check=True)"
    stopwatch += ";print(time.monotonic()-t)"

    def seconds(command: str) -> float:
        return float(site.on(host, f"python3 -c '{stopwatch}' {shlex.quote(command)}").split()[-1])

    parallel = " ".join(f"-o /dev/null '{url}'" for url in urls)
    server = mb / seconds(f"curl -sS --fail --parallel --parallel-max 8 {parallel}")
    disk = mb / seconds(f"dd if=/dev/zero of=/cache/probe bs=1M count={shards * 16} conv=fsync status=none")
    program = "python3 -B /usr/local/lib/fleetyard/hydrate.py fill"
    environment = site.on(host, "systemctl show -p Environment --value fleetyard-hydrate").strip()
    said = site.on(host, f"env {environment} {program} --from s3://{site.bucket}/datasets --only rated --to {place}")
    found = re.search(r"fetched ([\d.]+) GB in ([\d.]+) s", said)
    assert found, said
    assert float(found[1]) * 1e3 == pytest.approx(mb, rel=0.01)
    rate = mb / float(found[2])
    print(
        f"\nhydration {rate:.0f} MB/s; server over the link {server:.0f} MB/s, disk {disk:.0f} MB/s: "
        f"{rate / min(server, disk):.0%} of the slowest"
    )
    site.on(host, f"rm -rf {place} /cache/probe")


def test_a_node_that_is_not_what_was_paid_for_stays_drained_and_says_why(site: Site) -> None:
    """These machines have no GPU and two cores: the gate says so, and opens them only for one who says why."""
    hosts, host = site.cluster.hosts, site.compute[0]
    words = ("--limit", host, "-e", json.dumps({"accept_disk_mib": 32}))
    closed = hosts.playbook("playbooks/accept.yml", *words)
    assert closed.status == 2, closed.text[-3000:]
    assert f"{host} stays drained" in closed.text
    node = f"scontrol --oneliner show node {host}"
    assert re.search(r"State=\S*DRAIN.*Reason=fleetyard: ", site.on(site.control, node))
    checks = json.loads(site.cluster.engine.fleetyard("accept", "checks", "--json").out)["checks"]
    waived = {"accept_disk_mib": 32, "accept_waive": [f"{row['code']}=simulated machine" for row in checks]}
    opened = hosts.playbook("playbooks/accept.yml", "--limit", host, "-e", json.dumps(waived)).worked()
    assert f"{host} is open" in opened.text
    hosts.until(lambda: re.search(r"State=IDLE ", site.on(site.control, node)), 30)
