"""Types that are a table: which operations create, read, update and delete them. Everything else follows.

What an operation takes comes from its input shape: each property goes to the member of the same name (see
`simcloud.aws.types.shapes`). What identifies the resource in later calls stands in `named`. A type that is irregular
overrides one of the small methods.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from simcloud.aws.client import AwsClient, is_absent
from simcloud.aws.moto_bridge import ACCOUNT
from simcloud.aws.types import tagging
from simcloud.aws.types.base import AwsType, Props, index, specification
from simcloud.aws.types.shapes import Renames, from_api, member_of, to_api
from simcloud.provider.model import CloudError
from simcloud.provider.values import same

PATIENCE_S = 20.0
"""How long a deletion waits for what still uses the resource. The real provider waits 5 to 20 minutes for the same."""
STILL_USED = frozenset(
    {
        "DependencyViolation",
        "InvalidIPAddress.InUse",
        "InvalidPlacementGroup.InUse",
        "VolumeInUse",
        "ResourceInUse",
        "ResourceInUseException",
        "DeleteConflict",
        "InvalidNetworkInterface.InUse",
        "InvalidParameterValue.InUse",
    }
)
"""Refusals of a deletion that end when what uses the resource is gone too."""

GLOBAL = frozenset({"iam", "route53", "cloudfront", "budgets", "organizations"})
"""Services that have no regions; their types have no `region`."""


class TableType(AwsType):
    """One type as a table. Paths (`made`, `row`) are dotted members of an operation's answer."""

    creates: ClassVar[str] = ""
    reads: ClassVar[str] = ""
    updates: ClassVar[tuple[str, ...]] = ()
    """Each is called when a property changed that it has a member for: with what changed, or, when it is the creating
    operation or puts the whole, with everything."""
    deletes: ClassVar[str] = ""

    made: ClassVar[str] = ""
    """Where the id stands in the answer of `creates`; empty when it follows from the inputs (`id_form`)."""
    id_form: ClassVar[str] = "{name}"
    """The id out of properties. Its parts are read back from it on import."""
    row: ClassVar[str] = ""
    """Where the resource stands in the answer of `reads`; empty for the answer itself."""
    named: ClassVar[Mapping[str, str]] = {}
    """Which member of any operation takes which property of the state; `id` is the id."""
    status: ClassVar[tuple[str, ...]] = ()
    """The member that tells the state of the resource, then the words that mean it is gone."""
    gone_codes: ClassVar[tuple[str, ...]] = ()
    """Codes by which `reads` and `deletes` say that it is gone, besides the usual ones."""

    renames: ClassVar[Renames] = {}
    shown_renames: ClassVar[Renames] = {}
    """Names in answers that differ from those in `renames`."""
    arn_form: ClassVar[str] = ""
    shows: ClassVar[Mapping[str, Any]] = {}
    """Outputs that no answer has: a form over the state, or a value."""
    provider_only: ClassVar[frozenset[str]] = frozenset()
    """Properties that go to no operation."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Properties that are JSON documents: spelling does not matter."""

    tag_kind: ClassVar[str] = ""
    """What the EC2 API calls the type in a TagSpecification."""
    tags_after: ClassVar[bool] = False
    """Put tags on by a call of their own, although the creating operation takes some."""
    tag_calls: ClassVar[tuple[str, str, str] | None] = None
    tag_target: ClassVar[Mapping[str, str]] = {}
    """Members that say what is tagged, and the property for each; by default the ARN or the id."""

    carried = frozenset({"tagsAll", "arn"})

    # What a type may say otherwise

    def asked(self, cloud: AwsClient, inputs: Props, asked: dict[str, Any]) -> dict[str, Any]:
        """The parameters of `creates`, last word."""
        return asked

    def after_create(self, cloud: AwsClient, id: str, inputs: Props) -> None:
        """Settings that take calls of their own."""

    def changed(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        """Changes that take calls of their own."""

    def change(self, operation: str, old: Props, new: Props, asked: dict[str, Any]) -> dict[str, Any]:
        """The parameters of an updating operation, last word; nothing when it need not be called."""
        return asked

    def before_delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        """What has to go first."""

    def unmake(self, state: Props, asked: dict[str, Any]) -> dict[str, Any]:
        """The parameters of `deletes`, last word."""
        return asked

    def finish(self, cloud: AwsClient, row: dict[str, Any], state: dict[str, Any], known: Props) -> None:
        """The state, last word; changes `state`."""

    def pick(self, rows: list[dict[str, Any]], id: str, known: Props) -> dict[str, Any] | None:
        """The resource's own row where `row` finds several."""
        return rows[0] if rows else None

    # Calls

    def region(self, cloud: AwsClient, props: Props) -> str:
        return "us-east-1" if self.service in GLOBAL else super().region(cloud, props)

    def _names(self, id: str, props: Props) -> dict[str, Any]:
        return {**self._parts(id), **{k: v for k, v in props.items() if v is not None}, "id": id}

    def _parts(self, id: str) -> dict[str, str]:
        if self.made or "{" not in self.id_form:
            return {}
        pattern = "".join(
            f"(?P<{p[1:-1]}>.+{'' if i > len(self.id_form) - 3 else '?'})" if p.startswith("{") else re.escape(p)
            for i, p in enumerate(re.findall(r"\{\w+\}|[^{}]+", self.id_form))
        )
        found = re.fullmatch(pattern, id, re.S)
        return found.groupdict() if found else {}

    def target(self, shape: Any, id: str, props: Props) -> dict[str, Any]:
        """The members of an operation that say which resource it is about."""
        names, found = self._names(id, props), {}
        for member, property in self.named.items():
            if member not in shape.members or names.get(property) is None:
                continue
            value = names[property]
            wants_list = shape.members[member].type_name == "list" and not isinstance(value, list)
            found[member] = [value] if wants_list else value
        return found

    def parameters(self, shape: Any, props: Props) -> dict[str, Any]:
        """Everything in `props` that an operation has a member for."""
        found: dict[str, Any] = {}
        for name, value in props.items():
            if value is None or name in ("region", "tags", "tagsAll") or name in self.provider_only:
                continue
            member = member_of(shape.members, name, self.renames)
            if member is None:
                continue
            if name in self.documents and not isinstance(value, str):
                value = json.dumps(value)
            found[member] = to_api(shape.members[member], value, self.renames)
        return found

    def create(self, cloud: AwsClient, inputs: Props) -> str:
        api, tags = self.api(cloud, inputs), cloud.tags(inputs)
        shape = api.shape(self.creates)
        asked = self.parameters(shape, inputs)
        tagged = self._tag_parameters(shape, tags)
        answer = api.does(self.creates, **self.asked(cloud, inputs, asked | tagged))
        id = str(dig(self.made, answer)) if self.made else self.id_form.format_map({**inputs})
        self.after_create(cloud, id, inputs)
        if tags and not tagged and self._tag_operations():
            state = self.read(cloud, id, inputs) or {}
            tagging.put(api, self._tag_operations()[0], self._tagged(api, id, state), tags)
        return id

    def answer(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        """What `reads` says of the resource; None when it is gone."""
        api = self.api(cloud, known)
        target = self.target(api.shape(self.reads), id, known)
        found = self._if_there(lambda: api.does(self.reads, **target))
        if found is None:
            return None
        found.pop("ResponseMetadata", None)
        row = dig(self.row, found) if self.row else found
        if isinstance(row, list):
            row = self.pick(row, id, known)
        if row is None or (self.status and row.get(self.status[0]) in self.status[1:]):
            return None
        return dict(row) if isinstance(row, Mapping) else {"value": row}

    def read(self, cloud: AwsClient, id: str, known: Props) -> dict[str, Any] | None:
        row = self.answer(cloud, id, known)
        return None if row is None else self.state_of(cloud, id, row, known)

    def state_of(self, cloud: AwsClient, id: str, row: dict[str, Any], known: Props) -> dict[str, Any]:
        """The whole state out of the resource's row."""
        schema = index().resource(self.token)
        assert schema is not None, self.token
        parts = self._parts(id)
        said = {**self.defaults, **parts, **{k: v for k, v in known.items() if v is not None}}
        renames = {**self.renames, **self.shown_renames}
        state: dict[str, Any] = {}
        for name, kind in {**schema.outputs, **schema.inputs}.items():
            if name in ("tags", "tagsAll", "region", "id"):
                continue
            kept = said.get(name) if name in schema.inputs or name in known else None
            if name in self.write_only or name in self.provider_only:
                value = kept
            else:
                member = member_of(row, name, renames)
                live = row[member] if member is not None else None
                if name in self.documents and live is not None:
                    value = same_document(live, kept)
                else:
                    value = from_api(kind, live, renames, kept)
            if value is not None:
                state[name] = value
        region = self.region(cloud, known)
        if "region" in schema.outputs:
            state["region"] = region
        if "namePrefix" in schema.outputs:
            state["namePrefix"] = known.get("namePrefix") or ""
        self._show(schema.outputs, state, id, region)
        if "tags" in schema.outputs:
            state |= cloud.own_tags(self._live_tags(cloud, id, row, {**known, **state}), known)
        self.finish(cloud, row, state, known)
        return {k: v for k, v in state.items() if v is not None}

    def _show(self, outputs: Mapping[str, str], state: dict[str, Any], id: str, region: str) -> None:
        if self.arn_form and "arn" in outputs:
            state.setdefault("arn", self.form(self.arn_form, state, id, region))
        for name, form in self.shows.items():
            if name in state and state[name] not in ("", [], {}):
                continue
            if callable(form):
                state[name] = form(state)
            else:
                state[name] = self.form(form, state, id, region) if isinstance(form, str) else form

    def form(self, form: str, state: Props, id: str, region: str) -> str:
        """A form over the state: `{region}`, `{account}`, `{id}` and every property."""
        return form.format_map({**state, "id": id, "region": region, "account": ACCOUNT})

    def update(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        api = self.api(cloud, new)
        different = {
            n for n in {*old, *new} - {"tags", "tagsAll", "region", "arn"} if not _alike(old.get(n), new.get(n))
        }
        for operation in self.updates:
            shape = api.shape(operation)
            whole = operation == self.creates or operation.startswith(("Put", "Set"))
            named = {v for m, v in self.named.items() if m in shape.members}
            touched = {
                n
                for n in different - named - self.provider_only
                if member_of(shape.members, n, self.renames) is not None
            }
            if not touched:
                continue
            wanted = new if whole else {n: v for n, v in new.items() if n in touched | self._needed(shape)}
            asked = self.change(operation, old, new, self.parameters(shape, wanted))
            if asked:
                api.does(operation, **{**asked, **self.target(shape, id, {**old, **new})})
        self.changed(cloud, id, old, new)
        self._retag(cloud, id, old, new)

    def _needed(self, shape: Any) -> set[str]:
        required = {m.lower() for m in shape.required_members}
        schema = index().resource(self.token)
        assert schema is not None
        return {n for n in schema.inputs if (member_of(shape.members, n, self.renames) or "").lower() in required}

    def delete(self, cloud: AwsClient, id: str, state: Props) -> None:
        if not self.deletes or state.get("skipDestroy"):
            return
        self.before_delete(cloud, id, state)
        api = self.api(cloud, state)
        asked = self.unmake(state, self.target(api.shape(self.deletes), id, state))
        self._patiently(lambda: api.does(self.deletes, **asked))

    def _patiently(self, call: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._if_there(call)
                return
            except CloudError as error:
                if error.code not in STILL_USED or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _if_there(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return call()
        except CloudError as error:
            if is_absent(error) or error.code in self.gone_codes:
                return None
            raise

    # Tags

    def _tag_operations(self) -> tuple[str, str, str]:
        return self.tag_calls or tagging.BY_SERVICE.get(self.service) or tagging.USUAL

    def _tag_parameters(self, shape: Any, tags: Mapping[str, str]) -> dict[str, Any]:
        if not tags or self.tags_after:
            return {}
        if "TagSpecifications" in shape.members:
            return specification(self.tag_kind, tags) if self.tag_kind else {}
        member = tagging.tags_member(shape)
        return {member: to_api(shape.members[member], dict(tags), {})} if member else {}

    def _tagged(self, api: Any, id: str, state: Props, operation: str = "") -> dict[str, Any]:
        shape = api.shape(operation or self._tag_operations()[0])
        names = self._names(id, state)
        if self.tag_target:
            chosen = {m: names.get(p, p) for m, p in self.tag_target.items() if m in shape.members}
        elif self.service == "ec2":
            chosen = {"Resources": id}
        else:
            said = {m: names[p] for m, p in self.named.items() if m in shape.members and p in names}
            arns = {
                m: names.get("arn", id) for m in shape.members if "arn" in m.lower() or m in ("Resource", "resource")
            }
            others = {m: id for m in ("ResourceId", "ResourceName") if m in shape.members}
            chosen = said or arns or others
        return {m: [v] if shape.members[m].type_name == "list" else v for m, v in chosen.items()}

    def _live_tags(self, cloud: AwsClient, id: str, row: Props, state: Props) -> dict[str, str]:
        for member in ("Tags", "tags", "TagSet", "TagList"):
            if member in row:
                return tagging.shown(row[member])
        lists = self._tag_operations()[2]
        if not lists:
            return {}
        api = self.api(cloud, state)
        answer = self._if_there(lambda: api.does(lists, **self._tagged(api, id, state, lists)))
        return tagging.shown({k: v for k, v in (answer or {}).items() if k != "ResponseMetadata"})

    def _retag(self, cloud: AwsClient, id: str, old: Props, new: Props) -> None:
        schema = index().resource(self.token)
        if schema is None or "tags" not in schema.inputs:
            return
        gone, changed = cloud.tag_changes(old, new)
        if not gone and not changed:
            return
        api, (put, take, _) = self.api(cloud, new), self._tag_operations()
        target = self._tagged(api, id, {**old, **new})
        if gone:
            tagging.take(api, take, target, gone)
        if changed:
            tagging.put(api, put, target, changed)


def dig(path: str, answer: Any) -> Any:
    """What stands at a dotted path of an answer; a number is a place in a list. None where there is nothing."""
    for step in path.split("."):
        if isinstance(answer, list) and step.isdigit():
            answer = answer[int(step)] if int(step) < len(answer) else None
        else:
            answer = answer.get(step) if isinstance(answer, Mapping) else None
    return answer


def _alike(was: Any, now: Any) -> bool:
    return same(was, now) if isinstance(was, list | Mapping) and isinstance(now, list | Mapping) else was == now


def same_document(live: Any, known: Any) -> Any:
    """A live JSON document, in the program's own spelling where both mean the same."""
    text = unquote(live) if isinstance(live, str) and live.startswith("%7B") else live
    parsed = _parsed(text)
    if known is not None and same(_parsed(known), parsed):
        return known
    return text if isinstance(text, str) else json.dumps(text)


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text
