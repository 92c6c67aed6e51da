"""IAM policies as data: what they allow, deny, and leave open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcloud.aws.policies import Ask, judge, like

OBJECT = "arn:aws:s3:::data/in/a.bin"


def said(*statements: dict[str, Any], action: str = "s3:GetObject", resource: str | None = OBJECT, **keys: Any) -> str:
    context = {k.replace("_", ":"): v for k, v in keys.items()}
    found = judge([{"Version": "2012-10-17", "Statement": list(statements)}], Ask(action, resource, context))
    if found.denies:
        return "deny"
    return "allow" if found.allows else "perhaps" if found.may_allow else "nothing"


def allow(action: Any = "s3:GetObject", resource: Any = "arn:aws:s3:::data/in/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(), "allow"),
        (allow("s3:getobject"), "allow"),
        (allow(["s3:Put*", "s3:Get*"]), "allow"),
        (allow("*", "*"), "allow"),
        (allow(resource="arn:aws:s3:::data/out/*"), "nothing"),
        (allow(resource="arn:aws:s3:::data"), "nothing"),
        (allow(resource="arn:aws:s3:::data/in/?.bin"), "allow"),
        (allow(resource="arn:aws:s3:::DATA/in/*"), "nothing"),
        (allow("s3:GetObjectVersion"), "nothing"),
        ({"Effect": "Allow", "NotAction": "s3:Delete*", "Resource": "*"}, "allow"),
        ({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}, "nothing"),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/out/*"}, "allow"),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/*"}, "nothing"),
        (allow(resource="arn:aws:s3:::${aws:username}/*"), "perhaps"),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], expected: str) -> None:
    assert said(statement) == expected


def test_a_denial_wins_over_everything() -> None:
    assert said(allow("*", "*"), {"Effect": "Deny", "Action": "s3:*", "Resource": OBJECT}) == "deny"


LIST = {"action": "s3:ListBucket", "resource": "arn:aws:s3:::data"}


@pytest.mark.parametrize(
    ("condition", "prefix", "expected"),
    [
        ({"StringLike": {"s3:prefix": ["in/*", "ckpt/*"]}}, ("in/x",), "allow"),
        ({"StringLike": {"s3:prefix": "in/*"}}, ("out/x",), "nothing"),
        ({"StringLike": {"s3:prefix": "in/*"}}, (), "nothing"),
        ({"StringLikeIfExists": {"s3:prefix": "in/*"}}, (), "allow"),
        ({"StringEquals": {"S3:Prefix": "in/"}}, ("in/",), "allow"),
        ({"StringNotLike": {"s3:prefix": "secret/*"}}, ("in/",), "allow"),
        ({"StringNotLike": {"s3:prefix": ["secret/*", "in/*"]}}, ("in/",), "nothing"),
        ({"Null": {"s3:prefix": "true"}}, (), "allow"),
        ({"Null": {"s3:prefix": "false"}}, (), "nothing"),
        ({"NumericLessThan": {"s3:max-keys": "10"}}, (), "perhaps"),
        ({"StringLike": {"s3:prefix": "in/*"}, "Bool": {"aws:nobody-knows": "true"}}, ("in/",), "perhaps"),
        ({"StringLike": {"s3:prefix": "in/*"}, "Bool": {"aws:nobody-knows": "true"}}, ("out/",), "nothing"),
        ({"ForAllValues:StringLike": {"s3:prefix": "in/*"}}, (), "allow"),
        ({"ForAnyValue:StringLike": {"s3:prefix": "in/*"}}, (), "nothing"),
        ({"OurOwnOperator": {"s3:prefix": "in/"}}, ("in/",), "perhaps"),
    ],
)
def test_conditions(condition: dict[str, Any], prefix: tuple[str, ...], expected: str) -> None:
    statement = allow("s3:ListBucket", "arn:aws:s3:::data", Condition=condition)
    assert said(statement, **LIST, s3_prefix=prefix) == expected


def test_conditions_on_addresses_dates_and_numbers() -> None:
    def one(operator: str, key: str, wanted: str, have: str) -> str:
        return said(allow("*", "*", Condition={operator: {key.replace("_", ":"): wanted}}), **{key: (have,)})

    assert one("IpAddress", "aws_sourceip", "10.0.0.0/8", "10.1.2.3") == "allow"
    assert one("NotIpAddress", "aws_sourceip", "10.0.0.0/8", "10.1.2.3") == "nothing"
    assert one("DateLessThan", "aws_currenttime", "2027-01-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00") == "allow"
    assert one("NumericGreaterThanEquals", "s3_max-keys", "10", "9") == "nothing"
    assert one("Bool", "aws_securetransport", "false", "true") == "nothing"


def test_a_resource_that_nobody_can_name_is_left_open_but_an_action_is_not() -> None:
    assert said(allow("ec2:Start*", "arn:aws:ec2:*:*:instance/*"), action="ec2:StartX", resource=None) == "perhaps"
    assert said(allow("ec2:Start*", "*"), action="ec2:StartX", resource=None) == "allow"
    assert said(allow("ec2:Stop*", "*"), action="ec2:StartX", resource=None) == "nothing"


def test_a_denial_that_cannot_be_told_refuses_nothing() -> None:
    unknown = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:nobody-knows": "true"}}}
    found = judge([{"Statement": [allow(), unknown]}], Ask("s3:GetObject", OBJECT))
    assert (found.allows, found.denies) == (True, False)
    assert found.unsure == ("condition Bool on aws:nobody-knows",)


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
@settings(max_examples=60)
def test_a_star_stands_for_anything_and_nothing_else_is_special(head: str, middle: str, tail: str) -> None:
    plain = [t.replace("*", "").replace("?", "") for t in (head, tail)]
    assert like(f"{plain[0]}*{plain[1]}", f"{plain[0]}{middle}{plain[1]}")
    assert like(plain[0], plain[0])
    assert not like(plain[0], plain[0] + "x")
