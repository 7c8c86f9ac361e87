"""Binary messages of a session's socket, from the server to the client.

| bytes | | |
|---|---|---|
| 0 | uint8 | kind: 1 video, 2 audio, 3 motion |
| 1 | uint8 | flags: 1 this picture needs no other, 2 colours and alpha are side by side |
| 2-3 | | 0 |
| 4-7 | uint32 | epoch; sound of a lower one than any sound before is stale, so are pictures |
| 8-15 | int64 | when it begins to be seen or heard, microseconds of the session |
| 16- | | payload |

Little-endian. Video is one H.264 access unit (Annex B), with flag 2 of twice the width: on the left
the colours over black, on the right alpha as grey. Audio is 16-bit PCM, mono, at the session's
rate; motion is 62 float32: 52 ARKit blendshapes, head rotation 3, translation 3, gaze 4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from lipstream.errors import BadInput

__all__ = ["MediaKind", "MediaMessage"]

_HEADER = struct.Struct("<BBHIq")
_KEYFRAME, _SIDE_BY_SIDE = 1, 2


class MediaKind(IntEnum):
    VIDEO = 1
    AUDIO = 2
    MOTION = 3


@dataclass(frozen=True, slots=True)
class MediaMessage:
    kind: MediaKind
    epoch: int
    pts_us: int
    payload: bytes
    keyframe: bool = False
    side_by_side: bool = False
    """Over a background a picture is `left + (1 - right) * background`."""

    def encode(self) -> bytes:
        flags = self.keyframe * _KEYFRAME + self.side_by_side * _SIDE_BY_SIDE
        return _HEADER.pack(self.kind, flags, 0, self.epoch, self.pts_us) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Raises:
            BadInput: these bytes are no such message.
        """
        if len(data) < _HEADER.size:
            raise BadInput(f"A media message has {len(data)} bytes; its head alone has 16.")
        kind, flags, _, epoch, pts_us = _HEADER.unpack_from(data)
        try:
            known = MediaKind(kind)
        except ValueError:
            raise BadInput(f"A media message is of the unknown kind {kind}.") from None
        own = (bool(flags & flag) for flag in (_KEYFRAME, _SIDE_BY_SIDE))
        return cls(known, epoch, pts_us, data[_HEADER.size :], *own)
