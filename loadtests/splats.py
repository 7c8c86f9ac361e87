"""What one frame costs from motion to a picture, and how soon a fresh process has its first.

`python -m loadtests.splats [--json FILE] [--avatar BUNDLE]`

All frames are drawn, and encoded, by one thread on one core. How films fare over minutes, with the
threads that they have, is `loadtests.render`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipstream.face.bundle import save
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import LiveEncoder, SplatRenderer, warm_up
from loadtests.avatars import load_or_fit
from loadtests.cores import one_core
from loadtests.manifest import Figure, Manifest, Value, peak_rss_mb
from loadtests.talking import FPS, talking

_SECONDS = 8
_FEWEST_GAUSSIANS = 50_000
_STARTS = 3
_FIRST_FRAME = """
import sys
from lipstream.face.bundle import load
from lipstream.face.motion import Motion
from lipstream.render import SplatRenderer
renderer = SplatRenderer(load(sys.argv[1]).model, 512)
renderer.yuv420p(renderer.pose(Motion.rest(1)))
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.splats", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--avatar", type=Path, help="bundle to draw; a public-domain photo's if none"
    )
    arguments = parser.parse_args()
    avatar = load_or_fit(arguments.avatar)
    model = avatar.model
    gaussians = len(model.gaussians.triangle_ids)
    if gaussians < _FEWEST_GAUSSIANS:
        parser.error(f"the avatar has {gaussians} Gaussians; {_FEWEST_GAUSSIANS} are needed")
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "avatar.zip"
        save(avatar, bundle)
        start_s = _cold_start_s(bundle)
        warm_up()
        with one_core():
            figures = _frames(model)
    figures.append(Figure("cold_start_s", start_s, "cold", "<= 1"))
    figures.append(Figure("peak_rss_mb", peak_rss_mb()))
    settings: dict[str, Value] = {
        "avatar": avatar.manifest.name,
        "gaussians": gaussians,
        "vertices": len(model.surface.vertices),
        "frames": _SECONDS * FPS,
        "cores": 1,
    }
    Manifest("splats", settings).publish(figures, arguments.json)


def _cold_start_s(bundle: Path) -> float:
    """From the start of a fresh process until it has drawn a frame and ended; kernels compiled.

    The quickest of a few: what other programs did meanwhile is not the renderer's.
    """
    return min(_first_frame_s(bundle) for _ in range(1 + _STARTS))  # the first may compile


def _first_frame_s(bundle: Path) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FIRST_FRAME, str(bundle)], check=True)
    return time.perf_counter() - begin


def _frames(model: AvatarModel) -> list[Figure]:
    frames = [motion[k : k + 1] for motion in talking(_SECONDS) for k in range(len(motion))]
    small, large = SplatRenderer(model, 512), SplatRenderer(model, 1080)
    encoder = LiveEncoder(512, FPS)
    drawn = _cost(frames, lambda frame: small.yuv420p(small.pose(frame)))
    encoded = _cost(frames, lambda frame: encoder.encode(small.yuv420p(small.pose(frame))))
    high = _cost(frames, lambda frame: large.yuv420p(large.pose(frame)))
    return [
        Figure("frame_ms_512_50k", drawn.wall_ms, goal="<= 6"),
        Figure("frame_ms_512_50k_h264", encoded.wall_ms, goal="<= 8"),
        Figure("frame_ms_1080_50k", high.wall_ms, goal="<= 30"),
        Figure("frame_cpu_ms_512_50k", drawn.cpu_ms),
        Figure("frame_cpu_ms_512_50k_h264", encoded.cpu_ms),
        Figure("frame_cpu_ms_1080_50k", high.cpu_ms),
    ]


@dataclass(frozen=True, slots=True)
class _Cost:
    """Medians over the frames. On a busy machine, only the second means much."""

    wall_ms: float
    cpu_ms: float


def _cost(frames: list[Motion], work: Callable[[Motion], object]) -> _Cost:
    spent = []
    for frame in frames:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        work(frame)
        spent.append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    wall_s, cpu_s = np.median(spent, axis=0).tolist()
    return _Cost(1e3 * wall_s, 1e3 * cpu_s)


if __name__ == "__main__":
    main()
