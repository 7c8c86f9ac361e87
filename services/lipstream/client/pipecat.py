"""An avatar in a Pipecat pipeline, behind the speech synthesis: `pip install 'lipstream[pipecat]'`.

Pipeline([..., tts, LipstreamVideoService("http://127.0.0.1:8080", avatar="me"), output])
"""

from __future__ import annotations

import contextlib
from typing import Any

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from lipstream.client.live import LiveClient
from lipstream.client.pictures import PictureDecoder
from lipstream.errors import LipstreamError
from lipstream.wire.live_media import MediaKind

__all__ = ["LipstreamVideoService"]


class LipstreamVideoService(FrameProcessor):
    """Takes the synthesised speech out of the pipeline, and puts pictures and the sound that
    belongs to them in its place. All other frames pass.

    Args:
        server: such as `http://127.0.0.1:8080`.
        options: of `POST /v1/sessions`: avatar, size, seed. The rate is 24000, which the speech
            synthesis must give too.
    """

    _RATE_HZ = 24_000

    def __init__(self, server: str, **options: Any) -> None:
        super().__init__()
        self._server = server
        self._options = {**options, "sample_rate": self._RATE_HZ}
        self._open = contextlib.AsyncExitStack()
        self._client: LiveClient | None = None
        self._listening: Any = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            await self._start()
        elif isinstance(frame, (EndFrame, CancelFrame)):
            await self._stop()
        client = self._client
        if client is not None and isinstance(frame, TTSAudioRawFrame):
            if frame.sample_rate != self._RATE_HZ or frame.num_channels != 1:
                await self.push_error(
                    f"The avatar takes mono speech of {self._RATE_HZ} Hz, not {frame.sample_rate} "
                    f"Hz in {frame.num_channels} channels."
                )
                return
            await client.speak(frame.audio)
            return  # it comes back with the pictures
        if client is not None and isinstance(frame, TTSStoppedFrame):
            await client.end()
        elif client is not None and isinstance(frame, InterruptionFrame):
            await client.interrupt()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._stop()

    async def _start(self) -> None:
        try:
            opened = LiveClient.opened(self._server, **self._options)
            self._client = await self._open.enter_async_context(opened)
        except LipstreamError as error:
            await self.push_error(f"The avatar's session cannot be opened: {error}")
            return
        self._listening = self.create_task(self._listen(self._client))

    async def _stop(self) -> None:
        self._client = None
        if self._listening is not None:
            await self.cancel_task(self._listening)
            self._listening = None
        await self._open.aclose()

    async def _listen(self, client: LiveClient) -> None:
        decoder = PictureDecoder()
        async for event in client.events():
            if isinstance(event, dict):
                continue
            if event.kind is MediaKind.AUDIO:
                sound = SpeechOutputAudioRawFrame(event.payload, self._RATE_HZ, 1)
                await self.push_frame(sound)
                continue
            for picture in decoder.decode(event):
                pixels = picture.to_ndarray(format="rgb24")
                size = (picture.width, picture.height)
                await self.push_frame(OutputImageRawFrame(pixels.tobytes(), size, "RGB"))
