"""Stack files as hands and disks break them, and what a good answer to one looks like. For the tests and the bench."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from fleetyard.checks import check
from fleetyard.findings import Finding, FleetyardError
from fleetyard.plan import make_plan
from fleetyard.spec import Stack

STACKS = Path(__file__).parents[2] / "stacks"
NAMES = ("a100-train", "tpu-train", "gpu-mig")
LINE = re.compile(r"^FY(1\d{3} error|2\d{3} (error|warning|info)) \S.*: .+[.?]( Fix: .+)?$")
"""A finding as a person reads it."""

_GARBAGE = [*"\t\x00{}[]:|>'\"é#", "- ", "&x ", "*x", "!!set", "\ud7ff"]
_VALUES = ["null", "~", "true", ".inf", "-1", "1e999", "9" * 400, "{}", "[]", "0x10", "2024-01-01", "<<: 1", "🦄"]
_JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    10**30,
    "",
    " ",
    "x",
    "sized",
    "10.0.0.0/8",
    [],
    {},
    [[]],
    ["a", "a"],
]
_JUNK += [{"x": {}}, {"": None}, "9" * 300, "\x00", "🦄", "2024-01-01", "p5.48xlarge", "v5p-12288", "us-east-1", "14d"]


def mutated(text: str, choice: random.Random) -> str:
    """Lose, double, swap and garble characters, words and lines."""
    for _ in range(choice.randint(1, 4)):
        lines = text.split("\n")
        at, line = choice.randrange(len(text) + 1), choice.randrange(len(lines))
        match choice.randrange(7):
            case 0:
                text = text[:at] + choice.choice(_GARBAGE) + text[at:]
            case 1:
                text = text[:at] + text[at + choice.randint(1, 40) :]
            case 2:
                lines.insert(line, choice.choice(lines))
                text = "\n".join(lines)
            case 3:
                lines[line] = choice.choice([" ", "    ", ""]) + lines[line].lstrip(" ")
                text = "\n".join(lines)
            case 4:
                lines[line] = re.sub(r":\s*[^,}#\n]+", f": {choice.choice(_VALUES)}", lines[line], count=1)
                text = "\n".join(lines)
            case 5:
                words = re.findall(r"[a-z_]{3,}", text) or ["x"]
                word = choice.choice(words)
                text = text.replace(word, choice.choice([word[:-1], word + "x", choice.choice(words)]), 1)
            case _:
                text = text[:at]
    return text


def restructured(text: str, choice: random.Random) -> str:
    """YAML that still parses: values replaced, moved to another place, taken away; keys renamed and added."""
    document = yaml.safe_load(text)
    stack = document["config"]["fleetyard:stack"]
    for _ in range(choice.randint(1, 3)):
        holder, key = choice.choice(list(_places(stack)) or [(document["config"], "fleetyard:stack")])
        match choice.randrange(5):
            case 0 | 1:
                holder[key] = copy.deepcopy(choice.choice(_JUNK))
            case 2:
                del holder[key]
            case 3:
                other, at = choice.choice(list(_places(stack)) or [(holder, key)])
                holder[key] = copy.deepcopy(other[at]) if other is not holder or at in holder else None
            case _:
                if isinstance(holder, dict):
                    holder[choice.choice([f"{key}s", key.upper(), "x", "name", "count"])] = holder.pop(key)
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in list(pairs):
        yield value, key
        yield from _places(member)


def garbled(text: str, choice: random.Random) -> bytes:
    """Bytes of a file that a disk or a wrong encoding spoiled."""
    raw = bytearray(text.encode(choice.choice(["utf-8", "utf-8", "utf-16", "latin-1"]), "replace"))
    for _ in range(choice.randint(0, 4)):
        at = choice.randrange(len(raw) + 1)
        raw[at : at + choice.randint(0, 3)] = choice.randbytes(choice.randint(0, 3))
    return bytes(raw)


def outcome(read: Callable[[], Stack]) -> list[Finding]:
    """Read, plan and check; whatever is wrong comes back as findings, anything else is raised."""
    try:
        stack = read()
        return check(make_plan(stack, dict.fromkeys(stack.pools, 2)))
    except FleetyardError as wrong:
        return list(wrong.findings)
