#!/usr/bin/env python3
"""What a node is made of, remembered, so that what changes by hand is found.

That is packages and holds, kernel settings, units, files below /etc and /usr/local, and users.

    fleetyard-state begin [--ignore GLOB ...]   # before a playbook: note how it is
    fleetyard-state end   [--ignore GLOB ...]   # after it: what changed since `begin` is meant, and joins the baseline
    fleetyard-state drift [--ignore GLOB ...]   # print as JSON how it differs from the baseline

What was different before the playbook began, and what the playbook left as it was, stays drift. `end` prints `changed`
when the baseline is another one now. Only Python's library is used (3.9 and later), and nothing is printed of a file
but its name.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path("/var/lib/fleetyard/state")
PLACES = ("/etc", "/usr/local")
VOLATILE = (
    # Made again by programs from what is looked at elsewhere, or by the host for itself.
    "/etc/adjtime",
    "/etc/ld.so.cache",
    "/etc/machine-id",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/etc/.pwd.lock",
    "/etc/.updated",
    "/etc/ssl/certs/*",
    # Users are looked at one by one, and passwords are nobody's business.
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/*-",
    "*/__pycache__/*",
)
Section = dict[str, Any]
State = dict[str, Section]


def said(*command: str) -> str:
    """What a program prints; nothing where it is missing or fails."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


# What is looked at. Each gives a name and what stands for it.


def debian_packages(text: str) -> Section:
    """From `dpkg-query`: name to version, and to `VERSION held` where it may not be upgraded."""
    found: Section = {}
    for line in text.splitlines():
        name, want, status, version = line.split("\t")
        if status == "installed":
            found[name] = {"version": version, "held": want == "hold"}
    return found


def rpm_packages(text: str, locked: str) -> Section:
    """From `rpm -qa` and `dnf versionlock list`."""
    locks = {line.strip() for line in locked.splitlines()}
    found: Section = {}
    for line in text.splitlines():
        name, version = line.split("\t")
        held = any(lock.startswith(f"{name}-") and version.rpartition(".")[0] in lock for lock in locks)
        found[name] = {"version": version, "held": held}
    return found


def packages() -> Section:
    """The installed packages."""
    fields = "${Package}:${Architecture}\t${db:Status-Want}\t${db:Status-Status}\t${Version}\n"
    if text := said("dpkg-query", "-W", "-f", fields):
        return debian_packages(text)
    return rpm_packages(
        said("rpm", "-qa", "--qf", "%{NAME}\t%{EVR}.%{ARCH}\n"), said("dnf", "-q", "versionlock", "list")
    )


def declared(folders: Iterable[Path]) -> Section:
    """Kernel settings that files of sysctl.d ask for, and what they ask; a later file wins, as at boot."""
    files: dict[str, Path] = {}
    for folder in folders:
        files.update({path.name: path for path in sorted(folder.glob("*.conf"))})
    found: Section = {}
    for name in sorted(files):
        for line in files[name].read_text(errors="replace").splitlines():
            key, equals, value = line.partition("=")
            key = key.strip().lstrip("-").replace("/", ".")
            if equals and key and key[0] not in "#;" and "*" not in key:
                found[key] = " ".join(value.split())
    return found


def sysctl() -> Section:
    """The kernel settings that a file of this host asks for, as they are."""
    found: Section = {}
    for key in declared(map(Path, ("/usr/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d"))):
        with contextlib.suppress(OSError):
            found[key] = " ".join((Path("/proc/sys") / key.replace(".", "/")).read_text().split())
    return found


def units_of(text: str) -> Section:
    """From `systemctl show`: whether a unit starts at boot, and whether it runs where it should stay."""
    found: Section = {}
    for block in text.split("\n\n"):
        row = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        state = row.get("UnitFileState", "")
        if not row.get("Id") or state not in ("enabled", "disabled", "masked", "masked-runtime"):
            continue
        stays = state == "enabled" and row.get("Type") != "oneshot"
        found[row["Id"]] = {"boot": state, "runs": row.get("ActiveState") == "active" if stays else None}
    return found


def units() -> Section:
    """Services, sockets, timers and mounts that are installed."""
    kinds = "--type=service,socket,timer,mount"
    listed = said("systemctl", "list-unit-files", kinds, "--no-legend", "--no-pager", "--plain")
    names = [
        line.split()[0] for line in listed.splitlines() if line and not line.split()[0].partition(".")[0].endswith("@")
    ]
    if not names:
        return {}
    fields = "--property=Id,Type,ActiveState,UnitFileState"
    return units_of(said("systemctl", "show", fields, "--", *names))


def _mark(path: Path) -> str | None:
    """Kind, rights, owner and content of a file, in one word; None for what is none."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return f"link to {os.readlink(path)}"
    if not stat.S_ISREG(found.st_mode):
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{stat.S_IMODE(found.st_mode):04o} {found.st_uid}:{found.st_gid} {digest}"


def files(places: Sequence[str], ignore: Sequence[str]) -> Section:
    """Every file below the places."""
    found: Section = {}
    for place in places:
        for folder, below, names in os.walk(place):
            # A link to a folder is listed with the folders, and not followed.
            links = [name for name in below if os.path.islink(os.path.join(folder, name))]
            for name in (*names, *links):
                path = os.path.join(folder, name)
                if any(fnmatch.fnmatch(path, glob) for glob in ignore):
                    continue
                # A file may go while it is looked at.
                with contextlib.suppress(OSError):
                    if (mark := _mark(Path(path))) is not None:
                        found[path] = mark
    return found


def users() -> Section:
    """Accounts, their groups, whether they have a password, and the keys that open them."""
    passwords = {line.split()[0]: line.split()[1] for line in said("passwd", "--status", "--all").splitlines()}
    groups = grp.getgrall()
    found: Section = {}
    for user in pwd.getpwall():
        keys = Path(user.pw_dir) / ".ssh" / "authorized_keys"
        with contextlib.suppress(OSError):
            found[f"{user.pw_name} authorized_keys"] = hashlib.sha256(keys.read_bytes()).hexdigest()
        found[user.pw_name] = {
            "ids": f"{user.pw_uid}:{user.pw_gid}",
            "home": user.pw_dir,
            "shell": user.pw_shell,
            "groups": sorted(group.gr_name for group in groups if user.pw_name in group.gr_mem),
            "password": passwords.get(user.pw_name, "") == "P",
        }
    return found


def look(ignore: Sequence[str]) -> State:
    """How the node is."""
    return {
        "packages": packages(),
        "sysctl": sysctl(),
        "units": units(),
        "files": files(PLACES, (*VOLATILE, *ignore)),
        "users": users(),
    }


# What is made of it. Pure.


def merged(baseline: State | None, before: State | None, after: State) -> State:
    """The new baseline: the old one, with what changed between before and after as it is now.

    Without an old one, or without a before, all that is there is meant.
    """
    if baseline is None or before is None:
        return after
    made: State = {}
    for section, now in after.items():
        old, was = baseline.get(section, {}), before.get(section, {})
        kept = dict(old)
        for name in {*was, *now}:
            if was.get(name) != now.get(name):
                kept.pop(name, None)
                if name in now:
                    kept[name] = now[name]
        made[section] = kept
    return made


def _kinds(section: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """What an entry's change is called, with what is said of it. A file's content and a key are never shown."""
    if section == "packages" and was and now:
        if was["version"] != now["version"]:
            yield "package", was["version"], now["version"]
        if was["held"] != now["held"]:
            yield "hold", *("held" if side["held"] else "not held" for side in (was, now))
    elif section == "packages":
        yield "package", *(side and side["version"] for side in (was, now))
    elif section == "files":
        yield "file", *_file_words(was, now)
    elif section == "units":
        sides = [
            side and side["boot"] + {True: ", runs", False: ", does not run", None: ""}[side["runs"]]
            for side in (was, now)
        ]
        yield "unit", *sides
    elif section == "users" and (isinstance(was, str) or isinstance(now, str)):
        yield "user", was and "keys", now and "other keys" if was else now and "keys"
    elif section == "users":
        sides = [{**side} if side else None for side in (was, now)]
        if was and now:
            same = [key for key in was if was[key] == now.get(key)]
            sides = [{key: value for key, value in side.items() if key not in same} for side in (was, now)]
        yield "user", *(side and json.dumps(side, sort_keys=True) for side in sides)
    else:
        yield section, was, now


def _file_words(was: str | None, now: str | None) -> tuple[str | None, str | None]:
    if was is None or now is None:
        return was and "there", now and "there"
    if was.startswith("link") or now.startswith("link"):
        return tuple(side if side.startswith("link") else "a file" for side in (was, now))  # type: ignore[return-value]
    (mode, owner, content), (new_mode, new_owner, new_content) = was.split(), now.split()
    left = [f"mode {mode}"] * (mode != new_mode) + [f"owner {owner}"] * (owner != new_owner)
    right = [f"mode {new_mode}"] * (mode != new_mode) + [f"owner {new_owner}"] * (owner != new_owner)
    if content != new_content:
        left, right = [*left, "content"], [*right, "other content"]
    return ", ".join(left), ", ".join(right)


def differences(baseline: State, now: State) -> list[dict[str, Any]]:
    """Where the node differs: kind (package, hold, sysctl, unit, file, user), name, what it was and is.

    None is for what is not there.
    """
    found = []
    for section in sorted({*baseline, *now}):
        old, new = baseline.get(section, {}), now.get(section, {})
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                for kind, was, is_now in _kinds(section, old.get(name), new.get(name)):
                    found.append({"kind": kind, "name": name, "was": was, "is": is_now})
    return found


# Remembering


def read(name: str) -> State | None:
    """What was remembered under a name; None where there is nothing, or nothing that can be read."""
    try:
        found: State = json.loads((FOLDER / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    return found


def write(name: str, state: State) -> None:
    """Remember it, whole or not at all, for root alone."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = FOLDER / f".{name}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, sort_keys=True)
    part.replace(FOLDER / f"{name}.json")


def main(words: Sequence[str] | None = None) -> int:
    """The command; 3 where there is no baseline to compare with."""
    parser = argparse.ArgumentParser(
        prog="fleetyard-state", description="Remember what a node is made of, and find what changed."
    )
    parser.add_argument("act", choices=["begin", "end", "drift"])
    parser.add_argument("--ignore", nargs="*", default=[], metavar="GLOB", help="files that are not looked at")
    args = parser.parse_args(words)
    if args.act == "begin":
        write("before", look(args.ignore))
    elif args.act == "end":
        old = read("baseline")
        new = merged(old, read("before"), look(args.ignore))
        (FOLDER / "before.json").unlink(missing_ok=True)
        if new != old:
            write("baseline", new)
            print("changed")
    else:
        baseline = read("baseline")
        if baseline is None:
            print("there is no baseline: site.yml has not run to its end here", file=sys.stderr)
            return 3
        print(json.dumps(differences(baseline, look(args.ignore))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
