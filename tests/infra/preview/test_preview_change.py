"""What the engine's steps become."""

from __future__ import annotations

from typing import Any

from fleetyard.preview.change import Facts, Op, Outcome, Preview, StackChange, changes_of, totals

URN = "urn:pulumi:s::p::my:component$aws:ec2/{kind}::{name}"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def step(op: str, name: str = "n", **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": URN.format(kind="vpc:Vpc", name=name), **more}


def test_a_replacement_is_one_change_however_many_steps() -> None:
    steps = [
        step("create-replacement", replaceReasons=["cidrBlock"], detailedDiff={"cidrBlock": {}}),
        step("replace", replaceReasons=["cidrBlock"], detailedDiff={"cidrBlock": {}, "tags": {}}),
        step("delete-replaced"),
    ]
    (change,) = changes_of(steps)
    assert (change.op, change.type, change.name) == (Op.REPLACE, "aws:ec2/vpc:Vpc", "n")
    assert change.because == ("cidrBlock",)
    assert change.changed == ("cidrBlock", "tags")


def test_what_nobody_pays_for_is_left_out() -> None:
    provider = {"op": "update", "urn": "urn:pulumi:s::p::pulumi:providers:aws::default"}
    stack = {"op": "create", "urn": "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s"}
    assert changes_of([provider, stack, step("same"), step("read"), step("refresh")]) == ()


def test_the_longer_path_says_more() -> None:
    (change,) = changes_of([step("update", detailedDiff={"tags.owner": {}}, diffReasons=["tags"])])
    assert change.changed == ("tags.owner",)


def test_what_follows_from_another_replacement_is_told_apart() -> None:
    follows = step("replace", "f", replaceReasons=["vpcId"], newState={"inputs": {"vpcId": UNKNOWN}})
    root = step("replace", "r", replaceReasons=["cidr"], newState={"inputs": {"cidr": "10.0.0.0/8", "vpcId": UNKNOWN}})
    both = step("replace", "b", replaceReasons=["cidr", "vpcId"], newState={"inputs": {"cidr": "x", "vpcId": UNKNOWN}})
    found = {change.name: change.follows for change in changes_of([follows, root, both])}
    assert found == {"f": True, "r": False, "b": False}
    change = StackChange("s", Outcome.CHANGED, changes_of([follows, root]))
    assert [each.name for each in change.of(Op.REPLACE)] == ["r", "f"]


def test_no_value_of_a_property_is_kept() -> None:
    secret = "hunter2"
    state = {"inputs": {"password": secret}, "outputs": {"password": secret}}
    found = changes_of([step("update", detailedDiff={"password": {}}, oldState=state, newState=state)])
    assert secret not in repr(found)


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    one = StackChange("a", Outcome.CHANGED, before=Facts(8, 10.0), after=Facts(16, None))
    two = StackChange("b", Outcome.CHANGED, before=Facts(8, 1.5), after=Facts(8, 1.5))
    same = StackChange("c", Outcome.UNCHANGED)
    assert totals([one, two, same], "before") == (16, 11.5)
    assert totals([one, two, same], "after") == (24, None)


def test_a_stack_with_errors_fails_the_preview() -> None:
    def failed(change: StackChange) -> bool:
        return Preview("a", "b", "simulated", (change,)).failed()

    assert not failed(StackChange("s", Outcome.CHANGED))
    assert failed(StackChange("s", Outcome.FAILED))
    assert failed(StackChange("s", Outcome.CHANGED, after=Facts(errors=1)))
    # What was wrong before and is right now is no failure.
    assert not failed(StackChange("s", Outcome.CHANGED, before=Facts(errors=1), problems=("base: FY1603",)))
