"""The ResourceProvider service: what the engine asks, answered by the simulated cloud.

Everything that all resource types share is here: types and required members from the SDK, automatic names, diffs and
replacements, previews with unknowns, refresh, import. What one type does stands in its `ResourceType`; a type of the
SDK that has none runs on the generic path, checked against the SDK's types, and says so.
"""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from simcloud.provider.model import AutoName, CloudError, ResourceType
from simcloud.provider.typecheck import choose, conform
from simcloud.provider.values import (
    UNKNOWN,
    Change,
    Sameness,
    changes,
    from_struct,
    is_unknown,
    same,
    secret_names,
    to_struct,
    with_secrets,
    without_unknowns,
)
from simcloud.schema import ResourceSchema, TypeIndex, sdk_version


class CreatedButNotReadyError(Exception):
    """The resource exists and has an id, and is not what was asked for (a group that got no capacity)."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(reason)
        self.id = id


class Translation(Protocol):
    """One cloud's side of its provider."""

    package: str

    def types(self) -> Mapping[str, ResourceType[Any]]:
        """The modelled types by token."""

    def invokes(self) -> Mapping[str, Callable[[Any, Mapping[str, Any]], Mapping[str, Any]]]:
        """The modelled functions by token."""

    def client(self, config: Mapping[str, Any]) -> Any:
        """The cloud's API for one provider instance with this configuration. Raises ValueError for a wrong one."""

    def generic(self, schema: ResourceSchema) -> ResourceType[Any]:
        """The path of a type that is not modelled."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider of one cloud, for all its instances, engines and stacks."""

    def __init__(self, translation: Translation, index: TypeIndex) -> None:
        self._cloud = translation
        self._index = index
        self._clients: dict[str, Any] = {}
        """The API of each provider instance, by the engine's connection to it."""
        self._engines: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    # The life of a provider instance

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engines[context.peer()] = request.engine_address
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def Attach(self, request: Any, context: Any) -> Any:
        self._engines[context.peer()] = request.address
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=sdk_version(self._cloud.package))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        # Without a difference the engine would go on with the configuration that its state holds.
        found = list(changes(from_struct(request.old_inputs), from_struct(request.news), Sameness()))
        answer = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=answer, diffs=sorted({c.key.split(".")[0] for c in found}))

    def Configure(self, request: Any, context: Any) -> Any:
        try:
            client = self._cloud.client(without_unknowns(from_struct(request.args)))
        except ValueError as wrong:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(wrong))
        with self._guard:
            self._clients[context.peer()] = client
        self._log(
            context.peer(),
            request.urn,
            f"a simulated {self._cloud.package}: nothing that follows is real, and nothing is bought",
            engine_pb2.INFO,
        )
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    # Resources

    def Check(self, request: Any, context: Any) -> Any:
        schema, kind = self._kind(request.urn, context)
        olds, news = from_struct(request.olds), from_struct(request.news)
        inputs, failures = conform(self._index, schema, news)
        if kind.auto_name is not None and kind.auto_name.property in schema.inputs:
            _name(kind.auto_name, inputs, olds, request)
        for name, value in kind.defaults.items():
            if inputs.get(name) is None:
                inputs[name] = value
        if not failures and self._cloud.package == "gcp":
            failures = choose(schema, inputs)
        if not failures:
            # What is not known yet may still come: nobody can say that it is missing.
            unknown = {name for name, value in inputs.items() if is_unknown(value)}
            failures = [f for f in kind.check(without_unknowns(inputs)) if f.property.split(".")[0] not in unknown]
        return provider_pb2.CheckResponse(
            inputs=to_struct(with_secrets(inputs, secret_names(request.news))),
            failures=[provider_pb2.CheckFailure(property=f.property, reason=f.reason) for f in failures],
        )

    def Diff(self, request: Any, context: Any) -> Any:
        _, kind = self._kind(request.urn, context)
        # Only what the program says counts; a state without recorded inputs is compared with what it shows. What the
        # cloud had filled in and the program now says for the first time is compared with what the cloud has.
        state, new = from_struct(request.olds), from_struct(request.news)
        old = from_struct(request.old_inputs) if request.HasField("old_inputs") else state
        old = {name: state[name] for name in kind.computed if name in new and name in state} | old
        found = [c for c in changes(old, new, _sameness(kind)) if not _left_to_the_cloud(kind, c)]
        replacing = kind.replaces(old, new, frozenset(c.key for c in found))
        outdated = self._outdated(kind, state, new, context)
        seen = {c.key.split(".")[0] for c in found}
        found += [Change(name, name, "update") for name in sorted(outdated.keys() - seen)]
        replacing |= {name for name, replaces in outdated.items() if replaces}
        response = provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
            deleteBeforeReplace=bool(replacing) and kind.delete_before_replace,
            hasDetailedDiff=True,
        )
        for change in found:
            replace = change.key in replacing
            response.detailedDiff[change.path].kind = _DIFF_KINDS[change.kind, replace]
            response.detailedDiff[change.path].inputDiff = change.key not in outdated
            if replace:
                response.replaces.append(change.path)
        response.diffs.extend(sorted({c.key.split(".")[0] for c in found}))
        return response

    def Create(self, request: Any, context: Any) -> Any:
        schema, kind = self._kind(request.urn, context)
        inputs, secret = from_struct(request.properties), secret_names(request.properties)
        if request.preview:
            outputs = dict.fromkeys(schema.outputs, UNKNOWN) | _foreseen(inputs, kind.inner_computed)
            return provider_pb2.CreateResponse(properties=to_struct(with_secrets(outputs, secret)))
        client = self._client(context)
        failed = None
        with _Refusals(context):
            try:
                id = kind.create(client, inputs)
            except CreatedButNotReadyError as partial:
                id, failed = partial.id, str(partial)
            state = kind.read(client, id, inputs)
            if state is None:
                raise CloudError("NotFound", "read after create", f"{id} is not there right after it was created")
            state = with_secrets(state, secret)
            if failed:
                _abort_partial(context, id, with_secrets(inputs, secret), state, failed)
        return provider_pb2.CreateResponse(id=id, properties=to_struct(state))

    def Read(self, request: Any, context: Any) -> Any:
        schema, kind = self._kind(request.urn, context)
        known, old_inputs = from_struct(request.properties), from_struct(request.inputs)
        with _Refusals(context):
            state = kind.read(self._client(context), request.id, known)
        if state is None:
            return provider_pb2.ReadResponse()
        inputs = _refreshed(schema, kind, old_inputs, state) if old_inputs else _imported(schema, kind, state)
        secret = secret_names(request.inputs) | secret_names(request.properties)
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=to_struct(with_secrets(state, secret)),
            inputs=to_struct(with_secrets(inputs, secret)),
        )

    def Update(self, request: Any, context: Any) -> Any:
        _, kind = self._kind(request.urn, context)
        old_state, new = from_struct(request.olds), from_struct(request.news)
        old, secret = from_struct(request.old_inputs), secret_names(request.news)
        carried = {name: old_state[name] for name in kind.carried if name in old_state}
        if request.preview:
            gone = {name: None for name in old if name not in new}
            state = old_state | gone | new | dict.fromkeys(kind.changed_by_update, UNKNOWN)
            return provider_pb2.UpdateResponse(properties=to_struct(with_secrets(state, secret)))
        client = self._client(context)
        with _Refusals(context):
            failed = None
            try:
                kind.update(client, request.id, old | carried, new)
            except CreatedButNotReadyError as partial:
                failed = str(partial)
            known = {name: value for name, value in old_state.items() if name not in old} | new
            current = kind.read(client, request.id, known)
            if current is None:
                raise CloudError("NotFound", "read after update", f"{request.id} is gone")
            current = with_secrets(current, secret)
            if failed:
                _abort_partial(context, request.id, with_secrets(new, secret), current, failed)
        return provider_pb2.UpdateResponse(properties=to_struct(current))

    def Delete(self, request: Any, context: Any) -> Any:
        _, kind = self._kind(request.urn, context)
        with _Refusals(context):
            kind.delete(self._client(context), request.id, from_struct(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        function = self._cloud.invokes().get(request.tok)
        if function is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the simulated {self._cloud.package} does not model the function {request.tok}",
            )
        arguments = from_struct(request.args)
        with _Refusals(context):
            answer = function(self._client(context), arguments)  # type: ignore[misc]
        reply = provider_pb2.InvokeResponse()
        getattr(reply, "return").CopyFrom(to_struct(answer))
        return reply

    # What the methods share

    def _kind(self, urn: str, context: Any) -> tuple[ResourceSchema, ResourceType[Any]]:
        token = urn.split("::")[2].split("$")[-1]
        schema = self._index.resource(token)
        if schema is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"the {self._cloud.package} SDK has no resource type {token}")
            raise AssertionError
        kind = self._cloud.types().get(token)
        if kind is None:
            self._say_generic(urn, token, context)
            kind = self._cloud.generic(schema)
        return schema, kind

    def _say_generic(self, urn: str, token: str, context: Any) -> None:
        peer = context.peer()
        with self._guard:
            if (peer, urn) in self._told:
                return
            self._told.add((peer, urn))
        self._log(
            peer,
            urn,
            f"{token} is not modelled by the simulated {self._cloud.package}: its inputs are checked against the SDK's "
            "types and kept, its id and what replaces it follow the SDK's documentation, and no rule of the cloud is "
            "applied",
        )

    def _log(self, peer: str, urn: str, message: str, severity: Any = engine_pb2.WARNING) -> None:
        address = self._engines.get(peer)
        if not address:
            return
        try:
            with grpc.insecure_channel(address) as channel:
                engine_pb2_grpc.EngineStub(channel).Log(
                    engine_pb2.LogRequest(severity=severity, message=message, urn=urn), timeout=5
                )
        except grpc.RpcError:
            # A remark must not fail the resource that it is about.
            return

    def _outdated(
        self, kind: ResourceType[Any], state: Mapping[str, Any], new: Mapping[str, Any], context: Any
    ) -> Mapping[str, bool]:
        # In a preview, a provider whose own configuration is not known yet was never configured.
        client = self._clients.get(context.peer())
        return {} if client is None else kind.outdated(client, state, new)

    def _client(self, context: Any) -> Any:
        client = self._clients.get(context.peer())
        if client is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "this provider instance was never configured")
        return client


_PD = provider_pb2.PropertyDiff
_DIFF_KINDS = {
    ("add", False): _PD.ADD,
    ("add", True): _PD.ADD_REPLACE,
    ("delete", False): _PD.DELETE,
    ("delete", True): _PD.DELETE_REPLACE,
    ("update", False): _PD.UPDATE,
    ("update", True): _PD.UPDATE_REPLACE,
}


class _Refusals:
    """Turns a cloud's refusal into the call's error, and a defect of ours into one that says so."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, CloudError):
            self._context.abort(grpc.StatusCode.UNKNOWN, str(error))
        elif isinstance(error, Exception) and type(error) is not Exception:  # a bare one is grpc's own abort
            text = "".join(traceback.format_exception(error)[-3:])
            self._context.abort(grpc.StatusCode.INTERNAL, f"a defect of the simulated cloud: {text}")


def _foreseen(inputs: dict[str, Any], computed: frozenset[str]) -> dict[str, Any]:
    """The inputs, with what the cloud will fill in inside their blocks."""

    def block(value: Any, paths: frozenset[str]) -> Any:
        if isinstance(value, list):
            return [block(v, paths) for v in value]
        if not isinstance(value, Mapping):
            return value
        heads = [p for p in paths if "." not in p]
        below = {h: frozenset(p[len(h) + 1 :] for p in paths if p.startswith(f"{h}.")) for h in value}
        return dict.fromkeys(heads, UNKNOWN) | {k: block(v, below[k]) if below[k] else v for k, v in value.items()}

    inner = {h: frozenset(p[len(h) + 1 :] for p in computed if p.startswith(f"{h}.")) for h in inputs}
    return {name: block(value, inner[name]) if inner[name] else value for name, value in inputs.items()}


def _abort_partial(context: Any, id: str, inputs: Mapping[str, Any], state: Mapping[str, Any], reason: str) -> None:
    """Fail a call in the way that makes the engine record the resource as it stands."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=id, properties=to_struct(state), reasons=[reason], inputs=to_struct(inputs)
    )
    packed = any_pb2.Any()
    packed.Pack(detail, type_url_prefix="type.googleapis.com/")
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, reason)


def _name(auto: AutoName, inputs: dict[str, Any], olds: Mapping[str, Any], request: Any) -> None:
    """Give the resource a name when the program gave none: the old one, the engine's proposal, or a new one."""
    prefix_property = auto.property + "Prefix"
    if inputs.get(auto.property) is not None:
        return
    if olds.get(auto.property) is not None and olds.get(prefix_property) == inputs.get(prefix_property):
        inputs[auto.property] = olds[auto.property]
        return
    chance = random.Random(request.randomSeed)  # noqa: S311 - the engine's seed makes names repeatable
    digits = "".join(chance.choice("0123456789abcdef") for _ in range(7))
    logical = request.urn.split("::")[-1]
    prefix = inputs.get(prefix_property)
    base = prefix if prefix and not is_unknown(prefix) else f"{logical}-"
    proposed = request.autonaming.proposed_name if request.HasField("autonaming") else ""
    room = auto.max_length - len(auto.prefix) - len(digits) - len(auto.suffix)
    name = proposed or base[:room] + digits + auto.suffix
    if not name.startswith(auto.prefix):
        name = auto.prefix + name
    inputs[auto.property] = name.lower() if auto.lower else name


def _left_to_the_cloud(kind: ResourceType[Any], change: Change) -> bool:
    """A property that the program stopped setting and that the cloud fills in by itself does not change."""
    return change.kind == "delete" and change.key in kind.computed


def _refreshed(
    schema: ResourceSchema, kind: ResourceType[Any], old: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs that would give the state as it is now, saying no more than the program did."""
    fresh: dict[str, Any] = {}
    for name, value in old.items():
        if name in kind.write_only or name not in state:
            fresh[name] = value
        else:
            fresh[name] = _reconciled(value, state[name], _sameness(kind), schema.inputs.get(name, ""), name)
    return {name: value for name, value in fresh.items() if value is not None}


def _sameness(kind: ResourceType[Any]) -> Sameness:
    return Sameness(kind.unordered, kind.canonical)


def _reconciled(old: Any, live: Any, sameness: Sameness, kind: str = "", key: str = "") -> Any:
    as_set = key in sameness.unordered
    if same(old, live, as_set, sameness.canonical):
        return old
    if isinstance(old, Mapping) and isinstance(live, Mapping):
        if kind.startswith("{"):
            return dict(live)
        return {k: _reconciled(v, live[k], sameness) if k in live else None for k, v in old.items()}
    if isinstance(old, list) and isinstance(live, list) and len(old) == len(live) and not as_set:
        return [_reconciled(was, now, sameness) for was, now in zip(old, live, strict=True)]
    return live


def _imported(schema: ResourceSchema, kind: ResourceType[Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that a program would have to give for this resource to be as it is.

    Empty and zero values where there is no default need not be given; the provider bridge leaves them out too. What has
    a default is there, since Check puts it into every program's inputs.
    """
    found: dict[str, Any] = {}
    for name in schema.inputs:
        value = state.get(name)
        if value is not None and name not in kind.computed and (value or name in kind.defaults):
            found[name] = value
    return found
