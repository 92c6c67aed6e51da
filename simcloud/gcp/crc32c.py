"""CRC-32C (Castagnoli), which Cloud Storage keeps of every object. Source: RFC 3720, appendix B.4.

The standard library has none, and a loop over bytes makes some 5 MB/s. The register is linear over GF(2), so a long
text is cut into many pieces of one length that are summed side by side, a column of bytes at a time, by operations on
whole columns; then the sums are put together with the map that a piece's length of zeros makes. Some 100 MB/s.
"""

from __future__ import annotations

import math
from functools import lru_cache

POLYNOMIAL = 0x82F63B78
"""Reflected."""
_SHORT = 4096


def crc32c(data: bytes) -> int:
    """The checksum of a text."""
    register = 0xFFFFFFFF
    if len(data) > _SHORT:
        length = math.isqrt(len(data))
        pieces = len(data) // length
        whole = pieces * length
        past = _past_zeros(length)
        for sum in _side_by_side(data, whole, pieces, length):
            register = _through(past, register) ^ sum
        data = data[whole:]
    for byte in data:
        register = _TABLE[(register ^ byte) & 0xFF] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ POLYNOMIAL if n & 1 else n >> 1
        table.append(n)
    return table


_TABLE = _table()
_PLANES = tuple(bytes((entry >> shift) & 0xFF for entry in _TABLE) for shift in (0, 8, 16, 24))
"""The table's four bytes apart, as `bytes.translate` takes them."""


def _side_by_side(data: bytes, whole: int, pieces: int, length: int) -> list[int]:
    """The registers of all pieces, each begun at zero."""
    low = second = third = high = bytes(pieces)
    for i in range(length):
        index = _xor(low, data[i:whole:length], pieces)
        low = _xor(second, index.translate(_PLANES[0]), pieces)
        second = _xor(third, index.translate(_PLANES[1]), pieces)
        third = _xor(high, index.translate(_PLANES[2]), pieces)
        high = index.translate(_PLANES[3])
    return [a | b << 8 | c << 16 | d << 24 for a, b, c, d in zip(low, second, third, high, strict=True)]


def _xor(one: bytes, other: bytes, size: int) -> bytes:
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(size, "little")


@lru_cache(maxsize=64)
def _past_zeros(length: int) -> tuple[tuple[int, ...], ...]:
    """The map of a register over so many zero bytes: by the register's bytes, then by their values."""
    step = [_TABLE[bit & 0xFF] ^ (bit >> 8) for bit in (1 << n for n in range(32))]
    found = [1 << n for n in range(32)]
    while length:
        if length & 1:
            found = [_applied(step, column) for column in found]
        step = [_applied(step, column) for column in step]
        length >>= 1
    return tuple(tuple(_applied(found, value << shift) for value in range(256)) for shift in (0, 8, 16, 24))


def _applied(matrix: list[int], vector: int) -> int:
    found, n = 0, 0
    while vector:
        if vector & 1:
            found ^= matrix[n]
        vector >>= 1
        n += 1
    return found


def _through(past: tuple[tuple[int, ...], ...], register: int) -> int:
    return (
        past[0][register & 0xFF]
        ^ past[1][register >> 8 & 0xFF]
        ^ past[2][register >> 16 & 0xFF]
        ^ past[3][register >> 24]
    )
