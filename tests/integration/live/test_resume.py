"""A stream that breaks off goes on at another replica from its last snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import grpc
import numpy as np
import pytest

from lipstream.audio import resample
from lipstream.audio import service as audio
from lipstream.motion import service as motion
from lipstream.v1 import audio_pb2, audio_pb2_grpc, motion_pb2, motion_pb2_grpc
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.conftest import SEED, Stubs, Utterance
from tests.integration.live.live_call import LiveCall, failure_of
from tests.integration.live.messages import (
    EXTRACT,
    GENERATE,
    PCM16,
    audio_requests,
    check_times,
    features_in,
    motion_in,
)
from tests.integration.live.stage_host import StageHost

START_US = 5_000_000
EVERY_MS = 300


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stubs]:
    """Another replica of the stages."""
    with StageHost(tmp_path_factory.mktemp("elsewhere") / "objects") as host:
        channel = host.start("audio", audio.build)
        yield Stubs(
            audio_pb2_grpc.AudioServiceStub(channel),
            motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build)),
            None,
            channel,
        )


def listen(rate_hz: int, state: bytes = b"") -> audio_pb2.ExtractRequest:
    config = audio_pb2.ExtractConfig(
        rate_hz=rate_hz,
        sample_format=PCM16,
        resume_state=state,
        snapshot_interval_ms=EVERY_MS,
    )
    return EXTRACT(config=config)


def move(state: bytes = b"", seed: int = SEED) -> motion_pb2.GenerateRequest:
    config = motion_pb2.GenerateConfig(seed=seed, resume_state=state, snapshot_interval_ms=EVERY_MS)
    return GENERATE(config=config)


def cut_at_snapshot(call: LiveCall[Any], count: int) -> tuple[list[Any], Any]:
    """The answers before a snapshot, and it; what came after it is lost."""
    answers: list[Any] = []
    for _ in range(count):
        answers += call.read_until("snapshot")
    call.cancel()
    return answers[:-1], answers[-1]


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100, 48_000])
def test_features_go_on_where_they_were_cut(
    stubs: Stubs, elsewhere: Stubs, utterance: Utterance, rate_hz: int
) -> None:
    samples = resample(utterance.samples, 16_000, rate_hz)
    sizes = repeat(rate_hz // 45)
    whole = LiveCall(stubs.audio.Extract, listen(rate_hz))
    whole.send(*audio_requests(samples, rate_hz, sizes, start_us=START_US))
    wanted = [a for a in whole.finish() if not a.HasField("snapshot")]

    first = LiveCall(stubs.audio.Extract, listen(rate_hz))
    first.send(*audio_requests(samples, rate_hz, sizes, start_us=START_US))
    before, snapshot = cut_at_snapshot(first, 2)
    heard = round((snapshot.header.pts_us - START_US) * rate_hz / 1e6)
    assert 0.6 * rate_hz <= heard < 0.75 * rate_hz

    second = LiveCall(elsewhere.audio.Extract, listen(rate_hz, snapshot.snapshot.state))
    rest = audio_requests(samples[heard:], rate_hz, sizes, start_us=snapshot.header.pts_us)
    second.send(*rest)
    answers = [a for a in [*before, *second.finish()] if not a.HasField("snapshot")]
    np.testing.assert_allclose(features_in(answers), features_in(wanted), atol=5e-5)
    check_times(answers, "features", lambda a: a.features.values.shape[0], 20_000)
    assert answers[-1] == wanted[-1]


def test_motion_goes_on_where_it_was_cut(
    stubs: Stubs, elsewhere: Stubs, utterance: Utterance
) -> None:
    def pieces(first_row: int) -> list[motion_pb2.GenerateRequest]:
        return [
            GENERATE(
                pts_us=START_US + 20_000 * row,
                features=pack_tensor(utterance.features[row : row + 7]),
            )
            for row in range(first_row, len(utterance.features), 7)
        ]

    first = LiveCall(stubs.motion.Generate, move(), *pieces(0))
    before, snapshot = cut_at_snapshot(first, 3)
    heard = (snapshot.header.pts_us - START_US) // 20_000
    state = snapshot.snapshot.state
    # The seed of the saved stream goes on, whatever the new configuration says.
    second = LiveCall(elsewhere.motion.Generate, move(state, seed=99), *pieces(heard))
    second.send(GENERATE.end())
    answers = [*before, *second.finish()]
    got, wanted = motion_in(answers), utterance.motion
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), atol=5e-5)
    check_times(answers, "frames", lambda a: len(a.frames.gaze) // 16, 40_000)
    assert answers[-1].header.pts_us == START_US + 40_000 * len(wanted)


def test_after_a_resumption_the_next_epoch_starts_fresh(
    stubs: Stubs, elsewhere: Stubs, utterance: Utterance, other_utterance: Utterance
) -> None:
    first = LiveCall(stubs.audio.Extract, listen(16_000))
    first.send(*audio_requests(utterance.samples, 16_000, repeat(700)))
    _, snapshot = cut_at_snapshot(first, 1)
    second = LiveCall(elsewhere.audio.Extract, listen(16_000, snapshot.snapshot.state))
    second.send(EXTRACT.interrupt(2))
    second.send(*audio_requests(other_utterance.samples, 16_000, repeat(700), epoch=2))
    got = features_in(second.finish())
    np.testing.assert_allclose(got, other_utterance.features, atol=5e-5)


def test_a_state_of_something_else_is_refused(stubs: Stubs, utterance: Utterance) -> None:
    call = LiveCall(stubs.audio.Extract, listen(16_000))
    call.send(*audio_requests(utterance.samples, 16_000, repeat(700)))
    _, snapshot = cut_at_snapshot(call, 1)
    state = snapshot.snapshot.state
    assert failure_of(stubs.audio.Extract, listen(24_000, state)).code == "sample_rate"
    for wrong in (b"x", state[:-1], state + b"x", state[:40]):
        assert failure_of(stubs.audio.Extract, listen(16_000, wrong)).grpc_status == (
            grpc.StatusCode.INVALID_ARGUMENT.name
        )
    for wrong in (b"x", state, state[:-1]):
        assert failure_of(stubs.motion.Generate, move(wrong)).grpc_status == (
            grpc.StatusCode.INVALID_ARGUMENT.name
        )
