"""An AWS of its own for one test: a world in a temporary folder and boto3 clients that end in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from simcloud.aws.inner import Clients
from simcloud.server import open_world
from simcloud.world import World

UBUNTU = "ami-04680790a315cd58d"  # ubuntu 22.04, x86_64, us-east-1
UBUNTU_ARM = "ami-028f4acf86df833a8"
REGION = "us-east-1"


class Bench:
    """A world with the calls that tests make again and again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.open()

    def open(self) -> None:
        """Open the home's world; as after a crash, when it was opened before."""
        self.world: World = open_world(self.home)
        self.clients = Clients(lambda request: self.world.call("aws", request))

    def api(self, service: str) -> Any:
        return self.clients.get(service, REGION)

    @property
    def ec2(self) -> Any:
        return self.api("ec2")

    def refused(self, call: Any, **arguments: Any) -> tuple[str, str]:
        """The error code and operation with which a call is refused."""
        try:
            call(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"], error.operation_name
        raise AssertionError("the call was accepted")

    def network(self, zone_id: str = "use1-az6", cidr: str = "10.0.0.0/16") -> dict[str, str]:
        """A VPC with one subnet and a security group of its own."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        first = cidr.rsplit(".", 2)[0]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"{first}.1.0/24", AvailabilityZoneId=zone_id)["Subnet"]
        group = self.ec2.create_security_group(GroupName="machines", Description="machines", VpcId=vpc)["GroupId"]
        return {"vpc": vpc, "subnet": subnet["SubnetId"], "group": group, "zone": subnet["AvailabilityZone"]}

    def template(self, name: str = "train", **data: Any) -> str:
        """A launch template; its data is m7i.xlarge with Ubuntu unless said otherwise."""
        spec = {"ImageId": UBUNTU, "InstanceType": "m7i.xlarge"} | data
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=spec)
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def group(self, template: str, subnets: list[str], size: int = 2, name: str = "train", **more: Any) -> None:
        """An Auto Scaling group."""
        self.api("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=64,
            DesiredCapacity=size,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
            VPCZoneIdentifier=",".join(subnets),
            **more,
        )

    def members(self, name: str = "train") -> list[dict[str, Any]]:
        found = self.api("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return list(found[0]["Instances"])
