"""A live session, from the side of an agent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lipstream.client.answers import check_answer, refused
from lipstream.client.credentials import key_headers
from lipstream.errors import Unavailable
from lipstream.wire.live_media import MediaMessage

__all__ = ["LiveClient", "LiveEvent"]

LiveEvent: TypeAlias = MediaMessage | dict[str, Any]
"""Media, or an event such as `{"type": "agent.speak_finished", ...}`."""

_LARGEST_PIECE = 256_000
"""Bytes of samples in one message; the server takes up to a megabyte."""
_LARGEST_MESSAGE = 16_000_000


class LiveClient:
    """Speaks into a session and reads what comes of it.

    Stale media, of an epoch before an interrupt, is left out. Made by `opened`.
    """

    def __init__(self, socket: ClientConnection, document: dict[str, Any]) -> None:
        self._socket = socket
        self._epoch = 0
        self.session = document
        """As `POST /v1/sessions` gave it."""

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, server: str, *, api_key: str | None = None, **options: Any
    ) -> AsyncIterator[Self]:
        """Open a session on a server, and end it at the end.

        Args:
            server: such as `http://127.0.0.1:8080`.
            api_key: where the server asks for one; by default LIPSTREAM_API_KEY of the
                environment.
            options: of `POST /v1/sessions`: avatar, output, size, sample_rate, voice, seed,
                style, controls.

        Raises:
            BadInput: the server refuses, in its own words.
            Unavailable: it cannot be reached.
        """
        headers = key_headers(api_key)
        async with httpx.AsyncClient(base_url=server, headers=headers, trust_env=False) as http:
            try:
                answer = await http.post("/v1/sessions", json=options, timeout=30)
            except httpx.HTTPError as error:
                raise Unavailable(f"{server} cannot be reached: {error}") from error
            check_answer(answer)
            document = answer.json()
            try:
                async with cls.attached(server, document) as client:
                    yield client
            finally:
                await http.delete(f"/v1/sessions/{document['id']}")

    @classmethod
    @asynccontextmanager
    async def attached(cls, server: str, document: dict[str, Any]) -> AsyncIterator[Self]:
        """Connect to a session that is open, after a dropped connection for example.

        Raises:
            BadInput: the server refuses, in its own words.
            Unavailable: it cannot be reached.
        """
        url = server.replace("http", "ws", 1) + document["stream_url"]
        headers = {"Authorization": f"Bearer {document['session_token']}"}
        try:
            socket = await connect(
                url, additional_headers=headers, max_size=_LARGEST_MESSAGE, proxy=None
            )
        except InvalidStatus as refusal:
            raise refused(
                refusal.response.status_code, bytes(refusal.response.body or b"")
            ) from None
        except OSError as error:
            raise Unavailable(f"{server} cannot be reached: {error}") from error
        async with socket:
            yield cls(socket, document)

    async def speak(self, samples: bytes) -> None:
        """A piece of speech: 16-bit PCM, mono, at the session's rate."""
        for first in range(0, len(samples), _LARGEST_PIECE):
            await self._socket.send(samples[first : first + _LARGEST_PIECE])

    async def end(self) -> None:
        """The utterance is complete."""
        await self._tell(type="agent.speak_end")

    async def say(self, text: str, voice: str | None = None) -> None:
        """Speak a text with the server's voice."""
        await self._tell(type="agent.speak", text=text, **({"voice": voice} if voice else {}))

    async def interrupt(self) -> None:
        """Stop speaking at once."""
        await self._tell(type="agent.interrupt")

    async def direct(self, **controls: Any) -> None:
        """Ask something else of the face, in place of all before: emotion, gaze, blink_rate."""
        await self._tell(type="session.controls", controls=controls)

    async def show(self, **changes: Any) -> None:
        """Go over to another output ("video" or "motion"), background or framing."""
        await self._tell(type="session.output", **changes)

    async def keep_alive(self) -> None:
        await self._tell(type="session.keep_alive")

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Everything the server sends, until the session ends."""
        try:
            async for message in self._socket:
                if isinstance(message, str):
                    yield json.loads(message)
                    continue
                media = MediaMessage.decode(message)
                self._epoch = max(self._epoch, media.epoch)
                if media.epoch == self._epoch:
                    yield media
        except ConnectionClosed:
            return

    async def _tell(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))
