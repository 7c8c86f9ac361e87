"""Hair, ears, hat: a relief around the face, from the picture's grid lifted to a depth.

Depth is a harmonic interpolation between the face's outline and the silhouette, bent to a dome.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.matte import HeadMatte
from lipstream.avatar.regions import Regions
from lipstream.face import parts as head
from lipstream.face.parts import Part, facing, smoothstep
from lipstream.face.rig import Rig
from lipstream.face.topology import face_topology

__all__ = ["RELIEF_MARGIN_PX", "hair_relief"]

RELIEF_MARGIN_PX = 24
"""The relief continues this far outside the canvas: a cropped hat must not end at its edge."""
_STEP_PX = 4
_PROUD_MM = 4.0
"""Hair stands this much behind the outline of the face at its start."""
_EAR_BACK_MM = 12.0


def hair_relief(rig: Rig, regions: Regions, matte: HeadMatte) -> Part:
    """The relief as a mesh; moves rigidly, and where it hangs over the shoulders, not at all."""
    margin, step = RELIEF_MARGIN_PX, _STEP_PX
    cells = (CANVAS_PX + 2 * margin) // step

    def coarse(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        padded = np.pad(mask.astype(np.uint8), margin, mode="edge")
        return np.asarray(cv2.resize(padded, (cells, cells), interpolation=cv2.INTER_NEAREST) > 0)

    face, whole = coarse(regions.face), coarse(matte.head)
    wanted = coarse(
        ndi.binary_dilation(matte.head, iterations=8)
        & ~ndi.binary_erosion(regions.face, iterations=9)
    )
    rows, columns = np.mgrid[:cells, :cells]
    pixels = (np.stack([columns, rows], -1) + 0.5) * step - margin

    outline_depth, behind_ears = _depths(rig)
    _, nearest = cKDTree(regions.outline).query(pixels.reshape(-1, 2))
    start = outline_depth[nearest].reshape(cells, cells)
    towards_edge = _harmonic(face, ~whole)
    dome = 1 - np.sqrt(np.clip(1 - towards_edge**2, 0, 1))
    depth = start + np.maximum(behind_ears - start, 5.0) * dome + _PROUD_MM
    depth = ndi.gaussian_filter(depth, 1.5)

    used = ndi.binary_dilation(wanted, np.ones((3, 3), bool))
    index = np.full((cells, cells), -1)
    index[used] = np.arange(used.sum())
    corners = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]], -1)
    quads = corners.reshape(-1, 4)
    quads = quads[(quads >= 0).all(1)]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [1, 3, 2]]])

    points = pixels[used]
    vertices = rig.frame.unproject(points, depth[used], CANVAS_PX)
    hanging = smoothstep(
        regions.mouth_y + 0.05 * regions.face_height,
        regions.chin_y + 0.10 * regions.face_height,
        points[:, 1],
    )
    return Part(
        name="hair",
        vertices=vertices,
        triangles=facing(vertices, triangles),
        shapes={},
        head_weights=1 - hanging,
    )


def _depths(rig: Rig) -> tuple[NDArray[np.float64], float]:
    """Camera depth of the outline's points, and of a plane behind the ears; mm."""
    photo = face_topology().weights @ rig.face.photo[:468]
    outline = rig.frame.to_camera(photo[head.outline_loop(rig.skin)])
    ears = rig.face.photo[[234, 454]].mean(0) + np.array([0, 0, _EAR_BACK_MM])
    return outline[:, 2], float(rig.frame.to_camera(ears)[2])


def _harmonic(low: NDArray[np.bool_], high: NDArray[np.bool_]) -> NDArray[np.float64]:
    """0 on `low`, 1 on `high`, as smooth as can be between."""
    value = np.where(high & ~low, 1.0, 0.0)
    free = ~(low | high)
    count = int(free.sum())
    if count == 0:
        return value
    index = np.full(free.shape, -1)
    index[free] = np.arange(count)
    here = index[free]
    matrix = sp.identity(count, format="coo") * 4.0
    entries = [(matrix.row, matrix.col, matrix.data)]
    constant = np.zeros(count)
    padded_index = np.pad(index, 1, mode="edge")
    padded_value = np.pad(value, 1, mode="edge")
    height, width = free.shape
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        window = (slice(1 + dy, 1 + dy + height), slice(1 + dx, 1 + dx + width))
        neighbour = padded_index[window][free]
        inside = neighbour >= 0
        entries.append((here[inside], neighbour[inside], np.full(inside.sum(), -1.0)))
        constant += np.where(inside, 0.0, padded_value[window][free])
    row, col, data = (np.concatenate(column) for column in zip(*entries, strict=True))
    system = sp.csc_matrix((data, (row, col)), shape=(count, count))
    value[free] = sla.spsolve(system, constant)
    return value
