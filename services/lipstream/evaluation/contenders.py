"""What is compared on labelled speech: trained generators, and the marks beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.mel import log_mel
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.utterance import Utterance
from lipstream.face.motion import Floats, Motion
from lipstream.motion.articulation import articulate
from lipstream.motion.controls import CONTROL_COUNT, Control
from lipstream.motion.generator import MotionGenerator, generate

__all__ = ["Contender", "from_labels", "from_loudness", "generated", "motion_of"]

Contender: TypeAlias = Callable[[Utterance], LipTrack]

_WIDEST = 0.45


def from_labels(utterance: Utterance) -> LipTrack:
    """The mouth that the labels derive: the reference, so a ceiling."""
    samples = utterance.waveform
    return LipTrack.from_controls(
        articulate(utterance.segments, utterance.duration_s, samples=samples)
    )


def from_loudness(utterance: Utterance) -> LipTrack:
    """A jaw that follows loudness, as simple avatars do."""
    level = np.log(np.exp(log_mel(utterance.waveform)).sum(1) + 1e-6)
    count = len(level) // 4
    loud = level[: 4 * count].reshape(count, 4).max(1)
    low, high = np.percentile(loud, [5, 97]) if count else (0.0, 1.0)
    jaw = np.clip((loud - low) / max(high - low, 1e-6) / 0.75 - 1 / 3, 0, 1) * _WIDEST
    controls = np.zeros((count, CONTROL_COUNT), np.float32)
    controls[:, Control.JAW] = jaw
    return LipTrack.from_controls(controls)


def motion_of(
    samples: Floats,  # [S] at 16 kHz
    encoder: SpeechEncoder,
    generator: MotionGenerator[Any],
) -> Motion:
    """The product's own way from audio to motion."""
    return Motion.concatenate(generate(generator, [encoder.encode(log_mel(samples))]))


def generated(encoder: SpeechEncoder, generator: MotionGenerator[Any]) -> Contender:
    """A generator as the product runs it, judged by the blendshapes that it gives out."""

    def track(utterance: Utterance) -> LipTrack:
        return LipTrack.from_motion(motion_of(utterance.waveform, encoder, generator))

    return track
