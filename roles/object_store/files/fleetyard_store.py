# What the methods of a store do stands once, in Store.
# ruff: noqa: D102
"""One face for Amazon S3 and Google Cloud Storage: list, read parts, write. For programs that run on the hosts.

S3 through boto3 (any version that a supported distribution has); Google's JSON interface over plain HTTP with a token
of the metadata service. Credentials come from each cloud's usual chain. An endpoint is taken from AWS_ENDPOINT_URL_S3,
AWS_ENDPOINT_URL or STORAGE_EMULATOR_HOST.

A read is always of one version of an object: one that changed meanwhile is `ChangedError`, never a mixture.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE = 1 << 20
TRIES = 5
METADATA = "metadata.google.internal"


class StoreError(Exception):
    """The store did not do what was asked. `status` is for the program to exit with."""

    status = 69


class MissingError(StoreError):
    """There is no such object or bucket."""

    status = 66


class ChangedError(StoreError):
    """An object is no longer the version that was asked for."""

    status = 65


class DeniedError(StoreError):
    """No right to it, or no credentials."""

    status = 77


def sha256_of(path: Path) -> str:
    """The hash of a local file."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Write a local file so that nobody ever sees a part of it."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    temporary.replace(path)


@dataclass(frozen=True)
class Object:
    """An object as listed. version: S3's ETag, Google's generation."""

    name: str
    size: int
    version: str


class Store:
    """A bucket."""

    url = ""

    def list(self, prefix: str) -> Iterator[Object]:
        """The objects below a prefix, by name."""
        raise NotImplementedError

    def get(self, name: str) -> bytes:
        """A small object, whole. Raises MissingError."""
        raise NotImplementedError

    def read(self, found: Object, start: int, end: int) -> Iterator[bytes]:
        """Bytes start..end (end excluded) of this version, in pieces. Raises ChangedError when it is another one."""
        raise NotImplementedError

    def put(self, name: str, data: bytes) -> None:
        """A small object, in one step."""
        raise NotImplementedError

    def upload(self, name: str, path: Path) -> None:
        """A file of any size; the object appears when it is whole."""
        raise NotImplementedError


def open_store(url: str, env: Mapping[str, str] = os.environ, connections: int = 16) -> tuple[Store, str]:
    """The bucket of a URL (s3://bucket/prefix, gs://bucket/prefix) and the prefix, without slashes at its ends."""
    parts = urllib.parse.urlsplit(url)
    prefix = parts.path.strip("/")
    if not parts.netloc or parts.scheme not in ("s3", "gs"):
        raise MissingError(f"{url!r} is no address of a store. Fix: s3://BUCKET/PREFIX or gs://BUCKET/PREFIX")
    made = S3(parts.netloc, env, connections) if parts.scheme == "s3" else Google(parts.netloc, env)
    return made, prefix


class S3(Store):
    """Amazon S3."""

    def __init__(self, bucket: str, env: Mapping[str, str], connections: int) -> None:
        import boto3
        from botocore.config import Config

        self.bucket, self.url = bucket, f"s3://{bucket}"
        # Older releases of boto3 do not read the variables themselves.
        endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None
        region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None
        wait = Config(
            max_pool_connections=connections + 4,
            connect_timeout=10,
            read_timeout=60,
            retries={"max_attempts": TRIES, "mode": "standard"},
        )
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=wait)

    def list(self, prefix: str) -> Iterator[Object]:
        with self._errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for row in page.get("Contents", ()):
                    yield Object(row["Key"], row["Size"], row["ETag"])

    def get(self, name: str) -> bytes:
        with self._errors(name):
            data: bytes = self.client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
            return data

    def read(self, found: Object, start: int, end: int) -> Iterator[bytes]:
        with self._errors(found.name):
            said = self.client.get_object(
                Bucket=self.bucket, Key=found.name, IfMatch=found.version, Range=f"bytes={start}-{end - 1}"
            )
            # Not every simulated S3 judges If-Match: what came says which version it is.
            if said["ETag"] != found.version:
                raise ChangedError(f"{self.url}/{found.name} changed while it was read")
            with said["Body"] as body:
                while piece := body.read(PIECE):
                    yield piece

    def put(self, name: str, data: bytes) -> None:
        with self._errors(name):
            self.client.put_object(Bucket=self.bucket, Key=name, Body=data)

    def upload(self, name: str, path: Path) -> None:
        with self._errors(name):
            self.client.upload_file(str(path), self.bucket, name)

    def _errors(self, name: str) -> _Translated:
        return _Translated(f"{self.url}/{name}")


class _Translated:
    """boto3's errors in this module's words."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, wrong: BaseException | None, trace: object) -> None:
        from boto3.exceptions import S3UploadFailedError
        from botocore import exceptions

        if wrong is None or isinstance(wrong, (StoreError, GeneratorExit)):
            return
        if isinstance(wrong, exceptions.NoCredentialsError):
            raise DeniedError(f"{self.what}: no credentials. Fix: the machine's role, or AWS_PROFILE") from None
        if isinstance(wrong, exceptions.ClientError):
            code = str(wrong.response["Error"]["Code"])
            status = wrong.response["ResponseMetadata"]["HTTPStatusCode"]
            text = f"{self.what}: {code}: {wrong.response['Error'].get('Message', '')}"
            if status == 404:
                raise MissingError(text) from None
            if status in (412, 416):
                raise ChangedError(f"{self.what} changed while it was read ({code})") from None
            raise (DeniedError if status in (401, 403) else StoreError)(text) from None
        if isinstance(wrong, (exceptions.BotoCoreError, exceptions.HTTPClientError, S3UploadFailedError)):
            raise StoreError(f"{self.what}: {wrong}") from None


class Google(Store):
    """Google Cloud Storage's JSON interface."""

    def __init__(self, bucket: str, env: Mapping[str, str]) -> None:
        self.bucket, self.url = bucket, f"gs://{bucket}"
        emulator = env.get("STORAGE_EMULATOR_HOST", "")
        base = emulator if "://" in emulator or not emulator else f"http://{emulator}"
        parts = urllib.parse.urlsplit(base or "https://storage.googleapis.com")
        self._secure, self._host = parts.scheme == "https", parts.netloc
        self._metadata = env.get("GCE_METADATA_HOST") or METADATA
        self._anonymous_if_silent = bool(emulator)
        self._token, self._until = "", 0.0
        self._lock = threading.Lock()
        self._local = threading.local()

    def list(self, prefix: str) -> Iterator[Object]:
        query = {"prefix": prefix, "fields": "items(name,size,generation),nextPageToken"}
        while True:
            said = json.loads(self._whole("GET", f"/storage/v1/b/{self.bucket}/o", query, what=prefix))
            for row in said.get("items", ()):
                yield Object(row["name"], int(row["size"]), row["generation"])
            if "nextPageToken" not in said:
                return
            query["pageToken"] = said["nextPageToken"]

    def get(self, name: str) -> bytes:
        return self._whole("GET", self._path(name), {"alt": "media"}, what=name)

    def read(self, found: Object, start: int, end: int) -> Iterator[bytes]:
        query = {"alt": "media", "generation": found.version}
        ranged = {"Range": f"bytes={start}-{end - 1}"}
        try:
            reply = self._ask("GET", self._path(found.name), query, None, ranged, found.name)
        except MissingError:
            raise ChangedError(f"{self.url}/{found.name} changed while it was read") from None
        # A server without ranges sends all of it.
        skip, left = (start if reply.status == 200 else 0), end - start
        try:
            while left and (piece := reply.read(PIECE)):
                piece, skip = piece[skip:], max(0, skip - len(piece))
                if piece:
                    yield piece[:left]
                    left -= min(left, len(piece))
        except (OSError, http.client.HTTPException) as cut:
            raise StoreError(f"{self.url}/{found.name}: {cut}") from None
        finally:
            if not reply.isclosed():
                self._drop()

    def put(self, name: str, data: bytes) -> None:
        self._insert(name, data)

    def upload(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._insert(name, file)

    def _insert(self, name: str, body: Any) -> None:
        where = f"/upload/storage/v1/b/{self.bucket}/o"
        self._whole("POST", where, {"uploadType": "media", "name": name}, body, name)

    def _path(self, name: str) -> str:
        return f"/storage/v1/b/{self.bucket}/o/{urllib.parse.quote(name, safe='')}"

    def _whole(self, verb: str, path: str, query: Mapping[str, str], body: Any = None, what: str = "") -> bytes:
        reply = self._ask(verb, path, query, body, {}, what)
        try:
            return reply.read()
        except (OSError, http.client.HTTPException) as cut:
            self._drop()
            raise StoreError(f"{self.url}/{what}: {cut}") from None

    def _ask(
        self, verb: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str], what: str
    ) -> http.client.HTTPResponse:
        """One request, again after what passes by itself. Raises StoreError."""
        last: Exception | str = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(0.2 * 2**attempt)
                if hasattr(body, "seek"):
                    body.seek(0)
            sent = dict(headers)
            if token := self._bearer():
                sent["Authorization"] = f"Bearer {token}"
            if body is not None:
                size = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
                sent |= {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
            try:
                connection = self._connection()
                connection.request(verb, f"{path}?{urllib.parse.urlencode(query)}", body, sent)
                reply = connection.getresponse()
            except (OSError, http.client.HTTPException) as cut:
                self._drop()
                last = cut
                continue
            if reply.status < 300:
                return reply
            text = f"{self.url}/{what}: {reply.status} {reply.read()[:300].decode(errors='replace')}"
            if reply.status in (429, 500, 502, 503, 504):
                last = text
                continue
            if reply.status in (412, 416):
                raise ChangedError(f"{self.url}/{what} changed while it was read")
            raise {404: MissingError, 401: DeniedError, 403: DeniedError}.get(reply.status, StoreError)(text)
        raise StoreError(f"{self.url}/{what}: no answer in {TRIES} tries: {last}")

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's own connection, kept between requests."""
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            found = self._local.connection = kind(self._host, timeout=60)
        return found

    def _drop(self) -> None:
        found = self._local.__dict__.pop("connection", None)
        if found is not None:
            found.close()

    def _bearer(self) -> str:
        """The machine's token, asked for again before it ends. Empty where an emulator stands and nobody gives one."""
        with self._lock:
            if time.monotonic() < self._until:
                return self._token
            path = "/computeMetadata/v1/instance/service-accounts/default/token"
            try:
                connection = http.client.HTTPConnection(self._metadata, timeout=5)
                connection.request("GET", path, headers={"Metadata-Flavor": "Google"})
                reply = connection.getresponse()
                said = json.loads(reply.read()) if reply.status == 200 else {}
                connection.close()
            except (OSError, http.client.HTTPException, ValueError) as silent:
                if not self._anonymous_if_silent:
                    raise DeniedError(f"{self.url}: no token from the metadata service: {silent}") from None
                said = {}
            self._token = str(said.get("access_token", ""))
            self._until = time.monotonic() + max(30.0, float(said.get("expires_in", 90)) - 60)
            return self._token
