"""`python -m fleetyard` is the `fleetyard` command."""

from __future__ import annotations

import sys

from fleetyard.cli import main

sys.exit(main())
