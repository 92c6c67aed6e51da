"""The life of load balancers and file systems: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

from life import Life, Made


def test_an_application_load_balancer(life: Life, vpc: Made, subnets: list[str]) -> None:
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="web", description="web", vpcId=vpc.id)
    balancer = life.make(
        "aws:lb/loadBalancer:LoadBalancer", name="web", subnets=subnets, securityGroups=[group.id], tags={"a": "b"}
    )
    assert balancer["dnsName"].endswith(".us-east-1.elb.amazonaws.com")
    assert balancer["zoneId"] == "Z35SXDOTRQ7X7K"
    assert balancer["arn"].endswith(balancer["arnSuffix"])
    assert balancer["vpcId"] == vpc.id
    life.change(balancer, idleTimeout=120, tags={"a": "c", "d": "e"})
    targets = life.make(
        "aws:lb/targetGroup:TargetGroup",
        name="web",
        port=80,
        protocol="HTTP",
        targetType="ip",
        vpcId=vpc.id,
        healthCheck={"path": "/health", "matcher": "200-299"},
    )
    life.change(targets, healthCheck={"path": "/", "matcher": "200-299"}, deregistrationDelay=30)
    listener = life.make(
        "aws:lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=80,
        defaultActions=[{"type": "forward", "targetGroupArn": targets.id}],
    )
    life.change(listener, port=8080)
    rule = life.make(
        "aws:lb/listenerRule:ListenerRule",
        listenerArn=listener.id,
        priority=100,
        actions=[
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "hi", "statusCode": "200"},
            }
        ],
        conditions=[{"pathPattern": {"values": ["/static/*"]}}, {"hostHeader": {"values": ["example.com"]}}],
    )
    life.change(rule, priority=50, conditions=[{"pathPattern": {"values": ["/files/*"]}}])
    life.make(
        "aws:lb/targetGroupAttachment:TargetGroupAttachment", targetGroupArn=targets.id, targetId="10.0.1.77", port=80
    )
    life.unmake()


def test_a_network_load_balancer_by_its_old_name(life: Life, vpc: Made, subnets: list[str]) -> None:
    balancer = life.make(
        "aws:alb/loadBalancer:LoadBalancer", name="net", loadBalancerType="network", subnets=subnets, internal=True
    )
    assert balancer["internal"] is True
    targets = life.make("aws:alb/targetGroup:TargetGroup", name="net", port=5432, protocol="TCP", vpcId=vpc.id)
    life.make(
        "aws:alb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=5432,
        protocol="TCP",
        defaultActions=[{"type": "forward", "targetGroupArn": targets.id}],
    )
    life.unmake()


def test_a_redirect(life: Life, subnets: list[str]) -> None:
    balancer = life.make("aws:lb/loadBalancer:LoadBalancer", name="web", subnets=subnets)
    redirect = {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}
    life.make(
        "aws:lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=80,
        defaultActions=[{"type": "redirect", "redirect": redirect}],
    )
    life.unmake()


def test_an_elastic_file_system(life: Life, vpc: Made, subnet: Made) -> None:
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="nfs", description="nfs", vpcId=vpc.id)
    files = life.make(
        "aws:efs/fileSystem:FileSystem",
        encrypted=True,
        lifecyclePolicies=[{"transitionToIa": "AFTER_30_DAYS"}],
        tags={"Name": "shared"},
    )
    assert files["dnsName"] == f"{files.id}.efs.us-east-1.amazonaws.com"
    assert files["name"] == "shared"
    life.change(files, lifecyclePolicies=[{"transitionToIa": "AFTER_60_DAYS"}], tags={"Name": "common"})
    target = life.make(
        "aws:efs/mountTarget:MountTarget", fileSystemId=files.id, subnetId=subnet.id, securityGroups=[group.id]
    )
    assert target["availabilityZoneName"] == "us-east-1a"
    assert target["ipAddress"].startswith("10.0.1.")
    life.make(
        "aws:efs/accessPoint:AccessPoint",
        fileSystemId=files.id,
        posixUser={"uid": 1000, "gid": 1000},
        rootDirectory={"path": "/home", "creationInfo": {"ownerUid": 1000, "ownerGid": 1000, "permissions": "755"}},
        tags={"a": "b"},
    )
    life.make("aws:efs/backupPolicy:BackupPolicy", fileSystemId=files.id, backupPolicy={"status": "ENABLED"})
    life.unmake()


def test_lustre(life: Life, subnet: Made) -> None:
    files = life.make(
        "aws:fsx/lustreFileSystem:LustreFileSystem",
        storageCapacity=1200,
        subnetIds=subnet.id,
        deploymentType="PERSISTENT_2",
        perUnitStorageThroughput=125,
        tags={"a": "b"},
    )
    assert files["dnsName"].endswith(".fsx.us-east-1.amazonaws.com")
    assert files["mountName"]
    life.unmake()
