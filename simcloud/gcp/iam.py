"""IAM: service accounts and the policies on them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simcloud.gcp import policies
from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.errors import Refusal, rule

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld

_DOC = "docs.cloud.google.com/iam/docs/service-accounts-create"
ACCOUNT_ID = rule("account.id", "an account id is 6 to 30 lower-case letters, digits and dashes", _DOC, ours=True)
rule("account.exists", "an account id is used once in a project", "API errors seen: ALREADY_EXISTS")
LENGTH = rule(
    "account.text", "a display name has at most 100 bytes, a description 256", "discovery document iam.v1", ours=True
)
LIMIT = rule(
    "account.limit", "a project has at most 100 service accounts", "docs.cloud.google.com/iam/quotas", ours=True
)
MASK = rule("account.mask", "a patch names displayName or description", "discovery document iam.v1", ours=True)
UNDELETE = rule(
    "account.undelete",
    "a deleted account can come back for 30 days",
    "docs.cloud.google.com/iam/docs/service-accounts-delete-undelete",
    ours=True,
)


def _name(call: Call) -> str:
    """The account's name with its email and project, also for `projects/-/...` and for a unique id."""
    given = call.match.name
    email = given.rpartition("/")[2]
    for name, account in call.world.state.accounts.items():
        if email in (account["email"], account["uniqueId"]) and given.split("/")[1] in ("-", account["projectId"]):
            return name
    raise Refusal(404, f"Service account {given} does not exist.")


@handles("iam.projects.serviceAccounts.create")
def create(call: Call) -> dict[str, Any]:
    """A service account."""
    project = call.project
    account_id = call.body.get("accountId", "")
    if not re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", account_id):
        raise Refusal(
            400,
            f"Invalid service account ID '{account_id}': 6 to 30 lower-case letters, digits and dashes, "
            "starting with a letter.",
            rule=ACCOUNT_ID,
        )
    email = f"{account_id}@{project}.iam.gserviceaccount.com"
    name = f"projects/{project}/serviceAccounts/{email}"
    if name in call.world.state.accounts:
        raise Refusal(
            409,
            f"Service account {account_id} already exists within project projects/{project}.",
            state="ALREADY_EXISTS",
        )
    if sum(a["projectId"] == project for a in call.world.state.accounts.values()) >= 100:
        raise Refusal(429, "The project has 100 service accounts.", rule=LIMIT)
    given = call.body.get("serviceAccount", {})
    _check_text(given)
    made = {
        "name": name,
        "projectId": project,
        "uniqueId": "1" + "".join(str(call.moment.chance.randrange(10)) for _ in range(20)),
        "email": email,
        **{k: given[k] for k in ("displayName", "description") if given.get(k)},
        "etag": base64.b64encode(call.hexadecimal(16).encode()[:8]).decode(),
        "oauth2ClientId": call.number(68),
    }
    call.world.state.accounts[name] = made
    return made


def _check_text(given: dict[str, Any]) -> None:
    if len(given.get("displayName", "").encode()) > 100:
        raise Refusal(400, "The display name is longer than 100 bytes.", rule=LENGTH)
    if len(given.get("description", "").encode()) > 256:
        raise Refusal(400, "The description is longer than 256 bytes.", rule=LENGTH)


@handles("iam.projects.serviceAccounts.get")
def get(call: Call) -> dict[str, Any]:
    """A service account."""
    return call.world.state.accounts[_name(call)]


@handles("iam.projects.serviceAccounts.list")
def list_all(call: Call) -> dict[str, Any]:
    """A project's service accounts."""
    found = [a for a in call.world.state.accounts.values() if a["projectId"] == call.project]
    return {"accounts": found} if found else {}


@handles("iam.projects.serviceAccounts.patch")
def patch(call: Call) -> dict[str, Any]:
    """Display name and description change in place."""
    account = call.world.state.accounts[_name(call)]
    fields = [f for f in re.split(r"[,\s]+", call.body.get("updateMask", "")) if f]
    names = {"display_name": "displayName"}
    given = call.body.get("serviceAccount", {})
    wanted = [names.get(f, f) for f in fields]
    if not wanted or any(f not in ("displayName", "description") for f in wanted):
        raise Refusal(400, "The update mask names displayName or description.", rule=MASK)
    _check_text(given)
    for field in wanted:
        if given.get(field):
            account[field] = given[field]
        else:
            account.pop(field, None)
    return account


@handles("iam.projects.serviceAccounts.disable")
def disable(call: Call) -> dict[str, Any]:
    """An account that can do nothing until it is enabled."""
    call.world.state.accounts[_name(call)]["disabled"] = True
    return {}


@handles("iam.projects.serviceAccounts.enable")
def enable(call: Call) -> dict[str, Any]:
    """The opposite of disable."""
    call.world.state.accounts[_name(call)].pop("disabled", None)
    return {}


@handles("iam.projects.serviceAccounts.delete")
def delete(call: Call) -> dict[str, Any]:
    """The account goes; policies keep a mark of it, and for 30 days it can come back."""
    name = _name(call)
    state = call.world.state
    account = state.accounts.pop(name)
    state.deleted_accounts[name] = {**account, "_deleted": call.now}
    old = f"serviceAccount:{account['email']}"
    mark = f"deleted:{old}?uid={account['uniqueId']}"
    for policy in state.policies.values():
        for binding in policy.get("bindings", []):
            binding["members"] = [mark if m == old else m for m in binding["members"]]
    return {}


@handles("iam.projects.serviceAccounts.undelete")
def undelete(call: Call) -> dict[str, Any]:
    """A deleted account, named by its unique id, comes back with its bindings."""
    unique = call.match.name.rpartition("/")[2]
    state = call.world.state
    for name, account in state.deleted_accounts.items():
        if account["uniqueId"] == unique and name not in state.accounts:
            back = {k: v for k, v in account.items() if not k.startswith("_")}
            state.accounts[name] = back
            del state.deleted_accounts[name]
            old = f"serviceAccount:{back['email']}"
            mark = f"deleted:{old}?uid={unique}"
            for policy in state.policies.values():
                for binding in policy.get("bindings", []):
                    binding["members"] = [old if m == mark else m for m in binding["members"]]
            return {"restoredAccount": back}
    raise Refusal(404, f"No deleted account has the unique id {unique}.", rule=UNDELETE)


@handles("iam.projects.serviceAccounts.getIamPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    """The policy on an account: who may act as it."""
    return policies.read(call.world, _name(call))


@handles("iam.projects.serviceAccounts.setIamPolicy")
def set_policy(call: Call) -> dict[str, Any]:
    """Replace the policy on an account."""
    return policies.write(call, _name(call), call.body.get("policy", {}))


@handles("iam.projects.serviceAccounts.testIamPermissions")
def test_permissions(call: Call) -> dict[str, Any]:
    """The simulated caller has every permission."""
    return {"permissions": call.body.get("permissions", [])}


def inventory(world: GcpWorld) -> Iterator[dict[str, Any]]:
    """Service accounts and the bindings that somebody made."""
    for name, account in world.state.accounts.items():
        yield {
            "type": "iam.serviceAccounts",
            "name": name,
            "link": f"https://iam.googleapis.com/v1/{name}",
            "labels": {},
            "email": account["email"],
        }
    for name, policy in world.state.policies.items():
        for binding in policy.get("bindings", []):
            for member in binding["members"]:
                if not member.startswith("deleted:") and not binding["role"].startswith("roles/storage.legacy"):
                    yield {
                        "type": "iam.binding",
                        "name": f"{name} {binding['role']} {member}",
                        "link": "",
                        "labels": {},
                    }


def kept(world: GcpWorld) -> list[dict[str, Any]]:
    """Deleted accounts that can come back, and the marks they leave in policies."""
    found = []
    for name, account in world.state.deleted_accounts.items():
        until = datetime.fromisoformat(account["_deleted"].replace("Z", "+00:00")) + timedelta(days=30)
        found.append(
            {
                "type": "iam.serviceAccounts",
                "name": name,
                "state": "DELETED",
                "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "reason": "a deleted service account can be restored for 30 days",
                "source": "docs.cloud.google.com/iam/docs/service-accounts-delete-undelete",
            }
        )
    return found


def default_account(project: str) -> str:
    """The email of a project's default Compute Engine account."""
    return f"{project_number(project)}-compute@developer.gserviceaccount.com"
