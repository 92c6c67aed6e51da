"""Components for AWS: a plan becomes resources. Reads side by side with `fleetyard.gcp`; decides nothing."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import Provider

from fleetyard.aws.encryption import Encryption
from fleetyard.aws.network import Network
from fleetyard.aws.pool import Pool
from fleetyard.aws.store import Store
from fleetyard.outputs import export
from fleetyard.plan import Plan

__all__ = ["Encryption", "Network", "Pool", "Store", "build"]


def build(plan: Plan) -> dict[str, Any]:
    """Register the cluster and return its export (see `fleetyard.outputs`)."""
    provider = Provider("aws", region=plan.region, default_tags={"tags": dict(plan.tags)})
    through = pulumi.ResourceOptions(providers={"aws": provider})
    network = Network(plan.stack, plan.network, through)
    encryption = Encryption(plan.stack, plan.keeps_data, through)
    stores = {store.name: Store(store.full_name, store, encryption.key, through) for store in plan.stores}
    pools = {pool.name: Pool(pool.full_name, pool, network, stores, encryption.key, through) for pool in plan.pools}
    return export(plan, network, pools, stores)
