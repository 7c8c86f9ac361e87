"""What a second render worker brings to one long video.

`python -m loadtests.segments [--json FILE] [--avatar BUNDLE] [--seconds S]`

A film is made in one go, then its segments one after the other as two workers would take them, on
one thread each, and the processor time of each is counted. So the figure is that of workers with a
core each, and holds on a machine that does other things too. One worker joins the segments.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipstream.face.motion import Motion
from lipstream.render import FilmOptions, render_video, warm_up
from lipstream.render.segments import join_segments, render_segment, split
from loadtests.avatars import load_or_fit
from loadtests.manifest import Figure, Manifest
from loadtests.talking import FPS, RATE_HZ, sounding, talking

_WORKERS = 2


class _Clock:
    """Processor time of this process, all threads."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        began_s = time.process_time()
        yield
        self.spent_s += time.process_time() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.segments", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--avatar", type=Path, help="bundle to draw; a public-domain photo's if none"
    )
    parser.add_argument("--seconds", type=float, default=60, help="length of the film")
    arguments = parser.parse_args()
    model = load_or_fit(arguments.avatar).model
    warm_up()
    options = FilmOptions(threads=1)
    motion = Motion.concatenate(talking(arguments.seconds))
    samples = sum(len(chunk) for chunk in sounding(arguments.seconds))
    one, join = _Clock(), _Clock()
    workers = [_Clock() for _ in range(_WORKERS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, joined = folder / "whole.mp4", folder / "joined.mp4"
        with one.running():
            render_video(
                model,
                [motion],
                sounding(arguments.seconds),
                whole,
                audio_rate_hz=RATE_HZ,
                options=options,
            )
        segments = []
        for frames in split(samples, RATE_HZ, FPS):
            segments.append(folder / f"{frames.start}.mp4")
            with min(workers, key=lambda worker: worker.spent_s).running():
                render_segment(model, motion, frames, segments[-1], options=options)
        with join.running():
            join_segments(
                segments,
                sounding(arguments.seconds),
                joined,
                audio_rate_hz=RATE_HZ,
                options=options,
            )
        same = whole.read_bytes() == joined.read_bytes()
    longest_s = max(worker.spent_s for worker in workers) + join.spent_s
    figures = [
        Figure("one_worker_cpu_s", one.spent_s),
        Figure("two_workers_cpu_s", longest_s),
        Figure("join_cpu_s", join.spent_s),
        Figure("speedup_of_two", one.spent_s / longest_s, goal=">= 1.8"),
        Figure("byte_identical", same, goal="True"),
    ]
    settings = {"film_s": arguments.seconds, "segments": len(segments), "size_px": 512}
    Manifest("segments", settings).publish(figures, arguments.json)


if __name__ == "__main__":
    main()
