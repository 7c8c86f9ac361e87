"""Log-mel spectra: what every speech encoder and motion generator here hears.

The framing is strictly causal. Frame `k` covers the 25 ms that end at sample `160 * (k + 1)`
(zeros before the first sample), so it exists as soon as that much audio has arrived and no
sample later than that can change it. Arithmetic is float64 and touches each frame by itself,
without BLAS: the result of a frame does not depend on which frames share its chunk, so audio fed
in pieces gives the same bits as audio fed whole.

Filters are the triangles of the HTK mel scale, `2595 log10(1 + f / 700)`, each scaled to unit
sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.errors import BadInput

__all__ = [
    "BANDS",
    "HOP_SAMPLES",
    "WINDOW_SAMPLES",
    "MelState",
    "log_mel",
    "log_mel_chunk",
    "log_mel_chunks",
    "mel_filters",
]

BANDS = 80
HOP_SAMPLES = 160
WINDOW_SAMPLES = 400
FFT_SAMPLES = 512
LOWEST_HZ = 20.0
HIGHEST_HZ = 7_600.0
POWER_FLOOR = 1e-7

_OVERLAP_SAMPLES = WINDOW_SAMPLES - HOP_SAMPLES
_BLOCK_FRAMES = 512
"""Frames computed at once: bounds the memory of a long chunk to a few megabytes."""

Doubles: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MelState:
    """What a stream of audio leaves behind for its next chunk.

    Raises:
        BadInput: the tail cannot be one that a stream leaves.
    """

    tail: Samples  # [240..399] the overlap of the next window, then samples short of a hop

    def __post_init__(self) -> None:
        short_of_a_hop = self.tail.size - _OVERLAP_SAMPLES
        if self.tail.ndim != 1 or not 0 <= short_of_a_hop < HOP_SAMPLES:
            raise BadInput(
                f"A log-mel state holds {_OVERLAP_SAMPLES} to {WINDOW_SAMPLES - 1} samples, "
                f"not an array of shape {self.tail.shape}."
            )

    @classmethod
    def initial(cls) -> Self:
        """The state before the first sample: silence."""
        return cls(np.zeros(_OVERLAP_SAMPLES, np.float32))

    def encode(self) -> bytes:
        """The state as bytes, for another replica to go on from."""
        return self.tail.astype("<f4").tobytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are not such a state.
        """
        if len(data) % 4:
            raise BadInput(f"{len(data)} bytes are not a log-mel state.")
        return cls(np.frombuffer(data, "<f4").astype(np.float32))


@lru_cache(maxsize=1)
def mel_filters() -> Doubles:  # [80, 257]
    """Weights of the power spectrum's bins in each band; every row with a bin sums to one."""
    edges_mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    edges_hz = 700.0 * (10.0 ** (edges_mel / 2595.0) - 1.0)
    bins_hz = np.fft.rfftfreq(FFT_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    low, centre, high = (edges_hz[i : BANDS + i, None] for i in range(3))
    rising = (bins_hz - low) / (centre - low + 1e-9)
    falling = (high - bins_hz) / (high - centre + 1e-9)
    weights = np.maximum(np.minimum(rising, falling), 0.0)
    # The lowest triangles are narrower than a bin and may miss all of them: they stay silent.
    total = weights.sum(axis=1, keepdims=True)
    filters: Doubles = weights / np.where(total == 0.0, 1.0, total)
    filters.setflags(write=False)
    return filters


def log_mel(samples: Samples) -> Samples:  # [S] -> [T, 80]
    """Log-mel frames of a whole recording at 16 kHz, 100 a second, `T = S // 160`.

    Raises:
        BadInput: `samples` is not one-dimensional.
    """
    return log_mel_chunk(samples, MelState.initial())[0]


def log_mel_chunk(samples: Samples, state: MelState) -> tuple[Samples, MelState]:
    """The frames that a chunk of any length completes  # [T, 80], and the state after it.

    Raises:
        BadInput: `samples` is not one-dimensional.
    """
    return log_mel_chunks([samples], [state])[0]


def log_mel_chunks(
    chunks: Sequence[Samples],  # each [S], S of its own
    states: Sequence[MelState],
) -> list[tuple[Samples, MelState]]:
    """`log_mel_chunk` of several streams at once.

    Raises:
        BadInput: a chunk is not one-dimensional.
    """
    audio = [_joined(state, samples) for samples, state in zip(chunks, states, strict=True)]
    counts = [(own.size - _OVERLAP_SAMPLES) // HOP_SAMPLES for own in audio]
    features = [np.empty((count, BANDS), np.float32) for count in counts]
    for first in range(0, max(counts, default=0), _BLOCK_FRAMES):
        due = [row for row, count in enumerate(counts) if count > first]
        windows = [_windows(audio[row], first, counts[row]) for row in due]
        mel = _log_mel_of(np.concatenate(windows))
        ends = np.cumsum([len(own) for own in windows])[:-1]
        for row, own in zip(due, np.split(mel, ends), strict=True):
            features[row][first : first + len(own)] = own
    return [
        (mel, MelState(own[count * HOP_SAMPLES :].copy()))
        for mel, own, count in zip(features, audio, counts, strict=True)
    ]


def _joined(state: MelState, samples: Samples) -> Samples:
    if samples.ndim != 1:
        raise BadInput(f"Audio has shape {samples.shape}; mono samples [S] were expected.")
    return np.concatenate((state.tail, samples.astype(np.float32, copy=False)))


def _windows(audio: Samples, first: int, count: int) -> Samples:  # [.., 400]
    frames = np.arange(first, min(first + _BLOCK_FRAMES, count))
    return audio[frames[:, None] * HOP_SAMPLES + np.arange(WINDOW_SAMPLES)]


def _log_mel_of(windows: Samples) -> Doubles:  # [T, 400] -> [T, 80]
    spectrum = np.fft.rfft(windows * _hann(), FFT_SAMPLES, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bins, weights = _filter_taps()
    energy: Doubles = (power[:, bins] * weights).sum(axis=2)
    return np.asarray(np.log(energy + POWER_FLOOR))


@lru_cache(maxsize=1)
def _hann() -> Doubles:  # [400]
    """Periodic Hann window."""
    return np.hanning(WINDOW_SAMPLES + 1)[:-1]


@lru_cache(maxsize=1)
def _filter_taps() -> tuple[NDArray[np.intp], Doubles]:  # [80, W], [80, W]
    """The filters as their few bins each and the weights of these, padded with zero weights."""
    filters = mel_filters()
    width = int((filters > 0.0).sum(axis=1).max())
    first = np.minimum((filters > 0.0).argmax(axis=1), filters.shape[1] - width)
    bins = first[:, None] + np.arange(width)
    return bins, np.take_along_axis(filters, bins, axis=1)


def _mel(frequency_hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + frequency_hz / 700.0))
