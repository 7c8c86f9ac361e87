"""Speech as it comes: through a telephone, clipped, in noise; other voices and languages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.cli.speech import open_speech
from lipstream.evaluation.lip_track import LipTrack
from lipstream.face.motion import Motion
from lipstream.motion import DEFAULT_GENERATOR, generate, open_generator
from tests.shared_data import shared_data
from tests.unit.motion.spoken import spoken

_SHUT = 0.05
_WIDEST = 0.8
"""Opening; shouting people in recordings stay below."""


def _opening(samples: Samples) -> Samples:  # [T] 100 Hz
    chunks = np.split(samples, range(SAMPLE_RATE_HZ, len(samples), SAMPLE_RATE_HZ))
    features = features_of(SpeechEncoder(), chunks)
    motion = Motion.concatenate(generate(open_generator(DEFAULT_GENERATOR), features))
    return LipTrack.from_motion(motion).aperture


def _telephone(samples: Samples) -> Samples:
    band = butter(4, [300, 3400], "band", fs=SAMPLE_RATE_HZ, output="sos")
    narrow = resample_poly(sosfilt(band, samples), 1, 2)
    return resample_poly(narrow, 2, 1)[: len(samples)].astype(np.float32)


def _clipped(samples: Samples) -> Samples:
    peak = np.abs(samples).max()
    return np.clip(4 * samples, -peak, peak)


def _noisy(samples: Samples) -> Samples:
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    return samples + 0.1 * float(np.sqrt((samples**2).mean())) * noise


@pytest.fixture(scope="module")
def clean() -> tuple[Samples, Samples]:
    samples = spoken().waveform
    return samples, _opening(samples)


@pytest.mark.parametrize(
    ("spoil", "least_r"),
    [
        (_telephone, 0.8),
        (_clipped, 0.85),
        (_noisy, 0.85),
        (lambda samples: samples + np.float32(0.2), 0.9),  # an offset
        (lambda samples: samples / 2, 0.95),  # a stereo recording with a dead channel
        (lambda samples: samples / 32, 0.9),
    ],
    ids=["telephone", "clipped", "noisy", "offset", "dead channel", "faint"],
)
def test_spoilt_speech_moves_the_mouth_as_clean_speech_does(
    clean: tuple[Samples, Samples], spoil: Callable[[Samples], Samples], least_r: float
) -> None:
    samples, expected = clean
    opening = _opening(spoil(samples))
    assert np.corrcoef(opening, expected)[0, 1] > least_r
    shut, wanted = opening < _SHUT, expected < _SHUT
    assert (shut & wanted).sum() > 0.6 * (shut | wanted).sum()


def test_any_voice_moves_a_mouth_that_people_have() -> None:
    """Whisper, laughter, falsetto, long vowels, other languages."""
    folders = (shared_data("speech", "styles"), shared_data("speech", "multilingual"))
    files = [p for folder in folders for p in sorted(folder.iterdir()) if p.suffix != ".lab"]
    for path in files[::6]:
        source = open_speech(path, None, "en-us")
        opening = _opening(np.concatenate(list(source.chunks(SAMPLE_RATE_HZ))))
        assert np.isfinite(opening).all()
        assert opening.max() < _WIDEST, path.name
        assert (opening < _SHUT).mean() > 0.02, path.name
