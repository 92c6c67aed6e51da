"""What a program on a machine may do with its service account's token, over real HTTP and google.auth's own chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gcp_bench import PROJECT
from metadata_server import served
from test_gcp_fleet import ZONE, A, instance

from simcloud.gcp.client import GcpClient
from simcloud.gcp.conditions import Facts, holds
from simcloud.server import open_world
from simcloud.wire import Request
from simcloud.world import World

BUCKET = "training-data-of-ours"
ACCOUNT = f"train-account@{PROJECT}.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{ACCOUNT}"
SCOPE = "https://www.googleapis.com/auth/"


class Program:
    """A program on a machine: HTTP with the token that the metadata server gives now."""

    def __init__(self, world: World, cloud: GcpClient, machine: str) -> None:
        self.world, self.cloud, self.machine = world, cloud, machine

    def token(self) -> str:
        path = "/computeMetadata/v1/instance/service-accounts/default/token"
        said = self.world.metadata("gcp", self.machine, Request("GET", path, "", {"metadata-flavor": "Google"}))
        return str(json.loads(said.body)["access_token"])

    def ask(self, method: str, path: str, query: str = "", body: bytes = b"", token: str = "") -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token or self.token()}", "content-type": "application/json"}
        said = self.world.call("gcp", Request(method, path, query, headers, body))
        kind = said.headers.get("content-type", "")
        return said.status, json.loads(said.body) if kind.startswith("application/json") else said.body

    def get(self, name: str) -> int:
        return self.ask("GET", f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}", "alt=media")[0]

    def put(self, name: str) -> int:
        return self.ask("POST", f"/upload/storage/v1/b/{BUCKET}/o", f"uploadType=media&name={name}", b"data")[0]

    def drop(self, name: str) -> int:
        return self.ask("DELETE", f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}")[0]

    def list(self, prefix: str = "") -> int:
        return self.ask("GET", f"/storage/v1/b/{BUCKET}/o", f"prefix={prefix}")[0]

    def grant(self, *bindings: tuple[str, str], resource: str = BUCKET) -> None:
        rows: list[dict[str, Any]] = []
        for role, expression in bindings:
            row: dict[str, Any] = {"role": role, "members": [MEMBER]}
            rows.append(row | ({"condition": {"title": "c", "expression": expression}} if expression else {}))
        version = 3 if any(e for _, e in bindings) else 1
        body: dict[str, Any] = {"bindings": rows, "version": version}
        if resource == BUCKET:
            self.cloud.call("storage.buckets.setIamPolicy", bucket=BUCKET, body=body)
        else:
            self.cloud.call("cloudresourcemanager.projects.setIamPolicy", resource=resource, body={"policy": body})


def made(home: Path, scopes: tuple[str, ...] = ("cloud-platform",)) -> Program:
    world = open_world(home)
    cloud = GcpClient(lambda request: world.call("gcp", request), PROJECT, zone=ZONE)
    cloud.change("compute.networks.insert", project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False})
    body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.60.0.0/20"}
    cloud.change("compute.subnetworks.insert", project=PROJECT, region="us-central1", body=body)
    account = {"accountId": "train-account"}
    cloud.call("iam.projects.serviceAccounts.create", name=f"projects/{PROJECT}", body=account)
    full = [SCOPE + s for s in scopes]
    instance(cloud, "one", serviceAccounts=[{"email": ACCOUNT, "scopes": full}])
    uniform = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    bucket = {"name": BUCKET, "location": "US-CENTRAL1", **uniform}
    cloud.call("storage.buckets.insert", project=PROJECT, body=bucket)
    for name in ("in/a", "ckpt/1", "secret/x"):
        upload = f"uploadType=media&name={name}"
        world.call("gcp", Request("POST", f"/upload/storage/v1/b/{BUCKET}/o", upload, {}, b"data"))
    return Program(world, cloud, cloud.call("compute.instances.get", **A, instance="one")["id"])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    one = made(tmp_path)
    yield one
    one.world.close()


def under(prefix: str) -> str:
    objects = f'resource.name.startsWith("projects/_/buckets/{BUCKET}/objects/{prefix}")'
    listing = f'api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("{prefix}")'
    return f"{objects} || {listing}"


def test_without_a_role_nothing_is_open(program: Program) -> None:
    assert [program.get("in/a"), program.put("in/b"), program.drop("in/a"), program.list()] == [403] * 4
    status, said = program.ask("GET", f"/storage/v1/b/{BUCKET}/o/in%2Fa")
    assert status == 403
    assert said["error"]["errors"][0]["reason"] == "forbidden"
    assert said["error"]["message"].startswith(f"{ACCOUNT} does not have storage.objects.get access")
    assert program.ask("GET", "/storage/v1/b", f"project={PROJECT}")[0] == 403


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("roles/storage.objectViewer", {"get", "list"}),
        ("roles/storage.objectCreator", {"new"}),
        ("roles/storage.objectUser", {"get", "list", "new", "over", "drop"}),
        ("roles/storage.objectAdmin", {"get", "list", "new", "over", "drop"}),
        ("roles/storage.admin", {"get", "list", "new", "over", "drop", "bucket", "policy"}),
        ("roles/storage.legacyBucketReader", {"list", "bucket"}),
        ("roles/storage.legacyBucketWriter", {"list", "new", "over", "drop", "bucket"}),
        ("roles/storage.legacyObjectReader", {"get"}),
    ],
)
def test_roles_on_the_bucket(program: Program, role: str, allowed: set[str]) -> None:
    program.grant((role, ""))
    found = {
        "get": program.get("in/a"),
        "list": program.list(),
        "new": program.put("fresh"),
        "over": program.put("ckpt/1"),
        "drop": program.drop("secret/x"),
        "bucket": program.ask("GET", f"/storage/v1/b/{BUCKET}")[0],
        "policy": program.ask("GET", f"/storage/v1/b/{BUCKET}/iam")[0],
    }
    assert {name for name, status in found.items() if status < 300} == allowed
    assert {status for name, status in found.items() if name not in allowed} <= {403}


def test_a_role_on_the_project_counts_for_its_buckets(program: Program) -> None:
    program.grant(("roles/storage.objectViewer", ""), resource=PROJECT)
    assert (program.get("in/a"), program.put("new")) == (200, 403)


def test_conditions_on_prefixes_narrow_objects_and_lists(program: Program) -> None:
    program.grant(("roles/storage.objectViewer", under("in/")), ("roles/storage.objectUser", under("ckpt/")))
    assert (program.get("in/a"), program.get("ckpt/1"), program.get("secret/x")) == (200, 200, 403)
    assert (program.put("in/b"), program.put("ckpt/2"), program.put("ckpt/1")) == (403, 200, 200)
    assert (program.list("in/"), program.list("ckpt/"), program.list("secret/"), program.list()) == (200, 200, 403, 403)
    assert (program.drop("ckpt/1"), program.drop("in/a")) == (204, 403)


def test_copies_need_both_ends(program: Program) -> None:
    program.grant(("roles/storage.objectViewer", under("in/")), ("roles/storage.objectUser", under("ckpt/")))
    at = f"/storage/v1/b/{BUCKET}/o/{{}}/rewriteTo/b/{BUCKET}/o/{{}}"
    assert program.ask("POST", at.format("in%2Fa", "ckpt%2Fa"), body=b"{}")[0] == 200
    assert program.ask("POST", at.format("secret%2Fx", "ckpt%2Fx"), body=b"{}")[0] == 403
    assert program.ask("POST", at.format("in%2Fa", "in%2Fb"), body=b"{}")[0] == 403


def test_scopes_bound_what_a_role_gives(tmp_path: Path) -> None:
    program = made(tmp_path, ("devstorage.read_only",))
    program.grant(("roles/storage.objectAdmin", ""))
    assert program.get("in/a") == 200
    status, said = program.ask("POST", f"/upload/storage/v1/b/{BUCKET}/o", "uploadType=media&name=x", b"")
    assert (status, said["error"]["errors"][0]["reason"]) == (403, "insufficientPermissions")


def test_a_custom_role_is_what_it_says_and_a_strange_one_is_let_pass_and_counted(program: Program) -> None:
    role = {"roleId": "reader", "role": {"title": "r", "includedPermissions": ["storage.objects.get"]}}
    program.cloud.call("iam.projects.roles.create", parent=f"projects/{PROJECT}", body=role)
    program.grant((f"projects/{PROJECT}/roles/reader", ""))
    assert (program.get("in/a"), program.list()) == (200, 403)
    program.grant(("roles/aiplatform.user", ""))
    assert program.get("in/a") == 200
    said = program.world.rights()["gcp"]
    assert said["passed"] == {"what roles/aiplatform.user holds": 1}
    assert said["refused"] == {"storage.objects.list": 1}


def test_other_services_are_let_pass_and_counted(program: Program) -> None:
    assert program.ask("GET", f"/compute/v1/projects/{PROJECT}/zones/{ZONE}/instances")[0] == 200
    assert program.world.rights()["gcp"]["passed"] == {"compute is not judged": 1}


def test_tokens_that_are_over_or_forged_are_refused(program: Program) -> None:
    program.grant(("roles/storage.objectViewer", ""))
    token = program.token()
    path = f"/storage/v1/b/{BUCKET}/o/in%2Fa"
    assert program.ask("GET", path, token=token)[0] == 200
    assert program.ask("GET", path, token=token[:-3] + "AAA")[0] == 401
    program.world._now = datetime.now(UTC) + timedelta(minutes=61)
    status, said = program.ask("GET", path, token=token)
    assert (status, said["error"]["errors"][0]["reason"]) == (401, "authError")


def test_nobody_says_by_a_header_who_he_is(program: Program) -> None:
    headers = {"x-simcloud-caller": json.dumps(["nobody@example.com", []])}
    said = program.world.call("gcp", Request("GET", f"/storage/v1/b/{BUCKET}/o/in%2Fa", "", headers))
    assert said.status == 200, "the simulated user's own call was judged as somebody else's"


def test_everything_by_google_auths_own_chain(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import google.auth
    from google.auth.compute_engine import _metadata
    from google.auth.transport.requests import AuthorizedSession

    program.grant(("roles/storage.objectUser", under("ckpt/")))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    world, machine = program.world, program.machine
    with (
        served(lambda request: world.metadata("gcp", machine, request)) as metadata,
        served(lambda request: world.call("gcp", request)) as api,
    ):
        monkeypatch.setenv("GCE_METADATA_IP", metadata)
        monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", metadata)
        credentials, _ = google.auth.default()
        session = AuthorizedSession(credentials)
        upload = f"http://{api}/upload/storage/v1/b/{BUCKET}/o"
        parts = {"uploadType": "media", "name": "ckpt/7"}
        assert session.post(upload, params=parts, data=b"seven").status_code == 200
        at = f"http://{api}/storage/v1/b/{BUCKET}/o"
        assert session.get(f"{at}/ckpt%2F7", params={"alt": "media"}).content == b"seven"
        assert session.get(f"{at}/secret%2Fx", params={"alt": "media"}).status_code == 403
        assert session.post(upload, params=parts | {"name": "in/7"}, data=b"").status_code == 403


def test_what_was_judged_is_judged_the_same_after_a_crash(tmp_path: Path) -> None:
    program = made(tmp_path)
    program.grant(("roles/storage.objectUser", under("ckpt/")))
    assert (program.put("ckpt/2"), program.put("in/2")) == (200, 403)
    token = program.token()
    again = Program(open_world(tmp_path), program.cloud, program.machine)
    kept = again.world.cloud("gcp")._world.state.objects[BUCKET]  # type: ignore[attr-defined]
    assert {o["name"] for o in kept} == {"in/a", "ckpt/1", "secret/x", "ckpt/2"}
    assert again.ask("GET", f"/storage/v1/b/{BUCKET}/o/ckpt%2F2", token=token)[0] == 200
    assert b"ya29" not in (tmp_path / "journal").read_bytes()


NOW = datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('resource.name.startsWith("projects/_/buckets/b/objects/in/")', True),
        ("resource.name == 'projects/_/buckets/b/objects/in/a'", True),
        ('resource.name.endsWith(".bin")', False),
        ('!resource.name.endsWith(".bin") && resource.type == "storage.googleapis.com/Object"', True),
        ('(resource.type == "x" || resource.service == "storage.googleapis.com")', True),
        ('request.time < timestamp("2027-01-01T00:00:00Z")', True),
        ('request.time > timestamp("2027-01-01T00:00:00Z")', False),
        ('api.getAttribute("storage.googleapis.com/objectListPrefix", "none") == "none"', True),
        ("true", True),
        ('resource.matchTag("env", "prod")', None),
        ('resource.name.matches("in/.*")', None),
        ("resource.name", None),
        ("(true", None),
        ("", None),
        ("resource.name == 7", None),
    ],
)
def test_conditions(expression: str, expected: bool | None) -> None:
    facts = Facts("projects/_/buckets/b/objects/in/a", "storage.googleapis.com/Object", NOW, {})
    assert holds(expression, facts) is expected
