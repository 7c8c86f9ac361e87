"""From the bytes of any media file to blocks of decoded audio, through FFmpeg.

Input is hostile until decoded. So: only audio decoders may run (a video track is never decoded),
formats that point to other files or hosts (playlists, concat scripts, session descriptions) are
switched off, no nested file can be opened, and every failure of a foreign library ends here in
one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.diagnosis import explain_unreadable
from lipstream.audio.limits import AudioLimits
from lipstream.audio.media_input import MediaInput
from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput, LipstreamError

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

__all__ = ["Block", "Demuxer", "open_demuxer", "plain_formats", "refuse_nested"]

_MAX_BARREN_PACKETS = 20_000
"""Packets in a row that decode to nothing before the file counts as damaged beyond use."""

_UNSAFE_PLANES = 8
"""PyAV 18 finds a frame's planes by walking to a null pointer, which FFmpeg only guarantees below
eight channels; above, it reads foreign memory. Such frames are packed by FFmpeg first."""

_REFERRING_FORMATS = frozenset(
    {
        *("concat", "dash", "ffmetadata", "hls", "image2", "image2pipe", "imf", "lavfi"),
        *("rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest"),
        *("alsa", "fbdev", "kmsgrab", "oss", "video4linux2,v4l2", "x11grab"),
    }
)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive decoded samples of one format."""

    samples: Samples  # [S] mean of the channels, not clipped
    rate_hz: int


class Demuxer:
    """The audio track of one open container."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.damaged_packets = 0
        self.ended_early = False

    def blocks(self) -> Iterator[Block]:
        """Decode until the end; damaged packets are skipped and counted."""
        barren = 0
        for packet in self._packets():
            blocks = self._decode(packet)
            barren = 0 if blocks else barren + 1
            if barren > _MAX_BARREN_PACKETS:
                self.ended_early = True
                return
            yield from blocks

    def _packets(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except Exception:
                # PyAV raises what FFmpeg or its own bindings stumble over: a wide variety.
                self.ended_early = True
                return
            yield packet

    def _decode(self, packet: Any) -> list[Block]:
        try:
            return [_block(frame) for frame in packet.decode() if frame.samples]
        except Exception:
            self.damaged_packets += 1
            return []


@contextmanager
def open_demuxer(media: MediaInput, limits: AudioLimits) -> Iterator[Demuxer]:
    """Find the audio track of a media file.

    Raises:
        BadInput: this is not media, it has no audio track that can be decoded, or the track's
            rate or number of channels is outside the limits.
    """
    from av import AudioStream

    container = _open_container(media)
    try:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise BadInput(
                "The file has no audio track.",
                remedy="Send a recording of speech, or a video with sound.",
                code="no_audio",
            )
        _check_track(stream, limits)
        yield Demuxer(container, stream)
    finally:
        container.close()


def _open_container(media: MediaInput) -> InputContainer:
    import av

    try:
        return av.open(
            media,
            mode="r",
            metadata_errors="replace",
            options={
                "codec_whitelist": _audio_decoders(),
                "format_whitelist": plain_formats(),
                "protocol_whitelist": "none",
            },
            io_open=refuse_nested,
        )
    except LipstreamError:
        raise
    except Exception:
        raise media.refusal or explain_unreadable(media) from None


def _check_track(stream: AudioStream, limits: AudioLimits) -> None:
    codec = stream.codec_context
    if codec is None:
        raise BadInput(
            "The audio track is in a codec that cannot be decoded here.",
            remedy="Convert it to WAV, FLAC, MP3, AAC or Opus.",
            code="unknown_codec",
        )
    if not limits.min_rate_hz <= codec.sample_rate <= limits.max_rate_hz:
        raise BadInput(
            f"The audio declares a sample rate of {codec.sample_rate:,} Hz; "
            f"{limits.min_rate_hz:,} to {limits.max_rate_hz:,} Hz is accepted.",
            remedy="Resample it, for example with `ffmpeg -i in.wav -ar 48000 out.wav`.",
            code="sample_rate",
        )
    if codec.channels > limits.max_channels:
        raise BadInput(
            f"The audio has {codec.channels} channels; the limit is {limits.max_channels}.",
            remedy="Mix it down to mono.",
            code="channels",
        )


def _block(frame: AudioFrame) -> Block:
    """Mean of the channels of a frame, at full scale 1."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels >= _UNSAFE_PLANES:
        frame = _packed(frame)
    values: NDArray[Any] = frame.to_ndarray()
    planar = values if frame.format.is_planar else values.reshape(-1, channels).T
    mean = np.asarray(planar.mean(axis=0, dtype=np.float64) if channels > 1 else planar[0])
    if planar.dtype == np.uint8:
        mean = (mean - 128.0) / 128.0
    elif np.issubdtype(planar.dtype, np.integer):
        mean = mean / -float(np.iinfo(planar.dtype).min)
    return Block(mean.astype(np.float32), frame.sample_rate)


def _packed(frame: AudioFrame) -> AudioFrame:
    from av import AudioResampler

    converter = AudioResampler(format="flt", layout=frame.layout, rate=frame.sample_rate)
    return converter.resample(frame)[0]


def refuse_nested(url: str, flags: int, options: dict[str, str]) -> None:
    """What a container calls when it would open another file.

    Raises:
        BadInput: always.
    """
    raise BadInput(
        "The file refers to another file or address.",
        remedy="Send the media itself, not a playlist.",
        code="refers_elsewhere",
    )


@lru_cache(maxsize=1)
def _audio_decoders() -> str:
    import av

    return ",".join(name for name in sorted(av.codecs_available) if _is_audio_decoder(name))


def _is_audio_decoder(name: str) -> bool:
    import av

    try:
        return av.Codec(name, "r").type == "audio"
    except ValueError:  # an encoder alone
        return False


@lru_cache(maxsize=1)
def plain_formats() -> str:
    """FFmpeg's formats but those that point to other files, hosts or devices; by commas."""
    import av

    return ",".join(sorted(av.formats_available - _REFERRING_FORMATS))
