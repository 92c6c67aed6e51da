"""A TPU slice's hosts on the simulated Google Cloud."""

from __future__ import annotations

from typing import Any

from hosts_bench import Cluster

ASK = "curl -sS -H 'Metadata-Flavor: Google' http://metadata.google.internal/computeMetadata/v1/"


def on(cluster: Cluster, row: dict[str, Any], command: str) -> str:
    return cluster.hosts.inside(row["key"], command)


def test_googles_own_agent_ran_the_startup_script(gcp: Cluster) -> None:
    row = gcp.hosts.listed()[0]
    gcp.hosts.until(lambda: "exit status 0" in on(gcp, row, "journalctl -u google-startup-scripts --no-pager"))
    assert on(gcp, row, "findmnt -n -o FSTYPE,OPTIONS /cache").startswith("tmpfs")


def test_metadata_is_given_to_whoever_says_so_and_names_the_worker(gcp: Cluster) -> None:
    rows = gcp.hosts.listed()
    refused = "curl -s -o /dev/null -w '%{http_code}' http://metadata.google.internal/computeMetadata/v1/instance/id"
    assert on(gcp, rows[0], refused) == "403"
    workers = {on(gcp, row, f"{ASK}instance/attributes/agent-worker-number") for row in rows}
    assert workers == {"0", "1", "2", "3"}


def test_a_service_accounts_token_opens_what_the_account_may(gcp: Cluster) -> None:
    row = gcp.hosts.listed()[0]
    bucket = next(r["id"] for r in gcp.engine.inventory()["resources"] if r["type"] == "storage.buckets")
    name = bucket.rpartition("/")[2]
    parse = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])'"
    token = f"T=$({ASK}instance/service-accounts/default/token | {parse})"
    url = f"http://169.254.169.252/storage/v1/b/{name}/o"
    code = "curl -s -o /dev/null -w '%{http_code}'"
    listing = f"{token}; {code} -H \"Authorization: Bearer $T\" '{url}?prefix=datasets/'"
    assert on(gcp, row, listing) == "200"
    upload = url.replace("/storage/v1", "/upload/storage/v1")
    outside = (
        f"{token}; {code} -X POST -H \"Authorization: Bearer $T\" -d x '{upload}?uploadType=media&name=datasets/x'"
    )
    assert on(gcp, row, outside) == "403"
    inside = outside.replace("name=datasets/x", "name=pools/train/x")
    assert on(gcp, row, inside) == "200"
    forged = f"{code} -H 'Authorization: Bearer ya29.forged' '{url}'"
    assert on(gcp, row, forged) == "401"


def test_hosts_of_a_slice_reach_each_other(gcp: Cluster) -> None:
    first, second = gcp.hosts.listed()[:2]
    assert on(gcp, first, f"timeout 3 nc -z {second['address']} 22 && echo open || echo closed").strip() == "open"


def test_a_slice_that_lost_a_host_is_repaired_with_the_same_address_and_an_empty_disk(gcp: Cluster) -> None:
    lost = gcp.hosts.listed()[2]
    on(gcp, lost, "touch /root/mark")
    done = gcp.engine.sim("set", "gcp", "power-loss", f"id={lost['key']}", "after=1")
    assert done.status == 0, done.text
    gcp.hosts.until(lambda: "cut-power" in gcp.hosts.sim("events"), 20)
    gcp.hosts.until(lambda: [row["state"] for row in gcp.hosts.listed()] == ["ready"] * 4, 90)
    again = gcp.hosts.row(lost["key"])
    assert again["address"] == lost["address"]
    assert on(gcp, again, "ls /root/mark 2>/dev/null || echo clean").strip() == "clean"
