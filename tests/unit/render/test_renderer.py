"""The renderer's contract: sizes, buffers, threads, refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from lipstream.errors import BadInput
from lipstream.face.motion import Motion
from lipstream.render import Pose, SplatRenderer
from lipstream.render.background import NoBackground
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar, synthetic_motion


@pytest.fixture(scope="module")
def renderer() -> SplatRenderer:
    return SplatRenderer(synthetic_avatar(), 128, driver=SyntheticDriver())


@pytest.mark.parametrize("size_px", [0, 62, 101, 1082, 20_000])
def test_sizes_that_cannot_be_made_are_refused(size_px: int) -> None:
    with pytest.raises(BadInput, match=f"{size_px} pixels"):
        SplatRenderer(synthetic_avatar(splats=10), size_px)


@pytest.mark.parametrize("size_px", [64, 250, 1080])
def test_every_allowed_size_is_drawn(size_px: int) -> None:
    renderer = SplatRenderer(synthetic_avatar(), size_px, driver=SyntheticDriver())
    pose = renderer.pose(synthetic_motion(5), 4)
    assert renderer.rgb(pose).shape == (size_px, size_px, 3)
    assert renderer.yuv420p(pose).shape == (size_px * 3 // 2, size_px)


def test_pictures_do_not_depend_on_what_was_drawn_before(renderer: SplatRenderer) -> None:
    motion = synthetic_motion(20)
    first = renderer.yuv420p(renderer.pose(motion, 3)).copy()
    renderer.yuv420p(renderer.pose(motion, 15))
    np.testing.assert_array_equal(renderer.yuv420p(renderer.pose(motion, 3)), first)


def test_out_is_filled_and_returned(renderer: SplatRenderer) -> None:
    pose = renderer.pose(synthetic_motion(2), 1)
    out = np.zeros((128, 128, 3), np.uint8)
    assert renderer.rgb(pose, out) is out
    np.testing.assert_array_equal(out, renderer.rgb(pose))
    with pytest.raises(BadInput, match="out"):
        renderer.rgb(pose, np.zeros((64, 64, 3), np.uint8))


def test_siblings_draw_the_same_in_parallel(renderer: SplatRenderer) -> None:
    motion = synthetic_motion(40)
    alone = [renderer.yuv420p(renderer.pose(motion, t)).copy() for t in range(40)]

    def draw(part: int) -> list[bytes]:
        own = renderer.sibling()
        return [own.yuv420p(own.pose(motion, t)).tobytes() for t in range(part, 40, 2)]

    with ThreadPoolExecutor(2) as pool:
        even, odd = pool.map(draw, (0, 1))
    assert even == [picture.tobytes() for picture in alone[0::2]]
    assert odd == [picture.tobytes() for picture in alone[1::2]]


def test_rgba_is_straight(renderer: SplatRenderer) -> None:
    pose = renderer.pose(synthetic_motion(2), 1)
    over = renderer.rgba(pose)
    assert (over[..., 3] == 255).all()
    np.testing.assert_array_equal(over[..., :3], renderer.rgb(pose))
    head = replace(renderer.model, torso=np.zeros_like(renderer.model.torso))
    cut = SplatRenderer(head, 128, background=NoBackground(), driver=SyntheticDriver())
    alone = cut.rgba(pose) / 255.0
    assert alone[0, 0, 3] == 0
    assert alone[64, 64, 3] > 0.97
    plate = renderer.scene.plate.rgb / 255.0
    composed = alone[..., :3] * alone[..., 3:] + plate * (1 - alone[..., 3:])
    assert np.abs(composed - over[..., :3] / 255.0).max() < 0.06  # clipped before or after mixing


def test_motion_drives_shapes_and_colours(renderer: SplatRenderer) -> None:
    motion = synthetic_motion(20)
    driven = renderer.rgb(renderer.pose(motion, 3)).astype(int)
    pose = renderer.pose(motion, 3)
    untinted = renderer.rgb(replace(pose, color_weights=np.zeros(2, np.float32))).astype(int)
    still = replace(pose, shape_weights=np.zeros(52, np.float32))
    undeformed = renderer.rgb(still).astype(int)
    assert np.abs(driven - untinted).max() > 20
    np.testing.assert_array_equal(driven, renderer.rgb(pose))  # nothing stays of other tints
    assert np.abs(driven - undeformed).max() > 20


def test_wrong_poses_are_refused(renderer: SplatRenderer) -> None:
    with pytest.raises(BadInput, match="shape_weights"):
        renderer.rgb(Pose(np.zeros(10, np.float32)))
    with pytest.raises(BadInput, match="color_weights"):
        renderer.rgb(Pose(np.zeros(52, np.float32), color_weights=np.zeros(9, np.float32)))
    with pytest.raises(BadInput, match="rotation"):
        Pose(np.zeros(52, np.float32), rotation=np.zeros(4, np.float32))
    with pytest.raises(BadInput, match="not finite"):
        Pose(np.full(52, np.nan, np.float32))
    with pytest.raises(BadInput, match="Frame 5"):
        renderer.pose(Motion.rest(5), 5)


def test_a_model_that_contradicts_itself_is_refused() -> None:
    model = synthetic_avatar(splats=20)
    wild = model.surface.triangles.copy()
    wild[3, 1] = 1_000_000
    with pytest.raises(BadInput, match="contradict"):
        SplatRenderer(replace(model, surface=replace(model.surface, triangles=wild)), 64)
    unsorted = replace(model.gaussians, triangle_ids=model.gaussians.triangle_ids[::-1])
    with pytest.raises(BadInput, match="contradict"):
        SplatRenderer(replace(model, gaussians=unsorted), 64)


def test_read_only_and_strided_arrays_are_drawn_alike() -> None:
    model = synthetic_avatar(splats=300)
    plate = np.asfortranarray(model.plate)
    vertices = np.asfortranarray(model.surface.vertices)
    plate.flags.writeable = vertices.flags.writeable = False
    other = replace(model, plate=plate, surface=replace(model.surface, vertices=vertices))
    pictures = []
    for each in (model, other):
        renderer = SplatRenderer(each, 64, driver=SyntheticDriver())
        pictures.append(renderer.rgb(renderer.pose(synthetic_motion(5), 2)).copy())
    np.testing.assert_array_equal(pictures[0], pictures[1])
