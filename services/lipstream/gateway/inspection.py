"""A look at an upload before a job is made of it, by the stages that understand it.

The gateway knows nothing of audio or pictures. It asks the stages over gRPC, so that a caller
hears at once, and with a 4xx, that a file cannot be used. A stage that is away does not stop the
caller: the job is taken, and its worker will look.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import grpc
import grpc.aio

from lipstream.runtime.grpc_problems import error_of
from lipstream.runtime.settings import Settings
from lipstream.runtime.stage_channel import stage_channel
from lipstream.runtime.tracing import trace_metadata
from lipstream.v1 import (
    audio_pb2,
    audio_pb2_grpc,
    avatar_pb2,
    avatar_pb2_grpc,
    render_pb2,
    render_pb2_grpc,
)

__all__ = ["Inspector"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

_DEADLINE_S = 12.0
_EXPORT_DEADLINE_S = 60.0
_AWAY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
_OPTIONS = (("grpc.enable_http_proxy", 0),)


class Inspector:
    """Asks the audio, the avatar and the render stage.

    Raises:
        LipstreamError: from every check, with the stage's own words, when the input cannot be
            used. Nothing is raised when the stage does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._channels = [
            stage_channel(settings, settings.address_of(stage), _OPTIONS)
            for stage in ("audio", "avatar", "render")
        ]
        audio, avatar, render = self._channels
        self._audio = audio_pb2_grpc.AudioServiceStub(audio)
        self._avatar = avatar_pb2_grpc.AvatarServiceStub(avatar)
        self._render = render_pb2_grpc.RenderServiceStub(render)

    async def check_audio(self, key: str) -> None:
        """Whether the recording under `key` in the object store can be decoded and has sound."""
        await _ask(
            self._audio.Inspect(
                audio_pb2.InspectRequest(audio_key=key),
                timeout=_DEADLINE_S,
                metadata=trace_metadata(),
            )
        )

    async def check_voice(self, voice: str) -> None:
        """Whether there is a voice of that name."""
        await _ask(
            self._audio.Inspect(
                audio_pb2.InspectRequest(voice=voice),
                timeout=_DEADLINE_S,
                metadata=trace_metadata(),
            )
        )

    async def check_photo(self, key: str) -> None:
        """Whether the photo under `key` in the object store shows a face that can be used."""
        request = avatar_pb2.InspectPhotoRequest(photo_key=key)
        await _ask(self._avatar.Inspect(request, timeout=_DEADLINE_S, metadata=trace_metadata()))

    async def check_background(self, key: str) -> None:
        """Whether the file under `key` in the object store is a picture or a video."""
        request = render_pb2.InspectBackgroundRequest(background_key=key)
        await _ask(self._render.Inspect(request, timeout=_DEADLINE_S, metadata=trace_metadata()))

    async def export(self, avatar_id: str, ending: str) -> str:
        """Key of an avatar's file of that ending in the object store, written if need be.

        Raises:
            LipstreamError: the avatar cannot be written, or the stage does not answer.
        """
        request = avatar_pb2.ExportRequest(avatar_id=avatar_id, format=ending)
        try:
            answer = await self._avatar.Export(
                request, timeout=_EXPORT_DEADLINE_S, metadata=trace_metadata()
            )
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure) from None
        return answer.key

    async def voices(self, language: str) -> Sequence[audio_pb2.Voice]:
        """The voices of a language, or all where it is empty.

        Raises:
            LipstreamError: the stage does not answer.
        """
        request = audio_pb2.ListVoicesRequest(language=language)
        try:
            answer = await self._audio.ListVoices(
                request, timeout=_DEADLINE_S, metadata=trace_metadata()
            )
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure) from None
        return answer.voices

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()


async def _ask(call: Awaitable[T]) -> None:
    try:
        await call
    except grpc.aio.AioRpcError as failure:
        if failure.code() in _AWAY:
            logger.warning("an upload was not looked at: %s", failure.code().name)
            return
        raise error_of(failure) from None
