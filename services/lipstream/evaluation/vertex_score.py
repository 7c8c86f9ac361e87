"""The vertex metrics of one contender against recorded faces, gathered clip by clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lipstream.errors import BadInput
from lipstream.evaluation.curve_agreement import CurvePair, curve_agreement
from lipstream.evaluation.lip_vertex_error import lip_vertex_errors
from lipstream.evaluation.mouth_opening import mouth_openings, opening_differences
from lipstream.evaluation.upper_face_dynamics import upper_face_dynamics
from lipstream.evaluation.vertex_set import VertexSet
from lipstream.face.motion import Floats

__all__ = ["VertexScore", "VertexTally"]


@dataclass(frozen=True, slots=True)
class VertexScore:
    """Lengths are in `unit`, LVE and FDD in its square. None: not known for this mesh."""

    unit: str
    clips: int
    duration_s: float
    lve: float | None
    fdd: float | None
    """Recording minus prediction: positive where the prediction is too still."""
    fdd_absolute: float | None
    """Mean over clips of the absolute difference."""
    mod: float | None
    opening_r: float | None
    opening_lag_ms: float | None
    opening_amplitude: float | None
    """Standard deviation of the opening over the recorded one's."""

    def as_json(self) -> dict[str, Any]:
        """With the unit in the keys."""
        unit = self.unit or "corpus_units"
        return {
            "clips": self.clips,
            "duration_s": self.duration_s,
            f"lve_{unit}2": self.lve,
            f"fdd_{unit}2": self.fdd,
            f"fdd_absolute_{unit}2": self.fdd_absolute,
            f"mod_{unit}": self.mod,
            "opening_r": self.opening_r,
            "opening_lag_ms": self.opening_lag_ms,
            "opening_amplitude": self.opening_amplitude,
        }


class VertexTally:
    """Clips of one mesh, as they are compared."""

    def __init__(self, vertex_set: VertexSet) -> None:
        self._set = vertex_set
        self._errors: list[Floats] = []
        self._differences: list[Floats] = []
        self._dynamics: list[float] = []
        self._openings: list[CurvePair] = []
        self._clips = 0
        self._duration_s = 0.0

    def add(
        self,
        predicted: Floats,  # [T, V, 3]
        recorded: Floats,  # [T, V, 3]
        rest: Floats,  # [V, 3]
        fps: float,
        *,
        upper_face: bool = True,
    ) -> None:
        """One clip.

        Args:
            upper_face: whether eyes and brows were recorded at all; FDD against a face that never
                moves them would say nothing, and leaves the clip out.

        Raises:
            BadInput: the shapes differ.
        """
        if predicted.shape != recorded.shape or predicted.shape[1:] != rest.shape:
            raise BadInput(
                f"Vertices of shape {predicted.shape} cannot be compared with {recorded.shape} "
                f"about a face of {rest.shape}."
            )
        self._clips += 1
        self._duration_s += len(recorded) / fps
        if self._set.lips is not None:
            self._errors.append(lip_vertex_errors(predicted, recorded, self._set.lips))
        if upper_face and self._set.upper_face is not None:
            shown, wanted = (
                upper_face_dynamics(vertices, rest, self._set.upper_face)
                for vertices in (predicted, recorded)
            )
            self._dynamics.append(wanted - shown)
        if self._set.upper_lip is not None:
            openings = mouth_openings(predicted, self._set), mouth_openings(recorded, self._set)
            self._differences.append(opening_differences(*openings))
            self._openings.append(CurvePair(openings[0].mean(1), openings[1].mean(1), fps))

    def score(self) -> VertexScore:
        """
        Raises:
            BadInput: nothing was added.
        """
        if not self._clips:
            raise BadInput("There is no recorded motion to compare with.")
        agreement = curve_agreement(self._openings) if self._openings else None
        return VertexScore(
            unit=self._set.unit,
            clips=self._clips,
            duration_s=self._duration_s,
            lve=_mean(self._errors),
            fdd=float(np.mean(self._dynamics)) if self._dynamics else None,
            fdd_absolute=float(np.mean(np.abs(self._dynamics))) if self._dynamics else None,
            mod=_mean(self._differences),
            opening_r=agreement.r if agreement else None,
            opening_lag_ms=agreement.best_lag_ms if agreement else None,
            opening_amplitude=agreement.amplitude if agreement else None,
        )


def _mean(parts: list[Floats]) -> float | None:
    return float(np.concatenate(parts).mean(dtype=np.float64)) if parts else None
