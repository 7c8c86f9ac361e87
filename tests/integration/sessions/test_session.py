"""Live sessions over real stages: speech in, pictures out, interrupts, refusals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import Any

import av
import httpx
import numpy as np
import pytest
import redis

from lipstream.client import LiveClient, MediaKind
from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats
from lipstream.gateway.sessions.session_token import new_token
from lipstream.runtime.local_stack import LocalStack
from lipstream.wire.streams import session_key
from tests.integration.sessions.listener import Listener
from tests.integration.sessions.speech import RATE_HZ, TEXT, speech
from tests.portrait import AVATAR

_FRAME_US = 40_000


def _jaw(listener: Listener) -> tuple[Floats, Floats]:
    """Times in seconds and jaw opening of the motion that came."""
    frames = listener.of_media(MediaKind.MOTION)
    jaws = [np.frombuffer(frame.payload, "<f4")[INDEX["jawOpen"]] for frame in frames]
    return np.array([frame.pts_us for frame in frames]) / 1e6, np.array(jaws)


def _paused(listener: Listener, times: Floats) -> Floats:
    """For how long speech had paused by then, seconds, as it does where the machine is busy."""
    sound = listener.of_media(MediaKind.AUDIO)
    starts = np.array([piece.pts_us for piece in sound]) / 1e6
    lasted = np.array([len(piece.payload) // 2 for piece in sound]) / RATE_HZ
    pauses = np.concatenate([[0], starts[1:] - starts[:-1] - lasted[:-1]]).cumsum()
    places = np.searchsorted(starts, times + _FRAME_US / 1e6, side="right") - 1
    return np.asarray(pauses[np.maximum(places, 0)])


def test_speech_becomes_pictures_and_sound_on_one_clock(server: str) -> None:
    async def scene() -> Listener:
        async with Listener.opened(server, avatar=AVATAR, size=128) as listener:
            client = listener.client
            await client.speak(speech())  # all at once
            await client.end()
            await listener.until("agent.speak_finished")
            await asyncio.sleep(0.5)
        return listener

    listener = asyncio.run(scene())
    first = listener.events[0]
    assert (first["type"], first["state"]) == ("session.state_updated", "idle")
    (started,), (finished,) = (
        listener.of("agent.speak_started"),
        listener.of("agent.speak_finished"),
    )
    sound = listener.of_media(MediaKind.AUDIO)
    assert b"".join(piece.payload for piece in sound) == speech()
    ends = [piece.pts_us + len(piece.payload) // 2 * 1_000_000 // RATE_HZ for piece in sound]
    assert sound[0].pts_us == started["pts_us"]
    gaps = np.subtract([piece.pts_us for piece in sound[1:]], ends[:-1])
    # Whole, but for pauses of frames, if the machine was too busy.
    assert (np.abs(gaps - np.round(gaps / _FRAME_US) * _FRAME_US) <= 1).all()
    assert gaps.min() >= -1
    assert not finished["interrupted"]
    assert finished["playback_position_ms"] == pytest.approx(len(speech()) / 48, abs=2)

    pictures = listener.of_media(MediaKind.VIDEO)
    assert pictures[0].keyframe
    times = np.array([picture.pts_us for picture in pictures])
    assert (np.diff(times) % _FRAME_US == 0).all()
    decoder = av.CodecContext.create("h264", "r")
    decoded = [
        frame for picture in pictures for frame in decoder.decode(av.Packet(picture.payload))
    ] + decoder.decode(None)
    assert len(decoded) == len(pictures)
    assert {(frame.width, frame.height) for frame in decoded} == {(128, 128)}
    spoken = (times > started["pts_us"]) & (times < ends[-1])
    grey = np.stack([frame.to_ndarray(format="gray") for frame in decoded]).astype(np.float32)
    moved = np.abs(np.diff(grey, axis=0)).mean((1, 2))
    assert moved[spoken[1:]].mean() > 1.5 * moved[~spoken[1:]].mean()


def test_an_interrupt_stops_sound_and_mouth_at_once_and_the_face_lives_on(server: str) -> None:
    async def scene() -> tuple[Listener, int]:
        options = {"avatar": AVATAR, "output": "motion"}
        async with Listener.opened(server, **options) as listener:
            client = listener.client
            await client.say(TEXT)
            await client.say("And this will never be heard.")
            await listener.until("agent.speak_started")
            await asyncio.sleep(1.0)
            await client.interrupt()
            await listener.until("agent.speak_finished", 1)
            known = len(listener.media)
            await asyncio.sleep(1.5)
            told = len(listener.of("agent.speak_finished"))
            await client.say("Baa!")
            await listener.until("agent.speak_finished", told + 1)
        return listener, known

    listener, known = asyncio.run(scene())
    finished = listener.of("agent.speak_finished")
    assert [event["interrupted"] for event in finished][:1] == [True]
    assert not finished[-1]["interrupted"]
    assert len({event["utterance"] for event in finished}) == len(finished)
    epoch = max(media.epoch for _, media in listener.media)
    after = [media for _, media in listener.media[known:] if media.epoch == epoch]
    motion = [media for media in after if media.kind is MediaKind.MOTION]
    jaws = np.array([np.frombuffer(frame.payload, "<f4")[INDEX["jawOpen"]] for frame in motion])
    assert jaws[3:25].max() < 0.02  # at rest 120 ms later, for as long as nobody speaks
    assert jaws[-25:].max() > 0.05  # and it speaks again
    turned = np.array([np.frombuffer(frame.payload, "<f4")[52:55] for frame in motion])
    assert np.abs(np.diff(turned, axis=0)).max() < 0.03  # radians a frame: nothing jumps
    assert np.abs(np.diff(turned[5:25], axis=0)).max() > 0  # alive


def test_controls_change_a_living_face(server: str) -> None:
    async def scene() -> Listener:
        options = {"avatar": AVATAR, "output": "motion", "controls": {"emotion": {"sadness": 1}}}
        async with Listener.opened(server, **options) as listener:
            await asyncio.sleep(0.5)
            await listener.client.direct(emotion={"amazement": 1}, gaze={"yaw_deg": 20})
            await asyncio.sleep(1.0)
            await listener.client.direct(emotion={"happiness": 1})
            await listener.until("error")
        return listener

    listener = asyncio.run(scene())
    frames = listener.of_media(MediaKind.MOTION)
    motion = np.array([np.frombuffer(frame.payload, "<f4") for frame in frames])
    frown, brow = motion[:, INDEX["mouthFrownLeft"]], motion[:, INDEX["browOuterUpLeft"]]
    assert frown[0] > 0.7
    assert frown[-1] == 0
    assert brow[-1] > 0.9
    assert np.abs(np.diff(brow)).max() < 0.45
    assert np.degrees(motion[-1, 58]) > 12
    (refused,) = listener.of("error")
    assert "no emotion 'happiness'" in refused["detail"]


def test_sessions_do_not_hear_each_other(server: str) -> None:
    texts = (TEXT, "Bob put a maple table by the map.")

    async def scene(text: str) -> tuple[Floats, Floats]:
        options = {"avatar": AVATAR, "output": "motion", "seed": 5}
        async with Listener.opened(server, **options) as listener:
            client = listener.client
            await client.speak(speech(text))
            await client.end()
            await listener.until("agent.speak_finished")
        start = listener.of("agent.speak_started")[0]["pts_us"] / 1e6
        times, jaws = _jaw(listener)
        return times - start - _paused(listener, times), jaws

    async def both() -> list[tuple[Floats, Floats]]:
        return list(await asyncio.gather(*(scene(text) for text in texts)))

    alone = [asyncio.run(scene(text)) for text in texts]
    together = asyncio.run(both())
    for (times, jaws), (own_times, own_jaws) in zip(alone, together, strict=True):
        frames, own_frames = (np.round(own / 0.04).astype(int) for own in (times, own_times))
        # Those that were on time in both, however busy the machine.
        _, here, there = np.intersect1d(frames, own_frames, return_indices=True)
        said = frames[here] >= 0
        assert said.sum() > 10
        assert np.corrcoef(jaws[here][said], own_jaws[there][said])[0, 1] > 0.98


def test_what_cannot_be_done_is_refused_by_name(server: str) -> None:
    async def scene() -> Listener:
        async with Listener.opened(server, avatar=AVATAR, output="motion") as listener:
            client = listener.client
            await client.keep_alive()  # which is not refused, and answered with nothing
            await client.speak(b"odd")
            await client._socket.send("no json")
            await client._socket.send('{"type": "agent.dance"}')
            await client._socket.send('{"type": "agent.speak", "audio": "%%%"}')
            await client.say("Hello.", voice="klingon-of-old")
            await listener.until("error", 5)
            await client._send("x" * 10_000_000)
            await listener.until("session.state_updated", 2)  # connected again
            await client.say("Still here.")
            await listener.until("agent.speak_finished")
        return listener

    errors = [event["code"] for event in asyncio.run(scene()).of("error")]
    assert errors[:4] == ["odd_audio", "bad_message", "bad_message", "bad_message"]
    assert errors[4:] == ["unknown_voice", "message_too_large"]


def test_wrong_tokens_avatars_and_numbers_are_refused(server: str) -> None:
    async def attach(document: dict[str, str], token: str) -> None:
        async with LiveClient.attached(server, {**document, "session_token": token}):
            pass

    def opened(**options: object) -> httpx.Response:
        return httpx.post(f"{server}/v1/sessions", json=options, trust_env=False, timeout=30)

    async def missing() -> None:
        async with LiveClient.opened(server, avatar="nobody"):
            pass

    with pytest.raises(BadInput) as caught:
        asyncio.run(missing())
    assert caught.value.code == "not_found"
    assert opened(avatar=AVATAR, size=11).status_code == 422
    assert opened(avatar=AVATAR, sample_rate=8_000).status_code == 422
    assert opened(avatar=AVATAR, voice="klingon-of-old").json()["code"] == "unknown_voice"
    document = opened(avatar=AVATAR, output="motion").json()
    others = [opened(avatar=AVATAR, output="motion").json()["id"] for _ in range(2)]
    full = opened(avatar=AVATAR, output="motion")
    for session_id in others:
        httpx.delete(f"{server}/v1/sessions/{session_id}", trust_env=False).raise_for_status()
    assert full.status_code == 429
    assert full.json()["code"] == "sessions_full"
    assert full.headers["retry-after"]
    with pytest.raises(BadInput) as caught:
        asyncio.run(attach(document, "wrong"))
    assert caught.value.code == "bad_token"
    asyncio.run(attach(document, document["session_token"]))
    asyncio.run(attach(document, document["session_token"]))  # again, after it was dropped
    url = f"{server}/v1/sessions/{document['id']}"
    assert httpx.get(url, trust_env=False).json()["state"] == "idle"
    assert httpx.delete(url, trust_env=False).status_code == 204
    assert httpx.get(url, trust_env=False).status_code == 404


def test_a_token_opens_its_session_for_a_while_and_can_be_renewed(stack: LocalStack) -> None:
    async def scene() -> None:
        async with Listener.opened(stack.url, avatar=AVATAR, output="motion") as listener:
            live = listener.client
            client: Any = redis.Redis.from_url(stack.redis_url, decode_responses=True)
            key = session_key(live.session["id"])
            secret = json.loads(client.hget(key, "snapshot"))["secret"]
            good, expired = live.session["session_token"], new_token(secret, -1)
            other = {**live.session, "session_token": good[:-1] + ("0" if good[-1] != "0" else "1")}
            longer = {**live.session, "session_token": f"f{good}"}  # good until later, it says
            live.session["session_token"] = expired
            for document, code in (
                (live.session, "expired_token"),
                (other, "bad_token"),
                (longer, "bad_token"),
            ):
                with pytest.raises(BadInput) as caught:
                    async with LiveClient.attached(stack.url, document):
                        pass
                assert caught.value.code == code
            live._socket.transport.abort()
            await listener.until("session.state_updated", 2)  # with another token
            assert live.session["session_token"] != expired

    asyncio.run(scene())


def test_speech_comes_and_goes_at_the_rate_of_the_session(server: str) -> None:
    async def scene(rate_hz: int) -> None:
        samples = speech("Baa!", rate_hz)
        options = {"avatar": AVATAR, "output": "motion", "sample_rate": rate_hz}
        async with Listener.opened(server, **options) as listener:
            await listener.client.speak(samples)
            await listener.client.end()
            finished = await listener.until("agent.speak_finished")
            sound = listener.of_media(MediaKind.AUDIO)
        assert b"".join(piece.payload for piece in sound) == samples
        lasts_ms = 1e3 * len(samples) / 2 / rate_hz
        assert finished["playback_position_ms"] == pytest.approx(lasts_ms, abs=2)
        assert _jaw(listener)[1].max() > 0.05

    async def both() -> None:
        await asyncio.gather(scene(16_000), scene(48_000))

    asyncio.run(both())


@pytest.mark.parametrize("stages", [("audio", "motion"), ("render",)])
def test_a_session_outlives_killed_stages(stack: LocalStack, stages: tuple[str, ...]) -> None:
    """It goes on from their last state: nothing is said twice, and the head does not jump."""
    pictures = "render" in stages

    async def scene() -> Listener:
        options = {"avatar": AVATAR, "output": "video" if pictures else "motion", "size": 64}
        async with Listener.opened(stack.url, **options) as listener:
            await listener.client.speak(speech())
            await listener.client.end()
            await listener.until("agent.speak_started")
            await listener.client.direct(emotion={"amazement": 1})
            for stage in stages:
                os.kill(stack.pids[stage], signal.SIGKILL)
            await listener.until("agent.speak_finished")
            known = len(listener.media)
            await listener.until_media(known + 25)  # the stages have come back
            await listener.client.say("Baa!")
            await listener.until("agent.speak_finished", 2)
            listener.media = listener.media[known:]
        return listener

    listener = asyncio.run(scene())
    assert not listener.of("error")
    assert not any(event["interrupted"] for event in listener.of("agent.speak_finished"))
    if pictures:
        times = [frame.pts_us for frame in listener.of_media(MediaKind.VIDEO)]
        assert (np.diff(times) % _FRAME_US == 0).all()
        return
    motion = listener.of_media(MediaKind.MOTION)
    frames = np.array([np.frombuffer(frame.payload, "<f4") for frame in motion])
    assert np.abs(np.diff(frames[:, 52:55], axis=0)).max() < 0.03
    assert frames[:, INDEX["jawOpen"]].max() > 0.05
    assert frames[-25:, INDEX["browOuterUpLeft"]].min() > 0.9  # as it was asked to look
