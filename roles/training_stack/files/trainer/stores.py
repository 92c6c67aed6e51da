# What `put`, `get`, `names` and `delete` do stands once, in Store.
# ruff: noqa: D102
"""Where checkpoints and loss lie: a folder, an S3 bucket or a Google Cloud Storage bucket. A put is all or nothing."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Protocol


class Store(Protocol):
    """Named pieces of bytes under one prefix."""

    def put(self, name: str, content: bytes) -> None:
        """Write the whole object, or raise and leave what was there."""

    def get(self, name: str) -> bytes | None:
        """The object's content, None where there is none."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with the prefix, sorted."""

    def delete(self, name: str) -> None:
        """Remove the object, if it is there."""


class Folder:
    """A local or shared folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(path)

    def get(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self, prefix: str) -> list[str]:
        found = (p for p in self._root.rglob("*") if p.is_file() and not p.name.startswith("."))
        return sorted(n for n in (str(p.relative_to(self._root)) for p in found) if n.startswith(prefix))

    def delete(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)


class S3:
    """An S3 bucket, through boto3's own chain of credentials and endpoints."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3  # only where the store is S3
        from botocore.config import Config

        self._client: Any = boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 6}))
        self._bucket, self._prefix = bucket, prefix

    def put(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)

    def get(self, name: str) -> bytes | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = found["Body"].read()
        return content

    def names(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        return sorted(each["Key"].removeprefix(self._prefix) for page in found for each in page.get("Contents", ()))

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


class GoogleStorage:
    """A Google Cloud Storage bucket over the JSON API, as the service account that the machine runs as."""

    _TOKEN = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105

    def __init__(self, bucket: str, prefix: str) -> None:
        self._root = os.environ.get("STORAGE_EMULATOR_HOST", "https://storage.googleapis.com").rstrip("/")
        self._bucket, self._prefix = urllib.parse.quote(bucket, safe=""), prefix

    def _token(self) -> str:
        asked = urllib.request.Request(self._TOKEN, headers={"Metadata-Flavor": "Google"})  # noqa: S310
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            token: str = json.load(answer)["access_token"]
        return token

    def _call(self, method: str, path: str, body: bytes | None = None, **query: str) -> bytes:
        url = f"{self._root}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/octet-stream"}
        asked = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
            content: bytes = answer.read()
        return content

    def _object(self, name: str) -> str:
        return f"/storage/v1/b/{self._bucket}/o/{urllib.parse.quote(self._prefix + name, safe='')}"

    def put(self, name: str, content: bytes) -> None:
        path = f"/upload/storage/v1/b/{self._bucket}/o"
        self._call("POST", path, content, uploadType="media", name=self._prefix + name)

    def get(self, name: str) -> bytes | None:
        try:
            return self._call("GET", self._object(name), alt="media")
        except urllib.error.HTTPError as wrong:
            if wrong.code == 404:
                return None
            raise

    def names(self, prefix: str) -> list[str]:
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = json.loads(
                self._call("GET", f"/storage/v1/b/{self._bucket}/o", prefix=self._prefix + prefix, **more)
            )
            found += [each["name"].removeprefix(self._prefix) for each in page.get("items", ())]
            if not page.get("nextPageToken"):
                return sorted(found)
            more = {"pageToken": page["nextPageToken"]}

    def delete(self, name: str) -> None:
        try:
            self._call("DELETE", self._object(name))
        except urllib.error.HTTPError as wrong:
            if wrong.code != 404:
                raise


def open_store(url: str) -> Store:
    """The store that a URL names. Raises ValueError for a scheme that is none of ours."""
    found = urllib.parse.urlsplit(url)
    prefix = found.path.strip("/") + "/" if found.path.strip("/") else ""
    match found.scheme:
        case "s3":
            return S3(found.netloc, prefix)
        case "gs":
            return GoogleStorage(found.netloc, prefix)
        case "" | "file":
            return Folder(Path(found.path))
    raise ValueError(f"{url}: not a folder, s3:// or gs://")
