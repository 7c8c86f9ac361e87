"""The adapters, driven as their frameworks drive them; skipped where a framework is absent."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from lipstream.audio import resample, synthesize
from lipstream.audio.pcm import Samples
from tests.portrait import AVATAR

_WITHIN_S = 40


def _speech(rate_hz: int) -> Samples:
    speech = synthesize("My father saw a star.")
    samples = resample(speech.samples, speech.rate_hz, rate_hz)
    return (samples.clip(-1, 1) * 32767).astype("<i2")


def test_a_livekit_agent_gets_pictures_and_sound(server: str) -> None:
    pytest.importorskip("livekit.agents", reason="livekit-agents is not installed")
    from livekit import rtc
    from livekit.agents.voice.avatar import AudioSegmentEnd

    from lipstream.client.livekit import LipstreamVideoGenerator

    async def scene() -> list[Any]:
        generator = LipstreamVideoGenerator(server, avatar=AVATAR, size=96)
        await generator.start()
        speech = _speech(16_000)  # not the session's rate
        for first in range(0, len(speech), 1600):
            piece = speech[first : first + 1600]
            await generator.push_audio(rtc.AudioFrame(piece.tobytes(), 16_000, 1, len(piece)))
        await generator.push_audio(AudioSegmentEnd())
        given: list[Any] = []
        async with asyncio.timeout(_WITHIN_S):
            async for frame in generator:
                given.append(frame)
                if isinstance(frame, AudioSegmentEnd):
                    break
        await generator.push_audio(rtc.AudioFrame(speech.tobytes(), 16_000, 1, len(speech)))
        await generator.clear_buffer()
        async with asyncio.timeout(_WITHIN_S):
            async for frame in generator:
                if isinstance(frame, AudioSegmentEnd):
                    break
        await generator.aclose()
        return given

    given = asyncio.run(scene())
    pictures = [frame for frame in given if isinstance(frame, rtc.VideoFrame)]
    sound = [frame for frame in given if isinstance(frame, rtc.AudioFrame)]
    assert len(pictures) > 20
    assert {(picture.width, picture.height) for picture in pictures} == {(96, 96)}
    heard_s = sum(frame.samples_per_channel for frame in sound) / 24_000
    assert heard_s == pytest.approx(len(_speech(16_000)) / 16_000, abs=0.05)
    levels = [np.abs(np.frombuffer(frame.data, "<i2")).mean() for frame in sound]
    assert np.mean(levels) > 300


def test_a_pipecat_pipeline_gets_pictures_and_sound(server: str) -> None:
    pytest.importorskip("pipecat", reason="pipecat-ai is not installed")
    from pipecat.frames.frames import (
        OutputImageRawFrame,
        SpeechOutputAudioRawFrame,
        TTSAudioRawFrame,
        TTSStoppedFrame,
    )
    from pipecat.tests.utils import SleepFrame, run_test

    from lipstream.client.pipecat import LipstreamVideoService

    speech = _speech(24_000)

    async def scene() -> list[Any]:
        frames = [
            TTSAudioRawFrame(speech[first : first + 2400].tobytes(), 24_000, 1)
            for first in range(0, len(speech), 2400)
        ]
        down, _ = await run_test(
            LipstreamVideoService(server, avatar=AVATAR, size=96),
            frames_to_send=[*frames, TTSStoppedFrame(), SleepFrame(sleep=4.0)],
        )
        return list(down)

    down = asyncio.run(asyncio.wait_for(scene(), _WITHIN_S))
    pictures = [frame for frame in down if isinstance(frame, OutputImageRawFrame)]
    sound = [frame for frame in down if isinstance(frame, SpeechOutputAudioRawFrame)]
    assert len(pictures) > 20
    assert {picture.size for picture in pictures} == {(96, 96)}
    assert b"".join(frame.audio for frame in sound) == speech.tobytes()
    assert not [frame for frame in down if isinstance(frame, TTSAudioRawFrame)]
