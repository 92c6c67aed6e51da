"""Pulumi's resource options on the simulated clouds behave as with the real providers."""

from __future__ import annotations

import pytest
from engine_bench import Engine

CONFIG = "config:\n  aws:region: us-east-1\n  gcp:project: option-tests\n"
AWS = "aws:ec2/subnet:Subnet"
GCP = "gcp:compute/subnetwork:Subnetwork"

PROGRAM = """
import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

vpc = aws.ec2.Vpc("v", cidr_block="10.1.0.0/16")
network = gcp.compute.Network("n", auto_create_subnetworks=False)
aws.ec2.Subnet("AWS_NAME", vpc_id=vpc.id, cidr_block="AWS_RANGE", map_public_ip_on_launch=AWS_PUBLIC,
               opts=pulumi.ResourceOptions(AWS_OPTIONS))
gcp.compute.Subnetwork("GCP_NAME", network=network.id, ip_cidr_range="10.0.0.0/20", region="us-central1",
                       private_ip_google_access=GCP_PRIVATE, description="GCP_TEXT",
                       opts=pulumi.ResourceOptions(GCP_OPTIONS))
"""
STANDING = {
    "AWS_NAME": "s",
    "AWS_RANGE": "10.1.1.0/24",
    "AWS_PUBLIC": "False",
    "AWS_OPTIONS": "",
    "GCP_NAME": "s",
    "GCP_PRIVATE": "False",
    "GCP_TEXT": "one",
    "GCP_OPTIONS": "",
}


def say(engine: Engine, **words: str) -> None:
    """Write the program with these words in place of the standing ones."""
    text = PROGRAM
    for name, value in (STANDING | words).items():
        text = text.replace(name, value)
    (engine.project / "__main__.py").write_text(text)


@pytest.fixture
def standing(engine: Engine) -> Engine:
    """The program as it stands on both clouds."""
    engine.use_program("", CONFIG)
    say(engine)
    engine.pulumi("up", "--yes", "--skip-preview")
    return engine


def test_options_change_what_a_change_does(standing: Engine) -> None:
    engine = standing
    # In place, and a replacement, as they are by nature.
    say(engine, AWS_PUBLIC="True", GCP_TEXT="two")
    assert engine.steps() == {f"{AWS}::s": "update", f"{GCP}::s": "replace"}
    # What updates in place replaces where the program asks for it.
    say(
        engine,
        AWS_PUBLIC="True",
        AWS_OPTIONS="replace_on_changes=['mapPublicIpOnLaunch']",
        GCP_PRIVATE="True",
        GCP_OPTIONS="replace_on_changes=['*']",
    )
    assert engine.steps() == {f"{AWS}::s": "replace", f"{GCP}::s": "replace"}
    # What the program wants left alone is left alone.
    say(
        engine,
        AWS_PUBLIC="True",
        AWS_OPTIONS="ignore_changes=['mapPublicIpOnLaunch']",
        GCP_TEXT="two",
        GCP_OPTIONS="ignore_changes=['description']",
    )
    assert engine.steps() == {}


def test_aliases_rename_without_touching_anything(standing: Engine) -> None:
    engine = standing
    before = {row["id"] for row in engine.inventory()["resources"]}
    say(
        engine,
        AWS_NAME="renamed",
        AWS_OPTIONS="aliases=[pulumi.Alias(name='s')]",
        GCP_NAME="renamed",
        GCP_OPTIONS="aliases=[pulumi.Alias(name='s')]",
    )
    assert engine.steps() == {}
    engine.pulumi("up", "--yes", "--skip-preview")
    assert {row["id"] for row in engine.inventory()["resources"]} == before


def test_delete_before_replace_makes_room(standing: Engine) -> None:
    engine = standing
    # A second subnet of the same range cannot stand beside the first.
    say(engine, AWS_RANGE="10.1.1.0/25")
    refused = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "CreateSubnet: InvalidSubnet.Conflict" in refused.text
    say(engine, AWS_RANGE="10.1.1.0/25", AWS_OPTIONS="delete_before_replace=True")
    engine.pulumi("up", "--yes", "--skip-preview")
    (subnet,) = (s for s in engine.api("ec2").describe_subnets()["Subnets"] if s["CidrBlock"].startswith("10.1.1."))
    assert subnet["CidrBlock"] == "10.1.1.0/25"


def test_a_protected_resource_stays(standing: Engine) -> None:
    engine = standing
    say(engine, AWS_OPTIONS="protect=True", GCP_OPTIONS="protect=True")
    engine.pulumi("up", "--yes", "--skip-preview")
    refused = engine.pulumi("destroy", "--yes", "--skip-preview", fails=True)
    assert "protect" in refused.text
    assert len(engine.api("ec2").describe_subnets()["Subnets"]) > 0
    say(engine)
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


def test_what_is_kept_on_delete_outlives_its_program(standing: Engine) -> None:
    engine = standing
    say(engine, GCP_OPTIONS="retain_on_delete=True")
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("destroy", "--yes", "--skip-preview", fails=True)  # its network cannot go
    assert [row["type"] for row in engine.inventory()["resources"]] == ["compute.networks", "compute.subnetworks"]


IMPORTED = """
import pulumi
import pulumi_aws as aws

aws.ec2.Vpc("v", cidr_block="CIDR", opts=pulumi.ResourceOptions(import_="ADOPTED"))
"""


def test_an_import_by_option_adopts_and_refuses_what_differs(engine: Engine) -> None:
    made = engine.api("ec2").create_vpc(CidrBlock="10.5.0.0/16")["Vpc"]["VpcId"]
    engine.use_program(IMPORTED.replace("ADOPTED", made).replace("CIDR", "10.6.0.0/16"), CONFIG)
    refused = engine.pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "resources that still specify an ID may not be replaced" in refused.text
    (engine.project / "__main__.py").write_text(IMPORTED.replace("ADOPTED", made).replace("CIDR", "10.5.0.0/16"))
    engine.pulumi("up", "--yes", "--skip-preview")
    assert engine.steps() == {}
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


UNKNOWN = """
import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

vpc = aws.ec2.Vpc("v", cidr_block="10.1.0.0/16")
# Computed from what is not known before the update: parts of ids, an element of a list, a dictionary's member.
tail = vpc.id.apply(lambda id: id.split("-")[1][:4])
group = aws.ec2.SecurityGroup("g", vpc_id=vpc.id, tags={"tail": tail})
aws.ec2.SecurityGroup("h", vpc_id=vpc.id, description=pulumi.Output.concat("for ", group.id),
                      ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "security_groups": [group.id]}])
account = gcp.serviceaccount.Account("a", account_id="a-account")
gcp.storage.Bucket("b", location="US", labels={"owner": account.unique_id})
pulumi.export("zone", vpc.arn.apply(lambda arn: arn.split(":")[3]))
pulumi.export("first", group.ingress.apply(lambda rules: len(rules)))
"""


def test_what_is_not_known_yet_can_be_computed_with(engine: Engine) -> None:
    engine.use_program(UNKNOWN, CONFIG)
    engine.pulumi("preview")
    engine.pulumi("up", "--yes", "--skip-preview")
    assert engine.pulumi("stack", "output", "zone").out.strip() == "us-east-1"
    assert engine.pulumi("stack", "output", "first").out.strip() == "0"
    assert engine.steps() == {}
    engine.pulumi("destroy", "--yes", "--skip-preview")


SECRETS = """
import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

password = pulumi.Config().require_secret("password")
aws.ssm.Parameter("p", type="SecureString", value=password)
aws.secretsmanager.SecretVersion("v", secret_id=aws.secretsmanager.Secret("s").id, secret_string=password)
gcp.secretmanager.SecretVersion(
    "g", secret=gcp.secretmanager.Secret("g", secret_id="g", replication={"auto": {}}).id, secret_data=password)
aws.docdb.Cluster("unmodelled", master_username="u", master_password=password)
"""


def test_a_secret_is_nowhere_in_clear(engine: Engine) -> None:
    word = "correct-horse-battery"
    engine.use_program(SECRETS, CONFIG)
    engine.pulumi("config", "set", "--secret", "password", word)
    up = engine.pulumi("up", "--yes", "--skip-preview")
    refreshed = engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--diff")
    assert engine.api("ssm").describe_parameters()["Parameters"]
    engine.stop()
    for file in engine.home.rglob("*"):
        if file.is_file():
            assert word.encode() not in file.read_bytes(), file.relative_to(engine.home)
    assert word not in up.text + refreshed.text
    engine.start()
    engine.pulumi("destroy", "--yes", "--skip-preview")
