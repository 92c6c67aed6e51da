# SPDX-License-Identifier: Apache-2.0
"""One playbook at a time on a stack: a second one ends at once and says which process holds the stack."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: one_play
type: aggregate
short_description: Refuses a second playbook run on the same stack
description:
  - Two runs of C(site.yml) would each restart services under the other's feet. The first one holds a lock on a file
    below C(~/.local/state/fleetyard/locks), for as long as it lives and no longer. The second one exits with status 75.
  - Check mode takes no lock. Runs from two computers, or by two people, do not see each other.
requirements:
  - enabled in C(callbacks_enabled)
"""

BUSY = 75
"""EX_TEMPFAIL: try again later."""


class CallbackModule(CallbackBase):
    """Takes the lock of each stack whose hosts a play knows."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "one_play"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._held = {}

    def v2_playbook_on_play_start(self, play):
        """Before the first task of a play."""
        if context.CLIARGS.get("check"):
            return
        variables = play.get_variable_manager().get_vars(play=play)
        hosts = variables.get("hostvars") or {}
        group = (variables.get("groups") or {}).get("fleetyard") or []
        for name in group[:1]:
            stack = hosts[name].get("fleetyard_stack")
            if stack and stack not in self._held:
                self._take(str(stack))

    def _take(self, stack):
        """Hold the stack's lock until this process ends. Exits when another process holds it."""
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        # A simulated stack is one of its world's: another world may have one of the same name.
        folder = Path(os.environ.get("FLEETYARD_SIM_HOME") or Path(state) / "fleetyard") / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        # Opened for reading too: the holder's number is in it. Never removed, for that would split the lock in two.
        handle = os.open(folder / f"{stack}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "another process"
            self._display.error(
                f"FY1934 error stack {stack}: another playbook runs on it (process {holder}). "
                "Fix: wait until it has ended, then run this again.",
                wrap_text=False,
            )
            raise SystemExit(BUSY) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._held[stack] = handle
