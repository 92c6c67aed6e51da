"""`python tools/software`: make the index and the channel, and say where they are."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from software import fill

if __name__ == "__main__":
    print(fill())
