"""Rules about stores, names, tags and labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleetyard.catalog import Cloud
from fleetyard.checks.registry import Hit, rule
from fleetyard.findings import Level, StackPath
from fleetyard.plan import Plan
from fleetyard.spec import OnDestroy, Tier

BUCKET_NAME = 63
"""Longest bucket name on both clouds. Sources: Amazon S3 User Guide and Cloud Storage documentation, naming rules."""
RANDOM_PART = 8
"""Pulumi appends a dash and seven random characters to a name."""
INFREQUENT_DAYS = 30
"""Least age for S3 Standard-IA, and least stay there. Source: Amazon S3 User Guide, "Transitioning objects"."""
ACCOUNT_ID = 30
"""Longest service account id on Google Cloud. Source: IAM documentation, "Create service accounts"."""
ACCOUNT_ID_LEAST = 6
ROLE_NAME = 64
"""Longest name of an IAM role. Source: CreateRole, IAM API Reference."""
_LABEL_KEY = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_LABEL_VALUE = re.compile(r"^[a-z0-9_-]{0,63}$")
_TAG = re.compile(r"^[\w\s.:/=+@-]*$")


@rule("FY2401", Level.ERROR)
def lifecycle_goes_downhill(plan: Plan) -> Iterator[Hit]:
    """Lifecycle steps grow in age and only go to colder tiers; deletion is the last."""
    order = list(Tier)
    for store in plan.stores:
        for index, (before, after) in enumerate(zip(store.lifecycle, store.lifecycle[1:], strict=False), start=1):
            path = store.path / "lifecycle" / index
            if after.days <= before.days:
                message = f"`{after.tier}` after {after.days} days comes before `{before.tier}` after {before.days}"
                yield Hit(path, message, "order the steps by age")
            if order.index(after.tier) <= order.index(before.tier):
                yield Hit(
                    path, f"`{after.tier}` does not come after `{before.tier}`", "infrequent, then archive, then delete"
                )


@rule("FY2402", Level.ERROR)
def lifecycle_waits_long_enough(plan: Plan) -> Iterator[Hit]:
    """S3 moves objects to infrequent access after 30 days at the earliest and keeps them there as long."""
    if plan.cloud is not Cloud.AWS:
        return
    for store in plan.stores:
        for index, step in enumerate(store.lifecycle):
            path = store.path / "lifecycle" / index / "after"
            if step.tier is Tier.INFREQUENT and step.days < INFREQUENT_DAYS:
                yield Hit(
                    path, f"S3 refuses infrequent access after {step.days} days", f"after: {INFREQUENT_DAYS}d or more"
                )
            before = store.lifecycle[index - 1] if index else None
            if before and before.tier is Tier.INFREQUENT and before.days < step.days < before.days + INFREQUENT_DAYS:
                message = f"objects stay only {step.days - before.days} days in infrequent access"
                yield Hit(path, message, f"after: {before.days + INFREQUENT_DAYS}d or more")


@rule("FY2403", Level.WARNING)
def kept_data_is_not_deleted(plan: Plan) -> Iterator[Hit]:
    """A store that is kept on destroy does not delete its objects by age without anybody noticing."""
    for store in plan.stores:
        ends = [step for step in store.lifecycle if step.tier is Tier.DELETE]
        if ends and store.on_destroy is OnDestroy.KEEP:
            message = f"keeps the bucket on destroy, but its objects are deleted after {ends[0].days} days"
            yield Hit(store.path, message, "remove the delete step, or on_destroy: empty")


@rule("FY2404", Level.ERROR)
def bucket_name_fits(plan: Plan) -> Iterator[Hit]:
    """Stack and store names together leave room in a bucket name for Pulumi's random part."""
    for store in plan.stores:
        if len(store.full_name) + RANDOM_PART > BUCKET_NAME:
            longest = BUCKET_NAME - RANDOM_PART - len(plan.stack) - 1
            yield Hit(
                store.path,
                f"its bucket name would be longer than {BUCKET_NAME}",
                f"a store name of at most {longest} letters",
            )


@rule("FY2405", Level.WARNING)
def emptying_is_meant(plan: Plan) -> Iterator[Hit]:
    """`on_destroy: empty` deletes every version of every object: fine for scratch, not for what a pool writes."""
    used = set(plan.cache_sources.values())
    for store in plan.stores:
        if store.on_destroy is OnDestroy.EMPTY and store.name in used and plan.workloads:
            yield Hit(
                store.path / "on_destroy",
                "destroy deletes the data sets and what the workloads wrote",
                "on_destroy: keep",
            )


@rule("FY2406", Level.ERROR)
def labels_use_the_alphabet(plan: Plan) -> Iterator[Hit]:
    """Google Cloud labels are lower case letters, digits, dashes and underscores, at most 63; the owner is one too."""
    if plan.cloud is not Cloud.GCP:
        return
    if not _LABEL_VALUE.match(plan.owner):
        yield Hit(
            StackPath("owner"), f"`{plan.owner}` cannot be a label", "lower-case letters, digits, - and _, at most 63"
        )
    for key, value in plan.own_tags.items():
        if not _LABEL_KEY.match(key):
            yield Hit(
                StackPath("tags"),
                f"`{key}` cannot be a label's key",
                "start with a letter; lower case, digits, - and _",
            )
        if not _LABEL_VALUE.match(value):
            yield Hit(
                StackPath("tags") / key, f"`{value}` cannot be a label's value", "lower-case letters, digits, - and _"
            )


@rule("FY2407", Level.ERROR)
def tags_are_accepted(plan: Plan) -> Iterator[Hit]:
    """AWS tags: at most 50, keys of at most 128 characters that do not start with aws:, a known alphabet."""
    if plan.cloud is not Cloud.AWS:
        return
    for key, value in {**plan.own_tags, "fleetyard-owner": plan.owner}.items():
        path = StackPath("owner") if key == "fleetyard-owner" else StackPath("tags") / key
        if key.lower().startswith("aws:"):
            yield Hit(path, "keys that start with aws: belong to AWS", "another key")
        if len(key) > 128:
            yield Hit(path, "is a key of more than 128 characters", "a shorter key")
        if not _TAG.match(key) or not _TAG.match(value):
            yield Hit(path, "holds a character that tags cannot", "letters, digits, spaces and . : / = + @ - _")


@rule("FY2408", Level.ERROR)
def tags_are_not_ours(plan: Plan) -> Iterator[Hit]:
    """Tags that Fleetyard sets itself, and finds its resources by, are not set by hand."""
    for key in plan.own_tags:
        if key.startswith("fleetyard-") or key == "Name":
            yield Hit(StackPath("tags") / key, "is set by Fleetyard", "remove it")


@rule("FY2409", Level.ERROR)
def names_fit(plan: Plan) -> Iterator[Hit]:
    """Stack and pool names together fit the shortest name made of them: a service account's id, or a role's name."""
    longest = ACCOUNT_ID if plan.cloud is Cloud.GCP else ROLE_NAME - RANDOM_PART
    what = "a service account's id" if plan.cloud is Cloud.GCP else "a role's name"
    for pool in plan.pools:
        room = longest - len(plan.stack) - 1
        if len(pool.full_name) > longest:
            fix = f"a pool name of at most {room} letters" if room > 0 else "a shorter stack name"
            yield Hit(pool.path, f"`{pool.full_name}` is too long for {what}", fix)
        elif plan.cloud is Cloud.GCP and len(pool.full_name) < ACCOUNT_ID_LEAST:
            yield Hit(pool.path, f"`{pool.full_name}` is too short for {what}", "a longer pool name")
