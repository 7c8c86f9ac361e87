"""A video file, written while it is made: pictures from the renderer, sound beside them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from lipstream.render.container import container_of
from lipstream.render.film_writer import MARK, FilmWriter
from lipstream.render.h264 import EncoderSettings, configure
from lipstream.render.layout import video_frame
from lipstream.render.sink import Sink, Target
from lipstream.render.soundtrack import Soundtrack
from lipstream.render.splats import Bytes
from lipstream.wire.output import FilmFormat, PictureSize

if TYPE_CHECKING:
    from av import VideoStream

__all__ = ["MARK", "VideoWriter"]


class VideoWriter(FilmWriter):
    """Writes an MP4 that starts playing before it is loaded whole (`moov` in front), WebM or MOV.

    Video and audio must be fed side by side: what one is ahead of the other waits in memory.
    The same input gives the same bytes.

    Args:
        target: a path, replaced when the file is complete, or a binary file, written at the end.
        size_px: side of a square picture, or its width and height.
        fps: frames per second, 1 to 60.
        audio_rate_hz: rate of the samples that `write_audio` takes; None for a silent film.
        settings: how to encode H.264.
        metadata: tags of the container, such as `title`; `comment` marks the video as generated
            unless it is given.
        format: the kind of file.
        transparent: take pictures with alpha.

    Raises:
        BadInput: size, frame rate or sample rate cannot be encoded, or the format cannot be
            transparent.
    """

    def __init__(
        self,
        target: Target,
        size_px: int | PictureSize,
        fps: float = 25.0,
        audio_rate_hz: int | None = 16_000,
        *,
        settings: EncoderSettings | None = None,
        metadata: dict[str, str] | None = None,
        format: FilmFormat = FilmFormat.MP4,
        transparent: bool = False,
    ) -> None:
        import av

        settings = settings if settings is not None else EncoderSettings()
        kind = container_of(format, transparent, settings)
        super().__init__(Sink(target, format.ending), size_px, fps, audio_rate_hz)
        self.layout = kind.layout
        self._pix_fmt = kind.pix_fmt
        with self._sink.writing():
            self._container = av.open(
                str(self._sink.part), "w", format=kind.muxer, options=dict(kind.muxer_options)
            )
        self._container.metadata.update({"comment": MARK} | (metadata or {}))
        video = self._container.add_stream(
            kind.video, rate=self._rate, options=dict(kind.video_options)
        )
        self._video = cast("VideoStream", video)
        width, height = self._size.width_px, self._size.height_px
        configure(self._video.codec_context, width, height, self._rate, kind.pix_fmt)
        self._video.metadata.update(kind.stream_tags)
        if audio_rate_hz is not None:
            self._sound = Soundtrack(
                self._container,
                kind.audio,
                audio_rate_hz,
                options=kind.audio_options,
                bit_rate=kind.audio_bit_rate,
            )

    def _add(self, picture: Bytes) -> None:
        frame = video_frame(picture, self.layout, self.frames, self._rate, self._pix_fmt)
        self._container.mux(self._video.encode(frame))

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.finish()
        self._container.close()

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):  # a full disk, which is why we are here
            self._container.close()
