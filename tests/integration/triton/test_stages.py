"""The audio and motion stages over gRPC, with their models on the server."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio import service as audio
from lipstream.audio import synthesize
from lipstream.face.motion import Floats, Motion
from lipstream.inference import MODELS_VARIABLE
from lipstream.motion import service as motion
from lipstream.v1 import audio_pb2, audio_pb2_grpc, motion_pb2_grpc
from tests.integration.live.live_call import LONGEST_S
from tests.integration.live.messages import (
    EXTRACT,
    PCM16,
    audio_requests,
    features_in,
    motion_in,
    motion_requests,
)
from tests.integration.live.stage_host import StageHost
from tests.integration.triton.triton_process import TritonProcess

_SEED = 5


def test_stages_give_the_same_frames(
    triton: TritonProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    features, frames = _spoken(tmp_path)
    monkeypatch.setenv(MODELS_VARIABLE, triton.url)
    before = triton.counts("streaming_talker")
    served_features, served_frames = _spoken(tmp_path)
    assert triton.counts("streaming_talker") > before
    np.testing.assert_allclose(served_features, features, rtol=0, atol=1e-5)
    assert len(served_frames) == len(frames) > 20
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        got, expected = getattr(served_frames, name), getattr(frames, name)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def _spoken(folder: Path) -> tuple[Floats, Motion]:
    """What both stages make of a sentence."""
    speech = synthesize("Maple pies by the map.")
    config = audio_pb2.ExtractConfig(rate_hz=speech.rate_hz, sample_format=PCM16)
    pieces = audio_requests(speech.samples, speech.rate_hz, repeat(speech.rate_hz // 25))
    with StageHost(folder / "objects") as host:
        listening = audio_pb2_grpc.AudioServiceStub(host.start("audio", audio.build))
        moving = motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build))
        requests = iter([EXTRACT(config=config), *pieces])
        answers = list(listening.Extract(requests, timeout=LONGEST_S))
        frames = list(moving.Generate(motion_requests(answers, _SEED), timeout=LONGEST_S))
    return features_in(answers), motion_in(frames)
