"""The streaming speech encoder: log-mel frames in, features at 50 Hz out.

Causal, and its whole past is an explicit state: chunks of any length give what one long call gives,
a state moves to another replica as bytes, and states of several sessions join into one batch.
Channel 0 of the features is loudness (about 0 in digital silence, 1 in loud speech) and channel 1
the probability of speech; the others are learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lipstream.audio.mel import BANDS, POWER_FLOOR
from lipstream.errors import BadInput
from lipstream.inference import (
    EncoderIdentity,
    FiniteModel,
    ModelRunner,
    ModelStore,
    pack,
    unpack,
)

__all__ = [
    "ENCODER_MODEL",
    "FEATURE_RATE_HZ",
    "LOUDNESS_CHANNEL",
    "SPEECH_CHANNEL",
    "EncoderState",
    "Features",
    "SpeechEncoder",
]

Features: TypeAlias = NDArray[np.float32]

ENCODER_MODEL = "speech_encoder"
FEATURE_RATE_HZ = 50
LOUDNESS_CHANNEL = 0
SPEECH_CHANNEL = 1

_MEL_PER_FEATURE = 2
_LONGEST_STEP = 400
"""Log-mel frames in one call of the network: bounds memory, which grows with their square."""
_PRIMING_FRAMES = 100
_MEL_RANGE = (-16.2, 16.0)


@dataclass(frozen=True, slots=True)
class EncoderState:
    """What `B` streams leave behind; all have received the same number of frames modulo two."""

    network: Features  # [B, S]
    pending: Features  # [B, 0..1, 80] frames that still lack the other of their pair

    def __len__(self) -> int:
        return len(self.network)

    def encode(self) -> bytes:
        """The state as bytes, for another replica to go on from."""
        return pack({"network": self.network, "pending": self.pending})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no encoder state.
        """
        arrays = unpack(data)
        network, pending = arrays.get("network"), arrays.get("pending")
        if (
            network is None
            or pending is None
            or network.ndim != 2
            or pending.shape not in {(len(network), n, BANDS) for n in range(_MEL_PER_FEATURE)}
        ):
            raise BadInput("This is not the state of a speech encoder.")
        return cls(network.astype(np.float32), pending.astype(np.float32))

    @classmethod
    def join(cls, states: Sequence[EncoderState]) -> Self:
        """One state of several streams, in order."""
        return cls(
            np.concatenate([state.network for state in states]),
            np.concatenate([state.pending for state in states]),
        )

    def split(self) -> list[EncoderState]:
        """The states of the single streams."""
        if len(self) == 1:
            return [self]
        # Copies: a row of the batch would keep the whole batch in memory.
        return [
            EncoderState(self.network[row : row + 1].copy(), self.pending[row : row + 1].copy())
            for row in range(len(self))
        ]


class SpeechEncoder:
    """Runs the encoder network; holds weights only, so one serves all sessions and threads.

    Args:
        model: the network; by default the one of the model store.
    """

    def __init__(self, model: ModelRunner | None = None) -> None:
        self._model = model or ModelStore.default().open(ENCODER_MODEL)
        self._initial = self._after_silence(self._model.constant("initial_state"))
        self._finite = FiniteModel(self._model, self._initial, _MEL_PER_FEATURE)

    def _after_silence(self, empty: Features) -> Features:  # [S] -> [S]
        """The state of a stream that has heard silence so far.

        To a normalised network an empty past is one of average loudness: the first sound after it
        would seem to go on with speech.
        """
        silence = np.full((1, _PRIMING_FRAMES, BANDS), np.log(POWER_FLOOR), np.float32)
        result = self._model.run({"mel": silence, "state": empty[None]})
        primed: Features = result["next_state"][0]
        return primed if np.isfinite(primed).all() else empty

    @property
    def feature_count(self) -> int:
        """D, the width of the features."""
        return self._model.width("features")

    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity.own(self.feature_count, self._model.digest)

    def initial_state(self, batch: int = 1) -> EncoderState:
        """The state before the first sample."""
        network = np.repeat(self._initial[None], batch, axis=0)
        return EncoderState(network, np.zeros((batch, 0, BANDS), np.float32))

    def step(self, mel: Features, state: EncoderState) -> tuple[Features, EncoderState]:
        """Features of the next chunk `# [B, T50, D]` and the state after it.

        Args:
            mel: `# [B, T, 80]` log-mel frames at 100 Hz, any T; an odd one waits in the state.

        Raises:
            BadInput: shapes disagree.
        """
        if mel.ndim != 3 or mel.shape[0] != len(state) or mel.shape[2] != BANDS:
            raise BadInput(
                f"Log-mel frames have shape {mel.shape}; ({len(state)}, T, {BANDS}) was expected."
            )
        if state.network.shape[1] != len(self._initial):
            raise BadInput(
                f"The encoder state holds {state.network.shape[1]} values; this encoder's hold "
                f"{len(self._initial)}."
            )
        heard = np.concatenate([state.pending, _bounded(mel.astype(np.float32))], axis=1)
        whole = heard.shape[1] // _MEL_PER_FEATURE * _MEL_PER_FEATURE
        network = state.network
        parts = [np.zeros((len(mel), 0, self.feature_count), np.float32)]
        for first in range(0, whole, _LONGEST_STEP):
            piece = heard[:, first : min(first + _LONGEST_STEP, whole)]
            result = self._finite.run({"mel": np.ascontiguousarray(piece), "state": network})
            # Of a step that was passed over all channels are 0, as in silence.
            parts.append(result.outputs["features"])
            network = result.outputs["next_state"]
        return np.concatenate(parts, axis=1), EncoderState(network, heard[:, whole:].copy())

    def step_many(
        self,
        mels: Sequence[Features],  # each [T, 80], T of its own
        states: Sequence[EncoderState],  # each of one stream
    ) -> list[tuple[Features, EncoderState]]:  # each [T50, D]
        """`step` of several streams at once: each gets what it would get alone, to the last bit.

        Raises:
            BadInput: shapes disagree.
        """
        alike: dict[tuple[int, ...], list[int]] = {}
        for row, (mel, state) in enumerate(zip(mels, states, strict=True)):
            alike.setdefault((state.pending.shape[1], *mel.shape), []).append(row)
        results: dict[int, tuple[Features, EncoderState]] = {}
        for (pending, count, *_), rows in alike.items():
            # A single row is multiplied in another order than several are, and rounded otherwise.
            alone = (pending + count) // _MEL_PER_FEATURE == 1
            for own in [[row] for row in rows] if alone else [rows]:
                features, after = self.step(
                    np.stack([mels[row] for row in own]),
                    EncoderState.join([states[row] for row in own]),
                )
                results.update(zip(own, zip(features, after.split(), strict=True), strict=True))
        return [results[row] for row in range(len(mels))]

    def encode(self, mel: Features) -> Features:
        """Features `# [T50, D]` of a whole recording's log-mel frames `# [T, 80]`."""
        chunks = self.encode_chunks([mel])
        return np.concatenate([np.zeros((0, self.feature_count), np.float32), *chunks])

    def encode_chunks(self, mel_chunks: Iterable[Features]) -> Iterator[Features]:
        """Features `# [T50, D]` of one stream, chunk by chunk; chunks are `# [T, 80]`."""
        state = self.initial_state()
        for mel in mel_chunks:
            features, state = self.step(mel[None], state)
            if features.shape[1]:
                yield features[0]


def _bounded(mel: Features) -> Features:
    """Log-mel frames within what sound can give; nearly always they are."""
    lowest, highest = _MEL_RANGE
    if mel.size and lowest <= mel.min() and mel.max() <= highest:
        return mel
    return np.clip(np.nan_to_num(mel, nan=lowest), lowest, highest)
