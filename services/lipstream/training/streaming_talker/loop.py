"""The training loop that both stages share: averaging, checkpoints, log, early stopping."""

from __future__ import annotations

import copy
import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lipstream.training.precision import has_bfloat16

__all__ = ["Judged", "StageConfig", "run_stage"]


@dataclass(frozen=True, slots=True)
class StageConfig:
    steps: int
    batch: int = 24
    frames: int = 100
    learning_rate: float = 1e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-2
    gradient_norm: float = 1.0
    ema: float = 0.998
    validate_every: int = 500
    patience: int = 6
    """Validations without a new best after which the stage stops."""
    mixed_precision: bool = False
    """bfloat16 where the device is made for it."""


@dataclass(frozen=True, slots=True)
class Judged:
    objective: float
    """Higher is better."""
    columns: Mapping[str, float]
    """For the log."""


Loss = Callable[[Any, np.random.Generator], Tensor]
Judge = Callable[[Any], Judged]


def run_stage(
    name: str,
    network: nn.Module,
    config: StageConfig,
    loss: Loss,
    judge: Judge,
    folder: Path,
    *,
    seed: int,
    report: Callable[[str], None] = lambda line: None,
) -> Judged:
    """Train those weights of the network that want gradients; leaves its best averaged ones in it.

    Checkpoints go to `<name>.pt`, from which a run goes on, the log to `<name>.csv`.

    Args:
        loss: of a batch that it draws with the generator, under the network it is given.
        judge: of the averaged network.
    """
    averaged = copy.deepcopy(network).requires_grad_(False).eval()
    wanted = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(wanted, config.learning_rate, weight_decay=config.weight_decay)
    best, best_judged, best_step, first = averaged.state_dict(), Judged(-math.inf, {}), 0, 0
    latest = folder / f"{name}.pt"
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        network.load_state_dict(saved["network"])
        averaged.load_state_dict(saved["averaged"])
        optimizer.load_state_dict(saved["optimizer"])
        best, best_step, first = saved["best"], saved["best_step"], saved["step"]
        best_judged = Judged(saved["objective"], saved["columns"])
        report(f"{name}: going on at step {first}")
    running = math.nan
    device = next(network.parameters()).device.type
    mixed = config.mixed_precision and has_bfloat16(device)
    for step in range(first, config.steps):
        rng = np.random.default_rng([seed, step])
        torch.manual_seed(int(rng.integers(1 << 62)))
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(config, step)
        network.train()
        with torch.autocast(device, torch.bfloat16, enabled=mixed):
            value = loss(network, rng)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(wanted, config.gradient_norm)
        optimizer.step()
        _average(averaged, network, min(config.ema, (1 + step) / (10 + step)))
        now = float(value.detach())
        running = now if math.isnan(running) else 0.98 * running + 0.02 * now
        if (step + 1) % config.validate_every and step + 1 != config.steps:
            continue
        judged = judge(averaged)
        _log(folder / f"{name}.csv", {"step": step + 1, "loss": running, **judged.columns}, report)
        if judged.objective > best_judged.objective:
            best, best_judged, best_step = copy.deepcopy(averaged.state_dict()), judged, step + 1
        torch.save(
            {
                "network": network.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "best": best,
                "objective": best_judged.objective,
                "columns": dict(best_judged.columns),
                "best_step": best_step,
                "step": step + 1,
            },
            latest,
        )
        if step + 1 - best_step >= config.patience * config.validate_every:
            report(f"{name}: no better for {config.patience} validations, stopping")
            break
    network.load_state_dict(best)
    network.eval()
    return best_judged


def _learning_rate(config: StageConfig, step: int) -> float:
    rise = min(1.0, (step + 1) / config.warm_up_steps)
    fall = 0.5 * (1 + math.cos(math.pi * step / config.steps))
    return config.learning_rate * rise * (0.97 * fall + 0.03)


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    pairs = zip(averaged.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _log(path: Path, row: Mapping[str, float], report: Callable[[str], None]) -> None:
    exists = path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if not exists:
            writer.writeheader()
        writer.writerow(row)
    words = (f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
    report(f"{path.stem}: " + " ".join(words))
