"""What nobody should send: each is refused with a reason, in bounded time, and never with a 500."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.integration.main_job.platform import Platform
from tests.portrait import AVATAR, hopper_photo, masked_photo
from tests.shared_data import shared_data
from tests.unit.avatar.video.films import film, plain


def _wav(samples: bytes, rate_hz: int, bits: int = 16, kind: int = 1) -> bytes:
    block = bits // 8
    header = struct.pack("<HHIIHH", kind, 1, rate_hz, rate_hz * block, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + header
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tone(seconds: float, rate_hz: int) -> bytes:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    samples: NDArray[np.int16] = (8000 * np.sin(2 * np.pi * 50 * t)).astype("<i2")
    return samples.tobytes()


def _nan() -> bytes:
    samples = np.sin(np.arange(16_000) / 20).astype("<f4")
    samples[800] = np.nan
    return _wav(samples.tobytes(), 16_000, 32, 3)


def _six_minutes() -> bytes:
    loop = np.random.default_rng(0).integers(0, 256, 8_000, dtype=np.uint8).tobytes()
    return _wav(loop * 360, 8_000, 8)


BAD_AUDIO: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "an empty file": (lambda: b"", "empty_file", "empty"),
    "no samples": (lambda: _wav(b"", 16_000), "empty_audio", "no samples"),
    "silence": (lambda: _wav(bytes(64_000), 16_000), "silent_audio", "-66 dB"),
    "not a number": (_nan, "not_finite", "0.050 s"),
    "200 Hz": (lambda: _wav(_tone(2, 200), 200), "sample_rate", "4,000"),
    "1 MHz": (lambda: _wav(_tone(0.5, 1_000_000), 1_000_000), "sample_rate", "384,000"),
    "six minutes": (_six_minutes, "too_long", "5 minutes"),
    "a text file": (lambda: b"Hello, I am a text.\n" * 50, "not_media", "not audio"),
}


@pytest.mark.parametrize("name", BAD_AUDIO)
def test_audio_that_cannot_be_used(platform: Platform, name: str) -> None:
    make, code, said = BAD_AUDIO[name]
    answer = platform.post_audio(make())
    problem = answer.json()
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], said in problem["detail"]) == (code, True), problem


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [("", "empty_text", 422), (" \n\t ", "empty_text", 422), ("a" * 100_000, "too_large", 413)],
)
def test_text_that_cannot_be_spoken(platform: Platform, text: str, code: str, status: int) -> None:
    answer = platform.http.post("/v1/videos", json={"avatar": AVATAR, "text": text})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "Hello."},
        {"avatar": AVATAR},
        {"avatar": AVATAR, "text": "Hello.", "size": 63},
        {"avatar": AVATAR, "text": "Hello.", "size": 20_000},
        {"avatar": AVATAR, "text": "Hello.", "fps": 26},
        {"avatar": AVATAR, "text": "Hello.", "seed": -1},
        {"avatar": AVATAR, "text": "Hello.", "voice": "martian"},
        {"avatar": AVATAR, "text": "Hello.", "colour": "red"},
        {"avatar": "nobody", "text": "Hello."},
        {"avatar": "../../etc/passwd", "text": "Hello."},
        {"avatar": "GRACE", "text": "Hello."},
        {"avatar": 7, "text": ["Hello."]},
    ],
)
def test_fields_that_make_no_sense(platform: Platform, fields: dict[str, object]) -> None:
    answer = platform.http.post("/v1/videos", json=fields)
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def _png(width: int, height: int) -> bytes:
    """A picture whose header alone is true to its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def _plain() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (600, 600), (90, 120, 90)).save(stream, "JPEG")
    return stream.getvalue()


def _zip_bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(200_000_000))
    return stream.getvalue()


BAD_PHOTOS: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty file": (lambda: b"", "empty_file"),
    "no image": (lambda: b"this is no image" * 100, "not_an_image"),
    "1 x 1": (lambda: _png(1, 1), "too_small"),
    "20,000 x 20,000": (lambda: _png(20_000, 20_000), "too_large"),
    "a zip bomb": (_zip_bomb, "not_an_image"),
    "cut short": (lambda: hopper_photo().read_bytes()[:20_000], "damaged_image"),
    "no face": (_plain, "no_face"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_photos_that_cannot_be_used(platform: Platform, name: str) -> None:
    make, code = BAD_PHOTOS[name]
    answer = platform.http.post(
        "/v1/avatars", files={"photo": ("me.jpg", make())}, data={"name": "bad", "consent": "Yes."}
    )
    assert (answer.status_code, answer.json()["code"]) == (
        413 if code == "too_large" else 422,
        code,
    ), answer.text
    assert platform.http.get("/v1/avatars/bad").status_code == 404


def test_four_hours_of_video_make_no_avatar(platform: Platform, tmp_path: Path) -> None:
    path = film(tmp_path / "me.mp4", plain(2), times_s=[0.0, 4 * 3600.0])
    answer = platform.http.post(
        "/v1/avatars",
        files={"photo": ("me.mp4", path.read_bytes())},
        data={"name": "bad", "consent": "Yes."},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_long"), answer.text
    assert answer.json()["remedy"]


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "", ".", "ä", "A", "x" * 57])
def test_names_that_cannot_name_an_avatar(platform: Platform, name: str) -> None:
    answer = platform.http.post(
        "/v1/avatars",
        files={"photo": ("me.jpg", hopper_photo().read_bytes())},
        data={"name": name, "consent": "Yes."},
    )
    assert answer.status_code == 422, answer.text
    assert "name" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/avatars/..%2f..%2fetc",
        "/v1/videos/..%2f..%2fetc/file",
        "/v1/videos/nothing",
        "/v1/videos/nothing/events",
        "/v1/avatars/%00/preview",
    ],
)
def test_paths_that_lead_nowhere(platform: Platform, path: str) -> None:
    answer = platform.http.get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_broken_recording_gets_a_result_or_a_reason(platform: Platform) -> None:
    folder = shared_data("robustness")
    files = [p for p in sorted(folder.rglob("*")) if p.suffix not in (".md", ".csv", "")]
    assert files
    for path in files:
        answer = platform.post_audio(path.read_bytes(), size=64)
        assert answer.status_code in (202, 413, 422), (path.name, answer.text)
        if answer.status_code == 202:
            assert platform.ended(answer.json()["id"])["status"] == "succeeded", path.name
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"], path.name


def test_an_avatar_that_turns_out_badly_is_refused_with_its_figures(platform: Platform) -> None:
    """The photo passes the first look; what is wrong with the avatar shows when it is drawn."""
    answer = platform.http.post(
        "/v1/avatars",
        files={"photo": ("me.png", masked_photo())},
        data={"name": "masked", "consent": "Yes."},
    )
    assert answer.status_code == 202, answer.text
    *_, last = platform.events("/v1/avatars/masked/events")
    assert (last["status"], last["error"]["code"]) == ("failed", "poor_avatar")
    document = platform.http.get("/v1/avatars/masked").json()
    assert document["status"] == "failed"
    assert document["error"]["remedy"]
    assert "not good enough" in document["error"]["detail"]
    figures = document["error"]["figures"]
    assert figures["viseme_worst_mm"] > 6
    assert figures["face_psnr_db"] > 25, "the picture alone would have passed"
    sheet = platform.http.get(document["links"]["sheet"])
    assert sheet.headers["content-type"] == "image/png"
    assert sheet.content.startswith(b"\x89PNG")
    assert platform.http.get("/v1/avatars/masked/preview").status_code == 404
    assert not list(platform.store.list("avatars/masked"))
    assert platform.http.delete("/v1/avatars/masked").status_code == 204
    assert platform.http.get("/v1/avatars/masked/sheet").status_code == 404


def test_an_avatar_shows_its_report_and_its_sheet(platform: Platform) -> None:
    document = platform.http.get(f"/v1/avatars/{AVATAR}").json()
    assert document["report"]["face_psnr_db"] > 30
    assert document["report"]["viseme_m_gap_detected_mm"] < 3
    sheet = platform.http.get(document["links"]["sheet"])
    assert sheet.content.startswith(b"\x89PNG")
    assert platform.http.get("/v1/avatars/nobody/sheet").status_code == 404
