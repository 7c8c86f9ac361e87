"""Steps of several sessions in one call: the same to the last bit, and faults stay apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.inference import FaultWatch, ModelStore
from lipstream.inference.joined import JoinedSteps, Step
from lipstream.motion.streaming_talker import TALKER_MODEL, StreamingTalker
from tests.unit.motion.spoken import SENTENCES, spoken

_ROWS = 4


@pytest.fixture(scope="module")
def heard() -> list[Floats]:
    encoder = SpeechEncoder()
    return [
        np.concatenate(list(features_of(encoder, [spoken(text).waveform]))) for text in SENTENCES
    ]


def _stepped(
    joined: JoinedSteps[Any, Any, Motion], rows: Sequence[Floats], states: Sequence[Any]
) -> list[tuple[Motion, Any]]:
    """What sessions get for their rows, in one call."""
    watch = FaultWatch()
    steps = [Step(own, state, watch) for own, state in zip(rows, states, strict=True)]
    return [answer() for answer in joined(steps)]


def test_together_they_move_as_each_alone_to_the_last_bit(heard: list[Floats]) -> None:
    talker = StreamingTalker()
    joined = JoinedSteps(talker)
    speech = [*heard, *(own[30:] for own in heard)]  # of eight sessions
    together = [talker.initial_state(k) for k in range(len(speech))]
    alone = list(together)
    for first in range(0, min(map(len, speech)) - _ROWS, _ROWS):
        rows = [own[first : first + _ROWS] for own in speech]
        results = _stepped(joined, rows, together)
        together = [state for _, state in results]
        for k, (motion, _) in enumerate(results):
            expected, alone[k] = talker.step(rows[k], alone[k])
            for name in ("blendshapes", "rotation", "translation", "gaze"):
                assert np.array_equal(getattr(motion, name), getattr(expected, name))


class _Faulty:
    """The real network, which gives NaN for sessions of one style."""

    def __init__(self) -> None:
        self._model = ModelStore.default().open(TALKER_MODEL)

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        outputs = {name: values.copy() for name, values in self._model.run(inputs).items()}
        outputs["controls"][inputs["style"][:, 0] > 50] = np.nan
        return outputs


def test_a_session_counts_its_own_faults(heard: list[Floats]) -> None:
    talker = StreamingTalker(model=_Faulty())  # type: ignore[arg-type]
    joined = JoinedSteps(talker)
    bad = np.full(talker.style_width, 100, np.float32)
    states = [talker.initial_state(0), talker.initial_state(0, bad), talker.initial_state(1)]
    watches = [FaultWatch() for _ in states]
    for first in range(0, 40, _ROWS):
        rows = heard[0][first : first + _ROWS]
        asked = [Step(rows, own, watch) for own, watch in zip(states, watches, strict=True)]
        states = [answer()[1] for answer in joined(asked)]
    assert watches[0].count == watches[2].count == 0
    assert watches[1].count > 0


def test_what_one_sends_wrongly_is_refused_to_that_one_alone(heard: list[Floats]) -> None:
    talker = StreamingTalker()
    joined = JoinedSteps(talker)
    watch = FaultWatch()
    wrong = np.zeros((4, 3), np.float32)
    asked = [Step(own, talker.initial_state(), watch) for own in (heard[0][:20], wrong)]
    good, refused = joined(asked)
    assert len(good()[0]) == 9
    with pytest.raises(BadInput, match="Features have shape"):
        refused()
