"""What every stack is planned and checked with, and the catalogue's facts."""

from __future__ import annotations

import fleetyard.checks
import fleetyard.outputs
import fleetyard.plan
import fleetyard.spec
from fleetyard.catalog import catalog

TOUCHED = (fleetyard.checks, fleetyard.outputs, fleetyard.plan, fleetyard.spec, catalog())
