"""Streams that are heard in one call of the encoder: each as it would be alone, to the last bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models import OwnExtractor, encode_recording
from tests.unit.motion.spoken import SENTENCES, spoken

_FRAME = 640
_PIECES = [[_FRAME], [_FRAME - 50, *[_FRAME] * 10], [320], [100, 700, 1_280, 5_000]]
"""Samples of each session's pieces, over and over: whole frames, out of step, single rows."""


@pytest.fixture(scope="module")
def speech() -> list[Samples]:
    return [spoken(SENTENCES[k % len(SENTENCES)]).waveform[:24_000] for k in range(len(_PIECES))]


def _pieces(samples: Samples, sizes: list[int]) -> list[Samples]:
    starts = [0]
    while starts[-1] < samples.size:
        starts.append(starts[-1] + sizes[(len(starts) - 1) % len(sizes)])
    return [samples[first:last] for first, last in pairwise(starts)]


def test_one_call_gives_each_its_own(speech: list[Samples]) -> None:
    extractor = OwnExtractor(SpeechEncoder())
    pieces = [_pieces(samples, sizes) for samples, sizes in zip(speech, _PIECES, strict=True)]
    alone = [extractor.initial_state() for _ in speech]
    states = [extractor.initial_state() for _ in speech]
    for turn in range(6):
        heard = [own[turn % len(own)] for own in pieces]
        results = extractor.step_many(heard, states)
        states = [state for _, state in results]
        for k, (features, _) in enumerate(results):
            expected, alone[k] = extractor.step(heard[k], alone[k])
            assert np.array_equal(features, expected)
            assert states[k].encode() == alone[k].encode()


def test_nobody_heard_nothing(speech: list[Samples]) -> None:
    extractor = OwnExtractor()
    assert extractor.step_many([], []) == []
    (features, _), (none, _) = extractor.step_many(
        [speech[0], speech[0][:0]], [extractor.initial_state(), extractor.initial_state()]
    )
    assert np.array_equal(features, encode_recording(extractor, [speech[0]]))
    assert none.shape == (0, extractor.feature_count)
