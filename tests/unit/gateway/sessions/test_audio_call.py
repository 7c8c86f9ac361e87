"""How much sound the speech encoder waits for, as its replicas say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

from lipstream.errors import Unavailable
from lipstream.gateway.sessions.audio_call import AudioCall
from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.v1 import audio_pb2, common_pb2


class _Replica:
    """A call to a stage that says what it waits for, gives a row and breaks."""

    asked_to_leave: Callable[[], None] | None = None

    def __init__(self, latency_ms: float, pts_us: int) -> None:
        header = common_pb2.LiveHeader(pts_us=pts_us)
        ready = audio_pb2.ExtractReady(latency_ms=latency_ms)
        self._answers = [
            audio_pb2.ExtractResponse(header=header, ready=ready),
            audio_pb2.ExtractResponse(header=header, features=audio_pb2.Features()),
        ]

    async def messages(self) -> AsyncGenerator[Any, None]:
        for answer in self._answers:
            yield answer
        raise Unavailable("It broke.")

    def cancel(self) -> None: ...

    def leave(self) -> None: ...


class _Stages:
    def __init__(self, *replicas: _Replica) -> None:
        self._replicas = list(replicas)

    async def extract(self, header: common_pb2.LiveHeader, rate_hz: int, state: bytes) -> _Replica:
        return self._replicas.pop(0)


def test_it_is_known_before_any_sound_and_may_change_with_the_replica() -> None:
    async def scene() -> list[tuple[int, int]]:
        stages = cast(Stages, _Stages(_Replica(225, 0), _Replica(400, 20_000)))
        call = AudioCall(stages, 16_000, lambda pts_us: common_pb2.LiveHeader(pts_us=pts_us))
        await call.open()
        seen = [(-1, call.latency_us)]
        async for pts_us, _ in call.features():
            seen.append((pts_us, call.latency_us))
            if len(seen) == 3:
                break
        call.cancel()
        return seen

    assert asyncio.run(scene()) == [(-1, 225_000), (0, 225_000), (20_000, 400_000)]
