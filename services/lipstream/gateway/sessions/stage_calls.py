"""The three bidirectional calls behind one session, each on a replica with a place for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio

from lipstream.errors import LipstreamError, Overloaded, Unavailable
from lipstream.face.controls_message import pack_controls, pack_framing
from lipstream.face.face_controls import FaceControls
from lipstream.gateway.sessions.channels import Channels
from lipstream.gateway.sessions.options import SessionOptions, SessionOutput
from lipstream.gateway.sessions.placement import Placement
from lipstream.gateway.sessions.session_log import SessionLog
from lipstream.gateway.sessions.stage_call import StageCall
from lipstream.gateway.sessions.stage_clock import FPS
from lipstream.runtime.grpc_problems import error_of
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.v1 import (
    audio_pb2,
    audio_pb2_grpc,
    common_pb2,
    motion_pb2,
    motion_pb2_grpc,
    render_pb2,
    render_pb2_grpc,
)
from lipstream.wire.output import PictureSize
from lipstream.wire.replica import Replica

__all__ = ["Spare", "Stages"]

_STAGES = ("audio", "motion", "render")
_ADMISSION_S = 3.0
"""For a replica to say that it has a place; one that says nothing is passed over."""
_PREPARATION_S = 15.0
_SNAPSHOT_MS = 200
"""Of sound that is heard again, at most, after a stage was lost."""
_SYNTHESIS_DEADLINE_S = 60.0
_CODECS = {False: render_pb2.VIDEO_CODEC_H264, True: render_pb2.VIDEO_CODEC_H264_ALPHA}
"""By whether colours and alpha are side by side."""


@dataclass(slots=True)
class Spare:
    """The replica at which a session's pictures go on if theirs is lost: it has read the avatar."""

    replica_id: str = ""


class Stages:
    """The live stages, wherever their replicas are; shared by all sessions.

    Args:
        link: to Redis, where replicas announce themselves.
        log: is told where each stream goes, and why it leaves.
    """

    def __init__(self, settings: Settings, link: RedisLink, log: SessionLog) -> None:
        self._log = log
        self._channels = Channels(settings)
        self._placement = Placement(link, _STAGES, self._channels)
        self._sparing: set[asyncio.Task[None]] = set()

    async def extract(self, header: common_pb2.LiveHeader, rate_hz: int, state: bytes) -> StageCall:
        config = audio_pb2.ExtractConfig(
            rate_hz=rate_hz,
            sample_format=common_pb2.SAMPLE_FORMAT_PCM_S16LE,
            resume_state=state,
            snapshot_interval_ms=_SNAPSHOT_MS,
        )
        return await self._placed(
            "audio",
            lambda channel: audio_pb2_grpc.AudioServiceStub(channel).Extract(),
            audio_pb2.ExtractRequest(header=header, config=config),
        )

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
        config = motion_pb2.GenerateConfig(
            seed=seed,
            style=style,
            controls=None if state else pack_controls(controls),
            resume_state=state,
            snapshot_interval_ms=_SNAPSHOT_MS,
        )
        return await self._placed(
            "motion",
            lambda channel: motion_pb2_grpc.MotionServiceStub(channel).Generate(),
            motion_pb2.GenerateRequest(header=header, config=config),
        )

    async def render(
        self,
        header: common_pb2.LiveHeader,
        options: SessionOptions,
        output: SessionOutput,
        spare: Spare,
    ) -> StageCall:
        """Pictures of the epochs after the header's; the avatar is ready to be drawn.

        Args:
            spare: is asked first, and then chosen anew.
        """
        size = PictureSize.parse(str(options.size))
        config = render_pb2.RenderConfig(
            avatar_id=options.avatar,
            size_px=size.width_px,
            height_px=size.height_px,
            fps=FPS,
            codec=_CODECS[output.side_by_side],
            background=output.background,
            framing=pack_framing(output.framing),
        )
        request = render_pb2.RenderRequest(header=header, config=config)
        call = await self._placed("render", _render, request, first=spare.replica_id)
        try:
            await _until_drawable(call, header)
        except BaseException:
            call.cancel()
            raise
        sparing = asyncio.create_task(self._prepare(spare, call.replica, request))
        self._sparing.add(sparing)
        sparing.add_done_callback(self._sparing.discard)
        return call

    async def _prepare(
        self, spare: Spare, used: Replica, request: render_pb2.RenderRequest
    ) -> None:
        """Have another replica read the avatar, which takes longer than viewers would wait."""
        spare.replica_id = ""
        for replica in self._placement.spares(used):
            started = _render(self._channels.to(replica.address))
            call = StageCall(started, replica, lambda call: None)
            with contextlib.suppress(LipstreamError, TimeoutError):
                async with asyncio.timeout(_PREPARATION_S):
                    await call.write(request)
                    await _until_drawable(call, request.header)
                spare.replica_id = replica.id
            call.cancel()
            if spare.replica_id:
                return

    async def synthesize(self, text: str, voice: str, rate_hz: int) -> AsyncGenerator[bytes, None]:
        """16-bit PCM of a text, piece by piece.

        Raises:
            LipstreamError: the text or the voice cannot be used, or nobody can speak it now.
        """
        request = audio_pb2.SynthesizeRequest(text=text, voice=voice, rate_hz=rate_hz)
        spoken = False
        for replica in await self._placement.serving("audio"):
            audio = audio_pb2_grpc.AudioServiceStub(self._channels.to(replica.address))
            try:
                async for response in audio.Synthesize(request, timeout=_SYNTHESIS_DEADLINE_S):
                    if response.HasField("speech"):
                        spoken = True
                        yield response.speech.samples
                return
            except grpc.aio.AioRpcError as failure:
                error = error_of(failure)
                if spoken or not isinstance(error, Unavailable | Overloaded):
                    raise error from None
                self._placement.doubt(replica)
        raise self._placement.refusal("audio")

    async def close(self) -> None:
        for sparing in self._sparing:
            sparing.cancel()
        await asyncio.gather(*self._sparing, return_exceptions=True)
        await self._placement.close()
        await self._channels.close()

    async def _placed(
        self,
        stage: str,
        start: Callable[[grpc.aio.Channel], Any],
        config: Any,
        first: str = "",
    ) -> StageCall:
        """A call to the first replica that has a place for it, with its configuration sent.

        Raises:
            LipstreamError: none has, or there is none.
        """
        session_id = config.header.session_id
        for replica in await self._placement.candidates(stage, first):
            started = start(self._channels.to(replica.address))
            call = StageCall(started, replica, lambda call: self._left(session_id, call))
            self._placement.add(call)
            call.when_done(lambda call=call: self._placement.remove(call))  # type: ignore[misc]
            try:
                async with asyncio.timeout(_ADMISSION_S):
                    await call.write(config)
                    await call.admitted()
            except TimeoutError:
                self._placement.doubt(replica)
                call.cancel()
            except (Unavailable, Overloaded):
                call.cancel()  # it ends, or others filled it meanwhile
            except BaseException:
                call.cancel()
                raise
            else:
                self._log.note(session_id, "placed", stage=stage, **_place(replica))
                return call
        raise self._placement.refusal(stage)

    def _left(self, session_id: str, call: StageCall) -> None:
        if call.why_left == "lost":
            self._placement.doubt(call.replica)
        if call.is_admitted:
            fields = {"stage": call.replica.stage, **_place(call.replica), "why": call.why_left}
            self._log.note(session_id, "left", **fields)


def _render(channel: grpc.aio.Channel) -> Any:
    return render_pb2_grpc.RenderServiceStub(channel).Render()


async def _until_drawable(call: StageCall, header: common_pb2.LiveHeader) -> None:
    """Wait for the answer to an interrupt, which comes once the stage can draw the avatar."""
    following = common_pb2.LiveHeader(session_id=header.session_id, epoch=header.epoch + 1)
    await call.write(render_pb2.RenderRequest(header=following, interrupt=common_pb2.Interrupt()))
    await call.read()


def _place(replica: Replica) -> dict[str, str]:
    return {"replica": replica.id, "address": replica.address}
