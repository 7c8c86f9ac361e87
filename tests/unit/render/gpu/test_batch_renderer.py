"""What the device draws against the processor's renderer, on a device that every machine has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lipstream.errors import BadInput, Unavailable
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.render import ColorMap, Pose, SplatRenderer, reference
from lipstream.render.color import yuv420p_to_rgb
from lipstream.render.gpu import BatchRenderer, DeviceScene, FrameQueue, GsplatRasterizer, Placed
from lipstream.render.scene import Scene
from lipstream.render.splats import Bytes
from tests.unit.render.gpu.dense import dense
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion

_SIZE_PX = 64
_LEAST_DB = 45.0


@pytest.fixture(scope="module")
def batch() -> BatchRenderer:
    return BatchRenderer("cpu", rasterizer=dense, driver=SyntheticDriver())


def _renderer(model: AvatarModel) -> SplatRenderer:
    return SplatRenderer(model, _SIZE_PX, driver=SyntheticDriver())


def _psnr_db(picture: Floats, expected: Floats) -> float:
    return float(-10 * np.log10(np.mean((picture - expected) ** 2) + 1e-12))


def _poses(model: AvatarModel, numbers: tuple[int, ...]) -> list[Pose]:
    motion = synthetic_motion(40)
    return [_renderer(model).pose(motion, number) for number in numbers]


def test_gaussians_lie_where_the_definition_puts_them(batch: BatchRenderer) -> None:
    model = synthetic_avatar(splats=500)
    scene = batch.upload(Scene.of(model, _SIZE_PX))
    (pose,) = _poses(model, (13,))
    weights = SyntheticDriver().color_weights(model, pose.shape_weights, model.surface.vertices)
    expected = reference.project(
        model, Pose(pose.shape_weights, pose.rotation, pose.translation, weights), _SIZE_PX
    )
    placed = batch._placed([(scene, pose)])
    x, y, z = placed.means[0].T.numpy()
    focal_px = model.focal * _SIZE_PX
    centres = focal_px * np.stack([x / z, y / z], 1) + _SIZE_PX / 2
    np.testing.assert_allclose(centres, expected.centres, atol=1e-3)
    np.testing.assert_allclose(z, expected.depths, atol=1e-2)
    np.testing.assert_allclose(placed.opacities[0], expected.opacities, atol=1e-4)
    np.testing.assert_allclose(placed.colors[0], expected.colors, atol=1e-5)


def test_pictures_are_the_processors(batch: BatchRenderer) -> None:
    """Two avatars of different sizes, mixed, in one call."""
    models = (synthetic_avatar(splats=900), synthetic_avatar(splats=600, seed=3))
    scenes = [batch.upload(Scene.of(model, _SIZE_PX)) for model in models]
    poses = [_poses(model, (3, 21)) for model in models]
    order = ((0, 0), (1, 1), (0, 1), (1, 0))
    frames = [(scenes[avatar], poses[avatar][k]) for avatar, k in order]
    pictures = batch.rgb(frames).permute(0, 2, 3, 1).numpy()
    planes = batch.yuv420p(frames)
    for picture, own, (avatar, k) in zip(pictures, planes, order, strict=True):
        renderer = _renderer(models[avatar])
        expected = renderer.rgb(poses[avatar][k]).astype(np.float32) / 255
        assert _psnr_db(picture.clip(0, 1), expected) > _LEAST_DB
        wanted = renderer.yuv420p(poses[avatar][k])
        assert own.shape == wanted.shape
        assert _psnr_db(yuv420p_to_rgb(own), yuv420p_to_rgb(wanted)) > _LEAST_DB - 5


def test_nv12_holds_the_same_planes_in_turns(batch: BatchRenderer) -> None:
    model = synthetic_avatar(splats=200)
    frames = [(batch.upload(Scene.of(model, _SIZE_PX)), pose) for pose in _poses(model, (5, 6))]
    for planar, semi in zip(batch.yuv420p(frames), batch.nv12(frames), strict=True):
        assert np.array_equal(planar[:_SIZE_PX], semi[:_SIZE_PX])
        u, v = planar[_SIZE_PX:].reshape(2, -1)
        pairs: Bytes = semi[_SIZE_PX:].reshape(-1, 2)
        assert np.array_equal(pairs, np.stack([u, v], 1))


def test_gradients_of_colours_are_the_fits(batch: BatchRenderer) -> None:
    model = synthetic_avatar(splats=300)
    (pose,) = _poses(model, (11,))
    still = Pose(pose.shape_weights, pose.rotation, pose.translation, np.zeros(2, np.float32))
    fit = ColorMap(model, still, _SIZE_PX, driver=SyntheticDriver())
    target = np.full((_SIZE_PX, _SIZE_PX, 3), 0.5, np.float32)
    expected = fit.gather(fit.render(model.gaussians.colors) - target).residual

    scene = batch.upload(Scene.of(model, _SIZE_PX))
    scene.colors.requires_grad_()
    colors, transmittance = batch.premultiplied([(scene, still)])
    picture = colors[0] + transmittance[0, ..., None] * batch.plates([(scene, still)])[0].permute(
        1, 2, 0
    )
    (0.5 * (picture - torch.from_numpy(target)).square().sum()).backward()  # type: ignore[no-untyped-call]
    assert scene.colors.grad is not None
    difference = np.abs(scene.colors.grad.numpy() - expected).max()
    assert difference < 0.02 * np.abs(expected).max()


def test_frames_of_different_sizes_are_refused(batch: BatchRenderer) -> None:
    model = synthetic_avatar(splats=50)
    scenes: list[DeviceScene] = [batch.upload(Scene.of(model, size)) for size in (64, 128)]
    (pose,) = _poses(model, (0,))
    with pytest.raises(BadInput, match="one view"):
        batch.rgb([(scene, pose) for scene in scenes])
    with pytest.raises(BadInput):
        batch.rgb([])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_remedy_is_named() -> None:
    with pytest.raises(Unavailable, match="CUDA") as caught:
        GsplatRasterizer()
    assert "SplatRenderer" in caught.value.remedy


def test_threads_that_ask_together_are_drawn_together() -> None:
    sizes: list[int] = []

    def counted(placed: Placed, **how: Any) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(placed.means))
        return dense(placed, **how)

    model = synthetic_avatar(splats=300)
    poses = _poses(model, tuple(range(12)))
    renderer = BatchRenderer("cpu", rasterizer=counted, driver=SyntheticDriver())
    with FrameQueue(renderer, most=5) as queue, ThreadPoolExecutor(12) as pool:
        scene = queue.upload(Scene.of(model, _SIZE_PX))
        pictures = list(pool.map(lambda pose: queue.yuv420p(scene, pose), poses))
    for picture, pose in zip(pictures, poses, strict=True):
        expected = _renderer(model).yuv420p(pose)
        assert _psnr_db(yuv420p_to_rgb(picture), yuv420p_to_rgb(expected)) > _LEAST_DB - 5
    assert sum(sizes) == 12
    assert 1 < max(sizes) <= 5
    with pytest.raises(Unavailable):
        queue.yuv420p(scene, poses[0])


def test_a_fault_reaches_those_who_wait_and_no_one_else() -> None:
    model = synthetic_avatar(splats=50)
    good, bad = _poses(model, (1, 2))
    bad = replace(bad, color_weights=np.zeros(7, np.float32))
    renderer = BatchRenderer("cpu", rasterizer=dense, driver=SyntheticDriver())
    with FrameQueue(renderer) as queue:
        scene = queue.upload(Scene.of(model, _SIZE_PX))
        with pytest.raises(BadInput, match="colour shapes"):
            queue.yuv420p(scene, bad)
        assert queue.yuv420p(scene, good).shape == (96, 64)
