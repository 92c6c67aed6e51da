"""What vendors publish as archives: the EFA installer and Pyxis' source."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from stand_ins.deb import File, Link, Package, build
from stand_ins.packages import HERE, base, library, programs, says

_INSTALLER = """\
#!/bin/bash
# A stand-in for the EFA installer: takes its flags, records how it was called, installs packages that hold nothing.
set -euo pipefail
version={version}
record=/var/lib/fleetyard-stand-in
here=$(cd "$(dirname "$0")" && pwd)
words=""
skip_plugin=""
for word in "$@"; do
  case "$word" in
    -y|--yes|-g|--enable-gdr|-k|--skip-kmod|-l|--skip-limit-conf|-n|--no-verify) ;;
    --minimal|--enable-ngc|-m|--mpi=*|-t|-d) ;;
    --skip-plugin) skip_plugin=yes ;;
    -u|--uninstall) ;;
    -h|--help)
      echo "efa_installer.sh (stand-in) $version: -y -g -k -l -n -u --minimal --enable-ngc --skip-plugin"
      exit 0
      ;;
    *) echo "Error: unknown option $word (stand-in)" >&2; exit 1 ;;
  esac
  words="$words${{words:+, }}\\"$word\\""
done
case " $* " in *" -u "*|*" --uninstall "*)
  dpkg --purge libnccl-ofi libfabric-aws efa-profile efa-config >/dev/null 2>&1 || true
  rm -f /opt/amazon/efa_installed_packages
  exit 0 ;;
esac
echo "= Starting Amazon Elastic Fabric Adapter Installation Script (stand-in) ="
echo "= EFA Installer Version: $version ="
packages=$(ls "$here"/DEBS/*.deb)
if [ -n "$skip_plugin" ]; then packages=$(echo "$packages" | grep -v libnccl-ofi); fi
# shellcheck disable=SC2086
dpkg --install $packages >/dev/null
{{
  echo "# EFA installer version: $version"
  echo "# Debug packages installed: no"
  echo "# Packages installed:"
  # shellcheck disable=SC2086
  for package in $packages; do basename "$package" .deb; done | tr '\\n' ' '
  echo
}} > /opt/amazon/efa_installed_packages
ldconfig
row='{{"program": "efa_installer.sh", "arguments": [%s], "time": %s, "uid": %s}}\\n'
# shellcheck disable=SC2059
printf "$row" "$words" "$(date +%s.%3N)" "$(id -u)" >> "$record/calls.jsonl"
echo "EFA installation complete (stand-in)."
"""

_PYXIS = """\
/* A stand-in for Pyxis: a SPANK plugin that Slurm loads, which offers its option and runs no container. */
#include <slurm/spank.h>
#include <slurm/slurm_errno.h>

SPANK_PLUGIN(pyxis, 1)

static int image(int value, const char *text, int remote)
{
    (void)value;
    (void)text;
    (void)remote;
    slurm_error("pyxis (stand-in): cannot run containers");
    return ESPANK_ERROR;
}

static struct spank_option option = {
    "container-image", "IMAGE", "[pyxis] (stand-in) image of the container", 1, 0, image
};

int slurm_spank_init(spank_t spank, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return spank_option_register(spank, &option);
}
"""
_PYXIS_MAKE = """\
CFLAGS ?= -O2 -Wall
spank_pyxis.so: pyxis_stand_in.c
\t$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

install: spank_pyxis.so
\tinstall -D -m 644 spank_pyxis.so $(DESTDIR)$(libdir)/slurm/spank_pyxis.so
"""


def _tar(target: Path, folder: str, files: Mapping[str, File | Link]) -> None:
    """A gzip archive that is the same each time. folder: what all lies in; empty for none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Compressed at no time: the same files are the same archive, with the same checksum, on every computer.
    with gzip.GzipFile(target, "wb", mtime=0) as plain, tarfile.open(fileobj=plain, mode="w") as out:
        for name, file in sorted(files.items()):
            about = tarfile.TarInfo(f"{folder}/{name}" if folder else name)
            if isinstance(file, Link):
                about.type, about.linkname = tarfile.SYMTYPE, file.to
                out.addfile(about)
            else:
                about.size, about.mode = len(file.content), file.mode
                out.addfile(about, io.BytesIO(file.content))


def efa(version: str, libfabric: str, plugin: str, target: Path, work: Path) -> None:
    """The installer's archive: aws-efa-installer/ with a script and packages."""
    path = "# stand-in\nexport PATH=/opt/amazon/efa/bin:$PATH\n"
    made = [
        base(),
        Package("efa-config", f"{version}-1", "EFA settings", says("efa", version)),
        Package(
            "efa-profile", f"{version}-1", "EFA paths",
            {"etc/ld.so.conf.d/000_efa.conf": File(b"/opt/amazon/efa/lib\n"),
             "etc/profile.d/zippy_efa.sh": File(path.encode())},
        ),
        Package(
            "libfabric-aws", f"{libfabric}-1", "libfabric",
            {**programs("opt/amazon/efa/bin/fi_info"), **says("libfabric", libfabric),
             **library("opt/amazon/efa/lib/libfabric.so.1.30.0", "libfabric.so.1")},
        ),
        Package(
            "libnccl-ofi", f"{plugin}-1", "OFI plugin of NCCL",
            {**library("opt/amazon/ofi-nccl/lib/x86_64-linux-gnu/libnccl-net-ofi.so", "libnccl-net.so"),
             **says("ofi-nccl", plugin)},
        ),
    ]  # fmt: skip
    files = {"efa_installer.sh": File(_INSTALLER.format(version=version).encode(), 0o755)}
    for package in made:
        deb = build(package, work)
        files[f"DEBS/{deb.name}"] = File(deb.read_bytes())
    _tar(target, "aws-efa-installer", files)


def pyxis(version: str, target: Path) -> None:
    """A source archive as a release page gives it."""
    files = {"Makefile": File(_PYXIS_MAKE.encode()), "pyxis_stand_in.c": File(_PYXIS.encode())}
    _tar(target, f"pyxis-{version}", files)


def mountpoint(version: str, target: Path) -> None:
    """Mountpoint for Amazon S3. Its program is that of the package of stand-ins, which must be there."""
    files = {"bin/mount-s3": Link(f"/{HERE}/run"), "VERSION": File(f"{version} (stand-in)\n".encode())}
    _tar(target, "", files)
