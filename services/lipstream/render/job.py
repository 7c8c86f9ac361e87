"""The render stage's work on a job: `motion.npz` and `speech.wav` in, `video.mp4` out."""

from __future__ import annotations

import os

from lipstream.audio.decode import decode_chunks
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion_file import read_npz
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.film import FilmOptions, render_video
from lipstream.render.framing import framed
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry

__all__ = ["RenderJob"]

_SOUNDTRACK_RATE_HZ = 48_000


class RenderJob:
    def __init__(self, shelf: AvatarShelf, telemetry: Telemetry) -> None:
        self._shelf = shelf
        self._telemetry = telemetry

    def __call__(self, context: JobContext) -> None:
        """
        Raises:
            NotFound: the avatar was deleted meanwhile.
        """
        params = context.params
        controls = FaceControls.parse(params.get("controls", {}))
        model = framed(self._shelf.model(params["avatar"]), controls.framing)
        scratch = context.scratch
        context.store.get_file("motion.npz", scratch / "motion.npz")
        context.store.get_file("speech.wav", scratch / "speech.wav")
        motion = read_npz(scratch / "motion.npz")
        fps = float(params["fps"])
        expected = max(1, round(len(motion) * fps / motion.fps))

        def progress(frames: int) -> None:
            self._telemetry.frames("job")
            context.progress(min(frames / expected, 1.0))

        stats = render_video(
            model,
            [motion],
            decode_chunks(scratch / "speech.wav", rate_hz=_SOUNDTRACK_RATE_HZ),
            scratch / "video.mp4",
            audio_rate_hz=_SOUNDTRACK_RATE_HZ,
            options=FilmOptions(
                size_px=params["size"], fps=fps, threads=min(os.cpu_count() or 1, 8)
            ),
            progress=progress,
        )
        context.store.put_file("video.mp4", scratch / "video.mp4")
        context.result("duration_s", round(stats.duration_s, 3))
        context.result("frames", stats.frames)
        context.result("size_bytes", stats.size_bytes)
