"""Capacity of drives and the time to read them. Gigabytes are decimal, as drives are sold."""

from __future__ import annotations

from fleetyard.sizing.guard import finite, positive


class CapacityError(ValueError):
    """Data does not fit: `need_gb` and `have_gb` say by how much."""

    def __init__(self, need_gb: float, have_gb: float) -> None:
        super().__init__(f"{need_gb:.6g} GB do not fit {have_gb:.6g} GB: {need_gb - have_gb:.6g} GB too much")
        self.need_gb = need_gb
        self.have_gb = have_gb


def require_capacity(data_gb: float, drive_gb: float, drives: int, copies: int = 1) -> None:
    """Check that some copies of the data fit the drives (Q18, Q22): S s >= D copies.

    data_gb, drive_gb: decimal GB. Raises CapacityError when they do not, ValueError for a negative argument.
    """
    finite(data_gb=data_gb, drive_gb=drive_gb, drives=drives, copies=copies)
    if data_gb * copies > drive_gb * drives:
        raise CapacityError(data_gb * copies, drive_gb * drives)


def read_s(data_gb: float, drive_gb_per_s: float, drives: int) -> float:
    """Seconds to read data that is striped over drives (Q18, Q22): D / (S b). Capacity is another question.

    data_gb: decimal GB (model and parameters, M + P); drive_gb_per_s: GB a second of one drive. Raises ValueError
    for no drive or no rate.
    Source: Patterson 1988, A case for redundant arrays of inexpensive disks, level 0.
    """
    positive(drive_gb_per_s=drive_gb_per_s, drives=drives)
    finite(data_gb=data_gb)
    return data_gb / (drive_gb_per_s * drives)


def fill_s(data_gb: float, machines: int, store_gb_per_s: float) -> float:
    """Seconds until machines together hold one copy of the data in their caches, each reading its own part.

    data_gb: decimal GB; store_gb_per_s: GB a second that one machine reads from the store. Raises ValueError for no
    machine or no rate.
    """
    return read_s(data_gb, store_gb_per_s, machines)
