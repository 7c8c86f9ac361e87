"""The three bidirectional calls behind one session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import grpc.aio

from lipstream.errors import LipstreamError, Unavailable
from lipstream.face.controls_message import pack_controls, pack_framing
from lipstream.face.face_controls import FaceControls, Framing
from lipstream.runtime.grpc_problems import error_of
from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_channel import stage_channel
from lipstream.v1 import (
    audio_pb2,
    audio_pb2_grpc,
    common_pb2,
    motion_pb2,
    motion_pb2_grpc,
    render_pb2,
    render_pb2_grpc,
)

__all__ = ["StageCall", "Stages"]

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # A stage that comes back is found at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_SNAPSHOT_MS = 200
"""Of sound that is heard again, at most, after a stage was lost."""
_SYNTHESIS_DEADLINE_S = 60.0


class StageCall:
    """One call: messages in, messages out, in any interleaving."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._one_write = asyncio.Lock()

    async def write(self, message: Any) -> None:
        """
        Raises:
            LipstreamError: the call has ended; why, in the stage's own words.
        """
        try:
            async with self._one_write:
                await self._call.write(message)
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
            raise await self._failure() from None

    async def messages(self) -> AsyncGenerator[Any, None]:
        """
        Raises:
            LipstreamError: the call failed, or ended although nobody had asked for it.
        """
        try:
            while (message := await self._call.read()) is not grpc.aio.EOF:
                yield message
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from None
        raise await self._failure()

    async def _failure(self) -> LipstreamError:
        code = await self._call.code()
        if code is grpc.StatusCode.OK:
            return Unavailable("A stage ended the session.", remedy="Open another session.")
        failure = grpc.aio.AioRpcError(
            code,
            await self._call.initial_metadata(),
            await self._call.trailing_metadata(),
            await self._call.details(),
        )
        return error_of(failure)

    def cancel(self) -> None:
        self._call.cancel()


class Stages:
    """Channels to the live stages, shared by all sessions."""

    def __init__(self, settings: Settings) -> None:
        self._channels = {
            stage: stage_channel(settings, settings.address_of(stage), _OPTIONS)
            for stage in ("audio", "motion", "render")
        }
        self._audio = audio_pb2_grpc.AudioServiceStub(self._channels["audio"])
        self._motion = motion_pb2_grpc.MotionServiceStub(self._channels["motion"])
        self._render = render_pb2_grpc.RenderServiceStub(self._channels["render"])

    async def extract(self, header: common_pb2.LiveHeader, rate_hz: int, state: bytes) -> StageCall:
        call = StageCall(self._audio.Extract())
        config = audio_pb2.ExtractConfig(
            rate_hz=rate_hz,
            sample_format=common_pb2.SAMPLE_FORMAT_PCM_S16LE,
            resume_state=state,
            snapshot_interval_ms=_SNAPSHOT_MS,
        )
        await call.write(audio_pb2.ExtractRequest(header=header, config=config))
        return call

    async def generate(
        self,
        header: common_pb2.LiveHeader,
        seed: int,
        style: list[float],
        controls: FaceControls,
        state: bytes,
    ) -> StageCall:
        """
        Args:
            controls: of the beginning; a state holds its own.
        """
        call = StageCall(self._motion.Generate())
        config = motion_pb2.GenerateConfig(
            seed=seed,
            style=style,
            controls=None if state else pack_controls(controls),
            resume_state=state,
            snapshot_interval_ms=_SNAPSHOT_MS,
        )
        await call.write(motion_pb2.GenerateRequest(header=header, config=config))
        return call

    async def render(
        self,
        header: common_pb2.LiveHeader,
        avatar: str,
        size_px: int,
        fps: float,
        framing: Framing,
    ) -> StageCall:
        call = StageCall(self._render.Render())
        config = render_pb2.RenderConfig(
            avatar_id=avatar,
            size_px=size_px,
            fps=fps,
            codec=render_pb2.VIDEO_CODEC_H264,
            framing=pack_framing(framing),
        )
        await call.write(render_pb2.RenderRequest(header=header, config=config))
        return call

    async def synthesize(self, text: str, voice: str, rate_hz: int) -> AsyncGenerator[bytes, None]:
        """16-bit PCM of a text, piece by piece.

        Raises:
            LipstreamError: the text or the voice cannot be used.
        """
        request = audio_pb2.SynthesizeRequest(text=text, voice=voice, rate_hz=rate_hz)
        try:
            async for response in self._audio.Synthesize(request, timeout=_SYNTHESIS_DEADLINE_S):
                if response.HasField("speech"):
                    yield response.speech.samples
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from None

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()
