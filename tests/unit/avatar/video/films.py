"""Small videos, made on the spot."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["film", "on_its_side", "plain", "speaker"]

Picture = NDArray[np.uint8]  # [H, W, 3]

_TICKS = 1000


def film(
    path: Path,
    pictures: Iterable[Picture],
    *,
    times_s: Sequence[float] | None = None,
    fps: int = 10,
    container: str = "mp4",
    codec: str = "libx264",
    transfer: int | None = None,
) -> Path:
    """Encode pictures of one size, at a constant rate or at given times."""
    stream_file = io.BytesIO()
    with av.open(stream_file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.codec_context.time_base = Fraction(1, _TICKS)
        for k, picture in enumerate(pictures):
            if k == 0:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                if transfer is not None:
                    stream.codec_context.color_trc = transfer
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            time_s = k / fps if times_s is None else times_s[k]
            frame.pts, frame.time_base = round(time_s * _TICKS), Fraction(1, _TICKS)
            if transfer is not None:
                frame.color_trc = transfer
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    path.write_bytes(stream_file.getvalue())
    return path


def plain(count: int, level: int = 90, size: tuple[int, int] = (48, 64)) -> list[Picture]:
    """Frames of noise that hardly changes around a grey level."""
    rng = np.random.default_rng(level)
    ground = rng.integers(level - 20, level + 20, (*size, 3))
    return [np.asarray(ground + rng.integers(0, 3, ground.shape), np.uint8) for _ in range(count)]


def on_its_side(path: Path) -> Path:
    """Note in an MP4's header that the camera was held on its side."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one, unit = 1 << 16, 1 << 30
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, unit)
    path.write_bytes(data)
    return path


def speaker(picture: Picture, faces: int = 1) -> Picture:
    """A portrait, once or several times beside itself, at a size that encoders take."""
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    return np.ascontiguousarray(np.tile(picture[:height, :width], (1, faces, 1)))
