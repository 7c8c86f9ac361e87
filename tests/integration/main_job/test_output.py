"""Formats, sizes and backgrounds, from a request to the file, through the real services."""

from __future__ import annotations

import io
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from tests.integration.main_job.platform import Platform, speech_wav
from tests.portrait import AVATAR


def _wall() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (10, 180, 40)).save(out, "PNG")
    return out.getvalue()


def _post(platform: Platform, background: bytes, **fields: Any) -> httpx.Response:
    return platform.http.post(
        "/v1/videos",
        data={"avatar": AVATAR, **fields},
        files={
            "audio": ("speech.wav", speech_wav("One.")),
            "background": ("wall.png", background),
        },
    )


def test_a_film_with_alpha_is_served_as_what_it_is(platform: Platform) -> None:
    video = platform.post_text("Hello.", size="128x228", format="webm", background="none")
    document = platform.ended(video["id"])
    assert document["status"] == "succeeded", document
    answer = platform.http.get(document["links"]["file"])
    assert answer.headers["content-type"] == "video/webm"
    assert answer.headers["content-disposition"].endswith('.webm"')
    with av.open(io.BytesIO(answer.content), "r") as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height) == (128, 228)
        assert sound.codec_context.name == "opus"
        assert "synthetic=true" in container.metadata["COMMENT"]
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        frame = next(f for packet in container.demux(picture) for f in decoder.decode(packet))
    alpha = frame.to_ndarray(format="rgba")[..., 3]
    assert alpha[:20, :10].max() < 20
    assert alpha[120:, 55:75].min() > 240


def test_a_background_is_uploaded_beside_the_recording(platform: Platform) -> None:
    answer = _post(platform, _wall(), size="128")
    assert answer.status_code == 202, answer.text
    document = platform.ended(answer.json()["id"])
    assert document["status"] == "succeeded", document
    data = platform.http.get(document["links"]["file"]).content
    with av.open(io.BytesIO(data), "r") as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert np.abs(frame[5:15, 5:20] - (10, 180, 40)).max() < 12


@pytest.mark.parametrize("data", [b"no picture", _wall()[:40]])
def test_a_bad_background_is_refused_at_once(platform: Platform, data: bytes) -> None:
    answer = _post(platform, data)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_background")
    assert "background" in answer.json()["detail"]
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"background": "none"}, "mp4 cannot be transparent"),
        ({"background": "upload"}, "no file in 'background'"),
        ({"background": "/etc/passwd"}, "background: must be photo"),
        ({"format": "avi"}, "format"),
        ({"size": "640x480"}, "upright"),
        ({"size": "12x"}, "no size"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(
    platform: Platform, fields: dict[str, str], said: str
) -> None:
    wish = {"avatar": AVATAR, "text": "Hello.", **fields}
    answer = platform.http.post("/v1/videos", json=wish)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
