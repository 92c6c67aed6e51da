"""Objects in pieces: what comes in several requests, and ranges of what is there."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gcp_bench import PROJECT, Bench
from metadata_server import served

from simcloud.wire import Request, Response

BUCKET = "training-data-of-ours"
STEP = 256 * 1024
DATA = bytes(range(256)) * 3000  # two full pieces and the rest of a third


@pytest.fixture
def bench() -> Bench:
    bench = Bench(by_itself=False)
    bench.client().call("storage.buckets.insert", project=PROJECT, body={"name": BUCKET, "location": "US-CENTRAL1"})
    return bench


def send(bench: Bench, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Response:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return bench.send(Request(method, path, query, named, body))


def begin(bench: Bench, name: str = "ckpt/1") -> str:
    where = f"/upload/storage/v1/b/{BUCKET}/o"
    body = json.dumps({"name": name, "metadata": {"step": "7"}}).encode()
    said = send(bench, "POST", where, "uploadType=resumable", body, host="127.0.0.1:1", x_upload_content_type="a/b")
    assert said.status == 200
    found = urlsplit(said.headers["location"])
    assert (found.netloc, found.path) == ("127.0.0.1:1", where)
    return found.query


def piece(bench: Bench, upload: str, start: int, body: bytes, whole: str) -> Response:
    span = f"bytes {start}-{start + len(body) - 1}/{whole}" if body else f"bytes */{whole}"
    return send(bench, "PUT", f"/upload/storage/v1/b/{BUCKET}/o", upload, body, content_range=span)


def content(bench: Bench, name: str = "ckpt/1", **headers: str) -> Response:
    at = f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}"
    return send(bench, "GET", at, "alt=media", **headers)


def test_pieces_become_an_object_when_the_last_one_is_there(bench: Bench) -> None:
    upload = begin(bench)
    first = piece(bench, upload, 0, DATA[:STEP], "*")
    assert (first.status, first.headers["range"]) == (308, f"bytes=0-{STEP - 1}")
    assert content(bench).status == 404
    asked = piece(bench, upload, 0, b"", str(len(DATA)))
    assert (asked.status, asked.headers["range"]) == (308, f"bytes=0-{STEP - 1}")
    assert piece(bench, upload, STEP, DATA[STEP : 2 * STEP], str(len(DATA))).status == 308
    done = piece(bench, upload, 2 * STEP, DATA[2 * STEP :], str(len(DATA)))
    said = json.loads(done.body)
    assert (done.status, said["size"], said["contentType"], said["metadata"]) == (200, "768000", "a/b", {"step": "7"})
    assert base64.b64decode(said["md5Hash"]) == hashlib.md5(DATA, usedforsecurity=False).digest()
    assert content(bench).body == DATA
    assert piece(bench, upload, 0, b"x", "1").status == 404
    assert bench.replay().snapshot() == bench.world.snapshot()


def test_a_piece_in_the_wrong_place_or_of_an_odd_size_is_refused(bench: Bench) -> None:
    upload = begin(bench)
    assert piece(bench, upload, STEP, DATA[:STEP], "*").status == 400
    assert piece(bench, upload, 0, DATA[: STEP + 1], "*").status == 400
    assert piece(bench, upload, 0, DATA[:STEP], "*").status == 308
    assert piece(bench, upload, 0, DATA[:STEP], "*").status == 400
    odd = send(bench, "PUT", f"/upload/storage/v1/b/{BUCKET}/o", upload, b"x", content_range="bytes all")
    assert odd.status == 400


def test_one_request_may_hold_it_all_and_an_empty_object_is_one(bench: Bench) -> None:
    at = f"/upload/storage/v1/b/{BUCKET}/o"
    assert send(bench, "PUT", at, begin(bench), DATA).status == 200
    assert content(bench).body == DATA
    assert piece(bench, begin(bench, "empty"), 0, b"", "0").status == 200
    assert content(bench, "empty").body == b""


@pytest.mark.parametrize("size", [0, 1, 9, 4096, 4097, 100_003])
def test_the_checksum_is_castagnolis_for_objects_of_any_size(bench: Bench, size: int) -> None:
    said = json.loads(send(bench, "PUT", f"/upload/storage/v1/b/{BUCKET}/o", begin(bench), DATA[:size]).body)
    assert base64.b64decode(said["crc32c"]) == slow_crc32c(DATA[:size]).to_bytes(4, "big")


def slow_crc32c(data: bytes) -> int:
    """RFC 3720, bit by bit; of "123456789" it is e3069283."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x82F63B78 if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


def test_the_slow_checksum_is_right() -> None:
    assert slow_crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=767990-", (767990, 768000)),
        ("bytes=767990-999999999", (767990, 768000)),
        ("bytes=-5", (767995, 768000)),
        ("bytes=100-100", (100, 101)),
    ],
)
def test_a_range_is_that_part_and_no_more(bench: Bench, wanted: str, span: tuple[int, int]) -> None:
    send(bench, "PUT", f"/upload/storage/v1/b/{BUCKET}/o", begin(bench), DATA)
    said = content(bench, range=wanted)
    assert said.status == 206
    assert said.body == DATA[span[0] : span[1]]
    assert said.headers["content-range"] == f"bytes {span[0]}-{span[1] - 1}/{len(DATA)}"
    assert said.headers["x-goog-generation"] == content(bench).headers["x-goog-generation"]


def test_a_range_past_the_end_is_refused_and_an_odd_one_is_ignored(bench: Bench) -> None:
    send(bench, "PUT", f"/upload/storage/v1/b/{BUCKET}/o", begin(bench), DATA)
    assert content(bench, range="bytes=768000-").status == 416
    assert content(bench, range="lines=1-2").status == 200


def test_googles_own_client_sends_and_fetches_in_pieces(bench: Bench, tmp_path: Path) -> None:
    from google.auth.credentials import AnonymousCredentials
    from googleapiclient.discovery import build
    from googleapiclient.http import MediaFileUpload, MediaIoBaseDownload

    source = tmp_path / "checkpoint"
    source.write_bytes(DATA)
    with served(bench.send) as address:
        options = {"api_endpoint": f"http://{address}/storage/v1/"}
        made: Any = build(
            "storage", "v1", credentials=AnonymousCredentials(), static_discovery=True, client_options=options
        )
        # The discovery document's own root is where this client uploads to.
        made._rootDesc["rootUrl"] = f"http://{address}/"
        objects = made.objects()
        objects._rootDesc = made._rootDesc
        media = MediaFileUpload(str(source), mimetype="a/b", chunksize=STEP, resumable=True)
        request = objects.insert(bucket=BUCKET, name="ckpt/2", media_body=media)
        answer = None
        while answer is None:
            _, answer = request.next_chunk()
        assert answer["size"] == str(len(DATA))
        target = io.BytesIO()
        fetch = MediaIoBaseDownload(target, objects.get_media(bucket=BUCKET, object="ckpt/2"), chunksize=100_000)
        done = False
        while not done:
            _, done = fetch.next_chunk()
    assert target.getvalue() == DATA
