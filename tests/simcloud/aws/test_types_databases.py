"""The life of databases: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

import json

from life import Life, Made


def test_tables(life: Life) -> None:
    table = life.make(
        "aws:dynamodb/table:Table",
        name="users",
        billingMode="PROVISIONED",
        readCapacity=20,
        writeCapacity=20,
        hashKey="id",
        rangeKey="title",
        attributes=[{"name": "id", "type": "S"}, {"name": "title", "type": "S"}, {"name": "score", "type": "N"}],
        globalSecondaryIndexes=[
            {
                "name": "titles",
                "hashKey": "title",
                "rangeKey": "score",
                "writeCapacity": 10,
                "readCapacity": 10,
                "projectionType": "INCLUDE",
                "nonKeyAttributes": ["id"],
            }
        ],
        ttl={"attributeName": "expires", "enabled": True},
        tags={"a": "b"},
    )
    assert table["arn"] == "arn:aws:dynamodb:us-east-1:123456789012:table/users"
    life.change(table, readCapacity=10, tags={"a": "c"})
    life.change(table, pointInTimeRecovery={"enabled": True})
    demand = life.make(
        "aws:dynamodb/table:Table",
        name="demand",
        billingMode="PAY_PER_REQUEST",
        hashKey="id",
        attributes=[{"name": "id", "type": "S"}],
        streamEnabled=True,
        streamViewType="NEW_IMAGE",
    )
    assert demand["streamArn"].startswith("arn:aws:dynamodb:us-east-1:123456789012:table/demand/stream/")
    item = life.make(
        "aws:dynamodb/tableItem:TableItem",
        tableName="demand",
        hashKey="id",
        item=json.dumps({"id": {"S": "one"}, "n": {"N": "1"}}),
    )
    life.change(item, item=json.dumps({"id": {"S": "one"}, "n": {"N": "2"}}))
    life.unmake()


def test_a_relational_database(life: Life, vpc: Made, subnets: list[str]) -> None:
    group = life.make("aws:ec2/securityGroup:SecurityGroup", name="db", description="db", vpcId=vpc.id)
    where = life.make("aws:rds/subnetGroup:SubnetGroup", name="db", subnetIds=subnets, tags={"a": "b"})
    assert where["arn"] == "arn:aws:rds:us-east-1:123456789012:subgrp:db"
    base = life.make(
        "aws:rds/instance:Instance",
        identifier="app",
        allocatedStorage=20,
        engine="postgres",
        engineVersion="16.4",
        instanceClass="db.t3.micro",
        dbName="app",
        username="app",
        password="hush-hush",
        dbSubnetGroupName=where.id,
        vpcSecurityGroupIds=[group.id],
        skipFinalSnapshot=True,
        storageType="gp3",
        tags={"a": "b"},
    )
    assert base["endpoint"] == f"{base['address']}:5432"
    assert base["arn"] == "arn:aws:rds:us-east-1:123456789012:db:app"
    life.change(base, allocatedStorage=40, backupRetentionPeriod=7, tags={"a": "c"})
    life.make(
        "aws:rds/parameterGroup:ParameterGroup",
        name="pg",
        family="postgres16",
        parameters=[{"name": "log_connections", "value": "1"}],
    )
    life.unmake()


def test_a_cluster_of_databases(life: Life) -> None:
    cluster = life.make(
        "aws:rds/cluster:Cluster",
        clusterIdentifier="aurora",
        engine="aurora-postgresql",
        masterUsername="app",
        masterPassword="hush-hush",
        databaseName="app",
        skipFinalSnapshot=True,
    )
    assert cluster["endpoint"].startswith("aurora.cluster-")
    life.change(cluster, backupRetentionPeriod=5)
    life.make(
        "aws:rds/clusterInstance:ClusterInstance",
        identifier="aurora-1",
        clusterIdentifier=cluster.id,
        instanceClass="db.r6g.large",
        engine="aurora-postgresql",
    )
    life.unmake()


def test_caches(life: Life, subnets: list[str]) -> None:
    where = life.make("aws:elasticache/subnetGroup:SubnetGroup", name="cache", subnetIds=subnets)
    cache = life.make(
        "aws:elasticache/cluster:Cluster",
        clusterId="cache",
        engine="redis",
        nodeType="cache.t3.micro",
        numCacheNodes=1,
        subnetGroupName=where.id,
        tags={"a": "b"},
    )
    assert cache["cacheNodes"][0]["address"].endswith(".cache.amazonaws.com")
    life.make(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        replicationGroupId="pair",
        description="pair",
        nodeType="cache.t3.micro",
        numCacheClusters=2,
        automaticFailoverEnabled=True,
    )
    life.unmake()
