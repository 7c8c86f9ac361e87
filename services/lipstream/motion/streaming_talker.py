"""The autoregressive diffusion generator: each frame drawn anew, given the motion before it.

One call of the network a frame, for all sessions at hand together. Its past is a ring of keys and
values of fixed length, so a frame costs the same after an hour as after a minute. What is random
is a function of the seed and the frame's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipstream.errors import BadInput, Internal, NotFound
from lipstream.face.motion import Floats, Motion
from lipstream.inference import EncoderIdentity, FiniteModel, ModelRunner, ModelStore
from lipstream.motion.controls import CONTROL_COUNT, to_blendshapes
from lipstream.motion.ddim import ddim_schedule
from lipstream.motion.events import OUTPUT_COUNT, frames_before, sharpened, split_output
from lipstream.motion.idle import IdleState, alive
from lipstream.motion.passed_over import clean_features, held
from lipstream.motion.talker_audio import FEATURES_PER_FRAME, PAST_ROWS, frame_audio
from lipstream.motion.talker_state import TalkerState
from lipstream.motion.talker_style import (
    STYLE_MODEL,
    STYLE_OF_METADATA,
    checked_style,
    read_style,
)
from lipstream.motion.training_encoder import trained_on

__all__ = ["TALKER_MODEL", "Sampling", "StreamingTalker"]

TALKER_MODEL = "streaming_talker"

_FRAME_MS = 40
_LOUDNESS, _SPEECH = 0, 1  # channels of the features with a fixed meaning
_LARGEST_SEED = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How motion is drawn."""

    steps: int = 4
    """Of diffusion, 1..50: more follow the learned distribution more closely."""
    constant_noise: bool = True
    """The same noise in every frame: a manner that a seed keeps. New noise in each one trembles."""
    temperature: float = 0.5
    """Amplitude of the noise, 0..1: less is closer to the average of what people do, 0 gives the
    same mouth for every seed."""


class StreamingTalker:
    """Runs the network; see `MotionGenerator` for the contract.

    Args:
        look_ahead_ms: how much of the future each frame may hear, one of 40, 80, 120, 160.
        sampling: steps of diffusion and noise.
        style: of sessions that bring none, `# [D]`; by default the neutral one.
        model: the network; by default the one of the model store.
        style_model: what reads styles off clips; by default the one beside the network, looked for
            when it is asked for.

    Raises:
        BadInput: one of these is not offered.
    """

    def __init__(
        self,
        *,
        look_ahead_ms: int = 80,
        sampling: Sampling | None = None,
        style: Floats | None = None,
        model: ModelRunner | None = None,
        style_model: ModelRunner | None = None,
    ) -> None:
        self._style_model = style_model
        self._bundled = model is None
        self._model = model or ModelStore.default().open(TALKER_MODEL)
        self._sampling = sampling or Sampling()
        if not 0 <= self._sampling.temperature <= 1:
            raise BadInput("The temperature of sampling lies between 0 and 1.")
        self._schedule = ddim_schedule(self._sampling.steps)
        self._initial = self._model.constant("initial_state")
        self._finite = FiniteModel(self._model, self._initial)
        self._style = self._model.constant("neutral_style")
        if style is not None:
            self._style = checked_style(style, self.style_width)
        offered = [int(ms) for ms in self._model.constant("look_aheads_ms")]
        if look_ahead_ms not in offered:
            raise BadInput(
                f"A look-ahead of {look_ahead_ms} ms is not offered.",
                remedy=f"Choose one of {', '.join(map(str, offered))}.",
            )
        self._delay = look_ahead_ms // _FRAME_MS - 1
        self._look_ahead_ms = look_ahead_ms
        rows = PAST_ROWS + FEATURES_PER_FRAME * len(offered)
        self._feature_count = (self._model.width("audio") - len(offered)) // rows
        self._noise_width = self._model.width("noise")

    @property
    def fps(self) -> float:
        return 1000 / _FRAME_MS

    @property
    def look_ahead_ms(self) -> int:
        return self._look_ahead_ms

    @property
    def feature_count(self) -> int:
        """D, the width of the features it takes."""
        return self._feature_count

    @property
    def encoder(self) -> EncoderIdentity:
        return trained_on(self._model, self.feature_count)

    @property
    def style_width(self) -> int:
        return len(self._style)

    def style_of(self, clip: Motion) -> Floats:
        return read_style(self._reader(), clip)

    def _reader(self) -> ModelRunner:
        """
        Raises:
            NotFound: there is no style encoder.
            Internal: it belongs to another network.
        """
        if self._style_model is None:
            missing = NotFound(
                "This StreamingTalker has no style encoder, so it knows the neutral style only.",
                remedy=f"Export it again with `lipstream train export`, which writes {STYLE_MODEL} "
                "beside it, or leave out the style.",
                code="no_style_encoder",
            )
            if not self._bundled:
                raise missing
            try:
                self._style_model = ModelStore.default().open(STYLE_MODEL)
            except NotFound as error:
                raise missing from error
        model, of = self._style_model, self._style_model.text(STYLE_OF_METADATA)
        other = of and self._model.digest and of != self._model.digest
        if other or model.width("style") != self.style_width:
            raise Internal(
                f"The style encoder {STYLE_MODEL} was exported with another {TALKER_MODEL}.",
                remedy="Export both again with `lipstream train export`.",
                code="model_mismatch",
            )
        return model

    def initial_state(self, seed: int = 0, style: Floats | None = None) -> TalkerState:
        if style is not None:
            style = checked_style(style, self.style_width)
        rows = np.zeros((PAST_ROWS, self._feature_count), np.float32)
        return TalkerState(
            seed & _LARGEST_SEED,
            0,
            self._initial,
            rows,
            self._style if style is None else style,
            np.zeros(CONTROL_COUNT, np.float32),
            IdleState(),
        )

    def decode_state(self, data: bytes) -> TalkerState:
        state = TalkerState.decode(data)
        found, expected = state.network.shape, self._initial.shape
        if found != expected or state.rows.shape[1] != self._feature_count:
            raise BadInput(
                f"The saved motion state holds {found[0]} values and features of "
                f"{state.rows.shape[1]}; this model's hold {expected[0]} and {self._feature_count}."
            )
        checked_style(state.style, self.style_width)
        return state

    def step(self, features: Floats, state: TalkerState) -> tuple[Motion, TalkerState]:
        return self.step_many([features], [state])[0]

    def step_many(
        self,
        features: Sequence[Floats],  # each [T50, D], T50 of its own
        states: Sequence[TalkerState],
    ) -> list[tuple[Motion, TalkerState]]:
        """`step` for several sessions at once, in as few calls of the network as there are frames.

        Raises:
            BadInput: shapes disagree.
        """
        if not states:
            return []
        heard = [self._heard(*pair) for pair in zip(features, states, strict=True)]
        waiting = [(len(rows) - PAST_ROWS) // FEATURES_PER_FRAME - self._delay for rows in heard]
        counts = [max(count, 0) for count in waiting]
        audio = [self._audio(*pair) for pair in zip(heard, counts, strict=True)]
        outputs = [np.zeros((count, OUTPUT_COUNT), np.float32) for count in counts]
        good = [np.ones(count, np.bool_) for count in counts]
        networks = [state.network for state in states]
        for k in range(max(counts, default=0)):
            due = [row for row, count in enumerate(counts) if k < count]
            result = self._finite.run(
                {
                    "audio": np.stack([audio[row][k] for row in due]),
                    "style": np.stack([states[row].style for row in due]),
                    "noise": np.stack(
                        [self._noise(states[r].seed, states[r].frame + k) for r in due]
                    ),
                    "schedule": np.repeat(self._schedule[None], len(due), axis=0),
                    "state": np.stack([networks[row] for row in due]),
                }
            )
            for place, row in enumerate(due):
                outputs[row][k] = result.outputs["controls"][place]
                good[row][k] = result.good[place]
                networks[row] = result.outputs["next_state"][place]
        controls = [
            held(split_output(own)[0], known, state.mouth)
            for own, known, state in zip(outputs, good, states, strict=True)
        ]
        coming = split_output(np.concatenate(outputs))[1]
        # Expanded together: sessions share the cost of a call, which is most of it.
        before = [
            frames_before(own, state.mouth) for own, state in zip(controls, states, strict=True)
        ]
        shapes = to_blendshapes(sharpened(np.concatenate(controls), np.concatenate(before), coming))
        mouths = np.split(shapes, np.cumsum(counts)[:-1])
        return [
            self._finished(state, rows, own, mouth, network)
            for state, rows, own, mouth, network in zip(
                states, heard, controls, mouths, networks, strict=True
            )
        ]

    def finish(self, state: TalkerState) -> Motion:
        if not state.waiting:
            return Motion.rest(0, self.fps)
        # What the stream ended with is taken to go on through the look-ahead.
        own = -(-state.waiting // FEATURES_PER_FRAME)
        missing = FEATURES_PER_FRAME * (own + self._delay) - state.waiting
        return self.step(np.repeat(state.rows[-1:], missing, axis=0), state)[0]

    def _heard(self, features: Floats, state: TalkerState) -> Floats:  # [R, D]
        if features.ndim != 2 or features.shape[1] != self._feature_count:
            raise BadInput(
                f"Features have shape {features.shape}; (T, {self._feature_count}) was expected."
            )
        return np.concatenate([state.rows, clean_features(features)])

    def _audio(self, rows: Floats, count: int) -> Floats:  # [count, A]
        if not count:
            return np.zeros((0, self._model.width("audio")), np.float32)
        return frame_audio(
            rows[: PAST_ROWS + FEATURES_PER_FRAME * (count + self._delay)], count, self._delay
        )

    def _noise(self, seed: int, frame: int) -> Floats:  # [Z]
        number = 0 if self._sampling.constant_noise else frame
        random = np.random.Generator(np.random.Philox(key=seed, counter=number << 32))
        noise = random.standard_normal(self._noise_width, dtype=np.float32)
        return np.asarray(self._sampling.temperature * noise, np.float32)

    def _finished(
        self,
        state: TalkerState,
        rows: Floats,  # [R, D]
        controls: Floats,  # [T, 10]
        mouth: Floats,  # [T, 52]
        network: Floats,  # [S]
    ) -> tuple[Motion, TalkerState]:
        count = len(mouth)
        voice = rows[PAST_ROWS:, [_LOUDNESS, _SPEECH]]
        loudest = np.zeros((count, 2), np.float32)
        for k in range(count):
            first = FEATURES_PER_FRAME * k
            loudest[k] = voice[first : first + FEATURES_PER_FRAME * (self._delay + 1)].max(0)
        motion, idle = alive(
            mouth,
            loudest[:, 0],
            loudest[:, 1],
            state.idle,
            seed=state.seed,
            fps=self.fps,
        )
        rest = rows[FEATURES_PER_FRAME * count :].copy()
        # A copy of its own: a row of the batch would keep the whole batch in memory.
        network = network.copy() if count else network
        after = replace(
            state,
            frame=state.frame + count,
            network=network,
            rows=rest,
            mouth=controls[-1].copy() if count else state.mouth,
            idle=idle,
        )
        return motion, after
