"""Network namespaces without names: each is held open by a file descriptor of this process, and gone when it is gone.

Nothing is mounted under /run/netns, so a process that is killed leaves no namespace behind: the kernel removes it,
and the cards in it, with its last user.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _in_a_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own: a namespace belongs to a thread, and this one is not used again."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


class NetworkSpace:
    """One network namespace, with its loopback up."""

    def __init__(self) -> None:
        def make() -> int:
            _checked(_libc.unshare(_CLONE_NEWNET), "unshare")
            return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        self._fd = _in_a_thread(make)
        self.ip(["link set lo up"])

    @property
    def fd(self) -> int:
        """The descriptor that holds it open; `/proc/<pid>/fd/<fd>` opens it from elsewhere."""
        return self._fd

    @property
    def path(self) -> str:
        """A path that opens it, for this process and its children, for as long as this process lives."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def close(self) -> None:
        """Let go of it: the kernel removes it with its last user."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def run(self, command: Sequence[str], said: str | None = None) -> str:
        """Run a command in it; its output. Raises RuntimeError with what it said when it fails."""
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *command], input=said, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def ip(self, lines: Sequence[str]) -> None:
        """Carry out several `ip` commands at once. Raises RuntimeError at the first that fails."""
        self.run(["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def write(self, settings: Sequence[tuple[str, str]]) -> None:
        """Set `net.*` kernel settings in it: (path below /proc/sys/net, value)."""

        def work() -> None:
            _checked(_libc.setns(self._fd, _CLONE_NEWNET), "setns")
            for path, value in settings:
                with open(f"/proc/sys/net/{path}", "w") as file:
                    file.write(value)

        _in_a_thread(work)

    def listen(self, address: str, port: int) -> socket.socket:
        """A socket that listens in it. Raises OSError."""

        def work() -> socket.socket:
            _checked(_libc.setns(self._fd, _CLONE_NEWNET), "setns")
            made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address, port))
            made.listen(128)
            return made

        return _in_a_thread(work)

    def answers(self, address: str, port: int, patience_s: float = 0.5) -> bool:
        """Whether something in it accepts connections there."""

        def work() -> bool:
            _checked(_libc.setns(self._fd, _CLONE_NEWNET), "setns")
            with socket.socket() as probe:
                probe.settimeout(patience_s)
                return probe.connect_ex((address, port)) == 0

        return _in_a_thread(work)
