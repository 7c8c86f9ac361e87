"""Why a file that FFmpeg does not open is no audio: the sentence that the user needs."""

from __future__ import annotations

from typing import Literal

from lipstream.audio.media_input import MediaInput
from lipstream.errors import BadInput

__all__ = ["explain_unreadable", "is_cut_short"]

_HEAD_BYTES = 512
_OPEN_SIZE_BYTES = 0x7FFF_0000
"""Programs that write to a pipe declare sizes from here on."""
_KNOWN_STARTS = (b"caff", b"fLaC", b"OggS", b"FORM", b"ID3", b"\x1aE\xdf\xa3")
_CONVERT = "Send WAV, MP3, FLAC, AAC, Opus or another format that FFmpeg reads."
_RAW = (
    "Raw samples need a header; add one, for example with "
    "`ffmpeg -f s16le -ar 16000 -ac 1 -i in.raw out.wav`."
)


def explain_unreadable(media: MediaInput) -> BadInput:
    """The refusal of a file that no demuxer accepts, by what its first bytes say."""
    head = media.head(_HEAD_BYTES)
    if not head and media.size_bytes is not None:
        return BadInput("The audio file is empty (0 bytes).", remedy=_CONVERT, code="empty_audio")
    if head.startswith(b"version https://git-lfs"):
        return BadInput(
            "This file is a Git LFS pointer, not the media itself.",
            remedy="Fetch it with `git lfs pull` and send the result.",
            code="not_media",
        )
    if head.startswith((b"#EXTM3U", b"ffconcat", b"v=0")):
        return BadInput(
            "The file is a playlist that refers to other files or addresses.",
            remedy="Send the media itself.",
            code="refers_elsewhere",
        )
    if head.startswith((b"RIFF", b"RIFX", b"RF64")) and head[8:12] == b"WAVE":
        return _explain_wav(head)
    if head[4:8] == b"ftyp" or head.startswith(_KNOWN_STARTS):
        return BadInput(
            "The media file is damaged or cut short: what says how to play it is missing.",
            remedy="Send the whole file, or export it again.",
            code="damaged_media",
        )
    if head and not _looks_like_text(head):
        return BadInput(
            "No known audio or video format was found in the file.",
            remedy=f"{_CONVERT} {_RAW}",
            code="not_media",
        )
    return BadInput("The file is not audio or video.", remedy=_CONVERT, code="not_media")


def is_cut_short(media: MediaInput) -> bool:
    """Whether a WAV file is shorter than its header says.

    FFmpeg takes what is there without a word. A size left open by a pipe (all ones) is no fault.
    """
    head = media.head(_HEAD_BYTES)
    if not head.startswith(b"RIFF") or media.size_bytes is None:
        return False
    declared_bytes = int.from_bytes(head[4:8], "little") + 8
    return media.size_bytes + 1 < declared_bytes < _OPEN_SIZE_BYTES


def _explain_wav(head: bytes) -> BadInput:
    order: Literal["big", "little"] = "big" if head.startswith(b"RIFX") else "little"
    place = head.find(b"fmt ")
    if place >= 0 and len(head) >= place + 16:
        rate_hz = int.from_bytes(head[place + 12 : place + 16], order)
        if rate_hz == 0:
            return BadInput(
                "The WAV header declares a sample rate of 0 Hz.",
                remedy="Export the recording again.",
                code="sample_rate",
            )
    return BadInput(
        "The WAV file is damaged: it holds no audio data that can be found.",
        remedy="Export the recording again.",
        code="damaged_media",
    )


def _looks_like_text(head: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head)
