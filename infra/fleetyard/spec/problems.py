"""Pydantic's errors in Fleetyard's words: one finding each, with the nearest legal word where one was mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleetyard.findings import Finding, FleetyardError, Level, StackPath
from fleetyard.spec.units import show

_SHAPES = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "a word",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
_BOUNDS = {"greater_than_equal": "at least {ge}", "less_than_equal": "at most {le}"}
_PATTERNS = {
    "name": ("a name", "lower-case letters, digits and dashes, starting with a letter, at most 31 characters"),
    "topology": ("a topology", "chips along each axis: 4x4, or 2x2x4"),
    "at": ("a mount point", "an absolute path in lower case such as /cache"),
    "waive": ("a rule's code", "FY and four digits: FY2107"),
}


def as_error(wrong: ValidationError, model: type[BaseModel], value: Mapping[str, Any]) -> FleetyardError:
    """All that pydantic found, as one FleetyardError (exit 65). Mistyped keys come first: they explain missing ones."""
    findings = [_finding(detail, model, value) for detail in wrong.errors(include_url=False)]
    return FleetyardError(sorted(findings, key=lambda finding: finding.code != "FY1010"))


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant, or None."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.5)
    return found[0] if found else None


def dotted(parts: Iterable[str | int]) -> StackPath:
    """A place in the stack file from its parts; characters that do not print are shown as `?`."""
    path = StackPath("")
    for part in parts:
        path = path / (part if isinstance(part, int) else show(part).strip("`"))
    return path


def _finding(detail: ErrorDetails, model: type[BaseModel], value: Mapping[str, Any]) -> Finding:
    kind, loc, context = detail["type"], list(detail["loc"]), detail.get("ctx", {})
    on_key = bool(loc) and loc[-1] == "[key]"
    if on_key:
        loc = loc[:-1]
    path = dotted(loc) or StackPath("stack")
    if kind == "fleetyard":
        return _error("FY1015", path, str(context["message"]), str(context["fix"]))
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        close = nearest(str(loc[-1]), known)
        fix = f"write `{close}`" if close else "remove it" + (f"; known here: {', '.join(known)}" if known else "")
        return _error("FY1010", path, "is not a key that Fleetyard knows", fix)
    if kind == "missing":
        return _error("FY1011", path, "is missing", f"add `{loc[-1]}`")
    if kind in ("enum", "literal_error"):
        return _choice(path, context, _at(value, loc))
    if kind == "string_pattern_mismatch":
        key = "waive" if loc and loc[0] == "waive" else str(loc[-1])
        what, fix = (
            _PATTERNS["name" if on_key and key != "waive" else key]
            if (on_key or key in _PATTERNS)
            else ("an acceptable word", "letters, digits and . _ : / @ + - on one line")
        )
        given = loc[-1] if on_key else _at(value, loc)
        return _error("FY1012", path, f"{show(given)} is not {what}", fix)
    if kind in _SHAPES:
        return _error("FY1012", path, f"is {show(_at(value, loc))}, not {_SHAPES[kind]}", f"give {_SHAPES[kind]}")
    if kind in _BOUNDS:
        return _error("FY1014", path, f"{show(_at(value, loc))} is out of range", _BOUNDS[kind].format(**context))
    if kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return _error("FY1014", path, f"holds {context.get('actual_length')} entries", f"{bound}")
    return _error("FY1012", path, detail["msg"], "correct the value")


def _error(code: str, path: StackPath, message: str, fix: str) -> Finding:
    return Finding(code, Level.ERROR, path, message, fix)


def _choice(path: StackPath, context: Mapping[str, Any], given: Any) -> Finding:
    expected = str(context["expected"])
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    close = nearest(given, words) if isinstance(given, str) else None
    fix = (f"`{close}`; known: " if close else "one of ") + ", ".join(words)
    return _error("FY1013", path, f"{show(given)} is not one of the words known here", fix)


def _at(value: Any, loc: Iterable[str | int]) -> Any:
    for part in loc:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _keys_at(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """The keys that the model knows at a place; empty where the keys are the person's own."""
    found = model_at(model, loc)
    return (
        []
        if found is None
        else [field.alias or name for name, field in found.model_fields.items() if not field.exclude]
    )


def model_at(model: type[BaseModel], loc: Iterable[str | int]) -> type[BaseModel] | None:
    """The model that describes a place in the stack file, or None where there is none."""
    kind: Any = model
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {field.alias or name: field for name, field in kind.model_fields.items()}
            if part not in fields:
                return None
            kind = _inner(fields[str(part)].annotation)
        else:
            kind = _inner(get_args(kind)[-1] if get_origin(kind) is dict else next(iter(get_args(kind)), None))
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """Without Optional and Annotated."""
    if hasattr(annotation, "__metadata__"):
        return _inner(annotation.__origin__)
    options = [option for option in get_args(annotation) if option is not type(None)]
    if options and type(None) in get_args(annotation):
        return _inner(options[0])
    return annotation
