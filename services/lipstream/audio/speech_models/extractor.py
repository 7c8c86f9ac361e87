"""The configured speech encoder, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipstream.audio.encoder import Features, SpeechEncoder
from lipstream.audio.features import FeatureState, step_features, step_features_many
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models.choice import EncoderChoice
from lipstream.audio.speech_models.stream import FeatureExtractor
from lipstream.audio.speech_models.voiced import VoicedExtractor
from lipstream.audio.speech_models.windowed import WindowedExtractor
from lipstream.inference import EncoderIdentity

__all__ = ["OwnExtractor", "open_extractor", "open_voiced_extractor"]


class OwnExtractor:
    """The project's own encoder, which is causal."""

    def __init__(self, encoder: SpeechEncoder | None = None) -> None:
        self._encoder = encoder or SpeechEncoder()
        self.latency_ms = 0.0
        self.row_centre_ms = 10.0

    @property
    def feature_count(self) -> int:
        return self._encoder.feature_count

    @property
    def identity(self) -> EncoderIdentity:
        return self._encoder.identity

    def initial_state(self) -> FeatureState:
        return FeatureState.initial(self._encoder)

    def decode_state(self, data: bytes) -> FeatureState:
        return FeatureState.decode(data)

    def step(self, samples: Samples, state: FeatureState) -> tuple[Features, FeatureState]:
        return step_features(self._encoder, samples, state)

    def step_many(
        self, samples: Sequence[Samples], states: Sequence[FeatureState]
    ) -> list[tuple[Features, FeatureState]]:
        """`step` of several streams at once: each gets what it would get alone."""
        return step_features_many(self._encoder, samples, states)

    def finish(self, state: FeatureState) -> Features:
        return np.zeros((0, self.feature_count), np.float32)


def open_extractor(choice: EncoderChoice | str) -> FeatureExtractor[Any]:
    """The configured encoder and nothing else.

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


def open_voiced_extractor(choice: EncoderChoice | str) -> FeatureExtractor[Any]:
    """The configured encoder for motion: its first two channels are loudness and the probability
    of speech, whichever it is.

    Raises:
        NotFound, BadInput: as `open_extractor`.
    """
    extractor = open_extractor(choice)
    return extractor if isinstance(extractor, OwnExtractor) else VoicedExtractor(extractor)
