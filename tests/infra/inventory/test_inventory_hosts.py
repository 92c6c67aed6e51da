"""The inventory: who is in which group, under which name, reached how; and what is said when it cannot be made."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from fleetyard.catalog import catalog
from fleetyard.findings import FleetyardError
from fleetyard.inventory.access import Access, alias
from fleetyard.inventory.hosts import ABSENT, ALL, Inventory, build, group_word
from fleetyard.inventory.packages import Packages
from fleetyard.inventory.source import Options, read
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.report.members import Member
from fleetyard.versions import Target, choose, manifest
from fleetyard.versions.mirror import files

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
POOL: dict[str, Any] = {
    "role": "compute", "machine": "p4d.24xlarge", "count": 4, "hosts": 4, "accelerators": 32, "zones": ["use1-az6"],
    "buy": "on-demand", "kind": "autoscaling-group", "groups": {"all": "demo-train"}, "identity": "role",
    "cache": "/cache", "cache_store": "data", "update": "on-next-boot", "usd_per_hour": None,
}  # fmt: skip
EXPORT: dict[str, Any] = {
    "version": 1, "stack": "demo", "owner": "research", "cloud": "aws", "region": "us-east-1", "project": None,
    "scheduler": "slurm", "network": {"id": "vpc-1", "cidr": "10.40.0.0/16", "subnets": {}},
    "pools": {
        "control": {**POOL, "role": "control", "machine": "m7i.xlarge", "accelerators": 0, "cache": None,
                    "cache_store": None, "groups": {"all": "demo-control"}},
        "train-a": {**POOL, "groups": {"all": "demo-train"}},
    },
    "stores": {"data": {"bucket": "demo-data", "url": "s3://demo-data", "on_destroy": "keep"}},
    "endpoints": {}, "usd_per_hour": None,
}  # fmt: skip
GOOGLE: dict[str, Any] = {
    **EXPORT,
    "cloud": "gcp",
    "region": "us-west4",
    "project": "demo-project",
    "pools": {
        "gpus": {**POOL, "machine": "a2-highgpu-1g", "kind": "instance-group", "zones": ["us-west4-a"]},
        "tpus": {**POOL, "machine": "v5litepod-16", "kind": "tpu", "zones": ["us-west4-a"], "accelerators": 16},
    },
    "stores": {"data": {"bucket": "demo-data", "url": "gs://demo-data", "on_destroy": "keep"}},
}


def aws_member(n: int, pool: str = "train-a", state: str = "running", **changes: Any) -> Member:
    address = f"10.40.{n // 250}.{n % 250 + 1}"
    made: dict[str, Any] = {
        "pool": pool, "name": f"i-{n:017x}", "state": state, "zone": "use1-az6", "address": address,
        "machine": "m7i.xlarge" if pool == "control" else "p4d.24xlarge", "key": f"i-{n:017x}",
        "host_name": f"ip-{address.replace('.', '-')}",
    }  # fmt: skip
    return Member(**{**made, **changes})


def simulated_env(home: Path) -> dict[str, str]:
    return {
        "FLEETYARD_SIM": "1",
        "FLEETYARD_SIM_HOME": str(home),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "PULUMI_DEBUG_PROVIDERS": "aws:1,gcp:2",
        "PULUMI_HOME": f"{home}/pulumi",
        "PULUMI_BACKEND_URL": f"file://{home}/state",
    }


def made(
    members: list[Member],
    export: dict[str, Any] = EXPORT,
    env: dict[str, str] | None = None,
    packages: Packages | None = None,
    **access: str,
) -> Inventory:
    env = {"HOME": "/home/ada"} if env is None else env
    outputs: StackOutputs = parse_outputs(export)
    return build(outputs, members, Access.of(outputs.stack, env, **access), catalog(), env, packages)


def variables(found: Inventory, name: str) -> dict[str, Any]:
    return dict(next(host.variables for host in found.hosts if host.name == name))


def test_groups_are_by_pool_role_and_cloud() -> None:
    found = made([aws_member(1, "control"), aws_member(2), aws_member(3)])
    assert found.groups() == {
        "pool_control": ["ip-10-40-0-2"], "role_control": ["ip-10-40-0-2"],
        "pool_train_a": ["ip-10-40-0-3", "ip-10-40-0-4"], "role_compute": ["ip-10-40-0-3", "ip-10-40-0-4"],
        "cloud_aws": ["ip-10-40-0-2", "ip-10-40-0-3", "ip-10-40-0-4"],
        ALL: ["ip-10-40-0-2", "ip-10-40-0-3", "ip-10-40-0-4"],
    }  # fmt: skip


def test_facts_come_from_the_catalogue_and_the_export() -> None:
    found = made([aws_member(2)])
    said = variables(found, "ip-10-40-0-3")
    assert (said["fleetyard_accelerators"], said["fleetyard_drives"]) == (8, 8)
    assert said["fleetyard_accelerator"].startswith("a100")
    assert (said["fleetyard_cache"], said["fleetyard_cache_store"], said["fleetyard_cache_medium"]) == (
        "/cache", "data", "nvme",
    )  # fmt: skip
    assert found.common["fleetyard_stores"] == {"data": "s3://demo-data"}
    assert found.common["fleetyard_endpoint_environment"] == {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    assert found.common["fleetyard_simulated"] is False


# What accelerators get

LOCKED = {**POOL, "os": "ubuntu-22.04", "version_set": "2026-10", "versions": {"efa": "1.51.0"}}
CHOSEN = {**EXPORT, "pools": {"control": EXPORT["pools"]["control"], "train-a": LOCKED}}


def test_hosts_learn_their_versions_and_hardware_from_the_vendors_or_a_mirror() -> None:
    said = variables(made([aws_member(2)], CHOSEN, packages=Packages()), "ip-10-40-0-3")
    assert (said["fleetyard_os"], said["fleetyard_stand_in"], said["fleetyard_package_base"]) == (
        "ubuntu-22.04", False, "",
    )  # fmt: skip
    assert (said["fleetyard_hardware"]["count"], said["fleetyard_hardware"]["efa"]) == (8, 4)
    assert said["fleetyard_hardware"]["generation"] == "ampere"
    driver, efa = said["fleetyard_versions"]["nvidia-driver"], said["fleetyard_versions"]["efa"]
    assert (driver["version"], efa["version"]) == ("580.159.04", "1.51.0")
    assert driver["url"].startswith("https://")
    mirror = Packages.mirror("https://mirror.example.org/all", "AB" * 20, None)
    said = variables(made([aws_member(2)], CHOSEN, packages=mirror), "ip-10-40-0-3")
    assert said["fleetyard_versions"]["efa"]["url"].startswith("https://mirror.example.org/all/")
    assert said["fleetyard_package_key"] == "AB" * 20


def test_a_host_without_accelerators_gets_nothing_for_them() -> None:
    found = made([aws_member(1, "control"), aws_member(2)], CHOSEN, packages=Packages())
    assert "fleetyard_versions" not in variables(found, "ip-10-40-0-2")
    assert "fleetyard_versions" in variables(found, "ip-10-40-0-3")


def test_a_stack_that_says_no_versions_yet_gets_none() -> None:
    assert "fleetyard_versions" not in variables(made([aws_member(2)], packages=Packages()), "ip-10-40-0-3")


@pytest.fixture
def stand_in_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "fleetyard" / "mirror" / "stand-ins"
    folder.mkdir(parents=True)
    driver = variables(made([aws_member(2)], CHOSEN, packages=Packages(os="debian-12")), "ip-10-40-0-3")
    path = urlsplit(driver["fleetyard_versions"]["efa"]["url"]).path.lstrip("/")
    origin = next(name for name, each in manifest().origins.items() if driver["fleetyard_versions"]["efa"]["url"]
                  .startswith(each.url))  # fmt: skip
    (folder / "checksums.json").write_text(json.dumps({f"{origin}/{path}": "c" * 64}))
    (folder / "fingerprint").write_text("CD" * 20 + "\n")
    return folder


def test_simulated_hosts_get_stand_ins_where_they_were_made(stand_in_folder: Path, tmp_path: Path) -> None:
    packages = Packages.simulated({"XDG_CACHE_HOME": str(tmp_path)})
    said = variables(made([aws_member(2)], CHOSEN, packages=packages), "ip-10-40-0-3")
    assert (said["fleetyard_stand_in"], said["fleetyard_os"]) == (True, "debian-12")
    assert said["fleetyard_package_key"] == "CD" * 20
    assert said["fleetyard_versions"]["efa"]["sha256"] == "c" * 64
    # The vendor's checksum is not a stand-in's.
    assert said["fleetyard_versions"]["nvidia-driver"]["sha256"] == ""


def test_stand_ins_can_be_left_out(stand_in_folder: Path, tmp_path: Path) -> None:
    assert Packages.simulated({"XDG_CACHE_HOME": str(tmp_path), "FLEETYARD_STAND_INS": "0"}) is None
    assert Packages.simulated({"XDG_CACHE_HOME": str(tmp_path / "elsewhere")}) is None


def test_a_mirror_with_another_file_than_the_vendors_is_refused() -> None:
    found = variables(made([aws_member(2)], CHOSEN, packages=Packages()), "ip-10-40-0-3")["fleetyard_versions"]
    known = next(name for name, each in found.items() if each["sha256"] and each["url"])
    file = next(each for each in files(choose("2026-10", Target.of(catalog().machine("aws", "p4d.24xlarge"),
                "ubuntu-22.04", "slurm"))) if each.component == known)  # fmt: skip
    with pytest.raises(FleetyardError) as caught:
        made([aws_member(2)], CHOSEN, packages=Packages(checksums={file.path: "0" * 64}))
    assert caught.value.findings[0].code == "FY1816"


@pytest.mark.parametrize(
    ("text", "code"),
    [("[]", "FY1815"), ('{"a": "b"}', "FY1815"), ("{", "FY1814"), (None, "FY1814")],
)
def test_broken_checksums_are_refused(text: str | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / "sums.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FleetyardError) as caught:
        Packages.mirror(None, None, path)
    assert caught.value.findings[0].code == code


def test_hosts_of_a_tpu_slice() -> None:
    path = "projects/demo-project/locations/us-west4-a/nodes/demo-tpus-0"
    hosts = [
        Member("tpus", f"demo-tpus-0-w{n}", "READY", "us-west4-a", f"10.60.0.{n + 5}", "v5litepod-16", f"{path}/{n}",
               f"demo-tpus-0-w-{n}")
        for n in range(4)
    ]  # fmt: skip
    found = made(hosts, GOOGLE)
    said = variables(found, "demo-tpus-0-w-2")
    assert (said["fleetyard_accelerator"], said["fleetyard_accelerators"], said["fleetyard_drives"]) == (
        "tpu-v5e",
        4,
        0,
    )
    assert said["fleetyard_cache_medium"] == "ram"
    assert (
        "tpu-vm ssh demo-tpus-0 --worker 2 --project demo-project --zone us-west4-a" in said["ansible_ssh_common_args"]
    )


@pytest.mark.parametrize("state", ["pending", "stopped", "running (Terminating, Unhealthy)", "shutting-down"])
def test_a_machine_that_is_not_up_is_in_absent_and_nowhere_else(state: str) -> None:
    found = made([aws_member(1), aws_member(2, state=state)])
    assert found.groups()[ABSENT] == ["ip-10-40-0-3"]
    assert [host.groups for host in found.hosts if host.name == "ip-10-40-0-3"] == [(ABSENT,)]
    assert [member["name"] for member in found.common["fleetyard_members"]] == ["ip-10-40-0-2"]


def test_a_machine_without_an_address_is_absent() -> None:
    found = made([aws_member(1, address=None, host_name="")])
    assert found.groups() == {ABSENT: [f"i-{1:017x}"]}


def test_a_replacement_takes_the_name_of_what_it_replaces() -> None:
    """Addresses come back: the new machine gets the name, the old one is listed under its id."""
    old = aws_member(7, state="shutting-down", name="i-old", key="i-old", host_name="ip-10-40-0-2", address="10.40.0.2")
    new = aws_member(1)
    for members in ([old, new], [new, old]):
        found = made(members)
        assert variables(found, "ip-10-40-0-2")["fleetyard_instance"] == new.key
        assert found.groups()[ABSENT] == ["i-old"]


def test_two_machines_of_one_name_are_refused() -> None:
    with pytest.raises(FleetyardError) as caught:
        made([aws_member(1), aws_member(2, host_name="ip-10-40-0-2")])
    assert caught.value.findings[0].code == "FY1933"


# The way to a machine


def options_of(said: dict[str, Any]) -> dict[str, str]:
    words = shlex.split(said["ansible_ssh_common_args"])
    assert words[::2] == ["-o"] * (len(words) // 2)
    return dict(word.split("=", 1) for word in words[1::2])


def test_aws_is_reached_by_session_manager_with_a_key_of_a_minute() -> None:
    said = variables(made([aws_member(2)], private_key="~/.ssh/id"), "ip-10-40-0-3")
    proxy = options_of(said)["ProxyCommand"]
    inner = shlex.split(proxy)
    assert inner[:2] == ["sh", "-c"]
    push, _, start = inner[2].partition(" && exec ")
    assert shlex.split(push)[:3] == ["aws", "ec2-instance-connect", "send-ssh-public-key"]
    assert f"--instance-id {said['fleetyard_instance']} --instance-os-user ubuntu" in push
    assert start == (
        f"aws ssm start-session --region us-east-1 --target {said['fleetyard_instance']} "
        "--document-name AWS-StartSSHSession --parameters portNumber=%p"
    )
    assert said["ansible_ssh_private_key_file"] == str(Path("~/.ssh/id").expanduser())


def test_google_cloud_is_reached_by_identity_aware_proxy() -> None:
    member = Member("gpus", "gpu-1", "RUNNING", "us-west4-a", "10.60.0.5", "a2-highgpu-1g", "7123", "gpu-1")
    said = variables(made([member], GOOGLE, user="ada_example_org"), "gpu-1")
    proxy = shlex.split(options_of(said)["ProxyCommand"])
    assert proxy[:5] == ["gcloud", "compute", "start-iap-tunnel", "gpu-1", "%p"]
    assert {"--listen-on-stdin", "demo-project", "us-west4-a"} <= set(proxy)
    assert said["ansible_user"] == "ada_example_org"


def test_host_keys_are_checked_and_kept_by_machine_never_by_address() -> None:
    real = options_of(variables(made([aws_member(2)]), "ip-10-40-0-3"))
    assert (real["StrictHostKeyChecking"], real["HostKeyAlias"]) == ("accept-new", f"i-{2:017x}")
    assert real["UserKnownHostsFile"] == "/home/ada/.local/state/fleetyard/known_hosts/demo"
    sim = made([aws_member(2)], env=simulated_env(Path("/tmp/a world")))
    said = variables(sim, "ip-10-40-0-3")
    kept = options_of(said)
    assert (kept["StrictHostKeyChecking"], kept["UserKnownHostsFile"]) == ("yes", "/tmp/a world/hosts/known_hosts")
    assert shlex.split(kept["ProxyCommand"])[-2:] == ["connect", f"i-{2:017x}"]
    assert sim.common["fleetyard_simulated"] is True
    assert sim.common["fleetyard_endpoint_environment"]["AWS_ENDPOINT_URL"] == "http://169.254.169.251"


def test_ssh_itself_takes_the_options_as_they_are_meant() -> None:
    said = variables(made([aws_member(2)], private_key="/k/id"), "ip-10-40-0-3")
    words = ["ssh", "-G", *shlex.split(said["ansible_ssh_common_args"]), said["ansible_host"]]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    settings = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert settings["hostkeyalias"] == f"i-{2:017x}"
    assert settings["stricthostkeychecking"] == "accept-new"
    assert settings["proxycommand"].startswith("sh -c ")


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_groups_have_names_that_ansible_takes(name: str) -> None:
    assert all(c == "_" or c.isalnum() for c in group_word("pool", name))
    assert "/" not in alias(name)


def test_a_thousand_hosts_are_all_there_once() -> None:
    found = made([aws_member(n) for n in range(1000)] + [aws_member(1000, "control")])
    assert len(found.hosts) == len({host.name for host in found.hosts}) == 1001
    assert len(found.common["fleetyard_members"]) == 1001
    assert len(found.groups()["role_compute"]) == 1000


# From options to an inventory


def test_the_export_of_another_stack_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(EXPORT))
    env = {"HOME": str(tmp_path)}
    with pytest.raises(FleetyardError) as caught:
        read(Options("other", tmp_path, file), env, lambda *_: [])
    assert caught.value.findings[0].code == "FY1932"
    assert read(Options("demo", tmp_path, file), env, lambda *_: [aws_member(1)]).groups()[ALL] == ["ip-10-40-0-2"]


def inventory(folder: Path, env: dict[str, str], text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`ansible-inventory`, as a person runs it."""
    (folder / "demo.fleetyard.yml").write_text(text)
    base = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", str(folder / "demo.fleetyard.yml"), *(words or ("--list",))],
        cwd=ROOT,
        env={**base, "HOME": str(folder), "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def groups_of_moto(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two Auto Scaling groups on moto's own server; gives its port."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    where = {
        "region_name": "us-east-1", "endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "test", "aws_secret_access_key": "test",
    }  # fmt: skip
    ec2, scaling = boto3.client("ec2", **where), boto3.client("autoscaling", **where)
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.40.160.0/20")["Subnet"]["SubnetId"]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    for name, machine, count in (("demo-control", "m7i.xlarge", 1), ("demo-train", "p4d.24xlarge", 4)):
        data = {"ImageId": image, "InstanceType": machine}
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=count, MaxSize=count, VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        )  # fmt: skip
    yield port
    for name in ("demo-control", "demo-train"):
        scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        ec2.delete_launch_template(LaunchTemplateName=name)
    server.stop()


def test_ansible_reads_the_live_hosts(groups_of_moto: int, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps(EXPORT))
    env = simulated_env(tmp_path) | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{groups_of_moto}"}
    done = inventory(tmp_path, env, "plugin: fleetyard\nstack: demo\noutputs: export.json\n")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said["role_compute"]["hosts"]) == 4
    assert set(said["fleetyard"]["hosts"]) == {*said["pool_control"]["hosts"], *said["pool_train_a"]["hosts"]}
    one = said["_meta"]["hostvars"][said["role_control"]["hosts"][0]]
    # What a cloud said is no template to Ansible.
    assert one["fleetyard_address"]["__ansible_unsafe"].startswith("10.40.16")
    assert one["ansible_host"]["__ansible_unsafe"].startswith("i-")
    assert {row["name"]["__ansible_unsafe"] for row in one["fleetyard_members"]} == set(said["fleetyard"]["hosts"])


@pytest.mark.parametrize(
    ("text", "env", "code"),
    [
        ("plugin: fleetyard\nstack: demo\noutputs: missing.json\n", {}, "FY1906"),
        ("plugin: fleetyard\nstack: other\noutputs: export.json\n", {}, "FY1932"),
        (
            "plugin: fleetyard\nstack: demo\noutputs: export.json\n",
            {"PATH": "/usr/bin", "FLEETYARD_SIM": "1"},
            "FY1401",
        ),
        ("plugin: fleetyard\nstack: demo\noutputs: export.json\n", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "FY1"),
        ("plugin: fleetyard\nstack: demo\n", {"PATH": "/nonexistent"}, "FY1904"),
        ("plugin: fleetyard\n", {}, "stack"),
    ],
)
def test_what_is_wrong_is_said_and_ends_ansible(text: str, env: dict[str, str], code: str, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps(EXPORT))
    done = inventory(tmp_path, env, text)
    assert done.returncode != 0
    assert code in done.stderr
    assert "Traceback" not in done.stderr


def test_the_projects_own_inventory_files_name_its_stacks() -> None:
    files = {path.name.removesuffix(".fleetyard.yml"): path for path in (ROOT / "inventory").glob("*.fleetyard.yml")}
    stacks = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in (ROOT / "stacks").glob("Pulumi.*.yaml")
    }
    assert set(files) == stacks
    for stack, path in files.items():
        assert yaml.safe_load(path.read_text()) == {"plugin": "fleetyard", "stack": stack}
