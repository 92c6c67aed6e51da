"""YAML to plain values, the way Pulumi's own reader sees it, and with nothing in it that could hurt.

Pulumi reads YAML 1.2: `no` and `on` are words, `1:30` is a word, `200e9` is a number. PyYAML's loaders read YAML 1.1,
so only its parser is used here and scalars are read below. Aliases are refused: they save a line and cost a bomb.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from fleetyard.findings import FleetyardError, StackPath, error
from fleetyard.spec.units import show

MAX_BYTES = 64 * 1024
"""A stack file is written by hand; ten times the largest sensible one."""
MAX_DEPTH = 24

_INT = re.compile(r"^[-+]?\d{1,40}$", re.ASCII)
_HEX = re.compile(r"^0x[0-9a-fA-F]{1,16}$", re.ASCII)
_FLOAT = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$", re.ASCII)
_SPECIAL = {".nan", ".inf", "+.inf", "-.inf"}
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_STACK = "config.fleetyard:stack"
"""Places in errors are told from here on, as `fleetyard.spec.problems` tells them."""
_STANDARD = "tag:yaml.org,2002:"


def read_yaml(path: Path) -> Any:
    """The file's value: dicts with string keys, lists, strings, ints, finite floats, booleans, None.

    Raises FleetyardError (exit 65) with FY1001..FY1007 for whatever else the file may be.
    """
    place = path.name
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise error("FY1001", place, "there is no such stack file", f"write {path.parent.name}/{place}") from None
    except OSError as wrong:
        raise error("FY1001", place, f"cannot be read: {wrong.strerror}", "check the path and its rights") from None
    if len(raw) > MAX_BYTES:
        raise error("FY1002", place, f"is larger than {MAX_BYTES // 1024} KiB", "keep data out of the stack file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise error("FY1003", place, f"is not UTF-8 text (byte {wrong.start})", "save it as UTF-8") from None
    return parse_yaml(text, place)


def parse_yaml(text: str, place: str) -> Any:
    """Like `read_yaml`, for text already in hand; `place` names it in errors."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as wrong:
        raise _syntax(wrong, place) from None
    except RecursionError:
        raise error("FY1007", place, "is nested too deeply", "flatten it") from None
    except (ValueError, OverflowError) as wrong:
        raise error("FY1004", place, f"is not YAML: {wrong}", "correct the text") from None
    return None if node is None else _value(node, StackPath(""), place, set(), 0)


def _syntax(wrong: yaml.YAMLError, place: str) -> FleetyardError:
    mark = getattr(wrong, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    problem = str(getattr(wrong, "problem", None) or getattr(wrong, "reason", None) or "it cannot be parsed")
    fix = "indent with spaces, not tabs" if "\\t" in problem or "'\t'" in problem else "correct the text there"
    problem = "".join(character if character.isprintable() else "?" for character in problem)
    return error("FY1004", place, f"is not YAML{where}: {problem}", fix)


def _value(node: yaml.Node, path: StackPath, place: str, seen: set[int], depth: int) -> Any:
    where = path.removeprefix(_STACK).lstrip(".") or place
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise error("FY1006", where, f"uses a YAML alias (line {line})", "write the value out")
    seen.add(id(node))
    if depth > MAX_DEPTH:
        raise error("FY1007", where, f"is nested too deeply (line {line})", "flatten it")
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, where, line)
    if isinstance(node, yaml.SequenceNode):
        _standard(node, "seq", where, line)
        return [_value(item, path / index, place, seen, depth + 1) for index, item in enumerate(node.value)]
    _standard(node, "map", where, line)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or id(key_node) in seen:
            raise error("FY1004", where, f"has a key that is not a word (line {line})", "use plain words as keys")
        key = str(key_node.value)
        if key in result:
            at = key_node.start_mark.line + 1
            raise error("FY1005", where, f"has the key {show(key)} twice (again in line {at})", "keep one of them")
        result[key] = _value(value_node, path / _shown(key), place, seen, depth + 1)
    return result


def _shown(key: str) -> str:
    return show(key).strip("`")


def _standard(node: yaml.Node, kind: str, where: str, line: int) -> None:
    if node.tag != _STANDARD + kind:
        raise error("FY1004", where, f"has the YAML tag {show(node.tag)} (line {line})", "remove the tag")


def _scalar(node: yaml.ScalarNode, where: str, line: int) -> Any:
    text = str(node.value)
    _standard(node, "str", where, line)
    if node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INT.match(text):
        return int(text)
    if _HEX.match(text):
        return int(text, 16)
    if text.lower() in _SPECIAL or (_FLOAT.match(text) and not math.isfinite(float(text))):
        raise error("FY1014", where, f"{show(text)} is not a number one can count with (line {line})", "a number")
    if _FLOAT.match(text):
        return float(text)
    return text
