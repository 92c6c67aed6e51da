"""`python -m fleetyard` is the `fleetyard` command."""

from __future__ import annotations

import sys

from fleetyard.cli import main

if __name__ == "__main__":
    sys.exit(main())
