"""All figures of one contender, and their form as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lipstream.evaluation.beats import BeatScore
from lipstream.evaluation.diversity import DiversityScore
from lipstream.evaluation.lips import LipScore
from lipstream.evaluation.rest import RestScore
from lipstream.evaluation.vertex_score import VertexScore

__all__ = ["Figures"]


@dataclass(frozen=True, slots=True)
class Figures:
    """None: what it was measured on was not given, or does not concern this contender."""

    name: str
    generator: str | None = None
    look_ahead_ms: int | None = None
    lip_sync: LipScore | None = None
    against_labels: VertexScore | None = None
    against_recorded: VertexScore | None = None
    beats: BeatScore | None = None
    diversity: DiversityScore | None = None
    rest: Mapping[str, RestScore] = field(default_factory=dict)
    """By sound."""

    def as_json(self) -> dict[str, Any]:
        """Keys carry units; shares, correlations and weights have none. NaN becomes null."""
        document: dict[str, Any] = {
            "generator": self.generator,
            "look_ahead_ms": self.look_ahead_ms,
            "lip_sync": self.lip_sync and asdict(self.lip_sync),
            "against_labels": self.against_labels and self.against_labels.as_json(),
            "against_recorded": self.against_recorded and self.against_recorded.as_json(),
            "beats": self.beats and asdict(self.beats),
            "diversity": self.diversity and asdict(self.diversity),
            "rest": {sound.replace(" ", "_"): asdict(score) for sound, score in self.rest.items()},
        }
        known: dict[str, Any] = _known(document)
        return known


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
