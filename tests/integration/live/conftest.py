"""The live stages, once for all tests, and something to say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from lipstream.audio import resample, synthesize
from lipstream.audio import service as audio
from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.face.motion import Floats, Motion
from lipstream.motion import generate, open_generator
from lipstream.motion import service as motion
from lipstream.render import service as render
from lipstream.v1 import audio_pb2_grpc, motion_pb2_grpc, render_pb2_grpc
from tests.integration.live.stage_host import StageHost

SEED = 11


@dataclass(frozen=True, slots=True)
class Stubs:
    """Clients of the three live stages."""

    audio: Any
    motion: Any
    render: Any
    channel: grpc.Channel
    """To the audio stage."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence, and what the stages make of it without any stream."""

    samples: Samples  # [S] at 16 kHz
    features: Floats  # [T, D]
    motion: Motion


@pytest.fixture(scope="session")
def stubs(tmp_path_factory: pytest.TempPathFactory, avatar_store: Path) -> Iterator[Stubs]:
    objects = tmp_path_factory.mktemp("live") / "objects"
    shutil.copytree(avatar_store, objects)
    with StageHost(objects) as host:
        channel = host.start("audio", audio.build)
        yield Stubs(
            audio_pb2_grpc.AudioServiceStub(channel),
            motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build)),
            render_pb2_grpc.RenderServiceStub(host.start("render", render.build)),
            channel,
        )


@pytest.fixture(scope="session")
def utterance() -> Utterance:
    return say("We may bring my big blue boat by the pier.")


@pytest.fixture(scope="session")
def other_utterance() -> Utterance:
    return say("Thirteen foxes!")


def say(text: str) -> Utterance:
    speech = synthesize(text)
    # Through 16 bits, as most clients send it.
    samples = np.rint(resample(speech.samples, speech.rate_hz, SAMPLE_RATE_HZ) * 32768) / 32768
    samples = samples.clip(-1, 1 - 1 / 32768).astype(np.float32)
    features = np.concatenate(list(features_of(SpeechEncoder(), [samples])))
    frames = Motion.concatenate(generate(open_generator(), [features], seed=SEED))
    return Utterance(samples, features, frames)
