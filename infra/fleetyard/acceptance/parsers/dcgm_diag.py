"""`dcgmi diag`: as JSON (`-j`, DCGM 2 to 4) or as the table that it prints otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleetyard.acceptance.parsers.reading import ParseError, field_text, json_in, mapping, objects

TOOL = "dcgmi diag"
_STATES = {"pass": "pass", "fail": "fail", "skip": "skip", "warn": "warn", "not run": "skip", "notrun": "skip"}
_CELL = re.compile(r"\|(?P<key>[^|]*)\|(?P<value>[^|]*)\|")
_SECTION = re.compile(r"[|+]-{2,}\s+(?P<name>\S.*?)\s+-{2,}\+-+[|+]")
_BORDER = re.compile(r"\+[-=]+\+[-=]+\+")
_VERDICT = re.compile(
    r"(?:(?P<what>[\w ]+?\d+):\s*)?(?P<state>Pass|Fail|Skip|Warn|Not Run)(?:\s*-\s*(?P<who>.+))?", re.I
)


@dataclass(frozen=True, slots=True)
class Test:
    """One test's result, for the machine or one device: `pass`, `fail`, `warn` or `skip`, with the tool's words."""

    __test__ = False  # not one of pytest's

    category: str
    name: str
    device: str
    state: str
    said: str


def parse(text: str) -> tuple[Test, ...]:
    """Read either form. Raises ParseError for a refusal, an unknown result, or a table without its last line."""
    if text.lstrip().startswith("{") or "{" in text.split("+-", 1)[0]:
        return tuple(_json(json_in(TOOL, text, "a JSON document")))
    return tuple(_table(text))


def _state(text: str) -> str:
    found = _STATES.get(text.strip().lower())
    if found is None:
        raise ParseError(TOOL, "Pass, Fail, Warn or Skip", text)
    return found


def _said(value: Any) -> str:
    """The words of `info` and `warnings`, which are text, or a list of texts or of objects."""
    rows = value if isinstance(value, list) else [value]
    return "; ".join(str(row.get("warning", "")) if isinstance(row, dict) else str(row) for row in rows if row)


def _json(document: Any) -> Iterator[Test]:
    body = mapping(TOOL, document, "the diagnostic")
    top = next((body[key] for key in body if "Diagnostic" in key), None)
    if top is None:
        raise ParseError(TOOL, "a diagnostic", ", ".join(map(str, body)))
    top = mapping(TOOL, top, "the diagnostic")
    if top.get("runtime_error"):
        raise ParseError(TOOL, "a diagnostic that ran", str(top["runtime_error"]))
    count = 0
    for category in objects(TOOL, top.get("test_categories"), "test categories"):
        for test in objects(TOOL, category.get("tests"), "tests"):
            for result in objects(TOOL, test.get("results"), "results"):
                count += 1
                device = str(result.get("gpu_ids", ""))
                if "entity_id" in result:
                    device = f"{result.get('entity_group', '')}{result['entity_id']}"
                said = _said(result.get("warnings")) or _said(result.get("info"))
                state = _state(field_text(TOOL, result, "status"))
                yield Test(field_text(TOOL, category, "category"), field_text(TOOL, test, "name"), device, state, said)
    if not count:
        raise ParseError(TOOL, "at least one result", "none")


def _table(text: str) -> Iterator[Test]:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    first = next((i for i, line in enumerate(lines) if _BORDER.fullmatch(line.strip())), None)
    if first is None:
        raise ParseError(TOOL, "a table or a JSON document", text.strip() or "nothing")
    last = lines[-1].strip()
    if not _BORDER.fullmatch(last) or len(last) != len(lines[first].strip()):
        raise ParseError(TOOL, "the table's last line", lines[-1])
    category, name, rows = "", "", 0
    states: list[Test] = []
    for line in lines[first + 1 :]:
        section, cell = _SECTION.fullmatch(line.strip()), _CELL.fullmatch(line.strip())
        if section:
            category = section["name"]
        elif cell and category not in ("", "Metadata"):
            key, value = cell["key"].strip(), cell["value"].strip()
            verdict = _VERDICT.fullmatch(value)
            rows += 1
            if verdict:
                name = key or name
                device = (verdict["what"] or verdict["who"] or "").strip()
                states.append(Test(category, name, device, _state(verdict["state"]), ""))
            elif states and (not key or key.startswith(("Warning", "Info", "Error"))):
                before = states[-1]
                joined = f"{before.said} {value}".strip()
                states[-1] = Test(before.category, before.name, before.device, before.state, joined)
            elif key:
                raise ParseError(TOOL, f"a result of {key}", value)
        elif not (cell or _BORDER.fullmatch(line.strip())):
            raise ParseError(TOOL, "a line of the table", line)
    if not states:
        raise ParseError(TOOL, "at least one result", "none")
    yield from states
