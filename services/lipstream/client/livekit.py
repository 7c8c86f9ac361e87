"""A LiveKit agent's avatar: `pip install 'lipstream[livekit]'`.

generator = LipstreamVideoGenerator("http://127.0.0.1:8080", avatar="me", size=512)
await generator.start()
runner = AvatarRunner(room, audio_recv=..., video_gen=generator, options=AvatarOptions(...))
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from lipstream.client.live import LiveClient
from lipstream.client.pictures import PictureDecoder
from lipstream.errors import Unavailable
from lipstream.wire.live_media import MediaKind, MediaMessage

__all__ = ["LipstreamVideoGenerator"]


class LipstreamVideoGenerator(VideoGenerator):
    """Speech in, pictures and the sound that belongs to them out.

    Args:
        server: such as `http://127.0.0.1:8080`.
        options: of `POST /v1/sessions`: avatar, size, sample_rate, seed.
    """

    def __init__(self, server: str, **options: Any) -> None:
        self._server = server
        self._options = options
        self._open = contextlib.AsyncExitStack()
        self._client: LiveClient | None = None
        self._resampler: rtc.AudioResampler | None = None
        self._resampled_hz = 0

    async def start(self) -> None:
        """Open the session.

        Raises:
            BadInput: the server refuses, in its own words.
            Unavailable: it cannot be reached.
        """
        opened = LiveClient.opened(self._server, **self._options)
        self._client = await self._open.enter_async_context(opened)

    async def aclose(self) -> None:
        """End the session."""
        self._client = None
        await self._open.aclose()

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        client = self._session()
        if isinstance(frame, AudioSegmentEnd):
            for rest in self._resampler.flush() if self._resampler else ():
                await client.speak(bytes(rest.data))
            self._resampler = None
            await client.end()
            return
        for piece in self._at_rate(frame, client.session["sample_rate"]):
            await client.speak(bytes(piece.data))

    async def clear_buffer(self) -> None:
        self._resampler = None
        await self._session().interrupt()

    async def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        client, decoder = self._session(), PictureDecoder()
        async for event in client.events():
            if isinstance(event, dict):
                if event["type"] == "agent.speak_finished":
                    yield AudioSegmentEnd()
                continue
            if event.kind is MediaKind.AUDIO:
                yield self._sound(event, client.session["sample_rate"])
                continue
            for picture in decoder.decode(event):
                planes = picture.to_ndarray(format="yuv420p")
                yield rtc.VideoFrame(
                    picture.width, picture.height, rtc.VideoBufferType.I420, planes.tobytes()
                )

    @staticmethod
    def _sound(media: MediaMessage, rate_hz: int) -> rtc.AudioFrame:
        return rtc.AudioFrame(media.payload, rate_hz, 1, len(media.payload) // 2)

    def _at_rate(self, frame: rtc.AudioFrame, rate_hz: int) -> list[rtc.AudioFrame]:
        if frame.sample_rate == rate_hz and frame.num_channels == 1:
            return [frame]
        if self._resampler is None or self._resampled_hz != frame.sample_rate:
            self._resampled_hz = frame.sample_rate
            self._resampler = rtc.AudioResampler(
                frame.sample_rate, rate_hz, num_channels=frame.num_channels
            )
        return self._resampler.push(frame)

    def _session(self) -> LiveClient:
        if self._client is None:
            raise Unavailable("The avatar's session is not open.", remedy="Call start() first.")
        return self._client
