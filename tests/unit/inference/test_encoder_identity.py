"""Where features come from, and whether a motion model may have them."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from lipstream.errors import BadInput, Internal
from lipstream.inference import EncoderIdentity, ModelStore, OnnxModel
from lipstream.inference.constants import decode_constant, decode_text, encode_text
from lipstream.inference.weights_digest import weights_digest
from lipstream.motion.training_encoder import trained_on

_HUBERT = EncoderIdentity("hubert", 770, "0123456789abcdef", 9)
_ENCODER = ModelStore.bundled().onnx_path("speech_encoder")


@pytest.mark.parametrize(
    "identity", [_HUBERT, EncoderIdentity.own(128), EncoderIdentity("whisper", 514, "ab")]
)
def test_identities_are_read_as_they_are_written(identity: EncoderIdentity) -> None:
    assert EncoderIdentity.decode(identity.encode()) == identity


@pytest.mark.parametrize("text", ["", "own", "own/x/", "own/128/xyz", "own/128/ab/c", "a b/1/"])
def test_other_lines_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="does not name a speech encoder"):
        EncoderIdentity.decode(text)


@pytest.mark.parametrize(
    "found",
    [
        EncoderIdentity.own(770, "0123456789abcdef"),
        EncoderIdentity("hubert", 768, "0123456789abcdef", 9),
        EncoderIdentity("hubert", 770, "fedcba9876543210", 9),
        EncoderIdentity("hubert", 770, "0123456789abcdef", 6),
    ],
)
def test_features_of_others_are_refused_by_name(found: EncoderIdentity) -> None:
    with pytest.raises(BadInput) as caught:
        _HUBERT.require(found)
    assert caught.value.code == "encoder_mismatch"
    assert str(_HUBERT) in caught.value.message
    assert str(found) in caught.value.message
    assert "hubert:PATH" in caught.value.remedy


def test_unknown_weights_are_not_compared() -> None:
    EncoderIdentity.own(128).require(EncoderIdentity.own(128, "ab"))
    EncoderIdentity.own(128, "ab").require(EncoderIdentity.own(128))
    _HUBERT.require(_HUBERT)


def test_a_digest_is_that_of_the_weights_alone(tmp_path: Path) -> None:
    model = onnx.load(str(_ENCODER))
    onnx.helper.set_model_props(model, {"remark": "exported again"})
    onnx.save(model, str(tmp_path / "again.onnx"))
    assert weights_digest(tmp_path / "again.onnx") == weights_digest(_ENCODER)
    first = model.graph.initializer[0]
    values = onnx.numpy_helper.to_array(first).copy()
    values.flat[0] += 1
    first.CopyFrom(onnx.numpy_helper.from_array(values, first.name))
    onnx.save(model, str(tmp_path / "other.onnx"))
    assert weights_digest(tmp_path / "other.onnx") != weights_digest(_ENCODER)
    (tmp_path / "none.onnx").write_bytes(b"no model")
    with pytest.raises(Internal):
        weights_digest(tmp_path / "none.onnx")


def test_models_say_what_they_were_trained_on(tmp_path: Path) -> None:
    """Those that do not are of before there was a choice."""
    assert trained_on(OnnxModel(_ENCODER), 128) == EncoderIdentity.own(128)
    model = onnx.load(str(_ENCODER))
    for text, said in ((_HUBERT.encode(), _HUBERT), ("nonsense", None)):
        onnx.helper.set_model_props(model, {"encoder": encode_text(text)})
        onnx.save(model, str(tmp_path / "model.onnx"))
        if said is not None:
            assert trained_on(OnnxModel(tmp_path / "model.onnx"), 770) == said
            continue
        with pytest.raises(Internal, match="does not say"):
            trained_on(OnnxModel(tmp_path / "model.onnx"), 770)


def test_names_are_no_numbers() -> None:
    assert decode_text(encode_text("own/128/ab")) == "own/128/ab"
    assert decode_text("0*1600") is None
    with pytest.raises(Internal):
        decode_constant(encode_text("own"))
    with pytest.raises(ValueError, match="cannot be a constant"):
        encode_text('"quoted"')
