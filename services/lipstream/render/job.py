"""The render stage's work on a job: `motion.npz` and `speech.wav` in, `video` out.

A long video is split into segments when there are others to share them with.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from lipstream.audio.decode import decode_chunks
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats
from lipstream.face.motion_file import read_npz
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.background import Background, open_background
from lipstream.render.film import FilmOptions, FilmStats, render_video
from lipstream.render.provenance import ContentSigner
from lipstream.render.segments import join_segments, render_segment, split
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry
from lipstream.wire.job import JOIN
from lipstream.wire.objects import PARTS
from lipstream.wire.output import UPLOAD, FilmFormat, Output

__all__ = ["RenderJob"]

_SOUNDTRACK_RATE_HZ = 48_000
_WORTH_IT = 3
"""Segments in a video that is split."""


class RenderJob:
    """
    Args:
        threads: how many draw one film.
        badge: a text that marks every picture, or nothing.
        signer: puts a signed manifest into films, or nothing.
    """

    def __init__(
        self,
        shelf: AvatarShelf,
        telemetry: Telemetry,
        threads: int,
        *,
        badge: str = "",
        signer: ContentSigner | None = None,
    ) -> None:
        self._shelf = shelf
        self._telemetry = telemetry
        self._threads = threads
        self._badge = badge
        self._signer = signer

    def __call__(self, context: JobContext) -> None:
        """
        Raises:
            NotFound: the avatar was deleted meanwhile.
            BadInput: the background cannot be used, or not with this avatar.
        """
        output = Output.of(context.params)
        fps = float(context.params["fps"])
        if context.part == JOIN:
            self._join(context, output, fps)
        elif context.part:
            self._render_segment(context, output, fps)
        elif segments := _segments(context, output, fps):
            context.split([f"{frames.start}-{frames.stop}" for frames in segments])
        else:
            self._render(context, output, fps)

    def _render(self, context: JobContext, output: Output, fps: float) -> None:
        began_s = time.perf_counter()
        model = self._shelf.model(context.params["avatar"])
        motion = read_npz(_fetched(context, "motion.npz"))
        expected = max(1, round(len(motion) * fps / motion.fps))
        video = (context.scratch / "video").with_suffix(output.format.ending)

        def progress(frames: int) -> None:
            self._telemetry.frames("job")
            if frames == 1:
                self._telemetry.first_frame("job", time.perf_counter() - began_s)
            context.progress(min(frames / expected, 1.0))

        stats = render_video(
            model,
            [motion],
            _sound(context),
            video,
            audio_rate_hz=_SOUNDTRACK_RATE_HZ,
            options=self._options(context, output, fps),
            progress=progress,
        )
        self._deliver(context, output, video, stats)

    def _render_segment(self, context: JobContext, output: Output, fps: float) -> None:
        frames = _frames_of(context.part)
        model = self._shelf.model(context.params["avatar"])
        segment = (context.scratch / "segment").with_suffix(output.format.ending)

        def progress(done: int) -> None:
            self._telemetry.frames("job")
            context.progress(min(done / len(frames), 1.0))

        render_segment(
            model,
            read_npz(_fetched(context, "motion.npz")),
            frames,
            segment,
            options=self._options(context, output, fps),
            progress=progress,
        )
        context.store.put_file(f"{PARTS}/{context.part}", segment)

    def _join(self, context: JobContext, output: Output, fps: float) -> None:
        parts = context.job.parts
        expected = _frames_of(parts[-1]).stop
        video = (context.scratch / "video").with_suffix(output.format.ending)
        stats = join_segments(
            (_fetched(context, f"{PARTS}/{part}") for part in parts),
            _sound(context),
            video,
            audio_rate_hz=_SOUNDTRACK_RATE_HZ,
            options=self._options(context, output, fps),
            progress=lambda done: context.progress(min(done / expected, 1.0)),
        )
        self._deliver(context, output, video, stats)

    def _options(self, context: JobContext, output: Output, fps: float) -> FilmOptions:
        return FilmOptions(
            size_px=output.size,
            fps=fps,
            format=output.format,
            background=_background(context, output.background),
            framing=FaceControls.parse(context.params.get("controls", {})).framing,
            badge=self._badge,
            threads=self._threads,
        )

    def _deliver(self, context: JobContext, output: Output, video: Path, stats: FilmStats) -> None:
        size_bytes = stats.size_bytes
        if self._signer is not None and self._signer.sign(video, output.format):
            size_bytes = video.stat().st_size
            context.result("content_credentials", True)
        context.store.put_file("video", video)
        context.result("duration_s", round(stats.duration_s, 3))
        context.result("frames", stats.frames)
        context.result("size_bytes", size_bytes)


def _segments(context: JobContext, output: Output, fps: float) -> list[range]:
    """What to split a video into; nothing where that would help nobody."""
    if context.workers < 2 or output.format is FilmFormat.PNG:
        return []
    samples = sum(len(chunk) for chunk in _sound(context))
    segments = split(samples, _SOUNDTRACK_RATE_HZ, fps)
    return segments if len(segments) >= _WORTH_IT else []


def _frames_of(part: str) -> range:
    first, _, stop = part.partition("-")
    return range(int(first), int(stop))


def _sound(context: JobContext) -> Iterator[Floats]:
    return decode_chunks(_fetched(context, "speech.wav"), rate_hz=_SOUNDTRACK_RATE_HZ)


def _fetched(context: JobContext, name: str) -> Path:
    path = context.scratch / name.rpartition("/")[2]
    if not path.exists():
        context.store.get_file(name, path)
    return path


def _background(context: JobContext, wish: str) -> Background:
    upload = None
    if wish == UPLOAD:
        upload = _fetched(context, "background")
    return open_background(wish, upload)
