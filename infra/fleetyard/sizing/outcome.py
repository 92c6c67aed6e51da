"""Whole training runs on an offer, for many counts at once: time, cost, energy, carbon, with failures and restarts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetyard.catalog import Buy, Unknown, known
from fleetyard.sizing import checkpoints, energy
from fleetyard.sizing.assumptions import Assumptions
from fleetyard.sizing.machine import store_gb_per_s
from fleetyard.sizing.models import Model
from fleetyard.sizing.offers import Offer

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Runs on `counts` units of one offer: seconds (expected, and at the upper end of the interval), dollars,
    kilowatt-hours and kilograms of CO2e. Dollars, energy and carbon are None where a fact behind them is unknown."""

    counts: NDArray[np.intp]
    seconds: Vector
    sure_s: Vector
    goodput: Vector
    usd: Vector | None
    kwh: Vector | None
    carbon_kg: Vector | None


def outcome(
    offer: Offer,
    counts: NDArray[np.intp],
    step_s: Vector,
    slower: Vector,
    model: Model,
    steps: float,
    assume: Assumptions,
) -> Outcome:
    """What training costs on each count. slower: the upper end of the interval of a step against the step itself.

    Sources: Daly 2006 for checkpoints; interruptions of spot machines add to failures.
    """
    choice = offer.choice
    hosts = counts * choice.hosts_per_unit
    chips = counts * choice.accelerators_per_unit
    store = store_gb_per_s(choice.machine, assume)
    stall = checkpoints.checkpoint_gb(model.parameters) / (hosts * store)
    per_s = chips / (assume.accelerator_hours_per_failure * 3600)
    if offer.buy is Buy.SPOT:
        per_s = per_s + hosts / (assume.spot_hours_per_interruption * 3600)
    mtbf = 1.0 / per_s
    interval = _daly(np.asarray(stall, dtype=np.float64), np.asarray(mtbf, dtype=np.float64))
    good = np.maximum(0.0, 1.0 - stall / interval - (interval / 2 + assume.restart_s) / mtbf)
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds = np.where(good > 0, steps * step_s / np.maximum(good, 1e-12), np.inf)
    usd = _hourly(offer, counts)
    place = energy.site(choice.machine.cloud, choice.region)
    kwh = None
    if offer.chip.watts is not None:
        kwh = energy.fleet_kw(1, offer.chip.watts, place.overhead) * chips * seconds / 3600
    grams = place.grams_per_kwh
    carbon = kwh * grams / 1e3 if kwh is not None and known(grams) else None
    dollars = usd * seconds / 3600 if usd is not None else None
    return Outcome(counts, seconds, seconds * slower, good, dollars, kwh, carbon)


def _daly(stall: Vector, mtbf: Vector) -> Vector:
    ratio = stall / (2 * mtbf)
    best = np.sqrt(2 * stall * mtbf) * (1 + np.sqrt(ratio) / 3 + ratio / 9) - stall
    return np.where(stall >= 2 * mtbf, mtbf, np.maximum(best, 1e-9))


def _hourly(offer: Offer, counts: NDArray[np.intp]) -> Vector | None:
    one = offer.choice.usd_per_hour(1)
    return None if isinstance(one, Unknown) else np.asarray(one * counts, dtype=np.float64)
