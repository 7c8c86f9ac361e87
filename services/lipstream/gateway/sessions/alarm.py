"""Wakes who waits for a moment of a session, or for news."""

from __future__ import annotations

import asyncio

from lipstream.gateway.sessions.session_clock import SessionClock

__all__ = ["Alarm"]


class Alarm:
    def __init__(self, clock: SessionClock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is news."""
        self._rung.set()

    async def wait(self, *moments_us: int | None) -> None:
        """Until the first of these moments, or until there is news."""
        known_us = [moment_us for moment_us in moments_us if moment_us is not None]
        self._rung.clear()
        if not known_us:
            await self._rung.wait()
            return
        moment_s = self._clock.monotonic_s(min(known_us))
        timer = asyncio.get_running_loop().call_at(moment_s, self._rung.set)
        try:
            await self._rung.wait()
        finally:
            timer.cancel()
