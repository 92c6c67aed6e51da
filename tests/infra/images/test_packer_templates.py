"""Templates that bake images: what Packer's plugins take, what must not be in them, what the roles must be told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetyard.catalog import catalog
from fleetyard.cli import main
from fleetyard.cli.mirror import read_plan
from fleetyard.findings import FleetyardError
from fleetyard.images.packer import host_variables, image_name, template
from fleetyard.inventory.access import Access
from fleetyard.inventory.hosts import build
from fleetyard.inventory.packages import Packages
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.plan import Plan
from fleetyard.report.members import Member

STACKS = Path(__file__).parents[3] / "stacks"
TEXT, FLAG, NUMBER, WORDS, MAP = str, bool, int, list, dict
COMMON = {"communicator": TEXT, "ssh_username": TEXT, "temporary_key_pair_type": TEXT}
# Attributes and blocks with their types. Sources: the generated specifications of packer-plugin-amazon 1.8.2 (builder
# ebs), packer-plugin-googlecompute 1.2.7 (its builder) and packer-plugin-ansible 1.1.6 (its provisioner).
FIELDS: dict[str, dict[str, type]] = {
    "amazon-ebs": {
        **COMMON, "region": TEXT, "source_ami": TEXT, "instance_type": TEXT, "subnet_id": TEXT, "ami_name": TEXT,
        "associate_public_ip_address": FLAG, "ami_description": TEXT, "encrypt_boot": FLAG, "imds_support": TEXT,
        "metadata_options": MAP, "launch_block_device_mappings": WORDS, "ssh_interface": TEXT,
        "temporary_security_group_source_cidrs": WORDS, "temporary_iam_instance_profile_policy_document": MAP,
        "tags": MAP, "run_tags": MAP, "run_volume_tags": MAP,
    },
    "googlecompute": {
        **COMMON, "project_id": TEXT, "zone": TEXT, "source_image_project_id": WORDS, "source_image": TEXT,
        "source_image_family": TEXT, "machine_type": TEXT, "subnetwork": TEXT, "omit_external_ip": FLAG,
        "use_internal_ip": FLAG, "use_iap": FLAG, "use_os_login": FLAG, "disable_default_service_account": FLAG,
        "enable_vtpm": FLAG, "enable_integrity_monitoring": FLAG, "image_name": TEXT, "image_family": TEXT,
        "image_description": TEXT, "image_labels": MAP, "labels": MAP, "disk_size": NUMBER, "disk_type": TEXT,
    },
    "ansible": {
        "playbook_file": TEXT, "user": TEXT, "host_alias": TEXT, "groups": WORDS, "use_proxy": FLAG,
        "ansible_env_vars": WORDS, "extra_arguments": WORDS,
    },
}  # fmt: skip
NEEDED = {
    "amazon-ebs": {"region", "source_ami", "instance_type", "ami_name", "communicator", "ssh_username"},
    "googlecompute": {"project_id", "zone", "image_name", "communicator", "ssh_username"},
    "ansible": {"playbook_file"},
}


def outputs_of(plan: Plan) -> StackOutputs:
    """What the stack would export."""
    subnets = {
        subnet.key: {"id": f"subnet-{index:017x}", "cidr": str(subnet.cidr), "zone": subnet.zone}
        for index, subnet in enumerate(plan.network.subnets)
    }
    pools = {
        pool.name: {
            "role": str(pool.role), "machine": pool.machine_name, "count": 1, "hosts": 1, "accelerators": 0,
            "zones": list(pool.zones), "buy": "on-demand", "kind": "tpu" if pool.tpu else "autoscaling-group",
            "groups": {"all": pool.name}, "identity": "role", "cache": "/cache" if pool.cache else None,
            "cache_store": "data" if pool.cache else None, "update": "rolling", "usd_per_hour": None,
            "os": pool.os, "version_set": "2026-10", "versions": {},
        }
        for pool in plan.pools
    }  # fmt: skip
    return parse_outputs(
        {
            "version": 1, "stack": plan.stack, "owner": plan.owner, "cloud": str(plan.cloud), "region": plan.region,
            "project": plan.project, "scheduler": plan.scheduler, "pools": pools, "stores": {}, "usd_per_hour": None,
            "network": {"id": "net", "cidr": str(plan.network.cidr), "subnets": subnets},
        }
    )  # fmt: skip


def made(stack: str, pool: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The builder's kind, its source, and the whole template."""
    plan = read_plan(STACKS, stack)
    whole = template(plan, plan.pool(pool), outputs_of(plan), catalog(), "0123456789abcdef")
    ((kind, sources),) = whole["source"].items()
    return kind, sources[pool], whole


def pools() -> list[tuple[str, str]]:
    found = []
    for path in sorted(STACKS.glob("Pulumi.*.yaml")):
        plan = read_plan(STACKS, path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
        found += [(plan.stack, pool.name) for pool in plan.pools if not pool.tpu]
    return found


@pytest.mark.parametrize(("stack", "pool"), pools())
def test_every_field_is_one_that_the_plugin_takes(stack: str, pool: str) -> None:
    kind, source, whole = made(stack, pool)
    (ansible,) = [row["ansible"] for row in whole["build"]["provisioner"] if "ansible" in row]
    for name, said in ((kind, source), ("ansible", ansible)):
        assert set(said) <= set(FIELDS[name])
        assert set(said) >= NEEDED[name]
        assert {field: type(value) for field, value in said.items()} == {field: FIELDS[name][field] for field in said}
    assert whole["build"]["sources"] == [f"source.{kind}.{pool}"]
    assert set(whole["packer"]["required_plugins"]) == {kind.partition("-")[0], "ansible"}
    assert json.loads(json.dumps(whole)) == whole


@pytest.mark.parametrize(("stack", "pool"), pools())
def test_the_build_machine_is_not_seen_from_outside_and_pays_for_no_accelerator(stack: str, pool: str) -> None:
    kind, source, _ = made(stack, pool)
    name = source["instance_type" if kind == "amazon-ebs" else "machine_type"]
    assert catalog().machine("aws" if kind == "amazon-ebs" else "gcp", name).accelerators == 0
    if kind == "amazon-ebs":
        assert (source["associate_public_ip_address"], source["ssh_interface"]) == (False, "session_manager")
        assert source["metadata_options"]["http_tokens"] == "required"
        assert source["encrypt_boot"] is True
        (statement,) = source["temporary_iam_instance_profile_policy_document"]["Statement"]
        assert not [action for action in statement["Action"] if "*" in action]
    else:
        assert (source["omit_external_ip"], source["use_iap"], source["disable_default_service_account"]) == (True,) * 3


def test_nothing_of_the_build_machine_stays_in_the_image() -> None:
    _, _, whole = made("a100-train", "train")
    commands = " ".join(next(row["shell"]["inline"] for row in whole["build"]["provisioner"] if "shell" in row))
    for trace in ("ssh_host_", "cloud-init clean", "authorized_keys", "/var/lib/fleetyard/state"):
        assert trace in commands


def test_a_baked_host_is_told_all_that_the_inventory_tells_a_live_one() -> None:
    plan = read_plan(STACKS, "a100-train")
    outputs, packages = outputs_of(plan), Packages()
    member = Member("train", "i-1", "running", plan.zones[0], "10.40.0.9", "p4d.24xlarge", "i-1", "ip-10-40-0-9")
    live = build(outputs, [member], Access.of(plan.stack, {"HOME": "/home/ada"}), catalog(), {}, packages)
    names = {name for name in {**live.common, **live.hosts[0].variables} if not name.startswith("ansible_")}
    told = host_variables(plan, plan.pool("train"), outputs.pools["train"], outputs, packages)
    assert set(told) == names
    assert told["fleetyard_versions"] == live.hosts[0].variables["fleetyard_versions"]


def test_a_tpu_pool_has_no_image() -> None:
    plan = read_plan(STACKS, "tpu-train")
    with pytest.raises(FleetyardError) as caught:
        template(plan, plan.pool("train"), outputs_of(plan), catalog(), "0" * 64)
    assert caught.value.findings[0].code == "FY2121"


def test_the_name_changes_with_what_is_baked_and_fits_both_clouds() -> None:
    plan = read_plan(STACKS, "a100-train")
    pool = plan.pool("train")
    first, other = (image_name(plan, pool, "2026-10", digest * 64) for digest in "ab")
    assert first != other
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", first)


# The command


@pytest.fixture
def exported(folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "export.json"
    file.write_text(outputs_of(read_plan(folder, "a100-train")).model_dump_json())
    return file


def test_templates_are_written_for_every_pool(exported: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "packer"
    words = ["image", "template", "--stack", "a100-train", "--stacks", str(folder), "--outputs", str(exported)]
    assert main([*words, "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        "control.pkr.json", "control.vars.json", "train.pkr.json", "train.vars.json",
    }  # fmt: skip
    assert main([*words, "--out", str(out), "--pool", "none"]) == 65


def test_what_is_saved_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"name": "baked-1", "install_s": 90, "size_mib": 500, "packages": 400}))
    words = ["image", "report", "--stack", "a100-train", "--stacks", str(folder), "--record", str(record)]
    assert main([*words, "--json"]) == 0
    found = {row["pool"]: row for row in json.loads(capsys.readouterr().out)["pools"]}
    one = read_plan(folder, "a100-train").pool("train").usd_per_hour
    assert isinstance(one, float)
    hosts = found["train"]["hosts"]
    assert hosts > 1, "as the sizing lock says"
    assert found["train"]["saved_host_min"] == pytest.approx(hosts * 1.5)
    assert found["train"]["saved_usd"] == pytest.approx(one * hosts * 90 / 3600, abs=0.01)
    assert main(words) == 0
    assert "1.5" in capsys.readouterr().out
    record.write_text("{}")
    assert main(words) == 65


# A pool that boots from it


@pytest.mark.parametrize(
    ("image", "os", "codes"),
    [
        ("ami-0123456789abcdef0", "ubuntu-22.04", set()),
        ("ami-0123456789abcdef0", None, {"FY2118"}),
        ("ubuntu-22.04", "debian-12", {"FY2118"}),
        ("ami-0123", "ubuntu-22.04", {"FY2103"}),
    ],
)
def test_a_pool_boots_from_an_image_of_ones_own(image: str, os: str | None, codes: set[str], folder: Path) -> None:
    from fleetyard.checks import check

    path = folder / "Pulumi.a100-train.yaml"
    document = yaml.safe_load(path.read_text())
    pool = document["config"]["fleetyard:stack"]["pools"]["train"]
    pool.update({"image": image, "count": 2, **({"os": os} if os else {})})
    document["config"]["fleetyard:stack"].pop("workloads")
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    plan = read_plan(folder, "a100-train")
    assert {finding.code for finding in check(plan)} & {"FY2103", "FY2118"} == codes
    if not codes:
        assert (plan.pool("train").image.id, plan.pool("train").os) == (image, "ubuntu-22.04")  # type: ignore[union-attr]
