"""A replica tells gateways, through Redis, where it is and how many live streams it can take."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket

from lipstream.errors import LipstreamError
from lipstream.runtime.live_seats import LiveSeats
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.wire.replica import LEASE_S, REFRESH_S, Replica
from lipstream.wire.streams import replica_key, replicas_set

__all__ = ["Announcer"]

_PAUSE_S = 0.05
"""Between two words: streams that come together are told of together."""
_RETRACT_S = 1.0


class Announcer:
    """
    Args:
        address: host:port at which gateways reach this replica.
    """

    def __init__(self, link: RedisLink, stage: str, address: str, seats: LiveSeats) -> None:
        self._link = link
        self._stage = stage
        self._address = address
        self._seats = seats
        self.replica_id = f"{stage}-{secrets.token_hex(6)}"

    async def run(self) -> None:
        """Until cancelled; then the replica is taken off the list, if Redis answers."""
        try:
            while True:
                self._seats.changed.clear()
                # While Redis is away nobody can be told; the next word is soon enough.
                with contextlib.suppress(LipstreamError):
                    await self._link.call(self._tell, patience_s=0.0)
                await asyncio.sleep(_PAUSE_S)
                with contextlib.suppress(TimeoutError):
                    # Not `wait_for`, which before Python 3.12 forgets to be cancelled when what it
                    # waits for comes just then: the last stream ends as the stage does.
                    async with asyncio.timeout(REFRESH_S):
                        await self._seats.changed.wait()
        finally:
            with contextlib.suppress(LipstreamError, TimeoutError):
                async with asyncio.timeout(_RETRACT_S):
                    await self._link.call(self._retract, patience_s=0.0)

    async def _tell(self) -> None:
        replica = Replica(
            id=self.replica_id,
            stage=self._stage,
            address=self._address,
            capacity=self._seats.capacity,
            live=self._seats.taken,
            draining=self._seats.draining,
        )
        async with self._link.client.pipeline() as pipe:
            pipe.set(replica_key(replica.id), replica.encode(), px=round(1000 * LEASE_S))
            pipe.sadd(replicas_set(self._stage), replica.id)
            await pipe.execute()

    async def _retract(self) -> None:
        async with self._link.client.pipeline() as pipe:
            pipe.delete(replica_key(self.replica_id))
            pipe.srem(replicas_set(self._stage), self.replica_id)
            await pipe.execute()


def advertised_address(settings: Settings, port: int) -> str:
    """host:port at which others reach what listens on `port`.

    The host is `LIPSTREAM_ADVERTISE_HOST`; else the address on which it listens; else, where that
    is every one, what this machine's name stands for.
    """
    host = settings.advertise_host or settings.host
    if host in ("0.0.0.0", "::", ""):
        try:
            host = socket.gethostbyname(socket.gethostname())
        except OSError:
            host = "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
