"""What a machine does on its first boot, and on every boot after: make its cache if it is not there.

One shell script serves both clouds. On AWS it is the user data (run once: it installs a unit that runs on every
boot), on Google Cloud the startup script (run on every boot: installing again changes nothing). It holds no secret
and no address. The role `nvme_cache` writes the same script and unit: whichever comes second changes nothing.
"""

from __future__ import annotations

from fleetyard.catalog import Cloud
from fleetyard.plan.model import CachePlan

LABEL = "fy-cache"
"""File system label: XFS allows twelve characters."""

_LINKS = {
    Cloud.AWS: "/dev/disk/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_*",
    Cloud.GCP: "/dev/disk/by-id/google-local-nvme-ssd-*",
}
"""The links that udev gives to local drives; network disks have other names."""

_NVME = """\
#!/bin/bash
# One file system over all local drives, striped. They are empty on a machine that just started or moved, and full on
# one that only rebooted: make what is absent, keep what is there.
set -euo pipefail
at=@AT@
mountpoint -q "$at" && exit 0
udevadm settle || true
drives=()
while read -r drive; do
  drives+=("$drive")
done < <(
  for link in @LINKS@; do
    # A drive may have several links, and each of its partitions has one.
    if [[ -b $link && $link != *-part* ]]; then readlink -f "$link"; fi
  done | sort -u
)
if ((${#drives[@]} == 0)); then
  echo "no local NVMe drive found, so there is no cache at $at" >&2
  exit 1
fi
device=$(blkid -L @LABEL@ || true)
if [[ -z $device ]]; then
  holder=$(ls "/sys/class/block/${drives[0]##*/}/holders" | head -n 1)
  if ((${#drives[@]} == 1)); then
    device=${drives[0]}
  elif [[ -n $holder ]]; then
    device=/dev/$holder
  else
    device=/dev/md/@LABEL@
    mdadm --create "$device" --run --force --homehost=any --name=@LABEL@ --level=0 \\
      --raid-devices="${#drives[@]}" "${drives[@]}"
  fi
  mkfs.xfs -f -K -L @LABEL@ "$device"
fi
mkdir -p "$at"
mount -o noatime "$device" "$at"
chmod 1777 "$at"
"""

_RAM = """\
#!/bin/bash
# TPU hosts have no local drives, and a disk can be attached to a slice of several hosts only for reading: the cache is
# half of the host's memory, filled again after every boot.
set -euo pipefail
at=@AT@
mountpoint -q "$at" && exit 0
mkdir -p "$at"
mount -t tmpfs -o size=50%,mode=1777,noatime @LABEL@ "$at"
"""

_UNIT = """\
[Unit]
Description=Local cache at @AT@, made at boot if it is absent
Before=slurmd.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/fleetyard-cache

[Install]
WantedBy=multi-user.target
"""

_INSTALL = """\
#!/bin/bash
set -euo pipefail
install -d -m 0755 /usr/local/sbin
cat > /usr/local/sbin/fleetyard-cache <<'FLEETYARD_SCRIPT'
@SCRIPT@FLEETYARD_SCRIPT
chmod 0755 /usr/local/sbin/fleetyard-cache
cat > /etc/systemd/system/fleetyard-cache.service <<'FLEETYARD_UNIT'
@UNIT@FLEETYARD_UNIT
systemctl daemon-reload
systemctl enable fleetyard-cache.service
systemctl start --no-block fleetyard-cache.service
"""


def boot_script(cloud: Cloud, cache: CachePlan | None) -> str:
    """The script for a pool's machines; empty when they have nothing to prepare. The same input gives the same text."""
    if cache is None:
        return ""
    script = _RAM if cache.medium == "ram" else _NVME.replace("@LINKS@", _LINKS[cloud])
    text = _INSTALL.replace("@SCRIPT@", script).replace("@UNIT@", _UNIT)
    return text.replace("@AT@", cache.at).replace("@LABEL@", LABEL)
