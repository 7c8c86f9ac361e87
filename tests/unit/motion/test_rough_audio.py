"""Speech as it comes: through a telephone, clipped, in noise; other voices and languages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import butter, iirpeak, lfilter, resample_poly, sosfilt

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


def _sung() -> Samples:
    """Two vowels by turns, on a scale, with vibrato."""
    times_s = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    notes_hz = np.array([220, 247, 262, 294])[(2 * times_s).astype(int) % 4]
    hz = notes_hz * (1 + 0.02 * np.sin(2 * np.pi * 5.5 * times_s))
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
    voice = np.sum([np.cos(k * phase) / k for k in range(1, 25)], axis=0)
    vowels = [
        np.sum([lfilter(*iirpeak(hz, 8, fs=SAMPLE_RATE_HZ), voice) for hz in formants_hz], axis=0)
        for formants_hz in ((730, 1090, 2440), (300, 870, 2240))
    ]
    sung = np.where(times_s % 1 < 0.5, vowels[0], vowels[1]) * (times_s % 2 < 1.6)
    return np.asarray(0.3 * sung / np.abs(sung).max(), np.float32)


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


@pytest.mark.parametrize(
    "name",
    [
        "styles/whisper2.flac",
        "styles/mfa_laughter.flac",
        "styles/falsetto.flac",
        "styles/mfa_breathy.flac",
        "styles/mfa_creaky.flac",
        "styles/mfa_reallylong.flac",
        "styles/mfa_exaggerated.flac",
        "multilingual/common_voice_ja_24511055.mp3",
        "multilingual/se10x016-08071999-1334_u0016003.wav",
    ],
)
def test_any_voice_moves_a_mouth_that_people_have(name: str) -> None:
    source = open_speech(shared_data("speech", *name.split("/")), None, "en-us")
    opening = _opening(np.concatenate(list(source.chunks(SAMPLE_RATE_HZ)))[: 4 * SAMPLE_RATE_HZ])
    assert np.isfinite(opening).all()
    assert 0.2 < opening.max() < _WIDEST
    assert 0.02 < (opening < _SHUT).mean() < 0.9


def test_singing_moves_no_mouth_that_people_do_not_have() -> None:
    opening = _opening(_sung())
    assert np.isfinite(opening).all()
    assert 0.1 < opening.max() < _WIDEST
