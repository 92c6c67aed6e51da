"""The life of the types that most programs begin with: ways out, rules, keys, policies, what scales by itself."""

from __future__ import annotations

import json

from life import Life, Made
from test_types_containers import trust


def allowing(action: str, resource: str = "*", **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_ways_out_of_a_network(life: Life, vpc: Made, subnet: Made) -> None:
    gateway = life.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    table = life.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    route = {"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}
    life.make("aws:ec2/route:Route", **route)
    life.make("aws:ec2/routeTableAssociation:RouteTableAssociation", subnetId=subnet.id, routeTableId=table.id)
    address = life.make("aws:ec2/eip:Eip", domain="vpc")
    nat = life.make("aws:ec2/natGateway:NatGateway", subnetId=subnet.id, allocationId=address.id, tags={"a": "b"})
    life.change(nat, tags={"a": "c"})
    service = "com.amazonaws.us-east-1.s3"
    life.make("aws:ec2/vpcEndpoint:VpcEndpoint", vpcId=vpc.id, serviceName=service, routeTableIds=[table.id])
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="g", description="g", vpcId=vpc.id)
    rule = life.make(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        securityGroupId=group.id,
        ipProtocol="tcp",
        fromPort=22,
        toPort=22,
        cidrIpv4="10.0.0.0/8",
    )
    life.change(rule, cidrIpv4="10.0.0.0/16")
    everywhere = {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}
    life.make("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", securityGroupId=group.id, **everywhere)
    life.unmake()


def test_room_for_machines(life: Life) -> None:
    life.make("aws:ec2/placementGroup:PlacementGroup", name="close", strategy="cluster")
    machines = {"instanceType": "m7i.xlarge", "instancePlatform": "Linux/UNIX", "availabilityZone": "us-east-1a"}
    held = life.make("aws:ec2/capacityReservation:CapacityReservation", instanceCount=2, **machines)
    life.change(held, instanceCount=3)
    life.unmake()


def test_keys_and_policies(life: Life) -> None:
    key = life.make("aws:kms/key:Key", description="ours", deletionWindowInDays=7)
    life.change(key, description="still ours")
    life.make("aws:kms/alias:Alias", name="alias/ours", targetKeyId=key.id)
    role = life.make("aws:iam/role:Role", name="r", assumeRolePolicy=trust("ec2.amazonaws.com"))
    inline = life.make("aws:iam/rolePolicy:RolePolicy", name="p", role=role.id, policy=allowing("s3:GetObject"))
    life.change(inline, policy=allowing("s3:PutObject"))
    managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    life.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role["name"], policyArn=managed)
    secret = life.make("aws:secretsmanager/secret:Secret", name="s", recoveryWindowInDays=0)
    readers = allowing("secretsmanager:GetSecretValue", Principal={"AWS": role["arn"]})
    life.make("aws:secretsmanager/secretPolicy:SecretPolicy", secretArn=secret["arn"], policy=readers)
    files = life.make("aws:efs/fileSystem:FileSystem", encrypted=True)
    mount = allowing("elasticfilesystem:ClientMount", files["arn"], Principal={"AWS": "*"})
    life.make("aws:efs/fileSystemPolicy:FileSystemPolicy", fileSystemId=files.id, policy=mount)
    dead = life.make("aws:sqs/queue:Queue", name="dead")
    queue = life.make("aws:sqs/queue:Queue", name="work")
    redrive = json.dumps({"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 4})
    life.make("aws:sqs/redrivePolicy:RedrivePolicy", queueUrl=queue.id, redrivePolicy=redrive)
    life.unmake()


def test_a_table_that_scales_by_itself(life: Life) -> None:
    table = life.make(
        "aws:dynamodb/table:Table",
        name="rows",
        hashKey="id",
        attributes=[{"name": "id", "type": "S"}],
        billingMode="PROVISIONED",
        readCapacity=5,
        writeCapacity=5,
    )
    what = {"serviceNamespace": "dynamodb", "scalableDimension": "dynamodb:table:ReadCapacityUnits"}
    of = f"table/{table['name']}"
    target = life.make("aws:appautoscaling/target:Target", minCapacity=5, maxCapacity=50, resourceId=of, **what)
    life.change(target, maxCapacity=60)
    half = {"predefinedMetricSpecification": {"predefinedMetricType": "DynamoDBReadCapacityUtilization"}}
    life.make(
        "aws:appautoscaling/policy:Policy",
        name="half",
        policyType="TargetTrackingScaling",
        resourceId=of,
        targetTrackingScalingPolicyConfiguration=half | {"targetValue": 50},
        **what,
    )
    life.unmake()


def test_what_logs_go_to(life: Life, vpc: Made) -> None:
    group = life.make("aws:cloudwatch/logGroup:LogGroup", name="flows")
    role = life.make("aws:iam/role:Role", name="flows", assumeRolePolicy=trust("vpc-flow-logs.amazonaws.com"))
    life.make(
        "aws:ec2/flowLog:FlowLog",
        vpcId=vpc.id,
        trafficType="ALL",
        logDestination=group["arn"],
        iamRoleArn=role["arn"],
    )
    who = {"Service": "es.amazonaws.com"}
    life.make(
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        policyName="search",
        policyDocument=allowing("logs:PutLogEvents", "arn:aws:logs:*", Principal=who),
    )
    life.unmake()
