"""moto, made deterministic and called without its server.

moto holds most of the simulated AWS in memory. Two things make its state a function of the calls it gets: its clock
is the
world's (`utcnow` is replaced before any of its services is imported) and its source of ids is reseeded for every call.
Seen in moto 5.2.5: what a service creates takes ids from `moto.moto_api._internal.mock_random`, or from the standard
library, which each service's modules are given in a form that follows the world (`_steady`). What comes from the
machine (KMS key material, RSA key pairs) differs after a replay, and nothing that Fleetyard makes depends on it.
"""

from __future__ import annotations

import datetime as datetime_module
import os
import random as random_module
import re
import sys
import time as time_module
import uuid as uuid_module
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from simcloud.wire import Moment, Request, Response

# moto reads its settings when it is imported.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "true")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "simulated")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "simulated")

import moto.core.utils

_now = datetime(2000, 1, 1)


def world_time() -> datetime:
    """The time of the call that is being carried out, in moto's form: naive UTC."""
    return _now


_real_time = moto.core.utils.utcnow
for _module in [m for name, m in sys.modules.items() if name.startswith("moto.")]:
    # moto's modules take the function by name: those that somebody imported before this one have it already.
    if getattr(_module, "utcnow", None) is _real_time:
        _module.utcnow = world_time  # type: ignore[attr-defined]

from botocore.exceptions import UnknownServiceError  # noqa: E402 - after moto's clock has been replaced
from moto import backends  # noqa: E402
from moto.core.base_backend import AccountSpecificBackend, BackendDict  # noqa: E402
from moto.core.exceptions import HTTPException  # noqa: E402
from moto.core.request import Request as MotoRequest  # noqa: E402
from moto.core.utils import get_service_model  # noqa: E402
from moto.moto_api._internal import mock_random  # noqa: E402

ACCOUNT = "123456789012"
"""moto's account. It is AWS's own documentation account number, so nobody mistakes it for a real one."""


def set_moment(moment: Moment) -> None:
    """Let moto see the call's time and chance."""
    global _now
    _now = moment.now.astimezone(UTC).replace(tzinfo=None)
    mock_random.seed(moment.chance.getrandbits(64))


class _Clocked(type):
    """Real dates are dates of the replaced class too."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class _WorldDatetime(datetime, metaclass=_Clocked):
    """`datetime.datetime` whose now is the world's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        aware = _now.replace(tzinfo=UTC)
        return aware.astimezone(tz) if tz is not None else _now

    @classmethod
    def utcnow(cls) -> datetime:  # type: ignore[override]
        return _now


class _Shim:
    """A standard module with some of its names replaced."""

    def __init__(self, module: Any, **replaced: Any) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _timestamp() -> float:
    return _now.replace(tzinfo=UTC).timestamp()


def _replacement(value: Any) -> Any:
    """What a global of a moto module must be, for its state to follow from the calls alone; None to leave it."""
    if value is datetime_module:
        return _Shim(datetime_module, datetime=_WorldDatetime)
    if value is datetime:
        return _WorldDatetime
    if value is time_module:
        return _Shim(time_module, time=_timestamp)
    if value is time_module.time:
        return _timestamp
    if value is random_module:
        return mock_random
    if value is uuid_module:
        return _Shim(uuid_module, uuid4=mock_random.uuid4)
    if value is uuid_module.uuid4:
        return mock_random.uuid4
    return None


_steadied: set[str] = set()


def _steady() -> None:
    """Give the services that were imported since the last time the world's clock and source of ids."""
    for name in [n for n in list(sys.modules) if n.startswith("moto.") and n not in _steadied]:
        _steadied.add(name)
        if name.startswith(
            ("moto.core", "moto.moto_api", "moto.moto_server", "moto.moto_proxy", "moto.utilities.paginator")
        ):
            continue
        module = sys.modules[name]
        for key, value in list(vars(module).items()):
            replacement = _replacement(value)
            if replacement is not None:
                setattr(module, key, replacement)


@contextmanager
def own_chance(what: str) -> Iterator[None]:
    """A time and a chance of its own for what must come out the same whenever it is first needed.

    A read that the journal does not know may be what needs it first; the ids of later calls must not shift by that.
    """
    global _now
    before = _now, mock_random.getstate()
    _now = _EPOCH
    mock_random.seed(what)
    try:
        yield
    finally:
        _now = before[0]
        mock_random.setstate(before[1])


_EPOCH = datetime(2026, 1, 1)


def _bear_apart() -> None:
    """Make moto's backends, and what EC2 knows of services with endpoints, each with a chance of its own."""
    from moto.ec2.models.vpcs import VPCBackend

    get, endpoints = AccountSpecificBackend.__getitem__, VPCBackend._collect_default_endpoint_services

    def born(self: Any, region: str) -> Any:
        if dict.__contains__(self, "aws" if region == "global" else region):
            return get(self, region)
        with own_chance(f"{self.service_name} {region}"):
            return get(self, region)

    def collected(account_id: str, region: str) -> Any:
        with own_chance(f"endpoint services {region}"):
            return endpoints(account_id, region)

    AccountSpecificBackend.__getitem__ = born
    VPCBackend._collect_default_endpoint_services = staticmethod(collected)


_bear_apart()


@lru_cache(maxsize=64)
def _routes(service: str) -> list[tuple[re.Pattern[str], Any]]:
    backend = backends.get_backend(service)
    regions = backend[ACCOUNT]
    first = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    found = [(re.compile(url), method) for url, method in first.urls.items()]
    _steady()  # looking at the routes has imported the rest of the service
    return found


@lru_cache(maxsize=256)
def host_of(service: str, region: str) -> str:
    """The AWS host name for which moto keeps a service's routes."""
    prefix = get_service_model(service).endpoint_prefix
    return f"{prefix}.amazonaws.com" if service in _ONE_FOR_ALL else f"{prefix}.{region}.amazonaws.com"


_ONE_FOR_ALL = frozenset({"iam", "route53", "cloudfront", "budgets", "organizations"})
"""Services with one endpoint for all regions."""


def call(service: str, region: str, request: Request) -> Response | None:
    """Let moto carry out a request; None when moto knows no such service or path.

    Raises NotImplementedError where moto knows the operation and has not made it.
    """
    try:
        routes = _routes(service)
        host = host_of(service, region)
    except (ImportError, KeyError, UnknownServiceError):
        return None
    bare = f"https://{host}{request.path}"
    url = f"{bare}?{request.query}" if request.query else bare
    headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
    wanted = MotoRequest.from_primitives(request.method, url, headers | {"host": host}, request.body)
    for pattern, method in routes:
        if not pattern.match(bare):
            continue
        try:
            status, reply_headers, body = method(wanted, wanted.raw_url, wanted.headers)
        except HTTPException as refused:
            status, reply_headers, body = refused.code, dict(refused.get_headers() or []), refused.get_body()
        content = body if isinstance(body, bytes) else str(body or "").encode()
        kept = {str(k).lower(): str(v) for k, v in dict(reply_headers).items() if str(k).lower() not in _HOP_BY_HOP}
        return Response(int(status or 200), kept, content)
    return None


_HOP_BY_HOP = frozenset({"content-length", "transfer-encoding", "connection", "date", "server", "status"})


def backend(service: str, region: str) -> Any:
    """moto's own state of one service in one region, for what no API shows (see the modules that use it)."""
    found = backends.get_backend(service)
    _steady()
    regions = found[ACCOUNT]
    return regions[region] if region in regions else regions["aws"]


def publish_managed_policies() -> None:
    """Put AWS's own managed policies into IAM.

    moto's setting for this reads them once for each partition of each account, which is most of a world's start.
    """
    from moto import settings

    iam = backend("iam", "aws")
    setting = settings.default_user_config["iam"]
    before = setting.get("load_aws_managed_policies", False)
    setting["load_aws_managed_policies"] = True
    try:
        iam.aws_managed_policies = iam._init_aws_policies()
    finally:
        setting["load_aws_managed_policies"] = before
    iam.managed_policies |= iam._init_managed_policies()


def forget() -> None:
    """Let every service be as in a new process; moto keeps backends, and tables beside them, for a process's life."""
    for table in BackendDict._instances:
        table.clear()
        for kept in of_the_service(table).values():
            kept.clear()
    BackendDict._instances.clear()


def of_the_service(table: Any) -> dict[str, Any]:
    """What a service's table of backends knows beside them (S3: who owns which bucket's name)."""
    return {name: value for name, value in vars(table).items() if name not in _OF_EVERY_TABLE}


_OF_EVERY_TABLE = frozenset({"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"})


def assumed_role(access_key: str) -> Any:
    """moto's record of a session that AssumeRole began in this process; None without one."""
    found = backends.get_backend("sts")[ACCOUNT]
    for region in list(dict.values(found)):
        for one in region.assumed_roles:
            if one.access_key_id == access_key:
                return one
    return None
