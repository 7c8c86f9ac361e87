from __future__ import annotations

import numpy as np
import pytest

from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.drive import (
    LOOK_RAD,
    REST_SMILE,
    color_weights,
    photo_weights,
    shape_weights,
)
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats
from lipstream.face.shape_names import (
    LID_LEFT,
    LID_RIGHT,
    LIP_REST,
    LIP_TUCK,
    MOUTH_SHADE,
    PHOTO_PART,
    PHOTO_SMILE,
    SHAPE_NAMES,
    TONGUE_TIP,
)
from tests.unit.face.tiny_model import tiny_model

STRAIGHT = np.zeros(4, np.float32)


@pytest.fixture(scope="module")
def model() -> AvatarModel:
    return tiny_model()


def blendshapes(**weights: float) -> Floats:
    vector = np.zeros(BLENDSHAPE_COUNT, np.float32)
    for name, weight in weights.items():
        vector[INDEX[name]] = weight
    return vector


def mouth(gap_mm: float, width_mm: float) -> Floats:
    """Vertices of which only the lips matter."""
    vertices = np.zeros((500, 3), np.float32)
    vertices[[178, 87, 14, 317, 402], 1] = gap_mm
    vertices[78, 0], vertices[308, 0] = -width_mm / 2, width_mm / 2
    return vertices


def test_blendshapes_pass_through_within_range(model: AvatarModel) -> None:
    weights = shape_weights(model, blendshapes(jawOpen=0.4, mouthLeft=-1, mouthRight=9), STRAIGHT)
    assert weights.shape == (len(SHAPE_NAMES),)
    assert weights.dtype == np.float32
    assert weights[INDEX["jawOpen"]] == np.float32(0.4)
    assert weights[INDEX["mouthLeft"]] == 0
    assert weights[INDEX["mouthRight"]] < 1.5


@pytest.mark.parametrize(
    ("gaze", "shape"),
    [
        ((1, 0, 0, 0), "eyeLookOutLeft"),
        ((-1, 0, 0, 0), "eyeLookInLeft"),
        ((0, 1, 0, 0), "eyeLookUpLeft"),
        ((0, -1, 0, 0), "eyeLookDownLeft"),
        ((0, 0, 1, 0), "eyeLookInRight"),
        ((0, 0, -1, 0), "eyeLookOutRight"),
        ((0, 0, 0, 1), "eyeLookUpRight"),
        ((0, 0, 0, -1), "eyeLookDownRight"),
    ],
)
def test_gaze_becomes_a_look(
    model: AvatarModel, gaze: tuple[float, float, float, float], shape: str
) -> None:
    turn = np.array(gaze, np.float32) * np.float32(LOOK_RAD / 2)
    weights = shape_weights(model, blendshapes(), turn)
    looks = {name for name in SHAPE_NAMES if "Look" in name and weights[INDEX[name]] > 0}
    assert looks == {shape}
    assert weights[INDEX[shape]] == pytest.approx(0.5)


def test_gaze_adds_to_look_shapes(model: AvatarModel) -> None:
    turn = np.array([LOOK_RAD / 4, 0, 0, 0], np.float32)
    weights = shape_weights(model, blendshapes(eyeLookOutLeft=0.5), turn)
    assert weights[INDEX["eyeLookOutLeft"]] == pytest.approx(0.75)


def test_the_photos_smile_fades_as_lips_round_or_corners_fall(model: AvatarModel) -> None:
    def smile(**weights: float) -> float:
        vector = shape_weights(model, blendshapes(**weights), STRAIGHT)
        return float(vector[SHAPE_NAMES.index(PHOTO_SMILE)])

    assert smile() == pytest.approx(REST_SMILE)
    assert 0 < smile(mouthFunnel=0.3) < REST_SMILE
    assert smile(mouthPucker=0.9) == 0
    assert 0 < smile(mouthFrownLeft=0.3, mouthFrownRight=0.3) < REST_SMILE
    assert smile(mouthFrownLeft=0.8, mouthFrownRight=0.8) == 0
    weights = shape_weights(model, blendshapes(), STRAIGHT)
    assert weights[SHAPE_NAMES.index(PHOTO_PART)] == 0


def test_a_little_tongue_is_a_raised_tip(model: AvatarModel) -> None:
    def tip(out: float) -> float:
        weights = shape_weights(model, blendshapes(tongueOut=out), STRAIGHT)
        return float(weights[SHAPE_NAMES.index(TONGUE_TIP)])

    assert tip(0) == tip(1) == 0
    assert tip(0.12) == pytest.approx(1)
    assert 0 < tip(0.06) < 1
    assert 0 < tip(0.6) < 1


def test_a_tongue_comes_out_once_its_tip_is_raised(model: AvatarModel) -> None:
    place = SHAPE_NAMES.index("tongueOut")
    outs = [
        float(shape_weights(model, blendshapes(tongueOut=out), STRAIGHT)[place])
        for out in (0, 0.12, 0.3, 1)
    ]
    assert outs == pytest.approx([0, 0, 0.18 / 0.88, 1])


def test_photo_weights_are_the_two_photo_shapes(model: AvatarModel) -> None:
    weights = photo_weights(model)
    assert {SHAPE_NAMES[k] for k in np.flatnonzero(weights)} == {PHOTO_SMILE, PHOTO_PART}


def test_colours_follow_lids_lips_and_mouth(model: AvatarModel) -> None:
    names = model.color_shapes.names

    def colors(weights: Floats, gap_mm: float, width_mm: float = 45) -> dict[str, float]:
        values = color_weights(model, weights, mouth(gap_mm, width_mm))
        assert values.shape == (len(names),)
        return dict(zip(names, values.tolist(), strict=True))

    rest = shape_weights(model, blendshapes(), STRAIGHT)
    closed, wide = colors(rest, 0), colors(rest, 16)
    assert closed[MOUTH_SHADE] > 0.9
    assert wide[MOUTH_SHADE] == 0
    assert closed[MOUTH_SHADE] > colors(rest, 4)[MOUTH_SHADE] > 0
    assert colors(rest, 6, 20)[MOUTH_SHADE] > colors(rest, 6, 50)[MOUTH_SHADE]
    assert closed[LID_LEFT] == closed[LID_RIGHT] == 0

    wink = colors(shape_weights(model, blendshapes(eyeBlinkLeft=1), STRAIGHT), 0)
    assert (wink[LID_LEFT], wink[LID_RIGHT]) == (1, 0)
    tuck = shape_weights(model, blendshapes(mouthRollLower=0.65), STRAIGHT)
    assert colors(tuck, 3)[LIP_TUCK] == pytest.approx(1), "under the teeth"
    assert colors(tuck, 0)[LIP_TUCK] == colors(rest, 3)[LIP_TUCK] == 0, "pressed, or away from them"
    assert closed[LIP_REST] == 1
    assert colors(photo_weights(model), 10)[LIP_REST] == 0


def test_light_in_the_mouth_follows_lips_and_tongue(model: AvatarModel) -> None:
    def shade(gap_mm: float, width_mm: float, **weights: float) -> float:
        pose = shape_weights(model, blendshapes(**weights), STRAIGHT)
        values = color_weights(model, pose, mouth(gap_mm, width_mm))
        return float(values[model.color_shapes.names.index(MOUTH_SHADE)])

    assert shade(12, 40, mouthFunnel=0.8) > shade(12, 40), "rounded lips shade the teeth"
    assert shade(3, 45, mouthRollLower=0.75) < shade(3, 45), "teeth that hold the lip are lit"
    assert shade(5, 45, tongueOut=0.15) == 0
