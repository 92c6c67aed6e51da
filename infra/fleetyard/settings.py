"""Simulated or real, never a mixture: what the environment must and must not hold before anything is touched.

`fleetyard sim env` exports one complete set of simulated settings. Half a set is the dangerous case (a simulated
state with real credentials, or the other way round), so it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fleetyard.findings import Exit, Finding, FleetyardError, Level

SIM = "FLEETYARD_SIM"
SIM_HOME = "FLEETYARD_SIM_HOME"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FIX_SIM = 'eval "$(fleetyard sim env)" in a fresh shell'
_FIX_REAL = "start a fresh shell, or set up all of it with `fleetyard sim env`"
_PROJECT_SETTINGS = ("CLOUDSDK_CONFIG", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")


def simulated(env: Mapping[str, str]) -> bool:
    """Whether the environment says that it is simulated."""
    return env.get(SIM) == "1"


def refuse_mixed_settings(env: Mapping[str, str]) -> None:
    """Raise FleetyardError (exit 65, FY1401..FY1402) when simulated and real settings are mixed."""
    findings = list(_wrong_in_simulation(env)) if simulated(env) else list(_left_over(env))
    if findings:
        raise FleetyardError(findings, Exit.BAD_INPUT)


def _wrong_in_simulation(env: Mapping[str, str]) -> list[Finding]:
    wrong: list[tuple[str, str]] = []
    home = env.get(SIM_HOME)
    if not home:
        wrong.append((SIM_HOME, "is not set, though FLEETYARD_SIM=1"))
    if not _loopback(env.get("AWS_ENDPOINT_URL", "")):
        wrong.append(("AWS_ENDPOINT_URL", "does not point to the simulated cloud on this machine"))
    for name in sorted(name for name in env if name.startswith("AWS_ENDPOINT_URL_")):
        if env[name] and not _loopback(env[name]):
            wrong.append((name, "sends one service somewhere else, though FLEETYARD_SIM=1"))
    if not _debug_providers(env):
        wrong.append(("PULUMI_DEBUG_PROVIDERS", "does not name the simulated providers"))
    if home and not _inside(env.get("PULUMI_HOME", ""), home):
        wrong.append(("PULUMI_HOME", "is not inside the simulation's home"))
    backend = env.get("PULUMI_BACKEND_URL", "")
    if home and not (backend.startswith("file://") and _inside(backend.removeprefix("file://").split("?")[0], home)):
        wrong.append(("PULUMI_BACKEND_URL", "is not a state inside the simulation's home"))
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "PULUMI_ACCESS_TOKEN"):
        if env.get(name):
            wrong.append((name, "selects something real, though FLEETYARD_SIM=1"))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", *_PROJECT_SETTINGS):
        if env.get(name) and not (home and _inside(env[name], home)) and env[name] != "/dev/null":
            wrong.append((name, "points to something outside the simulation's home"))
    return [Finding("FY1401", Level.ERROR, name, message, _FIX_SIM) for name, message in wrong]


def _left_over(env: Mapping[str, str]) -> list[Finding]:
    wrong: list[tuple[str, str]] = []
    if _loopback(env.get("AWS_ENDPOINT_URL", "")):
        wrong.append(("AWS_ENDPOINT_URL", "points to a simulated cloud, but FLEETYARD_SIM is not 1"))
    if _debug_providers(env):
        wrong.append(("PULUMI_DEBUG_PROVIDERS", "attaches simulated providers, but FLEETYARD_SIM is not 1"))
    if home := env.get(SIM_HOME):
        wrong += [
            (name, "lies in the simulation's home, but FLEETYARD_SIM is not 1")
            for name in ("PULUMI_HOME", "PULUMI_BACKEND_URL")
            if _inside(env.get(name, "").removeprefix("file://").split("?")[0], home)
        ]
    return [Finding("FY1402", Level.ERROR, name, message, _FIX_REAL) for name, message in wrong]


def _loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def _debug_providers(env: Mapping[str, str]) -> bool:
    """Whether a provider of either cloud is attached by port."""
    names = {entry.split(":")[0] for entry in env.get("PULUMI_DEBUG_PROVIDERS", "").split(",")}
    return bool(names & {"aws", "gcp"})


def _inside(path: str, home: str) -> bool:
    return bool(path) and Path(path).resolve().is_relative_to(Path(home).resolve())
