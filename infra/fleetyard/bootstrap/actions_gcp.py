"""From API methods to IAM permissions of Google Cloud: `compute.networks.insert` needs `compute.networks.create`.

Sources: "IAM permissions reference"; each API's "Access control" page. Permissions follow the collection's last name
and a fixed verb; those that a method needs on what it refers to are listed below.
"""

from __future__ import annotations

from collections.abc import Iterable

_VERBS = {"insert": "create", "patch": "update", "aggregatedList": "list", "wait": "get"}
_PROJECTS = {
    "cloudresourcemanager.projects": "resourcemanager.projects",
    "storage.serviceAccount": "resourcemanager.projects",
}
"""Collections whose rights are the project's."""
_ALSO = {
    "compute.subnetworks.insert": ("compute.networks.updatePolicy",),
    "compute.firewalls.insert": ("compute.networks.updatePolicy",),
    "compute.firewalls.delete": ("compute.networks.updatePolicy",),
    "compute.routers.insert": ("compute.networks.updatePolicy",),
    "compute.routers.delete": ("compute.networks.updatePolicy",),
    "compute.instanceTemplates.insert": (
        "compute.images.useReadOnly",
        "compute.networks.use",
        "compute.subnetworks.use",
    ),
    "compute.instanceGroupManagers.insert": (
        "compute.disks.create",
        "compute.instances.create",
        "compute.instances.setLabels",
        "compute.instances.setMetadata",
        "compute.instances.setServiceAccount",
        "compute.instances.setTags",
        "compute.instanceTemplates.useReadOnly",
        "compute.resourcePolicies.use",
        "compute.subnetworks.use",
    ),
    "compute.instanceGroupManagers.delete": ("compute.instances.delete",),
    "tpu.projects.locations.nodes.create": ("compute.networks.use", "compute.subnetworks.use"),
}
_ACTS_AS = (
    "compute.instanceTemplates.insert",
    "compute.instanceGroupManagers.insert",
    "tpu.projects.locations.nodes.create",
)
"""Methods that hand a service account to a machine: they need `iam.serviceAccounts.actAs` on it."""
_OBJECTS = ("storage.objects.get",)
"""What lies in the stores is not for everybody who previews."""
_LOOKS = ("get", "list", "getIamPolicy")


def permissions_of(methods: Iterable[str]) -> tuple[str, ...]:
    """The permissions of methods such as `compute.networks.insert`."""
    found: set[str] = set()
    for method in methods:
        parts = method.split(".")
        if len(parts) < 3:
            continue  # no method of any API: a path that nobody knew
        collection = f"{parts[0]}.{parts[-2]}"
        found.add(f"{_PROJECTS.get(collection, collection)}.{_VERBS.get(parts[-1], parts[-1])}")
        found.update(_ALSO.get(method, ()))
        if method in _ACTS_AS:
            found.add("iam.serviceAccounts.actAs")
    return tuple(sorted(found))


def reads(permissions: Iterable[str]) -> tuple[str, ...]:
    """Those that only look, without what lies in the stores."""
    return tuple(sorted(p for p in permissions if p.rpartition(".")[2] in _LOOKS and p not in _OBJECTS))
