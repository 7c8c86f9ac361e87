"""Made-up speech, seen and heard: what benchmarks of rendering draw and encode."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.render.geometry import Doubles

__all__ = ["FPS", "RATE_HZ", "sounding", "talking"]

FPS = 25
RATE_HZ = 16_000
_CHUNK_S = 2


def talking(seconds: float) -> Iterator[Motion]:
    """Motion like that of speech: syllables, blinks, a head that is never still."""
    total = round(seconds * FPS)
    for begin in range(0, total, _CHUNK_S * FPS):
        t = np.arange(begin, min(begin + _CHUNK_S * FPS, total)) / FPS
        motion = Motion.rest(len(t), FPS)

        def wave(hz: float, phase: float = 0.0, t: Doubles = t) -> Doubles:
            wave: Doubles = np.sin(2 * np.pi * hz * t + phase)
            return wave

        phrase = np.clip(0.7 + wave(0.25), 0, 1)
        weights = {
            "jawOpen": 0.3 * phrase * (1 + wave(4.1)),
            "mouthPucker": 0.3 * phrase * (1 + wave(1.3)),
            "mouthLowerDownLeft": 0.2 * phrase * (1 + wave(3.7)),
            "mouthLowerDownRight": 0.2 * phrase * (1 + wave(3.7)),
            "mouthStretchLeft": 0.15 * phrase * (1 + wave(2.3, 1.0)),
            "mouthStretchRight": 0.15 * phrase * (1 + wave(2.3, 1.0)),
            "browInnerUp": 0.2 * (1 + wave(0.31)),
            "eyeBlinkLeft": np.clip(25 * wave(0.27) - 24, 0, 1),
            "eyeBlinkRight": np.clip(25 * wave(0.27) - 24, 0, 1),
        }
        for name, weight in weights.items():
            motion.blendshapes[:, INDEX[name]] = weight
        motion.rotation[:] = np.stack(
            [0.05 * wave(0.4), 0.12 * wave(0.17), 0.03 * wave(0.23)], axis=1
        )
        motion.translation[:] = np.stack([2 * wave(0.2), wave(0.3), 3 * wave(0.11)], axis=1)
        motion.gaze[:] = 0.1 * wave(0.5)[:, None]
        yield motion


def sounding(seconds: float) -> Iterator[Floats]:
    """Noise in syllables: as hard to encode as speech."""
    rng = np.random.default_rng(0)
    total = round(seconds * RATE_HZ)
    for begin in range(0, total, _CHUNK_S * RATE_HZ):
        t = np.arange(begin, min(begin + _CHUNK_S * RATE_HZ, total)) / RATE_HZ
        loudness = 0.05 * (1 + np.sin(2 * np.pi * 4 * t))
        yield (loudness * rng.standard_normal(len(t))).astype(np.float32)
