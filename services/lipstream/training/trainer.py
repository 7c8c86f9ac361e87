"""Train encoder and motion network together, end to end, on a pool of examples.

Synthetic speech is plentiful and its labels exact, yet scores on it keep rising while those on real
voices fall: so the weights that are kept are the ones that did best on held-out real speech.
"""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from lipstream.face.motion import Floats
from lipstream.training.encoder_model import EncoderConfig, SpeechEncoderModel
from lipstream.training.examples import Batch, Pool
from lipstream.training.hama_weights import hama_path, read_hama
from lipstream.training.losses import (
    LossConfig,
    event_loss,
    phone_loss,
    regression_loss,
    voice_loss,
)
from lipstream.training.motion_model import LOOK_AHEADS_MS, MotionConfig, MotionModel
from lipstream.training.precision import has_bfloat16
from lipstream.training.recogniser import Recogniser, start_encoder, typical_mel
from lipstream.training.spectral import SpectralAugmentation
from lipstream.training.validation import (
    DevSpeech,
    calibrate_events,
    calibrate_gains,
    objective,
    predict,
    validated,
)

__all__ = ["TrainConfig", "Trained", "step_loss", "train"]

_JUDGED = LOOK_AHEADS_MS.index(80)
_WARM_UP_FRAMES = 5
"""Frames at the start of a crop that are not judged: their past was cut off."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that determines a training run, besides its data."""

    steps: int = 2000
    batch: int = 24
    frames: int = 100
    learning_rate: float = 2e-3
    warm_up_steps: int = 150
    weight_decay: float = 3e-2
    gradient_norm: float = 1.0
    ema: float = 0.999
    start: Literal["hama", "scratch"] = "hama"
    """What the encoder starts from: a phone recogniser that also teaches it, or nothing."""
    started_rate: float = 0.25
    """Learning rate of what has started from it, relative to that of the rest."""
    distillation: float = 1.0
    """Weight of the squared distance from the teacher's hidden output, in its variances."""
    validate_every: int = 200
    patience: int = 5
    """Validations without a new best after which training stops."""
    seed: int = 0
    threads: int = 1
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    loss: LossConfig = field(default_factory=LossConfig)


@dataclass(frozen=True, slots=True)
class Trained:
    """The best weights seen."""

    encoder: SpeechEncoderModel
    motion: MotionModel
    objective: float
    steps: int


@dataclass(frozen=True, slots=True)
class Taught:
    """A teacher's hidden output for a batch, and how much to follow it."""

    hidden: Tensor  # [B, 2 N, W]
    weight: float


def step_loss(
    encoder: SpeechEncoderModel,
    motion: MotionModel,
    batch: Batch,
    config: LossConfig,
    taught: Taught | None = None,
) -> Tensor:
    """The whole loss of one batch, over all look-aheads.

    Args:
        taught: what the teacher makes of the same speech.
    """
    mel, target = torch.from_numpy(batch.mel), torch.from_numpy(batch.controls)
    phones = torch.from_numpy(batch.phones)
    hidden, _ = encoder.hidden(mel, encoder.initial_state(len(mel)))
    features, voice, learned = encoder.features(mel, hidden)
    raw, phone_logits, _ = motion.predict(features, motion.initial_state(len(mel)))
    frames = target.shape[1]
    loss = config.voice * voice_loss(voice, phones)
    loss = loss + config.saturation * learned.square().mean()
    for delay in range(len(LOOK_AHEADS_MS)):
        said = raw[:, _WARM_UP_FRAMES + delay :, delay]
        wanted = target[:, _WARM_UP_FRAMES : frames - delay]
        loss = loss + regression_loss(said, wanted, config)
        loss = loss + config.event * event_loss(said, wanted, config)
    delay = _JUDGED
    heard = phone_logits[:, _WARM_UP_FRAMES + delay :]
    named = phones[:, 2 * _WARM_UP_FRAMES : 2 * (frames - delay)]
    loss = loss + config.phone * phone_loss(heard, named)
    if taught is not None:
        late = 2 * _WARM_UP_FRAMES + encoder.config.delay
        wanted = taught.hidden[
            :, 2 * _WARM_UP_FRAMES : taught.hidden.shape[1] - encoder.config.delay
        ]
        distance = (hidden[:, late:].float() - wanted).square().mean()
        loss = loss + taught.weight * distance / wanted.var()
    return loss


def train(
    config: TrainConfig,
    pool: Pool,
    dev: Sequence[DevSpeech],
    folder: Path,
    *,
    earlier: tuple[SpeechEncoderModel, MotionModel] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Train, validating on `dev`; checkpoints and `log.csv` go to `folder`.

    A folder that holds a checkpoint is resumed from it.

    Args:
        earlier: networks to train on, of the same configuration; by default the run starts as
            `config.start` says.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    folder.mkdir(parents=True, exist_ok=True)
    encoder, motion = SpeechEncoderModel(config.encoder), MotionModel(config.motion)
    networks = nn.ModuleDict({"encoder": encoder, "motion": motion})
    teacher = _teacher(pool) if config.start == "hama" else None
    if earlier is not None:
        encoder.load_state_dict(earlier[0].state_dict())
        motion.load_state_dict(earlier[1].state_dict())
    elif teacher is not None:
        start_encoder(encoder, teacher)
    averaged = copy.deepcopy(networks).requires_grad_(False)
    optimizer = _optimizer(config, encoder, motion)
    best, best_score, best_step, first = copy.deepcopy(averaged.state_dict()), -math.inf, 0, 0
    latest = folder / "latest.pt"
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        networks.load_state_dict(saved["networks"])
        averaged.load_state_dict(saved["averaged"])
        optimizer.load_state_dict(saved["optimizer"])
        best, best_score, best_step = saved["best"], saved["best_score"], saved["best_step"]
        first = saved["step"]
        report(f"going on at step {first}")
    augmentation = SpectralAugmentation()
    running = 0.0
    for step in range(first, config.steps):
        rng = np.random.default_rng([config.seed, step])
        batch = pool.batch(rng, config.batch, config.frames)
        clean = torch.from_numpy(batch.mel)
        heard = augmentation.apply(clean).numpy()
        for group in optimizer.param_groups:
            group["lr"] = group["share"] * _learning_rate(config, step)
        networks.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16("cpu")):
            taught = None
            if teacher is not None:
                with torch.no_grad():
                    taught = Taught(teacher(clean).float(), config.distillation)
            loss = step_loss(
                encoder,
                motion,
                Batch(heard, batch.controls, batch.phones),
                config.loss,
                taught,
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(networks.parameters(), config.gradient_norm)
        optimizer.step()
        _average(averaged, networks, min(config.ema, (1 + step) / (10 + step)))
        value = float(loss.detach())
        running = value if step == first else 0.98 * running + 0.02 * value
        if (step + 1) % config.validate_every and step + 1 != config.steps:
            continue
        reached = _validate(averaged, dev, folder / "log.csv", step + 1, running, report)
        if reached > best_score:
            best, best_score, best_step = copy.deepcopy(averaged.state_dict()), reached, step + 1
        torch.save(
            {
                "networks": networks.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "best": best,
                "best_score": best_score,
                "best_step": best_step,
                "step": step + 1,
            },
            latest,
        )
        if step + 1 - best_step >= config.patience * config.validate_every:
            report(f"no better for {config.patience} validations: stopping")
            break
    averaged.load_state_dict(best)
    encoder, motion = averaged["encoder"], averaged["motion"]  # type: ignore[assignment]
    if dev:
        outputs = predict(encoder, motion, dev)
        gains = calibrate_gains(outputs, dev)
        biases = calibrate_events(outputs, dev, range(len(LOOK_AHEADS_MS)), gains)
        motion.gain.copy_(torch.from_numpy(gains))
        motion.event_bias.copy_(torch.from_numpy(biases))
    trained = Trained(encoder.eval(), motion.eval(), best_score, best_step)
    torch.save(
        {
            "config": asdict(config),
            "encoder": encoder.state_dict(),
            "motion": motion.state_dict(),
            "objective": best_score,
            "steps": best_step,
        },
        folder / "best.pt",
    )
    return trained


def _teacher(pool: Pool) -> Recogniser:
    """The recogniser, set to the average speech of the pool."""
    rng = np.random.default_rng(0)
    speech = torch.from_numpy(pool.batch(rng, 256, 100).mel)
    return Recogniser(read_hama(hama_path()), typical_mel(speech))


def _optimizer(
    config: TrainConfig, encoder: SpeechEncoderModel, motion: MotionModel
) -> torch.optim.Optimizer:
    started = [*encoder.stem.parameters(), *encoder.blocks.parameters()]
    rest = [*encoder.project.parameters(), *encoder.voice.parameters(), *motion.parameters()]
    share = config.started_rate if config.start == "hama" else 1.0
    groups = [{"params": started, "share": share}, {"params": rest, "share": 1.0}]
    return torch.optim.AdamW(groups, config.learning_rate, weight_decay=config.weight_decay)


def _learning_rate(config: TrainConfig, step: int) -> float:
    rise = min(1.0, (step + 1) / config.warm_up_steps)
    fall = 0.5 * (1 + math.cos(math.pi * step / config.steps))
    return config.learning_rate * rise * (0.97 * fall + 0.03)


@torch.no_grad()
def _average(averaged: nn.Module, networks: nn.Module, decay: float) -> None:
    for mean, value in zip(
        averaged.state_dict().values(), networks.state_dict().values(), strict=True
    ):
        mean.lerp_(value, 1 - decay)


def _validate(
    averaged: nn.ModuleDict,
    dev: Sequence[DevSpeech],
    log: Path,
    step: int,
    loss: float,
    report: Callable[[str], None],
) -> float:
    """Objective of the averaged weights, calibrated, at the default look-ahead; logged."""
    if not dev:
        return -loss
    outputs: list[Floats] = predict(averaged["encoder"], averaged["motion"], dev)  # type: ignore[arg-type]
    gains = calibrate_gains(outputs, dev)
    biases = calibrate_events(outputs, dev, [_JUDGED], gains)
    result = validated(outputs, dev, _JUDGED, biases[_JUDGED], gains[_JUDGED])
    reached = objective(result)
    row = {"step": step, "loss": loss, "objective": reached, **asdict(result)}
    exists = log.exists()
    with log.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if not exists:
            writer.writeheader()
        writer.writerow(row)
    report(" ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    return reached
