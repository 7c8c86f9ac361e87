"""A photo and a voice become a talking video, through the real services."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from lipstream.face.arkit import INDEX
from lipstream.face.motion_file import read_npz
from tests.integration.main_job.platform import Platform, speech_wav
from tests.portrait import AVATAR, hopper_photo

SENTENCE = "Bob put a maple table by the map."


def _frames(video: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(video), "r") as container:
        frames = container.decode(video=0)
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]


def test_text_becomes_a_video_whose_mouth_moves(platform: Platform) -> None:
    video = platform.post_text(SENTENCE, size=256)
    events = list(platform.events(video["links"]["events"]))
    assert [e["status"] for e in events][-1] == "succeeded", events[-1]
    stages = list(dict.fromkeys(e["stage"] for e in events))
    assert stages == ["audio", "motion", "render"]
    assert [e["progress"] for e in events] == sorted(e["progress"] for e in events)

    document = platform.video(video["id"])
    data = platform.http.get(document["links"]["file"]).content
    with av.open(io.BytesIO(data), "r") as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert picture.width == picture.height == 256
        assert "synthetic=true" in container.metadata["comment"]
    frames = _frames(data)
    assert len(frames) == document["results"]["frames"]
    # The mouth's part of the picture changes more than the background's corner.
    changes = np.abs(np.diff(np.stack(frames).astype(np.int16), axis=0)).mean(axis=(0, 3))
    assert changes[140:180, 100:160].mean() > 5 * changes[:40, 200:].mean() + 0.2


def test_a_form_that_is_sent_again_with_its_key_gives_the_same_video(platform: Platform) -> None:
    def send(text: str) -> httpx.Response:
        return platform.http.post(
            "/v1/videos",
            data={"avatar": AVATAR, "size": "64", "priority": "batch", "deadline_s": "600"},
            files={"audio": ("speech.wav", speech_wav(text))},
            headers={"Idempotency-Key": "one"},
        )

    first, again, other = send("One."), send("One."), send("Two.")
    assert first.json()["priority"] == "batch"
    assert first.json()["deadline_ms"] == first.json()["created_ms"] + 600_000
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_mismatch"
    assert platform.ended(first.json()["id"])["status"] == "succeeded"


def test_a_recording_becomes_a_video_of_its_length(platform: Platform) -> None:
    answer = platform.post_audio(speech_wav("One two three."), size=128, fps=30)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/videos/{answer.json()['id']}"
    document = platform.ended(answer.json()["id"])
    assert document["status"] == "succeeded", document
    results = document["results"]
    assert results["duration_s"] == pytest.approx(results["speech_s"], abs=1 / 30)
    assert results["frames"] == round(30 * results["speech_s"])


def test_files_are_served_in_ranges(platform: Platform) -> None:
    video = platform.post_text("Hello.", size=64)
    platform.ended(video["id"])
    path = f"/v1/videos/{video['id']}/file"
    whole = platform.http.get(path)
    assert whole.headers["accept-ranges"] == "bytes"
    part = platform.http.get(path, headers={"Range": "bytes=10-99"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 10-99/{len(whole.content)}"
    assert part.content == whole.content[10:100]
    for ranged in ({}, {"Range": "bytes=10-99"}):
        head = platform.http.head(path, headers=ranged)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "accept-ranges", "etag"):
            assert head.headers[name] == whole.headers[name]
    tail = platform.http.get(path, headers={"Range": "bytes=-7"})
    assert tail.content == whole.content[-7:]
    behind = platform.http.get(path, headers={"Range": "bytes=99999999-"})
    assert behind.status_code == 416
    assert behind.headers["content-range"].startswith("bytes */")
    assert behind.json()["code"] == "range_behind_end"


def test_what_can_be_fetched_can_be_asked_about(platform: Platform) -> None:
    path = f"/v1/avatars/{AVATAR}/preview"
    picture, head = platform.http.get(path), platform.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(picture.content))
    assert head.headers["content-type"] == "image/png"
    for missing in ("/v1/avatars/nobody/preview", "/v1/videos/none/file"):
        head = platform.http.head(missing)
        assert (head.status_code, head.content) == (404, b"")


def test_avatars_can_be_fetched_for_other_programs(platform: Platform) -> None:
    links = platform.http.get(f"/v1/avatars/{AVATAR}").json()["links"]
    for ending, magic in (
        ("ply", b"ply\nformat binary_little_endian 1.0\n"),
        ("glb", b"glTF"),
        ("splats", b"LIPSPLAT"),
    ):
        file = platform.http.get(links[ending])
        assert file.status_code == 200, file.text
        assert file.content.startswith(magic)
        assert file.headers["content-disposition"] == f'attachment; filename="{AVATAR}.{ending}"'
        head = platform.http.head(links[ending])
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(file.content))
        known = {"If-None-Match": file.headers["etag"]}
        again = platform.http.get(links[ending], headers=known)
        assert (again.status_code, again.content) == (304, b"")
    for path, status in (
        (f"/v1/avatars/{AVATAR}/export?format=obj", 422),
        ("/v1/avatars/nobody/export?format=ply", 404),
    ):
        assert platform.http.get(path).status_code == status


def test_two_jobs_at_once_move_as_they_do_one_after_the_other(platform: Platform) -> None:
    texts = ("We have five views.", "You knew who chose the blue shoes.")

    def motion_of(video_id: str) -> str:
        assert platform.ended(video_id)["status"] == "succeeded"
        return hashlib.sha256(platform.store.get(f"jobs/{video_id}/motion.npz")).hexdigest()

    alone = [motion_of(platform.post_text(text, size=64, seed=7)["id"]) for text in texts]
    ids = [platform.post_text(text, size=64, seed=7)["id"] for text in texts]
    assert [motion_of(video_id) for video_id in ids] == alone
    assert alone[0] != alone[1]


def test_the_command_makes_the_same_motion_as_the_services(
    platform: Platform, tmp_path: Path
) -> None:
    from lipstream.audio.encoder import SpeechEncoder
    from lipstream.audio.features import features_of
    from lipstream.audio.limits import AudioLimits
    from lipstream.audio.source import SpokenText
    from lipstream.face.motion import Motion
    from lipstream.motion import generate, open_generator

    video = platform.post_text(SENTENCE, size=64, seed=3)
    platform.ended(video["id"])
    path = tmp_path / "motion.npz"
    platform.store.get_file(f"jobs/{video['id']}/motion.npz", path)
    served = read_npz(path)
    source = SpokenText(SENTENCE, "en-us", AudioLimits())
    features = features_of(SpeechEncoder(), source.chunks(16_000))
    local = Motion.concatenate(generate(open_generator(), features, seed=3))
    np.testing.assert_allclose(served.blendshapes, local.blendshapes, atol=1e-5)
    np.testing.assert_allclose(served.rotation, local.rotation, atol=1e-6)


def test_controls_go_through_every_service(platform: Platform, tmp_path: Path) -> None:
    controls = {"emotion": {"joy": 1}, "head_motion": 0, "framing": {"zoom": 1.5}}
    pictures = []
    for asked in ({}, {"controls": controls}):
        video = platform.post_text("Yes.", size=64, seed=3, **asked)
        document = platform.ended(video["id"])
        assert document["status"] == "succeeded", document
        pictures.append(_frames(platform.http.get(document["links"]["file"]).content)[0])
        path = tmp_path / "motion.npz"
        platform.store.get_file(f"jobs/{video['id']}/motion.npz", path)
    motion = read_npz(path)
    assert motion.blendshapes[:, INDEX["cheekSquintLeft"]].min() > 0.9
    assert np.abs(motion.translation).max() == 0
    assert np.abs(pictures[1].astype(float) - pictures[0]).mean() > 10
    refused = platform.post_audio(b"", controls='{"emotion": {"happiness": 1}}')
    assert refused.status_code == 422
    assert "no emotion 'happiness'; choose of" in refused.json()["detail"]


def test_a_photo_becomes_an_avatar(platform: Platform) -> None:
    with hopper_photo().open("rb") as photo:
        answer = platform.http.post(
            "/v1/avatars",
            files={"photo": photo},
            data={"name": "admiral", "consent": "Public domain."},
        )
    assert answer.status_code == 202, answer.text
    early = platform.http.post("/v1/videos", json={"avatar": "admiral", "text": "Hello."})
    assert (early.status_code, early.json()["code"]) == (409, "avatar_not_ready")
    events = list(platform.events("/v1/avatars/admiral/events"))
    assert events[-1]["status"] == "succeeded", events[-1]
    document = platform.http.get("/v1/avatars/admiral").json()
    assert document["status"] == "ready"
    assert document["consent"]["statement"] == "Public domain."
    assert document["source"]["sha256"] == hashlib.sha256(hopper_photo().read_bytes()).hexdigest()
    preview = platform.http.get(document["links"]["preview"])
    assert preview.content.startswith(b"\x89PNG")
    names = [avatar["id"] for avatar in platform.http.get("/v1/avatars").json()]
    assert {"admiral", AVATAR} <= set(names)
    assert names == sorted(names)

    with hopper_photo().open("rb") as photo:
        again = platform.http.post(
            "/v1/avatars", files={"photo": photo}, data={"name": "admiral", "consent": "Again."}
        )
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert platform.http.delete("/v1/avatars/admiral").status_code == 204
    assert platform.http.get("/v1/avatars/admiral").status_code == 404


def test_a_video_can_be_cancelled_and_deleted(platform: Platform) -> None:
    video = platform.post_text("This is a long sentence to speak. " * 8, size=512)
    platform.reached(video["id"], "render")
    assert platform.http.delete(f"/v1/videos/{video['id']}").status_code == 204
    assert platform.http.get(f"/v1/videos/{video['id']}").status_code == 404
    # The worker is free again for the next job.
    assert platform.ended(platform.post_text("Hello.", size=64)["id"])["status"] == "succeeded"


def test_operators_see_what_happens(platform: Platform) -> None:
    platform.ended(platform.post_text("Hello.", size=64)["id"])
    assert platform.http.get("/healthz").json() == {"status": "ok"}
    assert platform.http.get("/readyz").status_code == 200
    assert 'method="POST /v1/videos"' in platform.http.get("/metrics").text
    assert "/v1/videos" in platform.http.get("/openapi.json").json()["paths"]
    assert platform.http.get("/docs").status_code == 200
    for stage, url in platform.stack.metrics_urls.items():
        text = platform.http.get(f"{url}/metrics").text
        assert f'lipstream_work_total{{outcome="done",service="{stage}"}}' in text or (
            stage == "avatar"
        )
        assert "lipstream_queue_depth" in text
