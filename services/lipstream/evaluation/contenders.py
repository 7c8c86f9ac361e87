"""What is compared: trained generators, and the marks beside them that need no training.

All give blendshapes, as the product does, and are judged by them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.audio.pcm import Samples
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.utterance import Utterance
from lipstream.face.motion import Floats, Motion
from lipstream.motion.articulation import articulate
from lipstream.motion.controls import CONTROL_COUNT, Control, to_blendshapes
from lipstream.motion.generator import MotionGenerator, generate

__all__ = [
    "LABELS",
    "LOUDNESS",
    "STILL",
    "Contender",
    "Heard",
    "drawn",
    "from_labels",
    "from_loudness",
    "generated",
    "hear",
    "motion_of",
    "unlabelled",
]

_WIDEST = 0.45
_FPS = 25.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording with its features, which all generators share."""

    utterance: Utterance
    features: Floats  # [T50, D]


@dataclass(frozen=True, slots=True)
class Contender:
    """One column of the figures."""

    name: str
    motion: Callable[[Heard, int], Motion]
    """Of a recording, under a seed."""
    generator: str | None = None
    """Name of the generator; None is a mark that no training made."""
    look_ahead_ms: int | None = None


def drawn(contenders: Sequence[Contender]) -> list[str]:
    """Names of those that a plot of curves shows: of each generator, one look-ahead."""
    first: dict[str, str] = {}
    for contender in contenders:
        first.setdefault(contender.generator or contender.name, contender.name)
    return list(first.values())


def hear(utterance: Utterance, encoder: SpeechEncoder) -> Heard:
    """The recording as generators hear it."""
    return Heard(utterance, encoder.encode(log_mel(utterance.waveform)))


def unlabelled(name: str, samples: Samples) -> Utterance:
    """A recording `# [S]` at 16 kHz of which no phones are known."""
    pcm = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
    return Utterance(name, name, pcm, ())


def from_labels(utterance: Utterance) -> LipTrack:
    """The mouth that the labels derive: the reference, so a ceiling."""
    return LipTrack.from_controls(_label_controls(utterance))


def from_loudness(utterance: Utterance) -> LipTrack:
    """A jaw that follows loudness, as simple avatars do."""
    return LipTrack.from_controls(_loudness_controls(utterance))


def motion_of(
    samples: Floats,  # [S] at 16 kHz
    encoder: SpeechEncoder,
    generator: MotionGenerator[Any],
) -> Motion:
    """The product's own way from audio to motion."""
    return Motion.concatenate(generate(generator, [encoder.encode(log_mel(samples))]))


def generated(name: str, generator: MotionGenerator[Any]) -> Contender:
    """A generator as the product runs it."""

    def motion(heard: Heard, seed: int) -> Motion:
        pieces = generate(generator, [heard.features], seed=seed)
        return Motion.concatenate([Motion.rest(0, generator.fps), *pieces])

    ms = generator.look_ahead_ms
    return Contender(f"{name}, {ms} ms", motion, generator=name, look_ahead_ms=ms)


def _label_controls(utterance: Utterance) -> Floats:  # [T, 10]
    samples = utterance.waveform
    return articulate(utterance.segments, utterance.duration_s, samples=samples)


def _loudness_controls(utterance: Utterance) -> Floats:  # [T, 10]
    level = np.log(np.exp(log_mel(utterance.waveform)).sum(1) + 1e-6)
    count = len(level) // 4
    loud = level[: 4 * count].reshape(count, 4).max(1)
    low, high = np.percentile(loud, [5, 97]) if count else (0.0, 1.0)
    jaw = np.clip((loud - low) / max(high - low, 1e-6) / 0.75 - 1 / 3, 0, 1) * _WIDEST
    controls = np.zeros((count, CONTROL_COUNT), np.float32)
    controls[:, Control.JAW] = jaw
    return controls


def _mouth(controls: Floats) -> Motion:  # [T, 10]
    return replace(Motion.rest(len(controls), _FPS), blendshapes=to_blendshapes(controls))


LABELS = Contender("labels", lambda heard, _: _mouth(_label_controls(heard.utterance)))
"""The label-derived mouth, the ceiling; of recordings without labels, a mouth at rest."""
LOUDNESS = Contender("loudness", lambda heard, _: _mouth(_loudness_controls(heard.utterance)))
STILL = Contender(
    "still",
    lambda heard, _: Motion.rest(int(heard.utterance.duration_s * _FPS), _FPS),
)
"""A face that never moves: what an error of vertices is worth when nothing is done."""
