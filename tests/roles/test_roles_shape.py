"""Every role says what it takes, takes what it says, and asks the service whether it worked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parent.parent for path in (ROOT / "roles").glob("*/tasks/main.yml"))
MODULE = re.compile(r"^[a-z_]+\.[a-z_]+\.[a-z_]+$")
KEYWORDS = {
    "name", "when", "loop", "loop_control", "register", "notify", "tags", "block", "rescue", "always", "vars", "become",
    "changed_when", "failed_when", "check_mode", "retries", "delay", "until", "delegate_to", "run_once", "no_log",
    "environment", "ignore_unreachable", "ignore_errors", "args", "listen", "async", "poll", "throttle", "become_user",
    "diff", "any_errors_fatal", "delegate_facts", "timeout",
}  # fmt: skip


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def tasks_of(role: Path, folder: str = "tasks") -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every task of a role, those in blocks too."""

    def walk(path: Path, rows: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
        for row in rows or ():
            yield path, row
            for part in ("block", "rescue", "always"):
                yield from walk(path, row.get(part))

    for path in sorted((role / folder).glob("*.yml")):
        yield from walk(path, load(path))


def module_of(task: dict[str, Any]) -> str | None:
    names = [key for key in task if key not in KEYWORDS]
    return names[0] if names else None


def texts(role: Path) -> str:
    """All that a role would do, as one text."""
    parts = [role / "tasks", role / "handlers", role / "templates", role / "vars", role / "defaults"]
    return "\n".join(p.read_text() for part in parts for p in sorted(part.rglob("*")) if p.is_file())


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def options(role: Path) -> dict[str, Any]:
    found = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"].get("options", {})
    return dict(found)


def defaults(role: Path) -> dict[str, Any]:
    return load(role / "defaults" / "main.yml") or {}


def computed(value: Any) -> bool:
    """Whether a default comes from the inventory: its specification describes it and states no value."""
    return isinstance(value, str) and "{{" in value


def test_defaults_are_those_that_the_specification_says(role: Path) -> None:
    said = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert said == {name: value for name, value in defaults(role).items() if name in said or not computed(value)}


def test_every_option_has_a_type_and_a_description(role: Path) -> None:
    def check(found: dict[str, Any], where: str) -> None:
        for name, option in found.items():
            assert option.get("type"), f"{where}{name} has no type"
            assert option.get("description"), f"{where}{name} has no description"
            if "default" not in option and not where:
                assert option.get("required") or name in defaults(role), f"{name} has no default and is not required"
            check(option.get("options", {}), f"{where}{name}.")

    check(options(role), "")
    assert load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"].get("short_description")


def test_every_variable_of_the_role_is_specified_and_used(role: Path) -> None:
    text = texts(role)
    prefix = role.name
    known = set(options(role))
    used = {name for name in re.findall(rf"(?<![\w.]){prefix}_\w+", text) if f"role {name}" not in text}
    of_programs = {name for name in used if re.search(rf"[\"'/.]{name}|{name}[.:/]", text) and name not in known}
    assert used - known - of_programs == set()
    body = "\n".join(
        path.read_text()
        for part in ("tasks", "handlers", "templates", "vars")
        for path in sorted((role / part).rglob("*"))
        if path.is_file()
    )
    inner = json.dumps(load(role / "defaults" / "main.yml") or {})
    unused = {name for name in known if name not in body and inner.count(name) < 2}
    assert unused == set()


def test_options_and_private_variables_carry_the_roles_name(role: Path) -> None:
    assert {name for name in options(role) if not name.startswith(f"{role.name}_")} == set()
    registered = {task["register"] for _, task in tasks_of(role) if "register" in task}
    assert {name for name in registered if not name.startswith(f"__{role.name}_")} == set()


def test_only_builtin_modules_by_their_full_names(role: Path) -> None:
    for folder in ("tasks", "handlers"):
        for path, task in tasks_of(role, folder):
            module = module_of(task)
            assert module or "block" in task, f"{path}: {task.get('name')} does nothing"
            if module:
                assert MODULE.match(module), f"{path}: {module}"
                assert module.startswith("ansible.builtin."), f"{path}: {module}"


def test_facts_are_read_by_their_full_names(role: Path) -> None:
    loose = (
        r"\bansible_(distribution|hostname|processor|memtotal|os_family|default_ipv4|mounts|architecture|kernel)\w*\b"
    )
    assert re.findall(loose, texts(role)) == []


def test_no_role_reboots(role: Path) -> None:
    assert "ansible.builtin.reboot" not in texts(role)
    assert not re.search(r"\b(shutdown|systemctl reboot|init 6)\b", texts(role))


def test_verify_asks_something_that_can_say_no(role: Path) -> None:
    path = role / "tasks" / "verify.yml"
    # A role that keeps no service may ask in the course of its work.
    service = f"{role.name}_service_manage" in options(role)
    assert path.exists() or not service, f"{role.name} has no verify tasks"
    asks = 0
    for where, task in tasks_of(role):
        if where != path and path.exists():
            continue
        module = module_of(task)
        if module in {
            f"ansible.builtin.{m}" for m in ("command", "shell", "uri", "systemd_service", "wait_for", "stat")
        }:
            asks += 1
            assert not path.exists() or "state" not in task[module], f"{where}: a verify task changes something"
        if module == "ansible.builtin.assert":
            that = task[module]["that"]
            for each in ([that] if isinstance(that, str) else that) if path.exists() else ():
                assert re.search(rf"__{role.name}_\w+", str(each)), f"{where}: {each} asks nothing that was found out"
            assert "Fix" in task[module]["fail_msg"] or "again" in task[module]["fail_msg"]
    assert asks, f"{role.name} asks nothing"
    if not path.exists():
        return
    main = load(role / "tasks" / "main.yml")
    (verify,) = [task for task in main if task.get("name") == "Verify"]
    assert "verify" in verify["tags"]


def test_asserts_say_what_to_do(role: Path) -> None:
    for path, task in tasks_of(role):
        for module in ("ansible.builtin.assert", "ansible.builtin.fail"):
            if module in task:
                text = str(task[module].get("fail_msg") or task[module].get("msg"))
                assert re.search(r"[Ff]ix|again", text), f"{path}: {task['name']}"


def test_secrets_are_not_logged(role: Path) -> None:
    for path, task in tasks_of(role):
        body = str({key: value for key, value in task.items() if key not in ("name", "when", "notify")})
        if (re.search(r"password|secret|_key\b", body.lower()) and "lookup" in body) or "smtp.password" in body:
            assert task.get("no_log"), f"{path}: {task['name']}"
            assert module_of(task) not in ("ansible.builtin.command", "ansible.builtin.shell"), (
                f"{path}: {task['name']}"
            )


def test_nothing_is_said_of_the_simulation(role: Path) -> None:
    """What is special about simulated hosts comes in as variables."""
    tasks = "\n".join(p.read_text() for part in ("tasks", "templates") for p in (role / part).rglob("*") if p.is_file())
    assert "fleetyard_simulated" not in tasks
    assert "169.254.169.25" not in tasks
