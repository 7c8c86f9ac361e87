"""Sounds in which nobody speaks, made by formula: a mouth must rest through all of them.

They are not the sounds that training draws at random, and they are the same in every evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples

__all__ = ["QUIET_SOUND_S", "quiet_sounds"]

QUIET_SOUND_S = 20.0
_PEAK = 0.2
_HUM_HZ = (50.0, 100.0, 150.0, 250.0)
_CHORDS_HZ = (
    (220.0, 277.2, 329.6),
    (196.0, 246.9, 293.7),
    (174.6, 220.0, 261.6),
    (164.8, 207.7, 246.9),
)
_CHORD_S, _NOTE_S = 1.6, 0.4
_HARMONICS = 6

Doubles = NDArray[np.float64]


def quiet_sounds() -> Mapping[str, Samples]:
    """By name, each `# [S]` of 20 s at 16 kHz with its peak at -14 dB full scale."""
    count = int(QUIET_SOUND_S * SAMPLE_RATE_HZ)
    times_s = np.arange(count) / SAMPLE_RATE_HZ
    rng = np.random.default_rng(20)
    sounds = {
        "silence": np.zeros(count),
        "white noise": rng.standard_normal(count),
        "pink noise": _pink(rng.standard_normal(count)),
        "hum": np.sum([np.sin(2 * np.pi * hz * times_s) / k for k, hz in enumerate(_HUM_HZ, 1)], 0),
        "music": _music(times_s),
    }
    return MappingProxyType({name: _scaled(sound) for name, sound in sounds.items()})


def _pink(white: Doubles) -> Doubles:
    hz = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(hz, 20.0))
    return np.asarray(np.fft.irfft(spectrum, len(white)), np.float64)


def _music(times_s: Doubles) -> Doubles:
    """Plucked notes that walk through the chords of a cadence, with a held bass under them."""
    chord = (times_s / _CHORD_S).astype(int) % len(_CHORDS_HZ)
    step = (times_s / _NOTE_S).astype(int)
    since_s = times_s - step * _NOTE_S
    notes_hz = np.array(_CHORDS_HZ)
    melody_hz = 2 * notes_hz[chord, step % notes_hz.shape[1]]
    pluck = np.minimum(since_s / 0.005, 1) * np.exp(-since_s / 0.15)
    bass = np.sin(np.pi * notes_hz[chord, 0] * times_s)
    melody = sum(np.sin(2 * np.pi * k * melody_hz * since_s) / k for k in range(1, _HARMONICS + 1))
    return np.asarray(pluck * melody + 0.5 * bass, np.float64)


def _scaled(sound: Doubles) -> Samples:
    peak = float(np.abs(sound).max())
    return np.asarray(sound * (_PEAK / peak if peak else 0.0), np.float32)
