"""What is in a video file of each kind: how it is muxed and encoded, and what pictures it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lipstream.errors import BadInput
from lipstream.render.h264 import X264_PARAMETERS, EncoderSettings
from lipstream.render.layout import Layout
from lipstream.wire.output import FilmFormat

__all__ = ["Container", "container_of", "layout_of"]

_VP9 = {
    # Constant quality. The slower deadline takes six times as long for a quarter less.
    **{"deadline": "realtime", "cpu-used": "6", "crf": "28", "b": "0"},
    # Frames that are never shown: an alpha channel may have none.
    "auto-alt-ref": "0",
}


@dataclass(frozen=True, slots=True)
class Container:
    muxer: str
    muxer_options: Mapping[str, str]
    layout: Layout
    """What `VideoWriter.write_frame` takes."""
    video: str
    pix_fmt: str
    video_options: Mapping[str, str]
    audio: str
    audio_options: Mapping[str, str] = field(default_factory=dict)
    audio_bit_rate: int | None = None
    stream_tags: Mapping[str, str] = field(default_factory=dict)


def layout_of(kind: FilmFormat, transparent: bool) -> Layout:
    """The pictures that a file of that kind is made of.

    Raises:
        BadInput: they are transparent, and it cannot be.
    """
    if transparent and not kind.has_alpha:
        raise BadInput(
            f"Files of the format {kind} cannot be transparent.",
            remedy="Choose webm, mov or png, or a background.",
            code="no_alpha",
        )
    if kind in (FilmFormat.MP4, FilmFormat.WEBM):
        return Layout.YUVA420P if transparent else Layout.YUV420P
    return Layout.RGBA if transparent else Layout.RGB


def container_of(kind: FilmFormat, transparent: bool, settings: EncoderSettings) -> Container:
    """How a video of that kind is written.

    Raises:
        BadInput: it cannot be transparent, or is no video but a sequence of pictures.
    """
    layout = layout_of(kind, transparent)
    match kind:
        case FilmFormat.MP4:
            return Container(
                muxer="mp4",
                muxer_options={"movflags": "+faststart"},
                layout=layout,
                video="libx264",
                pix_fmt="yuv420p",
                video_options={
                    "preset": settings.preset,
                    "crf": str(settings.crf),
                    "x264-params": X264_PARAMETERS,
                },
                audio="aac",
                audio_options={"aac_coder": "fast"},
                audio_bit_rate=96_000,
            )
        case FilmFormat.WEBM:
            return Container(
                muxer="webm",
                muxer_options={"fflags": "+bitexact"},  # no random identifiers
                layout=layout,
                video="libvpx-vp9",
                pix_fmt=layout.value,
                video_options=_VP9,
                audio="libopus",
                audio_bit_rate=64_000,
                stream_tags={"alpha_mode": "1"} if transparent else {},
            )
        case FilmFormat.MOV:
            return Container(
                muxer="mov",
                muxer_options={"movflags": "+faststart"},
                layout=layout,
                video="prores_ks",
                pix_fmt="yuva444p10le" if transparent else "yuv444p10le",
                video_options={"profile": "4444", "vendor": "apl0"},
                audio="pcm_s16le",
            )
        case FilmFormat.PNG:
            raise BadInput("A sequence of PNG pictures is no video.")
