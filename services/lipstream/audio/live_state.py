"""What a live stream of features is at one moment, for another replica to go on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Self

import numpy as np

from lipstream.audio.encoder import FEATURE_RATE_HZ
from lipstream.audio.live_samples import SavedSamples
from lipstream.audio.speech_models import FeatureExtractor
from lipstream.audio.speech_models.stream import StateT
from lipstream.errors import BadInput
from lipstream.inference import pack, unpack

__all__ = ["LiveFeatureState"]

_SECOND_US = 1_000_000
_FURTHEST_US, _MOST = 1 << 62, 1 << 45
"""Far beyond any stream, and times counted on from there still fit 64 bits."""


@dataclass(frozen=True, slots=True)
class LiveFeatureState(Generic[StateT]):
    """Streaming state and clock of one utterance."""

    features: StateT
    samples: SavedSamples
    rate_hz: int
    start_us: int
    """When the first sample is heard."""
    heard: int = 0
    """Samples taken, at `rate_hz`."""
    rows: int = 0
    """Rows of features given."""

    @classmethod
    def initial(cls, extractor: FeatureExtractor[StateT], rate_hz: int, start_us: int) -> Self:
        return cls(extractor.initial_state(), SavedSamples.initial(), rate_hz, start_us)

    @property
    def input_us(self) -> int:
        """When the next sample is heard."""
        return self.start_us + round(self.heard * _SECOND_US / self.rate_hz)

    @property
    def output_us(self) -> int:
        """When the next row of features begins."""
        return self.start_us + self.rows * _SECOND_US // FEATURE_RATE_HZ

    def encode(self) -> bytes:
        counts = (self.rate_hz, self.start_us, self.heard, self.rows, self.samples.given)
        return pack(
            {
                "counts": np.array(counts, np.int64),
                "history": self.samples.history,
                "features": np.frombuffer(self.features.encode(), np.uint8),
            }
        )

    @classmethod
    def decode(cls, data: bytes, extractor: FeatureExtractor[StateT]) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no such state, or one of another encoder.
        """
        arrays = unpack(data)
        try:
            rate_hz, start_us, heard, rows, given = (int(number) for number in arrays["counts"])
            history = arrays["history"].astype(np.float32)
            features = extractor.decode_state(arrays["features"].tobytes())
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput("This is not the state of a live stream of features.") from error
        if (
            rate_hz < 1
            or abs(start_us) > _FURTHEST_US
            or not all(0 <= count <= _MOST for count in (heard, rows, given))
            or history.ndim != 1
            or not np.isfinite(history).all()
        ):
            raise BadInput("This is not the state of a live stream of features.")
        return cls(features, SavedSamples(history, given), rate_hz, start_us, heard, rows)
