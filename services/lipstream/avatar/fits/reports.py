"""What a fit's process says of itself while it works, kept in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lipstream.avatar.fits.outcome import FitOutcome
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import fit_key

__all__ = ["FitReport", "FitReports"]

_KEPT_S = 86_400


@dataclass(frozen=True, slots=True)
class FitReport:
    fraction: float = 0.0
    """Share of the work done, 0..1."""
    outcome: FitOutcome | None = None
    """Once it has ended by itself."""


class FitReports:
    """
    Raises:
        Unavailable: from every method, when Redis does not answer within the link's patience.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._client: Any = link.client

    async def get(self, job_id: str) -> FitReport:
        raw = await self._link.call(lambda: self._client.hgetall(fit_key(job_id)))
        outcome = raw.get("outcome")
        return FitReport(
            float(raw.get("fraction", 0.0)), FitOutcome.decode(outcome) if outcome else None
        )

    async def progress(self, job_id: str, fraction: float) -> None:
        await self._set(job_id, "fraction", repr(fraction))

    async def end(self, job_id: str, outcome: FitOutcome) -> None:
        await self._set(job_id, "outcome", outcome.encode())

    async def forget(self, job_id: str) -> None:
        await self._link.call(lambda: self._client.delete(fit_key(job_id)))

    async def _set(self, job_id: str, name: str, value: str) -> None:
        client, key = self._client, fit_key(job_id)
        await self._link.call(lambda: client.hset(key, name, value))
        await self._link.call(lambda: client.expire(key, _KEPT_S))
