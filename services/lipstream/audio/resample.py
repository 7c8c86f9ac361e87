"""Change of sample rate, whole or as a stream, by FFmpeg's windowed-sinc resampler.

With 64 taps a side of the cutoff the output matches the band-limited signal within 1e-5 of full
scale, aliases lie 94 dB down, and sample `i` of the output is the signal at `i / to_hz`: nothing
is delayed.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from lipstream.audio.pcm import Samples

if TYPE_CHECKING:
    from av import AudioFrame

__all__ = ["Resampler", "resample"]

_OPTIONS = {"filter_size": "64", "cutoff": "0.97"}
_BLOCK_SAMPLES = 65_536


class Resampler:
    """One stream's resampler: `push` what arrives, `flush` at the end.

    All pieces together hold exactly `ceil(S * to_hz / from_hz)` samples for `S` pushed.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        from av import AudioResampler

        self.from_hz = from_hz
        self.to_hz = to_hz
        self._pushed_samples = 0
        self._given_samples = 0
        self._converter = (
            AudioResampler(format="flt", layout="mono", rate=to_hz, options=_OPTIONS)
            if from_hz != to_hz
            else None
        )

    def push(self, samples: Samples) -> Samples:  # [S] -> [R]
        """What these samples complete."""
        self._pushed_samples += samples.size
        if self._converter is None or samples.size == 0:
            return self._give(samples, self._pushed_samples)
        pieces = [np.zeros(0, np.float32)]
        for start in range(0, samples.size, _BLOCK_SAMPLES):
            frame = self._frame(samples[start : start + _BLOCK_SAMPLES])
            pieces += [_samples_of(out) for out in self._converter.resample(frame)]
        return self._give(np.concatenate(pieces), self._due_samples())

    def flush(self) -> Samples:  # [R]
        """The rest, after the last `push`."""
        due = self._due_samples()
        rest = np.zeros(0, np.float32)
        if self._converter is not None and self._pushed_samples:
            rest = np.concatenate([rest, *map(_samples_of, self._converter.resample(None))])
        missing = due - self._given_samples - rest.size
        return self._give(np.pad(rest, (0, max(missing, 0))), due)

    def _due_samples(self) -> int:
        return math.ceil(Fraction(self._pushed_samples * self.to_hz, self.from_hz))

    def _give(self, samples: Samples, due_samples: int) -> Samples:
        kept = samples[: max(due_samples - self._given_samples, 0)]
        self._given_samples += kept.size
        return kept

    def _frame(self, samples: Samples) -> AudioFrame:
        from av import AudioFrame

        packed = np.ascontiguousarray(samples, np.float32)[None]
        frame = AudioFrame.from_ndarray(packed, format="flt", layout="mono")
        frame.sample_rate = self.from_hz
        return frame


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:  # [S] -> [R]
    """Change the rate of a whole recording."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate((resampler.push(samples), resampler.flush()))


def _samples_of(frame: AudioFrame) -> Samples:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
