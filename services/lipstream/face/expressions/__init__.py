"""ARKit's blendshapes for one face, as displacements of its 468 landmarks."""

from lipstream.face.expressions.anatomy import Anatomy
from lipstream.face.expressions.eyes import lid_shapes
from lipstream.face.expressions.jaw import Jaw
from lipstream.face.expressions.lips import lip_shapes
from lipstream.face.expressions.rounding import rounding_shapes
from lipstream.face.expressions.upper_face import brow_shapes, cheek_shapes

__all__ = [
    "Anatomy",
    "Jaw",
    "brow_shapes",
    "cheek_shapes",
    "lid_shapes",
    "lip_shapes",
    "rounding_shapes",
]
