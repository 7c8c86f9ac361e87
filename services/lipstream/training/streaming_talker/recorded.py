"""Train a StreamingTalker on recorded motion: vertices as in the paper, or ARKit shapes and pose.

Identities are learned; a share of the clips is told none, so that a neutral style remains for
people whom training never saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipstream.errors import BadInput
from lipstream.training.clip_features import FeatureStore
from lipstream.training.corpora.motion_clip import ClipInfo, MotionCorpus
from lipstream.training.corpora.splits import split_clips
from lipstream.training.streaming_talker.checkpoint import write_checkpoint
from lipstream.training.streaming_talker.config import Architecture, Space, TalkerConfig
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.loop import Judged, StageConfig, run_stage
from lipstream.training.streaming_talker.losses import (
    Clip,
    TalkerLoss,
    generation_loss,
    reconstruction_loss,
)
from lipstream.training.streaming_talker.network import TalkerNetwork

__all__ = ["RecordedTraining", "fitted", "train_recorded"]

_PAPER = StageConfig(
    20_000, batch=1, frames=120, learning_rate=1e-4, validate_every=1000, mixed_precision=False
)
_HELD_CLIPS = 8
_SHORTEST_FRAMES = 2


@dataclass(frozen=True, slots=True)
class RecordedTraining:
    """As in the paper: AdamW with a rate of 1e-4, one clip a step, weights of one, true past."""

    network: TalkerConfig
    motion: StageConfig = _PAPER
    generation: StageConfig = _PAPER
    loss: TalkerLoss = field(
        default_factory=lambda: TalkerLoss(
            latent=1.0, late_times=False, audio_noise=0, past_noise=0, past_dropped=0, own_past=0
        )
    )
    seed: int = 0
    threads: int = 1
    device: str = "cpu"


def fitted(config: TalkerConfig, corpus: MotionCorpus, feature_count: int) -> TalkerConfig:
    """The configuration for a corpus and an encoder: our own preset adapts, the paper's do not.

    Raises:
        BadInput: the preset is of another mesh.
    """
    width = corpus.space.width
    latent = config.latent
    if latent.architecture is Architecture.CAUSAL:
        latent = replace(latent, motion=width)
    elif latent.motion != width:
        raise BadInput(
            f"The preset expects {latent.motion} numbers in a frame of motion; {corpus.layout} "
            f"has {width}.",
            remedy="Choose the preset arkit, which adapts, or the one of this corpus.",
        )
    return replace(
        config,
        latent=latent,
        predictor=replace(config.predictor, audio=feature_count),
        space=Space.RECORDED,
        event_head=False,
        subjects=len(corpus.subjects),
    )


def train_recorded(
    config: RecordedTraining,
    corpus: MotionCorpus,
    store: FeatureStore,
    feature_count: int,
    folder: Path,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> TalkerNetwork:
    """Train both stages on the corpus' published split; `talker.pt` and logs go to `folder`.

    A folder that holds checkpoints is resumed from them.

    Args:
        store: the features of the corpus' clips, computed.
        feature_count: numbers of audio in a frame.

    Raises:
        BadInput: the corpus does not fit the configuration, or has no clip to train on.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    parts = split_clips(corpus)
    if not parts["train"]:
        raise BadInput(f"{corpus.layout} has no clips to train on.")
    source = _Source(corpus, store)
    network = TalkerNetwork(fitted(config.network, corpus, feature_count))
    network.to(config.device)
    held = [source.clip(info) for info in (parts["dev"] or parts["train"])[:_HELD_CLIPS]]
    report(f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} million parameters")

    def judged(values: Sequence[Tensor]) -> Judged:
        value = float(torch.stack(list(values)).mean())
        return Judged(-value, {"held": value})

    def autoencode(vae: Any, rng: np.random.Generator) -> Tensor:
        clip = source.batch(parts["train"], rng, config.motion).to(config.device)
        return reconstruction_loss(vae, clip.motion, Space.RECORDED, config.loss)

    @torch.no_grad()
    def judge_autoencoder(vae: Any) -> Judged:
        clips = [clip.to(config.device) for clip in held]
        return judged(
            [reconstruction_loss(vae, c.motion, Space.RECORDED, config.loss) for c in clips]
        )

    schedule = NoiseSchedule()

    def generate(talker: Any, rng: np.random.Generator) -> Tensor:
        clip = source.batch(parts["train"], rng, config.generation).to(config.device)
        return generation_loss(talker, clip, schedule, config.loss)

    @torch.no_grad()
    def judge_generation(talker: Any) -> Judged:
        torch.manual_seed(0)
        clips = [clip.to(config.device) for clip in held]
        return judged([generation_loss(talker, clip, schedule, config.loss) for clip in clips])

    run_stage(
        "motion", network.vae, config.motion, autoencode, judge_autoencoder, folder,
        seed=config.seed, report=report,
    )  # fmt: skip
    network.vae.requires_grad_(False)
    network.measure_latents([clip.to(config.device).motion for clip in held])
    result = run_stage(
        "generation", network, config.generation, generate, judge_generation, folder,
        seed=config.seed, report=report,
    )  # fmt: skip
    write_checkpoint(folder / "talker.pt", network, result.columns)
    return network


class _Source:
    """Clips as tensors, read when they are drawn."""

    def __init__(self, corpus: MotionCorpus, store: FeatureStore) -> None:
        self._store = store
        self._subjects = {name: place for place, name in enumerate(corpus.subjects)}

    def batch(
        self, infos: Sequence[ClipInfo], rng: np.random.Generator, stage: StageConfig
    ) -> Clip:
        """Crops of equal length, as long as the shortest of the clips drawn allows."""
        drawn = [infos[int(rng.integers(len(infos)))] for _ in range(stage.batch)]
        clips = [self.clip(info) for info in drawn]
        frames = min(stage.frames, *(clip.motion.shape[1] for clip in clips))
        parts = []
        for clip in clips:
            start = int(rng.integers(clip.motion.shape[1] - frames + 1))
            parts.append(clip.cropped(start, frames))
        return Clip.joined(parts)

    def clip(self, info: ClipInfo) -> Clip:
        """A whole clip."""
        clip = self._store.read(info)
        if len(clip) < _SHORTEST_FRAMES:
            raise BadInput(f"The clip {info.name} has {len(clip)} frames; at least 2 are needed.")
        return Clip(
            torch.from_numpy(np.ascontiguousarray(clip.motion, np.float32))[None],
            torch.from_numpy(np.ascontiguousarray(clip.features, np.float32))[None],
            torch.tensor([self._subjects[clip.subject]]),
        )
