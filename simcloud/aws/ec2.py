"""The part of EC2 that moto has not: placement groups, network cards, capacity reservations, capacity and quota.

Sources: EC2 API reference (RunInstances, CreatePlacementGroup, CreateCapacityReservation, "Error codes for the Amazon
EC2 API"), EC2 User Guide ("Elastic Fabric Adapter", "Placement groups", "On-Demand Instance quotas"), and AWS's own
`describe-instance-types` and `-offerings` through `simcloud.aws.facts`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simcloud.aws import moto_bridge
from simcloud.aws.facts import InstanceType, instance_type, offered_zone_ids, public_images
from simcloud.aws.inner import Clients
from simcloud.aws.lives import show_in_status_checks
from simcloud.aws.upkeep import default_group_opened
from simcloud.provider.model import CloudError
from simcloud.wire import Moment

LAUNCH = "RunInstances"

QUOTA_CODES = {
    "p": "L-417A185B",
    "g": "L-DB2E81BA",
    "vt": "L-DB2E81BA",
    "trn": "L-2C3B7624",
    "inf": "L-1945791B",
    "dl": "L-6E869C2A",
}
"""vCPU quotas of on-demand instances by family letters; everything else is 'standard'. Source: EC2 User Guide,
'On-Demand Instance quotas'. The simulated account has no limit until one is set; a real one starts at 0 for P, G,
Trn."""
STANDARD_QUOTA = "L-1216C47A"


@dataclass(slots=True)
class PlacementGroup:
    """One placement group."""

    id: str
    name: str
    strategy: str
    partitions: int | None
    spread_level: str | None
    tags: dict[str, str]


@dataclass(slots=True)
class Reservation:
    """One capacity reservation."""

    id: str
    type: str
    zone: str
    count: int
    match: str
    state: str
    tags: dict[str, str]
    end: Any = None
    kind: str = "default"


@dataclass(slots=True)
class Region:
    """What we keep beside moto for one region."""

    placement_groups: dict[str, PlacementGroup] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)
    """instance id -> placement group name"""
    reserved: dict[str, str] = field(default_factory=dict)
    """instance id -> capacity reservation id"""
    capacity: dict[tuple[str, str], int] = field(default_factory=dict)
    """(zone name, instance type) -> how many may still be launched; absent is plenty"""
    quota: dict[str, int] = field(default_factory=dict)
    """quota code -> vCPUs; absent is no limit"""


def quota_code(instance_type_name: str) -> str:
    """The on-demand vCPU quota that an instance type counts against."""
    family = re.match(r"[a-z]+", instance_type_name)
    letters = family.group() if family else ""
    # `p4d` is of P, `g5` of G, `trn1n` of Trn; `gr6` counts as G, `i4g` and `t4g` as standard.
    return QUOTA_CODES.get({"gr": "g"}.get(letters, letters), STANDARD_QUOTA)


def hex_id(prefix: str, moment: Moment) -> str:
    """An id in the form AWS gives: prefix, dash, 17 hex digits."""
    return f"{prefix}-{moment.chance.getrandbits(68):017x}"


def tags_of(specifications: Iterable[Mapping[str, Any]] | None, kind: str) -> dict[str, str]:
    """The tags that a call gives to resources of one kind."""
    return {
        t["Key"]: t.get("Value", "")
        for s in specifications or ()
        if s.get("ResourceType") == kind
        for t in s.get("Tags", ())
    }


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the API's form."""
    return [{"Key": k, "Value": v} for k, v in tags.items()]


class Ec2:
    """EC2 beside moto. `inner` are clients that go straight to moto."""

    def __init__(self, inner: Clients) -> None:
        _keep_template_tags_current()
        show_in_status_checks()
        self._inner = inner
        self.regions: dict[str, Region] = {}
        self.notices: dict[str, datetime] = {}
        """When Spot instances that had their notice are taken away."""

    def region(self, name: str) -> Region:
        """Our state of a region."""
        return self.regions.setdefault(name, Region())

    def backend(self, region: str) -> Any:
        """moto's EC2 of a region."""
        return moto_bridge.backend("ec2", region)

    def open_region(self, region: str) -> None:
        """Put the public images of `images.toml` into a region that nobody has used yet."""
        backend = self.backend(region)
        _publish_images(backend, region)
        for vpc in list(backend.vpcs):
            default_group_opened(backend, vpc)

    # Placement groups

    def create_placement_group(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        here, name = self.region(region), p.get("GroupName")
        operation = "CreatePlacementGroup"
        if not name:
            raise CloudError("MissingParameter", operation, "The request must contain the parameter GroupName")
        if name in here.placement_groups:
            raise CloudError(
                "InvalidPlacementGroup.Duplicate", operation, f"The placement group '{name}' already exists."
            )
        strategy = p.get("Strategy", "cluster")
        partitions = p.get("PartitionCount")
        if partitions is not None and strategy != "partition":
            raise CloudError("InvalidParameterCombination", operation, "PartitionCount needs the strategy partition")
        if partitions is not None and not 1 <= partitions <= 7:
            raise CloudError("InvalidParameterValue", operation, "PartitionCount: 1 to 7")
        group = PlacementGroup(
            hex_id("pg", moment),
            name,
            strategy,
            partitions,
            p.get("SpreadLevel"),
            tags_of(p.get("TagSpecifications"), "placement-group"),
        )
        here.placement_groups[name] = group
        return {"PlacementGroup": self._shown(region, group)}

    def describe_placement_groups(self, region: str, p: Mapping[str, Any]) -> dict[str, Any]:
        groups = self.region(region).placement_groups
        names, ids = p.get("GroupNames") or [], p.get("GroupIds") or []
        for name in names:
            if name not in groups:
                raise CloudError(
                    "InvalidPlacementGroup.Unknown",
                    "DescribePlacementGroups",
                    f"The Placement Group '{name}' is unknown.",
                )
        for id in ids:
            if id not in {g.id for g in groups.values()}:
                raise CloudError(
                    "InvalidPlacementGroupId.Unknown",
                    "DescribePlacementGroups",
                    f"The Placement Group '{id}' is unknown.",
                )
        wanted = [g for g in groups.values() if (not names or g.name in names) and (not ids or g.id in ids)]
        shown = [self._shown(region, g) for g in wanted]
        return {"PlacementGroups": [s for s in shown if _passes(s, p.get("Filters"))]}

    def delete_placement_group(self, region: str, p: Mapping[str, Any]) -> dict[str, Any]:
        here, name = self.region(region), p["GroupName"]
        if name not in here.placement_groups:
            raise CloudError(
                "InvalidPlacementGroup.Unknown", "DeletePlacementGroup", f"The Placement Group '{name}' is unknown."
            )
        if any(self._lives(region, i) for i, g in here.placed.items() if g == name):
            raise CloudError(
                "InvalidPlacementGroup.InUse",
                "DeletePlacementGroup",
                f"The placement group '{name}' is in use and may not be deleted.",
            )
        del here.placement_groups[name]
        return {}

    def _shown(self, region: str, g: PlacementGroup) -> dict[str, Any]:
        partition = {"PartitionCount": g.partitions or 2} if g.strategy == "partition" else {}
        spread = {"SpreadLevel": g.spread_level or "rack"} if g.strategy == "spread" else {}
        return {
            "GroupName": g.name,
            "GroupId": g.id,
            "State": "available",
            "Strategy": g.strategy,
            "GroupArn": f"arn:aws:ec2:{region}:{moto_bridge.ACCOUNT}:placement-group/{g.name}",
            "Tags": tag_list(g.tags),
            **partition,
            **spread,
        }

    # Capacity reservations

    def create_reservation(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        operation = "CreateCapacityReservation"
        kind = self._known_type(p["InstanceType"], operation)
        zone = p.get("AvailabilityZone") or self.zone_name(region, p.get("AvailabilityZoneId", ""))
        self._offered(kind, region, zone, operation)
        self._take_capacity(region, zone, kind.name, p["InstanceCount"], operation)
        made = Reservation(
            hex_id("cr", moment),
            kind.name,
            zone,
            p["InstanceCount"],
            p.get("InstanceMatchCriteria", "open"),
            "active",
            tags_of(p.get("TagSpecifications"), "capacity-reservation"),
        )
        self.region(region).reservations[made.id] = made
        return {"CapacityReservation": self._reservation(region, made)}

    def describe_reservations(self, region: str, p: Mapping[str, Any]) -> dict[str, Any]:
        ids = p.get("CapacityReservationIds") or []
        here = self.region(region).reservations
        for id in ids:
            if id not in here:
                raise CloudError(
                    "InvalidCapacityReservationId.NotFound",
                    "DescribeCapacityReservations",
                    f"The capacity reservation ID '{id}' does not exist",
                )
        wanted = [self._reservation(region, r) for r in here.values() if not ids or r.id in ids]
        return {"CapacityReservations": wanted}

    def modify_reservation(self, region: str, p: Mapping[str, Any], moment: Moment) -> dict[str, Any]:
        """More or fewer machines; never fewer than run in it."""
        operation, here, id = "ModifyCapacityReservation", self.region(region), p["CapacityReservationId"]
        held = here.reservations.get(id)
        if held is None or held.state != "active":
            raise CloudError(
                "InvalidCapacityReservationId.NotFound", operation, f"The capacity reservation ID '{id}' does not exist"
            )
        wanted = p.get("InstanceCount", held.count)
        if wanted < self._used(region, id):
            message = f"You can't reduce the capacity to {wanted}: {self._used(region, id)} instances run in it."
            raise CloudError("InvalidParameterValue", operation, message)
        if wanted > held.count:
            self._take_capacity(region, held.zone, held.type, wanted - held.count, operation)
        elif (held.zone, held.type) in here.capacity:
            here.capacity[held.zone, held.type] += held.count - wanted
        held.count = wanted
        return {"Return": True}

    def cancel_reservation(self, region: str, p: Mapping[str, Any]) -> dict[str, Any]:
        here, id = self.region(region), p["CapacityReservationId"]
        if id not in here.reservations:
            raise CloudError(
                "InvalidCapacityReservationId.NotFound",
                "CancelCapacityReservation",
                f"The capacity reservation ID '{id}' does not exist",
            )
        held = here.reservations[id]
        held.state = "cancelled"
        left = held.count - self._used(region, id)
        if (held.zone, held.type) in here.capacity:
            here.capacity[held.zone, held.type] += left
        return {"Return": True}

    def _used(self, region: str, id: str) -> int:
        return sum(1 for i, r in self.region(region).reserved.items() if r == id and self._lives(region, i))

    def _reservation(self, region: str, r: Reservation) -> dict[str, Any]:
        return {
            "CapacityReservationId": r.id,
            "OwnerId": moto_bridge.ACCOUNT,
            "InstanceType": r.type,
            "CapacityReservationArn": f"arn:aws:ec2:{region}:{moto_bridge.ACCOUNT}:capacity-reservation/{r.id}",
            "InstancePlatform": "Linux/UNIX",
            "AvailabilityZone": r.zone,
            "Tenancy": "default",
            "TotalInstanceCount": r.count,
            "AvailableInstanceCount": r.count - self._used(region, r.id),
            "State": r.state,
            "InstanceMatchCriteria": r.match,
            "Tags": tag_list(r.tags),
            "ReservationType": r.kind,
        }

    # Launching

    def launch_spec(self, region: str, p: Mapping[str, Any]) -> dict[str, Any]:
        """RunInstances parameters with those of the launch template underneath. Raises CloudError."""
        template = p.get("LaunchTemplate")
        if not template:
            return dict(p)
        data = self.template_data(region, template, LAUNCH)
        return {**data, **{k: v for k, v in p.items() if v not in (None, [], {})}}

    def template_data(self, region: str, template: Mapping[str, Any], operation: str) -> dict[str, Any]:
        """The launch parameters of one version of a template, as the API gives them."""
        answer = self.template_version(region, template, operation)
        data: dict[str, Any] = answer["LaunchTemplateData"]
        return data

    def template_version(self, region: str, template: Mapping[str, Any], operation: str) -> dict[str, Any]:
        """One version of a template, `$Latest` and `$Default` resolved. Raises CloudError."""
        from botocore.exceptions import ClientError

        wanted = {k: template[k] for k in ("LaunchTemplateId", "LaunchTemplateName") if template.get(k)}
        version = template.get("Version") or "$Default"
        try:
            found = self._inner.get("ec2", region).describe_launch_template_versions(Versions=[version], **wanted)
        except ClientError as error:
            raise CloudError(error.response["Error"]["Code"], operation, error.response["Error"]["Message"]) from None
        if not found["LaunchTemplateVersions"]:
            raise CloudError(
                "InvalidLaunchTemplateId.VersionNotFound",
                operation,
                f"Could not find launch template version {version}",
            )
        answer: dict[str, Any] = found["LaunchTemplateVersions"][0]
        return answer

    def check_launch(
        self, region: str, spec: Mapping[str, Any], zone: str | None, operation: str = LAUNCH
    ) -> InstanceType:
        """Everything that a launch may be refused for before capacity is looked for. Raises CloudError."""
        kind = self._known_type(spec.get("InstanceType") or "m1.small", operation)
        self._image(region, spec, kind, operation)
        self._interfaces(spec, kind, operation)
        placement = spec.get("Placement") or {}
        name = placement.get("GroupName")
        if name:
            group = self.region(region).placement_groups.get(name)
            if group is None:
                raise CloudError(
                    "InvalidPlacementGroup.Unknown", operation, f"The placement group '{name}' is unknown."
                )
            if kind.placement_strategies and group.strategy not in kind.placement_strategies:
                raise CloudError(
                    "InvalidParameterCombination",
                    operation,
                    f"{group.strategy.capitalize()} placement groups are not supported by the '{kind.name}' "
                    f"instance type.",
                )
        market = (spec.get("InstanceMarketOptions") or {}).get("MarketType")
        if market == "spot" and "spot" not in kind.usage_classes:
            raise CloudError(
                "InvalidParameterValue",
                operation,
                f"The instance type {kind.name} is not offered as spot (simulator's words)",
            )
        if zone is not None:
            self._offered(kind, region, zone, operation)
        return kind

    def _known_type(self, name: str, operation: str) -> InstanceType:
        kind = instance_type(name)
        if kind is None:
            raise CloudError("InvalidParameterValue", operation, f"Invalid value '{name}' for InstanceType.")
        return kind

    def _image(self, region: str, spec: Mapping[str, Any], kind: InstanceType, operation: str) -> None:
        id = spec.get("ImageId")
        if not id:
            raise CloudError("MissingParameter", operation, "The request must contain the parameter ImageId")
        image = self.backend(region).amis.get(id)
        if image is None:
            if not (id.startswith("ami-") and all(c in "0123456789abcdef" for c in id[4:])):
                raise CloudError("InvalidAMIID.Malformed", operation, f'Invalid id: "{id}" (expecting "ami-...")')
            raise CloudError("InvalidAMIID.NotFound", operation, f"The image id '[{id}]' does not exist")
        if image.architecture not in kind.architectures:
            raise CloudError(
                "InvalidParameterValue",
                operation,
                f"The architecture '{','.join(sorted(kind.architectures))}' of the specified instance type does "
                f"not match the "
                f"architecture '{image.architecture}' of the specified AMI.",
            )

    def _interfaces(self, spec: Mapping[str, Any], kind: InstanceType, operation: str) -> None:
        interfaces = spec.get("NetworkInterfaces") or []
        if not interfaces:
            return
        if spec.get("SecurityGroupIds") or spec.get("SubnetId"):
            raise CloudError(
                "InvalidParameterCombination",
                operation,
                "Network interfaces and an instance-level security groups may not be specified on the same request",
            )
        if len(interfaces) > kind.interfaces:
            raise CloudError(
                "AttachmentLimitExceeded",
                operation,
                f"Number of network interfaces exceeds the limit of {kind.interfaces} for '{kind.name}'",
            )
        cards = {c.index: c for c in kind.cards}
        seen: set[tuple[int, int]] = set()
        on_card: dict[int, int] = {}
        efa = 0
        for one in interfaces:
            card, device = one.get("NetworkCardIndex") or 0, one.get("DeviceIndex", 0)
            kind_of = one.get("InterfaceType") or "interface"
            if card not in cards:
                raise CloudError(
                    "InvalidParameterValue",
                    operation,
                    f"Network card index {card} is not valid for the instance type '{kind.name}', which has "
                    f"{len(cards)}.",
                )
            if (card, device) in seen:
                raise CloudError(
                    "InvalidParameterValue",
                    operation,
                    f"Each network interface requires a unique device index: {device} is given twice on card {card}.",
                )
            seen.add((card, device))
            on_card[card] = on_card.get(card, 0) + 1
            if on_card[card] > cards[card].interfaces:
                raise CloudError(
                    "AttachmentLimitExceeded",
                    operation,
                    f"Network card {card} of '{kind.name}' takes {cards[card].interfaces} interfaces.",
                )
            if kind_of.startswith("efa"):
                efa += 1
                if not kind.efa_interfaces:
                    raise CloudError(
                        "InvalidParameterCombination",
                        operation,
                        f"EFA interfaces are not supported on the '{kind.name}' instance type.",
                    )
                if kind_of not in cards[card].kinds:
                    raise CloudError(
                        "InvalidParameterCombination",
                        operation,
                        f"Network card {card} of '{kind.name}' does not support interfaces of type '{kind_of}'.",
                    )
            if (card, device) == (0, 0) and kind_of == "efa-only":
                raise CloudError(
                    "InvalidParameterCombination",
                    operation,
                    "The primary network interface cannot be of type 'efa-only'.",
                )
            if one.get("AssociatePublicIpAddress") and len(interfaces) > 1:
                raise CloudError(
                    "InvalidParameterCombination",
                    operation,
                    "The associatePublicIPAddress parameter cannot be specified when launching with multiple network "
                    "interfaces.",
                )
        if efa > kind.efa_interfaces:
            raise CloudError(
                "AttachmentLimitExceeded",
                operation,
                f"{efa} EFA interfaces: '{kind.name}' takes {kind.efa_interfaces}.",
            )
        if (0, 0) not in seen:
            raise CloudError(
                "InvalidParameterCombination", operation, "A primary network interface with device index 0 is required."
            )

    def _offered(self, kind: InstanceType, region: str, zone: str, operation: str) -> None:
        offered = offered_zone_ids(kind.name, region)
        names = sorted(n for n in (self.zone_name(region, z) for z in offered) if n)
        if zone not in names:
            hint = f" Please retry your request by not specifying an Availability Zone or choosing {', '.join(names)}."
            raise CloudError(
                "Unsupported",
                operation,
                f"Your requested instance type ({kind.name}) is not supported in your requested Availability "
                f"Zone ({zone})." + (hint if names else ""),
            )

    def zone_name(self, region: str, zone: str) -> str:
        """The name of a zone given by its id or its name; empty for one that the region has not."""
        for one in self.backend(region).describe_availability_zones():
            if zone in (one.zone_id, one.name):
                return str(one.name)
        return ""

    def _take_capacity(self, region: str, zone: str, kind: str, count: int, operation: str) -> None:
        here = self.region(region)
        left = here.capacity.get((zone, kind))
        if left is None:
            return
        if left < count:
            raise CloudError(
                "InsufficientInstanceCapacity",
                operation,
                f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). "
                "Our system will be working on provisioning additional capacity.",
                status=500,
            )
        here.capacity[zone, kind] = left - count

    def _quota(self, region: str, kind: InstanceType, count: int, operation: str) -> None:
        code = quota_code(kind.name)
        limit = self.region(region).quota.get(code)
        if limit is None:
            return
        used = sum(
            found.vcpus
            for i in self.backend(region).all_instances()
            if i.state == "running"
            and quota_code(i.instance_type) == code
            and (found := instance_type(i.instance_type)) is not None
        )
        if used + count * kind.vcpus > limit:
            raise CloudError(
                "VcpuLimitExceeded",
                operation,
                f"You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the "
                f"instance bucket that the specified instance type belongs to ({code}).",
            )

    def launch(
        self,
        region: str,
        spec: Mapping[str, Any],
        subnet_id: str | None,
        count: int,
        moment: Moment,
        tags: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Launch instances; return their ids. Raises CloudError, and then nothing was launched."""
        from botocore.exceptions import ClientError

        interfaces = [dict(i) for i in spec.get("NetworkInterfaces") or []]
        primary = next((i for i in interfaces if not i.get("DeviceIndex") and not i.get("NetworkCardIndex")), {})
        subnet_id = subnet_id or primary.get("SubnetId") or spec.get("SubnetId")
        backend = self.backend(region)
        zone = self._launch_zone(region, spec, subnet_id)
        kind = self.check_launch(region, spec, zone)
        self._quota(region, kind, count, LAUNCH)
        reservation = self._reservation_for(region, spec, kind, zone, count)
        if reservation is None:
            self._take_capacity(region, zone, kind.name, count, LAUNCH)
        groups = primary.get("Groups") or spec.get("SecurityGroupIds") or []
        groups = list(groups) or self._default_group(backend, zone, subnet_id)
        self._same_network(backend, subnet_id, groups)
        addresses = sum(1 for i in interfaces if i.get("InterfaceType") != "efa-only") or 1
        self._room(backend, subnet_id, addresses * count)
        instance_tags = tags_of(spec.get("TagSpecifications"), "instance") | dict(tags or {})
        call: dict[str, Any] = {
            "ImageId": spec["ImageId"],
            "InstanceType": kind.name,
            "MinCount": count,
            "MaxCount": count,
            "Placement": {"AvailabilityZone": zone},
            # boto3 would make one up, and a replay another.
            "ClientToken": f"{moment.chance.getrandbits(128):032x}",
        }
        for name in (
            "UserData",
            "KeyName",
            "EbsOptimized",
            "Monitoring",
            "MetadataOptions",
            "BlockDeviceMappings",
            "InstanceInitiatedShutdownBehavior",
            "IamInstanceProfile",
            "PrivateIpAddress",
        ):
            if spec.get(name):
                call[name] = spec[name]
        if spec.get("UserData"):
            # The API carries user data in base64 and botocore encodes it once more.
            call["UserData"] = base64.b64decode(spec["UserData"])
        if subnet_id:
            call["SubnetId"] = subnet_id
        if groups:
            call["SecurityGroupIds"] = list(groups)
        if (spec.get("InstanceMarketOptions") or {}).get("MarketType") == "spot":
            call["InstanceMarketOptions"] = {"MarketType": "spot"}
        volume_tags = tags_of(spec.get("TagSpecifications"), "volume")
        specifications = [("instance", instance_tags), ("volume", volume_tags)]
        call["TagSpecifications"] = [{"ResourceType": k, "Tags": tag_list(t)} for k, t in specifications if t]
        try:
            made = self._inner.get("ec2", region).run_instances(**{k: v for k, v in call.items() if v != []})
        except ClientError as error:
            raise CloudError(error.response["Error"]["Code"], LAUNCH, error.response["Error"]["Message"]) from None
        ids = [i["InstanceId"] for i in made["Instances"]]
        placement = (spec.get("Placement") or {}).get("GroupName")
        profile = spec.get("IamInstanceProfile") or {}
        for id in ids[1:] if profile else ():
            # moto gives the profile to the first one only.
            backend.associate_iam_instance_profile(
                instance_id=id,
                iam_instance_profile_name=profile.get("Name"),
                iam_instance_profile_arn=profile.get("Arn"),
            )
        for id in ids:
            instance = backend.get_instance(id)
            self._attach(backend, instance, interfaces, moment)
            if placement:
                self.region(region).placed[id] = placement
            if reservation is not None:
                self.region(region).reserved[id] = reservation.id
        return ids

    def _launch_zone(self, region: str, spec: Mapping[str, Any], subnet_id: str | None) -> str:
        backend = self.backend(region)
        if subnet_id:
            for subnets in backend.subnets.values():
                if subnet_id in subnets:
                    return str(subnets[subnet_id].availability_zone)
            raise CloudError("InvalidSubnetID.NotFound", LAUNCH, f"The subnet ID '{subnet_id}' does not exist")
        named = (spec.get("Placement") or {}).get("AvailabilityZone")
        return str(named or backend.describe_availability_zones()[0].name)

    def _reservation_for(
        self, region: str, spec: Mapping[str, Any], kind: InstanceType, zone: str, count: int
    ) -> Reservation | None:
        wanted = spec.get("CapacityReservationSpecification") or {}
        id = (wanted.get("CapacityReservationTarget") or {}).get("CapacityReservationId")
        here = self.region(region)
        if not id:
            if (spec.get("InstanceMarketOptions") or {}).get("MarketType") == "capacity-block":
                raise CloudError(
                    "InvalidParameterCombination",
                    LAUNCH,
                    "A launch into a Capacity Block must name its capacity reservation.",
                )
            return None
        found = here.reservations.get(id)
        if found is None:
            raise CloudError(
                "InvalidCapacityReservationId.NotFound", LAUNCH, f"The capacity reservation ID '{id}' does not exist"
            )
        if found.type != kind.name or found.zone != zone or found.state != "active":
            raise CloudError(
                "ReservationCapacityMismatch",
                LAUNCH,
                f"The reservation {id} is {found.state}, for {found.type} in {found.zone}; asked for "
                f"{kind.name} in {zone}.",
            )
        if found.count - self._used(region, id) < count:
            raise CloudError(
                "ReservationCapacityExceeded", LAUNCH, f"The reservation {id} has no room for {count} more instances."
            )
        return found

    def _same_network(self, backend: Any, subnet_id: str | None, groups: Iterable[str]) -> None:
        if not subnet_id:
            return
        vpc = next(s[subnet_id].vpc_id for s in backend.subnets.values() if subnet_id in s)
        for id in groups:
            group = backend.get_security_group_from_id(id)
            if group is None:
                raise CloudError("InvalidGroup.NotFound", LAUNCH, f"The security group '{id}' does not exist")
            if group.vpc_id != vpc:
                raise CloudError(
                    "InvalidParameter",
                    LAUNCH,
                    f"Security group {id} and subnet {subnet_id} belong to different networks.",
                )

    def _default_group(self, backend: Any, zone: str, subnet_id: str | None) -> list[str]:
        """The group that an instance is in when its launch names none (VPC User Guide, "Default security groups")."""
        vpc = next(
            (
                s.vpc_id
                for kept in backend.subnets.values()
                for s in kept.values()
                if s.id == subnet_id or (not subnet_id and s.default_for_az and s.availability_zone == zone)
            ),
            None,
        )
        return [g.id for g in backend.groups.get(vpc, {}).values() if g.name == "default"][:1]

    def _room(self, backend: Any, subnet_id: str | None, needed: int) -> None:
        if not subnet_id:
            return
        subnet = next(s[subnet_id] for s in backend.subnets.values() if subnet_id in s)
        if int(subnet.available_ip_address_count) < needed:
            raise CloudError(
                "InsufficientFreeAddressesInSubnet",
                LAUNCH,
                f"Not enough free addresses in subnet '{subnet_id}' to satisfy the requested number of instances.",
            )

    def _attach(self, backend: Any, instance: Any, interfaces: list[dict[str, Any]], moment: Moment) -> None:
        """Give an instance its further interfaces: moto knows one device 0, AWS has one per network card."""
        from simcloud.aws.interfaces import attach

        for one in interfaces:
            card, device = one.get("NetworkCardIndex") or 0, one.get("DeviceIndex") or 0
            if (card, device) == (0, 0):
                primary = instance.nics[0]
                primary.interface_type = one.get("InterfaceType") or "interface"
                primary.delete_on_termination = True
            else:
                attach(backend, instance, one, card, device)
        if not interfaces and 0 in instance.nics:
            instance.nics[0].delete_on_termination = True

    def _lives(self, region: str, id: str) -> bool:
        for instance in self.backend(region).all_instances():
            if instance.id == id:
                return instance.state not in ("terminated", "shutting-down")
        return False


def _passes(shown: Mapping[str, Any], filters: Iterable[Mapping[str, Any]] | None) -> bool:
    names = {"group-name": "GroupName", "strategy": "Strategy", "state": "State", "group-arn": "GroupArn"}
    for one in filters or ():
        name, values = one["Name"], one.get("Values", [])
        if name.startswith("tag:"):
            held = {t["Key"]: t["Value"] for t in shown["Tags"]}
            if held.get(name[4:]) not in values:
                return False
        elif name in names and shown[names[name]] not in values:
            return False
    return True


def _keep_template_tags_current() -> None:
    """moto copies a launch template's tags when it makes it, and shows the copy after CreateTags and DeleteTags too."""
    from moto.ec2.models.launch_templates import LaunchTemplate

    LaunchTemplate.tags = property(lambda template: template.get_tags(), lambda template, copy: None)


def _publish_images(backend: Any, region: str) -> None:
    """Add public images that moto does not ship."""
    from moto.ec2.models.amis import Ami

    for row in public_images():
        if row["region"] != region or row["id"] in backend.amis:
            continue
        backend.amis[row["id"]] = Ami(
            backend,
            row["id"],
            owner_id=row["owner"],
            name=row["name"],
            architecture=row["architecture"],
            public=True,
            virtualization_type="hvm",
            root_device_type="ebs",
            root_device_name="/dev/sda1",
            state="available",
            creation_date=row["created"].replace(tzinfo=None),
            sriov="simple",
            image_location=f"{row['owner']}/{row['name']}",
            hypervisor="xen",
            description=row["name"],
            platform=None,
        )
