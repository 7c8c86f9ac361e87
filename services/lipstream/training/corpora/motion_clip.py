"""Motion corpora of any kind as one record: a face that moves, and what is heard meanwhile.

The formats that people keep differ in what a frame is: ARKit blendshapes, the vertices of a mesh,
FLAME's coefficients. A `MotionSpace` names the columns, so that whoever trains on a corpus need
not know its format. Corpora are larger than memory: `MotionCorpus` lists its clips from file
headers and loads one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion

__all__ = ["ClipInfo", "MotionClip", "MotionCorpus", "MotionSpace"]

_ARKIT_PARTS = (("blendshapes", 52), ("rotation", 3), ("translation", 3), ("gaze", 4))
_MISMATCH_S = 1.0
_MISMATCH_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class MotionSpace:
    """What the columns of a frame mean.

    - `arkit`: the arrays of `Motion` side by side: 52 blendshapes, head rotation (pitch, yaw,
      roll; radians), head translation (mm), gaze (4 angles; radians).
    - `vertices`: V x 3 coordinates, vertex by vertex, in the corpus' own unit.
    - `flame`: expression coefficients, then head rotation and jaw rotation as axis-angle vectors
      (radians).
    """

    kind: str
    parts: tuple[tuple[str, int], ...]  # (name, columns) in order
    unit: str = ""
    """Of vertex coordinates: `m`, or empty where the corpus does not say."""

    @classmethod
    def arkit(cls) -> MotionSpace:
        return cls("arkit", _ARKIT_PARTS)

    @classmethod
    def vertices(cls, count: int, unit: str = "") -> MotionSpace:
        return cls("vertices", (("vertices", 3 * count),), unit)

    @classmethod
    def flame(cls, expressions: int) -> MotionSpace:
        return cls("flame", (("expression", expressions), ("rotation", 3), ("jaw", 3)))

    @property
    def width(self) -> int:
        """D, the number of columns."""
        return sum(width for _, width in self.parts)

    @property
    def vertex_count(self) -> int:
        """V; 0 unless the space is of vertices."""
        return self.width // 3 if self.kind == "vertices" else 0

    def columns(self, part: str) -> slice:
        """Where a part lies in a frame.

        Raises:
            KeyError: there is no such part.
        """
        first = 0
        for name, width in self.parts:
            if name == part:
                return slice(first, first + width)
            first += width
        raise KeyError(part)


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """A clip as far as file headers tell."""

    name: str
    subject: str
    frames: int
    fps: float

    @property
    def duration_s(self) -> float:
        return self.frames / self.fps


@dataclass(frozen=True, slots=True)
class MotionClip:
    """One recording; motion and audio begin at the same instant.

    Raises:
        BadInput: shapes disagree with the space, a value is not finite, or audio and motion
            differ in length by more than a second and 30 %.
    """

    name: str
    subject: str
    space: MotionSpace
    motion: Floats  # [T, D]
    fps: float
    audio: Samples  # [S] mono in [-1, 1]
    rate_hz: int = SAMPLE_RATE_HZ
    template: Floats | None = None  # [V, 3] the face at rest, for a space of vertices
    identity: Floats | None = None  # [N] FLAME's shape coefficients, for a space of FLAME

    def __post_init__(self) -> None:
        if self.motion.ndim != 2 or self.motion.shape[1] != self.space.width:
            raise BadInput(
                f"The motion of {self.name} has shape {self.motion.shape}; "
                f"(frames, {self.space.width}) was expected."
            )
        if not len(self.motion):
            raise BadInput(f"The motion of {self.name} has no frames.")
        if not np.isfinite(self.motion).all():
            raise BadInput(f"The motion of {self.name} holds values that are not finite.")
        count = self.space.vertex_count
        if self.template is not None and self.template.shape != (count, 3):
            raise BadInput(
                f"The template of {self.name} has shape {self.template.shape}; "
                f"({count}, 3) was expected."
            )
        self._check_lengths()

    @property
    def duration_s(self) -> float:
        """Of that which both motion and audio cover."""
        return min(len(self.motion) / self.fps, self.audio.size / self.rate_hz)

    def part(self, name: str) -> Floats:
        """Columns of one part of the space. `# [T, width]`"""
        return self.motion[:, self.space.columns(name)]

    def offsets(self) -> Floats:
        """Motion relative to the template, where there is one: what vertex models learn.
        `# [T, D]`"""
        return self.motion if self.template is None else self.motion - self.template.reshape(-1)

    def as_motion(self) -> Motion:
        """The same as `Motion`.

        Raises:
            BadInput: the space is not ARKit's.
        """
        if self.space.kind != "arkit":
            raise BadInput(
                f"{self.name} is motion of {self.space.kind}; ARKit's blendshapes were expected."
            )
        return Motion(
            self.part("blendshapes"),
            self.part("rotation"),
            self.part("translation"),
            self.part("gaze"),
            self.fps,
        )

    def _check_lengths(self) -> None:
        motion_s, audio_s = len(self.motion) / self.fps, self.audio.size / self.rate_hz
        difference_s = abs(motion_s - audio_s)
        if difference_s > max(_MISMATCH_S, _MISMATCH_SHARE * max(motion_s, audio_s)):
            raise BadInput(
                f"{self.name} has {motion_s:.2f} s of motion ({len(self.motion)} frames at "
                f"{self.fps:g} fps) but {audio_s:.2f} s of audio.",
                remedy="Check that the two belong together and that the frame rate is right.",
            )


@dataclass(frozen=True, slots=True)
class MotionCorpus:
    """A folder of clips in one format.

    `load` raises BadInput or NotFound for a clip whose files cannot be used.
    """

    layout: str
    """Name of the format, such as `VOCASET`."""
    space: MotionSpace
    clips: tuple[ClipInfo, ...]
    load: Callable[[ClipInfo], MotionClip]
    notes: tuple[str, ...] = ()
    """What was left out, and why."""

    def __iter__(self) -> Iterator[MotionClip]:
        return map(self.load, self.clips)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(sorted({clip.subject for clip in self.clips}))
