"""Cloud Run, Cloud Functions, Artifact Registry, Serverless VPC Access."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from simcloud.gcp.call import Call, handles, project_number
from simcloud.gcp.errors import Refusal, rule
from simcloud.gcp.iam import default_account
from simcloud.gcp.kinds import Kind, check_place, declare, digest, found, keep, operations, thing, wrong
from simcloud.gcp.managed.common import account, network, seconds

_RUN = "docs.cloud.google.com/run/docs"
CONTAINER = rule("run.container", "a container has an image, and resources that are offered", _RUN, ours=True)
TRAFFIC = rule(
    "run.traffic", "traffic adds up to 100 percent", _RUN + "/rollouts-rollbacks-traffic-migration", ours=True
)
SCALING = rule("run.scaling", "scaling, concurrency and timeout lie in their bounds", _RUN + "/configuring", ours=True)
SECRET = rule("run.secret", "a secret that is named exists", _RUN + "/configuring/services/secrets", ours=True)
FUNCTION = rule(
    "functions.shape",
    "a function has a runtime, an entry point, one trigger and a source that exists",
    "docs.cloud.google.com/functions/docs",
    ours=True,
)
REPOSITORY = rule(
    "artifacts.repository",
    "a repository has a format, and what goes with its mode",
    "docs.cloud.google.com/artifact-registry/docs/repositories",
    ours=True,
)
CONNECTOR = rule(
    "vpcaccess.connector",
    "a connector has a /28 range or a subnet, and instances or throughput in bounds",
    "docs.cloud.google.com/vpc/docs/configure-serverless-vpc-access",
    ours=True,
)

_RUNTIMES = re.compile(
    r"nodejs(1[02468]|2[0246])|python3(7|8|9|1[0-4])|go1(1[1368]|2[0-6])|java(11|17|21|25)|dotnet(3|6|8|10)|"
    r"ruby(2[67]|3[0-4])|php(74|8[1-4])"
)
"""Runtimes, old ones included. Source: functions/docs/runtime-support."""

# Cloud Run ------------------------------------------------------------------------------------------------------------


def _limits(resources: dict[str, Any]) -> None:
    limits = resources.setdefault("limits", {"cpu": "1000m", "memory": "512Mi"})
    cpu = str(limits.get("cpu", "1"))
    found_cpu = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", cpu)
    cores = float(found_cpu.group(1)) / (1000 if found_cpu.group(2) else 1) if found_cpu else 0
    if not (0.08 <= cores <= 1 or cores in (2, 4, 6, 8)):
        raise wrong(f"Invalid value specified for cpu: {cpu}.", CONTAINER)
    memory = re.fullmatch(r"(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)", str(limits.get("memory", "512Mi")))
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    size = float(memory.group(1)) * scale[memory.group(2)] if memory else 0
    if not 128e6 <= size <= 32 * 2**30:
        raise wrong(f"Invalid value specified for container memory: {limits.get('memory')}.", CONTAINER)


def _containers(call: Call, containers: list[dict[str, Any]], *, served: bool) -> None:
    if not containers:
        raise wrong("template.containers: at least one container is required.", CONTAINER)
    for one in containers:
        if not one.get("image"):
            raise wrong("template.containers.image: a container needs an image.", CONTAINER)
        names = [e.get("name") for e in one.get("env", [])]
        if len(set(names)) < len(names) or not all(names):
            raise wrong("template.containers.env: names are given, each once.", CONTAINER)
        for env in one.get("env", []):
            _secret_env(call, env)
        _limits(one.setdefault("resources", {}))
        for port in one.get("ports", []):
            if not 1 <= int(port.get("containerPort") or 8080) <= 65535:
                raise wrong(f"template.containers.ports: {port.get('containerPort')} is no port.", CONTAINER)
    if served and not any(c.get("ports") for c in containers):
        containers[0]["ports"] = [{"name": "http1", "containerPort": 8080}]
    if served and sum(bool(c.get("ports")) for c in containers) > 1:
        raise wrong("template.containers.ports: one container takes requests.", CONTAINER)


def _secret_env(call: Call, env: dict[str, Any]) -> None:
    ref = env.get("valueSource", {}).get("secretKeyRef", {}).get("secret")
    if ref:
        name = ref if "/" in ref else f"projects/{call.project}/secrets/{ref}"
        if thing(call.world, "secretmanager", name) is None:
            raise wrong(f"Secret {name} was not found.", SECRET)


def _template(call: Call, template: dict[str, Any], *, served: bool) -> None:
    _containers(call, template.setdefault("containers", []), served=served)
    template.setdefault("serviceAccount", default_account(call.project))
    account(call, template["serviceAccount"])
    template.setdefault("timeout", "300s" if served else "600s")
    seconds(template["timeout"], "template.timeout", 1, 3600 if served else 604800)
    access = template.get("vpcAccess", {})
    connector = access.get("connector")
    if connector and thing(call.world, "vpcaccess", connector) is None and "/" in connector:
        raise wrong(f"VPC connector {connector} does not exist.", SCALING)
    for nic in access.get("networkInterfaces", []):
        if nic.get("network"):
            network(call, nic["network"])
    if served:
        scaling = template.setdefault("scaling", {})
        scaling.setdefault("maxInstanceCount", 100)
        if int(scaling.get("minInstanceCount") or 0) > int(scaling["maxInstanceCount"]):
            raise wrong("template.scaling: the minimum is above the maximum.", SCALING)
        template.setdefault("maxInstanceRequestConcurrency", 80)
        if not 1 <= int(template["maxInstanceRequestConcurrency"]) <= 1000:
            raise wrong("template.maxInstanceRequestConcurrency must be from 1 to 1000.", SCALING)


def _condition(call: Call, kind: str) -> dict[str, Any]:
    return {"type": kind, "state": "CONDITION_SUCCEEDED", "lastTransitionTime": call.now}


def _stamp(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    generation = int(old["generation"]) + 1 if old else 1
    item |= {
        "uid": (old or {}).get("uid") or "-".join(call.hexadecimal(n) for n in (8, 4, 4, 4, 12)),
        "generation": str(generation),
        "observedGeneration": str(generation),
        "creator": "simulated@fleetyard.invalid",
        "lastModifier": "simulated@fleetyard.invalid",
        "terminalCondition": _condition(call, "Ready"),
        "etag": f'"{digest(name, generation, call.now, length=16)}"',
        "reconciling": False,
    }
    item.setdefault("launchStage", "GA")
    item.setdefault("client", "")
    item.setdefault("clientVersion", "")


def _service(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    _template(call, item.setdefault("template", {}), served=True)
    traffic = item.setdefault("traffic", [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])
    if sum(int(t.get("percent") or 0) for t in traffic) != 100:
        raise wrong("Traffic targets must add up to 100 percent.", TRAFFIC)
    item.setdefault("ingress", "INGRESS_TRAFFIC_ALL")
    _stamp(call, item, name, old)
    parts = name.split("/")
    short = parts[-1]
    number = project_number(parts[1])
    revision = f"{name}/revisions/{short}-{int(item['generation']):05d}-{digest(name, item['generation'], length=3)}"
    item |= {
        "latestReadyRevision": revision,
        "latestCreatedRevision": revision,
        "uri": f"https://{short}-{digest('run', parts[1], length=10)}-{_airport(parts[3])}.a.run.app",
        "conditions": [_condition(call, "RoutesReady"), _condition(call, "ConfigurationsReady")],
        "trafficStatuses": [dict(t) for t in traffic],
    }
    item["urls"] = [f"https://{short}-{number}.{parts[3]}.run.app", item["uri"]]
    item.setdefault("defaultUriDisabled", False)


def _airport(region: str) -> str:
    """The short word for a region in host names: the first letters of its parts and its number."""
    head, _, tail = region.partition("-")
    return f"{head[0]}{tail[0]}{''.join(c for c in tail if c.isdigit())}"


declare(
    Kind(
        "run.projects.locations.services",
        id="serviceId",
        operations="rpc",
        ids=r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?",
        needed=("template",),
        prepare=_service,
    )
)


def _job(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    execution = item.setdefault("template", {})
    inner = execution.setdefault("template", {})
    _template(call, inner, served=False)
    execution.setdefault("taskCount", 1)
    inner.setdefault("maxRetries", 3)
    if int(execution.get("parallelism") or 0) > int(execution["taskCount"]) or int(execution["taskCount"]) < 1:
        raise wrong("template: parallelism is at most the number of tasks, which is at least 1.", SCALING)
    _stamp(call, item, name, old)
    item["executionCount"] = 0
    item["conditions"] = [_condition(call, "ResourcesAvailable")]


declare(
    Kind(
        "run.projects.locations.jobs",
        id="jobId",
        operations="rpc",
        ids=r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
        needed=("template",),
        prepare=_job,
    )
)
operations("run", "run.projects.locations.operations.get")


# The first version of Cloud Run's API, in the shape of Knative: the same services ------------------------------------

_KNATIVE = Kind("v1.run.projects.locations.services", full=False, stamps=("", ""), labels="")


def _knative(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    meta = item.setdefault("metadata", {})
    spec = item.setdefault("spec", {})
    template = spec.setdefault("template", {})
    inner = template.setdefault("spec", {})
    containers = inner.setdefault("containers", [])
    _containers(call, containers, served=False)
    for one in containers:
        one.setdefault("ports", [{"name": "http1", "containerPort": 8080}])
    inner.setdefault("containerConcurrency", 80)
    inner.setdefault("timeoutSeconds", 300)
    if not 0 <= int(inner["containerConcurrency"]) <= 1000 or not 1 <= int(inner["timeoutSeconds"]) <= 3600:
        raise wrong("spec.template.spec: concurrency is 0 to 1000, the timeout 1 to 3600 seconds.", SCALING)
    inner.setdefault("serviceAccountName", default_account(parts[1]))
    account(call, inner["serviceAccountName"])
    traffic = spec.setdefault("traffic", [{"latestRevision": True, "percent": 100}])
    if sum(int(t.get("percent") or 0) for t in traffic) != 100:
        raise wrong("Revision traffic target percentages must sum to 100.", TRAFFIC)
    generation = int(old["metadata"]["generation"]) + 1 if old else 1
    meta |= {
        "name": parts[-1],
        "namespace": project_number(parts[1]),
        "selfLink": f"/apis/serving.knative.dev/v1/namespaces/{project_number(parts[1])}/services/{parts[-1]}",
        "uid": old["metadata"]["uid"] if old else "-".join(call.hexadecimal(n) for n in (8, 4, 4, 4, 12)),
        "resourceVersion": digest(name, generation, call.now, length=11),
        "generation": generation,
        "creationTimestamp": old["metadata"]["creationTimestamp"] if old else call.now,
    }
    meta["labels"] = {**meta.get("labels", {}), "cloud.googleapis.com/location": parts[3]}
    meta.setdefault("annotations", {}).setdefault("run.googleapis.com/ingress", "all")
    revision = f"{parts[-1]}-{generation:05d}-{digest(name, generation, length=3)}"
    ready = [{"type": t, "status": "True"} for t in ("Ready", "ConfigurationsReady", "RoutesReady")]
    item["apiVersion"], item["kind"] = "serving.knative.dev/v1", "Service"
    item["status"] = {
        "observedGeneration": generation,
        "conditions": ready,
        "latestReadyRevisionName": revision,
        "latestCreatedRevisionName": revision,
        "url": f"https://{parts[-1]}-{digest('run', parts[1], length=10)}-{_airport(parts[3])}.a.run.app",
        "traffic": [{**t, "revisionName": revision} for t in traffic],
    }


@handles("v1.run.projects.locations.services.create")
def create_knative(call: Call) -> dict[str, Any]:
    """A service."""
    item = dict(call.body)
    id = str(item.get("metadata", {}).get("name") or "")
    if not re.fullmatch(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?", id):
        raise wrong(f"metadata.name: '{id}' is no legal name of a service.", CONTAINER)
    name = f"{call.match.name}/{id}"
    check_place(call, _KNATIVE, name)
    if thing(call.world, "run", name) is not None:
        raise Refusal(409, f"Resource '{id}' already exists.", state="ALREADY_EXISTS")
    _knative(call, item, name, None)
    item["_knative"] = True
    keep(call, _KNATIVE, name, item)
    return _shown(item)


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in item.items() if not k.startswith("_")}


@handles("v1.run.projects.locations.services.replaceService")
def replace_knative(call: Call) -> dict[str, Any]:
    """A service is replaced as a whole: a new revision."""
    name = call.match.name
    old = found(call, _KNATIVE, name)
    item = {**call.body, "_knative": True}
    _knative(call, item, name, old)
    keep(call, _KNATIVE, name, item)
    return _shown(item)


@handles("v1.run.projects.locations.services.delete")
def delete_knative(call: Call) -> dict[str, Any]:
    """A service goes."""
    found(call, _KNATIVE)
    del call.world.state.things[f"run/{call.match.name}"]
    call.world.state.policies.pop(f"run/{call.match.name}", None)
    return {"status": "Success"}


declare(_KNATIVE)

# Cloud Functions ------------------------------------------------------------------------------------------------------

_TRIGGERS = ("httpsTrigger", "eventTrigger")


def _object(call: Call, bucket: str, name: str) -> None:
    live = [o for o in call.world.state.objects.get(bucket, []) if o["name"] == name and "softDeleteTime" not in o]
    if bucket not in call.world.state.buckets or not live:
        raise wrong(f"Could not find the source gs://{bucket}/{name}.", FUNCTION)


def _function_1(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    if not _RUNTIMES.fullmatch(str(item.get("runtime", ""))):
        raise wrong(f"The runtime field '{item.get('runtime', '')}' is not supported.", FUNCTION)
    if sum(n in item for n in _TRIGGERS) != 1:
        raise wrong("A function has exactly one trigger.", FUNCTION)
    source = item.get("sourceArchiveUrl", "")
    archive = re.fullmatch(r"gs://([^/]+)/(.+)", source)
    if archive:
        _object(call, archive.group(1), archive.group(2))
    elif not item.get("sourceRepository") and not item.get("sourceUploadUrl"):
        raise wrong(f"Invalid source archive URL '{source}'.", FUNCTION)
    item.setdefault("entryPoint", "helloWorld")
    item.setdefault("timeout", "60s")
    seconds(item["timeout"], "timeout", 1, 540)
    item.setdefault("availableMemoryMb", 256)
    if item["availableMemoryMb"] not in (128, 256, 512, 1024, 2048, 4096, 8192):
        raise wrong(f"Invalid memory: {item['availableMemoryMb']} MB.", FUNCTION)
    item.setdefault("serviceAccountEmail", f"{parts[1]}@appspot.gserviceaccount.com")
    if not item["serviceAccountEmail"].endswith("@appspot.gserviceaccount.com"):
        account(call, item["serviceAccountEmail"])
    item.setdefault("ingressSettings", "ALLOW_ALL")
    item.setdefault("dockerRegistry", "ARTIFACT_REGISTRY")
    if "httpsTrigger" in item:
        item["httpsTrigger"] = {"securityLevel": "SECURE_OPTIONAL", **item["httpsTrigger"]}
        item["httpsTrigger"]["url"] = f"https://{parts[3]}-{parts[1]}.cloudfunctions.net/{parts[-1]}"
    else:
        event = item["eventTrigger"]
        if not event.get("eventType") or not event.get("resource"):
            raise wrong("An event trigger has a type and a resource.", FUNCTION)
        event.setdefault(
            "service", f"{event['eventType'].split('.')[1]}.googleapis.com" if "." in event["eventType"] else ""
        )
        event.setdefault("failurePolicy", {})
    item |= {"status": "ACTIVE", "versionId": str(int((old or {}).get("versionId", 0)) + 1), "updateTime": call.now}
    item["buildId"] = digest("build", name, item["versionId"], length=32)


declare(
    Kind(
        "cloudfunctions.projects.locations.functions",
        operations="flat",
        ids=r"[a-zA-Z](?:[\w-]{0,61}[a-zA-Z0-9])?",
        needed=("runtime",),
        stamps=("", ""),
        prepare=_function_1,
    )
)
operations("cloudfunctions", "cloudfunctions.operations.get", "v2.cloudfunctions.projects.locations.operations.get")


def _function_2(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    build, service = item.get("buildConfig", {}), item.setdefault("serviceConfig", {})
    if not _RUNTIMES.fullmatch(str(build.get("runtime", ""))):
        raise wrong(f"The runtime field '{build.get('runtime', '')}' is not supported.", FUNCTION)
    storage = build.get("source", {}).get("storageSource", {})
    if storage.get("bucket"):
        _object(call, storage["bucket"], storage.get("object", ""))
    elif not build.get("source"):
        raise wrong("A function has a source.", FUNCTION)
    item.setdefault("environment", "GEN_2")
    build.setdefault("dockerRegistry", "ARTIFACT_REGISTRY")
    repository = f"projects/{parts[1]}/locations/{parts[3]}/repositories/gcf-artifacts"
    build.setdefault("dockerRepository", repository)
    build.setdefault("serviceAccount", f"projects/{parts[1]}/serviceAccounts/{default_account(parts[1])}")
    build["build"] = (
        f"projects/{project_number(parts[1])}/locations/{parts[3]}/builds/{digest(name, call.now, length=32)}"
    )
    service.setdefault("timeoutSeconds", 60)
    if not 1 <= int(service["timeoutSeconds"]) <= 3600:
        raise wrong("serviceConfig.timeoutSeconds must be from 1 to 3600.", FUNCTION)
    service.setdefault("availableMemory", "256M")
    if not re.fullmatch(r"\d+(\.\d+)?(k|M|G|Ki|Mi|Gi)", service["availableMemory"]):
        raise wrong(f"Invalid memory '{service['availableMemory']}'.", FUNCTION)
    service.setdefault("availableCpu", "0.1666")
    service.setdefault("maxInstanceCount", 100)
    if int(service.get("minInstanceCount") or 0) > int(service["maxInstanceCount"]):
        raise wrong("The minimum of instances is above the maximum.", FUNCTION)
    service.setdefault("maxInstanceRequestConcurrency", 1)
    service.setdefault("ingressSettings", "ALLOW_ALL")
    service.setdefault("allTrafficOnLatestRevision", True)
    service.setdefault("serviceAccountEmail", default_account(parts[1]))
    account(call, service["serviceAccountEmail"])
    run = parts[-1].lower().replace("_", "-")
    service["service"] = f"projects/{parts[1]}/locations/{parts[3]}/services/{run}"
    service["uri"] = f"https://{run}-{digest('run', parts[1], length=10)}-{_airport(parts[3])}.a.run.app"
    beneath = {"name": service["service"], "uri": service["uri"], "_madeBy": name}
    call.world.state.things[f"run/{service['service']}"] = beneath
    trigger = item.get("eventTrigger")
    if trigger:
        if not trigger.get("eventType"):
            raise wrong("An event trigger has a type.", FUNCTION)
        topic = trigger.get("pubsubTopic")
        if topic and thing(call.world, "pubsub", topic) is None:
            raise wrong(f"Topic {topic} does not exist.", FUNCTION)
        trigger.setdefault("triggerRegion", parts[3])
        trigger.setdefault("serviceAccountEmail", default_account(parts[1]))
        trigger["trigger"] = f"projects/{parts[1]}/locations/{parts[3]}/triggers/{run}-{digest(name, length=6)}"
    item["state"] = "ACTIVE"
    item["url"] = f"https://{parts[3]}-{parts[1]}.cloudfunctions.net/{parts[-1]}"


def _function_2_leave(call: Call, name: str, item: dict[str, Any]) -> None:
    """The Cloud Run service beneath a function goes with it."""
    beneath = item["serviceConfig"]["service"]
    call.world.state.things.pop(f"run/{beneath}", None)
    call.world.state.policies.pop(f"run/{beneath}", None)


declare(
    Kind(
        "v2.cloudfunctions.projects.locations.functions",
        id="functionId",
        operations="rpc",
        ids=r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
        needed=("buildConfig",),
        prepare=_function_2,
        leave=_function_2_leave,
    )
)

# Artifact Registry ----------------------------------------------------------------------------------------------------

_MODES = {"STANDARD_REPOSITORY": "", "VIRTUAL_REPOSITORY": "virtual", "REMOTE_REPOSITORY": "remote"}


def _repository(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    parts = name.split("/")
    mode = item.setdefault("mode", "STANDARD_REPOSITORY")
    if mode not in _MODES:
        raise wrong(f"Invalid repository mode {mode}.", REPOSITORY)
    if mode == "REMOTE_REPOSITORY" and not item.get("remoteRepositoryConfig"):
        raise wrong("A remote repository has a remote_repository_config.", REPOSITORY)
    if mode != "REMOTE_REPOSITORY" and item.get("remoteRepositoryConfig"):
        raise wrong("Only a remote repository has a remote_repository_config.", REPOSITORY)
    kind = str(item.get("format", ""))
    if (item.get("dockerConfig") and kind != "DOCKER") or (item.get("mavenConfig") and kind != "MAVEN"):
        raise wrong(f"The configuration does not go with the format {kind}.", REPOSITORY)
    item["registryUri"] = f"{parts[3]}-{kind.lower()}.pkg.dev/{parts[1]}/{parts[-1]}"
    item.setdefault("sizeBytes", "0")
    item.setdefault("vulnerabilityScanningConfig", {"enablementState": "SCANNING_DISABLED"})


declare(
    Kind(
        "artifactregistry.projects.locations.repositories",
        id="repositoryId",
        operations="rpc",
        places="multi",
        needed=("format",),
        fixed=frozenset({"format", "mode", "kmsKeyName"}),
        prepare=_repository,
    )
)
operations("artifactregistry", "artifactregistry.projects.locations.operations.get")

# Serverless VPC Access ------------------------------------------------------------------------------------------------


def _connector(call: Call, item: dict[str, Any], name: str, old: dict[str, Any] | None) -> None:
    region = name.split("/")[3]
    subnet = item.get("subnet", {})
    if bool(item.get("ipCidrRange")) == bool(subnet.get("name")):
        raise wrong("A connector has a network and a range, or a subnet.", CONNECTOR)
    if item.get("ipCidrRange"):
        try:
            block = ipaddress.IPv4Network(item["ipCidrRange"])
        except ValueError:
            block = None
        if block is None or block.prefixlen != 28:
            raise wrong(f"Invalid range '{item['ipCidrRange']}': it must be a /28.", CONNECTOR)
        path = network(call, item.get("network") or "default")
        item["network"] = path.rpartition("/")[2]
    else:
        path = network(call, subnet["name"], "subnetworks", region=region)
        size = int(call.world.state.compute[path]["ipCidrRange"].rpartition("/")[2])
        if size != 28:
            raise wrong(f"Subnet '{subnet['name']}' must be a /28.", CONNECTOR)
    item.setdefault("machineType", "e2-micro")
    low = int(item.setdefault("minThroughput", 200))
    high = int(item.setdefault("maxThroughput", 300))
    if low % 100 or high % 100 or not 200 <= low < high <= 1000:
        raise wrong("Throughput is in steps of 100 from 200 to 1000, its minimum below its maximum.", CONNECTOR)
    item.setdefault("minInstances", low // 100)
    item.setdefault("maxInstances", high // 100)
    if not 2 <= int(item["minInstances"]) < int(item["maxInstances"]) <= 10:
        raise wrong("Instances are from 2 to 10, the minimum below the maximum.", CONNECTOR)
    item["state"] = "READY"


declare(
    Kind(
        "vpcaccess.projects.locations.connectors",
        id="connectorId",
        operations="rpc",
        ids=r"[a-z][-a-z0-9]{0,23}[a-z0-9]",
        labels="",
        stamps=("", ""),
        changes=frozenset({"machineType", "minInstances", "maxInstances", "minThroughput", "maxThroughput"}),
        prepare=_connector,
    )
)
operations("vpcaccess", "vpcaccess.projects.locations.operations.get")
