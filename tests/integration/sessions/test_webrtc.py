"""The same session over WebRTC, with aiortc as the other side."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.portrait import AVATAR

_WITHIN_S = 30


class _Viewer:
    """A browser, as far as the session can tell."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection()
        self.channel = self.peer.createDataChannel("control")
        self.events: list[dict[str, Any]] = []
        self.came = asyncio.Event()
        self.pictures: list[np.ndarray] = []  # type: ignore[type-arg]
        self.picture_times: list[float] = []
        self.loudness: list[tuple[float, float]] = []
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

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                for event in self.events:
                    if event["type"] == kind:
                        return event
                self.came.clear()
                await self.came.wait()

    def _found(self, track: Any) -> None:
        self._tasks.append(asyncio.create_task(self._watch(track)))

    def _told(self, message: str) -> None:
        self.events.append(json.loads(message))
        self.came.set()

    async def _watch(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                time_s = float(frame.pts * frame.time_base)
                if track.kind == "video":
                    self.pictures.append(frame.to_ndarray(format="gray"))
                    self.picture_times.append(time_s)
                else:
                    samples = frame.to_ndarray().astype(np.float32)
                    self.loudness.append((time_s, float(np.abs(samples).mean())))
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
    loud = [time_s for time_s, level in viewer.loudness if level > 300]
    assert 0.8 < loud[-1] - loud[0] < 4


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
