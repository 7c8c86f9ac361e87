"""How fast films are made, and whether that stays so for ten minutes.

`python -m loadtests.render [--json FILE] [--avatar BUNDLE] [--minutes M]`

What one frame costs, and how soon a process is ready, is `loadtests.splats`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lipstream.face.model import AvatarModel
from lipstream.render import FilmOptions, FilmStats, render_video, warm_up
from loadtests.avatars import load_or_fit
from loadtests.manifest import Figure, Manifest, Value, peak_rss_mb
from loadtests.talking import FPS, RATE_HZ, sounding, talking

_SHORT_S = 10
_WARM_RUNS = 3


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


if __name__ == "__main__":
    main()
