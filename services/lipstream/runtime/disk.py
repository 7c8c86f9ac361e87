"""A disk without space, told apart from other faults: it is the operator's to mend, and passes."""

from __future__ import annotations

import errno

from lipstream.errors import Outage

__all__ = ["disk_problem"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def disk_problem(error: BaseException) -> Outage | None:
    """What callers are told when `error` means that a disk is full, without its paths."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return Outage("The disk is full.", remedy="Free some space.", code="disk_full")
    return None
