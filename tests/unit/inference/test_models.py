"""Finding and loading models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import Internal, NotFound
from lipstream.inference import MODELS_VARIABLE, ModelStore, OnnxModel


def test_the_setting_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    assert ModelStore.default().root == tmp_path
    with pytest.raises(NotFound, match="speech_encoder") as caught:
        ModelStore.default().onnx_path("speech_encoder")
    assert MODELS_VARIABLE in caught.value.remedy


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(Internal, match="onnxruntime can load"):
        OnnxModel(path)


@pytest.mark.parametrize(
    ("name", "source", "result"),
    [("speech_encoder", "mel", "features"), ("motion_baseline", "features", "controls")],
)
def test_models_of_the_repository_load_and_run(name: str, source: str, result: str) -> None:
    store = ModelStore.default()
    path = store.onnx_path(name)
    assert path.stat().st_size < 6e6
    assert f'name: "{name}"' in (store.root / name / "config.pbtxt").read_text()
    model = OnnxModel(path)
    state = np.repeat(model.constant("initial_state")[None], 3, axis=0)
    chunk = np.zeros((3, 6, model.width(source)), np.float32)
    outputs = model.run({source: chunk, "state": state})
    assert outputs[result].shape[:2] == (3, 3)
    assert outputs["next_state"].shape == state.shape
    with pytest.raises(Internal, match="lacks the constant"):
        model.constant("nothing")


def test_nothing_is_reported_to_the_maker_of_onnxruntime(tmp_path: Path) -> None:
    path = ModelStore.default().onnx_path("speech_encoder")
    code = (
        "import sys, pathlib; from lipstream.inference import OnnxModel;"
        "OnnxModel(pathlib.Path(sys.argv[1]))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
