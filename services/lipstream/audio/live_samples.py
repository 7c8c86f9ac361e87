"""A live stream's samples at the encoder's rate, from a point at which they can be resumed.

FFmpeg's resampler cannot be saved. But its output depends on a short piece of the past alone, so
keeping that piece is enough: a new resampler is fed it, and what had been given is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.resample import Resampler

__all__ = ["LiveSamples", "SavedSamples"]

_REACH_SAMPLES = 1024
"""More of the input than the filter spans and holds back, at any rate up to 48 kHz."""


@dataclass(frozen=True, slots=True)
class SavedSamples:
    """Where a stream of samples stands."""

    history: Samples  # [H] the latest input, from a sample at which input and output coincide
    given: int
    """Outputs that were given since the history's first sample."""

    @classmethod
    def initial(cls) -> SavedSamples:
        return cls(np.zeros(0, np.float32), 0)


class LiveSamples:
    """One utterance's samples on their way to 16 kHz.

    Args:
        saved: where to go on from.
    """

    def __init__(self, rate_hz: int, saved: SavedSamples) -> None:
        self._resampler = Resampler(rate_hz, SAMPLE_RATE_HZ)
        common = math.gcd(rate_hz, SAMPLE_RATE_HZ)
        self._in_block, self._out_block = rate_hz // common, SAMPLE_RATE_HZ // common
        self._reach = _REACH_SAMPLES if rate_hz != SAMPLE_RATE_HZ else 0
        self._history = saved.history
        self._given = saved.given
        self._again = self._resampler.push(saved.history)
        self._superfluous = saved.given

    def push(self, samples: Samples) -> Samples:  # [S] -> [R]
        """What these samples complete."""
        given = self._new(self._resampler.push(samples))
        history = np.concatenate((self._history, samples))
        blocks = max(history.size - self._reach, 0) // self._in_block
        self._history = history[blocks * self._in_block :]
        self._given += given.size - blocks * self._out_block
        return given

    def flush(self) -> Samples:  # [R]
        """The rest, after the last `push`."""
        return self._new(self._resampler.flush())

    def save(self) -> SavedSamples:
        return SavedSamples(self._history.copy(), self._given)

    def _new(self, samples: Samples) -> Samples:
        """Without what had been given before this stream was resumed."""
        joined = np.concatenate((self._again, samples))
        known = min(self._superfluous, joined.size)
        self._superfluous -= known
        self._again = joined[:0]
        return joined[known:]
