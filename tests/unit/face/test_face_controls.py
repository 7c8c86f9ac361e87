"""Wishes for a face: read from JSON under names and ranges, and written again."""

from __future__ import annotations

from typing import Any

import pytest

from lipstream.errors import BadInput
from lipstream.face.face_controls import EMOTIONS, FaceControls, Framing, Gaze

_WHOLE: dict[str, Any] = {
    "emotion": [
        {"time_s": 0.5, "weights": {"joy": 0.8, "amazement": 0.2}},
        {"time_s": 2.0, "weights": {"sadness": 1.0}},
    ],
    "gaze": {"yaw_deg": -12.0, "pitch_deg": 4.0},
    "gaze_wander": 0.5,
    "blink_rate": 8.0,
    "head_motion": 1.5,
    "mouth_strength": 0.7,
    "framing": {"zoom": 1.5, "offset": -0.2},
}


def test_controls_survive_their_document() -> None:
    controls = FaceControls.parse(_WHOLE)
    assert controls.document() == _WHOLE
    assert FaceControls.decode(controls.encode()) == controls


def test_what_is_not_wished_is_left_out() -> None:
    assert FaceControls.parse({}) == FaceControls()
    assert FaceControls().document() == {}
    assert FaceControls.parse({"gaze": None, "blink_rate": None}) == FaceControls()


def test_weights_alone_are_one_keyframe_and_camera_is_a_direction() -> None:
    controls = FaceControls.parse({"emotion": {"fear": 1}, "gaze": "camera"})
    (keyframe,) = controls.emotion
    assert (keyframe.time_s, keyframe.weights) == (0, {"fear": 1})
    assert controls.gaze == Gaze(0, 0)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"emotion": {"happiness": 1}}, "no emotion 'happiness'; choose of amazement, anger"),
        ({"emotion": {"joy": 1.1}}, "less than or equal to 1"),
        ({"emotion": {"joy": -0.1}}, "greater than or equal to 0"),
        ({"emotion": "joy"}, "must be weights such as"),
        ({"emotion": [{"time_s": 1, "weights": {}}, {"time_s": 1.05}]}, "by 0.1 s or more"),
        ({"emotion": [{"time_s": -1}]}, "greater than or equal to 0"),
        ({"emotion": [{"time_s": t} for t in range(1001)]}, "at most 1000"),
        ({"emotion": [{"at": 1}]}, "at: there is no such field"),
        ({"gaze": "away"}, "gaze: must be 'camera'"),
        ({"gaze": {"yaw_deg": 31}}, "gaze.yaw_deg: "),
        ({"gaze": {"pitch_deg": -21}}, "gaze.pitch_deg: "),
        ({"gaze_wander": 2.5}, "gaze_wander: "),
        ({"blink_rate": 61}, "blink_rate: "),
        ({"head_motion": float("nan")}, "head_motion: "),
        ({"mouth_strength": -1}, "mouth_strength: "),
        ({"framing": {"zoom": 4}}, "framing.zoom: "),
        ({"framing": {"offset": 0.1}}, "needs a zoom of 1.2"),
        ({"smile": 1}, "smile: there is no such field"),
        ([], "must be a JSON object"),
    ],
)
def test_what_cannot_be_is_refused_by_name(document: object, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        FaceControls.parse(document)
    assert caught.value.code == "bad_controls"
    assert caught.value.remedy


def test_every_offset_that_is_named_is_taken() -> None:
    assert FaceControls.parse({"framing": {"zoom": 1.2, "offset": 0.1}}).framing == Framing(
        1.2, 0.1
    )
    for bad in (b"", b"{", b"[" * 100_000, b"\xff"):
        with pytest.raises(BadInput):
            FaceControls.decode(bad)


def test_there_are_the_ten_emotions_of_audio2face() -> None:
    assert len(EMOTIONS) == 10
    assert FaceControls.parse({"emotion": dict.fromkeys(EMOTIONS, 1.0)}).emotion
