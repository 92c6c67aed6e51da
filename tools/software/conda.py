"""A conda channel with one package of our own, in the format that conda clients link: placeholder, links, metadata."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

NAME, VERSION, BUILD = "fleetyard-hello", "1.2.0", "0"
PLACEHOLDER = "/placehold_" + "placehold_" * 20
"""What a client replaces by the environment's folder in files that name it."""


def channel(root: Path) -> str:
    """Write the channel below `root`; the explicit list that installs its package."""
    file = f"{NAME}-{VERSION}-{BUILD}.tar.bz2"
    # Its own folder is written in by whoever links it.
    script = f'#!/bin/sh\n[ -x "{PLACEHOLDER}/bin/{NAME}" ] && echo "hello from a conda environment"\n'
    index = {
        "name": NAME, "version": VERSION, "build": BUILD, "build_number": 0, "subdir": "noarch", "noarch": "generic",
        "depends": [], "license": "Apache-2.0", "timestamp": 1577836800000,
    }  # fmt: skip
    row = {
        "_path": f"bin/{NAME}", "path_type": "hardlink", "prefix_placeholder": PLACEHOLDER, "file_mode": "text",
        "sha256": hashlib.sha256(script.encode()).hexdigest(), "size_in_bytes": len(script),
    }  # fmt: skip
    parts = {
        f"bin/{NAME}": (script, 0o755),
        "info/index.json": (json.dumps(index), 0o644),
        "info/paths.json": (json.dumps({"paths": [row], "paths_version": 1}), 0o644),
        "info/files": (f"bin/{NAME}\n", 0o644),
        "info/has_prefix": (f"{PLACEHOLDER} text bin/{NAME}\n", 0o644),
        "info/about.json": (json.dumps({"summary": "Says hello from its environment."}), 0o644),
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:bz2") as out:
        for name, (text, mode) in parts.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode, about.mtime = len(text.encode()), mode, 1577836800
            out.addfile(about, io.BytesIO(text.encode()))
    content = raw.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    folder = root / "fleetyard" / "noarch"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    record = index | {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": digest,
        "size": len(content),
    }
    data = {"info": {"subdir": "noarch"}, "packages": {file: record}, "packages.conda": {}, "repodata_version": 1}
    (folder / "repodata.json").write_text(json.dumps(data, indent=1))
    return f"@EXPLICIT\nfleetyard/noarch/{file}#{digest}\n"
