"""The journal loses nothing that was answered, and says when it is damaged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcloud.journal import Journal, JournalDamagedError, Record, request_body
from simcloud.wire import Request

SCOPE = "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/ec2/aws4_request"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def records(count: int) -> list[Record]:
    return [Record(n, NOW, "aws", "call", {"method": "POST", "n": n, "text": "é\n\t"}) for n in range(1, count + 1)]


def written(folder: Path, count: int) -> Path:
    journal = Journal(folder / "journal")
    for record in records(count):
        journal.append(record)
    journal.close()
    return journal.path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written(tmp_path, 5)
    assert list(Journal(tmp_path / "journal").read()) == records(5)


def test_an_absent_journal_is_empty(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal").read()) == []


@settings(max_examples=30)
@given(cut=st.integers(min_value=1, max_value=60))
def test_a_line_cut_short_is_dropped_and_the_journal_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    path = written(folder, 3)
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal(path)
    assert list(journal.read()) == records(2)
    journal.append(records(3)[2])
    journal.close()
    assert list(Journal(path).read()) == records(3)


def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"[2,", b"[7,") + lines[2])
    with pytest.raises(JournalDamagedError, match="line 2"):
        list(Journal(path).read())


def test_a_request_comes_back_without_what_would_sign_it() -> None:
    request = Request(
        "POST",
        "/x",
        "a=1",
        {
            "authorization": f"{SCOPE}, SignedHeaders=host, Signature=abc",
            "x-amz-security-token": "token",
            "content-type": "text/plain",
        },
        b"\x00\xff",
    )
    back = Record(1, NOW, "aws", "call", request_body(request)).request()
    assert (back.method, back.path, back.query, back.body) == ("POST", "/x", "a=1", b"\x00\xff")
    assert back.headers == {
        "authorization": SCOPE,
        "content-type": "text/plain",
    }


def test_a_bearer_token_is_not_recorded() -> None:
    body = request_body(Request("GET", "/", "", {"authorization": "Bearer ya29.secret"}))
    assert "ya29" not in str(body)
