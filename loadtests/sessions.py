"""Sessions that all hear the next piece of speech and make motion of it, in few calls together."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import MelState, log_mel_chunks
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.face.motion import Floats, Motion
from lipstream.inference.joined import ManyStepper
from lipstream.motion import MotionGenerator

__all__ = ["FRAME_SAMPLES", "Models", "Sessions"]

FRAME_SAMPLES = SAMPLE_RATE_HZ // 25
_LONGEST_START = 25
"""Frames; far more than any look-ahead."""


class Models:
    """What every session shares.

    Args:
        speech: `# [S]` whole frames, which sessions hear over and over.
    """

    def __init__(
        self, encoder: SpeechEncoder, generator: MotionGenerator[Any], speech: Samples
    ) -> None:
        self.encoder = encoder
        self.generator = generator
        self.speech = speech

    def heard(self, first: int, count: int) -> Samples:  # [count]
        return np.take(self.speech, np.arange(first, first + count), mode="wrap")

    def move(self, features: Floats, states: list[Any]) -> list[tuple[Motion, Any]]:
        """A step of all sessions: in one call if the generator has one for many."""
        if isinstance(self.generator, ManyStepper):
            return self.generator.step_many(list(features), states)
        pairs = zip(features, states, strict=True)
        return [self.generator.step(heard, state) for heard, state in pairs]


class Sessions:
    """
    Args:
        count: of sessions; each begins elsewhere in the speech and has its own seed.
        first: number of the first.
    """

    def __init__(self, models: Models, count: int, first: int = 0) -> None:
        self._models = models
        seeds = range(first, first + count)
        self._positions = [seed * 7 * FRAME_SAMPLES for seed in seeds]
        self._mel = [MelState.initial()] * count
        self._encoder = models.encoder.initial_state(count)
        self._motion = [models.generator.initial_state(seed) for seed in seeds]

    def advance(self, samples: int = FRAME_SAMPLES) -> int:
        """Hear this much more; how many frames the first session made of it."""
        chunks = [self._models.heard(position, samples) for position in self._positions]
        self._positions = [position + samples for position in self._positions]
        heard = log_mel_chunks(chunks, self._mel)
        self._mel = [state for _, state in heard]
        mel = [frames for frames, _ in heard]
        features, self._encoder = self._models.encoder.step(np.stack(mel), self._encoder)
        moved = self._models.move(features, self._motion)
        self._motion = [state for _, state in moved]
        return len(moved[0][0])

    @staticmethod
    def first_frame_ms(models: Models) -> float:
        """All that a new session computes until it has its first frame."""
        begin = time.perf_counter()
        session = Sessions(models, 1)
        for _ in range(_LONGEST_START):
            if session.advance():
                return 1e3 * (time.perf_counter() - begin)
        raise RuntimeError("a session made no frame of a second of speech")
