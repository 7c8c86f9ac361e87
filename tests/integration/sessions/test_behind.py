"""A session whose stages stand still for a moment."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import pairwise

import pytest

from lipstream.client import MediaKind
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.listener import Listener
from tests.integration.sessions.speech import RATE_HZ, speech
from tests.portrait import AVATAR

_FRAME_US = 40_000
_STILL_S = 0.8


def test_pictures_come_again_in_sync_and_no_word_is_lost(stack: LocalStack) -> None:
    async def stand_still(stage: str) -> None:
        os.kill(stack.pids[stage], signal.SIGSTOP)
        try:
            await asyncio.sleep(_STILL_S)
        finally:
            os.kill(stack.pids[stage], signal.SIGCONT)

    async def scene() -> tuple[Listener, list[int]]:
        marks = []
        async with Listener.opened(stack.url, avatar=AVATAR, size=64) as listener:
            await listener.until_media(5)
            await stand_still("audio")  # in silence
            marks.append(len(listener.media))
            await listener.until_media(len(listener.media) + 10)
            for utterance, stage in enumerate(("motion", "render"), 1):
                await listener.client.speak(speech())
                await listener.client.end()
                await listener.until("agent.speak_started", utterance)
                await asyncio.sleep(0.3)
                await stand_still(stage)
                marks.append(len(listener.media))
                await listener.until("agent.speak_finished", utterance)
            await listener.until_media(len(listener.media) + 10)
        return listener, marks

    listener, marks = asyncio.run(scene())
    assert not listener.of("error")
    sound = listener.of_media(MediaKind.AUDIO)
    assert b"".join(piece.payload for piece in sound) == 2 * speech()
    for finished in listener.of("agent.speak_finished"):
        assert not finished["interrupted"]
        assert finished["playback_position_ms"] == pytest.approx(len(speech()) / 48, abs=2)
    pauses_us = [
        after.pts_us - before.pts_us - len(before.payload) // 2 * 1_000_000 // RATE_HZ
        for before, after in pairwise(sound)
    ]
    assert min(pauses_us) >= -1
    starts_us = [started["pts_us"] for started in listener.of("agent.speak_started")]
    assert any(
        pause_us > _FRAME_US and before.pts_us < starts_us[1] - _FRAME_US
        for pause_us, before in zip(pauses_us, sound[:-1], strict=True)
    )
    behind = [event["behind"] for event in listener.of("session.behind")]
    assert behind == [True, False, True, False, True, False][: len(behind)] != []
    for first, last in zip(marks, [*marks[1:], len(listener.media)], strict=True):
        again = [media for _, media in listener.media[first:last]]
        pictures_us = [media.pts_us for media in again if media.kind is MediaKind.VIDEO]
        # Two that had waited in the stage may be first.
        assert len(pictures_us) > 7
        assert all((after - before) % _FRAME_US == 0 for before, after in pairwise(pictures_us))
        # Pictures belong to the sound that came with them.
        heard_us = [media.pts_us for media in again if media.kind is MediaKind.AUDIO]
        if heard_us:
            assert min(heard_us) < pictures_us[-1]
            # How many depends on how soon a busy machine has the stage draw again.
            assert sum(min(heard_us) <= seen_us <= max(heard_us) for seen_us in pictures_us) > 2
