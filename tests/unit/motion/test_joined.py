"""Steps of several sessions in one call: the same to the last bit, and faults stay apart."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.features import features_of
from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion
from lipstream.inference import FaultWatch, ModelStore
from lipstream.inference.joined import JoinedSteps
from lipstream.motion.streaming_talker import TALKER_MODEL, StreamingTalker
from tests.unit.motion.spoken import SENTENCES, spoken

_ROWS = 4


@pytest.fixture(scope="module")
def heard() -> list[Floats]:
    encoder = SpeechEncoder()
    return [
        np.concatenate(list(features_of(encoder, [spoken(text).waveform]))) for text in SENTENCES
    ]


def _run(talker: StreamingTalker, step: object, rows: Floats, seed: int) -> Motion:
    state, parts = talker.initial_state(seed), []
    for first in range(0, len(rows) - _ROWS, _ROWS):
        motion, state = step(rows[first : first + _ROWS], state)  # type: ignore[operator]
        parts.append(motion)
    return Motion.concatenate(parts)


def test_together_they_move_as_each_alone_to_the_last_bit(heard: list[Floats]) -> None:
    talker = StreamingTalker()
    joined = JoinedSteps(talker, "steps")
    with ThreadPoolExecutor(len(heard)) as pool:
        together = list(pool.map(lambda k: _run(talker, joined, heard[k], k), range(len(heard))))
    joined.close()
    for k, motion in enumerate(together):
        alone = _run(talker, talker.step, heard[k], k)
        for name in ("blendshapes", "rotation", "translation", "gaze"):
            assert np.array_equal(getattr(motion, name), getattr(alone, name))


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
    joined = JoinedSteps(talker, "steps")
    bad = np.full(talker.style_width, 100, np.float32)
    states = [talker.initial_state(0), talker.initial_state(0, bad), talker.initial_state(1)]
    counts = []

    def steps(k: int) -> int:
        watch, state = FaultWatch(), states[k]
        for first in range(0, 40, _ROWS):
            with watch.watch():
                _, state = joined(heard[0][first : first + _ROWS], state)
        return watch.count

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(steps, range(3)))
    joined.close()
    assert counts[0] == counts[2] == 0
    assert counts[1] > 0


def test_what_one_sends_wrongly_is_refused_to_that_one_alone(heard: list[Floats]) -> None:
    talker = StreamingTalker()
    joined = JoinedSteps(talker, "steps")
    wrong = np.zeros((4, 3), np.float32)

    def step(rows: Floats) -> int:
        return len(joined(rows, talker.initial_state())[0])

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(step, rows) for rows in (heard[0][:20], wrong, heard[1][:20])]
        assert futures[0].result() == futures[2].result() == 9
        with pytest.raises(BadInput, match="Features have shape"):
            futures[1].result()
    joined.close()
