from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lipstream.errors import BadInput, NotFound
from lipstream.face.arkit import BLENDSHAPES, INDEX
from lipstream.face.live_link import read_live_link, write_live_link
from lipstream.face.motion import Motion
from lipstream.face.motion_file import load_motion, save_motion

RATES = st.sampled_from([24.0, 25.0, 30.0, 50.0, 60.0])


def values(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32)


@st.composite
def motions(draw: st.DrawFn, max_frames: int = 5) -> Motion:
    frames = draw(st.integers(0, max_frames))
    return Motion(
        blendshapes=draw(arrays(np.float32, (frames, 52), elements=values(0, 1))),
        rotation=draw(arrays(np.float32, (frames, 3), elements=values(-1, 1))),
        translation=draw(arrays(np.float32, (frames, 3), elements=values(-64, 64))),
        gaze=draw(arrays(np.float32, (frames, 4), elements=values(-1, 1))),
        fps=draw(RATES),
    )


def written(motion: Motion) -> str:
    file = io.StringIO()
    write_live_link(file, motion)
    return file.getvalue()


def ramp(frames: int, fps: float) -> Motion:
    motion = Motion.rest(frames, fps)
    motion.blendshapes[:, INDEX["jawOpen"]] = np.linspace(0, 1, frames)
    return motion


@settings(max_examples=50, deadline=None)
@given(motions())
def test_what_is_written_is_read(motion: Motion) -> None:
    back = read_live_link(io.StringIO(written(motion)), fps=motion.fps)
    assert back.fps == motion.fps
    np.testing.assert_allclose(back.blendshapes, motion.blendshapes, atol=1e-7)
    np.testing.assert_allclose(back.rotation, motion.rotation, atol=1e-7)
    np.testing.assert_allclose(back.gaze, motion.gaze, atol=1e-7)


@pytest.mark.parametrize("fps", [12.5, 24.0, 25.0, 30.0, 29.97, 50.0, 60.0])
def test_the_rate_is_told_from_the_timecodes(fps: float) -> None:
    back = read_live_link(io.StringIO(written(ramp(round(fps * 9), fps))))
    assert back.fps == pytest.approx(fps, rel=0.02)


@pytest.mark.parametrize("fps", [25.0, 30.0, 60.0])
def test_the_rate_of_less_than_two_seconds(fps: float) -> None:
    assert read_live_link(io.StringIO(written(ramp(round(fps), fps)))).fps == fps


def test_the_layout_is_that_of_the_app() -> None:
    lines = written(ramp(80_000, 25.0)[:27]).splitlines()
    header = lines[0].split(",")
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[-3:] == ["RightEyeYaw", "RightEyePitch", "RightEyeRoll"]
    assert len(header) == 63
    assert lines[1].startswith("00:00:00:00.000,61,0.00000000,")
    assert lines[25].startswith("00:00:00:24.000,61,")
    assert lines[26].startswith("00:00:01:00.000,61,")
    assert all(len(line.split(",")) == 63 for line in lines)


def test_timecodes_pass_the_hour_and_fractions_of_frames() -> None:
    hour = written(ramp(3_626, 1.0)).splitlines()
    assert hour[3_601].startswith("01:00:00:00.000,")
    assert hour[3_626].startswith("01:00:25:00.000,")
    broken = [line.split(",")[0] for line in written(ramp(40, 12.5)).splitlines()[1:]]
    assert broken[12:14] == ["00:00:00:12.000", "00:00:01:00.500"]


def test_signs_follow_the_axes_of_the_face() -> None:
    motion = Motion.rest(1)
    motion.rotation[0] = (0.1, 0.2, 0.3)
    motion.gaze[0] = (0.01, 0.02, 0.03, 0.04)
    header, row = (line.split(",") for line in written(motion).splitlines())
    column = {name: float(value) for name, value in zip(header[2:], row[2:], strict=True)}
    assert column["HeadPitch"] == pytest.approx(-0.1)
    assert column["HeadYaw"] == pytest.approx(0.2)
    assert column["HeadRoll"] == pytest.approx(-0.3)
    assert column["LeftEyeYaw"] == pytest.approx(0.01)
    assert column["LeftEyePitch"] == pytest.approx(-0.02)
    assert column["RightEyePitch"] == pytest.approx(-0.04)
    assert column["LeftEyeRoll"] == column["RightEyeRoll"] == 0


def test_pieces_give_the_file_of_the_whole() -> None:
    motion = ramp(70, 30.0)
    file = io.StringIO()
    assert write_live_link(file, iter([motion[:11], motion[11:12], motion[12:]])) == 70
    assert file.getvalue() == written(motion)
    with pytest.raises(BadInput, match="25 to 30"):
        write_live_link(io.StringIO(), [ramp(2, 25.0), ramp(2, 30.0)])


def test_files_of_other_programs_are_read() -> None:
    text = (
        "timecode,BlendShapeCount,jawOpen,HeadYaw,Unknown\r\n"
        "14:03:52:28.207,61,0.5,0.1,7\r\n\r\n14:03:52:29.2,61,1.0,-0.1,7\r\n"
    )
    motion = read_live_link(io.StringIO(text))
    assert motion.fps == 30.0
    np.testing.assert_allclose(motion.blendshapes[:, INDEX["jawOpen"]], [0.5, 1.0])
    np.testing.assert_allclose(motion.rotation[:, 1], [0.1, -0.1])
    assert motion.blendshapes.sum() == 1.5


GOOD = "Timecode,BlendShapeCount,JawOpen\n00:00:00:00.000,61,0.5\n"
DAMAGED = [
    *("", "\n", "hello", "a,b,c\n1,2,3\n", GOOD.replace("0.5", "wide"), GOOD.replace(",0.5", "")),
    *(GOOD.replace("0.5", "nan"), GOOD.replace("0.5", "1e999"), GOOD.replace("00:00.0", "x")),
    *(GOOD.replace("JawOpen", "JawOpen,JAWOPEN"), GOOD + '"', GOOD + "00:00:00:01,61,1,2,3\n"),
    GOOD.replace("00:00:00:00", "9" * 500 + ":0:0:0"),
]


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_files_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_live_link(io.StringIO(text))


@given(st.text(max_size=200))
def test_any_text_gives_motion_or_a_refusal(text: str) -> None:
    for candidate in (text, GOOD + text, GOOD.replace("0.5", text)):
        try:
            read_live_link(io.StringIO(candidate))
        except BadInput:
            continue


def test_by_the_ending_of_the_path(tmp_path: Path) -> None:
    motion = ramp(60, 25.0)
    for name in ("a.csv", "a.json", "a.NPZ"):
        save_motion(tmp_path / name, motion)
        back = load_motion(tmp_path / name)
        np.testing.assert_allclose(back.blendshapes, motion.blendshapes, atol=1e-6)
        assert back.fps == 25.0
    for action in (lambda: save_motion(tmp_path / "a.fbx", motion), lambda: load_motion(Path("a"))):
        with pytest.raises(BadInput, match=r"\.npz"):
            action()
    with pytest.raises(NotFound):
        load_motion(tmp_path / "absent.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        load_motion(tmp_path / "b.csv")


def test_every_blendshape_has_its_column() -> None:
    motion = Motion.rest(52)
    motion.blendshapes[:] = np.eye(52)
    rows = [line.split(",") for line in written(motion).splitlines()]
    for index, name in enumerate(BLENDSHAPES):
        place = rows[0].index(name[0].upper() + name[1:])
        assert float(rows[index + 1][place]) == 1.0
