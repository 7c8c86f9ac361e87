"""A session over WebRTC: the same pictures and sound as tracks, the same JSON on a data channel.

Pictures are passed on as the render stage encoded them; only sound is encoded here. Both tracks
take their times from the session's clock, so a browser plays them in sync.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from fractions import Fraction
from typing import Any

import av
from aiortc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError

from lipstream.errors import BadInput, LipstreamError
from lipstream.gateway.sessions.client_messages import obey
from lipstream.gateway.sessions.connection import Connection
from lipstream.gateway.sessions.events import error_event
from lipstream.gateway.sessions.held_session import HeldSession
from lipstream.gateway.sessions.live_session import LiveSession
from lipstream.wire.live_media import MediaKind, MediaMessage

__all__ = ["WebRtcPeer"]

_AUDIO_FRAME_US = 20_000
_SECOND_US = 1_000_000
_CONNECTING_S = 20.0
_MOST_HELD = 100
"""Pictures; far more than come ahead of their time."""


class WebRtcPeer:
    """One client of a session. Make it with `answered`; it ends by itself."""

    def __init__(self, held: HeldSession) -> None:
        self._held = held
        self._peer = RTCPeerConnection()
        self._video = _VideoTrack(held.live)
        self._audio = _AudioTrack(held.live)
        self._channel: RTCDataChannel | None = None
        self._over = asyncio.Event()
        self._connected = asyncio.Event()
        self._peer.addTransceiver(self._audio, direction="sendonly")
        video = self._peer.addTransceiver(self._video, direction="sendonly")
        # Pictures are H.264 already.
        codecs = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])
        self._peer.on("connectionstatechange", self._changed)
        self._peer.on("datachannel", self._opened)

    async def answer(self, sdp: str) -> str:
        """The answer to a client's offer; the session's media follow once they are connected.

        Raises:
            BadInput: it is no offer that can be answered.
        """
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except (ValueError, KeyError, IndexError, AttributeError, InvalidStateError) as error:
            await self._peer.close()
            raise BadInput(
                "The WebRTC offer cannot be answered.",
                remedy="Offer to receive one audio and one video track, H.264 among its codecs.",
                code="bad_offer",
            ) from error
        return str(self._peer.localDescription.sdp)

    async def serve(self) -> None:
        """Until the client, or the session, has had enough."""
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CONNECTING_S):
                    await self._connected.wait()
            if not self._connected.is_set():
                return
            with self._held.connected() as connection:
                passing = asyncio.create_task(self._pass_on(connection))
                over = asyncio.create_task(self._over.wait())
                await asyncio.wait({passing, over}, return_when=asyncio.FIRST_COMPLETED)
                for task in (passing, over):
                    task.cancel()
                await asyncio.gather(passing, over, return_exceptions=True)
        except LipstreamError:
            return  # the session has ended
        finally:
            await self._peer.close()

    async def _pass_on(self, connection: Connection) -> None:
        while (message := await connection.get()) is not None:
            if isinstance(message, str):
                self._tell(message)
                event = json.loads(message)
                self._audio.enter(event.get("sound_epoch", 0))
                continue
            media = MediaMessage.decode(message)
            if media.kind is MediaKind.VIDEO:
                self._video.put(media)
            elif media.kind is MediaKind.AUDIO:
                self._audio.put(media)
            else:
                self._tell(message)

    def _tell(self, message: str | bytes) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(message)

    def _changed(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            self._connected.set()
        elif state in ("failed", "closed"):
            self._over.set()

    def _opened(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._heard)

    def _heard(self, message: str | bytes) -> None:
        try:
            obey(self._held.live, message)
        except LipstreamError as error:
            self._tell(json.dumps(error_event(error)))


class _Track(MediaStreamTrack):
    """Gives what was put, each at its time, and drops what an interrupt made stale."""

    def __init__(self, live: LiveSession) -> None:
        super().__init__()
        self._live = live
        self._epoch = 0
        self._held: deque[MediaMessage] = deque(maxlen=_MOST_HELD)
        self._more = asyncio.Event()

    def enter(self, epoch: int) -> None:
        """Drop what is held of lower ones."""
        if epoch > self._epoch:
            self._epoch = epoch
            self._held.clear()

    def put(self, media: MediaMessage) -> None:
        self.enter(media.epoch)
        self._held.append(media)
        self._more.set()

    async def _until(self, pts_us: int) -> None:
        await asyncio.sleep(max(pts_us - self._live.now_us(), 0) / _SECOND_US)
        if self.readyState != "live":
            raise MediaStreamError


class _VideoTrack(_Track):
    kind = "video"

    async def recv(self) -> av.Packet[Any]:
        while True:
            while not self._held:
                self._more.clear()
                await self._more.wait()
            media = self._held[0]
            await self._until(media.pts_us)
            if self._held and self._held[0] is media:  # not made stale meanwhile
                self._held.popleft()
                packet = av.Packet(media.payload)
                packet.pts = media.pts_us
                packet.time_base = Fraction(1, _SECOND_US)
                return packet


class _AudioTrack(_Track):
    kind = "audio"

    def __init__(self, live: LiveSession) -> None:
        super().__init__(live)
        self._rate_hz = live.options.sample_rate
        self._samples = self._rate_hz * _AUDIO_FRAME_US // _SECOND_US
        self._next_us: int | None = None

    async def recv(self) -> av.AudioFrame:
        if self._next_us is None:
            self._next_us = self._live.now_us() // _AUDIO_FRAME_US * _AUDIO_FRAME_US
        pts_us = self._next_us
        self._next_us += _AUDIO_FRAME_US
        await self._until(pts_us)
        frame = av.AudioFrame(format="s16", layout="mono", samples=self._samples)
        frame.planes[0].update(self._heard(pts_us))
        frame.sample_rate = self._rate_hz
        frame.time_base = Fraction(1, self._rate_hz)
        frame.pts = pts_us * self._rate_hz // _SECOND_US
        return frame

    def _heard(self, pts_us: int) -> bytes:
        """The samples from here on, silence where there are none."""
        sound = bytearray(2 * self._samples)
        while self._held:
            media = self._held[0]
            begin = round((media.pts_us - pts_us) * self._rate_hz / _SECOND_US)
            end = begin + len(media.payload) // 2
            first, last = max(begin, 0), min(end, self._samples)
            if first < last:
                sound[2 * first : 2 * last] = media.payload[
                    2 * (first - begin) : 2 * (last - begin)
                ]
            if end > self._samples:
                break
            self._held.popleft()
        return bytes(sound)
