"""The sample data set into a stack's object store, as a person would put it there; and what a job wrote there."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import boto3

from fleetyard.cli.steps import Commands
from fleetyard.outputs import StackOutputs, parse_outputs
from fleetyard.training.sample import write_sample

DATASET = "datasets/"
SHARDS, BYTES_EACH = 8, 2_000_000


def outputs(stack: str, do: Commands) -> StackOutputs:
    """What the stack says of itself."""
    return parse_outputs(json.loads(do.pulumi("stack", "output", "fleetyard", "--json", "--stack", stack)))


def fill(stack: str, do: Commands) -> str:
    """Make the data set and put it into the stack's `data` store; what was put."""
    bucket = Bucket(outputs(stack, do), do.env)
    with tempfile.TemporaryDirectory() as folder:
        size = write_sample(Path(folder), SHARDS, BYTES_EACH)
        # The manifest last: with it the data set is complete.
        for path in sorted(Path(folder).iterdir(), key=lambda each: (each.suffix == ".json", each.name)):
            bucket.put(DATASET + path.name, path.read_bytes())
    return f"{size / 1e6:.0f} MB in {SHARDS} shards"


class Bucket:
    """The stack's `data` store, seen from outside."""

    def __init__(self, stack: StackOutputs, env: Mapping[str, str]) -> None:
        self._name = stack.stores["data"].bucket
        self._env = env
        self._s3 = (
            boto3.client(
                "s3",
                region_name=stack.region,
                endpoint_url=env["AWS_ENDPOINT_URL"],
                aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            )
            if stack.cloud == "aws"
            else None
        )

    def put(self, key: str, content: bytes) -> None:
        """Put an object there."""
        if self._s3 is not None:
            self._s3.put_object(Bucket=self._name, Key=key, Body=content)
            return
        query = urllib.parse.urlencode({"uploadType": "media", "name": key})
        self._google(f"/upload/storage/v1/b/{self._name}/o?{query}", content)

    def read(self, key: str) -> bytes:
        """An object's content."""
        if self._s3 is not None:
            content: bytes = self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()
            return content
        return self._google(f"/storage/v1/b/{self._name}/o/{urllib.parse.quote(key, safe='')}?alt=media")

    def keys(self, prefix: str) -> list[str]:
        """The objects whose names begin so."""
        if self._s3 is not None:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
            return sorted(row["Key"] for page in pages for row in page.get("Contents", []))
        query = urllib.parse.urlencode({"prefix": prefix})
        said = json.loads(self._google(f"/storage/v1/b/{self._name}/o?{query}"))
        return sorted(row["name"] for row in said.get("items", []))

    def _google(self, path: str, content: bytes | None = None) -> bytes:
        # Google's own client uploads over https alone, wherever it is told to go.
        url = self._env["STORAGE_EMULATOR_HOST"] + path
        request = urllib.request.Request(url, content, {"content-type": "application/octet-stream"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body
