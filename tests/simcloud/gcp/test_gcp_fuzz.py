"""Whatever comes in, the world answers: with what was asked or with a refusal, never with a traceback."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from gcp_bench import PROJECT, Bench
from test_gcp_refusals import CASES, stage

from simcloud.gcp import documents, kinds
from simcloud.wire import Request

WORDS = [
    *("", "x", "net", "global/networks/net", f"projects/{PROJECT}/regions/us-west4/subnetworks/west", "10.60.0.0/24"),
    *("us-west4-a", "v5litepod-16", "n1-standard-8", "SPOT", "TERMINATE", "86400s", "2027-01-01T00:00:00Z", "ä\n"),
    *("1", "-1"),
]


def value(doc: dict[str, Any], spec: dict[str, Any], chance: random.Random, depth: int) -> Any:
    """A value that fits a schema in form, or now and then does not."""
    if chance.random() < 0.02:
        return chance.choice([None, {}, [], "x", -1, True, 1e30])
    if "$ref" in spec:
        return message(doc, spec["$ref"], chance, depth + 1)
    kind = spec.get("type")
    if kind == "array":
        return [value(doc, spec["items"], chance, depth + 1) for _ in range(chance.randrange(3))]
    if kind == "object":
        inner = spec.get("additionalProperties", {"type": "string"})
        return {chance.choice(WORDS): value(doc, inner, chance, depth + 1) for _ in range(chance.randrange(3))}
    if kind == "boolean":
        return chance.random() < 0.5
    if kind in ("integer", "number") or spec.get("format") in ("int64", "uint64"):
        return chance.choice([0, 1, -1, 4, 64512, 10**12])
    if "enum" in spec:
        return chance.choice(spec["enum"])
    return chance.choice(WORDS)


def message(doc: dict[str, Any], name: str, chance: random.Random, depth: int = 0) -> dict[str, Any]:
    members = doc["schemas"][name].get("properties", {})
    keep = 0.5 if depth == 0 else 0.3 if depth < 4 else 0.0
    return {n: value(doc, s, chance, depth) for n, s in members.items() if chance.random() < keep}


def mutated(base: Any, chance: random.Random) -> Any:
    """A right body with something missing, replaced or repeated."""
    if isinstance(base, dict):
        made = {k: mutated(v, chance) for k, v in base.items() if chance.random() > 0.08}
        if base and chance.random() < 0.1:
            made[chance.choice(list(base))] = chance.choice([None, "", 0, -1, [], {}, "x", True])
        return made
    if isinstance(base, list):
        return [mutated(v, chance) for v in base for _ in range(1 if chance.random() > 0.1 else 2)]
    return base if chance.random() > 0.1 else chance.choice([*WORDS, 0, -1, True, None])


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench()
    stage(bench.client())
    return bench


def methods() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    found = []

    def walk(doc: dict[str, Any], branch: dict[str, Any], prefix: str) -> None:
        for method in branch.get("methods", {}).values():
            if kinds.handler(prefix + method["id"]) is not None:
                found.append((prefix + method["id"], doc, method))
        for child in branch.get("resources", {}).values():
            walk(doc, child, prefix)

    for api in documents.APIS:
        doc = documents.document(api)
        walk(doc, doc, f"{api.rpartition('.')[0]}." if "." in api else "")
    return found


def send(bench: Bench, doc: dict[str, Any], method: dict[str, Any], body: Any, chance: random.Random) -> int:
    path = doc["servicePath"] + (method.get("flatPath") or method["path"])
    names = {"project": PROJECT, "projectsId": PROJECT, "zone": "us-central1-a", "region": "us-central1"}
    names |= {"locationsId": chance.choice(["us-west4-a", "us-west4"]), "keyRingsId": "ring", "cryptoKeysId": "key"}
    names |= {"bucket": "taken", "network": "net", "subnetwork": "sub", "resource": PROJECT, "cryptoKeyVersionsId": "1"}
    for piece in path.split("/"):
        found = documents._SEGMENT.match(piece)
        if found:
            name = found.group(1)
            given = names.get(name, chance.choice(["x", "net", "g", "data", "compact"]))
            path = path.replace("{" + name + "}", given).replace("{+" + name + "}", given)
    asked = [n for n, p in method.get("parameters", {}).items() if p["location"] == "query" and chance.random() < 0.3]
    query = [f"{name}={chance.choice(['x', '1', 'true', 'labels'])}" for name in asked]
    data = json.dumps(body).encode() if "request" in method else b""
    host = {"host": doc["rootUrl"].split("/")[2]}
    return bench.send(Request(method["httpMethod"], "/" + path, "&".join(query), host, data)).status


@pytest.mark.parametrize("seed", range(6))
def test_arbitrary_bodies_are_answered(seed: int, bench: Bench) -> None:
    chance = random.Random(seed)
    seen: set[int] = set()
    for _, doc, method in methods():
        body = message(doc, method["request"]["$ref"], chance) if "request" in method else None
        seen.add(send(bench, doc, method, body, chance))
    assert {200, 400, 404} <= seen <= {200, 204, 400, 403, 404, 409, 412, 429}


@pytest.mark.parametrize("name", CASES)
def test_spoilt_bodies_are_answered(name: str, bench: Bench) -> None:
    chance = random.Random(name)
    known = {id: (doc, method) for id, doc, method in methods()}
    doc, method = known[CASES[name].method]
    for _ in range(8):
        assert send(bench, doc, method, mutated(CASES[name].arguments["body"], chance), chance) < 500
