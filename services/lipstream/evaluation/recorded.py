"""Recorded faces as evaluation takes them, whatever corpus they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from lipstream.audio.pcm import Samples
from lipstream.evaluation.contenders import Contender
from lipstream.evaluation.vertex_set import VertexSet
from lipstream.face.arkit import BLENDSHAPES
from lipstream.face.motion import Floats, Motion

__all__ = [
    "STILL_MESH",
    "MeshContender",
    "RecordedMeshes",
    "RecordedMotion",
    "RecordedMotions",
    "RecordedVertices",
    "moves_upper_face",
]

_UPPER_FACE = [index for index, name in enumerate(BLENDSHAPES) if name.startswith(("eye", "brow"))]
_LEAST = 0.02


@dataclass(frozen=True, slots=True)
class RecordedMotion:
    """ARKit blendshapes with what was heard meanwhile; both begin at the same instant."""

    name: str
    motion: Motion
    samples: Samples  # [S] mono at 16 kHz


@dataclass(frozen=True, slots=True)
class RecordedVertices:
    """Vertices of a corpus' own mesh."""

    name: str
    vertices: Floats  # [T, V, 3] in the corpus' unit
    template: Floats  # [V, 3] the face at rest
    samples: Samples  # [S] mono at 16 kHz
    fps: float


@dataclass(frozen=True, slots=True)
class MeshContender:
    """What moves a corpus' own mesh."""

    name: str
    vertices: Callable[[RecordedVertices], Floats]
    """Of a clip, `# [T, V, 3]`."""


STILL_MESH = MeshContender(
    "still", lambda clip: np.broadcast_to(clip.template, clip.vertices.shape)
)
"""The template, which never moves."""


@dataclass(frozen=True, slots=True)
class RecordedMotions:
    """A corpus of blendshapes."""

    layout: str
    takes: Iterable[RecordedMotion]
    """Read one at a time, whenever it is iterated."""
    count: int
    trained: tuple[Contender, ...] = ()
    """What was trained on such blendshapes."""


@dataclass(frozen=True, slots=True)
class RecordedMeshes:
    """A corpus of vertices."""

    layout: str
    clips: Iterable[RecordedVertices]
    """Read one at a time, whenever it is iterated."""
    count: int
    vertex_set: VertexSet
    trained: tuple[MeshContender, ...] = ()
    """What was trained on this mesh."""
    notes: tuple[str, ...] = ()


def moves_upper_face(motion: Motion) -> bool:
    """Whether eyes or brows ever move: many rigs are keyed at the mouth alone."""
    upper = motion.blendshapes[:, _UPPER_FACE]
    return bool(len(upper)) and float((upper.max(axis=0) - upper.min(axis=0)).max()) > _LEAST
