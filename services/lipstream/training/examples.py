"""Training examples: what is heard and what the mouth does, aligned frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from lipstream.audio.mel import BANDS, log_mel
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.face.motion import Floats
from lipstream.motion.articulation import articulate
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.phones import SILENCE, SYMBOL_INDEX, Segment
from lipstream.training.augmentation import Acoustics, nonspeech

__all__ = ["Batch", "Example", "Pool", "make_example", "nonspeech_example", "phone_track", "record"]

MEL_PER_FRAME = 4
PHONES_PER_FRAME = 2


@dataclass(frozen=True, slots=True)
class Example:
    """`N` frames of 25 fps."""

    mel: NDArray[np.float16]  # [4 N, 80]
    controls: NDArray[np.float16]  # [N, 10]
    phones: NDArray[np.uint8]  # [2 N] symbol indices at 50 Hz

    def __len__(self) -> int:
        return len(self.controls)


@dataclass(frozen=True, slots=True)
class Batch:
    mel: Floats  # [B, 4 N, 80]
    controls: Floats  # [B, N, 10]
    phones: NDArray[np.int64]  # [B, 2 N]


def phone_track(segments: Sequence[Segment], count: int) -> NDArray[np.uint8]:
    """Symbol index at each 50 Hz step. `# [count]`"""
    track = np.full(count, SYMBOL_INDEX[SILENCE], np.uint8)
    for segment in segments:
        first, last = round(segment.start_s * 50), round(segment.end_s * 50)
        track[max(first, 0) : max(last, 0)] = SYMBOL_INDEX[segment.symbol]
    return track


def make_example(
    utterance: Utterance, rng: np.random.Generator, acoustics: Acoustics | None
) -> Example:
    """One recording of an utterance: faster or slower, between silences, in some room.

    Args:
        acoustics: effects; without them the speech stays as it is, clean and at its speed.
    """
    samples, controls, segments = record(utterance, rng, acoustics)
    return _example(samples, controls, segments)


def record(
    utterance: Utterance, rng: np.random.Generator, acoustics: Acoustics | None
) -> tuple[Floats, Floats, tuple[Segment, ...]]:
    """What `make_example` makes an example of: samples `# [S]`, controls `# [N, 10]`, phones."""
    samples = utterance.waveform
    segments = utterance.segments
    if acoustics is not None:
        # Resampling changes pitch, formants and rate together: another body speaks.
        speed = float(np.clip(np.exp(rng.normal(0, acoustics.speed_spread)), 0.7, 1.4))
        down = round(100 * speed)
        samples = resample_poly(samples, 100, down).astype(np.float32)
        scale = 100 / down
        lead_s, trail_s = rng.uniform(0.1, 0.9), rng.uniform(0.2, 0.9)
        segments = _moved(segments, scale, lead_s)
        samples = np.pad(samples, (int(lead_s * SAMPLE_RATE_HZ), int(trail_s * SAMPLE_RATE_HZ)))
    duration_s = len(samples) / SAMPLE_RATE_HZ
    controls = articulate(segments, duration_s, samples=samples)
    heard = samples if acoustics is None else acoustics.apply(samples, rng)
    return heard, controls, segments


def nonspeech_example(duration_s: float, rng: np.random.Generator) -> Example:
    """Sound to which the mouth must rest."""
    samples = nonspeech(duration_s, rng)
    rest = np.zeros((int(duration_s * 25), CONTROL_COUNT), np.float32)
    return _example(samples, rest, (Segment(0.0, duration_s, SILENCE),))


def _example(samples: Floats, controls: Floats, segments: Sequence[Segment]) -> Example:
    mel = log_mel(samples)
    count = min(len(mel) // MEL_PER_FRAME, len(controls))
    return Example(
        mel[: MEL_PER_FRAME * count].astype(np.float16),
        controls[:count].astype(np.float16),
        phone_track(segments, PHONES_PER_FRAME * count),
    )


def _moved(segments: Sequence[Segment], scale: float, offset_s: float) -> tuple[Segment, ...]:
    return tuple(
        replace(s, start_s=s.start_s * scale + offset_s, end_s=s.end_s * scale + offset_s)
        for s in segments
    )


class Pool:
    """Examples of several kinds, drawn with a share for each kind."""

    def __init__(self, kinds: Iterable[tuple[float, Sequence[Example]]]) -> None:
        chosen = [(share, examples) for share, examples in kinds if examples and share > 0]
        total = sum(share for share, _ in chosen)
        self._shares = [share / total for share, _ in chosen]
        self._kinds = [examples for _, examples in chosen]

    @property
    def hours(self) -> list[float]:
        """Of each kind."""
        return [sum(len(e) for e in examples) / 25 / 3600 for examples in self._kinds]

    def batch(self, rng: np.random.Generator, size: int, frames: int) -> Batch:
        """Random crops of equal length; short examples are padded with their own quiet."""
        mel = np.empty((size, MEL_PER_FRAME * frames, BANDS), np.float32)
        controls = np.zeros((size, frames, CONTROL_COUNT), np.float32)
        phones = np.full((size, PHONES_PER_FRAME * frames), SYMBOL_INDEX[SILENCE], np.int64)
        for row in range(size):
            examples = self._kinds[int(rng.choice(len(self._kinds), p=self._shares))]
            example = examples[int(rng.integers(len(examples)))]
            start = int(rng.integers(max(len(example) - frames, 0) + 1))
            count = min(len(example) - start, frames)
            mel[row] = float(example.mel.min())
            mel[row, : MEL_PER_FRAME * count] = example.mel[
                MEL_PER_FRAME * start : MEL_PER_FRAME * (start + count)
            ]
            controls[row, :count] = example.controls[start : start + count]
            phones[row, : PHONES_PER_FRAME * count] = example.phones[
                PHONES_PER_FRAME * start : PHONES_PER_FRAME * (start + count)
            ]
        return Batch(mel, controls, phones)
