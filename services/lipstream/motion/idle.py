"""What a living face does beside speaking: blinks, gaze, sway, brows.

One small state that advances frame by frame; every random choice is a function of the seed and a
counter in the state. So chunks do not matter, and the same seed gives the same motion.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.motion import Floats, Motion
from lipstream.motion.blink import BlinkState, advance_blink
from lipstream.motion.brows import BrowState, advance_brows
from lipstream.motion.emphasis import EmphasisState, advance_emphasis
from lipstream.motion.gate import GateState, advance_gate
from lipstream.motion.gaze import GazeState, advance_gaze, eyes_in_head
from lipstream.motion.sway import head_pose

__all__ = ["IdleState", "alive"]

_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_INNER_BROW = INDEX["browInnerUp"]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]
_CHEEKS = [INDEX["cheekSquintLeft"], INDEX["cheekSquintRight"]]

_LOUDEST = 4.0


@dataclass(frozen=True, slots=True)
class IdleState:
    """Everything that the living face remembers from frame to frame."""

    frame: int = 0
    gate: GateState = field(default_factory=GateState)
    emphasis: EmphasisState = field(default_factory=EmphasisState)
    blink: BlinkState = field(default_factory=BlinkState)
    gaze: GazeState = field(default_factory=GazeState)
    brows: BrowState = field(default_factory=BrowState)

    def to_array(self) -> NDArray[np.float64]:
        """All numbers in the order of their definition. `# [N]`"""
        parts = (self.gate, self.emphasis, self.blink, self.gaze, self.brows)
        numbers = [float(value) for part in parts for value in astuple(part)]
        return np.array([float(self.frame), *numbers])

    @classmethod
    def from_array(cls, numbers: NDArray[np.float64]) -> Self:
        """Inverse of `to_array`.

        Raises:
            BadInput: the count of numbers is another one.
        """
        expected = len(cls().to_array())
        if numbers.shape != (expected,) or not np.isfinite(numbers).all():
            raise BadInput(f"A saved face holds {expected} finite numbers, not {numbers.shape}.")
        n = [float(number) for number in numbers]
        return cls(
            int(n[0]),
            GateState(bool(n[1]), n[2], n[3]),
            EmphasisState(*n[4:9]),
            BlinkState(n[9], int(n[10]), n[11], n[12]),
            GazeState(n[13], int(n[14]), n[15], n[16]),
            BrowState(n[17], int(n[18]), n[19]),
        )


def alive(
    mouth: Floats,  # [T, 52]
    loudness: Floats,  # [T]
    speech: Floats,  # [T]
    state: IdleState,
    *,
    seed: int,
    fps: float,
) -> tuple[Motion, IdleState]:
    """Motion of the whole face from that of the mouth, and the state after it.

    Args:
        mouth: ARKit weights of the mouth, taken back where nobody speaks.
        loudness: highest loudness from each frame to the end of its look-ahead.
        speech: mean probability of speech there.
    """
    count = len(mouth)
    # Whatever an encoder gives, a stress is over within seconds.
    loudness, speech = (np.clip(level, -_LOUDEST, _LOUDEST) for level in (loudness, speech))
    blendshapes = mouth.copy()
    rotation = np.zeros((count, 3), np.float32)
    translation = np.zeros((count, 3), np.float32)
    gaze = np.zeros((count, 4), np.float32)
    step_s = 1 / fps
    for k in range(count):
        time_s = state.frame * step_s
        gate = advance_gate(state.gate, float(speech[k]), float(loudness[k]), step_s)
        emphasis = advance_emphasis(state.emphasis, float(loudness[k]), gate.speaking, step_s)
        blink = advance_blink(
            state.blink, seed, speaking=gate.quiet_s == 0, pause_s=gate.quiet_s, step_s=step_s
        )
        looking = advance_gaze(state.gaze, seed, step_s)
        brows = advance_brows(state.brows, seed, emphasis.value, time_s, step_s)
        head = head_pose(seed, time_s, emphasis=emphasis.value, activity=emphasis.activity)
        eye_yaw, eye_pitch = eyes_in_head(looking, head.pitch, head.yaw)
        blendshapes[k] *= gate.opening
        blendshapes[k, _BLINKS] = blink.closure
        blendshapes[k, _CHEEKS] = 0.12 * blink.closure
        blendshapes[k, _INNER_BROW] = brows.raised
        blendshapes[k, _OUTER_BROWS] = 0.7 * brows.raised
        rotation[k] = head.pitch, head.yaw, head.roll
        translation[k] = head.side, head.lift, 0.0
        gaze[k] = eye_yaw, eye_pitch, eye_yaw, eye_pitch
        state = IdleState(state.frame + 1, gate, emphasis, blink, looking, brows)
    return Motion(blendshapes, rotation, translation, gaze, fps), state
