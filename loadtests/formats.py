"""What alpha, backgrounds and kinds of files cost, beside the plain film.

`python -m loadtests.formats [--json FILE] [--avatar BUNDLE] [--size PX]`
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lipstream.face.model import AvatarModel
from lipstream.face.motion import Motion
from lipstream.render import (
    FilmOptions,
    LiveEncoder,
    SplatRenderer,
    open_background,
    render_video,
    warm_up,
)
from lipstream.wire.output import FilmFormat
from loadtests.avatars import load_or_fit
from loadtests.manifest import Figure, Manifest
from loadtests.talking import RATE_HZ, sounding, talking

_FRAMES = 100
_FILM_S = 4
_FILMS = [
    (FilmFormat.MP4, "photo"),
    (FilmFormat.MP4, "blur"),
    (FilmFormat.WEBM, "photo"),
    (FilmFormat.WEBM, "none"),
    (FilmFormat.MOV, "none"),
    (FilmFormat.PNG, "none"),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.formats", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--avatar", type=Path, help="bundle to draw; a public-domain photo's if none"
    )
    parser.add_argument("--size", type=int, default=512, help="side of the picture")
    arguments = parser.parse_args()
    model = load_or_fit(arguments.avatar).model
    warm_up()
    figures = [*_drawing(model, arguments.size), *_films(model, arguments.size)]
    settings = {"gaussians": len(model.gaussians.triangle_ids), "size_px": arguments.size}
    Manifest("formats", settings).publish(figures, arguments.json)


def _drawing(model: AvatarModel, size_px: int) -> list[Figure]:
    """Milliseconds a frame on one thread, from motion to planes, the kinds in turns."""
    motion = Motion.concatenate(talking(_FRAMES / 25))
    photo = SplatRenderer(model, size_px)
    alone = SplatRenderer(model, size_px, background=open_background("none"))
    opaque, alpha = LiveEncoder(size_px), LiveEncoder(size_px, alpha=True)
    wall = np.zeros((size_px, size_px, 3), np.uint8)
    kinds: dict[str, Callable[[int], object]] = {
        "yuv420p": lambda k: photo.yuv420p(photo.pose(motion, k)),
        "yuva420p": lambda k: alone.yuva420p(alone.pose(motion, k)),
        "rgba": lambda k: alone.rgba(alone.pose(motion, k)),
        "moving_background": lambda k: photo.yuv420p(photo.pose(motion, k), behind=wall),
        "live_h264": lambda k: opaque.encode(photo.yuv420p(photo.pose(motion, k))),
        "live_h264_alpha": lambda k: alpha.encode(
            alone.yuva420p(alone.pose(motion, k), straight=False)
        ),
    }
    times_s: dict[str, list[float]] = {name: [] for name in kinds}
    for k in range(len(motion)):
        for name, draw in kinds.items():
            began = time.perf_counter()
            draw(k)
            times_s[name].append(time.perf_counter() - began)
    return [
        Figure(f"frame_ms_{name}", 1e3 * float(np.median(times_s[name])), goal=goal)
        for name, goal in zip(kinds, ("<= 6 with 50,000 Gaussians",) + 5 * ("",), strict=True)
    ]


def _films(model: AvatarModel, size_px: int) -> list[Figure]:
    figures = []
    for kind, background in _FILMS:
        options = FilmOptions(size_px=size_px, format=kind, background=open_background(background))
        with tempfile.TemporaryDirectory() as folder:
            sink = Path(folder) / f"film{kind.ending}"
            stats = render_video(
                model,
                talking(_FILM_S),
                sounding(_FILM_S),
                sink,
                audio_rate_hz=RATE_HZ,
                options=options,
            )
        name = f"{kind}_{background}"
        figures.append(Figure(f"fps_{name}", stats.fps))
        figures.append(Figure(f"kbps_{name}", stats.size_bytes * 8e-3 / stats.duration_s))
    return figures


if __name__ == "__main__":
    main()
