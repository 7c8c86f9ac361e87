"""Snapshots of live sessions in a real Redis."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lipstream.face.face_controls import FaceControls
from lipstream.gateway.sessions.options import SessionOptions, SessionOutput
from lipstream.gateway.sessions.snapshot import LiveSnapshot, SessionSnapshot
from lipstream.gateway.sessions.snapshots import Snapshots
from lipstream.gateway.sessions.steady_call import StageState
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.streams import kept_sessions, session_key
from tests.integration.redis_process import RedisProcess

T = TypeVar("T")


class _SlowLink(RedisLink):
    """Its first call leaves when it may."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.waiting, self.may_leave, self.answered = (asyncio.Event() for _ in range(3))

    async def call(
        self, ask: Callable[[], Awaitable[T]], patience_s: float | None = None, **limits: float
    ) -> T:
        first = not self.waiting.is_set()
        if first:
            self.waiting.set()
            await self.may_leave.wait()
        answer = await super().call(ask, patience_s, **limits)
        if first:
            self.answered.set()
        return answer


class _CountingLink(RedisLink):
    asked = 0

    async def call(
        self, ask: Callable[[], Awaitable[T]], patience_s: float | None = None, **limits: float
    ) -> T:
        self.asked += 1
        return await super().call(ask, patience_s, **({"answer_s": 0.2} | limits))


class _Session:
    speaking = False

    def snapshot(self) -> SessionSnapshot:
        options = SessionOptions(avatar="grace")
        live = LiveSnapshot(
            origin_unix_us=0,
            epoch=1,
            output=SessionOutput.of(options),
            controls=FaceControls(),
            utterance=0,
            outlook=(),
            motion=StageState(),
            look_ahead_ms=80,
        )
        return SessionSnapshot(
            tenant="default",
            secret="00",
            key_id=None,
            key_sessions=0,
            opened_unix_s=0.0,
            options=options,
            untold=(),
            live=live,
        )


def test_a_snapshot_under_way_does_not_outlive_its_session(redis_server: RedisProcess) -> None:
    async def scenario() -> None:
        link = _SlowLink(redis_server.url)
        sessions = {"ending": _Session(), "opening": _Session()}
        snapshots = Snapshots(link, sessions, lambda _: None, 30.0)
        snapshots.note("ending")
        await link.waiting.wait()
        del sessions["ending"]
        snapshots.forget("ending")
        opened = asyncio.create_task(snapshots.keep("opening"))
        await asyncio.sleep(0.1)
        link.may_leave.set()
        await asyncio.gather(opened, link.answered.wait())
        await snapshots.close()
        await link.close()

    asyncio.run(scenario())
    client = redis_server.client()
    assert client.exists(session_key("opening"))
    assert not client.exists(session_key("ending"))
    assert client.hkeys(kept_sessions()) == ["opening"]


def test_many_that_open_while_redis_hangs_wait_for_one_answer(redis_server: RedisProcess) -> None:
    names = ("first", "second", "third")

    async def scenario() -> None:
        link = _CountingLink(redis_server.url)
        snapshots = Snapshots(link, dict.fromkeys(names, _Session()), lambda _: None, 30.0)
        redis_server.send_signal(signal.SIGSTOP)
        try:
            await asyncio.gather(*map(snapshots.keep, names))
            await snapshots.check("first")
        finally:
            redis_server.send_signal(signal.SIGCONT)
        assert link.asked == 1
        assert await link.ping()
        await snapshots.keep("first")
        await snapshots.close()
        await link.close()

    asyncio.run(scenario())
    assert redis_server.client().exists(session_key("first"))
