"""Make clean speech sound like the world: rooms, microphones, noise, other voices' sizes.

Two levels. Waveform effects (room, equaliser, band limits, noise, clipping) are drawn when examples
are made; cheap spectral ones are drawn anew in every training step (`spectral.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from lipstream.face.motion import Floats

__all__ = ["Acoustics", "nonspeech", "random_noise"]

_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Acoustics:
    """Probabilities and ranges of the waveform effects."""

    speed_spread: float = 0.15
    """Standard deviation of the logarithm of the speed; pitch and formants change with it."""
    equaliser: float = 0.85
    equaliser_db: float = 5.0
    band_limit: float = 0.15
    room: float = 0.5
    reverberation_s: tuple[float, float] = (0.08, 0.6)
    noise: float = 0.65
    snr_db: tuple[float, float] = (12.0, 45.0)
    loud_noise: float = 0.2
    loud_snr_db: float = 3.0
    quietest_db: float = -26.0
    clipping: float = 0.05

    def apply(self, samples: Floats, rng: np.random.Generator) -> Floats:  # [S] -> [S]
        """A random recording of the same speech, with the same times."""
        heard = self._through_microphone(samples.astype(np.float64), rng)
        if rng.random() < self.room:
            heard = fftconvolve(heard, self._impulse_response(rng))[: len(samples)]
        power = np.sqrt(np.mean(heard**2)) + 1e-6
        if rng.random() < self.noise:
            lowest = self.loud_snr_db if rng.random() < self.loud_noise else self.snr_db[0]
            snr_db = rng.uniform(lowest, self.snr_db[1])
            heard = heard + random_noise(len(heard), rng) * power * 10 ** (-snr_db / 20)
        level = 10 ** (rng.uniform(self.quietest_db, 0) / 20)
        heard = heard * (level / (np.abs(heard).max(initial=0) + 1e-6))
        if rng.random() < self.clipping:
            heard = np.clip(3 * heard, -0.5, 0.5)
        floor = 10 ** rng.uniform(-6, -4.5)
        return np.asarray(heard + floor * rng.standard_normal(len(heard)), np.float32)

    def _through_microphone(
        self, samples: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        spectrum = np.fft.rfft(samples)
        hz = np.fft.rfftfreq(len(samples), 1 / _RATE_HZ)
        if rng.random() < self.equaliser:
            points_hz = np.concatenate([[0], np.sort(rng.uniform(80, 7000, 6)), [8000]])
            tilt_db = rng.normal(0, 3) * np.log2(np.maximum(points_hz, 100) / 1000)
            gains_db = rng.normal(0, self.equaliser_db, 8) + tilt_db
            spectrum = spectrum * 10 ** (np.interp(hz, points_hz, gains_db) / 20)
        if rng.random() < self.band_limit:
            low_hz, high_hz = rng.uniform(60, 300), rng.uniform(3200, 7000)
            spectrum = spectrum / np.sqrt(1 + (low_hz / np.maximum(hz, 1)) ** 4)
            spectrum = spectrum / np.sqrt(1 + (hz / high_hz) ** 8)
        return np.fft.irfft(spectrum, len(samples))

    def _impulse_response(self, rng: np.random.Generator) -> NDArray[np.float64]:
        length = int(rng.uniform(*self.reverberation_s) * _RATE_HZ)
        tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
        tail[: int(0.002 * _RATE_HZ)] = 0
        tail *= rng.uniform(0.05, 0.6) / np.sqrt(np.sum(tail**2))
        tail[0] = 1
        return np.asarray(tail)


def random_noise(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise of unit power: white, pink, brown or coloured, some of it unsteady. `# [count]`"""
    color = int(rng.integers(4))
    white = rng.standard_normal(count)
    if color == 0:
        return white
    hz = np.fft.rfftfreq(count, 1 / _RATE_HZ)
    spectrum = np.fft.rfft(white) * (np.maximum(hz, 30) / 1000) ** (-0.5 if color == 1 else -1.0)
    if color == 3:
        spectrum *= 1 + 2 * np.interp(hz, np.linspace(0, 8000, 12), rng.random(12))
    noise = np.fft.irfft(spectrum, count)
    if color >= 2:
        knots = max(3, count // 4000)
        swell = np.interp(
            np.arange(count), np.linspace(0, count, knots), rng.standard_normal(knots)
        )
        noise = noise * np.maximum(1 + 0.7 * swell, 0.1)
    return np.asarray(noise / (np.std(noise) + 1e-9))


def nonspeech(duration_s: float, rng: np.random.Generator) -> Floats:
    """Sound without speech: silence, noise, hum, clicks, music; steady, or with onsets. `# [S]`"""
    count = int(duration_s * _RATE_HZ)
    kind = rng.random()
    sound = np.zeros(count)
    if kind < 0.35:
        sound = random_noise(count, rng)
    elif kind < 0.65:
        sound = _music(count, rng)
    elif kind < 0.80:
        sound = _hum(count, rng)
    elif kind < 0.90:
        for position in rng.integers(0, max(count - 800, 1), size=int(rng.integers(2, 30))):
            length = min(int(rng.integers(20, 800)), count - position)
            decay = np.exp(-5 * np.arange(length) / length)
            sound[position : position + length] += rng.standard_normal(length) * decay
    if rng.random() < 0.6:
        # Sound that starts and stops: an onset alone is no speech.
        edges = np.sort(rng.integers(0, count, size=2 * int(rng.integers(1, 4))))
        audible = np.zeros(count)
        for first, last in edges.reshape(-1, 2):
            audible[first:last] = 1
        sound = sound * audible
    peak = np.abs(sound).max(initial=0) + 1e-9
    sound = sound / peak * 10 ** (rng.uniform(-45, -1) / 20)
    floor = 0.0 if rng.random() < 0.3 else 10 ** rng.uniform(-6, -3.5)
    return np.asarray(sound + floor * rng.standard_normal(count), np.float32)


def _hum(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mains, motors, a constant offset: few harmonics that do not move."""
    times_s = np.arange(count) / _RATE_HZ
    pitch_hz = rng.uniform(40, 400)
    sound = np.full(count, rng.normal(0, 0.3) if rng.random() < 0.3 else 0.0)
    for harmonic in range(1, int(rng.integers(2, 12))):
        phase = 2 * np.pi * (harmonic * pitch_hz * times_s + rng.random())
        sound += rng.uniform(0, 1) / harmonic * np.sin(phase)
    return sound


def _music(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Notes with harmonics that are struck or held; chords as often as single voices."""
    times_s = np.arange(count) / _RATE_HZ
    sound = np.zeros(count)
    beat_s = rng.uniform(0.12, 0.8)
    for start_s in np.arange(0, count / _RATE_HZ, beat_s):
        length_s = beat_s * rng.uniform(0.5, 3)
        active = (times_s >= start_s) & (times_s < start_s + length_s)
        local_s = times_s[active] - start_s
        decay = np.exp(-local_s / (length_s * rng.uniform(0.2, 2)))
        envelope = (
            np.minimum(local_s / 0.01, 1) * np.minimum((length_s - local_s) / 0.02, 1) * decay
        )
        for _ in range(int(rng.integers(1, 5))):
            pitch_hz = 55 * 2 ** (rng.integers(0, 48) / 12)
            slope = rng.uniform(0.5, 2)
            for harmonic in range(1, 9):
                if harmonic * pitch_hz < 7500:
                    phase = 2 * np.pi * (harmonic * pitch_hz * local_s + rng.random())
                    sound[active] += envelope * np.sin(phase) / harmonic**slope
    return sound
