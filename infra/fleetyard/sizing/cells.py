"""Cells of a table that people filled in: blank, `n/a`, `1,024`, `8.0`, `TP8` and free text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite

BLANK = {"", "-", "–", "?", "n/a", "na", "n/s", "none", "null", "nan", "unknown", "tbd", "auto"}


class CellError(ValueError):
    """A cell that cannot be meant: negative, not finite, absurd. The text names the column."""


def text(row: Mapping[str, str | None], name: str) -> str:
    """A cell without surrounding space; blank when the column is missing or says that nothing is known."""
    found = (row.get(name) or "").strip()
    return "" if found.lower() in BLANK else found


def number(row: Mapping[str, str | None], name: str, most: float = 1e18) -> float | None:
    """A cell as a number; None when it is blank or holds no number.

    Raises CellError for a number that is negative, not finite or above `most`.
    """
    found = text(row, name)
    if not found:
        return None
    product = re.fullmatch(r"(\d[\d,]*)\s*[*x×]\s*(\d[\d,]*)", found)
    if product is not None:
        found = str(int(product[1].replace(",", "")) * int(product[2].replace(",", "")))
    try:
        value = float(found.replace(",", "").replace("_", ""))
    except ValueError:
        some = re.search(r"\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?", found)
        if some is None:
            return None
        try:
            value = float(some[0].replace(",", "")) * _scale(found[some.end() :])
        except ValueError:
            return None
        if found.lstrip().startswith("-"):
            value = -value
    if not isfinite(value) or value < 0 or value > most:
        raise CellError(f"{name}: {found!r} is no number between 0 and {most:g}")
    return value


def _scale(rest: str) -> float:
    letter = rest.strip()[:1].upper()
    return {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(letter, 1.0) if not rest.strip()[1:2].isalpha() else 1.0


def whole(row: Mapping[str, str | None], name: str, most: float = 1e9) -> int | None:
    """A cell as a whole number of at least one; None when it is blank or zero. Raises CellError for a fraction."""
    found = number(row, name, most)
    if found is None or found == 0:
        return None
    if found != int(found):
        raise CellError(f"{name}: {found:g} is no whole number")
    return int(found)
