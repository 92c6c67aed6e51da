"""What CloudFormation's registry says of AWS's resource types: which properties can only be set at creation.

Source: the registry schemas (`createOnlyProperties`) that the package cfn-lint carries. Property names are given as the
Pulumi SDK spells them; the two are matched without regard to case, since both follow the API's names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

_SERVICES = {
    "alb": "elasticloadbalancingv2",
    "cfg": "config",
    "ebs": "ec2",
    "ec2clientvpn": "ec2",
    "ec2transitgateway": "ec2",
    "elb": "elasticloadbalancing",
    "lb": "elasticloadbalancingv2",
    "opensearch": "opensearchservice",
    "sfn": "stepfunctions",
}
"""Modules of the SDK whose service has another name in the registry."""
_TYPES = {
    "acm/certificate": "certificatemanager/certificate",
    "autoscaling/group": "autoscaling/autoscalinggroup",
    "autoscaling/policy": "autoscaling/scalingpolicy",
    "autoscaling/schedule": "autoscaling/scheduledaction",
    "cloudfront/originaccessidentity": "cloudfront/cloudfrontoriginaccessidentity",
    "cloudwatch/eventbus": "events/eventbus",
    "cloudwatch/eventrule": "events/rule",
    "cloudwatch/loggroup": "logs/loggroup",
    "cloudwatch/logstream": "logs/logstream",
    "cloudwatch/logsubscriptionfilter": "logs/subscriptionfilter",
    "cloudwatch/metricalarm": "cloudwatch/alarm",
    "ec2/networkaclrule": "ec2/networkaclentry",
    "ec2/routetableassociation": "ec2/subnetroutetableassociation",
    "ec2/vpcdhcpoptions": "ec2/dhcpoptions",
    "ec2transitgateway/vpcattachment": "ec2/transitgatewayvpcattachment",
    "elasticache/cluster": "elasticache/cachecluster",
    "fsx/lustrefilesystem": "fsx/filesystem",
    "iam/openidconnectprovider": "iam/oidcprovider",
    "iam/policy": "iam/managedpolicy",
    "lambda/functionurl": "lambda/url",
    "rds/cluster": "rds/dbcluster",
    "rds/clusterparametergroup": "rds/dbclusterparametergroup",
    "rds/instance": "rds/dbinstance",
    "rds/parametergroup": "rds/dbparametergroup",
    "rds/subnetgroup": "rds/dbsubnetgroup",
    "route53/record": "route53/recordset",
    "route53/zone": "route53/hostedzone",
    "sns/topicsubscription": "sns/subscription",
    "vpc/securitygroupegressrule": "ec2/securitygroupegress",
    "vpc/securitygroupingressrule": "ec2/securitygroupingress",
}
"""Types whose name in the registry is not the SDK's."""
_REGION = "us-east-1"


class Registry:
    """The schemas of one region (us-east-1, which has every type)."""

    def __init__(self) -> None:
        self._root = resources.files("cfnlint") / "data" / "schemas"
        listing = json.loads((self._root / "providers" / f"{_REGION}.json").read_text())
        self._files = {name.removeprefix("AWS::").replace("::", "/").lower(): file for name, file in listing.items()}
        self._names = {name.removeprefix("AWS::").replace("::", "/").lower(): name for name in listing}

    def type_name(self, token: str) -> str | None:
        """The registry's name for a token of the SDK: `AWS::EC2::VPC` for `aws:ec2/vpc:Vpc`; None when it has none."""
        name = self._lookup(token)
        return self._names[name] if name else None

    def create_only(self, token: str, inputs: Iterable[str]) -> frozenset[str]:
        """Of the SDK's `inputs` of this type, those that the registry says can only be set at creation."""
        name = self._lookup(token)
        if name is None:
            return frozenset()
        schema = self._schema(self._files[name])
        only = {path.removeprefix("/properties/").lower() for path in schema.get("createOnlyProperties", ())}
        return frozenset(i for i in inputs if i.lower() in only)

    def read_actions(self, token: str) -> list[str]:
        """The IAM actions that reading one such resource needs, as the registry's own read handler has them."""
        name = self._lookup(token)
        if name is None:
            return []
        handlers = self._schema(self._files[name]).get("handlers", {})
        return sorted(handlers.get("read", {}).get("permissions", ()))

    def properties(self, token: str) -> frozenset[str]:
        """The registry's property names of this type, in lower case; none when it does not know the type."""
        name = self._lookup(token)
        return frozenset(p.lower() for p in self._schema(self._files[name])["properties"]) if name else frozenset()

    def _lookup(self, token: str) -> str | None:
        module, _, kind = token.removeprefix("aws:").split(":")[0].lower().partition("/")
        name = _TYPES.get(f"{module}/{kind}", f"{_SERVICES.get(module, module)}/{kind}")
        return name if name in self._files else None

    def _schema(self, file: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads((self._root / "resources" / f"{file}.json").read_text())
        return found
