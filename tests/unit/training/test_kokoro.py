"""Kokoro as a source of a corpus, with a model of its interface that hums a tenth of a second for
each symbol, as loud as the style says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lipstream.errors import BadInput, NotFound
from lipstream.training.corpora.kokoro import ACCENTS, SAMPLE_RATE_HZ, Kokoro, blended, phonemes

onnx = pytest.importorskip("onnx", reason="onnx comes with the train extra")

espeak_ng = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")

_PANGRAM = (
    "The quick brown fox jumps over a lazy dog; she thought, though: how joyful my church "
    "measure is! Boys, bring the yellow wool home, a bird hears it, butter or cute singing?"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    helper = onnx.helper
    hum = onnx.numpy_helper.from_array(
        np.sin(np.arange(SAMPLE_RATE_HZ // 10, dtype=np.float32))[None], "hum"
    )
    first = [onnx.numpy_helper.from_array(np.array([n]), name) for n, name in ((0, "a"), (1, "b"))]
    nodes = [
        helper.make_node("Cast", ["tokens"], ["symbols"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Clip", ["symbols", "", "one"], ["ones"]),
        helper.make_node("Transpose", ["ones"], ["column"]),
        helper.make_node("MatMul", ["column", "hum"], ["waves"]),
        helper.make_node("Slice", ["style", "a", "b", "b"], ["loud"]),
        helper.make_node("Mul", ["waves", "loud"], ["louder"]),
        helper.make_node("Div", ["louder", "speed"], ["paced"]),
        helper.make_node("Reshape", ["paced", "flat"], ["audio"]),
    ]
    kinds = {"tokens": onnx.TensorProto.INT64}
    shapes = {"tokens": [1, "n"], "style": [1, 256], "speed": [1], "audio": ["s"]}
    info = {
        name: helper.make_tensor_value_info(name, kinds.get(name, onnx.TensorProto.FLOAT), shape)
        for name, shape in shapes.items()
    }
    constants = [
        hum,
        *first,
        onnx.numpy_helper.from_array(np.float32(1), "one"),
        onnx.numpy_helper.from_array(np.array([-1]), "flat"),
    ]
    inputs = [info[name] for name in ("tokens", "style", "speed")]
    graph = helper.make_graph(nodes, "hum", inputs, [info["audio"]], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "kokoro.onnx")
    (tmp_path / "voices").mkdir()
    for name, loud in (("af_one", 0.2), ("bm_two", 0.4)):
        np.full((60, 256), loud, np.float32).tofile(tmp_path / "voices" / f"{name}.bin")
    return tmp_path


@espeak_ng
def test_every_phoneme_is_said_in_the_voice_asked_for(folder: Path) -> None:
    kokoro = Kokoro(folder)
    samples = kokoro.speak("go", kokoro.voices["bm_two"], "en-us")
    assert phonemes("go", "en-us") == "ɡˈO"
    # an edge on both sides, which this model gives no sound
    assert len(samples) == (len("ɡˈO") + 2) * SAMPLE_RATE_HZ // 10
    assert float(np.abs(samples).max()) == pytest.approx(0.4, abs=0.01)


@espeak_ng
@pytest.mark.parametrize("accent", ACCENTS)
def test_no_phoneme_of_english_is_lost(folder: Path, accent: str) -> None:
    kokoro = Kokoro(folder)
    said = 0
    for word in _PANGRAM.split():
        spelt = phonemes(word, accent)
        samples = kokoro.speak(word, kokoro.voices["af_one"], accent)
        assert len(samples) == (len(spelt) + 2) * SAMPLE_RATE_HZ // 10, spelt
        said += len(spelt)
    assert said > 100


@espeak_ng
def test_a_sentence_longer_than_the_voice_knows_is_refused(folder: Path) -> None:
    kokoro = Kokoro(folder)
    with pytest.raises(BadInput, match="at most 59 phonemes"):
        kokoro.speak(_PANGRAM, kokoro.voices["af_one"], "en-us")


def test_a_blend_sounds_like_one_and_speaks_like_the_other(folder: Path) -> None:
    first, second = Kokoro(folder).voices.values()
    voice = blended(first, second, 0.5, 1.0)
    np.testing.assert_allclose(voice[:, :128], 0.3, atol=1e-6)
    np.testing.assert_allclose(voice[:, 128:], 0.4, atol=1e-6)


def test_what_is_missing_or_spoilt_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "voices" / "af_one.bin").write_bytes(b"no voice")
    with pytest.raises(BadInput, match=r"af_one\.bin"):
        Kokoro(folder)
    shutil.rmtree(folder / "voices")
    with pytest.raises(NotFound, match="voices"):
        Kokoro(folder)
    (folder / "kokoro.onnx").unlink()
    with pytest.raises(NotFound, match="No model"):
        Kokoro(folder)
