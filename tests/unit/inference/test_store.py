"""What `LIPSTREAM_MODELS` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from lipstream.errors import BadInput
from lipstream.inference import MODELS_VARIABLE, ModelStore, OnnxModel
from lipstream.inference.watched_model import WatchedModel


def test_by_default_models_run_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    store = ModelStore.default()
    assert store == ModelStore.bundled()
    model = store.open("speech_encoder")
    assert isinstance(model, WatchedModel)
    assert isinstance(model._model, OnnxModel)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("triton://models:9001", "models:9001"),
        ("triton://models", "models:8001"),
        ("triton://10.0.0.7:8001/", "10.0.0.7:8001"),
        ("triton://[::1]:8001", "[::1]:8001"),
    ],
)
def test_a_server_is_named_by_its_url(
    monkeypatch: pytest.MonkeyPatch, url: str, server: str
) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, url)
    store = ModelStore.default()
    assert store.server == server
    # What trains and exports still writes to the folder.
    assert store.root == ModelStore.bundled().root


@pytest.mark.parametrize(
    "url",
    ["triton://", "triton://:8001", "triton://host:port", "triton://host:99999", "triton://h/x"],
)
def test_a_url_of_no_server_is_named(url: str) -> None:
    with pytest.raises(BadInput, match="names no Triton server") as caught:
        ModelStore.at(url)
    assert "triton://host:port" in caught.value.remedy


def test_anything_else_is_a_folder(tmp_path: Path) -> None:
    assert ModelStore.at(str(tmp_path)) == ModelStore(tmp_path)
