"""How fast an avatar is drawn and encoded, and whether that stays so for ten minutes.

`python -m loadtests.render [--json FILE] [--avatar BUNDLE] [--minutes M]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from lipstream.face.arkit import INDEX
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.render import FilmOptions, FilmStats, render_video, warm_up
from lipstream.render.geometry import Doubles
from loadtests.avatars import load_or_fit
from loadtests.manifest import Figure, Manifest, Value, peak_rss_mb

FPS = 25
RATE_HZ = 16_000
_SHORT_S = 10
_WARM_RUNS = 3
_CHUNK_S = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.render", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--avatar", type=Path, help="bundle to draw; a public-domain photo's if none"
    )
    parser.add_argument("--minutes", type=float, default=10, help="length of the long film")
    parser.add_argument("--size", type=int, default=512, help="side of the picture")
    arguments = parser.parse_args()
    figures, settings = measure(arguments.avatar, arguments.size, arguments.minutes)
    Manifest("render", settings).publish(figures, arguments.json)


def measure(
    bundle: Path | None, size_px: int, minutes: float
) -> tuple[list[Figure], dict[str, Value]]:
    """Take all figures. The avatar is loaded or fitted before, and not counted."""
    avatar = load_or_fit(bundle)
    model = avatar.model
    ready_s = _ready_s()
    with tempfile.TemporaryDirectory() as folder:
        sink = Path(folder) / "film.mp4"
        cold = _film(model, size_px, _SHORT_S, sink)
        warm_up()
        warm = sorted(_film(model, size_px, _SHORT_S, sink).fps for _ in range(_WARM_RUNS))
        clock = _Clock()
        long = _film(model, size_px, minutes * 60, sink, clock)
    first, last = clock.minute_ms(0), clock.minute_ms(-1)
    fps = warm[_WARM_RUNS // 2]
    figures = [
        Figure("ready_s", ready_s, "cold", "< 1 with compiled kernels cached"),
        Figure(f"fps_{size_px}_cold", cold.fps, "cold"),
        Figure(f"fps_{size_px}_warm", fps, goal=">= 100" if size_px == 512 else ""),
        Figure("frame_ms_first_minute", first.wall_ms),
        Figure("frame_ms_tenth_minute", last.wall_ms, goal="as in the first"),
        Figure("frame_cpu_ms_first_minute", first.cpu_ms),
        Figure("frame_cpu_ms_tenth_minute", last.cpu_ms, goal="as in the first"),
        Figure("rss_growth_mb", clock.growth_mb, goal="0"),
        Figure("peak_rss_mb", peak_rss_mb(), goal="< 1500"),
        Figure("video_kbps", long.size_bytes * 8 / 1000 / long.duration_s),
    ]
    settings: dict[str, Value] = {
        "avatar": avatar.manifest.name,
        "gaussians": len(model.gaussians.triangle_ids),
        "vertices": len(model.surface.vertices),
        "size_px": size_px,
        "video_fps": FPS,
        "long_film_minutes": minutes,
    }
    return figures, settings


def _film(
    model: AvatarModel, size_px: int, seconds: float, sink: Path, clock: _Clock | None = None
) -> FilmStats:
    return render_video(
        model,
        talking(seconds),
        sounding(seconds),
        sink,
        audio_rate_hz=RATE_HZ,
        options=FilmOptions(size_px=size_px),
        progress=clock.tick if clock is not None else None,
    )


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


@dataclass(frozen=True, slots=True)
class _Minute:
    wall_ms: float  # per frame
    cpu_ms: float  # per frame, all threads


class _Clock:
    """Time per frame, minute by minute of the film."""

    def __init__(self) -> None:
        self._marks = [(0, time.perf_counter(), time.process_time())]
        self._rss_mb = 0.0

    def tick(self, frames: int) -> None:
        if frames % (60 * FPS) == 0:
            self._marks.append((frames, time.perf_counter(), time.process_time()))
        if frames == 30 * FPS:
            self._rss_mb = peak_rss_mb()

    @property
    def growth_mb(self) -> float:
        """How far the peak of memory rose after the first half minute."""
        return peak_rss_mb() - self._rss_mb if self._rss_mb else float("nan")

    def minute_ms(self, index: int) -> _Minute:
        spans = list(pairwise(self._marks))
        if not spans:
            return _Minute(float("nan"), float("nan"))
        (frames, wall, cpu), (frames_end, wall_end, cpu_end) = spans[index]
        count = frames_end - frames
        return _Minute(1e3 * (wall_end - wall) / count, 1e3 * (cpu_end - cpu) / count)


def _ready_s() -> float:
    """Import and warm-up in a process of its own, kernels compiled before."""
    code = (
        "import time; begin = time.perf_counter();"
        "from lipstream.render import warm_up; warm_up(); print(time.perf_counter() - begin)"
    )
    for _ in range(2):  # the first may have to compile
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    return float(done.stdout)


if __name__ == "__main__":
    main()
