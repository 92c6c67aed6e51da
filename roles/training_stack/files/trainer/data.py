"""Token shards in a local folder, checked against their manifest, and batches that depend on the step alone."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MANIFEST = "manifest.json"
SHARD = ".bin"


class BadDataError(Exception):
    """The folder does not hold what its manifest says."""


class Use(enum.IntEnum):
    """What a stream of random numbers is for: each use has its own."""

    POSITION = 0
    DROPOUT = 1


def randomness(seed: int, step: int, row: int, use: Use) -> np.random.Generator:
    """The random numbers of one row of one step: a counter-based generator, so its whole state is where we are."""
    return np.random.Generator(np.random.Philox(key=[seed, step], counter=[0, 0, row, use]))


def kept(seed: int, step: int, rows: range, shape: tuple[int, ...], dropout: float) -> np.ndarray:
    """Which inputs of each row survive dropout."""
    return np.stack([randomness(seed, step, row, Use.DROPOUT).random(shape, np.float32) >= dropout for row in rows])


@dataclass(frozen=True)
class Shards:
    """All tokens (one byte each), in the order of the manifest, and a hash that names them."""

    tokens: np.ndarray
    digest: str

    def batch(self, seed: int, step: int, rows: range, context: int) -> np.ndarray:
        """Sequences number `rows` of a step's global batch, context + 1 bytes each.

        Each row is drawn from (seed, step, row), so the position in the data is the step: no process needs to know
        how many there are, and a resumed run reads what the lost one would have read.
        """
        last = len(self.tokens) - context - 1
        starts = [int(randomness(seed, step, row, Use.POSITION).integers(last)) for row in rows]
        return np.stack([self.tokens[start : start + context + 1] for start in starts]).astype(np.int32)


def load(folder: Path, context: int) -> Shards:
    """Read and check every shard.

    Raises BadDataError, which says the file and what to do, for a missing manifest, a missing, shorter, longer or
    changed shard, and for fewer tokens than one sequence.
    """
    path = folder / MANIFEST
    try:
        manifest = path.read_bytes()
        objects = json.loads(manifest)["objects"]
        listed = [(str(each["key"]), int(each["bytes"]), str(each["sha256"])) for each in objects]
    except FileNotFoundError:
        raise BadDataError(f"{path} is missing: fill the cache first (role hydrate)") from None
    except (ValueError, KeyError, TypeError) as wrong:
        raise BadDataError(f"{path} is not a manifest ({wrong!r}): fill the cache again (role hydrate)") from None
    pieces = []
    for key, size, sha256 in listed:
        if not key.endswith(SHARD):
            continue
        try:
            piece = np.memmap(folder / key, dtype=np.uint8, mode="r") if size else np.zeros(0, np.uint8)
        except (FileNotFoundError, ValueError):
            raise BadDataError(f"{folder / key} is missing or empty: fill the cache again (role hydrate)") from None
        if len(piece) != size or hashlib.sha256(piece).hexdigest() != sha256:
            raise BadDataError(f"{folder / key} is not what {MANIFEST} lists: fill the cache again (role hydrate)")
        pieces.append(piece)
    tokens = np.concatenate(pieces) if pieces else np.zeros(0, np.uint8)
    if len(tokens) < context + 2:
        raise BadDataError(f"{folder} holds {len(tokens)} tokens in {SHARD} shards, fewer than one sequence")
    return Shards(tokens, hashlib.sha256(manifest).hexdigest())
