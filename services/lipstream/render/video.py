"""A video file, written while it is made: pictures from the renderer, sound beside them.

The encoder begins afresh every few seconds, at a picture that needs none before it. What it makes
of the pictures in between depends on them alone, so a film that is made in segments, by several
machines, is the same as one that is made in one go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lipstream.render.container import container_of
from lipstream.render.film_writer import MARK, FilmWriter
from lipstream.render.h264 import EncoderSettings, annex_b, configure
from lipstream.render.layout import video_frame
from lipstream.render.sink import Sink, Target
from lipstream.render.soundtrack import Soundtrack
from lipstream.render.splats import Bytes
from lipstream.wire.output import FilmFormat, PictureSize

if TYPE_CHECKING:
    from av import Packet, VideoStream
    from av.video.codeccontext import VideoCodecContext

__all__ = ["MARK", "PIECE_S", "VideoWriter"]

PIECE_S = 4
"""Seconds after which the encoder begins afresh: two of its usual intervals between keyframes."""


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
        self._kind = kind
        self._piece_frames = max(1, round(PIECE_S * self._rate))
        with self._sink.writing():
            self._container = av.open(
                str(self._sink.part), "w", format=kind.muxer, options=dict(kind.muxer_options)
            )
        self._container.metadata.update({"comment": MARK} | (metadata or {}))
        video = self._container.add_stream(
            kind.video, rate=self._rate, options=dict(kind.video_options)
        )
        self._video = cast("VideoStream", video)
        self._encoder = self._video.codec_context
        self._configure(self._encoder)
        self._video.metadata.update(kind.stream_tags)
        if audio_rate_hz is not None:
            self._sound = Soundtrack(
                self._container,
                kind.audio,
                audio_rate_hz,
                options=kind.audio_options,
                bit_rate=kind.audio_bit_rate,
            )

    def write_segment(self, path: Path) -> Iterable[int]:
        """Add the pictures of a silent film of the same size, rate and kind, as they are encoded.

        Before this writer stands a whole number of pieces. Gives the number of frames written
        so far, before each.
        """
        import av
        from av.rational import AVRational

        first = self.frames
        tick = AVRational(self._rate.denominator, self._rate.numerator)
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.pts is None or packet.dts is None:
                    continue  # marks the end
                yield self.frames
                packet.rescale_ts(tick)
                if self._kind.video == "libx264":
                    packet.update(annex_b(bytes(packet)))
                with self._sink.writing():
                    self._mux([packet], first)
                self.frames += 1

    def _add(self, picture: Bytes) -> None:
        place = self.frames % self._piece_frames
        if not place and self.frames:
            self._flush()
            self._encoder = self._fresh_encoder()
        frame = video_frame(picture, self.layout, place, self._rate, self._kind.pix_fmt)
        self._mux(self._encoder.encode(frame), self.frames - place)

    def _finish(self) -> None:
        if self._encoder is not self._video.codec_context or self._encoder.is_open:
            self._flush()
        if self._sound is not None:
            self._sound.finish()
        self._container.close()

    def _flush(self) -> None:
        last = max(0, self.frames - 1)
        self._mux(self._encoder.encode(None), last - last % self._piece_frames)

    def _mux(self, packets: Iterable[Packet[VideoStream]], first: int) -> None:
        """Add packets whose times count from frame `first`."""
        for packet in packets:
            assert packet.pts is not None
            assert packet.dts is not None
            packet.pts += first
            packet.dts += first
            packet.stream = self._video
            self._container.mux(packet)

    def _fresh_encoder(self) -> VideoCodecContext:
        import av
        from av.codec.context import Flags

        encoder = cast("VideoCodecContext", av.CodecContext.create(self._kind.video, "w"))
        encoder.options = dict(self._kind.video_options)
        if self._video.codec_context.flags & Flags.global_header:
            encoder.flags |= Flags.global_header
        self._configure(encoder)
        return encoder

    def _configure(self, encoder: VideoCodecContext) -> None:
        width, height = self._size.width_px, self._size.height_px
        configure(encoder, width, height, self._rate, self._kind.pix_fmt)

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):  # a full disk, which is why we are here
            self._container.close()
