"""A whole video: motion and sound in as they come, frames drawn on several threads, one file out.

Drawing takes longer than encoding, and both leave the interpreter lock, so the calling thread
encodes while others draw ahead of it, a few frames and no more: memory does not grow with length.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event
from typing import BinaryIO

import numpy as np

from lipstream.errors import BadInput, Cancelled
from lipstream.face.motion import Floats, Motion
from lipstream.render.driver import Driver
from lipstream.render.h264 import EncoderSettings
from lipstream.render.interface import Drawable, Renderer
from lipstream.render.registry import open_renderer
from lipstream.render.retime import retime
from lipstream.render.splats import Bytes
from lipstream.render.video import VideoWriter

__all__ = ["FilmOptions", "FilmStats", "render_video"]

_AHEAD_PER_THREAD = 3


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What the video is like.

    Attributes:
        size_px: side of the picture, even, 64 to 1080.
        fps: frames per second, 1 to 60; motion of another rate is retimed.
        threads: how many threads draw.
        encoder: how to encode.
        metadata: tags of the file; its comment marks it as generated unless given here.
    """

    size_px: int = 512
    fps: float = 25.0
    threads: int = 2
    encoder: EncoderSettings | None = None
    metadata: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FilmStats:
    """What was made, and how fast."""

    frames: int
    duration_s: float
    size_bytes: int
    wall_s: float

    @property
    def fps(self) -> float:
        """Frames drawn and encoded in a second."""
        return self.frames / max(self.wall_s, 1e-9)


def render_video(
    model: Drawable,
    motion: Iterable[Motion],
    audio: Iterable[Floats] | None,
    sink: str | os.PathLike[str] | BinaryIO,
    *,
    audio_rate_hz: int = 16_000,
    options: FilmOptions | None = None,
    progress: Callable[[int], None] | None = None,
    cancel: Event | None = None,
    driver: Driver | None = None,
) -> FilmStats:
    """Make a video as long as its sound.

    Args:
        motion: consecutive pieces. Where they end before the sound, the last frame is held;
            what goes on after it is left out.
        audio: consecutive pieces [samples], mono, -1..1; None makes a silent film as long as
            the motion.
        sink: a path or a binary file; a path is written only when the video is complete.
        progress: called on this thread with the number of frames done, after each.
        cancel: set it from another thread to stop at the next frame.
        driver: see `open_renderer`.

    Raises:
        BadInput: no motion or no sound, or size or rate out of range.
        Cancelled: `cancel` was set; the sink is untouched.
    """
    options = options if options is not None else FilmOptions()
    started = time.perf_counter()
    renderer = open_renderer(model, options.size_px, driver=driver)
    writer = VideoWriter(
        sink,
        options.size_px,
        options.fps,
        audio_rate_hz if audio is not None else None,
        settings=options.encoder,
        metadata=options.metadata,
    )
    try:
        frames = _frames(retime(motion, options.fps))
        if audio is not None:
            frames = _beside_sound(frames, _Sound(audio, audio_rate_hz, writer), options.fps)
        for planes in _drawn(frames, renderer, options.threads):
            if cancel is not None and cancel.is_set():
                raise Cancelled("The rendering was cancelled.")
            writer.write_frame(planes)
            if progress is not None:
                progress(writer.frames)
        if not writer.frames:
            raise BadInput("There is no motion to render.", remedy="Send at least one frame.")
        size_bytes = writer.close()
    except BaseException:
        writer.abort()
        raise
    return FilmStats(
        frames=writer.frames,
        duration_s=max(writer.video_s, writer.audio_s),
        size_bytes=size_bytes,
        wall_s=time.perf_counter() - started,
    )


class _Sound:
    """Feeds the writer sound up to a time, and no further than it needs to."""

    def __init__(self, chunks: Iterable[Floats], rate_hz: int, writer: VideoWriter) -> None:
        self._chunks = iter(chunks)
        self._rate_hz = rate_hz
        self._writer = writer
        self._rest: Floats = np.zeros(0, np.float32)

    def reaches(self, until_s: float) -> bool:
        """Write up to `until_s`; whether there was that much."""
        wanted = round(until_s * self._rate_hz) - self._writer.samples
        while wanted > 0:
            if not len(self._rest):
                piece = next(self._chunks, None)
                if piece is None:
                    return False
                self._rest = np.asarray(piece, np.float32).reshape(-1)
                continue
            piece, self._rest = self._rest[:wanted], self._rest[wanted:]
            self._writer.write_audio(piece)
            wanted -= len(piece)
        return True

    @property
    def written_s(self) -> float:
        return self._writer.audio_s


def _frames(chunks: Iterable[Motion]) -> Iterator[Motion]:
    for chunk in chunks:
        for t in range(len(chunk)):
            yield chunk[t : t + 1]


def _beside_sound(frames: Iterator[Motion], sound: _Sound, fps: float) -> Iterator[Motion]:
    """As many frames as the sound lasts, each passed on when its sound is written."""
    count = 0
    last: Motion | None = None
    while sound.reaches((count + 1) / fps):
        last = next(frames, last)
        if last is None:
            return
        yield last
        count += 1
    if sound.written_s == 0:
        raise BadInput("The sound is empty.", remedy="Send at least one sample.")
    for _ in range(count, max(1, int(sound.written_s * fps + 0.5))):
        last = next(frames, last)
        if last is not None:
            yield last


def _drawn(frames: Iterator[Motion], renderer: Renderer, threads: int) -> Iterator[Bytes]:
    """Draw frames in parallel, return them in order."""
    renderers: SimpleQueue[Renderer] = SimpleQueue()
    renderers.put(renderer)
    for _ in range(threads - 1):
        renderers.put(renderer.sibling())

    def draw(frame: Motion) -> Bytes:
        own = renderers.get()
        try:
            size = own.size_px
            return own.yuv420p(own.pose(frame), np.empty((size * 3 // 2, size), np.uint8))
        finally:
            renderers.put(own)

    ahead: deque[Future[Bytes]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="draw") as pool:
        try:
            for frame in frames:
                ahead.append(pool.submit(draw, frame))
                if len(ahead) > threads * _AHEAD_PER_THREAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
