"""Keeps what a node shows of itself, for the controller to judge: outputs of tools, and measurements of the host.

    probe.py run [--out FILE] [--budget 90] [--folder /cache] [--disk-mib 1024] [--peer HOST:PORT] [--serve PORT]
    probe.py look [--budget 30] [--days 7]
    probe.py gemm [--seconds 5]

Standard library only, Python 3.9 or newer. Judges nothing: a tool that is missing, hangs or fails is recorded as such.
`run` writes one JSON document, version 1, to FILE or standard output. Exit status 0 whenever the document is whole.
`look` writes one too and loads nothing: it is for nodes at work. Its kernel log is the journal's, of several days.

What is measured here, and what it is worth:
- memory: as many processes as there are processors (at most 64) copy between two buffers of their own, each larger than
  a cache; the sum counts bytes read plus bytes written, as STREAM does. A floor of what the host can do, not STREAM.
- disk: one file, written and read past the page cache (O_DIRECT) in blocks of 4 MiB by four threads. Where the file
  system refuses O_DIRECT only writing is measured, with fsync, and reading is not: it would measure memory.
- network: one node sends to its peer over four TCP connections for some seconds. Python's own limits are about
  10 Gbps a process; a faster network shows as that.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import mmap
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

VERSION = 1
KEEP_BYTES = 8 * 2**20
"""More than any tool here writes; what goes beyond is marked as cut."""
MIB = 2**20
BLOCK = 4 * MIB
STAND_INS = "/usr/lib/fleetyard-stand-in/"
"""Where programs lie that play a vendor's tool: what they say is no measurement, and the document says so."""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/opt/amazon/efa/bin:/opt/aws/neuron/bin"

Row = dict[str, Any]

TOOLS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("smi_xml", ("nvidia-smi", "-q", "-x"), 40),
    ("nvlink", ("nvidia-smi", "nvlink", "-s"), 30),
    ("topo", ("nvidia-smi", "topo", "-m"), 30),
    ("dcgm_diag", ("dcgmi", "diag", "-r", "1", "-j"), 60),
    ("dcgm_health", ("dcgmi", "health", "-g", "0", "-c", "-j"), 20),
    ("neuron_ls", ("neuron-ls", "--json-output"), 20),
    ("fi_info", ("fi_info", "-p", "efa"), 20),
    ("ibv_devinfo", ("ibv_devinfo",), 20),
    ("ibstat", ("ibstat",), 20),
    ("lspci", ("lspci", "-D", "-vv"), 20),
    ("lsblk", ("lsblk", "-J", "-b", "-o", "NAME,TYPE,SIZE,MODEL,MOUNTPOINT"), 20),
    ("nvme_list", ("nvme", "list", "-o", "json"), 20),
    ("kernel_log", ("dmesg",), 20),
)

LOOKED_AT = ("smi_xml",)
"""What a node at work is asked for beside its kernel log, its drives and its RDMA counters."""
KERNEL_WORDS = r"NVRM: Xid|SXid|[Ll]ink (down|up)|nvme nvme|AER: |severity="
"""Lines of the kernel that may mean something: a week of all of them would be long."""


def ask(command: Sequence[str], limit_s: float) -> Row:
    """Run one tool and keep everything about it."""
    row: Row = {"command": " ".join(command), "limit_s": round(limit_s, 1)}
    where = shutil.which(command[0], path=PATH + ":" + os.environ.get("PATH", ""))
    if where is None:
        return {**row, "missing": True, "status": None, "out": "", "err": "", "took_s": 0.0}
    if os.path.realpath(where).startswith(STAND_INS):
        row["stand_in"] = True
    began = time.monotonic()
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C", "PATH": PATH + ":" + os.environ.get("PATH", "")}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            # A session of its own, so that what the tool has started ends with it.
            running = subprocess.Popen(  # noqa: S603 - the commands stand above
                [where, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,
            )
        except OSError as wrong:
            return {**row, "status": 126, "out": "", "err": str(wrong), "took_s": 0.0}
        try:
            row["status"] = running.wait(max(0.1, limit_s))
        except subprocess.TimeoutExpired:
            row["status"], row["timed_out"] = None, True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, 9)
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:  # a driver may hold it in the kernel: it is left behind
                row["stuck"] = True
        row["took_s"] = round(time.monotonic() - began, 3)
        for name, kept in (("out", out), ("err", err)):
            kept.seek(0)
            data = kept.read(KEEP_BYTES + 1)
            if len(data) > KEEP_BYTES:
                row["cut"] = True
            row[name] = data[:KEEP_BYTES].decode("utf-8", "replace")
    return row


def _written(text: str) -> Row:
    return {"command": "files", "status": 0, "out": text, "err": "", "took_s": 0.0}


def device_nodes() -> Row:
    """Nodes of TPU chips, one a line."""
    found = sorted(glob.glob("/dev/accel*") + glob.glob("/dev/accel/*") + glob.glob("/dev/vfio/*"))
    return _written("".join(f"{path}\n" for path in found if not os.path.isdir(path)) or "none\n")


def rdma_counters() -> Row:
    """Every counter of every RDMA port, as PATH:VALUE."""
    lines: list[str] = []
    for kind in ("counters", "hw_counters"):
        for path in sorted(glob.glob(f"/sys/class/infiniband/*/ports/*/{kind}/*")):
            try:
                with open(path, encoding="ascii", errors="replace") as file:
                    value = file.read().strip()
            except OSError:
                continue
            if value.isdigit():
                lines.append(f"{path}:{value}\n")
    if not lines:
        return {**_written(""), "command": "rdma-devices", "missing": True, "status": None}
    return _written("".join(lines))


def drives() -> list[str]:
    """NVMe namespaces by their device nodes."""
    return sorted(path for path in glob.glob("/dev/nvme*n*") if re.fullmatch(r"/dev/nvme\d+n\d+", path))


def ask_all(deadline: float, extra: Sequence[tuple[str, tuple[str, ...], float]] = ()) -> dict[str, Row]:
    """Every tool at once, none beyond the deadline."""
    tools = [*TOOLS, *extra]
    tools += [(f"nvme_smart:{path}", ("nvme", "smart-log", path, "-o", "json"), 15) for path in drives()]
    with ThreadPoolExecutor(max_workers=8) as pool:
        asked = {
            name: pool.submit(lambda c=command, s=limit: ask(c, min(s, deadline - time.monotonic())))
            for name, command, limit in tools
        }
        found = {name: each.result() for name, each in asked.items()}
    if found["kernel_log"].get("status") != 0:
        # dmesg may be kept to root, the journal to a group.
        limit = min(10, max(2, deadline - time.monotonic()))
        other = ask(("journalctl", "-k", "-b", "-o", "short-iso", "--no-pager"), limit)
        if other.get("status") == 0:
            found["kernel_log"] = other
    found["device_nodes"] = device_nodes()
    found["rdma_counters"] = rdma_counters()
    return found


def kernel_words(days: int, limit_s: float) -> Row:
    """What the journal has of the kernel, those lines that may mean something, with their times."""
    # By identifier: what syslog wrote for the kernel belongs there too.
    words = ("journalctl", "-t", "kernel", f"--since=-{days}d", "-o", "short-iso-precise", "--no-pager", "-q")
    row = ask((*words, f"--grep={KERNEL_WORDS}"), limit_s)
    if row.get("status") == 1 and not row["out"].strip() and not row["err"].strip():
        row["status"] = 0  # nothing was found
    return row


def look(args: argparse.Namespace) -> Row:
    """What tells of trouble, from a node that may be at work."""
    began = time.monotonic()
    deadline = began + args.budget
    wanted = [row for row in TOOLS if row[0] in LOOKED_AT]
    wanted += [(f"nvme_smart:{path}", ("nvme", "smart-log", path, "-o", "json"), 15) for path in drives()]
    found = {name: ask(command, min(limit, deadline - time.monotonic())) for name, command, limit in wanted}
    found["kernel_log"] = kernel_words(args.days, max(2, deadline - time.monotonic()))
    found["rdma_counters"] = rdma_counters()
    with open("/proc/uptime", encoding="ascii") as file:
        booted = time.time() - float(file.read().split()[0])
    return {
        "version": VERSION,
        "host": args.host or socket.gethostname(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "took_s": round(time.monotonic() - began, 3),
        "tools": found,
        "parts": {"booted_s": round(booted, 1)},
    }


def cpu() -> Row:
    """Processors that this process may use, and their clock as the kernel shows it now."""
    row: Row = {"count": len(os.sched_getaffinity(0)), "online": os.cpu_count()}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as wrong:
        return {**row, "mhz": str(wrong)}
    clocks = [float(each) for each in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.M)]
    models = re.findall(r"^model name\s*:\s*(.+)", text, re.M)
    row["mhz"] = max(clocks) if clocks else "the kernel shows no clock"
    row["model"] = models[0].strip() if models else "unknown"
    return row


def memory_size() -> float | str:
    """GiB that the kernel has."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = re.search(r"^MemTotal:\s*(\d+) kB", file.read(), re.M)
    except OSError as wrong:
        return str(wrong)
    return int(found[1]) / 2**20 if found else "no MemTotal in /proc/meminfo"


def _available_mib() -> float:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            found = re.search(r"^MemAvailable:\s*(\d+) kB", file.read(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def memory_rate(seconds: float, workers: int | None = None) -> Row | str:
    """GB/s of copies by all processors together, bytes read plus bytes written."""
    count = min(workers or len(os.sched_getaffinity(0)), 64)
    size = 64 * MIB
    while size > 4 * MIB and count * 2 * size > _available_mib() * MIB / 4:
        size //= 2
    if count * 2 * size > _available_mib() * MIB / 2:
        return "too little memory is free"
    start, pipes = time.monotonic() + 0.5 + 0.02 * count, []
    for _ in range(count):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read)
                source = memoryview(bytearray(os.urandom(4096)) * (size // 4096))
                target = memoryview(bytearray(size))  # between two views nothing but the bytes moves
                target[:] = source
                time.sleep(max(0.0, start - time.monotonic()))
                began, rounds = time.monotonic(), 0
                while time.monotonic() - began < seconds:
                    target[:] = source
                    rounds += 1
                took = time.monotonic() - began
                os.write(write, f"{2 * size * rounds / took}".encode("ascii"))
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        pipes.append((child, read))
    rates = []
    for child, read in pipes:
        with os.fdopen(read, "rb") as file:
            data = file.read()
        os.waitpid(child, 0)
        if data:
            rates.append(float(data))
    if len(rates) != count:
        return f"{count - len(rates)} of {count} processes did not end well"
    return {"copy_gb_per_s": sum(rates) / 1e9, "workers": count, "buffer_mib": size // MIB}


def _passes(path: str, flags: int, total: int, limit_s: float, write: bool) -> tuple[int, float]:
    """Bytes moved and seconds, by four threads in blocks, within the limit."""
    blocks, lock, moved = iter(range(total // BLOCK)), threading.Lock(), [0]
    end = time.monotonic() + limit_s
    wrong: list[OSError] = []

    def work() -> None:
        buffer = mmap.mmap(-1, BLOCK)  # aligned to a page, as O_DIRECT wants it
        try:
            if write:
                buffer.write(os.urandom(4096) * (BLOCK // 4096))
            file = os.open(path, flags)
            try:
                while time.monotonic() < end and not wrong:
                    with lock:
                        block = next(blocks, None)
                    if block is None:
                        break
                    at = block * BLOCK
                    done = os.pwritev(file, [buffer], at) if write else os.preadv(file, [buffer], at)
                    with lock:
                        moved[0] += done
                if write:
                    os.fsync(file)
            finally:
                os.close(file)
        except OSError as each:
            wrong.append(each)
        finally:
            buffer.close()

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if wrong:
        raise wrong[0]
    return moved[0], time.monotonic() - began


def disk(folder: str, mib: int, limit_s: float) -> Row | str:
    """GB/s of one file in a folder. The file is removed again, also when something fails."""
    try:
        room = shutil.disk_usage(folder).free
    except OSError as wrong:
        return f"{folder}: {wrong.strerror}"
    total = min(mib * MIB, int(room * 0.5)) // BLOCK * BLOCK
    if total < 8 * BLOCK:
        return f"{folder} has {room // MIB} MiB free, too little to measure"
    row: Row = {"folder": folder, "mib": total // MIB}
    direct = getattr(os, "O_DIRECT", 0)
    try:
        handle, path = tempfile.mkstemp(prefix=".accept-", dir=folder)
    except OSError as wrong:
        return f"{folder}: {wrong.strerror}"
    os.close(handle)
    try:
        try:
            moved, took = _passes(path, os.O_WRONLY | direct, total, limit_s / 2, write=True)
        except OSError:  # no O_DIRECT here: a file system in memory, or stacked ones
            direct = 0
            moved, took = _passes(path, os.O_WRONLY, total, limit_s / 2, write=True)
        row.update(direct=bool(direct), write_gb_per_s=moved / took / 1e9)
        if not direct:
            row["read_gb_per_s"] = "the file system refuses O_DIRECT: reading would measure memory"
        elif moved < 8 * BLOCK:
            row["read_gb_per_s"] = "too little was written in time"
        else:
            moved, took = _passes(path, os.O_RDONLY | direct, moved // BLOCK * BLOCK, limit_s / 2, write=False)
            row["read_gb_per_s"] = moved / took / 1e9
    except OSError as wrong:
        return f"{folder}: {wrong.strerror}"
    finally:
        os.unlink(path)
    return row


class Server:
    """Takes what peers send, for as long as the probe runs. Counts and forgets it."""

    def __init__(self, port: int) -> None:
        self.received = 0
        self.peers: dict[str, int] = {}
        self._socket = socket.create_server(("", port), backlog=64)
        self.port = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, address = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(peer, address[0]), daemon=True).start()

    def _take(self, peer: socket.socket, address: str) -> None:
        buffer = bytearray(MIB)
        with peer:
            while True:
                try:
                    count = peer.recv_into(buffer)
                except OSError:
                    return
                if not count:
                    peer.close()
                    return
                with self._lock:
                    self.received += count
                    self.peers[address] = self.peers.get(address, 0) + count

    def close(self) -> None:
        """Take no more."""
        self._socket.close()


def send(peer: str, seconds: float, wait_s: float) -> Row:
    """Gbps to a peer over four connections; the peer's probe may begin a little later."""
    host, _, port = peer.rpartition(":")
    row: Row = {"peer": peer}
    end = time.monotonic() + wait_s
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < 4:
            try:
                sockets.append(socket.create_connection((host, int(port)), timeout=2))
            except (OSError, ValueError) as wrong:
                if time.monotonic() > end:
                    return {**row, "send_gbps": f"{peer} does not answer: {wrong}"}
                time.sleep(0.3)
        sent, lock, began = [0], threading.Lock(), time.monotonic()

        def work(each: socket.socket) -> None:
            buffer, mine = bytes(MIB), 0
            each.settimeout(5)
            try:
                while time.monotonic() - began < seconds:
                    mine += each.send(buffer)
                each.shutdown(socket.SHUT_WR)
                each.recv(1)  # ends when the peer has taken everything
            except OSError:
                pass
            with lock:
                sent[0] += mine

        threads = [threading.Thread(target=work, args=(each,)) for each in sockets]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return {**row, "send_gbps": sent[0] * 8 / (time.monotonic() - began) / 1e9, "connections": len(sockets)}
    finally:
        for each in sockets:
            each.close()


def run(args: argparse.Namespace) -> Row:
    """Everything, within the budget. Tools first: what loads the host comes when they are done."""
    began = time.monotonic()
    deadline = began + args.budget
    server = None
    network: Row = {}
    if args.serve is not None:
        try:
            server = Server(args.serve)
        except OSError as wrong:
            network["serve"] = str(wrong)
    extra = [("gemm", (sys.executable, os.path.abspath(__file__), "gemm"), 30.0)] if args.gemm else []
    tools = ask_all(deadline - 35, extra)
    if args.peer:
        left = deadline - time.monotonic() - 22
        if left > 0:
            network.update(send(args.peer, args.net_seconds, min(15.0, left)))
        else:
            network["send_gbps"] = "the tools took all the time there was"
    rate = memory_rate(min(2.0, max(0.5, deadline - time.monotonic() - 18)))
    size = memory_size()
    parts: Row = {
        "cpu": cpu(),
        "memory": {"total_gib": size, **(rate if isinstance(rate, dict) else {"copy_gb_per_s": rate})},
        "disk": disk(args.folder, args.disk_mib, min(16.0, max(0.5, deadline - time.monotonic() - 2))),
    }
    if server is not None:
        # The peer that sends here may be slower to get so far.
        wait = min(deadline, time.monotonic() + args.linger)
        while not server.peers and time.monotonic() < wait:
            time.sleep(0.2)
        time.sleep(min(args.net_seconds + 1, max(0.0, wait - time.monotonic())))
        server.close()
        network["received_bytes"] = server.received
        network["from"] = sorted(server.peers)
    if network:
        parts["network"] = network
    return {
        "version": VERSION,
        "host": args.host or socket.gethostname(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "kernel": os.uname().release,
        "took_s": round(time.monotonic() - began, 3),
        "tools": tools,
        "parts": parts,
    }


def gemm(seconds: float) -> list[Row]:
    """bf16 matrix multiplication and copies on each GPU that PyTorch sees, one after the other."""
    try:
        import torch
    except ImportError:
        return [{"error": "no PyTorch for this Python"}]
    if not torch.cuda.is_available():
        return [{"error": "PyTorch sees no GPU"}]
    size, rows = 8192, []
    for device in range(torch.cuda.device_count()):
        with torch.cuda.device(device):
            a = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
            b = torch.randn(size, size, device="cuda", dtype=torch.bfloat16)
            source = torch.empty(2**30, device="cuda", dtype=torch.uint8)
            target = torch.empty_like(source)
            each_s = seconds / 2

            def fastest(once: Any, limit_s: float) -> float:
                """Seconds of the fastest of groups of ten, after a warm-up."""
                for _ in range(10):
                    once()
                torch.cuda.synchronize()
                best, end = float("inf"), time.monotonic() + limit_s
                while time.monotonic() < end:
                    first = torch.cuda.Event(enable_timing=True)
                    last = torch.cuda.Event(enable_timing=True)
                    first.record()
                    for _ in range(10):
                        once()
                    last.record()
                    torch.cuda.synchronize()
                    best = min(best, first.elapsed_time(last) / 1e3 / 10)
                return best

            product = fastest(lambda a=a, b=b: torch.matmul(a, b), each_s)
            copied = fastest(lambda a=target, b=source: a.copy_(b), each_s)
            rows.append(
                {
                    "device": device,
                    "dtype": "bf16",
                    "size": size,
                    "tflops": 2 * size**3 / product / 1e12,
                    "copy_gb_per_s": 2 * 2**30 / copied / 1e9,
                }
            )
    return rows


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="probe.py", description="Keep what a node shows of itself.")
    act = parser.add_subparsers(dest="act", required=True)
    one = act.add_parser("run")
    one.add_argument("--out", metavar="FILE", help="where the document goes; standard output without")
    one.add_argument("--budget", type=float, default=90, help="seconds that everything may take")
    one.add_argument("--host", help="name of the node; its own without")
    one.add_argument("--folder", default=tempfile.gettempdir(), help="folder whose drive is measured")
    one.add_argument("--disk-mib", type=int, default=1024, help="size of the file that is written there")
    one.add_argument("--peer", metavar="HOST:PORT", help="a node to which to send")
    one.add_argument("--serve", type=int, metavar="PORT", help="take what a peer sends")
    one.add_argument("--net-seconds", type=float, default=4, help="how long to send")
    one.add_argument("--linger", type=float, default=15, help="how long to wait for the peer that sends here")
    one.add_argument("--gemm", action="store_true", help="also measure GPUs with PyTorch, where there is one")
    eye = act.add_parser("look")
    eye.add_argument("--budget", type=float, default=30, help="seconds that everything may take")
    eye.add_argument("--host", help="name of the node; its own without")
    eye.add_argument("--days", type=int, default=7, help="how far back the kernel's log is read")
    two = act.add_parser("gemm")
    two.add_argument("--seconds", type=float, default=3)
    args = parser.parse_args(words)
    if args.act == "gemm":
        rows = gemm(args.seconds)
        print("".join(json.dumps(row) + "\n" for row in rows), end="")
        return 1 if any("error" in row for row in rows) else 0
    if args.act == "look":
        print(json.dumps(look(args)))
        return 0
    text = json.dumps(run(args)) + "\n"
    if not args.out:
        print(text, end="")
        return 0
    # Written whole or not at all: nobody judges half a document.
    with open(f"{args.out}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{args.out}.new", args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
