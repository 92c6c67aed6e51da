"""What becomes of each find: nothing twice, nothing forgotten, no data at risk, and nothing left the second time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetyard.recover.aws import route_id
from fleetyard.recover.decide import Action, Decision, Thing, decide, is_made_by, to_do, with_objects
from fleetyard.recover.names import Place
from fleetyard.recover.state import SECRET, Pending, Recorded, pending, plain, recorded, with_imported

TYPES = st.sampled_from(["aws:ec2/vpc:Vpc", "aws:s3/bucket:Bucket", "gcp:compute/network:Network"])
NAMES = st.sampled_from(["one", "two", "three"])
HOLDS = st.sampled_from(["", "holds objects"])


@st.composite
def things(draw: st.DrawFn) -> Thing:
    name = draw(NAMES)
    return Thing(
        draw(TYPES),
        draw(st.sampled_from("abcdef")),
        name,
        "why",
        {"tags.Name": name},
        draw(HOLDS),
        draw(st.booleans()),
        healed_by_up=draw(st.booleans()),
    )


@st.composite
def operations(draw: st.DrawFn) -> Pending:
    kind, name = draw(TYPES), draw(NAMES)
    operation = draw(st.sampled_from(["creating", "creating", "updating", "deleting"]))
    urn = f"urn:pulumi:s::p::{kind}::{name}"
    return Pending(urn, kind, operation, {"tags": {"Name": name}}, draw(st.sampled_from(["", "", "a"])))


@st.composite
def records(draw: st.DrawFn) -> Recorded:
    kind = draw(TYPES)
    urn = f"urn:pulumi:s::p::{kind}::{draw(NAMES)}"
    return Recorded(urn, kind, draw(st.sampled_from("abcdef")), draw(st.booleans()))


STATES = st.lists(records(), max_size=4)
PENDING = st.lists(operations(), max_size=3, unique_by=lambda one: one.urn)
LISTED = st.lists(things(), max_size=6, unique_by=lambda one: (one.type, one.id))
EVER = st.sampled_from([True, False, None])


@given(STATES, PENDING, LISTED, EVER, st.booleans())
@settings(max_examples=150)
def test_every_find_is_decided_once_and_what_is_recorded_is_left_alone(
    rows: list[Recorded], pend: list[Pending], listed: list[Thing], ever: bool | None, delete: bool
) -> None:
    decisions = decide(rows, pend, listed, lambda _: ever, delete)
    assert Counter(each.urn for each in decisions if each.urn) == Counter(one.urn for one in pend)
    decided = Counter((each.type, each.id) for each in decisions if each.thing)
    assert not decided or max(decided.values()) == 1
    known = {(row.type, row.id) for row in rows}
    assert not known & set(decided)
    assert {(t.type, t.id) for t in listed if not t.healed_by_up} - known <= set(decided)


@given(STATES, PENDING, LISTED, EVER, st.booleans())
@settings(max_examples=150)
def test_what_may_hold_data_is_not_deleted(
    rows: list[Recorded], pend: list[Pending], listed: list[Thing], ever: bool | None, delete: bool
) -> None:
    for each in decide(rows, pend, listed, lambda _: ever, delete):
        if each.action is Action.DELETE:
            assert each.thing
            assert not each.thing.holds
            assert delete or ever is False or not each.thing.lasting


@given(STATES, PENDING, LISTED, EVER, st.booleans())
@settings(max_examples=150)
def test_done_once_nothing_is_left_to_do(
    rows: list[Recorded], pend: list[Pending], listed: list[Thing], ever: bool | None, delete: bool
) -> None:
    decisions = decide(rows, pend, listed, lambda _: ever, delete)
    gone = {(each.type, each.id) for each in decisions if each.action is Action.DELETE}
    new = [Recorded(each.urn, each.type, each.id, True) for each in decisions if each.action is Action.IMPORT]
    left = [thing for thing in listed if (thing.type, thing.id) not in gone]
    assert to_do(decide([*rows, *new], [], left, lambda _: ever, delete)) == []


VPC = Thing("aws:ec2/vpc:Vpc", "vpc-1", "s", "it is tagged", {"tags.Name": "s", "cidrBlock": "10.0.0.0/16"})
CREATING = Pending(
    "urn:pulumi:s::p::aws:ec2/vpc:Vpc::s", VPC.type, "creating", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "s"}}
)


def only(*arguments: object, delete: bool = False, ever: bool | None = None) -> list[Decision]:
    rows, pend, listed = arguments
    return decide(rows, pend, listed, lambda _: ever, delete)  # type: ignore[arg-type]


def test_of_two_that_a_lost_reply_made_one_is_recorded_and_one_deleted() -> None:
    twin = replace(VPC, id="vpc-2")
    assert [(each.action, each.id) for each in only([], [CREATING], [VPC, twin])] == [
        (Action.IMPORT, "vpc-1"),
        (Action.DELETE, "vpc-2"),
    ]


def test_the_id_that_the_cloud_had_already_answered_decides() -> None:
    twin = replace(VPC, id="vpc-2")
    assert [(e.action, e.id) for e in only([], [replace(CREATING, id="vpc-2")], [VPC, twin])] == [
        (Action.IMPORT, "vpc-2"),
        (Action.DELETE, "vpc-1"),
    ]


def test_another_address_range_is_another_vpc() -> None:
    assert not is_made_by(replace(VPC, facts={"tags.Name": "s", "cidrBlock": "10.9.0.0/16"}), CREATING)
    assert not is_made_by(replace(VPC, facts={}), CREATING)
    assert is_made_by(VPC, CREATING)


def test_a_replacement_that_was_cut_off_is_cleared_and_deleted() -> None:
    old = Recorded(CREATING.urn, VPC.type, "vpc-0", taken=True)
    assert [(e.action, e.id) for e in only([old], [CREATING], [VPC])] == [(Action.CLEAR, ""), (Action.DELETE, "vpc-1")]


def test_delete_removes_what_could_be_recorded() -> None:
    assert [(e.action, e.id) for e in only([], [CREATING], [VPC], delete=True)] == [
        (Action.CLEAR, ""),
        (Action.DELETE, "vpc-1"),
    ]


def test_a_store_of_unknown_past_is_kept_until_deletion_is_asked_for() -> None:
    bucket = Thing("aws:s3/bucket:Bucket", "b", "b", "why", lasting=True)
    assert [e.action for e in only([], [], [bucket])] == [Action.KEEP]
    assert [e.action for e in only([], [], [bucket], ever=True)] == [Action.KEEP]
    assert [e.action for e in only([], [], [bucket], ever=False)] == [Action.DELETE]
    assert [e.action for e in only([], [], [bucket], ever=True, delete=True)] == [Action.DELETE]
    full = replace(bucket, holds="holds objects")
    assert [e.action for e in only([], [], [full], ever=False, delete=True)] == [Action.KEEP]
    assert "b" in with_objects([full])
    assert with_objects([bucket]) == ""


def test_an_imported_create_is_recorded_as_it_was_meant_and_nothing_stays_pending() -> None:
    secret = {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:xyz"}
    resource = {
        "urn": "u",
        "type": "t",
        "custom": True,
        "inputs": {"a": 1, "s": secret},
        "parent": "p",
        "provider": "q",
    }
    deployment = {
        "resources": [{"urn": "p", "type": "c"}],
        "pending_operations": [
            {"type": "creating", "resource": resource},
            {"type": "creating", "resource": {"urn": "v", "type": "t"}},
            {"type": "updating", "resource": {"urn": "w", "type": "t", "id": "1"}},
        ],
    }
    made = with_imported(deployment, {"u": "id-1"})
    assert "pending_operations" not in made
    assert made["resources"][1:] == [
        {**resource, "id": "id-1", "outputs": {"a": 1, "s": secret, "id": "id-1"}}  # the secret still encrypted
    ]
    assert [one.operation for one in pending(deployment)] == ["creating", "creating", "updating"]
    assert recorded(made) == [Recorded("u", "t", "id-1", True)]
    assert plain(resource["inputs"]) == {"a": "1"}


def test_a_stack_does_not_take_what_a_stack_with_a_longer_name_made() -> None:
    short = Place("a100", "gcp", "us-west4", (), "", ("train",), ("data",))
    assert short.is_named("a100-0123abc", "a100")
    assert not short.is_named("a100-train-0123abc", "a100")
    assert not short.is_named("a100-train-0123abc-more", *short.pool_names())
    assert not short.of_stack("a1000-0123abc")


def test_routes_have_the_id_that_the_provider_gives_them() -> None:
    assert route_id("rtb-136bdf5382bdb5f9d", "0.0.0.0/0") == "r-rtb-136bdf5382bdb5f9d1080289494"
