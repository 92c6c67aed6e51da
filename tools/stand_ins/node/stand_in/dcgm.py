"""dcgmi."""

# ruff: noqa: E501 - lines are as long as what the tools print

from __future__ import annotations

import json
import sys

from stand_in import smi
from stand_in.node import NOTE, Node, bus, cuda_of, uuid

TESTS = (
    ("Deployment", ("software",)),
    ("Hardware", ("memory", "diagnostic", "nvbandwidth")),
    ("Integration", ("pcie",)),
    ("Stress", ("memory_bandwidth", "targeted_stress", "targeted_power")),
)


def run(node: Node, arguments: list[str]) -> int:
    """The program."""
    version = node.version("dcgm")
    if "--version" in arguments or arguments[:1] == ["-v"]:
        print(f"dcgmi  version: {version} ({NOTE})")
        return 0
    if not (node.root / "run/fleetyard-stand-in/hostengine").exists():
        print("Error: unable to establish a connection to the specified host: localhost")
        print("Error: Unable to connect to host engine. Host engine connection invalid/disconnected.")
        return 225
    try:
        driver = smi.driver(node)
    except smi.Refused:
        print("Error: Cannot get the list of GPUs: NVML doesn't exist on this system.")
        return 226
    verb = arguments[0] if arguments else ""
    if verb == "discovery":
        return _discovery(node)
    if verb == "diag":
        return _diag(node, arguments, driver, version)
    if verb == "health":
        return _health(node, arguments)
    print(f"Error: {NOTE} knows discovery, diag and health, not {verb!r}", file=sys.stderr)
    return 255


def _discovery(node: Node) -> int:
    line = "+--------+" + "-" * 78 + "+"
    print(f"{len(node.gpus())} GPUs found.\n{line}\n| GPU ID | {'Device Information':76} |\n{line}")
    for index in node.gpus():
        for place, said in enumerate(
            (f"Name: {node.fact('product')}", f"PCI Bus ID: {bus(index)}", f"Device UUID: {uuid(index)}")
        ):
            print(f"| {index if not place else '':<6} | {said:76} |")
        print(line)
    print(f"{int(node.fact('nvswitches', 0))} NvSwitches found.")
    return 0


def sick(node: Node, index: int) -> str:
    """What is wrong with a GPU; empty when nothing was planted."""
    count = int(node.fault("ecc_uncorrectable", index))
    if count:
        return f"Detected {count} uncorrectable volatile DBE(s) on GPU {index}"
    if node.fault("remap_pending", index) or node.fault("remap_failed", index):
        return f"GPU {index} had uncorrectable memory errors and row remapping " + (
            "failed" if node.fault("remap_failed", index) else "is pending"
        )
    down = node.fault("nvlink_down", index, []) or []
    if down:
        return f"GPU {index}'s NvLink link {down[0]} is currently down"
    return f"GPU {index} temperature is above its slowdown threshold" if node.fault("thermal", index) else ""


def _diag(node: Node, arguments: list[str], driver: str, version: str) -> int:
    level = 1
    for place, word in enumerate(arguments):
        if word in ("-r", "--run") and place + 1 < len(arguments) and arguments[place + 1].isdigit():
            level = int(arguments[place + 1])
    rows = {index: sick(node, index) for index in node.gpus()}
    categories = []
    for category, tests in TESTS[: max(1, min(level, 4))]:
        found = []
        for name in tests:
            results = [
                {"entity_group": "GPU", "entity_group_id": 1, "entity_id": index, "status": "Fail" if said else "Pass",
                 **({"warnings": [{"error_category": 7, "error_id": 22, "error_severity": 2, "warning": said}]} if said else {})}
                for index, said in rows.items()
            ]  # fmt: skip
            state = "Fail" if any(rows.values()) else "Pass"
            found.append({"name": name, "results": results, "test_summary": {"status": state}})
        categories.append({"category": category, "tests": found})
    bad = any(rows.values())
    if "-j" in arguments or "--json" in arguments:
        about = {
            "name": "DCGM Diagnostic", "note": NOTE, "test_categories": categories,
            "metadata": {"DCGM Version": version, "Driver Version Detected": driver},
        }  # fmt: skip
        print(json.dumps({"DCGM Diagnostic": about}, indent=2))
    else:
        line = "+---------------------------+------------------------------------------------+"
        print(
            f"Successfully ran diagnostic for group. ({NOTE})\n{line}\n| {'Diagnostic':25} | {'Result':46} |\n{line.replace('-', '=')}"
        )
        for category in categories:
            print(f"|-----  {category['category']}  {'-' * (18 - len(category['category']))}+{'-' * 48}|")
            for test in category["tests"]:
                print(f"| {test['name']:25} | {test['test_summary']['status']:46} |")
                for said in filter(None, rows.values()):
                    print(f"| {'Warning':25} | {said[:46]:46} |")
        print(line)
    return 226 if bad else 0


def _health(node: Node, arguments: list[str]) -> int:
    if "-s" in arguments or "--set" in arguments:
        node.set(watches=arguments[-1])
        print("Health monitor systems set successfully.")
        return 0
    if not node.settings().get("watches"):
        print("Error: Health watches not enabled. Please enable watches.")
        return 0
    rows = {index: said for index in node.gpus() if (said := sick(node, index))}
    overall = "Failure" if rows else "Healthy"
    if "-j" in arguments or "--json" in arguments:
        body: dict[str, object] = {"Overall Health": {"value": overall}}
        if rows:
            body["GPU"] = {
                "children": {str(i): {"children": {"Memory system": {"value": said}}} for i, said in rows.items()}
            }
        print(json.dumps({"body": body, "header": ["Health Monitor Report", NOTE]}, indent=2))
        return 0
    line = "+---------------------------+" + "-" * 58 + "+"
    print(
        f"{line}\n| {f'Health Monitor Report ({NOTE})':84} |\n{line.replace('-', '=')}\n| {'Overall Health':25} | {overall:56} |"
    )
    for index, said in rows.items():
        print(f"| -> {f'GPU {index}':22} | {said[:56]:56} |")
    print(line)
    return 0


def cuda_major(driver: str) -> int:
    """The CUDA major that DCGM's package must be for."""
    return int(cuda_of(driver).partition(".")[0])
