"""The small tools that layers are painted with."""

from __future__ import annotations

import numpy as np

from lipstream.avatar.filling import continued, fill_smoothly, mix, sample
from lipstream.avatar.geodesic import nearer_to
from lipstream.avatar.polygon import polygon_mask
from lipstream.avatar.raster import visible_triangles


def test_holes_are_filled_from_around_and_the_rest_is_kept() -> None:
    image = np.zeros((64, 64, 3))
    image[:, :32], image[:, 32:] = 0.2, 0.8
    known = np.ones((64, 64), bool)
    known[20:44, 20:44] = False
    filled = fill_smoothly(np.where(known[..., None], image, 9.0), known)
    np.testing.assert_array_equal(filled[known], image[known])
    assert filled[~known].min() >= 0.2
    assert filled[~known].max() <= 0.8
    assert filled[32, 22, 0] < filled[32, 42, 0]


def test_what_is_known_goes_on_in_its_edges_colour_and_keeps_its_grain() -> None:
    """A mirror would show skin again beyond hair that the face's edge cuts through."""
    grain = np.random.default_rng(0).normal(0, 0.02, (64, 64, 3))
    image = np.full((64, 64, 3), 0.8) + grain
    image[:, 24:] -= 0.6
    known = np.zeros((64, 64), bool)
    known[:, :32] = True
    image[:, 32:] = 9.0
    gone_on = continued(image, known)
    np.testing.assert_array_equal(gone_on[known], image[known])
    beyond = gone_on[8:-8, 34:48]
    assert beyond.max(2).mean(0).max() < 0.45
    assert beyond[:, :5].std() > 0.01


def test_samples_are_bilinear_at_pixel_centres() -> None:
    image = np.arange(12.0).reshape(3, 4)
    points = np.array([[0.5, 0.5], [1.0, 0.5], [3.5, 2.5], [-9.0, -9.0]])
    np.testing.assert_allclose(sample(image, points), [0, 0.5, 11, 0])
    many = np.tile(points, (20_000, 1))
    assert sample(np.dstack([image] * 3), many).shape == (80_000, 3)
    assert sample(np.dstack([image] * 3), points[:0]).shape == (0, 3)


def test_mix() -> None:
    np.testing.assert_allclose(
        mix(np.zeros((2, 3)), np.ones((2, 3)), np.array([0.25, 1.0]))[:, 0], [0.25, 1.0]
    )


def test_polygon_mask_fills_the_inside() -> None:
    mask = polygon_mask(np.array([[100.0, 100.0], [200, 100], [200, 150], [100, 150]]))
    assert mask[125, 150]
    assert not mask[125, 220]
    assert abs(int(mask.sum()) - 5000) < 300


def test_a_region_is_divided_along_the_pictures_edge() -> None:
    """Light ground above an edge near the bottom belongs to the upper neighbour."""
    picture = np.full((60, 40, 3), 200, np.uint8)
    picture[45:] = 40
    rows = np.arange(60)[:, None] + np.zeros((1, 40), int)
    zone = (rows >= 10) & (rows < 50)
    first, second = rows < 10, rows >= 50
    nearer = nearer_to(picture, zone, first, second)
    assert nearer[12:43].all()
    assert not nearer[47:].any()
    assert not nearer_to(picture, zone, np.zeros_like(zone), second).any()


def test_the_nearest_front_triangle_is_seen() -> None:
    points = np.array([[0.0, 0], [0, 20], [20, 0], [0, 0], [0, 20], [20, 0]])
    depth = np.array([5.0, 5, 5, 2, 2, 2])
    front = np.array([[0, 1, 2], [3, 4, 5]])
    owner, barycentric = visible_triangles(points, depth, front, 20, 1.0, 0.0)
    assert owner[2, 3] == 1
    assert owner[18, 18] == -1
    place = barycentric[2, 3] @ points[[3, 4, 5]]
    np.testing.assert_allclose(place, [3.5, 2.5])
    behind, _ = visible_triangles(points, depth, front[:, ::-1].copy(), 20, 1.0, 0.0)
    assert (behind == -1).all()
