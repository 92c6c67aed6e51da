"""Identities and keys: IAM roles, policies and profiles, KMS keys and aliases.

Sources: IAM and KMS API references; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from simcloud.aws.client import AwsClient, mapping, pairs
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types.base import REGIONAL, AwsType, Props, present
from simcloud.aws.types.network import absent_is_none
from simcloud.provider.model import AutoName, CloudError, Failure
from simcloud.provider.values import same


def document(value: Any) -> str:
    """A policy document as text."""
    return value if isinstance(value, str) else json.dumps(value)


def kept_document(live: Any, known: Any) -> Any:
    """The live document, in the program's own spelling where both mean the same."""
    parsed = json.loads(unquote(live)) if isinstance(live, str) else live
    if known is not None:
        try:
            if same(json.loads(document(known)), parsed):
                return known
        except ValueError:
            pass
    return json.dumps(parsed)


class _IamType(AwsType):
    service = "iam"
    computed = frozenset[str]()

    def api(self, cloud: AwsClient, props: Props) -> Any:
        return cloud.api("iam", "us-east-1")


def _retag(api: Any, kind: str, name: dict[str, str], cloud: AwsClient, old: Props, new: Props) -> None:
    gone, changed = cloud.tag_changes(old, new)
    if gone:
        getattr(api, f"untag_{kind}")(**name, TagKeys=gone)
    if changed:
        getattr(api, f"tag_{kind}")(**name, Tags=pairs(changed))


class Role(_IamType):
    """aws.iam.Role."""

    token = "aws:iam/role:Role"
    auto_name = AutoName(max_length=64)
    replace_on = frozenset({"name", "namePrefix", "path"})
    defaults = {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}
    computed = frozenset({"inlinePolicies", "managedPolicyArns", "namePrefix"})
    write_only = frozenset({"forceDetachPolicies", "namePrefix", "inlinePolicies"})
    unordered = frozenset({"managedPolicyArns"})
    sources = ("IAM API: CreateRole, UpdateRole, UpdateAssumeRolePolicy", "AWS::IAM::Role createOnlyProperties")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, tags = self.api(cloud, inputs), cloud.tags(inputs)
        asked = present(
            {
                "RoleName": inputs["name"],
                "AssumeRolePolicyDocument": document(inputs["assumeRolePolicy"]),
                "Path": inputs.get("path"),
                "Description": inputs.get("description"),
                "MaxSessionDuration": inputs.get("maxSessionDuration"),
                "PermissionsBoundary": inputs.get("permissionsBoundary"),
                "Tags": pairs(tags) or None,
            }
        )
        api.create_role(**asked)
        self._policies(api, str(inputs["name"]), {}, inputs)
        return str(inputs["name"])

    def _policies(self, api: Any, name: str, old: Props, new: Props) -> None:
        was, now = set(old.get("managedPolicyArns") or ()), set(new.get("managedPolicyArns") or ())
        for gone in sorted(was - now):
            api.detach_role_policy(RoleName=name, PolicyArn=gone)
        for come in sorted(now - was):
            api.attach_role_policy(RoleName=name, PolicyArn=come)
        before = {p["name"]: p for p in old.get("inlinePolicies") or () if p.get("name")}
        after = {p["name"]: p for p in new.get("inlinePolicies") or () if p.get("name")}
        for gone in before.keys() - after.keys():
            api.delete_role_policy(RoleName=name, PolicyName=gone)
        for come, policy in after.items():
            if before.get(come) != policy:
                api.put_role_policy(RoleName=name, PolicyName=come, PolicyDocument=document(policy["policy"]))

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        answer = absent_is_none(lambda: api.get_role(RoleName=id))
        if answer is None:
            return None
        role = answer["Role"]
        attached = api.list_attached_role_policies(RoleName=id)["AttachedPolicies"]
        return {
            "name": id,
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "path": role["Path"],
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description") or None,
            "assumeRolePolicy": kept_document(role["AssumeRolePolicyDocument"], known.get("assumeRolePolicy")),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "namePrefix": known.get("namePrefix") or "",
            "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "forceDetachPolicies": known.get("forceDetachPolicies", False),
            "managedPolicyArns": [p["PolicyArn"] for p in attached],
            "inlinePolicies": known.get("inlinePolicies") or [],
            **cloud.own_tags(mapping(role.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if document(old["assumeRolePolicy"]) != document(new["assumeRolePolicy"]):
            api.update_assume_role_policy(RoleName=id, PolicyDocument=document(new["assumeRolePolicy"]))
        if any(old.get(n) != new.get(n) for n in ("description", "maxSessionDuration")):
            api.update_role(
                RoleName=id,
                Description=new.get("description") or "",
                MaxSessionDuration=new.get("maxSessionDuration") or 3600,
            )
        if old.get("permissionsBoundary") != new.get("permissionsBoundary"):
            if new.get("permissionsBoundary"):
                api.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=new["permissionsBoundary"])
            else:
                api.delete_role_permissions_boundary(RoleName=id)
        self._policies(api, id, old, new)
        _retag(api, "role", {"RoleName": id}, cloud, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if absent_is_none(lambda: api.get_role(RoleName=id)) is None:
            return
        for arn in state.get("managedPolicyArns") or ():
            absent_is_none(lambda arn=arn: api.detach_role_policy(RoleName=id, PolicyArn=arn))
        for policy in state.get("inlinePolicies") or ():
            if policy.get("name"):
                absent_is_none(lambda name=policy["name"]: api.delete_role_policy(RoleName=id, PolicyName=name))
        absent_is_none(lambda: api.delete_role(RoleName=id))


class RolePolicy(_IamType):
    """aws.iam.RolePolicy: one in-line policy."""

    token = "aws:iam/rolePolicy:RolePolicy"
    auto_name = AutoName(max_length=128)
    replace_on = frozenset({"name", "namePrefix", "role"})
    computed = frozenset({"namePrefix"})
    sources = ("IAM API: PutRolePolicy, DeleteRolePolicy",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._put(cloud, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def _put(self, cloud: AwsClient, inputs: Props) -> None:
        self.api(cloud, inputs).put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=document(inputs["policy"])
        )

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        role, _, name = id.partition(":")
        answer = absent_is_none(lambda: self.api(cloud, known).get_role_policy(RoleName=role, PolicyName=name))
        if answer is None:
            return None
        return {
            "role": role,
            "name": name,
            "namePrefix": known.get("namePrefix") or "",
            "policy": kept_document(answer["PolicyDocument"], known.get("policy")),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._put(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        role, _, name = id.partition(":")
        absent_is_none(lambda: self.api(cloud, state).delete_role_policy(RoleName=role, PolicyName=name))


class RolePolicyAttachment(_IamType):
    """aws.iam.RolePolicyAttachment."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    replace_on = frozenset({"role", "policyArn"})
    sources = ("IAM API: AttachRolePolicy, DetachRolePolicy",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self.api(cloud, inputs).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        role, _, policy = id.partition("/")
        answer = absent_is_none(lambda: self.api(cloud, known).list_attached_role_policies(RoleName=role))
        if answer is None or policy not in {p["PolicyArn"] for p in answer["AttachedPolicies"]}:
            return None
        return {"role": role, "policyArn": policy}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        raise CloudError("Unsupported", "UpdateRolePolicyAttachment", "an attachment has nothing to update")

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        role, _, policy = id.partition("/")
        absent_is_none(lambda: self.api(cloud, state).detach_role_policy(RoleName=role, PolicyArn=policy))


class InstanceProfile(_IamType):
    """aws.iam.InstanceProfile."""

    token = "aws:iam/instanceProfile:InstanceProfile"
    auto_name = AutoName(max_length=128)
    replace_on = frozenset({"name", "namePrefix", "path"})
    defaults = {"path": "/"}
    computed = frozenset({"namePrefix"})
    sources = ("IAM API: CreateInstanceProfile, AddRoleToInstanceProfile",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, name, tags = self.api(cloud, inputs), str(inputs["name"]), cloud.tags(inputs)
        api.create_instance_profile(
            InstanceProfileName=name, Path=inputs["path"], **({"Tags": pairs(tags)} if tags else {})
        )
        if inputs.get("role"):
            api.add_role_to_instance_profile(InstanceProfileName=name, RoleName=inputs["role"])
        return name

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        answer = absent_is_none(lambda: self.api(cloud, known).get_instance_profile(InstanceProfileName=id))
        if answer is None:
            return None
        profile = answer["InstanceProfile"]
        return {
            "name": id,
            "arn": profile["Arn"],
            "uniqueId": profile["InstanceProfileId"],
            "path": profile["Path"],
            "createDate": profile["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "namePrefix": known.get("namePrefix") or "",
            "role": next((r["RoleName"] for r in profile["Roles"]), None),
            **cloud.own_tags(mapping(profile.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if old.get("role") != new.get("role"):
            if old.get("role"):
                api.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=old["role"])
            if new.get("role"):
                api.add_role_to_instance_profile(InstanceProfileName=id, RoleName=new["role"])
        _retag(api, "instance_profile", {"InstanceProfileName": id}, cloud, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        if state.get("role"):
            absent_is_none(
                lambda: api.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=state["role"])
            )
        absent_is_none(lambda: api.delete_instance_profile(InstanceProfileName=id))


class Policy(_IamType):
    """aws.iam.Policy: a managed policy of one's own."""

    token = "aws:iam/policy:Policy"
    auto_name = AutoName(max_length=128)
    replace_on = frozenset({"name", "namePrefix", "path", "description"})
    defaults = {"path": "/"}
    computed = frozenset({"namePrefix"})
    write_only = frozenset({"delayAfterPolicyCreationInMs"})
    sources = ("IAM API: CreatePolicy, CreatePolicyVersion",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        tags = cloud.tags(inputs)
        asked = present(
            {
                "PolicyName": inputs["name"],
                "Path": inputs["path"],
                "PolicyDocument": document(inputs["policy"]),
                "Description": inputs.get("description"),
                "Tags": pairs(tags) or None,
            }
        )
        return str(self.api(cloud, inputs).create_policy(**asked)["Policy"]["Arn"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        answer = absent_is_none(lambda: api.get_policy(PolicyArn=id))
        if answer is None:
            return None
        policy = answer["Policy"]
        version = api.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return {
            "name": policy["PolicyName"],
            "arn": id,
            "policyId": policy["PolicyId"],
            "path": policy["Path"],
            "description": policy.get("Description") or None,
            "attachmentCount": policy.get("AttachmentCount", 0),
            "policy": kept_document(version["Document"], known.get("policy")),
            "namePrefix": known.get("namePrefix") or "",
            **cloud.own_tags(mapping(policy.get("Tags")), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if document(old["policy"]) != document(new["policy"]):
            versions = api.list_policy_versions(PolicyArn=id)["Versions"]
            if len(versions) >= 5:  # the service keeps five; the provider drops the oldest
                oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:]))
                api.delete_policy_version(PolicyArn=id, VersionId=oldest["VersionId"])
            api.create_policy_version(PolicyArn=id, PolicyDocument=document(new["policy"]), SetAsDefault=True)
        _retag(api, "policy", {"PolicyArn": id}, cloud, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        api = self.api(cloud, state)
        answer = absent_is_none(lambda: api.list_policy_versions(PolicyArn=id))
        for version in (answer or {}).get("Versions", ()):
            if not version["IsDefaultVersion"]:
                api.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
        absent_is_none(lambda: api.delete_policy(PolicyArn=id))


class Key(AwsType):
    """aws.kms.Key. Deleting it only schedules its deletion: the cloud keeps it for 7 to 30 days."""

    token = "aws:kms/key:Key"
    service = "kms"
    replace_on = frozenset(
        {"region", "customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId", "xksKeyId"}
    )
    defaults = {
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "keyUsage": "ENCRYPT_DECRYPT",
        "isEnabled": True,
        "enableKeyRotation": False,
        "bypassPolicyLockoutSafetyCheck": False,
    }
    computed = REGIONAL | {"policy", "description", "rotationPeriodInDays", "multiRegion"}
    write_only = frozenset({"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"})
    sources = ("KMS API: CreateKey, EnableKeyRotation, PutKeyPolicy, ScheduleKeyDeletion",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, tags = self.api(cloud, inputs), cloud.tags(inputs)
        asked = present(
            {
                "Description": inputs.get("description") or "",
                "KeyUsage": inputs.get("keyUsage"),
                "KeySpec": inputs.get("customerMasterKeySpec"),
                "Policy": inputs.get("policy"),
                "MultiRegion": inputs.get("multiRegion"),
                "Tags": pairs(tags, "TagKey", "TagValue") or None,
            }
        )
        id = str(api.create_key(**asked)["KeyMetadata"]["KeyId"])
        self._settings(api, id, {"enableKeyRotation": False, "isEnabled": True}, inputs)
        return id

    def _settings(self, api: Any, id: str, old: Props, new: Props) -> None:
        if bool(old.get("enableKeyRotation")) != bool(new.get("enableKeyRotation")) or (
            new.get("enableKeyRotation") and old.get("rotationPeriodInDays") != new.get("rotationPeriodInDays")
        ):
            if new.get("enableKeyRotation"):
                api.enable_key_rotation(KeyId=id, **present({"RotationPeriodInDays": new.get("rotationPeriodInDays")}))
            else:
                api.disable_key_rotation(KeyId=id)
        if old.get("isEnabled", True) != new.get("isEnabled", True):
            (api.enable_key if new.get("isEnabled", True) else api.disable_key)(KeyId=id)

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        api = self.api(cloud, known)
        answer = absent_is_none(lambda: api.describe_key(KeyId=id))
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        key = answer["KeyMetadata"]
        rotation = api.get_key_rotation_status(KeyId=id) if key["KeySpec"] == "SYMMETRIC_DEFAULT" else {}
        policy = api.get_key_policy(KeyId=id, PolicyName="default")["Policy"]
        tags = api.list_resource_tags(KeyId=id).get("Tags", [])
        return {
            "region": self.region(cloud, known),
            "arn": key["Arn"],
            "keyId": id,
            "description": key.get("Description", ""),
            "keyUsage": key["KeyUsage"],
            "customerMasterKeySpec": key["KeySpec"],
            "isEnabled": key["Enabled"],
            "multiRegion": bool(key.get("MultiRegion")),
            "enableKeyRotation": bool(rotation.get("KeyRotationEnabled")),
            "rotationPeriodInDays": rotation.get(
                "RotationPeriodInDays", 365 if rotation.get("KeyRotationEnabled") else 0
            ),
            "policy": kept_document(policy, known.get("policy")),
            "deletionWindowInDays": known.get("deletionWindowInDays"),
            "bypassPolicyLockoutSafetyCheck": known.get("bypassPolicyLockoutSafetyCheck", False),
            **cloud.own_tags(mapping(tags, "TagKey", "TagValue"), known),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        self._settings(api, id, old, new)
        if new.get("policy") and old.get("policy") != new.get("policy"):
            api.put_key_policy(KeyId=id, PolicyName="default", Policy=new["policy"])
        if (old.get("description") or "") != (new.get("description") or ""):
            api.update_key_description(KeyId=id, Description=new.get("description") or "")
        gone, changed = cloud.tag_changes(old, new)
        if gone:
            api.untag_resource(KeyId=id, TagKeys=gone)
        if changed:
            api.tag_resource(KeyId=id, Tags=pairs(changed, "TagKey", "TagValue"))

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        window = present({"PendingWindowInDays": state.get("deletionWindowInDays")})
        absent_is_none(
            lambda: self.api(cloud, state).schedule_key_deletion(KeyId=id, **window), "KMSInvalidStateException"
        )


class Alias(AwsType):
    """aws.kms.Alias."""

    token = "aws:kms/alias:Alias"
    service = "kms"
    auto_name = AutoName(max_length=256, prefix="alias/")
    replace_on = frozenset({"region", "name", "namePrefix"})
    computed = REGIONAL | {"namePrefix"}
    sources = ("KMS API: CreateAlias, UpdateAlias",)

    def check(self, inputs: Props) -> Iterable[Failure]:
        """An alias is named `alias/…`, and not `alias/aws/…`, which are AWS's own."""
        name = str(inputs.get("name", "alias/x"))
        if not name.startswith("alias/") or name.startswith("alias/aws/"):
            yield Failure("name", 'must begin with "alias/" and not with "alias/aws/"')

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        name = str(inputs["name"])
        self.api(cloud, inputs).create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
        return name

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        region = self.region(cloud, known)
        for alias in self.api(cloud, known).list_aliases(Limit=1000)["Aliases"]:
            if alias["AliasName"] == id and alias.get("TargetKeyId"):
                key = f"arn:aws:kms:{region}:{ACCOUNT}:key/{alias['TargetKeyId']}"
                said = known.get("targetKeyId")
                return {
                    "region": region,
                    "name": id,
                    "arn": alias["AliasArn"],
                    "targetKeyArn": key,
                    "namePrefix": known.get("namePrefix") or "",
                    "targetKeyId": said if said == key else alias["TargetKeyId"],
                }
        return None

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.api(cloud, new).update_alias(AliasName=id, TargetKeyId=new["targetKeyId"])

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        absent_is_none(lambda: self.api(cloud, state).delete_alias(AliasName=id))


TYPES = (Role, RolePolicy, RolePolicyAttachment, InstanceProfile, Policy, Key, Alias)
