"""What a feature of a live stream may depend on, made explicit.

HuBERT, wav2vec 2.0 and Whisper look at a whole recording. Live, each gets a window instead: the
rows of a block, some past to the left, some future to the right.

    |<- left ->|<- block ->|<- look-ahead ->|

Blocks lie on a fixed grid from the start of the stream, so a row's window, and with it the row,
does not depend on how the audio arrives: chunked equals whole, and training on windows is training
on what serving sees. A window begins no earlier than the stream. At the end, silence follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lipstream.audio.encoder import FEATURE_RATE_HZ
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.errors import BadInput
from lipstream.inference import pack, unpack

__all__ = ["ROW_SAMPLES", "StreamWindow", "WindowState"]

ROW_SAMPLES = SAMPLE_RATE_HZ // FEATURE_RATE_HZ
_ROW_MS = 1000 // FEATURE_RATE_HZ
_MOST_LEFT_S = 28.0
_MOST_MS = 1_000


@dataclass(frozen=True, slots=True)
class StreamWindow:
    """Sizes of a window; multiples of a row's 20 ms.

    Raises:
        BadInput: one is out of range.
    """

    left_s: float = 4.0
    """Past that a block's features depend on."""
    chunk_ms: int = 80
    """Of a block: one run of the network gives so much."""
    look_ahead_ms: int = 80
    """Future that they depend on."""

    def __post_init__(self) -> None:
        for name, value_ms, lowest_ms, highest_ms in (
            ("left_s", 1000 * self.left_s, 0.0, 1000 * _MOST_LEFT_S),
            ("chunk_ms", self.chunk_ms, _ROW_MS, _MOST_MS),
            ("look_ahead_ms", self.look_ahead_ms, 0, _MOST_MS),
        ):
            if not lowest_ms <= value_ms <= highest_ms or round(value_ms) % _ROW_MS:
                raise BadInput(
                    f"{name} of a speech encoder's window makes {value_ms:g} ms; a multiple of "
                    f"{_ROW_MS} between {lowest_ms:g} and {highest_ms:g} was expected."
                )

    @property
    def left_rows(self) -> int:
        return round(1000 * self.left_s) // _ROW_MS

    @property
    def block_rows(self) -> int:
        return self.chunk_ms // _ROW_MS

    @property
    def right_rows(self) -> int:
        return self.look_ahead_ms // _ROW_MS

    @property
    def rows(self) -> int:
        """Of a whole window."""
        return self.left_rows + self.block_rows + self.right_rows

    def latency_ms(self, tail_samples: int) -> float:
        """How much audio after the end of a row's 20 ms is needed before the row can be computed,
        for the first row of a block, which waits longest.

        Args:
            tail_samples: that the network's last row covers beyond its 20 ms.
        """
        rows = self.block_rows - 1 + self.right_rows
        return rows * _ROW_MS + 1000 * tail_samples / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class WindowState:
    """What one stream leaves behind for its next chunk."""

    samples: Samples  # [S] from `first_row` on
    first_row: int = 0
    """Row at which the kept samples begin."""
    next_row: int = 0
    """First row that has not been given yet."""

    @classmethod
    def initial(cls) -> Self:
        return cls(np.zeros(0, np.float32))

    @property
    def total_samples(self) -> int:
        """Received since the stream began."""
        return self.first_row * ROW_SAMPLES + self.samples.size

    def appended(self, samples: Samples) -> WindowState:
        """With more audio; what is not a number counts as silence."""
        clean = np.clip(np.nan_to_num(samples.astype(np.float32)), -1.0, 1.0)
        return replace(self, samples=np.concatenate([self.samples, clean]))

    def advanced(self, next_row: int, left_rows: int) -> WindowState:
        """After rows up to `next_row` were given: keeps only what later windows need."""
        first_row = max(next_row - left_rows, self.first_row)
        kept = self.samples[(first_row - self.first_row) * ROW_SAMPLES :].copy()
        return WindowState(kept, first_row, next_row)

    def encode(self) -> bytes:
        """As bytes, for another replica to go on from."""
        place = np.array([self.first_row, self.next_row], np.int64)
        return pack({"samples": self.samples, "place": place})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no such state.
        """
        arrays = unpack(data)
        samples, place = arrays.get("samples"), arrays.get("place")
        if (
            samples is None
            or place is None
            or samples.ndim != 1
            or samples.dtype != np.float32
            or place.shape != (2,)
            or place.dtype != np.int64
            or not 0 <= place[0] <= place[1]
        ):
            raise BadInput("This is not the state of a windowed speech encoder.")
        return cls(samples, int(place[0]), int(place[1]))
