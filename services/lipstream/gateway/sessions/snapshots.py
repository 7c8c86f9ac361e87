"""Snapshots of sessions in Redis, and which gateway goes on with which session.

A session never waits for Redis: one task writes for all of them, where a turn of speech begins or
ends, once a second while it lasts, and now and then in silence. Each is some 70 KB. A gateway that
finds a snapshot taken by another one has lost the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from lipstream.errors import BadInput, LipstreamError
from lipstream.gateway.sessions.snapshot import SessionSnapshot
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import kept_sessions, session_key

__all__ = ["Snapshots"]

logger = logging.getLogger(__name__)

_EVERY_S = 1.0
_SILENT_TICKS = 5
_STARTING_S = 15.0
"""That a gateway may take to start again, beside the patience with the client."""
_ENDED_MS = 3000
"""For the gateway from which a session was taken to learn that it is not its any more."""
_CLOSING_S = 2.0

# KEYS: a session, all that are kept. ARGV: gateway, snapshot, ms until it expires, id, ms when it
# was opened. Answers 0 if another one has it.
_WRITE = """
local owner = redis.call('HGET', KEYS[1], 'gateway')
if owner and owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'gateway', ARGV[1], 'snapshot', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local t = redis.call('TIME')
local now_ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5] .. ' ' .. now_ms)
return 1
"""
# KEYS: a session. ARGV: gateway, ms until it expires. Answers the snapshot, if there is one.
_TAKE = """
local snapshot = redis.call('HGET', KEYS[1], 'snapshot')
if snapshot then
  redis.call('HSET', KEYS[1], 'gateway', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return snapshot
"""
# KEYS: a session, all that are kept. ARGV: gateway, ms for which others learn that it has ended; 0
# where none had it; id.
_FORGET = """
if redis.call('HGET', KEYS[1], 'gateway') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'snapshot')
redis.call('HDEL', KEYS[2], ARGV[3])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
# KEYS: all that are kept. ARGV: what the key of a session begins with. Answers those whose
# snapshots have expired, each to one caller alone.
_ABANDONED = """
local kept = redis.call('HGETALL', KEYS[1])
local gone = {}
for n = 1, #kept, 2 do
  if redis.call('EXISTS', ARGV[1] .. kept[n]) == 0 then
    redis.call('HDEL', KEYS[1], kept[n])
    gone[#gone + 1] = {kept[n], kept[n + 1]}
  end
end
return gone
"""


class Kept(Protocol):
    """A session of this gateway."""

    @property
    def speaking(self) -> bool: ...

    def snapshot(self) -> SessionSnapshot | None:
        """None while it opens, and once it has ended."""
        ...


class Snapshots:
    """
    Args:
        sessions: of this gateway, by id.
        lost: gets the id of a session that another gateway has taken.
        patience_s: how long a session waits for its client.
    """

    def __init__(
        self,
        link: RedisLink,
        sessions: Mapping[str, Kept],
        lost: Callable[[str], None],
        patience_s: float,
    ) -> None:
        self._link = link
        self._sessions = sessions
        self._lost = lost
        self._expire_ms = str(round(1000 * (patience_s + _STARTING_S)))
        self._gateway = secrets.token_hex(8)
        self._taken: set[str] = set()
        """Sessions that another gateway began."""
        self._due: set[str] = set()
        self._over: dict[str, int] = {}
        """Sessions that have ended, and how long others must be able to learn it, ms."""
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        """What was seen of a session must not be written after word of its end."""
        self._writer = asyncio.create_task(self._write_on())

    def note(self, session_id: str) -> None:
        """Write this one's soon; returns at once."""
        self._due.add(session_id)
        self._wake.set()

    async def keep(self, session_id: str) -> None:
        """Write this one's now, if Redis answers: its client may come to any gateway. While Redis
        is known to be away, nobody waits for it; it is written with the others."""
        async with self._writing:
            if not self._link.away:
                with contextlib.suppress(LipstreamError):
                    await self._write_at_once({session_id})

    def forget(self, session_id: str) -> None:
        """It has ended; returns at once."""
        self._over[session_id] = _ENDED_MS if session_id in self._taken else 0
        self._taken.discard(session_id)
        self._wake.set()

    async def check(self, session_id: str) -> None:
        """Have it told now if another gateway has taken the session. While Redis is away, none
        has."""
        if self._link.away:
            return
        client: Any = self._link.client
        key = session_key(session_id)
        with contextlib.suppress(LipstreamError):
            owner = await self._link.call(lambda: client.hget(key, "gateway"), patience_s=0.0)
            if owner not in (None, self._gateway):
                self._leave(session_id)

    async def read(self, session_id: str) -> SessionSnapshot | None:
        """
        Raises:
            Unavailable: Redis does not answer.
        """
        try:
            key = session_key(session_id)
        except BadInput:
            return None
        client: Any = self._link.client
        return _read(await self._link.call(lambda: client.hget(key, "snapshot")))

    async def take(self, session_id: str) -> SessionSnapshot | None:
        """What is known of the session, which is this gateway's from now on.

        Raises:
            Unavailable: Redis does not answer.
        """
        client: Any = self._link.client
        key = session_key(session_id)
        taken = _read(
            await self._link.call(
                lambda: client.eval(_TAKE, 1, key, self._gateway, self._expire_ms)
            )
        )
        if taken is not None:
            self._taken.add(session_id)
        return taken

    async def abandoned(self) -> dict[str, tuple[float, float]]:
        """Sessions that no gateway has gone on with in time, each told once: the Unix times when
        they were opened and last seen, seconds.

        Raises:
            Unavailable: Redis does not answer.
        """
        client: Any = self._link.client
        start = session_key("0").removesuffix("0")
        gone = await self._link.call(
            lambda: client.eval(_ABANDONED, 1, kept_sessions(), start), patience_s=0.0
        )
        times = ((session_id, map(int, text.split())) for session_id, text in gone)
        return {session_id: (opened / 1e3, seen / 1e3) for session_id, (opened, seen) in times}

    async def close(self) -> None:
        """Write once more what is to be written, if that can be done soon."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        try:
            async with asyncio.timeout(_CLOSING_S):
                await self._write(set(self._sessions))
        except (LipstreamError, TimeoutError):
            logger.error("the last snapshots of sessions were not written")

    async def _write_on(self) -> None:
        clock = asyncio.get_running_loop()
        tick, tick_s = 0, clock.time() + _EVERY_S
        while True:
            try:
                async with asyncio.timeout_at(tick_s):
                    await self._wake.wait()
                due = self._due
            except TimeoutError:
                tick, tick_s = tick + 1, clock.time() + _EVERY_S
                everyone = tick % _SILENT_TICKS == 0
                due = {name for name, held in self._sessions.items() if everyone or held.speaking}
                due |= self._due
            self._wake.clear()
            self._due = set()
            try:
                await self._write(due)
            except LipstreamError as error:
                logger.warning("snapshots of sessions were not written: %s", error.message)

    async def _write(self, due: set[str]) -> None:
        async with self._writing:
            await self._write_at_once(due)

    async def _write_at_once(self, due: set[str]) -> None:
        over, self._over = self._over, {}
        said: dict[str, tuple[str, str]] = {}
        for session_id in due:
            held = self._sessions.get(session_id)
            if held is not None and (snapshot := held.snapshot()) is not None:
                opened_ms = str(round(1e3 * snapshot.opened_unix_s))
                said[session_id] = snapshot.model_dump_json(), opened_ms
                await asyncio.sleep(0)  # many must not hold up the loop
        if not said and not over:
            return
        pipe: Any = self._link.client.pipeline(transaction=False)
        for session_id, known_ms in over.items():
            keys = session_key(session_id), kept_sessions()
            pipe.eval(_FORGET, 2, *keys, self._gateway, str(known_ms), session_id)
        for session_id, (text, opened_ms) in said.items():
            keys = session_key(session_id), kept_sessions()
            args = self._gateway, text, self._expire_ms, session_id, opened_ms
            pipe.eval(_WRITE, 2, *keys, *args)
        try:
            answers = await self._link.call(pipe.execute, patience_s=0.0)
        except LipstreamError:
            self._over = over | self._over
            raise
        for session_id, written in zip(said, answers[len(over) :], strict=True):
            if not written:
                self._leave(session_id)

    def _leave(self, session_id: str) -> None:
        self._taken.discard(session_id)
        if session_id in self._sessions:
            self._lost(session_id)


def _read(text: str | None) -> SessionSnapshot | None:
    if text is None:
        return None
    try:
        return SessionSnapshot.model_validate_json(text)
    except ValidationError as error:
        logger.error("a snapshot of a session cannot be read: %s", error)
        return None
