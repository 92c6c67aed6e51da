"""The life of functions, APIs, names and distributions: made, refreshed without changes, changed in place, deleted."""

from __future__ import annotations

import json

from life import Life
from test_types_containers import trust


def function(life: Life, name: str = "hello") -> object:
    role = life.make("aws:iam/role:Role", name=f"{name}-role", assumeRolePolicy=trust("lambda.amazonaws.com"))
    return life.make(
        "aws:lambda/function:Function",
        name=name,
        role=role["arn"],
        runtime="python3.12",
        handler="hello.handler",
        code={"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7", "hash": "abc", "path": "./hello"},
        environment={"variables": {"MODE": "b"}},
        tags={"a": "b"},
    )


def test_functions(life: Life) -> None:
    hello = function(life)
    assert hello["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:hello"
    assert hello["invokeArn"].endswith(f"functions/{hello['arn']}/invocations")
    life.change(hello, timeout=30, environment={"variables": {"MODE": "c"}}, tags={"a": "c"})
    life.make(
        "aws:lambda/permission:Permission",
        statementId="events",
        action="lambda:InvokeFunction",
        function="hello",
        principal="events.amazonaws.com",
    )
    queue = life.make("aws:sqs/queue:Queue", name="work")
    source = life.make(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        functionName="hello",
        eventSourceArn=queue["arn"],
        batchSize=5,
    )
    life.change(source, batchSize=10)
    url = life.make("aws:lambda/functionUrl:FunctionUrl", functionName="hello", authorizationType="NONE")
    assert url["functionUrl"].endswith(".lambda-url.us-east-1.on.aws/")
    life.make(
        "aws:lambda/layerVersion:LayerVersion",
        layerName="libs",
        compatibleRuntimes=["python3.12"],
        code={"hash": "def", "path": "./libs"},
    )
    life.make("aws:lambda/alias:Alias", name="live", functionName="hello", functionVersion="$LATEST")
    life.unmake()


def test_an_http_api(life: Life) -> None:
    hello = function(life)
    api = life.make("aws:apigatewayv2/api:Api", name="http", protocolType="HTTP", tags={"a": "b"})
    assert api["apiEndpoint"] == f"https://{api.id}.execute-api.us-east-1.amazonaws.com"
    life.change(api, description="ours", tags={"a": "c"})
    wired = life.make(
        "aws:apigatewayv2/integration:Integration",
        apiId=api.id,
        integrationType="AWS_PROXY",
        integrationUri=hello["arn"],
        integrationMethod="ANY",
        payloadFormatVersion="2.0",
    )
    route = life.make(
        "aws:apigatewayv2/route:Route", apiId=api.id, routeKey="$default", target=f"integrations/{wired.id}"
    )
    life.change(route, routeKey="GET /hello")
    stage = life.make("aws:apigatewayv2/stage:Stage", apiId=api.id, name="dev", autoDeploy=True)
    assert stage["invokeUrl"] == f"{api['apiEndpoint']}/dev"
    life.unmake()


def test_a_rest_api(life: Life) -> None:
    hello = function(life)
    api = life.make("aws:apigateway/restApi:RestApi", name="rest", tags={"a": "b"})
    assert api["rootResourceId"]
    resource = life.make(
        "aws:apigateway/resource:Resource", restApi=api.id, parentId=api["rootResourceId"], pathPart="hello"
    )
    assert resource["path"] == "/hello"
    life.make(
        "aws:apigateway/method:Method", restApi=api.id, resourceId=resource.id, httpMethod="GET", authorization="NONE"
    )
    life.make(
        "aws:apigateway/integration:Integration",
        restApi=api.id,
        resourceId=resource.id,
        httpMethod="GET",
        integrationHttpMethod="POST",
        type="AWS_PROXY",
        uri=hello["invokeArn"],
    )
    life.make(
        "aws:apigateway/methodResponse:MethodResponse",
        restApi=api.id,
        resourceId=resource.id,
        httpMethod="GET",
        statusCode="200",
    )
    life.make(
        "aws:apigateway/integrationResponse:IntegrationResponse",
        restApi=api.id,
        resourceId=resource.id,
        httpMethod="GET",
        statusCode="200",
    )
    deployed = life.make("aws:apigateway/deployment:Deployment", restApi=api.id, triggers={"r": "1"})
    stage = life.make(
        "aws:apigateway/stage:Stage", restApi=api.id, deployment=deployed.id, stageName="dev", variables={"a": "b"}
    )
    assert stage["invokeUrl"] == f"https://{api.id}.execute-api.us-east-1.amazonaws.com/dev"
    life.change(stage, variables={"a": "c"}, description="dev")
    life.unmake()


def test_a_rest_api_from_a_document(life: Life) -> None:
    document = {
        "swagger": "2.0",
        "info": {"title": "api", "version": "1.0"},
        "paths": {
            "/{proxy+}": {
                "x-amazon-apigateway-any-method": {
                    "x-amazon-apigateway-integration": {"uri": "http://a", "type": "http_proxy", "httpMethod": "POST"}
                }
            }
        },
    }
    life.make("aws:apigateway/restApi:RestApi", name="rest", body=json.dumps(document))
    life.unmake()


def test_names(life: Life) -> None:
    zone = life.make("aws:route53/zone:Zone", name="example.com", tags={"a": "b"})
    assert len(zone["nameServers"]) == 4
    life.change(zone, comment="ours", tags={"a": "c"})
    record = life.make("aws:route53/record:Record", zoneId=zone.id, name="www", type="A", ttl=300, records=["10.0.0.1"])
    assert record["fqdn"] == "www.example.com"
    assert record.id == f"{zone.id}_www_A"
    life.change(record, records=["10.0.0.2"], ttl=60)
    life.make(
        "aws:route53/record:Record", zoneId=zone.id, name="txt.example.com", type="TXT", ttl=60, records=["hello"]
    )
    alias = {"name": "d111111abcdef8.cloudfront.net", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}
    life.make("aws:route53/record:Record", zoneId=zone.id, name="", type="A", aliases=[alias])
    proof = life.make(
        "aws:acm/certificate:Certificate", domainName="www.example.com", validationMethod="DNS", tags={"a": "b"}
    )
    option = proof["domainValidationOptions"][0]
    entry = life.make(
        "aws:route53/record:Record",
        zoneId=zone.id,
        name=option["resourceRecordName"],
        type=option["resourceRecordType"],
        ttl=60,
        records=[option["resourceRecordValue"]],
    )
    life.make(
        "aws:acm/certificateValidation:CertificateValidation",
        certificateArn=proof["arn"],
        validationRecordFqdns=[entry["fqdn"]],
    )
    life.unmake()


def test_a_private_zone(life: Life) -> None:
    vpc = life.make("aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True)
    life.make("aws:route53/zone:Zone", name="internal.example", vpcs=[{"vpcId": vpc.id}])
    life.unmake()


def test_a_distribution(life: Life) -> None:
    bucket = life.make("aws:s3/bucket:Bucket", bucket="site-0123456")
    access = life.make(
        "aws:cloudfront/originAccessControl:OriginAccessControl",
        name="site",
        originAccessControlOriginType="s3",
        signingBehavior="always",
        signingProtocol="sigv4",
    )
    identity = life.make("aws:cloudfront/originAccessIdentity:OriginAccessIdentity", comment="site")
    assert identity["iamArn"].endswith(identity.id)
    site = life.make(
        "aws:cloudfront/distribution:Distribution",
        enabled=True,
        origins=[
            {"originId": "s3", "domainName": bucket["bucketRegionalDomainName"], "originAccessControlId": access.id}
        ],
        defaultRootObject="index.html",
        defaultCacheBehavior={
            "targetOriginId": "s3",
            "viewerProtocolPolicy": "redirect-to-https",
            "allowedMethods": ["GET", "HEAD"],
            "cachedMethods": ["GET", "HEAD"],
            "forwardedValues": {"queryString": False, "cookies": {"forward": "none"}},
        },
        restrictions={"geoRestriction": {"restrictionType": "none"}},
        viewerCertificate={"cloudfrontDefaultCertificate": True},
        tags={"a": "b"},
    )
    assert site["domainName"].endswith(".cloudfront.net")
    assert site["hostedZoneId"] == "Z2FDTNDATAQYW2"
    life.change(site, comment="ours", tags={"a": "c"})
    life.unmake()
