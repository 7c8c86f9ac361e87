"""HuBERT, wav2vec 2.0 and Whisper as encoders, on tiny checkpoints of the true format."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.audio.encoder import Features
from lipstream.audio.pcm import Samples
from lipstream.audio.speech_models import (
    EncoderChoice,
    FeatureExtractor,
    StreamWindow,
    WindowedExtractor,
    WindowState,
    encode_recording,
    open_extractor,
)
from lipstream.errors import BadInput, NotFound
from tests.unit.audio.tiny_speech_models import WIDTH, save_model

pytest.importorskip("transformers")

_KINDS = ("hubert", "wav2vec2", "whisper")
_WINDOW = "left_s=1&chunk_ms=80&look_ahead_ms=120&device=cpu"
_TOLERANCE = 2e-4
"""Rounding of float32 where windows share a call; features are of order one."""
_FAR = 1e-3


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: save_model(kind, root / kind) for kind in _KINDS}


@pytest.fixture(scope="module", params=_KINDS)
def extractor(request: pytest.FixtureRequest, folders: dict[str, Path]) -> WindowedExtractor:
    opened = open_extractor(f"{request.param}:{folders[request.param]}?{_WINDOW}")
    assert isinstance(opened, WindowedExtractor)
    return opened


def _speech(seconds: float) -> Samples:
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)


def _pieces(samples: Samples, size: int) -> list[Samples]:
    return [samples[k : k + size] for k in range(0, len(samples), size)]


def test_features_come_fifty_times_a_second(extractor: WindowedExtractor) -> None:
    features = encode_recording(extractor, [_speech(1.93)])
    assert features.shape == (96, WIDTH)
    assert np.isfinite(features).all()
    assert features.std() > 0.1


@pytest.mark.parametrize("size", [1_000, 1_280, 7_777])
def test_chunks_equal_the_whole(extractor: WindowedExtractor, size: int) -> None:
    samples = _speech(1.6)
    whole = encode_recording(extractor, [samples])
    chunked = encode_recording(extractor, _pieces(samples, size))
    assert np.abs(chunked - whole).max() < _TOLERANCE


def test_a_stream_goes_on_from_bytes(extractor: WindowedExtractor) -> None:
    samples = _speech(2.5)
    first, state = extractor.step(samples[:23_456], extractor.initial_state())
    resumed = extractor.decode_state(state.encode())
    assert state.samples.size < 23_456
    rest, resumed = extractor.step(samples[23_456:], resumed)
    features = np.concatenate([first, rest, extractor.finish(resumed)])
    assert np.abs(features - encode_recording(extractor, [samples])).max() < _TOLERANCE


def test_features_wait_no_longer_than_they_say(extractor: WindowedExtractor) -> None:
    samples = _speech(1.0)
    needed = 320 + round(extractor.latency_ms * 16)
    features, state = extractor.step(samples[: needed - 1], extractor.initial_state())
    assert len(features) == 0
    features, _ = extractor.step(samples[needed - 1 : needed], state)
    assert len(features) == extractor.window.block_rows


def _changed_rows(extractor: FeatureExtractor[Any], at_s: float) -> list[int]:
    """Rows that a click at a time changes."""
    samples = _speech(3.3)
    clicked = samples.copy()
    clicked[int(at_s * 16_000) : int(at_s * 16_000) + 80] += 0.5
    before, after = (encode_recording(extractor, [audio]) for audio in (samples, clicked))
    changed = np.abs(after - before).max(axis=1) > _TOLERANCE
    return [int(row) for row in np.flatnonzero(changed)]


def test_a_click_changes_rows_within_the_window_alone(extractor: WindowedExtractor) -> None:
    rows = _changed_rows(extractor, at_s=2.0)
    earliest_row = 100 - extractor.window.right_rows - extractor.window.block_rows
    assert earliest_row <= rows[0] <= 100
    assert 100 <= rows[-1] <= 100 + extractor.window.left_rows + extractor.window.block_rows


@pytest.mark.parametrize("kind", _KINDS)
def test_whole_recordings_get_what_transformers_gives(kind: str, folders: dict[str, Path]) -> None:
    """Through its own preprocessing and nothing of ours but the silence behind the end."""
    transformers: Any = importlib.import_module("transformers")
    extractor = open_extractor(f"{kind}:{folders[kind]}?{_WINDOW}")
    assert isinstance(extractor, WindowedExtractor)
    samples = _speech(1.5)
    processor = transformers.AutoFeatureExtractor.from_pretrained(folders[kind])
    model = transformers.AutoModel.from_pretrained(folders[kind]).eval()
    padding: dict[str, Any] = {"sampling_rate": 16_000, "return_tensors": "pt"}
    if kind == "whisper":
        mel = processor(samples, max_length=80_000, **padding).input_features
        expected = model.encoder(mel).last_hidden_state[0, :75]
    else:
        padded = np.pad(samples, (0, 80))
        expected = model(processor(padded, **padding).input_values).last_hidden_state[0]
    assert np.abs(extractor.encode_whole(samples) - expected.detach().numpy()).max() < 1e-4


def test_a_click_changes_most_what_is_about_it(extractor: WindowedExtractor) -> None:
    """Of whole recordings too: row j is about its place, so nothing is shifted."""
    samples = _speech(2.0)
    clicked = samples.copy()
    clicked[16_000:16_080] += 0.9
    before, after = (extractor.encode_whole(audio) for audio in (samples, clicked))
    row = int(np.abs(after - before).mean(axis=1).argmax())
    assert abs(row * 20 + extractor.row_centre_ms - 1002.5) <= 40


def test_no_number_is_no_sound(extractor: WindowedExtractor) -> None:
    samples = _speech(1.0)
    samples[5_000:6_000] = np.nan
    assert np.isfinite(encode_recording(extractor, [samples])).all()


def test_layers_can_be_chosen(folders: dict[str, Path]) -> None:
    samples = [_speech(1.0)]
    outputs: list[Features] = [
        encode_recording(open_extractor(f"hubert:{folders['hubert']}?{layer}{_WINDOW}"), samples)
        for layer in ("", "layer=2&", "layer=1&")
    ]
    assert np.allclose(outputs[0], outputs[1], atol=1e-5)
    assert np.abs(outputs[0] - outputs[2]).max() > _FAR
    with pytest.raises(BadInput, match="2 layers; there is no layer 3"):
        open_extractor(f"hubert:{folders['hubert']}?layer=3")


def test_windows_longer_than_whisper_are_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(BadInput, match=r"at most 4\.98 s"):
        open_extractor(f"whisper:{folders['whisper']}?left_s=10")


def test_missing_models_come_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="facebook/hubert-base-ls960"):
        open_extractor(f"hubert:{tmp_path / 'nowhere'}")
    with pytest.raises(NotFound, match=r"has no config\.json"):
        open_extractor(f"whisper:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wav2vec2"}))
    with pytest.raises(NotFound, match="has no weights"):
        open_extractor(f"wav2vec2:{tmp_path}")
    with pytest.raises(BadInput, match=f"Or write wav2vec2:{tmp_path}"):
        open_extractor(f"hubert:{tmp_path}")


def test_damaged_models_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    weights = (folders["hubert"] / "model.safetensors").read_bytes()
    config = json.loads((folders["hubert"] / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    for damaged in (weights[:1000], weights[: len(weights) // 2], b""):
        (tmp_path / "model.safetensors").write_bytes(damaged)
        with pytest.raises(BadInput, match="cannot be loaded") as caught:
            open_extractor(f"hubert:{tmp_path}")
        assert "\n" not in str(caught.value)
    (tmp_path / "model.safetensors").write_bytes(weights)
    for change, complaint in (
        ({"num_hidden_layers": 4}, "lack"),
        ({"intermediate_size": 128}, "cannot be loaded"),
        ({"conv_stride": [4, 2, 2, 2, 2, 2, 2]}, "62.5 features a second"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(BadInput, match=complaint):
            open_extractor(f"hubert:{tmp_path}")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BadInput, match="no JSON"):
        open_extractor(f"hubert:{tmp_path}")


def test_pickles_beside_a_configuration_run_nothing(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    import os
    import pickle

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "config.json").write_bytes((folders["hubert"] / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Runs(), protocol=2))
    with pytest.raises(BadInput, match="cannot be loaded"):
        open_extractor(f"hubert:{tmp_path}")
    assert not (tmp_path / "ran").exists()


def test_foreign_states_are_refused() -> None:
    with pytest.raises(BadInput):
        WindowState.decode(b"nonsense")


def test_choices_are_written_as_they_are_read() -> None:
    assert str(EncoderChoice.parse("own")) == "own"
    text = "hubert:/models/h?layer=9&left_s=2&chunk_ms=40&look_ahead_ms=0&device=cpu"
    choice = EncoderChoice.parse(text)
    assert str(choice) == text
    assert choice.window == StreamWindow(2.0, 40, 0)


@pytest.mark.parametrize(
    "text", ["mel", "hubert", "hubert:", "wavlm:/x", "hubert:/x?speed=2", "hubert:/x?chunk_ms=50"]
)
def test_other_choices_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        EncoderChoice.parse(text)
