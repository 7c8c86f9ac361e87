"""Motion: what a face does while it speaks, from the features of the speech."""

from lipstream.motion.baseline import BaselineGenerator, BaselineState
from lipstream.motion.generator import MotionGenerator, MotionState, generate
from lipstream.motion.generators import DEFAULT_GENERATOR, GENERATORS, open_generator
from lipstream.motion.streaming_talker import Sampling, StreamingTalker

__all__ = [
    "DEFAULT_GENERATOR",
    "GENERATORS",
    "BaselineGenerator",
    "BaselineState",
    "MotionGenerator",
    "MotionState",
    "Sampling",
    "StreamingTalker",
    "generate",
    "open_generator",
]
