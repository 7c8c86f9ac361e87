"""What one session of StreamingTalker leaves behind for its next chunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats
from lipstream.inference import pack, unpack
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.idle_state import IdleState
from lipstream.motion.talker_audio import PAST_ROWS

__all__ = ["TalkerState"]


@dataclass(frozen=True, slots=True)
class TalkerState:
    seed: int
    frame: int
    """Number of the next frame."""
    network: Floats  # [S] keys and values of the recent frames, the last latent
    rows: Floats  # [PAST_ROWS.., D] features from those before the next frame on
    style: Floats  # [D] how the session's face moves
    mouth: Floats  # [10] controls of the frame before, held where the network gives none
    idle: IdleState

    @property
    def waiting(self) -> int:
        """Features that no frame has used as its own yet."""
        return len(self.rows) - PAST_ROWS

    @property
    def controls(self) -> FaceControls:
        return self.idle.steering.controls

    def directed(self, controls: FaceControls, fps: float) -> Self:
        return replace(self, idle=self.idle.directed(controls, fps))

    def encode(self) -> bytes:
        return pack(
            {
                "counts": np.array([self.seed, self.frame], np.int64),
                "network": self.network,
                "rows": self.rows,
                "style": self.style,
                "mouth": self.mouth,
                **self.idle.arrays(),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: these bytes are no state of this generator.
        """
        arrays = unpack(data)
        try:
            seed, frame = (int(number) for number in arrays["counts"])
            network, rows, style, mouth = (
                arrays[name].astype(np.float32) for name in ("network", "rows", "style", "mouth")
            )
            idle = IdleState.from_arrays(arrays)
        except (KeyError, ValueError) as error:
            raise BadInput("This is not the state of a StreamingTalker.") from error
        shaped = network.ndim == 1 and rows.ndim == 2 and mouth.shape == (CONTROL_COUNT,)
        if not shaped or len(rows) < PAST_ROWS or frame < 0 or seed < 0:
            raise BadInput("This is not the state of a StreamingTalker.")
        if not all(np.isfinite(array).all() for array in (network, rows, style, mouth)):
            raise BadInput("This state of a StreamingTalker holds numbers that are not finite.")
        return cls(seed, frame, network, rows, style, mouth, idle)
