"""The eyeballs: a patch behind each opening of the lids that slides with the gaze."""

from __future__ import annotations

import numpy as np

from lipstream.face.cage import Points
from lipstream.face.landmarks import EYES
from lipstream.face.parts.part import Part, facing, grid_triangles

__all__ = ["LOOK_MM", "eyeball"]

LOOK_MM = (5.0, 3.4)
"""Sideways and vertical travel of the iris at weight 1 of a look shape."""
_MARGIN_MM = 1.0
_BEHIND_LIDS_MM = 2.0


def eyeball(side: str, photo: Points) -> Part:
    """The eye of one side, `Left` or `Right`; it stays where the photo has it.

    Args:
        photo: landmarks `# [478, 3]` as photographed: lids move, eyeballs do not.
    """
    edge = photo[list(EYES[side].edge)]
    centre = edge.mean(0)
    local = edge - centre
    plane, *_ = np.linalg.lstsq(
        np.concatenate([local[:, :2], np.ones((len(local), 1))], 1), edge[:, 2], rcond=None
    )
    half_width = np.ptp(edge[:, 0]) / 2 + LOOK_MM[0] + _MARGIN_MM
    half_height = np.ptp(edge[:, 1]) / 2 + LOOK_MM[1] + _MARGIN_MM
    y, x = np.meshgrid(
        np.linspace(-half_height, half_height, 23),
        np.linspace(-half_width, half_width, 33),
        indexing="ij",
    )
    z = plane[2] + plane[0] * x + plane[1] * y + _BEHIND_LIDS_MM + (x**2 + y**2) / 40
    vertices = np.stack([centre[0] + x, centre[1] + y, z], -1).reshape(-1, 3)
    outwards = 1.0 if side == "Left" else -1.0
    looks = {
        "eyeLookIn": (-outwards * LOOK_MM[0], 0.0),
        "eyeLookOut": (outwards * LOOK_MM[0], 0.0),
        "eyeLookUp": (0.0, -LOOK_MM[1]),
        "eyeLookDown": (0.0, LOOK_MM[1]),
    }
    return Part(
        name=f"eye_{side.lower()}",
        vertices=vertices,
        triangles=facing(vertices, grid_triangles(*x.shape)),
        shapes={
            name + side: np.tile([dx, dy, 0.0], (len(vertices), 1))
            for name, (dx, dy) in looks.items()
        },
        head_weights=np.ones(len(vertices)),
    )
