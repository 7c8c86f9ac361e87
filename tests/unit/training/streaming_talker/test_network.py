"""The whole network: a step at a time, its styles, its export, a little training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipstream.errors import BadInput
from lipstream.inference import OnnxModel
from lipstream.motion.ddim import ddim_schedule
from lipstream.motion.streaming_talker import Sampling, StreamingTalker
from lipstream.training.streaming_talker.checkpoint import read_checkpoint, write_checkpoint
from lipstream.training.streaming_talker.clips import ClipPool, HeardExample
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.export import export_talker
from lipstream.training.streaming_talker.losses import TalkerLoss, generation_loss
from lipstream.training.streaming_talker.presets import preset
from lipstream.training.streaming_talker.rollout import rollout
from tests.unit.training.streaming_talker.tiny import FEATURES, TINY, tiny_network, windows


def _schedule(batch: int, steps: int = 3) -> torch.Tensor:
    return torch.from_numpy(ddim_schedule(steps)).expand(batch, -1, -1)


@torch.no_grad()
def test_a_batch_equals_its_rows() -> None:
    network = tiny_network()
    audio, noise = windows(3, 9), torch.randn(9, 3, 8)
    style = network.style.of_none(3)
    together, states = network.initial_state(3), [network.initial_state(1) for _ in range(3)]
    for k in range(9):
        motion, together = network(audio[:, k], style, noise[k], _schedule(3), together)
        for row in range(3):
            one = slice(row, row + 1)
            alone, states[row] = network(
                audio[one, k], style[one], noise[k, one], _schedule(1), states[row]
            )
            assert torch.allclose(motion[one], alone, atol=1e-5)


@torch.no_grad()
def test_events_are_probabilities_and_controls_bounded() -> None:
    network = tiny_network()
    state = network.initial_state(2)
    for k in range(5):
        motion, state = network(
            3 * windows(2, 5)[:, k],
            network.style.of_none(2),
            torch.randn(2, 8),
            _schedule(2),
            state,
        )
        assert ((motion >= 0) & (motion <= 1)).all()


def test_styles_by_identity_clip_and_none_differ() -> None:
    network = tiny_network(replace(TINY, subjects=3))
    with torch.no_grad():
        neutral = network.style.of_none(2)
        known = network.style.of_subject(torch.tensor([0, 2]))
        clip = network.style.of_clip(network.latents(torch.rand(2, 30, 10)))
        assert neutral.shape == known.shape == clip.shape == (2, 16)
        assert not torch.allclose(known[0], known[1])
        assert not torch.allclose(clip, neutral)
    with pytest.raises(ValueError, match="without identities"):
        tiny_network().style.of_subject(torch.tensor([0]))


@pytest.mark.parametrize("part", ["self_attention", "cross_attention"])
def test_ablated_networks_work(part: str) -> None:
    predictor = replace(TINY.predictor, **{part: False})
    network = tiny_network(replace(TINY, predictor=predictor, diffusion=False))
    features = np.random.default_rng(0).normal(size=(20, FEATURES)).astype(np.float32)
    assert rollout(network, [features, features[:10]], delay=1)[1].shape == (5, 10)


def _pool() -> ClipPool:
    """Features from which the controls can be read."""
    rng = np.random.default_rng(0)
    examples = []
    for _ in range(6):
        walk = np.abs(np.cumsum(rng.normal(0, 0.15, (40, 10)), axis=0)) % 1
        features = np.repeat(walk[:, :FEATURES], 2, axis=0)
        examples.append(HeardExample(features.astype(np.float16), walk.astype(np.float16)))
    return ClipPool([("spoken", 1.0, examples)])


def test_a_few_steps_reduce_the_loss() -> None:
    pool, network = _pool(), tiny_network().train()
    held = pool.clips(np.random.default_rng(99), 8, 30)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)

    def held_loss() -> float:
        torch.manual_seed(5)
        with torch.no_grad():
            return float(generation_loss(network, held, NoiseSchedule(), TalkerLoss()))

    before = held_loss()
    for step in range(25):
        clip = pool.clips(np.random.default_rng(step), 4, 30)
        loss = generation_loss(network, clip, NoiseSchedule(), TalkerLoss())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert held_loss() < 0.8 * before


def test_exported_steps_equal_torch_at_any_number_of_steps(tmp_path: Path) -> None:
    exported = export_talker(tiny_network(), tmp_path)
    assert exported.difference < 1e-4
    config = (tmp_path / "streaming_talker" / "config.pbtxt").read_text()
    assert 'name: "schedule" data_type: TYPE_FP32 dims: [ -1, 5 ]' in config
    features = np.random.default_rng(0).normal(size=(40, FEATURES)).astype(np.float32)
    for steps in (1, 4, 50):
        talker = StreamingTalker(
            model=OnnxModel(exported.path), sampling=Sampling(steps=steps, temperature=0)
        )
        motion, _ = talker.step(features, talker.initial_state())
        assert len(motion) == 19
        assert np.isfinite(motion.blendshapes).all()


def test_checkpoints_come_back(tmp_path: Path) -> None:
    network = tiny_network()
    write_checkpoint(tmp_path / "talker.pt", network, {"objective": 1.0})
    again = read_checkpoint(tmp_path / "talker.pt")
    assert again.config == network.config
    assert torch.equal(again.start, network.start)
    (tmp_path / "other.pt").write_bytes(b"something else")
    with pytest.raises(BadInput, match="no StreamingTalker checkpoint"):
        read_checkpoint(tmp_path / "other.pt")


def test_networks_that_cannot_stream_are_not_exported(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = type(tiny_network())(preset("vocaset"))
    with pytest.raises(BadInput, match="causal autoencoder"):
        export_talker(network, tmp_path)
