"""Reading a video that anybody may have sent: what it is, without its pictures, then its pictures.

A video is never held as a whole: it is decoded once to find shots, and again for the frames that
are wanted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.demux import plain_formats, refuse_nested
from lipstream.errors import BadInput, LipstreamError, NotFound, TooLarge

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

__all__ = [
    "MAX_VIDEO_S",
    "MIN_VIDEO_S",
    "Footage",
    "check_video",
    "frames",
    "is_video",
    "sha256_of",
    "survey",
    "upright",
]

MIN_VIDEO_S = 3.0
MAX_VIDEO_S = 300.0
_TOLERANCE_S = 0.1
"""Three seconds of frames end one frame early."""
_MAX_PIXELS = 4096 * 2304
_MAX_FRAMES = 72_000
"""Five minutes at 240 frames a second."""
_THUMBNAIL_PX = (48, 27)
_HDR = {16: "PQ", 18: "HLG"}
"""FFmpeg's numbers of transfer functions that a screen of 8 bits cannot show."""
_PICTURE_FORMATS = frozenset({"gif", "apng", "image2"})
_PICTURE_BRANDS = frozenset({"heic", "heix", "mif1", "msf1", "avif", "avis"})
_COVER = 0x400
"""FFmpeg's disposition of a picture that is attached to something else."""


@dataclass(frozen=True, slots=True)
class Footage:
    """A video file that can be decoded, frame by frame, without its pictures."""

    path: Path
    sha256: str
    times_s: NDArray[np.float64]  # [T] as shown, from the first frame on, rising
    sizes_px: NDArray[np.int64]  # [T, 2] width and height, upright
    change: NDArray[np.float64]  # [T] grey levels from the frame before; 0 for the first
    ended_early: bool  # damaged on the way


def is_video(path: Path) -> bool:
    """Whether a file's content is moving pictures; its name says nothing."""
    if not path.is_file():
        return False
    try:
        with _opened(path) as container:
            # FFmpeg takes single pictures for videos of one frame, and covers of songs too.
            brand = container.metadata.get("major_brand", "").strip()
            still = (
                container.format.name.endswith("_pipe")
                or container.format.name in _PICTURE_FORMATS
                or brand in _PICTURE_BRANDS
            )
            moving = [s for s in container.streams.video if not s.disposition & _COVER]
            return bool(moving) and not still
    except LipstreamError:
        return False


def check_video(path: Path) -> None:
    """Look at a video's header and first picture, which takes no time.

    Raises:
        TooLarge: as `survey`.
        BadInput: as `survey`, for what can be told from so little.
    """
    with _opened(path) as container:
        _check_header(container)
        try:
            first = next(container.decode(container.streams.video[0]), None)
        except Exception:
            first = None
        if first is None:
            raise _undecodable()
        _check_frame(first, [])


def survey(path: Path) -> Footage:
    """Decode a video once, keeping of each frame its time, its size, and how much changed.

    Raises:
        NotFound: there is no such file.
        TooLarge: over five minutes, or over 9 million pixels a frame; found before decoding where
            the file says so.
        BadInput: no video, HDR, or nothing that can be decoded.
    """
    times: list[float] = []
    sizes: list[tuple[int, int]] = []
    changes: list[float] = []
    last: NDArray[np.float32] | None = None
    ended_early = False
    with _opened(path) as container:
        _check_header(container)
        try:
            for frame in container.decode(container.streams.video[0]):
                if frame.time is None or (times and frame.time <= times[-1]):
                    continue
                _check_frame(frame, times)
                small = frame.reformat(*_THUMBNAIL_PX, format="gray").to_ndarray()
                grey = np.asarray(small, np.float32)
                changes.append(0.0 if last is None else float(np.abs(grey - last).mean()))
                last = grey
                times.append(float(frame.time))
                sideways = round(frame.rotation / 90) % 2
                sizes.append(
                    (frame.height, frame.width) if sideways else (frame.width, frame.height)
                )
        except LipstreamError:
            raise
        except Exception:  # PyAV raises what FFmpeg or its own bindings stumble over
            ended_early = True
    if not times:
        raise _undecodable()
    return Footage(
        path,
        sha256_of(path),
        np.array(times) - times[0],
        np.array(sizes),
        np.array(changes),
        ended_early,
    )


def frames(
    footage: Footage, wanted: NDArray[np.int64]
) -> Iterator[NDArray[np.uint8]]:  # [H, W, 3] each
    """The pictures of some frames `# [F]`, rising: sRGB, upright."""
    left = {int(index) for index in wanted}
    index, last_s = -1, -np.inf
    with _opened(footage.path) as container:
        for frame in container.decode(container.streams.video[0]):
            if frame.time is None or frame.time <= last_s:
                continue
            index, last_s = index + 1, frame.time
            if index in left:
                yield upright(frame)
                left.remove(index)
            if not left:
                return


def upright(frame: VideoFrame) -> NDArray[np.uint8]:  # [H, W, 3]
    """A frame in sRGB, turned as phones note that they were held."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    import av

    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", remedy="Check the path.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        options = {"format_whitelist": plain_formats(), "protocol_whitelist": "none"}
        try:
            container = av.open(
                file, "r", metadata_errors="replace", options=options, io_open=refuse_nested
            )
        except LipstreamError:
            raise
        except Exception:
            raise BadInput(
                "The file is no video that FFmpeg reads.",
                remedy="Send an MP4, MOV, WebM or MPEG video. One that was cut off while it was "
                "copied or recorded must be copied again.",
                code="not_a_video",
            ) from None
        with container:
            yield container


def _check_header(container: InputContainer) -> None:
    if not container.streams.video or container.streams.video[0].codec_context is None:
        raise BadInput("The file has no pictures.", remedy="Send a video.", code="not_a_video")
    stream = container.streams.video[0]
    length_s = max(
        (container.duration or 0) / 1e6,
        float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0,
    )
    if length_s > MAX_VIDEO_S + _TOLERANCE_S:
        raise _too_long(f"{length_s / 60:.0f} minutes")
    stream.thread_type = "AUTO"
    codec = stream.codec_context
    if codec.width * codec.height > _MAX_PIXELS:
        raise TooLarge(
            f"The video's pictures have {codec.width} x {codec.height} pixels.",
            remedy="Export it at 1080p.",
        )


def _check_frame(frame: VideoFrame, times_s: list[float]) -> None:
    if (curve := _HDR.get(int(frame.color_trc))) is not None:
        raise BadInput(
            f"The video is HDR ({curve}); its colours cannot be used as they are.",
            remedy="Export it in standard range (SDR, Rec. 709), or switch HDR off in the camera.",
            code="hdr",
        )
    if len(times_s) >= _MAX_FRAMES or (
        times_s and frame.time - times_s[0] > MAX_VIDEO_S + _TOLERANCE_S
    ):
        raise _too_long("more than five minutes")


def _undecodable() -> BadInput:
    return BadInput(
        "No picture of the video can be decoded.",
        remedy="Export it again, as MP4 with H.264.",
        code="damaged_video",
    )


def _too_long(length: str) -> TooLarge:
    return TooLarge(
        f"The video is too long: {length}; the limit is {MAX_VIDEO_S / 60:.0f} minutes.",
        remedy="Send a part of it; ten to thirty seconds do.",
        code="too_long",
    )


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
