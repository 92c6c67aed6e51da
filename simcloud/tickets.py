"""What the world signs and knows again: session tokens, access tokens, metadata tokens.

A ticket carries its own content and a keyed digest (HMAC-SHA256), so nothing about it needs to be kept, and a world
that was rebuilt from its journal judges it as the first one did. The key is derived from the one that seals the
journal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tickets:
    """Writes and reads tickets with one key."""

    key: bytes = field(repr=False)

    def write(self, kind: str, content: Mapping[str, Any]) -> str:
        """A ticket: letters, digits, `-` and `_` only, with one dot."""
        body = base64.urlsafe_b64encode(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
        return f"{body.decode().rstrip('=')}.{self._digest(kind, body)}"

    def read(self, kind: str, ticket: str) -> dict[str, Any] | None:
        """Its content; None when this world did not write it, or wrote it for something else."""
        text, _, digest = ticket.rpartition(".")
        body = text.encode() + b"=" * (-len(text) % 4)
        if not hmac.compare_digest(self._digest(kind, body).encode(), digest.encode()):
            return None
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
        return found

    def secret(self, kind: str, of: str, digest_bytes: int) -> bytes:
        """A secret that belongs to a name, always the same."""
        return hmac.new(self.key, f"{kind}\0{of}".encode(), hashlib.sha256).digest()[:digest_bytes]

    def _digest(self, kind: str, body: bytes) -> str:
        made = hmac.new(self.key, kind.encode() + b"\0" + body, hashlib.sha256).digest()[:24]
        return base64.urlsafe_b64encode(made).decode()
