"""The colour map against the dense matrix of blend weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.render import ColorMap, Pose, SplatRenderer, reference
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

SIZE_PX = 80  # the last tile is half empty


@pytest.fixture(scope="module")
def pose() -> Pose:
    renderer = SplatRenderer(synthetic_avatar(splats=10), 64, driver=SyntheticDriver())
    moving = renderer.pose(synthetic_motion(20), 11)
    return replace(moving, color_weights=np.zeros(2, np.float32))


def test_gather_is_the_transpose_of_the_dense_weights(pose: Pose) -> None:
    model = synthetic_avatar(splats=250, opacity_min=0.1)
    residual = np.random.default_rng(1).normal(size=(SIZE_PX, SIZE_PX, 3)).astype(np.float32)
    linear = ColorMap(model, pose, SIZE_PX)
    gathered = linear.gather(residual)
    order = linear._frame.drawn  # the same, so that near ties do not count
    weights = reference.blend_weights(reference.project(model, pose, SIZE_PX), SIZE_PX, order)
    np.testing.assert_allclose(gathered.weight, weights.sum((1, 2)), atol=0.05, rtol=5e-3)
    expected = np.einsum("nhw,hwc->nc", weights, residual.astype(np.float64))
    assert np.abs(gathered.residual - expected).max() < 0.02 * np.abs(expected).max()


def test_render_and_gather_are_adjoint(pose: Pose) -> None:
    """<A c, r> = <c, A^T r>."""
    model = synthetic_avatar(splats=3000)
    rng = np.random.default_rng(2)
    colors = rng.uniform(size=(3000, 3)).astype(np.float32)
    residual = rng.normal(size=(SIZE_PX, SIZE_PX, 3)).astype(np.float32)
    linear = ColorMap(model, pose, SIZE_PX)
    forward = (linear.render(colors) - linear.render(np.zeros_like(colors))).astype(np.float64)
    backward = linear.gather(residual).residual.astype(np.float64)
    left, right = (forward * residual).sum(), (colors * backward).sum()
    scale = np.linalg.norm(forward) * np.linalg.norm(residual)
    assert abs(left - right) < 1e-5 * scale


def test_gather_is_the_gradient_of_the_picture(pose: Pose) -> None:
    """Finite differences of 1/2 |render - target|^2, which is quadratic in the colours."""
    model = synthetic_avatar(splats=400)
    linear = ColorMap(model, pose, SIZE_PX)
    colors = model.gaussians.colors
    target = np.full((SIZE_PX, SIZE_PX, 3), 0.5, np.float32)
    gradient = linear.gather(linear.render(colors) - target).residual

    def loss(at: np.ndarray) -> float:  # type: ignore[type-arg]
        return 0.5 * float(((linear.render(at) - target).astype(np.float64) ** 2).sum())

    for i in np.argsort(-np.abs(gradient[:, 0]))[:5]:
        up, down = colors.copy(), colors.copy()
        up[i, 0] += 0.1
        down[i, 0] -= 0.1
        assert (loss(up) - loss(down)) / 0.2 == pytest.approx(gradient[i, 0], rel=0.01)


def test_render_is_the_renderers_picture(pose: Pose) -> None:
    model = synthetic_avatar(splats=1000)
    linear = ColorMap(model, pose, SIZE_PX)
    picture = np.clip(linear.render(model.gaussians.colors), 0, 1) * 255
    rgb = SplatRenderer(model, SIZE_PX, driver=SyntheticDriver()).rgb(pose)
    assert np.abs(picture - rgb).max() < 0.51
    assert linear.drawn > 0


def test_a_few_iterations_recover_the_colours_of_a_picture(pose: Pose) -> None:
    """What a fit does: simultaneous iterative reconstruction."""
    model = synthetic_avatar(splats=2000, opacity_min=0.9)
    linear = ColorMap(model, pose, SIZE_PX)
    target = linear.render(model.gaussians.colors)
    colors = np.full_like(model.gaussians.colors, 0.5)
    before = np.abs(linear.render(colors) - target).mean()
    for _ in range(25):
        gathered = linear.gather(target - linear.render(colors))
        colors = colors + gathered.residual / np.maximum(gathered.weight, 0.25)[:, None]
    assert np.abs(linear.render(colors) - target).mean() < before / 10


def test_pictures_of_another_shape_are_refused(pose: Pose) -> None:
    linear = ColorMap(synthetic_avatar(splats=50), pose, 64)
    with pytest.raises(BadInput, match="residual"):
        linear.gather(np.zeros((32, 32, 3), np.float32))
    with pytest.raises(BadInput, match="Colours"):
        linear.render(np.zeros((3, 3), np.float32))
