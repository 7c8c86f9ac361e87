"""The sound of a film, encoded as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import OutputContainer

__all__ = ["Soundtrack"]

# Players that ignore edit lists play an encoder's lead-in of 1024 samples: 21 ms at this rate,
# 64 ms at 16 kHz, which one would see on the lips.
_RATE_HZ = 48_000
_MAX_CHUNK_S = 1.0


class Soundtrack:
    """A mono stream of a container that is being written.

    Args:
        rate_hz: of the samples that come.

    Raises:
        BadInput: sound of that rate cannot be encoded.
    """

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        rate_hz: int,
        *,
        options: Mapping[str, str] | None = None,
        bit_rate: int | None = None,
    ) -> None:
        self._container = container
        self._rate_hz = rate_hz
        stream = container.add_stream(
            codec, rate=_RATE_HZ, layout="mono", options=dict(options or {})
        )
        self._stream = cast("AudioStream", stream)
        if bit_rate is not None:
            self._stream.bit_rate = bit_rate
        self.samples = 0

    @staticmethod
    def check_rate(rate_hz: int) -> None:
        if not 1000 <= rate_hz <= 384_000:
            raise BadInput(
                f"Audio of {rate_hz} samples per second cannot be encoded.",
                remedy="Resample it to a rate from 1000 to 384000 Hz.",
            )

    @property
    def seconds(self) -> float:
        """Written so far."""
        return self.samples / self._rate_hz

    def write(self, samples: Floats) -> None:  # [any length], mono, -1..1
        """
        Raises:
            BadInput: a sample is not finite.
        """
        from av import AudioFrame

        step = int(_MAX_CHUNK_S * self._rate_hz)
        for begin in range(0, len(samples), step):
            chunk = np.ascontiguousarray(samples[begin : begin + step], np.float32)
            if not np.isfinite(chunk).all():
                raise BadInput("The sound holds values that are not finite.")
            frame = AudioFrame.from_ndarray(chunk[None], format="fltp", layout="mono")
            frame.sample_rate = self._rate_hz
            frame.time_base = Fraction(1, self._rate_hz)
            frame.pts = self.samples
            self._container.mux(self._stream.encode(frame))
            self.samples += len(chunk)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self.samples:
            self._container.mux(self._stream.encode(None))
