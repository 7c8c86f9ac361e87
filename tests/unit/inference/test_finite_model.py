"""The guard of all networks, on real ONNX files that give NaN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from lipstream.face.motion import Floats
from lipstream.inference import FaultWatch, FiniteModel, ModelStore, OnnxModel, note_faults
from tests.unit.inference.poison import LIMIT, STATE_LIMIT, poisoned

_BASELINE = ModelStore.bundled().onnx_path("motion_baseline")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    return OnnxModel(poisoned(_BASELINE, tmp_path_factory.mktemp("poison") / "model.onnx"))


@pytest.fixture(scope="module")
def initial(network: OnnxModel) -> Floats:  # [S]
    return network.constant("initial_state")


def _features(width: int, batch: int = 3, pairs: int = 9) -> Floats:  # [batch, 2 pairs, width]
    shape = (batch, 2 * pairs, width)
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)


def _run(
    guard: FiniteModel, inputs: Mapping[str, Floats]
) -> tuple[dict[str, Floats], list[list[bool]], int]:
    watch = FaultWatch()
    with watch.watch():
        result = guard.run(inputs)
    assert all(np.isfinite(values).all() for values in result.outputs.values())
    return result.outputs, result.good.tolist(), watch.count


def test_what_is_good_stays_as_it_is(network: OnnxModel, initial: Floats) -> None:
    inputs = {"features": _features(network.width("features")), "state": np.stack([initial] * 3)}
    outputs, good, count = _run(FiniteModel(network, initial, 2), inputs)
    wanted = OnnxModel(_BASELINE).run(inputs)
    for name, values in wanted.items():
        np.testing.assert_array_equal(outputs[name], values)
    assert good == [[True] * 9] * 3
    assert count == 0


def test_only_the_steps_to_blame_are_passed_over(network: OnnxModel, initial: Floats) -> None:
    features = _features(network.width("features"))
    clean = features.copy()
    features[1, 7, 5] = 2 * LIMIT
    features[1, 10, 5] = 2 * LIMIT
    inputs = {"features": features, "state": np.stack([initial] * 3)}
    assert np.isnan(network.run(inputs)["controls"][1]).all()
    outputs, good, count = _run(FiniteModel(network, initial, 2), inputs)
    assert count == 2
    assert good[1] == [True] * 3 + [False] + [True] + [False] + [True] * 3
    assert good[0] == good[2] == [True] * 9
    assert not outputs["controls"][1, 3].any()
    wanted = network.run({**inputs, "features": clean})
    for row in (0, 2):
        np.testing.assert_array_equal(outputs["controls"][row], wanted["controls"][row])
    np.testing.assert_allclose(outputs["controls"][1, :3], wanted["controls"][1, :3], atol=1e-5)
    # The state is as if the steps had not been.
    kept = np.delete(clean[1], [6, 7, 10, 11], axis=0)[None]
    after = network.run({"features": kept, "state": initial[None]})["next_state"][0]
    np.testing.assert_allclose(outputs["next_state"][1], after, atol=1e-4)


@pytest.mark.parametrize("fault", [2 * STATE_LIMIT, np.nan, np.inf])
def test_a_state_that_is_to_blame_is_begun_anew(
    network: OnnxModel, initial: Floats, fault: float
) -> None:
    state = np.stack([initial] * 3)
    state[2, 11] = fault
    features = _features(network.width("features"))
    outputs, good, count = _run(
        FiniteModel(network, initial, 2), {"features": features, "state": state}
    )
    assert good == [[True] * 9] * 3
    assert count == 1
    wanted = network.run({"features": features, "state": np.stack([initial] * 3)})
    np.testing.assert_allclose(outputs["controls"], wanted["controls"], atol=1e-5)


def test_a_network_that_only_fails_leaves_a_state(network: OnnxModel, initial: Floats) -> None:
    features = np.full((1, 6, network.width("features")), 2 * LIMIT, np.float32)
    for state in (initial[None], np.full_like(initial[None], np.nan)):
        inputs = {"features": features, "state": state}
        outputs, good, count = _run(FiniteModel(network, initial, 2), inputs)
        assert good == [[False] * 3]
        assert count == 3
        np.testing.assert_array_equal(outputs["next_state"], initial[None])


def test_watches_count_for_their_own(caplog: pytest.LogCaptureFixture) -> None:
    told: list[int] = []
    watch, other = FaultWatch(told.append, session_id="s"), FaultWatch()
    note_faults(9)  # nobody watches
    for _ in range(2):
        with watch.watch():
            note_faults(1)
            with other.watch():
                note_faults(5)
            note_faults(2)
    assert (watch.count, other.count) == (6, 10)
    assert told == [3, 3]
    lines = [record for record in caplog.records if "passed over" in record.message]
    assert len(lines) == 2  # the first of each
    assert getattr(lines[-1], "session_id", None) == "s"
    pieces = iter(["a", "b"])
    assert list(FaultWatch().over(pieces)) == ["a", "b"]
