"""Kernel modules that DKMS builds for real: sources of our own, a few lines each. They do nothing when loaded."""

from __future__ import annotations

from collections.abc import Sequence

from stand_ins.deb import File, Files

_SOURCE = """\
// SPDX-License-Identifier: GPL-2.0-only
// A stand-in for {title}: it is built as the vendor's is, and drives nothing.
#include <linux/init.h>
#include <linux/module.h>

static int __init stand_in_init(void)
{{
\tpr_info("{name} {version} (stand-in): no hardware is driven\\n");
\treturn 0;
}}

static void __exit stand_in_exit(void)
{{
}}

module_init(stand_in_init);
module_exit(stand_in_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("Fleetyard");
MODULE_DESCRIPTION("Stand-in for {title}");
MODULE_VERSION("{version}");
"""
_MAKEFILE = """\
obj-m := {objects}
KDIR ?= /lib/modules/$(KERNELRELEASE)/build

all:
\t$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
\t$(MAKE) -C $(KDIR) M=$(CURDIR) clean
"""


def source(package: str, version: str, names: Sequence[str], title: str) -> Files:
    """Files of a DKMS source package under usr/src: dkms.conf, a Makefile, one C file for each module."""
    at = f"usr/src/{package}-{version}"
    conf = [f'PACKAGE_NAME="{package}"', f'PACKAGE_VERSION="{version}"', 'AUTOINSTALL="yes"']
    # As the vendor's: all modules in one run of make, for one kernel.
    conf += ['MAKE[0]="make KERNELRELEASE=$kernelver KDIR=/lib/modules/$kernelver/build all"', 'CLEAN="true"']
    for place, name in enumerate(names):
        conf += [f'BUILT_MODULE_NAME[{place}]="{name}"', f'DEST_MODULE_LOCATION[{place}]="/updates/dkms"']
    files = {
        f"{at}/dkms.conf": File("\n".join([*conf, ""]).encode()),
        f"{at}/Makefile": File(_MAKEFILE.format(objects=" ".join(f"{name}.o" for name in names)).encode()),
    }
    for name in names:
        text = _SOURCE.format(name=name, version=version, title=f"{title} ({name})")
        files[f"{at}/{name}.c"] = File(text.encode())
    return files


def scripts(package: str, version: str) -> dict[str, str]:
    """What Debian's own DKMS packages do when they are installed and removed."""
    return {
        "postinst": f"""\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if [ -e /usr/lib/dkms/common.postinst ]; then
    sh /usr/lib/dkms/common.postinst {package} {version} /usr/share/{package} "" "$2"
  fi
fi
""",
        "prerm": f"""\
#!/bin/sh
set -e
case "$1" in
  remove|upgrade|deconfigure)
    if [ "$(dkms status -m {package} -v {version})" ]; then
      dkms remove -m {package} -v {version} --all >&2
    fi
    ;;
esac
""",
    }
