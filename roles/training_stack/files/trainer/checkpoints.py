"""Numbered checkpoints: parameters, optimizer, step. One is complete when its description lies beside it and the hash
in it fits.

The step and the seed, both in the description, are the position in the data and the whole state of the random numbers.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from typing import Any

import jax
import numpy as np

from trainer.stores import Store

FOLDER = "checkpoints/"


class OtherRunError(Exception):
    """The newest checkpoint belongs to a run with another model, data set or seed."""


def _names(step: int) -> tuple[str, str]:
    stem = f"{FOLDER}{step:08d}"
    return f"{stem}.npz", f"{stem}.json"


def _leaves(state: Any) -> dict[str, Any]:
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


def save(store: Store, step: int, state: Any, about: dict[str, Any], keep: int) -> int:
    """Write the state after `step` steps, then what makes it complete, then drop the oldest. Returns its bytes.

    about: what must be the same to continue (`load` compares it); it also tells a person what the file is.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(leaf) for name, leaf in _leaves(state).items()})
    content = buffer.getvalue()
    data, description = _names(step)
    store.put(data, content)
    sha256 = hashlib.sha256(content).hexdigest()
    told = {"step": step, "bytes": len(content), "sha256": sha256, "written": round(time.time(), 3), **about}
    store.put(description, json.dumps(told, indent=1).encode())
    for old in _complete(store)[:-keep]:
        for name in reversed(_names(old)):
            store.delete(name)
    return len(content)


def _complete(store: Store) -> list[int]:
    described = (name for name in store.names(FOLDER) if name.endswith(".json"))
    return sorted(int(name.removeprefix(FOLDER).removesuffix(".json")) for name in described)


def load(store: Store, like: Any, about: dict[str, Any]) -> tuple[int, Any] | None:
    """The newest complete checkpoint as (step, state), None where there is none.

    A checkpoint whose content is missing, short or changed is passed over for the one before it. Raises
    OtherRunError when the newest was written by another run: continuing it would be silently wrong.
    """
    for step in reversed(_complete(store)):
        data, description = _names(step)
        written, content = store.get(description), store.get(data)
        if written is None or content is None:
            continue
        try:
            told = json.loads(written)
        except ValueError:
            continue
        if hashlib.sha256(content).hexdigest() != told.get("sha256"):
            continue
        differs = sorted(name for name, value in about.items() if told.get(name) != value)
        if differs:
            raise OtherRunError(f"{description}: {', '.join(differs)} differ from this run; give it another --store")
        with np.load(io.BytesIO(content)) as arrays:
            return step, _filled(like, arrays)
    return None


def _filled(like: Any, arrays: Any) -> Any:
    paths, form = jax.tree_util.tree_flatten_with_path(like)
    return jax.tree_util.tree_unflatten(form, [arrays[jax.tree_util.keystr(path)] for path, _ in paths])
