"""Styles from clips: exported, read, carried by sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from lipstream.errors import BadInput, Internal, NotFound
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_file import load_motion, save_motion
from lipstream.inference import OnnxModel
from lipstream.inference.constants import encode_text
from lipstream.motion import BaselineGenerator, StreamingTalker, generate
from lipstream.motion.controls import to_controls
from lipstream.motion.talker_style import STYLE_MODEL, read_style
from lipstream.training.streaming_talker.export import export_talker
from lipstream.training.streaming_talker.network import TalkerNetwork
from tests.unit.motion.clips import speaking_clip
from tests.unit.training.streaming_talker.tiny import FEATURES, styled_network


@dataclass(frozen=True, slots=True)
class Models:
    network: TalkerNetwork
    root: Path

    def onnx(self, name: str) -> OnnxModel:
        return OnnxModel(self.root / name / "1" / "model.onnx")

    def talker(self, **changes: Any) -> StreamingTalker:
        chosen = {"model": self.onnx("streaming_talker"), "style_model": self.onnx(STYLE_MODEL)}
        return StreamingTalker(**{**chosen, **changes})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("models")
    network = styled_network()
    exported = export_talker(network, root)
    assert exported.beside == (root / STYLE_MODEL / "1" / "model.onnx",)
    return Models(network, root)


def _features(count: int = 80) -> Floats:  # [count, FEATURES]
    features = np.random.default_rng(1).normal(0, 1, (count, FEATURES)).astype(np.float32)
    features[:, :2] = 1  # loud speech
    return features


def _spoken(talker: StreamingTalker, style: Floats | None, chunk: int = 80) -> Motion:
    features = _features()
    pieces = [features[k : k + chunk] for k in range(0, len(features), chunk)]
    return Motion.concatenate(generate(talker, pieces, seed=4, style=style))


def test_a_style_changes_the_mouth_and_stays_the_same(models: Models) -> None:
    talker = models.talker()
    narrow, wide = (talker.style_of(speaking_clip(openness)) for openness in (0.1, 0.9))
    neutral, first, second = (_spoken(talker, style) for style in (None, narrow, wide))
    assert np.abs(first.blendshapes - second.blendshapes).max() > 0.01
    assert np.abs(first.blendshapes - neutral.blendshapes).max() > 0.01
    again = _spoken(models.talker(), models.talker().style_of(speaking_clip(0.1)))
    np.testing.assert_array_equal(again.blendshapes, first.blendshapes)
    np.testing.assert_array_equal(again.rotation, first.rotation)


@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_equal_the_whole(models: Models, chunk: int) -> None:
    talker = models.talker()
    style = talker.style_of(speaking_clip(0.9))
    got, wanted = _spoken(talker, style, chunk), _spoken(talker, style)
    assert np.abs(got.blendshapes - wanted.blendshapes).max() < 1e-4


def test_the_style_is_that_of_training(models: Models) -> None:
    clip = speaking_clip(0.7)
    motion = torch.from_numpy(to_controls(clip.blendshapes))[None]
    with torch.no_grad():
        trained = models.network.style.of_clip(models.network.latents(motion))[0].numpy()
    np.testing.assert_allclose(models.talker().style_of(clip), trained, atol=2e-3)


def test_styles_of_one_manner_are_alike(models: Models) -> None:
    """At another rate, at another time; another manner is further away."""
    talker = models.talker()
    one = talker.style_of(speaking_clip(0.8))
    alike = [
        talker.style_of(speaking_clip(0.8, seed=3)),
        talker.style_of(speaking_clip(0.8, fps=60)),
        talker.style_of(speaking_clip(0.8, seconds=8)),
    ]
    other = float(np.abs(talker.style_of(speaking_clip(0.2)) - one).max())
    assert max(float(np.abs(style - one).max()) for style in alike) < 0.5 * other


@pytest.mark.parametrize("ending", [".csv", ".json", ".npz"])
def test_clips_come_in_every_format(models: Models, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip{ending}"
    save_motion(path, speaking_clip(0.7))
    talker = models.talker()
    wanted = talker.style_of(speaking_clip(0.7))
    assert np.abs(talker.style_of(load_motion(path)) - wanted).max() < 0.02


def test_sessions_of_different_styles_share_a_call(models: Models) -> None:
    talker = models.talker()
    styles = [None, talker.style_of(speaking_clip(0.2)), talker.style_of(speaking_clip(0.9))]
    states = [talker.initial_state(4, style) for style in styles]
    together = talker.step_many([_features()] * 3, states)
    for style, (motion, _) in zip(styles, together, strict=True):
        alone = _spoken(talker, style)[: len(motion)]
        assert np.abs(motion.blendshapes - alone.blendshapes).max() < 1e-4


def test_a_session_keeps_its_style_as_bytes(models: Models) -> None:
    talker = models.talker()
    state = talker.initial_state(4, talker.style_of(speaking_clip(0.9)))
    _, state = talker.step(_features()[:31], state)
    expected, _ = talker.step(_features()[31:], state)
    got, _ = models.talker().step(_features()[31:], talker.decode_state(state.encode()))
    np.testing.assert_array_equal(got.blendshapes, expected.blendshapes)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (np.zeros(3, np.float32), r"shape \(3,\)"),
        (np.full(16, np.nan, np.float32), "not finite"),
        (np.full(16, np.inf, np.float32), "not finite"),
        (np.zeros((1, 16), np.float32), r"\(16,\) was expected"),
    ],
)
def test_wrong_styles_are_refused(models: Models, style: Floats, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        models.talker().initial_state(style=style)
    with pytest.raises(BadInput, match=message):
        models.talker(style=style)


def test_clips_that_show_no_style_are_refused(models: Models) -> None:
    talker = models.talker()
    with pytest.raises(BadInput, match=r"a clip of 0\.96 s"):
        talker.style_of(speaking_clip(0.5, seconds=0.96))
    with pytest.raises(BadInput, match="does not move"):
        talker.style_of(Motion.rest(100))


def test_long_clips_are_read_in_their_middle(models: Models) -> None:
    still = Motion.rest(25 * 300)
    clip = Motion.concatenate([still, speaking_clip(0.6, seconds=60), still])
    style = models.talker().style_of(speaking_clip(0.6, seconds=60))
    np.testing.assert_allclose(models.talker().style_of(clip), style, atol=1e-4)


def test_a_network_without_style_encoder_says_so(models: Models) -> None:
    with pytest.raises(NotFound, match="neutral style only") as caught:
        models.talker(style_model=None).style_of(speaking_clip(0.5))
    assert "lipstream train export" in caught.value.remedy
    assert len(_spoken(models.talker(style_model=None), None)) == 40


def test_style_encoders_of_other_networks_are_refused(models: Models, tmp_path: Path) -> None:
    model = onnx.load(str(models.root / STYLE_MODEL / "1" / "model.onnx"))
    onnx.helper.set_model_props(model, {"talker": encode_text("0123456789abcdef")})
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(Internal, match="exported with another"):
        models.talker(style_model=OnnxModel(tmp_path / "other.onnx")).style_of(speaking_clip(0.5))


def test_a_style_encoder_that_fails_is_noticed() -> None:
    class Broken:
        digest = ""

        def run(self, inputs: object) -> dict[str, Floats]:
            return {"style": np.full((1, 16), np.nan, np.float32)}

    with pytest.raises(Internal, match="no numbers"):
        read_style(Broken(), speaking_clip(0.5))  # type: ignore[arg-type]


def test_the_baseline_has_no_styles() -> None:
    baseline = BaselineGenerator()
    assert baseline.style_width == 0
    for ask in (
        lambda: baseline.style_of(speaking_clip(0.5)),
        lambda: baseline.initial_state(style=np.zeros(16, np.float32)),
    ):
        with pytest.raises(BadInput, match="has no styles"):
            ask()


def test_triton_can_serve_it(models: Models) -> None:
    folder = models.root / STYLE_MODEL
    config = text_format.Parse((folder / "config.pbtxt").read_text(), ModelConfig())
    assert [(t.name, list(t.dims)) for t in config.input] == [("motion", [-1, 10])]
    assert [(t.name, list(t.dims)) for t in config.output] == [("style", [16])]
    talker = config.parameters["talker"].string_value
    assert talker == f"text:{models.onnx('streaming_talker').digest}"
