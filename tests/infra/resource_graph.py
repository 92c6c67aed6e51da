"""The resource graph that a plan becomes, recorded without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, settings, sync_await
from pulumi.runtime.stack import run_pulumi_func

from fleetyard.plan import Plan, make_plan
from fleetyard.spec import load_stack

STACKS = Path(__file__).parents[2] / "stacks"


@dataclass
class Row:
    """One registered resource."""

    token: str
    name: str
    inputs: dict[str, Any]
    parent: str
    provider: str
    retain_on_delete: bool
    depends_on: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    before_update: list[str] = field(default_factory=list)


class _Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = {
            **args.inputs,
            "arn": f"arn:{args.name}",
            "name": args.inputs.get("name", f"{args.name}-1234567"),
            "email": f"{args.name}@demo",
            "latestVersion": 1,
            "url": f"gs://{args.name}",
            "selfLinkUnique": f"link/{args.name}",
        }
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        if args.token.endswith("getProjectServiceAccount"):
            return {"emailAddress": "service-1@gs-project-accounts.iam.gserviceaccount.com", "id": "x", "project": "x"}
        raise AssertionError(f"unexpected call of {args.token}")


class _Monitor(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Mocks())
        self.rows: list[Row] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        answer = super().RegisterResource(request)
        self.rows.append(
            Row(
                request.type,
                request.name,
                pulumi.runtime.rpc.deserialize_properties(request.object) if request.HasField("object") else {},
                request.parent,
                request.provider or next(iter(request.providers.values()), ""),
                request.retainOnDelete,
                list(request.dependencies),
                list(request.ignoreChanges),
                list(request.hooks.before_update),
            )
        )
        return answer


def graph(build: Callable[[], Mapping[str, Any]], stack: str = "test") -> tuple[list[Row], dict[str, Any]]:
    """Run a program's body; the resources it registers and the mapping it returns, outputs resolved."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    monitor = _Monitor()
    settings.reset_options()
    pulumi.runtime.set_mocks(_Mocks(), project="fleetyard", stack=stack, preview=False, monitor=monitor)
    exported: dict[str, Any] = {}

    def program() -> None:
        result = build()
        pulumi.Output.from_input(dict(result)).apply(exported.update)

    async def run() -> None:
        await run_pulumi_func(program)

    sync_await._sync_await(run())
    return [row for row in monitor.rows if row.token != "pulumi:pulumi:Stack"], exported


def planned(name: str, **sized: int) -> Plan:
    """The plan of one of the repository's stacks."""
    return make_plan(load_stack(STACKS / f"Pulumi.{name}.yaml"), sized)
