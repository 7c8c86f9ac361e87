"""What one session's living face remembers from frame to frame, and what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput
from lipstream.face.face_controls import FaceControls
from lipstream.motion.emphasis import QUIET
from lipstream.motion.noise import Doubles
from lipstream.motion.steering import STEER_COUNT, Steering, steered

__all__ = ["FRAME", "IdleState"]

FRAME = 0
"""Place of the frame's number in `IdleState.numbers`."""

_START = (
    *(0.0,),  # frame
    *(0.0, 10.0, 0.0),  # gate
    *(0.0, QUIET, 0.0, 0.0, 0.0),  # emphasis
    *(1.5, 0.0, 10.0, 0.0),  # blink
    *(0.8, 0.0, 0.0, 0.0),  # gaze
    *(10.0, 0.0, 0.0),  # brows
)


@dataclass(frozen=True, slots=True)
class IdleState:
    """Everything that the living face remembers from frame to frame, and what is asked of it."""

    numbers: Doubles  # [N] frame, gate, emphasis, blink, gaze, brows, each as it lists its own
    steering: Steering
    since: int
    """Frame with which the controls took effect."""
    former: Doubles  # [17] what the controls before them asked of it

    @classmethod
    def initial(cls, controls: FaceControls | None = None) -> Self:
        steering = Steering.of(controls or FaceControls())
        return cls(np.array(_START), steering, 0, steering.row)

    def directed(self, controls: FaceControls, fps: float) -> Self:
        """The same face under other controls, from the next frame on; it changes over to them."""
        frame = self.numbers[FRAME]
        age_s = np.array([(frame - self.since) / fps])
        (now,) = steered([self.steering], self.former[None], np.ones(1, np.intp), age_s)
        return type(self)(self.numbers, Steering.of(controls), int(frame), now)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, to be saved."""
        return {
            "idle": self.numbers,
            "former": np.append(self.former, self.since),
            "controls": np.frombuffer(self.steering.controls.encode(), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Of arrays that were saved.

        Raises:
            BadInput: they are no such state.
            KeyError: one is missing.
        """
        numbers, former = arrays["idle"], arrays["former"]
        for array, count in ((numbers, len(_START)), (former, STEER_COUNT + 1)):
            if array.shape != (count,) or not np.isfinite(array).all():
                raise BadInput(f"A saved face holds {count} finite numbers, not {array.shape}.")
        controls = FaceControls.decode(arrays["controls"].tobytes())
        asked = former[:-1].astype(np.float64)
        return cls(numbers.astype(np.float64), Steering.of(controls), int(former[-1]), asked)
