"""The same session over WebRTC, with aiortc as the other side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket
from numpy.typing import NDArray

from tests.portrait import AVATAR

Doubles = NDArray[np.float64]

_WITHIN_S = 30
_PICTURE_HZ, _SOUND_HZ = 90_000, 48_000
"""Of RTP times."""


class _Viewer:
    """A browser, as far as the session can tell."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection()
        self.channel = self.peer.createDataChannel("control")
        self.events: list[dict[str, Any]] = []
        self.came = asyncio.Event()
        self.pictures: list[np.ndarray] = []  # type: ignore[type-arg]
        self.picture_times: list[int] = []
        self.loudness: list[tuple[int, float]] = []
        self.clocks: dict[str, tuple[float, int]] = {}
        """By kind of track: what its sender's report says, seconds and RTP time, counted from the
        first; browsers play in sync by these (RFC 3550, 6.4.1)."""
        self._tasks: list[asyncio.Task[None]] = []
        self.channel.on("message", self._told)
        self.peer.on("track", self._found)
        for kind in ("audio", "video"):
            self.peer.addTransceiver(kind, direction="recvonly")

    async def connect(self, server: str, document: dict[str, Any]) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        async with httpx.AsyncClient(base_url=server, trust_env=False) as http:
            answer = await http.post(
                f"/v1/sessions/{document['id']}/webrtc",
                json={"sdp": self.peer.localDescription.sdp, "type": "offer"},
                headers={"Authorization": f"Bearer {document['session_token']}"},
                timeout=_WITHIN_S,
            )
        assert answer.status_code == 200, answer.text
        await self.peer.setRemoteDescription(RTCSessionDescription(**answer.json()))
        for receiver in self.peer.getReceivers():
            self._read_reports(receiver)

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                for event in self.events:
                    if event["type"] == kind:
                        return event
                self.came.clear()
                await self.came.wait()

    def _read_reports(self, receiver: Any) -> None:
        take = receiver._handle_rtcp_packet

        async def taken(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                info = packet.sender_info
                first = receiver._RTCRtpReceiver__timestamp_mapper._origin
                if first is not None:
                    ahead = (info.rtp_timestamp - first + 2**31) % 2**32 - 2**31
                    self.clocks[receiver.track.kind] = info.ntp_timestamp / 2**32, ahead
            await take(packet)

        receiver._handle_rtcp_packet = taken

    def sent_s(self, kind: str, rtp_times: Sequence[float], rate_hz: int) -> Doubles:
        """RTP times on the clock of the sender."""
        seconds, rtp_time = self.clocks[kind]
        return np.asarray(seconds + (np.array(rtp_times) - rtp_time) / rate_hz)

    def _found(self, track: Any) -> None:
        self._tasks.append(asyncio.create_task(self._watch(track)))

    def _told(self, message: str) -> None:
        self.events.append(json.loads(message))
        self.came.set()

    async def _watch(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.pictures.append(frame.to_ndarray(format="gray"))
                    self.picture_times.append(frame.pts)
                else:
                    samples = frame.to_ndarray().astype(np.float32)
                    self.loudness.append((frame.pts, float(np.abs(samples).mean())))
        except MediaStreamError:
            return


def test_a_browser_sees_and_hears_the_session(server: str) -> None:
    async def scene() -> _Viewer:
        async with httpx.AsyncClient(base_url=server, trust_env=False, timeout=30) as http:
            answer = await http.post("/v1/sessions", json={"avatar": AVATAR, "size": 128})
            document = answer.json()
            viewer = _Viewer()
            await viewer.connect(server, document)
            async with asyncio.timeout(_WITHIN_S):
                while viewer.channel.readyState != "open":
                    await asyncio.sleep(0.02)
            viewer.channel.send("no json")
            viewer.channel.send(
                json.dumps({"type": "agent.speak", "text": "My father saw a star."})
            )
            await viewer.until("agent.speak_finished")
            await asyncio.sleep(0.5)
            await viewer.peer.close()
            await http.delete(f"/v1/sessions/{document['id']}")
        return viewer

    viewer = asyncio.run(scene())
    (refused,) = [event for event in viewer.events if event["type"] == "error"]
    assert refused["code"] == "bad_message"
    assert len(viewer.pictures) > 20
    assert viewer.pictures[0].shape == (128, 128)
    assert np.std(viewer.pictures[-1]) > 10  # a face, not grey
    assert np.diff(viewer.picture_times).min() > 0
    rtp_times, levels = np.array(viewer.loudness).T
    heard_s = viewer.sent_s("audio", rtp_times, _SOUND_HZ)
    loud_s = heard_s[levels > 300]
    assert 0.8 < loud_s[-1] - loud_s[0] < 4
    # The mouth moves with what is heard, by the clock with which a browser brings them together.
    seen_s = viewer.sent_s("video", viewer.picture_times, _PICTURE_HZ)
    mouth = np.stack(viewer.pictures)[:, 64:].astype(np.float64)
    moved = np.abs(mouth - np.median(mouth, axis=0)).mean((1, 2))
    loudness = np.convolve(levels, np.ones(5) / 5, mode="same")  # of 100 ms, as mouths move
    lags_s = np.arange(-0.6, 0.61, 0.02)
    alike = [np.corrcoef(moved, np.interp(seen_s - lag, heard_s, loudness))[0, 1] for lag in lags_s]
    assert abs(lags_s[int(np.argmax(alike))]) <= 0.12


def test_what_is_no_offer_and_whose_token_is_wrong_is_refused(server: str) -> None:
    with httpx.Client(base_url=server, trust_env=False, timeout=30) as http:
        document = http.post("/v1/sessions", json={"avatar": AVATAR, "size": 64}).json()
        path = f"/v1/sessions/{document['id']}/webrtc"
        right = {"Authorization": f"Bearer {document['session_token']}"}
        body = {"sdp": "v=0", "type": "offer"}
        assert http.post(path, json=body).json()["code"] == "bad_token"
        assert http.post(path, json=body, headers=right).json()["code"] == "bad_offer"
        answer = http.post(path, json={**body, "type": "answer"}, headers=right)
        assert answer.status_code == 422
        http.delete(f"/v1/sessions/{document['id']}")
