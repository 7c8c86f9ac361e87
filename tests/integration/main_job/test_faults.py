"""Harm done to the running stack in the middle of a job: nothing is lost, nothing done twice."""

from __future__ import annotations

import pytest

from tests.integration.main_job.platform import Platform

# Long enough that it is still being worked on when the harm is done.
LONG_TEXT = "The quick brown fox jumps over the lazy dog, and then it walks home again. " * 2


@pytest.mark.parametrize("stage", ["audio", "motion", "render"])
def test_a_killed_worker_costs_time_and_nothing_else(platform: Platform, stage: str) -> None:
    video = platform.post_text(LONG_TEXT, size=256 if stage == "render" else 64)
    if stage == "render":
        platform.reached(video["id"], "render")
    platform.kill(stage)
    document = platform.ended(video["id"])
    assert document["status"] == "succeeded", document
    events = list(platform.events(f"/v1/videos/{video['id']}/events"))
    assert [event["status"] for event in events].count("succeeded") == 1
    assert platform.http.get(f"/v1/videos/{video['id']}/file").status_code == 200


def test_redis_killed_in_the_middle_of_jobs_loses_none(platform: Platform) -> None:
    videos = [platform.post_text(LONG_TEXT, size=128)["id"] for _ in range(3)]
    platform.reached(videos[0], "render")
    platform.kill("redis")
    documents = [platform.ended(video) for video in videos]
    assert [document["status"] for document in documents] == ["succeeded"] * 3


def test_a_job_that_kills_its_worker_each_time_is_given_up(platform: Platform) -> None:
    video = platform.post_text(LONG_TEXT * 2, size=512)
    tries = 0
    while True:
        document = platform.reached_or_ended(video["id"], "render", after_tries=tries)
        if document["status"] == "failed":
            break
        tries += 1
        assert tries <= 3, "it is tried for ever"
        platform.kill("render")
    assert document["error"]["code"] == "worker_died", document["error"]
    assert document["error"]["detail"]
    assert platform.ended(platform.post_text("Hi.", size=64)["id"])["status"] == "succeeded"


def test_what_can_never_work_fails_at_once_with_its_reason(platform: Platform) -> None:
    platform.copy_avatar("passing")
    video = platform.post_text(LONG_TEXT, avatar="passing", size=64)
    platform.http.delete("/v1/avatars/passing")
    document = platform.ended(video["id"])
    assert document["status"] == "failed"
    assert document["error"]["code"] == "not_found"
    assert "passing" in document["error"]["detail"]
    assert platform.ended(platform.post_text("Hi.", size=64)["id"])["status"] == "succeeded"
