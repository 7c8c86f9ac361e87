"""What a session shows changes while it runs: pictures, motion, background, framing."""

from __future__ import annotations

import asyncio
from typing import Any

import av
import numpy as np

from lipstream.client import MediaKind, MediaMessage
from lipstream.render.splats import Bytes
from tests.integration.sessions.listener import Listener
from tests.portrait import AVATAR

_MOTION_BYTES = 62 * 4
_GREEN = (0x20, 0xA0, 0x40)


def test_pictures_and_motion_follow_each_other_without_a_break(server: str) -> None:
    steps: tuple[dict[str, Any], ...] = (
        {"output": "motion"},
        {"output": "video", "background": "#20a040"},
        {"framing": {"zoom": 1.5, "offset": 0.1}},
        {"background": "none", "framing": {"zoom": 1, "offset": 0}},
    )

    async def scene() -> Listener:
        async with Listener.opened(server, avatar=AVATAR, size=128) as listener:
            for count, changes in enumerate(steps, start=2):  # the first came at the beginning
                await listener.until_media(len(listener.media) + 10)
                await listener.client.show(**changes)
                await listener.until("session.state_updated", count)
            await listener.until_media(len(listener.media) + 10)
        return listener

    listener = asyncio.run(scene())
    told = [event["output"] for event in listener.of("session.state_updated")]
    assert told == ["video", "motion", "video", "video", "video"]
    assert listener.of("error") == []
    shown = [media for _, media in listener.media if media.kind is not MediaKind.AUDIO]
    steps_us = np.diff([media.pts_us for media in shown])
    assert (steps_us > 0).all()  # each frame once, in order

    motion = listener.of_media(MediaKind.MOTION)
    assert {len(frame.payload) for frame in motion} == {_MOTION_BYTES}
    pictures = [each for each in listener.of_media(MediaKind.VIDEO) if not each.side_by_side]
    photo = _decoded([each for each in pictures if each.pts_us < motion[0].pts_us])[-1]
    green = _decoded([each for each in pictures if each.pts_us > motion[-1].pts_us])
    assert np.abs(photo[:8, -8:].mean((0, 1)) - _GREEN).max() > 40
    assert np.abs(green[0][:8, -8:].mean((0, 1)) - _GREEN).max() < 12
    closer = np.abs(green[-1].astype(float) - green[0]).mean()
    assert closer > 2 * np.abs(green[2].astype(float) - green[0]).mean()

    alone = [each for each in listener.of_media(MediaKind.VIDEO) if each.side_by_side]
    assert alone[0].pts_us > pictures[-1].pts_us
    picture = _decoded(alone)[0].astype(float)
    assert picture.shape == (128, 256, 3)
    colors, alpha = picture[:, :128], picture[:, 128:]
    over_green = colors + (1 - alpha / 255) * _GREEN
    assert np.abs(over_green[:8, -8:] - _GREEN).max() < 12  # nothing is there
    assert alpha[48:72, 56:72].min() > 240  # a face is
    assert colors[alpha < 4].mean() < 4  # of what is not there nothing is told


def test_what_cannot_be_shown_is_refused_and_all_goes_on(server: str) -> None:
    async def scene() -> Listener:
        async with Listener.opened(server, avatar=AVATAR, size="72x128") as listener:
            await listener.client.show(background="office.jpg")
            await listener.client.show(framing={"zoom": 1, "offset": 0.5})
            await listener.until("error", 2)
            await listener.until_media(len(listener.media) + 10)
        return listener

    listener = asyncio.run(scene())
    assert [error["code"] for error in listener.of("error")] == ["bad_message", "bad_message"]
    assert listener.client.session["size"] == "72x128"
    assert _decoded(listener.of_media(MediaKind.VIDEO))[0].shape == (128, 72, 3)


def _decoded(pictures: list[MediaMessage]) -> list[Bytes]:  # [H, W, 3] each
    assert pictures[0].keyframe
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for unit in pictures for frame in decoder.decode(av.Packet(unit.payload))]
    frames += decoder.decode(None)
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]
