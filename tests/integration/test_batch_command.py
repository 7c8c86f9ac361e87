"""`lipstream batch` against a real gateway and Redis, with stages that do what they are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from lipstream.cli.batch import batch
from lipstream.errors import BadInput, NotFound, Unavailable
from lipstream.pipeline import JobKind
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.job_context import JobContext
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from tests.integration.dummy_stage import handle
from tests.integration.job_lane import JobLane
from tests.integration.redis_process import RedisProcess
from tests.integration.served_gateway import served

_MANIFEST = b'{"consent": {"statement": "I am the person in the photo."}}'


@pytest.fixture
def url(redis_server: RedisProcess, tmp_path: Path) -> Iterator[str]:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"not looked into")
    objects = str(tmp_path / "objects")
    AvatarLibrary(open_store(objects)).add("me", bundle, _MANIFEST, b"png")
    settings = Settings(redis=redis_server.url, store=objects, audio_address="127.0.0.1:1")
    with served(settings) as address:
        yield address


def test_a_batch_goes_on_after_a_stop_and_tries_again_what_failed(
    redis_server: RedisProcess, url: str, tmp_path: Path
) -> None:
    manifest, out = tmp_path / "manifest.jsonl", tmp_path / "videos"
    (tmp_path / "speech.wav").write_bytes(b"sound")
    lines = [
        {"avatar": "me", "text": "One."},
        {"avatar": "me", "audio": "speech.wav", "out": "spoken.mp4"},
        {"avatar": "me", "text": "Fails once."},
        {"avatar": "nobody", "text": "Four."},
    ]
    manifest.write_text("\n".join(map(json.dumps, lines)))
    seen: list[str] = []

    def render(context: JobContext) -> None:
        text = str(context.params.get("text", "audio"))
        seen.append(text)
        if text == "Fails once." and seen.count(text) == 1:
            raise BadInput("It does not work today.", remedy="Try tomorrow.", code="not_today")
        handle(context)

    def report() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]

    async def scenario() -> None:
        async with JobLane.on(redis_server.url) as lane:
            lane.store = open_store(str(tmp_path / "objects"))
            for stage in ("audio", "motion"):
                lane.work(stage)
            lane.work("render", render)
            with pytest.raises(typer.Exit):
                await asyncio.to_thread(batch, manifest, out, url)
            first = report()
            assert [e["status"] for e in first] == ["succeeded", "succeeded", "failed", "failed"]
            assert first[2]["error"]["remedy"] == "Try tomorrow."
            assert first[3]["error"]["code"] == "not_found"
            assert (out / "spoken.mp4").read_bytes().endswith(b" render")

            (out / "spoken.mp4").unlink()  # as if it had been stopped before it was fetched
            with pytest.raises(typer.Exit):
                await asyncio.to_thread(batch, manifest, out, url)
            statuses = [entry["status"] for entry in report()]
            assert statuses == ["succeeded", "succeeded", "succeeded", "failed"]
            assert (out / "spoken.mp4").exists()
            assert (out / "00003.mp4").exists()
            jobs = await lane.jobs.list_jobs(JobKind.VIDEO)
            assert len(jobs) == 4  # of three lines, one of which was tried twice
            assert {job.priority.value for job in jobs} == {"batch"}

    asyncio.run(scenario())
    assert sorted(seen) == ["Fails once.", "Fails once.", "One.", "audio"]


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("", BadInput, "no lines"),
        ("{", BadInput, "Line 1"),
        ("[]", BadInput, "no object"),
        ('{"avatar": "me", "text": "x", "out": "../x.mp4"}', BadInput, "no file's name"),
        ('{"text": "x", "out": "a"}\n{"text": "y", "out": "a"}', BadInput, "Several"),
        ('{"avatar": "me", "audio": "gone.wav"}', NotFound, "no file"),
    ],
)
def test_manifests_that_cannot_be_used(
    tmp_path: Path, text: str, error: type[Exception], sentence: str
) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(text)
    with pytest.raises(error, match=sentence):
        batch(manifest, tmp_path / "out", "http://127.0.0.1:1")


def test_a_gateway_that_is_not_there_is_not_waited_for(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"avatar": "me", "text": "One."}')
    with pytest.raises(Unavailable, match="does not answer"):
        batch(manifest, tmp_path / "videos", "http://127.0.0.1:1")
