"""The schedule and its steps against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from lipstream.errors import BadInput
from lipstream.motion.ddim import ddim_schedule, signal_shares
from lipstream.training.streaming_talker.diffusion import NoiseSchedule
from lipstream.training.streaming_talker.head import DiffusionHead, RegressionHead


def test_betas_are_scaled_linear() -> None:
    shares = signal_shares()
    betas = 1 - shares[1:] / shares[:-1]
    assert 1 - shares[0] == pytest.approx(0.00085)
    assert betas[-1] == pytest.approx(0.012)
    assert np.allclose(np.diff(np.sqrt(betas), 2), 0, atol=1e-10)


def test_noise_keeps_unit_power() -> None:
    torch.manual_seed(0)
    clean, noise = torch.randn(2, 20_000)
    for time in (0, 400, 999):
        times = torch.full((20_000,), time)
        noisy = NoiseSchedule().noised(clean[:, None], noise[:, None], times)
        assert float(noisy.var()) == pytest.approx(1.0, abs=0.03)


def test_noised_is_the_closed_form() -> None:
    clean, noise = torch.tensor([2.0]), torch.tensor([-1.0])
    share = float(signal_shares()[300])
    noisy = NoiseSchedule().noised(clean, noise, torch.tensor(300))
    assert float(noisy) == pytest.approx(2 * math.sqrt(share) - math.sqrt(1 - share), abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 50])
def test_a_schedule_begins_at_noise_and_leaves_none(steps: int) -> None:
    rows = ddim_schedule(steps)
    assert rows.shape == (steps, 5)
    assert rows[0, 0] == 999
    assert (np.diff(rows[:, 0]) < 0).all()
    assert rows[-1, 3:].tolist() == [1, 0]
    assert np.allclose(rows[1:, 1:3], rows[:-1, 3:5])
    assert np.allclose(rows[:, 1] ** 2 + rows[:, 2] ** 2, 1, atol=1e-6)


@pytest.mark.parametrize("steps", [0, 51, -1])
def test_other_numbers_of_steps_are_refused(steps: int) -> None:
    with pytest.raises(BadInput, match="not offered"):
        ddim_schedule(steps)


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_a_perfect_network_is_followed_to_its_answer(steps: int) -> None:
    """A head that always sees the same clean latent: DDIM arrives there from any noise."""
    width, answer = 5, torch.arange(5.0)
    head = DiffusionHead(width, 4)
    for parameter in head.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        head.clean.bias.copy_(answer)
    schedule = torch.from_numpy(ddim_schedule(steps)).expand(3, -1, -1)
    latent = head.sample(torch.randn(3, 4), torch.randn(3, width), schedule)
    assert torch.allclose(latent, answer.expand(3, -1), atol=1e-5)


@torch.no_grad()
def test_sampling_takes_ddim_s_steps() -> None:
    torch.manual_seed(3)
    head = DiffusionHead(5, 4)
    rows = torch.from_numpy(ddim_schedule(4))
    condition, latent = torch.randn(3, 4), torch.randn(3, 5)
    sampled = head.sample(condition, latent, rows.expand(3, -1, -1))
    for time, signal, spread, later_signal, later_spread in rows:
        clean = head(latent, condition, time)
        latent = later_signal * clean + later_spread * (latent - signal * clean) / spread
    assert torch.allclose(sampled, latent, atol=1e-5)


def test_steps_follow_the_exact_flow_of_a_gaussian() -> None:
    """Latents N(0, s^2): the best head is linear, and DDIM's flow has a closed form."""
    spread, time_steps = 0.5, 50
    rows = ddim_schedule(time_steps).astype(np.float64)
    start = 1.3
    z = start
    for _, a, b, c, d in rows:
        clean = z * a * spread**2 / (a**2 * spread**2 + b**2)
        z = c * clean + d * (z - a * clean) / b
    exact = start * spread / math.sqrt((rows[0, 1] * spread) ** 2 + rows[0, 2] ** 2)
    assert z == pytest.approx(exact, rel=0.08)  # what 50 steps leave of the error


def test_sampling_is_the_loop_over_the_head() -> None:
    torch.manual_seed(0)
    head = DiffusionHead(latent=4, condition=6)
    condition, noise = torch.randn(2, 6), torch.randn(2, 4)
    schedule = torch.from_numpy(ddim_schedule(3)).expand(2, -1, -1)
    latent = noise
    for time, a, b, c, d in ddim_schedule(3).tolist():
        clean = head(latent, condition, torch.full((2,), time))
        latent = c * clean + d * (latent - a * clean) / b
    assert torch.allclose(head.sample(condition, noise, schedule), latent, atol=1e-5)


def test_without_diffusion_noise_does_not_matter() -> None:
    torch.manual_seed(0)
    head = RegressionHead(latent=4, condition=6)
    condition = torch.randn(2, 6)
    schedule = torch.from_numpy(ddim_schedule(2)).expand(2, -1, -1)
    first, second = (head.sample(condition, torch.randn(2, 4), schedule) for _ in range(2))
    assert torch.equal(first, second)
