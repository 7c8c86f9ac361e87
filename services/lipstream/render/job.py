"""The render stage's work on a job: `motion.npz` and `speech.wav` in, `video` out."""

from __future__ import annotations

import time

from lipstream.audio.decode import decode_chunks
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion_file import read_npz
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.background import Background, open_background
from lipstream.render.film import FilmOptions, render_video
from lipstream.render.provenance import ContentSigner
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.telemetry import Telemetry
from lipstream.wire.output import UPLOAD, Output

__all__ = ["RenderJob"]

_SOUNDTRACK_RATE_HZ = 48_000


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
        began_s = time.perf_counter()
        params = context.params
        controls = FaceControls.parse(params.get("controls", {}))
        model = self._shelf.model(params["avatar"])
        scratch = context.scratch
        context.store.get_file("motion.npz", scratch / "motion.npz")
        context.store.get_file("speech.wav", scratch / "speech.wav")
        motion = read_npz(scratch / "motion.npz")
        output = Output.of(params)
        video = (scratch / "video").with_suffix(output.format.ending)
        fps = float(params["fps"])
        expected = max(1, round(len(motion) * fps / motion.fps))

        def progress(frames: int) -> None:
            self._telemetry.frames("job")
            if frames == 1:
                self._telemetry.first_frame("job", time.perf_counter() - began_s)
            context.progress(min(frames / expected, 1.0))

        stats = render_video(
            model,
            [motion],
            decode_chunks(scratch / "speech.wav", rate_hz=_SOUNDTRACK_RATE_HZ),
            video,
            audio_rate_hz=_SOUNDTRACK_RATE_HZ,
            options=FilmOptions(
                size_px=output.size,
                fps=fps,
                format=output.format,
                background=_background(context, output.background),
                framing=controls.framing,
                badge=self._badge,
                threads=self._threads,
            ),
            progress=progress,
        )
        size_bytes = stats.size_bytes
        if self._signer is not None and self._signer.sign(video, output.format):
            size_bytes = video.stat().st_size
            context.result("content_credentials", True)
        context.store.put_file("video", video)
        context.result("duration_s", round(stats.duration_s, 3))
        context.result("frames", stats.frames)
        context.result("size_bytes", size_bytes)


def _background(context: JobContext, wish: str) -> Background:
    upload = None
    if wish == UPLOAD:
        upload = context.scratch / "background"
        context.store.get_file("background", upload)
    return open_background(wish, upload)
