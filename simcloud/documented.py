"""Resource types that no cloud here models, as far as the SDK's own documentation and AWS's registry describe them.

From these come the form of the id and of the ARN, what is called by a name of its own, and what replaces the
resource. No rule of a cloud is applied and no other output is computed; the provider says so for every such resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from simcloud.provider.model import AutoName, CloudError, ResourceType
from simcloud.schema import ResourceSchema

Ask = Callable[[str, Mapping[str, Any]], Any]
"""`simcloud.generic.GenericWorld.control`, wherever the world is."""
ACCOUNT = "123456789012"


class DocumentedType(ResourceType[Any]):
    """One unmodelled type. What the program said is kept."""

    names: ClassVar[AutoName]
    """How the cloud's provider names what the program does not."""

    def __init__(self, schema: ResourceSchema, ask: Ask) -> None:
        self._schema = schema
        self._ask = ask

    @classmethod
    def described(cls, schema: ResourceSchema) -> dict[str, Any]:
        """The class attributes of the type that a schema describes."""
        named = "name" in schema.inputs and "name" not in schema.required
        return {
            "token": schema.token,
            "auto_name": cls.names if named else None,
            "replace_on": schema.replaces | schema.create_only | cls.identity(schema),
            "sources": ("the SDK's documentation",),
        }

    @staticmethod
    def identity(schema: ResourceSchema) -> frozenset[str]:
        """The inputs that say which resource this is."""
        raise NotImplementedError

    def id_of(self, cloud: Any, inputs: Mapping[str, Any], chance: str) -> str:
        """The id of a new resource. `chance` is 40 hex digits."""
        raise NotImplementedError

    def shown(self, cloud: Any, inputs: Mapping[str, Any], id: str, chance: str) -> dict[str, Any]:
        """The outputs that follow from the inputs and the id."""
        raise NotImplementedError

    def create(self, cloud: Any, inputs: Mapping[str, Any]) -> str:
        """Keep the inputs. Raises CloudError when the id is taken."""
        chance = str(self._ask("chance", {}))
        id = self.id_of(cloud, inputs, chance)
        state = dict(inputs) | self.shown(cloud, inputs, id, chance)
        try:
            self._ask("put", {"token": self.token, "id": id, "state": state, "new": True})
        except ValueError as taken:
            raise CloudError("AlreadyExists", "create", str(taken), 409) from None
        return id

    def read(self, cloud: Any, id: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was kept."""
        row = self._ask("get", {"token": self.token, "id": id})
        return None if row is None else dict(row)

    def update(self, cloud: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Keep the new inputs, and the outputs that do not repeat one."""
        before = self._ask("get", {"token": self.token, "id": id}) or {}
        kept = {name: value for name, value in before.items() if name not in old}
        state = kept | dict(new) | self.repeated(cloud, new)
        self._ask("put", {"token": self.token, "id": id, "state": state})

    def repeated(self, cloud: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs that repeat inputs (all tags, all labels)."""
        raise NotImplementedError

    def delete(self, cloud: Any, id: str, state: Mapping[str, Any]) -> None:
        """Forget it."""
        self._ask("delete", {"token": self.token, "id": id})

    def _outputs(self, candidates: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in candidates.items() if name in self._schema.outputs}


_ARN = re.compile(r"arn:aws[\w-]*:([\w.-]+):([\w-]*):(\d*):(.+)")
_COUNTED_ID = re.compile(r"([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,17}")
_LAST = re.compile(r"[^/:]+$")


class DocumentedAwsType(DocumentedType):
    """An unmodelled type of AWS."""

    names = AutoName()

    @staticmethod
    def identity(schema: ResourceSchema) -> frozenset[str]:
        """The region, and what an import names."""
        named = {_camel(word) for word in schema.import_by}
        return frozenset((named | {"region"}) & schema.inputs.keys())

    def id_of(self, cloud: Any, inputs: Mapping[str, Any], chance: str) -> str:
        """As in the documentation's example of an import: an ARN, the value of an input, or a prefix and hex digits."""
        example = self._schema.import_id
        arn = self._arn(cloud, inputs, chance)
        if arn and _ARN.fullmatch(example):
            return arn
        by = [_camel(word) for word in self._schema.import_by]
        if len(by) == 1 and isinstance(inputs.get(by[0]), str):
            return str(inputs[by[0]])
        counted = _COUNTED_ID.fullmatch(example)
        return f"{counted.group(1)}-{chance[:17]}" if counted else _uuid(chance)

    def shown(self, cloud: Any, inputs: Mapping[str, Any], id: str, chance: str) -> dict[str, Any]:
        """Region, account, ARN and all tags."""
        region = inputs.get("region") or cloud.region
        arn = self._arn(cloud, inputs, chance) or self._plain_arn(region, id)
        simple = {"region": region, "arn": arn, "ownerId": ACCOUNT, "accountId": ACCOUNT}
        given = {name: inputs[name] for name in simple if name in inputs}
        return self._outputs(simple | given) | self.repeated(cloud, inputs)

    def repeated(self, cloud: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's default tags under the resource's own."""
        return self._outputs({"tagsAll": cloud.tags(inputs)})

    def _arn(self, cloud: Any, inputs: Mapping[str, Any], chance: str) -> str:
        """The ARN in the documentation's form, its last part the resource's name where it has one."""
        form = _ARN.fullmatch(self._schema.import_id)
        if form is None:
            return ""
        service, region, account, rest = form.groups()
        name = inputs.get("name") or _uuid(chance)
        here = (inputs.get("region") or cloud.region) if region else ""
        return f"arn:aws:{service}:{here}:{ACCOUNT if account else ''}:{_LAST.sub(name, rest)}"

    def _plain_arn(self, region: str, id: str) -> str:
        """An ARN of the general form, where the documentation shows none."""
        module, _, kind = self.token.split(":")[1].partition("/")
        return f"arn:aws:{module}:{region}:{ACCOUNT}:{kind.lower()}/{id}"


_PLACE = re.compile(r"{{\s*(\w+)\s*}}|{(\w+)}")


class DocumentedGcpType(DocumentedType):
    """An unmodelled type of Google Cloud."""

    names = AutoName(lower=True, max_length=63)

    @staticmethod
    def identity(schema: ResourceSchema) -> frozenset[str]:
        """The project, the place, and what the id is made of."""
        named = {_camel(word) for word in _words(schema)} | {"project", "region", "zone", "location"}
        return frozenset(named & schema.inputs.keys())

    def id_of(self, cloud: Any, inputs: Mapping[str, Any], chance: str) -> str:
        """The documentation's import id, filled in; a part that nobody has said is hex digits."""
        values = {word: self._said(cloud, inputs, word) for word in _words(self._schema)}
        filled = _PLACE.sub(lambda m: values[m.group(1) or m.group(2)] or chance[:19], self._schema.import_id)
        return filled if values else _uuid(chance)

    def _said(self, cloud: Any, inputs: Mapping[str, Any], word: str) -> str:
        name = _camel(word)
        for candidate in (name, name.removesuffix("Id"), "name" if name.endswith(("Id", "Name")) else name):
            if isinstance(inputs.get(candidate), str) and inputs[candidate]:
                return str(inputs[candidate])
        place = {"project": cloud.project, "projectId": cloud.project, "region": cloud.region, "zone": cloud.zone}
        return str(place.get(name) or (cloud.region if name == "location" else "") or "")

    def shown(self, cloud: Any, inputs: Mapping[str, Any], id: str, chance: str) -> dict[str, Any]:
        """Project, place, all labels, and for Compute Engine the self link."""
        simple = {name: self._said(cloud, inputs, name) for name in ("project", "region", "zone", "location")}
        found = {name: value for name, value in simple.items() if value}
        if self.token.startswith("gcp:compute/"):
            found["selfLink"] = f"https://www.googleapis.com/compute/v1/{id}"
        return self._outputs(found) | self.repeated(cloud, inputs)

    def repeated(self, cloud: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's default labels under the resource's own."""
        labels = {**cloud.default_labels, **(inputs.get("labels") or {})}
        return self._outputs({"effectiveLabels": labels, "pulumiLabels": labels})


def _words(schema: ResourceSchema) -> list[str]:
    return [a or b for a, b in _PLACE.findall(schema.import_id)]


def documented(package: str, schema: ResourceSchema, ask: Ask) -> DocumentedType:
    """The type of a schema of `aws` or `gcp`."""
    base: type[DocumentedType] = DocumentedAwsType if package == "aws" else DocumentedGcpType
    described: type[DocumentedType] = type(base.__name__, (base,), base.described(schema))
    return described(schema, ask)


def _camel(word: str) -> str:
    return re.sub(r"_(\w)", lambda m: m.group(1).upper(), word)


def _uuid(chance: str) -> str:
    return f"{chance[:8]}-{chance[8:12]}-4{chance[13:16]}-a{chance[17:20]}-{chance[20:32]}"
