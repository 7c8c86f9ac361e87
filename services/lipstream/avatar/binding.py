"""Placing Gaussians on triangles.

A Gaussian's axes are given in its triangle's edges, so that it stretches with the skin and
stretching opens no holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.raster import visible_triangles
from lipstream.avatar.stage import PosedSurface
from lipstream.face.cage import Points

__all__ = ["Binding", "bind_at", "bind_to_area", "bind_to_picture", "held_small"]

_SIGMA_PER_CELL = 0.66
"""Standard deviation over grid spacing: closes the surface without blurring it."""
_LONGEST = 2.6


@dataclass(frozen=True, slots=True)
class Binding:
    """Where Gaussians sit."""

    triangles: NDArray[np.int64]  # [N]
    barycentric: NDArray[np.float64]  # [N, 3]
    axes: NDArray[np.float64]  # [N, 2, 2]
    photo_px: NDArray[np.float64]  # [N, 2] canvas pixels, with the photo's expression

    def __len__(self) -> int:
        return len(self.triangles)

    def only(self, wanted: NDArray[np.bool_]) -> Self:
        return type(self)(
            self.triangles[wanted],
            self.barycentric[wanted],
            self.axes[wanted],
            self.photo_px[wanted],
        )


def bind_to_picture(
    stage: PosedSurface,
    parts: Sequence[str],
    cell_px: float,
    margin_px: float = 0.0,
    longest: float = _LONGEST,
) -> Binding:
    """One Gaussian for each cell of the picture in which one of these parts is seen.

    Hidden surfaces get none; what hides what is judged among `parts` alone.

    Args:
        longest: on a slope a disc may grow to this many times its width, no more.
    """
    ids = np.concatenate(
        [np.arange(stage.spans[p].triangles.start, stage.spans[p].triangles.stop) for p in parts]
    )
    owner, barycentric = visible_triangles(
        stage.photo_px, stage.photo[:, 2], stage.triangles[ids], CANVAS_PX, cell_px, margin_px
    )
    rows, columns = np.nonzero(owner >= 0)
    triangles = ids[owner[rows, columns]]
    a, b, c = stage.triangles[triangles].T
    flat = np.stack(
        [stage.photo_px[b] - stage.photo_px[a], stage.photo_px[c] - stage.photo_px[a]], -1
    )
    edges = np.stack([stage.photo[b] - stage.photo[a], stage.photo[c] - stage.photo[a]], -1)
    radius_px = _SIGMA_PER_CELL * cell_px
    axes = edges @ (radius_px * _inverse(flat))  # [N, 3, 2] mm: round in the picture
    limit = longest * radius_px * stage.mm_per_px
    return Binding(
        triangles,
        barycentric[rows, columns],
        _in_edges(edges, _shorten(axes, limit)),
        np.stack([columns + 0.5, rows + 0.5], 1) * cell_px - margin_px,
    )


def bind_to_area(
    stage: PosedSurface,
    part: str,
    spacing_mm: float,
    fill: float,
    chosen: NDArray[np.bool_] | None = None,
    vertices: Points | None = None,
) -> Binding:
    """Gaussians spread evenly over a part's area, seen or not.

    Args:
        fill: standard deviation over spacing.
        chosen: `# [Fp]` triangles to cover; all by default.
        vertices: `# [V, 3]` camera-frame pose whose area counts; at rest by default.
    """
    posed = stage.rest if vertices is None else vertices
    span = stage.spans[part].triangles
    ids = np.arange(span.start, span.stop)
    if chosen is not None:
        ids = ids[chosen]
    a, b, c = (posed[stage.triangles[ids][:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    keep = area > 1e-6
    ids, area = ids[keep], area[keep]
    count = np.maximum(1, np.floor(area / spacing_mm**2 + 0.5).astype(int))
    triangles = np.repeat(ids, count)
    place = np.concatenate([np.arange(n) for n in count]) if len(count) else np.zeros(0)
    # Low-discrepancy points (Roberts' R2 sequence), folded into the triangle.
    u, v = np.modf(0.5 + place * 0.7548776662)[0], np.modf(0.5 + place * 0.5698402910)[0]
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    barycentric = np.stack([1 - u - v, u, v], 1)

    radius_mm = fill * np.sqrt(np.repeat(np.maximum(area / count, 0.5 * spacing_mm**2), count))
    return bind_at(stage, triangles, barycentric, radius_mm, posed)


def bind_at(
    stage: PosedSurface,
    triangles: NDArray[np.int64],  # [N]
    barycentric: NDArray[np.float64],  # [N, 3]
    radius_mm: NDArray[np.float64] | float,  # [N] standard deviation
    vertices: Points,  # [V, 3] mm
) -> Binding:
    """Gaussians at given places, round in the pose of `vertices`, camera frame."""
    a, b, c = (vertices[stage.triangles[triangles][:, k]] for k in range(3))
    edges = np.stack([b - a, c - a], -1)
    first = edges[..., 0] / np.linalg.norm(edges[..., 0], axis=1, keepdims=True)
    second = edges[..., 1] - first * (edges[..., 1] * first).sum(1, keepdims=True)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    axes = np.stack([first, second], -1) * np.broadcast_to(radius_mm, len(edges))[:, None, None]
    corners = stage.photo_px[stage.triangles[triangles]]
    return Binding(
        triangles, barycentric, _in_edges(edges, axes), (corners * barycentric[..., None]).sum(1)
    )


def held_small(
    stage: PosedSurface,
    binding: Binding,
    vertices: Points,
    limit_mm: NDArray[np.float64] | float,  # [N]
) -> Binding:
    """The binding with axes shortened where a pose would draw them out beyond a length.

    Args:
        vertices: `# [V, 3]` the pose, camera frame.
    """
    a, b, c = (vertices[stage.triangles[binding.triangles][:, k]] for k in range(3))
    drawn = np.stack([b - a, c - a], -1) @ binding.axes
    gram = np.swapaxes(drawn, 1, 2) @ drawn
    longest = np.sqrt(np.linalg.eigvalsh(gram)[:, 1])
    shrink = np.minimum(1.0, limit_mm / np.maximum(longest, 1e-9))
    return replace(binding, axes=binding.axes * shrink[:, None, None])


def _inverse(matrices: NDArray[np.float64]) -> NDArray[np.float64]:  # [N, 2, 2]
    """Inverses of small matrices; what is nearly singular is held back."""
    a, b, c, d = (matrices[:, i, j] for i in (0, 1) for j in (0, 1))
    determinant = a * d - b * c
    scale = (matrices**2).sum((1, 2))
    least = 1e-4 * scale
    determinant = np.where(
        np.abs(determinant) < least, np.copysign(least, determinant), determinant
    )
    adjugate = np.stack([np.stack([d, -b], -1), np.stack([-c, a], -1)], 1)
    return np.asarray(adjugate / determinant[:, None, None])


def _shorten(axes: NDArray[np.float64], limit: float) -> NDArray[np.float64]:  # [N, 3, 2]
    """Axes whose ellipse reaches no further than `limit`."""
    gram = np.swapaxes(axes, 1, 2) @ axes
    squares, vectors = np.linalg.eigh(gram)
    length = np.sqrt(np.maximum(squares, 1e-12))
    shrink = np.minimum(1.0, limit / length)
    # A V diag(s) keeps the ellipse's directions; a further rotation would not change it.
    return np.asarray(axes @ (vectors * shrink[:, None, :]))


def _in_edges(edges: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axes `# [N, 3, 2]` in terms of the triangle's edges `# [N, 3, 2]`."""
    transposed = np.swapaxes(edges, 1, 2)
    return np.asarray(_inverse(transposed @ edges) @ (transposed @ axes))
