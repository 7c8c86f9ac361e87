"""A run of `lipstream train motion --motion-corpus`, as a contender on that corpus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.speech_models import (
    EncoderChoice,
    FeatureExtractor,
    at_frame_rate,
    encode_recording,
    open_extractor,
)
from lipstream.errors import BadInput, NotFound
from lipstream.evaluation.contenders import Contender, Heard
from lipstream.evaluation.recorded import MeshContender, RecordedVertices
from lipstream.face.motion import Floats, Motion
from lipstream.training.corpora.motion_clip import MotionCorpus
from lipstream.training.streaming_talker.checkpoint import read_checkpoint
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.recorded_rollout import rollout_recorded

__all__ = ["TrainedRun"]

_WEIGHTS = "talker.pt"


@dataclass(frozen=True, slots=True)
class TrainedRun:
    """A network with the encoder that it was trained on; told no identity."""

    name: str
    network: TalkerNetwork
    extractor: FeatureExtractor[Any]
    corpus: MotionCorpus

    @classmethod
    def open(cls, folder: Path, corpus: MotionCorpus) -> TrainedRun:
        """
        Raises:
            NotFound: the folder holds no finished run.
            BadInput: the run is of another corpus, or its encoder is not known.
        """
        if not (folder / _WEIGHTS).is_file():
            raise NotFound(
                f"{folder} holds no {_WEIGHTS}.",
                remedy="Train with `lipstream train motion --motion-corpus`.",
            )
        network = read_checkpoint(folder / _WEIGHTS)
        width = network.config.latent.motion
        if width != corpus.space.width:
            raise BadInput(
                f"{folder} makes {width} numbers a frame; {corpus.layout} has "
                f"{corpus.space.width}.",
                remedy="Name the corpus that it was trained on.",
            )
        return cls(folder.name, network, open_extractor(_encoder(folder)), corpus)

    def as_mesh(self) -> MeshContender:
        """On a corpus of vertices."""
        return MeshContender(self.name, self._vertices)

    def as_blendshapes(self) -> Contender:
        """On a corpus of blendshapes, at its frame rate."""
        return Contender(self.name, self._motion, generator=self.name)

    def _vertices(self, clip: RecordedVertices) -> Floats:
        offsets = self._frames(clip.samples, len(clip.vertices), clip.fps, 0)
        return np.asarray(clip.template + offsets.reshape(clip.vertices.shape), np.float32)

    def _motion(self, heard: Heard, seed: int) -> Motion:
        fps = self.corpus.clips[0].fps
        samples = heard.utterance.waveform
        frames = self._frames(samples, int(samples.size / SAMPLE_RATE_HZ * fps), fps, seed)
        space = self.corpus.space
        parts = {name: frames[:, space.columns(name)] for name, _ in space.parts}
        parts["blendshapes"] = np.clip(parts["blendshapes"], 0, 1)
        return Motion(**parts, fps=fps)

    def _frames(self, samples: Samples, frames: int, fps: float, seed: int) -> Floats:  # [T, M]
        features = encode_recording(self.extractor, [samples])
        if not frames or not len(features):
            return np.zeros((0, self.corpus.space.width), np.float32)
        centre_ms = self.extractor.row_centre_ms
        heard = at_frame_rate(features, fps, frames, row_centre_ms=centre_ms)
        return rollout_recorded(self.network, heard, seed=seed)


def _encoder(run: Path) -> EncoderChoice:
    """The one whose features the run has kept."""
    kept = sorted((run / "features").glob("*/settings.json"))
    if len(kept) != 1:
        raise BadInput(
            f"{run} has kept features of {len(kept)} encoders, so the one it was trained on is "
            "not known.",
            remedy="Leave the one folder below features/ that belongs to it.",
        )
    try:
        return EncoderChoice.parse(str(json.loads(kept[0].read_text("utf-8"))["encoder"]))
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{kept[0]} does not say which encoder it is of.") from None
