"""Controls of the face: each changes what it is for and nothing else, smoothly, in any chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lipstream.face.arkit import BLENDSHAPES, INDEX
from lipstream.face.face_controls import EMOTIONS, FaceControls
from lipstream.face.motion import Floats, Motion
from lipstream.motion.controls import CONTROL_COUNT
from lipstream.motion.idle import Voice, alive
from lipstream.motion.idle_state import IdleState
from tests.unit.motion.acting import FPS, STILL, acted

_LIDS = INDEX["eyeBlinkLeft"]
_JAW, _CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
_FIELDS = ("blendshapes", "rotation", "translation", "gaze")


def _changed(first: Motion, second: Motion) -> set[str]:
    """Fields that differ; of the blendshapes, lids and mouth apart."""
    changed = {n for n in _FIELDS[1:] if not np.allclose(getattr(first, n), getattr(second, n))}
    moved = np.abs(first.blendshapes - second.blendshapes).max(axis=0) > 1e-6
    for k in np.flatnonzero(moved):
        name = BLENDSHAPES[k]
        lids = name.startswith(("eyeBlink", "cheekSquint"))
        changed.add("lids" if lids else "mouth" if name.startswith(("jaw", "mouth")) else name)
    return changed


@pytest.mark.parametrize(
    ("controls", "changed"),
    [
        ({"gaze": {"yaw_deg": 15}}, {"gaze"}),
        ({"gaze": "camera"}, set()),
        ({"gaze_wander": 0}, {"gaze"}),
        ({"blink_rate": 50}, {"lids"}),
        # The eyes stay on the viewer while the head moves.
        ({"head_motion": 2}, {"rotation", "translation", "gaze"}),
        ({"mouth_strength": 1.5}, {"mouth"}),
        ({"framing": {"zoom": 2}}, set()),
    ],
)
def test_each_control_changes_its_own(controls: dict[str, Any], changed: set[str]) -> None:
    plain, _ = acted({}, "AA", seconds=12, seed=3)
    asked, _ = acted(controls, "AA", seconds=12, seed=3)
    assert _changed(plain, asked) == changed


def test_gaze_is_a_direction_in_degrees() -> None:
    motion, _ = acted({**STILL, "gaze": {"yaw_deg": -20, "pitch_deg": 8}})
    assert np.degrees(motion.gaze[-1]) == pytest.approx([-20, 8, -20, 8], abs=0.01)


def test_a_given_gaze_is_not_turned_by_an_emotion() -> None:
    def eyes(**controls: Any) -> Floats:
        motion, _ = acted({**STILL, "emotion": {"sadness": 1}, **controls})
        # In the picture: as the head turns, so do the eyes in it.
        angles: Floats = motion.gaze[-1, :2] + 0.9 * motion.rotation[-1, 1::-1]
        return np.asarray(np.degrees(angles), np.float32)

    assert eyes()[1] < -3
    assert eyes(gaze="camera") == pytest.approx([0, 0], abs=1e-4)


def test_blinks_come_as_often_as_asked() -> None:
    faces, count = {0: 2, 6: 15, 17: 8, 40: 4}, 1000  # who blinks often is soon counted
    blinking = [rate for rate, some in faces.items() for _ in range(some)]
    states = [IdleState.initial(FaceControls.parse({"blink_rate": rate})) for rate in blinking]
    mouths = [np.zeros((count, CONTROL_COUNT), np.float32)] * len(states)
    silence = [Voice(*np.zeros((2, count), np.float32))] * len(states)
    lived = alive(mouths, silence, states, seeds=range(len(states)), fps=FPS)
    lids = np.stack([motion.blendshapes[:, _LIDS] for motion, _ in lived])
    blinks = ((lids[:, 1:] > 0.5) & (lids[:, :-1] <= 0.5)).sum(axis=1)
    counted = {rate: blinks[np.equal(blinking, rate)].mean() for rate in faces}
    minutes = count / FPS / 60
    assert counted == pytest.approx({rate: rate * minutes for rate in faces}, rel=0.15)


def test_head_motion_scales() -> None:
    still, usual, twice = (
        acted({"head_motion": amount}, seconds=12)[0].rotation for amount in (0, 1, 2)
    )
    assert np.abs(still).max() == 0
    np.testing.assert_allclose(twice, 2 * usual, rtol=1e-5)


def test_the_mouth_grows_and_shrinks_and_stays_within_range() -> None:
    def jaw(strength: float, sound: str = "AA") -> float:
        motion, _ = acted({**STILL, "mouth_strength": strength}, sound)
        assert motion.blendshapes.max() <= 1
        return float(motion.blendshapes[-1, _JAW])

    assert jaw(0) == 0 < jaw(0.5) < jaw(1) < jaw(1.5) < jaw(2) < 0.75
    assert jaw(0.5) == pytest.approx(0.23)
    for strength in (0, 0.5, 2):
        closed, _ = acted({"mouth_strength": strength}, "M")
        # Lips that meet undo the jaw in full.
        assert closed.blendshapes[-1, _CLOSE] == pytest.approx(closed.blendshapes[-1, _JAW])


def test_emotions_are_told_apart_at_rest_and_in_speech() -> None:
    for sound in ("rest", "AA"):
        faces = [acted({**STILL, "emotion": {e: 1}}, sound)[0].blendshapes[-1] for e in EMOTIONS]
        faces.append(acted(STILL, sound)[0].blendshapes[-1])
        for k, face in enumerate(faces):
            assert 0 <= face.min() <= face.max() <= 1
            for other in faces[:k]:
                assert np.linalg.norm(face - other) > 0.45


def test_emotions_grow_with_intensity_and_mix() -> None:
    def weights(**emotion: float) -> Floats:
        face: Floats = acted({**STILL, "emotion": emotion})[0].blendshapes[-1]
        return face

    brow, smile = INDEX["browInnerUp"], INDEX["mouthSmileLeft"]
    assert 0 < weights(fear=0.3)[brow] < weights(fear=0.8)[brow]
    mixed = weights(fear=0.5, joy=0.5)
    assert mixed[brow] > 0.4
    assert mixed[smile] > 0.4
    # Together they make one face at most.
    np.testing.assert_allclose(weights(fear=1, joy=1), mixed, atol=1e-6)


def test_keyframes_are_reached_and_left_smoothly() -> None:
    frames = [
        {"time_s": 1, "weights": {}},
        {"time_s": 2, "weights": {"joy": 1}},
        {"time_s": 3, "weights": {"joy": 0.5}},
    ]
    smile = acted({**STILL, "emotion": frames}, seconds=4)[0].blendshapes[
        :, INDEX["mouthSmileLeft"]
    ]
    assert smile[:26].max() == 0
    assert smile[50] == pytest.approx(1, abs=1e-6)
    assert smile[75:] == pytest.approx(0.5, abs=1e-6)
    assert (np.diff(smile[25:51]) > 0).all()
    assert np.abs(np.diff(smile)).max() < 0.07


@pytest.mark.parametrize("sound", ["rest", "AA", "M"])
def test_a_change_is_eased_and_over_in_a_moment(sound: str) -> None:
    before: dict[str, Any] = {**STILL, "emotion": {"sadness": 1}, "mouth_strength": 0.5}
    after = {**STILL, "emotion": {"amazement": 1}, "gaze": {"yaw_deg": 20}, "mouth_strength": 2}
    first, state = acted(before, sound)
    second, end = acted({}, sound, state=state.directed(FaceControls.parse(after), FPS))
    whole = Motion.concatenate([first, second])
    wanted, _ = acted(after, sound, seconds=2.4)
    for name in _FIELDS:
        path, reach = getattr(whole, name)[28:], getattr(wanted, name)[-1]
        span = np.abs(path[0] - reach).max()
        assert np.abs(np.diff(path, axis=0)).max() < 0.45 * span + 1e-6
        # 150 ms later it is as if it had always been so.
        np.testing.assert_allclose(second[5:].blendshapes, wanted.blendshapes[35:], atol=1e-5)
    assert end.steering.controls == FaceControls.parse(after)


def test_a_change_within_a_change_does_not_jump() -> None:
    joy, fear = (FaceControls.parse({**STILL, "emotion": {e: 1}}) for e in ("joy", "fear"))
    _, state = acted(STILL)
    first, state = acted({}, seconds=0.08, state=state.directed(joy, FPS))
    second, _ = acted({}, seconds=0.08, state=state.directed(fear, FPS))
    assert np.abs(second.blendshapes[0] - first.blendshapes[-1]).max() < 0.45


def test_chunks_equal_the_whole_under_controls() -> None:
    controls = {
        "emotion": [{"weights": {"outofbreath": 1}}, {"time_s": 3, "weights": {"anger": 0.7}}],
        "mouth_strength": 1.4,
        "blink_rate": 30,
        "gaze": {"pitch_deg": 5},
    }
    whole, _ = acted(controls, "AA", seconds=4, seed=7)
    state = IdleState.initial(FaceControls.parse(controls))
    parts = []
    for seconds in (0.04, 1.4, 0.36, 2.2):
        part, state = acted({}, "AA", seconds=seconds, seed=7, state=state)
        state = IdleState.from_arrays(state.arrays())
        parts.append(part)
    for name in _FIELDS:
        chunked = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(getattr(whole, name), chunked)


def test_sessions_together_act_as_each_alone() -> None:
    keyframes = [{"time_s": t, "weights": {"joy": t % 2}} for t in range(3)]
    asked: list[dict[str, Any]] = [
        {"emotion": keyframes},
        {"emotion": {"fear": 1}, "mouth_strength": 2},
        {},
        {"emotion": keyframes[1:], "blink_rate": 40, "head_motion": 2},
    ]
    count = 60
    mouths = [np.full((count, CONTROL_COUNT), 0.3, np.float32)] * len(asked)
    voices = [Voice(*np.full((2, count), 0.8, np.float32))] * len(asked)
    states = [IdleState.initial(FaceControls.parse(each)) for each in asked]
    together = alive(mouths, voices, states, seeds=range(len(asked)), fps=FPS)
    for k, (motion, _) in enumerate(together):
        ((alone, _),) = alive(mouths[:1], voices[:1], [states[k]], seeds=[k], fps=FPS)
        for name in _FIELDS:
            np.testing.assert_array_equal(getattr(motion, name), getattr(alone, name))


def test_breath_goes_with_the_words_out_of_breath() -> None:
    def jaw(emotion: str) -> Floats:
        motion, _ = acted({**STILL, "emotion": {emotion: 1}}, seconds=4)
        return motion.blendshapes[:, _JAW]

    assert np.ptp(jaw("outofbreath")) > 0.15
    assert np.ptp(jaw("fear")) < 1e-6
