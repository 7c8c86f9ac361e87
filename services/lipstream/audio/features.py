"""From samples to the features that motion is generated from, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from lipstream.audio.encoder import EncoderState, Features, SpeechEncoder
from lipstream.audio.mel import MelState, log_mel_chunks
from lipstream.audio.pcm import Samples
from lipstream.errors import BadInput
from lipstream.inference import pack, unpack

__all__ = ["FeatureState", "features_of", "step_features", "step_features_many"]


@dataclass(frozen=True, slots=True)
class FeatureState:
    """Everything one stream leaves behind for its next chunk."""

    mel: MelState
    encoder: EncoderState

    @classmethod
    def initial(cls, encoder: SpeechEncoder) -> Self:
        return cls(MelState.initial(), encoder.initial_state())

    def encode(self) -> bytes:
        """As bytes, for another replica to go on from."""
        encoder = self.encoder
        return pack({"mel": self.mel.tail, "network": encoder.network, "pending": encoder.pending})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no such state.
        """
        arrays = unpack(data)
        tail = arrays.pop("mel", None)
        if tail is None:
            raise BadInput("This is not the state of a stream of features.")
        return cls(MelState(tail), EncoderState.decode(pack(arrays)))


def step_features(
    encoder: SpeechEncoder,
    samples: Samples,  # [S] at 16 kHz
    state: FeatureState,
) -> tuple[Features, FeatureState]:
    """Features `# [T, D]` at 50 Hz that these samples complete, and the state after them."""
    return step_features_many(encoder, [samples], [state])[0]


def step_features_many(
    encoder: SpeechEncoder,
    samples: Sequence[Samples],  # each [S], S of its own
    states: Sequence[FeatureState],
) -> list[tuple[Features, FeatureState]]:
    """`step_features` of several streams at once: each gets what it would get alone."""
    heard = log_mel_chunks(samples, [state.mel for state in states])
    encoded = encoder.step_many([mel for mel, _ in heard], [state.encoder for state in states])
    return [
        (features, FeatureState(mel_state, encoder_state))
        for (_, mel_state), (features, encoder_state) in zip(heard, encoded, strict=True)
    ]


def features_of(encoder: SpeechEncoder, chunks: Iterable[Samples]) -> Iterator[Features]:
    """Features of one stream of 16 kHz samples, chunk by chunk."""
    state = FeatureState.initial(encoder)
    for samples in chunks:
        features, state = step_features(encoder, samples, state)
        if len(features):
            yield features
