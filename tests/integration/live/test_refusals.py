"""What the live stages refuse: with a status, a code and a sentence, and they go on serving."""

from __future__ import annotations

import contextlib
from typing import Any

import grpc
import numpy as np
import pytest

from lipstream.errors import Overloaded
from lipstream.runtime.grpc_problems import error_of
from lipstream.v1 import audio_pb2, common_pb2, motion_pb2, render_pb2
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.conftest import Stubs, Utterance
from tests.integration.live.live_call import LONGEST_S, LiveCall, failure_of, problem_of
from tests.integration.live.messages import (
    EXTRACT,
    F32,
    FEATURES,
    GENERATE,
    PCM16,
    RENDER,
    features_in,
    frames_request,
)
from tests.integration.live.stage_host import MAX_CALLS
from tests.portrait import AVATAR

_NAN = np.full((2, FEATURES), np.nan, np.float32)
_H264 = render_pb2.VIDEO_CODEC_H264
_LISTEN = EXTRACT(config=audio_pb2.ExtractConfig(rate_hz=16_000, sample_format=PCM16))
_LISTEN_F32 = EXTRACT(config=audio_pb2.ExtractConfig(rate_hz=16_000, sample_format=F32))
_MOVE = GENERATE(config=motion_pb2.GenerateConfig())


def _listen(rate_hz: int, sample_format: Any) -> audio_pb2.ExtractRequest:
    return EXTRACT(config=audio_pb2.ExtractConfig(rate_hz=rate_hz, sample_format=sample_format))


def _heard(samples: bytes) -> audio_pb2.ExtractRequest:
    return EXTRACT(audio=audio_pb2.AudioChunk(samples=samples))


def _draw(**changed: Any) -> render_pb2.RenderRequest:
    config: dict[str, Any] = {"avatar_id": AVATAR, "size_px": 64, "codec": _H264} | changed
    return RENDER(config=render_pb2.RenderConfig(**config))


def _frames(rows: int = 1, gaze_rows: int = 1, value: float = 0.0) -> render_pb2.RenderRequest:
    numbers = np.full((rows, 52), value, np.float32).tobytes()
    other = {"rotation": bytes(12 * rows), "translation": bytes(12 * rows)}
    return RENDER(
        frames=common_pb2.MotionFrames(blendshapes=numbers, gaze=bytes(16 * gaze_rows), **other)
    )


_AUDIO = {
    "no config": ([_heard(b"")], "INVALID_ARGUMENT", "no_config"),
    "second config": ([_LISTEN, _LISTEN], "INVALID_ARGUMENT", "second_config"),
    "more after the end": ([_LISTEN, EXTRACT.end(), _heard(b"")], "INVALID_ARGUMENT", "after_end"),
    "rate of 0": ([_listen(0, PCM16)], "INVALID_ARGUMENT", "sample_rate"),
    "rate of a bat": ([_listen(192_000, PCM16)], "INVALID_ARGUMENT", "sample_rate"),
    "no format": ([_listen(16_000, 0)], "INVALID_ARGUMENT", "bad_input"),
    "format from the future": ([_listen(16_000, 77)], "INVALID_ARGUMENT", "bad_input"),
    "half a sample": ([_LISTEN, _heard(b"abc")], "INVALID_ARGUMENT", "bad_input"),
    "NaN": (
        [_LISTEN_F32, _heard(np.full(9, np.nan, np.float32).tobytes())],
        "INVALID_ARGUMENT",
        "bad_input",
    ),
    "nothing in it": ([_LISTEN, EXTRACT()], "INVALID_ARGUMENT", "bad_input"),
}

_MOTION = {
    "no config": ([GENERATE.end()], "INVALID_ARGUMENT", "no_config"),
    "other width": (
        [_MOVE, GENERATE(features=pack_tensor(np.zeros((2, 3), np.float32)))],
        "INVALID_ARGUMENT",
        "bad_input",
    ),
    "shape without data": (
        [_MOVE, GENERATE(features=common_pb2.Tensor(shape=(9, FEATURES), data=b"1234"))],
        "INVALID_ARGUMENT",
        "bad_input",
    ),
    "a billion rows": (
        [_MOVE, GENERATE(features=common_pb2.Tensor(shape=(10**9, FEATURES)))],
        "OUT_OF_RANGE",
        "too_large",
    ),
    "NaN": ([_MOVE, GENERATE(features=pack_tensor(_NAN))], "INVALID_ARGUMENT", "bad_input"),
}

_RENDER = {
    "no config": ([_frames()], "INVALID_ARGUMENT", "no_config"),
    "unknown avatar": ([_draw(avatar_id="nobody")], "NOT_FOUND", "not_found"),
    "path as avatar": ([_draw(avatar_id="../x")], "INVALID_ARGUMENT", "bad_name"),
    "no codec": ([_draw(codec=0)], "INVALID_ARGUMENT", "bad_codec"),
    "codec from the future": ([_draw(codec=44)], "INVALID_ARGUMENT", "bad_codec"),
    "odd size": ([_draw(size_px=65)], "INVALID_ARGUMENT", "bad_size"),
    "size of a wall": ([_draw(size_px=1 << 30)], "INVALID_ARGUMENT", "bad_size"),
    "wider than high": ([_draw(size_px=128, height_px=64)], "INVALID_ARGUMENT", "bad_size"),
    "H264 with alpha": ([_draw(background="none")], "INVALID_ARGUMENT", "no_alpha"),
    "a file": ([_draw(background="/etc/passwd")], "INVALID_ARGUMENT", "bad_background"),
    "NaN frames a second": ([_draw(fps=float("nan"))], "INVALID_ARGUMENT", "bad_input"),
    "raw, backwards": (
        [_draw(fps=-25.0, codec=render_pb2.VIDEO_CODEC_RGBA)],
        "INVALID_ARGUMENT",
        "bad_input",
    ),
    "fields disagree": ([_draw(), _frames(2, 3)], "INVALID_ARGUMENT", "bad_input"),
    "NaN": ([_draw(), _frames(value=np.nan)], "INVALID_ARGUMENT", "bad_input"),
}


_CASES = [
    pytest.param(stage, *case, id=f"{stage}: {name}")
    for stage, cases in (("audio", _AUDIO), ("motion", _MOTION), ("render", _RENDER))
    for name, case in cases.items()
]


def _method(stubs: Stubs, stage: str) -> Any:
    return {
        "audio": stubs.audio.Extract,
        "motion": stubs.motion.Generate,
        "render": stubs.render.Render,
    }[stage]


@pytest.mark.parametrize(("stage", "requests", "status", "code"), _CASES)
def test_what_cannot_be_used_is_refused(
    stubs: Stubs, stage: str, requests: list[Any], status: str, code: str
) -> None:
    error = failure_of(_method(stubs, stage), *requests)
    assert (error.grpc_status, error.code) == (status, code)
    assert error.message.endswith(".")
    assert "Traceback" not in str(error)


@pytest.mark.parametrize("stage", ["audio", "motion", "render"])
def test_a_stream_of_nothing_ends_well(stubs: Stubs, stage: str) -> None:
    assert LiveCall(_method(stubs, stage)).finish() == []


def test_numbers_beyond_all_measure_are_drawn_as_well_as_can_be(
    stubs: Stubs, utterance: Utterance
) -> None:
    call = LiveCall(stubs.render.Render, _draw())
    for value in (-1e30, 1e30, 3.0):
        call.send(_frames(value=value))
    call.send(frames_request(utterance.motion[:1]))
    assert len(call.finish()) == 4


def test_clients_that_vanish_leave_their_places(stubs: Stubs, utterance: Utterance) -> None:
    """Many more of them than the server takes at once."""
    for _ in range(4 * MAX_CALLS):
        call = LiveCall(stubs.motion.Generate, _MOVE)
        call.send(GENERATE(features=pack_tensor(utterance.features)))
        with contextlib.suppress(grpc.RpcError):  # the last ones may not be gone yet
            call.read()
        call.cancel()
    assert any(_is_served(stubs) for _ in range(200))


def _is_served(stubs: Stubs) -> bool:
    try:
        return len(LiveCall(stubs.motion.Generate, _MOVE).finish()) == 1
    except grpc.RpcError as error:
        if isinstance(error_of(error), Overloaded):
            return False
        raise


def test_an_utterance_without_audio_ends_at_once(stubs: Stubs) -> None:
    call = LiveCall(stubs.audio.Extract, _LISTEN)
    call.send(EXTRACT(1, 123, end=common_pb2.EndOfUtterance()))
    _, *answers = call.finish()
    assert len(features_in(answers)) == 0
    assert [(a.HasField("end"), a.header.pts_us) for a in answers] == [(True, 123)]


def test_bytes_that_are_no_message_are_refused(stubs: Stubs) -> None:
    raw: Any = stubs.channel.stream_stream("/lipstream.v1.AudioService/Extract")
    requests = [_LISTEN.SerializeToString(), b"\xff\xff\xff\xff"]
    error = problem_of(lambda: list(raw(iter(requests), timeout=LONGEST_S)))
    assert (error.grpc_status, error.code) == ("INVALID_ARGUMENT", "malformed")
