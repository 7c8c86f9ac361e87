"""The autoregressive diffusion generator: each frame drawn anew, given the motion before it.

One call of the network a frame, for all sessions at hand together. Its past is a ring of keys and
values of fixed length, so a frame costs the same after an hour as after a minute. What is random
is a function of the seed and the frame's number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lipstream.errors import BadInput, Internal, NotFound
from lipstream.face.face_controls import FaceControls
from lipstream.face.motion import Floats, Motion
from lipstream.inference import EncoderIdentity, FiniteModel, ModelRunner, ModelStore
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.ddim import ddim_schedule
from lipstream.motion.events import OUTPUT_COUNT, check_output, sharpened, split_output
from lipstream.motion.idle import Voice, alive
from lipstream.motion.idle_state import IdleState
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
_REMEMBERED = 1024
"""Noises: constant ones are asked for in frame after frame."""


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
        Internal: the network is of another version.
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
        check_output(self._model)
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

    def initial_state(
        self,
        seed: int = 0,
        style: Floats | None = None,
        controls: FaceControls | None = None,
    ) -> TalkerState:
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
            IdleState.initial(controls),
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
        rows, lengths = self._heard(features, states)
        waiting = (lengths - PAST_ROWS) // FEATURES_PER_FRAME - self._delay
        counts = np.maximum(waiting, 0)
        # Frames of all sessions in one row, session by session; first row of each.
        ends = np.cumsum(counts)
        firsts = np.concatenate(
            [
                start + FEATURES_PER_FRAME * np.arange(count)
                for start, count in zip(np.cumsum(lengths) - lengths, counts, strict=True)
            ]
        )
        controls, coming, networks = self._drawn(
            frame_audio(rows, firsts, self._delay), counts, states
        )
        before = np.zeros_like(controls)
        before[1:] = controls[:-1]
        for row in np.flatnonzero(counts):
            before[ends[row] - counts[row]] = states[row].mouth
        mouths = sharpened(controls, before, coming)
        lived = alive(
            np.split(mouths, ends[:-1]),
            [Voice(*own.T) for own in np.split(self._voice(rows, firsts), ends[:-1])],
            [state.idle for state in states],
            seeds=[state.seed for state in states],
            fps=self.fps,
        )
        heard = np.split(rows, np.cumsum(lengths)[:-1])
        results = []
        for row, (state, (motion, idle)) in enumerate(zip(states, lived, strict=True)):
            after = TalkerState(
                seed=state.seed,
                frame=state.frame + len(motion),
                network=networks[row],
                rows=heard[row][FEATURES_PER_FRAME * len(motion) :].copy(),
                style=state.style,
                mouth=controls[ends[row] - 1].copy() if len(motion) else state.mouth,
                idle=idle,
            )
            results.append((motion, after))
        return results

    def _drawn(
        self,
        audio: Floats,  # [sum T, A]
        counts: NDArray[np.intp],  # [B] frames of each session
        states: Sequence[TalkerState],
    ) -> tuple[Floats, Floats, list[Floats]]:
        """Controls `# [sum T, 10]`, events to come `# [sum T, 3]`, states of the network."""
        starts = np.cumsum(counts) - counts
        output = np.zeros((len(audio), OUTPUT_COUNT), np.float32)
        good = np.ones(len(audio), np.bool_)
        networks = [state.network for state in states]
        for k in range(int(counts.max())):
            due = np.flatnonzero(counts > k)
            at = starts[due] + k
            own = [states[row] for row in due]
            result = self._finite.run(
                {
                    "audio": audio[at],
                    "style": np.stack([state.style for state in own]),
                    "noise": np.stack([self._noise(state.seed, state.frame + k) for state in own]),
                    "schedule": np.repeat(self._schedule[None], len(due), axis=0),
                    "state": np.stack([networks[row] for row in due]),
                }
            )
            output[at], good[at] = result.outputs["controls"], result.good
            for row, network in zip(due, result.outputs["next_state"], strict=True):
                # A copy of its own: a row of the batch would keep the whole batch in memory.
                networks[row] = network.copy()
        controls, coming = split_output(output)
        if not good.all():
            parts = zip(np.split(controls, starts[1:]), np.split(good, starts[1:]), strict=True)
            controls = np.concatenate(
                [held(*part, state.mouth) for part, state in zip(parts, states, strict=True)]
            )
        return controls, coming, networks

    def finish(self, state: TalkerState) -> Motion:
        if not state.waiting:
            return Motion.rest(0, self.fps)
        # What the stream ended with is taken to go on through the look-ahead.
        own = -(-state.waiting // FEATURES_PER_FRAME)
        missing = FEATURES_PER_FRAME * (own + self._delay) - state.waiting
        return self.step(np.repeat(state.rows[-1:], missing, axis=0), state)[0]

    def _heard(
        self, features: Sequence[Floats], states: Sequence[TalkerState]
    ) -> tuple[Floats, NDArray[np.intp]]:  # [R, D], [B]
        """Rows that the sessions' frames are made of, session by session, and how many of each."""
        parts = []
        for new, state in zip(features, states, strict=True):
            if new.ndim != 2 or new.shape[1] != self._feature_count:
                raise BadInput(
                    f"Features have shape {new.shape}; (T, {self._feature_count}) was expected."
                )
            parts += [state.rows, new]
        lengths = [len(part) for part in parts]
        return clean_features(np.concatenate(parts)), np.add.reduceat(
            lengths, range(0, len(parts), 2)
        )

    def _voice(self, rows: Floats, firsts: NDArray[np.intp]) -> Floats:  # [T, 2]
        """Loudness and probability of speech of frames: the highest up to their look-ahead."""
        reach = np.arange(PAST_ROWS, PAST_ROWS + FEATURES_PER_FRAME * (self._delay + 1))
        own: Floats = rows[:, [_LOUDNESS, _SPEECH]][firsts[:, None] + reach].max(1)
        return own

    def _noise(self, seed: int, frame: int) -> Floats:  # [Z]
        number = 0 if self._sampling.constant_noise else frame
        return self._sampling.temperature * _normal(seed, number, self._noise_width)


@lru_cache(maxsize=_REMEMBERED)
def _normal(seed: int, number: int, width: int) -> Floats:  # [width]
    random = np.random.Generator(np.random.Philox(key=seed, counter=number << 32))
    noise = random.standard_normal(width, dtype=np.float32)
    noise.setflags(write=False)
    return noise
