"""Audio to features to motion to pictures, through the servers of all three stages."""

from __future__ import annotations

from itertools import accumulate, cycle, islice, pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.audio import resample
from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.avatar.fit import psnr_db
from lipstream.face.motion import Floats, Motion
from lipstream.render import Drawable, Layout, Renderer, View, open_background, open_renderer
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.v1 import audio_pb2, motion_pb2, render_pb2
from tests.integration.live.conftest import SEED, Stubs, Utterance
from tests.integration.live.live_call import LONGEST_S
from tests.integration.live.messages import (
    EXTRACT,
    F32,
    PCM16,
    audio_requests,
    check_times,
    features_in,
    motion_in,
    motion_requests,
    pictures_in,
    render_requests,
)
from tests.integration.live.pictures import decoded
from tests.portrait import AVATAR

SIZE_PX = 128
START_US = 7_000_000
FRAME_US = 40_000
ODD_SIZES = (320, 1, 777, 160, 4801, 13)


def extracted(
    stubs: Stubs, requests: Any, rate_hz: int, sample_format: Any = PCM16
) -> list[audio_pb2.ExtractResponse]:
    config = audio_pb2.ExtractConfig(rate_hz=rate_hz, sample_format=sample_format)
    return list(stubs.audio.Extract(iter([EXTRACT(config=config), *requests]), timeout=LONGEST_S))


def generated(stubs: Stubs, answers: Any) -> list[motion_pb2.GenerateResponse]:
    return list(stubs.motion.Generate(motion_requests(answers, SEED), timeout=LONGEST_S))


def same_motion(got: Motion, wanted: Motion, tolerance: float) -> None:
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), atol=tolerance)


def in_process(utterance: Utterance) -> Floats:  # [T, D]
    """Features of the same chunks without a server."""
    ends = [0, *accumulate(islice(cycle(ODD_SIZES), utterance.samples.size // 100))]
    chunks = [utterance.samples[start:end] for start, end in pairwise(ends)]
    return np.concatenate(list(features_of(SpeechEncoder(), chunks)))


@pytest.fixture(scope="module")
def avatar(avatar_store: Path) -> Drawable:
    return AvatarShelf(AvatarLibrary(open_store(str(avatar_store)))).model(AVATAR)


@pytest.fixture(scope="module")
def renderer(avatar: Drawable) -> Renderer:
    return open_renderer(avatar, View(SIZE_PX))


def test_features_and_motion_are_those_of_the_whole_recording(
    stubs: Stubs, utterance: Utterance
) -> None:
    requests = audio_requests(utterance.samples, 16_000, cycle(ODD_SIZES), start_us=START_US)
    answers = extracted(stubs, requests, 16_000)
    np.testing.assert_allclose(features_in(answers), utterance.features, atol=5e-5)
    np.testing.assert_allclose(features_in(answers), in_process(utterance), atol=1e-5)
    check_times(answers, "features", lambda a: a.features.values.shape[0], 20_000)
    assert answers[0].HasField("ready")
    assert answers[1].header.pts_us == START_US
    assert answers[-1].HasField("end")
    assert answers[-1].header.pts_us == START_US + 20_000 * len(utterance.features)

    moving = generated(stubs, answers)
    assert moving[0].ready.fps == 25
    assert len(moving[0].ready.blendshape_names) == 52
    same_motion(motion_in(moving), utterance.motion, 5e-5)
    assert len(utterance.motion) == -(-len(utterance.features) // 2)
    check_times(moving, "frames", lambda a: len(a.frames.gaze) // 16, FRAME_US)
    assert moving[1].header.pts_us == START_US
    assert moving[-1].HasField("end")
    assert moving[-1].header.pts_us == START_US + FRAME_US * len(utterance.motion)
    headers = [answer.header for answer in answers] + [answer.header for answer in moving]
    assert {(header.session_id, header.epoch) for header in headers} == {("s", 1)}


@pytest.mark.parametrize(
    ("rate_hz", "sample_format"), [(24_000, PCM16), (48_000, PCM16), (44_100, F32), (8_000, F32)]
)
def test_other_rates_in_odd_chunks_give_the_motion_of_the_whole(
    stubs: Stubs, utterance: Utterance, rate_hz: int, sample_format: Any
) -> None:
    samples = resample(utterance.samples, 16_000, rate_hz)
    pieces = audio_requests(samples, rate_hz, cycle(ODD_SIZES), sample_format=sample_format)
    whole = audio_requests(samples, rate_hz, repeat(samples.size), sample_format=sample_format)
    in_pieces = extracted(stubs, pieces, rate_hz, sample_format)
    at_once = extracted(stubs, whole, rate_hz, sample_format)
    np.testing.assert_allclose(features_in(in_pieces), features_in(at_once), atol=5e-5)
    motion = motion_in(generated(stubs, in_pieces))
    same_motion(motion, motion_in(generated(stubs, at_once)), 5e-5)
    if rate_hz > 16_000:
        same_motion(motion, utterance.motion, 0.15)


@pytest.mark.parametrize(
    "codec",
    ["VIDEO_CODEC_H264", "VIDEO_CODEC_RGBA", "VIDEO_CODEC_YUV420P", "VIDEO_CODEC_H264_ALPHA"],
)
def test_all_stages_in_a_row_give_a_picture_for_each_frame(
    stubs: Stubs, utterance: Utterance, avatar: Drawable, renderer: Renderer, codec: str
) -> None:
    """Each stage takes what the one before it gives, as it comes."""
    config = audio_pb2.ExtractConfig(rate_hz=16_000, sample_format=F32)
    audio = audio_requests(
        utterance.samples, 16_000, repeat(640), start_us=START_US, sample_format=F32
    )
    features = stubs.audio.Extract(iter([EXTRACT(config=config), *audio]), timeout=LONGEST_S)
    motion = stubs.motion.Generate(motion_requests(features, SEED), timeout=LONGEST_S)
    chosen = render_pb2.RenderConfig(
        avatar_id=AVATAR, size_px=SIZE_PX, codec=render_pb2.VideoCodec.Value(codec)
    )
    answers = list(stubs.render.Render(render_requests(motion, chosen), timeout=LONGEST_S))

    assert answers[-1].HasField("end")
    assert answers[-1].header.pts_us == START_US + FRAME_US * len(utterance.motion)
    check_times(answers, "frame", lambda a: 1, FRAME_US)
    assert answers[0].header.pts_us == START_US
    data = pictures_in(answers)
    assert len(data) == len(utterance.motion)
    middle = len(data) // 2
    pose = renderer.pose(utterance.motion, middle)
    if codec == "VIDEO_CODEC_H264":
        pictures = decoded([a.frame for a in answers if a.HasField("frame")])
        assert len(pictures) == len(data)
        assert answers[0].frame.keyframe
        assert psnr_db(pictures[middle], renderer.picture(pose, Layout.RGB)) > 28
    elif codec == "VIDEO_CODEC_H264_ALPHA":
        both = decoded([a.frame for a in answers if a.HasField("frame")])[middle]
        assert both.shape == (SIZE_PX, 2 * SIZE_PX, 3)
        view = View(SIZE_PX, open_background("none"))
        alone = open_renderer(avatar, view).picture(pose, Layout.RGBA)
        assert psnr_db(both[:, SIZE_PX:], alone[..., 3:].repeat(3, axis=2)) > 28
        over_black = alone[..., :3] * (alone[..., 3:] / 255)
        assert psnr_db(both[:, :SIZE_PX], over_black.astype(np.uint8)) > 28
    elif codec == "VIDEO_CODEC_RGBA":
        assert all(a.frame.keyframe for a in answers[:-1])
        wanted = renderer.picture(pose, Layout.RGBA).reshape(-1)
        assert np.abs(data[middle].astype(int) - wanted).max() <= 1
    else:
        wanted = renderer.picture(pose, Layout.YUV420P).reshape(-1)
        assert np.abs(data[middle].astype(int) - wanted).max() <= 1
