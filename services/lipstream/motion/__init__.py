"""Motion: what a face does while it speaks, from the features of the speech."""

from lipstream.motion.baseline import BaselineGenerator, BaselineState
from lipstream.motion.generator import MotionGenerator, MotionState, generate

__all__ = [
    "BaselineGenerator",
    "BaselineState",
    "MotionGenerator",
    "MotionState",
    "generate",
]
