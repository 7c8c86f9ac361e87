"""The face itself: the cage refined to a fine mesh."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lipstream.face.cage import Points
from lipstream.face.landmarks import EYES, LOWER_LIP, MESH_COUNT, UPPER_LIP, Eye, Ring
from lipstream.face.lip_field import LIP_POINTS
from lipstream.face.parts.part import Array, Part
from lipstream.face.topology import FaceTopology, face_topology

__all__ = ["skin"]

_LID_SHARPNESS = 2.4
"""A closing lid unrolls from its fold: skin near the edge moves almost like the edge."""


def skin(neutral: Points, shapes: Mapping[str, NDArray[np.float64]]) -> Part:
    """The fine face mesh; its first 468 vertices are the landmarks.

    Coordinates: `ring` (0 where the lips meet, 1 border of the vermilion, 2 skin, 3 off),
    `along` (0 middle of the mouth, 1 corner), `lip` (-1 upper, 1 lower), `lid` (1 at the edge of
    an upper lid, 0 off the lid), `opening` (1 on lips and lids).

    Args:
        neutral: `# [468, 3]`.
        shapes: `# [468, 3]` by name.
    """
    topology = face_topology()
    # One product for all shapes: the weights are large, and would be read for each.
    together = topology.weights @ np.concatenate(list(shapes.values()), axis=1)
    fine = {name: together[:, 3 * k : 3 * k + 3] for k, name in enumerate(shapes)}
    vertices = topology.weights @ neutral
    lid = np.zeros(len(vertices))
    for side, eye in EYES.items():
        name = "eyeBlink" + side
        place, on_upper = _lid_place(topology, eye)
        fine[name] = fine[name] + _unroll(vertices, neutral, shapes[name], eye, place, on_upper)
        lid = np.maximum(lid, np.where(on_upper > 0.9, place, 0.0))
    ring, along, lip = _lip_place(topology)
    return Part(
        name="skin",
        vertices=vertices,
        triangles=topology.triangles,
        shapes=fine,
        head_weights=np.ones(len(vertices)),
        coordinates={
            "ring": ring,
            "along": along,
            "lip": lip,
            "lid": lid,
            "opening": _around_openings(topology),
        },
    )


def _lid_place(topology: FaceTopology, eye: Eye) -> tuple[Array, Array]:
    """1 at the lid's edge to 0 at its fold; and 1 where that is the upper lid."""
    edge, upper = np.zeros(MESH_COUNT), np.zeros(MESH_COUNT)
    edge[list(eye.upper + eye.lower)] = 1
    upper[list(eye.upper + eye.upper_fold)] = 1
    return (topology.weights @ edge).clip(0, 1), (topology.weights @ upper).clip(0, 1)


def _unroll(
    vertices: Points, neutral: Points, blink: Array, eye: Eye, place: Array, on_upper: Array
) -> Array:
    """What to add to a blink so that the skin's stretch gathers at the fold."""
    edge, fold = list(eye.upper), list(eye.upper_fold)
    order = np.argsort(neutral[edge, 0])
    x = neutral[edge, 0][order]
    travel = np.stack(
        [
            np.interp(vertices[:, 0], x, (blink[edge, axis] - blink[fold, axis])[order])
            for axis in range(3)
        ],
        1,
    )
    ahead = (1 - (1 - place) ** _LID_SHARPNESS) - place
    on_lid = (place > 0) & (place < 1) & (on_upper > 0.97)
    return np.where(on_lid[:, None], ahead[:, None] * travel, 0.0)


def _around_openings(topology: FaceTopology) -> Array:
    near = np.zeros(MESH_COUNT)
    near[LIP_POINTS[:, : Ring.SKIN].reshape(-1)] = 1
    near[[index for eye in EYES.values() for index in eye.points]] = 1
    return (topology.weights @ near).clip(0, 1)


def _lip_place(topology: FaceTopology) -> tuple[Array, Array, Array]:
    ring = np.full(MESH_COUNT, 3.0)
    along, lip = np.zeros(MESH_COUNT), np.zeros(MESH_COUNT)
    for sign, rings in ((-1, UPPER_LIP), (1, LOWER_LIP)):
        # The skin ring is written first: its ends are nobody else's.
        for level, value in ((4, 2.0), (3, 1.0), (2, 0.66), (1, 0.33), (0, 0.0)):
            points = list(rings[level])
            ring[points] = value
            along[points] = np.abs(np.linspace(-1, 1, 11))
            lip[points[1:-1]] = sign
    weights = topology.weights
    return weights @ ring, weights @ along, weights @ lip
