"""Application, network and gateway load balancers.

Sources: Elastic Load Balancing API reference (2015-12-01); `createOnlyProperties` of the AWS::ElasticLoadBalancingV2
schemas; the provider's documentation.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName, Failure

ACTIONS = {
    "forward": "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixedResponse": "FixedResponseConfig",
    "authenticateOidc": "AuthenticateOidcConfig",
    "authenticateCognito": "AuthenticateCognitoConfig",
}


ZONES = {
    "us-east-1": ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    "us-east-2": ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    "us-west-1": ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    "us-west-2": ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
    "eu-west-1": ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    "eu-central-1": ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
}
"""Route 53 zones of application and of network load balancers. Source: AWS General Reference, "Elastic Load Balancing
endpoints and quotas"."""


def aliases(name: str) -> tuple[str, ...]:
    """The token of a load balancing type in the SDK's older module."""
    return (f"aws:alb/{name}:{name[:1].upper() + name[1:]}",)


class _Attributes(TableType):
    """A type some of whose properties are attributes: pairs of a key and a text."""

    service = "elbv2"
    attributes: ClassVar[Mapping[str, str]] = {}
    attribute_call: ClassVar[str] = ""

    def _wanted(self, props: Props) -> dict[str, str]:
        return {
            key: str(props[n]).lower() if isinstance(props[n], bool) else str(props[n])
            for n, key in self.attributes.items()
            if props.get(n) not in (None, "")
        }

    def _put(self, cloud: AwsClient, id: str, props: Props, rows: Mapping[str, str]) -> None:
        if rows:
            member = next(m for m in self.named if m.endswith("Arn"))
            pairs = [{"Key": k, "Value": v} for k, v in rows.items()]
            self.api(cloud, props).does(f"Modify{self.attribute_call}", **{member: id}, Attributes=pairs)

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        self._put(cloud, id, inputs, dict(self._wanted(inputs).items()))

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        before = self._wanted(old)
        self._put(cloud, id, new, {k: v for k, v in self._wanted(new).items() if before.get(k) != v})

    def live_attributes(self, cloud: AwsClient, id: str, state: Props) -> dict[str, str]:
        """The attributes as the cloud has them."""
        member = next(m for m in self.named if m.endswith("Arn"))
        rows = self.api(cloud, state).does(f"Describe{self.attribute_call}", **{member: id})["Attributes"]
        return {r["Key"]: r.get("Value", "") for r in rows}

    def show_attributes(self, live: Mapping[str, str], state: dict[str, Any], kinds: Mapping[str, str]) -> None:
        """Put attributes into the state, as the SDK's type wants them."""
        for name, key in self.attributes.items():
            if key in live and live[key] != "":
                kind = kinds.get(name, "str")
                text = live[key]
                state[name] = text == "true" if kind == "bool" else int(text) if kind == "int" else text


class LoadBalancer(_Attributes):
    """aws.lb.LoadBalancer."""

    token = "aws:lb/loadBalancer:LoadBalancer"
    also = aliases("loadBalancer")
    auto_name = AutoName(max_length=32)
    creates, made = "CreateLoadBalancer", "LoadBalancers.0.LoadBalancerArn"
    reads, row, deletes = "DescribeLoadBalancers", "LoadBalancers.0", "DeleteLoadBalancer"
    named = {"LoadBalancerArn": "id", "LoadBalancerArns": "id"}
    renames = {
        "loadBalancerType": "Type",
        "name": "Name|LoadBalancerName",
        "arn": "LoadBalancerArn",
        "dnsName": "DNSName",
        "zoneId": "CanonicalHostedZoneId",
        "subnets": "Subnets",
    }
    replace_on = frozenset({"region", "name", "namePrefix", "internal", "loadBalancerType", "customerOwnedIpv4Pool"})
    defaults = {
        "loadBalancerType": "application",
        "enableDeletionProtection": False,
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": False,
        "enableHttp2": True,
        "enableTlsVersionAndCipherSuiteHeaders": False,
        "enableWafFailOpen": False,
        "enableXffClientPort": False,
        "idleTimeout": 60,
        "clientKeepAlive": 3600,
        "preserveHostHeader": False,
        "xffHeaderProcessingMode": "append",
        "dnsRecordClientRoutingPolicy": "any_availability_zone",
        "enableZonalShift": False,
    }
    computed = REGIONAL | {
        "namePrefix",
        "internal",
        "ipAddressType",
        "securityGroups",
        "subnets",
        "subnetMappings",
        "enableCrossZoneLoadBalancing",
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        "secondaryIpsAutoAssignedPerSubnet",
        "enablePrefixForIpv6SourceNat",
    }
    unordered = frozenset({"securityGroups", "subnets", "subnetMappings"})
    attributes = {
        "enableDeletionProtection": "deletion_protection.enabled",
        "desyncMitigationMode": "routing.http.desync_mitigation_mode",
        "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
        "enableHttp2": "routing.http2.enabled",
        "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "enableWafFailOpen": "waf.fail_open.enabled",
        "enableXffClientPort": "routing.http.xff_client_port.enabled",
        "idleTimeout": "idle_timeout.timeout_seconds",
        "clientKeepAlive": "client_keep_alive.seconds",
        "preserveHostHeader": "routing.http.preserve_host_header.enabled",
        "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
        "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
        "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy",
    }
    attribute_call = "LoadBalancerAttributes"
    sources = (
        "ELB API: CreateLoadBalancer, ModifyLoadBalancerAttributes, SetSubnets, SetSecurityGroups",
        "AWS::ElasticLoadBalancingV2::LoadBalancer createOnlyProperties",
    )
    _APPLICATION = frozenset(
        {
            "desyncMitigationMode",
            "dropInvalidHeaderFields",
            "enableHttp2",
            "enableTlsVersionAndCipherSuiteHeaders",
            "enableWafFailOpen",
            "enableXffClientPort",
            "idleTimeout",
            "clientKeepAlive",
            "preserveHostHeader",
            "xffHeaderProcessingMode",
        }
    )

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Subnets are given one way."""
        if inputs.get("subnets") and inputs.get("subnetMappings"):
            yield Failure("subnets", "only one of subnetMappings, subnets can be specified")

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """A network load balancer without security groups gets none later, and one with some keeps some."""
        found = super().replaces(old, new, changed)
        groups = {c for c in changed if c.split(".")[0] == "securityGroups"}
        appear = bool(old.get("securityGroups")) != bool(new.get("securityGroups"))
        if groups and new.get("loadBalancerType") == "network" and appear:
            found |= groups
        return found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Scheme": "internal" if inputs.get("internal") else "internet-facing"}

    def _wanted(self, props: Props) -> dict[str, str]:
        kind = props.get("loadBalancerType", "application")
        out = super()._wanted(props)
        for name in self._APPLICATION if kind != "application" else ("dnsRecordClientRoutingPolicy",):
            out.pop(self.attributes[name], None)
        if kind == "application":
            out.pop(self.attributes["enableCrossZoneLoadBalancing"], None)
        logs = props.get("accessLogs")
        if logs:
            out["access_logs.s3.enabled"] = "true" if logs.get("enabled") else "false"
            if logs.get("bucket"):
                out["access_logs.s3.bucket"] = logs["bucket"]
            if logs.get("prefix"):
                out["access_logs.s3.prefix"] = logs["prefix"]
        return out

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        super().changed(cloud, id, old, new)
        api = self.api(cloud, new)
        if set(old.get("securityGroups") or ()) != set(new.get("securityGroups") or ()) and new.get("securityGroups"):
            api.set_security_groups(LoadBalancerArn=id, SecurityGroups=list(new["securityGroups"]))
        if set(old.get("subnets") or ()) != set(new.get("subnets") or ()) and new.get("subnets"):
            api.set_subnets(LoadBalancerArn=id, Subnets=list(new["subnets"]))
        if old.get("ipAddressType") != new.get("ipAddressType") and new.get("ipAddressType"):
            api.set_ip_address_type(LoadBalancerArn=id, IpAddressType=new["ipAddressType"])

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        live = self.live_attributes(cloud, row["LoadBalancerArn"], state)
        kinds = {"idleTimeout": "int", "clientKeepAlive": "int"}
        kinds |= {n: "bool" for n in self.attributes if n.startswith(("enable", "drop", "preserve"))}
        self.show_attributes(live, state, kinds)
        zones = row.get("AvailabilityZones") or []
        state["arnSuffix"] = row["LoadBalancerArn"].split(":loadbalancer/", 1)[-1]
        zone = ZONES.get(state["region"])
        if zone:
            state["zoneId"] = zone[row.get("Type") == "network"]
        state["internal"] = row.get("Scheme") == "internal"
        state["subnets"] = [z["SubnetId"] for z in zones if z.get("SubnetId")]
        state["subnetMappings"] = known.get("subnetMappings") or [{"subnetId": s} for s in state["subnets"]]
        state["accessLogs"] = {
            "enabled": live.get("access_logs.s3.enabled") == "true",
            "bucket": live.get("access_logs.s3.bucket", ""),
            "prefix": live.get("access_logs.s3.prefix", ""),
        }


class TargetGroup(_Attributes):
    """aws.lb.TargetGroup."""

    token = "aws:lb/targetGroup:TargetGroup"
    also = aliases("targetGroup")
    auto_name = AutoName(max_length=32)
    creates, made = "CreateTargetGroup", "TargetGroups.0.TargetGroupArn"
    reads, row, deletes = "DescribeTargetGroups", "TargetGroups.0", "DeleteTargetGroup"
    named = {"TargetGroupArn": "id", "TargetGroupArns": "id"}
    renames = {"name": "Name|TargetGroupName", "arn": "TargetGroupArn", "healthCheck": "", "targetHealthStates": ""}
    replace_on = frozenset(
        {
            "region",
            "name",
            "namePrefix",
            "port",
            "protocol",
            "protocolVersion",
            "targetType",
            "vpcId",
            "ipAddressType",
            "targetControlPort",
        }
    )
    defaults = {
        "targetType": "instance",
        "deregistrationDelay": 300,
        "slowStart": 0,
        "proxyProtocolV2": False,
        "lambdaMultiValueHeadersEnabled": False,
    }
    computed = REGIONAL | {
        "namePrefix",
        "healthCheck",
        "stickiness",
        "protocolVersion",
        "ipAddressType",
        "loadBalancingAlgorithmType",
        "loadBalancingAnomalyMitigation",
        "loadBalancingCrossZoneEnabled",
        "preserveClientIp",
        "targetFailovers",
        "targetGroupHealth",
        "targetHealthStates",
        "connectionTermination",
    }
    attributes = {
        "deregistrationDelay": "deregistration_delay.timeout_seconds",
        "slowStart": "slow_start.duration_seconds",
        "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
        "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
        "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
        "proxyProtocolV2": "proxy_protocol_v2.enabled",
        "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
        "connectionTermination": "deregistration_delay.connection_termination.enabled",
        "preserveClientIp": "preserve_client_ip.enabled",
    }
    attribute_call = "TargetGroupAttributes"
    sources = (
        "ELB API: CreateTargetGroup, ModifyTargetGroup, ModifyTargetGroupAttributes",
        "AWS::ElasticLoadBalancingV2::TargetGroup createOnlyProperties",
    )
    _CHECK = {
        "enabled": "HealthCheckEnabled",
        "healthyThreshold": "HealthyThresholdCount",
        "unhealthyThreshold": "UnhealthyThresholdCount",
        "interval": "HealthCheckIntervalSeconds",
        "matcher": "Matcher",
        "path": "HealthCheckPath",
        "port": "HealthCheckPort",
        "protocol": "HealthCheckProtocol",
        "timeout": "HealthCheckTimeoutSeconds",
    }

    def check(self, inputs: Props) -> Iterable[Failure]:
        """Everything but a Lambda function has a port, a protocol and a VPC."""
        if inputs.get("targetType") != "lambda":
            for name in ("port", "protocol", "vpcId"):
                if inputs.get(name) is None:
                    yield Failure(name, f'Attribute "{name}" must be specified when "target_type" is not "lambda"')

    def _health(self, props: Props) -> dict[str, Any]:
        said, found = props.get("healthCheck") or {}, {}
        http = str(said.get("protocol", props.get("protocol", "HTTP"))) in ("HTTP", "HTTPS")
        for name, member in self._CHECK.items():
            value = said.get(name)
            if value in (None, "") or (name in ("path", "matcher") and not http):
                continue
            if name == "matcher":
                value = {"GrpcCode" if props.get("protocolVersion") == "GRPC" else "HttpCode": str(value)}
            found[member] = str(value) if name == "port" else value
        return found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, **self._health(inputs)}

    def _wanted(self, props: Props) -> dict[str, str]:
        network = props.get("protocol") not in ("HTTP", "HTTPS")
        out = super()._wanted(props)
        skipped = {"slowStart", "loadBalancingAlgorithmType", "loadBalancingAnomalyMitigation"} if network else set()
        skipped |= {"proxyProtocolV2"} if not network else set()
        if props.get("targetType") == "lambda":
            skipped |= {"deregistrationDelay"}
        else:
            skipped |= {"lambdaMultiValueHeadersEnabled"}
        if not props.get("slowStart"):
            skipped |= {"slowStart"}
        for name in skipped:
            out.pop(self.attributes[name], None)
        sticky = props.get("stickiness")
        if sticky:
            out["stickiness.enabled"] = str(sticky.get("enabled", True)).lower()
            out["stickiness.type"] = sticky["type"]
            if sticky["type"] == "lb_cookie":
                out["stickiness.lb_cookie.duration_seconds"] = str(sticky.get("cookieDuration") or 86400)
            if sticky.get("cookieName"):
                out["stickiness.app_cookie.cookie_name"] = sticky["cookieName"]
        return out

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        super().changed(cloud, id, old, new)
        if self._health(old) != self._health(new):
            self.api(cloud, new).modify_target_group(TargetGroupArn=id, **self._health(new))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        live = self.live_attributes(cloud, row["TargetGroupArn"], state)
        kinds = {"deregistrationDelay": "int", "slowStart": "int"}
        kinds |= dict.fromkeys(("proxyProtocolV2", "lambdaMultiValueHeadersEnabled", "connectionTermination"), "bool")
        self.show_attributes(live, state, kinds)
        state["arnSuffix"] = row["TargetGroupArn"].rsplit(":", 1)[-1]
        state["loadBalancerArns"] = row.get("LoadBalancerArns") or []
        matcher = row.get("Matcher") or {}
        state["healthCheck"] = {
            n: matcher.get("HttpCode") or matcher.get("GrpcCode") or "" if n == "matcher" else row[m]
            for n, m in self._CHECK.items()
            if m in row
        }
        if live.get("stickiness.type"):
            state["stickiness"] = {
                "enabled": live.get("stickiness.enabled") == "true",
                "type": live["stickiness.type"],
                "cookieDuration": int(live.get("stickiness.lb_cookie.duration_seconds") or 86400),
                "cookieName": live.get("stickiness.app_cookie.cookie_name", ""),
            }


class Listener(TableType):
    """aws.lb.Listener."""

    token = "aws:lb/listener:Listener"
    service = "elbv2"
    also = aliases("listener")
    creates, made = "CreateListener", "Listeners.0.ListenerArn"
    reads, row = "DescribeListeners", "Listeners.0"
    updates, deletes = ("ModifyListener",), "DeleteListener"
    named = {"ListenerArn": "id", "ListenerArns": "id"}
    renames = {**ACTIONS, "arn": "TargetGroupArn|ListenerArn", "certificateArn": ""}
    replace_on = frozenset({"region", "loadBalancerArn"})
    computed = REGIONAL | {"sslPolicy", "mutualAuthentication", "tcpIdleTimeoutSeconds", "protocol"}
    sources = ("ELB API: CreateListener, ModifyListener", "AWS::ElasticLoadBalancingV2::Listener createOnlyProperties")

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if "Protocol" not in asked and ":loadbalancer/app/" in str(inputs["loadBalancerArn"]):
            asked["Protocol"] = "HTTP"  # the provider's own default
        if inputs.get("certificateArn"):
            asked["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        return {**asked, "DefaultActions": ordered(asked["DefaultActions"])}

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        if "DefaultActions" in asked:
            asked["DefaultActions"] = ordered(asked["DefaultActions"])
        return asked

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("certificateArn") != new.get("certificateArn") and new.get("certificateArn"):
            self.api(cloud, new).modify_listener(
                ListenerArn=id, Certificates=[{"CertificateArn": new["certificateArn"]}]
            )

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["arn"] = row["ListenerArn"]
        certificates = row.get("Certificates") or []
        state["certificateArn"] = certificates[0]["CertificateArn"] if certificates else None


def ordered(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Actions with their order, as the provider sends them."""
    return [{"Order": place, **one} for place, one in enumerate(actions, 1)]


class ListenerRule(TableType):
    """aws.lb.ListenerRule."""

    token = "aws:lb/listenerRule:ListenerRule"
    service = "elbv2"
    also = aliases("listenerRule")
    creates, made = "CreateRule", "Rules.0.RuleArn"
    reads, row, deletes = "DescribeRules", "Rules.0", "DeleteRule"
    updates = ("ModifyRule",)
    named = {"RuleArn": "id", "RuleArns": "id"}
    renames = {**ACTIONS, "arn": "TargetGroupArn|RuleArn"}
    replace_on = frozenset({"region", "listenerArn"})
    computed = REGIONAL | {"priority"}
    unordered = frozenset({"conditions"})
    sources = ("ELB API: CreateRule, ModifyRule, SetRulePriorities", "AWS::ElasticLoadBalancingV2::ListenerRule")
    _FIELDS = {
        "hostHeader": ("host-header", "HostHeaderConfig"),
        "pathPattern": ("path-pattern", "PathPatternConfig"),
        "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
        "sourceIp": ("source-ip", "SourceIpConfig"),
    }

    def _conditions(self, props: Props) -> list[dict[str, Any]]:
        found = []
        for one in props.get("conditions") or ():
            for name, (field, member) in self._FIELDS.items():
                if one.get(name):
                    found.append({"Field": field, member: {"Values": list(one[name].get("values") or ())}})
            if one.get("httpHeader"):
                header = one["httpHeader"]
                config = {"HttpHeaderName": header["httpHeaderName"], "Values": list(header.get("values") or ())}
                found.append({"Field": "http-header", "HttpHeaderConfig": config})
            if one.get("queryStrings"):
                pairs = [present({"Key": q.get("key"), "Value": q.get("value")}) for q in one["queryStrings"]]
                found.append({"Field": "query-string", "QueryStringConfig": {"Values": pairs}})
        return found

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        asked |= {"Conditions": self._conditions(inputs), "Actions": ordered(asked["Actions"])}
        if "Priority" not in asked:
            rules = self.api(cloud, inputs).describe_rules(ListenerArn=inputs["listenerArn"])["Rules"]
            taken = [int(r["Priority"]) for r in rules if r["Priority"] != "default"]
            asked["Priority"] = max(taken, default=0) + 1
        return asked

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "Conditions": self._conditions(new),
            **({"Actions": ordered(asked["Actions"])} if "Actions" in asked else {}),
        }

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if new.get("priority") is not None and old.get("priority") != new["priority"]:
            self.api(cloud, new).set_rule_priorities(RulePriorities=[{"RuleArn": id, "Priority": new["priority"]}])

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["arn"] = row["RuleArn"]
        back = {field: (name, member) for name, (field, member) in self._FIELDS.items()}
        found: list[dict[str, Any]] = []
        for one in row.get("Conditions") or ():
            if one["Field"] in back:
                name, member = back[one["Field"]]
                found.append({name: {"values": list((one.get(member) or {}).get("Values") or one.get("Values") or ())}})
            elif one["Field"] == "http-header":
                config = one["HttpHeaderConfig"]
                found.append({"httpHeader": {"httpHeaderName": config["HttpHeaderName"], "values": config["Values"]}})
            elif one["Field"] == "query-string":
                pairs = [
                    present({"key": v.get("Key"), "value": v.get("Value")}) for v in one["QueryStringConfig"]["Values"]
                ]
                found.append({"queryStrings": pairs})
        state["conditions"] = found


class TargetGroupAttachment(TableType):
    """aws.lb.TargetGroupAttachment."""

    token = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    service = "elbv2"
    also = aliases("targetGroupAttachment")
    creates, reads, row, deletes = (
        "RegisterTargets",
        "DescribeTargetHealth",
        "TargetHealthDescriptions",
        "DeregisterTargets",
    )
    named = {"TargetGroupArn": "targetGroupArn"}
    replace_on = frozenset({"region", "targetGroupArn", "targetId", "port", "availabilityZone", "quicServerId"})
    gone_codes = ("InvalidTarget",)
    sources = ("ELB API: RegisterTargets, DeregisterTargets, DescribeTargetHealth",)

    def _target(self, props: Props) -> dict[str, Any]:
        return present(
            {"Id": props["targetId"], "Port": props.get("port"), "AvailabilityZone": props.get("availabilityZone")}
        )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        target = self._target(inputs)
        self.api(cloud, inputs).register_targets(TargetGroupArn=inputs["targetGroupArn"], Targets=[target])
        return f"{inputs['targetGroupArn']}-{zlib.crc32(repr(target).encode()):010d}"

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        return super().answer(cloud, id, known) if known.get("targetId") else None

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        for one in rows:
            target = one["Target"]
            if target["Id"] == known["targetId"] and known.get("port") in (None, target.get("Port")):
                return {"TargetId": target["Id"], "Port": target.get("Port") if known.get("port") else None}
        return None

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Targets": [self._target(state)]}


class ListenerCertificate(TableType):
    """aws.lb.ListenerCertificate."""

    token = "aws:lb/listenerCertificate:ListenerCertificate"
    service = "elbv2"
    also = aliases("listenerCertificate")
    id_form = "{listenerArn}_{certificateArn}"
    reads, row = "DescribeListenerCertificates", "Certificates"
    named = {"ListenerArn": "listenerArn"}
    replace_on = frozenset({"region", "certificateArn", "listenerArn"})
    deletes = "RemoveListenerCertificates"
    creates = "AddListenerCertificates"
    sources = ("ELB API: AddListenerCertificates, RemoveListenerCertificates",)

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {"ListenerArn": inputs["listenerArn"], "Certificates": [{"CertificateArn": inputs["certificateArn"]}]}

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "Certificates": [{"CertificateArn": state["certificateArn"]}]}

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        wanted = self._parts(id).get("certificateArn")
        return next((r for r in rows if r["CertificateArn"] == wanted), None)


TYPES = (
    LoadBalancer,
    TargetGroup,
    Listener,
    ListenerRule,
    TargetGroupAttachment,
    ListenerCertificate,
)
