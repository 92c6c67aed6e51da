"""The simulated AWS as the world sees it: calls go past the rules to our own services or to moto."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simcloud.aws import ec2_rules as _ec2_rules
from simcloud.aws import eks as _eks
from simcloud.aws import elsewhere as _elsewhere
from simcloud.aws import lives, memory, metadata, moto_bridge, rights, sessions
from simcloud.aws import network_rules as _network_rules
from simcloud.aws import scaling as _scaling
from simcloud.aws import service_rules as _service_rules
from simcloud.aws import storage_rules as _storage_rules
from simcloud.aws import trust_rules as _trust_rules
from simcloud.aws.autoscaling import AutoScaling
from simcloud.aws.calls import Call, decode, encode, is_read, operation_name, refuse, scope
from simcloud.aws.ec2 import LAUNCH, Ec2, tags_of
from simcloud.aws.fleet import fleet
from simcloud.aws.inner import for_own_use
from simcloud.aws.inventory import inventory, kept
from simcloud.aws.rules import apply
from simcloud.aws.served import SERVED, Shelves
from simcloud.aws.upkeep import AFTER
from simcloud.fleet import Part
from simcloud.provider.model import CloudError
from simcloud.tickets import Tickets
from simcloud.wire import Moment, Request, Response

RULE_MODULES = (_network_rules, _ec2_rules, _storage_rules, _service_rules, _trust_rules)
"""Imported for the rules that they register."""
SERVING_MODULES = (_eks, _scaling, _elsewhere)
"""Imported for the operations that they register."""

STILL = ("s3:", "sts:", "logs:", "kms:")
"""Calls that no group of machines reacts to, and that come by the thousand."""

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

Own = Callable[[Call, Moment], Mapping[str, Any]]

_THROTTLED = {"ec2": "RequestLimitExceeded", "s3": "SlowDown", "autoscaling": "Throttling", "iam": "Throttling"}
_BROKEN = {"ec2": "InternalError", "s3": "InternalError", "autoscaling": "InternalFailure", "iam": "ServiceFailure"}


class AwsWorld:
    """One AWS account in all regions. moto's state belongs to the process, so only the last one made may be used."""

    def __init__(self) -> None:
        moto_bridge.forget()
        self.inner = for_own_use(self._to_moto)
        self.ec2 = Ec2(self.inner)
        self.autoscaling = AutoScaling(self.ec2)
        self.shelves = Shelves()
        self._opened: set[tuple[str, str]] = set()
        self._made: set[int] = set()
        self._moment = Moment(_EPOCH, random.Random(0))  # noqa: S311 - simulation
        self.tickets = Tickets(secrets.token_bytes(32))
        self.judged = rights.Judged()
        self._own: Mapping[str, Own] = {
            "ec2:CreatePlacementGroup": lambda c, m: self.ec2.create_placement_group(c.region, c.params, m),
            "ec2:DescribePlacementGroups": lambda c, m: self.ec2.describe_placement_groups(c.region, c.params),
            "ec2:DeletePlacementGroup": lambda c, m: self.ec2.delete_placement_group(c.region, c.params),
            "ec2:CreateCapacityReservation": lambda c, m: self.ec2.create_reservation(c.region, c.params, m),
            "ec2:DescribeCapacityReservations": lambda c, m: self.ec2.describe_reservations(c.region, c.params),
            "ec2:ModifyCapacityReservation": lambda c, m: self.ec2.modify_reservation(c.region, c.params, m),
            "ec2:CancelCapacityReservation": lambda c, m: self.ec2.cancel_reservation(c.region, c.params),
            f"ec2:{LAUNCH}": self._run_instances,
            "ec2:CreateTags": self._create_tags,
        }

    # What the world asks

    def handle(self, request: Request, moment: Moment) -> Response:
        """Carry out one API call."""
        call = decode(request)
        self._open(call.service, call.region)
        self._moment = moment
        moto_bridge.set_moment(moment)
        if not call.operation:
            return Response(400, {"content-type": "text/plain"}, b"no operation of any service model fits this request")
        try:
            session = sessions.told(request)
            if session is not None:
                rights.check(self, call, session, moment.now)
            if session is not None and call.name == "sts:GetCallerIdentity":
                return encode(call, sessions.shown(session))
            apply(call, self)
            own, serve = self._own.get(call.name), SERVED.get(call.name)
            if serve is not None:
                response = encode(call, serve(self, call, moment))
            elif own is not None:
                answer = own(call, moment)
                response = encode(call, answer) if answer is not _PASSED_ON else self._to_moto(request)
            elif call.service == "autoscaling":
                response = self._autoscaling(call, moment)
            else:
                response = self._to_moto(request)
            if session is not None and (refused := rights.hidden(self, call, session, response.status)):
                return refuse(call, refused)
            if response.status < 300 and call.name in AFTER:
                AFTER[call.name](call, self)
        except CloudError as error:
            return refuse(call, error)
        if not is_read(call.operation) and self.moves(call.name):
            self.autoscaling.tick(moment)
        return response

    def reads(self, request: Request) -> bool:
        """Whether a call only reads."""
        _, _, service = scope(request)
        if service == "sts":
            return True
        return is_read(operation_name(request, service))

    def named(self, request: Request) -> str:
        """`ec2:CreateVpc`."""
        _, _, service = scope(request)
        return f"{service}:{operation_name(request, service)}"

    def refusal(self, kind: str, request: Request) -> Response:
        """The service's own throttling or internal error."""
        call = decode(request)
        if kind == "throttle":
            code = _THROTTLED.get(call.service, "ThrottlingException")
            return refuse(call, CloudError(code, call.operation, "Request limit exceeded.", 503))
        code = _BROKEN.get(call.service, "InternalFailure")
        return refuse(call, CloudError(code, call.operation, "An internal error has occurred", 500))

    def fleet(self) -> Part:
        """What is to run."""
        return fleet(self)

    def moves(self, name: str) -> bool:
        """Whether a call of this name may change what is to run."""
        return not name.startswith(STILL)

    def known(self, request: Request, now: datetime) -> str | Response | None:
        """The session of temporary credentials; a refusal when they are over or nobody gave them."""
        try:
            return sessions.known(request, self.tickets, now)
        except sessions.NotGoodError as wrong:
            call = decode(request)
            return refuse(call, sessions.refusal(call, wrong))

    def anonymous(self, request: Request) -> Response | None:
        """The refusal of a call that nobody signed."""
        if scope(request)[0]:
            return None
        call = decode(request)
        if call.service == "s3" and call.operation:
            return refuse(call, CloudError("AccessDenied", call.operation, "Access Denied", 403))
        said = "Request is missing Authentication Token"
        return Response(403, {"content-type": "application/json"}, json.dumps({"message": said}).encode())

    def rights(self) -> Mapping[str, Any]:
        """What was judged of rights since this process began, and what was let pass because nobody could tell."""
        return self.judged.shown()

    def trust(self, key: bytes) -> None:
        """Sign with this key what instances are given."""
        self.tickets = Tickets(key)

    def metadata(self, machine: str, request: Request, now: datetime) -> Response:
        """What the metadata service says to an instance. Raises ValueError when there is none of this id."""
        return metadata.answer(self, machine, request, now)

    def tick(self, moment: Moment) -> None:
        """Groups replace what they lost, try again what they did not get, and go on with refreshes."""
        self._moment = moment
        moto_bridge.set_moment(moment)
        lives.take(self, moment.now)
        self.autoscaling.tick(moment)

    def pending(self) -> bool:
        """Whether a group has something to do, or a Spot instance's time is over."""
        now = datetime.now(UTC)
        return lives.due(self, now) or self.autoscaling.pending(now)

    def control(self, action: str, args: Mapping[str, Any], moment: Moment) -> Any:
        """Turn a knob. Raises ValueError for an unknown one, or one that does not fit.

        - `capacity` {region, zone, type, count|null}; `quota` {region, code, vcpus|null}
        - `lose-instance` {region, id}: it is terminated.
        - `power-loss` {id, after?}: the hardware under an instance fails; its checks say so after so many seconds.
        - `network-loss` {id, after?}, `network-back` {id}: its network is cut and whole again.
        - `shut-down` {id}: its own system shuts down.
        - `spot-notice` {id, seconds?}: a Spot instance is told that it is taken away in so many seconds.
        """
        region = args.get("region", "us-east-1")
        self._open("ec2", region)
        self._moment = moment
        moto_bridge.set_moment(moment)
        here = self.ec2.region(region)
        if action == "capacity":
            zone = self.ec2.zone_name(region, args["zone"])
            _set(here.capacity, (zone, args["type"]), args.get("count"))
        elif action == "quota":
            _set(here.quota, args["code"], args.get("vcpus"))
        elif action == "lose-instance":
            self.ec2.backend(region).terminate_instances([args["id"]])
        elif action in _HAPPENS:
            _HAPPENS[action](self, args, moment.now)
        else:
            known = ", ".join(("capacity", "quota", "lose-instance", *_HAPPENS))
            raise ValueError(f"the simulated AWS has no knob {action!r}: {known}")
        self.autoscaling.capacity_returned()
        self.autoscaling.tick(moment)
        return {}

    def saved(self) -> Any:
        """All that exists: moto's part and ours."""
        ours = {name: value for name, value in vars(self).items() if name not in _OF_THE_PROCESS}
        return {"moto": memory.taken(), "ours": ours}

    def restore(self, state: Any) -> None:
        """Take up what `saved` gave."""
        memory.put_back(state["moto"])
        vars(self).update(state["ours"])
        if any(service == "s3" for service, _ in self._opened):
            rights.judge_bucket_policies()
        self._made = {id(moto_bridge.backend(service, region)) for service, region in self._opened}

    def inventory(self) -> list[dict[str, Any]]:
        """Every resource that somebody made."""
        return inventory(self, self._regions())

    def kept(self) -> list[dict[str, Any]]:
        """What AWS keeps after deletion."""
        return kept(self, self._regions())

    def opened(self) -> list[tuple[str, str]]:
        """The services that were used, and where."""
        return sorted(self._opened)

    def _regions(self) -> list[str]:
        """The regions in use, with everything open in them that a list of resources looks into."""
        self._open("iam", "us-east-1")
        self._open("s3", "us-east-1")
        regions = sorted({region for _, region in self._opened})
        for region in regions:
            self._open("kms", region)
            self._open("logs", region)
        return regions

    # Services of ours

    def _autoscaling(self, call: Call, moment: Moment) -> Response:
        operation = self.autoscaling.operations.get(call.operation)
        if operation is None:
            raise CloudError(
                "NotModelled", call.operation, "The simulated AWS does not model this operation of Auto Scaling.", 501
            )
        return encode(call, operation(call.region, call.params, moment))

    def _run_instances(self, call: Call, moment: Moment) -> Mapping[str, Any]:
        spec = self.ec2.launch_spec(call.region, call.params)
        ids = self.ec2.launch(call.region, spec, None, call.params.get("MinCount") or 1, moment)
        found = self.inner.get("ec2", call.region).describe_instances(InstanceIds=ids)["Reservations"][0]
        return dict(found)

    def _create_tags(self, call: Call, moment: Moment) -> Mapping[str, Any]:
        """Tags on what is ours; everything else is moto's."""
        here = self.ec2.region(call.region)
        owned = {g.id: g.tags for g in here.placement_groups.values()} | {
            r.id: r.tags for r in here.reservations.values()
        }
        ids = call.params["Resources"]
        if not any(i in owned for i in ids):
            return _PASSED_ON
        for id in ids:
            if id in owned:
                owned[id] |= tags_of([{"ResourceType": "x", "Tags": call.params["Tags"]}], "x")
        return {}

    # moto

    def _to_moto(self, request: Request) -> Response:
        _, region, service = scope(request)
        self._open(service, region)
        try:
            response = moto_bridge.call(service, region, request)
        except NotImplementedError as missing:
            raise CloudError(
                "NotModelled",
                operation_name(request, service),
                f"The simulated AWS does not model this: {service}: {missing}",
                501,
            ) from None
        if response is None:
            raise CloudError("NotModelled", operation_name(request, service), f"no service {service} is simulated", 501)
        return response

    def _open(self, service: str, region: str) -> None:
        """Make a service's state in a region, the same whenever it is first asked for.

        moto makes default networks, keys and policies when a region is first touched, out of the same chance as the
        call that touches it; a read, which no journal holds, must not shift the ids that later calls get.
        """
        for one in ("ec2", service):
            if (one, region) in self._opened:
                continue
            self._opened.add((one, region))
            with moto_bridge.own_chance(f"{one} {region}"):
                try:
                    found = moto_bridge.backend(one, region)
                except (ImportError, KeyError):
                    continue  # not a service of moto's; the call itself will say so
                if id(found) in self._made:
                    continue  # one backend serves all regions of S3 and IAM
                self._made.add(id(found))
                if one == "ec2":
                    self.ec2.open_region(region)
                if one == "s3":
                    rights.judge_bucket_policies()
                if one == "iam":
                    moto_bridge.publish_managed_policies()


_OF_THE_PROCESS = frozenset({"inner", "_own", "_made", "_moment", "tickets", "judged"})
"""What a new process makes anew."""

_HAPPENS: Mapping[str, Callable[[AwsWorld, Mapping[str, Any], datetime], None]] = {
    "power-loss": lives.lose_power,
    "network-loss": lives.lose_network,
    "network-back": lives.regain_network,
    "spot-notice": lives.give_notice,
    "shut-down": lives.shut_down,
}
"""Knobs that let something happen to an instance."""

_PASSED_ON: Mapping[str, Any] = {"passed on": True}


def _set(table: dict[Any, int], key: Any, value: int | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = int(value)
