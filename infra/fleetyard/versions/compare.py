"""Versions as real packages carry them, compared as dpkg compares them; for rpm's versions the order is the same.

`580.126.20`, `2.28.9-1+cuda13.0`, `1:4.5.2-1`, `2.7.0amzn2.0`, `7.0.0-1011-gcp`, `1.34.3-gke.1318000`. Where rpm and
dpkg differ (`^`, a dash in a release) nothing here depends on it.
"""

from __future__ import annotations

import re
from functools import cache, total_ordering
from typing import Any

_PIECE = re.compile(r"([^0-9]*)([0-9]*)")
_FORM = re.compile(r"^v?(?:[0-9]+:)?[0-9][A-Za-z0-9.+~_-]{0,126}\Z", re.ASCII)
_BUILD = re.compile(r"[+_-](cuda|slurm)([0-9]+(?:\.[0-9]+)*)$")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@total_ordering
class Version:
    """One version. Raises ValueError for a text that starts with no number: `latest` is no version."""

    __slots__ = ("_key", "text")

    def __init__(self, text: str) -> None:
        if not _FORM.match(text):
            raise ValueError(f"{text!r} is no version")
        self.text = text
        self._key = _key(text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def at_least(self, floor: str) -> bool:
        """Whether it is the floor or newer, as far as the floor says: `13.0.2` and `13` are at least `13.0`."""
        wanted = _numbers(floor)
        own = self.numbers
        own += (0,) * (len(wanted) - len(own))
        if own[: len(wanted)] != wanted:
            return own[: len(wanted)] > wanted
        exact = _NUMBERS.fullmatch(floor.partition(":")[2] or floor)
        return True if exact else self._key >= Version(floor)._key

    def below(self, floor: str) -> bool:
        """The opposite of `at_least`."""
        return not self.at_least(floor)

    def starts(self, series: str) -> bool:
        """Whether its leading numbers are those of a series: `580.126.20` starts `580`, `6.17.0-1` starts `6.17`."""
        wanted = _numbers(series)
        return self.numbers[: len(wanted)] == wanted

    @property
    def numbers(self) -> tuple[int, ...]:
        """The leading numbers, without epoch: (2, 28, 9) of `2.28.9-1+cuda13.0`."""
        return _numbers(self.text)

    @property
    def major(self) -> int:
        """The first number: a driver's branch, CUDA's major version."""
        return self.numbers[0]

    @property
    def release(self) -> str:
        """The first two numbers, as Slurm and kernels count releases: `25.11`, `6.17`."""
        return ".".join(str(number) for number in (*self.numbers, 0)[:2])

    @property
    def plain(self) -> str:
        """Without what it was built for: `2.28.9-1` of `2.28.9-1+cuda13.0`."""
        return _BUILD.sub("", self.text)

    def built_for(self, what: str) -> Version | None:
        """What a build says it was made for: `13.0` of `2.28.9-1+cuda13.0` for `cuda`; None where it says nothing."""
        found = _BUILD.search(self.text)
        return Version(found[2]) if found and found[1] == what else None


@cache
def _numbers(text: str) -> tuple[int, ...]:
    found = _NUMBERS.match(_without_epoch(text)[1])
    return tuple(int(number) for number in found[0].split(".")) if found else ()


def _without_epoch(text: str) -> tuple[int, str]:
    text = text.removeprefix("v")
    epoch, colon, rest = text.partition(":")
    return (int(epoch), rest) if colon else (0, text)


@cache
def _key(text: str) -> tuple[Any, ...]:
    """A key that sorts as `dpkg --compare-versions` does: epoch, upstream version, revision."""
    epoch, rest = _without_epoch(text)
    upstream, dash, revision = rest.rpartition("-")
    return (epoch, _order(upstream if dash else rest), _order(revision if dash else "0"))


def _order(part: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Words and numbers in turn. A tilde sorts before the end, the end before letters, letters before the rest."""
    pieces = [(word, number) for word, number in _PIECE.findall(part) if word or number]
    return (*((_word(word), int(number or 0)) for word, number in pieces), ((0,), 0))


def _word(word: str) -> tuple[int, ...]:
    return (*(-1 if c == "~" else ord(c) if c.isalpha() else ord(c) + 256 for c in word), 0)
