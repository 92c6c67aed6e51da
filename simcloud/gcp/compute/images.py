"""Public images by name and by family, and a project's own images."""

from __future__ import annotations

from typing import Any

from simcloud.gcp import facts
from simcloud.gcp.call import Call, fingerprint, handles
from simcloud.gcp.compute.base import (
    LINK,
    collection_of,
    key_from,
    last,
    listing,
    new,
    operation,
    reference,
    resource,
    shown,
    store,
)
from simcloud.gcp.errors import Refusal, invalid_field, not_found, rule

rule("image.exists", "an image or a family exists", "API errors seen: The referenced image resource cannot be found")
SOURCE = rule("image.source", "an image is made from one source", "discovery document compute.v1: Image", ours=True)


def _public(image: facts.Image) -> dict[str, Any]:
    digits = str(sum(ord(c) * (i + 7) for i, c in enumerate(image.key)) * 7919)
    return {
        "kind": "compute#image",
        "id": digits,
        "creationTimestamp": f"{image.date[:4]}-{image.date[4:6]}-{image.date[6:]}T00:00:00.000-08:00",
        "name": image.name,
        "description": f"Public image {image.name}",
        "family": image.family,
        "sourceType": "RAW",
        "status": "READY",
        "diskSizeGb": str(image.gb),
        "archiveSizeBytes": str(image.gb * 100_000_000),
        "architecture": image.arch,
        "guestOsFeatures": [{"type": t} for t in ("GVNIC", "UEFI_COMPATIBLE", "VIRTIO_SCSI_MULTIQUEUE")],
        "labelFingerprint": "42WmSpB8rSM=",
        "selfLink": LINK + image.key,
        "storageLocations": ["us", "eu", "asia"],
    }


def find(call: Call, value: str, field: str) -> dict[str, Any]:
    """The image that a reference names: an image or `family/...`. Raises Refusal."""
    path = key_from(value) or (f"projects/{call.project}/{value}" if value.startswith("global/images/") else "")
    parts = path.split("/")
    if len(parts) < 5 or parts[2:4] != ["global", "images"]:
        raise invalid_field(field, value, "The URL is malformed.")
    found = _by_family(call, parts[1], parts[5]) if parts[4] == "family" and len(parts) == 6 else _by_name(call, path)
    if found is None:
        raise invalid_field(field, LINK + path, "The referenced image resource cannot be found.")
    return found


def _by_name(call: Call, path: str) -> dict[str, Any] | None:
    own = call.world.state.compute.get(path)
    if own is not None:
        return shown(call.world, own)
    public = facts.image(path.split("/")[1], last(path))
    return _public(public) if public else None


def _by_family(call: Call, project: str, family: str) -> dict[str, Any] | None:
    for image in facts.image_families(project):
        if image.family == family:
            return _public(image)
    where = f"projects/{project}/global/images/"
    own = [i for k, i in call.world.state.compute.items() if k.startswith(where) and i.get("family") == family]
    return shown(call.world, own[-1]) if own else None


@handles("compute.images.get")
def get(call: Call) -> dict[str, Any]:
    """An image by name."""
    path = f"projects/{call.project}/global/images/{call.args['image']}"
    found = _by_name(call, path)
    if found is None:
        raise not_found(path)
    return found


@handles("compute.images.getFromFamily")
def get_from_family(call: Call) -> dict[str, Any]:
    """The newest image of a family."""
    found = _by_family(call, call.project, call.args["family"])
    if found is None:
        raise not_found(f"projects/{call.project}/global/images/family/{call.args['family']}")
    return found


@handles("compute.images.list")
def list_all(call: Call) -> dict[str, Any]:
    """A project's images: of a public project, the newest of each family."""
    where = collection_of(call) + "/"
    own = [shown(call.world, i) for k, i in call.world.state.compute.items() if k.startswith(where)]
    return listing(call, [*own, *map(_public, facts.image_families(call.project))], "imageList")


@handles("compute.images.insert")
def insert(call: Call) -> dict[str, Any]:
    """An image made from a disk or another image."""
    item = new(call, "image", labels=True)
    sources = [n for n in ("sourceDisk", "sourceImage", "sourceSnapshot", "rawDisk") if item.get(n)]
    if len(sources) != 1:
        raise invalid_field("resource", item["name"], "An image has one source.", rule=SOURCE)
    size = "10"
    if "sourceDisk" in item:
        item["sourceDisk"] = reference(call, item["sourceDisk"], "disks", "resource.sourceDisk")
        size = resource(call, key_from(item["sourceDisk"]))["sizeGb"]
    if "sourceImage" in item:
        other = find(call, item["sourceImage"], "resource.sourceImage")
        item["sourceImage"], size = other["selfLink"], other["diskSizeGb"]
    item |= {"status": "READY", "sourceType": "RAW", "archiveSizeBytes": "1000000000"}
    item.setdefault("diskSizeGb", size)
    item.setdefault("architecture", "X86_64")
    return operation(call, store(call, item), "insert")


@handles("compute.images.delete")
def delete(call: Call) -> dict[str, Any]:
    """Only a project's own images go."""
    path = f"projects/{call.project}/global/images/{call.args['image']}"
    if path not in call.world.state.compute:
        if facts.image(call.project, call.args["image"]):
            raise Refusal(403, f"Required 'compute.images.delete' permission for '{path}'", reason="forbidden")
        raise not_found(path)
    answer = operation(call, path, "delete")
    del call.world.state.compute[path]
    return answer


@handles("compute.images.setLabels")
def set_labels(call: Call) -> dict[str, Any]:
    """Labels of a project's own image."""
    path = f"projects/{call.project}/global/images/{call.args['resource']}"
    item = resource(call, path)
    item["labels"] = call.body.get("labels", {})
    item["labelFingerprint"] = fingerprint(item["labels"])
    return operation(call, path, "setLabels")
