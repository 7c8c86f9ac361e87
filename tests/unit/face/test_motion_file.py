from __future__ import annotations

import io
import json
import random
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from lipstream.errors import BadInput, LipstreamError, TooLarge
from lipstream.face.arkit import BLENDSHAPES, INDEX
from lipstream.face.motion import Motion
from lipstream.face.motion_file import read_json, read_npz, write_json, write_npz
from tests.unit.face.test_live_link import motions, ramp


def as_json(motion: Motion) -> str:
    file = io.StringIO()
    write_json(file, motion)
    return file.getvalue()


def as_npz(motion: Motion) -> bytes:
    file = io.BytesIO()
    write_npz(file, motion)
    return file.getvalue()


@settings(max_examples=50, deadline=None)
@given(motions())
def test_npz_is_exact_and_always_the_same_bytes(motion: Motion) -> None:
    data = as_npz(motion)
    back = read_npz(data)
    assert back.fps == motion.fps
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(back, name), getattr(motion, name))
    assert as_npz(back) == data


@settings(max_examples=50, deadline=None)
@given(motions())
def test_json_keeps_six_decimals(motion: Motion) -> None:
    back = read_json(io.StringIO(as_json(motion)))
    assert back.fps == motion.fps
    for name in ("blendshapes", "rotation", "translation", "gaze"):
        np.testing.assert_allclose(getattr(back, name), getattr(motion, name), atol=1e-5)


def test_pieces_give_the_file_of_the_whole() -> None:
    motion = ramp(30, 25.0)
    pieces = [motion[:7], motion[7:8], motion[8:]]
    text, data = io.StringIO(), io.BytesIO()
    assert write_json(text, iter(pieces)) == 30
    write_npz(data, iter(pieces))
    assert text.getvalue() == as_json(motion)
    assert data.getvalue() == as_npz(motion)


def test_json_explains_itself() -> None:
    document = json.loads(as_json(ramp(3, 30.0)))
    assert document["format"] == "lipstream.motion"
    assert document["version"] == 1
    assert document["fps"] == 30.0
    assert document["blendshape_names"] == list(BLENDSHAPES)
    assert document["frames"][2]["blendshapes"][INDEX["jawOpen"]] == 1.0
    assert set(document["frames"][0]) == set(document["conventions"])


def test_json_without_frames_is_still_json() -> None:
    nothings: list[Motion | list[Motion]] = [Motion.rest(0, 30.0), [], [Motion.rest(0)] * 2]
    for nothing in nothings:
        file = io.StringIO()
        assert write_json(file, nothing) == 0
        assert len(read_json(io.StringIO(file.getvalue()))) == 0


def test_blendshapes_are_found_by_name() -> None:
    document = json.loads(as_json(ramp(2, 25.0)))
    document["blendshape_names"] = ["tongueOut", "jawOpen"]
    for frame in document["frames"]:
        frame["blendshapes"] = [0.25, 0.75]
    motion = read_json(io.StringIO(json.dumps(document)))
    np.testing.assert_allclose(motion.blendshapes[:, INDEX["jawOpen"]], 0.75)
    np.testing.assert_allclose(motion.blendshapes[:, INDEX["tongueOut"]], 0.25)
    assert motion.blendshapes.sum() == 2.0


@pytest.mark.parametrize(
    "change",
    [
        *({"format": "other"}, {"version": 2}, {"version": None}, {"fps": 0}, {"fps": "25"}),
        *({"fps": float("nan")}, {"fps": 1e9}, {"fps": True}, {"frames": {}}, {"frames": [3]}),
        *({"frames": [{}]}, {"blendshape_names": "jawOpen"}, {"blendshape_names": ["jaw"]}),
        *({"blendshape_names": ["jawOpen"] * 52}, {"blendshape_names": [1]}),
    ],
)
def test_damaged_json_is_refused(change: dict[str, Any]) -> None:
    document = json.loads(as_json(ramp(2, 25.0))) | change
    with pytest.raises(BadInput):
        read_json(io.StringIO(json.dumps(document)))


@pytest.mark.parametrize("value", [None, [], [1, 2], ["a", "b", "c"], [1, 2, float("inf")], "xyz"])
def test_damaged_frames_are_refused(value: object) -> None:
    document = json.loads(as_json(ramp(2, 25.0)))
    document["frames"][1]["head_rotation"] = value
    with pytest.raises(BadInput):
        read_json(io.StringIO(json.dumps(document)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"format": 1}'])
def test_text_that_is_no_motion_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_json(io.StringIO(text))


def test_mutated_npz_gives_motion_or_a_refusal() -> None:
    rng = random.Random(3)
    data = as_npz(ramp(9, 25.0))
    outcomes = set()
    for _ in range(500):
        mutated = bytearray(data)
        for _ in range(rng.choice((1, 4, 30))):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        try:
            read_npz(bytes(mutated[: rng.choice((len(data), rng.randrange(len(data))))]))
            outcomes.add("motion")
        except LipstreamError:
            outcomes.add("refusal")
    assert "refusal" in outcomes


def with_entry(name: str, content: bytes, *, packed: bool = False) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(as_npz(ramp(2, 25.0))))
    target = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", method) as archive:
        for entry in source.namelist():
            archive.writestr(entry, content if entry == name else source.read(entry))
    return target.getvalue()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def test_npz_with_foreign_contents_is_refused() -> None:
    huge = npy(np.zeros((2, 3), np.float32)).replace(b"(2, 3)", b"(9999999, 9999999)"[:18])
    contents = [
        *(b"", npy(np.zeros((2, 4), np.float32)), npy(np.zeros(6, np.float32)), huge),
        *(npy(np.zeros((2, 3), np.int32)), npy(np.full((2, 3), np.nan, np.float32))),
        npy(np.asarray([{}, {}]), allow_pickle=True),
    ]
    for content in contents:
        with pytest.raises(BadInput):
            read_npz(with_entry("rotation.npy", content))


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = with_entry("rotation.npy", bytes(300_000_000), packed=True)
    assert len(bomb) < 1_000_000
    with pytest.raises(TooLarge, match="unpacks"):
        read_npz(bomb)
