"""What the world writes to disk is sealed: request bodies hold whatever secrets a program has.

AES-256-GCM with a random nonce for each piece. The key lies apart from what it opens, one for each user, so a world's
folder that is copied, cached or uploaded tells nobody anything. `FLEETYARD_SIM_KEY` names another place for the key's
file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

_NONCE_BYTES = 12
_KEY_BITS = 256


class SealBrokenError(Exception):
    """The bytes were sealed with another key, or are damaged."""


def key_path() -> Path:
    """Where the user's key lies."""
    given = os.environ.get("FLEETYARD_SIM_KEY")
    if given:
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "fleetyard" / "sim.key"


def _key(path: Path) -> bytes:
    """The user's key, made at the first need. Two processes that make it at once agree on one."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.touch(0o600)
        new.write_bytes(AESGCM.generate_key(_KEY_BITS))
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_bytes()


class Seal:
    """Seals and opens with the user's key."""

    def __init__(self, path: Path | None = None) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._key = _key(path or key_path())
        self._cipher = AESGCM(self._key)

    def derived(self, purpose: str) -> bytes:
        """A key of its own for something else, which tells nothing about this one."""
        return hmac.new(self._key, f"fleetyard simcloud: {purpose}".encode(), hashlib.sha256).digest()

    def close(self, plain: bytes, context: bytes) -> bytes:
        """The sealed form; `context` must be the same at opening and is not kept."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed. Raises SealBrokenError."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealBrokenError from None
