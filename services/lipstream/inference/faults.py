"""Counting what networks got wrong, for whoever the work is done for.

Networks are shared by all sessions and know none of them. So whoever computes for a session does it
under a watch, to which the guard of the networks reports.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["FaultWatch", "counted_faults", "note_faults"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_COUNTED: ContextVar[list[int] | None] = ContextVar("lipstream_faults", default=None)


def note_faults(count: int) -> None:
    """Report steps of a network whose result was replaced, to the watch that is kept now."""
    counted = _COUNTED.get()
    if counted is not None:
        counted.append(count)


@contextmanager
def counted_faults() -> Iterator[list[int]]:
    """Counts of the faults that are reported inside, in this thread."""
    counted: list[int] = []
    token = _COUNTED.set(counted)
    try:
        yield counted
    finally:
        _COUNTED.reset(token)


class FaultWatch:
    """Counts the faults of one session or job, and logs the first.

    Args:
        tell: gets the number of faults whenever there were some, such as for a metric.
        fields: of the line in the log, such as the session's id.
    """

    def __init__(self, tell: Callable[[int], None] = lambda count: None, **fields: Any) -> None:
        self._tell = tell
        self._fields = fields
        self.count = 0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Count what is computed inside, in this thread."""
        with counted_faults() as counted:
            try:
                yield
            finally:
                self._add(sum(counted))

    def over(self, pieces: Iterator[T]) -> Iterator[T]:
        """The same pieces, each computed under the watch."""
        while True:
            with self.watch():
                try:
                    piece = next(pieces)
                except StopIteration:
                    return
            yield piece

    def _add(self, count: int) -> None:
        if not count:
            return
        if not self.count:
            logger.warning(
                "a network gave what is no number, and was passed over", extra=self._fields
            )
        self.count += count
        self._tell(count)
