"""Samples in, features at 50 Hz out: the one interface of every speech encoder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np

from lipstream.audio.encoder import Features, SpeechEncoder
from lipstream.audio.features import FeatureState, step_features
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models.choice import EncoderChoice
from lipstream.audio.speech_models.windowed import WindowedExtractor

__all__ = ["FeatureExtractor", "OwnExtractor", "StreamState", "encode_recording", "open_extractor"]


class StreamState(Protocol):
    """The past of one stream, apart from the weights."""

    def encode(self) -> bytes: ...


State = TypeVar("State", bound=StreamState)


class FeatureExtractor(Protocol[State]):
    """Holds weights only; a stream's past is its state. Chunks of any length give what one long
    call gives, up to rounding."""

    @property
    def feature_count(self) -> int:
        """D, the width of the features."""
        ...

    @property
    def latency_ms(self) -> float:
        """Audio after a row's own 20 ms that is needed before the row comes, at most."""
        ...

    @property
    def row_centre_ms(self) -> float:
        """Row `j` is about `20 j + row_centre_ms` milliseconds after the start."""
        ...

    def initial_state(self) -> State: ...

    def decode_state(self, data: bytes) -> State:
        """A state from what its `encode` gave.

        Raises:
            BadInput: these bytes are no such state.
        """
        ...

    def step(self, samples: Samples, state: State) -> tuple[Features, State]:
        """Rows `# [T, D]` that these samples `# [S]` at 16 kHz complete, and the state after."""
        ...

    def finish(self, state: State) -> Features:
        """The rows still owed when the stream has ended `# [T, D]`: in all, one for every whole
        20 ms."""
        ...


class OwnExtractor:
    """The project's own encoder, which is causal."""

    def __init__(self, encoder: SpeechEncoder | None = None) -> None:
        self._encoder = encoder or SpeechEncoder()
        self.latency_ms = 0.0
        self.row_centre_ms = 10.0

    @property
    def feature_count(self) -> int:
        return self._encoder.feature_count

    def initial_state(self) -> FeatureState:
        return FeatureState.initial(self._encoder)

    def decode_state(self, data: bytes) -> FeatureState:
        return FeatureState.decode(data)

    def step(self, samples: Samples, state: FeatureState) -> tuple[Features, FeatureState]:
        return step_features(self._encoder, samples, state)

    def finish(self, state: FeatureState) -> Features:
        return np.zeros((0, self.feature_count), np.float32)


def open_extractor(choice: EncoderChoice | str) -> FeatureExtractor[Any]:
    """The configured encoder, loaded.

    Raises:
        NotFound: its weights, or the packages that run it, are not there.
        BadInput: the choice is none, or the weights are of another model or damaged.
    """
    chosen = EncoderChoice.parse(choice) if isinstance(choice, str) else choice
    if chosen.path is None:
        return OwnExtractor()
    # Imports torch: only where such an encoder is configured.
    from lipstream.audio.speech_models.networks import load_network

    network = load_network(chosen.kind, chosen.path, chosen.layer, chosen.device)
    return WindowedExtractor(network, chosen.window)


def encode_recording(
    extractor: FeatureExtractor[State], chunks: Iterable[Samples]
) -> Features:  # [T, D]
    """Features of a whole recording as its stream would get them: what training reads."""
    state = extractor.initial_state()
    parts = [np.zeros((0, extractor.feature_count), np.float32)]
    for samples in chunks:
        features, state = extractor.step(samples, state)
        parts.append(features)
    return np.concatenate([*parts, extractor.finish(state)])
