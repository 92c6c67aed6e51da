"""A sample data set for demonstrations: sentences of a small grammar, in shards, with a manifest of their hashes.

A model can learn it within minutes on a processor, and what it has learned shows in its loss.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

MANIFEST = "manifest.json"

_SUBJECTS = (
    "the scheduler",
    "a host",
    "the trainer",
    "one process",
    "the network",
    "a checkpoint",
    "the cache",
    "every rank",
)
_VERBS = ("writes", "reads", "waits for", "restarts", "checks", "loses", "finds", "replaces")
_OBJECTS = (
    "the next batch",
    "its shard",
    "a gradient",
    "the newest checkpoint",
    "a lost host",
    "the same data",
    "its key",
)
_WHEN = ("at once", "before the next step", "after the barrier", "while the others wait", "without a word", "again")


def _sentence(drawn: random.Random) -> str:
    words = [drawn.choice(_SUBJECTS), drawn.choice(_VERBS), drawn.choice(_OBJECTS)]
    if drawn.random() < 0.5:
        words.append(drawn.choice(_WHEN))
    sentence = " ".join(words)
    return f"{sentence[0].upper()}{sentence[1:]}.\n"


def write_sample(folder: Path, shards: int = 8, bytes_each: int = 1_000_000, seed: int = 1) -> int:
    """Write `shards` files of exactly `bytes_each` bytes (one byte is one token) and their manifest; the bytes written.

    The same arguments give the same files. The manifest is written last: with it the data set is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    objects = []
    for number in range(shards):
        drawn = random.Random(f"{seed}/{number}")  # noqa: S311 - sample text, nothing to guess
        parts: list[str] = []
        length = 0
        while length < bytes_each:
            parts.append(_sentence(drawn))
            length += len(parts[-1])
        content = "".join(parts).encode()[:bytes_each]
        key = f"shard-{number:05d}.bin"
        (folder / key).write_bytes(content)
        objects.append({"key": key, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    (folder / MANIFEST).write_text(json.dumps({"version": 1, "objects": objects}, indent=1) + "\n")
    return shards * bytes_each
