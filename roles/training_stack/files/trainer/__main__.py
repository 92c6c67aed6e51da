"""Train: join the group, read the data, continue from the newest checkpoint, and step.

Exit status: 0 the run is complete; 75 it was asked to stop, wrote a checkpoint and can be continued; 65 the data or the
checkpoint is not what it should be. Anything else, and death by a signal, also can be continued.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

COMPLETE, BAD_INPUT, CONTINUE = 0, 65, 75


def say(text: str) -> None:
    """A line for the log, apart from the JSON lines."""
    print(f"trainer: {text}", file=sys.stderr, flush=True)


class Asked:
    """Becomes true on SIGTERM."""

    def __init__(self) -> None:
        self.stop = False
        signal.signal(signal.SIGTERM, self._on_term)

    def _on_term(self, *_: object) -> None:
        self.stop = True


def train(arguments: Sequence[str] | None = None) -> int:
    """Run to the end, or to the first request to stop."""
    # Set before JAX starts; hosts without accelerators train on their processors, and say so.
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    from trainer import checkpoints, data, processes, settings, stores, update
    from trainer.record import Record

    told = settings.parse(arguments)
    try:
        shards = data.load(told.data, told.context)
    except data.BadDataError as wrong:
        say(str(wrong))
        return BAD_INPUT
    processes.join(told)
    asked = Asked()
    count, mine = jax.process_count(), jax.process_index()
    if told.batch % jax.device_count():
        say(f"--batch {told.batch} is not a multiple of {jax.device_count()} devices")
        return BAD_INPUT
    store = stores.open_store(told.store)
    about = {**told.shape(), "data": shards.digest}
    step, state = 0, update.create(told)
    refused = False
    if mine == 0:
        try:
            step, state = checkpoints.load(store, state, about) or (step, state)
        except checkpoints.OtherRunError as wrong:
            say(str(wrong))
            refused = True
    if count > 1:
        # Only one process reads the store, so that all continue from the same checkpoint.
        refused, state = multihost_utils.broadcast_one_to_all((np.bool_(refused), state))
    if refused:
        return BAD_INPUT
    step = int(state["step"])
    record = Record(store) if mine == 0 else None
    say(f"process {mine} of {count} on {jax.default_backend()}, continues after step {step} of {told.steps}")

    each = told.batch // count
    rows = range(mine * each, (mine + 1) * each)
    run = update.build(told)
    stop, saved = False, step
    while step < told.steps and not stop:
        began = time.monotonic()
        tokens = shards.batch(told.seed, step, rows, told.context)
        kept = data.kept(told.seed, step, rows, (told.context, told.width), told.dropout)
        state, loss, wish = run(state, tokens, kept, asked.stop)
        value, stop = float(loss), bool(wish)
        step += 1
        if told.pace:
            time.sleep(max(0.0, told.pace - (time.monotonic() - began)))
        if record:
            record.add(step, value, time.monotonic() - began)
            if stop or step == told.steps or step % told.checkpoint_every == 0:
                record.ship()
                checkpoints.save(store, step, state, about, told.keep)
                saved = step
    if record:
        record.close()
        say(f"stopped after step {step} of {told.steps}, checkpoint {saved}")
    if count > 1:
        jax.distributed.shutdown()
    return COMPLETE if step >= told.steps else CONTINUE


if __name__ == "__main__":
    sys.exit(train())
