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
    value = _value(_THOUSANDS.sub("", found))
    if value is None:
        return None
    if not isfinite(value) or value < 0 or value > most:
        raise CellError(f"{name}: {found!r} is no number between 0 and {most:g}")
    return value


_THOUSANDS = re.compile(r"(?<=\d)[,_'\u2019\s](?=\d{3}(?!\d))")
"""What people put between groups of three digits; `\\s` holds the narrow and unbroken spaces too."""

_NUMBER = re.compile(r"(?<![\w.])[-\u2212]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\d+(?:\.\d+)?")
_PRODUCT = re.compile(r"(\d+)\s*[a-z]*\s*[*x\u00d7]\s*(\d+)\s*(?:[a-z]+\b.*)?", re.IGNORECASE)


def _value(found: str) -> float | None:
    """What a cell without thousands separators says: `64`, `8 nodes x 8 GPUs`, `4M tokens`, `4.2 million`, `~64`."""
    product = _PRODUCT.fullmatch(found)
    if product is not None:
        return float(product[1]) * float(product[2])
    try:
        return float(found.replace(",", ""))
    except ValueError:
        some = _NUMBER.search(found)
        return None if some is None else float(some[0].replace("\u2212", "-")) * _scale(found[some.end() :])


def _scale(rest: str) -> float:
    """The factor that follows a number: a letter of its own, with an `i` for powers of two, or its word."""
    word = re.match(r"\s*([a-z]+)", rest.lower())
    return _SCALES.get(word[1], 1.0) if word else 1.0


_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12, "ki": 2.0**10, "mi": 2.0**20, "gi": 2.0**30, "ti": 2.0**40}
_SCALES |= {"thousand": 1e3, "million": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9, "trillion": 1e12}


def whole(row: Mapping[str, str | None], name: str, most: float = 1e9) -> int | None:
    """A cell as a whole number of at least one; None when it is blank or zero. Raises CellError for a fraction."""
    found = number(row, name, most)
    if found is None or found == 0:
        return None
    if found != int(found):
        raise CellError(f"{name}: {found:g} is no whole number")
    return int(found)


def length(row: Mapping[str, str | None], name: str) -> int | None:
    """Tokens of a sequence; `8k` is 8,192 here, as everybody means it. Raises CellError as `whole` does."""
    short = re.fullmatch(r"(\d+)\s*[kK]", text(row, name))
    return int(short[1]) * 1024 if short else whole(row, name, 1e9)
