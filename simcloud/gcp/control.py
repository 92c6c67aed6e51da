"""Test knobs of the simulated cloud: capacity, quota, launches that fail, a project's default network.

Deleting something behind Pulumi's back needs no knob: it is an API call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simcloud.gcp import lives
from simcloud.gcp.errors import Refusal
from simcloud.wire import Moment

if TYPE_CHECKING:
    from simcloud.gcp.world import GcpWorld


@dataclass
class Knobs:
    """What tests have set. Keys are `zone/type` for capacity, `scope/METRIC` for quotas."""

    capacity: dict[str, int] = field(default_factory=dict)
    """Machines (or TPU slices) of a type that a zone can still hold in all; absent: no limit."""
    quota: dict[str, int] = field(default_factory=dict)
    fail_launches: int = 0
    fail_code: str = "ZONE_RESOURCE_POOL_EXHAUSTED"


def control(world: GcpWorld, action: str, args: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """Turn one knob.

    - `capacity` {zone, type, limit}: how many machines or slices of a type the zone holds in all; limit None lifts it.
    - `quota` {scope, metric, limit}: a region, `global`, or a zone for the TPU API's quotas; limit None restores.
    - `fail-launches` {count, code?}: the next launches fail with the code.
    - `default-network` {project, exists?}: make the auto mode network `default` that new projects have, which else
      is there as soon as somebody asks for it; `exists` false: the project has none.
    - `unhealthy` {instance}: a member's health check fails, so that its group replaces it.
    - `preempt` {name}: a Spot instance or TPU slice is taken away.
    - `power-loss` {id, after?}: the hardware under an instance or TPU host fails; it shows after so many seconds. An
      instance restarts elsewhere if it may, a group makes its member anew, a TPU host comes back with an empty disk.
    - `network-loss` {id, after?}, `network-back` {id}: its network is cut and whole again; a group with autohealing
      finds it unhealthy after so many seconds.
    - `shut-down` {id}: its own system shuts down.
    - `spot-notice` {id, seconds?}: a Spot instance or slice is told that it is taken in so many seconds.

    Raises ValueError for an unknown action or an argument that does not fit.
    """
    knobs = world.state.knobs
    try:
        if action == "capacity":
            _set(knobs.capacity, f"{args['zone']}/{args['type']}", args.get("limit"))
        elif action == "quota":
            _set(knobs.quota, f"{args['scope']}/{args['metric']}", args.get("limit"))
        elif action == "fail-launches":
            knobs.fail_launches = int(args["count"])
            knobs.fail_code = str(args.get("code", "ZONE_RESOURCE_POOL_EXHAUSTED"))
        elif action == "default-network":
            from simcloud.gcp.compute import networks

            if args.get("exists", True):
                networks.make_default(world, str(args["project"]))
            else:
                world.state.defaults[str(args["project"])] = False
        elif action == "unhealthy":
            from simcloud.gcp.compute import groups

            groups.mark_unhealthy(world, str(args["instance"]))
        elif action == "preempt":
            _preempt(world, str(args["name"]))
        elif action in lives.KNOBS:
            lives.KNOBS[action](world, args, moment.now)
        else:
            raise ValueError(f"no such knob: {action}")
    except Refusal as refusal:
        raise ValueError(f"{action}: {refusal.message}") from None
    except KeyError as missing:
        raise ValueError(f"{action} needs {missing}") from None
    return {"action": action, **args}


def _set(table: dict[str, int], key: str, limit: object) -> None:
    if limit is None:
        table.pop(key, None)
    else:
        table[key] = int(str(limit))


def _preempt(world: GcpWorld, name: str) -> None:
    if name in world.state.nodes:
        world.state.nodes[name]["state"] = "PREEMPTED"
    elif name in world.state.compute:
        world.state.compute[name]["status"] = "TERMINATED"
        lives.stopped(world, world.state.compute[name])
    else:
        raise ValueError(f"nothing is called {name}")
