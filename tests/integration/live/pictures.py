"""What a player makes of a live stream of H.264."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np
from numpy.typing import NDArray

from lipstream.v1 import render_pb2

__all__ = ["decoded"]


def decoded(units: Iterable[render_pb2.VideoFrame]) -> list[NDArray[np.uint8]]:  # [S, S, 3] each
    """The pictures of these access units, in order."""
    codec = av.CodecContext.create("h264", "r")
    frames = [frame for unit in units for frame in codec.decode(av.Packet(unit.data))]
    frames += codec.decode(None)
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]
