"""StreamingTalker on the real tritonserver: the loop of diffusion runs there as it does here."""

from __future__ import annotations

import numpy as np
import pytest

from lipstream.inference import ModelStore, OnnxModel, TritonModel
from lipstream.motion import Sampling, StreamingTalker
from lipstream.motion.streaming_talker import TALKER_MODEL
from tests.integration.triton.triton_process import TritonProcess


@pytest.mark.parametrize("steps", [1, 4, 10])
def test_the_server_gives_what_this_process_gives(triton: TritonProcess, steps: int) -> None:
    local = OnnxModel(ModelStore.bundled().onnx_path(TALKER_MODEL))
    takes = []
    for model in (TritonModel(triton.address, TALKER_MODEL), local):
        talker = StreamingTalker(model=model, sampling=Sampling(steps=steps))
        rng = np.random.default_rng(0)
        features = np.tanh(rng.normal(size=(40, talker.feature_count))).astype(np.float32)
        features[:, :2] = 0.9  # loud speech
        states = [talker.initial_state(seed) for seed in range(3)]
        takes.append(talker.step_many([features] * 3, states))
    for (remote, _), (here, _) in zip(*takes, strict=True):
        assert len(remote) == len(here) == 19
        assert float(np.abs(here.blendshapes).max()) > 0.05
        np.testing.assert_allclose(remote.blendshapes, here.blendshapes, rtol=0, atol=1e-4)
