"""Names and what stands behind them: Route 53, certificates, CloudFront.

Sources: Route 53, ACM and CloudFront API references; `createOnlyProperties` of the registry schemas; the provider's
documentation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, Props, present
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName, CloudError, Failure


class Zone(TableType):
    """aws.route53.Zone."""

    token = "aws:route53/zone:Zone"
    service = "route53"
    auto_name = AutoName(max_length=1024)
    creates, reads, deletes = "CreateHostedZone", "GetHostedZone", "DeleteHostedZone"
    named = {"Id": "id", "HostedZoneId": "id"}
    replace_on = frozenset({"name", "delegationSetId"})
    defaults = {"comment": "Managed by Pulumi", "forceDestroy": False}
    computed: ClassVar[frozenset[str]] = frozenset({"vpcs"})
    unordered = frozenset({"vpcs"})
    provider_only = frozenset({"forceDestroy", "enableAcceleratedRecovery"})
    arn_form = "arn:aws:route53:::hostedzone/{id}"
    tag_target = {"ResourceType": "hostedzone", "ResourceId": "id"}
    sources = ("Route 53 API: CreateHostedZone, UpdateHostedZoneComment", "AWS::Route53::HostedZone")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        vpcs = [
            {"VPCId": v["vpcId"], "VPCRegion": v.get("vpcRegion") or cloud.region} for v in inputs.get("vpcs") or ()
        ]
        asked: dict[str, Any] = {
            "Name": inputs["name"],
            "CallerReference": f"terraform-{uuid.uuid4().hex[:26]}",
            "HostedZoneConfig": {"Comment": inputs.get("comment") or "", "PrivateZone": bool(vpcs)},
            **({"VPC": vpcs[0]} if vpcs else {}),
            **present({"DelegationSetId": inputs.get("delegationSetId")}),
        }
        api = self.api(cloud, inputs)
        id = str(api.create_hosted_zone(**asked)["HostedZone"]["Id"]).removeprefix("/hostedzone/")
        for one in vpcs[1:]:
            api.associate_vpc_with_hosted_zone(HostedZoneId=id, VPC=one)
        tags = cloud.tags(inputs)
        if tags:
            self._retag(cloud, id, {"tagsAll": {}}, inputs)
        return id

    def _retag(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        gone, changed = cloud.tag_changes(old, new)
        asked: dict[str, Any] = {"AddTags": [{"Key": k, "Value": v} for k, v in changed.items()]} if changed else {}
        if gone:
            asked["RemoveTagKeys"] = gone
        if asked:
            self.api(cloud, new).change_tags_for_resource(ResourceType="hostedzone", ResourceId=id, **asked)

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if old.get("comment") != new.get("comment"):
            api.update_hosted_zone_comment(Id=id, Comment=new.get("comment") or "")
        was = {v["vpcId"]: v.get("vpcRegion") or cloud.region for v in old.get("vpcs") or ()}
        now = {v["vpcId"]: v.get("vpcRegion") or cloud.region for v in new.get("vpcs") or ()}
        for vpc, region in now.items():
            if vpc not in was:
                api.associate_vpc_with_hosted_zone(HostedZoneId=id, VPC={"VPCId": vpc, "VPCRegion": region})
        for vpc, region in was.items():
            if vpc not in now:
                api.disassociate_vpc_from_hosted_zone(HostedZoneId=id, VPC={"VPCId": vpc, "VPCRegion": region})

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        zone = row["HostedZone"]
        id = zone["Id"].removeprefix("/hostedzone/")
        servers = (row.get("DelegationSet") or {}).get("NameServers") or []
        state |= {
            "name": str(zone["Name"]).rstrip("."),
            "comment": (zone.get("Config") or {}).get("Comment", ""),
            "zoneId": id,
            "nameServers": sorted(servers),
            "primaryNameServer": servers[0] if servers else "",
            "vpcs": [{"vpcId": v["VPCId"], "vpcRegion": v["VPCRegion"]} for v in row.get("VPCs") or ()],
        }
        if {v["vpcId"] for v in state["vpcs"]} == {v["vpcId"] for v in known.get("vpcs") or ()}:
            state["vpcs"] = known.get("vpcs")
        said = known.get("name")
        if said and said.rstrip(".") == state["name"]:
            state["name"] = said

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if not state.get("forceDestroy"):
            return
        api = self.api(cloud, state)
        answer = absent_is_none(lambda: api.list_resource_record_sets(HostedZoneId=id)) or {}
        rows = [r for r in answer.get("ResourceRecordSets", ()) if r["Type"] not in ("NS", "SOA")]
        if rows:
            changes = [{"Action": "DELETE", "ResourceRecordSet": r} for r in rows]
            api.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes})


_POLICIES = {
    "weightedRoutingPolicies": (("weight", "Weight"),),
    "latencyRoutingPolicies": (("region", "Region"),),
    "failoverRoutingPolicies": (("type", "Failover"),),
}


class Record(TableType):
    """aws.route53.Record."""

    token = "aws:route53/record:Record"
    service = "route53"
    replace_on = frozenset({"zoneId", "setIdentifier", "name", "type"})
    computed: ClassVar[frozenset[str]] = frozenset({"allowOverwrite"})
    unordered = frozenset({"records", "aliases"})
    sources = ("Route 53 API: ChangeResourceRecordSets, ListResourceRecordSets", "AWS::Route53::RecordSet")

    def check(self, inputs: Props) -> Iterable[Failure]:
        """A record has values and a time to live, or an alias."""
        if inputs.get("records") and inputs.get("aliases"):
            yield Failure("records", "conflicts with aliases")
        if not inputs.get("records") and not inputs.get("aliases"):
            yield Failure("records", "one of aliases, records must be specified")
        if inputs.get("records") and inputs.get("ttl") is None:
            yield Failure("ttl", "all of records, ttl must be specified")

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """A name that only gains or loses the zone's own ending is the same name."""
        return super().replaces(old, new, changed)

    def _fqdn(self, cloud: AwsClient, props: Props) -> str:
        zone = self.api(cloud, props).get_hosted_zone(Id=props["zoneId"])["HostedZone"]["Name"].rstrip(".")
        name = str(props.get("name") or "").lower().rstrip(".")
        if not name:
            return str(zone)
        return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"

    def _set(self, cloud: AwsClient, props: Props) -> dict[str, Any]:
        found: dict[str, Any] = {"Name": self._fqdn(cloud, props), "Type": props["type"]}
        alias = next(iter(props.get("aliases") or ()), None)
        if alias:
            found["AliasTarget"] = {
                "HostedZoneId": alias["zoneId"],
                "DNSName": alias["name"],
                "EvaluateTargetHealth": bool(alias.get("evaluateTargetHealth")),
            }
        else:
            text = [
                f'"{r}"' if props["type"] in ("TXT", "SPF") and not r.startswith('"') else r for r in props["records"]
            ]
            found["ResourceRecords"] = [{"Value": r} for r in text]
            found["TTL"] = props["ttl"]
        for property, members in _POLICIES.items():
            one = next(iter(props.get(property) or ()), None)
            if one:
                found |= {theirs: one[ours] for ours, theirs in members}
        if props.get("setIdentifier"):
            found["SetIdentifier"] = props["setIdentifier"]
        if props.get("healthCheckId"):
            found["HealthCheckId"] = props["healthCheckId"]
        return found

    def _change(self, cloud: AwsClient, action: str, props: Props) -> None:
        self.api(cloud, props).change_resource_record_sets(
            HostedZoneId=props["zoneId"],
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": self._set(cloud, props)}]},
        )

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._change(cloud, "UPSERT" if inputs.get("allowOverwrite") else "CREATE", inputs)
        parts = [inputs["zoneId"], str(inputs.get("name") or "").lower(), inputs["type"]]
        if inputs.get("setIdentifier"):
            parts.append(inputs["setIdentifier"])
        return "_".join(parts)

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        parts = id.split("_")
        props = {"zoneId": parts[0], "name": "_".join(parts[1:-1]), "type": parts[-1], **known}
        api = self.api(cloud, props)
        answer = absent_is_none(lambda: api.list_resource_record_sets(HostedZoneId=props["zoneId"]))
        if answer is None:
            return None
        wanted = self._fqdn(cloud, props)
        for row in answer["ResourceRecordSets"]:
            name = row["Name"].rstrip(".").replace("\\052", "*")
            if (name, row["Type"], row.get("SetIdentifier")) != (wanted, props["type"], props.get("setIdentifier")):
                continue
            alias = row.get("AliasTarget")
            state: dict[str, Any] = {
                "zoneId": props["zoneId"],
                "name": known.get("name", name),
                "fqdn": wanted,
                "type": row["Type"],
                "ttl": row.get("TTL") if not alias else None,
                "setIdentifier": row.get("SetIdentifier"),
                "healthCheckId": row.get("HealthCheckId"),
                "allowOverwrite": known.get("allowOverwrite"),
                **{p: known.get(p) for p in _POLICIES},
            }
            if alias:
                said: Props = next(iter(known.get("aliases") or ()), {})
                host = alias["DNSName"].rstrip(".")
                state["aliases"] = [
                    {
                        "name": said["name"] if str(said.get("name", "")).rstrip(".").lower() == host.lower() else host,
                        "zoneId": alias["HostedZoneId"],
                        "evaluateTargetHealth": alias["EvaluateTargetHealth"],
                    }
                ]
            else:
                values = [r["Value"] for r in row.get("ResourceRecords") or ()]
                state["records"] = [v.strip('"') if row["Type"] in ("TXT", "SPF") else v for v in values]
            return {k: v for k, v in state.items() if v is not None}
        return None

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._change(cloud, "UPSERT", new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        current = absent_is_none(lambda: self.read(cloud, id, state))
        if current is not None:
            absent_is_none(lambda: self._change(cloud, "DELETE", current))


class Certificate(TableType):
    """aws.acm.Certificate."""

    token = "aws:acm/certificate:Certificate"
    service = "acm"
    creates, made = "RequestCertificate", "CertificateArn"
    reads, row, deletes = "DescribeCertificate", "Certificate", "DeleteCertificate"
    named = {"CertificateArn": "id"}
    renames = {"arn": "CertificateArn", "validationOptions": "DomainValidationOptions", "domainValidationOptions": ""}
    shown_renames = {"validationOptions": "", "validationMethod": ""}
    replace_on = frozenset(
        {
            "region",
            "certificateAuthorityArn",
            "domainName",
            "keyAlgorithm",
            "subjectAlternativeNames",
            "validationMethod",
            "validationOptions",
        }
    )
    computed = REGIONAL | {"domainName", "keyAlgorithm", "options", "subjectAlternativeNames", "validationMethod"}
    unordered = frozenset({"subjectAlternativeNames", "validationOptions"})
    write_only = frozenset({"privateKey", "certificateBody", "certificateChain"})
    provider_only = frozenset({"earlyRenewalDuration", "privateKeyWo", "privateKeyWoVersion"})
    shows = {"pendingRenewal": False, "renewalSummaries": [], "validationEmails": []}
    tag_target = {"CertificateArn": "id"}
    sources = ("ACM API: RequestCertificate, DescribeCertificate", "AWS::CertificateManager::Certificate")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        if not inputs.get("privateKey"):
            return super().create(cloud, inputs)
        asked = present(
            {
                "Certificate": inputs["certificateBody"].encode(),
                "PrivateKey": inputs["privateKey"].encode(),
                "CertificateChain": inputs["certificateChain"].encode() if inputs.get("certificateChain") else None,
            }
        )
        tags = cloud.tags(inputs)
        more = {"Tags": [{"Key": k, "Value": v} for k, v in tags.items()]} if tags else {}
        return str(self.api(cloud, inputs).import_certificate(**asked, **more)["CertificateArn"])

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "IdempotencyToken": uuid.uuid4().hex}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        options = []
        for one in row.get("DomainValidationOptions") or ():
            record = one.get("ResourceRecord") or {}
            if record:
                options.append(
                    {
                        "domainName": one["DomainName"],
                        "resourceRecordName": record["Name"],
                        "resourceRecordType": record["Type"],
                        "resourceRecordValue": record["Value"],
                    }
                )
        state["domainValidationOptions"] = options
        rows = row.get("DomainValidationOptions") or [{}]
        state["validationMethod"] = known.get("validationMethod") or rows[0].get("ValidationMethod") or "NONE"


class CertificateValidation(TableType):
    """aws.acm.CertificateValidation: waits until the certificate is issued, which is at once here."""

    token = "aws:acm/certificateValidation:CertificateValidation"
    service = "acm"
    replace_on = frozenset({"region", "certificateArn", "validationRecordFqdns"})
    unordered = frozenset({"validationRecordFqdns"})
    sources = ("ACM API: DescribeCertificate",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        row = self.api(cloud, inputs).describe_certificate(CertificateArn=inputs["certificateArn"])["Certificate"]
        if row.get("Type") != "AMAZON_ISSUED":
            raise CloudError("InvalidState", "DescribeCertificate", "only an Amazon-issued certificate is validated")
        when = row.get("IssuedAt") or row["CreatedAt"]
        return str(when.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"))

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        arn = known.get("certificateArn")
        answer = (
            absent_is_none(lambda: self.api(cloud, known).describe_certificate(CertificateArn=arn)) if arn else None
        )
        if answer is None:
            return None
        kept = {k: known[k] for k in ("certificateArn", "validationRecordFqdns") if known.get(k) is not None}
        return {"region": self.region(cloud, known), **kept}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        return


CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The Route 53 zone of every distribution. Source: CloudFront Developer Guide, alias records."""


class Distribution(TableType):
    """aws.cloudfront.Distribution."""

    token = "aws:cloudfront/distribution:Distribution"
    service = "cloudfront"
    creates, made = "CreateDistributionWithTags", "Distribution.Id"
    reads, deletes = "GetDistribution", "DeleteDistribution"
    named = {"Id": "id"}
    replace_on = frozenset({"staging"})
    computed: ClassVar[frozenset[str]] = frozenset(
        {"continuousDeploymentPolicyId", "anycastIpListId", "cacheTagConfig"}
    )
    defaults = {
        "httpVersion": "http2",
        "priceClass": "PriceClass_All",
        "retainOnDelete": False,
        "staging": False,
        "waitForDeployment": True,
    }
    unordered = frozenset({"aliases", "origins", "originGroups", "customErrorResponses"})
    changed_by_update = frozenset({"etag", "lastModifiedTime"})
    tag_target = {"Resource": "arn"}
    sources = ("CloudFront API: CreateDistributionWithTags, UpdateDistribution", "AWS::CloudFront::Distribution")

    def _behavior(self, one: Props) -> dict[str, Any]:
        methods, cached = list(one["allowedMethods"]), list(one["cachedMethods"])
        found: dict[str, Any] = {
            "TargetOriginId": one["targetOriginId"],
            "ViewerProtocolPolicy": one["viewerProtocolPolicy"],
            "AllowedMethods": {
                "Quantity": len(methods),
                "Items": methods,
                "CachedMethods": {"Quantity": len(cached), "Items": cached},
            },
            "Compress": bool(one.get("compress")),
            "SmoothStreaming": bool(one.get("smoothStreaming")),
        }
        if one.get("pathPattern"):
            found["PathPattern"] = one["pathPattern"]
        for ours, theirs in (
            ("cachePolicyId", "CachePolicyId"),
            ("originRequestPolicyId", "OriginRequestPolicyId"),
            ("responseHeadersPolicyId", "ResponseHeadersPolicyId"),
        ):
            if one.get(ours):
                found[theirs] = one[ours]
        forwarded = one.get("forwardedValues")
        if forwarded:
            names = list((forwarded.get("cookies") or {}).get("whitelistedNames") or ())
            headers = list(forwarded.get("headers") or ())
            found["ForwardedValues"] = {
                "QueryString": bool(forwarded.get("queryString")),
                "Cookies": {
                    "Forward": (forwarded.get("cookies") or {}).get("forward") or "none",
                    **({"WhitelistedNames": {"Quantity": len(names), "Items": names}} if names else {}),
                },
                "Headers": {"Quantity": len(headers), **({"Items": headers} if headers else {})},
            }
            found |= {
                "MinTTL": one.get("minTtl") or 0,
                "DefaultTTL": one.get("defaultTtl") or 0,
                "MaxTTL": one.get("maxTtl") or 0,
            }
        for ours, theirs, arn in (
            ("functionAssociations", "FunctionAssociations", "FunctionARN"),
            ("lambdaFunctionAssociations", "LambdaFunctionAssociations", "LambdaFunctionARN"),
        ):
            rows = [
                {arn: r.get("functionArn") or r.get("lambdaArn"), "EventType": r["eventType"]}
                for r in one.get(ours) or ()
            ]
            if rows:
                found[theirs] = {"Quantity": len(rows), "Items": rows}
        return found

    def _origin(self, one: Props) -> dict[str, Any]:
        found: dict[str, Any] = {
            "Id": one["originId"],
            "DomainName": one["domainName"],
            "OriginPath": one.get("originPath") or "",
            "ConnectionAttempts": one.get("connectionAttempts") or 3,
            "ConnectionTimeout": one.get("connectionTimeout") or 10,
        }
        headers = [{"HeaderName": h["name"], "HeaderValue": h["value"]} for h in one.get("customHeaders") or ()]
        if headers:
            found["CustomHeaders"] = {"Quantity": len(headers), "Items": headers}
        if one.get("originAccessControlId"):
            found["OriginAccessControlId"] = one["originAccessControlId"]
        custom = one.get("customOriginConfig")
        if custom:
            protocols = list(custom["originSslProtocols"])
            found["CustomOriginConfig"] = {
                "HTTPPort": custom["httpPort"],
                "HTTPSPort": custom["httpsPort"],
                "OriginProtocolPolicy": custom["originProtocolPolicy"],
                "OriginSslProtocols": {"Quantity": len(protocols), "Items": protocols},
                "OriginReadTimeout": custom.get("originReadTimeout") or 30,
                "OriginKeepaliveTimeout": custom.get("originKeepaliveTimeout") or 5,
            }
        else:
            identity = (one.get("s3OriginConfig") or {}).get("originAccessIdentity") or ""
            found["S3OriginConfig"] = {"OriginAccessIdentity": identity}
        return found

    def _config(self, props: Props, reference: str) -> dict[str, Any]:
        aliases, origins = list(props.get("aliases") or ()), [self._origin(o) for o in props["origins"]]
        errors = [
            present(
                {
                    "ErrorCode": e["errorCode"],
                    "ResponsePagePath": e.get("responsePagePath"),
                    "ResponseCode": str(e["responseCode"]) if e.get("responseCode") else None,
                    "ErrorCachingMinTTL": e.get("errorCachingMinTtl"),
                }
            )
            for e in props.get("customErrorResponses") or ()
        ]
        behaviors = [self._behavior(b) for b in props.get("orderedCacheBehaviors") or ()]
        geo = props["restrictions"]["geoRestriction"]
        places = list(geo.get("locations") or ())
        viewer = props["viewerCertificate"]
        logs = props.get("loggingConfig")
        return {
            "CallerReference": reference,
            "Aliases": {"Quantity": len(aliases), **({"Items": aliases} if aliases else {})},
            "Origins": {"Quantity": len(origins), "Items": origins},
            "DefaultCacheBehavior": self._behavior(props["defaultCacheBehavior"]),
            "CacheBehaviors": {"Quantity": len(behaviors), **({"Items": behaviors} if behaviors else {})},
            "CustomErrorResponses": {"Quantity": len(errors), **({"Items": errors} if errors else {})},
            "Comment": props.get("comment") or "",
            "Logging": {
                "Enabled": bool(logs),
                "IncludeCookies": bool((logs or {}).get("includeCookies")),
                "Bucket": (logs or {}).get("bucket") or "",
                "Prefix": (logs or {}).get("prefix") or "",
            },
            "PriceClass": props.get("priceClass") or "PriceClass_All",
            "Enabled": bool(props["enabled"]),
            "ViewerCertificate": present(
                {
                    "CloudFrontDefaultCertificate": viewer.get("cloudfrontDefaultCertificate"),
                    "ACMCertificateArn": viewer.get("acmCertificateArn"),
                    "IAMCertificateId": viewer.get("iamCertificateId"),
                    "MinimumProtocolVersion": viewer.get("minimumProtocolVersion"),
                    "SSLSupportMethod": viewer.get("sslSupportMethod"),
                }
            ),
            "Restrictions": {
                "GeoRestriction": {
                    "RestrictionType": geo["restrictionType"],
                    "Quantity": len(places),
                    **({"Items": places} if places else {}),
                }
            },
            "WebACLId": props.get("webAclId") or "",
            "HttpVersion": str(props.get("httpVersion") or "http2").lower(),
            "IsIPV6Enabled": bool(props.get("isIpv6Enabled")),
            "DefaultRootObject": props.get("defaultRootObject") or "",
        }

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        config = self._config(inputs, f"terraform-{uuid.uuid4().hex[:26]}")
        tags = [{"Key": k, "Value": v} for k, v in cloud.tags(inputs).items()]
        made = self.api(cloud, inputs).create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tags}}
        )
        return str(made["Distribution"]["Id"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        answer = absent_is_none(lambda: api.get_distribution(Id=id))
        if answer is None:
            return None
        row = answer["Distribution"]
        config = row["DistributionConfig"]
        tags = api.list_tags_for_resource(Resource=row["ARN"])["Tags"].get("Items") or []
        wanted = {**self.defaults, **known}
        kept = {
            n: known[n]
            for n in (
                "aliases",
                "comment",
                "customErrorResponses",
                "defaultCacheBehavior",
                "defaultRootObject",
                "loggingConfig",
                "orderedCacheBehaviors",
                "origins",
                "restrictions",
                "viewerCertificate",
                "webAclId",
                "isIpv6Enabled",
            )
            if known.get(n) is not None
        }
        return {
            **{n: wanted[n] for n in self.defaults},
            **kept,
            "arn": row["ARN"],
            "domainName": row["DomainName"],
            "hostedZoneId": CLOUDFRONT_ZONE,
            "status": "Deployed",
            "enabled": config["Enabled"],
            "comment": config.get("Comment") or known.get("comment"),
            "defaultRootObject": config.get("DefaultRootObject") or known.get("defaultRootObject"),
            "aliases": (config.get("Aliases") or {}).get("Items") or known.get("aliases"),
            "callerReference": config["CallerReference"],
            "etag": answer.get("ETag", ""),
            "lastModifiedTime": str(row.get("LastModifiedTime")),
            "inProgressValidationBatches": row.get("InProgressInvalidationBatches", 0),
            "trustedSigners": [{"enabled": False, "items": []}],
            "trustedKeyGroups": [{"enabled": False, "items": []}],
            "loggingV1Enabled": bool((config.get("Logging") or {}).get("Enabled")),
            **cloud.own_tags({t["Key"]: t.get("Value", "") for t in tags}, known),
        }

    def _put(self, cloud: AwsClient, id: str, props: Props) -> None:
        api = self.api(cloud, props)
        current = api.get_distribution_config(Id=id)
        config = self._config(props, current["DistributionConfig"]["CallerReference"])
        api.update_distribution(Id=id, IfMatch=current["ETag"], DistributionConfig=config)

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if self._config(old, "") != self._config(new, ""):
            self._put(cloud, id, new)
        self._retag(cloud, id, old, new)

    def _retag(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        gone, changed = cloud.tag_changes(old, new)
        api, arn = self.api(cloud, new), f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id}"
        if gone:
            api.untag_resource(Resource=arn, TagKeys={"Items": gone})
        if changed:
            items = [{"Key": k, "Value": v} for k, v in changed.items()]
            api.tag_resource(Resource=arn, Tags={"Items": items})

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        """A distribution is turned off before it can be deleted."""
        api = self.api(cloud, state)
        if absent_is_none(lambda: api.get_distribution(Id=id)) is None:
            return
        if state.get("enabled"):
            self._put(cloud, id, {**state, "enabled": False})
        if state.get("retainOnDelete"):
            return
        etag = api.get_distribution(Id=id)["ETag"]
        absent_is_none(lambda: api.delete_distribution(Id=id, IfMatch=etag))


class OriginAccessControl(TableType):
    """aws.cloudfront.OriginAccessControl."""

    token = "aws:cloudfront/originAccessControl:OriginAccessControl"
    service = "cloudfront"
    auto_name = AutoName(max_length=64)
    creates, made = "CreateOriginAccessControl", "OriginAccessControl.Id"
    reads, row, deletes = (
        "GetOriginAccessControl",
        "OriginAccessControl.OriginAccessControlConfig",
        "DeleteOriginAccessControl",
    )
    named = {"Id": "id"}
    computed: ClassVar[frozenset[str]] = frozenset()
    defaults = {"description": "Managed by Pulumi"}
    arn_form = "arn:aws:cloudfront::{account}:origin-access-control/{id}"
    sources = (
        "CloudFront API: CreateOriginAccessControl, UpdateOriginAccessControl",
        "AWS::CloudFront::OriginAccessControl",
    )

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape = self.api(cloud, inputs).shape(self.creates).members["OriginAccessControlConfig"]
        return {"OriginAccessControlConfig": self.parameters(shape, inputs)}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        etag = api.get_origin_access_control(Id=id)["ETag"]
        api.update_origin_access_control(Id=id, IfMatch=etag, **self.asked(cloud, new, {}))

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        answer = absent_is_none(lambda: api.get_origin_access_control(Id=id))
        if answer is not None:
            absent_is_none(lambda: api.delete_origin_access_control(Id=id, IfMatch=answer["ETag"]))


class OriginAccessIdentity(TableType):
    """aws.cloudfront.OriginAccessIdentity."""

    token = "aws:cloudfront/originAccessIdentity:OriginAccessIdentity"
    service = "cloudfront"
    creates, made = "CreateCloudFrontOriginAccessIdentity", "CloudFrontOriginAccessIdentity.Id"
    reads, row = "GetCloudFrontOriginAccessIdentity", "CloudFrontOriginAccessIdentity"
    deletes, named = "DeleteCloudFrontOriginAccessIdentity", {"Id": "id"}
    computed: ClassVar[frozenset[str]] = frozenset()
    shows = {
        "arn": "arn:aws:cloudfront::{account}:origin-access-identity/{id}",
        "cloudfrontAccessIdentityPath": "origin-access-identity/cloudfront/{id}",
        "iamArn": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {id}",
    }
    sources = (
        "CloudFront API: CreateCloudFrontOriginAccessIdentity",
        "AWS::CloudFront::CloudFrontOriginAccessIdentity",
    )

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        config = {"CallerReference": f"terraform-{uuid.uuid4().hex[:26]}", "Comment": inputs.get("comment") or ""}
        return {"CloudFrontOriginAccessIdentityConfig": config}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        current = api.get_cloud_front_origin_access_identity(Id=id)
        config = current["CloudFrontOriginAccessIdentity"]["CloudFrontOriginAccessIdentityConfig"]
        api.update_cloud_front_origin_access_identity(
            Id=id,
            IfMatch=current["ETag"],
            CloudFrontOriginAccessIdentityConfig={**config, "Comment": new.get("comment") or ""},
        )

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "IfMatch": state.get("etag") or "*"}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        config = row.get("CloudFrontOriginAccessIdentityConfig") or {}
        state |= {"comment": config.get("Comment"), "callerReference": config.get("CallerReference")}


TYPES = (
    Zone,
    Record,
    Certificate,
    CertificateValidation,
    Distribution,
    OriginAccessControl,
    OriginAccessIdentity,
)
