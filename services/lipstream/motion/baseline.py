"""The first trained generator: a small causal network that predicts the mouth directly.

Its network gives ten articulatory controls at 25 fps for each of several look-aheads; the events
among them are decided, expanded to ARKit shapes, and brought to life by `idle`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats, Motion
from lipstream.inference import (
    EncoderIdentity,
    FiniteModel,
    ModelRunner,
    ModelStore,
    pack,
    unpack,
)
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.events import check_output, frames_before, sharpened, split_output
from lipstream.motion.idle import Voice, alive
from lipstream.motion.idle_state import IdleState
from lipstream.motion.passed_over import clean_features, held
from lipstream.motion.talker_style import no_styles
from lipstream.motion.training_encoder import trained_on

__all__ = ["MOTION_MODEL", "BaselineGenerator", "BaselineState"]

MOTION_MODEL = "motion_baseline"

_FEATURES_PER_FRAME = 2
_FRAME_MS = 40
_LOUDNESS, _SPEECH = 0, 1  # channels of the features with a fixed meaning
_LONGEST_STEP = 500
"""Features in one call of the network: bounds memory."""
_LARGEST_SEED = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class BaselineState:
    """One session's past."""

    seed: int
    heard: int
    """Pairs of features that went through the network."""
    network: Floats  # [1, S]
    pending: Floats  # [0..1, D] a feature that still lacks the other of its pair
    voice: Floats  # [0..delay, 2] loudness and speech of steps whose frames still wait
    last: Floats  # [0..2, D] the latest pair, with which the end of the stream is continued
    mouth: Floats  # [10] controls of the latest step, held where the network gives none
    idle: IdleState

    @property
    def controls(self) -> FaceControls:
        return self.idle.steering.controls

    def directed(self, controls: FaceControls, fps: float) -> Self:
        return replace(self, idle=self.idle.directed(controls, fps))

    def encode(self) -> bytes:
        return pack(
            {
                "counts": np.array([self.seed, self.heard], np.int64),
                "network": self.network,
                "pending": self.pending,
                "voice": self.voice,
                "last": self.last,
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
            seed, heard = (int(number) for number in arrays["counts"])
            network, pending = arrays["network"], arrays["pending"]
            voice, last, mouth = arrays["voice"], arrays["last"], arrays["mouth"]
            idle = IdleState.from_arrays(arrays)
        except (KeyError, ValueError) as error:
            raise BadInput("This is not the state of the baseline generator.") from error
        if any(array.ndim != 2 for array in (network, pending, voice, last)) or mouth.shape != (
            CONTROL_COUNT,
        ):
            raise BadInput("This is not the state of the baseline generator.")
        if not all(np.isfinite(a).all() for a in (network, pending, voice, last, mouth)):
            raise BadInput("This state of the baseline holds numbers that are not finite.")
        return cls(seed, heard, network, pending, voice, last, mouth, idle)


class BaselineGenerator:
    """Runs the network; see `MotionGenerator` for the contract.

    Args:
        look_ahead_ms: how much of the future each frame may hear, one of 40, 80, 120, 160.
        model: the network; by default the one of the model store.

    Raises:
        BadInput: the look-ahead is another one.
        Internal: the network is of another version.
    """

    def __init__(self, *, look_ahead_ms: int = 80, model: ModelRunner | None = None) -> None:
        self._model = model or ModelStore.default().open(MOTION_MODEL)
        check_output(self._model)
        self._initial = self._model.constant("initial_state")[None]
        self._finite = FiniteModel(self._model, self._initial[0], _FEATURES_PER_FRAME)
        offered = [int(ms) for ms in self._model.constant("look_aheads_ms")]
        if look_ahead_ms not in offered:
            raise BadInput(
                f"A look-ahead of {look_ahead_ms} ms is not offered.",
                remedy=f"Choose one of {', '.join(map(str, offered))}.",
            )
        self._head = offered.index(look_ahead_ms)
        self._delay = look_ahead_ms // _FRAME_MS - 1
        self._look_ahead_ms = look_ahead_ms

    @property
    def fps(self) -> float:
        return 1000 / _FRAME_MS

    @property
    def look_ahead_ms(self) -> int:
        return self._look_ahead_ms

    @property
    def feature_count(self) -> int:
        """D, the width of the features it takes."""
        return self._model.width("features")

    @property
    def encoder(self) -> EncoderIdentity:
        return trained_on(self._model, self.feature_count)

    @property
    def style_width(self) -> int:
        return 0

    def style_of(self, clip: Motion) -> Floats:
        raise no_styles()

    def initial_state(
        self,
        seed: int = 0,
        style: Floats | None = None,
        controls: FaceControls | None = None,
    ) -> BaselineState:
        if style is not None:
            raise no_styles()
        none = np.zeros((0, self.feature_count), np.float32)
        voice = np.zeros((0, 2), np.float32)
        mouth = np.zeros(CONTROL_COUNT, np.float32)
        return BaselineState(
            seed & _LARGEST_SEED,
            0,
            self._initial,
            none,
            voice,
            none,
            mouth,
            IdleState.initial(controls),
        )

    def decode_state(self, data: bytes) -> BaselineState:
        state = BaselineState.decode(data)
        if state.network.shape != self._initial.shape:
            raise BadInput(
                f"The saved motion state holds {state.network.shape[1]} values; this model's hold "
                f"{self._initial.shape[1]}."
            )
        return state

    def step(self, features: Floats, state: BaselineState) -> tuple[Motion, BaselineState]:
        if features.ndim != 2 or features.shape[1] != self.feature_count:
            raise BadInput(
                f"Features have shape {features.shape}; (T, {self.feature_count}) was expected."
            )
        heard = np.concatenate([state.pending, clean_features(features)])
        whole = len(heard) // _FEATURES_PER_FRAME * _FEATURES_PER_FRAME
        parts = [Motion.rest(0, self.fps)]
        for first in range(0, whole, _LONGEST_STEP):
            motion, state = self._advance(heard[first : min(first + _LONGEST_STEP, whole)], state)
            parts.append(motion)
        return Motion.concatenate(parts), replace(state, pending=heard[whole:].copy())

    def _advance(self, pairs: Floats, state: BaselineState) -> tuple[Motion, BaselineState]:
        """Whole pairs of features `# [2 T, D]` through the network."""
        result = self._finite.run({"features": pairs[None], "state": state.network})
        given, coming = split_output(result.outputs["controls"][0, :, self._head])
        raw = held(given, result.good[0], state.mouth)
        mouth = raw[-1].copy()
        by_frame = pairs.reshape(len(pairs) // _FEATURES_PER_FRAME, _FEATURES_PER_FRAME, -1)
        voice = np.stack([by_frame[..., _LOUDNESS].max(1), by_frame[..., _SPEECH].mean(1)], axis=1)
        # Output k is frame k - delay: the first ones are before the stream's start.
        early = max(self._delay - state.heard, 0)
        decided = sharpened(raw, frames_before(raw, state.mouth), coming)[early:]
        known = np.concatenate([state.voice, voice])
        count = len(known) - self._delay
        ahead = [known[k : k + count] for k in range(self._delay + 1)] if count > 0 else []
        heard = np.array(ahead) if ahead else np.zeros((1, 0, 2), np.float32)
        ((motion, idle),) = alive(
            [decided],
            [Voice(heard[..., 0].max(axis=0), heard[..., 1].mean(axis=0))],
            [state.idle],
            seeds=[state.seed],
            fps=self.fps,
        )
        return motion, replace(
            state,
            heard=state.heard + len(voice),
            network=result.outputs["next_state"],
            voice=known[len(known) - min(self._delay, len(known)) :],
            last=pairs[-_FEATURES_PER_FRAME:],
            mouth=mouth,
            idle=idle,
        )

    def finish(self, state: BaselineState) -> Motion:
        latest = state.pending if len(state.pending) else state.last
        if not len(latest):
            return Motion.rest(0, self.fps)
        # What the stream ended with is taken to go on through the look-ahead.
        missing = _FEATURES_PER_FRAME * self._delay + len(state.pending)
        future = np.repeat(latest[-1:], missing, axis=0)
        return self.step(future, state)[0]
