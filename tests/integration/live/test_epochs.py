"""Interrupts and utterances that follow each other, at the servers of the live stages."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import numpy as np

from lipstream.avatar.fit import psnr_db
from lipstream.face.motion import Motion
from lipstream.render import Layout, View, open_renderer
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.v1 import audio_pb2, motion_pb2, render_pb2
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.conftest import SEED, Stubs, Utterance
from tests.integration.live.live_call import LiveCall
from tests.integration.live.messages import (
    EXTRACT,
    GENERATE,
    PCM16,
    RENDER,
    audio_requests,
    features_in,
    frames_request,
    motion_in,
    pictures_in,
)
from tests.integration.live.pictures import decoded
from tests.portrait import AVATAR

SIZE_PX = 256
LISTEN = audio_pb2.ExtractConfig(rate_hz=16_000, sample_format=PCM16)
MOVE = motion_pb2.GenerateConfig(seed=SEED)


def draw(codec: render_pb2.VideoCodec.ValueType) -> render_pb2.RenderConfig:
    return render_pb2.RenderConfig(avatar_id=AVATAR, size_px=SIZE_PX, codec=codec)


def long_motion(utterance: Utterance) -> Motion:
    return Motion.concatenate([utterance.motion] * 10)


def test_an_interrupt_makes_the_audio_stage_begin_afresh(
    stubs: Stubs, utterance: Utterance, other_utterance: Utterance
) -> None:
    call = LiveCall(stubs.audio.Extract, EXTRACT(config=LISTEN))
    call.send(*audio_requests(utterance.samples, 16_000, repeat(1600)))
    call.read()
    call.send(EXTRACT.interrupt(4))
    old = call.read_until("interrupt")
    assert {a.header.epoch for a in old[:-1]} <= {1}
    assert old[-1].header.epoch == 4
    # What was on its way under the old epoch is ignored.
    call.send(*audio_requests(utterance.samples, 16_000, repeat(8000)))
    call.send(*audio_requests(other_utterance.samples, 16_000, repeat(1000), epoch=4, start_us=99))
    new = call.finish()
    assert {a.header.epoch for a in new} == {4}
    np.testing.assert_allclose(features_in(new), other_utterance.features, atol=5e-5)
    assert new[0].header.pts_us == 99
    assert new[-1].HasField("end")


def test_an_interrupt_makes_the_motion_stage_begin_afresh(
    stubs: Stubs, utterance: Utterance, other_utterance: Utterance
) -> None:
    call = LiveCall(stubs.motion.Generate, GENERATE(config=MOVE))
    call.send(GENERATE(features=pack_tensor(utterance.features)))
    assert call.read().HasField("ready")
    call.send(GENERATE.interrupt(2))
    assert {a.header.epoch for a in call.read_until("interrupt")[:-1]} <= {1}
    call.send(GENERATE(2, features=pack_tensor(other_utterance.features)), GENERATE.end(2))
    new = call.finish()
    assert {a.header.epoch for a in new} == {2}
    wanted = other_utterance.motion
    np.testing.assert_allclose(motion_in(new).blendshapes, wanted.blendshapes, atol=5e-5)
    np.testing.assert_allclose(motion_in(new).rotation, wanted.rotation, atol=5e-5)


def test_utterances_follow_each_other_on_one_stream(
    stubs: Stubs, utterance: Utterance, other_utterance: Utterance
) -> None:
    call = LiveCall(stubs.motion.Generate, GENERATE(config=MOVE))
    for epoch, said in ((1, utterance), (2, other_utterance), (9, utterance)):
        call.send(GENERATE(epoch, features=pack_tensor(said.features)), GENERATE.end(epoch))
        answers = call.read_until("end")
        assert {a.header.epoch for a in answers if not a.HasField("ready")} == {epoch}
        got = motion_in(answers).blendshapes
        np.testing.assert_allclose(got, said.motion.blendshapes, atol=5e-5)
    assert call.finish() == []


def test_an_interrupt_stops_the_pictures_that_nobody_wants_any_more(
    stubs: Stubs, utterance: Utterance
) -> None:
    motion = long_motion(utterance)
    call = LiveCall(stubs.render.Render, RENDER(config=draw(render_pb2.VIDEO_CODEC_RGBA)))
    call.send(frames_request(motion), frames_request(motion))
    for _ in range(3):
        call.read()
    call.send(RENDER.interrupt(2), frames_request(motion, epoch=1))
    old = call.read_until("interrupt")
    # Some were drawn or on their way already; flow control keeps them few.
    assert len(old) < len(motion) // 2
    call.send(frames_request(motion[:5], epoch=2), RENDER.end(2))
    new = call.finish()
    assert [a.header.epoch for a in new] == [2] * 6
    assert len(pictures_in(new)) == 5


def test_after_an_interrupt_a_player_can_go_on_decoding(
    stubs: Stubs, utterance: Utterance, avatar_store: Path
) -> None:
    """Pictures that were encoded but never sent must not be needed by the next ones."""
    motion = long_motion(utterance)
    call = LiveCall(stubs.render.Render, RENDER(config=draw(render_pb2.VIDEO_CODEC_H264)))
    call.send(frames_request(motion))
    answers = [call.read() for _ in range(3)]
    call.send(RENDER.interrupt(2))
    answers += call.read_until("interrupt")
    call.send(frames_request(utterance.motion, epoch=2), RENDER.end(2))
    new = call.finish()
    assert [a.frame.keyframe for a in new[:3]] == [True, False, False]
    units = [a.frame for a in [*answers, *new] if a.HasField("frame")]
    pictures = decoded(units)
    assert len(pictures) == len(units)
    library = AvatarLibrary(open_store(str(avatar_store)))
    renderer = open_renderer(AvatarShelf(library).model(AVATAR), View(SIZE_PX))
    last = renderer.pose(utterance.motion, len(utterance.motion) - 1)
    assert psnr_db(pictures[-1], renderer.picture(last, Layout.RGB)) > 28


def test_a_viewer_gets_a_keyframe_on_request(stubs: Stubs, utterance: Utterance) -> None:
    call = LiveCall(stubs.render.Render, RENDER(config=draw(render_pb2.VIDEO_CODEC_H264)))
    call.send(frames_request(utterance.motion[:5]), RENDER.end(1))
    first = [a.frame.keyframe for a in call.read_until("end")[:-1]]
    call.send(RENDER(1, keyframe=render_pb2.KeyframeRequest()))
    call.send(frames_request(utterance.motion[5:8], epoch=2))
    second = [a.frame.keyframe for a in call.finish()]
    assert first == [True, False, False, False, False]
    assert second == [True, False, False]


def test_streams_at_the_same_time_do_not_touch_each_other(
    stubs: Stubs, utterance: Utterance, other_utterance: Utterance
) -> None:
    said = {"a": utterance, "b": other_utterance, "c": utterance}
    calls = {name: LiveCall(stubs.audio.Extract, EXTRACT(config=LISTEN)) for name in said}
    chunks = {
        name: list(audio_requests(u.samples, 16_000, repeat(977), session=name))
        for name, u in said.items()
    }
    for index in range(max(map(len, chunks.values()))):
        for name, call in calls.items():
            call.send(*chunks[name][index : index + 1])
    for name, call in calls.items():
        np.testing.assert_allclose(features_in(call.finish()), said[name].features, atol=5e-5)

    moves = {name: LiveCall(stubs.motion.Generate, GENERATE(config=MOVE)) for name in said}
    for start in range(0, len(utterance.features), 7):
        for name, move in moves.items():
            rows = said[name].features[start : start + 7]
            if len(rows):
                move.send(GENERATE(features=pack_tensor(rows)))
    for name, move in moves.items():
        move.send(GENERATE.end())
        got, wanted = motion_in(move.finish()), said[name].motion
        np.testing.assert_allclose(got.blendshapes, wanted.blendshapes, atol=5e-5)
        np.testing.assert_allclose(got.gaze, wanted.gaze, atol=5e-5)
