"""Cloud Resource Manager: projects and their IAM policies (versions 1 and 3)."""

from __future__ import annotations

import re
from typing import Any

from simcloud.gcp import policies
from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.errors import Refusal, rule

PROJECT_ID = rule(
    "project.id",
    "a project id is 6 to 30 letters, digits and dashes",
    "docs.cloud.google.com/resource-manager/docs/creating-managing-projects",
    ours=True,
)


def _project(call: Call) -> str:
    name = call.match.name.removeprefix("projects/")
    if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", name):
        raise Refusal(403, f"Project '{name}' not found or permission denied.", rule=PROJECT_ID)
    return name


@handles("cloudresourcemanager.projects.get")
def get_v1(call: Call) -> dict[str, Any]:
    """A project, version 1."""
    project = _project(call)
    return {
        "projectNumber": project_number(project),
        "projectId": project,
        "lifecycleState": "ACTIVE",
        "name": project,
        "createTime": "2024-01-01T00:00:00.000Z",
    }


@handles("v3.cloudresourcemanager.projects.get")
def get_v3(call: Call) -> dict[str, Any]:
    """A project, version 3."""
    project = _project(call)
    return {
        "name": f"projects/{project_number(project)}",
        "projectId": project,
        "state": "ACTIVE",
        "displayName": project,
        "createTime": "2024-01-01T00:00:00Z",
        "etag": "W/simulated",
    }


@handles("cloudresourcemanager.projects.getIamPolicy", "v3.cloudresourcemanager.projects.getIamPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    """The project's policy."""
    return policies.read(call.world, f"projects/{_project(call)}")


@handles("cloudresourcemanager.projects.setIamPolicy", "v3.cloudresourcemanager.projects.setIamPolicy")
def set_policy(call: Call) -> dict[str, Any]:
    """Replace the project's policy."""
    return policies.write(call, f"projects/{_project(call)}", call.body.get("policy", {}))


@handles(
    "cloudresourcemanager.projects.testIamPermissions",
    "v3.cloudresourcemanager.projects.testIamPermissions",
)
def test_permissions(call: Call) -> dict[str, Any]:
    """The simulated caller is the owner: it has every permission."""
    return {"permissions": call.body.get("permissions", [])}
