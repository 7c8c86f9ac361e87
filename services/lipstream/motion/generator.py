"""The contract of every motion generator: features in, motion out, its past an explicit state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, Self, TypeVar

from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats, Motion
from lipstream.inference import EncoderIdentity

__all__ = ["MotionGenerator", "MotionState", "generate"]


class MotionState(Protocol):
    """What one session leaves behind for its next chunk; immutable."""

    def encode(self) -> bytes:
        """As bytes, for another replica to go on from."""
        ...

    @property
    def controls(self) -> FaceControls:
        """What is asked of the face."""
        ...

    def directed(self, controls: FaceControls, fps: float) -> Self:
        """The same session under other controls, from its next frame on. The face changes over to
        them within 150 ms; times of keyframes count from here.

        Args:
            fps: of the generator.
        """
        ...


StateT = TypeVar("StateT", bound=MotionState)


class MotionGenerator(Protocol[StateT]):
    """Holds weights only, so one serves all sessions and threads.

    Frame `i` is the face at `i / fps` seconds of the features' time. It is given out once features
    up to `look_ahead_ms` after it have arrived.
    """

    @property
    def fps(self) -> float: ...

    @property
    def look_ahead_ms(self) -> int: ...

    @property
    def feature_count(self) -> int:
        """D, the width of the features that it takes."""
        ...

    @property
    def encoder(self) -> EncoderIdentity:
        """Which speech encoder's features it was trained on; its width is D. A stage checks it
        against where the features come from, since others of the same width look alike."""
        ...

    @property
    def style_width(self) -> int:
        """Numbers of a style; 0 where the generator has none."""
        ...

    def style_of(self, clip: Motion) -> Floats:  # [style_width]
        """How the person in a clip moves, a second or more of speech.

        Raises:
            BadInput: the generator has no styles, or the clip shows none.
            NotFound: the model that reads styles is not there.
        """
        ...

    def initial_state(
        self,
        seed: int = 0,
        style: Floats | None = None,
        controls: FaceControls | None = None,
    ) -> StateT:
        """The state before the first feature.

        Args:
            seed: decides blinks, gaze and sway, and what else is random.
            style: what `style_of` gave; by default the neutral one.
            controls: what is asked of the face; by default nothing.

        Raises:
            BadInput: it is no style of this generator.
        """
        ...

    def decode_state(self, data: bytes) -> StateT:
        """Inverse of the state's `encode`.

        Raises:
            BadInput: these bytes are no state of this generator.
        """
        ...

    def step(
        self,
        features: Floats,  # [T50, D]
        state: StateT,
    ) -> tuple[Motion, StateT]:
        """The frames that these features complete, and the state after them."""
        ...

    def finish(self, state: StateT) -> Motion:
        """The frames that still wait for their look-ahead when the features end."""
        ...


def generate(
    generator: MotionGenerator[StateT],
    feature_chunks: Iterable[Floats],  # each [T50, D]
    *,
    seed: int = 0,
    style: Floats | None = None,  # [style_width]
    controls: FaceControls | None = None,
) -> Iterator[Motion]:
    """Motion of one stream of features, chunk by chunk."""
    state = generator.initial_state(seed, style, controls)
    for features in feature_chunks:
        motion, state = generator.step(features, state)
        if len(motion):
            yield motion
    rest = generator.finish(state)
    if len(rest):
        yield rest
