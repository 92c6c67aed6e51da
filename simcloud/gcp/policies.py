"""IAM policies on resources of every service: members, roles, etags."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from simcloud.gcp.call import Call, project_number
from simcloud.gcp.errors import Refusal, rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/iam/docs/policies"
rule("iam.etag", "a policy is written with the etag that was read", _DOC + "#etag")
MEMBER = rule(
    "iam.member-form",
    "a member is one of the known kinds",
    "docs.cloud.google.com/iam/docs/principal-identifiers",
    ours=True,
)
rule("iam.member-exists", "a service account in a policy exists", "API errors seen: Service account ... does not exist")
ROLE = rule("iam.role-form", "a role is roles/..., or a custom role of a project or an organization", _DOC, ours=True)
SCALE = rule("iam.policy-size", "at most 1500 members in a policy", "docs.cloud.google.com/iam/quotas", ours=True)
CONDITION = rule("iam.condition", "a condition has a title and an expression and goes with version 3", _DOC, ours=True)

_KINDS = re.compile(
    r"(?:user|serviceAccount|group|domain|principal|principalSet|projectOwner|projectEditor|projectViewer|"
    r"deleted:serviceAccount|deleted:user|deleted:group):.+"
)
_ROLE = re.compile(r"(?:roles|projects/[^/]+/roles|organizations/\d+/roles)/[A-Za-z0-9_.]+")

AGENT_DOMAINS: dict[str, str] = {
    "gs-project-accounts.iam.gserviceaccount.com": "service-",
    "compute-system.iam.gserviceaccount.com": "service-",
    "gcp-sa-tpu.iam.gserviceaccount.com": "service-",
    "cloud-tpu.iam.gserviceaccount.com": "service-",
    "container-engine-robot.iam.gserviceaccount.com": "service-",
    "cloud-filer.iam.gserviceaccount.com": "service-",
    "gcp-sa-cloudkms.iam.gserviceaccount.com": "service-",
    "gcp-sa-logging.iam.gserviceaccount.com": "service-",
    "gcp-sa-pubsub.iam.gserviceaccount.com": "service-",
}
"""Service agents that exist in every project. Source: docs.cloud.google.com/iam/docs/service-agents."""


def read(world: GcpWorld, name: str) -> dict[str, Any]:
    """The policy on a resource; an empty one has an etag too."""
    return world.state.policies.get(name) or {"version": 1, "etag": "ACAB"}


def write(call: Call, name: str, policy: dict[str, Any]) -> dict[str, Any]:
    """Replace the policy on a resource. Raises Refusal for a stale etag or a member that does not exist."""
    current = read(call.world, name)
    given = policy.get("etag")
    if given and given != current["etag"]:
        raise Refusal(
            412 if call.match.method.api == "storage" else 409,
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. "
            f"The request's ETag '{given}' did not match the current policy's ETag '{current['etag']}'.",
            reason="conditionNotMet",
            state="ABORTED",
        )
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for binding in policy.get("bindings", []):
        _check(call, binding)
        if not binding.get("members"):
            continue
        key = (binding["role"], json.dumps(binding.get("condition"), sort_keys=True))
        kept = merged.setdefault(key, {**binding, "members": []})
        kept["members"] = sorted({*kept["members"], *binding["members"]})
    if sum(len(b["members"]) for b in merged.values()) > 1500:
        raise Refusal(400, "The policy has too many members.", rule=SCALE)
    conditional = any("condition" in b for b in merged.values())
    if conditional and int(policy.get("version", 1)) < 3:
        raise Refusal(400, "A policy with conditions has version 3.", rule=CONDITION)
    bindings = [merged[k] for k in sorted(merged)]
    made: dict[str, Any] = {"version": 3 if conditional else 1}
    if bindings:
        made["bindings"] = bindings
    if policy.get("auditConfigs"):
        made["auditConfigs"] = policy["auditConfigs"]
    digest = hashlib.sha256(json.dumps([call.hexadecimal(8), bindings], sort_keys=True).encode()).digest()
    made["etag"] = base64.b64encode(b"\x07" + digest[:7]).decode()
    call.world.state.policies[name] = made
    return made


def _check(call: Call, binding: dict[str, Any]) -> None:
    role = binding.get("role", "")
    if not _ROLE.fullmatch(role):
        raise Refusal(400, f"Role {role} is not supported for this resource.", rule=ROLE)
    condition = binding.get("condition")
    if condition is not None and not (condition.get("title") and condition.get("expression")):
        raise Refusal(400, "A condition has a title and an expression.", rule=CONDITION)
    for member in binding.get("members", []):
        if member in ("allUsers", "allAuthenticatedUsers"):
            continue
        if not _KINDS.fullmatch(member):
            raise Refusal(400, f"Invalid member: {member}.", rule=MEMBER)
        own = call.args.get("resource") or call.project
        if member.startswith("serviceAccount:") and not account_exists(call.world, member.partition(":")[2], own):
            raise Refusal(400, f"Service account {member.partition(':')[2]} does not exist.")


def account_exists(world: GcpWorld, email: str, own: str = "") -> bool:
    """Whether a service account (or a service agent, or a workload identity pool's member) exists.

    `own` is the project of the call. Accounts of projects that the world has never heard of are not its to deny.
    """
    if email in (a["email"] for a in world.state.accounts.values()):
        return True
    if email.endswith("]") and ".svc.id.goog[" in email:
        return True
    head, _, domain = email.partition("@")
    if domain == "developer.gserviceaccount.com":
        return head.endswith("-compute") and head.split("-")[0].isdigit()
    if domain == "cloudservices.gserviceaccount.com":
        return head.isdigit()
    prefix = AGENT_DOMAINS.get(domain)
    if prefix is not None:
        return head.startswith(prefix) and head.removeprefix(prefix).isdigit()
    project = domain.removesuffix(".iam.gserviceaccount.com")
    return domain.endswith(".iam.gserviceaccount.com") and project != own and project not in world.state.projects


def holds(world: GcpWorld, names: list[str], member: str, roles: frozenset[str]) -> bool:
    """Whether a member has one of the roles on one of the resources."""
    for name in names:
        for binding in read(world, name).get("bindings", []):
            if binding["role"] in roles and member in binding["members"]:
                return True
    return False


def agent(project: str, domain: str) -> str:
    """The service agent of a project in a domain."""
    return f"service-{project_number(project)}@{domain}"
