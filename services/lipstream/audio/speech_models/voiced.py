"""Features of a pretrained encoder, with the two channels that motion relies on put before them.

Motion keeps the mouth shut where nobody speaks, by loudness and by the probability of speech, which
are the first two channels of the project's own encoder. HuBERT and its like have no such channels.
So the own encoder, which costs next to nothing beside them, listens too, and its two lead the row.
It needs less audio for a row than they do, so its rows wait for theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

import numpy as np

from lipstream.audio.encoder import LOUDNESS_CHANNEL, SPEECH_CHANNEL, Features, SpeechEncoder
from lipstream.audio.features import FeatureState, step_features
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models.stream import FeatureExtractor, StateT
from lipstream.errors import BadInput
from lipstream.inference import EncoderIdentity, pack, unpack

__all__ = ["VOICE_CHANNELS", "VoicedExtractor", "VoicedState"]

VOICE_CHANNELS = (LOUDNESS_CHANNEL, SPEECH_CHANNEL)


@dataclass(frozen=True, slots=True)
class VoicedState(Generic[StateT]):
    heard: StateT
    """Of the pretrained encoder."""
    voice: FeatureState
    early_voice: Features  # [A, 2] rows whose features still wait
    early_heard: Features  # [B, D] rows whose voice still waits; A or B is 0

    def encode(self) -> bytes:
        """As bytes, for another replica to go on from."""
        return pack(
            {
                "heard": np.frombuffer(self.heard.encode(), np.uint8),
                "voice": np.frombuffer(self.voice.encode(), np.uint8),
                "early_voice": self.early_voice,
                "early_heard": self.early_heard,
            }
        )


class VoicedExtractor(Generic[StateT]):
    """See `FeatureExtractor`; rows are `# [2 + D]`: loudness, speech, then the encoder's."""

    def __init__(
        self, extractor: FeatureExtractor[StateT], encoder: SpeechEncoder | None = None
    ) -> None:
        self._extractor = extractor
        self._encoder = encoder or SpeechEncoder()

    @property
    def feature_count(self) -> int:
        return len(VOICE_CHANNELS) + self._extractor.feature_count

    @property
    def identity(self) -> EncoderIdentity:
        return replace(self._extractor.identity, width=self.feature_count)

    @property
    def latency_ms(self) -> float:
        return self._extractor.latency_ms

    @property
    def row_centre_ms(self) -> float:
        return self._extractor.row_centre_ms

    def initial_state(self) -> VoicedState[StateT]:
        return VoicedState(
            self._extractor.initial_state(),
            FeatureState.initial(self._encoder),
            np.zeros((0, len(VOICE_CHANNELS)), np.float32),
            np.zeros((0, self._extractor.feature_count), np.float32),
        )

    def decode_state(self, data: bytes) -> VoicedState[StateT]:
        """
        Raises:
            BadInput: these bytes are no state of this encoder.
        """
        arrays = unpack(data)
        try:
            heard = self._extractor.decode_state(arrays["heard"].tobytes())
            voice = FeatureState.decode(arrays["voice"].tobytes())
            early = [arrays[name].astype(np.float32) for name in ("early_voice", "early_heard")]
        except KeyError as error:
            raise BadInput("This is not the state of a pretrained speech encoder.") from error
        widths = (len(VOICE_CHANNELS), self._extractor.feature_count)
        for rows, width in zip(early, widths, strict=True):
            if rows.ndim != 2 or rows.shape[1] != width or not np.isfinite(rows).all():
                raise BadInput("This is not the state of this speech encoder.")
        return VoicedState(heard, voice, *early)

    def step(
        self, samples: Samples, state: VoicedState[StateT]
    ) -> tuple[Features, VoicedState[StateT]]:
        features, heard = self._extractor.step(samples, state.heard)
        own, voice = step_features(self._encoder, samples, state.voice)
        early_voice = np.concatenate([state.early_voice, own[:, VOICE_CHANNELS]])
        early_heard = np.concatenate([state.early_heard, features])
        count = min(len(early_voice), len(early_heard))
        rows = np.concatenate([early_voice[:count], early_heard[:count]], axis=1)
        # Copies, so that a slice does not keep the whole of what it was cut from.
        after = VoicedState(heard, voice, early_voice[count:].copy(), early_heard[count:].copy())
        return rows, after

    def finish(self, state: VoicedState[StateT]) -> Features:
        features = np.concatenate([state.early_heard, self._extractor.finish(state.heard)])
        voice = np.zeros((len(features), len(VOICE_CHANNELS)), np.float32)
        known = state.early_voice[: len(features)]
        voice[: len(known)] = known
        # The own encoder may lack the last row, whose 20 ms its window does not quite cover.
        if len(known):
            voice[len(known) :] = known[-1]
        return np.concatenate([voice, features], axis=1)
