"""From the landmarks of one photo to a head that can make every expression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipstream.face import parts as head
from lipstream.face.cage import Cage, Points
from lipstream.face.expressions import (
    Anatomy,
    Jaw,
    brow_shapes,
    cheek_shapes,
    lid_shapes,
    lip_shapes,
    rounding_shapes,
)
from lipstream.face.head_frame import HeadFrame, frame_landmarks
from lipstream.face.model import SparseShapes, Surface
from lipstream.face.neutral import NeutralFace, neutralise
from lipstream.face.parts import Part
from lipstream.face.personal import PersonalShapes
from lipstream.face.shape_names import PHOTO_PART, PHOTO_SMILE, SHAPE_NAMES

__all__ = [
    "INNER_DEPTH_BIAS_MM",
    "Rig",
    "Span",
    "assemble",
    "build_rig",
]

INNER_DEPTH_BIAS_MM = 20.0
"""What lies inside the mouth is ordered this far behind: teeth never poke through lips."""
_LEAST_MM = 1e-3
"""Displacements below this are left out of the stored shapes."""
_PIVOT_MM = (0.0, 28.0, 14.0)
"""From between the ears to the top of the neck, about which a head turns."""


@dataclass(frozen=True, slots=True)
class Rig:
    """One person's head, piece by piece, in the head frame."""

    frame: HeadFrame
    face: NeutralFace
    parts: tuple[Part, ...]  # the skin first

    @property
    def skin(self) -> Part:
        return self.parts[0]

    @property
    def head_pivot(self) -> Points:  # [3] mm
        ears: Points = self.face.photo[[234, 454]].mean(0)
        return np.asarray(ears + np.array(_PIVOT_MM))


@dataclass(frozen=True, slots=True)
class Span:
    """Where one part lies in the joined surface."""

    vertices: slice
    triangles: slice


def build_rig(
    landmarks_px: NDArray[np.float64], size_px: int, personal: PersonalShapes | None = None
) -> Rig:
    """Fit the rig to the landmarks of a face.

    Args:
        landmarks_px: `# [478, 3]` x, y, z in pixels of a square picture of `size_px`.
        personal: what is known of how this person differs from the rig.
    """
    known = personal or PersonalShapes.unknown()
    frame, photo = frame_landmarks(landmarks_px, size_px)
    cage = Cage()
    face = neutralise(photo, cage).resting(known.rest)
    anatomy = Anatomy(cage, face.neutral)
    jaw = Jaw(anatomy)
    shapes = {
        **jaw.shapes(),
        **lip_shapes(anatomy),
        **rounding_shapes(anatomy),
        **lid_shapes(anatomy),
        **brow_shapes(anatomy),
        **cheek_shapes(anatomy),
        PHOTO_SMILE: face.smile,
        PHOTO_PART: face.part,
    }
    skin = head.skin(face.neutral, known.added_to(shapes))
    return Rig(
        frame,
        face,
        (
            skin,
            head.rim(skin),
            head.jaw_sheet(skin),
            head.sock(skin, jaw),
            head.teeth(head.UPPER_TEETH, face, skin, jaw),
            head.teeth(head.LOWER_TEETH, face, skin, jaw),
            head.tongue(face, skin, jaw, INNER_DEPTH_BIAS_MM),
            head.eyeball("Right", photo),
            head.eyeball("Left", photo),
        ),
    )


def assemble(rig: Rig, parts: Iterable[Part]) -> tuple[Surface, dict[str, Span]]:
    """Join parts into one surface; the skin must come first.

    Returns:
        The surface, and where each part lies in it.
    """
    pieces = tuple(parts)
    spans: dict[str, Span] = {}
    triangles = []
    vertex_start = triangle_start = 0
    for part in pieces:
        vertex_end = vertex_start + len(part.vertices)
        triangle_end = triangle_start + len(part.triangles)
        spans[part.name] = Span(
            slice(vertex_start, vertex_end), slice(triangle_start, triangle_end)
        )
        triangles.append(part.triangles + vertex_start)
        vertex_start, triangle_start = vertex_end, triangle_end
    surface = Surface(
        vertices=np.concatenate([p.vertices for p in pieces]).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        shapes=_sparse(pieces, vertex_start),
        head_weights=np.concatenate([p.head_weights for p in pieces]).astype(np.float32),
        head_pivot=rig.head_pivot.astype(np.float32),
        head_to_camera=rig.frame.head_to_camera,
    )
    return surface, spans


def _sparse(pieces: tuple[Part, ...], vertex_count: int) -> SparseShapes:
    vertices, ids, vectors = [], [], []
    start = 0
    for part in pieces:
        for shape, name in enumerate(SHAPE_NAMES):
            field = part.shapes.get(name)
            if field is None:
                continue
            moved = np.flatnonzero(np.abs(field).max(1) > _LEAST_MM)
            vertices.append(moved + start)
            ids.append(np.full(len(moved), shape, np.int32))
            vectors.append(field[moved].astype(np.float32))
        start += len(part.vertices)
    vertex, shape_id = np.concatenate(vertices), np.concatenate(ids)
    order = np.lexsort((shape_id, vertex))
    counts = np.bincount(vertex, minlength=vertex_count)
    return SparseShapes(
        names=SHAPE_NAMES,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        ids=shape_id[order],
        vectors=np.concatenate(vectors)[order],
    )
