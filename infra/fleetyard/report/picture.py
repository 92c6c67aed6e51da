"""The topology of a stack as one SVG: what is outside above, the network below, zones and subnets as boxes in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetyard.catalog import Cloud
from fleetyard.plan import Plan, PoolPlan, StorePlan, SubnetPlan
from fleetyard.report.machines import glyphs
from fleetyard.report.style import CSS
from fleetyard.report.svg import Block, Canvas, column, frame, label, nothing, row, text_width
from fleetyard.report.words import (
    CLOUDS,
    DOORS,
    NAT,
    PEOPLE,
    STORAGE_DOOR,
    WAY_OUT,
    accelerators,
    chip_name,
    facts,
    money,
    what,
)

MARGIN = 28.0
GAP = 16.0
PAD = 14.0
DOOR_HEIGHT = 26.0
WIRE = 30.0
"""Space between what is outside and the network, where the wires run."""


@dataclass(frozen=True, slots=True)
class _Outside:
    """Things outside the network and the door through which they are reached."""

    blocks: tuple[Block, ...]
    door: str

    @property
    def width(self) -> float:
        """Of the things side by side, or of their door."""
        things = sum(block.width for block in self.blocks) + GAP * (len(self.blocks) - 1)
        return max(things, _door_width(self.door))


def draw(plan: Plan, labels: Sequence[str] = ()) -> str:
    """The picture. labels: words for badges, such as "simulated" or "planned"."""
    head = _head(plan, labels)
    outside = _outside(plan)
    wanted = sum(each.width for each in outside) + GAP * (len(outside) + 1)
    least = max(wanted, head.width, text_width(_network_name(plan), 13, bold=True) + 60)
    inside = _inside(plan, least - 2 * GAP)
    network_width = inside.width + 2 * GAP
    width = network_width + 2 * MARGIN
    outside_height = max((block.height for each in outside for block in each.blocks), default=-WIRE)
    legend = _legend(plan)
    canvas = Canvas()
    network_top = MARGIN + head.height + GAP * 1.5 + outside_height + WIRE
    network_height = DOOR_HEIGHT / 2 + 34 + inside.height + GAP
    height = network_top + network_height + GAP + legend.height + MARGIN * 0.8
    canvas.rect(0.5, 0.5, width - 1, height - 1, "page", 12)
    head.paint(canvas, MARGIN, MARGIN)
    _badges(canvas, labels, width - MARGIN, MARGIN + 4)
    canvas.rect(MARGIN, network_top, network_width, network_height, "network", 10)
    top = MARGIN + head.height + GAP * 1.5
    _paint_outside(canvas, outside, network_width, top, top + outside_height, network_top)
    canvas.text(MARGIN + GAP, network_top + DOOR_HEIGHT / 2 + 18, _network_name(plan), "ink bold", 13)
    inside.paint(canvas, MARGIN + GAP, network_top + DOOR_HEIGHT / 2 + 30)
    legend.paint(canvas, MARGIN + 4, network_top + network_height + GAP)
    about = f"{plan.stack} on {CLOUDS[plan.cloud]} {plan.region}: " + "; ".join(
        f"pool {pool.name}, {what(pool)} in {', '.join(pool.zones)}" for pool in plan.pools
    )
    return canvas.document(width, height, f"Topology of {plan.stack}", about, CSS)


def _head(plan: Plan, labels: Sequence[str]) -> Block:
    hosts = sum(pool.hosts for pool in plan.pools)
    chips = sum(accelerators(pool) for pool in plan.pools)
    machines = f"{hosts:,} machine{'s' if hosts != 1 else ''}"
    parts = [f"{CLOUDS[plan.cloud]} {plan.region}", f"owner {plan.owner}", machines, f"{chips:,} accelerators"]
    parts.append(money(plan.usd_per_hour))
    title = label(plan.stack, "ink", 26, bold=True)
    room = sum(text_width(word.upper(), 11, bold=True) + 28 for word in labels)
    return column([Block(title.width + room, title.height, title.paint), label("  ·  ".join(parts), "muted", 14)], 2)


def _badges(canvas: Canvas, labels: Sequence[str], right: float, y: float) -> None:
    for word in reversed(labels):
        text = word.upper()
        width = text_width(text, 11, bold=True) + 18
        canvas.rect(right - width, y, width, 22, "badge", 11)
        canvas.text(right - width / 2, y + 15, text, "badge-text bold", 11, "middle")
        right -= width + 10


def _network_name(plan: Plan) -> str:
    kind = "VPC" if plan.cloud is Cloud.AWS else "VPC network"
    return f"{kind} {plan.network.name} · {plan.network.cidr}"


def _outside(plan: Plan) -> list[_Outside]:
    network = plan.network
    found = []
    if network.nats:
        found.append(_Outside((_pill("internet", ["way out only"]),), WAY_OUT[plan.cloud]))
    found.extend(
        _Outside((_pill("people", [f"through {PEOPLE[access]}"]),), DOORS[access]) for access in network.access
    )
    if plan.stores:
        found.append(_Outside(_stores(plan.stores), STORAGE_DOOR[plan.cloud]))
    return found


def _pill(name: str, lines: Sequence[str]) -> Block:
    text = column([label(name, "ink", 14, bold=True), *(label(line, "muted", 12) for line in lines)])
    return frame(text, "outside", pad=10, radius=16)


def _stores(stores: Sequence[StorePlan]) -> tuple[Block, ...]:
    """The buckets, all as high as the highest."""
    height = max(_store(store, 0).height for store in stores)
    return tuple(_store(store, height) for store in stores)


def _store(store: StorePlan, height: float) -> Block:
    steps = ", ".join(f"{step.days} days: {step.tier}" for step in store.lifecycle)
    lines = ["versioned, encrypted, private", f"on destroy: {store.on_destroy}", steps]
    text = [label(f"bucket {store.name}", "ink", 14, bold=True), *(label(line, "muted", 12) for line in lines if line)]
    return frame(column(text), "store", pad=10, radius=16, height=height)


def _door_width(name: str) -> float:
    return text_width(name, 12) + 24


def _paint_outside(
    canvas: Canvas, outside: Sequence[_Outside], network_width: float, top: float, bottom: float, edge: float
) -> None:
    """Place the first items from the left and the last at the right, each above its door in the network's edge."""
    x = MARGIN + GAP
    for index, each in enumerate(outside):
        if index == len(outside) - 1 and index > 0:
            x = MARGIN + network_width - GAP - each.width
        middle = x + each.width / 2
        _paint_wires(canvas, each, middle, bottom, edge)
        door = _door_width(each.door)
        canvas.rect(middle - door / 2, edge - DOOR_HEIGHT / 2, door, DOOR_HEIGHT, "door", DOOR_HEIGHT / 2)
        canvas.text(middle, edge + 4.5, each.door, "ink", 12, "middle")
        x += each.width + GAP


def _paint_wires(canvas: Canvas, each: _Outside, middle: float, bottom: float, edge: float) -> None:
    """The things, and wires from each of them that meet above the door."""
    x = middle - (sum(block.width for block in each.blocks) + GAP * (len(each.blocks) - 1)) / 2
    meet = bottom + (edge - DOOR_HEIGHT / 2 - bottom) / 2
    centres = []
    for block in each.blocks:
        centres.append(x + block.width / 2)
        canvas.line(centres[-1], bottom, centres[-1], meet, "wire")
        block.paint(canvas, x, bottom - block.height)
        x += block.width + GAP
    canvas.line(min(centres), meet, max(centres), meet, "wire")
    canvas.line(middle, meet, middle, edge, "wire")


def _inside(plan: Plan, width: float) -> Block:
    """Zones with their subnets; or, where subnets span the region, subnets with their zones. At least `width` wide."""
    regional = [subnet for subnet in plan.network.subnets if subnet.zone is None]
    if not regional:
        return _side_by_side(plan.zones, lambda zone, least, height: _zone(plan, zone, least, height), width)
    return column([_regional(plan, subnet, width) for subnet in regional], GAP)


def _side_by_side(zones: Sequence[str], make: Callable[[str, float, float], Block], width: float) -> Block:
    """One block for each zone, equally high, the room that is left over shared evenly."""
    natural = {zone: make(zone, 0, 0) for zone in zones}
    spare = width - sum(block.width for block in natural.values()) - GAP * (len(zones) - 1)
    more = max(0.0, spare / len(zones))
    height = max(block.height for block in natural.values())
    return row([make(zone, natural[zone].width + more, height) for zone in zones], GAP)


def _zone(plan: Plan, zone: str, width: float, height: float) -> Block:
    own = sorted((s for s in plan.network.subnets if s.zone == zone), key=lambda subnet: subnet.role != "public")
    least = max([width - 2 * PAD, *(_subnet(plan, subnet, zone, 0).width for subnet in own)])
    boxes = [_subnet(plan, subnet, zone, least) for subnet in own]
    return frame(column(boxes, GAP * 0.75), "zone dash", f"zone {zone}", width=width, height=height)


def _regional(plan: Plan, subnet: SubnetPlan, width: float) -> Block:
    def zone_box(zone: str, least: float, height: float) -> Block:
        return frame(_pools(plan, subnet, zone), "zone dash", f"zone {zone}", width=least, height=height)

    extra = ", ".join(f"{key} {cidr}" for key, cidr in subnet.secondary.items())
    zones = _side_by_side(plan.zones, zone_box, width - 2 * PAD)
    body = column([label(extra, "muted", 12) if extra else nothing(), zones], 6)
    return frame(body, "private", f"subnet {subnet.key} · {subnet.cidr}", width=width)


def _subnet(plan: Plan, subnet: SubnetPlan, zone: str, width: float) -> Block:
    name = f"{subnet.role} subnet · {subnet.cidr}"
    if subnet.role == "public":
        nats = [nat for nat in plan.network.nats if nat.zone == zone]
        gateway = f"NAT gateway ({NAT[plan.network.egress]})" if nats else "no gateway here"
        return frame(label(gateway, "muted", 12), "public", name, width=width)
    return frame(_pools(plan, subnet, zone), "private", name, width=width)


def _pools(plan: Plan, subnet: SubnetPlan, zone: str) -> Block:
    """The pools of a zone. A pool that is spread over zones is drawn in its first and named in the others."""
    here = [pool for pool in plan.pools if subnet.key in pool.subnets and zone in pool.zones]
    alone = len(here) == len(plan.zones) == 1
    cards = [_card(pool, wide=alone) for pool in here if _first_zone(plan, pool) == zone]
    cards += [_also(pool) for pool in here if _first_zone(plan, pool) != zone]
    if not cards:
        return label("no pool here", "muted", 12)
    return row(cards, GAP) if len(plan.zones) == 1 else column(cards, GAP)


def _first_zone(plan: Plan, pool: PoolPlan) -> str:
    return next(zone for zone in plan.zones if zone in pool.zones)


def _card(pool: PoolPlan, wide: bool) -> Block:
    """A pool: its name, how many of what, their picture, and facts below it (or beside it, where there is room)."""
    name = row([label(pool.name, "ink", 16, bold=True), _role(pool)], 8, bottom=True)
    spread = [label(f"spread over {len(pool.zones)} zones", "muted", 12)] if len(pool.zones) > 1 else []
    lines = column([label(line, "muted", 12) for line in facts(pool)], 1)
    body = row([glyphs(pool), lines], 24) if wide else column([glyphs(pool), lines], 10)
    return frame(column([column([name, label(what(pool), "ink", 14), *spread], 1), body], 10), "card", radius=10)


def _also(pool: PoolPlan) -> Block:
    """A pool that reaches into this zone."""
    name = row([label(pool.name, "ink", 16, bold=True), _role(pool)], 8, bottom=True)
    return frame(column([name, label("spread over this zone too", "muted", 12)]), "card dash", radius=10)


def _role(pool: PoolPlan) -> Block:
    """The role in small letters, lifted so that it stands on the line of the name beside it."""
    text = label(str(pool.role), "muted", 12)
    return Block(text.width, text.height + 1, text.paint)


def _legend(plan: Plan) -> Block:
    items: list[Block] = []
    seen: set[str] = set()
    for pool in plan.pools:
        chip = pool.machine.accelerator if pool.machine else None
        if chip is not None and chip.id not in seen:
            seen.add(chip.id)
            items.append(_key(chip.kind, chip_name(chip.id), square=True))
    kinds = {str(interface.kind) for pool in plan.pools for interface in pool.interfaces}
    if kinds - {"interface"}:
        items.append(_key("fabric", "network card with EFA", square=False))
    if any(not pool.shape for pool in plan.pools):
        items.append(_key("ip", "network card, IP only", square=False))
    return row(items, 22)


def _key(style: str, text: str, square: bool) -> Block:
    words = label(text, "muted", 12)

    def paint(canvas: Canvas, x: float, y: float) -> None:
        if square:
            canvas.rect(x, y + 3, 11, 11, style, 2)
        else:
            canvas.circle(x + 5.5, y + 8.5, 3.5, style)
        words.paint(canvas, x + 18, y)

    return Block(words.width + 18, words.height, paint)
