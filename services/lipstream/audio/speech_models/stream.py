"""Samples in, features at 50 Hz out: the one interface of every speech encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from lipstream.audio.encoder import Features
from lipstream.audio.pcm import Samples
from lipstream.inference import EncoderIdentity

__all__ = ["FeatureExtractor", "StateT", "StreamState", "encode_recording", "stream_features"]


class StreamState(Protocol):
    """The past of one stream, apart from the weights."""

    def encode(self) -> bytes: ...


StateT = TypeVar("StateT", bound=StreamState)


class FeatureExtractor(Protocol[StateT]):
    """Holds weights only; a stream's past is its state. Chunks of any length give what one long
    call gives, up to rounding."""

    @property
    def feature_count(self) -> int:
        """D, the width of the features."""
        ...

    @property
    def identity(self) -> EncoderIdentity:
        """Which encoder it is; its width is D."""
        ...

    @property
    def latency_ms(self) -> float:
        """Audio after a row's own 20 ms that is needed before the row comes, at most."""
        ...

    @property
    def row_centre_ms(self) -> float:
        """Row `j` is about `20 j + row_centre_ms` milliseconds after the start."""
        ...

    def initial_state(self) -> StateT: ...

    def decode_state(self, data: bytes) -> StateT:
        """A state from what its `encode` gave.

        Raises:
            BadInput: these bytes are no such state.
        """
        ...

    def step(self, samples: Samples, state: StateT) -> tuple[Features, StateT]:
        """Rows `# [T, D]` that these samples `# [S]` at 16 kHz complete, and the state after."""
        ...

    def finish(self, state: StateT) -> Features:
        """The rows still owed when the stream has ended `# [T, D]`: in all, one for every whole
        20 ms."""
        ...


def stream_features(
    extractor: FeatureExtractor[Any], chunks: Iterable[Samples]
) -> Iterator[Features]:  # each [T, D]
    """Features of one stream of 16 kHz samples, chunk by chunk, to its end."""
    state = extractor.initial_state()
    for samples in chunks:
        features, state = extractor.step(samples, state)
        if len(features):
            yield features
    features = extractor.finish(state)
    if len(features):
        yield features


def encode_recording(
    extractor: FeatureExtractor[Any], chunks: Iterable[Samples]
) -> Features:  # [T, D]
    """Features of a whole recording as its stream would get them: what training reads."""
    none = np.zeros((0, extractor.feature_count), np.float32)
    return np.concatenate([none, *stream_features(extractor, chunks)])
