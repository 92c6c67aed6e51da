"""Stand-ins for vendors' packages that no index has, in signed repositories like the vendors' own.

`fill()` makes them in the user's cache folder; hosts see them under `stand-ins/` of the folder that serves wheels.
Folders are named after the origins of the version manifest, so that `stand-ins` takes the place of an air-gapped
mirror's base URL. A repository of rpm packages would lie beside the others, at nvidia/compute/cuda/repos/rhel9/x86_64
(createrepo_c and rpmbuild make it); none is built yet.
"""

from __future__ import annotations

from stand_ins.fill import fill, home

__all__ = ["fill", "home"]
