"""The life of ECS, ECR and EKS: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

import json

from life import Life, Made


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_service_on_fargate(life: Life, vpc: Made, subnets: list[str]) -> None:
    role = life.make("aws:iam/role:Role", name="task", assumeRolePolicy=trust("ecs-tasks.amazonaws.com"))
    cluster = life.make(
        "aws:ecs/cluster:Cluster",
        name="app",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags={"a": "b"},
    )
    assert cluster["arn"] == "arn:aws:ecs:us-east-1:123456789012:cluster/app"
    life.change(cluster, tags={"a": "c"})
    life.make(
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        clusterName="app",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategies=[{"capacityProvider": "FARGATE", "base": 1, "weight": 100}],
    )
    containers = [
        {"name": "app", "image": "nginx", "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}
    ]
    task = life.make(
        "aws:ecs/taskDefinition:TaskDefinition",
        family="app",
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        executionRoleArn=role["arn"],
        containerDefinitions=json.dumps(containers),
        tags={"a": "b"},
    )
    assert task["revision"] == 1
    assert task["arn"].endswith(":task-definition/app:1")
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="web", description="web", vpcId=vpc.id)
    balancer = life.make("aws:lb/loadBalancer:LoadBalancer", name="web", subnets=subnets, securityGroups=[group.id])
    targets = life.make(
        "aws:lb/targetGroup:TargetGroup", name="web", port=80, protocol="HTTP", targetType="ip", vpcId=vpc.id
    )
    life.make(
        "aws:lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=80,
        defaultActions=[{"type": "forward", "targetGroupArn": targets.id}],
    )
    service = life.make(
        "aws:ecs/service:Service",
        name="app",
        cluster=cluster["arn"],
        desiredCount=3,
        launchType="FARGATE",
        taskDefinition=task["arn"],
        networkConfiguration={"assignPublicIp": True, "subnets": subnets, "securityGroups": [group.id]},
        loadBalancers=[{"targetGroupArn": targets.id, "containerName": "app", "containerPort": 80}],
        tags={"a": "b"},
    )
    life.change(service, desiredCount=2)
    life.unmake()


def test_a_registry(life: Life) -> None:
    images = life.make(
        "aws:ecr/repository:Repository", name="app", imageScanningConfiguration={"scanOnPush": True}, tags={"a": "b"}
    )
    assert images["repositoryUrl"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/app"
    life.change(
        images, imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": False}, tags={"a": "c"}
    )
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 3},
        "action": {"type": "expire"},
    }
    life.make("aws:ecr/lifecyclePolicy:LifecyclePolicy", repository="app", policy=json.dumps({"rules": [rule]}))
    grant = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}],
    }
    life.make("aws:ecr/repositoryPolicy:RepositoryPolicy", repository="app", policy=json.dumps(grant))
    life.unmake()


def test_a_kubernetes_cluster(life: Life, subnets: list[str]) -> None:
    role = life.make("aws:iam/role:Role", name="cluster", assumeRolePolicy=trust("eks.amazonaws.com"))
    nodes = life.make("aws:iam/role:Role", name="nodes", assumeRolePolicy=trust("ec2.amazonaws.com"))
    pods = life.make("aws:iam/role:Role", name="pods", assumeRolePolicy=trust("eks-fargate-pods.amazonaws.com"))
    cluster = life.make(
        "aws:eks/cluster:Cluster",
        name="train",
        roleArn=role["arn"],
        version="1.33",
        vpcConfig={"subnetIds": subnets, "publicAccessCidrs": ["0.0.0.0/0"]},
        accessConfig={"authenticationMode": "API"},
        enabledClusterLogTypes=["api", "audit"],
        tags={"a": "b"},
    )
    assert cluster["endpoint"].startswith("https://")
    assert cluster["certificateAuthority"]["data"]
    assert cluster["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.us-east-1.amazonaws.com/id/")
    life.change(cluster, version="1.34", tags={"a": "c"})
    group = life.make(
        "aws:eks/nodeGroup:NodeGroup",
        nodeGroupName="gpu",
        clusterName="train",
        nodeRoleArn=nodes["arn"],
        subnetIds=subnets,
        instanceTypes=["g5.xlarge"],
        scalingConfig={"desiredSize": 1, "maxSize": 2, "minSize": 1},
        labels={"pool": "gpu"},
        tags={"a": "b"},
    )
    life.change(group, scalingConfig={"desiredSize": 2, "maxSize": 4, "minSize": 1}, labels={"pool": "gpus"})
    addon = life.make("aws:eks/addon:Addon", clusterName="train", addonName="vpc-cni", tags={"a": "b"})
    life.change(addon, addonVersion="v1.20.0-eksbuild.1", tags={"a": "c"})
    entry = life.make(
        "aws:eks/accessEntry:AccessEntry", clusterName="train", principalArn=nodes["arn"], kubernetesGroups=["admins"]
    )
    life.change(entry, kubernetesGroups=["viewers"], tags={"a": "b"})
    life.make(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        clusterName="train",
        principalArn=nodes["arn"],
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        accessScope={"type": "namespace", "namespaces": ["default"]},
    )
    life.make(
        "aws:eks/fargateProfile:FargateProfile",
        fargateProfileName="system",
        clusterName="train",
        podExecutionRoleArn=pods["arn"],
        subnetIds=subnets,
        selectors=[{"namespace": "kube-system"}],
    )
    tie = life.make(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        clusterName="train",
        namespace="default",
        serviceAccount="app",
        roleArn=pods["arn"],
    )
    assert tie["associationId"] == tie.id
    life.unmake()
