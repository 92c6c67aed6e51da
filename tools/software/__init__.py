"""What the roles above the drivers install from: an index of real wheels and of stand-ins, and a small conda channel.

`fill()` makes it in the user's cache folder; hosts see it under `software/` of the folder that serves wheels.
"""

from __future__ import annotations

from software.fill import ALIAS, INDEX, STAND_INS, fill, locks

__all__ = ["ALIAS", "INDEX", "STAND_INS", "fill", "locks"]
