"""The audio stage's part in a session: sound in, features out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from lipstream.gateway.sessions.stage_calls import Stages
from lipstream.gateway.sessions.steady_call import SteadyCall
from lipstream.gateway.sessions.timeline import Piece
from lipstream.v1 import audio_pb2, common_pb2

__all__ = ["AudioCall"]


class AudioCall:
    """Unbroken through interrupts.

    Args:
        rate_hz: of the sound.
        header: of a message, by its time.
    """

    def __init__(
        self, stages: Stages, rate_hz: int, header: Callable[[int], common_pb2.LiveHeader]
    ) -> None:
        self._call = SteadyCall(lambda state: stages.extract(header(0), rate_hz, state))
        self._header = header
        self._answers = self._call.messages()
        self.latency_us = 0
        """How much sound the speech encoder waits for, beyond what a row of features is of."""

    async def open(self) -> None:
        """
        Raises:
            LipstreamError: the stage is away, full, or refuses.
        """
        await self._call.open()
        self._ready((await anext(self._answers)).ready)

    async def hear(self, piece: Piece) -> None:
        await self._call.write(
            audio_pb2.ExtractRequest(
                header=self._header(piece.stage_us),
                audio=audio_pb2.AudioChunk(samples=piece.samples),
            )
        )

    async def features(self) -> AsyncGenerator[tuple[int, audio_pb2.Features], None]:
        """With the time of the first of them, in the stages' time.

        Raises:
            LipstreamError: the stage refuses what it was sent, or stays away.
        """
        async with aclosing(self._answers) as answers:
            async for message in answers:
                if message.HasField("features"):
                    yield message.header.pts_us, message.features
                elif message.HasField("ready"):  # of another replica
                    self._ready(message.ready)

    def cancel(self) -> None:
        """End the call."""
        self._call.cancel()

    def _ready(self, ready: audio_pb2.ExtractReady) -> None:
        self.latency_us = round(1000 * ready.latency_ms)
