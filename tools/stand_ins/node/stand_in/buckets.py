"""gcsfuse and mount-s3: a folder plays the bucket, and bindfs makes a real mount of it, with the rights of who asks."""

# ruff: noqa: E501 - lines are as long as what the tools print

from __future__ import annotations

import os
import sys
from pathlib import Path

from stand_in.node import NOTE, Node

FLAGS = {
    "gcsfuse": {"--foreground", "--implicit-dirs", "--debug_fuse"},
    "mount-s3": {
        "--foreground",
        "--allow-other",
        "--read-only",
        "--allow-delete",
        "--allow-overwrite",
        "--auto-unmount",
    },
}
AT = "var/lib/fleetyard-stand-in/buckets"


def _words(arguments: list[str], flags: set[str]) -> tuple[dict[str, str], list[str]]:
    """Options by name, and what is no option. `--name=value` and `--name value` are the same."""
    options: dict[str, str] = {}
    plain: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, sign, value = word.partition("=")
        if not word.startswith("-"):
            plain.append(word)
        elif word in flags:
            options[word] = ""
        elif sign:
            options[name] = value
        else:
            options[word] = rest.pop(0) if rest else ""
    return options, plain


def _mount(node: Node, program: str, bucket: str, prefix: str, at: str, others: bool, read_only: bool) -> int:
    folder = node.root / AT / bucket
    if not folder.is_dir():
        said = {
            "gcsfuse": f'Error: fs.NewServer: create file system: SetUpBucket: storage: bucket doesn\'t exist "{bucket}"',
            "mount-s3": f"Error: Failed to create mount process\n\nCaused by:\n    bucket {bucket} does not exist (NoSuchBucket)",
        }
        print(f"{said[program]} ({NOTE})", file=sys.stderr)
        return 1
    if not Path(at).is_dir():
        print(f"Error: mount point {at} is not a directory ({NOTE})", file=sys.stderr)
        return 1
    source = folder / prefix.strip("/")
    source.mkdir(parents=True, exist_ok=True)
    words = ["bindfs", "-f", "-o", f"fsname={program}-{NOTE}", *([] if others else ["--no-allow-other"])]
    print(f"{program} ({NOTE}): {bucket} at {at}", flush=True)
    return os.execvp("bindfs", [*words, *(["-r"] if read_only else []), str(source), at])  # noqa: S606 - from PATH, as a user would


def gcsfuse(node: Node, arguments: list[str]) -> int:
    """Cloud Storage FUSE."""
    if arguments[:1] in (["--version"], ["-v"]):
        print(f"gcsfuse version {node.version('gcsfuse')} ({NOTE})")
        return 0
    options, plain = _words(arguments, FLAGS["gcsfuse"])
    if len(plain) != 2:
        print("Error: gcsfuse takes one or two arguments. (stand-in: two)", file=sys.stderr)
        return 1
    mount = options.get("-o", "").split(",")
    return _mount(
        node, "gcsfuse", plain[0], options.get("--only-dir", ""), plain[1], "allow_other" in mount, "ro" in mount
    )


def mount_s3(node: Node, arguments: list[str]) -> int:
    """Mountpoint for Amazon S3."""
    if arguments[:1] in (["--version"], ["-V"]):
        print(f"mount-s3 ({NOTE})")
        return 0
    options, plain = _words(arguments, FLAGS["mount-s3"])
    if len(plain) != 2:
        print(
            f"error: the following required arguments were not provided: <BUCKET_NAME> <DIRECTORY> ({NOTE})",
            file=sys.stderr,
        )
        return 2
    return _mount(
        node, "mount-s3", plain[0], options.get("--prefix", ""), plain[1], "--allow-other" in options,
        "--read-only" in options,
    )  # fmt: skip


def lustre(node: Node, arguments: list[str]) -> int:
    """mount.lustre, lctl, lfs: no kernel here has the modules."""
    if "--version" in arguments or arguments[:1] == ["version"]:
        print(f"{Path(node.program).name} {node.version('lustre-client')} ({NOTE})")
        return 0
    print(
        f"{Path(node.program).name}: mount failed: No such device. Are the lustre modules loaded? ({NOTE})",
        file=sys.stderr,
    )
    return 19
