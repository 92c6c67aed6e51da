"""Pulumi programs that know nothing of Fleetyard, on the simulated clouds."""

from __future__ import annotations

import json

from engine_bench import Engine

WEB_SERVER = """
import pulumi
import pulumi_aws as aws

zones = aws.get_availability_zones(state="available")
ami = aws.ec2.get_ami(most_recent=True, owners=["099720109477"],
                      filters=[{"name": "name", "values": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"]}])
vpc = aws.ec2.Vpc("web", cidr_block="10.1.0.0/16", enable_dns_hostnames=True)
gateway = aws.ec2.InternetGateway("web", vpc_id=vpc.id)
subnet = aws.ec2.Subnet("web", vpc_id=vpc.id, cidr_block="10.1.1.0/24", availability_zone=zones.names[0],
                        map_public_ip_on_launch=True)
table = aws.ec2.RouteTable("web", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}])
aws.ec2.RouteTableAssociation("web", subnet_id=subnet.id, route_table_id=table.id)
group = aws.ec2.SecurityGroup(
    "web", vpc_id=vpc.id,
    ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]}],
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}])
server = aws.ec2.Instance("web", ami=ami.id, instance_type="t3.micro", subnet_id=subnet.id,
                          vpc_security_group_ids=[group.id], user_data="#!/bin/sh\\necho hello\\n",
                          tags={"Name": "web"})
site = aws.s3.Bucket("site", tags={"kind": "site"})
aws.s3.BucketObject("index", bucket=site.id, key="index.html", content="<h1>hello</h1>", content_type="text/html")
pulumi.export("ip", server.public_ip)
pulumi.export("arn", vpc.arn)
pulumi.export("default_group", vpc.default_security_group_id)
pulumi.export("bucket", site.bucket)
"""


def test_a_web_server_runs_unmodified(engine: Engine) -> None:
    engine.use_program(WEB_SERVER, "config:\n  aws:region: us-east-1\n")
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    out = json.loads(engine.pulumi("stack", "output", "--json").out)
    assert out["ip"].count(".") == 3
    assert out["arn"].startswith("arn:aws:ec2:us-east-1:123456789012:vpc/vpc-")
    assert out["default_group"].startswith("sg-")
    # boto3 sees what Pulumi made.
    assert engine.api("s3").get_object(Bucket=out["bucket"], Key="index.html")["Body"].read() == b"<h1>hello</h1>"
    # What replaces, what updates.
    text = (engine.project / "__main__.py").read_text()
    (engine.project / "__main__.py").write_text(
        text.replace("10.1.1.0/24", "10.1.2.0/24").replace('"kind": "site"', '"kind": "page"')
    )
    planned = json.loads(engine.pulumi("preview", "--json").out)
    by_name = {s["urn"].split("::", 2)[2]: s for s in planned["steps"]}
    assert by_name["aws:ec2/subnet:Subnet::web"]["op"] == "replace"
    assert by_name["aws:ec2/subnet:Subnet::web"]["replaceReasons"] == ["cidrBlock"]
    assert by_name["aws:s3/bucket:Bucket::site"]["op"] == "update"
    assert by_name["aws:ec2/instance:Instance::web"]["op"] == "replace"
    assert "aws:ec2/vpc:Vpc::web" not in {n for n, s in by_name.items() if s["op"] != "same"}
    # Only what is targeted changes.
    target = next(s["urn"] for n, s in by_name.items() if "Bucket::site" in n)
    engine.pulumi("up", "--yes", "--skip-preview", "--target", target)
    assert engine.api("s3").get_bucket_tagging(Bucket=out["bucket"])["TagSet"] == [{"Key": "kind", "Value": "page"}]
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


DEFAULT_TAGS = """
import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

owner = "OWNER"
through_aws = pulumi.ResourceOptions(provider=aws.Provider("a", default_tags={"tags": {"owner": owner, owner: "1"}}))
through_gcp = pulumi.ResourceOptions(provider=gcp.Provider("g", default_labels={"owner": owner, owner: "1"}))
aws.ec2.Vpc("v", cidr_block="10.1.0.0/16", tags={"Name": "v"}, opts=through_aws)
aws.ec2.LaunchTemplate("t", instance_type="t3.micro", tags={"Name": "t"}, opts=through_aws)
bucket = aws.s3.Bucket("b", opts=through_aws)
aws.s3.BucketServerSideEncryptionConfiguration(
    "b", bucket=bucket.id, opts=through_aws,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}])
gcp.storage.Bucket("c", location="US", opts=through_gcp)
"""


def test_a_change_of_the_providers_default_tags_reaches_what_stands(engine: Engine) -> None:
    engine.use_program(DEFAULT_TAGS.replace("OWNER", "first"))
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    program = engine.project / "__main__.py"
    program.write_text(DEFAULT_TAGS.replace("OWNER", "second"))
    engine.pulumi("up", "--yes", "--skip-preview")
    standing = {row["type"]: row["tags"] for row in engine.inventory()["resources"] if "first" in str(row["tags"])}
    assert not standing
    tags = engine.api("ec2").describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["v"]}])["Vpcs"][0]["Tags"]
    assert {t["Key"]: t["Value"] for t in tags} == {"Name": "v", "owner": "second", "second": "1"}
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    engine.pulumi("preview", "--expect-no-changes")
    engine.pulumi("destroy", "--yes", "--skip-preview")


IMPORTED = """
import pulumi
import pulumi_aws as aws

vpc = aws.ec2.Vpc("old", cidr_block="10.9.0.0/16", tags={"Name": "old"}, opts=pulumi.ResourceOptions(import_="VPC"))
"""


def test_what_exists_is_imported(engine: Engine) -> None:
    engine.start()
    made = engine.api("ec2").create_vpc(
        CidrBlock="10.9.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "old"}]}]
    )["Vpc"]["VpcId"]
    engine.use_program(IMPORTED.replace("VPC", made), "config:\n  aws:region: us-east-1\n")
    assert engine.steps() == {"pulumi:pulumi:Stack::plain-dev": "create", "aws:ec2/vpc:Vpc::old": "import"}
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    # The command imports too, and writes the program for it.
    group = engine.api("ec2").create_security_group(GroupName="by-hand", Description="by hand", VpcId=made)["GroupId"]
    imported = engine.pulumi(
        "import", "aws:ec2/securityGroup:SecurityGroup", "hand", group, "--yes", "--generate-code=false"
    )
    assert "1 imported" in imported.text
    # The wrong id is refused.
    wrong = engine.pulumi(
        "import", "aws:ec2/vpc:Vpc", "no", "vpc-00000000000000000", "--yes", "--generate-code=false", fails=True
    )
    assert "does not exist" in wrong.text


MISTAKES = """
import pulumi_aws as aws

vpc = aws.ec2.Vpc("v", cidr_block="10.1.0.0/16")
aws.ec2.SecurityGroup("g", vpc_id=vpc.id, ingress=[{"protocol": "tcp", "from_prot": 80, "to_port": 80}])
"""


def test_a_misspelt_nested_property_is_refused_in_the_preview(engine: Engine) -> None:
    engine.use_program(MISTAKES, "config:\n  aws:region: us-east-1\n")
    refused = engine.pulumi("preview", fails=True)
    assert "ingress[0].from_prot" in refused.text
    assert "did you mean 'fromPort'" in refused.text


UNMODELLED = """
import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

front = aws.globalaccelerator.Accelerator("front", ip_address_type="IPV4", tags={"a": "b"})
model = aws.transcribe.LanguageModel(
    "m", model_name="speech-MODEL", base_model_name="NarrowBand", language_code="en-US",
    input_data_config={"data_access_role_arn": "arn:aws:iam::123456789012:role/r", "s3_uri": "s3://b/k"})
lake = gcp.dataplex.Lake("lake", location="us-central1", project="some-project", labels={"a": "b"})
pulumi.export("front", front.arn)
pulumi.export("frontId", front.id)
pulumi.export("model", model.id)
pulumi.export("lake", lake.id)
"""


def test_a_type_that_is_not_modelled_runs_as_its_documentation_says(engine: Engine) -> None:
    engine.use_program(UNMODELLED.replace("MODEL", "one"), "config:\n  aws:region: us-east-1\n  gcp:project: other\n")
    up = engine.pulumi("up", "--yes", "--skip-preview")
    assert "is not modelled by the simulated aws" in up.text
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    out = json.loads(engine.pulumi("stack", "output", "--json").out)
    assert out["front"] == out["frontId"]
    assert out["front"].startswith("arn:aws:globalaccelerator::123456789012:accelerator/front-")
    assert out["model"] == "speech-one"
    assert out["lake"].startswith("projects/some-project/locations/us-central1/lakes/lake-")
    # What an import names is what the resource is: another name is another model.
    (engine.project / "__main__.py").write_text(UNMODELLED.replace("MODEL", "two"))
    assert engine.steps() == {"aws:transcribe/languageModel:LanguageModel::m": "replace"}
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


SECRETS = """
import pulumi
import pulumi_aws as aws

password = pulumi.Config().require_secret("password")
aws.ec2.Vpc("v", cidr_block="10.1.0.0/16", tags={"note": password})
aws.s3.BucketObject("o", bucket=aws.s3.Bucket("b").id, key="k", content=password)
"""


def test_a_secret_stays_one_in_the_state(engine: Engine) -> None:
    engine.use_program(SECRETS, "config:\n  aws:region: us-east-1\n")
    engine.pulumi("config", "set", "--secret", "password", "correct-horse-battery")
    up = engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert "correct-horse-battery" not in up.text
    exported = engine.pulumi("stack", "export").out
    assert "correct-horse-battery" not in exported
    preview = engine.pulumi("preview", "--diff").text
    assert "correct-horse-battery" not in preview


PROTECTED = """
import pulumi
import pulumi_aws as aws

aws.ec2.Vpc("v", cidr_block="10.1.0.0/16", opts=pulumi.ResourceOptions(protect=True))
"""


def test_protect_and_throttling(engine: Engine) -> None:
    engine.use_program(PROTECTED, "config:\n  aws:region: us-east-1\n")
    # botocore tries again after a throttled call, here as there.
    engine.sim("fault", "throttle", "ec2:*", "--every", "3")
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.sim("fault", "clear")
    assert "protect" in engine.pulumi("destroy", "--yes", "--skip-preview", fails=True).text
    engine.pulumi("state", "unprotect", "--all", "--yes")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


GCP = """
import pulumi
import pulumi_gcp as gcp

network = gcp.compute.Network("web", auto_create_subnetworks=False)
subnet = gcp.compute.Subnetwork("web", network=network.id, ip_cidr_range="10.2.0.0/24")
gcp.compute.Firewall("web", network=network.self_link, allows=[{"protocol": "tcp", "ports": ["22", "80"]}],
                     source_ranges=["0.0.0.0/0"])
server = gcp.compute.Instance(
    "web", machine_type="e2-standard-4", boot_disk={"initialize_params": {"image": "debian-cloud/debian-12"}},
    network_interfaces=[{"subnetwork": subnet.id, "access_configs": [{}]}], metadata_startup_script="echo hello")
bucket = gcp.storage.Bucket("site", location="US", uniform_bucket_level_access=True, force_destroy=True)
pulumi.export("ip", server.network_interfaces[0].access_configs[0].nat_ip)
pulumi.export("url", bucket.url)
"""


def test_a_google_web_server_runs_unmodified(engine: Engine) -> None:
    config = "config:\n  gcp:project: demo-project\n  gcp:region: us-central1\n  gcp:zone: us-central1-a\n"
    engine.use_program(GCP, config)
    engine.pulumi("up", "--yes", "--skip-preview")
    engine.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    out = json.loads(engine.pulumi("stack", "output", "--json").out)
    assert out["ip"].count(".") == 3
    assert out["url"].startswith("gs://site-")
    engine.pulumi("destroy", "--yes", "--skip-preview")
    assert engine.inventory()["resources"] == []


def test_every_run_says_that_it_is_simulated(engine: Engine) -> None:
    engine.use_program("import pulumi_aws as aws\naws.ec2.Vpc('v', cidr_block='10.0.0.0/16')\n")
    for command in (["preview"], ["up", "--yes", "--skip-preview"], ["refresh", "--yes", "--skip-preview"]):
        assert "a simulated aws: nothing that follows is real" in engine.pulumi(*command).text, command
