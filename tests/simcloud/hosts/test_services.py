"""What answers inside a VPC, on loopback here."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from simcloud.hosts.services import Answer, Relay, files, metadata


def listening() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen()
    return made


def test_the_metadata_service_passes_on_who_asks_what() -> None:
    asked: list[tuple[str, str, str, str, str]] = []

    def answer(address: str, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        asked.append((address, method, path, query, headers["x-a"]))
        return Answer(201, {"X-B": "two"}, b"body")

    socket_ = listening()
    server = metadata(socket_, answer)
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.server_address[1]}/latest?x=1", method="PUT", headers={"X-A": "one"}
    )
    with urllib.request.urlopen(request) as said:
        assert (said.status, said.headers["X-B"], said.read()) == (201, "two", b"body")
    assert asked == [("127.0.0.1", "PUT", "/latest", "x=1", "one")]
    server.shutdown()


def test_files_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "a.whl").write_bytes(b"wheel")
    (tmp_path / "secret").write_text("hidden")
    server = files(listening(), tmp_path / "shown")
    where = f"http://127.0.0.1:{server.server_address[1]}"
    assert urllib.request.urlopen(f"{where}/a.whl").read() == b"wheel"
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{where}/../secret")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{where}/%2e%2e/secret")
    server.shutdown()


def test_a_relay_passes_both_ways_and_ends_with_either_side() -> None:
    target = listening()

    def echo() -> None:
        near, _ = target.accept()
        content = b""
        while chunk := near.recv(65536):
            content += chunk
        near.sendall(content[::-1])
        near.close()

    threading.Thread(target=echo, daemon=True).start()
    front = listening()
    relay = Relay(front, lambda: target.getsockname()[1])
    client = socket.create_connection(front.getsockname())
    sent = bytes(range(256)) * 4000
    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    assert received == sent[::-1]
    relay.close()


def test_a_relay_to_nowhere_hangs_up() -> None:
    front = listening()
    relay = Relay(front, lambda: 1)
    client = socket.create_connection(front.getsockname())
    client.settimeout(10)
    assert client.recv(1) == b""
    relay.close()
