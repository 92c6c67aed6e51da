"""Stand-ins for Python packages: wheels with the true name and version of a list's entry, and nothing of its code."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from software.lists import Entry

SOURCES = Path(__file__).resolve().parent / "stand_in"
HELPER = Entry("fleetyard-stand-in", "1.0", ())
MODULES: Mapping[str, tuple[str, ...]] = {
    "accelerate": ("accelerate",), "datasets": ("datasets",), "deepspeed": ("deepspeed",),
    "horovod": ("horovod", "horovod/torch"), "keras": ("keras",), "llmcompressor": ("llmcompressor",),
    "megatron-core": ("megatron/core",), "nvidia-modelopt": ("modelopt",), "tensorflow": ("tensorflow",),
    "torch": ("torch",), "torchao": ("torchao",), "transformers": ("transformers",), "triton": ("triton",),
    "tritonserver": ("tritonserver",), "trl": ("trl",), "vllm": ("vllm",),
}  # fmt: skip
"""Packages that can be imported, by distribution. The rest of a list is names and versions alone."""
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "accelerate": ("accelerate",), "deepspeed": ("deepspeed", "ds_report"), "horovod": ("horovodrun",),
    "torch": ("torchrun",), "transformers": ("transformers",),
}  # fmt: skip
"""Programs that would start others."""
SERVERS = {"vllm": "vllm_server", "tritonserver": "triton_server"}
_MODULE = '''"""A stand-in for {name}: its name and version, nothing of its code."""

from fleetyard_stand_in import imported as _imported

__version__ = "{version}"
_imported("{name}", __version__)


def __getattr__(name: str) -> object:
    raise AttributeError(f"{name} (stand-in) computes nothing: it has no {{name}}")
'''
_PROGRAM = """from fleetyard_stand_in import launched


def {function}() -> int:
    return launched("{program}", "{version}")
"""


def _files(entry: Entry) -> dict[str, str]:
    if entry == HELPER:
        return {"fleetyard_stand_in.py": (SOURCES / "fleetyard_stand_in.py").read_text()}
    values = {"name": entry.name, "version": entry.version}
    files = {f"{module}/__init__.py": _MODULE.format(**values) for module in MODULES.get(entry.name, ())}
    if server := SERVERS.get(entry.name):
        # Beside the package: it must not need the package's own code.
        files[f"{server}.py"] = (SOURCES / f"{server}.py").read_text()
    if programs := PROGRAMS.get(entry.name):
        functions = (_PROGRAM.format(function=each, program=each, version=entry.version) for each in programs)
        files[f"_{entry.name}_programs.py"] = "\n\n".join(functions)
    return files


def _scripts(entry: Entry) -> str:
    rows = [f"{program} = _{entry.name}_programs:{program}" for program in PROGRAMS.get(entry.name, ())]
    if server := SERVERS.get(entry.name):
        rows.append(f"{entry.name} = {server}:main")
    return "[console_scripts]\n" + "\n".join(rows) + "\n" if rows else ""


def build(entry: Entry, into: Path) -> Path:
    """Write the wheel, the same each time; its path."""
    stem = f"{entry.name.replace('-', '_')}-{entry.version}"
    about = f"{stem}.dist-info"
    files = _files(entry) | {
        f"{about}/METADATA": (
            f"Metadata-Version: 2.1\nName: {entry.name}\nVersion: {entry.version}\n"
            f"Summary: A stand-in for {entry.name}: nothing is computed.\n"
        ),
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: fleetyard\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if scripts := _scripts(entry):
        files[f"{about}/entry_points.txt"] = scripts
    rows = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in sorted(files.items())]
    files[f"{about}/RECORD"] = "\n".join([*rows, f"{about}/RECORD,,"]) + "\n"
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    wheel = into / f"{stem}-py3-none-any.whl"
    wheel.write_bytes(raw.getvalue())
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def play(lock: list[Entry], into: Path) -> str:
    """Stand-ins for a whole list, and the list that installs them: true names and versions, their own hashes."""
    rows = []
    for entry in [*lock, HELPER]:
        digest = hashlib.sha256(build(entry, into).read_bytes()).hexdigest()
        rows.append(f"{entry.name}=={entry.version} --hash=sha256:{digest}")
    return "# Stand-ins: names and versions are true, the packages hold nothing.\n" + "\n".join(rows) + "\n"
