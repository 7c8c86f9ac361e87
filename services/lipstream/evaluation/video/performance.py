"""The product's own way from speech to a video, in one process, as `lipstream render` goes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.evaluation.utterance import SAMPLE_RATE_HZ, Utterance
from lipstream.face.motion import Floats, Motion
from lipstream.motion.generator import MotionGenerator, generate
from lipstream.render import Drawable, FilmOptions, render_video

__all__ = ["Stage", "perform"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Who speaks, and how the film is made."""

    model: Drawable
    encoder: SpeechEncoder
    generator: MotionGenerator[Any]
    size_px: int = 512
    fps: float = 25.0
    seed: int = 0


def perform(stage: Stage, speech: Utterance, sink: Path) -> Motion:
    """Render speech into an MP4, and give back the motion that was drawn.

    Raises:
        BadInput: size or frame rate cannot be encoded.
    """
    pieces: list[Motion] = []

    def motion() -> Iterator[Motion]:
        features = features_of(stage.encoder, _seconds(speech.waveform))
        for piece in generate(stage.generator, features, seed=stage.seed):
            pieces.append(piece)
            yield piece

    render_video(
        stage.model,
        motion(),
        _seconds(speech.waveform),
        sink,
        audio_rate_hz=SAMPLE_RATE_HZ,
        options=FilmOptions(
            size_px=stage.size_px, fps=stage.fps, threads=min(os.cpu_count() or 1, 8)
        ),
    )
    return Motion.concatenate(pieces)


def _seconds(samples: Floats) -> Iterator[Floats]:  # [S] -> each [16000], the last one shorter
    for first in range(0, len(samples), SAMPLE_RATE_HZ):
        yield samples[first : first + SAMPLE_RATE_HZ]
