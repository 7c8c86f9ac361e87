"""The loop of both stages: what is averaged, when it stops, what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lipstream.training.streaming_talker.loop import Judged, StageConfig, run_stage


def test_what_is_judged_is_the_running_mean(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    weights, judged = [network.weight.detach().clone()], []

    def loss(trained: Any, rng: np.random.Generator) -> Tensor:
        return torch.as_tensor((trained.weight - 3).square().sum() + trained.bias.square().sum())

    def judge(averaged: Any) -> Judged:
        weights.append(network.weight.detach().clone())
        judged.append(averaged.weight.clone())
        return Judged(float(len(judged)), {})

    config = StageConfig(5, learning_rate=0.1, warm_up_steps=1, ema=0.2, validate_every=1)
    run_stage("stage", network, config, loss, judge, tmp_path, seed=0)
    expected = weights[0]
    for step, weight in enumerate(weights[1:]):
        decay = min(0.2, (1 + step) / (10 + step))  # a mean of few steps forgets its start sooner
        expected = decay * expected + (1 - decay) * weight
        torch.testing.assert_close(judged[step], expected)
    torch.testing.assert_close(network.weight.detach(), expected)
    assert not torch.equal(expected, weights[-1])


def test_a_stage_stops_when_it_gets_no_better_and_leaves_its_best(tmp_path: Path) -> None:
    network = nn.Linear(2, 1)
    seen: list[Tensor] = []

    def judge(averaged: Any) -> Judged:
        seen.append(averaged.weight.clone())
        return Judged([1.0, 2.0, 1.5, 2.0, 9.0][len(seen) - 1], {})

    config = StageConfig(100, learning_rate=0.1, validate_every=3, patience=2)
    lines: list[str] = []
    result = run_stage(
        "stage",
        network,
        config,
        lambda trained, rng: trained.weight.square().sum(),
        judge,
        tmp_path,
        seed=0,
        report=lines.append,
    )
    assert len(seen) == 4
    assert result.objective == 2.0
    assert torch.equal(network.weight.detach(), seen[1])
    assert lines[-1] == "stage: no better for 2 validations, stopping"
