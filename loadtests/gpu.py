"""How many frames a GPU draws: 64 sessions' frames at once, a minute of film as fast as it goes.

`python -m loadtests.gpu [--json FILE] [--avatar BUNDLE]`
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lipstream.errors import Unavailable
from lipstream.render import Pose, SplatRenderer
from loadtests.avatars import load_or_fit
from loadtests.manifest import Figure, Manifest, Value
from loadtests.talking import FPS, talking

_SESSIONS = 64
_ROUNDS = 30
_FILM_S = 60
_SIZE_PX = 512


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.gpu", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--avatar", type=Path, help="bundle to draw; a public photo's if none")
    arguments = parser.parse_args()
    import torch

    from lipstream.render.gpu import BatchRenderer

    try:
        batch = BatchRenderer()
    except Unavailable as error:
        raise SystemExit(f"Nothing to measure: {error}") from error
    avatar = load_or_fit(arguments.avatar)
    renderer = SplatRenderer(avatar.model, _SIZE_PX)
    scene = batch.upload(renderer.scene)
    motion = itertools.chain.from_iterable(
        (piece[k : k + 1] for k in range(len(piece))) for piece in talking(_FILM_S)
    )
    poses = [renderer.pose(frame) for frame in motion]

    def draw(chosen: list[Pose]) -> None:
        batch.yuv420p([(scene, pose) for pose in chosen])

    cold_s = _seconds(lambda: draw(poses[:1]))
    together = [
        _seconds(lambda k=k: draw(poses[k : k + _SESSIONS]))  # type: ignore[misc]
        for k in range(_ROUNDS)
    ]
    begin = time.perf_counter()
    for k in range(0, len(poses), _SESSIONS):
        draw(poses[k : k + _SESSIONS])
    film_s = time.perf_counter() - begin
    figures = [
        Figure("first_frame_s", cold_s, "cold"),
        Figure(f"frames_ms_{_SESSIONS}_sessions", 1e3 * float(np.median(together)), goal="<= 40"),
        Figure(f"film_s_{_FILM_S}_s", film_s, goal="<= 1"),
        Figure("peak_gpu_mb", torch.cuda.max_memory_allocated() / 1e6),
    ]
    settings: dict[str, Value] = {
        "gpu": torch.cuda.get_device_name(),
        "gaussians": len(avatar.model.gaussians.triangle_ids),
        "size_px": _SIZE_PX,
        "video_fps": FPS,
    }
    Manifest("gpu", settings).publish(figures, arguments.json)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
