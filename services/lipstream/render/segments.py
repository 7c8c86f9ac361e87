"""A long film made in segments: each on its own, by anyone, and joined without a seam.

A segment is a silent film of some of the frames. It begins where the encoder begins afresh anyway
(see `video`), so what is joined is byte for byte what one process would have made; the sound is
encoded in one go, while joining.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.render.driver import Driver
from lipstream.render.film import FilmOptions, FilmStats, Sound, film_writer, render_video
from lipstream.render.h264 import check_fps
from lipstream.render.interface import Drawable
from lipstream.render.retime import retime
from lipstream.render.sink import Target
from lipstream.render.video import PIECE_S, VideoWriter

__all__ = ["join_segments", "render_segment", "split"]

_PIECES = 2
"""In a segment: some seconds of one processor's work, much more than it takes to begin."""


def split(samples: int, rate_hz: int, fps: float) -> list[range]:
    """The frames of each segment of a film with so much sound.

    Args:
        samples: of the sound, at `rate_hz`.
    """
    frames = max(1, int(samples / rate_hz * fps + 0.5))
    step = _PIECES * max(1, round(PIECE_S * check_fps(fps)))
    return [range(first, min(first + step, frames)) for first in range(0, frames, step)]


def render_segment(
    model: Drawable,
    motion: Motion,
    frames: range,
    sink: Path,
    *,
    options: FilmOptions,
    progress: Callable[[int], None] | None = None,
    driver: Driver | None = None,
) -> FilmStats:
    """Make one segment.

    Args:
        motion: of the whole film; its last frame is held.
        frames: one of what `split` gave.

    Raises:
        BadInput: as `render_video`.
    """
    whole = Motion.concatenate(retime([motion], options.fps))
    if not len(whole):
        raise BadInput("There is no motion to render.", remedy="Send at least one frame.")
    own = whole[frames.start : frames.stop]
    held = [whole[-1:]] * (len(frames) - len(own))
    return render_video(
        model,
        [own, *held],
        None,
        sink,
        options=replace(options, first_frame=frames.start),
        progress=progress,
        driver=driver,
    )


def join_segments(
    segments: Iterable[Path],
    audio: Iterable[Floats],
    sink: Target,
    *,
    audio_rate_hz: int,
    options: FilmOptions,
    progress: Callable[[int], None] | None = None,
) -> FilmStats:
    """Put segments in order behind each other and the sound beside them.

    Args:
        segments: what `render_segment` made, of the same options.
        audio: as in `render_video`.
        progress: called with the number of frames done, before each.

    Raises:
        BadInput: films of this format have no segments.
    """
    began_s = time.perf_counter()
    writer = film_writer(sink, options, audio_rate_hz)
    try:
        if not isinstance(writer, VideoWriter):
            raise BadInput(f"Files of the format {options.format} are not made in segments.")
        sound = Sound(audio, audio_rate_hz, writer)
        for segment in segments:
            for frames in writer.write_segment(segment):
                sound.reaches((frames + 1) / options.fps)
                if progress is not None:
                    progress(frames)
        sound.rest()
        size_bytes = writer.close()
    except BaseException:
        writer.abort()
        raise
    return FilmStats.of(writer, size_bytes, time.perf_counter() - began_s)
