from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lipstream.avatar.binding import Binding, bind_to_area, bind_to_picture, held_small
from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.stage import PosedSurface, pose_surface
from lipstream.face.landmarks import MESH_COUNT
from tests.unit.face.person import landmarks, rig


@cache
def stage() -> PosedSurface:
    return pose_surface(rig(), rig().parts)


def projected_axes(binding: Binding) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Lengths of the ellipses' axes in the photo, pixels."""
    corners = stage().photo_px[stage().triangles[binding.triangles]]
    edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], -1)
    return np.linalg.svd(edges @ binding.axes, compute_uv=False)


def test_posed_surface_shows_the_photo() -> None:
    np.testing.assert_allclose(
        stage().photo_px[:MESH_COUNT], landmarks()[:MESH_COUNT, :2], atol=1e-6
    )
    assert stage().mm_per_px == pytest.approx(0.7, abs=0.1)


def test_cells_of_the_picture_get_round_gaussians_where_they_are() -> None:
    binding = bind_to_picture(stage(), ("skin",), 2.0)
    assert 4_000 < len(binding) < 12_000
    corners = stage().photo_px[stage().triangles[binding.triangles]]
    place = (corners * binding.barycentric[..., None]).sum(1)
    np.testing.assert_allclose(place, binding.photo_px, atol=0.05)
    lengths = projected_axes(binding)
    assert np.median(lengths) == pytest.approx(0.66 * 2.0, abs=0.02)
    assert lengths.max() < 4
    assert np.isfinite(binding.axes).all()


def test_margin_reaches_outside_the_picture() -> None:
    inside = bind_to_picture(stage(), ("skin",), 3.0).photo_px
    assert inside.min() >= 0
    assert inside.max() <= CANVAS_PX
    shifted = bind_to_picture(stage(), ("skin",), 3.0, 24.0).photo_px
    np.testing.assert_allclose(shifted.mean(0), inside.mean(0), atol=0.5)


def test_area_gets_gaussians_by_its_size() -> None:
    few = bind_to_area(stage(), "tongue", 2.0, 0.8)
    many = bind_to_area(stage(), "tongue", 1.0, 0.8)
    assert 2.0 < len(many) / len(few) < 4.5
    np.testing.assert_allclose(many.barycentric.sum(1), 1)
    assert many.barycentric.min() >= 0
    span = stage().spans["tongue"].triangles
    assert many.triangles.min() >= span.start
    assert many.triangles.max() < span.stop


def test_gaussians_that_a_pose_draws_out_are_held_small() -> None:
    binding = bind_to_picture(stage(), ("skin",), 2.0)
    held = held_small(stage(), binding, stage().open, 1.5)
    a, b, c = (stage().open[stage().triangles[held.triangles][:, k]] for k in range(3))
    drawn = np.linalg.svd(np.stack([b - a, c - a], -1) @ held.axes, compute_uv=False)
    assert drawn.max() <= 1.5 + 1e-6
    same = np.isclose(held.axes, binding.axes).all((1, 2))
    assert same.mean() > 0.5
