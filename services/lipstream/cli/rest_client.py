"""A small client of the gateway's REST interface, for the commands that talk to a stack."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from lipstream.client.answers import check_answer
from lipstream.client.credentials import key_headers
from lipstream.errors import BadInput, LipstreamError, Unavailable

__all__ = ["RestClient"]

_TIMEOUT = httpx.Timeout(30.0, read=120.0)
_REMEDY = "Start one with lipstream up, or name one with --url, such as http://127.0.0.1:8080."


class RestClient:
    """Talks to one gateway. Use it as a context.

    Args:
        api_key: where the gateway asks for one; by default LIPSTREAM_API_KEY of the environment.

    Raises:
        LipstreamError: what the gateway refused, with its own words, code and remedy.
        BadInput: the URL is malformed.
        Unavailable: nothing answers at the URL.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        try:
            self._http = httpx.Client(
                base_url=url, headers=key_headers(api_key), timeout=_TIMEOUT, trust_env=False
            )
        except httpx.InvalidURL as error:
            raise BadInput(f"{url!r} is no URL: {error}.", remedy=_REMEDY) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def avatar(self, name: str) -> dict[str, Any] | None:
        """The avatar's document, or None when there is none of that name."""
        try:
            return self._json("GET", f"/v1/avatars/{name}")
        except LipstreamError as error:
            if error.code == "not_found":
                return None
            raise

    def create_avatar(self, name: str, photo: Path, consent: str) -> dict[str, Any]:
        with photo.open("rb") as file:
            return self._json(
                "POST",
                "/v1/avatars",
                files={"photo": (photo.name, file)},
                data={"name": name, "consent": consent},
            )

    def create_video(
        self,
        avatar: str,
        *,
        audio: Path | None = None,
        background: Path | str | None = None,
        idempotency_key: str | None = None,
        **options: object,
    ) -> dict[str, Any]:
        """Ask for a video: `audio` or `text`, and what else `POST /v1/videos` takes."""
        fields = {"avatar": avatar, **{k: v for k, v in options.items() if v is not None}}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        if isinstance(background, str):
            fields["background"] = background
        paths = {"audio": audio, "background": background}
        with contextlib.ExitStack() as opened:
            files = {
                name: (path.name, opened.enter_context(path.open("rb")))
                for name, path in paths.items()
                if isinstance(path, Path)
            }
            if not files:
                return self._json("POST", "/v1/videos", json=fields, headers=headers)
            data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
            return self._json("POST", "/v1/videos", files=files, data=data, headers=headers)

    def check_videos(self) -> None:
        """Whether the gateway answers, and takes the caller's wishes for videos."""
        self._request("GET", "/v1/videos?limit=1")

    def video(self, video_id: str) -> dict[str, Any]:
        """A video's document."""
        return self._json("GET", f"/v1/videos/{video_id}")

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """Server-sent events of a job, to its end."""
        kind = {"Accept": "text/event-stream"}
        with self._reaching(), self._http.stream("GET", path, headers=kind) as response:
            check_answer(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def download(self, path: str, target: Path) -> None:
        with self._reaching(), self._http.stream("GET", path) as response:
            check_answer(response)
            with target.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)

    def webhooks(self) -> list[dict[str, Any]]:
        """Documents of the caller's webhooks, the oldest first."""
        documents: list[dict[str, Any]] = self._request("GET", "/v1/webhooks").json()
        return documents

    def create_webhook(self, address: str, events: list[str]) -> dict[str, Any]:
        """The document of a new webhook, with its secret."""
        return self._json("POST", "/v1/webhooks", json={"url": address, "events": events})

    def rotate_webhook(self, webhook_id: str, grace_s: float) -> dict[str, Any]:
        """A webhook's document with its new secret; the old one signs too for so long."""
        path = f"/v1/webhooks/{quote(webhook_id, safe='')}/rotate"
        return self._json("POST", path, json={"grace_s": grace_s})

    def test_webhook(self, webhook_id: str) -> str:
        """What came of a call that was made at once: `ok`, or what went wrong."""
        document = self._json("POST", f"/v1/webhooks/{quote(webhook_id, safe='')}/test")
        return str(document["last_result"])

    def delete_webhook(self, webhook_id: str) -> None:
        self._request("DELETE", f"/v1/webhooks/{quote(webhook_id, safe='')}")

    def _json(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        document: dict[str, Any] = self._request(method, path, **arguments).json()
        return document

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        with self._reaching():
            response = self._http.request(method, path, **arguments)
        check_answer(response)
        return response

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        """
        Raises:
            BadInput: the URL is none of HTTP.
            Unavailable: nothing answers there, or no more.
        """
        try:
            yield
        except httpx.UnsupportedProtocol:
            url = str(self._http.base_url).rstrip("/")
            raise BadInput(f"{url!r} is no http:// URL.", remedy=_REMEDY) from None
        except httpx.TransportError as error:
            raise Unavailable(
                f"The gateway at {self._http.base_url} does not answer.", remedy=_REMEDY
            ) from error
