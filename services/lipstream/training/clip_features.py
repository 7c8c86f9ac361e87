"""Motion clips with the features of their audio, frame by frame: what a generator trains on.

Pretrained encoders take longer than an epoch of training, so features are computed once and kept,
a file a clip. Which encoder made them, with which weights, is part of the folder's name: another
begins another folder, and a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.audio.encoder import ENCODER_MODEL, Features
from lipstream.audio.speech_models import (
    EncoderChoice,
    FeatureExtractor,
    WindowedExtractor,
    at_frame_rate,
    encode_recording,
)
from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.inference import ModelStore
from lipstream.training.corpora.array_file import read_arrays
from lipstream.training.corpora.motion_clip import ClipInfo, MotionClip, MotionCorpus, MotionSpace

__all__ = ["ClipFeatures", "FeatureStore", "clip_features", "resampled"]

_FIELDS = ("features", "motion", "fps", "name", "subject")


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """A clip as training reads it; features and motion have the same frames."""

    name: str
    subject: str
    fps: float
    features: Features  # [T, D]
    motion: Floats  # [T, M] vertices relative to the template; else as in the corpus
    template: Floats | None = None  # [V, 3]
    identity: Floats | None = None  # [N]

    def __len__(self) -> int:
        return len(self.motion)


def clip_features(
    clip: MotionClip, extractor: FeatureExtractor[Any], *, whole: bool = False
) -> ClipFeatures:
    """
    Args:
        whole: the encoder sees the complete recording, as in systems that do not stream.

    Raises:
        BadInput: audio or motion covers less than a frame, or the encoder has no such mode.
    """
    if whole:
        if not isinstance(extractor, WindowedExtractor):
            raise BadInput("The project's own encoder streams; it has no mode for the whole.")
        features = extractor.encode_whole(clip.audio)
    else:
        features = encode_recording(extractor, [clip.audio])
    frames = int(clip.duration_s * clip.fps + 1e-6)
    if not frames or not len(features):
        raise BadInput(f"{clip.name} has less than one frame of both audio and motion.")
    centre_ms = extractor.row_centre_ms
    return ClipFeatures(
        clip.name,
        clip.subject,
        clip.fps,
        at_frame_rate(features, clip.fps, frames, row_centre_ms=centre_ms),
        clip.offsets()[:frames],
        clip.template,
        clip.identity,
    )


def resampled(clip: MotionClip, fps: float) -> MotionClip:
    """The clip at another frame rate, linearly between the frames about each instant."""
    if fps == clip.fps:
        return clip
    count = max(int(len(clip.motion) / clip.fps * fps + 1e-6), 1)
    place = np.clip(((np.arange(count) + 0.5) / fps) * clip.fps - 0.5, 0, len(clip.motion) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(clip.motion) - 1)
    share = (place - below).astype(np.float32)[:, None]
    motion = clip.motion[below] * (1 - share) + clip.motion[above] * share
    return replace(clip, motion=np.asarray(motion, np.float32), fps=fps)


class FeatureStore:
    """A folder of clips' features, one for each corpus, encoder and frame rate.

    Args:
        root: folder of all stores.
        fps: frame rate to bring the motion to; by default the corpus' own.
        whole: as in `clip_features`.
    """

    def __init__(
        self,
        root: Path,
        corpus: MotionCorpus,
        choice: EncoderChoice,
        *,
        fps: float | None = None,
        whole: bool = False,
    ) -> None:
        self._corpus = corpus
        self._fps = fps
        self._whole = whole
        settings = {
            "layout": corpus.layout,
            "clips": [[clip.name, clip.frames] for clip in corpus.clips],
            "encoder": str(choice),
            "weights": _weights_digest(choice),
            "fps": fps,
            "whole": whole,
        }
        text = json.dumps(settings, indent=1)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.folder = root / f"{corpus.layout.lower().split()[0]}-{choice.kind}-{digest}"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "settings.json").write_text(text)

    def build(
        self,
        extractor: FeatureExtractor[Any],
        clips: Iterable[ClipInfo] | None = None,
        progress: Callable[[float], None] = lambda seconds: None,
    ) -> int:
        """Compute what is missing; returns the number of clips computed now.

        Raises:
            BadInput, NotFound: a clip cannot be used; the message names it.
        """
        done_s = 0.0
        count = 0
        for clip in self._corpus.clips if clips is None else clips:
            path = self._path(clip)
            if not path.exists():
                loaded = self._corpus.load(clip)
                if self._fps is not None:
                    loaded = resampled(loaded, self._fps)
                self._write(path, clip_features(loaded, extractor, whole=self._whole))
                count += 1
            done_s += clip.duration_s
            progress(done_s)
        return count

    def read(self, clip: ClipInfo) -> ClipFeatures:
        """One clip.

        Raises:
            BadInput: it was not computed, or its file is damaged.
        """
        path = self._path(clip)
        if not path.is_file():
            raise BadInput(
                f"The features of {clip.name} are not in {self.folder}.",
                remedy="Compute them with `lipstream corpus features`.",
            )
        arrays = read_arrays(path)
        missing = [field for field in _FIELDS if field not in arrays]
        if missing:
            raise BadInput(
                f"{path} lacks {', '.join(missing)}.", remedy="Delete it and compute it again."
            )
        return ClipFeatures(
            str(arrays["name"]),
            str(arrays["subject"]),
            float(arrays["fps"]),
            arrays["features"],
            arrays["motion"],
            arrays.get("template"),
            arrays.get("identity"),
        )

    @property
    def space(self) -> MotionSpace:
        return self._corpus.space

    def _path(self, clip: ClipInfo) -> Path:
        return self.folder / f"{hashlib.sha256(clip.name.encode()).hexdigest()[:24]}.npz"

    @staticmethod
    def _write(path: Path, clip: ClipFeatures) -> None:
        """Atomically: a file that exists is complete."""
        optional = {"template": clip.template, "identity": clip.identity}
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                name=np.array(clip.name),
                subject=np.array(clip.subject),
                fps=np.array(clip.fps),
                features=clip.features,
                motion=clip.motion,
                **{name: value for name, value in optional.items() if value is not None},
            )
        os.replace(partial, path)


def _weights_digest(choice: EncoderChoice) -> str:
    """Tells other weights of the same encoder apart; large ones by the sizes of their files."""
    digest = hashlib.sha256()
    if choice.path is None:
        digest.update(ModelStore.default().onnx_path(ENCODER_MODEL).read_bytes())
    else:
        for path in sorted(choice.path.glob("*")):
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
