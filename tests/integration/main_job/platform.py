"""A running stack as its callers see it: the REST interface, and processes to do harm to."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np

from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.local_stack import LocalStack
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.wire.job import Job, JobStatus
from tests.portrait import AVATAR

__all__ = ["Platform", "speech_wav"]

_LONG_S = 90.0


class Platform:
    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.store = open_store(stack.store_url)
        self.http = httpx.Client(base_url=stack.url, timeout=60.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def post_text(self, text: str, **fields: object) -> dict[str, Any]:
        answer = self.http.post("/v1/videos", json={"avatar": AVATAR, "text": text, **fields})
        assert answer.status_code == 202, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def post_audio(self, audio: bytes, **fields: object) -> httpx.Response:
        data = {"avatar": AVATAR, **{name: str(value) for name, value in fields.items()}}
        return self.http.post("/v1/videos", data=data, files={"audio": ("speech.wav", audio)})

    def video(self, video_id: str) -> dict[str, Any]:
        document: dict[str, Any] = self.http.get(f"/v1/videos/{video_id}").json()
        return document

    def ended(self, video_id: str) -> dict[str, Any]:
        """The video's document when its job is over."""
        return self._until(lambda: self._over(self.video(video_id)), every_s=0.2)

    def reached(self, video_id: str, stage: str) -> None:
        """Wait until a stage works on a video."""

        def there() -> dict[str, Any] | None:
            document = self.video(video_id)
            assert document["status"] != "failed", document
            at_work = document["stage"] == stage and document["status"] == "running"
            return document if at_work else None

        self._until(there)

    def reached_or_ended(self, video_id: str, stage: str, after_tries: int) -> dict[str, Any]:
        """Wait until a stage has begun once more with a video, or the video is over."""

        def there() -> dict[str, Any] | None:
            job = self._job(video_id)
            begun = job.stage == stage and job.attempts.get(stage, 0) > after_tries
            known = (begun and job.status is JobStatus.RUNNING) or job.status.finished
            return self.video(video_id) if known else None

        return self._until(there, every_s=0.1)

    def copy_avatar(self, name: str) -> None:
        """Another avatar with the same face."""
        library = AvatarLibrary(self.store)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bundle.zip"
            library.fetch(AVATAR, path)
            manifest = json.dumps(library.entry(AVATAR).manifest).encode()
            library.add(name, path, manifest, library.preview(AVATAR))

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        with self.http.stream("GET", path) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def kill(self, component: str) -> None:
        """SIGKILL, as an out-of-memory killer would."""
        os.kill(self.stack.pids[component], signal.SIGKILL)

    def _job(self, video_id: str) -> Job:
        async def get() -> Job:
            link = RedisLink(self.stack.redis_url)
            try:
                return await JobStore(link).get(video_id)
            finally:
                await link.close()

        return asyncio.run(get())

    @staticmethod
    def _over(document: dict[str, Any]) -> dict[str, Any] | None:
        return document if document["status"] in ("succeeded", "failed", "cancelled") else None

    @staticmethod
    def _until(look: Any, every_s: float = 0.05) -> dict[str, Any]:
        give_up_s = time.monotonic() + _LONG_S
        while time.monotonic() < give_up_s:
            try:
                found: dict[str, Any] | None = look()
            except (httpx.TransportError, KeyError):
                found = None  # what it asks is being restarted
            if found is not None:
                return found
            time.sleep(every_s)
        raise AssertionError("waited in vain")


def speech_wav(text: str, rate_hz: int = 22_050) -> bytes:
    """A recording of a synthetic voice."""
    from lipstream.audio.synthesis import synthesize

    speech = synthesize(text)
    pcm = (np.clip(speech.samples, -1, 1) * 32767).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())
    return stream.getvalue()
