"""Users for Locust: some order films, some talk live.

`locust -f loadtests/users.py --host http://127.0.0.1:8080 [JobUser LiveUser]` (extra `load`)

The server needs an avatar; `LIPSTREAM_LOAD_AVATAR` names it, `LIPSTREAM_LOAD_KEY` holds an API key
where keys are asked for. Beside the calls, two figures are counted as if they were calls:
`JOB film`, from the order to the finished film, and `LIVE first picture`, from speech to the first
picture of it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from locust import HttpUser, between, task
from websockets.sync.client import connect

from lipstream.audio import resample, synthesize
from lipstream.wire.live_media import MediaKind, MediaMessage

_AVATAR = os.environ.get("LIPSTREAM_LOAD_AVATAR", "demo")
_KEY = os.environ.get("LIPSTREAM_LOAD_KEY", "")
_TEXT = "My father saw a far away star above the harbour."
_RATE_HZ = 24_000
_POLL_S = 0.25
_LONG_S = 120.0


class _User(HttpUser):
    abstract = True

    def on_start(self) -> None:
        if _KEY:
            self.client.headers["Authorization"] = f"Bearer {_KEY}"

    @contextmanager
    def timed(self, kind: str, name: str) -> Iterator[None]:
        """Count what happens within as a call of its own."""
        began_s = time.perf_counter()
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=1e3 * (time.perf_counter() - began_s),
            response_length=0,
            exception=failure,
            context={},
        )


class JobUser(_User):
    """Orders a film, looks how far it is, fetches it, removes it."""

    wait_time = between(1, 3)

    @task
    def film(self) -> None:
        wanted = {"avatar": _AVATAR, "text": _TEXT, "size": 256}
        with self.timed("JOB", "film"):
            answer = self.client.post("/v1/videos", json=wanted)
            answer.raise_for_status()
            url = f"/v1/videos/{answer.json()['id']}"
            give_up_s = time.monotonic() + _LONG_S
            while (document := self._document(url))["status"] in ("queued", "running"):
                if time.monotonic() > give_up_s:
                    raise TimeoutError("the film was not made in time")
                time.sleep(_POLL_S)
            if document["status"] != "succeeded":
                raise RuntimeError(document["error"]["detail"])
        self.client.get(f"{url}/file", name="/v1/videos/{id}/file")
        self.client.delete(url, name="/v1/videos/{id}")

    def _document(self, url: str) -> dict[str, Any]:
        document: dict[str, Any] = self.client.get(url, name="/v1/videos/{id}").json()
        return document


class LiveUser(_User):
    """Opens a session, speaks once, watches until it has been said, leaves."""

    wait_time = between(1, 3)

    @task
    def talk(self) -> None:
        options = {"avatar": _AVATAR, "size": 256, "sample_rate": _RATE_HZ}
        answer = self.client.post("/v1/sessions", json=options)
        if not answer.ok:
            return  # counted as a failure already
        session = answer.json()
        try:
            self._speak(session)
        finally:
            self.client.delete(f"/v1/sessions/{session['id']}", name="/v1/sessions/{id}")

    def _speak(self, session: dict[str, Any]) -> None:
        host = urlsplit(self.host or "")
        scheme = "wss" if host.scheme == "https" else "ws"
        query = urlencode({"token": session["session_token"]})
        url = f"{scheme}://{host.netloc}{session['stream_url']}?{query}"
        with connect(url, max_size=None, proxy=None) as socket:
            with self.timed("LIVE", "first picture"):
                socket.send(_SPEECH)
                socket.send(json.dumps({"type": "agent.speak_end"}))
                started_us: int | None = None
                for message in socket:
                    if isinstance(message, bytes):
                        if started_us is not None and _shows(message, started_us):
                            break
                    elif (event := json.loads(message))["type"] == "agent.speak_started":
                        started_us = event["pts_us"]
            for message in socket:
                if isinstance(message, str) and "agent.speak_finished" in message:
                    break


def _shows(message: bytes, started_us: int) -> bool:
    media = MediaMessage.decode(message)
    return media.kind is MediaKind.VIDEO and media.pts_us >= started_us


def _speech() -> bytes:
    speech = synthesize(_TEXT)
    samples = resample(speech.samples, speech.rate_hz, _RATE_HZ)
    return (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()


_SPEECH = _speech()
