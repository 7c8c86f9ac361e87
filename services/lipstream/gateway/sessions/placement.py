"""On which replica a live stream goes: the one with most room, and away from those that end."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from lipstream.errors import LipstreamError, Overloaded, Unavailable
from lipstream.gateway.sessions.channels import Channels
from lipstream.gateway.sessions.replica_directory import ReplicaDirectory
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.replica import LEASE_S, Replica

__all__ = ["Placed", "Placement"]


class Placed(Protocol):
    """A stream of this gateway's, on a replica."""

    @property
    def replica(self) -> Replica: ...

    def hand_on(self, why: str) -> None:
        """Go on elsewhere, if that can be done now. May be asked again."""
        ...


class Placement:
    """
    Args:
        stages: that serve live streams.
    """

    def __init__(self, link: RedisLink, stages: tuple[str, ...], channels: Channels) -> None:
        self._channels = channels
        self._own: dict[str, set[Placed]] = {}
        """By the replica's id."""
        self._told: Counter[str] = Counter()
        """Of our own streams, how many there were when the replicas were last asked."""
        self._doubted: dict[str, float] = {}
        """Until when replicas that broke a stream come last."""
        self._directory = ReplicaDirectory(link, stages, self._refreshed)

    async def candidates(self, stage: str, first: str = "") -> list[Replica]:
        """Replicas with room, in the order in which they are to be asked.

        Args:
            first: id of one to be asked before others, unless it broke a stream lately.

        Raises:
            Overloaded: none has room.
            Unavailable: there is none.
        """
        found = self._with_room(stage)
        if not found:
            await self._directory.refresh()  # nobody is refused on old news
            found = self._with_room(stage)
        if not found:
            raise self.refusal(stage)
        return sorted(found, key=lambda replica: replica.id != first or self._doubts(replica))

    async def serving(self, stage: str) -> list[Replica]:
        """Replicas that take calls which are no live streams, those to be asked first in front."""
        if not self._directory.of(stage):
            await self._directory.refresh()
        found = [replica for replica in self._directory.of(stage) if not replica.draining]
        return sorted(found, key=self._preference)

    def spares(self, used: Replica) -> list[Replica]:
        """Where else a stream of that replica could go; to ask them takes no last place."""
        return [
            replica
            for replica in self._with_room(used.stage)
            if replica.id != used.id and self._live(replica) + 1 < replica.capacity
        ]

    def refusal(self, stage: str) -> LipstreamError:
        """Why no stream can be placed."""
        serving = [replica for replica in self._directory.of(stage) if not replica.draining]
        if not serving:
            return Unavailable(
                f"No replica of the {stage} stage takes live streams.",
                remedy="Try again in some seconds.",
                code="no_replica",
            )
        places = sum(replica.capacity for replica in serving)
        return Overloaded(
            f"The {stage} stage is full: all its {places} live streams are taken.",
            remedy="Wait until a session has ended, or run more replicas of this stage.",
            code="stage_full",
        )

    def add(self, stream: Placed) -> None:
        """Count a stream from now on, and ask it to go when its replica is about to end."""
        self._own.setdefault(stream.replica.id, set()).add(stream)

    def remove(self, stream: Placed) -> None:
        own = self._own.get(stream.replica.id, set())
        own.discard(stream)
        if not own:
            self._own.pop(stream.replica.id, None)

    def doubt(self, replica: Replica) -> None:
        """It broke a stream: for as long as its lease may still stand, others are asked first."""
        self._doubted[replica.id] = asyncio.get_running_loop().time() + LEASE_S

    async def close(self) -> None:
        await self._directory.close()

    def _with_room(self, stage: str) -> list[Replica]:
        found = [
            replica
            for replica in self._directory.of(stage)
            if not replica.draining and self._live(replica) < replica.capacity
        ]
        return sorted(found, key=self._preference)

    def _preference(self, replica: Replica) -> tuple[bool, float, str]:
        return self._doubts(replica), self._live(replica) / max(replica.capacity, 1), replica.id

    def _doubts(self, replica: Replica) -> bool:
        return self._doubted.get(replica.id, 0.0) > asyncio.get_running_loop().time()

    def _live(self, replica: Replica) -> int:
        """What it said, and what we gave it or took from it since."""
        own = len(self._own.get(replica.id, ()))
        return replica.live + own - self._told[replica.id]

    def _refreshed(self) -> None:
        own = {stream.replica for streams in self._own.values() for stream in streams}
        self._channels.keep({replica.address for replica in own.union(self._directory.all())})
        now_s = asyncio.get_running_loop().time()
        self._doubted = {name: end for name, end in self._doubted.items() if end > now_s}
        self._told = Counter({name: len(own) for name, own in self._own.items()})
        for streams in list(self._own.values()):
            for stream in list(streams):
                if (why := self._why_leave(stream.replica)) and self._with_room(
                    stream.replica.stage
                ):
                    stream.hand_on(why)

    def _why_leave(self, replica: Replica) -> str:
        for known in self._directory.of(replica.stage):
            if known.id == replica.id:
                return "draining" if known.draining else ""
        return "silent"
