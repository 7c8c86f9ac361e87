"""Small media files, made on the spot."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np

from lipstream.audio.pcm import Samples


def tone(seconds: float, rate_hz: int = 16_000, frequency_hz: float = 300.0) -> Samples:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(0.4 * np.sin(2 * np.pi * frequency_hz * t), np.float32)


def wav_bytes(
    data: bytes, rate_hz: int = 16_000, channels: int = 1, bits: int = 16, code: int = 1
) -> bytes:
    """A WAV file with whatever its header claims."""
    frame_bytes = channels * bits // 8
    header = struct.pack(
        "<IHHIIHH", 16, code, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, bits
    )
    chunks = b"WAVEfmt " + header + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def pcm_wav(samples: Samples, rate_hz: int = 16_000) -> bytes:
    data: bytes = np.rint(samples * 32_767).astype("<i2").tobytes()
    return wav_bytes(data, rate_hz)


def encoded(
    samples: Samples,  # [S] 48 kHz
    container: str,
    codec: str,
    layout: str = "stereo",
) -> bytes:
    """The same signal in every channel, through an encoder."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        wanted = [f.name for f in stream.codec.audio_formats or [] if f.name in {"s16", "s16p"}]
        if wanted and not codec.startswith("pcm"):
            stream.format = wanted[0]
        converter = av.AudioResampler(
            format=stream.format,
            layout=layout,
            rate=48_000,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        channels = av.AudioLayout(layout).nb_channels
        packed = np.repeat(np.rint(samples * 32_767).astype(np.int16), channels)[None]
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = 48_000
        written = 0
        for piece in [*converter.resample(frame), *converter.resample(None)]:
            piece.pts, piece.time_base = written, Fraction(1, 48_000)
            written += piece.samples
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


def video_with_sound(samples: Samples) -> bytes:  # [S] 48 kHz
    """A video file with a sound track, both short."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        picture = output.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        assert isinstance(picture, av.VideoStream)
        sound = output.add_stream("aac", rate=48_000)
        assert isinstance(sound, av.AudioStream)
        sound.layout = "mono"
        for _ in range(10):
            image = np.zeros((64, 64, 3), np.uint8)
            output.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(picture.encode(None))
        for start in range(0, samples.size - 1023, 1024):
            block = samples[None, start : start + 1024]
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate = 48_000
            frame.pts = start
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()
