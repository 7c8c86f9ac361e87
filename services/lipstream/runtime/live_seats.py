"""How many live streams one replica serves, and may serve."""

from __future__ import annotations

import asyncio

from lipstream.errors import Overloaded, Unavailable
from lipstream.runtime.telemetry import Telemetry

__all__ = ["LiveSeats"]


class LiveSeats:
    """Used from one event loop.

    Args:
        capacity: live streams at once; more are refused, so that those that run keep their pace.
    """

    def __init__(self, capacity: int, telemetry: Telemetry) -> None:
        self.capacity = capacity
        self.taken = 0
        self.draining = False
        self.changed = asyncio.Event()
        """Set when any of these changed; who has told of it clears it."""
        self._telemetry = telemetry
        telemetry.live_capacity(capacity)
        telemetry.live_streams(0)

    def take(self) -> None:
        """Give it back with `leave`.

        Raises:
            Unavailable: the replica is about to end.
            Overloaded: all are taken.
        """
        if self.draining:
            raise Unavailable(
                "This replica is about to end.", remedy="Use another replica.", code="draining"
            )
        if self.taken >= self.capacity:
            raise Overloaded(
                f"All {self.capacity} places for live streams are taken.",
                remedy="Try again later or on another replica.",
                code="stage_full",
            )
        self._set(self.taken + 1)

    def leave(self) -> None:
        self._set(self.taken - 1)

    def drain(self) -> None:
        """Take no more."""
        self.draining = True
        self.changed.set()

    def _set(self, taken: int) -> None:
        self.taken = taken
        self._telemetry.live_streams(taken)
        self.changed.set()
