"""IAM besides roles: users, groups, their policies and keys, identity providers.

Sources: IAM API reference; `createOnlyProperties` of the registry schemas; the provider's documentation.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from simcloud.aws.client import AwsClient
from simcloud.aws.types.base import Props
from simcloud.aws.types.identity import document, kept_document
from simcloud.aws.types.network import absent_is_none
from simcloud.aws.types.table import TableType
from simcloud.provider.model import AutoName


class _Iam(TableType):
    service = "iam"
    computed: ClassVar[frozenset[str]] = frozenset()


class User(_Iam):
    """aws.iam.User."""

    token = "aws:iam/user:User"
    auto_name = AutoName(max_length=64)
    creates, made = "CreateUser", "User.UserName"
    reads, row, deletes = "GetUser", "User", "DeleteUser"
    named = {"UserName": "id"}
    renames = {"name": "UserName", "uniqueId": "UserId", "permissionsBoundary": "PermissionsBoundary"}
    defaults = {"path": "/", "forceDestroy": False}
    provider_only = frozenset({"forceDestroy"})
    tag_calls = ("TagUser", "UntagUser", "ListUserTags")
    tag_target = {"UserName": "id"}
    sources = ("IAM API: CreateUser, UpdateUser, DeleteUser", "AWS::IAM::User createOnlyProperties")

    def replaces(self, old: Props, new: Props, changed: frozenset[str]) -> frozenset[str]:
        """Even the name changes in place."""
        return frozenset()

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        if (old.get("path"), old.get("name")) != (new.get("path"), new.get("name")):
            api.update_user(UserName=id, NewPath=new.get("path") or "/", NewUserName=new["name"])
        if old.get("permissionsBoundary") != new.get("permissionsBoundary"):
            if new.get("permissionsBoundary"):
                api.put_user_permissions_boundary(UserName=id, PermissionsBoundary=new["permissionsBoundary"])
            else:
                api.delete_user_permissions_boundary(UserName=id)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        boundary = row.get("PermissionsBoundary")
        state["permissionsBoundary"] = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else None

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if not state.get("forceDestroy"):
            return
        api = self.api(cloud, state)
        for key in (absent_is_none(lambda: api.list_access_keys(UserName=id)) or {}).get("AccessKeyMetadata", ()):
            api.delete_access_key(UserName=id, AccessKeyId=key["AccessKeyId"])
        absent_is_none(lambda: api.delete_login_profile(UserName=id))


class Group(_Iam):
    """aws.iam.Group."""

    token = "aws:iam/group:Group"
    auto_name = AutoName(max_length=128)
    creates, made = "CreateGroup", "Group.GroupName"
    reads, row, deletes = "GetGroup", "Group", "DeleteGroup"
    named = {"GroupName": "id"}
    renames = {"name": "GroupName", "uniqueId": "GroupId"}
    defaults = {"path": "/"}
    sources = ("IAM API: CreateGroup, UpdateGroup, DeleteGroup", "AWS::IAM::Group createOnlyProperties")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if (old.get("path"), old.get("name")) != (new.get("path"), new.get("name")):
            self.api(cloud, new).update_group(GroupName=id, NewPath=new.get("path") or "/", NewGroupName=new["name"])


class AccessKey(_Iam):
    """aws.iam.AccessKey."""

    token = "aws:iam/accessKey:AccessKey"
    creates, made = "CreateAccessKey", "AccessKey.AccessKeyId"
    reads, row, deletes = "ListAccessKeys", "AccessKeyMetadata", "DeleteAccessKey"
    updates = ("UpdateAccessKey",)
    named = {"UserName": "user", "AccessKeyId": "id"}
    renames = {"user": "UserName", "secret": "SecretAccessKey"}
    replace_on = frozenset({"user", "pgpKey"})
    defaults = {"status": "Active"}
    sources = ("IAM API: CreateAccessKey, UpdateAccessKey, DeleteAccessKey", "AWS::IAM::AccessKey")

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        made = self.api(cloud, inputs).create_access_key(UserName=inputs["user"])["AccessKey"]
        if inputs.get("status") == "Inactive":
            self.api(cloud, inputs).update_access_key(
                UserName=inputs["user"], AccessKeyId=made["AccessKeyId"], Status="Inactive"
            )
        # The secret is told once: the provider shows it in the state, and nobody else can ask for it again.
        self._told[made["AccessKeyId"]] = made["SecretAccessKey"]
        return str(made["AccessKeyId"])

    _told: ClassVar[dict[str, str]] = {}

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        return next((r for r in rows if r["AccessKeyId"] == id), None)

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        secret = self._told.pop(row["AccessKeyId"], None) or known.get("secret")
        if secret:
            state["secret"] = secret
            state["sesSmtpPasswordV4"] = known.get("sesSmtpPasswordV4") or ""


class OpenIdConnectProvider(_Iam):
    """aws.iam.OpenIdConnectProvider."""

    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    creates, made = "CreateOpenIDConnectProvider", "OpenIDConnectProviderArn"
    reads, deletes = "GetOpenIDConnectProvider", "DeleteOpenIDConnectProvider"
    named = {"OpenIDConnectProviderArn": "id"}
    renames = {"clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList", "url": "Url"}
    replace_on = frozenset({"url"})
    computed = frozenset({"thumbprintLists"})
    unordered = frozenset({"clientIdLists"})
    tag_calls = ("TagOpenIDConnectProvider", "UntagOpenIDConnectProvider", "ListOpenIDConnectProviderTags")
    arn_form = "{id}"
    sources = ("IAM API: CreateOpenIDConnectProvider", "AWS::IAM::OIDCProvider createOnlyProperties")

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api, where = self.api(cloud, new), {"OpenIDConnectProviderArn": id}
        was, now = list(old.get("clientIdLists") or ()), list(new.get("clientIdLists") or ())
        for come in (c for c in now if c not in was):
            api.add_client_id_to_open_id_connect_provider(**where, ClientID=come)
        for gone in (c for c in was if c not in now):
            api.remove_client_id_from_open_id_connect_provider(**where, ClientID=gone)
        if new.get("thumbprintLists") and new["thumbprintLists"] != old.get("thumbprintLists"):
            api.update_open_id_connect_provider_thumbprint(**where, ThumbprintList=list(new["thumbprintLists"]))

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        said = str(known.get("url") or "")
        live = str(row.get("Url") or "")
        state["url"] = said if said.removeprefix("https://") == live.removeprefix("https://") else live


class _InlinePolicy(_Iam):
    """A policy inside a user or a group."""

    auto_name = AutoName(max_length=128)
    documents = frozenset({"policy"})
    owner: ClassVar[str] = ""
    sources = ("IAM API: PutUserPolicy, PutGroupPolicy",)

    @property
    def _calls(self) -> tuple[str, str, str, str]:
        word = self.owner.capitalize()
        return f"Put{word}Policy", f"Get{word}Policy", f"Delete{word}Policy", f"{word}Name"

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        put, _, _, member = self._calls
        self.api(cloud, inputs).does(
            put, **{member: inputs[self.owner]}, PolicyName=inputs["name"], PolicyDocument=document(inputs["policy"])
        )
        return f"{inputs[self.owner]}:{inputs['name']}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        owner, _, name = id.partition(":")
        _, get, _, member = self._calls
        answer = absent_is_none(lambda: self.api(cloud, known).does(get, **{member: owner}, PolicyName=name))
        if answer is None:
            return None
        return {
            self.owner: owner,
            "name": name,
            "namePrefix": known.get("namePrefix") or "",
            "policy": kept_document(answer["PolicyDocument"], known.get("policy")),
        }

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self.create(cloud, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        owner, _, name = id.partition(":")
        _, _, gone, member = self._calls
        absent_is_none(lambda: self.api(cloud, state).does(gone, **{member: owner}, PolicyName=name))


class UserPolicy(_InlinePolicy):
    """aws.iam.UserPolicy."""

    token = "aws:iam/userPolicy:UserPolicy"
    owner = "user"
    replace_on = frozenset({"name", "namePrefix", "user"})
    computed = frozenset({"namePrefix"})


class GroupPolicy(_InlinePolicy):
    """aws.iam.GroupPolicy."""

    token = "aws:iam/groupPolicy:GroupPolicy"
    owner = "group"
    replace_on = frozenset({"name", "namePrefix", "group"})
    computed = frozenset({"namePrefix"})


class _Attachment(_Iam):
    """A managed policy on a user or a group."""

    owner: ClassVar[str] = ""
    sources = ("IAM API: AttachUserPolicy, AttachGroupPolicy",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        word = self.owner.capitalize()
        self.api(cloud, inputs).does(
            f"Attach{word}Policy", **{f"{word}Name": inputs[self.owner]}, PolicyArn=inputs["policyArn"]
        )
        return f"{inputs[self.owner]}/{inputs['policyArn']}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        owner, _, arn = id.partition("/")
        word, api = self.owner.capitalize(), self.api(cloud, known)
        answer = absent_is_none(lambda: api.does(f"ListAttached{word}Policies", **{f"{word}Name": owner}))
        if answer is None or arn not in {p["PolicyArn"] for p in answer["AttachedPolicies"]}:
            return None
        return {self.owner: owner, "policyArn": arn}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        owner, _, arn = id.partition("/")
        word, api = self.owner.capitalize(), self.api(cloud, state)
        absent_is_none(lambda: api.does(f"Detach{word}Policy", **{f"{word}Name": owner}, PolicyArn=arn))


class UserPolicyAttachment(_Attachment):
    """aws.iam.UserPolicyAttachment."""

    token = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
    owner = "user"
    replace_on = frozenset({"policyArn", "user"})


class GroupPolicyAttachment(_Attachment):
    """aws.iam.GroupPolicyAttachment."""

    token = "aws:iam/groupPolicyAttachment:GroupPolicyAttachment"
    owner = "group"
    replace_on = frozenset({"policyArn", "group"})


class PolicyAttachment(_Iam):
    """aws.iam.PolicyAttachment: one policy's only users, groups and roles."""

    token = "aws:iam/policyAttachment:PolicyAttachment"
    auto_name = AutoName()
    replace_on = frozenset({"name", "policyArn"})
    unordered = frozenset({"users", "groups", "roles"})
    sources = ("IAM API: AttachUserPolicy, AttachGroupPolicy, AttachRolePolicy, ListEntitiesForPolicy",)
    _KINDS = (("users", "User"), ("groups", "Group"), ("roles", "Role"))

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        self._bring(cloud, {}, inputs)
        return str(inputs["name"])

    def _bring(self, cloud: AwsClient, old: Props, new: Props) -> None:
        api, arn = self.api(cloud, new or old), (new or old)["policyArn"]
        for property, word in self._KINDS:
            was, now = set(old.get(property) or ()), set(new.get(property) or ())
            for one in sorted(now - was):
                api.does(f"Attach{word}Policy", **{f"{word}Name": one}, PolicyArn=arn)
            for one in sorted(was - now):
                absent_is_none(
                    lambda word=word, one=one: api.does(f"Detach{word}Policy", **{f"{word}Name": one}, PolicyArn=arn)
                )

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        arn = known.get("policyArn")
        answer = absent_is_none(lambda: self.api(cloud, known).list_entities_for_policy(PolicyArn=arn)) if arn else None
        if answer is None:
            return None
        found = {
            property: [row[f"{word}Name"] for row in answer.get(f"Policy{word}s", ())] for property, word in self._KINDS
        }
        return {"name": id, "policyArn": arn, **{k: v for k, v in found.items() if v or known.get(k)}}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        self._bring(cloud, old, new)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        self._bring(cloud, state, {})


class UserGroupMembership(_Iam):
    """aws.iam.UserGroupMembership: groups of one user."""

    token = "aws:iam/userGroupMembership:UserGroupMembership"
    replace_on = frozenset({"user"})
    unordered = frozenset({"groups"})
    sources = ("IAM API: AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        for group in inputs["groups"]:
            self.api(cloud, inputs).add_user_to_group(UserName=inputs["user"], GroupName=group)
        return f"terraform-{uuid.uuid4().hex[:26]}"

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        user = known.get("user") or id.split("/")[0]
        answer = absent_is_none(lambda: self.api(cloud, known).list_groups_for_user(UserName=user))
        if answer is None:
            return None
        live = [g["GroupName"] for g in answer["Groups"]]
        said = known.get("groups") or id.split("/")[1:]
        return {"user": user, "groups": [g for g in live if g in said]}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        for group in set(new["groups"]) - set(old["groups"]):
            api.add_user_to_group(UserName=new["user"], GroupName=group)
        for group in set(old["groups"]) - set(new["groups"]):
            api.remove_user_from_group(UserName=new["user"], GroupName=group)

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        for group in state["groups"]:
            absent_is_none(
                lambda group=group: self.api(cloud, state).remove_user_from_group(
                    UserName=state["user"], GroupName=group
                )
            )


class GroupMembership(_Iam):
    """aws.iam.GroupMembership: the users of one group."""

    token = "aws:iam/groupMembership:GroupMembership"
    auto_name = AutoName()
    replace_on = frozenset({"group", "name"})
    unordered = frozenset({"users"})
    sources = ("IAM API: AddUserToGroup, RemoveUserFromGroup, GetGroup",)

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        for user in inputs["users"]:
            self.api(cloud, inputs).add_user_to_group(UserName=user, GroupName=inputs["group"])
        return str(inputs["name"])

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        group = known.get("group")
        answer = absent_is_none(lambda: self.api(cloud, known).get_group(GroupName=group)) if group else None
        if answer is None:
            return None
        return {"name": id, "group": group, "users": [u["UserName"] for u in answer["Users"]]}

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        for user in set(new["users"]) - set(old["users"]):
            api.add_user_to_group(UserName=user, GroupName=new["group"])
        for user in set(old["users"]) - set(new["users"]):
            api.remove_user_from_group(UserName=user, GroupName=new["group"])

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        for user in state["users"]:
            absent_is_none(
                lambda user=user: self.api(cloud, state).remove_user_from_group(UserName=user, GroupName=state["group"])
            )


class ServiceLinkedRole(_Iam):
    """aws.iam.ServiceLinkedRole."""

    token = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
    creates, made = "CreateServiceLinkedRole", "Role.Arn"
    reads, row, deletes = "GetRole", "Role", "DeleteServiceLinkedRole"
    renames = {"awsServiceName": "AWSServiceName", "name": "RoleName", "uniqueId": "RoleId"}
    replace_on = frozenset({"awsServiceName", "customSuffix"})
    tag_calls = ("TagRole", "UntagRole", "ListRoleTags")
    sources = ("IAM API: CreateServiceLinkedRole, DeleteServiceLinkedRole", "AWS::IAM::ServiceLinkedRole")

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        return {"RoleName": id.rsplit("/", 1)[-1]} if "RoleName" in shape.members else {}

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        if old.get("description") != new.get("description"):
            self.api(cloud, new).update_role(RoleName=id.rsplit("/", 1)[-1], Description=new.get("description") or "")

    def _tagged(self, api: Any, id: str, state: Props, operation: str = "") -> dict[str, Any]:
        return {"RoleName": id.rsplit("/", 1)[-1]}

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        state["arn"] = row["Arn"]
        state["awsServiceName"] = row["Arn"].split("/")[2]


class AccountPasswordPolicy(_Iam):
    """aws.iam.AccountPasswordPolicy."""

    token = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
    creates, reads, row = "UpdateAccountPasswordPolicy", "GetAccountPasswordPolicy", "PasswordPolicy"
    updates, deletes = ("UpdateAccountPasswordPolicy",), "DeleteAccountPasswordPolicy"
    id_form = "iam-account-password-policy"
    renames = {"requireLowercaseCharacters": "RequireLowercaseCharacters"}
    defaults = {"allowUsersToChangePassword": True, "minimumPasswordLength": 6}
    computed = frozenset(
        {
            "hardExpiry",
            "maxPasswordAge",
            "passwordReusePrevention",
            "requireLowercaseCharacters",
            "requireNumbers",
            "requireSymbols",
            "requireUppercaseCharacters",
        }
    )
    sources = ("IAM API: UpdateAccountPasswordPolicy, GetAccountPasswordPolicy",)

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        shape_names = {n: n[:1].upper() + n[1:] for n in new}
        return {shape_names[n]: v for n, v in new.items() if v is not None and n not in ("tags", "tagsAll")}


TYPES = (
    User,
    Group,
    AccessKey,
    OpenIdConnectProvider,
    UserPolicy,
    GroupPolicy,
    UserPolicyAttachment,
    GroupPolicyAttachment,
    PolicyAttachment,
    UserGroupMembership,
    GroupMembership,
    ServiceLinkedRole,
    AccountPasswordPolicy,
)
