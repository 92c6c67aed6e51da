"""Packer templates that bake a pool's image with the same roles that configure its hosts. Pure: nothing is asked.

The build machine is a small one without accelerators: drivers are built for the kernel, not for the chip. It stands in
the stack's own private subnet and is reached as hosts are, through Session Manager or Identity-Aware Proxy, so nothing
is opened for it. Only the installing part of `site.yml` runs; what tells hosts apart is configured on each of them.

Sources of the fields: Packer's documentation, integrations Amazon 1.8.2, Google Compute 1.2.7 and Ansible 1.1.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fleetyard.catalog import Catalog, Cloud, Image, Nvme
from fleetyard.findings import error
from fleetyard.inventory.accelerators import variables
from fleetyard.inventory.packages import Packages
from fleetyard.outputs import PoolOut, StackOutputs, SubnetOut
from fleetyard.plan import Plan, PoolPlan

PLUGINS = {
    "amazon": {"source": "github.com/hashicorp/amazon", "version": "~> 1.8"},
    "googlecompute": {"source": "github.com/hashicorp/googlecompute", "version": "~> 1.2"},
    "ansible": {"source": "github.com/hashicorp/ansible", "version": "~> 1.1"},
}
BUILDERS = {
    (Cloud.AWS, "x86_64"): "m7i.xlarge",
    (Cloud.AWS, "arm64"): "m7g.xlarge",
    (Cloud.GCP, "x86_64"): "e2-standard-4",
    (Cloud.GCP, "arm64"): "c4a-standard-4",
}
"""Machines to bake on: four processors, for kernel modules are compiled."""
ROOT_DEVICE = "/dev/sda1"
LOGIN = "ubuntu"
SESSION_MANAGER = (
    "ssm:UpdateInstanceInformation",
    *(f"ssmmessages:{verb}{which}Channel" for verb in ("Create", "Open") for which in ("Control", "Data")),
)
"""What the agent needs. Source: Systems Manager documentation, "Verify or add instance permissions"."""
CLEAN = (
    "sudo apt-get clean",
    "sudo rm -rf /var/lib/fleetyard/state /etc/ssh/ssh_host_* /root/.ansible /home/*/.ansible /tmp/*",
    "sudo find /var/log -type f -name '*.log' -delete",
    "sudo cloud-init clean --logs --machine-id",
    "rm -f ~/.ssh/authorized_keys",
)
"""Nothing of the build machine itself goes into an image: no key, no identity, no log."""


def image_name(plan: Plan, pool: PoolPlan, version_set: str, digest: str) -> str:
    """The image's name: it changes with the roles and the versions. At most 63 characters of [a-z0-9-]."""
    said = f"{plan.stack}-{pool.name}-{version_set}".lower()
    return f"fleetyard-{re.sub(r'[^a-z0-9-]', '-', said)[:40].strip('-')}-{digest[:12]}"


def host_variables(
    plan: Plan, pool: PoolPlan, made: PoolOut, outputs: StackOutputs, packages: Packages | None
) -> dict[str, Any]:
    """What the roles ask about a host, for the one that is baked: a member of its pool, alone in the world."""
    machine = pool.machine
    member = {"name": "bake", "address": "127.0.0.1", "pool": pool.name, "role": str(pool.role), "instance": "bake"}
    return {
        "fleetyard_stack": plan.stack,
        "fleetyard_owner": plan.owner,
        "fleetyard_cloud": str(plan.cloud),
        "fleetyard_region": plan.region,
        "fleetyard_project": plan.project or "",
        "fleetyard_scheduler": plan.scheduler,
        "fleetyard_network": str(plan.network.cidr),
        "fleetyard_simulated": False,
        "fleetyard_stores": {name: store.url for name, store in sorted(outputs.stores.items())},
        "fleetyard_endpoint_environment": {},
        "fleetyard_members": [member],
        "fleetyard_pool": pool.name,
        "fleetyard_role": str(pool.role),
        "fleetyard_zone": pool.zones[0],
        "fleetyard_machine": pool.machine_name,
        "fleetyard_instance": "bake",
        "fleetyard_state": "running",
        "fleetyard_address": "127.0.0.1",
        "fleetyard_accelerator": machine.accelerator.id if machine and machine.accelerator else "",
        "fleetyard_accelerators": machine.accelerators if machine else 0,
        "fleetyard_drives": machine.nvme.drives if machine and isinstance(machine.nvme, Nvme) else 0,
        "fleetyard_cache": made.cache or "",
        "fleetyard_cache_store": made.cache_store or "",
        "fleetyard_cache_medium": "nvme",
        **(variables(made, plan.scheduler, machine, packages) if machine else {}),
    }


def template(plan: Plan, pool: PoolPlan, outputs: StackOutputs, facts: Catalog, digest: str) -> dict[str, Any]:
    """A pool's template in Packer's JSON. digest: of roles, playbooks and variables, hexadecimal.

    Run by Packer in the project's folder, with `<pool>.vars.json` beside the template. Raises FleetyardError (exit 65):
    FY2121 for a TPU pool, whose runtime is Google's, FY2122 for an image without a known build to begin with.
    """
    if pool.tpu or pool.machine is None:
        raise error("FY2121", str(pool.path), "a TPU slice boots Google's runtime, no image", "bake no image for it")
    if not isinstance(pool.image, Image):
        raise error("FY2122", str(pool.path / "image"), "there is no build to begin with", "an image of the catalogue")
    made = outputs.pools[pool.name]
    subnet = next(outputs.network.subnets[key] for key in pool.subnets if key in outputs.network.subnets)
    name = image_name(plan, pool, made.version_set, digest)
    builder = BUILDERS[plan.cloud, pool.machine.arch]
    if plan.cloud is Cloud.AWS:
        kind, plugin, source = "amazon-ebs", "amazon", _amazon(plan, pool, pool.image, subnet, name, builder)
    else:
        kind, plugin = "googlecompute", "googlecompute"
        source = _google(plan, pool, pool.image, subnet, name, builder)
    return {
        "packer": {"required_plugins": {word: PLUGINS[word] for word in (plugin, "ansible")}},
        "source": {kind: {pool.name: source}},
        "build": {
            "sources": [f"source.{kind}.{pool.name}"],
            "provisioner": [
                {"ansible": _ansible(plan, pool, source["ssh_username"])},
                {"shell": {"inline": list(CLEAN)}},
            ],
            "post-processor": [{"manifest": {"output": f"{pool.name}.manifest.json", "strip_path": True}}],
        },
    }


def _amazon(plan: Plan, pool: PoolPlan, image: Image, subnet: SubnetOut, name: str, builder: str) -> dict[str, Any]:
    tags = {**dict(pool.tags), "Name": name}
    return {
        "region": plan.region,
        "source_ami": image.id,
        "instance_type": builder,
        "subnet_id": subnet.id,
        "associate_public_ip_address": False,
        "ami_name": name,
        "ami_description": f"{image.name} with what hosts of {plan.stack}.{pool.name} have installed",
        "encrypt_boot": True,
        "imds_support": "v2.0",
        "metadata_options": {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        "launch_block_device_mappings": [
            {
                "device_name": ROOT_DEVICE,
                "volume_size": pool.disk_gib,
                "volume_type": pool.disk_type,
                "delete_on_termination": True,
            }
        ],
        "communicator": "ssh",
        "ssh_username": LOGIN,
        "ssh_interface": "session_manager",
        "temporary_key_pair_type": "ed25519",
        "temporary_security_group_source_cidrs": [str(plan.network.cidr)],
        "temporary_iam_instance_profile_policy_document": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(SESSION_MANAGER), "Resource": ["*"]}],
        },
        "tags": tags,
        "run_tags": tags,
        "run_volume_tags": tags,
    }


def _google(plan: Plan, pool: PoolPlan, image: Image, subnet: SubnetOut, name: str, builder: str) -> dict[str, Any]:
    found = re.search(r"projects/([^/]+)/global/images/(family/)?([^/]+)$", image.id)
    if found is None:
        raise error(
            "FY2122", str(pool.path / "image"), f"{image.id} is no image's full name", "projects/.../images/..."
        )
    labels = dict(pool.tags)
    return {
        "project_id": plan.project,
        "zone": pool.zones[0],
        "source_image_project_id": [found[1]],
        ("source_image_family" if found[2] else "source_image"): found[3],
        "machine_type": builder,
        "subnetwork": subnet.id,
        "omit_external_ip": True,
        "use_internal_ip": True,
        "use_iap": True,
        "use_os_login": True,
        "disable_default_service_account": True,
        "enable_vtpm": True,
        "enable_integrity_monitoring": True,
        "image_name": name,
        "image_family": f"fleetyard-{plan.stack}-{pool.name}"[:63],
        "image_description": f"{image.name} with what hosts of {plan.stack}.{pool.name} have installed",
        "image_labels": labels,
        "labels": labels,
        "disk_size": pool.disk_gib,
        "disk_type": "pd-balanced",
        "communicator": "ssh",
        "ssh_username": LOGIN,
        "temporary_key_pair_type": "ed25519",
    }


def _ansible(plan: Plan, pool: PoolPlan, user: str) -> Mapping[str, Any]:
    return {
        "playbook_file": "playbooks/site.yml",
        "user": user,
        "host_alias": "bake",
        "groups": ["fleetyard", f"cloud_{plan.cloud}", f"pool_{pool.name.replace('-', '_')}", f"role_{pool.role}"],
        "use_proxy": False,
        "ansible_env_vars": ["ANSIBLE_CONFIG=ansible.cfg"],
        "extra_arguments": ["--tags", "install", "--extra-vars", f"@${{path.root}}/{pool.name}.vars.json"],
    }
