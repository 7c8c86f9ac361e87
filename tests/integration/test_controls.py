"""Controls of the face through the command, jobs, live streams and REST, and seen in pictures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.avatar.detector import FaceDetector
from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX
from lipstream.face.face_controls import EMOTIONS, FaceControls
from lipstream.face.model import AvatarModel
from lipstream.face.motion import Floats, Motion
from lipstream.face.motion_file import load_motion, read_npz
from lipstream.motion import generate, open_generator
from lipstream.motion.job import MotionJob
from lipstream.pipeline import JobKind, stage_named
from lipstream.render import SplatRenderer
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.render.framing import framed
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.runtime.telemetry import Telemetry
from lipstream.v1 import motion_pb2, render_pb2
from lipstream.wire.job import Job
from lipstream.wire.tensors import pack_tensor
from tests.integration.live.conftest import SEED, Stubs, Utterance, stubs, utterance
from tests.integration.live.live_call import LiveCall, failure_of
from tests.integration.live.messages import GENERATE, RENDER, frames_request, motion_in, pictures_in
from tests.integration.test_cli import home, run
from tests.portrait import AVATAR
from tests.unit.motion.acting import FPS, STILL, acted, held

__all__ = ["home", "stubs", "utterance"]  # fixtures

_CONTROLS: dict[str, Any] = {
    "emotion": [{"weights": {"joy": 1}}, {"time_s": 1.0, "weights": {"anger": 0.5}}],
    "gaze": {"yaw_deg": 12},
    "head_motion": 0.5,
    "mouth_strength": 1.4,
}
_SIZE = 256

Picture = NDArray[np.float64]  # [S, S, 3]


@pytest.fixture(scope="module")
def model(avatar_store: Path) -> AvatarModel:
    model = AvatarShelf(AvatarLibrary(open_store(str(avatar_store)))).model(AVATAR)
    assert isinstance(model, AvatarModel)
    return model


def _seen(model: AvatarModel, sound: str = "rest", **controls: Any) -> Picture:
    framing = FaceControls.parse(controls).framing
    return _drawn(SplatRenderer(framed(model, framing), _SIZE), sound, **controls)


def _drawn(renderer: SplatRenderer, sound: str, **controls: Any) -> Picture:
    return renderer.rgb(renderer.pose(held(controls, sound))).astype(np.float64)


def _apart(first: Picture, second: Picture) -> float:
    """Root of the mean square of the face's part of the pictures."""
    window = slice(_SIZE // 8, _SIZE * 3 // 4)
    return float(np.sqrt(((first - second)[window, window] ** 2).mean()))


@pytest.mark.parametrize("sound", ["rest", "AA"])
def test_every_emotion_is_seen(model: AvatarModel, sound: str) -> None:
    renderer = SplatRenderer(model, _SIZE)
    faces = [_drawn(renderer, sound)]
    faces += [_drawn(renderer, sound, emotion={emotion: 1}) for emotion in EMOTIONS]
    assert min(_apart(*pair) for pair in itertools.combinations(faces, 2)) > 3


@pytest.mark.parametrize(
    ("sound", "controls"),
    [
        ("rest", {"gaze": {"yaw_deg": 25}}),
        ("AA", {"mouth_strength": 0.3}),
        ("AA", {"mouth_strength": 2}),
        ("rest", {"framing": {"zoom": 1.4}}),
        ("rest", {"framing": {"zoom": 1.4, "offset": 0.2}}),
    ],
)
def test_every_control_is_seen(model: AvatarModel, sound: str, controls: dict[str, Any]) -> None:
    assert _apart(_seen(model, sound), _seen(model, sound, **controls)) > 1.5


@pytest.mark.parametrize(
    ("control", "low", "high"),
    [("blink_rate", 0, 60), ("head_motion", 0, 2), ("gaze_wander", 0, 2)],
)
def test_more_of_what_moves_by_itself_is_seen(
    model: AvatarModel, control: str, low: float, high: float
) -> None:
    """Of the frames of some seconds, how far they are from the first."""
    renderer = SplatRenderer(model, _SIZE)

    def liveliness(amount: float) -> float:
        motion, _ = acted({**STILL, control: amount}, seconds=3)
        pictures = [
            renderer.rgb(renderer.pose(motion, k)).astype(np.float64)
            for k in range(0, len(motion), round(FPS / 8))
        ]
        return max(_apart(picture, pictures[0]) for picture in pictures)

    assert liveliness(low) < 0.3
    assert liveliness(high) > 0.8


def test_lips_are_seen_to_meet_under_every_emotion(model: AvatarModel) -> None:
    renderer = SplatRenderer(model, 512)
    with FaceDetector() as detector:

        def gap(sound: str, **controls: Any) -> float:
            """Of the lips, in widths of the mouth."""
            picture = renderer.rgb(renderer.pose(held(controls, sound)))
            points = detector.landmarks(picture)
            assert points is not None
            return float((points[14, 1] - points[13, 1]) / (points[308, 0] - points[78, 0]))

        for emotion in EMOTIONS:
            assert gap("M", emotion={emotion: 1}) < 0.06
            assert gap("AA", emotion={emotion: 1}) > 0.2


def _wanted(features: Floats, controls: dict[str, Any]) -> Motion:
    asked = FaceControls.parse(controls)
    return Motion.concatenate(generate(open_generator(), [features], seed=SEED, controls=asked))


def _check(found: Motion, wanted: Motion, tolerance: float = 1e-4) -> None:
    for name in ("blendshapes", "rotation", "gaze"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=tolerance)


def test_jobs_take_controls(utterance: Utterance, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "objects"))
    np.save(tmp_path / "features.npy", utterance.features)
    store.put("jobs/j1/features.npy", (tmp_path / "features.npy").read_bytes())
    handle = MotionJob(open_generator(), Telemetry("motion"))

    def context(controls: object) -> JobContext:
        params = {"avatar": "a", "text": "x", "seed": SEED, "controls": controls}
        job = Job.new(JobKind.VIDEO, params, job_id="j1")
        return JobContext(job, stage_named("motion"), 1, store, scratch_dir=tmp_path)

    handle(context(_CONTROLS))
    (tmp_path / "motion.npz").write_bytes(store.get("jobs/j1/motion.npz"))
    _check(read_npz(tmp_path / "motion.npz"), _wanted(utterance.features, _CONTROLS), 1e-5)
    with pytest.raises(BadInput, match="no emotion 'happiness'"):
        handle(context({"emotion": {"happiness": 1}}))


def _asked(joy: float = 0.0, **fields: float) -> motion_pb2.FaceControls:
    emotion = [motion_pb2.EmotionKeyframe(weights={"joy": joy})] if joy else []
    return motion_pb2.FaceControls(emotion=emotion, **fields)  # type: ignore[arg-type]


def test_live_streams_take_controls(stubs: Stubs, utterance: Utterance) -> None:
    keyframes = [
        motion_pb2.EmotionKeyframe(weights={"joy": 1}),
        motion_pb2.EmotionKeyframe(time_s=1, weights={"anger": 0.5}),
    ]
    controls = motion_pb2.FaceControls(
        emotion=keyframes, gaze=motion_pb2.Gaze(yaw_deg=12), head_motion=0.5, mouth_strength=1.4
    )
    config = motion_pb2.GenerateConfig(seed=SEED, controls=controls)
    call = LiveCall(stubs.motion.Generate, GENERATE(config=config))
    for epoch in (1, 2):
        call.send(GENERATE(epoch, features=pack_tensor(utterance.features)), GENERATE.end(epoch))
        _check(motion_in(call.read_until("end")), _wanted(utterance.features, _CONTROLS))
    assert call.finish() == []


def test_controls_change_a_live_face_smoothly(stubs: Stubs, utterance: Utterance) -> None:
    cheek = INDEX["cheekSquintLeft"]
    half = len(utterance.features) // 4 * 2
    call = LiveCall(stubs.motion.Generate, GENERATE(config=motion_pb2.GenerateConfig(seed=SEED)))
    call.send(
        GENERATE(features=pack_tensor(utterance.features[:half])),
        GENERATE(controls=_asked(joy=1.0, blink_rate=0)),
        GENERATE(features=pack_tensor(utterance.features[half:])),
        GENERATE.end(),
    )
    first = motion_in(call.read_until("end"))
    plain = utterance.motion
    apart = np.abs(first.blendshapes - plain.blendshapes)[:, cheek]
    changed = int(np.flatnonzero(apart > 1e-3)[0])
    assert abs(changed - half // 2) <= 4
    wanted = _wanted(utterance.features, {"emotion": {"joy": 1}, "blink_rate": 0})
    added = (first.blendshapes - plain.blendshapes)[changed - 1 : changed + 5, cheek]
    assert added.max() > 0.4
    assert np.diff(added).max() < 0.45
    lips = [INDEX["jawOpen"], INDEX["mouthClose"], cheek]
    later = slice(changed + 5, None)
    np.testing.assert_allclose(
        first.blendshapes[later, lips], wanted.blendshapes[later, lips], atol=1e-4
    )
    # It holds for what is said next.
    call.send(GENERATE(2, features=pack_tensor(utterance.features)), GENERATE.end(2))
    _check(motion_in(call.finish()), wanted)


def test_a_resumed_face_keeps_what_was_asked(stubs: Stubs, utterance: Utterance) -> None:
    def config(**fields: Any) -> motion_pb2.GenerateRequest:
        return GENERATE(config=motion_pb2.GenerateConfig(seed=SEED, **fields))

    call = LiveCall(stubs.motion.Generate, config(controls=_asked(1.0), snapshot_interval_ms=300))
    call.send(GENERATE(features=pack_tensor(utterance.features)))
    before = call.read_until("snapshot")
    call.cancel()
    snapshot = before.pop()
    heard = snapshot.header.pts_us // 20_000
    resumed = LiveCall(stubs.motion.Generate, config(resume_state=snapshot.snapshot.state))
    resumed.send(GENERATE(features=pack_tensor(utterance.features[heard:])), GENERATE.end())
    wanted = _wanted(utterance.features, {"emotion": {"joy": 1}})
    _check(motion_in([*before, *resumed.read_until("end")]), wanted)
    resumed.send(GENERATE(2, features=pack_tensor(utterance.features)), GENERATE.end(2))
    _check(motion_in(resumed.finish()), wanted)


@pytest.mark.parametrize(
    "controls", [_asked(1.5), _asked(head_motion=-1), _asked(mouth_strength=float("nan"))]
)
def test_live_controls_are_checked(stubs: Stubs, controls: motion_pb2.FaceControls) -> None:
    config = motion_pb2.GenerateConfig(controls=controls)
    for requests in (
        [GENERATE(config=config)],
        [GENERATE(config=motion_pb2.GenerateConfig()), GENERATE(controls=controls)],
    ):
        assert _problem(stubs, requests) == "bad_controls"


def _problem(stubs: Stubs, requests: Iterable[motion_pb2.GenerateRequest]) -> str:
    call = failure_of(stubs.motion.Generate, *requests)
    return call.code


def test_live_pictures_take_a_framing(stubs: Stubs, model: AvatarModel) -> None:
    motion = held({})
    config = render_pb2.RenderConfig(
        avatar_id=AVATAR,
        size_px=_SIZE,
        codec=render_pb2.VIDEO_CODEC_RGBA,
        framing=render_pb2.Framing(zoom=1.5, offset=0.1),
    )
    call = LiveCall(stubs.render.Render, RENDER(config=config), frames_request(motion))
    (picture,) = pictures_in(call.finish())
    wanted = _seen(model, framing={"zoom": 1.5, "offset": 0.1})
    np.testing.assert_array_equal(picture.reshape(_SIZE, _SIZE, 4)[..., :3], wanted)
    config.framing.zoom = 1
    assert failure_of(stubs.render.Render, RENDER(config=config)).code == "bad_controls"


def test_the_command_takes_controls(home: Path, tmp_path: Path) -> None:
    keyframes = tmp_path / "mood.json"
    keyframes.write_text(json.dumps(_CONTROLS["emotion"]))
    said = ("--text", "Bob put a map there.", "--seed", 3)
    out = tmp_path / "out.json"
    options = ("--emotion", keyframes, "--gaze", "12,0", "--head-motion", 0.5)
    done = run(home, "motion", *said, *options, "--mouth-strength", 1.4, "--blinks", 0, "-o", out)
    assert done.returncode == 0, done.stderr
    motion = load_motion(out)
    assert motion.blendshapes[0, INDEX["cheekSquintLeft"]] > 0.9
    assert motion.blendshapes[-1, INDEX["browDownLeft"]] == pytest.approx(0.5, abs=0.01)
    assert np.degrees(motion.gaze[:, 0]).mean() == pytest.approx(12, abs=3)

    video = tmp_path / "out.mp4"
    look = ("--emotion", "joy=0.5,fear=0.5", "--gaze", "camera", "--zoom", 1.3, "--offset", 0.1)
    done = run(home, "render", "--avatar", AVATAR, *said, *look, "--size", 64, "-o", video)
    assert done.returncode == 0, done.stderr
    assert video.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--emotion", "happiness"), "no emotion 'happiness'; choose of amazement, anger"),
        (("--emotion", "joy=lots"), "'lots' is no intensity"),
        (("--emotion", "none.json"), "There is no file none.json"),
        (("--gaze", "left"), "'left' is no direction"),
        (("--mouth-strength", "3"), "mouth_strength: "),
    ],
)
def test_the_command_says_what_is_wrong(
    home: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = run(home, "motion", "--text", "Hi.", *options, "-o", tmp_path / "x.csv")
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split()), done.stderr
    assert not (tmp_path / "x.csv").exists()
