"""Sounds without speech: what is left of the mouth's motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipstream.audio.encoder import SpeechEncoder
from lipstream.evaluation.contenders import Contender, drawn, hear, unlabelled
from lipstream.evaluation.progress import Progress, quietly
from lipstream.evaluation.quiet_sounds import quiet_sounds
from lipstream.evaluation.rest import MOUTH_SHAPES, RestScore, rest_score
from lipstream.face.motion import Floats

__all__ = ["QuietTrial", "quiet_trial"]

_STAGE = "quiet sounds"


@dataclass(frozen=True, slots=True)
class QuietTrial:
    scores: Mapping[str, Mapping[str, RestScore]]
    """By contender and sound."""
    residuals: Mapping[str, Mapping[str, Floats]]
    """Likewise, of each generator at one look-ahead: the largest weight of any mouth shape in each
    frame. `# [T]`"""
    fps: float


def quiet_trial(
    contenders: Sequence[Contender], encoder: SpeechEncoder, progress: Progress = quietly
) -> QuietTrial:
    """All of `quiet_sounds` through all contenders."""
    scores: dict[str, dict[str, RestScore]] = {c.name: {} for c in contenders}
    residuals: dict[str, dict[str, Floats]] = {name: {} for name in drawn(contenders)}
    sounds = quiet_sounds()
    fps = 25.0
    for place, (sound, samples) in enumerate(sounds.items()):
        progress(_STAGE, place / len(sounds))
        heard = hear(unlabelled(sound, samples), encoder)
        for contender in contenders:
            motion = contender.motion(heard, 0)
            fps = motion.fps
            scores[contender.name][sound] = rest_score(motion)
            if contender.name in residuals:
                residuals[contender.name][sound] = motion.blendshapes[:, MOUTH_SHAPES].max(axis=1)
    progress(_STAGE, 1.0)
    return QuietTrial(scores, residuals, fps)
