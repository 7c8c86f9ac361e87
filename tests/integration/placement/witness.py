"""What Redis says of replicas and of sessions, and which process is behind a replica."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from lipstream.runtime.local_stack import LocalStack
from lipstream.wire.replica import Replica
from lipstream.wire.streams import replica_key, replicas_set, sessions_stream

__all__ = ["Witness", "until"]


class Witness:
    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._redis = redis.Redis.from_url(stack.redis_url, decode_responses=True)

    def replicas(self, stage: str) -> list[Replica]:
        """Those that take streams now."""
        ids: set[str] = self._redis.smembers(replicas_set(stage))  # type: ignore[assignment]
        said = [Replica.decode(self._redis.get(replica_key(name))) for name in ids]  # type: ignore
        return [replica for replica in said if replica is not None and not replica.draining]

    def events(self, session_id: str) -> list[dict[str, str]]:
        lines = self._redis.xrange(sessions_stream())
        return [line for _, line in lines if line["session"] == session_id]  # type: ignore

    def kinds(self, session_id: str) -> list[str]:
        return [line["event"] for line in self.events(session_id)]

    def places(self, session_id: str, stage: str) -> list[dict[str, str]]:
        """Where that part of a session was placed, and why it left, in order."""
        return [line for line in self.events(session_id) if line.get("stage") == stage]

    def moved(self, session_id: str, stage: str) -> dict[str, dict[str, str]]:
        """Wait until that part has gone from its first place to its second; both events."""
        until(lambda: len(self.places(session_id, stage)) >= 3)
        return {line["event"]: line for line in self.places(session_id, stage)[1:3]}

    def pid(self, address: str) -> int:
        """The process that serves there."""
        return self._stack.pids[self._stack.component_at(address)]


def until(true: Callable[[], bool], within_s: float = 90) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
