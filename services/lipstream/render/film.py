"""A whole video: motion and sound in as they come, frames drawn on several threads, one file out.

Drawing takes longer than encoding, and both leave the interpreter lock, so the calling thread
encodes while others draw ahead of it, a few frames and no more: memory does not grow with length.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, repeat
from queue import SimpleQueue
from threading import Event
from typing import Self

import numpy as np

from lipstream.errors import BadInput, Cancelled
from lipstream.face.face_controls import Framing
from lipstream.face.motion import Floats, Motion
from lipstream.render.background import Background, ClipBackground
from lipstream.render.driver import Driver
from lipstream.render.film_writer import FilmWriter
from lipstream.render.h264 import EncoderSettings
from lipstream.render.interface import Drawable, Renderer, View
from lipstream.render.layout import Layout
from lipstream.render.png_sequence import PngSequence
from lipstream.render.registry import open_renderer
from lipstream.render.retime import retime
from lipstream.render.sink import Target
from lipstream.render.splats import Bytes
from lipstream.render.video import VideoWriter
from lipstream.wire.output import FilmFormat, PictureSize

__all__ = ["FilmOptions", "FilmStats", "Sound", "film_writer", "render_video"]

_AHEAD_PER_THREAD = 3
_FOR_EVER_S = 1e9


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What the video is like.

    Attributes:
        size_px: side of a square picture, even, 64 to 1080, or its width and height.
        fps: frames per second, 1 to 60; motion of another rate is retimed.
        format: the kind of file.
        background: what stands behind the person, the photo's own by default; before none, the
            film has alpha.
        framing: the part of the picture that is shown.
        badge: a text that marks every picture, or nothing.
        threads: how many threads draw.
        encoder: how to encode H.264.
        metadata: tags of the file; its comment marks it as generated unless given here.
        first_frame: of a longer film, of which this is a segment: where its background begins.
    """

    size_px: int | PictureSize = 512
    fps: float = 25.0
    format: FilmFormat = FilmFormat.MP4
    background: Background | None = None
    framing: Framing = field(default_factory=Framing)
    badge: str = ""
    threads: int = 2
    encoder: EncoderSettings | None = None
    metadata: dict[str, str] | None = None
    first_frame: int = 0


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

    @classmethod
    def of(cls, writer: FilmWriter, size_bytes: int, wall_s: float) -> Self:
        """Of what a writer, now closed, has written."""
        return cls(writer.frames, max(writer.video_s, writer.audio_s), size_bytes, wall_s)


def render_video(
    model: Drawable,
    motion: Iterable[Motion],
    audio: Iterable[Floats] | None,
    sink: Target,
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
        sink: a path or a binary file; a path is written only when the video is complete. Pictures
            go into a folder of that name, unless it ends in `.zip`.
        progress: called on this thread with the number of frames done, after each.
        cancel: set it from another thread to stop at the next frame.
        driver: see `open_renderer`.

    Raises:
        BadInput: no motion or no sound, size or rate out of range, a transparent film of a format
            without alpha, or an avatar that does not know its person from its background.
        Cancelled: `cancel` was set; the sink is untouched.
    """
    options = options if options is not None else FilmOptions()
    began_s = time.perf_counter()
    background = options.background
    view = View(options.size_px, background, options.framing, options.badge)
    renderer = open_renderer(model, view, driver=driver)
    writer = film_writer(sink, options, audio_rate_hz if audio is not None else None)
    try:
        frames = _frames(retime(motion, options.fps))
        if audio is not None:
            frames = _beside_sound(frames, Sound(audio, audio_rate_hz, writer), options.fps)
        behind: Iterator[Bytes | None] = repeat(None)
        if isinstance(background, ClipBackground) and background.clip.moves:
            pictures = background.clip.pictures(renderer.size, options.fps)
            behind = islice(pictures, options.first_frame, None)
        scenes = zip(frames, behind, strict=False)
        for picture in _drawn(scenes, renderer, writer.layout, options.threads):
            if cancel is not None and cancel.is_set():
                raise Cancelled("The rendering was cancelled.")
            writer.write_frame(picture)
            if progress is not None:
                progress(writer.frames)
        if not writer.frames:
            raise BadInput("There is no motion to render.", remedy="Send at least one frame.")
        size_bytes = writer.close()
    except BaseException:
        writer.abort()
        raise
    return FilmStats.of(writer, size_bytes, time.perf_counter() - began_s)


def film_writer(sink: Target, options: FilmOptions, audio_rate_hz: int | None) -> FilmWriter:
    """What writes a film of that format.

    Raises:
        BadInput: as `render_video`.
    """
    transparent = options.background is not None and options.background.transparent
    if options.format is FilmFormat.PNG:
        return PngSequence(
            sink,
            options.size_px,
            options.fps,
            audio_rate_hz,
            metadata=options.metadata,
            transparent=transparent,
        )
    return VideoWriter(
        sink,
        options.size_px,
        options.fps,
        audio_rate_hz,
        settings=options.encoder,
        metadata=options.metadata,
        format=options.format,
        transparent=transparent,
    )


class Sound:
    """Feeds the writer sound up to a time, and no further than it needs to."""

    def __init__(self, chunks: Iterable[Floats], rate_hz: int, writer: FilmWriter) -> None:
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

    def rest(self) -> None:
        """Write all that is left."""
        self.reaches(_FOR_EVER_S)

    @property
    def written_s(self) -> float:
        return self._writer.audio_s


def _frames(chunks: Iterable[Motion]) -> Iterator[Motion]:
    for chunk in chunks:
        for t in range(len(chunk)):
            yield chunk[t : t + 1]


def _beside_sound(frames: Iterator[Motion], sound: Sound, fps: float) -> Iterator[Motion]:
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


def _drawn(
    scenes: Iterable[tuple[Motion, Bytes | None]],
    renderer: Renderer,
    layout: Layout,
    threads: int,
) -> Iterator[Bytes]:
    """Draw frames in parallel, each before its own background if it has one; in order."""
    renderers: SimpleQueue[Renderer] = SimpleQueue()
    renderers.put(renderer)
    for _ in range(threads - 1):
        renderers.put(renderer.sibling())

    def draw(frame: Motion, behind: Bytes | None) -> Bytes:
        own = renderers.get()
        try:
            out = np.empty(layout.shape(own.size), np.uint8)
            return own.picture(own.pose(frame), layout, out, behind)
        finally:
            renderers.put(own)

    ahead: deque[Future[Bytes]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="draw") as pool:
        try:
            for frame, behind in scenes:
                ahead.append(pool.submit(draw, frame, behind))
                if len(ahead) > threads * _AHEAD_PER_THREAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
