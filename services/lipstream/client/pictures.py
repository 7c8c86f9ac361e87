"""H.264 access units of a session to pictures."""

from __future__ import annotations

import av

from lipstream.wire.live_media import MediaMessage

__all__ = ["PictureDecoder"]


class PictureDecoder:
    """Decodes the pictures of one session, each as it comes; needs PyAV."""

    def __init__(self) -> None:
        self._begin()

    def decode(self, media: MediaMessage) -> list[av.VideoFrame]:
        """The pictures that this access unit completes: one, as a rule.

        After a gap nothing is given until a picture comes that needs no other.
        """
        if media.keyframe:
            self._begin()
        try:
            return self._context.decode(av.Packet(media.payload))
        except av.error.InvalidDataError:
            return []

    def _begin(self) -> None:
        self._context = av.CodecContext.create("h264", "r")
        self._context.flags |= int(av.codec.context.Flags.low_delay)
