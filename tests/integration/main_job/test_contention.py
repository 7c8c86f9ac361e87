"""Many callers at once, and callers that change their minds: nobody gets another's result."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from PIL import Image

from tests.integration.main_job.platform import Platform
from tests.portrait import AVATAR, hopper_photo


def _photo(mark: int) -> bytes:
    """The same face in a file of its own."""
    stream = io.BytesIO()
    with Image.open(hopper_photo()) as image:
        image.putpixel((0, 0), (mark, 0, 0))
        image.save(stream, "PNG")
    return stream.getvalue()


def _create(platform: Platform, name: str, photo: bytes, consent: str) -> httpx.Response:
    return platform.http.post(
        "/v1/avatars", files={"photo": photo}, data={"name": name, "consent": consent}
    )


def test_a_name_that_is_free_again_goes_to_one_caller_with_that_callers_photo(
    platform: Platform,
) -> None:
    assert _create(platform, "wanted", _photo(9), "First.").status_code == 202
    assert platform.http.delete("/v1/avatars/wanted").status_code == 204  # while it is made
    assert platform.http.get("/v1/avatars/wanted").status_code == 404
    photos = [_photo(mark) for mark in range(4)]

    def ask(mark: int) -> httpx.Response:
        return _create(platform, "wanted", photos[mark], f"Given by caller {mark}.")

    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(ask, range(4)))
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [202] + 3 * [409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"name_taken"}
    winner = codes.index(202)
    assert list(platform.events("/v1/avatars/wanted/events"))[-1]["status"] == "succeeded"
    document = platform.http.get("/v1/avatars/wanted").json()
    assert document["consent"]["statement"] == f"Given by caller {winner}."
    assert document["source"]["sha256"] == hashlib.sha256(photos[winner]).hexdigest()
    assert document["report"]["face_psnr_db"] > 30
    kept = [info.key for info in platform.store.list("jobs/avatar-wanted")]
    assert len(kept) == 1, kept
    # At once after it is there, though its job may not have ended yet.
    assert platform.http.delete("/v1/avatars/wanted").status_code == 204
    assert platform.http.delete("/v1/avatars/wanted").status_code == 404


def test_many_watchers_leave_room_for_others(platform: Platform) -> None:
    video = platform.post_text("This is a long sentence to speak. " * 12, size=512)
    path = f"/v1/videos/{video['id']}/events"
    limits = httpx.Limits(max_connections=None)
    client = httpx.Client(base_url=platform.stack.url, trust_env=False, timeout=30, limits=limits)
    with client, ExitStack() as watching:
        for _ in range(130):
            answer = watching.enter_context(client.stream("GET", path))
            assert answer.status_code == 200
        assert platform.http.get("/readyz").status_code == 200
        assert platform.http.get(f"/v1/videos/{video['id']}").status_code == 200
    assert platform.http.delete(f"/v1/videos/{video['id']}").status_code == 204


@pytest.mark.parametrize("last", ["garbage", "9999999999999999999999-0", "$"])
def test_an_unknown_last_event_is_refused(platform: Platform, last: str) -> None:
    video = platform.post_text("Hello.", size=64)
    answer = platform.http.get(video["links"]["events"], headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_event_id")


def test_a_damaged_avatar_hides_no_other(platform: Platform) -> None:
    platform.store.put("avatars/broken/manifest.json", b"{nope")
    names = [avatar["id"] for avatar in platform.http.get("/v1/avatars").json()]
    assert AVATAR in names
    answer = platform.http.post("/v1/videos", json={"avatar": "broken", "text": "Hi."})
    assert (answer.status_code, answer.json()["code"]) == (422, "damaged_avatar")
    assert platform.http.delete("/v1/avatars/broken").status_code == 204
    assert platform.http.get("/v1/avatars/broken").status_code == 404
