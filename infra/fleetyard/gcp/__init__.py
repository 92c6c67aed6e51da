"""Components for Google Cloud: a plan becomes resources. Reads side by side with `fleetyard.aws`; decides nothing."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import Provider

from fleetyard.gcp.encryption import Encryption
from fleetyard.gcp.group import Group
from fleetyard.gcp.network import Network
from fleetyard.gcp.slices import Slices
from fleetyard.gcp.store import Store
from fleetyard.outputs import export
from fleetyard.plan import Plan

__all__ = ["Encryption", "Group", "Network", "Slices", "Store", "build"]


def build(plan: Plan) -> dict[str, Any]:
    """Register the cluster and return its export (see `fleetyard.outputs`)."""
    provider = Provider("gcp", project=plan.project, region=plan.region, default_labels=dict(plan.tags))
    through = pulumi.ResourceOptions(providers={"gcp": provider})
    network = Network(plan.stack, plan.network, through)
    encryption = Encryption(plan.stack, plan.region, plan.keeps_data, through)
    stores = {store.name: Store(store.full_name, store, plan.region, encryption, through) for store in plan.stores}
    pools = {
        pool.name: (Slices if pool.tpu else Group)(pool.full_name, pool, plan.region, network, stores, through)
        for pool in plan.pools
    }
    return export(plan, network, pools, stores)
