"""Calls in a bounded process: what a hostile file does to it, nobody else feels."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lipstream.audio.gate import convert_bounded, inspect_bounded
from lipstream.audio.limits import AudioLimits
from lipstream.audio.pcm import SAMPLE_RATE_HZ
from lipstream.audio.source import RecordedSpeech
from lipstream.audio.wav import write_wav
from lipstream.avatar.video.gate import decode_bounded
from lipstream.errors import BadInput, TooLarge
from lipstream.runtime.bounded import BoundedCalls

_TASKS = "tests.integration.bounded_tasks"


@pytest.fixture(scope="module")
def calls() -> Iterator[BoundedCalls]:
    bounded = BoundedCalls(memory_bytes=1_500_000_000, wall_s=60.0)
    yield bounded
    bounded.close()


def test_answers_and_refusals_come_back_from_one_process(calls: BoundedCalls) -> None:
    assert calls.call(f"{_TASKS}:echo", {"a": [1, "é\n"]}) == {"a": [1, "é\n"]}
    pid = calls.pid
    assert calls.call(f"{_TASKS}:chatter") == "right"
    with pytest.raises(TooLarge) as refused:
        calls.call(f"{_TASKS}:refuse")
    assert (refused.value.message, refused.value.remedy) == ("It is large.", "Send less.")
    assert (refused.value.code, refused.value.figures) == ("too_long", {"length_s": 9.0})
    with pytest.raises(TooLarge, match="too much memory"):
        calls.call(f"{_TASKS}:hog")
    assert calls.pid == pid


def test_it_knows_no_secret(calls: BoundedCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPSTREAM_REDIS", "redis://:password@host")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    calls.close()
    known = calls.call(f"{_TASKS}:environment")
    assert "PATH" in known
    assert not [name for name in known if name.startswith(("LIPSTREAM", "AWS"))]


def test_one_that_hangs_or_crashes_is_refused_and_the_next_call_works() -> None:
    calls = BoundedCalls(wall_s=1.0)
    try:
        with pytest.raises(BadInput, match="takes too long") as refused:
            calls.call(f"{_TASKS}:hang")
        assert refused.value.code == "unreadable_media"
        assert calls.pid is None
        patient = BoundedCalls(wall_s=60.0)
        with pytest.raises(BadInput, match="decoder failed"):
            patient.call(f"{_TASKS}:crash")
        assert patient.call(f"{_TASKS}:echo", 1) == 1
        patient.close()
        assert patient.pid is None
    finally:
        calls.close()


def test_pieces_come_as_they_are_asked_for() -> None:
    calls = BoundedCalls(wall_s=30.0)
    pieces = list(calls.pieces(f"{_TASKS}:count", 3))
    assert pieces == [f"{n}\n".encode() * 50_000 for n in range(3)]
    assert calls.call(f"{_TASKS}:echo", 1) == 1
    begun = calls.pieces(f"{_TASKS}:count", 1_000_000)
    assert next(begun).startswith(b"0\n")
    begun.close()
    assert calls.pid is None
    for then, error in (("crash", BadInput), ("refuse", TooLarge)):
        ending = calls.pieces(f"{_TASKS}:count", 2, then)
        assert len([next(ending), next(ending)]) == 2
        with pytest.raises(error):
            next(ending)
    calls.close()
    hasty = BoundedCalls(wall_s=1.0)
    with pytest.raises(BadInput, match="takes too long"):
        list(hasty.pieces(f"{_TASKS}:count", 1, "hang"))
    hasty.close()


def test_a_recording_comes_out_as_it_does_without(calls: BoundedCalls, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    path = tmp_path / "input"
    write_wav(path, [noise], 22_050)
    limits = AudioLimits()
    converted = convert_bounded(calls, path, tmp_path / "speech.wav", limits)
    plain = RecordedSpeech(path, limits)
    wanted = np.concatenate(list(plain.chunks(SAMPLE_RATE_HZ)))
    np.testing.assert_array_equal(np.concatenate(list(converted.chunks())), wanted)
    soundtrack = io.BytesIO()
    assert write_wav(soundtrack, plain.chunks(48_000), 48_000) == converted.count
    assert (tmp_path / "speech.wav").read_bytes() == soundtrack.getvalue()
    duration_s, warnings = inspect_bounded(calls, path, limits)
    assert duration_s == len(wanted) / SAMPLE_RATE_HZ
    assert warnings == converted.warnings == []
    (tmp_path / "broken").write_bytes(b"no media")
    with pytest.raises(BadInput) as refused:
        inspect_bounded(calls, tmp_path / "broken", limits)
    assert refused.value.code != "unreadable_media"


def test_a_bomb_of_a_picture_is_refused(calls: BoundedCalls, tmp_path: Path) -> None:
    """Half a megabyte that would be two gigabytes of pixels."""
    path = tmp_path / "bomb.png"
    side = 30_000
    rows = zlib.compress(b"\0" * (1 << 20), 9)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    )
    with pytest.raises(TooLarge):
        decode_bounded(calls, path)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
