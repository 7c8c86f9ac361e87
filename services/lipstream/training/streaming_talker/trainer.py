"""Train a StreamingTalker for controls: the autoencoder first, then what speaks its codes.

As with the baseline, the weights that are kept are the ones that did best on held-out real speech,
judged by generating it, not by the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.speech_models import FeatureExtractor, encode_recording
from lipstream.face.motion import Floats
from lipstream.motion.controls import CONTROL_COUNT, EVENTS
from lipstream.motion.talker_audio import (
    FEATURES_PER_FRAME,
    LOOK_AHEADS_MS,
    PAST_ROWS,
    audio_width,
    consecutive_audio,
)
from lipstream.training.streaming_talker.checkpoint import write_checkpoint
from lipstream.training.streaming_talker.clips import ClipPool, padded_features
from lipstream.training.streaming_talker.config import TalkerConfig
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.loop import Judged, StageConfig, run_stage
from lipstream.training.streaming_talker.losses import (
    TalkerLoss,
    generation_loss,
    reconstruction_loss,
)
from lipstream.training.streaming_talker.network import TalkerNetwork
from lipstream.training.streaming_talker.presets import preset
from lipstream.training.streaming_talker.rollout import rollout
from lipstream.training.validation import (
    NO_EVENT,
    DevSpeech,
    calibrate_events,
    calibrate_gains,
    objective,
    validated,
)

__all__ = ["TalkerTraining", "TrainedTalker", "train_talker"]

_JUDGED = LOOK_AHEADS_MS.index(80)
_SCALE_CLIPS = 256


@dataclass(frozen=True, slots=True)
class TalkerTraining:
    """Everything that determines a training run, besides its data."""

    network: TalkerConfig = field(default_factory=lambda: preset("arkit"))
    motion: StageConfig = field(
        default_factory=lambda: StageConfig(
            1200, batch=32, frames=64, learning_rate=2e-3, validate_every=400
        )
    )
    generation: StageConfig = field(default_factory=lambda: StageConfig(2000, mixed_precision=True))
    loss: TalkerLoss = field(default_factory=TalkerLoss)
    diffusion_steps: int = 4
    temperature: float = 0.5
    """Both in validation and in calibration."""
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class TrainedTalker:
    network: TalkerNetwork
    figures: Mapping[str, float]
    """On the development speech, of the weights kept."""


def train_talker(
    config: TalkerTraining,
    pool: ClipPool,
    dev: Sequence[DevSpeech],
    encoder: SpeechEncoder | FeatureExtractor[Any],
    folder: Path,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> TrainedTalker:
    """Train both stages and calibrate on `dev`; checkpoints, logs and `talker.pt` go to `folder`.

    A folder that holds checkpoints is resumed from them.

    Args:
        encoder: gives the features of `dev`; those of `pool` must be its, too.
    """
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    config = replace(config, network=_fitted(config.network, encoder))
    network = TalkerNetwork(config.network)
    report(f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} million parameters")
    _train_autoencoder(config, network, pool, dev, folder, report)
    heard = [_heard(encoder, item) for item in dev]
    judged = _train_generation(config, network, pool, dev, heard, folder, report)
    if dev:
        _calibrate(config, network, dev, heard)
    write_checkpoint(folder / "talker.pt", network, {**judged.columns, "seed": config.seed})
    return TrainedTalker(network, judged.columns)


def _fitted(network: TalkerConfig, encoder: SpeechEncoder | FeatureExtractor[Any]) -> TalkerConfig:
    """The configuration for the features of this encoder."""
    predictor = replace(network.predictor, audio=audio_width(encoder.feature_count))
    return replace(network, predictor=predictor, encoder=encoder.identity.encode())


def _heard(encoder: SpeechEncoder | FeatureExtractor[Any], item: DevSpeech) -> Floats:  # [T, D]
    if isinstance(encoder, SpeechEncoder):
        return encoder.encode(item.mel)
    return encode_recording(encoder, [item.utterance.waveform])


def _train_autoencoder(
    config: TalkerTraining,
    network: TalkerNetwork,
    pool: ClipPool,
    dev: Sequence[DevSpeech],
    folder: Path,
    report: Callable[[str], None],
) -> None:
    stage = config.motion

    def loss(vae: Any, rng: np.random.Generator) -> Tensor:
        motion = pool.motion(rng, stage.batch, stage.frames)
        return reconstruction_loss(vae, motion, config.network.space, config.loss)

    held = pool.motion(np.random.default_rng([config.seed, 1 << 20]), 64, stage.frames)

    def judge(vae: Any) -> Judged:
        with torch.no_grad():
            quantised = vae.quantiser(vae.encode(held))
            value = reconstruction_loss(vae, held, config.network.space, config.loss)
            raw = [vae(torch.from_numpy(item.controls)[None]).motion[0].numpy() for item in dev]
        columns = {"held": float(value), "codes": float(len(quantised.indices.unique()))}
        if dev:
            columns |= asdict(_scored(raw, dev))
        return Judged(-float(value), columns)

    run_stage("motion", network.vae, stage, loss, judge, folder, seed=config.seed, report=report)
    network.vae.requires_grad_(False)
    drawn = pool.motion(np.random.default_rng(config.seed), _SCALE_CLIPS, stage.frames)
    network.measure_latents([drawn])


def _train_generation(
    config: TalkerTraining,
    network: TalkerNetwork,
    pool: ClipPool,
    dev: Sequence[DevSpeech],
    heard: Sequence[Floats],
    folder: Path,
    report: Callable[[str], None],
) -> Judged:
    stage, schedule = config.generation, NoiseSchedule()
    held = pool.clips(np.random.default_rng([config.seed, 1 << 21]), 32, stage.frames)

    def loss(talker: Any, rng: np.random.Generator) -> Tensor:
        clip = pool.clips(rng, stage.batch, stage.frames)
        return generation_loss(talker, clip, schedule, config.loss)

    def judge(talker: Any) -> Judged:
        if not dev:
            torch.manual_seed(0)
            with torch.no_grad():
                value = float(generation_loss(talker, held, schedule, config.loss))
            return Judged(-value, {"held": value})
        outputs = _generated(config, talker, heard, _JUDGED)
        gains = calibrate_gains(outputs, dev)
        biases = calibrate_events(outputs, dev, [_JUDGED], gains)
        result = validated(outputs, dev, _JUDGED, biases[_JUDGED], gains[_JUDGED])
        reached = objective(result)
        return Judged(reached, {"objective": reached, **asdict(result)})

    return run_stage(
        "generation", network, stage, loss, judge, folder, seed=config.seed, report=report
    )


def _calibrate(
    config: TalkerTraining,
    network: TalkerNetwork,
    dev: Sequence[DevSpeech],
    heard: Sequence[Floats],
) -> None:
    """Biases and gains of every look-ahead."""
    for delay in range(len(LOOK_AHEADS_MS)):
        outputs = _generated(config, network, heard, delay)
        gains = calibrate_gains(outputs, dev)
        biases = calibrate_events(outputs, dev, [delay], gains)
        network.gain[delay] = torch.from_numpy(gains[delay])
        network.event_bias[delay] = torch.from_numpy(biases[delay])


def _generated(
    config: TalkerTraining, network: TalkerNetwork, heard: Sequence[Floats], delay: int
) -> list[Floats]:  # each [T, 4, 10]
    raw = rollout(
        network,
        heard,
        delay=delay,
        steps=config.diffusion_steps,
        temperature=config.temperature,
        seed=config.seed,
    )
    outputs = _at_look_ahead(raw, delay)
    if delay and network.config.event_head:
        for whole, features in zip(outputs, heard, strict=True):
            whole[:, delay - 1, list(EVENTS)] = _events(network, features, len(whole), delay - 1)
    return outputs


def _events(network: TalkerNetwork, features: Floats, frames: int, delay: int) -> Floats:
    """Logits of the events `# [frames, 3]` at a look-ahead."""
    rows = padded_features(features)[: PAST_ROWS + FEATURES_PER_FRAME * (frames + delay)]
    with torch.no_grad():
        logits = network.event_head(torch.from_numpy(consecutive_audio(rows, frames, delay)))
    return np.asarray(logits.numpy(), np.float32)


def _at_look_ahead(raw: Sequence[Floats], delay: int) -> list[Floats]:  # each [T, 4, 10]
    """In the layout of the baseline's outputs; the other look-aheads have no events."""
    outputs = []
    for frames in raw:
        whole = np.zeros((len(frames), len(LOOK_AHEADS_MS), CONTROL_COUNT), np.float32)
        whole[..., list(EVENTS)] = NO_EVENT
        whole[:, delay] = frames
        outputs.append(whole)
    return outputs


def _scored(raw: Sequence[Floats], dev: Sequence[DevSpeech]) -> Any:
    ones = np.ones(CONTROL_COUNT, np.float32)
    return validated(_at_look_ahead(raw, _JUDGED), dev, _JUDGED, 0 * ones, ones)
