"""Arrays on the wire: numpy on one side, the bytes of proto messages on the other.

Bytes are little-endian float32 in C order. Whatever arrives is checked for size and shape before
it is used, and is copied once, so that nobody writes into a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, TooLarge
from lipstream.v1 import common_pb2

__all__ = [
    "MOTION_WIDTHS",
    "Floats",
    "pack_motion",
    "pack_samples",
    "pack_tensor",
    "unpack_motion",
    "unpack_samples",
    "unpack_tensor",
]

Floats: TypeAlias = NDArray[np.float32]

MOTION_WIDTHS: Mapping[str, int] = {"blendshapes": 52, "rotation": 3, "translation": 3, "gaze": 4}
"""Values a frame of each field of `MotionFrames`."""

_WIRE = np.dtype("<f4")
_PCM16 = np.dtype("<i2")
_PCM16_SCALE = 32768.0


def pack_tensor(array: Floats) -> common_pb2.Tensor:
    """An array of any shape as a message."""
    return common_pb2.Tensor(shape=array.shape, data=_bytes(array))


def unpack_tensor(tensor: common_pb2.Tensor, width: int, max_rows: int = 60_000) -> Floats:
    """The rows of a two-dimensional tensor.

    Args:
        width: values a row.

    Returns:
        # [T, width]

    Raises:
        BadInput: other dimensions, bytes that do not fit them, or values that are not finite.
        TooLarge: more than `max_rows`.
    """
    shape = tuple(tensor.shape)
    if len(shape) != 2 or shape[1] != width:
        raise BadInput(f"A tensor has the shape {shape[:8]}; (rows, {width}) was expected.")
    if shape[0] > max_rows:
        raise TooLarge(f"A tensor has {shape[0]} rows; the limit is {max_rows}.")
    if len(tensor.data) != shape[0] * width * _WIRE.itemsize:
        raise BadInput(f"A tensor of the shape {shape} holds {len(tensor.data)} bytes.")
    return _rows(tensor.data, width, "A tensor")


def pack_motion(
    blendshapes: Floats,  # [T, 52]
    rotation: Floats,  # [T, 3]
    translation: Floats,  # [T, 3]
    gaze: Floats,  # [T, 4]
) -> common_pb2.MotionFrames:
    """Frames of motion as a message."""
    return common_pb2.MotionFrames(
        blendshapes=_bytes(blendshapes),
        rotation=_bytes(rotation),
        translation=_bytes(translation),
        gaze=_bytes(gaze),
    )


def unpack_motion(frames: common_pb2.MotionFrames, max_frames: int = 10_000) -> dict[str, Floats]:
    """Arrays `# [T, width]` by the names in `MOTION_WIDTHS`.

    Raises:
        BadInput: fields disagree about the number of frames, or hold what is not finite.
        TooLarge: more than `max_frames`.
    """
    arrays = {name: _rows(getattr(frames, name), w, name) for name, w in MOTION_WIDTHS.items()}
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1:
        raise BadInput("The fields of a motion message disagree about the number of frames.")
    if max(counts) > max_frames:
        raise TooLarge(f"A message has {max(counts)} frames; the limit is {max_frames}.")
    return arrays


def pack_samples(
    samples: Floats,  # [S] in [-1, 1]
    sample_format: common_pb2.SampleFormat.ValueType,
) -> bytes:
    """Audio as bytes; PCM is clipped."""
    if sample_format == common_pb2.SAMPLE_FORMAT_F32LE:
        return _bytes(samples)
    if sample_format == common_pb2.SAMPLE_FORMAT_PCM_S16LE:
        scaled = np.clip(np.rint(samples * _PCM16_SCALE), -_PCM16_SCALE, _PCM16_SCALE - 1)
        pcm: NDArray[np.int16] = scaled.astype(_PCM16)
        return pcm.tobytes()
    raise BadInput("The sample format is missing or unknown.")


def unpack_samples(
    data: bytes, sample_format: common_pb2.SampleFormat.ValueType, max_samples: int = 4_000_000
) -> Floats:
    """Audio in [-1, 1] # [S].

    Raises:
        BadInput: an unknown format, part of a sample, or values that are not finite.
        TooLarge: more than `max_samples`.
    """
    if sample_format == common_pb2.SAMPLE_FORMAT_F32LE:
        samples = _rows(data, 1, "Audio")[:, 0]
    elif sample_format == common_pb2.SAMPLE_FORMAT_PCM_S16LE:
        if len(data) % _PCM16.itemsize:
            raise BadInput(f"{len(data)} bytes of 16-bit audio end within a sample.")
        samples = np.frombuffer(data, _PCM16).astype(np.float32) / np.float32(_PCM16_SCALE)
    else:
        raise BadInput("The sample format is missing or unknown.")
    if len(samples) > max_samples:
        raise TooLarge(f"A message has {len(samples)} samples; the limit is {max_samples}.")
    return samples


def _bytes(array: Floats) -> bytes:
    return np.ascontiguousarray(array, _WIRE).tobytes()


def _rows(data: bytes, width: int, what: str) -> Floats:
    if len(data) % (width * _WIRE.itemsize):
        raise BadInput(f"{what}: {len(data)} bytes are no rows of {width} float32.")
    array = np.frombuffer(data, _WIRE).astype(np.float32).reshape(-1, width)
    if not np.isfinite(array).all():
        raise BadInput(f"{what} holds values that are not finite.")
    return array
